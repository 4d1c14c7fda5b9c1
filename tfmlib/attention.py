"""Who looks at whom: scaled dot-product attention and many heads of it.

Paper, section 3.2.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import nn


def scaled_dot_product_attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    may_attend: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V (paper, equation 1).

    A query that may attend to nothing gets weights and an output of zero,
    and its gradients are finite.

    Shape: q (…, T, K), k (…, S, K), v (…, S, d_v), may_attend bool,
    True = may attend, broadcast to (…, T, S).
    Returns the output (…, T, d_v) and the weights (…, T, S).
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))  # (…, T, S)
    if may_attend is None:
        weights = scores.softmax(-1)  # (…, T, S), each row sums to 1
    else:
        blind = ~may_attend.any(-1, keepdim=True)  # (…, T, 1)
        # A row of −∞ alone would be NaN. So its scores stay as they are,
        # and its weights become 0: no NaN arises, in the gradient neither.
        scores = scores.masked_fill(~(may_attend | blind), -math.inf)
        weights = scores.softmax(-1).masked_fill(blind, 0.0)  # (…, T, S)
    return weights @ v, weights


class KeyValueCache:
    """The keys and values of the words written so far, so that each is computed once.

    The room doubles when it is full: appending costs a copy of the new words only.
    """

    def __init__(self):
        self.length = 0
        self.room: torch.Tensor | None = None  # (2, B, H, at least length, K): keys and values

    def append(self, k: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Take the new keys and values, (B, H, T, K); give all so far, (B, H, length, K)."""
        start, self.length = self.length, self.length + k.size(2)
        if self.room is None or self.length > self.room.size(3):
            B, H, _, K = k.shape
            larger = k.new_empty(2, B, H, max(16, 2 * self.length), K)
            if start:
                larger[:, :, :, :start] = self.room[:, :, :, :start]
            self.room = larger
        self.room[0, :, :, start : self.length] = k
        self.room[1, :, :, start : self.length] = v
        return self.room[0, :, :, : self.length], self.room[1, :, :, : self.length]

    def select(self, rows: torch.Tensor) -> None:
        """Keep these rows of the batch, in this order: a beam follows the hypotheses that go on."""
        self.room = self.room[:, rows]


class MultiHeadAttention(nn.Module):
    """MultiHead(Q, K, V) = Concat(head_1 … head_h) W_O.

    As in the paper, section 3.2.2, with d_k = d_v = d_model / n_heads.

    Without `memory` it is self-attention: queries, keys and values come from
    `x`. With `memory` it is cross-attention: the queries come from `x`, keys
    and values from `memory`, which may be given as a tensor or as the pair
    that `keys_values` made of it.

    Shape: x (B, T, D), memory (B, S, D), may_attend bool, True = may attend,
    broadcast to (B, H, T, S) → (B, T, D).

    Args of `forward`:
        is_causal: word t sees the words up to t. It takes the place of a
            mask, and is faster than one.
        past: a cache, which gets the new keys and values; the queries see
            all that it holds.

    Raises:
        ValueError: d_model is not divisible by n_heads; shapes that do not
            fit; a mask beside is_causal.
        TypeError: a mask that is not boolean.
    """

    def __init__(self, d_model: int, n_heads: int, bias: bool = False):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(
                f"d_model is {d_model} and n_heads {n_heads}: "
                f"{d_model} / {n_heads} leaves {d_model % n_heads}. "
                "Each head has d_model / n_heads numbers of its own, so "
                "d_model must be a multiple of n_heads."
            )
        self.n_heads = n_heads
        # W_Q, W_K, W_V of all heads, one above the other
        self.in_proj = nn.Linear(d_model, 3 * d_model, bias)
        self.out_proj = nn.Linear(d_model, d_model, bias)  # W_O
        # see record_attention
        self.record: list[torch.Tensor] | None = None

    def split_heads(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, D) → (B, H, T, K), K numbers of each word a head."""
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

    def keys_values(self, memory: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Project the memory, (B, S, D), to keys and values, (B, H, S, K)."""
        D = memory.size(-1)
        weight, bias = self.in_proj.weight[D:], self.in_proj.bias
        bias = None if bias is None else bias[D:]
        k, v = F.linear(memory, weight, bias).chunk(2, -1)  # (B, S, D) each
        return self.split_heads(k), self.split_heads(v)

    def forward(
        self,
        x: torch.Tensor,
        memory: torch.Tensor | tuple[torch.Tensor, ...] | None = None,
        may_attend: torch.Tensor | None = None,
        is_causal: bool = False,
        past: KeyValueCache | None = None,
    ) -> torch.Tensor:
        D = self.out_proj.out_features
        if x.dim() != 3 or x.size(-1) != D:
            got = f"x has the shape {tuple(x.shape)}"
            raise ValueError(f"{got}; wanted (batch, words, d_model = {D}).")
        if memory is None:
            qkv = self.in_proj(x).chunk(3, -1)  # three of (B, T, D)
            q, k, v = map(self.split_heads, qkv)  # (B, H, T, K) each
            if past is not None:
                k, v = past.append(k, v)  # (B, H, S, K), S = all words so far
        else:
            weight, bias = self.in_proj.weight[:D], self.in_proj.bias
            bias = None if bias is None else bias[:D]
            q = self.split_heads(F.linear(x, weight, bias))  # (B, H, T, K)
            if not isinstance(memory, tuple):
                memory = self.keys_values(memory)
            k, v = memory  # (B, H, S, K) each
        if len(k) != len(q):
            got = f"a batch of {len(q)} sentences and memory one of {len(k)}"
            raise ValueError(f"x has {got}; they must be the same.")
        self._check_mask(may_attend, is_causal, (*q.shape[:3], k.size(2)))
        if self.record is None:
            fused = F.scaled_dot_product_attention  # PyTorch's own
            # (B, H, T, K)
            heads = fused(q, k, v, attn_mask=may_attend, is_causal=is_causal)
        else:
            if is_causal:
                T, S = q.size(2), k.size(2)
                ones = torch.ones(T, S, dtype=torch.bool, device=x.device)
                may_attend = ones.tril()  # (T, S)
            # (B, H, T, K), (B, H, T, S)
            heads, weights = scaled_dot_product_attention(q, k, v, may_attend)
            self.record.append(weights)
        return self.out_proj(heads.transpose(1, 2).flatten(2))  # (B, T, D)

    @staticmethod
    def _check_mask(may_attend, is_causal, shape) -> None:
        if is_causal and shape[2] != shape[3]:
            raise ValueError(
                f"is_causal with {shape[2]} queries and {shape[3]} keys: "
                "which key is whose own word? Give a mask "
                "(tfmlib.masks.causal_mask), or, for one query that sees all "
                "keys, neither."
            )
        if may_attend is None:
            return
        if is_causal:
            how = "compose them: may_attend & causal_mask(T)"
            raise ValueError(f"got a mask beside is_causal; {how}.")
        if may_attend.dtype != torch.bool:
            raise TypeError(
                f"the mask is of {may_attend.dtype}; it must be boolean, "
                "True = may attend. A mask of 0 and −∞ that is added to "
                "the scores becomes one by `mask == 0`."
            )
        sizes = zip(reversed(may_attend.shape), reversed(shape), strict=False)
        fits = all(given in (1, wanted) for given, wanted in sizes)
        if may_attend.dim() > 4 or not fits:
            raise ValueError(
                f"the mask has the shape {tuple(may_attend.shape)}; it must "
                "broadcast to (batch, heads, queries, keys) = "
                f"{tuple(shape)}."
            )


@contextmanager
def record_attention(model: nn.Module) -> Iterator[dict[str, list[torch.Tensor]]]:
    """Within the block, keep the weights of every head and layer of `model`, which stays as it is.

    Gives a dict from the name of each `MultiHeadAttention` in the model to the list of its weights, one (B, H, T, S)
    a call: in decoding, one a step.
    """
    layers = {name: m for name, m in model.named_modules() if isinstance(m, MultiHeadAttention)}
    weights = {name: [] for name in layers}
    for name, layer in layers.items():
        layer.record = weights[name]
    try:
        yield weights
    finally:
        for layer in layers.values():
            layer.record = None
