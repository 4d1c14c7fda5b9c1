"""Where a word stands (paper, section 3.5)."""

import torch
from torch import nn


def positional_encoding(max_length: int, d_model: int) -> torch.Tensor:
    """Give the table of sines and cosines, (max_length, d_model), in float64.

    PE(pos, 2i) = sin(pos / 10000^(2i / d_model)) and PE(pos, 2i + 1) = cos of the same angle: the two of a
    pair stand side by side. Paper, section 3.5.

    Raises:
        ValueError: d_model is odd, so that a sine would be left without its cosine.
    """
    if d_model % 2:
        raise ValueError(f"d_model is {d_model}; sines and cosines come in pairs, so it must be even.")
    position = torch.arange(max_length, dtype=torch.float64)[:, None]  # (max_length, 1)
    frequency = 10000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)  # (D/2,)
    angle = position * frequency  # (max_length, D/2)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)  # (max_length, D)


class PositionalEncoding(nn.Module):
    """Add to each vector the code of its position, then drop out (paper, sections 3.5 and 5.4).

    Shape: (B, T, D) → (B, T, D). `start` is the position of the first word: in decoding with a cache it is
    the number of words that are already written.

    Raises:
        ValueError: the sentence is longer than the table.
    """

    def __init__(self, d_model: int, dropout: float = 0.1, max_length: int = 1024):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        # Not persistent: it is computed, not learned. Born in float64 so that a model in float64 has all digits.
        self.register_buffer("table", positional_encoding(max_length, d_model), persistent=False)

    def forward(self, x: torch.Tensor, start: int = 0) -> torch.Tensor:
        end = start + x.size(1)
        if end > len(self.table):
            raise ValueError(
                f"the sentence has {end} tokens and there are positions for {len(self.table)}; "
                "shorten it, or build the model with a larger max_length."
            )
        return self.dropout(x + self.table[start:end].to(x.dtype))  # (B, T, D)
