"""The corpus: three languages that say the same, correctly, and the truth about who is who."""

import hashlib
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache
from itertools import pairwise, product

import pytest

from tfmlib.corpus import LANGUAGES, SPLITS, load, running_sentences
from tfmlib.corpus.grammar import Clause, NounPhrase, meaning_of
from tfmlib.corpus.lexicon import ADJECTIVES, NOUNS, TABLE, TIMES, VERBS, find_adjective, find_nouns, read_lexicon
from tfmlib.corpus.sampling import is_withheld, noun_phrases, pairs

N_TRAIN = 15_000
DIGESTS = {  # of the first 1,000 sentences: a change of the table or the grammar changes them
    "train": "794170620acf76f5",
    "held_out": "1b35d5cce9a4bc8b",
    "new_combinations": "8049a740e8070e3a",
    "new_structures": "bd8b9f32b5e18921",
    "coreference": "61fe6049467126a2",
}
WORDS = {"en": 278, "fr": 388, "zh": 203}


@cache
def sentences(split):
    return load(split, N_TRAIN if split == "train" else None)


def everything():
    return [sentence for split in SPLITS for sentence in sentences(split)]


def digest(split):
    lines = ("\t".join([s.meaning, *map(s.text, LANGUAGES)]) for s in sentences(split)[:1000])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def vocabulary(split, language):
    return {word for sentence in sentences(split) for word in sentence.words[language]}


# The same everywhere, and nothing twice


def test_the_splits_are_the_same_on_every_machine():
    assert {split: digest(split) for split in SPLITS} == DIGESTS


def test_a_short_load_is_the_beginning_of_a_long_one():
    for split in SPLITS:
        assert load(split, 100) == sentences(split)[:100]


def test_the_order_of_sets_plays_no_part(monkeypatch):
    code = "from tfmlib.corpus import load; print(*(s.meaning for s in load('train', 50)), sep='\\n', end='')"
    printed = []
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        printed.append(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert printed[0] == printed[1] == "\n".join(s.meaning for s in load("train", 50))


def test_no_meaning_and_no_english_sentence_stands_in_two_splits_or_twice_in_one():
    assert len({s.meaning for s in everything()}) == len({s.words["en"] for s in everything()}) == len(everything())


def test_the_splits_have_their_sizes():
    sizes = [len(sentences(split)) for split in SPLITS]
    assert sizes == [N_TRAIN, 1000, 1000, 500, 500]


@pytest.mark.parametrize("source, target", [(a, b) for a, b in product(LANGUAGES, LANGUAGES) if a != b])
def test_a_sentence_has_one_translation(source, target):
    translations = defaultdict(set)
    for sentence in everything():
        translations[sentence.words[source]].add(sentence.words[target])
    assert [found for found in translations.values() if len(found) > 1] == []


def test_hundreds_of_thousands_of_pairs_are_possible():
    """Count only who did or did not do what in the past, when: no adjective, place, reason or relative clause."""
    count = 0
    dets = [("the", False), ("the", True), ("this", False), ("this", True), ("two", True), ("three", True)]
    times = [time.name for time in TIMES.values() if time.tense == "past"]
    for verb in VERBS.values():
        if "past" in verb.uses and verb.objects and not verb.recipients:
            kinds = [[n for n in find_nouns(names) if NOUNS[n].classifier] for names in (verb.subjects, verb.objects)]
            nouns = sum(subject != object_ for subject, object_ in product(*kinds))
            affirmed, denied = len(dets) ** 2, len(dets) * 4  # denied: no numeral
            count += nouns * (affirmed + denied) * (1 + 2 * len(times))  # no time, or one at the beginning or the end
    assert count > 500_000
    clauses = [
        Clause("cross", NounPhrase("animal", *a), NounPhrase("street", *b), time=time, time_first=first, negative=no)
        for a, b, time, first, no in product(dets, dets, times, (False, True), (False, True))
    ]
    assert len({meaning_of(clause) for clause in clauses}) == len(clauses)


# What is in it


def test_every_row_and_every_form_of_a_noun_is_used():
    for language in ("en", "fr"):
        known = vocabulary("train", language)
        forms = [form for noun in NOUNS.values() for form in getattr(noun, language) if form]
        words = [word.partition(":")[0] for form in forms for word in form.split()]
        assert [word for word in words if word not in known] == []
    clauses = [sentence.clause for sentence in sentences("train")]
    everyone = [np for clause in clauses for np in noun_phrases(clause)]
    clauses += [np.relative for np in everyone if np.relative]
    said = {find_adjective(name, np.noun) for np in everyone for name in np.adjectives}
    said |= {find_adjective(c.adjective, c.subject.noun) for c in clauses if c.adjective}
    said |= {find_adjective(c.reason.adjective, c.parts[c.reason.role].noun) for c in clauses if c.reason}
    assert [row.name for row in ADJECTIVES if row not in said] == []
    assert set(VERBS) <= {clause.verb for clause in clauses}
    assert set(TIMES) <= {clause.time for clause in clauses}


def test_the_languages_have_hundreds_of_words():
    assert {language: len(vocabulary("train", language)) for language in LANGUAGES} == WORDS


def test_training_knows_every_word_of_the_other_splits():
    for split, language in product(SPLITS[1:], LANGUAGES):
        assert vocabulary(split, language) - vocabulary("train", language) == set()


def test_sentences_have_3_to_20_words():
    lengths = [sum(w != "?" for w in s.words[language]) for s in everything() for language in ("en", "fr")]
    assert min(lengths) == 3
    assert max(lengths) == 20


def test_a_third_of_training_has_a_pronoun():
    assert 0.25 < sum(bool(s.pronouns) for s in sentences("train")) / N_TRAIN < 0.4


def test_the_running_sentences_are_those_of_the_book():
    tired, wide = running_sentences()
    assert tired.text("en") == "the animal did not cross the street because it was too tired"
    assert wide.text("en") == "the animal did not cross the street because it was too wide"
    assert tired.text("fr") == "l'animal n'a pas traversé la rue parce qu'il était trop fatigué"
    assert wide.text("fr") == "l'animal n'a pas traversé la rue parce qu'elle était trop large"
    assert tired.text("zh") == "那只动物没有过那条街因为它太累了"
    assert [tired, wide] == load("coreference", 2)
    (pronoun,) = tired.pronouns
    places = (pronoun.word["fr"], pronoun.antecedent["fr"], pronoun.rival["fr"])
    assert [tired.words["fr"][i] for i in places] == ["il", "animal", "rue"]


def test_the_text_can_be_cut_into_its_words_again():
    for sentence in everything():
        for language in ("en", "fr"):
            cut = sentence.text(language).replace("'", "' ").replace("?", " ?").split()
            assert tuple(cut) == sentence.words[language]
        assert sentence.text("zh") == "".join(sentence.words["zh"]).replace("?", "？")


def test_all_is_lower_case_without_a_full_stop_or_an_english_apostrophe():
    for sentence in everything():
        assert re.search("[A-Z.,!’]", sentence.text("en") + sentence.text("fr")) is None
        assert "'" not in sentence.text("en")


# Alignment

EMPTY = {  # words that need no sure link
    "en": "the a an this these some my our did do does to is are was were in at not".split(),
    "fr": "le la l' les de d' du des un une ce cet cette ces mon ma mes notre nos à au aux dans en ne n' pas "
    "a ont est sont était étaient que qu' est-ce".split(),
    "zh": "了 的 个 位 只 条 匹 头 座 堵 张 把 台 辆 件 顶 扇 本 封 份 朵 "
    "那 这 那些 这些 一 一些 我 我们 在 里 上 吗".split(),
}


@pytest.mark.parametrize("source, target", [("en", "fr"), ("fr", "zh"), ("zh", "en")])
def test_every_word_of_content_is_surely_aligned_and_links_stay_within_the_sentences(source, target):
    for sentence in everything()[::7]:
        sure, possible = sentence.alignment(source, target)
        assert sure <= possible
        words, others = sentence.words[source], sentence.words[target]
        assert all(0 <= i < len(words) and 0 <= j < len(others) for i, j in possible)
        linked = {i for i, _ in sure}
        unlinked = [word for i, word in enumerate(words) if i not in linked and word not in EMPTY[source]]
        assert unlinked == [], (sentence.text(source), sentence.text(target))


def test_an_alignment_the_other_way_round_is_its_mirror():
    for sentence in sentences("held_out")[:200]:
        there, back = sentence.alignment("en", "fr"), sentence.alignment("fr", "en")
        assert {(j, i) for i, j in back.sure} == there.sure
        assert {(j, i) for i, j in back.possible} == there.possible


def test_a_known_alignment():
    tired, _ = running_sentences()
    en, fr = tired.words["en"], tired.words["fr"]
    links = tired.alignment("en", "fr")
    assert sorted((en[i], fr[j]) for i, j in links.sure) == sorted([
        ("the", "l'"), ("animal", "animal"), ("not", "n'"), ("not", "pas"), ("cross", "traversé"), ("the", "la"),
        ("street", "rue"), ("because", "parce"), ("because", "qu'"), ("it", "il"), ("was", "était"), ("too", "trop"),
        ("tired", "fatigué"),
    ])  # fmt: skip
    assert {("did", "a"), ("did", "traversé"), ("the", "rue")} <= {(en[i], fr[j]) for i, j in links.possible}


# Grammar, checked with the table alone


def table(kind):
    rows = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines()]
    return [row[1:] for row in rows if row[0] == kind]


def plain(phrase):
    return phrase.split()[0].partition(":")[0]


FRENCH_NOUNS = defaultdict(set)  # gender and number
for _, _, gender, singular, plural, *_ in table("noun"):
    FRENCH_NOUNS[plain(singular)].add((gender, "one"))
    FRENCH_NOUNS[plain(plural)].add((gender, "many"))
for _, _, _, gender, noun, *_ in table("place"):
    FRENCH_NOUNS[noun].add((gender, "one"))
FRENCH_ADJECTIVES = defaultdict(set)
for _, _, *forms, _, _ in table("adj"):
    for word, form in zip(forms, ("m one", "f one", "m many", "f many", "m one"), strict=True):
        FRENCH_ADJECTIVES[word].add(tuple(form.split()))


def test_a_french_pronoun_and_its_adjective_agree_with_the_antecedent():
    forms = {"il": ("m", "one"), "elle": ("f", "one"), "ils": ("m", "many"), "elles": ("f", "many")}
    was = {"one": {"est", "était"}, "many": {"sont", "étaient"}}
    seen = set()
    for sentence in everything():
        fr = sentence.words["fr"]
        assert len(sentence.pronouns) == sum(word in forms for word in fr)
        for pronoun in sentence.pronouns:
            i = pronoun.word["fr"]
            seen.add(fr[i])
            form = forms[fr[i]]
            assert form in FRENCH_NOUNS[fr[pronoun.antecedent["fr"]]], sentence
            assert fr[i + 1] in was[form[1]], sentence
            assert form in FRENCH_ADJECTIVES[fr[i + 3]], sentence
            if pronoun.rival:
                assert form[1] in {number for _, number in FRENCH_NOUNS[fr[pronoun.rival["fr"]]]}, sentence
    assert seen == set(forms)


def test_the_english_and_chinese_pronouns_agree_with_the_antecedent():
    people = {noun: gender for noun, _, gender, *_, tags in table("noun") if "person" in tags.split()}
    people |= {plural: gender for _, plural, gender, *_, tags in table("noun") if "person" in tags.split()}
    for sentence in everything():
        for pronoun in sentence.pronouns:
            en, zh = sentence.words["en"][pronoun.word["en"]], sentence.words["zh"][pronoun.word["zh"]]
            gender = people.get(sentence.words["en"][pronoun.antecedent["en"]])
            assert zh == {"m": "他", "f": "她"}.get(gender, "它") + "们" * (en == "they"), sentence
            if en != "they":
                assert en == {"m": "he", "f": "she"}.get(gender, "it"), sentence


def test_french_articles_and_adjectives_agree_with_their_noun():
    determiners = {
        "le": "m one", "la": "f one", "un": "m one", "une": "f one", "ce": "m one", "cet": "m one", "cette": "f one",
        "ma": "f one", "du": "m one", "au": "m one", "les": "mf many", "des": "mf many", "ces": "mf many",
        "mes": "mf many", "nos": "mf many", "aux": "mf many", "notre": "mf one", "mon": "mf one", "l'": "mf one",
        "deux": "mf many", "trois": "mf many", "quatre": "mf many",
    }  # fmt: skip
    for sentence in everything():
        words = sentence.words["fr"]
        for i, word in enumerate(words):
            if word not in determiners or words[i + 1] in ("jours", "matin", "soir", "semaine", "nombres"):
                continue
            genders, number = determiners[word].split()
            after = i + 1
            while words[after] not in FRENCH_NOUNS:
                assert words[after] in FRENCH_ADJECTIVES, (sentence.text("fr"), words[after])
                after += 1
            forms = {form for form in FRENCH_NOUNS[words[after]] if form[0] in genders and form[1] == number}
            assert forms, sentence.text("fr")
            for adjective in words[i + 1 : after]:
                assert forms & FRENCH_ADJECTIVES[adjective], sentence.text("fr")
            following = words[after + 1] if after + 1 < len(words) else ""
            if following in FRENCH_ADJECTIVES:
                assert forms & FRENCH_ADJECTIVES[following], sentence.text("fr")


def test_french_verbs_agree_with_their_subject_over_any_distance():
    finite = dict.fromkeys("a est va veut peut doit".split(), "one")
    finite |= dict.fromkeys("ont sont vont veulent peuvent doivent".split(), "many")
    for _, fr, *_ in table("verb"):
        finite |= dict(zip(fr.split()[2:4], ("one", "many"), strict=True))
    motion = {fr.split()[4] for _, fr, *_ in table("verb") if fr.startswith("être")}
    endings = {("m", "one"): "", ("f", "one"): "e", ("m", "many"): "s", ("f", "many"): "es"}
    distant = 0
    for sentence in everything():
        items = sentence.items("fr")
        subjects = [i for i, (_, keys) in enumerate(items) if "subject.noun" in keys.split()]
        verbs = [i for i, (_, keys) in enumerate(items) if {"verb", "~verb", "modal"} & set(keys.split())]
        if not subjects:
            continue
        (verb, *others), forms = [items[i][0] for i in verbs], FRENCH_NOUNS[items[subjects[0]][0]]
        forms = {form for form in forms if form[1] == finite[verb]}
        assert forms, sentence
        distant += verbs[0] - subjects[0] > 4
        for participle in motion if verb in ("est", "sont") and others else ():
            if others[-1].startswith(participle):
                assert others[-1] in {participle + endings[form] for form in forms}, sentence
        for word, keys in items:
            if keys == "adjective":
                assert forms & FRENCH_ADJECTIVES[word], sentence
    assert distant > 500


def test_french_elides_and_contracts():
    for sentence in everything():
        for word, after in pairwise(sentence.words["fr"]):
            vowel = after[0] in "aàâeéèêioôœuh" and not after.startswith("haut")
            assert not (vowel and word in ("le", "la", "ne", "que", "de", "ce", "ma")), sentence
            assert not (word.endswith("'") and not vowel), sentence
            assert (word, after) not in {("à", "le"), ("à", "les"), ("de", "le"), ("de", "les")}, sentence
            if word in ("beau", "vieux", "nouveau", "bel", "vieil", "nouvel") and ("m", "one") in FRENCH_NOUNS[after]:
                assert (word in ("bel", "vieil", "nouvel")) == vowel, sentence


def test_french_negation_has_two_pieces():
    for sentence in everything():
        words = sentence.words["fr"]
        assert sum(w in ("ne", "n'") for w in words) == sum(w in ("pas", "jamais") for w in words), sentence


def test_english_verbs_agree_with_their_subject():
    one = {"is", "does", "wants", *(forms.split()[1] for forms, *_ in table("verb"))}
    nouns = {plain(noun): "one" for noun, *_ in table("noun")} | {plain(row[1]): "one" for row in table("place")}
    nouns |= {plain(plural): "many" for _, plural, *_ in table("noun")}
    for sentence in everything():
        said = defaultdict(set)
        for word, keys in sentence.items("en"):
            for key in keys.split():
                said[key].add(word)
        for noun in said["subject.noun"]:
            finite = said["verb"] | said["~verb"] | said["modal"]
            assert not (finite & one and nouns.get(noun) == "many"), sentence
            assert not (finite & {"are", "do"} and nouns.get(noun, "one") == "one"), sentence


def test_english_says_an_before_a_vowel():
    for sentence in everything():
        for word, after in pairwise(sentence.words["en"]):
            if word in ("a", "an"):
                assert (word == "an") == (after[0] in "aeiou"), sentence


def test_chinese_counts_with_the_classifier_of_the_noun():
    classifiers = {plain(zh): classifier for *_, classifier, zh, _ in table("noun")}
    for sentence in everything():
        words = sentence.words["zh"]
        for i, word in enumerate(words):
            if word in ("那", "这", "一", "两", "三", "四"):
                assert words[i + 1] in classifiers.values(), sentence
                if words[i + 2] in classifiers:
                    assert words[i + 1] == classifiers[words[i + 2]], sentence


# The splits are what they are called


def test_minimal_pairs_differ_in_one_english_word_and_in_the_antecedent():
    split = sentences("coreference")
    for one, other in zip(split[::2], split[1::2], strict=True):
        differing = [i for i, (a, b) in enumerate(zip(one.words["en"], other.words["en"], strict=True)) if a != b]
        assert differing == [len(one.words["en"]) - 1]
        (a,), (b,) = one.pronouns, other.pronouns
        assert a.antecedent == b.rival != b.antecedent == a.rival
        assert one.words["fr"][a.word["fr"]] != other.words["fr"][b.word["fr"]]


def test_new_combinations_have_a_pair_of_words_that_no_other_split_has():
    withheld = set()
    for sentence in sentences("new_combinations"):
        found = {pair for pair in pairs(sentence.clause) if is_withheld(pair)}
        assert found, sentence
        withheld |= found
    assert len(withheld) > 30
    for split in ("train", "held_out", "new_structures", "coreference"):
        assert not any(withheld & set(pairs(sentence.clause)) for sentence in sentences(split))


def test_new_structures_are_deeper_than_training():
    def depth(sentence):
        words = sentence.words["fr"]
        return sum(word in ("qui", "que", "qu'") for word in words) - (words[0] == "qui") - words.count("est-ce")

    assert max(map(depth, sentences("train"))) == 1
    assert {depth(sentence) for sentence in sentences("new_structures")} == {2}


def test_a_reason_leaves_no_doubt():
    for sentence in everything():
        if reason := sentence.clause.reason:
            it = sentence.clause.parts[reason.role]
            everyone = [np for np in noun_phrases(sentence.clause) if np.pronoun == it.pronoun]
            assert [np for np in everyone if find_adjective(reason.adjective, np.noun)] == [it], sentence


def test_nobody_stands_twice_in_a_sentence():
    for sentence in everything():
        nouns = [np.noun for np in noun_phrases(sentence.clause)]
        assert len(set(nouns)) == len(nouns), sentence


# Bad input


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: load("test"), "no split 'test'; take one of train, held_out"),
        (lambda: load("held_out", 1001), "from 0 to 1000, not 1001"),
        (lambda: load("train", -1), "from 0 to 200000, not -1"),
        (lambda: load("train", 1.5), "not 1.5"),
        (lambda: running_sentences()[0].text("de"), "no language 'de'; take one of en, fr, zh"),
        (lambda: running_sentences()[0].alignment("en", "de"), "no language 'de'"),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize(
    "row, message",
    [
        ("nuon\tcat", "the first column is one of noun, place, adj, verb, time, not 'nuon'"),
        ("noun\tcat\tcats\tm\tchat\tchats\t只\t猫", "has 9 columns"),
        ("noun\tcat\tcats\t\tchat\tchats\t只\t猫\tanimal", "column 4 of a 'noun' row may not be empty"),
        ("noun\tcat\tcats\tn\tchat\tchats\t只\t猫\tanimal", "'n' is none of m, f"),
        ("noun\tcat\tcats\tm\tchat\t-\t只\t猫\tanimal", "in English and in French, or in neither"),
        ("noun\tcat\tcats\tm\tchat\tchats\t-\t猫\tanimal", "classifier"),
        ("noun\tdog\tdogs\tm\tchien\tchiens\t只\t狗\tanimal", "'dog' has a row already"),
        ("adj\tred\tleft\trouge\trouge\trouges\trouges\t-\t红色 的\tdog", "'left' is none of pre"),
        ("adj\tred\tpost\trouge\trouge\trouges\trouges\t-\t红色 的\tdragon", "'dragon' is no noun"),
        ("verb\tsee saw\tavoir voir voit voient vu\t看到\tdog\t-\t-\t-\tpast\t-\t-", "3 English words"),
        ("verb\tsee sees saw\t-\t看到\tdog\t-\t-\t-\tpast\t-\t-", "column 3 of a 'verb' row may not be empty"),
        ("verb\tsee sees saw\tavoir voir voit voient vu\t看到\tdog\t-\t-\t-\tnow\t-\t-", "'now' is none of"),
        (
            "verb\tsee sees saw\tavoir voir voit voient vu\t看到\tdog\t-\t-\t-\tpast\tugly\t-",
            "'ugly' names no adjective",
        ),
        ("time\ttoday\tce jour\t今天\tnow", "'now' is none of past"),
        ("time\t-\tce jour\t今天\tpast", "column 2 of a 'time' row may not be empty"),
    ],
)
def test_a_malformed_row_is_told_with_file_and_line(tmp_path, row, message):
    path = tmp_path / "words.tsv"
    path.write_text(f"# a table\n\nnoun\tdog\tdogs\tm\tchien\tchiens\t条\t狗\tanimal\n{row}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=f"^words.tsv, line 4: .*{re.escape(message)}"):
        read_lexicon(path)


def test_the_table_can_be_extended(tmp_path):
    path = tmp_path / "words.tsv"
    row = "noun\tfox\tfoxes\tm\trenard\trenards\t只\t狐狸\tanimal hunter\n"
    path.write_text(TABLE.read_text(encoding="utf-8") + row, encoding="utf-8")
    assert read_lexicon(path).nouns["fox"].is_one_of(VERBS["chase"].subjects)
