"""The exercises of chapter 16: a beam on paper, a batch written greedily, a step of the beam, a step with a cache."""

import math
from collections.abc import Callable

import numpy as np
import torch

from .exercise import Exercise, Given, Mistake

# ---- 16.1 A beam on paper.

_GREEDY, _SHORT, _BEST = "un chat dort", "le chat", "le chat dort"

ON_PAPER = Exercise(
    number="16.1",
    name="answer",
    right=[_GREEDY, _SHORT, _BEST],
    also_right=[(_GREEDY, _SHORT, _BEST), np.array([_GREEDY, _SHORT, _BEST]).tolist()],
    mistakes=[
        Mistake(
            [_GREEDY, _BEST, _BEST],
            "The second is wrong: with α = 0 nothing makes up for the length. *le chat* has ended with 0.1404, and "
            "*le chat dort* has 0.1296. Did you forget the hypothesis that ended before the others?",
            classic="Beam that forgets what has ended",
        ),
        Mistake(
            [_GREEDY, _SHORT, _SHORT],
            "The third is wrong: with α = 1 you divide. *le chat* has 3 words with `<eos>`, ln 0.1404 / (8/6) = "
            "−1.472, and *le chat dort* has 4, ln 0.1296 / (9/6) = −1.362. The larger one is nearer to 0.",
            classic="Beam without length normalisation",
        ),
        Mistake(
            [_GREEDY, _BEST, _SHORT],
            "The second and the third are exchanged. The division by the length penalty helps the longer sentence.",
        ),
        Mistake(
            [_BEST, _SHORT, _BEST],
            "The first is wrong: greedy takes the most probable word at the first step, *un*, and never comes back.",
        ),
        Mistake(
            [_SHORT, _SHORT, _BEST],
            "The first is wrong: greedy takes the most probable word at the first step, *un*, and never comes back.",
        ),
        Mistake(
            [_GREEDY, _GREEDY, _GREEDY],
            "This is greedy, three times. A beam of two keeps *un* and *le* after the first step. In the second, "
            "*le chat* with 0.27 and *un chat* with 0.2 are the best two.",
        ),
        Mistake(
            [_GREEDY, _GREEDY, _BEST],
            "The second is wrong: of what ended, *un chat dort* has the probability 0.12, and *le chat* 0.1404.",
        ),
        Mistake(
            [_GREEDY, _SHORT, _GREEDY],
            "The third is wrong: *un chat dort* and *le chat dort* are of one length, and 0.1296 is more than 0.12.",
        ),
        Mistake(
            [text + " <eos>" for text in (_GREEDY, _SHORT, _BEST)],
            "These are the right ones. Leave `<eos>` out: it ends a sentence and is no word of it.",
        ),
        Mistake(
            ["<bos> " + text for text in (_GREEDY, _SHORT, _BEST)],
            "These are the right ones. Leave `<bos>` out: it stands before the sentence and is no word of it.",
        ),
        Mistake(
            [_GREEDY, _BEST, _GREEDY],
            "The second and the third are wrong. With α = 0 compare 0.1404, 0.1296 and 0.12 as they are. With α = 1, "
            "*un chat dort* and *le chat dort* are of one length, and 0.1296 is more than 0.12.",
        ),
        Mistake(
            ["un chien dort", _SHORT, _BEST],
            "The first is wrong: after *un* the most probable word is *chat*, 0.4.",
        ),
    ],
    hints=[
        "Multiply along the way. Greedy: 0.5, then the largest after *un*, and so on.",
        "The beam after step 1: un 0.5, le 0.3. Step 2 has five candidates; the best are le chat 0.27 and un chat 0.2.",
        "Step 3: le chat <eos> 0.1404 ends, le chat dort 0.1296 and un chat dort 0.12 go on; then each ends with "
        "probability 1. Now compare the three, first as they are, then ln p divided by (5 + n) / 6.",
    ],
)


# ---- 16.2 Greedy, for a batch.


def _greedy(score_next, n_sentences, bos, eos, pad, max_words):
    target = torch.full((n_sentences, 1), bos)
    ended = torch.zeros(n_sentences, dtype=torch.bool)
    for _ in range(max_words):
        words = score_next(target)[:, -1].argmax(-1)
        words = torch.where(ended, pad, words)
        target = torch.cat([target, words[:, None]], 1)
        ended = ended | (words == eos)
        if ended.all():
            break
    return target


def _loop(
    pick: Callable = lambda logits: logits[:, -1].argmax(-1),
    see: Callable = lambda target: target,
    after: Callable = lambda words, ended, eos, pad: torch.where(ended, pad, words),
    stop: Callable = lambda ended: ended.all(),
    most: int = 0,
    give: Callable = lambda target, eos: target,
    first: Callable = lambda bos, eos, pad: bos,
) -> Callable:
    """The loop, with one step of it done in another way."""

    def loop(score_next, n_sentences, bos, eos, pad, max_words):
        target = torch.full((n_sentences, 1), first(bos, eos, pad))
        ended = torch.zeros(n_sentences, dtype=torch.bool)
        for _ in range(max_words + most):
            words = after(pick(score_next(see(target))), ended, eos, pad)
            target = torch.cat([target, words[:, None]], 1)
            ended = ended | (words == eos)
            if stop(ended):
                break
        return give(target, eos)

    return loop


def _one_by_one(score_next, n_sentences, bos, eos, pad, max_words):
    """Words in lists, and a loop over the sentences."""
    rows = [[bos] for _ in range(n_sentences)]
    while len(rows[0]) <= max_words and not all(eos in row for row in rows):
        logits = score_next(torch.tensor(rows))
        for row, scores in zip(rows, logits, strict=True):
            row.append(pad if eos in row else int(scores[-1].argmax()))
    return torch.tensor(rows)


def _pads_once(score_next, n_sentences, bos, eos, pad, max_words):
    """Pad where the word before is eos, and nowhere else."""
    target = torch.full((n_sentences, 1), bos)
    for _ in range(max_words):
        words = score_next(target)[:, -1].argmax(-1)
        words = torch.where(target[:, -1] == eos, pad, words)
        target = torch.cat([target, words[:, None]], 1)
        if (target == eos).any(1).all():
            break
    return target


def _greedy_from_the_first_row(score_next, n_sentences, bos, eos, pad, max_words):
    target = torch.full((n_sentences, 1), bos)
    ended = torch.zeros(n_sentences, dtype=torch.bool)
    for _ in range(max_words):
        words = score_next(target)[:, 0].argmax(-1)
        words = torch.where(ended, pad, words)
        target = torch.cat([target, words[:, None]], 1)
        ended = ended | (words == eos)
        if ended.all():
            break
    return target


def _greedy_that_writes_on_after_the_end(score_next, n_sentences, bos, eos, pad, max_words):
    target = torch.full((n_sentences, 1), bos)
    ended = torch.zeros(n_sentences, dtype=torch.bool)
    for _ in range(max_words):
        words = score_next(target)[:, -1].argmax(-1)
        target = torch.cat([target, words[:, None]], 1)
        ended = ended | (words == eos)
        if ended.all():
            break
    return target


def _greedy_that_begins_without_bos(score_next, n_sentences, bos, eos, pad, max_words):
    target = torch.full((n_sentences, 1), pad)
    ended = torch.zeros(n_sentences, dtype=torch.bool)
    for _ in range(max_words):
        words = score_next(target)[:, -1].argmax(-1)
        words = torch.where(ended, pad, words)
        target = torch.cat([target, words[:, None]], 1)
        ended = ended | (words == eos)
        if ended.all():
            break
    return target


def _model(n_sentences: int, n_words: int, factor: float, more: str = "") -> Given:
    """Made-up logits of n_sentences, which depend on the sentence and on all words so far."""
    seen = f"torch.arange({n_sentences})[:, None, None] + target.cumsum(1)[:, :, None]"
    return Given(f"lambda target: (({seen}) * (torch.arange({n_words}) + 2) * {factor}).sin(){more}")


def _batches() -> list[tuple]:
    return [
        (Given("lambda target: torch.eye(5)[(target + 1) % 5]"), 1, 1, 3, 0, 6),
        (_model(2, 6, 1.6), 2, 1, 2, 0, 7),
        (_model(3, 7, 2.9), 3, 2, 3, 1, 9),
        (_model(3, 7, 2.3, " - 9 * torch.eye(7)[5]"), 3, 6, 5, 0, 4),
    ]


GREEDY = Exercise(
    number="16.2",
    name="greedy",
    right=_greedy,
    inputs=_batches,
    also_right=[
        _one_by_one,
        _loop(pick=lambda logits: logits.softmax(-1)[:, -1].topk(1).indices[:, 0]),
        lambda *given: _greedy(*given).tolist(),
        lambda *given: _greedy(*given).numpy(),
    ],
    mistakes=[
        Mistake(
            _greedy_from_the_first_row,
            "You choose from row 0 of the logits, which has read bos alone, so each step says the same word again. The "
            "row that has read all words so far is the last: `[:, -1]`.",
            classic="The first row in place of the last",
        ),
        Mistake(
            _loop(pick=lambda logits: logits.argmax(1)[:, -1] % logits.size(1)),
            "Your arg max goes over the positions. It is to go over the words, the last axis: a number from 0 to V − 1 "
            "for each sentence.",
        ),
        Mistake(
            lambda score_next, n_sentences, bos, eos, pad, max_words: torch.cat(
                [
                    torch.full((n_sentences, 1), bos),
                    score_next(torch.full((n_sentences, 1), bos))[:, -1].argmax(0)[:, None],
                ],
                1,
            ),
            "Your arg max goes over the sentences of the batch. It is to go over the words, the last axis.",
        ),
        Mistake(
            _greedy_that_writes_on_after_the_end,
            "A sentence that has ended is written on. After its eos it gets pad, while the others go on.",
            classic="Greedy that writes on after <eos>",
        ),
        Mistake(
            _loop(after=lambda words, ended, eos, pad: torch.where(ended, eos, words)),
            "After its eos a sentence gets more of them. It gets pad: an end comes once.",
        ),
        Mistake(
            _pads_once,
            "A sentence that has ended gets one pad, and then words again: you look at its last word alone, and after "
            "a pad that is no eos. Remember who has ended: `ended |= words == eos`.",
        ),
        Mistake(
            _loop(stop=lambda ended: ended.any()),
            "You stop as soon as one sentence has ended. The others have not: wait for all.",
        ),
        Mistake(
            _loop(stop=lambda ended: False),
            "You write `max_words` words in any case, and pad is all that comes in the end. Stop when all sentences "
            "have ended.",
        ),
        Mistake(
            _greedy_that_begins_without_bos,
            "You begin with pad. A sentence begins with bos, as in training: the decoder has never seen another start.",
            classic="Decoding that begins without <bos>",
        ),
        Mistake(
            _loop(first=lambda bos, eos, pad: eos),
            "You begin with eos. A sentence begins with bos, as in training.",
        ),
        Mistake(
            _loop(give=lambda target, eos: target[:, 1:]),
            "The words are right. bos is missing: what is asked for begins with it.",
        ),
        Mistake(
            _loop(see=lambda target: target[:, -1:]),
            "You give the model the last word alone. Without a cache it has to read all words so far, from bos on.",
        ),
        Mistake(
            _loop(most=-1),
            "You write one word less than is allowed: bos does not count for `max_words`.",
        ),
        Mistake(
            _loop(most=1),
            "You write one word more than is allowed. Is it `range(max_words + 1)`, or `<=`?",
        ),
        Mistake(
            _loop(pick=lambda logits: logits[:, -1].argmin(-1)),
            "You take the least probable word. The best one has the largest logit.",
        ),
        Mistake(
            lambda score_next, n_sentences, bos, eos, pad, max_words: _greedy(
                score_next, n_sentences, bos, eos, pad, max_words
            ).masked_fill(_greedy(score_next, n_sentences, bos, eos, pad, max_words) == eos, pad),
            "eos is lost: you write pad in its place. It belongs to what is written, and says that the text is whole.",
        ),
    ],
    hints=[
        "`target = torch.full((n_sentences, 1), bos)` is the start. A boolean tensor (B,) remembers who has ended.",
        "In the loop: `score_next(target)` is (B, T, V). Take the last row of each sentence, and the arg max over its "
        "words: (B,).",
        "Before you append the words with `torch.cat`, put pad in the rows that had ended. After it, mark the rows "
        "whose word is eos, and leave the loop when all are marked.",
    ],
)

# ---- 16.3 One step of the beam.


def _step(
    totals,
    logits,
    eos,
    n,
    alpha,
    *,
    log_p: Callable = lambda logits: logits.log_softmax(-1),
    add: Callable = lambda totals, log_p: totals[:, None] + log_p,
    penalty: Callable = lambda n, alpha: ((5 + n) / 6) ** alpha,
    divide: Callable = lambda total, penalty: total / penalty,
    many: int = 0,
    largest: bool = True,
    end: bool = True,
    counts: bool = True,
):
    """One step, and the places where it can go wrong."""
    beam, V = logits.shape
    flat = add(totals, log_p(logits)).flatten()
    best = flat.sort(descending=largest, stable=True)
    rows, words, ended = [], [], []
    sums = []
    for place, (total, i) in enumerate(zip(best.values, best.indices.tolist(), strict=True)):
        if end and i % V == eos:
            if place < beam + many:
                ended.append(divide(total, penalty(n, alpha)))
        elif len(rows) < beam - (0 if counts else len(ended)):
            rows.append(i // V)
            words.append(i % V)
            sums.append(total)
    return (
        torch.tensor(rows),
        torch.tensor(words),
        torch.stack(sums) if sums else torch.zeros(0),
        torch.stack(ended) if ended else torch.zeros(0),
    )


def _beam_step(totals, logits, eos, n, alpha):
    return _step(totals, logits, eos, n, alpha)


def _miss(**changes) -> Callable:
    return lambda totals, logits, eos, n, alpha: _step(totals, logits, eos, n, alpha, **changes)


def _by_topk(totals, logits, eos, n, alpha):
    beam, V = logits.shape
    best, index = (totals[:, None] + logits.log_softmax(-1)).flatten().topk(2 * beam)
    is_end = index % V == eos
    ended = best[:beam][is_end[:beam]] / ((5 + n) / 6) ** alpha
    index, best = index[~is_end][:beam], best[~is_end][:beam]
    return index // V, index % V, best, ended


def _per_row(totals, logits, eos, n, alpha):
    """The best word of each row, in place of the best of all."""
    log_p = logits.log_softmax(-1)
    sums = totals[:, None] + log_p
    open_ = sums.clone()
    open_[:, eos] = -math.inf
    words = open_.argmax(-1)
    rows = torch.arange(len(totals))
    order = sums.flatten().argsort(descending=True)[: len(totals)]
    ended = sums.flatten()[order[order % logits.size(1) == eos]] / ((5 + n) / 6) ** alpha
    return rows, words, open_.amax(-1), ended


def _beam_without_normalisation(totals, logits, eos, n, alpha):
    beam, V = logits.shape
    best, index = (totals[:, None] + logits.log_softmax(-1)).flatten().topk(2 * beam)
    is_end = index % V == eos
    ended = best[:beam][is_end[:beam]]
    index, best = index[~is_end][:beam], best[~is_end][:beam]
    return index // V, index % V, best, ended


def _beam_that_adds_probabilities(totals, logits, eos, n, alpha):
    beam, V = logits.shape
    best, index = (totals[:, None] + logits.softmax(-1)).flatten().topk(2 * beam)
    is_end = index % V == eos
    ended = best[:beam][is_end[:beam]] / ((5 + n) / 6) ** alpha
    index, best = index[~is_end][:beam], best[~is_end][:beam]
    return index // V, index % V, best, ended


def _exchanged(totals, logits, eos, n, alpha):
    rows, words, sums, ended = _beam_step(totals, logits, eos, n, alpha)
    return words, rows, sums, ended


def _by_the_beam(totals, logits, eos, n, alpha):
    """The place in the flat tensor is divided by the beam, not by V."""
    beam, V = logits.shape
    best, index = (totals[:, None] + logits.log_softmax(-1)).flatten().topk(2 * beam)
    is_end = index % V == eos
    ended = best[:beam][is_end[:beam]] / ((5 + n) / 6) ** alpha
    index, best = index[~is_end][:beam], best[~is_end][:beam]
    return index // beam, index % beam, best, ended


def _all_candidates_ended(totals, logits, eos, n, alpha):
    rows, words, sums, _ = _beam_step(totals, logits, eos, n, alpha)
    ended = (totals[:, None] + logits.log_softmax(-1))[:, eos].sort(descending=True).values
    return rows, words, sums, ended / ((5 + n) / 6) ** alpha


def _normalises_the_open(totals, logits, eos, n, alpha):
    rows, words, sums, ended = _beam_step(totals, logits, eos, n, alpha)
    return rows, words, sums / ((5 + n) / 6) ** alpha, ended


def _steps() -> list[tuple]:
    def logs(*rows):
        return torch.tensor(rows, dtype=torch.float64).log()

    generator = torch.Generator().manual_seed(16)
    wide = torch.randn(4, 9, generator=generator, dtype=torch.float64) * 1.5
    wide[1:3, 6] += 3
    three = torch.randn(3, 7, generator=generator, dtype=torch.float64) + 1
    three[0, 2] += 2.5
    return [
        (torch.tensor([0.36, 0.2], dtype=torch.float64).log(), logs([0.5, 0.45, 0.05], [0.3, 0.1, 0.6]), 0, 3, 0.6),
        (torch.tensor([-1.0, -1.25, -2.0], dtype=torch.float64), three, 2, 5, 1.0),
        (torch.tensor([-3.0, -3.125, -3.25, -3.5], dtype=torch.float64), wide, 6, 8, 0.6),
        (torch.tensor([-0.5, -4.0], dtype=torch.float64), logs([0.1, 0.4, 0.3, 0.2], [0.2, 0.2, 0.5, 0.1]), 0, 2, 0.6),
    ]


BEAM_STEP = Exercise(
    number="16.3",
    name="beam_step",
    right=_beam_step,
    inputs=_steps,
    also_right=[
        _by_topk,
        lambda totals, logits, eos, n, alpha: tuple(part.numpy() for part in _beam_step(totals, logits, eos, n, alpha)),
        lambda totals, logits, eos, n, alpha: tuple(
            part.tolist() for part in _beam_step(totals, logits, eos, n, alpha)
        ),
        lambda totals, logits, eos, n, alpha: _beam_step(totals.float(), logits.float(), eos, n, alpha),
    ],
    mistakes=[
        Mistake(
            _beam_without_normalisation,
            "The scores of what ended are not divided by the length penalty, ((5 + n) / 6) ** alpha. Without it the "
            "shortest sentence tends to win.",
        ),
        Mistake(
            _beam_that_adds_probabilities,
            "You add probabilities to log-probabilities. Along a sentence probabilities are multiplied, so their "
            "logarithms are added: `log_softmax`, not `softmax`.",
            classic="Beam that adds probabilities",
        ),
        Mistake(
            _miss(log_p=lambda logits: logits),
            "You add the logits as they are. Two rows cannot be compared so: each row needs its log-softmax first.",
        ),
        Mistake(
            _miss(log_p=lambda logits: logits.log_softmax(0)),
            "Your softmax goes over the hypotheses. It goes over the words, the last axis: each row is a distribution.",
        ),
        Mistake(
            _miss(add=lambda totals, log_p: log_p + 0 * totals[:, None]),
            "You rank by the new word alone. A hypothesis brings its total with it: totals[:, None] + log_p.",
        ),
        Mistake(
            _miss(add=lambda totals, log_p: totals[:, None] * log_p),
            "You multiply the totals with the log-probabilities. Logarithms are added.",
        ),
        Mistake(
            _per_row,
            "You take the best word of each hypothesis. The best candidates of all are wanted: two may come from one "
            "hypothesis, and none from another.",
        ),
        Mistake(
            _miss(counts=False),
            "A hypothesis that ends takes a place from those that go on: the beam gets narrower. `beam` of them go on.",
        ),
        Mistake(
            _miss(end=False),
            "You let hypotheses go on after eos. What ends is put aside with its score, and others go on.",
        ),
        Mistake(
            _miss(many=10**6),
            "Every hypothesis that may end is counted as ended. It ends if eos is among the `beam` best candidates of "
            "all.",
        ),
        Mistake(
            lambda totals, logits, eos, n, alpha: _step(totals, logits, eos, n, alpha, many=len(totals)),
            "Too many count as ended. With `topk(2 * beam)`, the second half is there to go on: of what ends, only the "
            "first `beam` candidates count.",
        ),
        Mistake(
            lambda totals, logits, eos, n, alpha: (
                *(lambda rows, words, sums: (rows, rows * logits.size(1) + words, sums))(
                    *_beam_step(totals, logits, eos, n, alpha)[:3]
                ),
                _beam_step(totals, logits, eos, n, alpha)[3],
            ),
            "Your words are places in the flat tensor. The word is what is left after whole rows: `index % V`.",
        ),
        Mistake(
            lambda totals, logits, eos, n, alpha: tuple(
                part.exp() if i == 2 else part for i, part in enumerate(_beam_step(totals, logits, eos, n, alpha))
            ),
            "Your totals are probabilities. Log-probabilities are wanted: they come in as such, and go out as such.",
        ),
        Mistake(
            lambda totals, logits, eos, n, alpha: (*_beam_step(totals, logits, eos, n, alpha)[:3], torch.zeros(0)),
            "What ended is forgotten: the last part is empty. Its score, divided by the length penalty, is to be kept.",
        ),
        Mistake(
            _miss(penalty=lambda n, alpha: ((5 + n) / 6) * alpha),
            "You multiply by α. It is an exponent: ((5 + n) / 6) ** alpha.",
        ),
        Mistake(
            _miss(penalty=lambda n, alpha: (5 + n) / 6**alpha),
            "The exponent belongs to the whole fraction: ((5 + n) / 6) ** alpha. Without the brackets it is that of 6.",
        ),
        Mistake(
            _miss(penalty=lambda n, alpha: (5 + n / 6) ** alpha),
            "The brackets are wrong: (5 + n) is divided by 6, not n alone.",
        ),
        Mistake(
            _miss(penalty=lambda n, alpha: (5 + n) / 6),
            "α is not used: the fraction is to be raised to it.",
        ),
        Mistake(
            _miss(penalty=lambda n, alpha: ((4 + n) / 6) ** alpha),
            "Your length is one too small. `n` already counts the words with eos.",
        ),
        Mistake(
            _miss(penalty=lambda n, alpha: ((6 + n) / 6) ** alpha),
            "Your length is one too large. `n` already counts the words with eos.",
        ),
        Mistake(
            _miss(penalty=lambda n, alpha: n),
            "You divide by the length itself. The penalty of the paper is ((5 + n) / 6) ** alpha.",
        ),
        Mistake(
            _miss(divide=lambda total, penalty: total * penalty),
            "You multiply by the penalty. A log-probability is below 0, so that makes long ones worse still: divide.",
        ),
        Mistake(
            _normalises_the_open,
            "You divide the totals of those that go on, too. In the next step more is added to them: only what ended "
            "is divided.",
        ),
        Mistake(
            _miss(largest=False),
            "You keep the least probable. The best log-probability is the largest, the one nearest to 0.",
        ),
        Mistake(
            _exchanged,
            "Rows and words are exchanged. In the flat tensor a row has V places: `index // V` is the row, `index % V` "
            "the word.",
        ),
        Mistake(
            _by_the_beam,
            "You divide the place in the flat tensor by the beam. A row has V places: `index // V` and `index % V`.",
        ),
    ],
    hints=[
        "All candidates in one tensor: `totals[:, None] + logits.log_softmax(-1)`, (beam, V).",
        "`flatten().topk(2 * beam)` gives the best, and their places: row `index // V`, word `index % V`. At most beam "
        "of them can end, so beam are left to go on.",
        "What ends: among the first beam of these, where the word is eos. What goes on: of all these, the first beam "
        "whose word is not. The scores of the first are divided by `((5 + n) / 6) ** alpha`.",
    ],
)

# ---- 16.4 One step with a cache.


def _cached(
    x,
    keys,
    values,
    W_Q,
    W_K,
    W_V,
    codes,
    *,
    place: Callable = lambda t: t,
    see: Callable = lambda keys: keys,
    scale: Callable = lambda D, K, t: math.sqrt(K),
    axis: int = 0,
    with_code: tuple[bool, bool, bool] = (True, True, True),
    swap: bool = False,
    first: bool = False,
    keep: Callable = lambda old, new: torch.cat([old, new[None]]),
):
    t = len(keys)
    y = x + codes[place(t)]
    q, k, v = ((y if coded else x) @ W for coded, W in zip(with_code, (W_Q, W_K, W_V), strict=True))
    if swap:
        k, v = v, k
    keys, values = (keep(new, old) if first else keep(old, new) for old, new in ((keys, k), (values, v)))
    weights = (see(keys) @ q / scale(len(x), len(q), t)).softmax(axis)
    return weights @ see(values), keys, values


def _cached_step(x, keys, values, W_Q, W_K, W_V, codes):
    return _cached(x, keys, values, W_Q, W_K, W_V, codes)


def _cache(**changes) -> Callable:
    return lambda x, keys, values, W_Q, W_K, W_V, codes: _cached(x, keys, values, W_Q, W_K, W_V, codes, **changes)


def _cached_step_one_place_too_far(x, keys, values, W_Q, W_K, W_V, codes):
    x = x + codes[len(keys) + 1]
    keys = torch.cat([keys, (x @ W_K)[None]])
    values = torch.cat([values, (x @ W_V)[None]])
    weights = (keys @ (x @ W_Q) / math.sqrt(keys.size(1))).softmax(0)
    return weights @ values, keys, values


def _front(x, keys, values, W_Q, W_K, W_V, codes):
    out, keys, values = _cached_step(x, keys, values, W_Q, W_K, W_V, codes)
    return out, keys.roll(1, 0), values.roll(1, 0)


def _past_alone(x, keys, values, W_Q, W_K, W_V, codes):
    """The new word does not see itself."""
    _, new_keys, new_values = _cached_step(x, keys, values, W_Q, W_K, W_V, codes)
    y = x + codes[len(keys)]
    return (keys @ (y @ W_Q) / math.sqrt(keys.size(1))).softmax(0) @ values, new_keys, new_values


def _codes_again(x, keys, values, W_Q, W_K, W_V, codes):
    """The old keys get their positions a second time."""
    return _cached_step(x, keys + codes[: len(keys)] @ W_K, values, W_Q, W_K, W_V, codes)


def _no_softmax(x, keys, values, W_Q, W_K, W_V, codes):
    _, keys, values = _cached_step(x, keys, values, W_Q, W_K, W_V, codes)
    query = (x + codes[len(keys) - 1]) @ W_Q
    return keys @ query / math.sqrt(keys.size(1)) @ values, keys, values


def _not_kept(x, keys, values, W_Q, W_K, W_V, codes):
    return _cached_step(x, keys, values, W_Q, W_K, W_V, codes)[0], keys, values


def _in_float(x, keys, values, W_Q, W_K, W_V, codes):
    return _cached_step(*(part.float() for part in (x, keys, values, W_Q, W_K, W_V, codes)))


def _as_a_row(x, keys, values, W_Q, W_K, W_V, codes):
    y = (x + codes[keys.size(0)])[None]  # (1, D)
    keys, values = torch.cat([keys, y @ W_K]), torch.cat([values, y @ W_V])
    heads = torch.nn.functional.scaled_dot_product_attention((y @ W_Q)[None], keys[None], values[None])
    return heads[0, 0], keys, values


def _caches() -> list[tuple]:
    generator = torch.Generator().manual_seed(164)

    def random(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).round(decimals=2)

    def case(D, K, t, most):
        return (random(D), random(t, K), random(t, K), random(D, K), random(D, K), random(D, K), random(most, D))

    one = torch.ones(1, 1, dtype=torch.float64)
    codes = torch.tensor([[0.0], [1], [2], [4]], dtype=torch.float64)
    tiny = (torch.tensor([0.0], dtype=torch.float64), one, 4 * one, 0 * one, one, 3 * one, codes)
    return [tiny, case(2, 3, 2, 5), case(4, 3, 5, 8), case(4, 3, 1, 6)]


CACHED = Exercise(
    number="16.4",
    name="cached_step",
    right=_cached_step,
    inputs=_caches,
    also_right=[
        _as_a_row,
        _in_float,
        lambda *given: tuple(part.numpy() for part in _cached_step(*given)),
        lambda *given: list(_cached_step(*given)),
    ],
    mistakes=[
        Mistake(
            _cached_step_one_place_too_far,
            "Your word stands one place too far. Places count from 0: with t words in the cache the new one stands at "
            "place t, `codes[len(keys)]`.",
            classic="The cache off by one",
        ),
        Mistake(
            _cache(place=lambda t: t - 1),
            "Your word gets the place of the last word in the cache. That one stands at t − 1, and the new one behind "
            "it, at t: `codes[len(keys)]`.",
        ),
        Mistake(
            _cache(place=lambda t: 0),
            "Your word always stands at place 0, as if it were the first. The cache knows how many came before: "
            "`codes[len(keys)]`.",
        ),
        Mistake(
            _cache(place=lambda t: -1),
            "Your word gets the last row of `codes`. That is the last place that there is, and not the place of this "
            "word: `codes[len(keys)]`.",
        ),
        Mistake(
            _codes_again,
            "You add positions to the keys in the cache. They have theirs: each key was made of a word with its place.",
        ),
        Mistake(
            _cache(with_code=(False, False, False)),
            "The position is missing. Add `codes[len(keys)]` to x first.",
        ),
        Mistake(
            _cache(with_code=(True, False, False)),
            "Only the query has the position. Key and value are made of the same vector, with its position.",
        ),
        Mistake(
            _cache(with_code=(True, True, False)),
            "The value is made of x without its position. All three are made of the same vector.",
        ),
        Mistake(
            _cache(with_code=(False, True, True)),
            "The query is made of x without its position. All three are made of the same vector.",
        ),
        Mistake(
            _past_alone,
            "Your word looks at those before it alone. A word may see itself, too: append key and value first, then "
            "look.",
        ),
        Mistake(
            _not_kept,
            "The output is right, and the cache is given back as it came. The next step needs the new key and value.",
        ),
        Mistake(
            _front,
            "The new key and value stand before the others. They come last: the cache has the order of the words.",
        ),
        Mistake(
            _cache(swap=True),
            "Key and value are exchanged: the key is x W_K, the value x W_V.",
        ),
        Mistake(
            _cache(scale=lambda D, K, t: math.sqrt(D)),
            "You divide by √D. The scores are sums of K products: divide by √K.",
        ),
        Mistake(
            _cache(scale=lambda D, K, t: K),
            "You divide by K. Divide by its root, √K.",
        ),
        Mistake(
            lambda x, keys, values, W_Q, W_K, W_V, codes: _cached_step(x, keys, values, W_K, W_Q, W_V, codes),
            "Query and key are exchanged: the query is x W_Q, the key x W_K.",
        ),
        Mistake(
            _no_softmax,
            "The softmax is missing: you weigh the values by the scores themselves.",
        ),
        Mistake(
            _cache(scale=lambda D, K, t: 1.0),
            "The division of the scores by √K is missing.",
        ),
        Mistake(
            _cache(see=lambda keys: keys[-1:]),
            "Your word looks at itself alone. Its query asks all keys in the cache.",
        ),
        Mistake(
            _cache(see=lambda keys: keys[:1]),
            "Your word looks at the first word alone. That is what `is_causal=True` does with one query: it takes it "
            "for the query of place 0. With a cache no mask is needed.",
        ),
        Mistake(
            lambda x, keys, values, W_Q, W_K, W_V, codes: _cached(
                x, torch.zeros_like(keys), torch.zeros_like(values), W_Q, W_K, W_V, codes
            ),
            "The keys and values that came before are lost: there are zeros in their place.",
        ),
    ],
    hints=[
        "How many words came before? As many as there are rows in `keys`. That is the place of the new one.",
        "`x = x + codes[len(keys)]`, then key `x @ W_K` and value `x @ W_V`, each put behind the others: "
        "`torch.cat([keys, (x @ W_K)[None]])`.",
        "The scores are `keys @ q / math.sqrt(K)`, (t + 1,), with the new keys. Their softmax weighs the rows of "
        "values: `weights @ values`, (K,).",
    ],
)

EXERCISES: list[Exercise] = [ON_PAPER, GREEDY, BEAM_STEP, CACHED]
