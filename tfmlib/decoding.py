"""How does it speak? Greedy, sampling and beam search, with or without a cache (paper, section 6.1)."""

import math
from collections.abc import Callable

import torch

from tfmlib.transformer import Transformer
from tfmlib.vocabulary import BOS, EOS, PAD

Choose = Callable[[torch.Tensor], torch.Tensor]


class _Writer:
    """Steps through the targets of a batch, one word a call; with a cache each word goes through the model once."""

    def __init__(self, model: Transformer, source: torch.Tensor, use_cache: bool, copies: int = 1):
        self.model = model
        memory, may_attend = model.encode(source)
        self.memory = memory.repeat_interleave(copies, 0)  # (B · copies, S, D)
        # No padding, no mask: attention is faster without one.
        self.may_attend = None if may_attend.all() else may_attend.repeat_interleave(copies, 0)
        self.state = model.decoder.start(self.memory) if use_cache else None
        self.target = source.new_full((len(self.memory), 1), BOS)  # (B · copies, 1 + words so far)

    def logits(self) -> torch.Tensor:
        """Score the next words: (rows, V)."""
        if self.state is None:
            return self.model.decode(self.target, self.memory, self.may_attend)[:, -1]
        return self.model.decode(self.target[:, -1:], may_attend=self.may_attend, state=self.state)[:, -1]

    def append(self, words: torch.Tensor) -> None:
        self.target = torch.cat([self.target, words[:, None]], 1)

    def select(self, rows: torch.Tensor) -> None:
        self.target = self.target[rows]
        if self.state is not None:
            self.state.select(rows)


def _limit(model: Transformer, source: torch.Tensor, max_length: int | None) -> int:
    """Paper, section 6.1: at most 50 words more than the source."""
    limit = source.size(1) + 50 if max_length is None else max_length
    if limit < 1:
        raise ValueError(f"max_length is {limit}; at least one word must be allowed.")
    return min(limit, model.config.max_length)


@torch.inference_mode()
def generate(
    model: Transformer,
    source: torch.Tensor,
    choose: Choose,
    max_length: int | None = None,
    use_cache: bool = True,
) -> list[list[int]]:
    """Write one word after the other.

    `choose` takes the logits (B, V) of a step to the next words (B,). Ends
    when each sentence has its ``<eos>`` or `max_length` words (by default 50
    more than the source has).

    Shape: source ids (B, S) → a list of B lists of ids, without ``<bos>`` and
    ``<eos>``.
    """
    model.eval()
    writer = _Writer(model, source, use_cache)
    ended = source.new_zeros(len(source), dtype=torch.bool)  # (B,)
    for _ in range(_limit(model, source, max_length)):
        words = choose(writer.logits()).masked_fill(ended, PAD)  # (B,)
        writer.append(words)
        ended |= words == EOS
        if ended.all():
            break
    return [_words(row) for row in writer.target.tolist()]


def _words(row: list[int]) -> list[int]:
    row = row[1:]
    return row[: row.index(EOS)] if EOS in row else row


def greedy(
    model: Transformer,
    source: torch.Tensor,
    max_length: int | None = None,
    use_cache: bool = True,
) -> list[list[int]]:
    """Take the best word at each step. Shapes as `generate`."""

    def best(logits: torch.Tensor) -> torch.Tensor:
        return logits.argmax(-1)  # (B,)

    return generate(model, source, best, max_length, use_cache)


def next_word_probabilities(
    logits: torch.Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float = 1.0
) -> torch.Tensor:
    """Give the distribution that `sample` draws from. Shape: (B, V) → (B, V).

    Args:
        temperature: divides the logits; below 1 the likely words gain, above 1 the unlikely ones.
        top_k: only the k most likely words may be drawn.
        top_p: of the words from the most likely down, only the fewest that together have this probability.

    Raises:
        ValueError: temperature not above 0, top_k below 1, or top_p not in (0, 1].
    """
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}; it must be above 0. For the best word use greedy.")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k is {top_k}; at least one word must remain.")
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}; it must be above 0 and at most 1.")
    logits = logits / temperature
    if top_k is not None and top_k < logits.size(-1):
        worst = logits.topk(top_k).values[:, -1:]  # (B, 1)
        logits = logits.masked_fill(logits < worst, -math.inf)
    p = logits.softmax(-1)  # (B, V)
    if top_p == 1:
        return p
    p, words = p.sort(dim=-1, descending=True, stable=True)  # (B, V)
    p = p.masked_fill(p.cumsum(-1) - p >= top_p, 0.0)  # the words before it have it already
    return torch.zeros_like(p).scatter(-1, words, p / p.sum(-1, keepdim=True))


def sample(
    model: Transformer,
    source: torch.Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    generator: torch.Generator | None = None,
    max_length: int | None = None,
    use_cache: bool = True,
) -> list[list[int]]:
    """Draw each word from `next_word_probabilities`. Shapes as `generate`; a seeded generator makes it repeatable."""

    def draw(logits: torch.Tensor) -> torch.Tensor:
        p = next_word_probabilities(logits, temperature, top_k, top_p)
        return torch.multinomial(p, 1, generator=generator)[:, 0]

    return generate(model, source, draw, max_length, use_cache)


def length_penalty(n_words: int, alpha: float) -> float:
    """((5 + n) / 6)^α, by which a log-probability is divided: longer sentences have more factors below 1.

    `n_words` counts ``<eos>``. Source: Wu et al., 2016, equation 14, with α = 0.6 in the paper, section 6.1.
    """
    return ((5 + n_words) / 6) ** alpha


@torch.inference_mode()
def beam_search(
    model: Transformer,
    source: torch.Tensor,
    beam: int = 4,
    alpha: float = 0.6,
    max_length: int | None = None,
    use_cache: bool = True,
) -> list[list[tuple[list[int], float]]]:
    """Keep the `beam` best beginnings at each step. Paper, section 6.1: 4 of them, and α = 0.6.

    A sentence is done when `beam` hypotheses have ended and no open one can still beat the best of them; at
    `max_length` words, those still open count as they are.
    Shape: source ids (B, S) → B lists of (ids without ``<bos>`` and ``<eos>``, log-probability / length penalty),
    the best first.

    Raises:
        ValueError: a beam below 1 or as large as the vocabulary.
    """
    n_tokens = model.config.target_vocab_size
    if not 1 <= beam < n_tokens:
        raise ValueError(f"beam is {beam}; it must be at least 1 and below the {n_tokens} words of the vocabulary.")
    model.eval()
    B = len(source)
    writer = _Writer(model, source, use_cache, copies=beam)
    # At first all beams of a sentence are the same: the others wait at −∞ until they differ.
    scores = torch.full((B, beam), -math.inf, device=source.device, dtype=writer.memory.dtype)
    scores[:, 0] = 0.0
    ended: list[list[tuple[list[int], float]]] = [[] for _ in range(B)]
    done = [False] * B
    limit = _limit(model, source, max_length)
    first_row = torch.arange(B, device=source.device)[:, None] * beam  # (B, 1)
    for n in range(1, limit + 1):
        log_p = writer.logits().log_softmax(-1).unflatten(0, (B, beam))  # (B, beam, V)
        # Of 2 · beam candidates at most beam end (one a beginning), so beam can go on.
        best, index = (scores[:, :, None] + log_p).flatten(1).topk(2 * beam)  # (B, 2 · beam)
        rows, words = first_row + index // n_tokens, index % n_tokens
        is_end = words == EOS
        for b, place in is_end[:, :beam].nonzero().tolist():
            if not done[b] and best[b, place] > -math.inf:
                ids = _words(writer.target[rows[b, place]].tolist())
                ended[b].append((ids, best[b, place].item() / length_penalty(n, alpha)))
        go_on = is_end.to(torch.uint8).argsort(dim=-1, stable=True)[:, :beam]  # the best that do not end, in order
        scores = best.gather(1, go_on)
        # What goes on can only lose probability. The most that can be made up for is a division by the largest penalty.
        largest = max(length_penalty(n, alpha), length_penalty(limit, alpha))
        for b, best_open in enumerate(scores[:, 0].tolist()):
            done[b] |= len(ended[b]) >= beam and best_open / largest <= max(score for _, score in ended[b])
        if all(done):
            break
        writer.select(rows.gather(1, go_on).flatten())
        writer.append(words.gather(1, go_on).flatten())
    else:
        for b in range(B):
            for i in range(beam - len(ended[b])):
                ids = _words(writer.target[b * beam + i].tolist())
                ended[b].append((ids, scores[b, i].item() / length_penalty(len(ids), alpha)))
    return [sorted(hypotheses, key=lambda h: -h[1])[:beam] for hypotheses in ended]
