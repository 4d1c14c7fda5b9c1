"""The exercises of chapter 11: a step on paper, cross-attention with its mask, links from a map, the error rate."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tfmlib import evaluation
from tfmlib.masks import causal_mask

from .exercise import Exercise, Mistake

# ---- 11.1 One step on paper: dot products 2 ln 3, 0, 2 ln 4; the third place is <pad>; d_k is 4.

_PRODUCTS = (2 * math.log(3), 0.0, 2 * math.log(4))
_VALUES = ((8, 0), (0, 8), (16, 16))


def _blend(shares: tuple) -> list[float]:
    """The two numbers, where the weights are these shares as they are."""
    return [sum(share * value[n] for share, value in zip(shares, _VALUES, strict=True)) for n in range(2)]


def _mixed(shares: tuple) -> list[float]:
    """The two numbers, where the weights are these shares, divided by their sum."""
    return _blend(tuple(share / sum(shares) for share in shares))


ON_PAPER = Exercise(
    number="11.1",
    name="answer",
    right=[6, 2],
    also_right=[(6, 2.0), torch.tensor([6.0, 2.0]), np.array([6, 2])],
    mistakes=[
        Mistake(
            _mixed((3, 1, 4)),
            "You let the step look at `<pad>`: your weights are 3/8, 1/8 and 4/8. The source's mask forbids the third "
            "place, so its score becomes −∞ and its weight 0.",
        ),
        Mistake(
            _blend((3 / 8, 1 / 8, 0)),
            "You set the weight of `<pad>` to 0 after the softmax, so that the two others sum to 1/2. The mask comes "
            "before it: the score becomes −∞, and what is left sums to 1.",
        ),
        Mistake(
            _mixed((3, 1, 1)),
            "You set the score of `<pad>` to 0, and exp(0) is 1. Set it to −∞, whose exponential is 0.",
        ),
        Mistake([16, 16], "You turned the mask round, so that the step sees `<pad>` alone. It sees the two words."),
        Mistake(
            _mixed((9, 1, 0)),
            "You left the division out: your weights are 9/10 and 1/10. First divide the dot products by √d_k.",
        ),
        Mistake(
            _mixed((math.sqrt(3), 1, 0)),
            "You divided by d_k, which is 4. Divide by its root.",
        ),
        Mistake(_mixed((81, 1, 0)), "You multiplied by √d_k. Divide by it."),
        Mistake(
            _mixed((3 ** math.sqrt(2), 1, 0)),
            "You divided by √2, the root of how many numbers a value has. Divide by √d_k; d_k = 4 belongs to the keys.",
        ),
        Mistake(
            _mixed((9, 1, 16)),
            "Two steps are missing: the division by √d_k, and the mask, which forbids the third place.",
        ),
        Mistake(
            [8, 0],
            "You took the scores themselves as shares, or the value of the best word alone. Take the exponential "
            "of each score: exp(0) is 1, so the second word has a weight, too.",
        ),
        Mistake(
            [4, 4],
            "You gave both words the same weight. The scores make them differ: exp(ln 3) is 3, exp(0) is 1.",
        ),
        Mistake([24, 8], "You mixed with 3 and 1, the exponentials. Weights sum to 1: divide by 3 + 1."),
        Mistake(_mixed((1, 3, 0)), "The two numbers are swapped: the first word has the weight 3/4."),
        Mistake([0.75, 0.25], "These are the weights of the two words. One step more: mix their values with them."),
        Mistake([0.75, 0.25, 0], "These are the weights. One step more: mix the values with them."),
    ],
    hints=[
        "Three steps: divide by √4 = 2, mask, softmax. Then mix the values.",
        "The scores are ln 3, 0 and, since the third place is `<pad>`, −∞. Their exponentials are 3, 1 and 0.",
        "The weights are 3/4, 1/4 and 0. The first number is 3/4 · 8 + 1/4 · 0.",
    ],
)

# ---- 11.2 The whole of it: two inputs, heads, and the source's mask.


def _parts(x: torch.Tensor, n_heads: int) -> torch.Tensor:
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)  # (B, H, T, K)


def _merged(heads: torch.Tensor) -> torch.Tensor:
    return heads.transpose(1, 2).flatten(2)  # (B, T, D)


def _cross_attention(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = x @ W_Q, memory @ W_K, memory @ W_V
    q, k, v = (_parts(z, n_heads) for z in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    scores = scores.masked_fill(~real[:, None, None, :], -math.inf)
    weights = scores.softmax(-1)
    return _merged(weights @ v) @ W_O, weights


def _in_loops(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    (B, T, D), S = x.shape, memory.size(1)
    K = D // n_heads
    out, weights = torch.zeros_like(x), x.new_zeros(B, n_heads, T, S)
    for b in range(B):
        for h in range(n_heads):
            own = slice(h * K, (h + 1) * K)
            words = memory[b, real[b]]  # the words alone: no mask is needed
            scores = x[b] @ W_Q[:, own] @ (words @ W_K[:, own]).T / K**0.5
            shares = scores.softmax(-1)
            weights[b, h][:, real[b]] = shares
            out[b] += shares @ words @ W_V[:, own] @ W_O[own]
    return out, weights


def _by_einsum(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    def own(W):
        return W.unflatten(1, (n_heads, -1))  # (D, H, K)

    q, k, v = (torch.einsum("btd,dhk->bhtk", z, own(W)) for z, W in ((x, W_Q), (memory, W_K), (memory, W_V)))
    scores = torch.einsum("bhtk,bhsk->bhts", q, k) / q.size(-1) ** 0.5
    weights = torch.where(real[:, None, None], scores, -math.inf).softmax(-1)
    return torch.einsum("bhts,bhsk,hkd->btd", weights, v, W_O.unflatten(0, (n_heads, -1))), weights


def _by_torch_nn(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    layer = nn.MultiheadAttention(x.size(-1), n_heads, bias=False, batch_first=True, dtype=x.dtype)
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.cat([W_Q.T, W_K.T, W_V.T]))
        layer.out_proj.weight.copy_(W_O.T)
        return layer(x, memory, memory, key_padding_mask=~real, average_attn_weights=False)


def _in_numpy(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    def parts(z):
        return z.reshape(*z.shape[:2], n_heads, -1).transpose(0, 2, 1, 3)

    x, memory, real, W_Q, W_K, W_V, W_O = (np.asarray(z) for z in (x, memory, real, W_Q, W_K, W_V, W_O))
    q, k, v = parts(x @ W_Q), parts(memory @ W_K), parts(memory @ W_V)
    e = np.exp(q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1])) * real[:, None, None, :]
    weights = e / e.sum(-1, keepdims=True)
    return (weights @ v).transpose(0, 2, 1, 3).reshape(x.shape) @ W_O, weights


def _numbers(*shape: int, seed: int) -> torch.Tensor:
    random = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return random.round(decimals=2).to(torch.get_default_dtype())


def _words_to_read() -> list[tuple]:
    zero, eye = torch.zeros(2, 2), torch.eye(2)
    memory = torch.tensor([[[4.0, 0.0], [0.0, 2.0], [9.0, 9.0]]])
    small = (torch.tensor([[[1.0, 0.0]]]), memory, torch.tensor([[True, True, False]]), zero, zero, eye, eye, 1)
    inputs = [small]
    # T = S once: there, what goes wrong with unequal lengths goes right. Then sizes that are all different.
    for seed, (lengths, T, S, D, H) in enumerate(
        [([3], 3, 3, 4, 2), ([3, 2], 3, 3, 4, 2), ([5, 2], 3, 5, 6, 3), ([7, 5, 1], 2, 7, 12, 4), ([3, 2], 4, 3, 10, 2)]
    ):
        x, y = _numbers(len(lengths), T, D, seed=10 * seed), _numbers(len(lengths), S, D, seed=10 * seed + 1)
        real = torch.arange(S) < torch.tensor(lengths)[:, None]
        inputs.append((x, y, real, *(_numbers(D, D, seed=10 * seed + n) for n in range(2, 6)), H))
    return inputs


def _queries_from_the_memory(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = memory @ W_Q, x @ W_K, x @ W_V
    q, k, v = (_parts(z, n_heads) for z in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    scores = scores.masked_fill(~real[:, None, None, :], -math.inf)
    weights = scores.softmax(-1)
    return _merged(weights @ v) @ W_O, weights


def _queries_from_the_memory_without_a_mask(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = memory @ W_Q, x @ W_K, x @ W_V
    q, k, v = (_parts(z, n_heads) for z in (q, k, v))
    weights = (q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))).softmax(-1)
    return _merged(weights @ v) @ W_O, weights


def _reads_itself(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    q, k, v = (_parts(z, n_heads) for z in (q, k, v))
    weights = (q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))).softmax(-1)
    return _merged(weights @ v) @ W_O, weights


def _values_from_the_decoder(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = x @ W_Q, memory @ W_K, x @ W_V
    q, k, v = (_parts(z, n_heads) for z in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    scores = scores.masked_fill(~real[:, None, None, :], -math.inf)
    weights = scores.softmax(-1)
    return _merged(weights @ v) @ W_O, weights


def _of_the_querys_length(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    B, T, _ = x.shape
    q, k, v = x @ W_Q, memory @ W_K, memory @ W_V
    q, k, v = (z.view(B, T, n_heads, -1).transpose(1, 2) for z in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    scores = scores.masked_fill(~real[:, None, None, :], -math.inf)
    weights = scores.softmax(-1)
    return _merged(weights @ v) @ W_O, weights


def _masked_like_the_target(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = x @ W_Q, memory @ W_K, memory @ W_V
    q, k, v = (_parts(z, n_heads) for z in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    scores = scores.masked_fill(~causal_mask(x.size(1)), -math.inf)
    weights = scores.softmax(-1)
    return _merged(weights @ v) @ W_O, weights


def _source_mask_and_triangle(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = x @ W_Q, memory @ W_K, memory @ W_V
    q, k, v = (_parts(z, n_heads) for z in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    may_attend = real[:, None, None, :] & torch.ones(x.size(1), memory.size(1), dtype=torch.bool).tril()
    scores = scores.masked_fill(~may_attend, -math.inf)
    weights = scores.softmax(-1)
    return _merged(weights @ v) @ W_O, weights


def _keys_from_the_decoder(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = x @ W_Q, x @ W_K, memory @ W_V
    q, k, v = (_parts(z, n_heads) for z in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    scores = scores.masked_fill(~real[:, None, None, :], -math.inf)
    weights = scores.softmax(-1)
    return _merged(weights @ v) @ W_O, weights


def _mask_of_three_axes(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = x @ W_Q, memory @ W_K, memory @ W_V
    q, k, v = (_parts(z, n_heads) for z in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    scores = scores.masked_fill(~real[:, None, :], -math.inf)
    weights = scores.softmax(-1)
    return _merged(weights @ v) @ W_O, weights


def _scores_for_weights(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k = _parts(x @ W_Q, n_heads), _parts(memory @ W_K, n_heads)
    scores = (q @ k.mT / math.sqrt(q.size(-1))).masked_fill(~real[:, None, None, :], -math.inf)
    return _cross_attention(x, memory, real, W_Q, W_K, W_V, W_O, n_heads)[0], scores


def _all_turned(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    return _cross_attention(x, memory, real, W_Q.T, W_K.T, W_V.T, W_O.T, n_heads)


def _with_the_shortcut(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    output, weights = _cross_attention(x, memory, real, W_Q, W_K, W_V, W_O, n_heads)
    return x + output, weights


def _mask_on_the_rows(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = x @ W_Q, memory @ W_K, memory @ W_V
    q, k, v = (_parts(z, n_heads) for z in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    scores = scores.masked_fill(~real[:, None, :, None], -math.inf)
    weights = scores.softmax(-1)
    return _merged(weights @ v) @ W_O, weights


def _softmax_over_the_steps(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = x @ W_Q, memory @ W_K, memory @ W_V
    q, k, v = (_parts(z, n_heads) for z in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    scores = scores.masked_fill(~real[:, None, None, :], -math.inf)
    weights = scores.softmax(-2)
    return _merged(weights @ v) @ W_O, weights


def _softmax_over_the_steps_then_zero(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = x @ W_Q, memory @ W_K, memory @ W_V
    q, k, v = (_parts(z, n_heads) for z in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    weights = scores.softmax(-2).masked_fill(~real[:, None, None, :], 0)
    return _merged(weights @ v) @ W_O, weights


def _axes_swapped(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = x @ W_Q, memory @ W_K, memory @ W_V
    q, k, v = (_parts(z, n_heads) for z in (q, k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    scores = scores.masked_fill(~real[:, None, None, :], -math.inf)
    weights = scores.softmax(-1)
    return _merged(weights @ v) @ W_O, weights.transpose(-2, -1)


def _changed(
    *,
    scale=None,
    fill=-math.inf,
    real=lambda real: real,
    after=None,
    weights=None,
    end=None,
    out=None,
    words=lambda memory, real: memory,
    values=lambda memory, W_V: memory @ W_V,
):
    """The answer with one step replaced."""

    def answer(x, memory, mask, W_Q, W_K, W_V, W_O, n_heads):
        memory = words(memory, mask)
        q, k, v = _parts(x @ W_Q, n_heads), _parts(memory @ W_K, n_heads), _parts(values(memory, W_V), n_heads)
        scores = q @ k.transpose(-2, -1) * (1 / math.sqrt(q.size(-1)) if scale is None else scale(x.size(-1), n_heads))
        if fill is not None:
            scores = scores.masked_fill(~real(mask)[:, None, None, :], fill)
        shares = scores.softmax(-1)
        if after:
            shares = after(shares, mask[:, None, None, :])
        given = (end or _merged)(shares @ v)
        given = given @ W_O if out is None else out(given, W_O)
        return given, (weights(shares) if weights else shares)

    return lambda x, memory, real, W_Q, W_K, W_V, W_O, n_heads: answer(x, memory, real, W_Q, W_K, W_V, W_O, n_heads)


def _reordered(order: str):
    """The answer with W_Q, W_K, W_V in another order."""

    def answer(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
        given = {"Q": W_Q, "K": W_K, "V": W_V}
        return _cross_attention(x, memory, real, *(given[letter] for letter in order), W_O, n_heads)

    return answer


def _one_head(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    return _cross_attention(x, memory, real, W_Q, W_K, W_V, W_O, 1)


def _viewed(x, memory, real, W_Q, W_K, W_V, W_O, n_heads):
    def parts(z):
        return z.reshape(len(z), n_heads, z.size(1), -1)

    q, k, v = parts(x @ W_Q), parts(memory @ W_K), parts(memory @ W_V)
    scores = (q @ k.mT / math.sqrt(q.size(-1))).masked_fill(~real[:, None, None, :], -math.inf)
    weights = scores.softmax(-1)
    return _merged(weights @ v) @ W_O, weights


CROSS = Exercise(
    number="11.2",
    name="cross_attention",
    right=_cross_attention,
    inputs=_words_to_read,
    also_right=[
        _in_loops,
        _by_einsum,
        _by_torch_nn,
        _in_numpy,
        lambda x, memory, real, W_Q, W_K, W_V, W_O, n_heads: [
            part.float() for part in _cross_attention(x, memory, real, W_Q, W_K, W_V, W_O, n_heads)
        ],
        lambda x, memory, real, W_Q, W_K, W_V, W_O, n_heads: (
            _merged(
                F.scaled_dot_product_attention(
                    _parts(x @ W_Q, n_heads),
                    _parts(memory @ W_K, n_heads),
                    _parts(memory @ W_V, n_heads),
                    real[:, None, None, :],
                )
            )
            @ W_O,
            _cross_attention(x, memory, real, W_Q, W_K, W_V, W_O, n_heads)[1],
        ),
    ],
    mistakes=[
        Mistake(
            _queries_from_the_memory,
            "The two inputs are exchanged: your queries come from the memory, and keys and values from the words that "
            "are written. The decoder asks, so queries come from `x`; keys and values come from `memory`.",
            classic="Queries from the encoder",
        ),
        Mistake(
            _queries_from_the_memory_without_a_mask,
            "The two inputs are exchanged: your queries come from the memory, and keys and values from the words that "
            "are written. The decoder asks, so queries come from `x`; keys and values come from `memory`.",
        ),
        Mistake(
            _reads_itself,
            "The memory is not used: queries, keys and values all come from `x`. That is self-attention. Keys and "
            "values come from `memory`.",
        ),
        Mistake(
            _values_from_the_decoder,
            "Your values come from `x`: the words written hand themselves over, in shares that were asked of the "
            "memory. Values come from where the keys come from, from `memory`.",
            classic="Values from the decoder",
        ),
        Mistake(
            _of_the_querys_length,
            "You give keys and values the length of the queries. It works where T = S, and only there. The memory has "
            "S words: take the length from the tensor that is cut.",
            classic="K and V with the query's length",
        ),
        Mistake(
            _masked_like_the_target,
            "This is the causal triangle of the target. The whole source is there before the first word is written, so "
            "each step may see all of it. The mask is `real`, the source's, along the keys.",
            classic="Cross-attention with the target's mask",
        ),
        Mistake(
            _source_mask_and_triangle,
            "You mask the padding, and the future as well. There is no future in the source: each step may see all of "
            "its words. The triangle belongs to self-attention.",
        ),
        Mistake(
            _mask_on_the_rows,
            "Your mask lies along the queries: it blinds the words that ask. It belongs to the keys, the last axis: "
            "`real[:, None, None, :]`.",
            classic="The padding mask on the query axis",
        ),
        Mistake(
            _mask_of_three_axes,
            "Your mask is (B, 1, S). PyTorch lines axes up from the right, so its first axis meets the heads: with one "
            "sentence it works, with as many sentences as heads it masks the wrong ones. It is (B, 1, 1, S): "
            "`real[:, None, None, :]`.",
        ),
        Mistake(
            _keys_from_the_decoder,
            "Your keys come from `x`: the words written are asked about themselves. Keys and values both come from "
            "`memory`.",
        ),
        Mistake(
            _softmax_over_the_steps,
            "Your softmax runs over the words that ask, so that the steps share each source word among them, and a "
            "step depends on those after it. Each step shares its 1 among the source words: the last axis. (A column "
            "of `<pad>` is −∞ throughout, and NaN comes out.)",
            classic="The softmax over the steps",
        ),
        Mistake(
            _softmax_over_the_steps_then_zero,
            "Your softmax runs over the words that ask, so that the steps share each source word among them, and a "
            "step depends on those after it. Each step shares its 1 among the source words: the last axis.",
        ),
        Mistake(
            _changed(fill=None),
            "There is no mask: `<pad>` gets a weight like a word. Set its scores to −∞ before the softmax.",
        ),
        Mistake(
            _changed(real=lambda real: ~real),
            "Your mask is turned round: the steps look at `<pad>` alone, and where there is none, NaN comes out. True "
            "= a word, so fill where `~real`.",
        ),
        Mistake(
            _changed(fill=None, after=lambda shares, real: shares * real),
            "You set the weights of `<pad>` to 0 after the softmax. The rest no longer sums to 1. Set the scores to "
            "−∞ before it.",
        ),
        Mistake(
            _changed(fill=None, words=lambda memory, real: memory * real[:, :, None]),
            "You set the memory of `<pad>` to 0. Its key is 0 then, its score 0, and exp(0) is 1: it takes a weight "
            "away from the words. Set its scores to −∞.",
        ),
        Mistake(
            _changed(fill=0.0),
            "You set the scores of `<pad>` to 0, and exp(0) is 1: `<pad>` gets a weight. Set them to −∞.",
        ),
        Mistake(
            _changed(scale=lambda D, H: 1.0),
            "Your scores are not divided by √K.",
        ),
        Mistake(
            _changed(scale=lambda D, H: 1 / math.sqrt(D)),
            "You divide the scores by √D. A head's queries have K = D / H numbers: divide by √K.",
        ),
        Mistake(
            _changed(scale=lambda D, H: H / D),
            "You divide the scores by K. It is the root of K.",
        ),
        Mistake(
            _changed(values=lambda memory, W_V: memory),
            "W_V is missing: values are `memory @ W_V`, not the memory itself.",
        ),
        Mistake(
            _all_turned,
            "Your four matrices are turned. The word is a row and stands on the left: `x @ W_Q`.",
        ),
        Mistake(
            _one_head,
            "This is one head of D numbers. Cut queries, keys and values into n_heads heads: the weights are "
            "(B, H, T, S).",
        ),
        Mistake(
            _viewed,
            "`view` or `reshape` straight to (B, H, S, K) moves no number, so head 0 gets the first words whole. Cut "
            "each word first, (B, S, H, K), then `transpose(1, 2)`.",
        ),
        Mistake(
            _changed(end=lambda heads: heads.reshape(len(heads), heads.size(2), -1)),
            "The heads are right. On the way back a `transpose(1, 2)` is missing: (B, H, T, K) reshaped to (B, T, D) "
            "mixes the words.",
        ),
        Mistake(
            _changed(out=lambda given, W_O: given),
            "These are the heads, put together. W_O is missing at the end.",
        ),
        Mistake(
            _changed(out=lambda given, W_O: given @ W_O.T),
            "W_O is turned. The word is a row and stands on the left, as in `x @ W_Q`.",
        ),
        Mistake(
            _reordered("QVK"),
            "W_K and W_V are exchanged: keys are `memory @ W_K`, values `memory @ W_V`.",
        ),
        Mistake(
            _reordered("KQV"),
            "W_Q and W_K are exchanged: queries are `x @ W_Q`, keys `memory @ W_K`.",
        ),
        Mistake(
            _with_the_shortcut,
            "You add `x` at the end. That is the shortcut of Add & Norm. Wanted is what the attention alone gives.",
        ),
        Mistake(
            _scores_for_weights,
            "The output is right. What you give beside it are the scores. The weights are what the softmax makes of "
            "them.",
        ),
        Mistake(
            _axes_swapped,
            "The output is right. Your map has its axes swapped, (B, H, S, T). A row belongs to the word that asks: "
            "(B, H, T, S).",
            classic="The map with its axes swapped",
        ),
        Mistake(
            _changed(weights=lambda shares: shares.mean(1)),
            "The output is right. Your weights are the mean of the heads, (B, T, S). Give those of all heads, "
            "(B, H, T, S). (`nn.MultiheadAttention` gives the mean by default.)",
        ),
        Mistake(
            lambda x, memory, real, W_Q, W_K, W_V, W_O, n_heads: _cross_attention(
                x, memory, real, W_Q, W_K, W_V, W_O, n_heads
            )[0],
            "The output is right. The weights are asked for, too: `return output, weights`.",
        ),
        Mistake(
            lambda x, memory, real, W_Q, W_K, W_V, W_O, n_heads: _cross_attention(
                x, memory, real, W_Q, W_K, W_V, W_O, n_heads
            )[::-1],
            "Both are right, in the wrong order: first the output, then the weights.",
        ),
    ],
    hints=[
        "Which of the four matrices meets `x`, and which meet `memory`? Whose words may be `<pad>`?",
        "Queries from `x`; keys and values from `memory`. Cut each into heads with the length that it has itself: "
        "(B, T, H, K) and (B, S, H, K), then `transpose(1, 2)`.",
        "The scores are (B, H, T, S), divided by √K. The mask (B, S) needs two axes of size 1: "
        "`scores.masked_fill(~real[:, None, None, :], -math.inf)`.",
        "Softmax over the last axis, times the values, (B, H, T, K); `transpose(1, 2)`, `flatten(2)`, times W_O. "
        "Return both.",
    ],
)

# ---- 11.3 From the map to the links.


def _link_words(weights: torch.Tensor, n_words: int) -> list[int]:
    return weights.mean(0)[:n_words].argmax(-1).tolist()


def _links_in_loops(weights: torch.Tensor, n_words: int) -> list[int]:
    H, _, S = weights.shape
    found = []
    for t in range(n_words):
        sums = [sum(weights[h, t, s].item() for h in range(H)) for s in range(S)]
        found.append(max(range(S), key=lambda s: sums[s]))
    return found


def _from_the_row_that_reads(weights: torch.Tensor, n_words: int) -> list[int]:
    return weights.mean(0)[1 : n_words + 1].argmax(-1).tolist()


def _over_the_steps(weights: torch.Tensor, n_words: int) -> list[int]:
    return weights.mean(0)[:n_words].argmax(0).tolist()


def _maps_to_link() -> list[tuple]:
    def random(H, T, S, seed):
        scores = 2 * torch.randn(H, T, S, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        return scores.softmax(-1).to(torch.get_default_dtype())

    # Two heads that are not of one mind: the first of them, the mean, and the largest single weight differ.
    split = torch.tensor(
        [
            [[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.2, 0.6, 0.2], [0.6, 0.2, 0.2]],
            [[0.0, 0.6, 0.4], [0.3, 0.6, 0.1], [0.1, 0.0, 0.9], [0.9, 0.1, 0.0]],
        ]
    )
    return [
        (torch.tensor([[[0.1, 0.9], [0.8, 0.2]]]), 1),
        (torch.tensor([[[0.2, 0.1, 0.7], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]]), 2),
        (split, 2),
        (random(4, 7, 5, 11), 4),
        (random(3, 5, 9, 12), 4),
        (random(2, 6, 6, 13), 5),
    ]


LINKS = Exercise(
    number="11.3",
    name="link_words",
    right=_link_words,
    inputs=_maps_to_link,
    also_right=[
        _links_in_loops,
        lambda weights, n_words: weights.sum(0)[:n_words].argmax(-1),
        lambda weights, n_words: np.asarray(weights).mean(0)[:n_words].argmax(1),
        lambda weights, n_words: tuple(_link_words(weights.float(), n_words)),
    ],
    mistakes=[
        Mistake(
            _from_the_row_that_reads,
            "You take for each word the row that *reads* it, one row too low. A step reads one word and writes the "
            "next: word 0 is written by row 0, which has read `<bos>`.",
            classic="The alignment from the row that reads",
        ),
        Mistake(
            _over_the_steps,
            "Your arg max runs over the rows: for each *English* word it finds a step. Wanted is, for each French "
            "word, an English one: the last axis.",
        ),
        Mistake(
            lambda weights, n_words: weights.mean(0).argmax(-1).tolist(),
            "You give a link for each row. Only the first n_words rows write a word; those after them write `<eos>` "
            "or belong to padding.",
        ),
        Mistake(
            lambda weights, n_words: weights.mean(0)[: n_words + 1].argmax(-1).tolist(),
            "There is one link too many: row n_words writes `<eos>`, which is no word of the sentence.",
        ),
        Mistake(
            lambda weights, n_words: weights[0, :n_words].argmax(-1).tolist(),
            "You look at head 0 alone. Take the mean of the heads first, then the largest weight.",
        ),
        Mistake(
            lambda weights, n_words: weights.amax(0)[:n_words].argmax(-1).tolist(),
            "You take the largest weight that any head has. One head can be very sure and wrong. Take the mean of the "
            "heads first.",
        ),
        Mistake(
            lambda weights, n_words: weights[:, :n_words].argmax(-1).tolist(),
            "You give the links of each head by itself. Take the mean of the heads first: one place a word.",
        ),
        Mistake(
            lambda weights, n_words: weights[:, :n_words].argmax(-1).mode(0).values.tolist(),
            "You let each head choose a place, and take the place chosen most often. Take the mean of the weights "
            "first, then choose once.",
        ),
        Mistake(
            lambda weights, n_words: weights[:, :n_words].argmax(-1).double().mean(0).tolist(),
            "You take the mean of the heads' places. Between two words that may be a third. Take the mean of the "
            "weights first, then the place of the largest.",
        ),
        Mistake(
            lambda weights, n_words: weights[:, :n_words].argmax(-1).double().mean(0).round().long().tolist(),
            "You take the mean of the heads' places, and round it. Between two words that may be a third. Take the "
            "mean of the weights first, then the place of the largest.",
        ),
        Mistake(
            lambda weights, n_words: [i + 1 for i in _link_words(weights, n_words)],
            "You count the English words from 1. Count from 0.",
        ),
        Mistake(
            lambda weights, n_words: weights.mean(0)[:n_words].amax(-1).tolist(),
            "These are the largest weights. Wanted are their places: `argmax`, not `amax`.",
        ),
        Mistake(
            lambda weights, n_words: [(i, j) for j, i in enumerate(_link_words(weights, n_words))],
            "You give pairs. The French word is clear from the place in the list: give the English places alone.",
        ),
        Mistake(
            lambda weights, n_words: weights.mean(0)[-n_words:].argmax(-1).tolist(),
            "You take the last n_words rows. The words are written by the first ones: row 0 writes word 0.",
        ),
    ],
    hints=[
        "Which row writes word 0? It has read `<bos>`.",
        "The mean of the heads is over axis 0 and gives (T, S). Then keep the first n_words rows.",
        "`weights.mean(0)[:n_words]`, and `argmax` over the last axis. `tolist()` makes the list.",
    ],
)

# ---- 11.4 The alignment error rate.


def _error_rate(found, sure, possible):
    return evaluation.alignment_error_rate(found, sure, possible)


def _counts(found, sure, possible):
    """|A|, |S|, |P|, |A ∩ S|, |A ∩ P|, each summed over the sentences."""
    both = list(zip(found, sure, possible, strict=True))
    return (
        sum(len(a) for a, _, _ in both),
        sum(len(s) for _, s, _ in both),
        sum(len(p) for _, _, p in both),
        sum(len(a & s) for a, s, _ in both),
        sum(len(a & p) for a, _, p in both),
    )


def _of_counts(rate):
    def answer(found, sure, possible):
        return rate(*_counts(found, sure, possible))

    return answer


def _mean_of_sentences(found, sure, possible):
    rates = [_error_rate([a], [s], [p]) for a, s, p in zip(found, sure, possible, strict=True)]
    return sum(rates) / len(rates)


def _in_one_bag(found, sure, possible):
    return _error_rate([set().union(*found)], [set().union(*sure)], [set().union(*possible)])


def _turned(found, sure, possible):
    return _error_rate([{(j, i) for i, j in links} for links in found], sure, possible)


def _by_pairs(found, sure, possible):
    hits = total = 0
    for a, s, p in zip(found, sure, possible, strict=True):
        hits += sum(link in s for link in a) + sum(link in p for link in a)
        total += len(a) + len(s)
    return (total - hits) / total


def _possible_without_sure(found, sure, possible):
    return _error_rate(found, sure, [p - s for s, p in zip(sure, possible, strict=True)])


def _of_unions(found, sure, possible):
    both = list(zip(found, sure, possible, strict=True))
    return 1 - sum(len(a | s) + len(a | p) for a, s, p in both) / sum(len(a) + len(s) for a, s, _ in both)


def _links_to_count() -> list[tuple]:
    return [
        ([{(0, 0), (1, 1), (2, 2)}], [{(0, 0), (3, 2)}], [{(0, 0), (3, 2), (1, 1)}]),
        ([{(0, 0), (1, 1)}], [{(0, 0), (1, 1)}], [{(0, 0), (1, 1), (2, 1)}]),
        ([{(0, 1), (1, 0), (2, 2)}], [{(0, 1), (1, 0)}], [{(0, 1), (1, 0), (2, 3)}]),
        (
            [{(0, 0), (1, 2), (2, 1), (3, 3)}, {(0, 0), (2, 1)}, {(1, 0)}],
            [{(0, 0), (1, 2), (2, 1)}, {(1, 0), (2, 1), (3, 2)}, {(0, 0)}],
            [{(0, 0), (1, 2), (2, 1), (3, 3)}, {(1, 0), (2, 1), (3, 2), (0, 0)}, {(0, 0), (0, 1)}],
        ),
    ]


ERROR_RATE = Exercise(
    number="11.4",
    name="error_rate",
    right=_error_rate,
    inputs=_links_to_count,
    also_right=[
        _by_pairs,
        _of_counts(lambda a, s, p, a_s, a_p: 1 - (a_s + a_p) / (a + s)),
        lambda found, sure, possible: torch.tensor(_error_rate(found, sure, possible)),
    ],
    mistakes=[
        Mistake(
            _of_counts(lambda a, s, p, a_s, a_p: (a_s + a_p) / (a + s)),
            "This is the share that is right. The error rate is 1 less that.",
        ),
        Mistake(
            _of_counts(lambda a, s, p, a_s, a_p: 1 - a_s / a),
            "You count the found links that are not sure. A possible one is no error, and a sure one that is missing "
            "is one: 1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|).",
        ),
        Mistake(
            _of_counts(lambda a, s, p, a_s, a_p: 1 - a_p / a),
            "You count the found links that are wrong, and forget the sure ones that were not found.",
        ),
        Mistake(
            _of_counts(lambda a, s, p, a_s, a_p: 1 - a_s / s),
            "You count the sure links that are missing, and forget the found ones that are wrong.",
        ),
        Mistake(
            _of_counts(lambda a, s, p, a_s, a_p: 1 - 2 * a_s / (a + s)),
            "You count |A ∩ S| twice, so that a possible link is an error. The second term is |A ∩ P|.",
        ),
        Mistake(
            _of_counts(lambda a, s, p, a_s, a_p: 1 - 2 * a_p / (a + s)),
            "You count |A ∩ P| twice. The first term is |A ∩ S|.",
        ),
        Mistake(
            _of_counts(lambda a, s, p, a_s, a_p: 1 - (a_s + a_p) / (a + p)),
            "You divide by |A| + |P|. A possible link need not be found: divide by |A| + |S|.",
        ),
        Mistake(
            _possible_without_sure,
            "You take the sure links out of P, so that a sure link counts once. P holds the sure ones, too: a sure "
            "link that was found counts twice, in |A ∩ S| and in |A ∩ P|.",
        ),
        Mistake(
            _of_unions,
            "`a | b` is what is in one or the other. What they share is `a & b`.",
        ),
        Mistake(
            _of_counts(lambda a, s, p, a_s, a_p: 1 - a_s / (a + s - a_s)),
            "This is 1 − |A ∩ S| / |A ∪ S|. The error rate counts the possible links, too, and divides by |A| + |S|.",
        ),
        Mistake(
            lambda found, sure, possible: _error_rate(found[:1], sure[:1], possible[:1]),
            "You count the first sentence alone. Go through all of them.",
        ),
        Mistake(
            _mean_of_sentences,
            "You take the mean of the sentences' rates, so that a short sentence counts as much as a long one. Sum "
            "each count over the sentences, then divide once.",
        ),
        Mistake(
            _in_one_bag,
            "You put the links of all sentences into one set. The link (0, 0) of one sentence is not the (0, 0) of "
            "another: compare sentence by sentence, and add up the counts.",
        ),
        Mistake(
            _turned,
            "Your links are turned round, (j, i) against (i, j). In all three lists the source word comes first.",
        ),
        Mistake(
            _of_counts(lambda a, s, p, a_s, a_p: 100 * (1 - (a_s + a_p) / (a + s))),
            "It is right in percent. Wanted is a number from 0 to 1.",
        ),
        Mistake(
            lambda found, sure, possible: [
                _error_rate([a], [s], [p]) for a, s, p in zip(found, sure, possible, strict=True)
            ],
            "You give a rate for each sentence. Wanted is one number: sum each count over the sentences first.",
        ),
    ],
    hints=[
        "Which four counts are in the formula of the chapter? For sets, `a & b` is what they share, and `len` counts.",
        "Go through the three lists together, with `zip`, and add up two numbers: the hits, |A ∩ S| + |A ∩ P|, and the "
        "total, |A| + |S|.",
        "At the end, `1 - hits / total`. In the example the hits are 1 + 2 and the total 3 + 2.",
    ],
)

EXERCISES = [ON_PAPER, CROSS, LINKS, ERROR_RATE]
