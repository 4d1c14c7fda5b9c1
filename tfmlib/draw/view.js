(figure, { alt, attentions, start }) => {
  const SVG = "http://www.w3.org/2000/svg", TALL = 26; // a word's height in pixels
  const make = (name, attributes = {}, ...inside) => {
    const made = ["svg", "path"].includes(name) ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    made.append(...inside);
    return made;
  };
  const choice = (name, value, label, ...inside) => // JupyterLab keeps the arrow keys, but for such an element
    make("label", {}, make("input", { type: "radio", name, value, "aria-label": label, "data-lm-suppress-shortcuts": true }), ...inside);
  const headName = (one, head) => one.heads.length === 1 ? "" : head ? `head ${head - 1}` : "mean of the heads";
  const fullName = (one, head) => [one.part, one.layer, headName(one, head)].filter(Boolean).join(", ");

  let shown = attentions[start], head = 0; // head 0 is the mean, if there are several
  let chosen = "all", pointed = null; // a word: "all", or its side and place: "asking 3"

  // All heads, small.
  const small = (one, weights) => {
    const shades = Array.from({ length: 11 }, () => "");
    weights.forEach((row, y) => row.forEach((w, x) => { shades[Math.round(w / 10)] += `M${x} ${y}.5h1`; }));
    const cells = shades.map((d, i) => i && d ? make("path", { d, stroke: `var(--${one.roles[0]})`, "stroke-opacity": i / 10 }) : "");
    const size = `0 0 ${one.columns.length} ${one.rows.length}`;
    return make("svg", { viewBox: size, preserveAspectRatio: "none", "aria-hidden": true }, ...cells);
  };
  const widest = Math.max(...attentions.map((one) => one.heads.length));
  const table = make("div", { class: "small-maps", style: `--heads:${widest}` });
  const titles = widest > 1 ? ["head", "mean", ...Array(widest - 1).keys()] : [];
  table.append(...titles.map((title) => make("span", { "aria-hidden": true }, title)));
  attentions.forEach((one, i) => {
    if (one.part && one.part !== attentions[i - 1]?.part) table.append(make("div", { class: "part" }, one.part));
    table.append(make("span", {}, one.layer));
    one.heads.forEach((weights, h) => table.append(choice("head", `${i} ${h}`, fullName(one, h), small(one, weights))));
    for (let h = one.heads.length; h < widest; h++) table.append(make("span"));
  });

  // The words of one head, and who looks at whom.
  const sides = make("div", { class: "sides" });
  const lines = make("svg", { class: "lines", preserveAspectRatio: "none", "aria-hidden": true });
  const told = make("output");
  const longest = Math.max(...attentions.flatMap((one) => [one.rows.length, one.columns.length]));
  sides.style.minHeight = `${TALL * longest + 30}px`;

  const side = (name, words, role) => make("div", { class: name, style: `color:var(--${role})` }, ...words.map((word, i) =>
    choice("word", `${name} ${i}`, word, make("span", { class: "percent" }), make("span", {}, word), make("span", { class: "bar" }))));
  const drawWords = () => {
    const [row, column] = shown.roles, all = choice("word", "all", "all words", "all words");
    all.className = "all";
    sides.replaceChildren(
      make("span", { class: "side", style: `color:var(--${column})` }, "looked at"), all,
      make("span", { class: "side", style: `color:var(--${row})` }, "looks"),
      side("asked", shown.columns, column), lines, side("asking", shown.rows, row));
    sides.style.setProperty("--look", `var(--${row})`);
    const height = TALL * Math.max(shown.rows.length, shown.columns.length);
    lines.setAttribute("viewBox", `0 0 100 ${height}`);
    lines.style.height = `${height}px`;
    drawLooks();
  };
  const drawLooks = () => {
    const weights = shown.heads[head], [from, at] = (pointed ?? chosen).split(" "), place = Number(at);
    const meant = (t, s) => from === "all" || place === (from === "asking" ? t : s);
    lines.replaceChildren(...weights.flatMap((row, t) => row.map((w, s) => {
      if (w < 2 || !meant(t, s)) return "";
      const [left, right] = [s, t].map((i) => TALL * (i + 0.5));
      const d = `M0 ${left}C50 ${left} 50 ${right} 100 ${right}`;
      return make("path", { d, "stroke-width": 1 + w / 15, "stroke-opacity": 0.15 + 0.0085 * w });
    })));
    for (const name of ["asked", "asking"]) {
      sides.querySelectorAll(`.${name} label`).forEach((label, i) => {
        const w = from === "all" || from === name ? 0 : name === "asked" ? weights[place][i] : weights[i][place];
        label.querySelector(".percent").textContent = w ? `${w} %` : "";
        label.querySelector(".bar").style.width = `calc(${w / 100} * (100% - 12px))`;
      });
    }
    const input = sides.querySelector(`input[value="${chosen}"]`);
    if (input) input.checked = true;
    tell(weights, from, place);
  };
  const tell = (weights, from, place) => {
    const name = fullName(shown, head);
    if (from === "all") return told.replaceChildren(name && `${name}. `, "Point at a word, or tap it, to see where it looks.");
    const [own, others] = from === "asking" ? [shown.rows, shown.columns] : [shown.columns, shown.rows];
    const looks = from === "asking" ? weights[place] : weights.map((row) => row[place]);
    const most = looks.map((w, i) => [w, others[i]]).filter(([w]) => w >= 5).sort((a, b) => b[0] - a[0]).slice(0, 4);
    const list = most.map(([w, word]) => `“${word}” ${w} %`).join(", ") || (from === "asking" ? "nothing much" : "nobody much");
    told.replaceChildren(name && `${name}. `, make("b", {}, own[place]), from === "asking" ? " looks at " : " is looked at by ", list, ".");
  };

  const choose = (word) => { chosen = word; drawLooks(); };
  sides.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    pointed = event.target.closest("label")?.control.value ?? null;
    drawLooks();
  });
  sides.addEventListener("pointerleave", () => { pointed = null; drawLooks(); });
  sides.addEventListener("change", (event) => choose(event.target.value));
  sides.addEventListener("keydown", (event) => {
    if (event.key === "Escape") choose("all");
    const to = { ArrowLeft: "asked", ArrowRight: "asking" }[event.key];
    if (!to) return;
    event.preventDefault();
    const others = sides.querySelectorAll(`.${to} input`), place = Number(chosen.split(" ")[1] ?? 0);
    const input = others[Math.min(place, others.length - 1)];
    input.focus();
    choose(input.value);
  });
  table.addEventListener("change", (event) => {
    const [i, h] = event.target.value.split(" ").map(Number), before = shown;
    [shown, head] = [attentions[i], h];
    const same = ["rows", "columns"].every((words) => String(shown[words]) === String(before[words]));
    if (!same && !(chosen.startsWith("asking") && String(shown.rows) === String(before.rows))) chosen = "all";
    drawWords();
  });

  const heads = make("fieldset", { class: "heads" }, make("legend", {}, "Layer and head"), table);
  const words = make("fieldset", { class: "words" }, make("legend", { class: "alt" }, "Word"), sides, told);
  const several = attentions.length > 1 || widest > 1;
  // A form, so that the choices of two views on a page are apart.
  const view = make("form", { class: "view", autocomplete: "off" },
    make("p", { class: "alt" }, alt), ...(several ? [heads] : []), words);
  view.addEventListener("submit", (event) => event.preventDefault());
  table.querySelector(`input[value="${start} 0"]`).checked = true;
  drawWords();
  figure.querySelector(".answers").replaceWith(view);
}
