"""The exercises of chapter 5: softmax on paper, one that never overflows, a head from its words, two pieces joined."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tfmlib import attention

from .exercise import Exercise, Mistake

# ---- 5.1 A softmax on paper: dot products 0, 2 ln 2, 2 ln 5; d_k is 4.

_PRODUCTS = (0.0, 2 * math.log(2), 2 * math.log(5))
_VALUES = ((8, 0), (0, 8), (16, 8))


def _mixed(exps: tuple) -> list[float]:
    """The two numbers of the output, where the weights are these exponentials, divided by their sum."""
    return [sum(e * value[i] for e, value in zip(exps, _VALUES, strict=True)) / sum(exps) for i in range(2)]


def _divided(by: float) -> list[float]:
    return _mixed(tuple(math.exp(product / by) for product in _PRODUCTS))


PAPER = Exercise(
    number="5.1",
    name="answer",
    right=[11, 7],
    also_right=[(11, 7.0), torch.tensor([11.0, 7.0]), np.array([11, 7])],
    mistakes=[
        Mistake(
            _divided(1),
            "You left the division out: your scores are the dot products, and your weights 1/30, 4/30 and 25/30. "
            "First divide by √d_k.",
        ),
        Mistake(_divided(4), "You divided by d_k, which is 4. Divide by its root."),
        Mistake(_divided(0.5), "You multiplied by √d_k. Divide by it."),
        Mistake(
            _divided(math.sqrt(2)),
            "You divided by √2, the root of how many numbers a value has. Divide by √d_k; d_k = 4 belongs to the keys.",
        ),
        Mistake(
            _divided(math.sqrt(3)),
            "You divided by √3, the root of how many words there are. Divide by √d_k, with the d_k = 4 of the keys.",
        ),
        Mistake(
            _mixed((0, math.log(2), math.log(5))),
            "You took the scores themselves as shares. Take the exponential first, which undoes the logarithm.",
        ),
        Mistake(_mixed((0, 2, 5)), "You took exp(0) as 0. It is 1, so the first word has a weight, too."),
        Mistake(_mixed((1, 1, 1)), "Your three weights are the same. The scores make them differ: exp of each, first."),
        Mistake(
            [88, 56],
            "You mixed with 1, 2 and 5, the exponentials. Weights sum to 1: divide by the sum of the three.",
        ),
        Mistake([16, 8], "You gave the value of the best word. The softmax mixes all three values."),
        Mistake(
            [5.5, 3.5],
            "Your output is half of what it should be. Divide the dot products by √d_k, and nothing after the softmax.",
        ),
        Mistake(
            [13.6 / 2, 232 / 30 / 2],
            "You divided after the softmax, the weights or the values. Divide the dot products, before it.",
        ),
        Mistake([0.125, 0.25, 0.625], "These are the weights. One step more: mix the values with them."),
        Mistake([1, 2, 5], "These are the exponentials. Divide each by their sum, then mix the values."),
        Mistake(
            [0, math.log(2), math.log(5)],
            "These are the scores. Take the exponential of each, divide by the sum, and mix the values.",
        ),
        Mistake([7, 11], "These are the two numbers, swapped. The first number of each value goes into the first."),
        Mistake([18], "You added both numbers of the output. It has two, as the values have."),
    ],
    hints=[
        "Divide each dot product by √4 = 2. The logarithms are made for it: 2 ln 5 / 2 is ln 5.",
        "exp(0) is 1, exp(ln 2) is 2, exp(ln 5) is 5. Their sum is 8.",
        "The weights are 1/8, 2/8 and 5/8. The first number of the output is 1/8 · 8 + 2/8 · 0 + 5/8 · 16.",
    ],
)

# ---- 5.2 A softmax along any axis, with a temperature, that never overflows.


def _softmax(scores: torch.Tensor, axis: int, temperature: float) -> torch.Tensor:
    return (scores / temperature).softmax(axis)


def _shares(scores: torch.Tensor, axis: int, shift: torch.Tensor | float = 0.0) -> torch.Tensor:
    """Exponentials of the scores less a shift, divided by their sum: as they come, inf and NaN too."""
    exps = (scores - shift).exp()
    return exps / exps.sum(axis, keepdim=True)


def _less_the_largest(scores: torch.Tensor, axis: int) -> torch.Tensor:
    return scores - scores.amax(axis, keepdim=True)


def _without_keepdim(scores: torch.Tensor, axis: int, temperature: float) -> torch.Tensor:
    scaled = scores / temperature
    exps = (scaled - scaled.amax(axis, keepdim=True)).exp()
    return exps / exps.sum(axis)


def _softmax_in_steps(scores: torch.Tensor, axis: int, temperature: float) -> torch.Tensor:
    scaled = scores / temperature
    exps = (scaled - scaled.amax(axis, keepdim=True)).exp()
    return exps / exps.sum(axis, keepdim=True)


def _overflowing(scores: torch.Tensor, axis: int, temperature: float) -> torch.Tensor:
    scaled = scores / temperature
    exps = scaled.exp()
    return exps / exps.sum(axis, keepdim=True)


def _max_with_places(scores: torch.Tensor, axis: int, temperature: float) -> torch.Tensor:
    scaled = scores / temperature
    return scaled - scaled.max(axis)  # a TypeError: two things come


def _softmax_in_numpy(scores: torch.Tensor, axis: int, temperature: float) -> np.ndarray:
    scaled = scores.numpy() / temperature
    exps = np.exp(scaled - scaled.max(axis=axis, keepdims=True))
    return exps / exps.sum(axis=axis, keepdims=True)


def _softmax_by_slices(scores: torch.Tensor, axis: int, temperature: float) -> torch.Tensor:
    rows = []
    for row in scores.movedim(axis, -1).reshape(-1, scores.size(axis)).tolist():
        exps = [math.exp((s - max(row)) / temperature) for s in row]
        rows.append([e / sum(exps) for e in exps])
    return torch.tensor(rows).reshape(scores.movedim(axis, -1).shape).movedim(-1, axis)


def _scores_to_weigh() -> list[tuple]:
    random = torch.randn(4, 2, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64).mul(8).round() / 4
    return [
        (torch.tensor([2.0, 0.0]), 0, 2.0),
        (torch.tensor([[1.0, 3.0], [0.0, -1.0]]), 1, 1.0),
        (torch.tensor([[1.0, 3.0], [0.0, -1.0]]), 0, 1.0),
        (torch.tensor([[0.5, 1.0, 2.0], [4.0, 0.0, -1.0]]), -1, 0.5),
        (random, 1, 3.0),
        (random, -3, 0.25),
        (torch.tensor([1000.0, 999.0]), 0, 1.0),
        (torch.tensor([[1000.0, 998.0], [-1000.0, -1001.0]]), 1, 2.0),
        (torch.tensor([1000.0, 998.0]), 0, 0.5),
        (torch.tensor([1000.0, 999.0, -1000.0, -1000.0]), 0, 1.0),
    ]


SOFTMAX = Exercise(
    number="5.2",
    name="softmax",
    right=_softmax,
    inputs=_scores_to_weigh,
    also_right=[
        _softmax_in_steps,
        _softmax_in_numpy,
        _softmax_by_slices,
        lambda scores, axis, temperature: _softmax(scores.float(), axis, temperature),
        lambda scores, axis, temperature: nn.Softmax(axis)(scores / temperature),
        lambda scores, axis, temperature: (
            scores / temperature - (scores / temperature).logsumexp(axis, keepdim=True)
        ).exp(),
        lambda scores, axis, temperature: _shares(_less_the_largest(scores, axis) / temperature, axis),
    ],
    mistakes=[
        Mistake(
            _overflowing,
            "It is right for small scores. The exponential of a large one is inf, and inf / inf is NaN; of a very "
            "small one it is 0, and 0 / 0 is NaN. Take the largest score along the axis away from all, before `exp`.",
            classic="A softmax that overflows",
        ),
        Mistake(
            lambda scores, axis, temperature: _shares(scores / temperature, axis, (scores / temperature).max()),
            "You take the largest number of the whole tensor away. A row that lies far below it has nothing but zeros "
            "then, and 0 / 0 is NaN. Take away the largest of each row: `amax(axis, keepdim=True)`.",
        ),
        Mistake(
            lambda scores, axis, temperature: _shares(
                scores / temperature, axis, (scores / temperature).mean(axis, keepdim=True)
            ),
            "You take the mean away. The largest can still lie far above the mean and overflow. "
            "Take the largest away, so that none is above 0.",
        ),
        Mistake(
            lambda scores, axis, temperature: _shares(scores / temperature, axis, scores.amax(axis, keepdim=True)),
            "You look for the largest score before you divide by the temperature. With a temperature below 1 the "
            "scores grow, and one of 1,000 still overflows. Divide first.",
        ),
        Mistake(
            lambda scores, axis, temperature: _shares(scores / temperature, axis).nan_to_num(0),
            "You replace NaN by 0. Then there is no error, and weights that do not sum to 1. Let no inf come up: take "
            "the largest score along the axis away from all, before `exp`.",
        ),
        Mistake(
            lambda scores, axis, temperature: _shares((scores / temperature).clamp(-700, 700), axis),
            "You cut large scores off at a limit. Two scores beyond it get the same weight, though they differ. "
            "Take the largest score away from all: the differences stay.",
        ),
        Mistake(
            lambda scores, axis, temperature: _softmax(scores, -1, temperature),
            "Your weights always sum to 1 along the last axis. Use the `axis` that is given.",
        ),
        Mistake(
            lambda scores, axis, temperature: _softmax(scores, 0, temperature),
            "Your weights always sum to 1 along axis 0. Use the `axis` that is given.",
        ),
        Mistake(
            lambda scores, axis, temperature: _softmax(scores.flatten(), 0, temperature).view_as(scores),
            "All your weights together sum to 1. Wanted is a sum of 1 for each row along the axis: "
            "`sum(axis, keepdim=True)`.",
        ),
        Mistake(
            _without_keepdim,
            "Your sums have lost their axis, so that broadcasting lays them along another one: each row is divided by "
            "the sum of another, or the shapes do not fit. Keep the axis: `sum(axis, keepdim=True)`.",
            classic="keepdim forgotten",
        ),
        Mistake(
            _max_with_places,
            "`max` with an axis gives two things, the largest numbers and their places. Take the numbers alone: "
            "`amax(axis, keepdim=True)`.",
        ),
        Mistake(
            lambda scores, axis, temperature: (
                _less_the_largest(scores / temperature, axis).exp()
                / _less_the_largest(scores / temperature, axis).exp().sum()
            ),
            "You divide by the sum of the whole tensor. Divide each row by its own sum: `sum(axis, keepdim=True)`.",
        ),
        Mistake(
            lambda scores, axis, temperature: (
                _less_the_largest(scores / temperature, axis).exp()
                / _less_the_largest(scores / temperature, axis).exp().sum(-1, keepdim=True)
            ),
            "You take the sum along the last axis, or along another than `axis`. The largest and the sum both belong "
            "to the `axis` that is given.",
        ),
        Mistake(
            lambda scores, axis, temperature: (
                _less_the_largest(scores / temperature, -1).exp()
                / _less_the_largest(scores / temperature, -1).exp().sum(axis, keepdim=True)
            ),
            "You look for the largest along the last axis, and not along `axis`. What is taken away must be the same "
            "for all scores that share 1: `amax(axis, keepdim=True)`.",
        ),
        Mistake(
            lambda scores, axis, temperature: scores.softmax(axis),
            "The temperature does nothing. Divide the scores by it, before the exponential: "
            "after it, the division cancels in numerator and sum.",
        ),
        Mistake(
            lambda scores, axis, temperature: _softmax(scores, axis, 1 / temperature),
            "You multiply the scores by the temperature. Divide by it: a high temperature makes the weights alike.",
        ),
        Mistake(
            lambda scores, axis, temperature: scores.softmax(axis) / temperature,
            "You divide the weights by the temperature, so that they no longer sum to 1. Divide the scores.",
        ),
        Mistake(
            lambda scores, axis, temperature: _softmax(scores, axis, math.sqrt(temperature)),
            "You divide by the root of the temperature. Divide by the temperature itself. (The root belongs to d_k.)",
        ),
        Mistake(
            lambda scores, axis, temperature: _less_the_largest(scores / temperature, axis).exp(),
            "These are the exponentials. They do not sum to 1: divide them by their sum along the axis.",
        ),
        Mistake(
            lambda scores, axis, temperature: (scores / temperature).exp(),
            "These are the exponentials. They do not sum to 1: divide them by their sum along the axis. And a score of "
            "1,000 becomes inf: take the largest along the axis away from all, first.",
        ),
        Mistake(
            lambda scores, axis, temperature: scores / temperature / (scores / temperature).sum(axis, keepdim=True),
            "You divide the scores by their sum. Take the exponential first: it makes all of them positive.",
        ),
        Mistake(
            lambda scores, axis, temperature: (scores / temperature).log_softmax(axis),
            "These are the logarithms of the weights. Wanted are the weights, which are positive and sum to 1.",
        ),
        Mistake(
            lambda scores, axis, temperature: _softmax(-scores, axis, temperature),
            "The signs are turned: your smallest score gets the largest weight. Is it the largest less the score, in "
            "place of the score less the largest?",
        ),
        Mistake(
            lambda scores, axis, temperature: (scores / temperature).sigmoid(),
            "You weigh each number by itself, with a sigmoid. A softmax compares: the weights along the axis sum to 1.",
        ),
        Mistake(
            lambda scores, axis, temperature: (
                F.one_hot(scores.argmax(axis), scores.size(axis)).movedim(-1, axis).double()
            ),
            "The largest score takes all. A softmax gives each a share: the exponential, divided by the sum of all.",
        ),
    ],
    hints=[
        "Four steps: divide by the temperature, take the largest away, take the exponential, divide by the sum.",
        "The largest and the sum are those along the axis, one for each row. `amax(axis, keepdim=True)` and "
        "`sum(axis, keepdim=True)` leave a 1 where the axis was, so that the shapes fit.",
        "With `s = scores / temperature`, take `e = (s - s.amax(axis, keepdim=True)).exp()`. "
        "What is left is to divide `e` by its sum along the axis.",
    ],
)

# ---- 5.3 From words to the outputs of a head.


def _projected(x, W_Q, W_K, W_V) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return x @ W_Q, x @ W_K, x @ W_V  # (B, S, K), (B, S, K), (B, S, M)


def _products(x, W_Q, W_K) -> torch.Tensor:
    return x @ W_Q @ (x @ W_K).transpose(-2, -1)  # (B, S, S)


def _divided_by(root) -> object:
    """An answer that divides the dot products by what `root` makes of (x, W_Q, W_K, W_V)."""
    return lambda x, W_Q, W_K, W_V: (_products(x, W_Q, W_K) / root(x, W_Q, W_K, W_V)).softmax(-1) @ (x @ W_V)


def _with_weights(weigh) -> object:
    """An answer whose weights are what `weigh` makes of the scores."""
    return lambda x, W_Q, W_K, W_V: weigh(_products(x, W_Q, W_K) / math.sqrt(W_K.size(1))) @ (x @ W_V)


def _head(x, W_Q, W_K, W_V) -> torch.Tensor:
    return attention.scaled_dot_product_attention(*_projected(x, W_Q, W_K, W_V))[0]


def _head_in_loops(x, W_Q, W_K, W_V) -> list:
    outputs = []
    for sentence in x:
        q, k, v = _projected(sentence, W_Q, W_K, W_V)
        rows = []
        for asks in q:
            scores = torch.stack([asks @ offers / len(asks) ** 0.5 for offers in k])
            exps = (scores - scores.max()).exp()
            rows.append(sum(e / exps.sum() * value for e, value in zip(exps, v, strict=True)))
        outputs.append(torch.stack(rows))
    return torch.stack(outputs)


def _head_by_einsum(x, W_Q, W_K, W_V) -> torch.Tensor:
    scores = torch.einsum("btd,dk,ek,bse->bts", x, W_Q, W_K, x) / W_K.size(1) ** 0.5
    return torch.einsum("bts,bsd,dm->btm", scores.softmax(-1), x, W_V)


def _head_in_numpy(x, W_Q, W_K, W_V) -> np.ndarray:
    q, k, v = (x.numpy() @ W.numpy() for W in (W_Q, W_K, W_V))
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(k.shape[-1])
    exps = np.exp(scores - scores.max(-1, keepdims=True))
    return exps / exps.sum(-1, keepdims=True) @ v


def _head_not_transposed(x, W_Q, W_K, W_V) -> torch.Tensor:
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    scores = q @ k.reshape(len(k), k.size(2), k.size(1)) / math.sqrt(k.size(-1))
    return scores.softmax(-1) @ v


def _head_in_steps(x, W_Q, W_K, W_V) -> torch.Tensor:
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    scores = q @ k.transpose(-2, -1) / math.sqrt(k.size(-1))
    return scores.softmax(-1) @ v


def _head_unscaled(x, W_Q, W_K, W_V) -> torch.Tensor:
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    scores = q @ k.transpose(-2, -1)
    return scores.softmax(-1) @ v


def _head_multiplied(x, W_Q, W_K, W_V) -> torch.Tensor:
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    scores = q @ k.transpose(-2, -1) * math.sqrt(k.size(-1))
    return scores.softmax(-1) @ v


def _head_over_the_queries(x, W_Q, W_K, W_V) -> torch.Tensor:
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    scores = q @ k.transpose(-2, -1) / math.sqrt(k.size(-1))
    return scores.softmax(-2) @ v


def _head_over_the_batch(x, W_Q, W_K, W_V) -> torch.Tensor:
    return _head(x.flatten(0, 1)[None], W_Q, W_K, W_V).view(*x.shape[:2], -1)


def _whole_softmax(scores: torch.Tensor) -> torch.Tensor:
    return scores.flatten(1).softmax(-1).view_as(scores)


def _naive(scores: torch.Tensor) -> torch.Tensor:
    return scores.exp() / scores.exp().sum(-1, keepdim=True)


def _naive_in_loops(scores: torch.Tensor) -> torch.Tensor:
    return torch.tensor(
        [[[math.exp(s) / sum(map(math.exp, row)) for s in row] for row in rows] for rows in scores.tolist()]
    ).to(scores.dtype)


def _words_to_attend() -> list[tuple]:
    generator = torch.Generator().manual_seed(5)

    def numbers(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64).mul(4).round() / 4

    inputs = [
        tuple(
            torch.tensor(values)
            for values in ([[[1.0, 0.0], [0.0, 1.0]]], [[1.0], [0.0]], [[1.0], [0.0]], [[3.0], [5.0]])
        )
    ]
    for B, S, D, K, M in ((1, 2, 3, 4, 1), (2, 3, 4, 5, 2), (3, 5, 7, 2, 6), (2, 4, 3, 4, 5)):
        inputs.append((numbers(B, S, D), numbers(D, K), numbers(D, K), numbers(D, M)))
    # Dot products of 992, 993, −992 and −993: too large for exp, and in one sentence too far apart.
    large = torch.tensor([[[32.0, 31.0], [-32.0, 31.03125]]])
    return [*inputs, (large, *torch.eye(2).split(1, 1), torch.tensor([[0.25], [0.5]]))]


HEAD = Exercise(
    number="5.3",
    name="self_attend",
    right=_head,
    inputs=_words_to_attend,
    also_right=[
        _head_in_steps,
        _head_in_loops,
        _head_by_einsum,
        lambda x, W_Q, W_K, W_V: (
            (_products(x, W_K, W_Q) / W_K.size(1) ** 0.5).softmax(1).transpose(1, 2) @ (x @ W_V)  # a column asks
        ),
        _head_in_numpy,
        lambda x, W_Q, W_K, W_V: F.scaled_dot_product_attention(*_projected(x, W_Q, W_K, W_V)),
        lambda x, W_Q, W_K, W_V: _head(x.float(), W_Q.float(), W_K.float(), W_V.float()),
        lambda x, W_Q, W_K, W_V: _head(x, W_Q, W_K, torch.eye(x.size(-1), dtype=x.dtype)) @ W_V,
        lambda x, W_Q, W_K, W_V: (
            _naive((_products(x, W_Q, W_K) - _products(x, W_Q, W_K).amax(-1, keepdim=True)) / W_K.size(1) ** 0.5)
            @ (x @ W_V)
        ),
    ],
    mistakes=[
        Mistake(
            _head_unscaled,
            "Your scores are the dot products as they come. Divide them by √K, the root of the length of a key.",
            classic="Not divided by √d_k",
        ),
        Mistake(
            _divided_by(lambda x, W_Q, W_K, W_V: math.sqrt(x.size(-1))),
            "You divide by √D, the root of the length of a word. It is the root of the length of a key, √K: "
            "that many products are added in a dot product.",
        ),
        Mistake(
            _divided_by(lambda x, W_Q, W_K, W_V: W_K.size(1)),
            "You divide by K, or twice by its root, once in the queries and once in the keys. Divide once by √K.",
        ),
        Mistake(
            _head_multiplied,
            "You multiply by √K. Divide by it.",
            classic="Multiplied by √d_k",
        ),
        Mistake(
            _divided_by(lambda x, W_Q, W_K, W_V: math.sqrt(W_V.size(1))),
            "You divide by √M, the root of the length of a value. Divide by √K, that of queries and keys.",
        ),
        Mistake(
            _divided_by(lambda x, W_Q, W_K, W_V: math.sqrt(x.size(1))),
            "You divide by √S, the root of the number of words. Divide by √K, the root of the length of a key.",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: _products(x, W_Q, W_K).softmax(-1) @ (x @ W_V) / math.sqrt(W_K.size(1)),
            "You divide after the softmax, the weights, the values or the output. Divide the scores, before it.",
        ),
        Mistake(
            _with_weights(lambda scores: scores.softmax(-1) / math.sqrt(scores.size(-1))),
            "Your output is too small by √S: something is divided after the softmax. A row of weights sums to 1, "
            "and stays as it is.",
        ),
        Mistake(
            _head_over_the_queries,
            "Your softmax goes over the words that ask: the columns sum to 1. Each row belongs to one that asks, and "
            "must sum to 1: the last axis, `softmax(-1)`.",
            classic="Softmax over the wrong axis",
        ),
        Mistake(
            _with_weights(lambda scores: scores.softmax(0)),
            "Your softmax goes over the sentences of the batch. It goes over the words that are looked at: the last "
            "axis, `softmax(-1)`.",
        ),
        Mistake(
            _with_weights(_whole_softmax),
            "All weights of a sentence together sum to 1. Each row of them must: `softmax(-1)`.",
        ),
        Mistake(
            _head_not_transposed,
            "You bring the keys to the shape (B, K, S) with `reshape` or `view`. That cuts the numbers anew and mixes "
            "the words. `transpose(-2, -1)` swaps the two axes.",
            classic="Keys reshaped, not transposed",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: ((x @ W_Q) @ (x @ W_K) / math.sqrt(W_K.size(1))).softmax(-1) @ (x @ W_V),
            "You multiply the queries by the keys as they stand, each (B, S, K). Turn the keys first, to (B, K, S), so "
            "that rows meet rows: `k.transpose(-2, -1)`.",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: (
                ((x @ W_Q) @ (x @ W_K).permute(2, 1, 0) / math.sqrt(W_K.size(1))).softmax(-1) @ (x @ W_V)
            ),
            "You turn all three axes of the keys, the batch too, as `.T` does. Swap the last two: `transpose(-2, -1)`.",
        ),
        Mistake(
            _head_over_the_batch,
            "Words look at the words of other sentences, too. Each sentence looks at itself alone: leave the batch as "
            "its own axis.",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: (_products(x, W_Q, W_K) / math.sqrt(W_K.size(1))).softmax(-1) @ (x @ W_K),
            "You mix the keys. The weights come from queries and keys, and what they mix are the values, `x @ W_V`.",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: (_products(x, W_Q, W_K) / math.sqrt(W_K.size(1))).softmax(-1) @ x,
            "You mix the words themselves. What is mixed are their values, `x @ W_V`.",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: x @ W_V,
            "These are the values, not mixed: each word has its own alone. Mix them with the weights.",
        ),
        Mistake(
            _with_weights(lambda scores: scores.softmax(-1).transpose(-2, -1)),
            "Your weights stand on the wrong side of the values, or are transposed: each word gets what others give to "
            "it, and not what it looks at. The output is `weights @ v`.",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: _head(x, W_Q, W_K, W_V).transpose(-2, -1),
            "You give (B, M, S), a column a word. Wanted is a row a word, (B, S, M).",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: _head(x, W_K, W_Q, W_V),
            "Queries and keys are swapped: your score of i and j is q_j · k_i. The row of a word has its query with "
            "all keys: `q @ k.transpose(-2, -1)`.",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: _head(x, W_Q, W_Q, W_V),
            "You compare queries with queries. The other side of the dot product are the keys, `x @ W_K`.",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: _head(x, W_K, W_K, W_V),
            "You compare keys with keys. The word that asks has its query, `x @ W_Q`.",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: (x @ x.transpose(-2, -1) / math.sqrt(W_K.size(1))).softmax(-1) @ (x @ W_V),
            "You compare the words themselves. Compare queries, `x @ W_Q`, with keys, `x @ W_K`.",
        ),
        Mistake(
            _with_weights(lambda scores: scores),
            "There is no softmax: your weights are the scores, which can be negative and do not sum to 1.",
        ),
        Mistake(
            _with_weights(lambda scores: scores / scores.sum(-1, keepdim=True)),
            "You divide the scores by their sum, without the exponential. Take `softmax(-1)` of the scores.",
        ),
        Mistake(
            _with_weights(torch.exp),
            "Your weights are the exponentials, which do not sum to 1. Divide them by the sum of their row, or take "
            "`softmax(-1)`.",
        ),
        Mistake(
            _with_weights(_naive),
            "It is right for small scores. The exponential of a large one is inf, and inf / inf is NaN. Take the "
            "largest score of each row away first, or let `softmax(-1)` do it.",
        ),
        Mistake(
            _with_weights(_naive_in_loops),
            "It is right for small scores. The exponential of a large one is larger than a number can be: "
            "`math.exp` stops there with an OverflowError. Take the largest score of each row away first.",
        ),
        Mistake(
            _with_weights(lambda scores: _naive(scores - scores.amax((-2, -1), keepdim=True))),
            "You take the largest score of the sentence, or of the whole tensor, away. A row that lies far below it "
            "has only zeros then, and 0 / 0 is NaN. Take away the largest of each row: `amax(-1, keepdim=True)`.",
        ),
        Mistake(
            _with_weights(lambda scores: _naive(scores - scores.amax(-2, keepdim=True))),
            "You look for the largest score of each column, and the weights change. What is taken away must be the "
            "same for a whole row: its own largest, `amax(-1, keepdim=True)`.",
        ),
        Mistake(
            _with_weights(
                lambda scores: scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -math.inf).softmax(-1)
            ),
            "Each word looks at itself and at those before it alone, as in chapter 10. Here each looks at all.",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: (
                (F.normalize(x @ W_Q, dim=-1) @ F.normalize(x @ W_K, dim=-1).transpose(-2, -1)).softmax(-1) @ (x @ W_V)
            ),
            "Your scores are cosines: you bring queries and keys to length 1. Take the dot products, divided by √K.",
        ),
        Mistake(
            _with_weights(lambda scores: scores.log_softmax(-1)),
            "You mix with the logarithms of the weights: `log_softmax` in place of `softmax`.",
        ),
        Mistake(
            _with_weights(torch.sigmoid),
            "You weigh each score by itself, with a sigmoid. A softmax compares the words of a row: they share 1.",
        ),
        Mistake(
            _with_weights(lambda scores: F.one_hot(scores.argmax(-1), scores.size(-1)).to(scores.dtype)),
            "Each word takes the value of its best word alone. The softmax mixes the values of all.",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: (_products(x, W_Q, W_K) / math.sqrt(W_K.size(1))).softmax(-1),
            "These are the weights, (B, S, S). One step more: mix the values with them, `weights @ v`.",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: _products(x, W_Q, W_K) / math.sqrt(W_K.size(1)),
            "These are the scores, (B, S, S). Two steps more: the softmax of each row, and the mix of the values.",
        ),
        Mistake(
            lambda x, W_Q, W_K, W_V: _head(x, W_Q, W_K, W_V).mean(1),
            "You give one vector for each sentence. Wanted is one for each word, (B, S, M).",
        ),
    ],
    hints=[
        "Chapter 4 first: `q = x @ W_Q`, `k = x @ W_K` and `v = x @ W_V`.",
        "The scores are (B, S, S), a row for each word that asks: `q @ k.transpose(-2, -1)`, divided by the root of "
        "the length of a key, `k.size(-1)`.",
        "A softmax along each row, the last axis, makes weights of the scores. The output is `weights @ v`, (B, S, M). "
        "Who writes the softmax by hand takes the largest score of each row away first.",
    ],
)

# ---- 5.4 Attention in two pieces.


def _joined(out_a, log_a, out_b, log_b) -> torch.Tensor:
    share = torch.stack([log_a, log_b], -1).softmax(-1)  # (T, 2)
    return share[:, :1] * out_a + share[:, 1:] * out_b


def _joined_by(a, b, out_a, out_b) -> torch.Tensor:
    """The mix in the shares a and b, divided by their sum."""
    return (a[:, None] * out_a + b[:, None] * out_b) / (a + b)[:, None]


def _joined_in_loops(out_a, log_a, out_b, log_b) -> list[list[float]]:
    rows = []
    for a, s, b, t in zip(out_a.tolist(), log_a.tolist(), out_b.tolist(), log_b.tolist(), strict=True):
        of_a, of_b = (math.exp(x - max(s, t)) for x in (s, t))
        rows.append([(of_a * x + of_b * y) / (of_a + of_b) for x, y in zip(a, b, strict=True)])
    return rows


def _joined_in_numpy(out_a, log_a, out_b, log_b) -> np.ndarray:
    a = np.exp(-np.logaddexp(0, (log_b - log_a).numpy()))[:, None]
    return a * out_a.numpy() + (1 - a) * out_b.numpy()


def _pieces() -> list[tuple]:
    generator = torch.Generator().manual_seed(5)

    def numbers(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64).mul(4).round() / 4

    ln = math.log
    return [
        (torch.tensor([[8.0, 0.0]]), torch.tensor([0.0]), torch.tensor([[0.0, 4.0]]), torch.tensor([0.0])),
        (torch.tensor([[8.0, 0.0]]), torch.tensor([ln(3)]), torch.tensor([[0.0, 4.0]]), torch.tensor([0.0])),
        (numbers(2, 3), torch.tensor([ln(2), ln(5)]), numbers(2, 3), torch.tensor([ln(6), ln(3)])),
        (numbers(3, 3), numbers(3), numbers(3, 3), numbers(3)),
        (numbers(4, 2), numbers(4), numbers(4, 2), numbers(4)),
        (torch.tensor([[8.0, 0.0]]), torch.tensor([1000.0]), torch.tensor([[0.0, 4.0]]), torch.tensor([999.0])),
        (
            torch.tensor([[8.0, 0.0], [4.0, 2.0]]),
            torch.tensor([1000.0, -1000.0]),
            torch.tensor([[0.0, 4.0], [2.0, 6.0]]),
            torch.tensor([998.0, -999.0]),
        ),
        (
            torch.tensor([[8.0, 0.0], [4.0, 2.0], [1.0, 3.0]]),
            torch.tensor([1000.0, -1000.0, 0.0]),
            torch.tensor([[0.0, 4.0], [2.0, 6.0], [5.0, 7.0]]),
            torch.tensor([-1000.0, 1000.0, 0.0]),
        ),
    ]


PIECES = Exercise(
    number="5.4",
    name="join",
    right=_joined,
    inputs=_pieces,
    also_right=[
        _joined_in_loops,
        _joined_in_numpy,
        lambda out_a, log_a, out_b, log_b: (
            out_a / (1 + (log_b - log_a).exp())[:, None] + out_b / (1 + (log_a - log_b).exp())[:, None]
        ),
        lambda out_a, log_a, out_b, log_b: torch.lerp(out_b, out_a, (log_a - log_b).sigmoid()[:, None]),
        lambda out_a, log_a, out_b, log_b: torch.einsum(
            "tp,tpm->tm", torch.stack([log_a, log_b], -1).softmax(-1), torch.stack([out_a, out_b], 1)
        ),
        lambda out_a, log_a, out_b, log_b: _joined(out_a.float(), log_a.float(), out_b.float(), log_b.float()),
        lambda out_a, log_a, out_b, log_b: (
            (log_a - torch.logaddexp(log_a, log_b)).exp()[:, None] * out_a
            + (log_b - torch.logaddexp(log_a, log_b)).exp()[:, None] * out_b
        ),
    ],
    mistakes=[
        Mistake(
            lambda out_a, log_a, out_b, log_b: (out_a + out_b) / 2,
            "You take the mean of both outputs. A piece with larger scores counts more: its share is the sum of its "
            "exponentials, divided by the sum of both.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: out_a + out_b,
            "You add both outputs. Each is an average already: the two shares, of piece a and piece b, must sum to 1.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: _joined_by(log_a, log_b, out_a, out_b),
            "You take the logarithms as shares. The sums of the exponentials are the shares: first undo the logarithm.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: _joined_by(log_a.exp(), log_b.exp(), out_a, out_b),
            "It is right for small logarithms. The exponential of a large one is inf, and inf / inf is NaN; of a very "
            "small one it is 0, and 0 / 0 is NaN. Take the larger of the two away from both, before `exp`.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: _joined_by(
                (log_a - torch.cat([log_a, log_b]).max()).exp(),
                (log_b - torch.cat([log_a, log_b]).max()).exp(),
                out_a,
                out_b,
            ),
            "You take the largest of all logarithms away. A query whose two lie far below it has zeros then, and 0 / 0 "
            "is NaN. Take away the larger of its own two: `torch.maximum(log_a, log_b)`.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: _joined_by((log_a - log_b).exp(), torch.ones_like(log_b), out_a, out_b),
            "You take log_b away from both. Where log_a lies far above it, the exponential is inf, and inf / inf is "
            "NaN. Take away the larger of the two: `torch.maximum(log_a, log_b)`.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: _joined_by(torch.ones_like(log_a), (log_b - log_a).exp(), out_a, out_b),
            "You take log_a away from both. Where log_b lies far above it, the exponential is inf, and inf / inf is "
            "NaN. Take away the larger of the two: `torch.maximum(log_a, log_b)`.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: _joined_by(log_a.exp(), log_b.exp(), out_a, out_b).nan_to_num(0),
            "You replace NaN by 0. Then there is no error, and an output of zeros. Let no inf come up: take the larger "
            "of the two logarithms away from both, before `exp`.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: (
                (log_a - torch.maximum(log_a, log_b)).exp()[:, None] * out_a
                + (log_b - torch.maximum(log_a, log_b)).exp()[:, None] * out_b
            ),
            "You multiply each output by its exponential, and forget to divide by the sum of both.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: log_a.exp()[:, None] * out_a + log_b.exp()[:, None] * out_b,
            "You multiply each output by its sum of exponentials, which is right, and forget to divide by the sum of "
            "both. And a logarithm of 1,000 becomes inf: take the larger of the two away from both, first.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: _joined(out_a, log_b, out_b, log_a),
            "The shares are swapped: the output of piece a gets the share of piece b.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: torch.where((log_a >= log_b)[:, None], out_a, out_b),
            "The piece with the larger logarithm takes all. Both have a share, as in a softmax.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: log_a.softmax(0)[:, None] * out_a + log_b.softmax(0)[:, None] * out_b,
            "Your softmax goes over the queries. Each query has two shares, of piece a and piece b, and they sum to 1.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: _joined(out_a, log_a.exp(), out_b, log_b.exp()),
            "You take the exponential twice: once to undo the logarithm, and once more in the softmax. "
            "The softmax of the two logarithms is enough.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: (log_a - log_b).sigmoid() * out_a + (log_b - log_a).sigmoid() * out_b,
            "Your shares, (T,), are laid along the numbers of a row, in place of one share for each row, or the shapes "
            "do not fit. Make columns of them, (T, 1): `share[:, None] * out_a`.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: torch.cat([out_a, out_b], -1),
            "You put both outputs end to end, (T, 2M). Wanted is their mix, (T, M).",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: torch.cat([out_a, out_b]),
            "You put both outputs one below the other. Wanted is one for each query, (T, M), their mix.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: out_a,
            "You give the output of piece a alone. Piece b has a share, too.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: torch.logaddexp(log_a, log_b),
            "This is the logarithm of both sums together. It is what the next piece would need. Wanted is the output.",
        ),
        Mistake(
            lambda out_a, log_a, out_b, log_b: torch.stack([log_a, log_b], -1).softmax(-1),
            "These are the two shares of each query. One step more: mix the two outputs with them.",
        ),
    ],
    hints=[
        "Write the softmax over all words. The sum below the line falls into the sum over piece a, exp(log_a), and the "
        "sum over piece b, exp(log_b).",
        "So piece a has the share exp(log_a) / (exp(log_a) + exp(log_b)), and piece b the rest. "
        "That is a softmax of two scores, log_a and log_b.",
        "`torch.stack([log_a, log_b], -1).softmax(-1)` is (T, 2) and does not overflow. Multiply `out_a` by the first "
        "column and `out_b` by the second, each kept as a column, (T, 1), and add.",
    ],
)

EXERCISES: list[Exercise] = [PAPER, SOFTMAX, HEAD, PIECES]
