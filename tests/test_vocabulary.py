"""Text to ids and back."""

import pytest

from tfmlib.vocabulary import (
    SPECIALS,
    BytePairVocabulary,
    UnknownWordError,
    Vocabulary,
    apply_merges,
    byte_pair_merges,
    from_json,
    join,
    pad,
)

FRENCH = "l'animal n'a pas traversé la rue parce qu'elle était trop large"
CHINESE = "动物 没有 过 街"


@pytest.fixture
def french():
    return Vocabulary.build([FRENCH, "est-ce que le chat dort ?"], language="fr")


def test_the_special_symbols_come_first_and_the_words_in_alphabetical_order(french):
    assert french.tokens[:4] == SPECIALS
    assert list(french.tokens[4:]) == sorted(french.tokens[4:])


@pytest.mark.parametrize("text", [FRENCH, "est-ce que le chat dort\u202f?"])
def test_words_survive_the_round_trip(french, text):
    assert french.decode(french.encode(text)) == text


def test_a_french_apostrophe_ends_its_token(french):
    assert french.tokenize("L’animal n'a") == ["l'", "animal", "n'", "a"]


def test_chinese_is_cut_at_blanks_or_at_the_longest_known_words():
    chinese = Vocabulary.build([CHINESE, "动 物"], language="zh")
    assert chinese.tokenize("动物没有过街") == ["动物", "没有", "过", "街"]
    assert chinese.decode(chinese.encode(CHINESE)) == "动物没有过街"
    assert chinese.tokenize("动物吃街") == ["动物", "吃", "街"]


def test_characters_survive_the_round_trip():
    letters = Vocabulary.build([FRENCH], level="character")
    assert letters.decode(letters.encode(FRENCH)) == FRENCH
    assert len(letters) == 4 + len(set(FRENCH))


def test_rare_words_are_left_out():
    assert Vocabulary.build(["a a b"], min_count=2).tokens[4:] == ("a",)


def test_an_unknown_word_is_named_with_its_neighbours_or_becomes_unk(french):
    with pytest.raises(UnknownWordError, match=r"'animaux' is not among the 20 words.*Near it: animal"):
        french.encode("la animaux")
    with pytest.raises(UnknownWordError, match=r"'\.' is not among.*leave it out"):
        french.encode("la rue.")
    with pytest.raises(UnknownWordError, match=r"\"c'\" is not among the 20 words that are known here\.$"):
        french.encode("c'est")
    assert french.encode("la licorne", strict=False) == [french.encode("la")[0], 3]


def test_decoding_ends_at_eos_and_leaves_out_padding(french):
    la = french.encode("la")
    assert french.decode([1, *la, 0, 2, *la]) == "la"


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_sentence_is_refused(french, text):
    with pytest.raises(ValueError, match="no token"):
        french.encode(text)
    with pytest.raises(ValueError, match="no token"):
        BytePairVocabulary.build([FRENCH], 300).encode(text)


@pytest.mark.parametrize("bad", [-1, 24])
def test_an_id_beyond_the_table_is_refused(french, bad):
    with pytest.raises(ValueError, match=f"id {bad}.*0 to 23"):
        french.decode([bad])


def test_a_token_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match=r"more than once.*'a'"):
        Vocabulary(["a", "b", "a"])


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="'word' or 'character'"):
        Vocabulary([], level="syllable")


@pytest.mark.parametrize("text", [FRENCH, "Ça coûte 3 €, « vraiment » !", "动物没有过街", "unseen 🙂"])
def test_byte_pairs_spell_every_text(text):
    pairs = BytePairVocabulary.build([FRENCH] * 3, size=300)
    assert len(pairs) == 300
    assert pairs.tokens[:4] == SPECIALS
    assert pairs.decode([1, *pairs.encode(text), 2]) == text


def test_byte_pair_merges_by_hand():
    # 10 × low, 5 × lower, 6 × newest, 3 × widest: "lo" stands 15 times, then "low" 15, then "es" 9 and "est" 9.
    counts = {"low": 10, "lower": 5, "newest": 6, "widest": 3}
    merges = byte_pair_merges(counts, 4)
    assert merges == [("l", "o"), ("lo", "w"), ("e", "s"), ("es", "t")]
    assert apply_merges("lowest", merges) == ["low", "est"]
    assert byte_pair_merges({"a": 1}, 5) == []


def test_vocabularies_survive_json(french):
    for vocabulary in (french, Vocabulary("ab", "character"), BytePairVocabulary.build([FRENCH], 300)):
        read = from_json(vocabulary.to_json())
        assert type(read) is type(vocabulary)
        assert read.tokens == vocabulary.tokens
        assert read.to_json() == vocabulary.to_json()


def test_text_is_joined_as_its_language_writes_it():
    assert join(["l'", "animal", "?"], "fr") == "l'animal\u202f?"
    assert join(["the", "animal", "?"], "en") == "the animal?"
    assert join(["动物", "睡", "吗", "?"], "zh") == "动物睡吗？"


def test_padding_fills_the_shorter_sentences():
    assert pad([[5], [6, 7]]).tolist() == [[5, 0], [6, 7]]
    for empty in ([], [[5], []]):
        with pytest.raises(ValueError, match="empty"):
            pad(empty)
