"""The exercises of chapter 7: two words that turn each other round, the network, its share of a layer, its units."""

import numpy as np
import torch
from torch import nn

from tfmlib.feed_forward import FeedForward

from .exercise import Exercise, Mistake

# ---- 7.1 The weights that make "exactly one of the two" of the units relu(a + b) and relu(a + b − 1).

WEIGHTS = Exercise(
    number="7.1",
    name="answer",
    right=[1, -2],
    also_right=[(1.0, -2.0), torch.tensor([1, -2]), np.array([1.0, -2.0])],
    mistakes=[
        Mistake(
            [1, -1],
            "With these, “not bad” gets 2 − 1 = 1, so it is still blame. There the first unit is 2 and the second 1: "
            "how much must the second one take away to leave 0?",
        ),
        Mistake(
            [1, 1],
            "Both of your weights are positive, so nothing is ever taken away: “not bad” gets 3. One of them must be "
            "negative.",
        ),
        Mistake(
            [1, 0],
            "Your output is the first unit alone: it gives 2 for “not bad”. Let the second unit, which is on only "
            "there, take it away.",
        ),
        Mistake(
            [0, 1],
            "Your output is the second unit alone. It is on if both are there; wanted is exactly one.",
        ),
        Mistake([-2, 1], "These are the two weights in the wrong order. The first belongs to relu(a + b)."),
        Mistake(
            [-1, 2],
            "Your signs are the wrong way round: “not good” gets −1. It should get 1.",
        ),
        Mistake(
            [1, 2],
            "The second weight has the right size and the wrong sign: “not bad” gets 4. That unit must take away.",
        ),
        Mistake(
            [2, -1],
            "With these, “not good” gets 2 and “not bad” 3. The first weight alone decides what “not good” gets: "
            "its unit is 1 there and the other one 0.",
        ),
        Mistake(
            [2, -2],
            "With these, “not good” gets 2, and “not bad” gets 4 − 2 = 2. The first weight alone decides what “not "
            "good” gets.",
        ),
        Mistake(
            [1, -3],
            "The second weight takes away too much: “not bad” gets 2 − 3 = −1. It should get 0.",
        ),
        Mistake(
            [0.5, -1],
            "In “not bad” they cancel, as they should. But “not good” gets 0.5, and it should get 1: double both.",
        ),
        Mistake(
            [2, -4],
            "In “not bad” they cancel, as they should. But “not good” gets 2, and it should get 1: halve both.",
        ),
        Mistake(
            [0, -2],
            "Your output does not use the first unit, so “not good” gets 0, as “very good” does. Wanted is 1.",
        ),
        Mistake(
            [0, 1, 1, 0],
            "These are the outputs that are wanted. Asked are the two weights of the last step that give them.",
        ),
        Mistake(
            [2, 1],
            "These are the two units for “not bad”. Asked are the weights by which the units are multiplied.",
        ),
    ],
    hints=[
        "Fill in the two units for each of the four phrases first. In “very good” a and b are 0; in “not bad” both are "
        "1; in the other two, one is 1.",
        "The units are (0, 0) for “very good”, (1, 0) for “very bad” and “not good”, (2, 1) for “not bad”. Call the "
        "weights u and v. Then the three outputs are 0, u and 2u + v.",
        "Wanted are 0, 1 and 0. So u is 1. And 2u + v is 0, so v is …",
    ],
)

# ---- 7.2 The network.


def _network(x, W1, b1, W2, b2):
    return (x @ W1 + b1).relu() @ W2 + b2


def _with(bend):
    """The network with another function in the place of the ReLU."""
    return lambda x, W1, b1, W2, b2: bend(x @ W1 + b1) @ W2 + b2


def _network_in_loops(x, W1, b1, W2, b2):
    B, S, D = x.shape
    d_ff = W1.shape[1]
    out = []
    for b in range(B):
        rows = []
        for s in range(S):
            h = [
                max(0.0, sum(x[b, s, d].item() * W1[d, f].item() for d in range(D)) + b1[f].item()) for f in range(d_ff)
            ]
            rows.append([sum(h[f] * W2[f, d].item() for f in range(d_ff)) + b2[d].item() for d in range(D)])
        out.append(rows)
    return out


def _network_of_torch(x, W1, b1, W2, b2):
    D, d_ff = W1.shape
    net = nn.Sequential(nn.Linear(D, d_ff), nn.ReLU(), nn.Linear(d_ff, D)).to(x.dtype)
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), (W1.T, b1, W2.T, b2), strict=True):
            parameter.copy_(value)
        return net(x)


def _network_of_tfmlib(x, W1, b1, W2, b2):
    net = FeedForward(*W1.shape).to(x.dtype)
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), (W1.T, b1, W2.T, b2), strict=True):
            parameter.copy_(value)
        return net(x)


def _network_of_convolutions(x, W1, b1, W2, b2):
    h = torch.conv1d(x.mT, W1.T[:, :, None], b1).relu()  # (B, F, S)
    return torch.conv1d(h, W2.T[:, :, None], b2).mT  # (B, S, D)


def _sentences() -> list[tuple]:
    # Each of the five has numbers of both signs before the ReLU and after W2. The third has D = d_ff, so that matrices
    # that are transposed or swapped run without an error there.
    inputs = []
    for seed, (B, S, D, d_ff) in enumerate([(1, 1, 2, 3), (2, 3, 4, 5), (1, 2, 3, 3), (3, 1, 2, 5), (1, 4, 3, 2)]):
        rng = np.random.default_rng(70 + seed)
        made = [rng.integers(-3, 4, shape) / 2 for shape in ((B, S, D), (D, d_ff), (d_ff,), (d_ff, D), (D,))]
        made[2] += np.where(made[2] == 0, 1.0, 0.0)
        made[4] += np.where(made[4] == 0, -0.5, 0.0)
        made[0] *= 1 + 3 * (seed > 0)  # some hidden units are above 6, where a ReLU6 stops
        inputs.append(tuple(map(torch.from_numpy, made)))
    x = torch.tensor([[[1.0, 2.0]]])
    W1, b1 = torch.tensor([[1.0, 0.0, -1.0], [1.0, -2.0, 1.0]]), torch.tensor([-1.0, 1.0, 2.0])
    W2, b2 = torch.tensor([[1.0, -2.0], [3.0, 1.0], [-1.0, 0.0]]), torch.tensor([0.5, 1.0])
    inputs[0] = (x, W1, b1, W2, b2)
    return inputs


def _without_relu(x, W1, b1, W2, b2):
    return (x @ W1 + b1) @ W2 + b2


def _relu_at_the_end(x, W1, b1, W2, b2):
    return ((x @ W1 + b1) @ W2 + b2).relu()


NETWORK = Exercise(
    number="7.2",
    name="feed_forward",
    right=_network,
    inputs=_sentences,
    also_right=[
        _network_in_loops,
        _network_of_torch,
        _network_of_tfmlib,
        _network_of_convolutions,
        lambda x, W1, b1, W2, b2: np.maximum(x.numpy() @ W1.numpy() + b1.numpy(), 0) @ W2.numpy() + b2.numpy(),
        lambda x, W1, b1, W2, b2: _network(*(t.float() for t in (x, W1, b1, W2, b2))),
        lambda x, W1, b1, W2, b2: (
            torch.einsum("bsf,fd->bsd", torch.clamp(torch.einsum("bsd,df->bsf", x, W1) + b1, min=0), W2) + b2
        ),
        lambda x, W1, b1, W2, b2: sum((x @ W1[:, f] + b1[f]).relu()[..., None] * W2[f] for f in range(len(b1))) + b2,
        lambda x, W1, b1, W2, b2: torch.stack([torch.stack([_network(w, W1, b1, W2, b2) for w in s]) for s in x]),
    ],
    mistakes=[
        Mistake(
            _without_relu,
            "There is no ReLU: the numbers below 0 go on as they are. Between the two products each negative number "
            "becomes 0.",
            classic="No ReLU",
        ),
        Mistake(
            _relu_at_the_end,
            "Your ReLU stands after W2, at the end. It stands between the two products, after b1; the output may be "
            "negative.",
            classic="The ReLU at the end",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: _network(x, W1, b1, W2, b2).relu(),
            "You apply the ReLU twice, and the second time to the output. The output may be negative: one ReLU, "
            "between the products.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: (x.relu() @ W1 + b1) @ W2 + b2,
            "You apply the ReLU to the words before W1. It belongs between the two products, after b1.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: (x @ W1).relu() @ W2 + b2,
            "b1 is missing. It is added before the ReLU.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: (x @ W1 + b1).relu() @ W2,
            "b2 is missing. It is added at the end.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: (x @ W1).relu() @ W2,
            "Both biases are missing. b1 is added before the ReLU, b2 at the end.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: ((x @ W1).relu() + b1) @ W2 + b2,
            "You add b1 after the ReLU. It is added before: it decides from where on a unit is on.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: _network(x, W1.T, b1, W2.T, b2),
            "Your matrices are turned round, as `nn.Linear` keeps them. Here W1 is (D, F) already: `x @ W1`.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: _network(x, W2, b1, W1, b2),
            "You multiply by W2 first and by W1 afterwards. First W1, (D, F), then W2, (F, D).",
        ),
        Mistake(
            _with(torch.abs),
            "You take the absolute value: a negative number becomes positive. With the ReLU it becomes 0.",
        ),
        Mistake(
            _with(nn.functional.gelu),
            "You took a GELU. The paper's network, and this one, has a ReLU: max(0, h).",
        ),
        Mistake(
            _with(nn.functional.leaky_relu),
            "You took a leaky ReLU, which lets a hundredth of a negative number through. A ReLU lets nothing through.",
        ),
        Mistake(
            _with(nn.functional.elu),
            "You took an ELU, which lets a part of the negative numbers through. A ReLU lets nothing through.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: (x @ W1.T + b1).relu() @ W2 + b2,
            "Your W1 is turned round, as `nn.Linear` keeps it. Here it is (D, F) already: `x @ W1`.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: (x @ W1 + b1).relu() @ W2.T + b2,
            "Your W2 is turned round, as `nn.Linear` keeps it. Here it is (F, D) already: `h @ W2`.",
        ),
        Mistake(
            _with(nn.functional.silu),
            "You took a SiLU (swish), which lets a bit of the negative numbers through. A ReLU lets nothing through.",
        ),
        Mistake(
            _with(nn.functional.relu6),
            "You took a ReLU6, which stops at 6. A ReLU leaves positive numbers as they are.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: _network(x, W1, -b1, W2, b2),
            "You take b1 away. It is added.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: _network(x, W1, b1, W2, -b2),
            "You take b2 away. It is added.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: (x @ W1 + b1).relu() @ (W2 + b2),
            "You add b2 to each row of W2, before the product. First multiply by W2, then add b2, once.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: (x @ W1.relu() + b1) @ W2 + b2,
            "You apply the ReLU to W1. The matrix stays as it is; the ReLU is for `x @ W1 + b1`.",
        ),
        Mistake(
            _with(torch.sigmoid),
            "You took a sigmoid, which squeezes all numbers between 0 and 1. A ReLU leaves positive numbers as they "
            "are.",
        ),
        Mistake(
            _with(torch.tanh),
            "You took a tanh, which squeezes all numbers between −1 and 1. A ReLU leaves positive numbers as they are.",
        ),
        Mistake(
            _with(lambda h: h.softmax(-1)),
            "You took a softmax, which makes shares of the units. That belongs to attention. Here each unit is on its "
            "own: max(0, h).",
        ),
        Mistake(
            _with(lambda h: (h > 0).to(h)),
            "Your units are 0 or 1. A unit that is on keeps its number: max(0, h), and not h > 0.",
        ),
        Mistake(
            _with(lambda h: h.clamp(max=0)),
            "You keep the negative numbers and set the positive ones to 0. It is the other way round: max(0, h).",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: x + _network(x, W1, b1, W2, b2),
            "You add x at the end. That is the residual connection of chapter 8, and no part of the network.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: _network(x, W1, b1, W2, b2).sum(1),
            "You add the words of a sentence up. Each word keeps a row of its own: (B, S, D).",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: _network(x.mean(1, keepdim=True).expand_as(x), W1, b1, W2, b2),
            "All words of a sentence get the same output: you mix them first. Each word goes through on its own.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: _network(x.sum(1, keepdim=True).expand_as(x), W1, b1, W2, b2),
            "All words of a sentence get the same output: you add them up first. Each word goes through on its own.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: _network((x - x.mean(1, keepdim=True)), W1, b1, W2, b2),
            "You take the mean of the sentence away from each word, so that each output hangs on all words. Each word "
            "goes through on its own.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: _network(x.reshape(x.size(0), x.size(2), x.size(1)).mT, W1, b1, W2, b2),
            "The numbers of different words are mixed up: a `view` or `reshape` swaps the axes, and it should not. "
            "The axes can stay as they are: `x @ W1` works on the last one.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: _network(x, W1, b1, W2, b2).flatten(0, 1),
            "The numbers are right, the shape is not: you put all words of all sentences into one list, and did not "
            "cut it again. `x @ W1` needs no flattening.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: _network(x, W1, b1, W2, b2)[:, -1],
            "You give the last word alone. Wanted is a row for each word.",
        ),
        Mistake(
            lambda x, W1, b1, W2, b2: (x @ W1 + b1).relu(),
            "These are the hidden units, (B, S, F). The second half is missing: times W2, plus b2.",
        ),
    ],
    hints=[
        "Equation 2 of the paper has the four steps in their order: times W1, plus b1, the ReLU, times W2, plus b2.",
        "`x @ W1` multiplies the last axis of x, whatever stands before it: (B, S, D) becomes (B, S, F). The bias, "
        "(F,), broadcasts.",
        "`h = (x @ W1 + b1).relu()`, and then the same once more with W2 and b2, without the ReLU.",
    ],
)

# ---- 7.3 The share of the parameters of a layer.


def _count(d_model: int, d_ff: int) -> int:
    return 2 * d_model * d_ff + d_ff + d_model


def _share(d_model: int, d_ff: int) -> float:
    return _count(d_model, d_ff) / (_count(d_model, d_ff) + 4 * d_model**2)


def _share_of(count, attention=lambda D, d_ff: 4 * D * D):
    return lambda d_model, d_ff: count(d_model, d_ff) / (count(d_model, d_ff) + attention(d_model, d_ff))


def _share_of_modules(d_model: int, d_ff: int) -> float:
    net = FeedForward(d_model, d_ff)
    attention = [nn.Linear(d_model, d_model, bias=False) for _ in range(4)]
    ours = sum(p.numel() for p in net.parameters())
    return ours / (ours + sum(p.numel() for part in attention for p in part.parameters()))


SHARE = Exercise(
    number="7.3",
    name="feed_forward_share",
    right=_share,
    inputs=lambda: [(2, 3), (4, 8), (64, 256), (512, 2048), (6, 6), (3, 7)],
    also_right=[
        _share_of_modules,
        lambda d_model, d_ff: torch.tensor(_share(d_model, d_ff)),
        lambda d_model, d_ff: np.float64(1 - 4 * d_model**2 / (4 * d_model**2 + _count(d_model, d_ff))),
    ],
    mistakes=[
        Mistake(
            _share_of(lambda D, d_ff: 2 * D * d_ff),
            "You count the two matrices without their biases. b1 has d_ff numbers, b2 has d_model.",
        ),
        Mistake(
            _share_of(lambda D, d_ff: 2 * D * d_ff + d_ff),
            "b2 is missing in your count. It has d_model numbers.",
        ),
        Mistake(
            _share_of(lambda D, d_ff: 2 * D * d_ff + D),
            "b1 is missing in your count. It has d_ff numbers.",
        ),
        Mistake(
            _share_of(lambda D, d_ff: 2 * D * d_ff + 2 * d_ff),
            "You count d_ff numbers for each of the two biases. The second is added to the output, which has d_model.",
        ),
        Mistake(
            _share_of(lambda D, d_ff: 2 * D * d_ff + 2 * D),
            "You count d_model numbers for each of the two biases. The first is added to the hidden units, of which "
            "there are d_ff.",
        ),
        Mistake(
            _share_of(lambda D, d_ff: D * d_ff + d_ff),
            "You count the first matrix and its bias alone. W2 and b2 belong to the network, too.",
        ),
        Mistake(
            _share_of(_count, lambda D, d_ff: 3 * D * D),
            "You count three matrices in the attention. There are four: for queries, keys and values, and W_O.",
        ),
        Mistake(
            _share_of(_count, lambda D, d_ff: D * D),
            "You count one matrix in the attention. There are four: for queries, keys and values, and W_O.",
        ),
        Mistake(
            _share_of(_count, lambda D, d_ff: 4 * D * D + 4 * D),
            "You count 4 · d_model numbers too many: biases in the attention, which has none here, or the norms, which "
            "are left out. The attention has 4 · d_model² numbers.",
        ),
        Mistake(
            _share_of(_count, lambda D, d_ff: 4 * D * D + 8 * D),
            "You count more in the attention than its four matrices. It has no biases, and the norms of chapter 8 are "
            "left out here.",
        ),
        Mistake(
            _share_of(_count, lambda D, d_ff: 4 * d_ff * d_ff),
            "You make the attention's matrices of the size d_ff. They are d_model by d_model.",
        ),
        Mistake(
            _share_of(_count, lambda D, d_ff: 8 * D * D),
            "You count two attentions, as a layer of the decoder has. Here it is one: 4 · d_model² numbers.",
        ),
        Mistake(
            _share_of(lambda D, d_ff: D * d_ff),
            "You count one matrix of the network. It has two, W1 and W2, and a bias for each.",
        ),
        Mistake(
            lambda d_model, d_ff: 2 * d_model * d_ff / (_count(d_model, d_ff) + 4 * d_model**2),
            "On top the biases b1 and b2 are missing, and below you count them. They belong to the network: count them "
            "in both places.",
        ),
        Mistake(
            lambda d_model, d_ff: _count(d_model, d_ff) + 4 * d_model**2,
            "These are the parameters of both together. Divide those of the network by them.",
        ),
        Mistake(
            lambda d_model, d_ff: 4 * d_model**2 / _count(d_model, d_ff),
            "You divide the attention by the network. Divide the network by both together.",
        ),
        Mistake(
            _share_of(lambda D, d_ff: 8 * D * D + 5 * D),
            "Your count takes d_ff for 4 · d_model, whatever it is. Use the argument `d_ff`.",
        ),
        Mistake(
            lambda d_model, d_ff: 2 / 3,
            "You give two thirds for all sizes. That is what large sizes with d_ff = 4 · d_model come near to. Count.",
        ),
        Mistake(
            lambda d_model, d_ff: _count(d_model, d_ff) / (4 * d_model**2),
            "You divide by the attention's parameters. A share is taken of both together.",
        ),
        Mistake(
            lambda d_model, d_ff: 1 - _share(d_model, d_ff),
            "This is the share of the attention. Asked is that of the feed-forward network.",
        ),
        Mistake(
            lambda d_model, d_ff: 100 * _share(d_model, d_ff),
            "These are percent. Give a share, between 0 and 1.",
        ),
        Mistake(
            lambda d_model, d_ff: _count(d_model, d_ff),
            "This is how many parameters the network has. Divide by those of network and attention together.",
        ),
        Mistake(
            lambda d_model, d_ff: _count(d_model, d_ff) // (_count(d_model, d_ff) + 4 * d_model**2),
            "`//` divides whole numbers and drops what is behind the point. Take `/`.",
        ),
        Mistake(
            lambda d_model, d_ff: round(_share(d_model, d_ff), 2),
            "You round to two decimals. Give the share as it is.",
        ),
    ],
    hints=[
        "Count both parts: W1 and W2 with their biases on one side, the four matrices of the attention on the other.",
        "The network has d_model · d_ff + d_ff + d_ff · d_model + d_model numbers, the attention 4 · d_model².",
        "The share is `network / (network + attention)`.",
    ],
)

# ---- 7.4 Which unit tells these words from the others.


def _scores(h, belongs):
    return h[belongs].mean(0) - h[~belongs].mean(0)


def _scores_in_loops(h, belongs):
    scores = []
    for unit in range(h.shape[1]):
        inside = [h[word, unit].item() for word in range(len(h)) if belongs[word]]
        outside = [h[word, unit].item() for word in range(len(h)) if not belongs[word]]
        scores.append(sum(inside) / len(inside) - sum(outside) / len(outside))
    return scores


def _scores_by_weights(h, belongs):
    inside = belongs.to(h)
    return h.T @ (inside / inside.sum() - (1 - inside) / (1 - inside).sum())


def _words_and_units() -> list[tuple]:
    inputs = [
        (torch.tensor([[4.0, 1.0], [2.0, 0.0], [0.0, 5.0]]), torch.tensor([True, True, False])),
    ]
    for seed, (n, d_ff, which) in enumerate([(5, 3, [1, 4]), (6, 4, [0, 2, 3, 5]), (7, 2, [3]), (4, 4, [0, 1, 3])]):
        rng = np.random.default_rng(80 + seed)
        h = torch.from_numpy(rng.integers(-4, 8, (n, d_ff)) / 2).relu()
        belongs = torch.zeros(n, dtype=torch.bool)
        belongs[which] = True
        inputs.append((h, belongs))
    return inputs


UNITS = Exercise(
    number="7.4",
    name="score_units",
    right=_scores,
    inputs=_words_and_units,
    also_right=[
        _scores_in_loops,
        _scores_by_weights,
        lambda h, belongs: _scores(h, belongs).float(),
        lambda h, belongs: h.numpy()[belongs.numpy()].mean(0) - h.numpy()[~belongs.numpy()].mean(0),
        lambda h, belongs: torch.stack([c[belongs].mean() - c[~belongs].mean() for c in h.T]),
    ],
    mistakes=[
        Mistake(
            lambda h, belongs: h[belongs].mean(0),
            "You give the mean over the words that belong. A unit that is strong at all words is then the best. Take "
            "the mean over the other words away.",
        ),
        Mistake(
            lambda h, belongs: h[~belongs].mean(0) - h[belongs].mean(0),
            "Your signs are the wrong way round: a unit that is strong at the words that belong gets a negative score.",
        ),
        Mistake(
            lambda h, belongs: h[belongs].mean(0) - h.mean(0),
            "You compare with the mean over all words, and those that belong are among them. Compare with the others: "
            "`h[~belongs]`.",
        ),
        Mistake(
            lambda h, belongs: h[belongs].sum(0) - h[~belongs].sum(0),
            "You compare sums. Where more words stand outside than inside, their sum is larger for that alone. Compare "
            "means.",
        ),
        Mistake(
            lambda h, belongs: (h * belongs[:, None]).mean(0) - (h * ~belongs[:, None]).mean(0),
            "You divide both sums by the number of all words: `mean` counts the zeros too. Divide each by the number "
            "of its own words, as `h[belongs].mean(0)` does.",
        ),
        Mistake(
            lambda h, belongs: _scores(h, belongs).abs(),
            "Your scores have lost their sign. A unit that is weaker at the words that belong gets a negative score.",
        ),
        Mistake(
            lambda h, belongs: h[belongs].amax(0) - h[~belongs].amax(0),
            "You compare the largest numbers. One single word then decides. Compare the means.",
        ),
        Mistake(
            lambda h, belongs: h[belongs].median(0).values - h[~belongs].median(0).values,
            "You compare medians. Asked are means.",
        ),
        Mistake(
            lambda h, belongs: _scores((h > 0).to(h), belongs),
            "You count how often a unit is on, and not how strongly. Take the mean of its numbers.",
        ),
        Mistake(
            lambda h, belongs: h[belongs].mean(0) / h[~belongs].mean(0),
            "You divide the two means. Asked is their difference. (Where a unit is silent at the other words, you "
            "divide by 0.)",
        ),
        Mistake(
            lambda h, belongs: h[belongs.long()].mean(0) - h[(~belongs).long()].mean(0),
            "`belongs` has become whole numbers, and so it picks the rows 0 and 1 again and again. Leave it boolean: "
            "`h[belongs]` then keeps the rows where it is True.",
        ),
        Mistake(
            lambda h, belongs: h[belongs].mean() - h[~belongs].mean(),
            "You take the mean over words and units together. Take it over the words alone: `mean(0)`.",
        ),
        Mistake(
            lambda h, belongs: h[belongs].mean(1),
            "You take the mean over the units, and get a number for each word. Wanted is one for each unit: `mean(0)`.",
        ),
        Mistake(
            lambda h, belongs: _scores(h, belongs).amax(),
            "This is the score of the best unit alone. Give the score of each unit.",
        ),
        Mistake(
            lambda h, belongs: _scores(h, belongs).argsort(descending=True),
            "These are the numbers of the units, the best first. Give the scores, in the order of the units.",
        ),
        Mistake(
            lambda h, belongs: _scores(h, belongs).sort(descending=True).values,
            "You sort the scores. Leave them in the order of the units: score i is that of unit i.",
        ),
        Mistake(
            lambda h, belongs: _scores(h, belongs).relu(),
            "You set the negative scores to 0. A unit that is weaker at the words that belong gets a negative score.",
        ),
        Mistake(
            lambda h, belongs: _scores(h, belongs).argmax(),
            "This is the number of the best unit. Give the score of each unit; `argmax` is for whoever calls it.",
        ),
        Mistake(
            lambda h, belongs: _scores(h, belongs) / h.std(0),
            "You divide by the standard deviation of each unit. That is a good idea, and here it is not asked: give "
            "the difference of the means as it is.",
        ),
        Mistake(
            lambda h, belongs: h.T @ belongs.to(h),
            "You add up each unit's numbers at the words that belong. Take their mean, and take the mean of the others "
            "away.",
        ),
        Mistake(
            lambda h, belongs: _scores(h.softmax(-1), belongs),
            "You make shares of the units first. Take their numbers as they are.",
        ),
    ],
    hints=[
        "For each unit two means: over the words that belong, and over those that do not.",
        "`h[belongs]` keeps the rows where `belongs` is True, `h[~belongs]` the others.",
        "`h[belongs].mean(0)` is a mean over the words, one for each unit, (F,). Take the other one away from it.",
    ],
)

EXERCISES: list[Exercise] = [WEIGHTS, NETWORK, SHARE, UNITS]
