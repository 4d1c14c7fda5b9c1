"""Where a word stands (paper, section 3.5)."""

import torch
from torch import nn


def positional_encoding(max_length: int, d_model: int) -> torch.Tensor:
    """Give the table of sines and cosines, (max_length, D), in float64.

    PE(pos, 2i) = sin(pos / 10000^(2i / d_model)), and PE(pos, 2i + 1) is
    the cosine of the same angle: the two of a pair stand side by side.
    Paper, section 3.5.

    Raises:
        ValueError: d_model is odd: a sine would lack its cosine.
    """
    if d_model % 2:
        raise ValueError(f"d_model is {d_model}; for pairs it must be even.")
    position = torch.arange(max_length).double()[:, None]  # (max_length, 1)
    exponent = torch.arange(0, d_model, 2).double() / d_model  # (D/2,)
    angle = position * 10000.0**-exponent  # (max_length, D/2)
    pairs = torch.stack([angle.sin(), angle.cos()], -1)
    return pairs.flatten(1)  # (max_length, D)


class PositionalEncoding(nn.Module):
    """Add to each vector the code of its position, then drop out.

    Paper, sections 3.5 and 5.4. Shape: (B, T, D) → (B, T, D).
    `start` is the position of the first word: in decoding with a cache,
    the number of words that are already written.

    Raises:
        ValueError: the sentence is longer than the table.
    """

    def __init__(
        self,
        d_model: int,
        dropout: float = 0.1,
        max_length: int = 1024,
    ):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        # Computed, not learned, so not saved. In float64 for all digits.
        table = positional_encoding(max_length, d_model)
        self.register_buffer("table", table, persistent=False)

    def forward(self, x: torch.Tensor, start: int = 0) -> torch.Tensor:
        end = start + x.size(1)
        if end > len(self.table):
            raise _too_long(end, len(self.table))
        codes = self.table[start:end].to(x.dtype)  # (T, D)
        return self.dropout(x + codes)  # (B, T, D)


def _too_long(length: int, most: int) -> ValueError:
    return ValueError(
        f"the sentence has {length} tokens and there are positions for {most}; "
        "shorten it, or build the model with a larger max_length."
    )
