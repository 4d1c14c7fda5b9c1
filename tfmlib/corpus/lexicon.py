"""The words of the corpus, read from the table `lexicon.tsv`. Its head says what its columns mean."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("lexicon.tsv")
TENSES = ("past", "will", "present")
POSITIONS = ("pre", "pre-only", "post", "pred", "colour")
USES = ("past", "will", "want", "can", "must", "state", "often", "bare", "motion")
COLUMNS = {"noun": 9, "place": 9, "adj": 10, "verb": 11, "time": 5}
MAY_BE_EMPTY = {"noun": (3, 6, 7), "place": (8,), "adj": (8,), "verb": (6, 7, 8, 10, 11), "time": ()}  # columns from 1


class Noun(NamedTuple):
    """A noun, or a place: that has prepositions (in Chinese a word after it) and is never plural."""

    name: str
    en: tuple[str, str | None]  # singular, plural
    fr: tuple[str, str | None]
    zh: str
    gender: str
    classifier: str | None
    tags: tuple[str, ...]
    prepositions: tuple[str, str, str | None] | None = None  # en, fr, zh

    def is_one_of(self, names: tuple[str, ...]) -> bool:
        """Whether its name or one of its tags is among the names."""
        return self.name in names or any(tag in names for tag in self.tags)


class Adjective(NamedTuple):
    """An adjective and the tags or names of what it can be said of."""

    name: str
    position: str
    fr: tuple[str | None, ...]  # m, f, m plural, f plural, m before a vowel
    zh: str
    said_of: tuple[str, ...]


class Verb(NamedTuple):
    """A verb, the tags or names of what goes with it, and the adjectives that give a reason for it or against it."""

    name: str
    en: tuple[str, str, str]  # infinitive, present, past
    auxiliary: str
    fr: tuple[str, str, str, str]  # infinitive, il, ils, participle
    zh: str
    subjects: tuple[str, ...]
    objects: tuple[str, ...]
    recipients: tuple[str, ...]
    places: tuple[str, ...]
    uses: tuple[str, ...]
    why_not: tuple[str, ...]
    why: tuple[str, ...]


class Time(NamedTuple):
    """When: a word or a phrase, and the tense that it goes with."""

    name: str
    en: str
    fr: str
    zh: str
    tense: str


class Lexicon(NamedTuple):
    """The rows in the order of the table. Two adjectives may share a name (old: 老 of a dog, 旧 of a car)."""

    nouns: dict[str, Noun]
    adjectives: list[Adjective]
    verbs: dict[str, Verb]
    times: dict[str, Time]


def read_lexicon(path: Path = TABLE) -> Lexicon:
    """The lexicon in a table. A malformed row raises ValueError with the file's name, its line and what was wanted."""
    lexicon = Lexicon({}, [], {}, {})
    lines = {}  # of each adjective and verb, for names that can be looked up only at the end

    def wrong(number: int, what: str) -> ValueError:
        return ValueError(f"{Path(path).name}, line {number}: {what}; the head of the table says what a row holds")

    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        kind, *cells = line.split("\t")
        if kind not in COLUMNS:
            raise wrong(number, f"the first column is one of {', '.join(COLUMNS)}, not {kind!r}")
        if len(cells) + 1 != COLUMNS[kind]:
            raise wrong(number, f"a row of kind {kind!r} has {COLUMNS[kind]} columns, a tab between them")
        cells = [None if cell.strip() in ("", "-") else cell for cell in cells]
        for column, cell in enumerate(cells, start=2):
            if cell is None and column not in MAY_BE_EMPTY[kind]:
                raise wrong(number, f"column {column} of a {kind!r} row may not be empty")
        try:
            row = _row(kind, cells)
        except ValueError as error:
            raise wrong(number, str(error)) from None
        if kind == "adj":
            lexicon.adjectives.append(row)
        else:
            table = {"verb": lexicon.verbs, "time": lexicon.times}.get(kind, lexicon.nouns)
            if row.name in table:
                raise wrong(number, f"{row.name!r} has a row already")
            table[row.name] = row
        if kind in ("adj", "verb"):
            lines[number] = row

    nouns = {name for noun in lexicon.nouns.values() for name in (noun.name, *noun.tags)}
    adjectives = {row.name for row in lexicon.adjectives}
    for number, row in lines.items():
        is_verb = isinstance(row, Verb)
        for name in (*row.subjects, *row.objects, *row.recipients, *row.places) if is_verb else row.said_of:
            if name not in nouns:
                raise wrong(number, f"{name!r} is no noun, no place and no tag of one")
        for reason in (*row.why_not, *row.why) if is_verb else ():
            if reason.rpartition(".")[2] not in adjectives:
                raise wrong(number, f"{reason!r} names no adjective")
    return lexicon


def _row(kind: str, cells: list[str | None]) -> Noun | Adjective | Verb | Time:
    if kind == "noun":
        en, plural, gender, fr, pluriel, classifier, zh, tags = cells
        row = Noun(_named(en), (en, plural), (fr, pluriel), zh, _of(("m", "f"), gender), classifier, _words(tags))
        if (plural is None) != (pluriel is None):
            raise ValueError("a noun has a plural in English and in French, or in neither")
        if (plural is None) != (classifier is None):
            raise ValueError("a noun with a plural has a Chinese classifier, one without has none")
        return row
    if kind == "place":
        at, en, to, gender, fr, zh, inside, tags = cells
        return Noun(en, (en, None), (fr, None), zh, _of(("m", "f"), gender), None, _words(tags), (at, to, inside))
    if kind == "adj":
        name, position, *fr, zh, said_of = cells
        return Adjective(name, _of(POSITIONS, position), tuple(fr), zh, _words(said_of))
    if kind == "verb":
        en, (auxiliary, *fr) = _words(cells[0]), _words(cells[1])
        if len(en) != 3 or len(fr) != 4:
            raise ValueError("a verb has 3 English words, and in French avoir or être and 4 words")
        row = Verb(en[0], en, _of(("avoir", "être"), auxiliary), tuple(fr), cells[2], *map(_words, cells[3:]))
        for use in row.uses:
            _of(USES, use)
        return row
    return Time(_named(cells[0]), *cells[:3], _of(TENSES, cells[3]))


def _words(cell: str | None) -> tuple[str, ...]:
    return tuple(cell.split()) if cell else ()


def _named(phrase: str) -> str:
    """The words of a phrase without the marks that match them across languages."""
    return " ".join(word.partition(":")[0] for word in phrase.split())


def _of(choices: tuple[str, ...], cell: str | None) -> str:
    if cell not in choices:
        raise ValueError(f"{cell!r} is none of {', '.join(choices)}")
    return cell


NOUNS, ADJECTIVES, VERBS, TIMES = read_lexicon()


@cache
def find_adjective(name: str, noun: str) -> Adjective | None:
    """The adjective of that name that can be said of the noun, or None."""
    return next((row for row in ADJECTIVES if row.name == name and NOUNS[noun].is_one_of(row.said_of)), None)


@cache
def find_nouns(names: tuple[str, ...]) -> tuple[str, ...]:
    """The nouns that are named or have one of the tags, in the order of the table."""
    return tuple(noun.name for noun in NOUNS.values() if noun.is_one_of(names))
