"""The exercises of chapter 15: the schedule on paper, Adam with weight decay, a batch in small parts, dropout."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import torch
from torch import nn

from .exercise import Exercise, Mistake

# ---- 15.1 The schedule on paper: d_model 64, 100 steps of warm-up, in thousandths.

_STEPS = (1, 25, 100, 400)


def _rates(rate: Callable[[float], float], factor: float = 1 / 8) -> list[float]:
    """The rate at each step, in thousandths; the factor is that of d_model."""
    return [1000 * factor * rate(step) for step in _STEPS]


def _rate(step: float) -> float:
    return min(step**-0.5, step * 100**-1.5)


SCHEDULE = Exercise(
    number="15.1",
    name="answer",
    right=[0.125, 3.125, 12.5, 6.25],
    also_right=[
        (0.125, 3.125, 12.5, 6.25),
        [1 / 8, 25 / 8, 100 / 8, 50 / 8],
        [Fraction(1, 8), Fraction(25, 8), Fraction(25, 2), Fraction(25, 4)],
        torch.tensor([0.125, 3.125, 12.5, 6.25]),
        np.array([0.125, 3.125, 12.5, 6.25]),
    ],
    mistakes=[
        Mistake(
            [rate / 1000 for rate in _rates(_rate)],
            "These are the rates themselves. Asked for are thousandths: times 1,000.",
        ),
        Mistake(
            _rates(lambda step: max(step**-0.5, step * 100**-1.5)),
            "You took the larger of the two terms. It is the smaller one: the rate rises first, and then falls.",
        ),
        Mistake(
            _rates(_rate, 8),
            "You multiplied by √d_model, which is 8. The exponent is −0.5: divide by it.",
        ),
        Mistake(
            _rates(_rate, 1 / 64),
            "You divided by d_model. Divide by its root, 8.",
        ),
        Mistake(
            _rates(_rate, 1),
            "The factor of d_model is missing: divide by √64 = 8.",
        ),
        Mistake(
            _rates(lambda step: min(step**-0.5, step * 100**-0.5)),
            "Your warm-up has the exponent −0.5. It is −1.5, so step 1 has 1/1000, times 1/8.",
        ),
        Mistake(
            _rates(lambda step: min(step**-0.5, step * 100**-1.0)),
            "Your warm-up has the exponent −1. It is −1.5, so that both terms meet at step 100.",
        ),
        Mistake(
            _rates(lambda step: min(step**-0.5, step**0.5 / 100)),
            "Your rate rises with the root of the step. It rises in a straight line: step · warmup^−1.5.",
        ),
        Mistake(
            _rates(lambda step: (step - 1) * 100**-1.5 if step <= 100 else (step - 1) ** -0.5),
            "Your steps are one behind: at step 1 you have a rate of 0. The formula counts from 1.",
        ),
        Mistake(
            _rates(lambda step: _rate(step + 1)),
            "Your steps are one ahead: this is the rate of steps 2, 26, 101 and 401.",
        ),
        Mistake(
            _rates(lambda step: min(100**-0.5, step * 100**-1.5)),
            "Your rate stays at its top after the warm-up. It falls with the root of the step: at 400 it is half.",
        ),
        Mistake(
            _rates(lambda step: min(10 / step, step * 100**-1.5)),
            "After the warm-up your rate falls with the step. It falls with its root: at 400, which is four times 100, "
            "it is half the top.",
        ),
        Mistake(
            _rates(lambda step: step**-0.5),
            "There is no warm-up: you took the first term alone. Where the second one is smaller, take that.",
        ),
        Mistake(
            _rates(lambda step: step * 100**-1.5),
            "Your rate never falls: you took the second term alone. Where the first one is smaller, take that.",
        ),
        Mistake(
            _rates(lambda step: step**-0.5 + step * 100**-1.5),
            "You added the two terms. Take the smaller one.",
        ),
        Mistake(
            _rates(lambda step: min(step**-0.5, step * 4000**-1.5)),
            "You took the paper's warm-up of 4,000 steps. Here it has 100.",
        ),
        Mistake(
            _rates(_rate, 512**-0.5),
            "You took the paper's d_model of 512. Here it is 64.",
        ),
    ],
    hints=[
        "√64 is 8, and 100^1.5 is 1,000. So the rate is 1/8 of the smaller of 1/√step and step/1000.",
        "Up to step 100 the second term is the smaller one: 1/1000, 25/1000, 100/1000. At step 400 it is the first: "
        "1/20.",
        "In thousandths: 1/8, 25/8, 100/8 and 50/8.",
    ],
)

# ---- 15.2 Adam with weight decay.


def _adamw(theta, gradients, rate, beta_1, beta_2, eps, decay):
    m, v = torch.zeros_like(theta), torch.zeros_like(theta)
    for t, g in enumerate(gradients, 1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_hat = m / (1 - beta_1**t)
        v_hat = v / (1 - beta_2**t)
        step = m_hat / (v_hat.sqrt() + eps)
        theta = theta - rate * step - rate * decay * theta
    return theta


def _adamw_of_torch(theta, gradients, rate, beta_1, beta_2, eps, decay):
    parameter = theta.clone()
    betas = (beta_1, beta_2)
    optimizer = torch.optim.AdamW([parameter], lr=rate, betas=betas, eps=eps, weight_decay=decay)
    for g in gradients:
        parameter.grad = g
        optimizer.step()
    return parameter


def _adamw_in_numpy(theta, gradients, rate, beta_1, beta_2, eps, decay):
    theta, m, v = theta.numpy().copy(), 0.0, 0.0
    for t, g in enumerate(gradients.numpy(), 1):
        m, v = m + (1 - beta_1) * (g - m), v + (1 - beta_2) * (g * g - v)
        theta *= 1 - rate * decay
        theta -= rate * (m / (1 - beta_1**t)) / (np.sqrt(v / (1 - beta_2**t)) + eps)
    return theta


def _adamw_in_loops(theta, gradients, rate, beta_1, beta_2, eps, decay):
    out = []
    for i, x in enumerate(theta.tolist()):
        m = v = 0.0
        for t, g in enumerate(gradients[:, i].tolist(), 1):
            m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g * g
            x -= rate * (decay * x + m / (1 - beta_1**t) / (math.sqrt(v / (1 - beta_2**t)) + eps))
        out.append(x)
    return out


def _to_optimise() -> list[tuple]:
    torch.optim.SGD([torch.zeros(1)], lr=1.0)  # the first optimizer loads much of torch, for seconds
    one, four = torch.tensor([10.0]), torch.tensor([[4.0]])
    two = torch.tensor([1.0, -2.0])
    slopes = torch.tensor([[1.0, -3.0], [0.5, 2.0], [-1.0, 0.25]])
    three = torch.tensor([1.0, -2.0, 0.5])
    more = torch.tensor([[1.0, 0.5, -2.0], [0.2, 0.1, 3.0], [-0.5, 1.5, 0.4], [2.0, -1.0, 0.3]])
    return [
        (one, four, 0.1, 0.9, 0.98, 1e-9, 0.5),
        (two, slopes, 0.1, 0.9, 0.98, 1e-9, 0.0),
        (one, four, 0.1, 0.9, 0.98, 1.0, 0.0),
        (two, slopes, 0.1, 0.9, 0.98, 1e-9, 0.5),
        (three, more, 0.25, 0.8, 0.95, 0.5, 0.2),
    ]


def _without_bias_correction(theta, gradients, rate, beta_1, beta_2, eps, decay):
    m, v = torch.zeros_like(theta), torch.zeros_like(theta)
    for g in gradients:
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        step = m / (v.sqrt() + eps)
        theta = theta - rate * step - rate * decay * theta
    return theta


def _eps_inside_the_root(theta, gradients, rate, beta_1, beta_2, eps, decay):
    m, v = torch.zeros_like(theta), torch.zeros_like(theta)
    for t, g in enumerate(gradients, 1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_hat = m / (1 - beta_1**t)
        v_hat = v / (1 - beta_2**t)
        step = m_hat / (v_hat + eps).sqrt()
        theta = theta - rate * step - rate * decay * theta
    return theta


def _decay_in_the_gradient(theta, gradients, rate, beta_1, beta_2, eps, decay):
    m, v = torch.zeros_like(theta), torch.zeros_like(theta)
    for t, g in enumerate(gradients, 1):
        g = g + decay * theta
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_hat = m / (1 - beta_1**t)
        v_hat = v / (1 - beta_2**t)
        step = m_hat / (v_hat.sqrt() + eps)
        theta = theta - rate * step
    return theta


def _moving(
    correct_m=lambda m, beta, t: m / (1 - beta**t),
    correct_v=lambda v, beta, t: v / (1 - beta**t),
    direction=lambda m, v, eps: m / (v.sqrt() + eps),
    first: Callable = lambda beta, g: (1 - beta) * g,
    second: Callable = lambda beta, g: (1 - beta) * g**2,
    move=lambda theta, step, rate, decay: theta - rate * step - rate * decay * theta,
    forget=False,
) -> Callable:
    """AdamW with one part exchanged."""

    def answer(theta, gradients, rate, beta_1, beta_2, eps, decay):
        m, v = torch.zeros_like(theta), torch.zeros_like(theta)
        for t, g in enumerate(gradients, 1):
            if forget:
                m, v, t = torch.zeros_like(theta), torch.zeros_like(theta), 1
            m = beta_1 * m + first(beta_1, g)
            v = beta_2 * v + second(beta_2, g)
            theta = move(theta, direction(correct_m(m, beta_1, t), correct_v(v, beta_2, t), eps), rate, decay)
        return theta

    return answer


def _decay_after(theta, step, rate, decay):
    theta = theta - rate * step
    return theta - rate * decay * theta


def _decay_of_the_start(theta, gradients, rate, beta_1, beta_2, eps, decay):
    return _adamw(theta, gradients, rate, beta_1, beta_2, eps, 0.0) - len(gradients) * rate * decay * theta


def _eps_before_the_correction(theta, gradients, rate, beta_1, beta_2, eps, decay):
    m, v = torch.zeros_like(theta), torch.zeros_like(theta)
    for t, g in enumerate(gradients, 1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        step = math.sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (v.sqrt() + eps)
        theta = theta - rate * step - rate * decay * theta
    return theta


def _descent(theta, gradients, rate, beta_1, beta_2, eps, decay):
    for g in gradients:
        theta = theta - rate * g - rate * decay * theta
    return theta


def _only_the_last(theta, gradients, rate, beta_1, beta_2, eps, decay):
    return _adamw(theta, gradients[-1:], rate, beta_1, beta_2, eps, decay)


ADAMW = Exercise(
    number="15.2",
    name="adamw",
    right=_adamw,
    inputs=_to_optimise,
    also_right=[
        _adamw_of_torch,
        _adamw_in_numpy,
        _adamw_in_loops,
        lambda theta, gradients, rate, beta_1, beta_2, eps, decay: _adamw(
            theta.float(), gradients.float(), rate, beta_1, beta_2, eps, decay
        ),
    ],
    mistakes=[
        Mistake(
            lambda theta, gradients, rate, beta_1, beta_2, eps, decay: _adamw(
                theta, gradients, rate, beta_1, beta_2, eps, 0.0
            ),
            "This is Adam without weight decay: `rate * decay * theta` is not taken away.",
        ),
        Mistake(
            _without_bias_correction,
            "There is no bias correction. m and v begin at 0 and are too small at first: divide m by 1 − β₁ᵗ and v by "
            "1 − β₂ᵗ, where t is the number of the step.",
            classic="Adam without bias correction",
        ),
        Mistake(
            _decay_in_the_gradient,
            "You add the decay to the gradient, so it goes through m and v, and Adam divides it away again. It is "
            "taken from the parameters themselves.",
            classic="Weight decay in the gradient",
        ),
        Mistake(
            _eps_inside_the_root,
            "Your ε stands inside the root. In Adam it is added to the root: √v̂ + ε. (In LayerNorm it stands inside.)",
            classic="Adam's ε inside the root",
        ),
        Mistake(
            _moving(correct_v=lambda v, beta, t: v),
            "You correct m, and not v: divide it by 1 − β₂ᵗ, too.",
        ),
        Mistake(
            _moving(correct_m=lambda m, beta, t: m),
            "You correct v, and not m: divide it by 1 − β₁ᵗ, too.",
        ),
        Mistake(
            _moving(
                correct_m=lambda m, beta, t: m / (1 - beta ** (t - 1)),
                correct_v=lambda v, beta, t: v / (1 - beta ** (t - 1)),
            ),
            "You count the steps from 0, so that 1 − β⁰ = 0 stands below the line. The first step is t = 1.",
        ),
        Mistake(
            _moving(correct_m=lambda m, beta, t: m / (1 - beta), correct_v=lambda v, beta, t: v / (1 - beta)),
            "Your t stays at 1: you divide by 1 − β at each step. The exponent grows: 1 − βᵗ.",
        ),
        Mistake(
            lambda theta, gradients, rate, beta_1, beta_2, eps, decay: _adamw(
                theta, gradients, rate, beta_2, beta_1, eps, decay
            ),
            "The two β are swapped: `beta_1` belongs to m, `beta_2` to v.",
        ),
        Mistake(
            _moving(direction=lambda m, v, eps: m / v.sqrt()),
            "ε is missing: divide by √v̂ + ε.",
        ),
        Mistake(
            _moving(direction=lambda m, v, eps: m / v.sqrt() + eps),
            "Your ε is added to the whole step. It is added to the root below the line: m̂ / (√v̂ + ε).",
        ),
        Mistake(
            _eps_before_the_correction,
            "You add ε to √v before v is corrected, so it counts more at the first steps. Correct v first, take the "
            "root, then add ε.",
        ),
        Mistake(
            _moving(second=lambda beta, g: (1 - beta) * g.abs()),
            "Your v is a mean of the gradients' absolute values. It is a mean of their squares.",
        ),
        Mistake(
            _moving(direction=lambda m, v, eps: m / (v + eps)),
            "The root is missing: divide by √v̂ + ε, not by v̂ + ε.",
        ),
        Mistake(
            _moving(first=lambda beta, g: g),
            "Your m adds the whole new gradient. It gets its share: 1 − β₁ times g.",
        ),
        Mistake(
            _moving(second=lambda beta, g: (1 - beta) * g),
            "Your v is a mean of the gradients. It is a mean of their squares.",
        ),
        Mistake(
            _moving(second=lambda beta, g: (1 - beta) * g.square().mean()),
            "Your v is one number for all parameters. Each has its own.",
        ),
        Mistake(
            _moving(forget=True),
            "Your m and v begin anew at each step, so all steps have the same size. Make them once, before the loop.",
        ),
        Mistake(
            _moving(move=lambda theta, step, rate, decay: theta + rate * step - rate * decay * theta),
            "You go uphill: the step is taken away from theta, not added.",
        ),
        Mistake(
            _moving(move=lambda theta, step, rate, decay: theta - rate * step + rate * decay * theta),
            "Your decay makes the parameters larger: it is taken away, not added.",
        ),
        Mistake(
            _moving(move=lambda theta, step, rate, decay: theta - rate * step - decay * theta),
            "Your decay is not multiplied by the rate: take away `rate * decay * theta`.",
        ),
        Mistake(
            _moving(move=_decay_after),
            "You shrink theta after Adam's step. What is taken away is a share of theta as it was before the step.",
        ),
        Mistake(
            _decay_of_the_start,
            "At each step you take away a share of the theta of the very beginning. It is that of before this step.",
        ),
        Mistake(
            _descent,
            "This is plain gradient descent: theta less rate times g. Adam takes m̂ / (√v̂ + ε) in place of g.",
        ),
        Mistake(
            _only_the_last,
            "Only the last gradient counts in your answer. Go through all rows, one after the other.",
        ),
        Mistake(
            lambda theta, gradients, rate, beta_1, beta_2, eps, decay: _adamw(
                theta, gradients[:1], rate, beta_1, beta_2, eps, decay
            ),
            "You stop after the first gradient. Does your `return` stand inside the loop?",
        ),
    ],
    hints=[
        "Begin with m and v as zeros, `torch.zeros_like(theta)`, and loop over `enumerate(gradients, 1)`: t, g.",
        "In the loop: the new m and v, then both divided by 1 − βᵗ, then m̂ / (√v̂ + ε).",
        "The last line of the loop: `theta = theta - rate * step - rate * decay * theta`. It makes a new tensor, so "
        "that the one you were given stays as it is.",
    ],
)

# ---- 15.3 A large batch in small parts.


def _gradient(w, parts):
    """The sum over all examples of the parts, and how many they are."""
    total = sum(2 * x.T @ (x @ w - y) for x, y in parts)
    return total, sum(len(y) for _, y in parts)


def _clipped(g, limit):
    return g * min(1.0, limit / g.norm().item())


def _fit(w, batches, rate, limit):
    for parts in batches:
        total, n = _gradient(w, parts)
        w = w - rate * _clipped(total / n, limit)
    return w


def _fit_by_autograd(w, batches, rate, limit):
    w = w.clone().requires_grad_()
    optimizer = torch.optim.SGD([w], lr=rate)
    for parts in batches:
        optimizer.zero_grad()
        n = sum(len(y) for _, y in parts)
        for x, y in parts:
            (((x @ w - y) ** 2).sum() / n).backward()
        nn.utils.clip_grad_norm_([w], limit)
        optimizer.step()
    return w


def _fit_joined(w, batches, rate, limit):
    for parts in batches:
        x, y = torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])
        g = 2 * x.T @ (x @ w - y) / len(y)
        if g.norm() > limit:
            g = limit * g / g.norm()
        w = w - rate * g
    return w


def _fit_in_numpy(w, batches, rate, limit):
    w = w.numpy().copy()
    for parts in batches:
        g = sum(2 * x.numpy().T @ (x.numpy() @ w - y.numpy()) for x, y in parts) / sum(len(y) for _, y in parts)
        w -= rate * g * min(1, limit / np.linalg.norm(g))
    return w


def _to_fit() -> list[tuple]:
    torch.optim.SGD([torch.zeros(1)], lr=1.0)  # the first optimizer loads much of torch, for seconds
    zero = torch.tensor([0.0])
    first = [
        (torch.tensor([[1.0]]), torch.tensor([2.0])),
        (torch.tensor([[1.0], [1.0]]), torch.tensor([5.0, 5.0])),
    ]
    two = [
        [(torch.tensor([[1.0]]), torch.tensor([3.0]))],
        [(torch.tensor([[2.0]]), torch.tensor([1.0]))],
    ]
    w = torch.tensor([1.0, -1.0])
    steep = [
        [
            (torch.tensor([[3.0, 1.0], [0.0, 2.0]]), torch.tensor([-4.0, 6.0])),
            (torch.tensor([[1.0, -2.0]]), torch.tensor([7.0])),
        ]
    ]
    torch.manual_seed(15)
    many = [
        [(torch.randn(n, 3).mul(4).round() / 2, torch.randn(n).mul(12).round() / 2) for n in sizes]
        for sizes in ((1, 4), (3,), (2, 2, 5), (4, 1))
    ]
    return [
        (zero, [first], 0.1, 100.0),
        (zero, two, 0.1, 100.0),
        (zero, [first], 0.1, 2.0),
        (w, steep, 0.1, 5.0),
        (torch.tensor([0.5, -1.0, 2.0]), many, 0.05, 8.0),
        (torch.tensor([0.5, -1.0, 2.0]), many, 0.05, 1000.0),
    ]


def _of_parts(combine: Callable, clip: Callable = _clipped) -> Callable:
    """A loop in which the gradients of the parts, as sums and as means, are put together by `combine`."""

    def answer(w, batches, rate, limit):
        for parts in batches:
            each = [_gradient(w, [part]) for part in parts]
            w = w - rate * clip(combine([g for g, _ in each], [n for _, n in each]), limit)
        return w

    return answer


def _whole(sums, counts):
    return sum(sums) / sum(counts)


def _gradients_add_up(w, batches, rate, limit):
    gradient = torch.zeros_like(w)
    for parts in batches:
        n = sum(len(y) for _, y in parts)
        for x, y in parts:
            gradient += 2 * x.T @ (x @ w - y) / n
        norm = gradient.norm().item()
        if norm > limit:
            gradient *= limit / norm
        w = w - rate * gradient
    return w


def _mean_of_means(w, batches, rate, limit):
    for parts in batches:
        g = sum(2 * x.T @ (x @ w - y) / len(y) for x, y in parts) / len(parts)
        if g.norm() > limit:
            g = limit * g / g.norm()
        w = w - rate * g
    return w


def _clip_by_value(w, batches, rate, limit):
    for parts in batches:
        x, y = torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])
        g = 2 * x.T @ (x @ w - y) / len(y)
        g = g.clamp(-limit, limit)
        w = w - rate * g
    return w


def _step_a_part(w, batches, rate, limit):
    for parts in batches:
        for part in parts:
            g, n = _gradient(w, [part])
            w = w - rate * _clipped(g / n, limit)
    return w


def _clip_each_part(w, batches, rate, limit):
    for parts in batches:
        n = sum(len(y) for _, y in parts)
        w = w - rate * sum(_clipped(_gradient(w, [part])[0] / n, limit) for part in parts)
    return w


def _accumulating(w, batches, rate, limit):
    """zero_grad before the first batch alone, and the clip on a copy: the sum itself is never clipped."""
    gradient = torch.zeros_like(w)
    for parts in batches:
        total, n = _gradient(w, parts)
        gradient = gradient + total / n
        w = w - rate * _clipped(gradient, limit)
    return w


def _no_steps_between(w, batches, rate, limit):
    gradient = sum(_clipped(_whole(*map(list, zip(_gradient(w, parts), strict=True))), limit) for parts in batches)
    return w - rate * gradient


LOOP = Exercise(
    number="15.3",
    name="fit",
    right=_fit,
    inputs=_to_fit,
    also_right=[
        _fit_by_autograd,
        _fit_joined,
        _fit_in_numpy,
        lambda w, batches, rate, limit: _fit(
            w.float(), [[(x.float(), y.float()) for x, y in parts] for parts in batches], rate, limit
        ),
    ],
    mistakes=[
        Mistake(
            _mean_of_means,
            "You take the mean of the parts' means. So an example in a small part counts more than one in a large "
            "part. Add up the sums, and divide once by the number of all examples of the batch.",
            classic="The mean of means",
        ),
        Mistake(
            _of_parts(lambda sums, counts: sum(g / n for g, n in zip(sums, counts, strict=True))),
            "You add up the means of the parts. Add up their sums, and divide by the number of all examples.",
        ),
        Mistake(
            _of_parts(lambda sums, counts: sum(sums)),
            "You took the sum over the examples. The loss is their mean: divide by how many the batch has.",
        ),
        Mistake(
            _of_parts(lambda sums, counts: sum(sums) / len(sums)),
            "You divided by the number of parts. Divide by the number of examples in all parts.",
        ),
        Mistake(
            _gradients_add_up,
            "The gradient of the batch before is still there when the next one begins. Each batch begins with a "
            "gradient of 0: `zero_grad`.",
            classic="zero_grad forgotten",
        ),
        Mistake(
            _accumulating,
            "Each batch's gradient is added to those of all batches before it. Each batch begins with a gradient of 0.",
        ),
        Mistake(
            _of_parts(lambda sums, counts: sums[-1] / sum(counts)),
            "Only the last part counts in your gradient. `zero_grad` belongs before the first part of a batch, not "
            "before each.",
        ),
        Mistake(
            _of_parts(lambda sums, counts: sums[-1] / counts[-1]),
            "Your gradient is that of the last part alone. Those of all parts are added.",
        ),
        Mistake(
            _of_parts(lambda sums, counts: sums[0] / counts[0]),
            "Your gradient is that of the first part alone. Those of all parts are added.",
        ),
        Mistake(
            _step_a_part,
            "You take a step after each part. All parts of a batch together make one step.",
        ),
        Mistake(
            lambda w, batches, rate, limit: _fit(w, batches, rate, math.inf),
            "The gradient is not clipped, or only after the step. Clip it before w moves.",
        ),
        Mistake(
            _clip_by_value,
            "You clip each number of the gradient by itself, which changes its direction. Make the whole gradient "
            "shorter, so that its norm is `limit`.",
            classic="Clipped by value",
        ),
        Mistake(
            _clip_each_part,
            "You clip the gradient of each part. First all parts are added, then their sum is clipped.",
        ),
        Mistake(
            _of_parts(_whole, lambda g, limit: g * limit / g.norm().item()),
            "You bring each gradient to the length `limit`, short ones, too. A gradient that is shorter stays as it "
            "is.",
        ),
        Mistake(
            _of_parts(_whole, lambda g, limit: g / g.norm().item() if g.norm() > limit else g),
            "You bring a gradient that is too long to the length 1. It is brought to the length `limit`.",
        ),
        Mistake(
            _of_parts(_whole, lambda g, limit: g * min(1.0, limit / g.square().sum().item())),
            "You divided by the square of the norm. The norm is the root of the sum of the squares.",
        ),
        Mistake(
            _of_parts(_whole, lambda g, limit: g * min(1.0, limit / g.abs().sum().item())),
            "You took the sum of the absolute values for the norm. It is the root of the sum of the squares.",
        ),
        Mistake(
            _of_parts(_whole, lambda g, limit: g * min(1.0, limit / g.abs().max().item())),
            "You took the largest number for the norm. It is the root of the sum of the squares.",
        ),
        Mistake(
            _of_parts(_whole, lambda g, limit: g if g.norm() <= limit else torch.zeros_like(g)),
            "You leave out a batch whose gradient is too long. It is made shorter, and then counts.",
        ),
        Mistake(
            lambda w, batches, rate, limit: _fit(w, batches, -rate, limit),
            "You go uphill: w moves against the gradient, so take it away.",
        ),
        Mistake(
            lambda w, batches, rate, limit: _fit(w, batches, rate / 2, 2 * limit),
            "The 2 is missing: the slope of (x @ w − y)² is 2 (x @ w − y) times x.",
        ),
        Mistake(
            lambda w, batches, rate, limit: _fit(w, batches[:1], rate, limit),
            "You stop after the first batch. Does your `return` stand inside the loop?",
        ),
        Mistake(
            lambda w, batches, rate, limit: _fit(w, batches[-1:], rate, limit),
            "Only the last batch counts: each of your batches begins with the w of the very start. It begins where the "
            "one before has ended.",
        ),
    ],
    hints=[
        "The gradient of the sum over a part is `2 * x.T @ (x @ w - y)`, or what `backward` gives for the sum.",
        "For each batch: begin with 0, add this for each part, and divide by the number of all examples.",
        "Then clip: with `norm = g.norm()`, multiply g by `limit / norm` if that is below 1.",
        "Last in the loop over the batches: `w = w - rate * g`, which makes a new tensor.",
    ],
)

# ---- 15.4 Dropout.


def _dropout(x, p, training, u):
    if not training:
        return x
    return x * (u >= p) / (1 - p)


def _dropout_by_where(x, p, training, u):
    return torch.where(u < p, 0.0, x / (1 - p)) if training else x.clone()


def _dropout_in_loops(x, p, training, u):
    if not training:
        return x.tolist()
    rows = zip(x.flatten().tolist(), u.flatten().tolist(), strict=True)
    return torch.tensor([0.0 if chance < p else number / (1 - p) for number, chance in rows]).reshape(x.shape)


def _to_drop() -> list[tuple]:
    one, chance = torch.tensor([[[1.0, 2.0, 3.0]]]), torch.tensor([[[0.9, 0.1, 0.6]]])
    torch.manual_seed(15)
    x = torch.randn(2, 3, 4).mul(8).round() / 4  # (B, T, D)
    u = torch.rand(2, 3, 4).mul(100).round() / 100
    u[0, 1, 2] = 0.25  # as large as p: it stays
    return [
        (one, 0.5, True, chance),
        (one, 0.5, False, chance),
        (one, 0.2, True, chance),
        (x, 0.25, True, u),
        (x, 0.25, False, u),
        (x, 0.0, True, u),
    ]


def _training_ignored(x, p, training, u):
    return x * (u >= p) / (1 - p)


def _without_scaling(x, p, training, u):
    if not training:
        return x
    return x * (u >= p)


def _scaled_in_eval(x, p, training, u):
    if not training:
        return x / (1 - p)
    return x * (u >= p) / (1 - p)


DROPOUT = Exercise(
    number="15.4",
    name="dropout",
    right=_dropout,
    inputs=_to_drop,
    also_right=[
        _dropout_by_where,
        _dropout_in_loops,
        lambda x, p, training, u: x.masked_fill(u < p, 0) / (1 - p) if training else x,
        lambda x, p, training, u: np.where(u < p, 0, x / (1 - p)) if training else x.numpy(),
        lambda x, p, training, u: _dropout(x.float(), p, training, u.float()),
    ],
    mistakes=[
        Mistake(
            _without_scaling,
            "What stays is not made larger. So the numbers are smaller in training than in use, by 1 − p on average: "
            "divide what stays by 1 − p.",
            classic="Dropout without 1/(1 − p)",
        ),
        Mistake(
            _training_ignored,
            "You drop numbers when `training` is False, too. In use, x stays as it is: that is what `eval()` is for.",
            classic="No eval()",
        ),
        Mistake(
            _scaled_in_eval,
            "In use you divide by 1 − p, too. There nothing is dropped, so nothing needs to be made good: x stays.",
        ),
        Mistake(
            lambda x, p, training, u: x * (u >= p) if training else x * (1 - p),
            "You scale in use, not in training. The averages agree, and some programs did so once. Here, as in "
            "PyTorch, what stays in training is divided by 1 − p, and in use x stays as it is.",
        ),
        Mistake(
            lambda x, p, training, u: _dropout(x, p, not training, u),
            "It is the wrong way round: you drop when `training` is False.",
        ),
        Mistake(
            lambda x, p, training, u: x.clone(),
            "Nothing is dropped. Where u is below p and `training` is True, there is a 0.",
        ),
        Mistake(
            lambda x, p, training, u: x * (u < p) / (1 - p) if training else x,
            "You keep what should be dropped, and drop what should stay. Dropped is where u is below p.",
        ),
        Mistake(
            lambda x, p, training, u: x * (u < p) / p if training else x,
            "You took p for the share that stays. It is the share that is dropped, and 1 − p stays.",
        ),
        Mistake(
            lambda x, p, training, u: x * (u >= p) / p if training and p else x,
            "You divide by p. Divide by 1 − p, the share that stays.",
        ),
        Mistake(
            lambda x, p, training, u: x * (u >= p) * (1 - p) if training else x,
            "You multiply what stays by 1 − p, so it becomes smaller still. Divide by 1 − p.",
        ),
        Mistake(
            lambda x, p, training, u: x * (u >= p) / (u >= p).double().mean() if training else x,
            "You divide by the share that happened to stay. Divide by 1 − p, the share that stays on average.",
        ),
        Mistake(
            lambda x, p, training, u: x * (u >= 1 - p) / (1 - p) if training else x,
            "You compare u with 1 − p. A number is dropped where u is below p.",
        ),
        Mistake(
            lambda x, p, training, u: x * (u > p) / (1 - p) if training else x,
            "You drop a number whose u is exactly p, too. Dropped is where u is below p; at p itself the number stays.",
        ),
        Mistake(
            lambda x, p, training, u: x * (u[..., :1] >= p) / (1 - p) if training else x,
            "You drop whole words, by the first of their u. Each number has a u of its own.",
        ),
        Mistake(
            lambda x, p, training, u: x * (u[:1] >= p) / (1 - p) if training else x,
            "All your sentences are dropped by the u of the first one. Each has its own.",
        ),
        Mistake(
            lambda x, p, training, u: (u >= p) / (1 - p) if training else torch.ones_like(x),
            "This is what x is to be multiplied by. Multiply.",
        ),
        Mistake(
            lambda x, p, training, u: x * (x >= p) / (1 - p) if training else x,
            "You compare x with p. It is u that decides, whatever x is.",
        ),
        Mistake(
            lambda x, p, training, u: x[u >= p] / (1 - p) if training else x,
            "What is dropped is gone from your tensor. It becomes 0 and stays in its place, so the shape stays.",
        ),
    ],
    hints=[
        "Not `training`: give x as it is.",
        "`u >= p` is True where a number stays. Multiplied with x, True counts as 1 and False as 0.",
        "Divide what stays by 1 − p, so that the average is as before.",
    ],
)

EXERCISES: list[Exercise] = [SCHEDULE, ADAMW, LOOP, DROPOUT]
