"""Speed, as ratios taken in one run against what a user could choose instead: `make bench`.

Each pair of rivals takes turns, on one thread; a figure is the ratio of their medians. What is compared computes the
same thing: `nn.Transformer` gets the same embeddings, masks, dropout and loss, and tfmlib's weights.
"""

import resource
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import nn

from tfmlib.checks import EXERCISES, check
from tfmlib.decoding import generate
from tfmlib.interop import copy_weights
from tfmlib.loss import cross_entropy, n_words, shift
from tfmlib.transformer import Transformer, TransformerConfig
from tfmlib.vocabulary import BOS, PAD

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


class Rival(nn.Module):
    """The model that `torch.nn` offers: nn.Transformer between the embeddings and the output of a tfmlib model."""

    def __init__(self, model: Transformer):
        super().__init__()
        c = model.config
        self.transformer = nn.Transformer(
            c.d_model, c.n_heads, c.n_layers, c.n_layers, c.d_ff, c.dropout, norm_first=c.pre_norm, batch_first=True
        )
        if not c.pre_norm:
            self.transformer.encoder.norm = self.transformer.decoder.norm = None
        copy_weights(model, self.transformer)
        self.source_embedding, self.target_embedding = model.source_embedding, model.target_embedding
        self.positional, self.generator = model.positional, model.generator

    def encode(self, source):
        padding = source == PAD
        x = self.positional(self.source_embedding(source))
        return self.transformer.encoder(x, src_key_padding_mask=padding), padding

    def decode(self, target, memory, padding):
        T = target.size(1)
        future = torch.ones(T, T, dtype=torch.bool).triu(1)
        x = self.positional(self.target_embedding(target))
        x = self.transformer.decoder(x, memory, future, memory_key_padding_mask=padding, tgt_is_causal=True)
        return self.generator(x)

    def forward(self, source, target):
        return self.decode(target, *self.encode(source))

    @torch.inference_mode()
    def greedy(self, source, n_steps):
        memory, padding = self.encode(source)
        target = source.new_full((len(source), 1), BOS)
        for _ in range(n_steps):
            words = self.decode(target, memory, padding)[:, -1].argmax(-1)
            target = torch.cat([target, words[:, None]], 1)
        return target[:, 1:].tolist()


def batch(n_sentences, n_words, vocab_size):
    """Random sentences; every fourth one is shorter, and padded."""
    ids = torch.randint(4, vocab_size, (n_sentences, n_words), generator=torch.Generator().manual_seed(0))
    ids[::4, -n_words // 4 :] = PAD
    return ids


def ratios(run: Callable, *rivals: Callable, repeats: int) -> list[float]:
    """How many times as long each rival takes as `run`: they take turns, and the medians are divided."""
    calls = (run, *rivals)
    for call in calls:
        call()
    seconds = [[] for _ in calls]
    for _ in range(repeats):
        for call, times in zip(calls, seconds, strict=True):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    base, *others = map(statistics.median, seconds)
    return [other / base for other in others]


def training_step(model, source, target):
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.9, 0.98), eps=1e-9, fused=True)
    inputs, labels = shift(target)
    words = n_words(labels)

    def step():
        (cross_entropy(model(source, inputs), labels, 0.1) / words).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def bench_training(repeats):
    shapes = (
        ("small", 64, 128, "64 sentences of 12", 10 * repeats),
        ("small", 128, 512, "64 sentences of 12", 5 * repeats),
        ("base", 512, 2048, "4 sentences of 32", repeats),
    )
    for preset, d_model, d_ff, sentences, times in shapes:
        n_sentences, length = (int(word) for word in sentences.split() if word.isdigit())
        vocab_size = 300 if preset == "small" else 8000
        ids = batch(n_sentences, length, vocab_size), batch(n_sentences, length + 1, vocab_size)
        torch.manual_seed(0)
        sizes = {"d_model": d_model, "d_ff": d_ff, "dropout": 0.1}
        model = Transformer(TransformerConfig.preset(preset, vocab_size, vocab_size, **sizes))
        (rival,) = ratios(training_step(model, *ids), training_step(Rival(model), *ids), repeats=times)
        n = model.config.n_layers
        yield f"training step, d_model {d_model}, {n} + {n} layers, {sentences} words", f"{rival:.2f}", "–"


def bench_decoding(repeats):
    torch.manual_seed(0)
    model = Transformer(TransformerConfig.preset("small", 300, 300, d_model=128, d_ff=512)).eval()
    rival = Rival(model).eval()

    def never_end(logits):
        return logits[:, 4:].argmax(-1) + 4

    for n_sentences in (1, 64):
        for length in (16, 64, 256):
            source = batch(n_sentences, 12, 300)
            calls = (
                partial(generate, model, source, never_end, length),
                partial(generate, model, source, never_end, length, use_cache=False),
                partial(rival.greedy, source, length),
            )
            without_cache, loop = ratios(*calls, repeats=max(2, repeats - length * n_sentences // 1000))
            sentences = "1 sentence" if n_sentences == 1 else f"{n_sentences} sentences"
            what = f"greedy, d_model 128, 2 + 2 layers, {sentences} of {length} words"
            yield what, f"{loop:.2f}", f"{without_cache:.2f}"


def bench_notebooks():
    """Seconds from the start of the kernel to the end, and the largest memory so far, in MB."""
    sys.path.insert(0, str(NOTEBOOKS))
    import make

    with tempfile.TemporaryDirectory() as folder:
        for name, text in make.texts().items():
            copy = Path(shutil.copy(text, folder))
            start = time.perf_counter()
            make.make(copy)
            memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
            yield name, time.perf_counter() - start, memory


def bench_checks():
    """Seconds that each verdict takes, on every right and wrong answer of the catalogue."""
    for exercise in EXERCISES.values():
        for answer in (exercise.right, *exercise.also_right, *(mistake.answer for mistake in exercise.mistakes)):
            start = time.perf_counter()
            check(exercise.number, answer)
            yield time.perf_counter() - start


def main():
    warnings.filterwarnings("ignore", "The PyTorch API of nested tensors")
    torch.set_num_threads(1)
    # First, while this process is small: a child's memory counts from what its parent had.
    print("| notebook | seconds | MB, the largest so far |\n| --- | ---: | ---: |")
    for name, seconds, memory in bench_notebooks():
        print(f"| {name} | {seconds:.1f} | {memory:.0f} |", flush=True)
    seconds = list(bench_checks())
    median = statistics.median(seconds)
    print(f"\n{len(seconds)} verdicts: {median:.3f} s is the median, {max(seconds):.3f} s the most.")
    print("\n| times as fast: what tfmlib does | as `nn.Transformer` | as without the cache |\n| --- | ---: | ---: |")
    for bench in (bench_training, bench_decoding):
        for what, rival, without_cache in bench(repeats=15):
            print(f"| {what} | {rival} | {without_cache} |", flush=True)


if __name__ == "__main__":
    main()
