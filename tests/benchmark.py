"""Speed, as ratios taken in one run against what a user could choose instead: `make bench`.

Each pair of rivals takes turns, on one thread; a figure is the ratio of their medians. What is compared computes the
same thing: `nn.Transformer` gets the same embeddings, masks, dropout and loss, and tfmlib's weights.
"""

import math
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
from conftest import find_browser
from playwright.sync_api import sync_playwright
from torch import nn

from tfmlib import corpus, draw
from tfmlib.attention import scaled_dot_product_attention
from tfmlib.checkpoint import Translator
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


def attention_in_loops(q, k, v):
    """Attention as its formula stands there, one word after the other, as in chapter 5."""
    outputs = []
    for one_q, one_k, one_v in zip(q, k, v, strict=True):
        for q_i in one_q:
            exps = [torch.exp(q_i @ k_j / math.sqrt(len(k_j))) for k_j in one_k]
            total = sum(exps)
            outputs.append(sum(e / total * v_j for e, v_j in zip(exps, one_v, strict=True)))
    return torch.stack(outputs).view(*q.shape[:2], -1)


def attention_by_einsum(q, k, v):
    scores = torch.einsum("btk,bsk->bts", q, k) / math.sqrt(q.size(-1))
    return torch.einsum("bts,bsv->btv", scores.softmax(-1), v)


def bench_attention(repeats):
    for n_sentences, length, d_k in ((2, 12, 16), (8, 64, 64)):
        q, k, v = torch.randn(3, n_sentences, length, d_k, generator=torch.Generator().manual_seed(0))
        ways = scaled_dot_product_attention, attention_by_einsum, attention_in_loops
        product, einsum, loops = (partial(way, q, k, v) for way in ways)
        (einsum,), (loops,) = ratios(product, einsum, repeats=100 * repeats), ratios(product, loops, repeats=repeats)
        yield f"{n_sentences} sentences of {length} words, d_k {d_k}", f"{einsum:.1f}", f"{loops:.0f}"


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


LIVE = """sentences => sentences.map(sentence => {
    const text = document.querySelector('.own input'), start = performance.now();
    text.value = sentence;
    text.form.requestSubmit();
    return (performance.now() - start) / document.querySelectorAll('.chips label').length;
})"""


def bench_live():
    """Milliseconds a word that the live model takes in a browser, for 100 sentences: to write it and to draw it."""
    sentences = [sentence.text("en") for sentence in corpus.load("held_out", 100)]
    html = draw.live_translator(Translator.load(), sentences[:1], title="", alt="")._repr_html_()
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=find_browser()) as browser:
        page = browser.new_page(reduced_motion="reduce")
        page.set_content(f"<!DOCTYPE html>{html}")
        for how in ("greedy", "beam"):
            page.locator(f"[value={how}]").check()
            yield how, page.evaluate(LIVE, sentences)


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
    for how, times in bench_live():
        told = f"{statistics.median(times):.1f} ms a word is the median, {max(times):.1f} ms the most"
        print(f"The live model, {how}: {told}.")
    print("\n| times as fast: what tfmlib does | as `nn.Transformer` | as without the cache |\n| --- | ---: | ---: |")
    for bench in (bench_training, bench_decoding):
        for what, rival, without_cache in bench(repeats=15):
            print(f"| {what} | {rival} | {without_cache} |", flush=True)
    print("\n| times as long as the batched product: attention | einsum | loops |\n| --- | ---: | ---: |")
    for what, einsum, loops in bench_attention(repeats=5):
        print(f"| {what} | {einsum} | {loops} |", flush=True)


if __name__ == "__main__":
    main()
