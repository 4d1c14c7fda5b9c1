"""The exercises of chapter 8: a block on paper, LayerNorm of columns, a pile in either order, the way down."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from tfmlib.sublayer import Sublayer, layer_norm

from .exercise import Exercise, Mistake

# ---- 8.1 A block on paper: x (4, 2, 0, 2), f(x) (5, 1, 1, 1), gain (3, 3, 6, 3), bias (0, 1, 0, 2), ε 0.

_ROOT = 12**0.5  # of the unbiased variance, 36 / 3
_GAIN_FIRST = 64.25**0.5  # of the variance of (27, 10, 6, 11)

ADD_AND_NORM = Exercise(
    number="8.1",
    name="answer",
    right=[5, 0, -6, 1],
    also_right=[(5.0, 0.0, -6.0, 1.0), torch.tensor([5.0, 0.0, -6.0, 1.0]), np.array([5, 0, -6, 1])],
    mistakes=[
        Mistake(
            [15 / _ROOT, 1 - 3 / _ROOT, -18 / _ROOT, 2 - 3 / _ROOT],
            "You divided the sum of the squares by 3, which is D − 1. LayerNorm's variance is the biased one: divide "
            "by D, here 4.",
        ),
        Mistake(
            [5 / 3, -1 / 3, -1, -1 / 3],
            "These numbers have mean 0 and variance 1, as they should. Gain and bias are still to come.",
        ),
        Mistake([5, -1, -6, -1], "The gain is in, the bias is not. Add it at the end."),
        Mistake(
            [5 / 3, 2 / 3, -1, 5 / 3],
            "The bias is in, the gain is not. Multiply each number by its gain before you add the bias.",
        ),
        Mistake(
            [3, 2 + 2 / 3, 3, 3 - 1 / 3],
            "Gain and bias are swapped: you multiplied by the bias and added the gain. Multiply by the gain.",
        ),
        Mistake(
            [5, 2, -6, 5],
            "You added the bias first and multiplied then, so that the bias is multiplied, too. Gain first, then bias.",
        ),
        Mistake(
            [15 / 9, 1 - 3 / 9, -18 / 9, 2 - 3 / 9],
            "You divided by the variance, 9. Divide by its root, 3.",
        ),
        Mistake(
            [15, -2, -18, -1],
            "The mean is away and gain and bias are in, but nothing is divided. Divide by the root of the variance.",
        ),
        Mistake(
            [9, 4, 2, 5],
            "You divided by 3 without taking the mean away first. Before you divide, the four are 5, −1, −3, −1.",
        ),
        Mistake(
            [6, -0.2, -7.2, 0.8],
            "You divided by 2.5, the mean of the distances from the mean. The variance is the mean of their *squares*, "
            "9, and its root is 3.",
        ),
        Mistake(
            [2.5, 0.5, -3, 1.5],
            "You divided by 6, the root of the sum of the squares. The variance is their mean: 36 / 4.",
        ),
        Mistake(
            [3 * 2**0.5, 1, -6 * 2**0.5, 2],
            "This is the norm of x alone: the part's answer is missing. In post-LN, x and f(x) are added first.",
        ),
        Mistake(
            [3 * 3**0.5, 1 - 3**0.5, -2 * 3**0.5, 2 - 3**0.5],
            "This is the norm of f(x) alone: the way around is missing. Add x and f(x) first.",
        ),
        Mistake(
            [3 * 3**0.5 + 4, 3 - 3**0.5, -2 * 3**0.5, 4 - 3**0.5],
            "You normalised f(x) and added x then. In post-LN the sum is normalised.",
        ),
        Mistake(
            [3 * 2**0.5 + 5, 2, -6 * 2**0.5 + 1, 3],
            "You normalised x and added f(x) then. In post-LN the sum is normalised, at the end.",
        ),
        Mistake([9, 3, 1, 3], "This is the sum. It is still to be normalised."),
        Mistake(
            [13.5 / _GAIN_FIRST, -3.5 / _GAIN_FIRST, -7.5 / _GAIN_FIRST, -2.5 / _GAIN_FIRST],
            "You multiplied by the gain and added the bias before you normalised. Normalise the sum first.",
        ),
    ],
    hints=[
        "Post-LN: add first, then normalise. The sum is (9, 3, 1, 3).",
        "Its mean is 4. Take it away, and square what is left. The mean of the four squares is the variance.",
        "The squares are 25, 1, 9 and 1, so the variance is 9 and its root is 3. Divide (5, −1, −3, −1) by it.",
        "You have (5/3, −1/3, −1, −1/3). Multiply each by its gain, (3, 3, 6, 3), then add its bias, (0, 1, 0, 2).",
    ],
)

# ---- 8.2 LayerNorm of columns: x (B, D, S).


def _columns(x: torch.Tensor, gain: torch.Tensor, bias: torch.Tensor, eps: float) -> torch.Tensor:
    return layer_norm(x.transpose(1, 2), gain, bias, eps).transpose(1, 2)


def _with(centred: torch.Tensor, divisor: torch.Tensor, gain: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return gain[:, None] * centred / divisor + bias[:, None]


def _moments(x: torch.Tensor, axes=1, unbiased: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    centred = x - x.mean(axes, keepdim=True)
    return centred, x.var(axes, keepdim=True, correction=1 if unbiased else 0)


def _along(axes) -> Callable:
    def norm(x, gain, bias, eps):
        centred, variance = _moments(x, axes)
        return _with(centred, (variance + eps).sqrt(), gain, bias)

    return norm


def _unbiased_outside(x, gain, bias, eps):
    centred, variance = _moments(x, unbiased=True)
    return _with(centred, variance.sqrt() + eps, gain, bias)


def _unbiased_without(x, gain, bias, eps):
    centred, variance = _moments(x, unbiased=True)
    return _with(centred, variance.sqrt(), gain, bias)


def _reshaped(x, gain, bias, eps):
    return layer_norm(x.reshape(x.mT.shape), gain, bias, eps).reshape(x.shape)


def _divided_by(divisor: Callable) -> Callable:
    """LayerNorm of columns with another divisor, made of the variance and ε."""

    def norm(x, gain, bias, eps):
        centred, variance = _moments(x)
        return _with(centred, divisor(variance, eps), gain, bias)

    return norm


def _ended_with(end: Callable) -> Callable:
    """LayerNorm of columns with another end, made of the normalised numbers, the gain and the bias as columns."""

    def norm(x, gain, bias, eps):
        centred, variance = _moments(x)
        return end(centred / (variance + eps).sqrt(), gain[:, None], bias[:, None])

    return norm


def _root_mean_square(x, gain, bias, eps):
    return _with(x, (x.square().mean(1, keepdim=True) + eps).sqrt(), gain, bias)


def _not_centred(x, gain, bias, eps):
    return _with(x, (_moments(x)[1] + eps).sqrt(), gain, bias)


def _mean_square(x, gain, bias, eps):
    return _with(_moments(x)[0], (x.square().mean(1, keepdim=True) + eps).sqrt(), gain, bias)


def _length(x, gain, bias, eps):
    centred = _moments(x)[0]
    return _with(centred, (centred.square().sum(1, keepdim=True) + eps).sqrt(), gain, bias)


def _gain_first(x, gain, bias, eps):
    return _columns(gain[:, None] * x + bias[:, None], torch.ones_like(gain), torch.zeros_like(bias), eps)


def _columns_in_loops(x, gain, bias, eps):
    batch = []
    for sentence in x.tolist():
        columns = []
        for word in zip(*sentence, strict=True):
            mean = sum(word) / len(word)
            variance = sum((number - mean) ** 2 for number in word) / len(word)
            root = (variance + eps) ** 0.5
            parts = zip(gain.tolist(), word, bias.tolist(), strict=True)
            columns.append([g * (number - mean) / root + b for g, number, b in parts])
        batch.append([list(row) for row in zip(*columns, strict=True)])
    return batch


def _columns_in_numpy(x, gain, bias, eps):
    x, gain, bias = x.numpy(), gain.numpy(), bias.numpy()
    return gain[:, None] * (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + eps) + bias[:, None]


def _columns_by_torch(x, gain, bias, eps):
    norm = nn.LayerNorm(len(gain), eps=eps).to(x)
    norm.weight.data, norm.bias.data = gain, bias
    return norm(x.mT).mT


def _columns_to_norm() -> list[tuple]:
    # ε is large in some: where it stands is seen then. A column of equal numbers asks for it.
    two = torch.tensor([[[1.0, 5.0], [15.0, 5.0], [7.0, 5.0], [9.0, 5.0]]])
    return [
        (two, torch.tensor([1.0, 1.0, 1.0, 1.0]), torch.tensor([0.0, 0.0, 0.0, 0.0]), 1e-5),
        (two, torch.tensor([1.0, 2.0, 1.0, 3.0]), torch.tensor([0.0, 0.5, 0.0, 1.0]), 0.5),
        (
            torch.tensor([[[4.0, 1.0], [2.0, 6.0], [0.0, 2.0]], [[3.0, 2.0], [3.0, 5.0], [9.0, 8.0]]]),
            torch.tensor([0.5, 1.0, -2.0]),
            torch.tensor([0.1, 0.0, 0.4]),
            1.0,
        ),
        (
            (torch.arange(30.0) ** 2 % 11).reshape(3, 2, 5),
            torch.tensor([1.5, -0.5]),
            torch.tensor([0.2, 0.3]),
            0.1,
        ),
    ]


def _columns_in_steps(x, gain, bias, eps):
    centred = x - x.mean(1, keepdim=True)
    variance = centred.square().mean(1, keepdim=True)
    normed = centred / (variance + eps).sqrt()
    return gain[:, None] * normed + bias[:, None]


def _along_the_words(x, gain, bias, eps):
    centred = x - x.mean(2, keepdim=True)
    variance = centred.square().mean(2, keepdim=True)
    normed = centred / (variance + eps).sqrt()
    return gain[:, None] * normed + bias[:, None]


def _over_the_batch(x, gain, bias, eps):
    centred = x - x.mean((0, 2), keepdim=True)
    variance = centred.square().mean((0, 2), keepdim=True)
    normed = centred / (variance + eps).sqrt()
    return gain[:, None] * normed + bias[:, None]


def _by_one_less(x, gain, bias, eps):
    centred = x - x.mean(1, keepdim=True)
    variance = centred.square().sum(1, keepdim=True) / (x.size(1) - 1)
    normed = centred / (variance + eps).sqrt()
    return gain[:, None] * normed + bias[:, None]


def _outside_the_root(x, gain, bias, eps):
    centred = x - x.mean(1, keepdim=True)
    variance = centred.square().mean(1, keepdim=True)
    normed = centred / (variance.sqrt() + eps)
    return gain[:, None] * normed + bias[:, None]


COLUMNS = Exercise(
    number="8.2",
    name="layer_norm_of_columns",
    right=_columns,
    inputs=_columns_to_norm,
    also_right=[
        _columns_in_steps,
        _columns_in_loops,
        _columns_in_numpy,
        _columns_by_torch,
        lambda x, gain, bias, eps: _along(1)(x.float(), gain.float(), bias.float(), eps),
        lambda x, gain, bias, eps: (
            torch.einsum("d,bds->bds", gain, _moments(x)[0]) * (_moments(x)[1] + eps).rsqrt() + bias.view(1, -1, 1)
        ),
        lambda x, gain, bias, eps: (
            torch.nn.functional.group_norm(x.mT.flatten(0, 1), 1, gain, bias, eps).unflatten(0, (x.size(0), -1)).mT
        ),
    ],
    mistakes=[
        Mistake(
            _along_the_words,
            "Your mean and variance are taken along the words, so that a word depends on those after it. Take them "
            "along the D numbers of each word: axis 1 here.",
            classic="LayerNorm over the words",
        ),
        Mistake(
            _along((1, 2)),
            "One mean and one variance for the whole sentence: you took both axes. Each word has its own, "
            "along its D numbers.",
        ),
        Mistake(
            _along(0),
            "Your mean and variance are taken over the sentences of the batch, so that a sentence depends on its "
            "neighbours. Take them along the D numbers of each word: axis 1 here.",
        ),
        Mistake(
            _over_the_batch,
            "This is BatchNorm: each number's mean over all words of all sentences. Take mean and variance along the "
            "D numbers of each word: axis 1 here.",
            classic="BatchNorm in place of LayerNorm",
        ),
        Mistake(
            _by_one_less,
            "Your variance is divided by D − 1; `torch.var` and `torch.std` do that by default. LayerNorm's is the "
            "biased one, divided by D: `x.var(1, keepdim=True, correction=0)`.",
            classic="Variance by D − 1",
        ),
        Mistake(
            _unbiased_outside,
            "Two things: your variance is divided by D − 1 (LayerNorm: by D), and ε is added to the root "
            "(LayerNorm: inside the root, to the variance).",
        ),
        Mistake(
            _outside_the_root,
            "You add ε to the root. It stands inside: the root of (variance + ε).",
            classic="ε outside the root",
        ),
        Mistake(
            _divided_by(lambda variance, eps: variance.sqrt()),
            "ε is missing, so a word of equal numbers becomes 0 / 0. Add it to the variance, inside the root.",
        ),
        Mistake(
            _unbiased_without,
            "Two things: your variance is divided by D − 1 (LayerNorm: by D), and ε is missing, so a word of equal "
            "numbers becomes 0 / 0 (LayerNorm: inside the root, added to the variance).",
        ),
        Mistake(
            _divided_by(lambda variance, eps: (variance + 1e-5).sqrt()),
            "You take 0.00001 whatever `eps` is given. Take `eps`.",
        ),
        Mistake(
            _divided_by(lambda variance, eps: (variance + eps**2).sqrt()),
            "You add the square of ε to the variance. Add ε itself.",
        ),
        Mistake(
            _divided_by(lambda variance, eps: variance.clamp(min=eps).sqrt()),
            "You use ε as the smallest variance there may be. It is added to each variance, small or large.",
        ),
        Mistake(
            _divided_by(lambda variance, eps: variance + eps),
            "You divide by the variance. Divide by its root.",
        ),
        Mistake(
            _divided_by(lambda variance, eps: torch.ones_like(variance)),
            "The mean is away, but nothing is divided. Divide by the root of (variance + ε).",
        ),
        Mistake(
            _root_mean_square,
            "The mean is never taken away: this is RMSNorm, which some later models have. LayerNorm takes the mean "
            "away first, then divides.",
        ),
        Mistake(
            _not_centred,
            "Your variance is right, but what you divide still has its mean. Take the mean away from x, too.",
        ),
        Mistake(
            _mean_square,
            "You divide by the root of the mean of the squares of x itself. The variance is the mean of the squares of "
            "x minus its mean.",
        ),
        Mistake(
            _length,
            "You divide by the length of the word, the root of the *sum* of the squares. The variance is their mean.",
        ),
        Mistake(
            _ended_with(lambda normed, gain, bias: bias * normed + gain),
            "Gain and bias are swapped: you multiply by the bias and add the gain.",
        ),
        Mistake(
            _ended_with(lambda normed, gain, bias: normed),
            "The words are normalised; gain and bias are left out.",
        ),
        Mistake(
            _ended_with(lambda normed, gain, bias: gain * normed),
            "The bias is left out. Add it at the end.",
        ),
        Mistake(
            _ended_with(lambda normed, gain, bias: normed + bias),
            "The gain is left out. Multiply by it before you add the bias.",
        ),
        Mistake(
            _ended_with(lambda normed, gain, bias: gain * (normed + bias)),
            "You add the bias first, so that the gain multiplies it, too. Gain first, then bias.",
        ),
        Mistake(
            _ended_with(lambda normed, gain, bias: (1 + gain) * normed + bias),
            "You multiply by 1 + gain, as some later models do. Here the gain itself is the factor.",
        ),
        Mistake(
            _gain_first,
            "Gain and bias come before you normalise, which then takes most of it away again. Normalise first.",
        ),
        Mistake(
            _reshaped,
            "You make rows of the columns with `reshape` or `view`. That keeps the order of all numbers and cuts them "
            "anew, so each row holds numbers of several words. Swap the axes: `x.transpose(1, 2)`.",
        ),
        Mistake(
            lambda x, gain, bias, eps: _columns(x, gain, bias, eps).mT,
            "The numbers are right, and each word has become a row: (B, S, D). Wanted are columns again, (B, D, S).",
        ),
    ],
    hints=[
        "Which axis holds the D numbers of a word? In (B, D, S) it is axis 1. Mean and variance go along it.",
        "`x.mean(1, keepdim=True)` is (B, 1, S), one mean for each word, and broadcasts against x. "
        "The variance is the mean of the squares of what is left.",
        "Gain and bias are (D,). Broadcasting would lay them along the last axis, the words. `gain[:, None]` is "
        "(D, 1) and lies along the numbers.",
        "Or turn the words into rows with `x.transpose(1, 2)`, do as in the chapter along the last axis, "
        "and turn back.",
    ],
)

# ---- 8.3 A pile in either order.


class _Lambda:
    """A function that a check can show as the learner would write it."""

    def __init__(self, text: str, function: Callable):
        self.text, self.function = text, function

    def __call__(self, x):
        return self.function(x)

    def __deepcopy__(self, memo):
        return self  # as a function does, so that a copy of a list of them is equal to it

    def __repr__(self) -> str:
        return self.text


class _Module(nn.Module):
    def __init__(self, function: Callable):
        super().__init__()
        self.forward = function


def _block(x, f, norm, dropout, pre_norm):
    sublayer = Sublayer(1, pre_norm=pre_norm)
    sublayer.norm, sublayer.dropout = _Module(norm), _Module(dropout)
    return sublayer(x, f)


def _pile(x, parts, norms, dropout, pre_norm):
    for f, norm in zip(parts, norms, strict=False):
        x = _norm_and_add(x, f, norm, dropout) if pre_norm else norm(x + dropout(f(x)))
    return norms[-1](x) if pre_norm else x


def _norm_and_add(x, f, norm, dropout):
    """One block of pre-LN."""
    return x + dropout(f(norm(x)))


def _piled(post: Callable, pre: Callable = _norm_and_add, top: bool = True, post_top: bool = False) -> Callable:
    """A pile of other blocks: each gets x, the part, the norm and dropout."""

    def run(x, parts, norms, dropout, pre_norm):
        for f, norm in zip(parts, norms, strict=False):
            x = (pre if pre_norm else post)(x, f, norm, dropout)
        return norms[-1](x) if (pre_norm and top) or (post_top and not pre_norm) else x

    return run


def _add_and_norm(x, f, norm, dropout):
    return norm(x + dropout(f(x)))


def _from_the_bottom(x, parts, norms, dropout, pre_norm):
    y = x
    for f, norm in zip(parts, norms, strict=False):
        y = x + dropout(f(norm(y))) if pre_norm else norm(x + dropout(f(y)))
    return norms[-1](y) if pre_norm else y


def _side_by_side(x, parts, norms, dropout, pre_norm):
    y = x
    for f, norm in zip(parts, norms, strict=False):
        y = y + dropout(f(norm(x))) if pre_norm else norm(y + dropout(f(x)))
    return norms[-1](y) if pre_norm else y


def _one_norm(x, parts, norms, dropout, pre_norm):
    return _pile(x, parts, [norms[0]] * (len(parts) + 1), dropout, pre_norm)


def _last_norm_everywhere(x, parts, norms, dropout, pre_norm):
    return _pile(x, parts, [norms[-1]] * (len(parts) + 1), dropout, pre_norm)


def _downwards(x, parts, norms, dropout, pre_norm):
    return _pile(x, parts[::-1], norms[: len(parts)][::-1] + norms[len(parts) :], dropout, pre_norm)


def _only_the_last(x, parts, norms, dropout, pre_norm):
    end = len(parts) - 1
    return _pile(x, parts[end:], norms[end:], dropout, pre_norm)


def _only_the_first(x, parts, norms, dropout, pre_norm):
    return _pile(x, parts[:1], [norms[0], norms[-1]], dropout, pre_norm)


def _dropout_at_the_top(x, parts, norms, dropout, pre_norm):
    y = _pile(x, parts, norms, dropout, pre_norm)
    return dropout(y) if pre_norm else y


def _dropout_once(x, parts, norms, dropout, pre_norm):
    return _pile(dropout(x), parts, norms, lambda y: y, pre_norm)


def _pile_in_modules(x, parts, norms, dropout, pre_norm):
    for i, f in enumerate(parts):
        x = _block(x, f, norms[i], dropout, pre_norm)
    return norms[len(parts)](x) if pre_norm else x


def _pile_by_recursion(x, parts, norms, dropout, pre_norm):
    if not parts:
        return norms[0](x) if pre_norm else x
    x = _norm_and_add(x, parts[0], norms[0], dropout) if pre_norm else _add_and_norm(x, parts[0], norms[0], dropout)
    return _pile_by_recursion(x, parts[1:], norms[1:], dropout, pre_norm)


def _piles() -> list[tuple]:
    # Functions that do not commute, and that a learner can follow with a pencil.
    plus_1 = _Lambda("lambda x: x + 1", lambda x: x + 1)
    squared = _Lambda("lambda x: x**2", lambda x: x**2)
    turned = _Lambda("lambda x: x.flip(-1)", lambda x: x.flip(-1))
    half = _Lambda("lambda x: x / 2", lambda x: x / 2)
    minus_1 = _Lambda("lambda x: x - 1", lambda x: x - 1)
    third = _Lambda("lambda x: x / 3 + 1", lambda x: x / 3 + 1)
    tenfold = _Lambda("lambda x: 10 * x", lambda x: 10 * x)
    keep = _Lambda("lambda x: x", lambda x: x)
    every_second = _Lambda(
        "lambda x: x * (torch.arange(x.size(-1)) % 2 * 2)", lambda x: x * (torch.arange(x.size(-1)) % 2 * 2)
    )
    word, words = torch.tensor([[2.0, 4.0]]), torch.tensor([[1.0, -2.0, 0.5], [3.0, 0.0, 2.0]])
    return [
        (word, [plus_1], [half], keep, False),
        (word, [plus_1], [half, minus_1], keep, True),
        (word, [plus_1], [half], tenfold, False),
        (word, [plus_1], [half, minus_1], tenfold, True),
        (words, [plus_1, squared], [half, third], tenfold, False),
        (words, [plus_1, squared, turned], [half, minus_1, third, half], every_second, True),
        (words, [turned, squared, plus_1], [minus_1, half, third], every_second, False),
    ]


def _pile_in_steps(x, parts, norms, dropout, pre_norm):
    for f, norm in zip(parts, norms, strict=False):
        if pre_norm:
            x = x + dropout(f(norm(x)))
        else:
            x = norm(x + dropout(f(x)))
    return norms[-1](x) if pre_norm else x


def _no_way_around(x, parts, norms, dropout, pre_norm):
    for f, norm in zip(parts, norms, strict=False):
        if pre_norm:
            x = dropout(f(norm(x)))
        else:
            x = norm(dropout(f(x)))
    return norms[-1](x) if pre_norm else x


def _way_around_normed(x, parts, norms, dropout, pre_norm):
    for f, norm in zip(parts, norms, strict=False):
        if pre_norm:
            x = norm(x) + dropout(f(norm(x)))
        else:
            x = norm(x + dropout(f(x)))
    return norms[-1](x) if pre_norm else x


def _part_normed(x, parts, norms, dropout, pre_norm):
    for f, norm in zip(parts, norms, strict=False):
        if pre_norm:
            x = x + norm(dropout(f(x)))
        else:
            x = x + norm(dropout(f(x)))
    return norms[-1](x) if pre_norm else x


def _no_norm_at_the_top(x, parts, norms, dropout, pre_norm):
    for f, norm in zip(parts, norms, strict=False):
        if pre_norm:
            x = x + dropout(f(norm(x)))
        else:
            x = norm(x + dropout(f(x)))
    return x


PILE = Exercise(
    number="8.3",
    name="run_pile",
    right=_pile,
    inputs=_piles,
    also_right=[
        _pile_in_steps,
        _pile_in_modules,
        _pile_by_recursion,
        lambda x, parts, norms, dropout, pre_norm: _pile(x.float(), parts, norms, dropout, pre_norm),
        lambda x, parts, norms, dropout, pre_norm: _pile(x, parts, norms, dropout, pre_norm).numpy(),
    ],
    mistakes=[
        Mistake(
            lambda x, parts, norms, dropout, pre_norm: _piled(
                lambda x, f, norm, dropout: x + dropout(f(norm(x))), _add_and_norm, top=False
            )(x, parts, norms, dropout, pre_norm),
            "You have the two orders swapped: where pre-LN is asked for you do post-LN, and the other way round. "
            "Post-LN: norm(x + f(x)). Pre-LN: x + f(norm(x)).",
        ),
        Mistake(
            _piled(_norm_and_add),
            "You do pre-LN in both cases. When `pre_norm` is False, the norm comes after the sum: norm(x + f(x)).",
        ),
        Mistake(
            _piled(_add_and_norm, _add_and_norm, top=False),
            "You do post-LN in both cases. When `pre_norm` is True, the norm comes before the part: x + f(norm(x)), "
            "and one more at the top.",
        ),
        Mistake(
            _piled(lambda x, f, norm, dropout: norm(x) + dropout(f(norm(x))), _norm_and_add),
            "Your post-LN is norm(x) + f(norm(x)). It is norm(x + f(x)): the part gets x as it is, and the sum is "
            "normalised.",
        ),
        Mistake(
            _way_around_normed,
            "Your pre-LN is norm(x) + f(norm(x)): the way around goes through the norm, too. It is x + f(norm(x)).",
            classic="norm(x) + f(norm(x))",
        ),
        Mistake(
            _piled(lambda x, f, norm, dropout: norm(x + dropout(f(norm(x)))), _norm_and_add),
            "Your post-LN has a norm too many: norm(x + f(norm(x))). In post-LN the part gets x as it is.",
        ),
        Mistake(
            _piled(_add_and_norm, lambda x, f, norm, dropout: norm(x + dropout(f(norm(x))))),
            "Your pre-LN has a norm too many: norm(x + f(norm(x))). In pre-LN the sum stays as it is.",
        ),
        Mistake(
            _piled(lambda x, f, norm, dropout: x + norm(dropout(f(x))), _norm_and_add),
            "Your post-LN is x + norm(f(x)): you normalise what the part gives. Normalise the sum, norm(x + f(x)).",
        ),
        Mistake(
            _piled(_add_and_norm, lambda x, f, norm, dropout: x + norm(dropout(f(x)))),
            "Your pre-LN is x + norm(f(x)): you normalise what the part gives. Normalise what it gets, x + f(norm(x)).",
        ),
        Mistake(
            _piled(lambda x, f, norm, dropout: norm(x) + dropout(f(x)), _norm_and_add),
            "Your post-LN is norm(x) + f(x). The norm goes around the whole sum: norm(x + f(x)).",
        ),
        Mistake(
            _piled(_add_and_norm, lambda x, f, norm, dropout: norm(x) + dropout(f(x))),
            "Your pre-LN is norm(x) + f(x): the norm stands on the wrong way. It belongs before f: x + f(norm(x)).",
        ),
        Mistake(
            _no_way_around,
            "The way around is missing: x itself is never added to what the part gives.",
            classic="No way around the part",
        ),
        Mistake(
            _piled(lambda x, f, norm, dropout: x + dropout(f(x)), lambda x, f, norm, dropout: x + dropout(f(x))),
            "The blocks have no norm. Post-LN: norm(x + f(x)). Pre-LN: x + f(norm(x)).",
        ),
        Mistake(
            _piled(lambda x, f, norm, dropout: norm(dropout(x + f(x))), lambda x, f, norm, d: d(x + f(norm(x)))),
            "Dropout goes over the whole sum, and so over the way around. It belongs to what the part gives, before "
            "it is added.",
        ),
        Mistake(
            _piled(lambda x, f, norm, dropout: norm(dropout(x + f(x))), _norm_and_add),
            "In post-LN your dropout goes over the whole sum, and so over the way around. It belongs to what the part "
            "gives, before it is added.",
        ),
        Mistake(
            _piled(_add_and_norm, lambda x, f, norm, dropout: dropout(x + f(norm(x)))),
            "In pre-LN your dropout goes over the whole sum, and so over the way around. It belongs to what the part "
            "gives, before it is added.",
        ),
        Mistake(
            _dropout_at_the_top,
            "In pre-LN you drop numbers once more at the very top. Dropout belongs to what the parts give.",
        ),
        Mistake(
            _dropout_once,
            "You apply dropout once, to what the whole pile gets. It is applied in each block, to what the part gives.",
        ),
        Mistake(
            _part_normed,
            "In both orders you do x + norm(f(x)): you normalise what the part gives. Post-LN: norm(x + f(x)). "
            "Pre-LN: x + f(norm(x)).",
            classic="x + norm(f(x))",
        ),
        Mistake(
            _piled(lambda x, f, norm, dropout: dropout(norm(x + f(x))), _norm_and_add),
            "In post-LN you drop numbers after the norm. Dropout belongs to what the part gives, before it is added.",
        ),
        Mistake(
            _piled(lambda x, f, norm, dropout: norm(x + f(dropout(x))), lambda x, f, n, d: x + f(d(n(x)))),
            "Dropout is applied to what the part gets. It belongs to what the part gives, before it is added.",
        ),
        Mistake(
            _piled(lambda x, f, norm, dropout: norm(x + f(x)), lambda x, f, norm, dropout: x + f(norm(x))),
            "`dropout` is never called. It is applied to what the part gives, before it is added.",
        ),
        Mistake(
            _no_norm_at_the_top,
            "The norm at the top of pre-LN is missing: its sum leaves the pile as large as it has become. "
            "`norms` has one more for that.",
            classic="Pre-LN without the norm at the top",
        ),
        Mistake(
            _piled(_add_and_norm, post_top=True),
            "Your post-LN is normalised once more at the top. Its last block ends in a norm already.",
        ),
        Mistake(
            _one_norm,
            "Each block takes the first norm. Each has its own, in the order of the list.",
        ),
        Mistake(
            _last_norm_everywhere,
            "Each block takes the last norm. Each has its own, in the order of the list.",
        ),
        Mistake(
            _from_the_bottom,
            "Each of your blocks adds the x from the very bottom. A block adds what *it* got: what the block below it "
            "gave.",
        ),
        Mistake(
            _side_by_side,
            "All your parts read the x from the very bottom. A part reads what the block below it gave.",
        ),
        Mistake(
            _downwards,
            "You begin with the last block of the list. The first one is at the bottom, and x comes to it first.",
        ),
        Mistake(
            _only_the_first,
            "What comes out is that of the first block alone. Does your `return` stand inside the loop? All blocks "
            "come first.",
        ),
        Mistake(
            _only_the_last,
            "What your blocks give is not handed on: the result is that of the last block alone. Put what a block "
            "gives into `x` again.",
        ),
    ],
    hints=[
        "Write one block first. Post-LN: norm(x + dropout(f(x))). Pre-LN: x + dropout(f(norm(x))).",
        "Then a loop over parts and norms, `zip(parts, norms)`, that puts what a block gives into `x` again. zip ends "
        "with the shorter list, so the norm for the top is left over.",
        "After the loop: in pre-LN give `norms[-1](x)`, in post-LN `x`.",
    ],
)

# ---- 8.4 The way down: y = x + relu(x W_1) W_2.


def _through(g, x, W_1, W_2):
    """What comes back through the part."""
    return ((g @ W_2.T) * (x @ W_1 > 0)) @ W_1.T


def _below(g, x, W_1, W_2):
    return g + _through(g, x, W_1, W_2)


def _below_by_autograd(g, x, W_1, W_2):
    x = x.clone().requires_grad_()
    (x + (x @ W_1).relu() @ W_2).backward(g)
    return x.grad


def _below_by_jacobian(g, x, W_1, W_2):
    rows = []
    for gradient, word in zip(g, x, strict=True):
        on = (word @ W_1 > 0).to(W_1).diag()
        rows.append(gradient @ (torch.eye(len(word)).to(W_1) + (W_1 @ on @ W_2).T))
    return torch.stack(rows)


def _below_in_loops(g, x, W_1, W_2):
    rows = []
    for gradient, word in zip(g, x, strict=True):
        row = gradient.tolist()
        for j in range(W_1.size(1)):
            if float(word @ W_1[:, j]) > 0:
                back = float(gradient @ W_2[j])
                row = [r + back * float(w) for r, w in zip(row, W_1[:, j], strict=True)]
        rows.append(row)
    return rows


def _ways_down() -> list[tuple]:
    # No x W_1 is 0, where ReLU has no slope.
    return [
        (
            torch.tensor([[1.0, 2.0]]),
            torch.tensor([[3.0, 1.0]]),
            torch.tensor([[1.0], [-1.0]]),
            torch.tensor([[4.0, 1.0]]),
        ),
        (
            torch.tensor([[1.0, -2.0], [3.0, 1.0], [0.5, 0.5]]),
            torch.tensor([[1.0, 0.5], [-2.0, 0.5], [0.2, -1.0]]),
            torch.tensor([[1.0, -1.0, 2.0, 0.5], [2.0, 1.0, -1.0, -3.0]]),
            torch.tensor([[0.5, 1.0], [-1.0, 2.0], [3.0, 1.0], [1.0, -2.0]]),
        ),
        (
            torch.arange(6.0).reshape(2, 3) - 2,
            torch.tensor([[1.0, 0.5, -0.8], [2.0, -1.0, 0.3]]),
            (torch.arange(15.0) ** 2 % 7).reshape(3, 5) - 3,
            (torch.arange(15.0) ** 2 % 5).reshape(5, 3) - 1.5,
        ),
    ]


WAY_DOWN = Exercise(
    number="8.4",
    name="gradient_below",
    right=_below,
    inputs=_ways_down,
    also_right=[
        _below_by_autograd,
        _below_by_jacobian,
        _below_in_loops,
        lambda g, x, W_1, W_2: g + ((g @ W_2.T) * (x @ W_1 >= 0)) @ W_1.T,  # at 0 itself there is no slope
        lambda g, x, W_1, W_2: _below(g.float(), x.float(), W_1.float(), W_2.float()),
        lambda g, x, W_1, W_2: (
            g + torch.einsum("sd,fd,sf,ef->se", g, W_2, torch.heaviside(x @ W_1, x.new_zeros(())), W_1)
        ),
    ],
    mistakes=[
        Mistake(
            _through,
            "This is what comes back through the part alone. The way around brings g itself down, unchanged: add it.",
        ),
        Mistake(
            lambda g, x, W_1, W_2: g.clone(),
            "This is what comes down the way around alone. Something comes back through the part, too: add it.",
        ),
        Mistake(
            lambda g, x, W_1, W_2: g + g @ W_2.T @ W_1.T,
            "The ReLU is missing. Where x W_1 is not above 0, nothing goes up, and so no gradient comes down.",
        ),
        Mistake(
            lambda g, x, W_1, W_2: g + (g @ W_2.T).relu() @ W_1.T,
            "You let the gradient through where the *gradient* is above 0. It passes where x W_1 is above 0.",
        ),
        Mistake(
            lambda g, x, W_1, W_2: g + ((g @ W_2.T) * (x @ W_1).relu()) @ W_1.T,
            "You multiply by the hidden numbers themselves. The slope of ReLU is 1 where its input is above 0, and 0 "
            "elsewhere.",
        ),
        Mistake(
            lambda g, x, W_1, W_2: g + ((g @ W_2.T) * (x @ W_1 < 0)) @ W_1.T,
            "You let the gradient through where x W_1 is below 0. It passes where it is above 0.",
        ),
        Mistake(
            lambda g, x, W_1, W_2: g + g @ W_2.T @ W_1.T * (x > 0),
            "You let the gradient through where x is above 0. ReLU gets x W_1, so it passes where *that* is above 0.",
        ),
        Mistake(
            lambda g, x, W_1, W_2: g + ((g @ W_1) * (x @ W_1 > 0)) @ W_2,
            "You send the gradient up, through W_1 and then W_2. It comes down: first through W_2, then through W_1, "
            "both transposed.",
        ),
        Mistake(
            lambda g, x, W_1, W_2: x + _through(g, x, W_1, W_2),
            "You add x. What comes down the way around is the gradient g.",
        ),
        Mistake(
            lambda g, x, W_1, W_2: x + (x @ W_1).relu() @ W_2,
            "This is y, what the block gives. Wanted is the gradient that comes down.",
        ),
        Mistake(
            lambda g, x, W_1, W_2: g * _through(g, x, W_1, W_2),
            "You multiply what comes down the two ways. They are added, as the two terms were on the way up.",
        ),
        Mistake(
            lambda g, x, W_1, W_2: g - _through(g, x, W_1, W_2),
            "You take away what comes back through the part. On the way up it was added, and so it is on the way down.",
        ),
        Mistake(
            lambda g, x, W_1, W_2: g + _through(torch.ones_like(g), x, W_1, W_2),
            "What comes back through your part does not depend on g. Begin at the top with g: g W_2ᵀ.",
        ),
        Mistake(
            lambda g, x, W_1, W_2: (g + _through(g, x, W_1, W_2)) / 2,
            "You take the mean of the two ways. They are added: the gradient of a sum goes to both terms in full.",
        ),
    ],
    hints=[
        "y is a sum, so there are two ways down, and what comes down them is added. On the one it is g itself.",
        "Through a product x W the gradient comes down as g Wᵀ. So from y to the hidden numbers it is g W_2ᵀ, (S, F).",
        "ReLU lets it pass where its input, x W_1, was above 0: multiply by `(x @ W_1 > 0)`. Then down through W_1.",
        "`g + ((g @ W_2.T) * (x @ W_1 > 0)) @ W_1.T`, with the parts under names of your own.",
    ],
)

EXERCISES: list[Exercise] = [ADD_AND_NORM, COLUMNS, PILE, WAY_DOWN]
