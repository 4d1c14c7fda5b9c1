(figure, { scores, words, digits }) => {
  const form = figure.querySelector("form"), told = figure.querySelector("output"), svg = figure.querySelector("svg");
  const all = (name) => [...svg.querySelectorAll(name)], alt = svg.getAttribute("aria-label");
  const [names, bars, numbers, percents] = [".word", ".bar", ".score", ".percent"].map(all);
  const round = (value, decimals) => { // halves go up, as in Python
    const rounded = Math.floor(value * 10 ** decimals + 0.5) / 10 ** decimals;
    return rounded === -Infinity ? "−∞" : rounded.toFixed(decimals).replace("-", "−");
  };
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const normal = (values) => values.map((value) => value / sum(values));

  const show = () => {
    const { temperature, top_k: most, top_p: together } = form.elements;
    const tau = Number((10 ** temperature.value).toFixed(2));
    const scaled = scores.map((score) => score === null ? -Infinity : score / tau);
    let weights = normal(scaled.map((score) => Math.exp(score - Math.max(...scaled))));
    const kept = most && (most.value === most.max ? scores.length : Number(most.value)); // the last stop: all words
    if (most) {
      const worst = [...scaled].sort((a, b) => b - a)[kept - 1];
      weights = normal(weights.map((w, i) => scaled[i] < worst ? 0 : w));
    }
    if (together && together.value < 1) {
      const order = weights.map((_, i) => i).sort((a, b) => weights[b] - weights[a]);
      const before = order.map((_, n) => sum(order.slice(0, n).map((i) => weights[i])));
      weights = normal(weights.map((w, i) => before[order.indexOf(i)] < together.value - 1e-9 ? w : 0));
    }
    const bits = -sum(weights.map((w) => w && w * Math.log2(w)));
    words.forEach((_, i) => {
      const rest = i === words.length - 1 && i < scores.length - 1; // the last row: all others together
      const w = rest ? sum(weights.slice(i)) : weights[i];
      numbers[i].textContent = rest ? "" : round(scaled[i], digits);
      bars[i].setAttribute("width", `${(100 * w).toFixed(2)}%`);
      percents[i].textContent = `${round(100 * w, 1)} %`;
      names[i].classList.toggle("out", !w && scaled[i] > -Infinity && Boolean(most ?? together));
    });
    for (const input of form.querySelectorAll("input")) {
      const value = input === temperature ? round(tau, 2) : input === most ? String(kept) : input.value;
      input.setAttribute("aria-valuetext", value);
      input.closest("label").querySelector("b").textContent = value;
    }
    told.textContent = told.dataset.text.replace("{tau}", round(tau, 2)).replace("{bits}", round(bits, 2)).replace("{even}", round(2 ** bits, 1));
    const now = words.map((word, i) => `${word} ${percents[i].textContent}`).join(", ");
    svg.setAttribute("aria-label", `${alt} Now, at τ = ${round(tau, 2)}: ${now}.`);
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("button").addEventListener("click", () => { form.reset(); show(); });
  form.hidden = false;
}
