"""The half that reads (paper, section 3.1, left side of figure 1)."""

import torch
from torch import nn

from tfmlib.attention import MultiHeadAttention
from tfmlib.feed_forward import FeedForward
from tfmlib.sublayer import Sublayer


class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward network, each in its `Sublayer`.

    Shape: x (B, S, D), may_attend bool, broadcast to (B, H, S, S)
    → (B, S, D).
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
        self.feed_forward = FeedForward(d_model, d_ff)
        both = [Sublayer(d_model, dropout, pre_norm) for _ in range(2)]
        self.sublayers = nn.ModuleList(both)

    def forward(
        self,
        x: torch.Tensor,
        may_attend: torch.Tensor | None = None,
    ) -> torch.Tensor:
        def attend(x):
            return self.self_attention(x, may_attend=may_attend)

        x = self.sublayers[0](x, attend)
        return self.sublayers[1](x, self.feed_forward)


class Encoder(nn.Module):
    """`n_layers` layers, one upon the other.

    Pre-LN needs one more LayerNorm at the top; post-LN ends in one.

    Shape: x (B, S, D), may_attend bool, broadcast to (B, H, S, S)
    → the memory, (B, S, D).
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
        layers = [EncoderLayer(*sizes) for _ in range(n_layers)]
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(d_model) if pre_norm else nn.Identity()

    def forward(
        self,
        x: torch.Tensor,
        may_attend: torch.Tensor | None = None,
    ) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x, may_attend)
        return self.norm(x)
