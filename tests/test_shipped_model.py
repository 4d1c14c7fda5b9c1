"""The model in the package is what its card says, and the command on the card makes it."""

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

CARD = SHIPPED.with_name("README.md").read_text(encoding="utf-8")
(COMMAND,) = (line for line in CARD.splitlines() if line.startswith("python -m tfmlib train "))
LOG = SHIPPED.with_name("log.csv")


@pytest.fixture(scope="module")
def translator():
    return Translator.load(dtype=torch.float64)


@pytest.fixture(scope="module")
def evaluations(translator):
    splits = corpus.SPLITS[1:]  # all but train
    return {split: evaluation.evaluate_corpus(translator, corpus.load(split), split) for split in splits}


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


def test_the_card_is_what_the_evaluation_writes(translator, evaluations):
    card = evaluation.card(translator, list(evaluations.values()), corpus.load("coreference"), COMMAND)
    assert card == CARD


def test_it_has_learned_its_grammar(evaluations):
    assert evaluations["held_out"].scores.exact >= 0.98
    assert evaluations["new_combinations"].scores.exact >= 0.95
    assert evaluations["coreference"].coreference >= 0.95


def test_its_heads_follow_the_alignment_and_one_finds_the_antecedent(translator, evaluations):
    for split in evaluations.values():
        assert min(split.alignment.heads.values()) < split.alignment.diagonal / 2
    preference, n = evaluation.antecedent_preference(translator, corpus.load("coreference"))
    assert n == 500
    assert max(preference.values()) > 0.98


def test_it_is_small():
    assert SHIPPED.stat().st_size <= 2e6
    assert 200_000 <= sum(p.numel() for p in Translator.load().model.parameters()) <= 400_000


def test_the_command_on_the_card_makes_the_same_log_again(tmp_path):
    """The first 50 of the 2,000 steps: six digits of the loss, in training and held out."""
    log = tmp_path / "log.csv"
    run = subprocess.Popen(
        [sys.executable, *COMMAND.split()[1:], "--threads", "1", "--output", tmp_path],
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
    assert rows(log)[0] == rows(LOG)[0]


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))
