"""Measuring: each score against a case worked by hand, or a translator whose quality was planted."""

import re

import pytest
import sacrebleu
import torch

from tfmlib import corpus, evaluation
from tfmlib.checkpoint import Translator
from tfmlib.corpus import Pronoun
from tfmlib.evaluation import (
    alignment_error_rate,
    alignment_errors,
    antecedent_preference,
    attention_on_references,
    coreference_pairs,
    diagonal,
    evaluate_corpus,
    evaluate_pairs,
    pronouns_right,
    score,
    strongest,
)
from tfmlib.transformer import Transformer, TransformerConfig
from tfmlib.vocabulary import BytePairVocabulary, Vocabulary

SENTENCES = corpus.load("coreference", 30)


class Planted(Translator):
    """A small untrained model whose translations are what `plant` says of the reference."""

    plant = staticmethod(lambda reference: reference)

    def translate(self, text, beam=1, strict=True, **_):
        references = {" ".join(s.words["en"]): s.text("fr") for s in SENTENCES}
        return [self.plant(references[t]) for t in text]


@pytest.fixture
def translator():
    torch.manual_seed(0)
    source, target = (
        Vocabulary.build((" ".join(s.words[language]) for s in SENTENCES), language=language)
        for language in ("en", "fr")
    )
    config = TransformerConfig(len(source), len(target), 16, 4, 20, 2)
    return Planted(Transformer(config).double(), source, target)


TRANSLATIONS = ["the cat sleeps on the old chair", "a dog sees the red house", "we never eat fish"]
REFERENCES = ["the cat sleeps on the old chair", "the dog sees a red house", "we do not eat any fish"]


def test_bleu_and_chrf_are_sacrebleus_own_and_exact_counts_whole_sentences():
    scores = score(TRANSLATIONS, REFERENCES)
    assert scores.bleu == sacrebleu.corpus_bleu(TRANSLATIONS, [REFERENCES]).score
    assert scores.chrf == sacrebleu.corpus_chrf(TRANSLATIONS, [REFERENCES]).score
    assert 0 < scores.bleu < 100
    assert (scores.sentences, scores.exact) == (3, 1 / 3)
    assert "BLEU nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version" in scores.signature
    assert "chrF nrefs:1" in scores.signature


def test_chinese_is_scored_by_character():
    scores = score(["我爱你们的狗"], ["我爱你们的猫"], "zh")
    assert scores.bleu == sacrebleu.corpus_bleu(["我爱你们的狗"], [["我爱你们的猫"]], tokenize="zh").score > 50
    assert "tok:zh" in scores.signature


def test_translations_without_their_references_are_refused():
    with pytest.raises(ValueError, match="2 translations and 3 references"):
        score(TRANSLATIONS[:2], REFERENCES)
    with pytest.raises(ValueError, match="0 translations"):
        score([], [])


def test_a_minimal_pair_counts_when_both_sides_are_right():
    assert coreference_pairs([True, True, True, False, False, False, False, True]) == 0.25
    assert coreference_pairs([False, True, True, False]) == 0
    with pytest.raises(ValueError, match="3 sentences"):
        coreference_pairs([True, True, True])


def test_the_alignment_error_of_a_case_worked_by_hand():
    # Sentence 1: A = 3 links, S = 2 of which 1 is found, P = S and one more, 2 found. Sentence 2: all right, A = S = 1.
    # AER = 1 − ((1 + 1) + (2 + 1)) / ((3 + 1) + (2 + 1)) = 2/7; the mean over the sentences would be 1/5.
    found = [{(0, 0), (1, 1), (2, 2)}, {(0, 0)}]
    sure = [{(0, 0), (2, 1)}, {(0, 0)}]
    possible = [{(0, 0), (2, 1), (1, 1)}, {(0, 0)}]
    assert alignment_error_rate(found, sure, possible) == pytest.approx(2 / 7)
    assert alignment_error_rate(sure, sure, possible) == 0
    assert alignment_error_rate([{(5, 5)}, {(5, 5)}], sure, possible) == 1


def test_links_go_from_each_target_word_to_one_source_word():
    assert strongest(torch.tensor([[0.1, 0.9], [0.6, 0.4], [0.2, 0.8]])) == {(1, 0), (0, 1), (1, 2)}
    assert diagonal(2, 4) == {(0, 0), (0, 1), (1, 2), (1, 3)}
    assert diagonal(4, 2) == {(1, 0), (3, 1)}
    assert diagonal(3, 3) == {(0, 0), (1, 1), (2, 2)}


def test_the_weights_of_a_batch_are_those_of_each_sentence_alone(translator):
    batched = attention_on_references(translator, SENTENCES, batch=7)
    for sentence, weights in zip(SENTENCES, batched, strict=True):
        T = len(sentence.words["fr"])
        # Translator.attention has the step of <eos> as well.
        _, words, alone = translator.attention(" ".join(sentence.words["en"]), " ".join(sentence.words["fr"]))
        assert words[:T] == list(sentence.words["fr"])
        assert weights.keys() == alone.keys()
        for name, w in weights.items():
            cut = alone[name] if name.startswith("encoder") else alone[name][:, :T]
            torch.testing.assert_close(w, cut[..., :T] if "decoder" in name and "self" in name else cut)


def plant_weights(monkeypatch, of_cross, of_encoder=None):
    """Let the heads of one layer look where `of_cross(sentence)` says: a set of links for each head."""

    def planted(translator, sentences):
        for s in sentences:
            S, T = len(s.words["en"]), len(s.words["fr"])
            encoder, cross = torch.full((1, S, S), 1 / S), torch.zeros(2, T, S)
            for h, links in enumerate(of_cross(s)):
                for i, j in links:
                    cross[h, j, i] = 1.0
            for i, j in of_encoder(s) if of_encoder else ():
                encoder[0, j, i] = 1.0
            yield {
                "encoder.layers.0.self_attention": encoder,
                "decoder.layers.0.self_attention": torch.zeros(1, T, T),
                "decoder.layers.0.cross_attention": cross,
            }

    monkeypatch.setattr(evaluation, "attention_on_references", planted)


CROSS = "decoder.layers.0.cross_attention"


def test_a_head_that_follows_the_alignment_is_found(translator, monkeypatch):
    truth = {s.meaning: s.alignment("en", "fr").possible for s in SENTENCES}

    def one_each(sentence):  # one right source word for each target word that has one
        return {(min(i for i, k in truth[sentence.meaning] if k == j), j) for _, j in truth[sentence.meaning]}

    plant_weights(monkeypatch, lambda s: (diagonal(len(s.words["en"]), len(s.words["fr"])), one_each(s)))
    errors = alignment_errors(translator, SENTENCES)
    assert errors.best == (CROSS, 1)
    assert errors.heads[CROSS, 0] == errors.diagonal > 0.2
    assert errors.heads[CROSS, 1] < errors.diagonal / 2


def test_to_read_the_row_of_the_word_itself_would_be_wrong(translator, monkeypatch):
    def shifted(sentence):
        links = sentence.alignment("en", "fr").sure
        return (links, {(i, j + 1) for i, j in links if j + 1 < len(sentence.words["fr"])})

    plant_weights(monkeypatch, shifted)
    errors = alignment_errors(translator, SENTENCES)
    assert errors.heads[CROSS, 1] > errors.heads[CROSS, 0] + 0.3


def test_a_head_that_looks_at_the_antecedent_is_found(translator, monkeypatch):
    def cross(sentence):
        (p,) = sentence.pronouns
        return {(p.antecedent["en"], p.word["fr"])}, {(p.rival["en"], p.word["fr"])}

    def encoder(sentence):
        (p,) = sentence.pronouns
        return {(p.antecedent["en"], p.word["en"])}

    plant_weights(monkeypatch, cross, encoder)
    preference, n = antecedent_preference(translator, SENTENCES)
    assert n == len(SENTENCES)
    assert preference == {("encoder.layers.0.self_attention", 0): 1.0, (CROSS, 0): 1.0, (CROSS, 1): 0.0}


def test_a_pronoun_is_right_at_its_place():
    class Sentence:
        words = {"fr": ("elle", "dort", "car", "elle", "va")}
        pronouns = (Pronoun({"fr": 0}, {"fr": 1}, None), Pronoun({"fr": 3}, {"fr": 1}, None))

    assert pronouns_right([["elle", "dort", "car", "il", "va"]], [Sentence], "fr") == 0.5
    assert pronouns_right([["elle", "dort"]], [Sentence], "fr") == 0.5
    Sentence.pronouns = ()
    assert pronouns_right([["elle"]], [Sentence], "fr") is None


def test_a_perfect_and_a_wrong_translator_are_told_apart(translator):
    perfect = evaluate_corpus(translator, SENTENCES, "coreference")
    assert (perfect.scores.bleu, perfect.scores.chrf) == pytest.approx((100, 100))
    assert perfect.scores.exact == perfect.coreference == perfect.pronouns == 1
    assert perfect.alignment.diagonal > 0

    translator.plant = lambda reference: "chat chien rue"
    wrong = evaluate_corpus(translator, SENTENCES, "coreference")
    assert wrong.scores.exact == wrong.coreference == wrong.pronouns == 0
    assert wrong.scores.bleu < 5

    translator.plant = lambda reference: reference.replace("qu'elle", "qu'il").replace("elle", "il")
    no_gender = evaluate_corpus(translator, SENTENCES, "coreference")
    assert no_gender.scores.bleu > 60
    assert no_gender.coreference < 0.4
    assert 0.2 < no_gender.pronouns < 0.8


def test_what_a_split_cannot_have_is_none(translator):
    held_out = evaluate_corpus(translator, SENTENCES[:3], "held_out")
    assert held_out.coreference is None
    pairs = [(" ".join(s.words["en"]), s.text("fr")) for s in SENTENCES]
    mine = evaluate_pairs(translator, pairs, "mine")
    assert (mine.scores.exact, mine.coreference, mine.pronouns, mine.alignment) == (1, None, None, None)
    assert evaluation.table([mine]).splitlines()[0].endswith("| exact % | BLEU  | chrF  |")


def test_byte_pairs_have_no_alignment_of_words(translator):
    pieces = BytePairVocabulary.build(["a dog"], 270)
    other = Translator(Transformer(TransformerConfig(len(pieces), len(pieces), 8, 2, 8, 1)), pieces, pieces)
    with pytest.raises(ValueError, match="give --pairs"):
        evaluate_corpus(other, SENTENCES, "held_out")


def figures(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_figures_of_the_card_are_those_of_the_evaluation(translator):
    faults = {"held_out": "no such", "new_combinations": "qu'elle", "new_structures": "animal", "coreference": "trop"}
    evaluations = []
    for split, fault in faults.items():
        translator.plant = lambda reference, fault=fault: reference.replace(fault, "il")
        evaluations.append(evaluate_corpus(translator, SENTENCES, split))
    assert len({e.scores.exact for e in evaluations}) == 4
    card = evaluation.card(translator, evaluations, SENTENCES, "python -m tfmlib train --seed 7")
    rows = {figures(line)[0]: figures(line)[1:] for line in card.splitlines() if line.startswith("|")}
    for e in evaluations:
        n, exact, bleu, chrf, pairs, pronouns, best, mean, straight = rows[e.split.replace("_", " ")]
        assert (n, exact) == (str(e.scores.sentences), f"{100 * e.scores.exact:.1f}")
        assert (bleu, chrf) == (f"{e.scores.bleu:.1f}", f"{e.scores.chrf:.1f}")
        assert pairs == ("–" if e.coreference is None else f"{100 * e.coreference:.1f}")
        assert pronouns == f"{100 * e.pronouns:.1f}"
        assert best == f"{min(e.alignment.heads.values()):.3f}"
        assert (mean, straight) == (f"{e.alignment.mean:.3f}", f"{e.alignment.diagonal:.3f}")
    preference, _ = antecedent_preference(translator, SENTENCES)
    share = preference["decoder.layers.1.cross_attention", 3]
    assert re.search(rf"decoder.layers.1.cross_attention +\| 3 .*\| {100 * share:.1f} ", card)
    assert f"exact in {100 * evaluations[2].scores.exact:.1f} % only" in card
    assert "python -m tfmlib train --seed 7" in card
    assert "English → French" in card
    assert "version" not in card  # the same on another machine
