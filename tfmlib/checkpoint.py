"""Models in files: safetensors, written atomically; nothing is ever unpickled."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from tfmlib.attention import record_attention
from tfmlib.decoding import beam_search, greedy
from tfmlib.transformer import Transformer, TransformerConfig
from tfmlib.vocabulary import BOS, EOS, BytePairVocabulary, Vocabulary, from_json, pad

# The models that come with the package, by their languages; `make model` trains them.
SHIPPED = {pair: Path(__file__).parent / "models" / pair / "model.safetensors" for pair in ("en-fr", "fr-en", "zh-en")}

AnyVocabulary = Vocabulary | BytePairVocabulary


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that at every moment there is the old one or the new one, never a half.

    Raises:
        OSError: the disk is full or may not be written; the old file, if there was one, is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise OSError(error.errno, f"could not be written ({error.strerror}); nothing was changed", str(path)) from None
    finally:
        part.unlink(missing_ok=True)


def write(path: Path, tensors: Mapping[str, torch.Tensor], about: Mapping) -> None:
    """Write tensors, and a description that JSON can hold, as one safetensors file."""
    # One key: safetensors writes several in random order, and the same model should be the same bytes.
    metadata = {"tfmlib": json.dumps(about, ensure_ascii=False)}
    write_atomically(path, save({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, metadata))


def read(path: Path) -> tuple[dict[str, torch.Tensor], dict]:
    """Read what `write` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, truncated, or none of ours.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no model file {path}; `python -m tfmlib train` makes one, and {', '.join(SHIPPED)} are shipped."
        )
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 — it is no dict
        return tensors, json.loads(metadata["tfmlib"])
    except SafetensorError as error:
        raise ValueError(
            f"{path} ({path.stat().st_size:,} bytes) is damaged or cut off: {error}. Copy it again, or train again."
        ) from None
    except KeyError:
        raise ValueError(f"{path} is a safetensors file, but not one that tfmlib wrote.") from None


class Translator:
    """A trained model with the vocabularies of its two languages.

    Args:
        model: the model.
        source_vocabulary, target_vocabulary: one table for both is fine.
        about: what is known of the training; travels in the file.
    """

    def __init__(
        self,
        model: Transformer,
        source_vocabulary: AnyVocabulary,
        target_vocabulary: AnyVocabulary,
        about: Mapping | None = None,
    ):
        sizes = (len(source_vocabulary), len(target_vocabulary))
        wanted = (model.config.source_vocab_size, model.config.target_vocab_size)
        if sizes != wanted:
            raise ValueError(f"the vocabularies have {sizes} tokens and the model wants {wanted}.")
        self.model = model.eval()
        self.source_vocabulary, self.target_vocabulary = source_vocabulary, target_vocabulary
        self.about = dict(about or {})

    @classmethod
    def load(cls, path: Path | str = "en-fr", dtype: torch.dtype | None = None) -> "Translator":
        """Load a translator from a file, or one that is shipped with the package.

        Args:
            path: of the file, or the languages of a shipped one: "en-fr", "fr-en" or "zh-en".
            dtype: of the weights; by default PyTorch's default.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is damaged, or holds something else than a translator of this version.
        """
        path = SHIPPED.get(str(path), Path(path))
        tensors, about = read(path)
        try:
            config = TransformerConfig(**about.pop("model"))
            source, target = from_json(about.pop("source_vocabulary")), about.pop("target_vocabulary")
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} holds no translator of this version of tfmlib: {error}.") from None
        model = Transformer(config).to(dtype or torch.get_default_dtype())
        parameters = dict(model.named_parameters())
        shapes = {name: tuple(t.shape) for name, t in tensors.items()}
        if shapes != {name: tuple(p.shape) for name, p in parameters.items()}:
            wrong = sorted(name for name in {*shapes, *parameters} if shapes.get(name) != _shape(parameters.get(name)))
            raise ValueError(f"{path} holds the weights of another model: {', '.join(wrong[:3])} do not fit its sizes.")
        with torch.no_grad():
            for name, p in parameters.items():
                p.copy_(tensors[name])
        return cls(model, source, source if target is None else from_json(target), about)

    def save(self, path: Path, dtype: torch.dtype = torch.float32) -> None:
        """Write the translator as one file, by default in float32."""
        shared = self.target_vocabulary is self.source_vocabulary
        about = {
            "model": asdict(self.model.config),
            "source_vocabulary": self.source_vocabulary.to_json(),
            "target_vocabulary": None if shared else self.target_vocabulary.to_json(),
            **self.about,
        }
        # named_parameters gives a table that is used twice once: safetensors takes no shared memory.
        write(Path(path), {name: p.to(dtype) for name, p in self.model.named_parameters()}, about)

    def ids(self, sentences: Sequence[str], strict: bool = True) -> torch.Tensor:
        """Source ids, (B, S), padded."""
        ids = [self.source_vocabulary.encode(text, strict) for text in sentences]
        return pad(ids).to(next(self.model.parameters()).device)

    def translate(self, text, beam: int = 1, strict: bool = True, max_length: int | None = None, batch: int = 64):
        """Translate a sentence to a sentence, or a list of them to a list, greedily or with a beam.

        Raises:
            UnknownWordError: `strict`, and the vocabulary does not hold a word.
            ValueError: an empty sentence, or one longer than the model's positions.
        """
        if isinstance(text, str):
            return self.translate([text], beam, strict, max_length)[0]
        order = sorted(range(len(text)), key=lambda i: len(text[i]))  # alike in length: little padding
        found = {}
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            source = self.ids([text[i] for i in rows], strict)
            if beam == 1:
                words = greedy(self.model, source, max_length)
            else:
                words = [best[0][0] for best in beam_search(self.model, source, beam, max_length=max_length)]
            found.update(zip(rows, map(self.target_vocabulary.decode, words), strict=True))
        return [found[i] for i in range(len(text))]

    @torch.inference_mode()
    def attention(self, source: str, target: str | None = None) -> tuple[list[str], list[str], dict[str, torch.Tensor]]:
        """Give the weights of every layer and head for a sentence and its translation, by default the model's own.

        Returns the source words (S), the target's output words (T, the last one ``<eos>``), and a dict from the name
        of each attention to its weights: "encoder.layers.0.self_attention" (H, S, S), "decoder.layers.0.self_attention"
        (H, T, T), "decoder.layers.0.cross_attention" (H, T, S). Row t belongs to the step that writes target word t:
        what it reads is the word before it, ``<bos>`` at first.
        """
        source_ids = self.ids([source])
        words = greedy(self.model, source_ids)[0] if target is None else self.target_vocabulary.encode(target)
        steps = len(words) + 1
        if target is None:  # its own words may take all positions; then no <eos> comes
            steps = min(steps, self.model.config.max_length)
        with record_attention(self.model) as weights:
            self.model(source_ids, source_ids.new_tensor([[BOS, *words][:steps]]))
        tokens = [self.target_vocabulary.tokens[i] for i in (*words, EOS)[:steps]]
        return self.source_vocabulary.tokenize(source), tokens, {name: w[0][0] for name, w in weights.items()}


def _shape(parameter: torch.Tensor | None) -> tuple | None:
    return None if parameter is None else tuple(parameter.shape)
