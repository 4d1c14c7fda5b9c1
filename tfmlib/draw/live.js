(figure, { model, sentences, beam, longest }, machine, view) => {
  const translator = machine(model), { source, target } = model;
  const BARS = 6, PAUSE = 300; // the words that have a bar of their own; milliseconds a word, while the reader looks on
  const MOST = Math.min(model.config.max_length, 60); // words of a sentence: all that comes of them is drawn
  const make = (name, attributes = {}, ...inside) => {
    const made = document.createElement(name);
    // JupyterLab keeps the keys for itself, but for such an element.
    if (["input", "select", "button", "summary"].includes(name)) made.setAttribute("data-lm-suppress-shortcuts", "true");
    for (const key in attributes) if (attributes[key] != null) made.setAttribute(key, attributes[key]);
    made.append(...inside);
    return made;
  };
  const button = (name, ...inside) => make("button", { type: "button", class: name }, ...inside);
  const choice = (name, value, ...inside) => make("label", {}, make("input", { type: "radio", name, value }), ...inside);
  const random = (seed) => () => { // numbers from 0 to 1, for a seed always the same ones
    let t = Math.imul((seed += 2654435769) ^ seed >>> 16, 2246822507);
    t = Math.imul(t ^ t >>> 13, 3266489909);
    return ((t ^ t >>> 16) >>> 0) / 2 ** 32;
  };

  let how = "greedy", temperature = 1, seed = 1;
  let last, tokens, given = [], found = [], chosen = 0; // given: what the reader wrote; chosen: of what the beam found
  let steps = [], at = 0, timer = 0; // at: the step that is shown
  let head = "", linked = true; // linked: the heads show where the word of this step looks

  // What the reader gives.
  const text = make("input", { type: "text", lang: source.language, autocomplete: "off", autocapitalize: "none", spellcheck: "false", enterkeyhint: "go" });
  const list = make("select", { lang: source.language }, make("option", { value: "" }, "– your own –"), ...sentences.map((one) => make("option", {}, one)));
  const words = source.tokens.slice(translator.SPECIALS);
  const problem = make("p", { class: "problem", role: "status" });
  const ask = make("form", { class: "ask", autocomplete: "off" },
    make("label", { class: "own" }, "Your sentence", text),
    make("button", {}, "Translate"),
    problem,
    make("label", { class: "pick" }, "or one of these", list),
    make("details", {}, make("summary", {}, `The ${words.length} words that the model knows`), make("p", { lang: source.language }, words.join(", "))));

  // How the next word is taken.
  const slider = make("input", { type: "range", min: "0.1", max: "2", step: "0.1", value: "1" });
  const tau = make("b"), again = button("again", "Draw again"), about = make("p", { class: "about" });
  const ways = make("fieldset", {}, make("legend", {}, "How to take the next word"),
    choice("how", "greedy", "the best one: greedy"), choice("how", "beam", `a beam of ${beam}`), choice("how", "draw", "drawn by its probability"));
  const method = make("form", { class: "method", autocomplete: "off" }, ways,
    make("label", { class: "temperature" }, make("span", {}, "temperature τ = ", tau), slider), again, about);

  // What the model makes of it.
  const wrote = make("span"), toCome = make("span", { class: "to-come" }), told = make("output", { class: "alt" });
  const hypotheses = make("fieldset", { class: "hypotheses" });
  const chips = make("fieldset", { class: "chips" }), bars = make("fieldset", { class: "bars" });
  const result = make("form", { class: "result", autocomplete: "off" },
    make("p", { class: "wrote", lang: target.language }, wrote, toCome), told, hypotheses, chips, bars);
  const heads = make("div");

  const complain = () => {
    tokens = translator.tokenize(text.value);
    if (!tokens.length) return ["Give a sentence of at least one word."];
    if (tokens.length > MOST) return [`That is a sentence of ${tokens.length} words. Here it may have ${MOST}.`];
    const place = tokens.findIndex((token) => !translator.table.has(token));
    if (place < 0) return [];
    const { told, near } = translator.unknown(tokens[place]);
    const offers = near.map((word, i) => {
      const offer = button("offer", word);
      offer.addEventListener("click", () => {
        text.value = translator.join(tokens.map((token, i) => i === place ? word : token), source.language);
        text.focus();
        translate();
      });
      return make("span", { class: "whole" }, offer, i + 1 < near.length ? ", " : "."); // a comma stays with its word
    });
    return [told, ...offers];
  };

  // Step 0 is the first that is shown; by default, at the end, the one at which the model was the least sure.
  const translate = ({ animated = true, from = 0, to = null } = {}) => {
    clearTimeout(timer);
    drawMethod();
    if (text.value !== last) [last, given, chosen, from, to] = [text.value, [], 0, 0, null];
    list.value = sentences.includes(text.value) ? text.value : "";
    const complaint = complain(), wrong = complaint.length > 0;
    const long = !wrong && longest && tokens.length > longest;
    problem.replaceChildren(...(long ? [`That is a sentence of ${tokens.length} words, and the longest that it was trained on have ${longest}: it may go wrong.`] : complaint));
    text.setAttribute("aria-invalid", wrong);
    result.hidden = heads.hidden = wrong;
    if (wrong) return;
    const start = translator.read(tokens.map((token) => translator.table.get(token)));
    found = how === "beam" ? translator.beamSearch(start, beam, given) : [];
    chosen = Math.min(chosen, Math.max(0, found.length - 1));
    const choose = how === "draw" ? translator.draw(temperature, random(seed)) : translator.best;
    steps = translator.write(start, found[chosen]?.words ?? given, choose);
    drawHypotheses();
    drawChips();
    drawHeads(start.looks);
    told.textContent = translator.decode(steps.map(({ word }) => word));
    const end = Math.min(to ?? leastSure(), steps.length - 1);
    if (!animated || matchMedia("(prefers-reduced-motion: reduce)").matches) return show(end);
    const next = (t) => {
      show(t, t + 1);
      timer = setTimeout(t + 1 < steps.length ? () => next(t + 1) : () => show(end), PAUSE);
    };
    next(Math.min(from, steps.length - 1));
  };
  const sure = ({ logits, word }) => translator.probabilities(logits, temperature)[word];
  const leastSure = () => steps.map(sure).reduce((least, p, t, all) => p < all[least] ? t : least, 0);

  const drawHypotheses = () => {
    hypotheses.hidden = !found.length;
    hypotheses.replaceChildren(make("legend", {}, "What the beam found, and its score"), ...found.map(({ words, score }, i) =>
      choice("hypothesis", i, make("span", { class: "number" }, score.toFixed(2).replace("-", "−")), make("span", { lang: target.language }, translator.decode(words)))));
    if (found.length) hypotheses.querySelector(`[value="${chosen}"]`).checked = true;
  };
  const drawChips = () => chips.replaceChildren(make("legend", {}, "Word by word: choose a step"), ...steps.map(({ word }, t) =>
    choice("step", t, make("span", { lang: target.language }, target.tokens[word]), make("span", { class: "bar" }))));
  const drawHeads = (looks) => {
    const kinds = [["encoder", "self"], ["decoder", "self"], ["decoder", "cross"]], output = steps.map(({ word }) => target.tokens[word]);
    const attentions = kinds.flatMap(([part, kind]) => Array.from({ length: model.config.n_layers }, (_, layer) => {
      const name = `${part}.layers.${layer}.${kind}_attention`, encoder = part === "encoder";
      const rows = encoder ? looks[name] : steps.map((one) => one.looks[name][0]); // (T, H, S), the past only in the decoder
      const columns = kind === "cross" || encoder ? tokens : ["<bos>", ...output.slice(0, -1)];
      const each = rows[0].map((_, h) => rows.map((row) => columns.map((_, s) => 100 * (row[h][s] ?? 0))));
      const mean = each[0].map((row, t) => row.map((_, s) => each.reduce((sum, one) => sum + one[t][s], 0) / each.length));
      const all = (each.length > 1 ? [mean, ...each] : each).map((one) => one.map((row) => row.map(Math.round)));
      return { part: `${part}, ${kind}-attention`, layer: `layer ${layer}`, rows: encoder ? tokens : output, columns,
        roles: [encoder ? "source" : "target", kind === "cross" || encoder ? "source" : "target"], heads: all };
    }));
    heads.replaceChildren(make("div", { class: "answers" }));
    view(heads, { alt: `Each layer and each head, as the model translates: ${text.value}`, attentions, start: attentions.length - 1 });
    if (head) heads.querySelector(`[name="head"][value="${head}"]`).click();
  };

  const show = (t, visible = steps.length) => {
    at = t;
    if (visible === steps.length) clearTimeout(timer);
    const whole = translator.decode(steps.map(({ word }) => word)), part = translator.decode(steps.slice(0, visible).map(({ word }) => word));
    wrote.textContent = part;
    toCome.textContent = whole.slice(part.length);
    chips.querySelectorAll("label").forEach((chip, i) => {
      chip.classList.toggle("to-come", i >= visible);
      chip.classList.toggle("given", i < given.length);
      chip.querySelector(".bar").style.width = `${100 * sure(steps[i])}%`;
      chip.querySelector("input").checked = i === t;
    });
    drawBars();
    point();
  };
  const drawBars = () => {
    const { logits, word } = steps[at], p = translator.probabilities(logits, temperature);
    const order = [...p.keys()].sort((a, b) => logits[b] - logits[a]), shown = order.slice(0, BARS);
    if (!shown.includes(word)) shown.splice(-1, 1, word);
    const percent = (share) => `${(100 * share).toFixed(1)} %`, rest = 1 - shown.reduce((sum, one) => sum + p[one], 0);
    const before = translator.decode(steps.slice(0, at).map((one) => one.word)), focused = bars.contains(document.activeElement);
    const rows = shown.map((one) => {
      const row = button("word", make("span", { lang: target.language }, target.tokens[one]), make("span", { class: "track" }, make("span", { class: "bar", style: `width:${100 * p[one]}%` })), make("span", { class: "number" }, percent(p[one])));
      row.setAttribute("aria-pressed", one === word);
      row.addEventListener("click", () => {
        given = [...steps.slice(0, at).map((step) => step.word), one];
        translate({ from: at, to: at });
      });
      return row;
    });
    const undo = button("undo", "Let the model write all of it");
    undo.addEventListener("click", () => { given = []; translate(); chips.querySelector(":checked").focus(); });
    bars.replaceChildren(
      make("legend", {}, `Step ${at + 1} of ${steps.length}: `, ...(before ? ["what comes after “", make("span", { lang: target.language }, before), "”?"] : ["what comes first?"])),
      ...rows,
      make("p", {}, `${p.length - shown.length} others: ${percent(Math.max(0, rest))}. Click a word to write it here: the model goes on from it.`),
      ...(given.length ? [undo] : []));
    if (focused) bars.querySelector("[aria-pressed=true]").focus();
  };
  const drawMethod = () => {
    tau.textContent = temperature.toFixed(1);
    method.querySelector(`[value="${how}"]`).checked = true;
    again.hidden = how !== "draw";
    about.textContent = {
      greedy: "Greedy takes the longest bar. τ divides the logits: below 1 the bars differ more, above 1 less. Their order stays, and so greedy writes the same at any τ.",
      beam: `The beam keeps the ${beam} best beginnings. Their scores are sums of log-probabilities at τ = 1, divided by the penalty for their length: τ changes the bars and not the words.`,
      draw: `Draw ${seed}: a word is as likely to be drawn as its bar is long. Near τ = 0 that is greedy; the larger τ, the wilder.`,
    }[how];
  };
  // The step and the heads belong together: the word of the step is the one that looks.
  const ofDecoder = () => !heads.querySelector('[name="head"]:checked')?.getAttribute("aria-label").startsWith("encoder");
  const point = () => {
    const asking = heads.querySelector(`[name="word"][value="asking ${at}"]`);
    if (linked && ofDecoder() && !asking.checked) asking.click();
  };
  const follow = (event) => {
    const now = heads.querySelector('[name="head"]:checked').value, [side, t] = heads.querySelector('[name="word"]:checked').value.split(" ");
    if (now !== head && event.target.name === "head") {
      head = now;
      return point();
    }
    if (!ofDecoder()) return;
    linked = side === "asking";
    if (linked && Number(t) !== at) show(Number(t));
  };
  heads.addEventListener("change", follow);
  heads.addEventListener("keyup", follow);

  const submit = (event) => { event.preventDefault(); last = null; translate(); };
  ask.addEventListener("submit", submit);
  text.addEventListener("keydown", (event) => event.key === "Enter" && submit(event)); // in JupyterLab no submission comes of it
  list.addEventListener("change", () => { if (list.value) { text.value = list.value; translate(); } });
  for (const form of [method, result]) form.addEventListener("submit", (event) => event.preventDefault());
  ways.addEventListener("change", (event) => { how = event.target.value; chosen = 0; translate({ from: given.length }); });
  slider.addEventListener("input", () => {
    temperature = Number(slider.value);
    drawMethod();
    if (how === "draw") translate({ animated: false, to: at }); else if (!result.hidden) show(at);
  });
  again.addEventListener("click", () => { seed++; translate({ from: given.length }); });
  hypotheses.addEventListener("change", (event) => { chosen = Number(event.target.value); translate({ animated: false, to: at }); hypotheses.querySelector(":checked").focus(); });
  chips.addEventListener("change", (event) => { linked = true; show(Number(event.target.value)); });

  text.value = sentences[0];
  figure.querySelector(".answers").replaceWith(make("div", { class: "live" }, ask, method, result, heads));
  figure.querySelector(".stored").remove();
  translate({ animated: false });
}
