"""The models in the package are what their cards say, and the commands on the cards make them."""

import csv
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from tfmlib import corpus, evaluation
from tfmlib.checkpoint import SHIPPED, Translator

each_model = pytest.mark.parametrize("translator", SHIPPED, indirect=True)


def card_of(pair):
    return SHIPPED[pair].with_name("README.md").read_text(encoding="utf-8")


def command_of(pair):
    (command,) = (line for line in card_of(pair).splitlines() if line.startswith("python -m tfmlib train "))
    return command


@pytest.fixture(scope="module")
def translator(request):
    return Translator.load(getattr(request, "param", "en-fr"), torch.float64)


@pytest.fixture(scope="module")
def evaluations(translator):
    splits = corpus.SPLITS[1:]  # all but train
    return {split: evaluation.evaluate_corpus(translator, corpus.load(split), split) for split in splits}


def test_without_a_name_it_is_the_one_for_french(translator):
    assert translator.source_vocabulary.language == "en"
    for p, q in zip(
        translator.model.parameters(), Translator.load(dtype=torch.float64).model.parameters(), strict=True
    ):
        assert torch.equal(p, q)


def test_one_adjective_decides_what_the_pronoun_becomes(translator):
    tired, wide = (sentence.text("en") for sentence in corpus.running_sentences())
    assert translator.translate([tired, wide]) == [
        "l'animal n'a pas traversé la rue parce qu'il était trop fatigué",
        "l'animal n'a pas traversé la rue parce qu'elle était trop large",
    ]


def test_the_shortest_sentences_are_as_right_as_the_others(translator):
    short = [sentence for sentence in corpus.load("held_out") if len(sentence.words["en"]) < 5]
    assert len(short) == 40
    assert translator.translate([sentence.text("en") for sentence in short]) == [s.text("fr") for s in short]
    assert translator.translate("the cat sleeps") == "le chat dort"


def test_the_beam_goes_on_while_an_open_beginning_can_still_win(translator):
    """Four shorter sentences end before this one, which the model holds more probable."""
    english = "the king who pushed the chair that our mother must sell did not climb this wall"
    whole = "le roi qui a poussé la chaise que notre mère doit vendre n'a pas escaladé ce mur"
    assert translator.translate(english, beam=4) == whole


@each_model
def test_the_card_is_what_the_evaluation_writes(translator, evaluations):
    pair = "-".join(evaluation.languages(translator))
    coreference = corpus.load("coreference")
    card = evaluation.card(translator, list(evaluations.values()), coreference, command_of(pair))
    assert card == card_of(pair)


@each_model
def test_it_has_learned_its_grammar(evaluations):
    assert evaluations["held_out"].scores.exact >= 0.98
    assert evaluations["new_combinations"].scores.exact >= 0.95
    assert evaluations["coreference"].coreference >= 0.95


@each_model
def test_its_heads_follow_the_alignment(translator, evaluations):
    better = {"en-fr": 2, "fr-en": 1.5, "zh-en": 2}["-".join(evaluation.languages(translator))]
    for split in evaluations.values():
        assert min(split.alignment.heads.values()) < split.alignment.diagonal / better


def test_one_head_finds_the_antecedent_where_the_target_language_shows_it(translator):
    preference, n = evaluation.antecedent_preference(translator, corpus.load("coreference"))
    assert n == 500
    assert max(preference.values()) > 0.98


@pytest.mark.parametrize("pair", SHIPPED)
def test_it_is_small(pair):
    assert SHIPPED[pair].stat().st_size <= 2e6
    assert 200_000 <= sum(p.numel() for p in Translator.load(pair).model.parameters()) <= 400_000


@pytest.mark.parametrize("pair", SHIPPED)
def test_the_command_on_the_card_makes_the_same_log_again(pair, tmp_path):
    """The first 50 of the 2,000 steps: six digits of the loss, in training and held out."""
    log = tmp_path / "log.csv"
    run = subprocess.Popen(
        [sys.executable, *command_of(pair).split()[1:], "--threads", "1", "--output", tmp_path],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 300
    while run.poll() is None and time.monotonic() < deadline:
        if log.exists() and rows(log):
            run.send_signal(signal.SIGINT)
            break
        time.sleep(0.2)
    assert run.wait(60) == 130
    assert rows(log)[0] == rows(SHIPPED[pair].with_name("log.csv"))[0]


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))
