"""The exercises of chapter 13: drawing on paper, log-softmax, temperature with top-k and top-p, the next words."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tfmlib.decoding import next_word_probabilities

from .exercise import Exercise, Mistake

# ---- 13.1 Draw on paper: logits ln 1, ln 2, ln 3, ln 4; the temperature 1/2, then top-p with 0.8.


def _shares(*exps: float) -> list[float]:
    return [e / sum(exps) for e in exps]


PAPER = Exercise(
    number="13.1",
    name="answer",
    right=[0, 0, 9 / 25, 16 / 25],
    also_right=[
        (0, 0, 0.36, 0.64),
        [0.0, 0.0, Fraction(9, 25), Fraction(16, 25)],
        torch.tensor([0, 0, 9, 16]) / 25,
        np.array([0, 0, 0.36, 0.64]),
    ],
    mistakes=[
        Mistake(
            _shares(1, 4, 9, 16),
            "The temperature is right. These are the probabilities before top-p: now keep the fewest words that "
            "together have at least 0.8, and divide by their sum.",
        ),
        Mistake(
            [0, 0, 9 / 30, 16 / 30],
            "The right words are left, but what is left sums to 25/30. Divide it by its sum.",
        ),
        Mistake(
            [0, 0, 0, 1],
            "You left out the word with which the sum crosses 0.8. The best alone has 16/30, which is not enough, so "
            "the next one stays in.",
        ),
        Mistake(
            _shares(0, 2, 3, 4),
            "You left the temperature out, or divided the probabilities by it, which cancels. Divide the logits: with "
            "1/2 they are twice as large, and the exponentials are squared.",
        ),
        Mistake(
            _shares(0, 4, 9, 16),
            "You cut before the temperature, where three words are needed for 0.8. First the temperature, then top-p.",
        ),
        Mistake(
            _shares(1, 2, 3, 4),
            "These are the probabilities at a temperature of 1, before any cut. Divide the logits by 1/2 first.",
        ),
        Mistake(
            _shares(0, math.sqrt(2), math.sqrt(3), 2),
            "You multiplied the logits by the temperature. Divide by 1/2, which doubles them: the best words gain.",
        ),
        Mistake(
            _shares(1, math.sqrt(2), math.sqrt(3), 2),
            "You multiplied the logits by the temperature, and cut nothing off. Divide by 1/2, then cut.",
        ),
        Mistake(
            _shares(0, 2 * math.log(2), 2 * math.log(3), 2 * math.log(4)),
            "You took the logits themselves as shares. Take the exponential of each first: it undoes the logarithm.",
        ),
        Mistake(
            _shares(1, 4, 0, 0),
            "You kept the worst words. Top-p goes from the best down.",
        ),
        Mistake(
            [16 / 25, 9 / 25, 0, 0],
            "These are the right numbers in the order of the sort, the best first. Put them back to their words: the "
            "logit ln 4 belongs to the last one.",
        ),
        Mistake(
            [0, 0, 9, 16],
            "These are the exponentials of the words that stay. Divide them by their sum.",
        ),
        Mistake(
            [0, 0, 3 / 7, 4 / 7],
            "The right words are left, but their probabilities are those without the temperature. Keep the ones with "
            "it: the exponentials are 9 and 16.",
        ),
        Mistake(
            [0, 0, 0.5, 0.5],
            "You gave the words that stay the same share. Each keeps its own, divided by the sum.",
        ),
    ],
    hints=[
        "Divide the logits by 1/2. Twice ln 3 is ln 9.",
        "The exponentials are 1, 4, 9 and 16, their sum 30. How many from the best down are needed for 0.8?",
        "16/30 is 0.53, (16 + 9)/30 is 0.83. So two words stay. Divide 9 and 16 by their sum.",
    ],
)

# ---- 13.2 A logarithm of the softmax that loses nothing.


def _log_softmax(logits: torch.Tensor) -> torch.Tensor:
    return logits.log_softmax(-1)


def _by_hand(logits: torch.Tensor) -> torch.Tensor:
    below = logits - logits.amax(-1, keepdim=True)
    return below - below.exp().sum(-1, keepdim=True).log()


def _in_numpy(logits: torch.Tensor) -> np.ndarray:
    z = logits.numpy()
    m = z.max(-1, keepdims=True)
    return z - m - np.log(np.exp(z - m).sum(-1, keepdims=True))


def _in_loops(logits: torch.Tensor) -> torch.Tensor:
    rows = []
    for row in logits.reshape(-1, logits.size(-1)).tolist():
        total = sum(math.exp(z - max(row)) for z in row)
        rows.append([z - max(row) - math.log(total) for z in row])
    return torch.tensor(rows).reshape(logits.shape)


def _log_of_softmax(logits):
    return logits.softmax(-1).log()


def _softmax_twice(logits):
    return logits.softmax(-1).log_softmax(-1)


def _softmax_over_the_wrong_axis(logits):
    return logits.log_softmax(0)


def _small_number_before_the_log(logits):
    return (logits.softmax(-1) + 1e-9).log()


_SMALL = (
    "You add a small number to the probabilities, or cut them off at one, so that the logarithm finds no 0. Then there "
    "is no −inf, and every word far below"
)
_EPS, _TINY, _TINY_32 = torch.finfo(torch.float64).eps, torch.finfo(torch.float64).tiny, torch.finfo(torch.float32).tiny
_NEVER = "Never make the probabilities: logit minus log-sum-exp."


def _before_the_log(small: float) -> Callable:
    return lambda logits: (logits.softmax(-1) + small).log()


def _subtract(logits: torch.Tensor, what: Callable) -> torch.Tensor:
    """Less what is taken away, and then the logarithm of the sum, as it comes."""
    below = logits - what(logits)
    return below - below.exp().sum(-1, keepdim=True).log()


def _mean(logits: torch.Tensor) -> torch.Tensor:
    return logits.mean(-1, keepdim=True)


def _largest(logits: torch.Tensor) -> torch.Tensor:
    return logits.amax(-1, keepdim=True)


def _below(logits: torch.Tensor) -> torch.Tensor:
    return logits - _largest(logits)


def _logits() -> list[tuple]:
    random = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(13), dtype=torch.float64).mul(8).round() / 4
    return [
        (torch.tensor([0.0, 0.0]),),
        (torch.tensor([1.0, 3.0, 0.0]),),
        (torch.tensor([[1.0, 3.0], [0.0, -1.0], [2.0, 0.5]]),),
        (random,),
        (torch.tensor([1000.0, 999.0]),),
        (torch.tensor([[-1000.0, -1001.0], [1000.0, 998.0]]),),
        (torch.tensor([1000.0, 999.0, -1000.0, -1000.5]),),
    ]


LOG_SOFTMAX = Exercise(
    number="13.2",
    name="log_softmax",
    right=_log_softmax,
    inputs=_logits,
    also_right=[
        _by_hand,
        _in_numpy,
        _in_loops,
        lambda logits: logits - logits.logsumexp(-1, keepdim=True),
        lambda logits: nn.LogSoftmax(-1)(logits),
        lambda logits: logits.float().log_softmax(-1),
        lambda logits: -(logits[..., None, :] - logits[..., :, None]).logsumexp(-1),
    ],
    mistakes=[
        Mistake(
            _log_of_softmax,
            "It is right as long as the logits are close. The softmax of a word far below the best underflows to 0, "
            "and the logarithm of 0 is −inf. Never make the probabilities: logit minus log-sum-exp.",
            classic="Logarithm of a softmax",
        ),
        Mistake(
            lambda logits: (logits.exp() / logits.exp().sum(-1, keepdim=True)).log(),
            "It is right for small logits. The exponential of a large one is inf, and inf / inf is NaN. Take the "
            "largest of each row away first, and never make the probabilities: logit minus log-sum-exp.",
        ),
        Mistake(
            lambda logits: (logits.exp() / logits.exp().sum()).log(),
            "You divide by the sum of the whole tensor, and each row has its own. And the exponential of a large logit "
            "is inf: never make the probabilities, but logit minus log-sum-exp.",
        ),
        Mistake(
            lambda logits: logits - logits.exp().sum(-1, keepdim=True).log(),
            "The formula is right, but `exp` of a large logit is inf, and of very small ones 0. Take the largest of "
            "each row out of the sum first, and add it again after the logarithm.",
        ),
        Mistake(
            lambda logits: _subtract(logits, lambda z: z.max()),
            "You take the largest number of the whole tensor away. A row that lies far below it has nothing but zeros "
            "in its sum, and the logarithm of 0 is −inf. Take the largest of each row: `amax(-1, keepdim=True)`.",
        ),
        Mistake(
            lambda logits: _subtract(logits, _mean),
            "You take the mean away. The largest can still lie far above it, and overflows. Take the largest.",
        ),
        Mistake(
            lambda logits: logits - (logits - _largest(logits)).exp().sum(-1, keepdim=True).log(),
            "You took the largest out of the sum and did not put it back. Log-sum-exp is the largest plus the "
            "logarithm of the sum, and all of it is subtracted.",
        ),
        Mistake(
            _small_number_before_the_log,
            f"{_SMALL} gets the same −20.7 or so. {_NEVER}",
            classic="A small number that hides −∞",
        ),
        *(
            Mistake(_before_the_log(small), f"{_SMALL} gets the same −{-math.log(small):.1f} or so. {_NEVER}")
            for small in (1e-6, 1e-7, 1e-8, 1e-10, 1e-12, 1e-15, _EPS, 1e-20, 1e-30, _TINY_32, _TINY)
        ),
        *(
            Mistake(
                answer,
                f"You replace −inf by a large negative number. Then there is no −inf, and every word far below gets "
                f"the same wrong number. {_NEVER}",
            )
            for answer in (
                lambda logits: logits.softmax(-1).log().nan_to_num(),
                lambda logits: logits.softmax(-1).log().clamp(min=-1e9),
            )
        ),
        Mistake(
            lambda logits: logits.softmax(-1).log().nan_to_num(0, neginf=0),
            "You replace −inf by 0, which says that the word is certain. Never make the probabilities: logit minus "
            "log-sum-exp.",
        ),
        Mistake(
            _softmax_over_the_wrong_axis,
            "Your softmax goes along axis 0, so the words of one place compete with those of others. It goes along "
            "the words, the last axis: −1.",
        ),
        Mistake(
            lambda logits: logits.log_softmax(-2 if logits.dim() > 1 else -1),
            "Your softmax goes along the last axis but one. The words are the last axis: −1.",
        ),
        Mistake(
            lambda logits: logits.flatten().log_softmax(0).view_as(logits),
            "All numbers of the tensor share one softmax. Each row has one of its own: `sum(-1, keepdim=True)`.",
        ),
        Mistake(
            _softmax_twice,
            "You take the softmax twice: once by hand and once in the log-softmax. Nothing crashes, and all words "
            "become nearly alike. The second one wants logits.",
        ),
        Mistake(
            lambda logits: logits.softmax(-1),
            "These are the probabilities. Wanted are their logarithms, which are 0 or below.",
        ),
        Mistake(
            lambda logits: -logits.log_softmax(-1),
            "The sign is turned: you give the surprise, −log p. The logarithm of a probability is 0 or below.",
        ),
        Mistake(
            lambda logits: logits.log_softmax(-1) / math.log(2),
            "Your logarithms have the base 2. Wanted are natural ones, `log`.",
        ),
        Mistake(
            lambda logits: logits - _largest(logits),
            "You took the largest away and no more. What is still missing is the logarithm of the sum of the "
            "exponentials of what you have.",
        ),
        Mistake(
            lambda logits: _below(logits).exp().log(),
            "You take the largest away, then the exponential, then the logarithm, and are where you were. What is "
            "missing is the sum: subtract the logarithm of the sum of the exponentials.",
        ),
        *(
            Mistake(answer, "You take the mean of the exponentials. The softmax divides by their sum.")
            for answer in (
                lambda logits: logits - logits.exp().mean(-1, keepdim=True).log(),
                lambda logits: _below(logits) - _below(logits).exp().mean(-1, keepdim=True).log(),
            )
        ),
        *(
            Mistake(answer, "You add the logarithm of the sum. Log p is the logit *minus* log-sum-exp.")
            for answer in (
                lambda logits: logits + logits.logsumexp(-1, keepdim=True),
                lambda logits: _below(logits) + _below(logits).exp().sum(-1, keepdim=True).log(),
            )
        ),
        Mistake(
            lambda logits: _subtract(logits, lambda z: z.amax(0)),
            "You take the largest along axis 0, which is another one for each word of a row. Each row has one for all "
            "its words: `amax(-1, keepdim=True)`.",
        ),
        Mistake(
            lambda logits: logits - logits.sum(-1, keepdim=True).log(),
            "You take the logarithm of the sum of the logits. The sum is that of their exponentials.",
        ),
        Mistake(
            lambda logits: logits - logits.logsumexp(-1, keepdim=True).exp(),
            "You subtract the sum of the exponentials. Subtract its logarithm.",
        ),
        Mistake(
            lambda logits: (logits - logits.amax(-1)) - (logits - logits.amax(-1)).exp().sum(-1).log(),
            "Your largest and your sum have lost their axis, so that broadcasting lays them along another one, or the "
            "shapes do not fit. Keep it: `amax(-1, keepdim=True)` and `sum(-1, keepdim=True)`.",
        ),
        Mistake(
            lambda logits: logits - _largest(logits) - (logits - _largest(logits)).exp().sum(-1).log(),
            "Your sum has lost its axis, so that broadcasting lays it along another one, or the shapes do not fit. "
            "Keep it: `sum(-1, keepdim=True)`.",
        ),
        Mistake(
            lambda logits: logits.logsumexp(-1, keepdim=True),
            "This is log-sum-exp, one number a row. Subtract it from each logit of the row.",
        ),
    ],
    hints=[
        "The logarithm of a quotient is a difference: log p = z − log Σ exp(z). So no probability is needed.",
        "So that no exponential overflows, take the largest m of the row out: log Σ exp(z) = m + log Σ exp(z − m).",
        "With `below = logits - logits.amax(-1, keepdim=True)` the m cancels. What is left is `below` minus the "
        "logarithm of the sum of `below.exp()` along the last axis, its axis kept.",
    ],
)

# ---- 13.3 Temperature, top-k, top-p.


def _right_filter(logits, temperature, top_k, top_p):
    logits = logits / temperature
    worst = logits.topk(top_k).values[:, -1:]
    logits = logits.masked_fill(logits < worst, -math.inf)
    p, words = logits.softmax(-1).sort(descending=True)
    p = p.masked_fill(p.cumsum(-1) - p >= top_p, 0)
    p = p / p.sum(-1, keepdim=True)
    return torch.zeros_like(p).scatter(-1, words, p)


def _temperature_multiplied(logits, temperature, top_k, top_p):
    logits = logits * temperature
    worst = logits.topk(top_k).values[:, -1:]
    logits = logits.masked_fill(logits < worst, -math.inf)
    p, words = logits.softmax(-1).sort(descending=True)
    p = p.masked_fill(p.cumsum(-1) - p >= top_p, 0)
    p = p / p.sum(-1, keepdim=True)
    return torch.zeros_like(p).scatter(-1, words, p)


def _crossing_word_left_out(logits, temperature, top_k, top_p):
    logits = logits / temperature
    worst = logits.topk(top_k).values[:, -1:]
    logits = logits.masked_fill(logits < worst, -math.inf)
    p, words = logits.softmax(-1).sort(descending=True)
    p = p.masked_fill(p.cumsum(-1) > top_p + 1e-9, 0)
    p = p / p.sum(-1, keepdim=True)
    return torch.zeros_like(p).scatter(-1, words, p)


def _not_divided_by_the_sum(logits, temperature, top_k, top_p):
    logits = logits / temperature
    worst = logits.topk(top_k).values[:, -1:]
    logits = logits.masked_fill(logits < worst, -math.inf)
    p, words = logits.softmax(-1).sort(descending=True)
    p = p.masked_fill(p.cumsum(-1) - p >= top_p, 0)
    return torch.zeros_like(p).scatter(-1, words, p)


def _top_k_with_zeros(logits, temperature, top_k, top_p):
    logits = logits / temperature
    worst = logits.topk(top_k).values[:, -1:]
    logits = logits.masked_fill(logits < worst, 0)
    p, words = logits.softmax(-1).sort(descending=True)
    p = p.masked_fill(p.cumsum(-1) - p >= top_p, 0)
    p = p / p.sum(-1, keepdim=True)
    return torch.zeros_like(p).scatter(-1, words, p)


def _in_python(logits, temperature, top_k, top_p) -> list[list[float]]:
    rows = []
    for row in logits.tolist():
        exps = [math.exp((z - max(row)) / temperature) for z in row]
        order = sorted(range(len(row)), key=lambda i: -row[i])[:top_k]
        total, sum_so_far, kept = sum(exps[i] for i in order), 0.0, []
        for i in order:
            kept.append(i)
            sum_so_far += exps[i] / total
            if sum_so_far >= top_p - 1e-12:
                break
        left = sum(exps[i] for i in kept)
        rows.append([exps[i] / left if i in kept else 0.0 for i in range(len(row))])
    return rows


def _by_masks(logits, temperature, top_k, top_p) -> torch.Tensor:
    """Without a sort: a word stays while those that are better have less than p."""
    p = (logits / temperature).softmax(-1)  # (B, V)
    better = p[:, None, :] > p[:, :, None]  # (B, V, V): the second axis is the word, the last those that are better
    p = p.masked_fill(better.sum(-1) >= top_k, 0.0)
    p = p / p.sum(-1, keepdim=True)
    before = (better * p[:, None, :]).sum(-1)  # (B, V)
    p = p.masked_fill(before >= top_p - 1e-12, 0.0) if top_p < 1 else p
    return p / p.sum(-1, keepdim=True)


def _without_temperature(logits, temperature, top_k, top_p):
    return _right_filter(logits, 1.0, top_k, top_p)


def _divided_by_no_sum(logits, temperature, top_k, top_p):
    """The probabilities among all words, where the cut leaves them."""
    return (logits / temperature).softmax(-1) * (_right_filter(logits, temperature, top_k, top_p) > 0)


def _crossing_word_left_out_but_the_best(logits, temperature, top_k, top_p):
    p, words = _right_filter(logits, temperature, top_k, 1.0).sort(descending=True)
    out = p.cumsum(-1) > top_p + 1e-9
    out[:, 0] = False
    p = p.masked_fill(out, 0)
    return torch.zeros_like(p).scatter(-1, words, p / p.sum(-1, keepdim=True))


def _zero_in_place_of_minus_infinity(logits, temperature, top_k, top_p):
    out = _right_filter(logits, temperature, top_k, top_p) == 0
    return (logits / temperature).masked_fill(out, 0.0).softmax(-1)


def _not_put_back(logits, temperature, top_k, top_p):
    return _right_filter(logits, temperature, top_k, top_p).sort(dim=-1, descending=True).values


def _sums_below_top_p(logits, temperature, top_k, top_p):
    p, words = _right_filter(logits, temperature, top_k, 1.0).sort(descending=True)
    p = p.masked_fill(p.cumsum(-1) >= top_p, 0)
    return torch.zeros_like(p).scatter(-1, words, p / p.sum(-1, keepdim=True))


def _top_p_turned_round(logits, temperature, top_k, top_p):
    p, words = _right_filter(logits, temperature, top_k, 1.0).sort(descending=True)
    p = p.masked_fill(p.cumsum(-1) - p < top_p, 0)
    return torch.zeros_like(p).scatter(-1, words, p / p.sum(-1, keepdim=True))


def _top_k_without_the_last(logits, temperature, top_k, top_p):
    worst = logits.topk(top_k).values[:, -1:]
    return _right_filter(logits.masked_fill(logits <= worst, -math.inf), temperature, logits.size(-1), top_p)


def _put_back_by_gather(logits, temperature, top_k, top_p):
    logits = logits / temperature
    worst = logits.topk(top_k).values[:, -1:]
    logits = logits.masked_fill(logits < worst, -math.inf)
    p, words = logits.softmax(-1).sort(descending=True)
    p = p.masked_fill(p.cumsum(-1) - p >= top_p, 0)
    p = p / p.sum(-1, keepdim=True)
    return p.gather(-1, words)


def _top_p_of_the_worst(logits, temperature, top_k, top_p):
    z = logits / temperature
    z = z.masked_fill(z < z.topk(top_k).values[:, -1:], -math.inf)
    p, words = z.softmax(-1).sort(dim=-1, stable=True)
    p = p.masked_fill(p.cumsum(-1) - p >= top_p, 0.0)
    return torch.zeros_like(p).scatter(-1, words, p / p.sum(-1, keepdim=True))


def _top_p_first(logits, temperature, top_k, top_p):
    p = _right_filter(logits, temperature, logits.size(-1), top_p)
    return _right_filter(p.log(), 1.0, top_k, 1.0)


def _top_p_as_a_threshold(logits, temperature, top_k, top_p):
    p = _right_filter(logits, temperature, top_k, 1.0)
    p = p.masked_fill(p < 1 - top_p, 0.0)
    return p / p.sum(-1, keepdim=True)


def _top_p_without_temperature(logits, temperature, top_k, top_p):
    kept = _right_filter(logits, 1.0, top_k, top_p) > 0
    p = (logits / temperature).softmax(-1) * kept
    return p / p.sum(-1, keepdim=True)


def _temperature_last(logits, temperature, top_k, top_p):
    p = _right_filter(logits, 1.0, top_k, top_p).pow(temperature)
    return p / p.sum(-1, keepdim=True)


def _softmax_of_probabilities(logits, temperature, top_k, top_p):
    p = _divided_by_no_sum(logits, temperature, top_k, top_p)
    return p.masked_fill(p == 0, -math.inf).softmax(-1)


def _best_of_the_whole_batch(logits, temperature, top_k, top_p):
    z = logits / temperature
    z = z.masked_fill(z < z.flatten().topk(top_k).values[-1], -math.inf)
    return _right_filter(z, 1.0, z.size(-1), top_p)


def _rows_to_draw_from() -> list[tuple]:
    rows = [[2.0, -1.0, 0.5, 3.0, 1.0], [0.25, 1.5, -2.0, 0.0, 0.75], [-3.0, -1.0, -4.0, -2.0, -2.5]]
    many = torch.tensor(rows)  # (3, 5)
    doubt = torch.tensor([[0.5, 0.25, 1.0, 0.75], [-1.0, -0.5, -0.75, -0.25]])
    return [
        (torch.tensor([[0.0, 0.6931, 1.6094]]), 1.0, 3, 0.7),
        (torch.tensor([[0.0, 0.6931, 1.6094]]), 1.0, 3, 1.0),
        (torch.tensor([[0.0, 0.6931, 1.6094]]), 0.5, 3, 1.0),
        (torch.tensor([[0.0, 0.6931, 1.6094]]), 1.0, 2, 1.0),
        (torch.tensor([[1.0, 0.0, 2.0, -1.0]]), 2.0, 4, 1.0),
        (many, 1.0, 2, 1.0),
        (many, 1.0, 5, 0.6),
        (many, 2.0, 5, 0.85),
        (many, 0.5, 3, 0.9),
        (doubt, 1.0, 3, 0.5),
        (doubt, 4.0, 2, 0.5),
        (doubt, 0.25, 1, 0.3),
        (many, 3.0, 4, 0.05),
    ]


FILTER = Exercise(
    number="13.3",
    name="probabilities",
    right=_right_filter,
    inputs=_rows_to_draw_from,
    also_right=[
        next_word_probabilities,
        _in_python,
        _by_masks,
        lambda logits, temperature, top_k, top_p: _right_filter(logits.float(), temperature, top_k, top_p),
        lambda logits, temperature, top_k, top_p: torch.cat(
            [_right_filter(row[None], temperature, top_k, top_p) for row in logits]
        ),
    ],
    mistakes=[
        Mistake(
            _temperature_multiplied,
            "You multiply the logits by the temperature. Divide by it: a temperature above 1 makes the words alike.",
            classic="Temperature multiplied",
        ),
        Mistake(
            _without_temperature,
            "The temperature does nothing: you left it out, or divide the probabilities by it, and that cancels in the "
            "sum. Divide the logits, before the softmax.",
        ),
        Mistake(
            _not_divided_by_the_sum,
            "What top-p leaves does not sum to 1. Divide each row by its sum, after words were taken out.",
            classic="Cut off and not divided by the sum",
        ),
        Mistake(
            _divided_by_no_sum,
            "What is left does not sum to 1, neither after top-k nor after top-p. Divide each row by its sum, after "
            "words were taken out.",
        ),
        Mistake(
            _crossing_word_left_out,
            "You leave out the word with which the sum crosses `top_p`. It stays in: a word is out if those *before* "
            "it have `top_p` already. Yours can leave no word at all, and 0 / 0 is NaN.",
            classic="Top-p without the word that crosses the line",
        ),
        Mistake(
            _crossing_word_left_out_but_the_best,
            "You leave out the word with which the sum crosses `top_p`, unless it is the best. It stays in: a word is "
            "out if those *before* it have `top_p` already.",
        ),
        Mistake(
            _sums_below_top_p,
            "You keep the words with which the sum is still below `top_p`. The one that reaches it stays in, too: a "
            "word is out if those *before* it have `top_p` already. Yours can leave no word at all, and 0 / 0 is NaN.",
        ),
        Mistake(
            _top_p_turned_round,
            "It is turned round: you take out the words that come before the line, and keep the tail.",
        ),
        Mistake(
            _top_k_without_the_last,
            "You leave out the last of the `top_k` words. It is as good as the line, so a word is out if its logit is "
            "*below* the line, `<` and not `<=`.",
        ),
        Mistake(
            _put_back_by_gather,
            "To put the probabilities back you read at the places of the sort, as `gather` or `p[words]` do. They say "
            "where each belongs, so write there: `scatter`.",
        ),
        Mistake(
            _zero_in_place_of_minus_infinity,
            "You give the words that are out the logit 0. The exponential of 0 is 1, so they can still be drawn. "
            "A word that is out has the logit −inf, or the probability 0.",
        ),
        Mistake(
            _top_k_with_zeros,
            "Top-k gives the words that are out the logit 0. The exponential of 0 is 1, so they can still be drawn: "
            "their logit is −inf.",
        ),
        Mistake(
            lambda logits, temperature, top_k, top_p: (logits / temperature).softmax(-1),
            "This is the softmax with the temperature. Top-k and top-p are still to come.",
        ),
        Mistake(
            lambda logits, temperature, top_k, top_p: _right_filter(logits, temperature, logits.size(-1), top_p),
            "Top-k is missing: only the `top_k` best words of each row stay in.",
        ),
        Mistake(
            lambda logits, temperature, top_k, top_p: _right_filter(logits, temperature, top_k, 1.0),
            "Top-p is missing: of the words that top-k left, only the fewest that together have `top_p` stay in.",
        ),
        Mistake(
            _not_put_back,
            "Your probabilities stand in the order of the sort, the best first. Put each back to its word: `scatter` "
            "with the places that the sort gave.",
        ),
        Mistake(
            lambda logits, temperature, top_k, top_p: (logits / temperature).topk(top_k).values.softmax(-1),
            "You give the probabilities of the `top_k` best, (B, top_k), the best first. Wanted is a number for each "
            "word, (B, V), 0 where it is out. And top-p is still to come.",
        ),
        Mistake(
            lambda logits, temperature, top_k, top_p: logits.softmax(-1),
            "This is the softmax as it comes. Temperature, top-k and top-p are still to come.",
        ),
        Mistake(
            lambda logits, temperature, top_k, top_p: (logits / temperature).softmax(0),
            "Your softmax goes along axis 0, the batch. It goes along the words, the last axis: −1.",
        ),
        Mistake(
            _top_p_of_the_worst,
            "Your top-p begins with the worst words. Sort with `descending=True`, and go from the best down.",
        ),
        Mistake(
            _top_p_first,
            "Your top-p looks at the probabilities of all words, or comes before top-k, which is the same. Top-k comes "
            "first, and top-p looks at what is left, divided by its sum.",
        ),
        Mistake(
            _top_p_as_a_threshold,
            "You take out each word whose own probability is below a line. Top-p looks at sums: the fewest words, from "
            "the best down, that together have `top_p`.",
        ),
        Mistake(
            _top_p_without_temperature,
            "Which words stay you decide without the temperature, and then you use it. It comes first, and changes "
            "how many words top-p needs.",
        ),
        Mistake(
            _temperature_last,
            "You use the temperature last, as a power of the probabilities. It comes first, divides the logits, and "
            "changes how many words top-p needs.",
        ),
        Mistake(
            _softmax_of_probabilities,
            "You take the softmax twice: the second one, of probabilities, makes all words nearly alike. "
            "Divide by the sum instead.",
        ),
        Mistake(
            _best_of_the_whole_batch,
            "Your `top_k` best are those of the whole batch, so a row may keep none. Each row has its own: "
            "`topk(top_k)` works along the last axis.",
        ),
        Mistake(
            lambda logits, temperature, top_k, top_p: F.one_hot(logits.argmax(-1), logits.size(-1)).double(),
            "The best word gets all. Those that top-k and top-p leave share 1.",
        ),
        Mistake(
            lambda logits, temperature, top_k, top_p: (_right_filter(logits, temperature, top_k, top_p) > 0).double(),
            "You say which words stay in. Wanted are their probabilities, which sum to 1.",
        ),
        Mistake(
            lambda logits, temperature, top_k, top_p: _right_filter(logits, temperature, top_k, top_p).log(),
            "These are the logarithms. Wanted are the probabilities: 0 where a word is out.",
        ),
    ],
    hints=[
        "In this order: divide by the temperature; set all but the `top_k` best to −inf; softmax; sort; cut; divide "
        "by the sum; put back.",
        "`logits.topk(top_k).values[:, -1:]` is the worst logit that stays, (B, 1). For top-p, sort from the best "
        "down: `p, words = p.sort(dim=-1, descending=True)`.",
        "`p.cumsum(-1) - p` is what the words before each one have together. Where that is `top_p` or more, the word "
        "is out.",
        "To put back: `torch.zeros_like(p).scatter(-1, words, p)`, with p divided by its sum.",
    ],
)

# ---- 13.4 From vectors to the next words.


def _scores(x: torch.Tensor, table: torch.Tensor, forbidden: list, fill: float = -math.inf) -> torch.Tensor:
    """The logits of the last words, (B, V), the forbidden ones filled."""
    logits = x[:, -1] @ table.T
    logits[:, forbidden] = fill
    return logits


def _next_words(x, table, forbidden):
    logits = x[:, -1] @ table.T
    logits[:, forbidden] = -math.inf
    return logits.argmax(-1)


def _first_row_in_place_of_the_last(x, table, forbidden):
    logits = x[:, 0] @ table.T
    logits[:, forbidden] = -math.inf
    return logits.argmax(-1)


def _next_words_in_loops(x, table, forbidden) -> list[int]:
    allowed = [i for i in range(len(table)) if i not in forbidden]
    return [max(allowed, key=lambda i: float(table[i] @ sentence[-1])) for sentence in x]


def _next_words_in_numpy(x, table, forbidden) -> np.ndarray:
    logits = x.numpy()[:, -1] @ table.numpy().T
    logits[:, forbidden] = -np.inf
    return logits.argmax(-1)


def _next_words_by_probability(x, table, forbidden) -> torch.Tensor:
    linear = nn.Linear(table.size(1), table.size(0), bias=False)
    linear.weight = nn.Parameter(table.clone())
    p = linear(x).softmax(-1)  # (B, T, V)
    p[..., forbidden] = 0
    return p[:, -1].argmax(-1)


def _forbidden_words_set_to_zero(x, table, forbidden):
    return _scores(x, table, forbidden, fill=0.0).argmax(-1)


def _forbidden_sentences(x, table, forbidden):
    logits = x[:, -1] @ table.T
    logits[forbidden] = -math.inf
    return logits.argmax(-1)


def _best_of_all_rows(x, table, forbidden):
    logits = x @ table.T
    logits[..., forbidden] = -math.inf
    return logits.amax(1).argmax(-1)


def _ids_without_the_forbidden(x, table, forbidden):
    allowed = [i for i in range(len(table)) if i not in forbidden]
    return (x[:, -1] @ table[allowed].T).argmax(-1)


def _all_rows(x, table, forbidden):
    logits = x @ table.T
    logits[..., forbidden] = -math.inf
    return logits.argmax(-1)


def _arg_max_over_time(x, table, forbidden):
    logits = x @ table.T
    logits[..., forbidden] = -math.inf
    return logits.argmax(1)


def _softmax_over_the_steps(x, table, forbidden):
    p = (x @ table.T).softmax(1)
    p[..., forbidden] = 0
    return p[:, -1].argmax(-1)


def _softmax_over_the_sentences(x, table, forbidden):
    p = (x @ table.T).softmax(0)
    p[..., forbidden] = 0
    return p[:, -1].argmax(-1)


def _by_distance(x, table, forbidden):
    far = (x[:, -1, None] - table).norm(dim=-1)  # (B, V)
    far[:, forbidden] = math.inf
    return far.argmin(-1)


def _vectors() -> list[tuple]:
    generator = torch.Generator().manual_seed(13)

    def numbers(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64).mul(4).round(decimals=1)

    table = torch.tensor([[3.0, 0.0], [1.0, 1.0], [-1.0, 2.0], [2.0, 0.0]])
    inputs = [
        (torch.tensor([[[2.0, 1.0]]]), table, [0]),
        (torch.tensor([[[2.0, 1.0], [-1.0, 1.0]]]), table, [0]),
        (torch.tensor([[[1.0, -2.0], [-2.0, -3.0]]]), table - torch.tensor([0.0, -3.0]), [0, 2]),
    ]
    for B, T, D, V, forbidden in (
        (3, 2, 4, 6, [0, 1]),
        (2, 5, 3, 7, []),
        (4, 3, 5, 9, [0, 1, 3]),
        (5, 4, 3, 8, [2, 7]),
        (3, 2, 4, 4, [1]),
        (6, 2, 3, 10, [0, 1]),
    ):
        inputs.append((numbers(B, T, D), numbers(V, D), forbidden))
    # all logits below 0, and then far below
    inputs.append((torch.tensor([[[100.0, 200.0]], [[200.0, 100.0]]]), -table.abs() - 0.5, [2, 0]))
    inputs.append((torch.tensor([[[1.0, 2.0]], [[2.0, 1.0]]]), -table.abs() - 0.5, [1]))
    return inputs


NEXT = Exercise(
    number="13.4",
    name="next_words",
    right=_next_words,
    inputs=_vectors,
    also_right=[
        _next_words_in_loops,
        _next_words_in_numpy,
        _next_words_by_probability,
        lambda x, table, forbidden: _next_words(x.float(), table.float(), forbidden),
        lambda x, table, forbidden: (
            torch.einsum("bd,vd->bv", x[:, -1], table)
            .index_fill(1, torch.tensor(forbidden, dtype=torch.long), -math.inf)
            .argmax(1)
        ),
        lambda x, table, forbidden: _scores(x, table, forbidden).log_softmax(-1).argmax(-1).tolist(),
    ],
    mistakes=[
        Mistake(
            _first_row_in_place_of_the_last,
            "You take the first row of each sentence. Its guess is for the word after the first one. The next word is "
            "in the last row: `x[:, -1]`.",
            classic="The first row in place of the last",
        ),
        Mistake(
            lambda x, table, forbidden: (x[:, -1] @ table.T).argmax(-1),
            "You forget `forbidden`: its words can be said. Set their logits to −inf before the arg max.",
        ),
        Mistake(
            _forbidden_words_set_to_zero,
            "You set the logits of the forbidden words to 0. Where all others are below 0, 0 is the best. "
            "Set them to −inf.",
        ),
        Mistake(
            _forbidden_sentences,
            "`logits[forbidden]` are rows, so you forbid whole sentences, or an index is too large. Words are the last "
            "axis: `logits[:, forbidden]`.",
        ),
        Mistake(
            lambda x, table, forbidden: _scores(x, table, forbidden, fill=-100.0).argmax(-1),
            "You give the forbidden words a finite number, such as −100. Where all other logits are lower, it is the "
            "best. Only −inf is below all: `-math.inf`.",
        ),
        Mistake(
            lambda x, table, forbidden: _scores(x, table, forbidden).max(-1),
            "`max` with an axis gives two things, the largest logits and their places. Wanted are the places alone: "
            "`argmax(-1)`.",
        ),
        Mistake(
            lambda x, table, forbidden: _next_words(x[-1][:, None], table, forbidden),
            "You take the last sentence, `x[-1]`. Wanted is the last row of each sentence: `x[:, -1]`.",
        ),
        Mistake(
            _ids_without_the_forbidden,
            "You take the forbidden rows out of the table, and so all words behind them get other numbers. The id is "
            "the row in the whole table: leave the rows, and set their logits to −inf.",
        ),
        Mistake(
            _all_rows,
            "You give the best word after each word, (B, T). Wanted is the one after the last, (B,): `[:, -1]`.",
        ),
        Mistake(
            _arg_max_over_time,
            "Your arg max goes over the steps, axis 1: it says where a word has its largest logit. Take the last "
            "step, and the arg max over the words.",
        ),
        Mistake(
            lambda x, table, forbidden: _scores(x, table, forbidden).argmax(0),
            "Your arg max goes over the sentences, axis 0. It goes over the words, the last axis.",
        ),
        Mistake(
            lambda x, table, forbidden: _scores(x, table, forbidden).argmax(),
            "Your arg max goes over all numbers at once and gives one place. Each sentence has its own: `argmax(-1)`.",
        ),
        Mistake(
            _softmax_over_the_sentences,
            "Your softmax goes over the sentences, so what a word gets hangs on who else is in the batch. It goes over "
            "the words, the last axis; and for the best word it is not needed.",
        ),
        Mistake(
            _softmax_over_the_steps,
            "Your softmax goes over the steps, so a word competes with itself at other places. It goes over the words, "
            "the last axis; and for the best word it is not needed.",
            classic="The softmax over the steps",
        ),
        Mistake(
            lambda x, table, forbidden: _next_words(x.mean(1, keepdim=True), table, forbidden),
            "You take the mean of all rows of a sentence. The last row alone has the guess for the next word.",
        ),
        Mistake(
            lambda x, table, forbidden: _next_words(x[:, max(0, x.size(1) - 2), None], table, forbidden),
            "You take the last row but one. Rows count from 0, and the last one is `x[:, -1]`.",
        ),
        Mistake(
            _best_of_all_rows,
            "You take the word with the largest logit at any step. Only the last row speaks of the next word.",
        ),
        Mistake(
            lambda x, table, forbidden: x[:, -1] @ table,
            "The table is not turned round, so the shapes do not fit, unless V = D by chance. A word is a row of the "
            "table: `x @ table.T`. And wanted are ids, by an arg max.",
        ),
        Mistake(
            lambda x, table, forbidden: (x[:, -1] @ table).argmax(-1),
            "The table is not turned round: (B, D) times (V, D) does not fit, unless V = D by chance. A word is a row "
            "of the table: `x @ table.T`.",
        ),
        Mistake(
            lambda x, table, forbidden: (x[:, -1] @ table.reshape(table.size(1), table.size(0))).argmax(-1),
            "`reshape` or `view` to (D, V) mixes the numbers of the words. Turn the table round: `table.T`.",
        ),
        Mistake(
            lambda x, table, forbidden: _next_words(x, F.normalize(table, dim=-1), forbidden),
            "You take the word at the smallest angle, the largest cosine. The logit is the dot product: the length of "
            "a row counts, too.",
        ),
        Mistake(
            _by_distance,
            "You take the word whose row is nearest. The logit is the dot product, and the largest wins.",
        ),
        Mistake(
            lambda x, table, forbidden: _scores(x, table, forbidden, math.inf).argmin(-1),
            "You take the worst word. The largest logit is the best: `argmax`.",
        ),
        Mistake(
            lambda x, table, forbidden: _scores(x, table, forbidden).amax(-1),
            "These are the largest logits. Wanted are their places, the ids: `argmax` in place of `max`.",
        ),
        Mistake(
            lambda x, table, forbidden: _scores(x, table, forbidden).argmax(-1, keepdim=True),
            "You give (B, 1), a column. Wanted is (B,), one id a sentence.",
        ),
        Mistake(
            lambda x, table, forbidden: table[_next_words(x, table, forbidden)],
            "These are the vectors of the right words. Wanted are their ids.",
        ),
        Mistake(
            _scores,
            "These are the logits of the last step. One step more: the arg max over the words.",
        ),
    ],
    hints=[
        "Which row of x speaks of the word that comes next? Take it from each sentence first: `x[:, -1]`, (B, D).",
        "The logits are the dot products with each row of the table: `x[:, -1] @ table.T`, (B, V).",
        "Set the columns of the forbidden words to −inf, `logits[:, forbidden] = -math.inf`, and take the arg max "
        "over the words.",
    ],
)

EXERCISES: list[Exercise] = [PAPER, LOG_SOFTMAX, FILTER, NEXT]
