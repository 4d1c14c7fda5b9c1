"""Who may look at whom: boolean, True = may attend (paper, section 3.2.3)."""

import torch

from tfmlib.vocabulary import PAD


def padding_mask(ids: torch.Tensor) -> torch.Tensor:
    """Every query may attend to the words, none to the padding.

    Shape: ids (B, S) → (B, 1, 1, S).
    """
    return (ids != PAD)[:, None, None, :]


def causal_mask(
    n_queries: int,
    n_keys: int | None = None,
    device=None,
) -> torch.Tensor:
    """A word may attend to itself and to the words before it.

    With more keys than queries, the queries are the last words: the first
    S − T keys are the past.

    Shape: (T, S), by default (T, T).

    Raises:
        ValueError: there are fewer keys than queries.
    """
    n_keys = n_queries if n_keys is None else n_keys
    if n_keys < n_queries:
        got = f"{n_queries} queries and {n_keys} keys"
        raise ValueError(f"{got}: each query's own word must be a key.")
    ones = torch.ones(n_queries, n_keys, dtype=torch.bool, device=device)
    return ones.tril(n_keys - n_queries)  # (T, S)
