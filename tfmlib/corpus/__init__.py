"""Sentences in English, French and Chinese from one grammar, with the truth about them: alignments and antecedents.

    >>> tired, wide = running_sentences()
    >>> tired.text("fr")
    "l'animal n'a pas traversé la rue parce qu'il était trop fatigué"

The words are in the table `lexicon.tsv` beside this file, which a person can extend. Each sentence has one translation
into each language, so an exact match is a fair score (`tfmlib.corpus.grammar` says how Chinese comes to that).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import islice
from random import Random
from typing import NamedTuple

from tfmlib.corpus.grammar import REALISERS, Clause, NounPhrase, Reason, meaning_of
from tfmlib.corpus.sampling import is_withheld, pairs, rivals, sample, sample_deep, sample_minimal_pair
from tfmlib.vocabulary import join

__all__ = ["LANGUAGES", "SPLITS", "Alignment", "Pronoun", "Sentence", "load", "running_sentences"]

LANGUAGES = ("en", "fr", "zh")
SPLITS = ("train", "held_out", "new_combinations", "new_structures", "coreference")
SIZES = {"train": 60_000, "held_out": 1_000, "new_combinations": 1_000, "new_structures": 500, "coreference": 500}
SEED = 2017
MOST_TRAIN = 200_000
SHORTEST, LONGEST = 3, 20  # words in English and French, "?" not counted


class Alignment(NamedTuple):
    """Links (i, j) of word i of the source to word j of the target. All sure links are possible ones."""

    sure: frozenset[tuple[int, int]]
    possible: frozenset[tuple[int, int]]


class Pronoun(NamedTuple):
    """Where by language stand the pronoun, the noun that it stands for, and the noun that it could stand for (or None).

    The rival is of the antecedent's number and, in English, gender: *it*, *he*, *she* and *they* alone do not decide.
    """

    word: dict[str, int]
    antecedent: dict[str, int]
    rival: dict[str, int] | None


@dataclass(frozen=True)
class Sentence:
    """One meaning in three languages. `meaning` is its canonical name, and decides whether two sentences are equal."""

    meaning: str
    clause: Clause = field(repr=False, compare=False)

    @cached_property
    def words(self) -> dict[str, tuple[str, ...]]:
        """The words by language."""
        return {language: tuple(word for word, _ in self.items(language)) for language in LANGUAGES}

    def items(self, language: str) -> list[tuple[str, str]]:
        """The words with the keys that say what they stand for (see `tfmlib.corpus.grammar`)."""
        return REALISERS[_known(language)](self.clause)

    def text(self, language: str) -> str:
        """The sentence as it is written: l'animal, a narrow space before a French "?", Chinese without blanks."""
        return join(self.words[_known(language)], language)

    def alignment(self, source: str, target: str) -> Alignment:
        """Which word of the source says what which word of the target says."""
        sure, possible = set(), set()
        targets = [(j, _keys(keys)) for j, (_, keys) in enumerate(self.items(target))]
        for i, (_, keys) in enumerate(self.items(source)):
            strict, loose = _keys(keys)
            for j, (strict_there, loose_there) in targets:
                if strict & strict_there:
                    sure.add((i, j))
                elif (strict | loose) & (strict_there | loose_there):
                    possible.add((i, j))
        return Alignment(frozenset(sure), frozenset(sure | possible))

    @cached_property
    def pronouns(self) -> tuple[Pronoun, ...]:
        """The pronouns; all of them stand in a reason, so there is one or none."""
        reason = self.clause.reason
        if reason is None:
            return ()
        rival = next((self._places(f"{role}.noun") for role in rivals(self.clause)), None)
        return (Pronoun(self._places("pronoun"), self._places(f"{reason.role}.noun"), rival),)

    def _places(self, key: str) -> dict[str, int]:
        keys = {language: [_keys(keys)[0] for _, keys in self.items(language)] for language in LANGUAGES}
        return {language: next(i for i, k in enumerate(keys[language]) if key in k) for language in LANGUAGES}


@cache
def _keys(keys: str) -> tuple[frozenset[str], frozenset[str]]:
    """The strict keys and the loose ones."""
    words = keys.split()
    return frozenset(k for k in words if k[0] != "~"), frozenset(k[1:] for k in words if k[0] == "~")


def load(split: str, n: int | None = None) -> list[Sentence]:
    """Give the first n sentences of a split, the same on every machine. In "coreference", 2k and 2k + 1 are a pair.

    Args:
        split: one of SPLITS.
        n: None is the whole split (of "train", 60,000 sentences; there are up to 200,000).

    Raises:
        ValueError: there is no such split, or it has fewer sentences.
    """
    if split not in SPLITS:
        raise ValueError(f"there is no split {split!r}; take one of {', '.join(SPLITS)}")
    n = SIZES[split] if n is None else n
    most = MOST_TRAIN if split == "train" else SIZES[split]
    if not isinstance(n, int) or not 0 <= n <= most:
        raise ValueError(
            f"the split {split!r} has {most} sentences, so n is a whole number from 0 to {most}, not {n!r}"
        )
    sentences, stream = _split(split)
    sentences += islice(stream, max(0, n - len(sentences)))
    return sentences[:n]


def running_sentences() -> tuple[Sentence, Sentence]:
    """Give "the animal did not cross the street because it was too tired", and the one with "too wide"."""
    tired, wide = load("coreference", 2)
    return tired, wide


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise ValueError(f"there is no language {language!r}; take one of {', '.join(LANGUAGES)}")
    return language


@cache
def _split(split: str) -> tuple[list[Sentence], Iterator[Sentence]]:
    """The sentences of a split that are made, and the stream from which more come."""
    return [], _stream(split)


def _stream(split: str) -> Iterator[Sentence]:
    rng = Random(f"{SEED} {split}")
    seen = set()  # only asked whether it holds a meaning, so its order plays no part
    if split in ("held_out", "train"):
        seen.update(sentence.meaning for sentence in load("coreference"))
    if split == "train":
        seen.update(sentence.meaning for sentence in load("held_out"))
    if split == "coreference":
        yield from _fresh(_running_clauses(), seen)
    while True:
        clauses = _drawn(split, rng)
        if clauses:
            yield from _fresh(clauses, seen)


def _drawn(split: str, rng: Random) -> tuple[Clause, ...]:
    """One meaning at random that belongs to the split, or a minimal pair, or nothing."""
    if split == "coreference":
        clauses = sample_minimal_pair(rng) or ()
    else:
        clause = sample_deep(rng) if split == "new_structures" else sample(rng)
        clauses = (clause,) if clause else ()
    wanted = split == "new_combinations"
    return clauses if all(any(map(is_withheld, pairs(clause))) == wanted for clause in clauses) else ()


def _fresh(clauses: tuple[Clause, ...], seen: set[str]) -> Iterator[Sentence]:
    """The sentences of the meanings, if none was seen and all have a good length."""
    sentences = [Sentence(meaning_of(clause), clause) for clause in clauses]
    for sentence in sentences:
        lengths = [sum(word != "?" for word in sentence.words[language]) for language in ("en", "fr")]
        if sentence.meaning in seen or min(lengths) < SHORTEST or max(lengths) > LONGEST:
            return
    seen.update(sentence.meaning for sentence in sentences)
    yield from sentences


def _running_clauses() -> tuple[Clause, Clause]:
    clause = Clause("cross", NounPhrase("animal", "the"), NounPhrase("street", "the"), negative=True)
    tired, wide = Reason("subject", "too", "tired"), Reason("object", "too", "wide")
    return clause._replace(reason=tired), clause._replace(reason=wide)
