"""From a vector to a word: linear and softmax (paper, section 3.4)."""

import torch
import torch.nn.functional as F
from torch import nn


class Generator(nn.Module):
    """One score a word: the vector's product with each row of the table.

    The softmax over the scores is left to the loss and to decoding, which
    take its logarithm at once.

    Shape: (B, T, D) → logits (B, T, V).

    Args:
        weight: the table, (V, D); the paper gives the embedding's own, so
            that both are one.
    """

    def __init__(self, weight: nn.Parameter):
        super().__init__()
        self.weight = weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self.weight)  # (B, T, V)
