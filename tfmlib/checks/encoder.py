"""The exercises of chapter 9: a layer on paper, a layer in either order, the way to the memory, parameters counted."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import torch

from .exercise import Exercise, Given, Mistake

# ---- 9.1 A layer on paper: two words through the layer of the section "By hand".

_WORDS = np.array([[-2.0, 1, 2, -1], [2, 1, -2, -1]])
_W_1 = np.array([[0.0, 0], [1, 0], [0, 1], [0, 0]])
_W_2 = np.array([[6.0, 0, 0, -6], [6, -6, 0, 0]])


def _normal(x: np.ndarray, ddof: int = 0) -> np.ndarray:
    return (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True, ddof=ddof)


def _mean(x: np.ndarray) -> np.ndarray:
    return np.broadcast_to(x.mean(0), x.shape)


def _network(x: np.ndarray) -> np.ndarray:
    return np.maximum(x @ _W_1, 0) @ _W_2


def _after_attention(heard: Callable = _mean, ddof: int = 0) -> np.ndarray:
    return _normal(_WORDS + heard(_WORDS), ddof)


def _on_paper(y: np.ndarray, word: int = 0, ddof: int = 0) -> list[float]:
    return _normal(y + _network(y), ddof)[word].tolist()


_Y = _after_attention()

ON_PAPER = Exercise(
    number="9.1",
    name="answer",
    right=[11 / 7, -5 / 7, 1 / 7, -1],
    also_right=[
        (11 / 7, -5 / 7, 1 / 7, -7 / 7),
        [1.5714, -0.7143, 0.1429, -1.0],
        [Fraction(11, 7), Fraction(-5, 7), Fraction(1, 7), Fraction(-1)],
        torch.tensor([11, -5, 1, -7]) / 7,
        np.array([11, -5, 1, -7]) / 7,
    ],
    mistakes=[
        Mistake(
            (_Y + _network(_Y))[0].tolist(),
            "This is the last sum. One step is missing: LayerNorm, which here divides the four numbers by their "
            "standard deviation.",
        ),
        Mistake(
            _Y[0].tolist(),
            "This is where word 0 stands after attention, Add & Norm. The feed-forward network with its own Add & Norm "
            "is still to come.",
        ),
        Mistake(
            (_WORDS + _mean(_WORDS))[0].tolist(),
            "This is the sum after attention. LayerNorm, and then the whole second sublayer, are still to come.",
        ),
        Mistake(
            _network(_Y)[0].tolist(),
            "This is what the feed-forward network gives. It is added to what went into it, and the sum is normalised.",
        ),
        Mistake(
            _normal(_network(_Y))[0].tolist(),
            "You normalised what the feed-forward network gives, without adding what went into it. The shortcut is "
            "missing in the second sublayer.",
        ),
        Mistake(
            _on_paper(_normal(_WORDS)),
            "In your answer word 0 has heard nothing of word 1: attention is missing. It adds the mean of the two "
            "words to each.",
        ),
        Mistake(
            _on_paper(_after_attention(lambda x: np.broadcast_to(x.sum(0), x.shape))),
            "You added the sum of the two words, or half of the other word alone (that is the same after LayerNorm). "
            "Attention gives the mean of both: a word looks at itself, too.",
        ),
        Mistake(
            _on_paper(_after_attention(lambda x: x[::-1])),
            "Either the first shortcut is missing (the mean comes, and x is not added to it), or you added the other "
            "word whole: after LayerNorm both are the same. The mean of the two words is added to x.",
        ),
        Mistake(
            _normal(_Y + np.maximum(_network(_Y), 0))[0].tolist(),
            "You set numbers below 0 to 0 at the end of the feed-forward network. ReLU stands between W_1 and W_2: it "
            "works on the two units.",
        ),
        Mistake(
            _normal(_WORDS + _network(_Y))[0].tolist(),
            "Your second shortcut begins at x, below the layer. It begins where the feed-forward network begins: at "
            "what came out of the first Add & Norm.",
        ),
        Mistake(
            _normal(_WORDS + _mean(_WORDS) + _network(_Y))[0].tolist(),
            "Your second shortcut begins before the first LayerNorm. It begins after it: at what the feed-forward "
            "network gets.",
        ),
        Mistake(
            _normal(_Y[0] + _W_2[0]).tolist(),
            "You added the first row of W_2 alone. Both units are above 0 for this word, so both rows are added.",
        ),
        Mistake(
            _normal(_Y[0] + _W_2[1]).tolist(),
            "You added the second row of W_2 alone. The first unit reads the second number, the second unit the third. "
            "For this word both are above 0, so both rows are added.",
        ),
        Mistake(
            [1.4, -1.4, 0.2, -0.2],
            "This is word 0 of the section. The exercise has two other words.",
        ),
        Mistake(
            _normal(_Y + _network(_WORDS))[0].tolist(),
            "You gave the feed-forward network the word x from below the layer. It gets what came out of the first "
            "Add & Norm.",
        ),
        Mistake(
            _on_paper(_after_attention(ddof=1), ddof=1),
            "You divided by 3, which is D − 1, under the root of the standard deviation. LayerNorm divides by D = 4.",
        ),
        Mistake(
            ((_Y + _network(_Y))[0] / (_Y + _network(_Y))[0].var()).tolist(),
            "You divided the last sum by its variance, 49. Divide by the standard deviation, which is its root.",
        ),
        Mistake(
            _on_paper(_normal(_WORDS + _network(_WORDS) + _mean(_WORDS + _network(_WORDS)))),
            "You began with the feed-forward network. Attention comes first.",
        ),
        Mistake(_on_paper(_Y, word=1), "This is right for word 1. Asked for is word 0."),
    ],
    hints=[
        "Go down the table of the section, one step a line: the mean of the two words, the sum with x, LayerNorm; the "
        "two units, what they write, the sum, LayerNorm.",
        "The mean of the words is (0, 1, 0, −1). Added to word 0 it gives (−2, 2, 2, −2), whose mean is 0 and whose "
        "standard deviation is 2. So word 0 goes on as (−1, 1, 1, −1).",
        "Now both units are 1, so both rows of W_2 are added: (12, −6, 0, −6).",
        "The last sum is (11, −5, 1, −7). Its mean is 0, and its standard deviation √((121 + 25 + 1 + 49) / 4) = 7.",
    ],
)

# ---- 9.2 A layer in either order.


def _layer(x, attend, feed_forward, norm_1, norm_2, pre_norm):
    if pre_norm:
        x = x + attend(norm_1(x))
        return x + feed_forward(norm_2(x))
    x = norm_1(x + attend(x))
    return norm_2(x + feed_forward(x))


def _layer_of_steps(x, attend, feed_forward, norm_1, norm_2, pre_norm):
    for part, norm in ((attend, norm_1), (feed_forward, norm_2)):
        x = x + part(norm(x)) if pre_norm else norm(x + part(x))
    return x


def _layers_to_build() -> list[tuple]:
    one = torch.tensor([[[1.0, 2.0]]])
    simple = [
        Given("lambda x: 3 * x"),
        Given("lambda x: x + 1"),
        Given("lambda x: 10 * x"),
        Given("lambda x: 100 * x"),
    ]
    torch.manual_seed(9)
    x = torch.randn(2, 3, 4).round(decimals=2)  # (B, S, D)
    mixing = [
        Given("lambda x: x.mean(1, keepdim=True).expand_as(x)"),
        Given("lambda x: x.relu() - 1"),
        Given("lambda x: 2 * x - x.mean(-1, keepdim=True)"),
        Given("lambda x: x.tanh() + 0.5"),
    ]
    return [(one, *simple, False), (one, *simple, True), (x, *mixing, False), (x, *mixing, True)]


def _sublayers(first: Callable, second: Callable) -> Callable:
    """A layer of two steps; each gets x, its part, its norm, pre_norm, and what went into the layer."""

    def layer(x, attend, feed_forward, norm_1, norm_2, pre_norm):
        y = first(x, attend, norm_1, pre_norm, x)
        return second(y, feed_forward, norm_2, pre_norm, x)

    return layer


def _step(x, part, norm, pre_norm, below):
    return x + part(norm(x)) if pre_norm else norm(x + part(x))


def _step_without_shortcut(x, part, norm, pre_norm, below):
    return part(norm(x)) if pre_norm else norm(part(x))


def _step_without_norm(x, part, norm, pre_norm, below):
    return x + part(x)


def _step_from_below(x, part, norm, pre_norm, below):
    return below + part(norm(x)) if pre_norm else norm(below + part(x))


def _step_at_below(x, part, norm, pre_norm, below):
    """The part reads what went into the layer."""
    return x + part(norm(below)) if pre_norm else norm(x + part(below))


def _step_norm_of_part(x, part, norm, pre_norm, below):
    return x + norm(part(x))


def _step_shortcut_after_norm(x, part, norm, pre_norm, below):
    return norm(x) + part(norm(x))


def _step_twice_normal(x, part, norm, pre_norm, below):
    return norm(x + part(norm(x)))


def _skip(x, part, norm, pre_norm, below):
    return x


def _only(order: str, wrong: Callable) -> Callable:
    """Wrong in one order, "pre" or "post", and right in the other."""

    def layer(x, attend, feed_forward, norm_1, norm_2, pre_norm):
        this = wrong if pre_norm == (order == "pre") else _layer
        return this(x, attend, feed_forward, norm_1, norm_2, pre_norm)

    return layer


def _side_by_side_from_below(x, attend, feed_forward, norm_1, norm_2, pre_norm):
    return norm_2(x + attend(x) + feed_forward(x))


def _one_norm(x, attend, feed_forward, norm_1, norm_2, pre_norm):
    y = x + attend(x)
    return norm_2(y + feed_forward(y))


A_LAYER = Exercise(
    number="9.2",
    name="encoder_layer",
    right=_layer,
    inputs=_layers_to_build,
    also_right=[
        _layer_of_steps,
        lambda x, attend, feed_forward, norm_1, norm_2, pre_norm: _layer(
            x.float(), attend, feed_forward, norm_1, norm_2, pre_norm
        ),
        lambda x, attend, feed_forward, norm_1, norm_2, pre_norm: torch.cat(
            [_layer(sentence[None], attend, feed_forward, norm_1, norm_2, pre_norm) for sentence in x]
        ),
    ],
    mistakes=[
        Mistake(
            lambda x, attend, feed_forward, norm_1, norm_2, pre_norm: _layer(
                x, attend, feed_forward, norm_1, norm_2, False
            ),
            "For post-LN it is right. You give the same for pre-LN: `pre_norm` is not looked at.",
        ),
        Mistake(
            lambda x, attend, feed_forward, norm_1, norm_2, pre_norm: _layer(
                x, attend, feed_forward, norm_1, norm_2, True
            ),
            "For pre-LN it is right. You give the same for post-LN, which normalises the sum: norm(x + part(x)).",
        ),
        Mistake(
            lambda x, attend, feed_forward, norm_1, norm_2, pre_norm: _layer(
                x, attend, feed_forward, norm_1, norm_2, not pre_norm
            ),
            "The two orders are exchanged: you do pre-LN where `pre_norm` is False, and post-LN where it is True.",
        ),
        Mistake(
            lambda x, attend, feed_forward, norm_1, norm_2, pre_norm: _layer(
                x, feed_forward, attend, norm_2, norm_1, pre_norm
            ),
            "You do the feed-forward network first. Attention comes first: a word hears the others, then thinks.",
        ),
        Mistake(
            lambda x, attend, feed_forward, norm_1, norm_2, pre_norm: _layer(
                x, feed_forward, attend, norm_1, norm_2, pre_norm
            ),
            "You do the feed-forward network first, with the norm of attention. Attention comes first, with `norm_1`.",
        ),
        Mistake(
            lambda x, attend, feed_forward, norm_1, norm_2, pre_norm: _layer(
                x, attend, feed_forward, norm_2, norm_1, pre_norm
            ),
            "The norms are exchanged: `norm_1` belongs to attention, `norm_2` to the feed-forward network.",
        ),
        Mistake(
            lambda x, attend, feed_forward, norm_1, norm_2, pre_norm: _layer(
                x, attend, feed_forward, norm_1, norm_1, pre_norm
            ),
            "You use `norm_1` for both. Each sublayer has a norm of its own, with its own gain and bias.",
        ),
        Mistake(
            lambda x, attend, feed_forward, norm_1, norm_2, pre_norm: _layer(
                x, attend, feed_forward, norm_2, norm_2, pre_norm
            ),
            "You use `norm_2` for both. Attention has `norm_1`.",
        ),
        Mistake(
            _sublayers(_step_without_shortcut, _step_without_shortcut),
            "There is no shortcut: what a part gives takes the place of what went in. It is added to it.",
        ),
        Mistake(
            _sublayers(_step_without_shortcut, _step),
            "Around attention there is no shortcut: add what went into it.",
        ),
        Mistake(
            _sublayers(_step, _step_without_shortcut),
            "Around the feed-forward network there is no shortcut: add what went into it.",
        ),
        Mistake(
            _sublayers(_step, _step_from_below),
            "Your second shortcut begins below the layer. It begins where the second sublayer begins: after attention "
            "has been added.",
        ),
        Mistake(
            _sublayers(_step, _step_at_below),
            "Your feed-forward network reads what went into the layer, so that the two parts stand side by side. It "
            "reads what the first sublayer made.",
        ),
        Mistake(
            _sublayers(_step_norm_of_part, _step_norm_of_part),
            "You normalise what a part gives, and add that: x + norm(part(x)). Post-LN normalises the sum, "
            "norm(x + part(x)), and pre-LN what the part reads, x + part(norm(x)).",
        ),
        Mistake(
            _sublayers(_step_shortcut_after_norm, _step_shortcut_after_norm),
            "Your shortcut begins behind the norm: norm(x) + part(norm(x)). It carries x as it is; only the part reads "
            "norm(x), and only in pre-LN.",
        ),
        Mistake(
            _sublayers(_step_twice_normal, _step_twice_normal),
            "You normalise before the part and again after the sum. It is one of the two: `pre_norm` says which.",
        ),
        Mistake(
            _sublayers(_step_without_norm, _step_without_norm),
            "Nothing is normalised: neither `norm_1` nor `norm_2` is called.",
        ),
        Mistake(
            _sublayers(_step, _step_without_norm),
            "The second sublayer has no norm: `norm_2` is not called.",
        ),
        Mistake(
            _sublayers(_step_without_norm, _step),
            "The first sublayer has no norm: `norm_1` is not called.",
        ),
        Mistake(
            _sublayers(_step, _skip),
            "You stop after attention. The feed-forward network, in its own sublayer, is missing.",
        ),
        Mistake(
            _sublayers(_skip, _step),
            "Attention is missing, or what it gave is lost: the feed-forward network must read what the first sublayer "
            "made.",
        ),
        Mistake(
            lambda x, attend, feed_forward, norm_1, norm_2, pre_norm: (
                norm_2(_layer(x, attend, feed_forward, norm_1, norm_2, True))
                if pre_norm
                else _layer(x, attend, feed_forward, norm_1, norm_2, False)
            ),
            "For pre-LN you normalise once more at the end of the layer. That norm stands at the top of the whole "
            "encoder, once, and is no part of a layer.",
        ),
        Mistake(
            _only("pre", _sublayers(_step_norm_of_part, _step_norm_of_part)),
            "For post-LN it is right. For pre-LN you normalise what a part gives, x + norm(part(x)). The norm comes "
            "before the part: x + part(norm(x)).",
        ),
        Mistake(
            _only("pre", _sublayers(_step_shortcut_after_norm, _step_shortcut_after_norm)),
            "For post-LN it is right. For pre-LN your shortcut begins behind the norm: norm(x) + part(norm(x)). It "
            "carries x as it is; only the part reads norm(x).",
        ),
        Mistake(
            _only("pre", _sublayers(_step, _step_without_norm)),
            "For post-LN it is right. For pre-LN the feed-forward network reads the words without `norm_2`.",
        ),
        Mistake(
            _only("pre", _sublayers(_step_without_norm, _step)),
            "For post-LN it is right. For pre-LN attention reads the words without `norm_1`.",
        ),
        Mistake(
            _only("pre", _sublayers(_step, _step_from_below)),
            "For post-LN it is right. For pre-LN your second shortcut begins below the layer. It begins after "
            "attention has been added.",
        ),
        Mistake(
            _only("pre", _sublayers(_step, _step_at_below)),
            "For post-LN it is right. For pre-LN your feed-forward network reads what went into the layer. It reads "
            "what the first sublayer made.",
        ),
        Mistake(
            _only("pre", _sublayers(_step_without_shortcut, _step_without_shortcut)),
            "For post-LN it is right. For pre-LN there is no shortcut: what a part gives is added to what went in.",
        ),
        Mistake(
            _only(
                "pre",
                lambda x, attend, feed_forward, norm_1, norm_2, pre_norm: _layer(
                    x, attend, feed_forward, norm_1, norm_1, pre_norm
                ),
            ),
            "For post-LN it is right. For pre-LN you use `norm_1` for both; the feed-forward network has `norm_2`.",
        ),
        Mistake(
            _only(
                "pre",
                lambda x, attend, feed_forward, norm_1, norm_2, pre_norm: _layer(
                    x, attend, feed_forward, norm_2, norm_1, pre_norm
                ),
            ),
            "For post-LN it is right. For pre-LN the norms are exchanged: attention has `norm_1` in both orders.",
        ),
        Mistake(
            _only("post", _sublayers(_step_without_shortcut, _step_without_shortcut)),
            "For pre-LN it is right. For post-LN there is no shortcut: what a part gives is added to what went in.",
        ),
        Mistake(
            _only("post", _sublayers(_step, _step_without_shortcut)),
            "For pre-LN it is right. For post-LN the shortcut around the feed-forward network is missing.",
        ),
        Mistake(
            _only("post", _sublayers(_step, _step_from_below)),
            "For pre-LN it is right. For post-LN your second shortcut begins below the layer. It begins after the "
            "first norm.",
        ),
        Mistake(
            _only("post", _sublayers(_step_norm_of_part, _step_norm_of_part)),
            "For pre-LN it is right. For post-LN you normalise what a part gives, x + norm(part(x)). The norm is "
            "around the sum: norm(x + part(x)).",
        ),
        Mistake(
            _only("post", _one_norm),
            "For pre-LN it is right. For post-LN `norm_1` is missing: each sum goes through a norm of its own.",
        ),
        Mistake(
            _only("post", _side_by_side_from_below),
            "For pre-LN it is right. For post-LN both parts read x side by side, and one norm comes at the end. The "
            "feed-forward network reads what the first norm gave.",
        ),
    ],
    hints=[
        "There are two steps of one form, first with `attend` and `norm_1`, then with `feed_forward` and `norm_2`. The "
        "second begins with what the first made.",
        "Post-LN: `x = norm(x + part(x))`. Pre-LN: `x = x + part(norm(x))`. In both, what is added to is x itself.",
        "So for post-LN: `x = norm_1(x + attend(x))`, then `x = norm_2(x + feed_forward(x))`, and give x.",
        "A loop does both steps: `for part, norm in ((attend, norm_1), (feed_forward, norm_2)):`.",
    ],
)

# ---- 9.3 From the bottom to the top.


def _memory(x, layers, may_attend, norm):
    for layer in layers:
        x = layer(x, may_attend)
    return x if norm is None else norm(x)


def _way_of(layers: Callable = lambda layers: layers, step: Callable | None = None, end: Callable | None = None):
    """A wrong way up: which layers, what is done with each, and what comes at the end."""

    def encode(x, layers_given, may_attend, norm):
        below = x
        for i, layer in enumerate(layers(layers_given)):
            x = step(x, layer, may_attend, norm, below, i) if step else layer(x, may_attend)
        return (end or _at_the_top)(x, norm)

    return lambda x, layers, may_attend, norm: encode(x, layers, may_attend, norm)


def _at_the_top(x, norm):
    return x if norm is None else norm(x)


def _with_sum(x, layers, may_attend, norm):
    outs = [x]
    for layer in layers:
        outs.append(layer(outs[-1], may_attend))
    return _at_the_top(torch.stack(outs[1:]).sum(0), norm)


def _with_mean(x, layers, may_attend, norm):
    outs = [x]
    for layer in layers:
        outs.append(layer(outs[-1], may_attend))
    return _at_the_top(torch.stack(outs[1:]).mean(0), norm)


def _with_a_shortcut_around_all(x, layers, may_attend, norm):
    return _at_the_top(x + _memory(x, layers, may_attend, None), norm)


def _normal_twice_at_the_top(x, layers, may_attend, norm):
    for layer in layers:
        x = _at_the_top(layer(x, may_attend), norm)
    return _at_the_top(x, norm)


def _all_levels(x, layers, may_attend, norm):
    outs = []
    for layer in layers:
        x = layer(x, may_attend)
        outs.append(x)
    return torch.stack(outs)


def _without_a_mask(x, layers, may_attend, norm):
    for layer in layers:
        x = layer(x)
    return _at_the_top(x, norm)


def _with_none_for_a_mask(x, layers, may_attend, norm):
    for layer in layers:
        x = layer(x, None)
    return _at_the_top(x, norm)


def _each_from_the_bottom(x, layers, may_attend, norm):
    for layer in layers:
        memory = layer(x, may_attend)
    return memory if norm is None else norm(memory)


def _one_layer_n_times(x, layers, may_attend, norm):
    for layer in [layers[0]] * len(layers):
        x = layer(x, may_attend)
    return x if norm is None else norm(x)


def _ways_up() -> list[tuple]:
    one = torch.tensor([[[1.0, 2.0]]])
    simple = [Given("lambda x, m: 2 * x + 1"), Given("lambda x, m: 10 * x")]
    torch.manual_seed(9)
    x = torch.randn(2, 3, 4).round(decimals=2)  # (B, S, D)
    mask = torch.tensor([[True, True, False], [False, True, True], [True, True, True]])  # (S, S)
    layers = [
        Given("lambda x, m: 0.5 * x + m.to(x) @ x"),
        Given("lambda x, m: x.relu() + 2 * m.to(x) @ x"),
        Given("lambda x, m: x - 0.1 * m.to(x) @ x + 1"),
    ]
    norm = Given("lambda x: x - x.mean(-1, keepdim=True) + 1")
    return [
        (one, simple, torch.tensor([[True]]), None),
        (one, simple, torch.tensor([[True]]), Given("lambda x: -x")),
        (x, layers[:1], mask, None),
        (x, layers, mask, None),
        (x, layers, mask, norm),
    ]


UPWARDS = Exercise(
    number="9.3",
    name="encode",
    right=_memory,
    inputs=_ways_up,
    also_right=[
        lambda x, layers, may_attend, norm: _memory(x.float(), layers, may_attend, norm),
        lambda x, layers, may_attend, norm: (norm or torch.nn.Identity())(
            _memory(x, layers, may_attend, None) if len(layers) > 0 else x
        ),
        lambda x, layers, may_attend, norm: _memory(
            _memory(x, layers[:1], may_attend, None), layers[1:], may_attend, norm
        ),
    ],
    mistakes=[
        Mistake(
            _each_from_the_bottom,
            "What you give is the last layer's work on `x` from the bottom; all layers below it are lost. A layer "
            "reads what the one below it made: `x = layer(x, may_attend)`.",
            classic="Each layer reads the bottom",
        ),
        Mistake(
            _way_of(lambda layers: layers[:1], end=lambda x, norm: x),
            "You give what the first layer made. Is the `return` inside of the loop? It stands below it.",
        ),
        Mistake(
            _way_of(lambda layers: layers[:1]),
            "Only the first layer is used, then the norm. All N layers belong to the encoder.",
        ),
        Mistake(
            _way_of(end=lambda x, norm: norm(x)),
            "For pre-LN it is right. For post-LN `norm` is None, which cannot be called: then give x as it is.",
        ),
        Mistake(_way_of(lambda layers: layers[:-1]), "The last layer is missing. All N belong to the encoder."),
        Mistake(
            _way_of(lambda layers: layers[1:]),
            "The first layer is missing: you begin with the second. Lists count from 0.",
        ),
        Mistake(
            _way_of(lambda layers: [*layers, layers[-1]]),
            "The last layer is used twice. Each layer is used once.",
        ),
        Mistake(
            _one_layer_n_times,
            "You use the first layer N times. There are N layers with weights of their own: take each once.",
            classic="One layer, N times",
        ),
        Mistake(
            _way_of(lambda layers: layers[::-1]), "You go through the layers from the top down. The lowest is first."
        ),
        Mistake(
            _way_of(step=lambda x, layer, m, norm, below, i: x + layer(x, m)),
            "You add what goes into a layer to what comes out of it. The shortcuts are in the layer, around each of "
            "its two parts: there is none around the layer.",
        ),
        Mistake(
            _way_of(step=lambda x, layer, m, norm, below, i: layer(x if i == 0 else x + below, m)),
            "You add the words from the bottom again before each layer. Embedding and positions are added once, below "
            "the first layer.",
        ),
        Mistake(
            _with_sum,
            "You add up what all layers give. The memory is what the last layer gives.",
        ),
        Mistake(
            _with_mean,
            "You give the mean of what all layers give. The memory is what the last layer gives.",
        ),
        Mistake(
            _with_a_shortcut_around_all,
            "You add the words from the bottom to what the last layer gives. The shortcuts are in the layers: there is "
            "none around the encoder.",
        ),
        Mistake(
            _all_levels,
            "You give what every layer made, (N, B, S, D), without the norm at the top. The memory is what comes out "
            "at the top alone, (B, S, D).",
        ),
        Mistake(
            _way_of(end=lambda x, norm: x),
            "The norm at the top is missing. Where `norm` is not None (pre-LN), it works on what the last layer gives.",
        ),
        Mistake(
            _way_of(step=lambda x, layer, m, norm, below, i: _at_the_top(layer(x, m), norm), end=lambda x, norm: x),
            "You normalise after every layer. The norm stands once, above the last layer.",
        ),
        Mistake(
            _normal_twice_at_the_top,
            "You normalise after every layer, and once more at the top. The norm stands once, above the last layer.",
        ),
        Mistake(
            lambda x, layers, may_attend, norm: _memory(x if norm is None else norm(x), layers, may_attend, None),
            "You normalise what goes into the first layer. The norm stands above the last layer.",
        ),
        Mistake(
            _without_a_mask,
            "You call the layers without the mask, so each word sees what it may not see. Call `layer(x, may_attend)`.",
        ),
        Mistake(
            _with_none_for_a_mask,
            "You give the layers None in place of the mask. Call `layer(x, may_attend)`.",
        ),
        Mistake(
            _way_of(step=lambda x, layer, m, norm, below, i: layer(x, m if i == 0 else torch.ones_like(m))),
            "Only the first layer gets the mask. Each layer has an attention of its own, and each needs it.",
        ),
        Mistake(
            _way_of(step=lambda x, layer, m, norm, below, i: layer(x, torch.ones_like(m))),
            "In your layers everyone may attend to everyone: hand `may_attend` on as it is.",
        ),
        Mistake(
            _way_of(step=lambda x, layer, m, norm, below, i: layer(x, ~m)),
            "You turn the mask round. In this course True = may attend; it is in `torch.nn.TransformerEncoder` that "
            "True means the opposite.",
        ),
        Mistake(
            _way_of(step=lambda x, layer, m, norm, below, i: layer(x, m.T)),
            "You hand on the mask transposed. A row belongs to the word that asks, and so it came.",
        ),
        Mistake(
            _way_of(end=lambda x, norm: _at_the_top(x, norm).mean(1)),
            "You give the mean over the words, one vector for a sentence. The memory has a row for each word: "
            "(B, S, D).",
        ),
        Mistake(
            _way_of(end=lambda x, norm: _at_the_top(x, norm)[:, -1]),
            "You give the last word's vector alone. That is how recurrent networks did it; the memory has a row for "
            "each word: (B, S, D).",
        ),
        Mistake(
            _way_of(end=lambda x, norm: _at_the_top(x, norm).transpose(0, 1)),
            "You give (S, B, D), the words on the first axis. The memory is (B, S, D).",
        ),
    ],
    hints=[
        "One loop over the layers. What changes from round to round is x.",
        "In the loop: `x = layer(x, may_attend)`. The x on the left is what the next layer reads.",
        "After the loop: with `norm` None, x is the memory; else `norm(x)` is.",
    ],
)

# ---- 9.4 Count the parameters.


def _count(
    n_layers, d_model, n_heads, d_ff, bias, pre_norm, *, matrices=4, of_bias=4, inner=1, outer=1, w=2, norms=2, gain=2
):
    layer = matrices * d_model**2 + of_bias * d_model * bias  # attention
    layer += w * d_model * d_ff + inner * d_ff + outer * d_model  # feed-forward
    return n_layers * (layer + norms * gain * d_model) + gain * d_model * pre_norm


def _miscount(**changes) -> Callable:
    return lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: _count(
        n_layers, d_model, n_heads, d_ff, bias, pre_norm, **changes
    )


COUNTED = Exercise(
    number="9.4",
    name="count_parameters",
    right=_miscount(),
    inputs=lambda: [
        (1, 2, 1, 3, False, False),
        (1, 2, 1, 3, True, False),
        (1, 2, 1, 3, False, True),
        (3, 8, 2, 20, False, False),
        (3, 8, 4, 20, True, True),
        (6, 512, 8, 2048, False, False),
    ],
    also_right=[
        lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: float(
            _count(n_layers, d_model, n_heads, d_ff, bias, pre_norm)
        ),
        lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: (
            n_layers
            * (
                3 * n_heads * d_model * (d_model // n_heads)
                + d_model * d_model
                + (4 * d_model if bias else 0)
                + (d_model + 1) * d_ff
                + (d_ff + 1) * d_model
                + 4 * d_model
            )
            + (2 * d_model if pre_norm else 0)
        ),
        _miscount(),
    ],
    mistakes=[
        Mistake(
            _miscount(matrices=3),
            "One matrix of attention is missing: besides W_Q, W_K and W_V there is W_O, also D × D.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: _count(
                n_layers, d_model, n_heads, d_ff, bias, pre_norm, matrices=4 * n_heads
            ),
            "You count each head with D × D numbers. A head has D × K of each matrix, K = D / H, so all heads together "
            "have D × D, however many they are.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: _count(
                n_layers, d_model, n_heads, d_ff, bias, pre_norm, matrices=3 / n_heads + 1
            ),
            "You count W_Q, W_K and W_V of one head, D × K. There are H heads, together D × D.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: _count(
                n_layers, d_model, n_heads, d_ff, bias, pre_norm, matrices=4 / n_heads
            ),
            "You count each of the four matrices for one head, D × K. For all H heads together it is D × D, and W_O is "
            "D × D, too.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: _count(
                n_layers, d_model, n_heads, d_ff, bias, pre_norm, of_bias=4 * n_heads
            ),
            "With `bias`, you count D numbers for each head. A head has K, so all heads of a projection have D.",
        ),
        Mistake(
            _miscount(inner=0, outer=0, norms=0),
            "The feed-forward network has biases (F and D numbers), and each LayerNorm has a gain and a bias (D each).",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: n_layers * (4 * d_model**2 + 2 * d_model * d_ff),
            "You count the matrices alone. There are biases, too (the feed-forward network's always, attention's with "
            "`bias`), and each LayerNorm has a gain and a bias.",
        ),
        Mistake(
            _miscount(inner=2, outer=0),
            "You count F numbers for both biases of the feed-forward network. The second is added to D numbers: F + D.",
        ),
        Mistake(
            _miscount(inner=0, outer=2),
            "You count D numbers for both biases of the feed-forward network. The first is added to F numbers: F + D.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: (
                _count(n_layers, d_model, n_heads, d_ff, bias, pre_norm) - d_model * pre_norm
            ),
            "You count D numbers for the LayerNorm at the top. It has a gain and a bias, too: 2D.",
        ),
        Mistake(
            _miscount(inner=0, outer=0),
            "The feed-forward network has biases: F numbers in the middle and D at the end.",
        ),
        Mistake(
            _miscount(outer=0),
            "The second bias of the feed-forward network is missing: b_2, D numbers.",
        ),
        Mistake(
            _miscount(inner=0),
            "The first bias of the feed-forward network is missing: b_1, F numbers.",
        ),
        Mistake(
            _miscount(w=1),
            "You count one matrix of the feed-forward network. There are two: W_1 is D × F and W_2 is F × D.",
        ),
        Mistake(
            _miscount(norms=0, gain=0),
            "The LayerNorms are missing. Each has a gain and a bias, 2D numbers.",
        ),
        Mistake(
            _miscount(norms=1),
            "You count one LayerNorm a layer. There are two, one for each sublayer.",
        ),
        Mistake(
            _miscount(gain=1),
            "You count D numbers for a LayerNorm. It has a gain and a bias, D numbers each.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: _count(
                n_layers, d_model, n_heads, d_ff, False, pre_norm
            ),
            "Without biases in attention it is right. With `bias` each of the four projections has D numbers more.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: _count(
                n_layers, d_model, n_heads, d_ff, True, pre_norm
            ),
            "You count the biases of attention always. They are there only if `bias` is True.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: _count(
                n_layers, d_model, n_heads, d_ff, False, False
            ),
            "You look at neither `bias` nor `pre_norm`. For False and False it is right.",
        ),
        Mistake(
            _miscount(of_bias=3),
            "With `bias`, you count the biases of three projections. W_O has one, too.",
        ),
        Mistake(
            _miscount(of_bias=1),
            "With `bias`, you count one bias of attention. Each of the four projections has one, D numbers.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: _count(
                n_layers, d_model, n_heads, d_ff, bias, pre_norm, inner=bias, outer=bias
            ),
            "`bias` says whether attention has biases. The feed-forward network has its two in any case.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: _count(
                n_layers, d_model, n_heads, d_ff, bias, False
            ),
            "For post-LN it is right. Pre-LN has one more LayerNorm, at the top: 2D numbers.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: _count(
                n_layers, d_model, n_heads, d_ff, bias, True
            ),
            "You count a LayerNorm at the top always. Post-LN has none there: each layer ends in one.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: _count(
                n_layers, d_model, n_heads, d_ff, bias, False, norms=2 + pre_norm
            ),
            "You count the further LayerNorm of pre-LN in each layer. It stands once, at the top of the encoder.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: _count(1, d_model, n_heads, d_ff, bias, pre_norm),
            "This is one layer. There are N, each with weights of its own.",
        ),
        Mistake(
            lambda n_layers, d_model, n_heads, d_ff, bias, pre_norm: (
                2 * _count(n_layers, d_model, n_heads, d_ff, bias, pre_norm)
            ),
            "This is twice as many. Is the decoder in it? Count the encoder alone.",
        ),
    ],
    hints=[
        "First one layer: four matrices of attention, two matrices and two biases of the feed-forward network, two "
        "LayerNorms with a gain and a bias each.",
        "Attention: 4D², and 4D more with `bias`. Feed-forward: 2DF + F + D. LayerNorms: 4D. The number of heads "
        "does not matter.",
        "All of that times `n_layers`, and at the very end, once, `2 * d_model` if `pre_norm`.",
    ],
)

EXERCISES: list[Exercise] = [ON_PAPER, A_LAYER, UPWARDS, COUNTED]
