"""Weights to and from the building blocks of `torch.nn`."""

from collections.abc import Iterator

import torch
from torch import nn

from tfmlib.attention import MultiHeadAttention
from tfmlib.decoder import Decoder, DecoderLayer
from tfmlib.encoder import Encoder, EncoderLayer
from tfmlib.transformer import Transformer

# Ours, PyTorch's, and the name that each part of ours has in PyTorch's.
_TWINS = {
    MultiHeadAttention: (nn.MultiheadAttention, {"out_proj": "out_proj"}),
    EncoderLayer: (
        nn.TransformerEncoderLayer,
        {
            "self_attention": "self_attn",
            "feed_forward.inner": "linear1",
            "feed_forward.outer": "linear2",
            "sublayers.0.norm": "norm1",
            "sublayers.1.norm": "norm2",
        },
    ),
    DecoderLayer: (
        nn.TransformerDecoderLayer,
        {
            "self_attention": "self_attn",
            "cross_attention": "multihead_attn",
            "feed_forward.inner": "linear1",
            "feed_forward.outer": "linear2",
            "sublayers.0.norm": "norm1",
            "sublayers.1.norm": "norm2",
            "sublayers.2.norm": "norm3",
        },
    ),
    Encoder: (nn.TransformerEncoder, {"layers": "layers", "norm": "norm"}),
    Decoder: (nn.TransformerDecoder, {"layers": "layers", "norm": "norm"}),
    Transformer: (nn.Transformer, {"encoder": "encoder", "decoder": "decoder"}),
}


def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Copy the weights of a part of `tfmlib` into its twin of `torch.nn`, or the other way round.

    Twins: `MultiHeadAttention`, `EncoderLayer`, `DecoderLayer`, `Encoder`, `Decoder` and `Transformer` with
    `nn.MultiheadAttention`, `nn.TransformerEncoderLayer` … `nn.Transformer` (which has no embeddings: they stay).

    `nn.Transformer` ends encoder and decoder in a LayerNorm also where each layer ends in one (post-LN). The paper
    does not: set `encoder.norm = decoder.norm = None` there. Biases that ours lacks are set to 0 in PyTorch's.

    Raises:
        TypeError: the two are no twins.
        ValueError: their sizes or options differ; nothing has been copied then.
    """
    outward = type(source) in _TWINS
    ours, theirs = (source, target) if outward else (target, source)
    if type(ours) not in _TWINS:
        raise TypeError(
            f"{type(source).__name__} and {type(target).__name__} are no twins; copy_weights copies "
            f"{', '.join(twin.__name__ for twin in _TWINS)} to and from torch.nn. Other weights: copy them yourself."
        )
    copies = []
    for mine, its, name in _parameters(ours, theirs, type(ours).__name__):
        if its is None and mine is None:
            continue
        if mine is None:
            if not outward and its.any():
                raise ValueError(f"{name} is not 0 in PyTorch's and does not exist in ours; build ours with bias=True.")
            mine = torch.zeros_like(its)
        elif its is None:
            raise ValueError(f"{name} exists in ours alone; build PyTorch's with bias=True.")
        if mine.shape != its.shape:
            raise ValueError(f"{name} has the shape {tuple(mine.shape)} in ours and {tuple(its.shape)} in PyTorch's.")
        copies.append((its, mine) if outward else (mine, its))
    with torch.no_grad():
        for into, value in copies:
            into.copy_(value)


def _parameters(ours, theirs, name) -> Iterator[tuple[nn.Parameter | None, nn.Parameter | None, str]]:
    twin, parts = _TWINS.get(type(ours), (type(ours), None))
    if not isinstance(theirs, twin):
        if isinstance(ours, nn.Identity) and theirs is None:
            return
        if isinstance(ours, nn.Identity):
            raise ValueError(f"{name}: PyTorch's has a LayerNorm at the top and ours (post-LN) none; set it to None.")
        raise TypeError(f"{name}: the twin of {type(ours).__name__} is {twin.__name__}, not {type(theirs).__name__}.")
    if isinstance(ours, nn.ModuleList):
        if len(ours) != len(theirs):
            raise ValueError(f"{name}: ours has {len(ours)} and PyTorch's {len(theirs)}.")
        parts = {str(i): str(i) for i in range(len(ours))}
    if parts is None:  # Linear and LayerNorm are the same class in both
        yield from ((getattr(ours, part), getattr(theirs, part), f"{name}.{part}") for part in ("weight", "bias"))
        return
    if isinstance(ours, MultiHeadAttention):
        if ours.n_heads != theirs.num_heads:
            raise ValueError(f"{name}: ours has {ours.n_heads} heads and PyTorch's {theirs.num_heads}.")
        for part in ("weight", "bias"):
            yield getattr(ours.in_proj, part), getattr(theirs, f"in_proj_{part}"), f"{name}.in_proj.{part}"
    if isinstance(ours, EncoderLayer | DecoderLayer) and ours.sublayers[0].pre_norm != theirs.norm_first:
        raise ValueError(f"{name}: pre_norm is {ours.sublayers[0].pre_norm} and norm_first {theirs.norm_first}.")
    for mine, its in parts.items():
        yield from _parameters(ours.get_submodule(mine), _part(theirs, its), f"{name}.{mine}")


def _part(module: nn.Module, name: str) -> nn.Module | None:
    return module[int(name)] if name.isdigit() else getattr(module, name)
