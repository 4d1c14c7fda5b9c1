"""How wrong was it? Cross-entropy, shifted, without the padding, with smoothed labels (paper, section 5.4)."""

import torch
import torch.nn.functional as F

from tfmlib.vocabulary import PAD


def shift(target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut targets into what the decoder reads and what it has to say.

    Shape: ids (B, T + 1), ``<bos> w_1 … w_n <eos>``, → inputs (B, T),
    ``<bos> w_1 … w_n``, and labels (B, T), ``w_1 … w_n <eos>``.
    """
    return target[:, :-1], target[:, 1:]


def cross_entropy(
    logits: torch.Tensor,
    labels: torch.Tensor,
    label_smoothing: float = 0.0,
) -> torch.Tensor:
    """Sum −Σ q log p, in nats, over all words that are no padding.

    The wanted q gives 1 − ε to the label and spreads ε over all words. The
    sum and not the mean: a mean over batches or processes must divide by the
    words of all of them, which `n_words` counts. ε = 0.1 in the paper,
    section 5.4; source: Szegedy et al., 2016.

    Shape: logits (B, T, V), labels (B, T) → ().
    """
    if logits.shape[:-1] != labels.shape:
        raise ValueError(
            f"logits are {tuple(logits.shape)} and labels "
            f"{tuple(labels.shape)}; wanted (B, T, V) and (B, T). "
            "Was the decoder given the shifted inputs?"
        )
    return F.cross_entropy(
        logits.flatten(0, -2),
        labels.flatten(),
        ignore_index=PAD,
        label_smoothing=label_smoothing,
        reduction="sum",
    )


def n_words(labels: torch.Tensor) -> torch.Tensor:
    """Count the labels that are no padding. Shape: (B, T) → ()."""
    return (labels != PAD).sum()
