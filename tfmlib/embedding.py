"""From ids to vectors (paper, section 3.4)."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Embedding(nn.Module):
    """A table with one row a token; the rows are learned (paper, section 3.4).

    What is looked up is multiplied by √d_model. The rows start as
    N(0, 1/d_model), so that each number has variance 1 after that, and the
    same table, tied to the output, starts with logits of variance 1.

    Shape: ids (B, T) → (B, T, D).

    Raises:
        ValueError: an id is beyond the table. It is looked for on the CPU
            only: on a GPU that would cost a wait.
    """

    def __init__(self, vocab_size: int, d_model: int):
        super().__init__()
        start = torch.randn(vocab_size, d_model) * d_model**-0.5
        self.weight = nn.Parameter(start)  # (V, D)
        self.scale = math.sqrt(d_model)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        try:
            return F.embedding(ids, self.weight) * self.scale  # (B, T, D)
        except IndexError:
            rows = len(self.weight)
            bad = ids[(ids < 0) | (ids >= rows)][0].item()
            raise ValueError(
                f"id {bad} is beyond the table: its {rows} rows have the ids "
                f"0 to {rows - 1}. Were the ids made with another vocabulary?"
            ) from None
