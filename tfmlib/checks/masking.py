"""The exercises of chapter 10: a masked row on paper, the triangle, the two masks together, masked weights."""

import math
from fractions import Fraction

import numpy as np
import torch

from tfmlib.vocabulary import BOS, EOS, PAD

from .exercise import Exercise, Mistake

# ---- 10.1 A masked row on paper: the exponentials of "chat" in "<bos> le chat dort" are 3, 1, 2, 6.

PAPER = Exercise(
    number="10.1",
    name="answer",
    right=[1 / 2, 1 / 6, 1 / 3, 0.0],
    also_right=[
        (0.5, 0.1667, 0.3333, 0),
        [Fraction(1, 2), Fraction(1, 6), Fraction(1, 3), Fraction(0)],
        torch.tensor([3.0, 1, 2, 0]) / 6,
        np.array([3, 1, 2, 0]) / 6,
    ],
    mistakes=[
        Mistake(
            [3 / 12, 1 / 12, 2 / 12, 6 / 12],
            "These are the weights without a mask. *dort* comes after *chat*, so *chat* may not look at it.",
        ),
        Mistake(
            [3 / 12, 1 / 12, 2 / 12, 0.0],
            "You set the weight of *dort* to 0 after the softmax: the rest sums to 1/2. With −∞ before it, the "
            "exponential of *dort* is 0 in the sum, too, and you divide by 6.",
        ),
        Mistake(
            [3 / 4, 1 / 4, 0.0, 0.0],
            "This is the row of a word that may not look at itself, or the row of *le*. *chat* may look at itself: "
            "three words are left.",
        ),
        Mistake(
            [0.0, 0.0, 2 / 8, 6 / 8],
            "This is the other triangle: you let *chat* look at itself and at what comes *after* it. It may look at "
            "itself and at what comes before.",
        ),
        Mistake(
            [0.0, 0.0, 0.0, 1.0],
            "The mask is upside down: you hid what *chat* may look at, and left the word after it.",
        ),
        Mistake(
            [3 / 7, 1 / 7, 2 / 7, 1 / 7],
            "You gave *dort* the score 0. That is a score like any other, with the exponential 1. It takes −∞, whose "
            "exponential is 0.",
        ),
        Mistake(
            [3.0, 1.0, 2.0, 0.0],
            "These are the exponentials, with the hidden one at 0. One step more: divide by their sum.",
        ),
        Mistake(
            [3 / 12 + 1 / 6, 1 / 12 + 1 / 6, 2 / 12 + 1 / 6, 0.0],
            "You shared out the weight of *dort* in equal parts. The softmax keeps the proportions of what is left, "
            "3 : 1 : 2.",
        ),
        Mistake(
            [3 / 12, 1 / 12, 2 / 12 + 6 / 12, 0.0],
            "You gave the weight of *dort* to *chat* itself. The softmax keeps the proportions of what is left, "
            "3 : 1 : 2.",
        ),
        Mistake(
            [1 / 3, 1 / 3, 1 / 3, 0.0],
            "The mask is right: three words are left. But they do not share alike. Divide their exponentials by the "
            "sum of the three.",
        ),
        Mistake(
            (torch.tensor([3.0, 1, 2, -math.inf], dtype=torch.float64).softmax(-1)).tolist(),
            "You took the exponential of the given numbers. They are the exponentials already: set that of the hidden "
            "word to 0 and divide by the sum.",
        ),
        Mistake(
            [1 / 2, 1 / 6, 1 / 3],
            "The three numbers are right. The row has four: the hidden word has a weight, too, and it is 0.",
        ),
        Mistake(
            [1 / 2, 1 / 6, 1 / 3, -math.inf],
            "The first three are right. −∞ is the *score* of the hidden word, before the softmax. Its weight is 0.",
        ),
        Mistake(
            [3 / 9, 0.0, 0.0, 6 / 9],
            "You hid *le* and *chat*. Hidden is what comes after *chat*: *dort* alone.",
        ),
    ],
    hints=[
        "First the mask: at which of the four words may *chat* look?",
        "At itself and at what comes before it, so three words are left. The exponential of −∞ is 0.",
        "The exponentials are now 3, 1, 2 and 0. Divide each by their sum.",
    ],
)

# ---- 10.2 The triangle, for the last T of S words.


def _ones(n_queries, n_keys) -> torch.Tensor:
    return torch.ones(n_queries, n_keys, dtype=torch.bool)


def _causal(n_queries, n_keys):
    ones = torch.ones(n_queries, n_keys, dtype=torch.bool)
    return ones.tril(n_keys - n_queries)


def _causal_by_places(n_queries, n_keys) -> torch.Tensor:
    place = torch.arange(n_keys)
    return place <= place[n_keys - n_queries :, None]


def _causal_in_loops(n_queries, n_keys) -> list[list[bool]]:
    past = n_keys - n_queries
    return [[j <= past + i for j in range(n_keys)] for i in range(n_queries)]


def _wrong_triangle(n_queries, n_keys):
    ones = torch.ones(n_queries, n_keys, dtype=torch.bool)
    return ones.triu(n_keys - n_queries)


def _without_diagonal(n_queries, n_keys):
    ones = torch.ones(n_queries, n_keys, dtype=torch.bool)
    return ones.tril(n_keys - n_queries - 1)


def _corner_at_first_key(n_queries, n_keys):
    ones = torch.ones(n_queries, n_keys, dtype=torch.bool)
    return ones.tril()


def _window(n_queries, n_keys) -> torch.Tensor:
    past = n_keys - n_queries
    return _ones(n_queries, n_keys).tril(past).triu(past - 1)


TRIANGLE = Exercise(
    number="10.2",
    name="causal",
    right=_causal,
    inputs=lambda: [(2, 3), (3, 3), (1, 1), (1, 4), (2, 5), (3, 4), (4, 4)],
    also_right=[
        _causal_by_places,
        _causal_in_loops,
        lambda n_queries, n_keys: np.tri(n_queries, n_keys, n_keys - n_queries, dtype=bool),
        lambda n_queries, n_keys: _ones(n_keys, n_keys).tril()[-n_queries:],
        lambda n_queries, n_keys: ~_ones(n_queries, n_keys).triu(n_keys - n_queries + 1),
    ],
    mistakes=[
        Mistake(
            _wrong_triangle,
            "This is the other triangle: each word looks at itself and at what comes *after* it. `tril` keeps the "
            "lower left, `triu` the upper right.",
            classic="The wrong triangle",
        ),
        Mistake(
            lambda n_queries, n_keys: ~_causal(n_queries, n_keys),
            "It is upside down: yours is True for what is to be hidden, as in `nn.MultiheadAttention`. In this course "
            "True = may attend.",
        ),
        Mistake(
            _without_diagonal,
            "The diagonal is missing: a word may look at itself. Without it the first word of a sentence has nothing "
            "to see, and its row becomes NaN.",
        ),
        Mistake(
            _corner_at_first_key,
            "It is right where T = S. Else the corner of your triangle stands at the first key, as if the words that "
            "look were the first ones. They are the last: shift the triangle by S − T.",
            classic="The triangle in the wrong corner",
        ),
        Mistake(
            lambda n_queries, n_keys: _ones(n_queries, n_keys).triu(),
            "This is the other triangle: `triu` keeps the upper right, what comes *after* a word, and `tril` the lower "
            "left. And where T < S, the triangle has to be shifted by S − T.",
        ),
        Mistake(
            lambda n_queries, n_keys: _ones(n_queries, n_keys).triu(1),
            "It is upside down: True stands for what is to be hidden, and in this course True = may attend. And where "
            "T < S, the triangle has to be shifted by S − T.",
        ),
        Mistake(
            lambda n_queries, n_keys: _ones(n_queries, n_keys).tril(-1),
            "The diagonal is missing: a word may look at itself. And where T < S, the triangle has to be shifted by "
            "S − T.",
        ),
        Mistake(
            lambda n_queries, n_keys: _ones(n_queries, n_keys).tril(n_keys - n_queries + 1),
            "Each word sees one word too many: the next one, which is the very word that it has to guess.",
        ),
        Mistake(
            lambda n_queries, n_keys: _ones(n_queries, n_keys).tril(n_queries - n_keys),
            "It is right where T = S. Else the triangle is shifted to the wrong side: by T − S in place of S − T.",
        ),
        Mistake(
            lambda n_queries, n_keys: _causal(n_queries, n_keys).T,
            "The axes are exchanged: (S, T). A row belongs to a word that looks, a column to one that is looked at.",
        ),
        Mistake(
            lambda n_queries, n_keys: _causal(n_keys, n_keys),
            "You give a row to each of the S words, (S, S). Only the last T of them look: (T, S).",
        ),
        Mistake(
            lambda n_queries, n_keys: _causal(n_queries, n_queries),
            "You give (T, T). There is a column for each of the S words that may be looked at: (T, S).",
        ),
        Mistake(
            _ones,
            "All is True, so nothing is hidden. A word may look at itself and at what comes before it.",
        ),
        Mistake(
            lambda n_queries, n_keys: _causal(n_queries, n_keys).triu(n_keys - n_queries),
            "Each word sees itself alone. It may look at all words before it, too.",
        ),
        Mistake(
            _window,
            "Each word sees itself and the one before it. It may look at *all* the words before it.",
        ),
        Mistake(
            lambda n_queries, n_keys: _causal(n_queries, n_keys).double(),
            "The places are right, and these are numbers. Wanted are booleans, `dtype=torch.bool`: PyTorch would add "
            "numbers to the scores.",
        ),
        Mistake(
            lambda n_queries, n_keys: torch.zeros(n_queries, n_keys).masked_fill(
                ~_causal(n_queries, n_keys), -math.inf
            ),
            "This is a mask of 0 and −∞, to be added to the scores. Wanted are booleans, True = may attend.",
        ),
        Mistake(
            lambda n_queries, n_keys: _causal(n_queries, n_keys).flip(-1),
            "The triangle is mirrored: each row has the right number of True, but from the right. The first word of "
            "the sentence is the first column.",
        ),
        Mistake(
            lambda n_queries, n_keys: _causal(n_queries, n_keys)[None, None],
            "The table is right, with two axes too many. Wanted is (T, S): it fits any number of sentences and heads.",
        ),
    ],
    hints=[
        "A row for each of the T words that look, a column for each of the S words. Begin with `torch.ones(n_queries, "
        "n_keys, dtype=torch.bool)`.",
        "`tril()` keeps the lower left, with its corner at the first column. With T < S the last row must be True "
        "everywhere, since the last word may look at all.",
        "`tril(n)` shifts the triangle by n columns to the right. The first word that looks has S − T words before it.",
    ],
)

# ---- 10.3 Both masks together.


def _words(ids) -> torch.Tensor:
    return (ids != PAD)[:, None, None, :]


def _square(ids) -> torch.Tensor:
    return _causal(ids.size(1), ids.size(1))


def _expanded(mask, ids) -> torch.Tensor:
    return mask.expand(len(ids), 1, ids.size(1), ids.size(1))


def _both(ids) -> torch.Tensor:
    return _words(ids) & _square(ids)


def _both_in_loops(ids) -> list:
    T = ids.size(1)
    return [[[[j <= i and row[j] != PAD for j in range(T)] for i in range(T)]] for row in ids.tolist()]


def _on_query_axis(ids):
    T = ids.size(1)
    words = (ids != PAD)[:, None, :, None]
    return words & torch.ones(T, T, dtype=torch.bool).tril()


def _true_is_left_out(ids):
    T = ids.size(1)
    padding = (ids == PAD)[:, None, None, :]
    return padding | torch.ones(T, T, dtype=torch.bool).triu(1)


def _at_the_end(ids) -> torch.Tensor:
    lengths = (ids != PAD).sum(1)
    return (torch.arange(ids.size(1)) < lengths[:, None])[:, None, None, :] & _square(ids)


BOTH = Exercise(
    number="10.3",
    name="who_sees_whom",
    right=_both,
    inputs=lambda: [
        (torch.tensor([[5, 6, 0]]),),
        (torch.tensor([[0, 6, 5]]),),
        (torch.tensor([[1, 5, 6, 7], [1, 8, 0, 0]]),),
        (torch.tensor([[1, 5, 6, 2, 0], [1, 2, 0, 0, 0], [0, 0, 1, 9, 2]]),),
        (torch.tensor([[7]]),),
    ],
    also_right=[
        _both_in_loops,
        lambda ids: _both(ids).numpy(),
        lambda ids: torch.stack([(row != PAD) & _square(ids) for row in ids])[:, None],
        lambda ids: (ids != PAD)[:, None, None, :].expand(-1, -1, ids.size(1), -1).tril(),
        lambda ids: torch.einsum("bs,ts->bts", (ids != PAD).double(), _square(ids).double()).bool()[:, None],
    ],
    mistakes=[
        Mistake(
            _true_is_left_out,
            "It is upside down: yours is True for what is to be hidden, as in `nn.MultiheadAttention`. In this course "
            "True = may attend.",
            classic="True taken for ignore",
        ),
        Mistake(
            _on_query_axis,
            "The padding stands on the query's axis: `<pad>` may not look, and everybody may look at `<pad>`. The last "
            "axis is the one that is looked at, `[:, None, None, :]`.",
            classic="The padding mask on the query axis",
        ),
        Mistake(
            lambda ids: _words(ids) | _square(ids),
            "You put the masks together with *or*: one of the two is enough. A word may be looked at if *both* allow "
            "it, `&`.",
        ),
        Mistake(
            lambda ids: _expanded(_square(ids), ids),
            "The triangle is right, and the padding is missing: words may look at `<pad>`.",
        ),
        Mistake(
            _square,
            "This is the triangle alone, one for all sentences. The padding is missing, of which each sentence has its "
            "own: put `ids != PAD` to it. Wanted is (B, 1, T, T).",
        ),
        Mistake(
            lambda ids: _expanded(_words(ids), ids),
            "The padding is hidden, and the triangle is missing: each word may look at what comes after it.",
        ),
        Mistake(
            _words,
            "This is the padding mask alone, (B, 1, 1, T). The triangle is missing: put (T, T) to it, and broadcasting "
            "makes (B, 1, T, T).",
        ),
        Mistake(
            lambda ids: _words(ids) & (ids != PAD)[:, None, :, None],
            "You hid the columns of `<pad>`, which is right, and its rows, which become NaN. And the triangle is "
            "missing: a word may not look at what comes after it.",
        ),
        Mistake(
            lambda ids: _both(ids) & (ids != PAD)[:, None, :, None],
            "You hid the rows of `<pad>`, too. Then they have nothing to see, and become NaN. Nobody looks at these "
            "rows, so let them be: the padding belongs on the last axis alone.",
        ),
        Mistake(
            lambda ids: _both(ids) | (ids == PAD)[:, None, :, None],
            "Your rows of `<pad>` may look at all. They are masked as all others: nobody looks at `<pad>`, and it has "
            "a place in the triangle, too.",
        ),
        Mistake(
            lambda ids: _both(ids) | torch.eye(ids.size(1), dtype=torch.bool),
            "You let each word look at itself, and `<pad>` as well. Nobody looks at `<pad>`, not even itself.",
        ),
        Mistake(
            lambda ids: ~_words(ids) & _square(ids),
            "The triangle is right, and the padding is upside down: only `<pad>` may be looked at. The words are where "
            "`ids != PAD`.",
        ),
        Mistake(
            lambda ids: _words(ids) & ~_square(ids),
            "The padding is right, and the triangle is upside down: each word sees the words after it alone.",
        ),
        Mistake(
            lambda ids: _words(ids) & _square(ids).T,
            "The padding is right, and it is the other triangle: each word looks at itself and at what comes after it.",
        ),
        Mistake(
            lambda ids: _words(ids) & _square(ids).tril(-1),
            "The diagonal is missing: a word may look at itself.",
        ),
        Mistake(
            lambda ids: _both(ids)[:, 0],
            "The tables are right, and the axis of the heads is missing: (B, T, T). Against scores of (B, H, T, T), "
            "PyTorch would take B for the heads. Wanted is (B, 1, T, T).",
        ),
        Mistake(
            lambda ids: _both(ids).transpose(0, 1),
            "The first two axes are exchanged: (1, B, T, T). The sentences come first, then the heads.",
        ),
        Mistake(
            lambda ids: (ids > BOS)[:, None, None, :] & _square(ids),
            "You hide `<bos>`, too, which has the id 1. It is a word like the others, and often the only one that the "
            "first row can see. Padding is where the id is PAD, 0.",
        ),
        Mistake(
            lambda ids: (ids > EOS)[:, None, None, :] & _square(ids),
            "You hide `<bos>` and `<eos>`, too, which have the ids 1 and 2. They are words like the others. Padding is "
            "where the id is PAD, 0.",
        ),
        Mistake(
            lambda ids: _expanded(_both(ids)[:1], ids),
            "All sentences have the padding of the first one. Each has its own: keep the axis of the batch.",
        ),
        Mistake(
            lambda ids: _expanded((ids != PAD).all(0) & _square(ids), ids),
            "You hide a place in all sentences if it is `<pad>` in one of them. Each sentence has its own padding.",
        ),
        Mistake(
            _at_the_end,
            "You count the words and take it that they stand at the beginning. Padding can stand on the left, too. Ask "
            "of each id whether it is PAD.",
        ),
        Mistake(
            lambda ids: _both(ids).double(),
            "The places are right, and these are numbers. Wanted are booleans: PyTorch would add numbers to the "
            "scores.",
        ),
        Mistake(
            lambda ids: torch.zeros(_both(ids).shape).masked_fill(~_both(ids), -math.inf),
            "This is a mask of 0 and −∞, to be added to the scores. Wanted are booleans, True = may attend.",
        ),
    ],
    hints=[
        "Two masks: one of (T, T) from the length alone, one from `ids != PAD`.",
        "The padding is about the words that are looked *at*, the last axis. Give it the axes of heads and queries: "
        "`(ids != PAD)[:, None, None, :]` is (B, 1, 1, T).",
        "Both must allow it: `&`. Broadcasting makes (B, 1, T, T) of (B, 1, 1, T) and (T, T).",
    ],
)

# ---- 10.4 From scores to weights, whatever the mask.


def _masked(scores, may_attend, by=-math.inf) -> torch.Tensor:
    return scores.masked_fill(~may_attend, by).softmax(-1)


def _weights(scores, may_attend) -> torch.Tensor:
    blind = ~may_attend.any(-1, keepdim=True)
    return _masked(scores, may_attend | blind).masked_fill(blind, 0.0)


def _weights_in_loops(scores, may_attend) -> list[list[float]]:
    rows = []
    for row, seen in zip(scores.tolist(), may_attend.tolist(), strict=True):
        largest = max((s for s, ok in zip(row, seen, strict=True) if ok), default=0.0)
        exps = [math.exp(s - largest) if ok else 0.0 for s, ok in zip(row, seen, strict=True)]
        rows.append([e / (sum(exps) or 1.0) for e in exps])
    return rows


def _repaired(scores, may_attend):
    hidden = scores.masked_fill(~may_attend, -math.inf)
    return hidden.softmax(-1).nan_to_num(0.0)


def _plain(scores, may_attend):
    hidden = scores.masked_fill(~may_attend, -math.inf)
    return hidden.softmax(-1)


def _zero_after(scores, may_attend):
    weights = scores.softmax(-1)
    return weights * may_attend


def _large_number(scores, may_attend):
    hidden = scores.masked_fill(~may_attend, -1e9)
    return hidden.softmax(-1)


def _numbers_added(scores, may_attend):
    mask = may_attend.to(scores.dtype)
    return (scores + mask).softmax(-1)


def _upside_down(scores, may_attend) -> torch.Tensor:
    return scores.masked_fill(may_attend, -math.inf).softmax(-1)


def _scores_and_masks() -> list[tuple]:
    def mask(*rows):
        return torch.tensor(rows, dtype=torch.bool)

    torch.manual_seed(10)
    numbers = torch.randn(4, 4).mul(2).round(decimals=1)
    return [
        (torch.tensor([[0.0, 0.0, 5.0]]), mask([1, 1, 0])),
        (torch.tensor([[1.0, 2.0, 3.0]]), mask([0, 0, 0])),
        (torch.tensor([[1.0, 0.0], [2.0, 3.0], [0.0, 1.0]]), mask([1, 0], [1, 1], [0, 1])),
        (torch.tensor([[1000.0, 999.0, 0.0]]), mask([1, 1, 0])),
        (torch.tensor([[1.0, 2.0, 1000.0], [-900.0, -901.0, 3.0]]), mask([1, 1, 0], [1, 1, 0])),
        (numbers, _ones(4, 4).tril()),
        (numbers, mask([0, 0, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0], [0, 1, 1, 1])),
    ]


WEIGHTS = Exercise(
    number="10.4",
    name="masked_weights",
    right=_weights,
    inputs=_scores_and_masks,
    also_right=[
        _weights_in_loops,
        _repaired,
        lambda scores, may_attend: _masked(scores, may_attend, -1e300) * may_attend.any(-1, keepdim=True),
        lambda scores, may_attend: _weights(scores.float(), may_attend),
        lambda scores, may_attend: torch.where(may_attend.any(-1, keepdim=True), _masked(scores, may_attend), 0.0),
        lambda scores, may_attend: _large_number(scores, may_attend) * may_attend,
    ],
    mistakes=[
        Mistake(
            _zero_after,
            "You set weights to 0 after the softmax. What is left does not sum to 1, and it still hangs on the hidden "
            "scores, which stand in the sum that it was divided by. Hide the *scores*, before the softmax.",
            classic="0 after the softmax",
        ),
        Mistake(
            _plain,
            "It is right wherever there is something to see. A row of −∞ alone is 0 / 0, NaN. Such a row shall get "
            "weights of 0.",
            classic="A row with nothing to attend to",
        ),
        Mistake(
            _large_number,
            "It is right wherever there is something to see. In a row without, your large negative number is the same "
            "for all, so all hidden words share alike, and nobody notices. Such a row shall get weights of 0.",
            classic="A large negative number in place of −∞",
        ),
        Mistake(
            _numbers_added,
            "You add the mask to the scores. True counts as 1, so what may be seen is lifted by 1 and nothing is "
            "hidden. Hidden scores become −∞.",
            classic="Zeros and ones added to the scores",
        ),
        Mistake(
            lambda scores, may_attend: (scores + ~may_attend * -math.inf).softmax(-1),
            "You multiply the mask by −∞: where nothing is hidden that is 0 · ∞, NaN. Put −∞ there without a product: "
            "`masked_fill` or `torch.where`.",
        ),
        Mistake(
            lambda scores, may_attend: scores.softmax(-1).masked_fill(~may_attend, -math.inf),
            "You put −∞ into the *weights*, after the softmax. It belongs into the scores, before it: its exponential "
            "is 0.",
        ),
        Mistake(
            lambda scores, may_attend: scores.softmax(-1),
            "Nothing is hidden: `may_attend` is not looked at.",
        ),
        Mistake(
            _upside_down,
            "It is upside down: you hide where `may_attend` is True. True = may attend, so hide where it is False, "
            "`~may_attend`.",
        ),
        Mistake(
            lambda scores, may_attend: _weights(scores, ~may_attend),
            "You care for rows with nothing to see, and the mask is upside down: True = may attend. Hide where it is "
            "False.",
        ),
        Mistake(
            lambda scores, may_attend: _masked(scores, may_attend, 0.0),
            "You set hidden *scores* to 0. That is a score like any other, and its exponential is 1. It takes −∞, "
            "whose exponential is 0.",
        ),
        Mistake(
            lambda scores, may_attend: _masked(scores, may_attend, -100.0),
            "Your number is not low enough: where the scores that may be seen are lower still, the hidden words win. "
            "And a row with nothing to see shares alike. It takes −∞, and 0 for such a row.",
        ),
        Mistake(
            lambda scores, may_attend: torch.where(
                may_attend.any(-1, keepdim=True), _masked(scores, may_attend), scores.softmax(-1)
            ),
            "A row with nothing to see gets its weights as if there were no mask. Where you add a large number to all "
            "of a row, or leave it out of the mask, its proportions stay. Such a row shall get weights of 0.",
        ),
        Mistake(
            lambda scores, may_attend: _zero_after(scores, may_attend) / _zero_after(scores, may_attend).sum(-1, True),
            "0 after the softmax, divided by the sum of what is left: that mends small scores. But if a hidden score "
            "is very large, what is left is 0, and 0 / 0 is NaN; so is a row with nothing to see. Hide before the "
            "softmax.",
        ),
        Mistake(
            lambda scores, may_attend: (
                _zero_after(scores, may_attend) / _zero_after(scores, may_attend).sum(-1, True).clamp(min=1e-9)
            ),
            "0 after the softmax, divided by the sum of what is left. If a hidden score is very large, nothing is left "
            "of the others: their weights are 0 in place of a sum of 1. Hide before the softmax.",
        ),
        Mistake(
            lambda scores, may_attend: scores.exp() * may_attend / (scores.exp() * may_attend).sum(-1, True),
            "The exponentials of hidden words are 0, which is right. But you do not take the largest score away "
            "first, so a large one overflows, and a row with nothing to see is 0 / 0. Both give NaN.",
        ),
        Mistake(
            lambda scores, may_attend: (
                scores.exp() * may_attend / (scores.exp() * may_attend).sum(-1, True).clamp(min=1e-9)
            ),
            "The exponentials of hidden words are 0, and rows with nothing to see are cared for. But a large score "
            "overflows, and ∞ / ∞ is NaN. Take the largest one that may be seen away first, or use `softmax`.",
        ),
        Mistake(
            lambda scores, may_attend: _masked(scores, may_attend).softmax(-1).nan_to_num(0.0),
            "It is the softmax of a softmax: the hidden words have a weight of 0, and its exponential is 1. One is "
            "enough.",
        ),
        Mistake(
            lambda scores, may_attend: _masked(scores.flatten(), may_attend.flatten()).view_as(scores).nan_to_num(0.0),
            "Your softmax goes over the whole table, so all rows together sum to 1. It goes along each row: "
            "`softmax(-1)`.",
        ),
        Mistake(
            lambda scores, may_attend: scores.masked_fill(~may_attend, -math.inf).softmax(0),
            "Your softmax goes down the columns. It goes along each row, over the words that are looked at: "
            "`softmax(-1)`.",
        ),
        Mistake(
            lambda scores, may_attend: scores.masked_fill(~may_attend, -math.inf).softmax(0).nan_to_num(0.0),
            "Your softmax goes down the columns. It goes along each row, over the words that are looked at: "
            "`softmax(-1)`.",
        ),
        Mistake(
            lambda scores, may_attend: _weights(scores, may_attend.T),
            "The mask is transposed. A row of it belongs to the same word as a row of the scores.",
        ),
        Mistake(
            lambda scores, may_attend: scores.masked_fill(~may_attend, -math.inf),
            "These are the masked scores. One step more: the softmax of each row, and 0 where a row has nothing to "
            "see.",
        ),
    ],
    hints=[
        "Hide first, then the softmax: `scores.masked_fill(~may_attend, -math.inf)`.",
        "A row in which all is hidden becomes NaN. Find these rows first: `~may_attend.any(-1, keepdim=True)` is (T, "
        "1).",
        "Either leave such a row unmasked, and set its weights to 0 after the softmax. Or set NaN to 0 in the weights. "
        "The first is what `tfmlib` does.",
    ],
)

EXERCISES: list[Exercise] = [PAPER, TRIANGLE, BOTH, WEIGHTS]
