"""Mistakes planted into the model: a small Transformer is trained with a line of `tfmlib` replaced by a wrong one."""

import inspect
import math
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from unittest import mock

import torch
import torch.nn.functional as F
from torch import nn

from tfmlib import corpus, decoding, training, transformer
from tfmlib.attention import MultiHeadAttention
from tfmlib.checks.calling import in_float64
from tfmlib.decoder import DecoderLayer
from tfmlib.decoding import greedy
from tfmlib.embedding import Embedding
from tfmlib.feed_forward import FeedForward
from tfmlib.masks import causal_mask
from tfmlib.positional import PositionalEncoding
from tfmlib.sublayer import Sublayer
from tfmlib.transformer import Transformer, TransformerConfig
from tfmlib.vocabulary import Vocabulary, join, pad


@dataclass(frozen=True)
class Plant:
    """A mistake that can be planted.

    Args:
        classic: its name in the museum. A mistake of the catalogue that has the same name is the same exhibit.
        chapter: the one that explains it.
        owner, part: where the function is that gets it, such as `Sublayer` and "forward".
        wrong: what stands in the function → what stands there by mistake.
        why: what comes of it, in a sentence or two, and why.
    """

    classic: str
    chapter: int
    owner: object
    part: str
    wrong: Mapping[str, str]
    why: str

    @property
    def function(self) -> Callable:
        """The function as it is; of PyTorch's own, which is not of Python or asks another, a twin."""
        return TWINS.get((self.owner, self.part)) or getattr(self.owner, self.part)

    @property
    def texts(self) -> tuple[str, str]:
        """The function, wrong and right, as text."""
        wrong = right = textwrap.dedent(inspect.getsource(self.function))
        for line, mistake in self.wrong.items():
            if right.count(line) != 1:
                raise ValueError(f"{self.classic}: {self.part} has {line!r} {right.count(line)} times; wanted: once.")
            wrong = wrong.replace(line, mistake)
        return wrong, right

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Within the block the function is the wrong one."""
        names = globals() | self.function.__globals__
        exec(self.texts[0], names)
        with mock.patch.object(self.owner, self.part, names[self.function.__name__]):
            yield


def _attend(q, k, v, attn_mask=None, is_causal=False):
    scores = q @ k.mT / math.sqrt(q.size(-1))
    may_attend = causal_mask(q.size(2)) if is_causal else attn_mask
    if may_attend is not None:
        scores = scores.masked_fill(~may_attend, -math.inf)
    return scores.softmax(-1) @ v


def _norm(self, x):
    mean = x.mean(-1, keepdim=True)
    variance = (x - mean).square().mean(-1, keepdim=True)
    return self.weight * (x - mean) / (variance + self.eps).sqrt() + self.bias


SDPA = (F, "scaled_dot_product_attention")
TWINS = {SDPA: _attend, (nn.LayerNorm, "forward"): _norm}


# ---- The trial: a model small enough to learn in a second or two.

SHORTEST_WORDS, N_PAIRS, N_SPOKEN = 6, 200, 100
STEPS, LOG_EVERY = 160, 5
SIZES = {"d_model": 32, "n_heads": 2, "d_ff": 64, "n_layers": 1, "dropout": 0.0, "max_length": 128}
TRAINING = training.TrainingConfig(
    steps=STEPS,
    batch_tokens=256,
    learning_rate=0.01,
    warmup=20,
    label_smoothing=0.0,
    precision="float64",
    log_every=LOG_EVERY,
)
WRITTEN = 14  # words at most
SPOKEN = 1  # which of the sentences it is heard on


@dataclass
class Trial:
    """What came of a training.

    Attributes:
        losses: at every LOG_EVERY-th step, the mean since the last: what whoever trains is shown.
        error: of the training, and then there is nothing else.
        right: how many of N_SPOKEN sentences of the training it translates as they are translated there.
        says: its translation of the sentence `SPOKEN`.
    """

    losses: list[float] = field(default_factory=list)
    error: Exception | None = None
    right: int = 0
    says: str = ""

    @property
    def mean(self) -> float:
        """The mean of the whole curve: the smaller, the sooner it fell."""
        return sum(self.losses) / len(self.losses)


@cache
def school() -> tuple:
    """The pairs of words, the pairs of ids, and the vocabularies: short sentences of the most frequent words."""
    short = [s.words for s in corpus.load("train", 3000) if len(s.words["en"]) <= SHORTEST_WORDS]
    seen = Counter(word for words in short for word in set(words["en"]))
    short.sort(key=lambda words: -min(seen[word] for word in words["en"]))
    pairs = [(words["en"], words["fr"]) for words in short[:N_PAIRS]]
    source, target = (Vocabulary(sorted({w for pair in pairs for w in pair[side]})) for side in (0, 1))
    ids = [(source.encode(" ".join(a)), target.encode(" ".join(b))) for a, b in pairs]
    return pairs, ids, source, target


def fresh() -> Transformer:
    """The model before its training, the same each time, in float64."""
    _, _, source, target = school()
    with in_float64():
        torch.manual_seed(0)
        return Transformer(TransformerConfig(len(source), len(target), **SIZES))


def try_out(plant: Plant | None = None) -> Trial:
    """Train the model with a mistake planted, or with none, and let it speak."""
    _, ids, _, target = school()
    trial, log = Trial(), []
    with torch.random.fork_rng(devices=[]), plant.planted() if plant else nullcontext():
        model = fresh()
        try:
            training.train(model, ids, TRAINING, on_log=log.append)
        except (ValueError, RuntimeError) as error:
            trial.error = error
            return trial
        trial.losses = [entry["loss"] for entry in log]
        said = greedy(model, pad([source for source, _ in ids[:N_SPOKEN]]), max_length=WRITTEN)
        trial.right = sum(words == list(wanted) for words, (_, wanted) in zip(said, ids, strict=False))
        trial.says = join([target.tokens[i] for i in said[SPOKEN]], "fr")
    return trial


def try_all(chapters: Iterable[int] = range(1, 17)) -> dict[str, Trial]:
    """Try out the plants of these chapters, by their names; a second or two each."""
    return {plant.classic: try_out(plant) for plant in PLANTS if plant.chapter in chapters}


def leaks(plant: Plant | None = None) -> bool:
    """Whether what the model says before the last word of a target moves when that word is another one."""
    source, target = training.collate(school()[1][:1])
    other = target.clone()
    other[0, -1] += 1
    with plant.planted() if plant else nullcontext(), torch.no_grad():
        model = fresh().eval()
        before, after = (model(source, ids)[:, :-1] for ids in (target, other))
    return not torch.allclose(before, after)


PLANTS = (
    Plant(
        "√d_model forgotten",
        2,
        *(Embedding, "forward"),
        {" * self.scale": ""},
        "The words are smaller than the codes of their places, which are added to them: the model sees the place "
        "better than the word.",
    ),
    Plant(
        "Divided by √d_model",
        2,
        *(Embedding, "forward"),
        {"* self.scale": "/ self.scale"},
        "The words are far smaller than the codes of their places, which are added to them: the model sees places, "
        "and hardly a word.",
    ),
    Plant(
        "Sines in one half, cosines in the other",
        3,
        *(PositionalEncoding, "forward"),
        {"(x + codes)": "(x + torch.cat([codes[:, 0::2], codes[:, 1::2]], -1))"},
        "The same numbers in another order: to the model it is the same. It matters where weights come from another "
        "program.",
    ),
    Plant(
        "Positions by the batch axis",
        3,
        *(PositionalEncoding, "forward"),
        {"self.table[start:end].to(x.dtype)  # (T, D)": "self.table[: len(x), None].to(x.dtype)  # (B, 1, D)"},
        "All words of a sentence get one code, that of the sentence's place in the batch: noise, which is another in "
        "each batch. Shapes fit, since both axes broadcast.",
    ),
    Plant(
        "No positions",
        3,
        *(PositionalEncoding, "forward"),
        {"x + codes": "x"},
        "The encoder reads a bag of words. In sentences as short as these the words alone say enough, and the decoder "
        "can count by its causal mask. Long sentences need the places: chapter 3 shows it on the trained model.",
    ),
    Plant(
        "Not divided by √d_k",
        5,
        *SDPA,
        {" / math.sqrt(q.size(-1))": ""},
        "The softmax starts too sharp, and its gradient is small there. Heads of 16 numbers, as here, only learn more "
        "slowly; the larger d_k, the worse.",
    ),
    Plant(
        "Softmax over the wrong axis",
        5,
        *SDPA,
        {"-math.inf": "-1e9", ".softmax(-1)": ".softmax(-2)"},
        "Each column sums to 1, over the words that ask. So in training the weights of a word hang on the words after "
        "it, which divide them too: it leaks the future. Alone, the last word written has nobody to be divided by.",
    ),
    Plant(
        "view without transpose",
        6,
        *(MultiHeadAttention, "split_heads"),
        {"x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)": "x.reshape(len(x), self.n_heads, x.size(1), -1)"},
        "A head gets some of the words whole, and none of the others. So the causal mask lies over the wrong rows, "
        "and later words leak. When it writes they are not there, and each new length is cut anew.",
    ),
    Plant(
        "√d_model in place of √d_k",
        6,
        *SDPA,
        {"math.sqrt(q.size(-1))": "math.sqrt(q.size(1) * q.size(-1))"},
        "The scores are smaller by the root of the number of heads. W_Q and W_K can make up for it. Weights that "
        "were trained the right way would not fit.",
    ),
    Plant(
        "No ReLU",
        7,
        *(FeedForward, "forward"),
        {".relu()": ""},
        "Two matrices without a bend between them are one matrix. Here the task is small enough for attention and the "
        "norms alone.",
    ),
    Plant(
        "No way around the part",
        8,
        *(Sublayer, "forward"),
        {"self.norm(x + self.dropout(f(x)))": "self.norm(self.dropout(f(x)))"},
        "Each part makes the vector anew, so that what a word was gets lost on the way up, and the gradient on the way "
        "down.",
    ),
    Plant(
        "norm(x) + f(norm(x))",
        8,
        *(Sublayer, "forward"),
        {"return self.norm(x + self.dropout(f(x)))": "y = self.norm(x)\n    return y + self.dropout(f(y))"},
        "Neither post-LN nor pre-LN. In one layer, as here, it learns even sooner. In a deep pile, the way around "
        "goes through all the norms, one after the other.",
    ),
    Plant(
        "x + norm(f(x))",
        8,
        *(Sublayer, "forward"),
        {"self.norm(x + self.dropout(f(x)))": "x + self.norm(self.dropout(f(x)))"},
        "The sum is never normalised, and grows with each layer. The loss starts higher; one layer bears it.",
    ),
    Plant(
        "LayerNorm over the words",
        8,
        *(nn.LayerNorm, "forward"),
        {"x.mean(-1,": "x.mean(1,", "square().mean(-1,": "square().mean(1,"},
        "Mean and variance are those of all words of the target, the later ones too: the future leaks. When it "
        "writes, with a cache, there is one word at a time, and a word less its own mean is 0.",
    ),
    Plant(
        "BatchNorm in place of LayerNorm",
        8,
        *(nn.LayerNorm, "forward"),
        {"x.mean(-1,": "x.mean((0, 1),", "square().mean(-1,": "square().mean((0, 1),"},
        "Mean and variance are those of all words of the batch, the later ones too. What is said of a sentence hangs "
        "on its neighbours.",
    ),
    Plant(
        "Variance by D − 1",
        8,
        *(nn.LayerNorm, "forward"),
        {"(x - mean).square().mean(": "x.var("},
        "Of 32 numbers, it makes all of them smaller by one part in 64, and the gain makes up for it. It matters "
        "where weights come from another program.",
    ),
    Plant(
        "No causal mask",
        10,
        *SDPA,
        {"causal_mask(q.size(2)) if is_causal else attn_mask": "attn_mask"},
        "In training the model sees the word that it is asked for, and learns to copy it. When it writes, that word is "
        "not there.",
    ),
    Plant(
        "The wrong triangle",
        10,
        *SDPA,
        {"causal_mask(q.size(2))": "causal_mask(q.size(2)).T"},
        "Each word sees itself and the words after it: what it is asked for, and nothing of what it has said.",
    ),
    Plant(
        "True taken for ignore",
        10,
        *SDPA,
        {"~may_attend": "may_attend"},
        "What may be seen is closed and what may not is open. The last word has nothing left to see: a row of −∞, "
        "whose softmax is 0 / 0.",
    ),
    Plant(
        "0 after the softmax",
        10,
        *SDPA,
        {
            "q @ k.mT / math.sqrt(q.size(-1))": "(q @ k.mT / math.sqrt(q.size(-1))).softmax(-1)",
            "-math.inf": "0",
            "scores.softmax(-1) @": "scores @",
        },
        "The sum below the fraction still holds the later words. Their scores leak through it, and the model learns "
        "to read them there.",
    ),
    Plant(
        "Padding attended",
        10,
        *(transformer, "padding_mask"),
        {"(ids != PAD)": "torch.ones_like(ids, dtype=torch.bool)"},
        "Batches by length hold little padding, and the model learns to look elsewhere. But what it says of a sentence "
        "may hang on its neighbours in the batch.",
    ),
    Plant(
        "The padding mask on the query axis",
        10,
        *(transformer, "padding_mask"),
        {"[:, None, None, :]": "[:, None, :, None]"},
        "`tfmlib` looks at the shape, since source and target differ in length. Where both are equal, or in the "
        "encoder's self-attention, it fits: the words look at the padding.",
    ),
    Plant(
        "Cross-attention cut off",
        11,
        *(DecoderLayer, "forward"),
        {"    x = self.sublayers[1](x, attend_memory)\n": ""},
        "A language model is left: its French is good, and has nothing to do with the source.",
    ),
    Plant(
        "Cross-attention on the target",
        11,
        *(DecoderLayer, "forward"),
        {"(x, memory, may_attend)": "(x, x)"},
        "It looks at the target's own words, without a causal mask: it copies the word it is asked for, and never "
        "reads the source.",
    ),
    Plant(
        "The encoder fed the target",
        12,
        *(Transformer, "forward"),
        {"self.encode(source)": "self.encode(target)"},
        "Two vocabularies bring it to light: a French id is beyond the English table. With one table for both there "
        "would be no error, and a loss too good to be true.",
    ),
    Plant(
        "Softmax before cross-entropy",
        14,
        *(training, "cross_entropy"),
        {"logits.flatten": "logits.softmax(-1).flatten"},
        "Cross-entropy takes the softmax itself. Of probabilities, which lie between 0 and 1, the second softmax makes "
        "nearly equal shares: the loss can hardly fall, however right the model is.",
    ),
    Plant(
        "Targets not shifted",
        14,
        *(training, "shift"),
        {"target[:, 1:]": "target[:, :-1]"},
        "The word to be said is the word that goes in. To copy it is easy, and of no use.",
    ),
    Plant(
        "Inputs and labels swapped",
        14,
        *(training, "shift"),
        {"target[:, :-1], target[:, 1:]": "target[:, 1:], target[:, :-1]"},
        "It learns to say the word before, which it sees. When it writes, the word before the first is the first.",
    ),
    Plant(
        "No <eos> at the end",
        14,
        *(training, "collate"),
        {"*target, EOS]": "*target]"},
        "The end is never asked for. The words are right, and it does not know how to stop.",
    ),
    Plant(
        "The loss averaged over padding",
        14,
        *(training, "cross_entropy"),
        {"        ignore_index=PAD,\n": "", '        reduction="sum",\n    )': "    ) * n_words(labels)"},
        "Padding is easily learned, and makes the mean look better: the more of it, the better. Batches by length hold "
        "little, so here you see nothing.",
    ),
    Plant(
        "No warm-up",
        15,
        *(training, "learning_rate"),
        {
            "    rate = paper_learning_rate(step, d_model, warmup)\n": "",
            "peak * rate / paper_learning_rate(warmup, d_model, warmup)": "peak",
        },
        "The learning rate is at its peak from the first step on, and stays there. One layer bears it, and learns "
        "sooner at first; six layers of post-LN hardly get started, as chapter 8 shows.",
    ),
    Plant(
        "zero_grad forgotten",
        15,
        *(training, "train"),
        {"            optimizer.zero_grad()\n": ""},
        "Each step goes along the sum of all gradients since the first, and so mostly along old ones.",
    ),
    Plant(
        "Decoding that begins without <bos>",
        16,
        *(decoding._Writer, "__init__"),
        {"1), BOS)": "1), PAD)"},
        "The decoder has never seen another beginning. The training does not write, so its curve is the right one.",
    ),
    Plant(
        "The cache off by one",
        16,
        *(Transformer, "decode"),
        {"len(state) if": "len(state) + 1 if"},
        "From the second word on each stands one place too far. The training does not use the cache, so its curve is "
        "the right one to the last digit; only a few more sentences are wrong.",
    ),
)
