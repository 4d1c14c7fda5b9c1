"""Meanings at random. A function answers None where the words that were drawn do not go together."""

import zlib
from collections.abc import Iterator
from functools import cache
from random import Random

from tfmlib.corpus.grammar import NUMERALS, POSSESSIVES, Clause, NounPhrase, Reason
from tfmlib.corpus.lexicon import ADJECTIVES, NOUNS, TIMES, VERBS, Verb, find_adjective, find_nouns

# The kinds and their weights.
KINDS = {"dilemma": 16, "reason": 16, "statement": 30, "question": 14, "relative": 13, "description": 11, "short": 8}
DETERMINERS = {"the": 10, "the plural": 4, "this": 3, "these": 1, "numeral": 2, "possessive": 2, "a": 4, "some": 2}
ONE, MANY = ("the", "this", "possessive", "a"), ("the plural", "these", "numeral", "some")
SIZES_AND_AGES = ("big", "small", "long", "old", "new", "young")  # the new car was too old: no
WITHHELD = 16  # one pair of words in so many is seen in the split new_combinations only


def sample(rng: Random, kinds: dict[str, int] = KINDS) -> Clause:
    """A meaning of one of the kinds, which are drawn with the weights.

    A dilemma gives a reason in which the form of the pronoun leaves open which of two noun phrases of different French
    gender it stands for.
    """
    kind = rng.choices(list(kinds), list(kinds.values()))[0]
    wanted = {"relative": ("relative",), "reason": ("reason",), "dilemma": ("reason",)}.get(kind, ())
    while True:
        describes = kind == "description" or (kind == "relative" and rng.random() < 0.35)
        clause = _description(rng, kind) if describes else _action(rng, kind)
        if clause and depth(clause) == wanted and is_sensible(clause):
            return clause


def sample_deep(rng: Random) -> Clause | None:
    """A meaning deeper than any of `sample`: two relative clauses, side by side or nested, or one and a reason."""
    kind = rng.choice(("nested", "side by side", "with a reason"))
    clause = sample(rng, {"reason" if kind == "with a reason" else "relative": 1})
    subject, object_ = clause.subject, clause.object
    if kind == "nested" and subject and subject.relative and subject.relative.object:
        inner = _with_relative(rng, subject.relative.object)
        subject = subject._replace(relative=subject.relative._replace(object=inner))
    elif kind == "side by side" and subject and subject.relative and object_:
        object_ = _with_relative(rng, object_)
    elif kind == "with a reason" and clause.time:
        subject = _with_relative(rng, subject)
    clause = clause._replace(subject=subject, object=object_)
    reason = clause.reason
    if reason and (reason.role, reason.adjective) not in reasons(clause, (reason.adjective,)):
        return None
    return clause if len(depth(clause)) == 2 and is_sensible(clause) else None


def sample_minimal_pair(rng: Random) -> tuple[Clause, Clause] | None:
    """Two meanings that differ in the adjective of the reason, and so in what the pronoun stands for."""
    first = sample(rng, {"dilemma": 1})
    verb, np = VERBS[first.verb], first.parts[first.reason.role]
    others = [
        (role, adjective)
        for role, adjective in reasons(first, verb.why_not if first.negative else verb.why)
        if first.parts[role].pronoun == np.pronoun and first.parts[role].feminine != np.feminine
    ]
    if not others:
        return None
    role, adjective = rng.choice(others)
    return first, first._replace(reason=first.reason._replace(role=role, adjective=adjective))


# Clauses


def _action(rng: Random, kind: str) -> Clause | None:
    dilemma, kind = kind == "dilemma", "reason" if kind == "dilemma" else kind
    short = kind == "short"  # the cat sleeps: no place, no time, and mostly no object
    verbs = [name for name, verb in VERBS.items() if not verb.objects] if short and rng.random() < 0.8 else list(VERBS)
    verb = VERBS[rng.choice(verbs)]
    tense, frequency = _tense(rng, verb)
    question = rng.choice(("yes-no", "yes-no", "why", "who")) if kind == "question" else ""
    if question and ("person" not in verb.subjects or tense == "must" or frequency == "never"):
        return None
    if (kind == "reason" or question == "why") and not (verb.why or verb.why_not):
        return None
    time = "" if short else _time(rng, tense, frequency, tense == "present" and "state" in verb.uses)
    if frequency == "never":
        negative = True
    elif tense == "must" or (tense == "present" and time) or frequency or question in ("yes-no", "who"):
        negative = False
    else:
        negative = rng.random() < (0.6 if kind == "reason" or question else 0.3)
        negative |= question == "why" and tense == "past" and not verb.objects  # 为什么 游泳 了 would be odd
    habit = tense == "present" and "bare" in verb.uses
    number = rng.choice((ONE, MANY)) if dilemma else ()  # without it: *it* and *they* would leave no dilemma
    without = ("numeral",) * negative + ("a", "some", "numeral") * ("state" in verb.uses)
    place = None
    likely = 1 if "motion" in verb.uses else 0 if short else 0.6 if not verb.objects else 0.25
    if verb.places and likely and rng.random() < likely:
        place = NounPhrase(rng.choice(find_nouns(verb.places)), "the")
    clause = Clause(
        verb.name,
        None if question == "who" else _noun_phrase(rng, verb.subjects, kind, ("a", "some", *number)),
        _noun_phrase(rng, verb.objects, kind, (*without, *number), habit) if verb.objects else None,
        _noun_phrase(rng, verb.recipients, kind, ("a", "some", *number)) if verb.recipients else None,
        place,
        time,
        bool(time) and not question and tense not in ("want", "can", "must") and rng.random() < 0.4,
        frequency,
        tense,
        negative,
        question,
    )
    return _with_reason(rng, clause, dilemma) if kind == "reason" else clause


def _description(rng: Random, kind: str) -> Clause:
    """The street is very wide."""
    adjective = rng.choice([row for row in ADJECTIVES if row.position not in ("colour", "pre-only")])
    subject = _noun_phrase(rng, adjective.said_of, kind, ("a", "some", "numeral"))
    question, negative = rng.choice((("", False), ("", False), ("", True), ("yes-no", False)))
    degree = "" if negative else rng.choice(("very", "") if question else ("very", "very", "too"))
    return Clause(
        "be", subject, tense="present", negative=negative, question=question, degree=degree, adjective=adjective.name
    )


def _with_reason(rng: Random, clause: Clause, dilemma: bool) -> Clause | None:
    """The clause with a reason, so that nothing but its adjective says what the pronoun stands for, if a dilemma."""
    verb, roles = VERBS[clause.verb], set(clause.parts)
    if dilemma:
        forms = [(role, np.pronoun, np.feminine) for role, np in clause.parts.items()]
        roles = {role for role, it, gender in forms if any(it == one and gender != g for _, one, g in forms)}
    found = reasons(clause, verb.why_not if clause.negative else verb.why) if roles else []
    found = [(role, adjective) for role, adjective in found if role in roles]
    if clause.tense in ("can", "must") and not clause.negative:
        found = [(role, adjective) for role, adjective in found if clause.tense == "must" and role == "object"]
    if not found:
        return None
    role = rng.choice([role for role in clause.parts if any(role == one for one, _ in found)])
    adjective = rng.choice([adjective for one, adjective in found if one == role])
    return clause._replace(reason=Reason(role, "too" if clause.negative else "very", adjective))


def _tense(rng: Random, verb: Verb) -> tuple[str, str]:
    """A tense, and in the present of an action how often it is done."""
    uses = [use for use in verb.uses if use != "motion"]
    use = rng.choice(uses + ["past"] * 3 if "past" in uses else uses)
    if use in ("often", "bare"):
        return "present", rng.choice(("often", "always", "never", ""))
    return "present" if use == "state" else use, ""


def _time(rng: Random, tense: str, frequency: str, state: bool) -> str:
    if frequency or state or (tense != "present" and rng.random() < 0.65):
        return ""
    tense = tense if tense in ("past", "present") else "will"
    return rng.choice([time.name for time in TIMES.values() if time.tense == tense])


# Noun phrases


def _noun_phrase(
    rng: Random, names: tuple[str, ...], kind: str, without: tuple[str, ...] = (), habit: bool = False
) -> NounPhrase:
    """One with a noun of the names, but without some determiners; as the object of a habit: often drinks milk."""
    noun = NOUNS[rng.choice(find_nouns(names))]
    relative = kind == "relative" and rng.random() < 0.5
    if noun.prepositions:
        return NounPhrase(noun.name, "the")
    if "field" in noun.tags or habit:
        return NounPhrase(noun.name, "", noun.en[1] is not None)
    if "mass" in noun.tags:
        return NounPhrase(noun.name, "the" if kind == "reason" or "numeral" in without else rng.choice(("the", "some")))
    if "kin" in noun.tags:
        det = "possessive"
    else:
        if "person" in noun.tags or "free" in noun.tags:
            without = (*without, "possessive")
        if "numeral" in without:
            without = (*without, "some")  # did not buy some chairs
        if kind == "reason":
            without = (*without, "a", "some")
        names = ("the", "the plural") if relative else [name for name in DETERMINERS if name not in without]
        det = rng.choices(names, [DETERMINERS[name] for name in names])[0]
    plural = det in ("the plural", "these", "numeral", "some")
    det = {"the plural": "the", "these": "this"}.get(det, det)
    if det in ("numeral", "possessive"):
        det = rng.choice(list(NUMERALS if det == "numeral" else POSSESSIVES))
    adjectives = _attributes(rng, noun.name) if rng.random() < (0.12 if kind == "reason" else 0.3) else ()
    np = NounPhrase(noun.name, det, plural, adjectives)
    return _with_relative(rng, np) if relative else np


@cache
def _beside(noun: str, positions: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the adjectives in the positions that can be said of the noun."""
    fits = (row for row in ADJECTIVES if row.position in positions and row is find_adjective(row.name, noun))
    return tuple(row.name for row in fits)


def _attributes(rng: Random, noun: str) -> tuple[str, ...]:
    """One or two adjectives to stand beside the noun: small, black, or small and black."""
    before, after = _beside(noun, ("pre", "pre-only")), _beside(noun, ("post",))
    colours = _beside(noun, ("colour",))
    ones = [(name,) for name in (*before, *after, *colours)]
    twos = [(name, colour) for name in before for colour in colours]
    if twos and rng.random() < 0.2:
        return rng.choice(twos)
    return rng.choice(ones) if ones else ()


def _with_relative(rng: Random, np: NounPhrase) -> NounPhrase:
    """The noun phrase, with a relative clause if it can have one: that crossed the street; that she will read."""
    if np.det != "the" or np.row.prepositions or np.row.en[1] is None:
        return np
    modal = ("want", "will", "must", "state")
    ways = [(verb, "object") for verb in VERBS.values() if np.row.is_one_of(verb.objects) and {*modal} & {*verb.uses}]
    ways += [(verb, "subject") for verb in VERBS.values() if np.row.is_one_of(verb.subjects)]
    ways = [(verb, gap) for verb, gap in ways if not verb.recipients]
    if not ways:
        return np
    gap = rng.choice(list(dict.fromkeys(gap for _, gap in ways)))
    verb = rng.choice([verb for verb, one in ways if one == gap])
    if gap == "object":
        subject = _noun_phrase(rng, verb.subjects, "reason")
        tense = rng.choice([use for use in verb.uses if use in modal])
        clause = Clause(verb.name, subject, tense="present" if tense == "state" else tense)
        return np._replace(relative=clause._replace(negative=tense != "must" and rng.random() < 0.3))
    tense = "past" if "past" in verb.uses and (verb.objects or "motion" in verb.uses) else "present"
    negative = rng.random() < 0.25
    without = ("numeral",) * (negative or "state" in verb.uses)
    object_ = _noun_phrase(rng, verb.objects, "reason", without) if verb.objects else None
    place = None
    if verb.places and not verb.objects:
        place = NounPhrase(rng.choice(find_nouns(verb.places)), "the")
    return np._replace(relative=Clause(verb.name, None, object_, None, place, tense=tense, negative=negative))


# What holds of a meaning


def noun_phrases(clause: Clause) -> Iterator[NounPhrase]:
    """All noun phrases, those in relative clauses too."""
    for np in clause.parts.values():
        yield np
        if np.relative:
            yield from noun_phrases(np.relative)


def depth(clause: Clause) -> tuple[str, ...]:
    """A word for each relative clause and for the reason. In training there is at most one."""
    relatives = tuple("relative" for np in noun_phrases(clause) if np.relative)
    return relatives + ("reason",) * bool(clause.reason)


def reasons(clause: Clause, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """(role, adjective) of each reason that leaves no doubt what its pronoun stands for."""
    everyone = [(np, np.pronoun) for np in noun_phrases(clause)]
    attributes = {adjective for np, _ in everyone for adjective in np.adjectives}
    found = []
    for name in names:
        only, _, adjective = name.rpartition(".")
        if adjective in attributes or (adjective in SIZES_AND_AGES and attributes):
            continue
        bearers = [(np, it) for np, it in everyone if find_adjective(adjective, np.noun)]
        for role, np in clause.parts.items():
            if only in ("", role) and [one for one, it in bearers if it == np.pronoun] == [np]:
                found.append((role, adjective))
    return found


def rivals(clause: Clause) -> list[str]:
    """The roles that the pronoun of the reason could stand for by its form, but does not."""
    it = clause.parts[clause.reason.role].pronoun
    return [role for role, np in clause.parts.items() if role != clause.reason.role and np.pronoun == it]


def is_sensible(clause: Clause) -> bool:
    """No noun or verb stands in it twice, and what is said of the subject does not contradict itself."""
    everyone = list(noun_phrases(clause))
    words = [clause.verb] + [np.noun for np in everyone] + [np.relative.verb for np in everyone if np.relative]
    owners = {np.det for np in everyone if np.det in POSSESSIVES}
    if len(set(words)) < len(words) or len(owners) > 1:
        return False
    later = clause.place or (clause.time and not clause.time_first)
    if any(np and np.relative for np in (clause.object, clause.recipient)) and (later or clause.recipient):
        return False  # the girl saw the dog that crossed the street yesterday: what was yesterday?
    if clause.place and "people" in clause.place.row.tags and clause.subject and not clause.subject.is_person:
        return False
    if clause.adjective and clause.subject.adjectives:
        return clause.adjective not in (*clause.subject.adjectives, *SIZES_AND_AGES)
    return True


def pairs(clause: Clause) -> Iterator[tuple[str, str]]:
    """The pairs of words that go together: adjective and noun, verb and object."""
    for np in clause.parts.values():
        yield from ((adjective, np.noun) for adjective in np.adjectives)
        if np.relative:
            yield from pairs(np.relative)
            if np.relative.subject:
                yield np.relative.verb, np.noun
    if clause.adjective:
        yield clause.adjective, clause.subject.noun
    if clause.object:
        yield clause.verb, clause.object.noun
    if clause.reason:
        yield clause.reason.adjective, clause.parts[clause.reason.role].noun


@cache
def is_withheld(pair: tuple[str, str]) -> bool:
    """Whether training never shows the pair of words. What goes with few words keeps them all."""
    first, noun = pair
    if first in VERBS:
        few = sum(NOUNS[noun].is_one_of(verb.objects) for verb in VERBS.values()) < 3
    else:
        few = sum(find_adjective(first, name) is not None for name in NOUNS) < 6
    return not few and zlib.crc32(" ".join(pair).encode()) % WITHHELD == 0
