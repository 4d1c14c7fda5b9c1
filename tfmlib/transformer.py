"""The whole machine (paper, figure 1)."""

from dataclasses import dataclass, replace

import torch
from torch import nn

from tfmlib.decoder import Decoder, DecoderState
from tfmlib.embedding import Embedding
from tfmlib.encoder import Encoder
from tfmlib.generator import Generator
from tfmlib.masks import padding_mask
from tfmlib.positional import PositionalEncoding


@dataclass(frozen=True)
class TransformerConfig:
    """The sizes and options of a `Transformer`; the defaults are the paper's base model (table 3).

    Args:
        source_vocab_size, target_vocab_size: tokens in each vocabulary.
        d_model, n_heads, d_ff, n_layers: width of a vector, heads, inner width, layers of encoder and of decoder.
        dropout: share of the numbers set to 0 in training, at each sublayer's output and on the embeddings.
        max_length: positions, the longest sentence in tokens.
        share_embeddings: source, target and output share one table (paper, section 3.4), for a joint vocabulary;
            otherwise target and output do.
        pre_norm: LayerNorm before each sublayer, not after it. A deviation from the paper.
        bias: projections of the attention with a bias, as in `torch.nn`. A deviation from the paper.
    """

    source_vocab_size: int
    target_vocab_size: int
    d_model: int = 512
    n_heads: int = 8
    d_ff: int = 2048
    n_layers: int = 6
    dropout: float = 0.1
    max_length: int = 1024
    share_embeddings: bool = False
    pre_norm: bool = False
    bias: bool = False

    def __post_init__(self):
        for name in ("source_vocab_size", "target_vocab_size", "d_model", "n_heads", "d_ff", "n_layers", "max_length"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout!r}; it must be at least 0 and below 1.")
        if self.share_embeddings and self.source_vocab_size != self.target_vocab_size:
            raise ValueError(
                f"share_embeddings needs one vocabulary for both sides; they have {self.source_vocab_size} and "
                f"{self.target_vocab_size} tokens."
            )

    @classmethod
    def preset(cls, name: str, source_vocab_size: int, target_vocab_size: int, **changes) -> "TransformerConfig":
        """Give the sizes of that name, with `changes`: "base" and "big" are the paper's, "small" is the course's."""
        if name not in PRESETS:
            raise ValueError(f"there is no preset {name!r}; there are {', '.join(PRESETS)}.")
        return replace(cls(source_vocab_size, target_vocab_size, **PRESETS[name]), **changes)


PRESETS = {
    "small": {"d_model": 64, "n_heads": 4, "d_ff": 256, "n_layers": 2},
    "medium": {"d_model": 128, "n_heads": 4, "d_ff": 512, "n_layers": 4, "pre_norm": True, "share_embeddings": True},
    "base": {"share_embeddings": True},
    "big": {"d_model": 1024, "n_heads": 16, "d_ff": 4096, "dropout": 0.3, "share_embeddings": True},
}


class Transformer(nn.Module):
    """Encoder and decoder, from ids to the scores of the next words (paper, figure 1).

    Shape: source ids (B, S), target ids (B, T), which begin with ``<bos>`` → logits (B, T, V), where row t scores
    the word after target word t. Padding in the source is never looked at; the target's stands at its end.

    Raises:
        ValueError: an empty sentence, one longer than max_length, ids not of (batch, words), or batches that differ.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        sizes = (config.n_layers, config.d_model, config.n_heads, config.d_ff)
        options = {"dropout": config.dropout, "pre_norm": config.pre_norm, "bias": config.bias}
        self.source_embedding = Embedding(config.source_vocab_size, config.d_model)
        self.target_embedding = (
            self.source_embedding if config.share_embeddings else Embedding(config.target_vocab_size, config.d_model)
        )
        self.positional = PositionalEncoding(config.d_model, config.dropout, config.max_length)
        self.encoder = Encoder(*sizes, **options)
        self.decoder = Decoder(*sizes, **options)
        self.generator = Generator(self.target_embedding.weight)
        self._initialise()

    def _initialise(self) -> None:
        # Glorot & Bengio, 2010, for each matrix of its own: W_Q, W_K and W_V are stored as one.
        for module in (self.encoder, self.decoder):
            for name, parameter in module.named_parameters():
                if parameter.dim() == 2:
                    for matrix in parameter.chunk(3) if "in_proj" in name else (parameter,):
                        nn.init.xavier_uniform_(matrix)
                elif name.endswith("bias"):
                    nn.init.zeros_(parameter)

    def encode(
        self,
        source: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Read: source ids (B, S) → the memory (B, S, D).

        And, beside it, which of its words may be looked at (B, 1, 1, S).
        """
        _check_ids("source", source)
        may_attend = padding_mask(source)  # (B, 1, 1, S)
        x = self.positional(self.source_embedding(source))  # (B, S, D)
        return self.encoder(x, may_attend), may_attend

    def decode(
        self,
        target: torch.Tensor,
        memory: torch.Tensor | None = None,
        may_attend: torch.Tensor | None = None,
        state: DecoderState | None = None,
    ) -> torch.Tensor:
        """Write: target ids (B, T), what `encode` gave → logits (B, T, V).

        With a `state` from `decoder.start(memory)`, target holds the new
        words alone.
        """
        _check_ids("target", target)
        start = len(state) if state else 0
        words = self.target_embedding(target)  # (B, T, D)
        x = self.positional(words, start)  # (B, T, D)
        return self.generator(self.decoder(x, memory, may_attend, state))

    def forward(
        self,
        source: torch.Tensor,
        target: torch.Tensor,
    ) -> torch.Tensor:
        memory, may_attend = self.encode(source)
        if len(memory) != len(target):
            got = f"source has {len(memory)} sentences and target {len(target)}"
            raise ValueError(f"{got}; they must be pairs.")
        return self.decode(target, memory, may_attend)


def _check_ids(name: str, ids: torch.Tensor) -> None:
    if ids.dim() != 2 or ids.is_floating_point():
        raise ValueError(f"{name} has the shape {tuple(ids.shape)} of {ids.dtype}; wanted whole ids (batch, words).")
    if ids.size(1) == 0:
        raise ValueError(f"{name} holds no word; a sentence needs at least one id.")
