"""From text to ids and back: special symbols, word and character tokens, byte pairs (paper, section 5.1)."""

import difflib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

SPECIALS = ("<pad>", "<bos>", "<eos>", "<unk>")
PAD, BOS, EOS, UNK = range(4)

# A word may hold hyphens and end in an apostrophe (l', qu'); any other visible sign is a token of its own.
_WORD = re.compile(r"<(?:pad|bos|eos|unk)>|[^\W_]+(?:-[^\W_]+)*'?|\S")
_CHINESE = r"[\u4e00-\u9fff]"


class UnknownWordError(ValueError):
    """A word that the vocabulary does not hold."""


def join(tokens: Iterable[str], language: str | None = None) -> str:
    """Write word tokens as people do: ``l'animal``, ``动物睡吗？``, a narrow blank before a French ``?``."""
    text = " ".join(tokens)
    if language == "zh":
        return re.sub(rf"(?<={_CHINESE}) (?={_CHINESE}|\?)", "", text).replace("?", "\uff1f")
    text = re.sub(r"(?<=\w') ", "", text)
    return re.sub(r" (?=[?!:;])", "\u202f" if language == "fr" else "", re.sub(r" (?=[.,])", "", text))


def pad(sequences: Sequence[Sequence[int]]) -> torch.Tensor:
    """Stack sequences of ids into one tensor, (B, length of the longest), the shorter ones filled with PAD."""
    if not len(sequences) or min(map(len, sequences)) == 0:
        raise ValueError("pad: got an empty batch or an empty sentence; each sentence needs at least one id.")
    width = max(map(len, sequences))
    return torch.tensor([[*ids, *[PAD] * (width - len(ids))] for ids in sequences])  # (B, width)


class Vocabulary:
    """A table of tokens, words or characters; the id of a token is its place in the table.

    The four special symbols come first: ``<pad>`` 0, ``<bos>`` 1, ``<eos>`` 2, ``<unk>`` 3.

    Args:
        tokens: the tokens after the special symbols, each once.
        level: ``"word"`` (lower-cased, split at blanks and punctuation) or ``"character"``.
        language: ``"en"``, ``"fr"`` or ``"zh"``, for the way in which `decode` writes; may stay None.

    Raises:
        ValueError: a token stands twice, or the level is unknown.
    """

    def __init__(self, tokens: Iterable[str], level: str = "word", language: str | None = None):
        if level not in ("word", "character"):
            raise ValueError(f"level is {level!r}; it must be 'word' or 'character'.")
        self.tokens = (*SPECIALS, *tokens)
        self.level, self.language = level, language
        self._ids = {token: i for i, token in enumerate(self.tokens)}
        if len(self._ids) != len(self.tokens):
            twice = [token for token, n in Counter(self.tokens).items() if n > 1]
            raise ValueError(f"these tokens stand more than once: {twice[:5]}; each token needs an id of its own.")

    @classmethod
    def build(
        cls,
        sentences: Iterable[str],
        level: str = "word",
        min_count: int = 1,
        language: str | None = None,
    ) -> "Vocabulary":
        """Collect the tokens that occur `min_count` times or more, sorted."""
        tokenize = cls((), level).tokenize
        counts = Counter(token for text in sentences for token in tokenize(text))
        often = {token for token, n in counts.items() if n >= min_count}
        return cls(sorted(often - {*SPECIALS}), level, language)

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    def tokenize(self, text: str) -> list[str]:
        """Cut a text into tokens. Chinese written without blanks is cut at the longest known words."""
        text = unicodedata.normalize("NFC", text).replace("\u2019", "'")
        if self.level == "character":
            return list(text)
        text = text.lower().replace("\uff1f", "?")
        return [token for chunk in _WORD.findall(text) for token in self._longest_words(chunk)]

    def _longest_words(self, chunk: str) -> Iterable[str]:
        if chunk in self or len(self) == len(SPECIALS) or not re.search(_CHINESE, chunk):
            return [chunk]
        words = []
        while chunk:
            size = next((n for n in range(len(chunk), 1, -1) if chunk[:n] in self), 1)
            words.append(chunk[:size])
            chunk = chunk[size:]
        return words

    def encode(self, text: str, strict: bool = True) -> list[int]:
        """Give the ids of the tokens of `text`, without ``<bos>`` and ``<eos>``.

        Raises:
            UnknownWordError: `strict`, and a token is not in the table.
                Not strict, it becomes ``<unk>``.
            ValueError: the text is empty.
        """
        tokens = self.tokenize(text)
        if not tokens:
            raise _no_token_in(text)
        unknown = [token for token in tokens if token not in self]
        if strict and unknown:
            raise UnknownWordError(self._say_unknown(unknown[0]))
        return [self._ids.get(token, UNK) for token in tokens]

    def _say_unknown(self, token: str) -> str:
        """Name the token and what lies near it."""
        near = difflib.get_close_matches(token, self.tokens[len(SPECIALS) :], n=3)
        hint = f" Near it: {', '.join(near)}." if near else ""
        if not any(map(str.isalnum, token)):
            hint = " The sentences of this vocabulary have no such sign; leave it out."
        return f"{token!r} is not among the {len(self) - len(SPECIALS)} {self.level}s that are known here.{hint}"

    def decode(self, ids: Iterable[int]) -> str:
        """Give the text of `ids`, up to the first ``<eos>``, without ``<pad>`` and ``<bos>``."""
        tokens = [self.tokens[i] for i in _until_eos(ids, len(self))]
        return "".join(tokens) if self.level == "character" else join(tokens, self.language)

    def to_json(self) -> str:
        """Write the vocabulary as JSON; `from_json` reads it."""
        tokens = self.tokens[len(SPECIALS) :]
        return json.dumps({"level": self.level, "language": self.language, "tokens": tokens}, ensure_ascii=False)


class BytePairVocabulary:
    """Byte pairs for real text, by the `tokenizers` library: no word is unknown (paper, section 5.1)."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer

    @classmethod
    def build(cls, sentences: Iterable[str], size: int = 6000) -> "BytePairVocabulary":
        """Learn merges from `sentences` until there are `size` tokens, the special symbols and 256 bytes included."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=list(SPECIALS),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(sentences, trainer)
        return cls(tokenizer)

    def __len__(self) -> int:
        return self.tokenizer.get_vocab_size()

    @property
    def tokens(self) -> tuple[str, ...]:
        """All tokens, by id."""
        return tuple(self.tokenizer.id_to_token(i) for i in range(len(self)))

    def tokenize(self, text: str) -> list[str]:
        """Cut a text into byte-pair tokens; a blank before a word is written ``Ġ``."""
        return self.tokenizer.encode(text).tokens

    def encode(self, text: str, strict: bool = True) -> list[int]:
        """Give the ids of the tokens of `text`; `strict` has no effect, since bytes spell every word.

        Raises:
            ValueError: the text is empty.
        """
        ids = self.tokenizer.encode(text.strip()).ids
        if not ids:
            raise _no_token_in(text)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Give the text of `ids`, up to the first ``<eos>``."""
        return self.tokenizer.decode(_until_eos(ids, len(self))).strip()

    def to_json(self) -> str:
        """Write the vocabulary as JSON; `from_json` reads it."""
        return self.tokenizer.to_str()


def from_json(text: str) -> Vocabulary | BytePairVocabulary:
    """Read a vocabulary that `to_json` wrote."""
    table = json.loads(text)
    return Vocabulary(**table) if "tokens" in table else BytePairVocabulary(Tokenizer.from_str(text))


def _no_token_in(text: str) -> ValueError:
    return ValueError(f"the text {text!r} holds no token; give a sentence of at least one word.")


def _until_eos(ids: Iterable[int], size: int) -> list[int]:
    kept = []
    for i in map(int, ids):
        if not 0 <= i < size:
            raise ValueError(f"id {i} is not in the table; its {size} tokens have the ids 0 to {size - 1}.")
        if i == EOS:
            break
        if i not in (PAD, BOS):
            kept.append(i)
    return kept


def byte_pair_merges(counts: Mapping[str, int], n_merges: int) -> list[tuple[str, str]]:
    """Learn byte pairs, shown small: `n_merges` times, join the pair of neighbours that is seen most often.

    Of pairs seen equally often the first in alphabetical order wins. `counts` says how often each word occurs.
    Source: Sennrich et al., 2016, which section 5.1 of the paper uses.
    """
    words = {word: list(word) for word in counts}
    merges = []
    for _ in range(n_merges):
        pairs = Counter()
        for word, pieces in words.items():
            for pair in pairwise(pieces):
                pairs[pair] += counts[word]
        if not pairs:
            break
        merges.append(min(pairs, key=lambda pair: (-pairs[pair], pair)))
        words = {word: _merge(pieces, merges[-1]) for word, pieces in words.items()}
    return merges


def apply_merges(word: str, merges: Iterable[tuple[str, str]]) -> list[str]:
    """Cut a word into the pieces that `merges`, in their order, leave of its letters."""
    pieces = list(word)
    for pair in merges:
        pieces = _merge(pieces, pair)
    return pieces


def _merge(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    merged = []
    for piece in pieces:
        if merged and (merged[-1], piece) == pair:
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged
