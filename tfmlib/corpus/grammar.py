"""One meaning, three languages.

A meaning is a small tree: a `Clause` with a `NounPhrase` for each part. `english`, `french` and `chinese` say it as a
list of pairs (word, keys). A key names what in the meaning the word says, as "subject.noun" or "verb"; after ~ it is
loose (an article for its noun, an auxiliary for its verb). Two words of two languages are linked if they share a key,
and surely so if it is loose for neither. So alignments and antecedents are true by construction.

What Chinese may leave unsaid is said: "the" is 那 with a classifier, "a" is 一 with one, plurals are 那些, 这些, 一些
or a numeral, the past is 了 or 没有, the future 会. Where Chinese has no word, one reading is meant here: a place is
"the" (在 公园 里), a bare object is "a" after 没有 or 不 想 and general in a habit (每天 喝 牛奶), and the tense of a
reason is that of its sentence.
"""

from typing import NamedTuple

from tfmlib.corpus.lexicon import NOUNS, TIMES, VERBS, Noun, find_adjective

# English: French, Chinese. What varies in French: for one, for more than one.
MODALS = {
    "want": (("veut", "veulent"), "想"),
    "can": (("peut", "peuvent"), "能"),
    "must": (("doit", "doivent"), "必须"),
    "will": (("va", "vont"), "会"),
}
NUMERALS = {"two": ("deux", "两"), "three": ("trois", "三"), "four": ("quatre", "四")}
POSSESSIVES = {"my": (("mon", "ma", "mes"), "我"), "our": (("notre", "notre", "nos"), "我们")}
FREQUENCIES = {"often": ("souvent", "常常"), "always": ("toujours", "总是"), "never": ("jamais", "从来")}
DEGREES = {"too": ("trop", "太"), "very": ("très", "很")}

VOWELS = "aàâeéèêiîoôœuûyh"  # h is silent in every French word of the table that an article may stand before
ELIDED = {"le": "l'", "la": "l'", "ne": "n'", "que": "qu'", "de": "d'"}
CONTRACTED = {("à", "le"): "au", ("à", "les"): "aux", ("de", "le"): "du", ("de", "les"): "des"}

Items = list[tuple[str, str]]


class NounPhrase(NamedTuple):
    """A noun with what belongs to it. det: the, a, this, my, our, some, a numeral, or "" (machine learning)."""

    noun: str
    det: str
    plural: bool = False
    adjectives: tuple[str, ...] = ()
    relative: "Clause | None" = None

    @property
    def row(self) -> Noun:
        return NOUNS[self.noun]

    @property
    def is_person(self) -> bool:
        return "person" in self.row.tags

    @property
    def feminine(self) -> bool:
        return self.row.gender == "f"

    @property
    def pronoun(self) -> str:
        """The English pronoun that stands for it."""
        if self.plural:
            return "they"
        return ("she" if self.feminine else "he") if self.is_person else "it"


class Reason(NamedTuple):
    """Because it was too tired: the role of what *it* stands for, the degree, the adjective."""

    role: str
    degree: str
    adjective: str


class Clause(NamedTuple):
    """Who does what to whom, where, when, how often and why; or what is how, with the verb "be" and an adjective.

    tense: past, present or a modal (will, want, can, must). question: "", "yes-no", "why" or "who" (no subject).
    A relative clause lacks its subject or its object: that is the noun on which it hangs.
    """

    verb: str
    subject: NounPhrase | None = None
    object: NounPhrase | None = None
    recipient: NounPhrase | None = None
    place: NounPhrase | None = None
    time: str = ""
    time_first: bool = False
    frequency: str = ""
    tense: str = "past"
    negative: bool = False
    question: str = ""
    degree: str = ""
    adjective: str = ""
    reason: Reason | None = None

    @property
    def parts(self) -> dict[str, NounPhrase]:
        """The noun phrases by role."""
        roles = ("subject", "object", "recipient", "place")
        return {role: part for role, part in zip(roles, self[1:5], strict=True) if part}

    @property
    def goes(self) -> bool:
        """Whether its place is where the subject goes, and not where it is."""
        return self.verb != "be" and "motion" in VERBS[self.verb].uses


def meaning_of(c: Clause) -> str:
    """The canonical name of a meaning. Two clauses have the same one only if they are equal."""
    words = (c.verb, c.tense, "not" * c.negative, c.frequency, c.question, c.degree, c.adjective)
    said = [" ".join(filter(None, words))]
    for role, np in c.parts.items():
        words = (role, np.det, "plural" * np.plural, *np.adjectives, np.noun)
        said.append(" ".join(filter(None, words)) + (f" [{meaning_of(np.relative)}]" if np.relative else ""))
    if c.time:
        said.append("first " * c.time_first + c.time)
    if c.reason:
        said.append("because " + " ".join(c.reason))
    return ", ".join(said)


def phrase(text: str, key: str) -> Items:
    """The words of a phrase of the table with their keys: of the mark a the key itself, of b key.b, of ~a ~key."""
    if " " not in text and ":" not in text:
        return [(text, key)]
    items = []
    for word in text.split():
        word, _, marks = word.partition(":")
        loose = "~" * marks.startswith("~")
        keys = [loose + key + f".{mark}" * (mark != "a") for mark in marks.lstrip("~") or "a"]
        items.append((word, " ".join(keys)))
    return items


# English


def english_noun_phrase(np: NounPhrase, key: str) -> Items:
    """The noun phrase in English; key begins the keys of its words."""
    words = [(name, f"{key}.{name}") for name in np.adjectives] + phrase(np.row.en[np.plural], f"{key}.noun")
    det = np.det
    if det == "this" and np.plural:
        det = "these"
    elif det == "a" and words[0][0][0] in "aeiou":
        det = "an"
    if det:
        words.insert(0, (det, f"{key}.det ~{key}.noun"))
    if np.relative:
        who = ("whom" if np.relative.subject else "who") if np.is_person else "that"
        words += [(who, f"{key}.relative"), *english(np.relative, f"{key}.relative.", np)]
    return words


def english(c: Clause, k: str = "", head: NounPhrase | None = None) -> Items:
    """The clause in English. k begins its keys; a relative clause hangs on its head."""
    who = c.subject or head
    plural = bool(who and who.plural)
    inverted = c.question in ("yes-no", "why")
    negative = c.negative and c.frequency != "never"
    auxiliary, verb = _english_verb(c, k, plural, inverted, negative)
    if c.question == "who":
        subject = [("who", "who")]
    else:
        subject = english_noun_phrase(c.subject, k + "subject") if c.subject else []
    time = phrase(TIMES[c.time].en, k + "time") if c.time else []
    words = [*time] if c.time_first else []
    if c.question == "why":
        words.append(("why", "why"))
    words += auxiliary + subject if inverted else subject + auxiliary
    if negative and words[-1][0] == "can":
        words[-1] = ("cannot", f"{words[-1][1]} {k}not")
    elif negative:
        words.append(("not", k + "not"))
    if c.frequency:
        words.append((c.frequency, k + ("not" if c.frequency == "never" else "frequency")))
    words += verb
    if c.degree:
        words.append((c.degree, k + "degree"))
    if c.adjective:
        words.append((c.adjective, k + "adjective"))
    if c.object:
        words += english_noun_phrase(c.object, k + "object")
    if c.recipient:
        words += [("to", k + "to"), *english_noun_phrase(c.recipient, k + "recipient")]
    if c.place:
        preposition = "to" if c.goes else c.place.row.prepositions[0]
        words += [(preposition, k + "preposition"), *english_noun_phrase(c.place, k + "place")]
    if not c.time_first:
        words += time
    if c.reason:
        np = c.parts[c.reason.role]
        words += [
            ("because", k + "because"),
            (np.pronoun, k + "pronoun"),
            ((("was", "were") if c.tense == "past" else ("is", "are"))[np.plural], k + "be ~reason"),
            (c.reason.degree, k + "degree"),
            (c.reason.adjective, k + "reason"),
        ]
    return words + [("?", "mark")] * bool(c.question)


def _english_verb(c: Clause, k: str, plural: bool, inverted: bool, negative: bool) -> tuple[Items, Items]:
    """The auxiliary (or nothing) and what follows it after the subject, *not* and *often*."""
    main = k + "verb"
    if c.verb == "be":
        return [(("is", "are")[plural], main)], []
    infinitive, present, past = VERBS[c.verb].en
    auxiliary, verb = [], [(infinitive, main)]
    does = inverted or negative
    if does and c.tense in ("past", "present", "want"):
        did = "did" if c.tense == "past" else ("does", "do")[plural]
        auxiliary = [(did, f"~{main} ~{k}tense" + " ~question" * inverted)]
    elif c.tense == "past":
        verb = [(past, main)]
    elif c.tense == "present" and not plural:
        verb = [(present, main)]
    if c.tense == "want":
        want = "want" if plural or does else "wants"
        verb = [(want, f"{k}modal ~{main}"), ("to", f"~{main} ~{k}modal"), *verb]
    elif c.tense in MODALS:
        auxiliary = [(c.tense, f"{k}modal ~{main}")]
    return auxiliary, verb


# French


def french_noun_phrase(np: NounPhrase, key: str, negated: bool = False) -> Items:
    """The noun phrase in French. Negated, as the object of a negative verb, *un* and *des* are *de*."""
    form = np.feminine + 2 * np.plural
    noun = phrase(np.row.fr[np.plural], f"{key}.noun")
    before, after = [], []
    for name in np.adjectives:
        row = find_adjective(name, np.noun)
        stands_before = row.position.startswith("pre")
        word = row.fr[4] if row.fr[4] and stands_before and form == 0 and noun[0][0][0] in VOWELS else row.fr[form]
        (before if stands_before else after).append((word, f"{key}.{name}"))
    words = before + noun + after
    vowel = words[0][0][0] in VOWELS
    if np.det in POSSESSIVES:
        mon, ma, mes = POSSESSIVES[np.det][0]
        det = (mon, mon if vowel else ma, mes, mes)[form]
    elif np.det == "this":
        det = ("cet" if vowel else "ce", "cette", "ces", "ces")[form]
    elif np.det == "the" or "field" in np.row.tags:
        det = ("le", "la", "les", "les")[form]
    elif np.det in NUMERALS:
        det = NUMERALS[np.det][0]
    elif negated or (np.plural and before):
        det = "de"
    elif np.det == "a":
        det = ("un", "une")[form]
    else:
        det = ("de le", "de la", "de les", "de les")[form]
    words = [(word, f"{key}.det ~{key}.noun") for word in det.split()] + words
    if np.relative:
        qui = "que" if np.relative.subject else "qui"
        words += [(qui, f"{key}.relative"), *french(np.relative, f"{key}.relative.", np)]
    return words


def french(c: Clause, k: str = "", head: NounPhrase | None = None) -> Items:
    """The clause in French; k and head as in `english`."""
    who = c.subject or head
    time = phrase(TIMES[c.time].fr, k + "time") if c.time else []
    words = [*time] if c.time_first else []
    if c.question == "why":
        words.append(("pourquoi", "why"))
    if c.question in ("yes-no", "why"):
        words += [("est-ce", "question"), ("que", "question")]
    elif c.question == "who":
        words.append(("qui", "who"))
    if c.subject:
        words += french_noun_phrase(c.subject, k + "subject")
    words += _french_verb(c, k, who)
    if c.degree:
        words.append((DEGREES[c.degree][0], k + "degree"))
    if c.adjective:
        words.append((_agreeing(c.adjective, who), k + "adjective"))
    if c.object:
        words += french_noun_phrase(c.object, k + "object", c.negative)
    if c.recipient:
        words += [("à", k + "to"), *french_noun_phrase(c.recipient, k + "recipient")]
    if c.place:
        words += [(c.place.row.prepositions[1], k + "preposition"), *french_noun_phrase(c.place, k + "place")]
    if not c.time_first:
        words += time
    if c.reason:
        np = c.parts[c.reason.role]
        words += [
            ("parce", k + "because"),
            ("que", k + "because"),
            (("elle" if np.feminine else "il") + "s" * np.plural, k + "pronoun"),
            ((("était", "étaient") if c.tense == "past" else ("est", "sont"))[np.plural], k + "be ~reason"),
            (DEGREES[c.reason.degree][0], k + "degree"),
            (_agreeing(c.reason.adjective, np), k + "reason"),
        ]
    words += [("?", "mark")] * bool(c.question)
    return words if head else _joined(words)


def _french_verb(c: Clause, k: str, who: NounPhrase | None) -> Items:
    """Negation, auxiliary or modal, adverb, verb. In the question *who* nobody is the subject yet: one, masculine."""
    feminine, plural = (who.feminine, who.plural) if who else (False, False)
    main, tense = k + "verb", f"~{k}verb ~{k}tense"
    est = ("est", "sont")[plural]
    if c.verb == "be":
        words = [(est, main)]
    else:
        infinitive, il, ils, participle = VERBS[c.verb].fr
        if c.tense == "present":
            words = [(ils if plural else il, main)]
        elif c.tense in MODALS:
            words = [(MODALS[c.tense][0][plural], f"{k}modal ~{main}"), (infinitive, main)]
        elif VERBS[c.verb].auxiliary == "être":
            words = [(est, tense), (participle + "e" * feminine + "s" * plural, main)]
        else:
            words = [(("a", "ont")[plural], tense), (participle, main)]
    if c.frequency and c.frequency != "never":
        words.insert(1, (FREQUENCIES[c.frequency][0], k + "frequency"))
    if c.negative:
        words.insert(1, ("jamais" if c.frequency == "never" else "pas", k + "not"))
        words.insert(0, ("ne", k + "not"))
    return words


def _agreeing(adjective: str, np: NounPhrase) -> str:
    return find_adjective(adjective, np.noun).fr[np.feminine + 2 * np.plural]


def _joined(words: Items) -> Items:
    """le + animal = l'animal, à + le = au, de + les = des."""
    joined: Items = []
    for i, (word, keys) in enumerate(words):
        if word in ELIDED and words[i + 1][0][0] in VOWELS:
            word = ELIDED[word]
        if joined and (joined[-1][0], word) in CONTRACTED:
            before, before_keys = joined.pop()
            word = CONTRACTED[before, word]
            keys = keys if before_keys == keys else f"{before_keys} {keys}"
        joined.append((word, keys))
    return joined


# Chinese


def chinese_noun_phrase(np: NounPhrase, key: str, negated: bool = False) -> Items:
    """The noun phrase in Chinese. Negated, as the object of a negative verb, it has no 一 with a classifier."""
    row, det = np.row, f"{key}.det ~{key}.noun"
    described: Items = []
    adjectives = [find_adjective(name, np.noun) for name in np.adjectives]
    for adjective in sorted(adjectives, key=lambda adjective: "的" not in adjective.zh):  # 红色 的 大 桌子
        word, *de = adjective.zh.split()
        described += [(word, f"{key}.{adjective.name}"), *((particle, f"~{key}.{adjective.name}") for particle in de)]
    start, count = [], ""
    if np.det in POSSESSIVES:
        start = [(POSSESSIVES[np.det][1], det)]
        if ("的", f"~{key}.{np.adjectives[0]}" if np.adjectives else "") not in described[1:2]:  # 我 害羞 的 父亲
            start.append(("的", f"~{key}.det"))
    elif np.det == "some" or (np.det in ("the", "this") and (np.plural or "mass" in row.tags)):
        start = [({"some": "一", "the": "那", "this": "这"}[np.det] + "些", det)]
    elif np.det in ("the", "this") and row.classifier:
        count = "那" if np.det == "the" else "这"
    elif np.det == "a" and not negated:
        count = "一"
    elif np.det in NUMERALS:
        count = NUMERALS[np.det][1]
    if count:
        start = [(count, det), (row.classifier, f"~{key}.det ~{key}.noun")]
    if np.relative:
        relative = [*chinese(np.relative, f"{key}.relative.", np), ("的", f"{key}.relative")]
        start = relative + start if np.relative.subject else start + relative
    return start + described + phrase(row.zh, f"{key}.noun")


def chinese(c: Clause, k: str = "", head: NounPhrase | None = None) -> Items:
    """The clause in Chinese; k and head as in `english`. Time, place and modals stand before the verb."""
    main, tense = k + "verb", f"~{k}verb ~{k}tense"
    time = phrase(TIMES[c.time].zh, k + "time") if c.time else []
    words = [*time] if c.time_first else []
    if c.question == "who":
        words.append(("谁", "who"))
    if c.subject:
        words += chinese_noun_phrase(c.subject, k + "subject")
    why = [("为什么", "why")] if c.question == "why" else []
    if not c.time_first:
        words += why + time if c.tense == "present" else time + why  # 昨天 为什么, but 为什么 每天
    if c.frequency:
        words.append((FREQUENCIES[c.frequency][1], k + ("not" if c.frequency == "never" else "frequency")))
    if c.negative:
        words.append(("没有", f"{k}not ~{k}tense") if c.tense == "past" else ("不", k + "not"))
    if c.tense in MODALS:
        words.append((MODALS[c.tense][1], f"{k}modal ~{main}"))
    if c.place and not c.goes:
        words += [("在", k + "preposition"), *chinese_noun_phrase(c.place, k + "place")]
        if inside := c.place.row.prepositions[2]:
            words.append((inside, k + "preposition"))
    if c.adjective:
        words += _described(c.degree, c.adjective, c.subject or head, k, "adjective")
    else:
        words.append((VERBS[c.verb].zh, main))
        if c.tense == "past" and not c.negative:
            words.append(("了", tense))
    if c.recipient:
        words += chinese_noun_phrase(c.recipient, k + "recipient")
    if c.object:
        words += chinese_noun_phrase(c.object, k + "object", c.negative)
    if c.place and c.goes:
        words += chinese_noun_phrase(c.place, k + "place")
    if c.question == "yes-no":
        words.append(("吗", "question"))
    if c.reason:
        np = c.parts[c.reason.role]
        it = ("她" if np.feminine else "他") if np.is_person else "它"
        words += [("因为", k + "because"), (it + "们" * np.plural, k + "pronoun")]
        words += _described(c.reason.degree, c.reason.adjective, np, k, "reason")
    return words + [("?", "mark")] * bool(c.question)


def _described(degree: str, adjective: str, np: NounPhrase, k: str, key: str) -> Items:
    """太 累 了: degree and adjective of a predicate."""
    words = [(DEGREES[degree][1], k + "degree")] if degree else []
    words.append((find_adjective(adjective, np.noun).zh.split()[0], k + key))
    return words + [("了", f"~{k}degree")] * (degree == "too")


REALISERS = {"en": english, "fr": french, "zh": chinese}
