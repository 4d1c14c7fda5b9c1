"""What stands around each part: the residual connection and LayerNorm (paper, sections 3.1 and 5.4)."""

from collections.abc import Callable

import torch
from torch import nn


def layer_norm(
    x: torch.Tensor,
    gain: torch.Tensor,
    bias: torch.Tensor,
    eps: float = 1e-5,
) -> torch.Tensor:
    """LayerNorm written out: each word's D numbers to mean 0 and variance 1.

    Then they are multiplied by the gain, and the bias is added. The variance
    is the biased one (divided by D), and eps stands inside the root, as in
    `torch.nn.LayerNorm`, which the model uses. Source: Ba et al., 2016.

    Shape: x (…, D), gain (D,), bias (D,) → (…, D).
    """
    centred = x - x.mean(-1, keepdim=True)  # (…, D)
    variance = centred.square().mean(-1, keepdim=True)  # (…, 1)
    return gain * centred / (variance + eps).sqrt() + bias  # (…, D)


class Sublayer(nn.Module):
    """LayerNorm(x + Dropout(f(x))), the paper's order (post-LN).

    With `pre_norm` it is x + Dropout(f(LayerNorm(x))).

    Shape: x (B, T, D) and f: (B, T, D) → (B, T, D) give (B, T, D).
    """

    def __init__(
        self,
        d_model: int,
        dropout: float = 0.1,
        pre_norm: bool = False,
    ):
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)
        self.pre_norm = pre_norm

    def forward(
        self,
        x: torch.Tensor,
        f: Callable[[torch.Tensor], torch.Tensor],
    ) -> torch.Tensor:
        if self.pre_norm:
            return x + self.dropout(f(self.norm(x)))
        return self.norm(x + self.dropout(f(x)))
