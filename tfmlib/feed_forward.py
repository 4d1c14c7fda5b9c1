"""What happens to a word on its own (paper, section 3.3)."""

import torch
from torch import nn


class FeedForward(nn.Module):
    """FFN(x) = max(0, x W_1 + b_1) W_2 + b_2, the same for each word.

    Source: the paper, equation 2.

    Shape: (B, T, D) → (B, T, D), with d_ff numbers a word in between.
    """

    def __init__(self, d_model: int, d_ff: int):
        super().__init__()
        self.inner = nn.Linear(d_model, d_ff)  # W_1, b_1
        self.outer = nn.Linear(d_ff, d_model)  # W_2, b_2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.inner(x).relu()  # (B, T, D) → (B, T, F)
        return self.outer(hidden)  # (B, T, D)
