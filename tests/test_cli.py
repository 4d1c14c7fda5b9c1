"""The command line: what it prints where, what it refuses and how, and runs that lose nothing when they are stopped."""

import csv
import io
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from tfmlib import checkpoint, corpus, training
from tfmlib.__main__ import COURSE, RECIPE_OPTIONS, TEXT, main
from tfmlib.checkpoint import Translator
from tfmlib.transformer import Transformer, TransformerConfig
from tfmlib.vocabulary import Vocabulary

ROOT = Path(__file__).parents[1]
SENTENCES = corpus.load("coreference", 60)
# The test of the pipe is to see what is flushed, also where all is flushed anyway.
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}


def command(*arguments):
    return [sys.executable, "-m", "tfmlib", *map(str, arguments)]


@pytest.fixture(scope="module")
def pairs_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "tiny.tsv"
    path.write_text("".join(f"{s.text('en')}\t{s.text('fr')}\n" for s in SENTENCES), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    """A translator that knows a few words and has learned nothing."""
    source, target = Vocabulary.build(["the cat sleeps here"], language="en"), Vocabulary.build(["le chat dort ici"])
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(len(source), len(target), 16, 2, 20, 1, max_length=8))
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    Translator(model, source, target).save(path)
    return path


def tiny(pairs_file, output, *more):
    """Arguments of a training of a second; more of them win."""
    settings = "--preset small --vocabulary-size 300 --batch-tokens 300 --warmup 5 --threads 1 --precision float64"
    files = ["--pairs", pairs_file, "--output", output]
    return [*map(str, ["train", *files, *f"{settings} --steps 6".split(), *more])]


def mistake(capsys, *arguments):
    """Run what must fail; give the one line that it says."""
    assert main(list(map(str, arguments))) == 1
    out, err = capsys.readouterr()
    *_, line = err.splitlines()
    assert line.startswith("python -m tfmlib: ")
    assert "Traceback" not in err
    assert not out
    return line


# ---- help and usage


@pytest.mark.parametrize("command", ["", "translate", "train", "evaluate"])
def test_help_has_examples(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([*command.split(), "--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert out.count("  python -m tfmlib") == 2


def test_the_help_of_train_says_both_defaults_of_each_option(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    out = " ".join(capsys.readouterr().out.split())
    for name in RECIPE_OPTIONS:
        assert f"--{name.replace('_', '-')} " in out
    for a, b in [(COURSE["learning_rate"], TEXT["learning_rate"]), (COURSE["precision"], TEXT["precision"])]:
        assert f"({a} | {b})" in out
    assert RECIPE_OPTIONS.keys() == TEXT.keys() == COURSE.keys() | {"vocabulary_size"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "--steps", "0"], "0 is below 1"),
        (["train", "--learning-rate", "fast"], "invalid number or 'paper' value: 'fast'"),
        (["train", "--device", "toaster"], "'toaster' is no device"),
        (["train", "--preset", "huge"], "invalid choice: 'huge'"),
        (["train", "--minutes", "0"], "it must be above 0"),
    ],
)
def test_a_wrong_option_is_named(arguments, says, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert says in capsys.readouterr().err


# ---- translate


def test_translations_alone_are_on_stdout(model_file, capsys):
    expected = Translator.load(model_file).translate(["the cat sleeps", "here"])
    assert main(["translate", "the cat sleeps", "here", "--model", str(model_file)]) == 0
    assert capsys.readouterr() == ("\n".join(expected) + "\n", "")


def test_beam_and_drawing(model_file, capsys):
    expected = Translator.load(model_file).translate("the cat", beam=3)
    assert main(["translate", "the cat", "--beam", "3", "--model", str(model_file)]) == 0
    assert capsys.readouterr().out == expected + "\n"

    def drawn(*options):
        assert main(["translate", "the cat", "--model", str(model_file), *options]) == 0
        return capsys.readouterr().out

    texts = {seed: drawn("--temperature", "5", "--seed", seed) for seed in "0123"}
    assert len(set(texts.values())) > 1
    assert drawn("--temperature", "5") == texts["0"]
    assert drawn("--top-k", "1") == Translator.load(model_file).translate("the cat") + "\n"
    assert drawn("--top-p", "1e-6") == drawn("--top-k", "1")
    assert "choose" in mistake(capsys, "translate", "a", "--model", model_file, "--beam", 2, "--top-k", 3)
    assert "temperature is 0.0" in mistake(capsys, "translate", "cat", "--model", model_file, "--temperature", 0)


def test_a_word_that_is_not_known_is_named(model_file, capsys):
    line = mistake(capsys, "translate", "the cats sleep", "--model", model_file)
    assert "'cats' is not among the 4 words" in line
    assert "cat" in line


def test_each_line_of_a_pipe_is_answered_at_once_and_a_bad_one_is_named(model_file):
    with subprocess.Popen(
        command("translate", "--model", model_file),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ONE_THREAD,
        text=True,
    ) as process:
        watch = threading.Timer(30, process.kill)  # an answer that is not flushed never comes
        watch.start()
        for text in ("the cat", "sleeps here"):
            process.stdin.write(text + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == Translator.load(model_file).translate(text) + "\n"
        out, err = process.communicate("the dog\nthe cat\n")
        watch.cancel()
    assert out == ""
    assert err.startswith("python -m tfmlib: standard input, line 3: 'dog' is not among")
    assert err.count("\n") == 1
    assert process.returncode == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"the cat\nle caf\xe9\n", "line 2: byte 0xe9 at place 7 is not UTF-8"),
        (b"the cat sleeps here the cat sleeps here the\n", "line 1: the sentence has 9 tokens"),
    ],
)
def test_a_bad_line_of_a_pipe_is_named(content, says, model_file, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert main(["translate", "--model", str(model_file)]) == 1
    assert says in capsys.readouterr().err


def test_a_blank_line_of_a_pipe_stays_a_blank_line(model_file, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"the cat\n\nthe cat\n")))
    assert main(["translate", "--model", str(model_file)]) == 0
    first, blank, last = capsys.readouterr().out.splitlines()
    assert first == last != blank == ""


def test_alone_it_prints_the_help(capsys):
    with pytest.raises(SystemExit, match="0"):
        main([])
    assert "translate | train | evaluate" in capsys.readouterr().out


def test_a_model_file_that_is_absent_or_damaged_is_named(tmp_path, capsys):
    absent = tmp_path / "no.safetensors"
    assert f"there is no model file {absent}" in mistake(capsys, "translate", "a", "--model", absent)
    absent.write_bytes(b"not a model")
    assert "damaged" in mistake(capsys, "evaluate", "--model", absent)


def test_a_bug_keeps_its_traceback(model_file, monkeypatch):
    monkeypatch.setattr(Translator, "translate", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["translate", "the cat", "--model", str(model_file)])


# ---- train


@pytest.fixture(scope="module")
def trained(pairs_file, tmp_path_factory):
    output = tmp_path_factory.mktemp("trained")
    assert main(tiny(pairs_file, output, "--log-every", 2)) == 0
    return output


def test_a_run_leaves_the_model_and_its_log(trained):
    assert sorted(os.listdir(trained)) == ["log.csv", "model.safetensors"]
    rows = list(csv.DictReader((trained / "log.csv").open()))
    assert [row["step"] for row in rows] == ["2", "4", "6"]
    assert {"learning_rate", "loss", "words", "held_out"} < rows[0].keys()


def test_the_model_tells_its_recipe_and_no_path(trained, pairs_file):
    translator = Translator.load(trained / "model.safetensors")
    assert translator.model.config.share_embeddings
    about = translator.about
    assert (about["corpus"], about["held_out"]) == ("tiny.tsv", None)
    assert about["recipe"] == {
        **TEXT,
        "preset": "small",
        "vocabulary_size": 300,
        "batch_tokens": 300,
        "warmup": 5,
        "threads": 1,
        "precision": "float64",
        "steps": 6,
        "log_every": 2,
    }
    content = (trained / "model.safetensors").read_bytes()
    assert str(pairs_file.parent).encode() not in content
    assert torch.__version__.encode() not in content


def test_a_model_starts_from_numbers_in_float64_whatever_it_is_trained_in(pairs_file, tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(training, "train", lambda model, *_: started.append(model))
    for _ in range(2):
        torch.rand(3)
        main(tiny(pairs_file, tmp_path / str(len(started)), "--precision", "float32", "--seed", 5))
    weights = [model.target_embedding.weight for model in started]
    assert torch.equal(*weights)
    assert (weights[0] != weights[0].float().double()).double().mean() > 0.9
    assert torch.get_default_dtype() == torch.float32


def test_the_scores_at_the_end_are_those_of_evaluate(trained, pairs_file, tmp_path, capsys):
    held_out = tmp_path / "other.tsv"
    held_out.write_text("".join(pairs_file.read_text(encoding="utf-8").splitlines(keepends=True)[:7]), encoding="utf-8")
    assert main(tiny(pairs_file, tmp_path / "run", "--held-out", held_out)) == 0
    captured = capsys.readouterr()
    assert f"7 pairs of {pairs_file} are, word for word, held-out ones" in captured.err
    assert "53 pairs" in captured.err
    assert "step 6 of 6: loss" in captured.err
    (row,) = [line for line in captured.out.splitlines() if line.startswith("| other.tsv")]
    assert str(tmp_path / "run" / "model.safetensors") in captured.out
    model = tmp_path / "run" / "model.safetensors"
    assert main(["evaluate", "--model", str(model), "--pairs", str(held_out)]) == 0
    out = capsys.readouterr().out
    assert row in out
    assert "|version:" in out
    assert main(["evaluate", "--model", str(model), "--pairs", str(held_out), "--limit", "2", "--beam", "2"]) == 0
    assert "| other.tsv | 2 " in capsys.readouterr().out


def test_some_pairs_are_held_out_where_no_others_are_given(tmp_path, capsys):
    path = tmp_path / "many.tsv"
    path.write_text("".join(f"a b {i}\tc d {i}\n" for i in range(150)))
    assert main(tiny(path, tmp_path / "run", "--steps", 1)) == 0
    captured = capsys.readouterr()
    assert "3 of the 150 pairs are held out" in captured.err
    assert "147 pairs, vocabularies of 300 and 300 tokens" in captured.err
    assert "| held out | 3 " in captured.out


@pytest.mark.parametrize(("n_words", "batch_tokens"), [(400, 300), (1100, 3000)], ids=["a batch", "the positions"])
def test_pairs_that_are_too_long_are_left_out_and_counted(tmp_path, capsys, n_words, batch_tokens):
    path = tmp_path / "long.tsv"
    path.write_text("".join(f"a b {i}\tc d {i}\n" for i in range(60)) + "x " * n_words + "\ty\n")
    assert main(tiny(path, tmp_path / "run", "--steps", 1, "--batch-tokens", batch_tokens)) == 0
    says = f"longer than 1024 tokens a side, or than a batch of {batch_tokens}"
    assert f"1 of 60 pairs to train on are left out: they are {says}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--source", "fr"], "--source and --target are both fr"),
        (["--vocabulary-size", "300"], "go with --pairs"),
        (["--held-out", "x.tsv"], "go with --pairs"),
        (["--pairs", "x.tsv", "--target", "zh"], "choose from the built-in corpus"),
        (["--pairs", "{tmp}/none.tsv"], "none.tsv does not exist"),
        (["--pairs", "{tmp}/one.tsv"], "no pair is left to train on"),
        (["--pairs", "{tmp}/bad.tsv"], "bad.tsv, line 2: 'no tab' has no tab"),
        (["--label-smoothing", "1"], "label_smoothing is 1.0; it must be"),
        (["--dropout", "-1"], "dropout is -1.0; it must be"),
        pytest.param(
            ["--device", "cuda"],
            "sees no GPU",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU, so it is no mistake"),
        ),
    ],
)
def test_what_cannot_be_trained_is_told(arguments, says, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(corpus, "load", lambda split, n=None: SENTENCES)
    (tmp_path / "one.tsv").write_text("a\tb\n")
    (tmp_path / "bad.tsv").write_text("a\tb\nno tab\n")
    arguments = [a.format(tmp=tmp_path) for a in arguments]
    assert says in mistake(capsys, "train", "--output", tmp_path / "run", *arguments)
    assert not (tmp_path / "run").exists()


def test_a_finished_model_is_not_overwritten(trained, pairs_file, capsys):
    before = (trained / "model.safetensors").read_bytes()
    for more in ([], ["--resume"]):
        line = mistake(capsys, *tiny(pairs_file, trained, *more))
        assert "holds a finished model; give another --output, or delete" in line
    assert (trained / "model.safetensors").read_bytes() == before


def test_the_shipped_model_is_replaced_with_its_card(tmp_path, pairs_file, capsys, monkeypatch):
    few = {split: corpus.load(split, 40) for split in corpus.SPLITS}  # made before, by the whole corpus
    monkeypatch.setattr(corpus, "load", lambda split, n=None: few[split])
    shipped = tmp_path / "model.safetensors"
    monkeypatch.setitem(checkpoint.SHIPPED, "en-fr", shipped)
    shipped.write_bytes(b"old")
    (tmp_path / "log.csv").write_text("step,loss\n1,7.5\n")
    assert "finished model" in mistake(capsys, *tiny(pairs_file, tmp_path))
    assert shipped.read_bytes() == b"old"

    course = ["train", "--output", str(tmp_path), "--steps", "3", "--batch-tokens", "200"]
    assert main(course) == 0
    captured = capsys.readouterr()
    model = shipped.read_bytes()
    translator = Translator.load("en-fr")
    assert [row["step"] for row in csv.DictReader((tmp_path / "log.csv").open())] == ["3"]
    recipe = {**COURSE, "steps": 3, "batch_tokens": 200}
    assert translator.about == {"corpus": "tfmlib.corpus", "source": "en", "target": "fr", "recipe": recipe}
    assert translator.source_vocabulary.language == "en"
    assert translator.target_vocabulary.language == "fr"
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    table = [line for line in captured.out.splitlines() if line.startswith("|")]
    assert len(table) == 6
    assert "\n".join(table) in card

    assert main(["evaluate"]) == 0
    out = capsys.readouterr().out
    assert "\n".join(table) in out
    heads = [line for line in out.splitlines() if line.startswith(("| attention", "| encoder", "| decoder"))]
    assert len(heads) == 1 + 8 + 8
    assert "\n".join(heads[1:]) in card

    # The card's own command makes the same model.
    (remade,) = [line for line in card.splitlines() if line.startswith("python -m tfmlib train --")]
    assert main([*shlex.split(remade)[3:], "--output", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == model


# ---- runs that are stopped

LONG = ("--steps", 80, "--save-every", 5, "--log-every", 7, "--dropout", 0.1)


@pytest.fixture(scope="module")
def uninterrupted(pairs_file, tmp_path_factory):
    output = tmp_path_factory.mktemp("uninterrupted")
    assert main(tiny(pairs_file, output, *LONG)) == 0
    return output


def start_and_stop(arguments, output, number):
    """Start a training, send it the signal `number` after its first checkpoint, and give what it said."""
    process = subprocess.Popen(command(*arguments), env=ONE_THREAD, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not (output / "state.safetensors").exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert not (output / "model.safetensors").exists(), "the run was over too soon: give it more steps"
    return process.returncode, err


def assert_same_run(output, uninterrupted):
    assert sorted(os.listdir(output)) == ["log.csv", "model.safetensors"]
    for name in ("model.safetensors", "log.csv"):
        assert (output / name).read_bytes() == (uninterrupted / name).read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_run_that_was_killed_and_goes_on_ends_with_the_same_bytes(pairs_file, tmp_path, uninterrupted, capsys):
    arguments = tiny(pairs_file, tmp_path, *LONG)
    start_and_stop(arguments, tmp_path, signal.SIGKILL)
    assert "holds an unfinished run; go on with it by --resume" in mistake(capsys, *arguments)
    assert "another run: training.seed" in mistake(capsys, *arguments, "--resume", "--seed", 1)
    log = tmp_path / "log.csv"  # as if it had come further in the log than in its checkpoints
    with log.open("a") as file:
        file.write("" if log.stat().st_size else "step,learning_rate,loss,words,held_out\n")
        file.write("79,0,0,0,0\n")
    assert main([*arguments, "--resume"]) == 0
    assert_same_run(tmp_path, uninterrupted)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a child")
def test_ctrl_c_keeps_the_run_and_says_how_to_go_on(pairs_file, tmp_path, uninterrupted):
    code, err = start_and_stop(tiny(pairs_file, tmp_path, *LONG), tmp_path, signal.SIGINT)
    assert code == 130
    assert "Traceback" not in err
    *_, kept, go_on = err.splitlines()
    assert kept.startswith("stopped after step ")
    assert f"{tmp_path / 'state.safetensors'} keeps the run" in kept
    assert go_on.split()[:3] == ["python", "-m", "tfmlib"]
    assert main(shlex.split(go_on)[3:]) == 0
    assert_same_run(tmp_path, uninterrupted)


def test_when_the_minutes_are_over_there_is_a_model_and_the_run_can_go_on(
    pairs_file, tmp_path, uninterrupted, capsys, monkeypatch
):
    class AfterTheFirstCheckpoint(threading.Timer):
        def run(self):
            assert self.interval == 120
            while not (tmp_path / "state.safetensors").exists():
                time.sleep(0.002)
            self.function(*self.args)

    monkeypatch.setattr(threading, "Timer", AfterTheFirstCheckpoint)
    arguments = tiny(pairs_file, tmp_path, *LONG)
    assert main([*arguments, "--minutes", "2"]) == 0
    captured = capsys.readouterr()
    assert "of 80, after 2 minutes; go on with" in captured.err
    assert "| held out" in captured.out
    about = Translator.load(tmp_path / "model.safetensors").about
    assert about["stopped"].endswith("of 80")
    assert main([*arguments, "--resume"]) == 0
    assert_same_run(tmp_path, uninterrupted)


def test_two_processes_learn_what_one_learns(pairs_file, tmp_path):
    arguments = ["--steps", 20, "--dropout", 0, "--log-every", 5]
    assert main(tiny(pairs_file, tmp_path / "one", *arguments)) == 0
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "tfmlib"]
    done = subprocess.run(
        [*launcher, *tiny(pairs_file, tmp_path / "two", *arguments)],
        env=ONE_THREAD,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("| held out") == 1
    assert done.stderr.count("step 20 of 20") == 1
    one, two = (checkpoint.read(tmp_path / name / "model.safetensors")[0] for name in ("one", "two"))
    # The file is in float32: what differs by 1e-12 in float64 is nearly always the same number there.
    same = torch.cat([(p == two[name]).flatten() for name, p in one.items()])
    assert same.double().mean() > 1 - 1e-4
    for name, p in one.items():
        torch.testing.assert_close(p, two[name], rtol=1e-6, atol=1e-9)
