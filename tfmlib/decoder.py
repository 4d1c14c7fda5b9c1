"""The half that writes (paper, section 3.1, right side of figure 1)."""

import torch
from torch import nn

from tfmlib.attention import KeyValueCache, MultiHeadAttention
from tfmlib.feed_forward import FeedForward
from tfmlib.sublayer import Sublayer


class DecoderLayer(nn.Module):
    """Causal self-attention, cross-attention, the feed-forward network.

    Shape: x (B, T, D), memory (B, S, D) or its keys and values, may_attend
    bool, which source words may be looked at, broadcast to (B, H, T, S)
    → (B, T, D).

    With a cache, `x` holds the new words alone. Padding at the end of a
    target needs no mask of its own: no word before it can see it, and the
    loss leaves it out.
    """

    def __init__(
        self,
        d_model,
        n_heads,
        d_ff,
        dropout=0.1,
        pre_norm=False,
        bias=False,
    ):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, n_heads, bias)
        self.cross_attention = MultiHeadAttention(d_model, n_heads, bias)
        self.feed_forward = FeedForward(d_model, d_ff)
        three = [Sublayer(d_model, dropout, pre_norm) for _ in range(3)]
        self.sublayers = nn.ModuleList(three)

    def forward(
        self,
        x: torch.Tensor,
        memory: torch.Tensor | tuple[torch.Tensor, ...],
        may_attend: torch.Tensor | None = None,
        past: KeyValueCache | None = None,
    ) -> torch.Tensor:
        # One new word sees all that came before it, and needs no mask.
        # Several are causal among themselves.
        is_causal = x.size(1) > 1

        def attend(x):
            return self.self_attention(x, is_causal=is_causal, past=past)

        def attend_memory(x):
            return self.cross_attention(x, memory, may_attend)

        x = self.sublayers[0](x, attend)
        x = self.sublayers[1](x, attend_memory)
        return self.sublayers[2](x, self.feed_forward)


class DecoderState:
    """What decoding keeps from step to step: each layer's keys and values, of the memory and of the words so far."""

    def __init__(self, decoder: "Decoder", memory: torch.Tensor):
        self.memory = [layer.cross_attention.keys_values(memory) for layer in decoder.layers]
        self.past = [KeyValueCache() for _ in decoder.layers]

    def __len__(self) -> int:
        return self.past[0].length

    def select(self, rows: torch.Tensor) -> None:
        """Keep these rows of the words so far; a beam stays within its sentence, whose memory does not change."""
        for cache in self.past:
            cache.select(rows)


class Decoder(nn.Module):
    """`n_layers` layers, one upon the other.

    Pre-LN needs one more LayerNorm at the top; post-LN ends in one.

    Shape: x (B, T, D), memory (B, S, D), may_attend bool, broadcast to
    (B, H, T, S) → (B, T, D). With a `state` from `start`, x holds the new
    words alone, and memory is not needed.
    """

    def __init__(
        self,
        n_layers,
        d_model,
        n_heads,
        d_ff,
        dropout=0.1,
        pre_norm=False,
        bias=False,
    ):
        super().__init__()
        sizes = d_model, n_heads, d_ff, dropout, pre_norm, bias
        layers = [DecoderLayer(*sizes) for _ in range(n_layers)]
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(d_model) if pre_norm else nn.Identity()

    def start(self, memory: torch.Tensor) -> DecoderState:
        """Begin to write: project the memory, (B, S, D), once for all."""
        return DecoderState(self, memory)

    def forward(
        self,
        x: torch.Tensor,
        memory: torch.Tensor | None = None,
        may_attend: torch.Tensor | None = None,
        state: DecoderState | None = None,
    ) -> torch.Tensor:
        for i, layer in enumerate(self.layers):
            if state is None:
                x = layer(x, memory, may_attend)
            else:
                kept = state.memory[i]  # its keys and values
                x = layer(x, kept, may_attend, state.past[i])
        return self.norm(x)
