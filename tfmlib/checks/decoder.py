"""The exercises of chapter 12: a decoder layer on paper and in either order, the whole machine, parameters counted."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import torch

from .exercise import Exercise, Given, Mistake

# ---- 12.1 A layer on paper: two words through the layer of the section "By hand".

_WORDS = np.array([[3.0, 3, -3, -3], [1, -3, -1, 3]])
_MEMORY = np.array([[3.0, -1, 7, -1], [5, -3, 5, 1]])
_W_1 = np.array([[0.0, 0], [1, 0], [0, 1], [0, 0]])
_W_2 = np.array([[-6.0, 0, 0, 6], [0, -6, 6, 0]])
_READ = _MEMORY.mean(0)


def _normal(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)


def _network(x: np.ndarray) -> np.ndarray:
    return np.maximum(x @ _W_1, 0) @ _W_2


def _up(y: np.ndarray) -> list[float]:
    """The third sublayer of a word."""
    return _normal(y + _network(y)).tolist()


def _pre_norm(x: np.ndarray) -> list[float]:
    """Word 0 through the layer in the other order."""
    x = x + _normal(x) + _READ
    return (x + _network(_normal(x))).tolist()


_OWN = _normal(2 * _WORDS[0])  # word 0 hears itself alone
_CROSSED = _normal(_OWN + _READ)

ON_PAPER = Exercise(
    number="12.1",
    name="answer",
    right=[1 / 5, -7 / 5, 7 / 5, -1 / 5],
    also_right=[
        (0.2, -1.4, 1.4, -0.2),
        [Fraction(1, 5), Fraction(-7, 5), Fraction(7, 5), Fraction(-1, 5)],
        torch.tensor([1, -7, 7, -1]) / 5,
        np.array([1, -7, 7, -1]) / 5,
    ],
    mistakes=[
        Mistake(
            (_CROSSED + _network(_CROSSED)).tolist(),
            "This is the last sum. One step is missing: LayerNorm, which here divides the four numbers by their "
            "standard deviation.",
        ),
        Mistake(
            _CROSSED.tolist(),
            "This is where word 0 stands after the second Add & Norm, or what comes out at the top without a ReLU. The "
            "first unit reads −1, which becomes 0: the second unit alone writes, and then come the sum and LayerNorm.",
        ),
        Mistake(
            _OWN.tolist(),
            "This is where word 0 stands after the first Add & Norm. Cross-attention and the feed-forward network, "
            "each with its Add & Norm, are still to come.",
        ),
        Mistake(
            _network(_CROSSED).tolist(),
            "This is what the feed-forward network gives. It is added to what went into it, and the sum is normalised.",
        ),
        Mistake(
            (_OWN + _READ).tolist(),
            "This is the sum after cross-attention. LayerNorm, and then the whole third sublayer, are still to come.",
        ),
        Mistake(
            _up(_normal(_normal(_WORDS[0] + _WORDS.mean(0)) + _READ)),
            "In your self-attention word 0 hears the mean of both words. Word 1 is later, and the mask hides it: word "
            "0 hears itself alone.",
        ),
        Mistake(
            _up(_OWN),
            "Cross-attention is missing: between self-attention and the feed-forward network, word 0 hears the mean of "
            "the memory's rows.",
        ),
        Mistake(
            _up(_normal(_OWN + _WORDS.mean(0))),
            "Your cross-attention takes the mean of the target's words. It takes the mean of the memory's rows.",
        ),
        Mistake(
            _up(_normal(_OWN + _MEMORY[0])),
            "Your word 0 hears row 0 of the memory alone. The causal mask is for the target's own words: of the memory "
            "it hears all rows.",
        ),
        Mistake(
            _up(_normal(_OWN + _normal(_READ))),
            "You normalised the mean of the memory. It is added as it is, and the sum is normalised.",
        ),
        Mistake(
            _up(_READ),
            "Your second shortcut is missing: what cross-attention gives is added to what went into it.",
        ),
        Mistake(
            _up(_normal(_WORDS[0] + _READ)),
            "Your first sublayer is missing, or has no shortcut and no LayerNorm, or comes after cross-attention. Word "
            "0 hears itself, 3 + 3 and so on, and the sum is normalised: (1, 1, −1, −1).",
        ),
        Mistake(
            _up(_normal(2 * _WORDS[0] + _READ)),
            "The first LayerNorm is missing: 6, 6, −6, −6 is divided by 6 before cross-attention adds to it.",
        ),
        Mistake(
            _normal(_CROSSED + np.maximum(_network(_CROSSED), 0)).tolist(),
            "You set numbers below 0 to 0 at the end of the feed-forward network. ReLU stands between W_1 and W_2: it "
            "works on the two units.",
        ),
        Mistake(
            _normal(_CROSSED + _W_2[0]).tolist(),
            "You added the first row of W_2. The second number of the word is −1, so the first unit is off; the second "
            "unit reads the third number, 1, and writes the second row.",
        ),
        Mistake(
            _normal(_OWN + _network(_CROSSED)).tolist(),
            "Your third shortcut begins below cross-attention. It begins where the feed-forward network begins.",
        ),
        Mistake(
            _up(_OWN + _READ),
            "The second LayerNorm is missing, or it only divides: of (5, −1, 5, −1) the mean, 2, is taken away, then "
            "comes the division by 3.",
        ),
        Mistake(
            _up(_normal(_OWN + _MEMORY.sum(0))),
            "Your cross-attention adds the rows of the memory up. Equal shares give their mean.",
        ),
        Mistake(
            _up(_normal(_OWN + _MEMORY[1])),
            "Your word 0 hears row 1 of the memory alone. It hears the mean of both rows.",
        ),
        Mistake(
            _normal(_network(_CROSSED)).tolist(),
            "Your third shortcut is missing: what the feed-forward network gives is added to what went into it.",
        ),
        Mistake(
            (_normal(_CROSSED + _network(_CROSSED)) * math.sqrt(3 / 4)).tolist(),
            "You divide by the standard deviation with n − 1, as for a sample. LayerNorm divides by n, here 4.",
        ),
        Mistake(
            _pre_norm(_WORDS[0]),
            "This is pre-LN: you normalise what each part reads. The layer of the section normalises each sum.",
        ),
        Mistake(
            [-0.2, -1.4, 1.4, 0.2],
            "This is word 0 of the section. The exercise has other words and another memory.",
        ),
        Mistake(
            _up(_normal(_normal(_WORDS[1] + _WORDS.mean(0)) + _READ)),
            "This is right for word 1. Asked for is word 0.",
        ),
    ],
    hints=[
        "Go down the table of the section, one step a line. There are three sublayers, and each ends in a sum and a "
        "LayerNorm.",
        "Word 0 may look at itself alone, so self-attention gives (3, 3, −3, −3) again. The sum, divided by 6, is "
        "(1, 1, −1, −1).",
        "The mean of the memory is (4, −2, 6, 0). The sum is (5, −1, 5, −1). LayerNorm takes away its mean, 2, and "
        "divides by 3: (1, −1, 1, −1).",
        "The first unit is off and the second is 1, so (0, −6, 6, 0) is added. The sum, (1, −7, 7, −1), has the "
        "standard deviation 5.",
    ],
)

# ---- 12.2 A decoder layer in either order.


def _layer(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm):
    if pre_norm:
        x = x + self_attend(norms[0](x))
        x = x + cross_attend(norms[1](x), memory)
        return x + feed_forward(norms[2](x))
    x = norms[0](x + self_attend(x))
    x = norms[1](x + cross_attend(x, memory))
    return norms[2](x + feed_forward(x))


def _layer_of_steps(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm):
    parts = [self_attend, lambda x: cross_attend(x, memory), feed_forward]
    for part, norm in zip(parts, norms, strict=True):
        x = x + part(norm(x)) if pre_norm else norm(x + part(x))
    return x


def _layers_to_build() -> list[tuple]:
    one, other = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[5.0, 7.0]]])
    simple = [
        Given("lambda x: 3 * x"),
        Given("lambda x, m: m"),
        Given("lambda x: x + 1"),
        [Given("lambda x: -x"), Given("lambda x: 10 * x"), Given("lambda x: 100 * x")],
    ]
    torch.manual_seed(12)
    x, same = torch.randn(2, 2, 3, 4).round(decimals=2)  # (B, T, D) twice
    memory = torch.randn(2, 5, 4).round(decimals=2)  # (B, S, D)
    mixing = [
        Given("lambda x: x.cumsum(1)"),
        Given("lambda x, m: x.tanh() + m.square().mean(1, keepdim=True)"),
        Given("lambda x: x.relu() - 1"),
        [
            Given("lambda x: 2 * x - x.mean(-1, keepdim=True)"),
            Given("lambda x: x.tanh() + 0.5"),
            Given("lambda x: 0.5 * x.square() + x"),
        ],
    ]
    return [
        (one, other, *simple, False),
        (one, other, *simple, True),
        (x, same, *mixing, False),
        (x, memory, *mixing, False),
        (x, memory, *mixing, True),
    ]


def _cross_attention_first(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm):
    parts = [lambda x: cross_attend(x, memory), self_attend, feed_forward]
    for part, norm in zip(parts, norms, strict=True):
        x = x + part(norm(x)) if pre_norm else norm(x + part(x))
    return x


def _feed_forward_second(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm):
    parts = [self_attend, feed_forward, lambda x: cross_attend(x, memory)]
    for part, norm in zip(parts, norms, strict=True):
        x = x + part(norm(x)) if pre_norm else norm(x + part(x))
    return x


def _keys_and_values_from_the_decoder(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm):
    parts = [self_attend, lambda x: cross_attend(x, x), feed_forward]
    for part, norm in zip(parts, norms, strict=True):
        x = x + part(norm(x)) if pre_norm else norm(x + part(x))
    return x


def _memory_normalised_with_the_words(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm):
    parts = [self_attend, lambda x: cross_attend(x, norms[1](memory)), feed_forward]
    for part, norm in zip(parts, norms, strict=True):
        x = x + part(norm(x)) if pre_norm else norm(x + part(x))
    return x


def _step(x, part, norm, pre_norm):
    return x + part(norm(x)) if pre_norm else norm(x + part(x))


def _step_without_shortcut(x, part, norm, pre_norm):
    return part(norm(x)) if pre_norm else norm(part(x))


def _step_without_norm(x, part, norm, pre_norm):
    return x + part(x)


def _step_norm_of_part(x, part, norm, pre_norm):
    return x + norm(part(x))


def _step_shortcut_after_norm(x, part, norm, pre_norm):
    return norm(x) + part(norm(x))


def _step_twice_normal(x, part, norm, pre_norm):
    return norm(x + part(norm(x)))


def _skip(x, part, norm, pre_norm):
    return x


def _steps(*steps: Callable) -> Callable:
    """A layer of three steps; each gets x, its part, its norm and pre_norm."""

    def layer(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm):
        parts = [self_attend, lambda x: cross_attend(x, memory), feed_forward]
        for step, part, norm in zip(steps, parts, norms, strict=True):
            x = step(x, part, norm, pre_norm)
        return x

    return layer


def _with_norms(*places: int) -> Callable:
    """A layer that takes these norms for its three sublayers."""
    return lambda x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm: _layer(
        x, memory, self_attend, cross_attend, feed_forward, [norms[i] for i in places], pre_norm
    )


def _order(choose: Callable) -> Callable:
    return lambda x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm: _layer(
        x, memory, self_attend, cross_attend, feed_forward, norms, choose(pre_norm)
    )


def _only_pre(wrong: Callable) -> Callable:
    """Wrong for pre-LN, and right for post-LN."""

    def layer(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm):
        this = wrong if pre_norm else _layer
        return this(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm)

    return layer


def _swapped(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm):
    return _layer(x, memory, self_attend, lambda x, m: cross_attend(m, x), feed_forward, norms, pre_norm)


def _memory_added(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm):
    x = _step(x, self_attend, norms[0], pre_norm)
    if pre_norm:
        x = memory + cross_attend(norms[1](x), memory)
    else:
        x = norms[1](memory + cross_attend(x, memory))
    return _step(x, feed_forward, norms[2], pre_norm)


def _asking_from_below(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm):
    """The queries of cross-attention come from x below the layer."""
    y = _step(x, self_attend, norms[0], pre_norm)
    y = _step(y, lambda z: cross_attend(norms[1](x) if pre_norm else x, memory), norms[1], pre_norm)
    return _step(y, feed_forward, norms[2], pre_norm)


def _shortcuts_from_the_bottom(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm):
    y = x
    for part, norm in zip((self_attend, lambda y: cross_attend(y, memory), feed_forward), norms, strict=True):
        y = x + part(norm(y)) if pre_norm else norm(x + part(y))
    return y


def _side_by_side(x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm):
    if pre_norm:
        x = x + self_attend(norms[0](x)) + cross_attend(norms[1](x), memory)
        return x + feed_forward(norms[2](x))
    x = norms[1](x + self_attend(x) + cross_attend(x, memory))
    return norms[2](x + feed_forward(x))


A_LAYER = Exercise(
    number="12.2",
    name="decoder_layer",
    right=_layer,
    inputs=_layers_to_build,
    also_right=[
        _layer_of_steps,
        lambda x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm: _layer(
            x.float(), memory.float(), self_attend, cross_attend, feed_forward, norms, pre_norm
        ),
        lambda x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm: torch.cat(
            [
                _layer(a[None], b[None], self_attend, cross_attend, feed_forward, norms, pre_norm)
                for a, b in zip(x, memory, strict=True)
            ]
        ),
    ],
    mistakes=[
        Mistake(
            _cross_attention_first,
            "You do cross-attention first, with `norms[0]`. A word first hears what is written, `self_attend`, and "
            "then asks the source.",
            classic="Cross-attention before self-attention",
        ),
        Mistake(
            lambda x, memory, self_attend, cross_attend, feed_forward, norms, pre_norm: _cross_attention_first(
                x, memory, self_attend, cross_attend, feed_forward, [norms[1], norms[0], norms[2]], pre_norm
            ),
            "You do cross-attention before self-attention, each with its own norm. Self-attention comes first: a word "
            "hears what is written, then asks the source.",
        ),
        Mistake(
            _feed_forward_second,
            "You do the feed-forward network between the two attentions. It comes last.",
        ),
        Mistake(
            _keys_and_values_from_the_decoder,
            "Your cross-attention asks the words of the target: `cross_attend(x, x)`. Keys and values come from the "
            "memory.",
            classic="Cross-attention on the target",
        ),
        Mistake(
            _swapped,
            "You call `cross_attend(memory, x)`, so that the source asks the target. The words of the target ask: they "
            "come first.",
        ),
        Mistake(
            _memory_normalised_with_the_words,
            "You normalise the memory in the layer. It comes as it is: the encoder has normalised it at its top, and "
            "`norms[1]` is for the words that ask.",
            classic="The memory normalised once more in each layer",
        ),
        Mistake(
            _only_pre(_memory_normalised_with_the_words),
            "For post-LN it is right. For pre-LN you normalise the memory, too. It comes as it is; `norms[1]` is for "
            "the words that ask.",
        ),
        Mistake(
            _memory_added,
            "Your second shortcut carries the memory. It carries the words of the target: what cross-attention gives "
            "is added to x.",
        ),
        Mistake(
            _asking_from_below,
            "In your cross-attention the words ask as they came into the layer. They ask as the first sublayer left "
            "them.",
        ),
        Mistake(
            _side_by_side,
            "Your two attentions read the same x, side by side. Cross-attention reads what the first sublayer made.",
        ),
        Mistake(
            _order(lambda pre_norm: False),
            "For post-LN it is right. You give the same for pre-LN: `pre_norm` is not looked at.",
        ),
        Mistake(
            _order(lambda pre_norm: True),
            "For pre-LN it is right. You give the same for post-LN, which normalises the sum: norm(x + part(x)).",
        ),
        Mistake(
            _order(lambda pre_norm: not pre_norm),
            "The two orders are exchanged: you do pre-LN where `pre_norm` is False, and post-LN where it is True.",
        ),
        Mistake(
            _with_norms(0, 0, 0),
            "You use `norms[0]` three times. Each sublayer has a norm of its own.",
        ),
        Mistake(
            _with_norms(0, 2, 1),
            "The last two norms are exchanged: `norms[1]` belongs to cross-attention, `norms[2]` to the feed-forward "
            "network.",
        ),
        Mistake(
            _with_norms(1, 0, 2),
            "The first two norms are exchanged: `norms[0]` belongs to self-attention, `norms[1]` to cross-attention.",
        ),
        Mistake(
            _with_norms(0, 0, 1),
            "You use `norms[0]` for both attentions. Cross-attention has `norms[1]` and the feed-forward network "
            "`norms[2]`.",
        ),
        Mistake(
            _with_norms(0, 1, 1),
            "You use `norms[1]` for the feed-forward network, too. It has `norms[2]`.",
        ),
        Mistake(
            _steps(_step, _skip, _step),
            "Cross-attention is missing: nothing of the memory comes in, and the decoder does not know the source.",
        ),
        Mistake(
            _steps(_skip, _step, _step),
            "Self-attention is missing, or what it gave is lost.",
        ),
        Mistake(
            _steps(_step, _step, _skip),
            "You stop after cross-attention. The feed-forward network, in its own sublayer, is missing.",
        ),
        Mistake(
            _steps(_step_without_shortcut, _step_without_shortcut, _step_without_shortcut),
            "There is no shortcut: what a part gives takes the place of what went in. It is added to it.",
        ),
        Mistake(
            _steps(_step, _step_without_shortcut, _step),
            "Around cross-attention there is no shortcut: what it gives is added to what went into it.",
        ),
        Mistake(
            _steps(_step_without_shortcut, _step, _step),
            "Around self-attention there is no shortcut: what it gives is added to what went into it.",
        ),
        Mistake(
            _steps(_step, _step, _step_without_shortcut),
            "Around the feed-forward network there is no shortcut: what it gives is added to what went into it.",
        ),
        Mistake(
            _shortcuts_from_the_bottom,
            "All your shortcuts carry the x that came into the layer. Each carries what went into its own sublayer.",
        ),
        Mistake(
            _only_pre(lambda *given: given[5][2](_layer(*given))),
            "For post-LN it is right. For pre-LN you normalise once more at the end of the layer: that LayerNorm "
            "stands once, at the top of the whole decoder.",
        ),
        Mistake(
            _steps(_step_without_norm, _step_without_norm, _step_without_norm),
            "Nothing is normalised: none of the three norms is called.",
        ),
        Mistake(
            _steps(_step, _step_without_norm, _step),
            "The second sublayer has no norm: `norms[1]` is not called.",
        ),
        Mistake(
            _steps(_step_norm_of_part, _step_norm_of_part, _step_norm_of_part),
            "You normalise what a part gives, and add that: x + norm(part(x)). Post-LN normalises the sum, "
            "norm(x + part(x)), and pre-LN what the part reads, x + part(norm(x)).",
        ),
        Mistake(
            _steps(_step_shortcut_after_norm, _step_shortcut_after_norm, _step_shortcut_after_norm),
            "Your shortcut begins behind the norm: norm(x) + part(norm(x)). It carries x as it is; only the part reads "
            "norm(x), and only in pre-LN.",
        ),
        Mistake(
            _only_pre(_steps(_step_shortcut_after_norm, _step_shortcut_after_norm, _step_shortcut_after_norm)),
            "For post-LN it is right. For pre-LN your shortcut begins behind the norm: norm(x) + part(norm(x)). It "
            "carries x as it is; only the part reads norm(x).",
        ),
        Mistake(
            _steps(_step_twice_normal, _step_twice_normal, _step_twice_normal),
            "You normalise before the part and again after the sum. It is one of the two: `pre_norm` says which.",
        ),
        Mistake(
            _only_pre(_steps(_step, _step_without_norm, _step)),
            "For post-LN it is right. For pre-LN the words ask the memory without `norms[1]`.",
        ),
    ],
    hints=[
        "There are three steps of one form, with `norms[0]`, `norms[1]` and `norms[2]`. Each begins with what the one "
        "before it made.",
        "Post-LN: `x = norm(x + part(x))`. Pre-LN: `x = x + part(norm(x))`. The memory is given to cross-attention as "
        "it came.",
        "The second step for post-LN is `x = norms[1](x + cross_attend(x, memory))`, and for pre-LN "
        "`x = x + cross_attend(norms[1](x), memory)`.",
    ],
)

# ---- 12.3 The whole machine.


def _whole(source, target, embed_source, embed_target, encoder, decoder, output):
    real = source != 0
    memory = embed_source(source)
    for layer in encoder:
        memory = layer(memory, real)
    y = embed_target(target[:, :-1])
    earlier = torch.ones(y.size(1), y.size(1)).tril().bool()
    for layer in decoder:
        y = layer(y, memory, earlier, real)
    return output(y)


def _machines() -> list[tuple]:
    tiny = (
        torch.tensor([[5]]),
        torch.tensor([[1, 2]]),
        Given("lambda ids: ids[..., None] * 10.0"),
        Given("lambda ids: ids[..., None] * 1.0"),
        [Given("lambda x, real: x + 3")],
        [Given("lambda x, memory, earlier, real: 2 * x + memory")],
        Given("lambda x: -x"),
    )
    functions = (
        Given("lambda ids: torch.stack([ids, 7.0 - ids], -1) + torch.arange(ids.size(1))[:, None]"),
        Given("lambda ids: torch.stack([0.5 * ids, ids * ids], -1) - torch.arange(ids.size(1))[:, None]"),
        [
            Given("lambda x, real: x + 0.5 * (real.to(x)[:, None] @ x)"),
            Given("lambda x, real: x.tanh() + 0.1 * (real.to(x)[:, None] @ x)"),
        ],
        [
            Given("lambda x, memory, earlier, real: 0.5 * x + earlier.to(x) @ x + real.to(x)[:, None] @ memory"),
            Given("lambda x, memory, earlier, real: x.tanh() + earlier.to(x) @ x + 2 * real.to(x)[:, None] @ memory"),
            Given("lambda x, memory, earlier, real: x - 0.1 * earlier.to(x) @ x + 3 * real.to(x)[:, None] @ memory"),
        ],
        Given("lambda x: torch.cat([x, 2 * x.sum(-1, keepdim=True)], -1)"),
    )
    return [
        tiny,
        (torch.tensor([[4, 6, 5]]), torch.tensor([[1, 5, 7, 2]]), *functions),
        (
            torch.tensor([[4, 6, 5, 0], [7, 4, 0, 0]]),
            torch.tensor([[1, 5, 7, 6, 4, 2], [1, 8, 2, 0, 0, 0]]),
            *functions,
        ),
    ]


def _encoder_fed_the_target(source, target, embed_source, embed_target, encoder, decoder, output):
    inputs = target[:, :-1]
    real = inputs != 0
    memory = embed_target(inputs)
    for layer in encoder:
        memory = layer(memory, real)
    y = embed_target(inputs)
    earlier = torch.ones(y.size(1), y.size(1)).tril().bool()
    for layer in decoder:
        y = layer(y, memory, earlier, real)
    return output(y)


def _target_not_shifted(source, target, embed_source, embed_target, encoder, decoder, output):
    real = source != 0
    memory = embed_source(source)
    for layer in encoder:
        memory = layer(memory, real)
    y = embed_target(target)
    earlier = torch.ones(y.size(1), y.size(1)).tril().bool()
    for layer in decoder:
        y = layer(y, memory, earlier, real)
    return output(y)


def _decoder_reads_the_labels(source, target, embed_source, embed_target, encoder, decoder, output):
    real = source != 0
    memory = embed_source(source)
    for layer in encoder:
        memory = layer(memory, real)
    y = embed_target(target[:, 1:])
    earlier = torch.ones(y.size(1), y.size(1)).tril().bool()
    for layer in decoder:
        y = layer(y, memory, earlier, real)
    return output(y)


def _causal_mask_forgotten(source, target, embed_source, embed_target, encoder, decoder, output):
    real = source != 0
    memory = embed_source(source)
    for layer in encoder:
        memory = layer(memory, real)
    y = embed_target(target[:, :-1])
    earlier = torch.ones(y.size(1), y.size(1)).bool()
    for layer in decoder:
        y = layer(y, memory, earlier, real)
    return output(y)


def _one_layer_for_all(source, target, embed_source, embed_target, encoder, decoder, output):
    real = source != 0
    memory = embed_source(source)
    for layer in [encoder[0]] * len(encoder):
        memory = layer(memory, real)
    y = embed_target(target[:, :-1])
    earlier = torch.ones(y.size(1), y.size(1)).tril().bool()
    for layer in [decoder[0]] * len(decoder):
        y = layer(y, memory, earlier, real)
    return output(y)


def _a_memory_for_each_layer(source, target, embed_source, embed_target, encoder, decoder, output):
    real = source != 0
    levels = [embed_source(source)]
    for layer in encoder:
        levels.append(layer(levels[-1], real))
    levels += levels[-1:] * len(decoder)
    y = embed_target(target[:, :-1])
    earlier = torch.ones(y.size(1), y.size(1)).tril().bool()
    for layer, memory in zip(decoder, levels[1:], strict=False):
        y = layer(y, memory, earlier, real)
    return output(y)


def _machine(
    mask: Callable = lambda T: torch.ones(T, T).tril().bool(),
    sources: Callable = lambda source, target: source != 0,
    layers: Callable = lambda encoder, decoder: (encoder, decoder),
    memory_of: Callable = lambda memory, embedded: memory,
    for_memory: Callable | None = None,
    starts: Callable = lambda embed_source, embed_target: (embed_source, embed_target),
    end: Callable = lambda output, y: output(y),
) -> Callable:
    """A machine with one wire in the wrong place."""

    def whole(source, target, embed_source, embed_target, encoder, decoder, output):
        of_source, of_target = starts(embed_source, embed_target)
        up, down = layers(encoder, decoder)
        real = sources(source, target)
        embedded = memory = of_source(source)
        for layer in up:
            memory = layer(memory, real)
        memory = memory_of(memory, embedded)
        y = of_target(target[:, :-1])
        earlier = mask(y.size(1))
        for layer in down:
            y = layer(y, memory, earlier, for_memory(real, target) if for_memory else real)
        return end(output, y)

    return whole


def _always_the_first_below(source, target, embed_source, embed_target, encoder, decoder, output):
    """Each decoder layer reads the embedded words, and the last one's work is given."""
    real = source != 0
    memory = embed_source(source)
    for layer in encoder:
        memory = layer(memory, real)
    start = embed_target(target[:, :-1])
    earlier = torch.ones(start.size(1), start.size(1)).tril().bool()
    for layer in decoder:
        y = layer(start, memory, earlier, real)
    return output(y)


def _encoder_begins_anew(source, target, embed_source, embed_target, encoder, decoder, output):
    real = source != 0
    words = embed_source(source)
    for layer in encoder:
        memory = layer(words, real)
    y = embed_target(target[:, :-1])
    earlier = torch.ones(y.size(1), y.size(1)).tril().bool()
    for layer in decoder:
        y = layer(y, memory, earlier, real)
    return output(y)


def _padding_of_the_target_hidden(source, target, embed_source, embed_target, encoder, decoder, output):
    real, inputs = source != 0, target[:, :-1]
    memory = embed_source(source)
    for layer in encoder:
        memory = layer(memory, real)
    y = embed_target(inputs)
    earlier = torch.ones(y.size(1), y.size(1)).tril().bool() & (inputs != 0)[:, None]
    for layer in decoder:
        y = layer(y, memory, earlier, real)
    return output(y)


def _both_halves_in_one_loop(source, target, embed_source, embed_target, encoder, decoder, output):
    real = source != 0
    memory, y = embed_source(source), embed_target(target[:, :-1])
    earlier = torch.ones(y.size(1), y.size(1)).tril().bool()
    for up, down in zip(encoder, decoder, strict=False):
        memory = up(memory, real)
        y = down(y, memory, earlier, real)
    return output(y)


def _masks_exchanged(source, target, embed_source, embed_target, encoder, decoder, output):
    real = source != 0
    memory = embed_source(source)
    for layer in encoder:
        memory = layer(memory, real)
    y = embed_target(target[:, :-1])
    earlier = torch.ones(y.size(1), y.size(1)).tril().bool()
    for layer in decoder:
        y = layer(y, memory, real, earlier)
    return output(y)


WHOLE = Exercise(
    number="12.3",
    name="whole",
    right=_whole,
    inputs=_machines,
    also_right=[
        _machine(end=lambda output, y: output(y).float()),
        _machine(end=lambda output, y: output(y).numpy()),
        _machine(mask=lambda T: torch.arange(T)[:, None] >= torch.arange(T)),
        _machine(mask=lambda T: ~torch.ones(T, T, dtype=torch.bool).triu(1)),
        _machine(mask=lambda T: torch.tensor([[s <= t for s in range(T)] for t in range(T)])),
    ],
    mistakes=[
        Mistake(
            _encoder_fed_the_target,
            "Your encoder gets the target, so the words that are to be written are handed to the decoder. It gets the "
            "source, by `embed_source`.",
            classic="The encoder fed the target",
        ),
        Mistake(
            _target_not_shifted,
            "Your decoder reads the whole target, with its last symbol: T + 1 rows. It reads all but the last of each "
            "row, `target[:, :-1]`.",
        ),
        Mistake(
            _decoder_reads_the_labels,
            "Your decoder reads `target[:, 1:]`, which is what it has to say. It reads one place behind: "
            "`target[:, :-1]`, from `<bos>` on.",
        ),
        Mistake(
            _causal_mask_forgotten,
            "In your `earlier` everyone may look at everyone, so a row sees the word that it is to predict. It is a "
            "triangle: row t is True at the columns 0 to t.",
            classic="No causal mask",
        ),
        Mistake(
            _machine(mask=lambda T: torch.ones(T, T).triu().bool()),
            "Your triangle is the upper one: a word may look at itself and at those after it. A row belongs to the "
            "word that asks, so it is the lower one.",
        ),
        Mistake(
            _machine(mask=lambda T: torch.ones(T, T).triu(1).bool()),
            "Your `earlier` is True where a word may not look, as in `torch.nn`. In this course True = may attend.",
        ),
        Mistake(
            _machine(mask=lambda T: torch.ones(T, T).tril(-1).bool()),
            "In your `earlier` a word may not look at itself, and `<bos>` at nothing. The diagonal belongs to it.",
        ),
        Mistake(
            _machine(mask=lambda T: torch.eye(T).bool()),
            "In your `earlier` a word may look at itself alone. It may look at all before it, too.",
        ),
        Mistake(
            _machine(sources=lambda source, target: source == 0),
            "Your `real` is True at the padding. True = may attend: it is True at the words.",
        ),
        Mistake(
            _machine(sources=lambda source, target: torch.ones_like(source).bool()),
            "In your `real` the padding counts as words. It is False where the id is 0.",
        ),
        Mistake(
            _machine(for_memory=lambda real, target: target[:, :-1] != 0),
            "Your decoder layers get the padding mask of the target. What they look at is the source, so they get the "
            "source's `real`, as the encoder did.",
        ),
        Mistake(
            _machine(for_memory=lambda real, target: torch.ones_like(real)),
            "In your encoder the padding is hidden, and in your decoder it is not. Both get `real`.",
        ),
        Mistake(
            _one_layer_for_all,
            "You use the first layer of each half N times. There are N layers with weights of their own: take each "
            "once.",
            classic="One layer, N times",
        ),
        Mistake(
            _a_memory_for_each_layer,
            "Your layers of the decoder get what the layers of the encoder made, one each. All of them get the same "
            "memory, from the top of the encoder.",
        ),
        Mistake(
            _machine(memory_of=lambda memory, embedded: embedded),
            "Your decoder gets the embedded source: the encoder's work is lost. It gets what comes out at the "
            "encoder's top.",
        ),
        Mistake(
            _machine(memory_of=lambda memory, embedded: memory + embedded),
            "You add the embedded source to what the encoder made. The memory is what comes out at its top alone.",
        ),
        Mistake(
            _machine(layers=lambda encoder, decoder: (encoder[:-1], decoder)),
            "The last layer of the encoder is missing. The memory is what comes out at the top.",
        ),
        Mistake(
            _machine(layers=lambda encoder, decoder: (encoder, decoder[:-1])),
            "The last layer of the decoder is missing.",
        ),
        Mistake(
            _machine(layers=lambda encoder, decoder: (encoder, decoder[:1])),
            "Only the first layer of the decoder is used. Is the `return` inside of the loop?",
        ),
        Mistake(
            _machine(layers=lambda encoder, decoder: (encoder[::-1], decoder[::-1])),
            "You go through the layers from the top down. The lowest is first.",
        ),
        Mistake(
            _always_the_first_below,
            "Each of your decoder layers reads the embedded target, so all but the last are lost. A layer reads what "
            "the one below it made: `y = layer(y, …)`.",
        ),
        Mistake(
            _encoder_begins_anew,
            "Each of your encoder layers reads the embedded source, so all but the last are lost. A layer reads what "
            "the one below it made.",
        ),
        Mistake(
            _machine(starts=lambda embed_source, embed_target: (embed_source, embed_source)),
            "You look the target up in the source's table. It has its own, `embed_target`.",
        ),
        Mistake(
            _machine(starts=lambda embed_source, embed_target: (embed_target, embed_source)),
            "The two embeddings are exchanged.",
        ),
        Mistake(
            _machine(end=lambda output, y: y),
            "You give the decoder's vectors. `output` makes scores of them.",
        ),
        Mistake(
            _machine(end=lambda output, y: output(y)[:, -1:]),
            "You give the scores of the last row alone. In training all rows are wanted: (B, T, V).",
        ),
        Mistake(
            _machine(end=lambda output, y: output(y).softmax(-1)),
            "You give probabilities. Wanted are the scores: a softmax comes later, and once.",
        ),
        Mistake(
            _machine(end=lambda output, y: output(y).log_softmax(-1)),
            "You give logarithms of probabilities. Wanted are the scores as `output` gives them.",
        ),
        Mistake(
            _machine(mask=lambda T: torch.full((T, T), -torch.inf).triu(1)),
            "Your `earlier` holds 0 and −∞, to be added to scores. Wanted is a mask of True and False: True = may "
            "attend.",
        ),
        Mistake(
            _machine(sources=lambda source, target: (source != 0)[:, None, None]),
            "Your `real` is (B, 1, 1, S), as attention with heads wants it. Here it is (B, S): one truth value for "
            "each id.",
        ),
        Mistake(
            _machine(sources=lambda source, target: (source != 0)[:, None]),
            "Your `real` is (B, 1, S). Here it is (B, S): one truth value for each id.",
        ),
        Mistake(
            _padding_of_the_target_hidden,
            "Your `earlier` hides the target's padding, too. It is (T, T), the same for each sentence. Padding at the "
            "end needs no mask there: no word before it can see it.",
        ),
        Mistake(
            _both_halves_in_one_loop,
            "Your first decoder layer reads the memory before the encoder is at its top. All encoder layers come "
            "first; then each decoder layer gets the same memory.",
        ),
        Mistake(
            _masks_exchanged,
            "You give the decoder's layers `real` in the place of `earlier`. The order is `layer(y, memory, earlier, "
            "real)`.",
        ),
        Mistake(
            _machine(end=lambda output, y: output(y).argmax(-1)),
            "You give the best word of each row. Wanted are the scores, (B, T, V).",
        ),
    ],
    hints=[
        "Two halves. The encoder: embed the source, go up its layers; what comes out is the memory. The decoder: embed "
        "the target but its last id, go up its layers, each with the same memory; then `output`.",
        "`real = source != 0`, and the decoder's input is `target[:, :-1]`.",
        "`earlier` is a lower triangle of True with the diagonal: `torch.ones(T, T).tril().bool()`.",
        "The decoder's loop is `for layer in decoder: y = layer(y, memory, earlier, real)`.",
    ],
)

# ---- 12.4 Count the whole.


def _count(
    n_layers,
    d_model,
    d_ff,
    source_size,
    target_size,
    shared,
    *,
    attentions=(1, 2),
    matrices=4,
    norms=(2, 3),
    gain=2,
    networks=(1, 1),
    biases=True,
    tables=None,
):
    attention = matrices * d_model**2
    network = 2 * d_model * d_ff + (d_ff + d_model if biases else 0)
    norm = gain * d_model
    halves = [a * attention + f * network + n * norm for a, f, n in zip(attentions, networks, norms, strict=True)]
    if tables is None:
        tables = target_size if shared else source_size + target_size
    return n_layers * sum(halves) + tables * d_model


def _miscount(**wrong) -> Callable:
    return lambda n_layers, d_model, d_ff, source_size, target_size, shared: _count(
        n_layers, d_model, d_ff, source_size, target_size, shared, **wrong
    )


def _off_by(numbers: Callable) -> Callable:
    """Wrong by so many numbers."""
    return lambda n_layers, d_model, d_ff, source_size, target_size, shared: (
        _count(n_layers, d_model, d_ff, source_size, target_size, shared)
        + numbers(n_layers, d_model, d_ff, target_size)
    )


def _tables(choose: Callable) -> Callable:
    """Wrong in the number of rows of all tables."""
    return lambda n_layers, d_model, d_ff, source_size, target_size, shared: _count(
        n_layers,
        d_model,
        d_ff,
        source_size,
        target_size,
        shared,
        tables=choose(source_size, target_size, shared),
    )


COUNTED = Exercise(
    number="12.4",
    name="count_parameters",
    right=lambda n_layers, d_model, d_ff, source_size, target_size, shared: _count(
        n_layers, d_model, d_ff, source_size, target_size, shared
    ),
    inputs=lambda: [
        (1, 2, 3, 5, 7, False),
        (1, 2, 3, 7, 7, True),
        (2, 64, 256, 282, 392, False),
        (6, 512, 2048, 37000, 37000, True),
    ],
    also_right=[
        lambda n_layers, d_model, d_ff, source_size, target_size, shared: float(
            _count(n_layers, d_model, d_ff, source_size, target_size, shared)
        ),
        lambda n_layers, d_model, d_ff, source_size, target_size, shared: (
            n_layers * (12 * d_model**2 + 4 * d_model * d_ff + 2 * d_ff + 12 * d_model)
            + d_model * (source_size if shared else source_size + target_size)
        ),
    ],
    mistakes=[
        Mistake(
            _miscount(attentions=(1, 1), norms=(2, 3)),
            "You count one attention in a layer of the decoder. It has two: self-attention and cross-attention.",
        ),
        Mistake(
            _miscount(attentions=(1, 1), norms=(2, 2)),
            "Your decoder layers are encoder layers. They have a second attention, for the source, and a third "
            "LayerNorm.",
        ),
        Mistake(
            _miscount(norms=(2, 2)),
            "2D numbers a layer are missing. Either you count two LayerNorms in a layer of the decoder, which has "
            "three, or the feed-forward networks have no biases at their end, D in each.",
        ),
        Mistake(
            _miscount(norms=(1, 1)),
            "You count one LayerNorm a layer. Each sublayer has one: two in the encoder's layers, three in the "
            "decoder's.",
        ),
        Mistake(
            _miscount(norms=(0, 0)),
            "The LayerNorms are missing. Each has a gain and a bias, 2D numbers.",
        ),
        Mistake(
            _miscount(gain=1),
            "You count D numbers for a LayerNorm. It has a gain and a bias, D numbers each.",
        ),
        Mistake(
            lambda n_layers, d_model, d_ff, source_size, target_size, shared: (
                _count(n_layers, d_model, d_ff, source_size, target_size, shared) + 4 * d_model
            ),
            "You count a LayerNorm at the top of each half, as `nn.Transformer` has it. In the paper's order (post-LN) "
            "there is none.",
        ),
        Mistake(
            _miscount(matrices=3),
            "One matrix of each attention is missing: besides W_Q, W_K and W_V there is W_O, also D × D.",
        ),
        Mistake(
            lambda n_layers, d_model, d_ff, source_size, target_size, shared: (
                _count(n_layers, d_model, d_ff, source_size, target_size, shared) + n_layers * 12 * d_model
            ),
            "You count biases in the attentions. In the paper's formulas, and here, they have none.",
        ),
        Mistake(
            lambda n_layers, d_model, d_ff, source_size, target_size, shared: (
                _count(n_layers, d_model, d_ff, source_size, target_size, shared) - n_layers * 2 * d_model**2
            ),
            "You count two matrices for cross-attention, as if keys and values came without a projection. It has four "
            "like any other: its W_K and W_V project the memory.",
        ),
        Mistake(
            _miscount(biases=False),
            "The biases of the feed-forward networks are missing: F numbers in the middle and D at the end.",
        ),
        Mistake(
            _off_by(lambda N, D, F, V: -2 * N * F),
            "The feed-forward networks have a bias in the middle, too: F numbers in each.",
        ),
        Mistake(
            _off_by(lambda N, D, F, V: -4 * N * D * F),
            "The matrices of the feed-forward networks are missing: D × F and F × D in each.",
        ),
        Mistake(
            _off_by(lambda N, D, F, V: -2 * N * D * F),
            "You count one matrix in a feed-forward network. It has two: D × F and F × D.",
        ),
        Mistake(
            _miscount(networks=(1, 0)),
            "A layer of the decoder has a feed-forward network of its own, as one of the encoder has.",
        ),
        Mistake(
            _miscount(matrices=1),
            "You count one matrix of D × D in an attention. It has four: W_Q, W_K, W_V and W_O.",
        ),
        Mistake(
            _miscount(attentions=(2, 2), norms=(3, 3)),
            "Your encoder layers are decoder layers. They have one attention and two LayerNorms.",
        ),
        Mistake(
            _off_by(lambda N, D, F, V: V),
            "You count a bias for each word's score at the end. The scores use the target's table and nothing else.",
        ),
        Mistake(
            lambda n_layers, d_model, d_ff, source_size, target_size, shared: _count(
                n_layers, d_model, d_ff, source_size, target_size, not shared
            ),
            "`shared` is the other way round: one table when it is True, two when it is False.",
        ),
        Mistake(
            _tables(lambda source, target, shared: 0),
            "The tables are missing: a row of D numbers for each token.",
        ),
        Mistake(
            _tables(lambda source, target, shared: source + target),
            "Without `shared` it is right. With `shared` there is one table, and you count two.",
        ),
        Mistake(
            _tables(lambda source, target, shared: target),
            "With `shared` it is right. Without it, the source has a table of its own.",
        ),
        Mistake(
            _tables(lambda source, target, shared: source),
            "You count the source's table alone. Without `shared`, the target has one, too.",
        ),
        Mistake(
            _tables(lambda source, target, shared: target if shared else source + 2 * target),
            "You count the matrix of the scores as one of its own. It is the target's table, used a second time.",
        ),
        Mistake(
            _tables(lambda source, target, shared: 2 * target if shared else source + 2 * target),
            "You count a matrix of its own for the scores at the end. They use the table of the target, which counts "
            "once.",
        ),
        Mistake(
            _tables(lambda source, target, shared: 3 * target if shared else source + 2 * target),
            "You count a table for source, target and scores each. The scores use the target's, and with `shared` all "
            "three are one.",
        ),
        Mistake(
            lambda n_layers, d_model, d_ff, source_size, target_size, shared: (
                n_layers * _count(1, d_model, d_ff, source_size, target_size, shared)
            ),
            "You count the tables once a layer. They stand below the layers, once.",
        ),
        Mistake(
            lambda n_layers, d_model, d_ff, source_size, target_size, shared: _count(
                1, d_model, d_ff, source_size, target_size, shared
            ),
            "You count one layer in each half. There are N, each with weights of its own.",
        ),
        Mistake(
            _miscount(attentions=(1, 0), networks=(1, 0), norms=(2, 0)),
            "This is the encoder and the tables. The decoder is missing.",
        ),
        Mistake(
            _miscount(attentions=(0, 2), networks=(0, 1), norms=(0, 3)),
            "This is the decoder and the tables. The encoder is missing.",
        ),
    ],
    hints=[
        "Three sums: N layers of the encoder, N of the decoder, and the tables.",
        "A layer of the encoder has 4D² + (2DF + F + D) + 4D numbers (chapter 9). In one of the decoder there are 8D² "
        "and 6D in the place of 4D² and 4D.",
        "The tables: `source_size * d_model` and `target_size * d_model`, or one of them with `shared`. The scores at "
        "the end add nothing.",
    ],
)

EXERCISES: list[Exercise] = [ON_PAPER, A_LAYER, WHOLE, COUNTED]
