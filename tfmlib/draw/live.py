"""The trained model in the page: a reader gives it a sentence, and sees each step and each head."""

import base64
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING

import torch

from .heat_map import attention
from .picture import Picture, script, style

if TYPE_CHECKING:
    from tfmlib.checkpoint import Translator


def live_translator(
    translator: "Translator",
    sentences: Sequence[str],
    *,
    title: str,
    alt: str,
    beam: int = 4,
    longest: int | None = None,
) -> Picture:
    """The model itself, which translates in the page: no server and no library, and nothing is loaded.

    The reader types a sentence or picks one, chooses greedy decoding, a beam or sampling at a temperature, and sees of
    each step the probabilities of the next word, and all heads. A word that the model does not know is named, with its
    neighbours; another word than the model's can be written, and the model goes on from it. Without JavaScript, the
    page shows the translation of the first sentence, and where the last layer's cross-attention looked.

    The weights stand in the page as float16: 2 bytes a parameter, which base64 makes 2.7.

    Args:
        translator: a model whose vocabularies hold words. All options of `TransformerConfig` are fine.
        sentences: what the reader may pick, the first one shown at first; all their words are known.
        title, alt: what to see, and what the picture shows that stands there without JavaScript.
        beam: how many beginnings the beam keeps.
        longest: tokens of the longest sentence of the training; the reader of a longer one is warned.

    Raises:
        ValueError: no sentence, a vocabulary of characters or byte pairs, a weight that float16 cannot hold.
        UnknownWordError: a word of a sentence is not in the vocabulary.
    """
    if isinstance(sentences, str) or not sentences:
        raise ValueError("the reader needs a list of sentences to pick from, at least one.")
    vocabularies = (translator.source_vocabulary, translator.target_vocabulary)
    if any(getattr(vocabulary, "level", None) != "word" for vocabulary in vocabularies):
        raise ValueError("the live translator cuts a sentence into words; these vocabularies hold something else.")
    for sentence in sentences:
        translator.source_vocabulary.encode(sentence)
    parameters = dict(translator.model.named_parameters())
    data = {
        "model": {
            "config": asdict(translator.model.config),
            "parameters": [[name, p.numel()] for name, p in parameters.items()],
            "weights": base64.b64encode(b"".join(_float16(name, p) for name, p in parameters.items())).decode(),
            **{
                side: {"tokens": vocabulary.tokens, "language": vocabulary.language}
                for side, vocabulary in zip(("source", "target"), vocabularies, strict=True)
            },
        },
        "sentences": list(sentences),
        "beam": beam,
        "longest": longest,
    }
    read, wrote, weights = translator.attention(sentences[0])
    last = f"decoder.layers.{translator.model.config.n_layers - 1}.cross_attention"
    picture = attention(weights[last].double().mean(0), wrote, read, title=title, alt=alt)
    stored = f"{sentences[0]} → {translator.translate(sentences[0])}"
    picture.script = (
        f'<div class="stored"><p>{escape(stored)}</p>'
        "<p>The live model runs in your browser, and needs JavaScript.</p></div>\n"
        f"{style('view.css', 'live.css')}\n{script('live.js', data, 'machine.js', 'view.js')}"
    )
    return picture


def _float16(name: str, parameter: torch.Tensor) -> bytes:
    """The numbers of a parameter in half precision, the low byte first."""
    half = parameter.detach().to("cpu", torch.float16)
    if not half.isfinite().all():
        largest = parameter.detach().abs().max().item()
        raise ValueError(f"{name} holds a number of size {largest:.4g}; float16 holds none beyond 65,504.")
    return half.numpy().astype("<f2").tobytes()
