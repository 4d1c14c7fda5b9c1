"""The exercises of chapter 6: two heads on paper, splitting, what each head adds, the whole of multi-head attention."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .exercise import Exercise, Mistake

# ---- 6.1 Two heads on paper: (1, 2) and (3, 1), and a W_O of 4 × 4.

PAPER = Exercise(
    number="6.1",
    name="answer",
    right=[4, 7, 2, 3],
    also_right=[(4.0, 7.0, 2.0, 3.0), torch.tensor([4, 7, 2, 3]), np.array([4.0, 7.0, 2.0, 3.0])],
    mistakes=[
        Mistake([1, 2, 3, 1], "These are the two heads, concatenated. W_O is still to come."),
        Mistake(
            [4, 6, 6, 3],
            "You put head 1 before head 0. Head 0 has the upper two rows of W_O, head 1 the lower two.",
        ),
        Mistake(
            [7, 3, 3, 5],
            "You took the columns of W_O for its rows: that is W_O times a column. Here the word is a row, and "
            "stands on the left: 1 times the first row, 2 times the second, and so on.",
        ),
        Mistake([1, 2, 2, 2], "This is what head 0 adds. Head 1 adds something, too, by the lower two rows."),
        Mistake([3, 5, 0, 1], "This is what head 1 adds. Head 0 adds something, too, by the upper two rows."),
        Mistake([2, 3.5, 1, 1.5], "You took the mean of what the two heads add. They are added, and not divided by 2."),
        Mistake(
            [4, 3, 8, 3],
            "Both your heads use the upper two rows of W_O. The lower two are head 1's.",
        ),
        Mistake(
            [1, 2, 2, 2, 3, 5, 0, 1],
            "These are the contributions of the two heads, side by side. They are added, number by number.",
        ),
        Mistake(
            [[1, 2, 2, 2], [3, 5, 0, 1]],
            "These are the contributions of the two heads. They are added, number by number.",
        ),
        Mistake([3, 10, 0, 2], "You multiplied what the two heads add. It is their sum."),
        Mistake(
            [3, 7, 2, 4],
            "You shuffled the heads into each other: (1, 3, 2, 1). Head 0 comes whole, then head 1: (1, 2, 3, 1).",
        ),
        Mistake(
            [4, 3],
            "You added the heads before W_O. They are put side by side first, since each has rows of its own in W_O.",
        ),
    ],
    hints=[
        "Write the heads one behind the other. That is one row of four numbers.",
        "A row times a matrix is a mix of the matrix's rows: the first number times the first row, plus the second "
        "number times the second row, and so on.",
        "Head 0 adds 1 · (1, 0, 2, 0) + 2 · (0, 1, 0, 1) = (1, 2, 2, 2). Now head 1 with the lower two rows, and the "
        "sum of both.",
    ],
)


def _numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    """Random numbers with one decimal, from −1.5 to 1.5."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-15, 16, shape, generator=generator) / 10


# ---- 6.2 Splitting what one product gave for queries, keys and values.


def _split(qkv: torch.Tensor, n_heads: int) -> torch.Tensor:
    return qkv.unflatten(-1, (3, n_heads, -1)).permute(2, 0, 3, 1, 4)


def _split_in_loops(qkv: torch.Tensor, n_heads: int) -> list:
    B, S, width = qkv.shape
    D, K = width // 3, width // 3 // n_heads
    return [
        [
            [[qkv[b, s, n * D + h * K : n * D + (h + 1) * K].tolist() for s in range(S)] for h in range(n_heads)]
            for b in range(B)
        ]
        for n in range(3)
    ]


def _each(qkv: torch.Tensor, step) -> torch.Tensor:
    """Queries, keys and values, each done by `step`."""
    return torch.stack([step(part) for part in qkv.chunk(3, -1)])


def _viewed(x: torch.Tensor, n_heads: int) -> torch.Tensor:
    """(B, S, D) → (B, H, S, K) by counting the numbers off anew: the mistake."""
    return x.reshape(len(x), n_heads, x.size(1), -1)


SPLIT = Exercise(
    number="6.2",
    name="split_heads",
    right=_split,
    inputs=lambda: [
        (torch.arange(24.0).reshape(1, 2, 12), 2),
        (torch.arange(90.0).reshape(1, 5, 18), 3),
        (torch.arange(2 * 3 * 24.0).reshape(2, 3, 24), 2),
        (torch.arange(3 * 2 * 60.0).reshape(3, 2, 60), 5),
    ],
    also_right=[
        _split_in_loops,
        lambda qkv, n_heads: _each(qkv, lambda x: x.unflatten(-1, (n_heads, -1)).transpose(1, 2)),
        lambda qkv, n_heads: tuple(x.unflatten(-1, (n_heads, -1)).transpose(1, 2) for x in qkv.chunk(3, -1)),
        lambda qkv, n_heads: torch.stack(qkv.chunk(3 * n_heads, -1)).unflatten(0, (3, n_heads)).transpose(1, 2),
        lambda qkv, n_heads: (
            qkv.numpy().reshape(*qkv.shape[:2], 3, n_heads, -1).transpose(2, 0, 3, 1, 4).astype(np.float32)
        ),
    ],
    mistakes=[
        Mistake(
            lambda qkv, n_heads: _each(qkv, lambda x: _viewed(x, n_heads)),
            "`view` or `reshape` straight to (B, H, S, K) moves no number: head 0 gets the first words whole, and "
            "nothing of the others. Cut each word first, (B, S, H, K), then `transpose(1, 2)`.",
        ),
        Mistake(
            lambda qkv, n_heads: _each(qkv, lambda x: x.view(len(x), n_heads, x.size(1), -1)),
            "`view` straight to (B, H, S, K) mixes the words, where it does not fail: it moves no number. Cut each "
            "word first, (B, S, H, K), then `transpose(1, 2)`.",
        ),
        Mistake(
            lambda qkv, n_heads: qkv.reshape(3, len(qkv), n_heads, qkv.size(1), -1),
            "You reshape all at once, and words, heads, and queries, keys and values are mixed up: `reshape` moves no "
            "number. Take the last axis apart first, (B, S, 3, H, K), then bring the axes into their order.",
        ),
        Mistake(
            lambda qkv, n_heads: qkv.reshape(*qkv.shape[:2], n_heads, 3, -1).permute(3, 0, 2, 1, 4),
            "You take the last axis apart as (H, 3, K), as if each head's query, key and value stood side by side. "
            "First come the queries of all heads, then all keys, then all values: (3, H, K).",
        ),
        Mistake(
            lambda qkv, n_heads: _each(qkv, lambda x: x.unflatten(-1, (n_heads, -1))),
            "Your heads stand behind the words: (3, B, S, H, K). One `transpose` is missing, so that it is "
            "(3, B, H, S, K), and a product works on each head's words.",
        ),
        Mistake(
            lambda qkv, n_heads: _each(qkv, lambda x: x.unflatten(-1, (-1, n_heads)).transpose(1, 2)),
            "n_heads and d_k are swapped: you made K heads of H numbers. Take the D numbers apart as (H, K): the "
            "heads first, then the numbers of each.",
        ),
        Mistake(
            lambda qkv, n_heads: _each(qkv, lambda x: x.unflatten(-1, (-1, n_heads)).permute(0, 3, 1, 2)),
            "Your head i gets every H-th number, beginning with number i. A head's K numbers are neighbours: take "
            "the D numbers apart as (H, K), not as (K, H).",
        ),
        Mistake(
            lambda qkv, n_heads: _each(qkv, lambda x: x.unflatten(-1, (n_heads, -1)).permute(0, 2, 3, 1)),
            "Your words are the last axis: (3, B, H, K, S). Wanted is (3, B, H, S, K): a row for each word.",
        ),
        Mistake(
            lambda qkv, n_heads: _each(qkv, lambda x: x.unflatten(-1, (n_heads, -1)).permute(2, 1, 0, 3)).transpose(
                1, 2
            ),
            "Words and heads are in place of the batch: your shape is (3, S, H, B, K). The batch stays in front.",
        ),
        Mistake(
            lambda qkv, n_heads: _each(qkv, lambda x: x.unflatten(-1, (n_heads, -1)).permute(2, 0, 1, 3)),
            "Your heads stand before the batch: (3, H, B, S, K). Wanted is (3, B, H, S, K).",
        ),
        Mistake(
            lambda qkv, n_heads: _split(qkv, n_heads).transpose(0, 1),
            "Your batch stands before queries, keys and values: (B, 3, H, S, K). Wanted is (3, B, H, S, K), so that "
            "`q, k, v = ...` can take it apart.",
        ),
        Mistake(
            lambda qkv, n_heads: _split(qkv, n_heads).flip(2),
            "Your heads are in reversed order. Head 0 has the first K numbers of each word.",
        ),
        Mistake(
            lambda qkv, n_heads: qkv.unflatten(-1, (-1, 3)).unflatten(-2, (n_heads, -1)).permute(4, 0, 2, 1, 3),
            "You take every third number for the queries. The first D numbers of a word are its query, the next D its "
            "key, the last D its value.",
        ),
        Mistake(
            lambda qkv, n_heads: torch.stack(qkv.chunk(3, -1)),
            "Queries, keys and values are apart, but nothing is split into heads: (3, B, S, D). Cut each word's D "
            "numbers into n_heads heads of K.",
        ),
        Mistake(
            lambda qkv, n_heads: torch.stack(qkv.chunk(3, -1)).unflatten(-1, (n_heads, -1)).transpose(1, 2),
            "You swapped the batch with the words: (3, S, B, H, K). With the 3 in front, words and heads are axes 2 "
            "and 3: `transpose(2, 3)`.",
        ),
        Mistake(
            lambda qkv, n_heads: torch.cat(
                [x.unflatten(-1, (n_heads, -1)).transpose(1, 2) for x in qkv.chunk(3, -1)], -1
            ),
            "Each is split, and then you put query, key and value end to end again: (B, H, S, 3K). Give the three an "
            "axis of their own, in front: `torch.stack` makes one, `torch.cat` does not.",
        ),
        Mistake(
            lambda qkv, n_heads: torch.cat([x.unflatten(-1, (n_heads, -1)).transpose(1, 2) for x in qkv.chunk(3, -1)]),
            "Each is split, and then the three stand behind one another in the batch: (3B, H, S, K). Give them an "
            "axis of their own, in front: `torch.stack` makes one, `torch.cat` does not.",
        ),
        Mistake(
            lambda qkv, n_heads: _split(qkv, n_heads)[0],
            "These are the queries alone. The keys and the values are wanted, too: (3, B, H, S, K).",
        ),
        Mistake(
            lambda qkv, n_heads: qkv.unflatten(-1, (n_heads, -1)).transpose(1, 2),
            "You cut all 3D numbers into heads at once, so that the first heads get queries and the last ones values. "
            "Take queries, keys and values apart first, then cut each of them.",
        ),
    ],
    hints=[
        "Two cuts, then a change of order. The last axis holds 3 · H · K numbers, in this order: first which of the "
        "three, then which head, then which number.",
        "`unflatten(-1, (3, n_heads, -1))` takes the last axis apart: (B, S, 3, H, K). No number moves by that.",
        "Now the order of the axes: `permute(2, 0, 3, 1, 4)` puts the third axis first, then the batch, then the "
        "heads, then the words. Two `transpose` do it, too.",
    ],
)

# ---- 6.3 What each head adds.


def _rows(W_O: torch.Tensor, heads: torch.Tensor) -> torch.Tensor:
    """(D, D) → (H, K, D): the rows of each head."""
    return W_O.unflatten(0, (heads.size(1), -1))


def _added(heads: torch.Tensor, W_O: torch.Tensor) -> torch.Tensor:
    return heads @ _rows(W_O, heads)


def _joined(heads: torch.Tensor, W_O: torch.Tensor) -> torch.Tensor:
    return heads.transpose(1, 2).flatten(2) @ W_O


def _added_in_loops(heads: torch.Tensor, W_O: torch.Tensor) -> torch.Tensor:
    K = heads.size(-1)
    return torch.stack([heads[:, i] @ W_O[i * K : (i + 1) * K] for i in range(heads.size(1))], 1)


def _added_by_zeros(heads: torch.Tensor, W_O: torch.Tensor) -> torch.Tensor:
    alone = torch.zeros(heads.size(1), *heads.shape, dtype=heads.dtype)
    for i in range(heads.size(1)):
        alone[i, :, i] = heads[:, i]
    return torch.stack([_joined(one, W_O) for one in alone], 1)


CONTRIBUTIONS = Exercise(
    number="6.3",
    name="contributions",
    right=_added,
    inputs=lambda: [
        (
            torch.tensor([[[[1.0, 2.0]], [[3.0, 1.0]]]]),
            torch.tensor([[1.0, 0, 2, 0], [0, 1, 0, 1], [1, 1, 0, 0], [0, 2, 0, 1]]),
        ),
        (_numbers(1, 3, 2, 2), _numbers(6, 6, seed=1)),
        (_numbers(2, 2, 4, 3, seed=2), _numbers(6, 6, seed=3)),
        (_numbers(3, 4, 5, 2, seed=4), _numbers(8, 8, seed=5)),
    ],
    also_right=[
        _added_in_loops,
        _added_by_zeros,
        lambda heads, W_O: torch.einsum("bhsk,hkd->bhsd", heads, _rows(W_O, heads)),
        lambda heads, W_O: _added(heads, W_O).float(),
        lambda heads, W_O: heads.numpy() @ W_O.numpy().reshape(heads.shape[1], heads.shape[3], -1),
    ],
    mistakes=[
        Mistake(
            _joined,
            "This is the output of the whole attention: the contributions are added already. Keep them apart, "
            "(B, H, S, D).",
        ),
        Mistake(
            lambda heads, W_O: _added(heads, W_O.T),
            "Your heads have columns of W_O. A head has K of its *rows*: head 0 the first K, head 1 the next K.",
        ),
        Mistake(
            lambda heads, W_O: torch.stack(
                [heads[:, i] @ W_O[:, i * heads.size(-1) : (i + 1) * heads.size(-1)] for i in range(heads.size(1))],
                1,
            ),
            "You cut columns out of W_O, (D, K), which do not fit to K numbers on the left. A head has K of its "
            "*rows*: `W_O[i * K : (i + 1) * K]`.",
        ),
        Mistake(
            lambda heads, W_O: heads @ W_O[: heads.size(-1)],
            "All your heads use the first K rows of W_O. Each has rows of its own: head i those from i·K to (i + 1)·K.",
        ),
        Mistake(
            lambda heads, W_O: heads @ _rows(W_O, heads).flip(0),
            "Your head 0 has the last K rows of W_O. It has the first: the heads count from the top.",
        ),
        Mistake(
            lambda heads, W_O: heads @ W_O.unflatten(0, (-1, heads.size(1))).transpose(0, 1),
            "Your head i has every H-th row of W_O. The rows of a head are neighbours: head i has those from i·K to "
            "(i + 1)·K.",
        ),
        Mistake(
            lambda heads, W_O: torch.stack(
                [
                    heads[:, i]
                    @ W_O[i * heads.size(-1) : (i + 1) * heads.size(-1)][
                        :, i * heads.size(-1) : (i + 1) * heads.size(-1)
                    ]
                    for i in range(heads.size(1))
                ],
                1,
            ),
            "You cut W_O by rows and by columns, so that each head gives K numbers. Cut the rows alone: each head "
            "gives D numbers.",
        ),
        Mistake(
            lambda heads, W_O: _added(heads, W_O) / heads.size(1),
            "You divide by the number of heads. The output is the sum of the contributions, and not their mean.",
        ),
        Mistake(
            lambda heads, W_O: _joined(heads, W_O).unflatten(-1, (heads.size(1), -1)).transpose(1, 2),
            "You cut the *output* into heads. But W_O has mixed the heads: its first K numbers are not head 0's. "
            "Multiply each head with its own rows of W_O.",
        ),
        Mistake(
            lambda heads, W_O: _added(heads, W_O).transpose(0, 1),
            "Your heads stand before the batch: (H, B, S, D). Wanted is (B, H, S, D).",
        ),
        Mistake(
            lambda heads, W_O: _added(heads, W_O).transpose(1, 2),
            "Your words stand before the heads: (B, S, H, D). Wanted is (B, H, S, D).",
        ),
        Mistake(
            lambda heads, W_O: _added(heads, W_O).flatten(1, 2),
            "The contributions are right, but one behind the other: (B, H·S, D). Give the heads an axis of their own: "
            "`torch.stack(..., 1)` makes one, `torch.cat` does not.",
        ),
        Mistake(
            lambda heads, W_O: _added(heads, W_O).transpose(1, 2).flatten(2),
            "The contributions are right, but end to end in one row: (B, S, H·D). Give the heads an axis of their "
            "own: `torch.stack(..., 1)`.",
        ),
        Mistake(
            lambda heads, W_O: _joined(heads, W_O)[:, None].expand(-1, heads.size(1), -1, -1) / heads.size(1),
            "You give each head the same share of the output. Each adds something of its own: its K numbers times "
            "its K rows of W_O.",
        ),
        Mistake(
            lambda heads, W_O: _added(heads, W_O).cumsum(1),
            "You add them up on the way: head 1 has what heads 0 and 1 add together. Keep each by itself.",
        ),
        Mistake(
            lambda heads, W_O: torch.cat(
                [
                    F.pad(head, (i * head.size(-1), (heads.size(1) - 1 - i) * head.size(-1)))
                    for i, head in enumerate(heads.split(1, 1))
                ],
                1,
            ),
            "Each head stands in its own K numbers and 0 in the others: that is before W_O. Multiply by W_O.",
        ),
    ],
    hints=[
        "The concatenated row has D = H · K numbers. Head i's are those from i·K to (i + 1)·K. Which rows of W_O do "
        "they meet?",
        "The same ones: `W_O[i * K : (i + 1) * K]`, of the shape (K, D). So head i adds `heads[:, i] @ W_O_i`, "
        "(B, S, D). A loop over i, and `torch.stack(..., 1)`.",
        "Without a loop: `W_O.unflatten(0, (H, K))` is (H, K, D). A product broadcasts over the batch.",
    ],
)

# ---- 6.4 The whole of it.


def _parts(x: torch.Tensor, n_heads: int) -> torch.Tensor:
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)  # (B, H, T, K)


def _merged(heads: torch.Tensor) -> torch.Tensor:
    return heads.transpose(1, 2).flatten(2)  # (B, T, D)


def _weights(q: torch.Tensor, k: torch.Tensor, scale: float | None = None, dim: int = -1) -> torch.Tensor:
    scale = 1 / math.sqrt(q.size(-1)) if scale is None else scale
    return (scale * q @ k.transpose(-2, -1)).softmax(dim)  # (B, H, T, S)


def _attended(
    x, y, W_Q, W_K, W_V, W_O, n_heads, *, split=_parts, merge=_merged, scale=None, dim=-1, share=None, heads=None
):
    """Multi-head attention with one of its steps replaced."""
    q, k, v = split(x @ W_Q, n_heads), split(y @ W_K, n_heads), split(y @ W_V, n_heads)
    weights = _weights(q, k, scale, dim)
    done = (weights if share is None else share(weights)) @ v
    return merge(done if heads is None else heads(done)) @ W_O


def _multi_head(x, y, W_Q, W_K, W_V, W_O, n_heads):
    return _attended(x, y, W_Q, W_K, W_V, W_O, n_heads)


def _with(**replaced):
    """The answer with steps replaced; a step that is given by name gets the sizes (D, H)."""

    def answer(x, y, W_Q, W_K, W_V, W_O, n_heads):
        steps = dict(replaced)
        if callable(scale := steps.get("scale")):
            steps["scale"] = scale(x.size(-1), n_heads)
        return _attended(x, y, W_Q, W_K, W_V, W_O, n_heads, **steps)

    return answer


def _one_head(x, y, W_Q, W_K, W_V, W_O, n_heads):
    return _weights(x @ W_Q, y @ W_K) @ (y @ W_V) @ W_O


def _in_steps(x, y, W_Q, W_K, W_V, W_O, n_heads):
    def split(z):
        return z.unflatten(-1, (n_heads, -1)).transpose(1, 2)

    q, k, v = split(x @ W_Q), split(y @ W_K), split(y @ W_V)  # (B, H, T or S, K)
    weights = (q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))).softmax(-1)  # (B, H, T, S)
    heads = weights @ v  # (B, H, T, K)
    return heads.transpose(1, 2).flatten(2) @ W_O


def _split_by_view(x, y, W_Q, W_K, W_V, W_O, n_heads):
    def split(z):
        return z.reshape(len(z), n_heads, z.size(1), -1)

    q, k, v = split(x @ W_Q), split(y @ W_K), split(y @ W_V)  # (B, H, T or S, K)
    weights = (q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))).softmax(-1)  # (B, H, T, S)
    heads = weights @ v  # (B, H, T, K)
    return heads.transpose(1, 2).flatten(2) @ W_O


def _joined_by_view(x, y, W_Q, W_K, W_V, W_O, n_heads):
    def split(z):
        return z.unflatten(-1, (n_heads, -1)).transpose(1, 2)

    q, k, v = split(x @ W_Q), split(y @ W_K), split(y @ W_V)  # (B, H, T or S, K)
    weights = (q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))).softmax(-1)  # (B, H, T, S)
    heads = weights @ v  # (B, H, T, K)
    return heads.reshape(len(x), x.size(1), -1) @ W_O


def _scaled_by_the_model(x, y, W_Q, W_K, W_V, W_O, n_heads):
    def split(z):
        return z.unflatten(-1, (n_heads, -1)).transpose(1, 2)

    q, k, v = split(x @ W_Q), split(y @ W_K), split(y @ W_V)  # (B, H, T or S, K)
    weights = (q @ k.transpose(-2, -1) / math.sqrt(x.size(-1))).softmax(-1)  # (B, H, T, S)
    heads = weights @ v  # (B, H, T, K)
    return heads.transpose(1, 2).flatten(2) @ W_O


def _of_the_querys_length(x, y, W_Q, W_K, W_V, W_O, n_heads):
    def split(z):
        return z.view(len(x), x.size(1), n_heads, -1).transpose(1, 2)

    q, k, v = split(x @ W_Q), split(y @ W_K), split(y @ W_V)  # (B, H, T or S, K)
    weights = (q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))).softmax(-1)  # (B, H, T, S)
    heads = weights @ v  # (B, H, T, K)
    return heads.transpose(1, 2).flatten(2) @ W_O


def _split_before(x, y, W_Q, W_K, W_V, W_O, n_heads):
    def split(z):
        return z.unflatten(-1, (n_heads, -1)).transpose(1, 2)

    def own(W):
        return torch.stack([part.chunk(n_heads, 1)[i] for i, part in enumerate(W.chunk(n_heads))])

    q, k, v = split(x) @ own(W_Q), split(y) @ own(W_K), split(y) @ own(W_V)  # (B, H, T or S, K)
    weights = (q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))).softmax(-1)  # (B, H, T, S)
    heads = weights @ v  # (B, H, T, K)
    return heads.transpose(1, 2).flatten(2) @ W_O


def _in_loops(x, y, W_Q, W_K, W_V, W_O, n_heads):
    out = torch.zeros_like(x)
    K = x.size(-1) // n_heads
    for b in range(len(x)):
        for i in range(n_heads):
            own = slice(i * K, (i + 1) * K)
            q, k, v = x[b] @ W_Q[:, own], y[b] @ W_K[:, own], y[b] @ W_V[:, own]
            out[b] += (q @ k.T / K**0.5).softmax(-1) @ v @ W_O[own]
    return out


def _by_torch_nn(x, y, W_Q, W_K, W_V, W_O, n_heads):
    layer = nn.MultiheadAttention(x.size(-1), n_heads, bias=False, batch_first=True, dtype=x.dtype)
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.cat([W_Q.T, W_K.T, W_V.T]))
        layer.out_proj.weight.copy_(W_O.T)
        return layer(x, y, y)[0]


def _by_einsum(x, y, W_Q, W_K, W_V, W_O, n_heads):
    def own(W):
        return W.unflatten(1, (n_heads, -1))  # (D, H, K)

    q, k, v = (torch.einsum("btd,dhk->bhtk", z, own(W)) for z, W in ((x, W_Q), (y, W_K), (y, W_V)))
    weights = (torch.einsum("bhtk,bhsk->bhts", q, k) / q.size(-1) ** 0.5).softmax(-1)
    return torch.einsum("bhts,bhsk,hkd->btd", weights, v, W_O.unflatten(0, (n_heads, -1)))


def _in_numpy(x, y, W_Q, W_K, W_V, W_O, n_heads):
    def parts(z):
        return z.reshape(*z.shape[:2], n_heads, -1).transpose(0, 2, 1, 3)

    x, y, W_Q, W_K, W_V, W_O = (np.asarray(z) for z in (x, y, W_Q, W_K, W_V, W_O))
    q, k, v = parts(x @ W_Q), parts(y @ W_K), parts(y @ W_V)
    e = np.exp(q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1]))
    return ((e / e.sum(-1, keepdims=True)) @ v).transpose(0, 2, 1, 3).reshape(x.shape) @ W_O


def _words_and_weights() -> list[tuple]:
    eye = torch.eye(2)
    inputs = [(torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]), eye, eye, eye, eye, 2)]
    # T = S once: there, what goes wrong with unequal lengths goes right. Then sizes that are all different.
    for seed, (B, T, S, D, H) in enumerate([(1, 3, 3, 4, 2), (2, 3, 5, 6, 3), (2, 4, 3, 10, 2), (3, 2, 7, 12, 4)]):
        x, y = _numbers(B, T, D, seed=10 * seed), _numbers(B, S, D, seed=10 * seed + 1)
        inputs.append((x, y, *(_numbers(D, D, seed=10 * seed + n) for n in range(2, 6)), H))
    return inputs


def _projected(x, y, W_Q, W_K, W_V, n_heads):
    return _parts(x @ W_Q, n_heads), _parts(y @ W_K, n_heads), _parts(y @ W_V, n_heads)


def _fast(x, y, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = _projected(x, y, W_Q, W_K, W_V, n_heads)
    return _merged(F.scaled_dot_product_attention(q, k, v)) @ W_O


def _without_softmax(x, y, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = _projected(x, y, W_Q, W_K, W_V, n_heads)
    return _merged(q @ k.mT / math.sqrt(q.size(-1)) @ v) @ W_O


def _scaled_too_late(x, y, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = _projected(x, y, W_Q, W_K, W_V, n_heads)
    return _merged(_weights(q, k, 1.0) / math.sqrt(q.size(-1)) @ v) @ W_O


def _over_all_pairs(x, y, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = _projected(x, y, W_Q, W_K, W_V, n_heads)
    scores = q @ k.mT / math.sqrt(q.size(-1))
    return _merged(scores.flatten(2).softmax(-1).view_as(scores) @ v) @ W_O


def _causal(x, y, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = _projected(x, y, W_Q, W_K, W_V, n_heads)
    return _merged(F.scaled_dot_product_attention(q, k, v, is_causal=True)) @ W_O


def _parts_added(x, y, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = _projected(x, y, W_Q, W_K, W_V, n_heads)
    return (_weights(q, k) @ v @ W_O[: q.size(-1)]).sum(1)


MULTI_HEAD = Exercise(
    number="6.4",
    name="multi_head",
    right=_multi_head,
    inputs=_words_and_weights,
    also_right=[
        _in_steps,
        _in_loops,
        _by_torch_nn,
        _by_einsum,
        _in_numpy,
        _fast,
        lambda x, y, W_Q, W_K, W_V, W_O, n_heads: _multi_head(x, y, W_Q, W_K, W_V, W_O, n_heads).float(),
    ],
    mistakes=[
        Mistake(
            _split_by_view,
            "`view` or `reshape` straight to (B, H, T, K) moves no number: head 0 gets the first words whole, and "
            "nothing of the others. Cut each word first, (B, T, H, K), then `transpose(1, 2)`.",
            classic="view without transpose",
        ),
        Mistake(
            _joined_by_view,
            "The heads are right. On the way back, a `transpose(1, 2)` is missing: (B, H, T, K) reshaped to "
            "(B, T, D) mixes the words. First (B, T, H, K), then join the last two axes.",
            classic="Joined without transposing back",
        ),
        Mistake(
            _with(split=_viewed, merge=lambda heads: heads.reshape(len(heads), heads.size(2), -1)),
            "You reshape to (B, H, T, K) and back, both without `transpose`: so the heads get whole words, and not a "
            "part of each word. `transpose(1, 2)` belongs after the cut, and again before the join.",
        ),
        Mistake(
            _split_before,
            "You cut the words before you project them, so that a head sees K of a word's numbers alone. Project with "
            "the whole matrix first: each head reads all D numbers. Then cut.",
            classic="Split before projecting",
        ),
        Mistake(
            _one_head,
            "This is one head of D numbers: nothing is split. Cut queries, keys and values into n_heads heads, and "
            "let each have weights of its own.",
        ),
        Mistake(
            _of_the_querys_length,
            "It works where x and y have the same number of words, and only there: you give keys and values the "
            "length of the queries. They have S words, the queries T: take each length from the tensor itself.",
            classic="K and V with the query's length",
        ),
        Mistake(
            _scaled_by_the_model,
            "You divide the scores by √D, the root of d_model. A head's queries have K = D / H numbers: divide by √K.",
            classic="√d_model in place of √d_k",
        ),
        Mistake(
            _with(scale=1.0),
            "Your scores are not divided by √K.",
        ),
        Mistake(
            _with(scale=lambda D, H: 1 / math.sqrt(H)),
            "You divide the scores by √H, the root of the number of heads. It is √K, the root of how many numbers a "
            "head's query has.",
        ),
        Mistake(
            _with(scale=lambda D, H: H / D),
            "You divide the scores by K. It is the root of K.",
        ),
        Mistake(
            _with(scale=lambda D, H: math.sqrt(D // H)),
            "You multiply the scores by √K. Divide by it.",
        ),
        Mistake(
            _with(heads=lambda heads: heads.mean(1, keepdim=True).expand_as(heads)),
            "You take the mean of the heads, so that they all say the same. Keep each, and put them side by side.",
        ),
        Mistake(
            lambda x, y, W_Q, W_K, W_V, W_O, n_heads: (
                _weights(_parts(x @ W_Q, n_heads), _parts(y @ W_K, n_heads)) @ _parts(y @ W_V, n_heads)
            ).mean(1),
            "You take the mean of the heads, (B, T, K). They are put side by side, (B, T, D), and go through W_O.",
        ),
        Mistake(
            lambda x, y, W_Q, W_K, W_V, W_O, n_heads: (
                _weights(_parts(x @ W_Q, n_heads), _parts(y @ W_K, n_heads)) @ _parts(y @ W_V, n_heads)
            ).sum(1),
            "You add the heads up, (B, T, K). They are put side by side, (B, T, D), and go through W_O. (What is "
            "added is each head times its own rows of W_O.)",
        ),
        Mistake(
            lambda x, y, W_Q, W_K, W_V, W_O, n_heads: _multi_head(
                x, y, W_Q, W_K, W_V, torch.eye(len(W_O), dtype=x.dtype), n_heads
            ),
            "These are the heads, put together. W_O is missing at the end.",
        ),
        Mistake(
            lambda x, y, W_Q, W_K, W_V, W_O, n_heads: _multi_head(x, y, W_Q, W_K, W_V, W_O.T, n_heads),
            "W_O is turned. The word is a row and stands on the left, as in `x @ W_Q`. (It is `nn.Linear` that keeps "
            "its matrix the other way round.)",
        ),
        Mistake(
            lambda x, y, W_Q, W_K, W_V, W_O, n_heads: _multi_head(x, y, W_Q.T, W_K.T, W_V.T, W_O.T, n_heads),
            "All four matrices are turned, as for `nn.Linear` or `F.linear`. Here the word is a row and stands on the "
            "left: `x @ W_Q`.",
        ),
        Mistake(
            _with(heads=lambda heads: heads.flip(1)),
            "You put the heads together in reversed order. Head 0 comes first, and so meets the first rows of W_O.",
        ),
        Mistake(
            _with(split=lambda x, n_heads: x.unflatten(-1, (-1, n_heads)).transpose(1, 2)),
            "n_heads and d_k are swapped: you made K heads of H numbers. Take the D numbers apart as (H, K): the "
            "heads first, then the numbers of each.",
        ),
        Mistake(
            _with(split=lambda x, n_heads: x.unflatten(-1, (-1, n_heads)).permute(0, 3, 1, 2)),
            "Your head i gets every H-th number, beginning with number i. A head's K numbers are neighbours: take "
            "the D numbers apart as (H, K), not as (K, H).",
        ),
        Mistake(
            _with(dim=1),
            "Your softmax goes over the heads. Each row of a head's weights sums to 1 over the words that are looked "
            "at, the last axis.",
        ),
        Mistake(
            _with(dim=-2),
            "Your softmax goes over the words that ask. It goes over those that are looked at, the last axis.",
        ),
        Mistake(
            _with(share=lambda weights: weights[:, :1]),
            "All your heads use the weights of head 0. Each has its own.",
        ),
        Mistake(
            _with(share=lambda weights: weights.mean(1, keepdim=True)),
            "All your heads use the mean of the weights. Each has its own: take no mean.",
        ),
        Mistake(
            _without_softmax,
            "Your scores are used as they are: the softmax over the last axis is missing, which makes weights of them.",
        ),
        Mistake(
            _scaled_too_late,
            "You divide by √K after the softmax, so that the weights do not sum to 1. Divide the scores, before it.",
        ),
        Mistake(
            _over_all_pairs,
            "Your softmax goes over all pairs of a head at once. It goes over the last axis: each word that asks has "
            "weights of its own, which sum to 1.",
        ),
        Mistake(
            _causal,
            "Here a word looks only at the words up to its own place: you use a causal mask. There is no mask in this "
            "exercise, each word looks at all words of y.",
        ),
        Mistake(
            _with(merge=lambda heads: heads.permute(0, 2, 3, 1).flatten(2)),
            "You join the heads number by number, (B, T, K, H). Head 0 comes whole, then head 1: (B, T, H, K), then "
            "`flatten(2)`.",
        ),
        Mistake(
            _with(heads=lambda heads: heads.sum(1, keepdim=True).expand_as(heads)),
            "You add the heads up, so that they all say the same. Keep each, and put them side by side.",
        ),
        Mistake(
            lambda x, y, W_Q, W_K, W_V, W_O, n_heads: _multi_head(
                x, y, W_Q, W_K, torch.eye(len(W_V), dtype=x.dtype), W_O, n_heads
            ),
            "You mix the words of y themselves. What is mixed is their values, `y @ W_V`.",
        ),
        Mistake(
            lambda x, y, W_Q, W_K, W_V, W_O, n_heads: _multi_head(x, y, W_Q.T, W_K.T, W_V.T, W_O, n_heads),
            "W_Q, W_K and W_V are turned, as for `nn.Linear`. Here the word is a row on the left: `x @ W_Q`.",
        ),
        Mistake(
            _parts_added,
            "You take the first K rows of W_O for each head. Head i has those from i·K to (i + 1)·K: put the heads "
            "side by side, then `@ W_O`.",
        ),
        Mistake(
            lambda x, y, W_Q, W_K, W_V, W_O, n_heads: _multi_head(y, x, W_Q, W_K, W_V, W_O, n_heads),
            "x and y are exchanged. The words of x ask: queries from x. Keys and values are y's.",
        ),
        Mistake(
            lambda x, y, W_Q, W_K, W_V, W_O, n_heads: _multi_head(x, x, W_Q, W_K, W_V, W_O, n_heads),
            "Your words of x look at x, and y plays no part. Keys and values are made of y.",
        ),
        Mistake(
            lambda x, y, W_Q, W_K, W_V, W_O, n_heads: _multi_head(x, y, W_K, W_Q, W_V, W_O, n_heads),
            "W_Q and W_K are exchanged: queries are `x @ W_Q`, keys are `y @ W_K`.",
        ),
        Mistake(
            lambda x, y, W_Q, W_K, W_V, W_O, n_heads: _multi_head(x, y, W_Q, W_V, W_K, W_O, n_heads),
            "Keys and values are exchanged: the scores compare queries with keys, and what is mixed is the values.",
        ),
        Mistake(
            lambda x, y, W_Q, W_K, W_V, W_O, n_heads: x + _multi_head(x, y, W_Q, W_K, W_V, W_O, n_heads),
            "You add x to it. That is the residual connection of chapter 8, and no part of the attention itself.",
        ),
    ],
    hints=[
        "Six steps: project, split, scores, weights, mix, join. Write the shape behind each: (B, T, D), (B, H, T, K), "
        "(B, H, T, S), (B, H, T, S), (B, H, T, K), (B, T, D).",
        "The queries come from x, keys and values from y. Split each by `unflatten(-1, (n_heads, -1))` and "
        "`transpose(1, 2)`: so each takes its own number of words along.",
        "The scores are `q @ k.transpose(-2, -1)`, divided by the root of `q.size(-1)`, and the softmax goes over the "
        "last axis.",
        "Back: `transpose(1, 2)` makes (B, T, H, K) of the heads, `flatten(2)` makes (B, T, D), and then `@ W_O`.",
    ],
)

EXERCISES: list[Exercise] = [PAPER, SPLIT, CONTRIBUTIONS, MULTI_HEAD]
