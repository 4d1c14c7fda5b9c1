({ config, parameters, weights, source, target }) => {
  const { d_model: D, n_heads: H, n_layers: N, pre_norm: before, max_length } = config, K = D / H;
  const [PAD, BOS, EOS] = [0, 1, 2], SPECIALS = 4;

  // The weights: float16, the low byte first, one parameter after the other.
  const bytes = atob(weights), P = {};
  let at = 0;
  const float16 = () => {
    const bits = bytes.charCodeAt(at++) | bytes.charCodeAt(at++) << 8;
    const exponent = bits >> 10 & 31, fraction = bits & 1023;
    const size = exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction;
    return bits >> 15 ? -size : size;
  };
  for (const [name, length] of parameters) P[name] = new Float64Array(length).map(float16);
  const sources = P["source_embedding.weight"], targets = P["target_embedding.weight"] ?? sources;

  // The parts. A word is a vector of D numbers, a Float64Array.
  const embed = (table, id, position) => new Float64Array(D).map((_, i) => {
    const angle = position * 10000 ** (-(i - i % 2) / D);
    return Math.sqrt(D) * table[id * D + i] + (i % 2 ? Math.cos(angle) : Math.sin(angle));
  });
  const product = (W, x, first, rows) => { // rows of W, from the first one on, times x
    const y = new Float64Array(rows), columns = x.length;
    for (let r = 0, i = first * columns; r < rows; r++) {
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += W[i++] * x[c];
      y[r] = sum;
    }
    return y;
  };
  const linear = (name, x, first = 0, rows = P[`${name}.weight`].length / x.length) => {
    const y = product(P[`${name}.weight`], x, first, rows), b = P[`${name}.bias`];
    return b ? y.map((v, i) => v + b[first + i]) : y;
  };
  const norm = (name, x) => {
    const gain = P[`${name}.weight`], bias = P[`${name}.bias`], mean = x.reduce((sum, v) => sum + v) / D;
    const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / D;
    return x.map((v, i) => gain[i] * (v - mean) / Math.sqrt(variance + 1e-5) + bias[i]);
  };
  const sublayer = (name, xs, f) => {
    const made = f(before ? xs.map((x) => norm(`${name}.norm`, x)) : xs);
    const sums = xs.map((x, t) => x.map((v, i) => v + made[t][i]));
    return before ? sums : sums.map((x) => norm(`${name}.norm`, x));
  };
  const feedForward = (name) => (xs) =>
    xs.map((x) => linear(`${name}.outer`, linear(`${name}.inner`, x).map((v) => Math.max(0, v))));
  const softmax = (scores) => {
    const most = scores.reduce((a, b) => Math.max(a, b)), exps = scores.map((v) => most > -Infinity ? Math.exp(v - most) : 0);
    const sum = exps.reduce((a, b) => a + b) || 1; // who may look at nothing gets nothing
    return exps.map((v) => v / sum);
  };
  const keysValues = (name, xs) => [D, 2 * D].map((first) => xs.map((x) => linear(`${name}.in_proj`, x, first, D)));
  const attend = (name, x, [keys, values], may, looks) => {
    const q = linear(`${name}.in_proj`, x, 0, D), mix = new Float64Array(D), heads = [];
    for (let h = 0; h < H; h++) {
      const first = h * K;
      const w = softmax(keys.map((k, s) => {
        if (may && !may[s]) return -Infinity;
        let score = 0;
        for (let i = first; i < first + K; i++) score += q[i] * k[i];
        return score / Math.sqrt(K);
      }));
      values.forEach((v, s) => { for (let i = first; i < first + K; i++) mix[i] += w[s] * v[i]; });
      heads.push(w);
    }
    (looks[name] ??= []).push(heads);
    return linear(`${name}.out_proj`, mix);
  };

  // The encoder reads once. What it gives is where the decoder starts: keys and values of the memory, none of the past.
  const read = (ids) => {
    const may = ids.map((id) => id !== PAD), looks = {};
    let xs = ids.map((id, s) => embed(sources, id, s));
    for (let i = 0; i < N; i++) {
      const layer = `encoder.layers.${i}`, name = `${layer}.self_attention`;
      xs = sublayer(`${layer}.sublayers.0`, xs, (xs) => {
        const pairs = keysValues(name, xs);
        return xs.map((x) => attend(name, x, pairs, may, looks));
      });
      xs = sublayer(`${layer}.sublayers.1`, xs, feedForward(`${layer}.feed_forward`));
    }
    if (before) xs = xs.map((x) => norm("encoder.norm", x));
    const memory = Array.from({ length: N }, (_, i) => keysValues(`decoder.layers.${i}.cross_attention`, xs));
    return { looks, may, memory, past: Array(N).fill([[], []]), limit: Math.min(ids.length + 50, max_length) };
  };
  // The decoder takes one word, and scores the next ones. The state after it is another one: a beam needs both.
  const step = (state, id) => {
    const looks = {}, past = [];
    let xs = [embed(targets, id, state.past[0][0].length)];
    for (let i = 0; i < N; i++) {
      const layer = `decoder.layers.${i}`, own = `${layer}.self_attention`, cross = `${layer}.cross_attention`;
      xs = sublayer(`${layer}.sublayers.0`, xs, (xs) => {
        past[i] = keysValues(own, xs).map((added, j) => [...state.past[i][j], ...added]);
        return [attend(own, xs[0], past[i], null, looks)];
      });
      xs = sublayer(`${layer}.sublayers.1`, xs, ([x]) => [attend(cross, x, state.memory[i], state.may, looks)]);
      xs = sublayer(`${layer}.sublayers.2`, xs, feedForward(`${layer}.feed_forward`));
    }
    const x = before ? norm("decoder.norm", xs[0]) : xs[0];
    return { logits: product(targets, x, 0, targets.length / D), looks, state: { ...state, past } };
  };

  // To write: what is given first, then what `choose` takes.
  const best = (logits) => logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
  const probabilities = (logits, temperature) => softmax(logits.map((v) => v / temperature));
  const draw = (temperature, random) => (logits) => {
    const p = probabilities(logits, temperature);
    let left = random(), word = best(logits);
    p.some((share, i) => share && (word = i, left -= share) < 0);
    return word;
  };
  const write = (state, given, choose) => {
    const steps = [];
    for (let word = BOS; word !== EOS && steps.length < state.limit;) {
      const { logits, looks, state: after } = step(state, word);
      word = steps.length < given.length ? given[steps.length] : choose(logits);
      steps.push({ word, logits, looks });
      state = after;
    }
    return steps;
  };
  const logSoftmax = (logits) => {
    const most = logits.reduce((a, b) => Math.max(a, b));
    const log = most + Math.log(logits.reduce((sum, v) => sum + Math.exp(v - most), 0));
    return logits.map((v) => v - log);
  };
  const largest = (scores, n) => { // their places, the largest first
    const left = scores.slice(), places = [];
    for (let i = 0; i < Math.min(n, scores.length); i++) {
      places.push(best(left));
      left[places[i]] = -Infinity;
    }
    return places;
  };
  const penalty = (n, alpha) => ((5 + n) / 6) ** alpha;
  // As tfmlib's beam_search: [{ words, score }], the best first. A sentence that has ended holds its <eos>.
  const beamSearch = (start, beam, given = [], alpha = 0.6) => {
    const ended = [];
    let open = [{ words: [], score: 0, state: start }], done = false;
    for (let n = 1; n <= start.limit && open.length && !done; n++) {
      const candidates = open.flatMap(({ words, score, state }) => {
        const { logits, state: after } = step(state, words.at(-1) ?? BOS), log = logSoftmax(logits);
        const next = n <= given.length ? [given[n - 1]] : largest(log, 2 * beam); // no other can be among them all
        return next.map((word) => ({ words, word, score: score + log[word], state: after }));
      });
      const top = candidates.sort((a, b) => b.score - a.score).slice(0, 2 * beam);
      const grown = ({ words, word, score, state }) => ({ words: [...words, word], score, state });
      for (const one of top.slice(0, beam))
        if (one.word === EOS) ended.push({ words: [...one.words, EOS], score: one.score / penalty(n, alpha) });
      open = top.filter(({ word }) => word !== EOS).slice(0, beam).map(grown);
      const most = Math.max(penalty(n, alpha), penalty(start.limit, alpha));
      done = ended.length >= beam && !(open[0]?.score / most > Math.max(...ended.map(({ score }) => score)));
    }
    if (!done) for (const { words, score } of open.slice(0, Math.max(0, beam - ended.length)))
      ended.push({ words, score: score / penalty(words.length, alpha) });
    return ended.sort((a, b) => b.score - a.score).slice(0, beam);
  };

  // Words, as tfmlib's Vocabulary cuts and joins them.
  const CHINESE = "[\u4e00-\u9fff]", chinese = new RegExp(CHINESE);
  const word = /<(?:pad|bos|eos|unk)>|[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*'?|[^\s\x1c-\x1f\x85]|\ufeff/gu;
  const table = new Map(source.tokens.map((token, id) => [token, id]));
  const longestWords = (chunk) => {
    if (table.has(chunk) || !chinese.test(chunk)) return [chunk];
    const letters = [...chunk], words = [];
    while (letters.length) {
      let size = letters.length;
      while (size > 1 && !table.has(letters.slice(0, size).join(""))) size--;
      words.push(letters.splice(0, size).join(""));
    }
    return words;
  };
  const tokenize = (text) => {
    const plain = text.normalize("NFC").replaceAll("\u2019", "'").toLowerCase().replaceAll("\uff1f", "?");
    return (plain.match(word) ?? []).flatMap(longestWords);
  };
  const join = (tokens, language) => {
    const text = tokens.join(" ");
    if (language === "zh")
      return text.replace(new RegExp(`(${CHINESE}) (?=${CHINESE}|\\?)`, "g"), "$1").replaceAll("?", "\uff1f");
    return text.replace(/([\p{L}\p{N}_]') /gu, "$1").replace(/ (?=[.,])/g, "").replace(/ (?=[?!:;])/g, language === "fr" ? "\u202f" : "");
  };
  const decode = (ids) => {
    const end = ids.indexOf(EOS), kept = (end < 0 ? ids : ids.slice(0, end)).filter((id) => id !== PAD && id !== BOS);
    return join(kept.map((id) => target.tokens[id]), target.language);
  };

  // What lies near a word, as Python's difflib says: twice the letters in matching blocks, divided by all letters.
  const matching = (a, b) => { // the longest run that both have, and what matches left and right of it
    let size = 0, ends = [0, 0], runs = [];
    a.forEach((letter, i) => {
      const here = [];
      b.forEach((other, j) => {
        if (letter !== other) return;
        here[j] = (runs[j - 1] ?? 0) + 1;
        if (here[j] > size) [size, ends] = [here[j], [i + 1, j + 1]];
      });
      runs = here;
    });
    const [i, j] = ends;
    return size && size + matching(a.slice(0, i - size), b.slice(0, j - size)) + matching(a.slice(i), b.slice(j));
  };
  const near = (token) => {
    const letters = [...token];
    const ratios = source.tokens.slice(SPECIALS).map((known) => {
      const others = [...known];
      return [2 * matching(others, letters) / (others.length + letters.length), known];
    });
    const sorted = ratios.filter(([ratio]) => ratio >= 0.6).sort(([r, a], [s, b]) => s - r || (a < b ? 1 : -1));
    return sorted.slice(0, 3).map(([, known]) => known);
  };
  const quoted = (token) => token.includes("'") ? `"${token}"` : `'${token.replaceAll("\\", "\\\\")}'`;
  const unknown = (token) => { // what tfmlib says of a word that is not in the table
    const sign = !/[\p{L}\p{N}]/u.test(token), words = sign ? [] : near(token);
    const hint = sign ? " The sentences of this vocabulary have no such sign; leave it out." : words.length ? " Near it: " : "";
    return { told: `${quoted(token)} is not among the ${source.tokens.length - SPECIALS} words that are known here.${hint}`, near: words };
  };

  return { SPECIALS, EOS, table, tokenize, join, decode, unknown, read, step, best, draw, probabilities, write, beamSearch };
}
