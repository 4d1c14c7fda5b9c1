"""Learning: the schedule, the batches, and runs that end with the same weights however they were interrupted."""

import copy
import math
import os
import random
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from tfmlib import checkpoint, training
from tfmlib.loss import cross_entropy, shift
from tfmlib.training import (
    Interrupted,
    TrainingConfig,
    batches_by_length,
    collate,
    learning_rate,
    mean_loss,
    paper_learning_rate,
    train,
)
from tfmlib.transformer import Transformer, TransformerConfig
from tfmlib.vocabulary import BOS, EOS, PAD

V = 14


def reversals(n, seed=0):
    rng = random.Random(seed)
    sources = [[rng.randrange(4, V) for _ in range(rng.randint(2, 9))] for _ in range(n)]
    return [(source, source[::-1]) for source in sources]


def new_model(dropout=0.1):
    torch.manual_seed(0)
    return Transformer(TransformerConfig(V, V, 16, 2, 24, 1, dropout=dropout))


def config(**changes):
    settings = {"steps": 30, "batch_tokens": 200, "warmup": 10, "precision": "float64", "log_every": 7, "save_every": 5}
    return TrainingConfig(**{**settings, **changes})


def weights(model):
    return dict(model.named_parameters())


def assert_same_weights(model, other):
    for name, p in weights(model).items():
        assert torch.equal(p, weights(other)[name]), name


def test_the_default_schedule_is_the_papers():
    config = TrainingConfig()
    for step in (1, 100, 3999, 4000, 4001, 100_000):
        expected = 512**-0.5 * min(step**-0.5, step * 4000**-1.5)
        assert paper_learning_rate(step, 512) == expected
        assert learning_rate(step, config, 512) == pytest.approx(expected, rel=1e-12)


def test_the_linear_schedule_rises_to_the_peak_and_falls_towards_zero():
    linear = TrainingConfig(steps=100, warmup=20, learning_rate=0.5, schedule="linear")
    rates = [learning_rate(step, linear, 64) for step in range(1, 101)]
    assert max(rates) == rates[19] == 0.5
    assert rates[0] == 0.5 / 20
    assert 0 < rates[-1] < 0.01
    assert all(a > b for a, b in pairwise(rates[19:]))


def test_each_pair_is_in_one_batch_and_no_batch_is_too_large():
    pairs = reversals(300)
    batches = batches_by_length(pairs, 100, random.Random(0))
    assert sorted(i for batch in batches for i in batch) == list(range(300))
    for batch in batches:
        source, target = collate([pairs[i] for i in batch])
        assert source.numel() + target.numel() <= 100


def test_batches_by_length_hold_less_padding_than_batches_at_random():
    pairs = reversals(300)

    def padding(batches):
        tensors = [ids for batch in batches for ids in collate([pairs[i] for i in batch])]
        return sum((ids == PAD).sum().item() for ids in tensors) / sum(ids.numel() for ids in tensors)

    by_length = padding(batches_by_length(pairs, 200, random.Random(0)))
    assert by_length < 0.05 < padding([range(i, i + 10) for i in range(0, 300, 10)])


def test_the_order_of_the_batches_comes_from_the_seed():
    pairs = reversals(300)
    first, again, other = (batches_by_length(pairs, 100, random.Random(seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_pair_longer_than_a_batch_is_refused():
    with pytest.raises(ValueError, match=r"pair 0 has 12 tokens and a batch holds 11"):
        batches_by_length([([4] * 5, [4] * 5)], 11, random.Random(0))


def test_a_batch_begins_with_bos_ends_with_eos_and_is_padded():
    source, target = collate([([5, 6, 7], [8]), ([9], [10, 11])])
    assert source.tolist() == [[5, 6, 7], [9, PAD, PAD]]
    assert target.tolist() == [[BOS, 8, EOS, PAD], [BOS, 10, 11, EOS]]


def test_training_lowers_the_loss_on_sentences_that_were_not_trained_on():
    model, unseen = new_model(dropout=0.0), reversals(50, seed=1)
    before = mean_loss(model.double(), unseen)
    log = train(model, reversals(500), config(steps=200, learning_rate=1e-2), held_out=unseen)
    assert log[-1]["held_out"] == pytest.approx(mean_loss(model, unseen))
    assert log[-1]["held_out"] < before - 0.5
    assert [entry["step"] for entry in log] == [*range(7, 200, 7), 200]
    assert log[-1]["loss"] < log[0]["loss"]


def test_the_mean_loss_leaves_out_padding_whatever_the_batches():
    model, pairs = new_model().double(), reversals(20)
    total = words = 0
    model.eval()
    for pair in pairs:
        source, target = collate([pair])
        inputs, labels = shift(target)
        total, words = total + cross_entropy(model(source, inputs), labels).item(), words + labels.numel()
    assert mean_loss(model, pairs, 60) == pytest.approx(total / words)
    assert mean_loss(model, pairs, 4000) == pytest.approx(total / words)


def test_the_update_is_adams_with_the_papers_constants():
    model, pairs = new_model(dropout=0.0).double(), reversals(5)
    twin = copy.deepcopy(model)
    settings = config(steps=3, learning_rate=0.1, warmup=1, batch_tokens=4000, label_smoothing=0.1)
    train(model, pairs, settings)
    optimizer = torch.optim.Adam(twin.parameters(), betas=(0.9, 0.98), eps=1e-9)
    source, target = collate(pairs)
    inputs, labels = shift(target)
    for step in (1, 2, 3):
        optimizer.param_groups[0]["lr"] = 0.1 * step**-0.5
        optimizer.zero_grad()
        (cross_entropy(twin(source, inputs), labels, 0.1) / (labels != PAD).sum()).backward()
        optimizer.step()
    for name, p in weights(model).items():
        torch.testing.assert_close(p, weights(twin)[name], rtol=1e-7, atol=1e-9)


def test_clipping_bounds_the_gradient(monkeypatch):
    norms = []
    clip = torch.nn.utils.clip_grad_norm_
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda p, limit: norms.append(limit) or clip(p, limit))
    train(new_model(), reversals(50), config(steps=2, clip=0.25))
    assert norms == [0.25, 0.25]


class PowerCutError(Exception):
    """The machine stops in the middle of a step."""


@pytest.mark.parametrize("precision", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("step", [5, 12, 29])
def test_a_killed_run_that_is_resumed_ends_with_the_same_bits(tmp_path, monkeypatch, step, precision):
    pairs, settings = reversals(100), config(precision=precision)  # 100 pairs are some 10 batches: epochs end within
    straight, state_file = new_model(), tmp_path / "state.safetensors"
    log = train(straight, pairs, settings, held_out=pairs[:5])
    killed, count = new_model(), iter(range(1, 100))

    def die(config, *rest):
        if next(count) == step:
            raise PowerCutError
        return collate(config, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(training, "collate", die)
        with pytest.raises(PowerCutError):
            train(killed, pairs, settings, state_file=state_file)
    resumed = new_model()
    torch.manual_seed(99)
    resumed_log = train(resumed, pairs, settings, held_out=pairs[:5], state_file=state_file)
    assert_same_weights(resumed, straight)
    assert [e["loss"] for e in resumed_log] == [e["loss"] for e in log]


def test_ctrl_c_ends_the_step_keeps_it_and_the_resumed_run_ends_with_the_same_bits(tmp_path):
    pairs, state_file = reversals(100), tmp_path / "state.safetensors"
    straight, stopped = new_model(), new_model()
    train(straight, pairs, config())

    def press(entry):
        if entry["step"] == 7:
            os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match="after step 8 of 30"):
        train(stopped, pairs, config(), state_file=state_file, on_log=press)
    assert signal.getsignal(signal.SIGINT) is handler
    resumed = new_model()
    train(resumed, pairs, config(), state_file=state_file)
    assert_same_weights(resumed, straight)


def test_a_finished_run_is_not_trained_further(tmp_path):
    pairs, state_file = reversals(50), tmp_path / "state.safetensors"
    model, again = new_model(), new_model()
    log = train(model, pairs, config(), state_file=state_file)
    assert train(again, pairs, config(), state_file=state_file) == log
    assert_same_weights(model, again)


def test_the_state_of_another_run_is_refused_and_the_difference_named(tmp_path):
    pairs, state_file = reversals(50), tmp_path / "state.safetensors"
    train(new_model(), pairs, config(steps=5), state_file=state_file)
    with pytest.raises(ValueError, match=r"training.warmup, training.seed"):
        train(new_model(), pairs, config(steps=5, seed=1, warmup=3), state_file=state_file)
    with pytest.raises(ValueError, match="another run: pairs"):
        train(new_model(), pairs[1:], config(steps=5), state_file=state_file)


def test_no_pairs_are_refused():
    with pytest.raises(ValueError, match="no pairs"):
        train(new_model(), [], config())


def test_a_loss_that_is_no_number_stops_the_run():
    model = new_model()
    model.generator.weight.data[5] = math.nan
    with pytest.raises(ValueError, match="loss is nan at step 7"):
        train(model, reversals(50), config())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"precision": "float16"}, "float64, float32, bfloat16"),
        ({"schedule": "cosine"}, "cosine"),
        ({"label_smoothing": 1.0}, "label_smoothing is 1.0"),
    ],
)
def test_settings_out_of_range_are_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        TrainingConfig(**changes)


@pytest.mark.parametrize("batch_tokens", [200, 30], ids=["shared batches", "batches of one pair"])
def test_two_processes_train_the_weights_of_one(tmp_path, batch_tokens):
    script = tmp_path / "two.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_training as t\n"
        f"model = t.new_model(dropout=0.0); t.train(model, t.reversals(60), t.config(batch_tokens={batch_tokens}))\n"
        "if t.os.environ['RANK'] == '0':\n"
        f"    t.checkpoint.write(t.Path({str(tmp_path / 'weights')!r}), t.weights(model), {{}})\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", script]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True)
    two, _ = checkpoint.read(tmp_path / "weights")
    one = new_model(dropout=0.0)
    train(one, reversals(60), config(batch_tokens=batch_tokens))
    for name, p in weights(one).items():
        torch.testing.assert_close(two[name], p, rtol=0, atol=1e-12, msg=lambda m, name=name: f"{name}: {m}")
