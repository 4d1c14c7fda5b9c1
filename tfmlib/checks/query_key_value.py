"""The exercises of chapter 4: scores on paper, the soft look-up, one head from a layer's weight, to ask for a place."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from .exercise import Exercise, Mistake

# ---- 4.1 Scores on paper: two words ask each other.

THERE_AND_BACK = Exercise(
    number="4.1",
    name="answer",
    right=[14, 2],
    also_right=[(14.0, 2.0), torch.tensor([14, 2]), np.array([14.0, 2.0])],
    mistakes=[
        Mistake(
            [2, 14],
            "These are the two scores, the other way round. First, word 1 asks (query) and word 2 answers (key).",
        ),
        Mistake(
            [-8, -8],
            "You made the keys with W_Q, too. So both scores are the same. The keys come from W_K.",
        ),
        Mistake(
            [2, 2],
            "You made the queries with W_K, too. So both scores are the same. The queries come from W_Q.",
        ),
        Mistake(
            [6, 6],
            "You put the word to the right of the matrix, W x. Here a word is a row and stands to the left, x W: "
            "each number of the query goes down a column of W_Q.",
        ),
        Mistake(
            [12, 3],
            "The keys are right. In the queries the word stands to the right of the matrix, W x. Here a word is a row "
            "and stands to the left, x W: each number of the query goes down a column of W_Q.",
        ),
        Mistake(
            [7, 4],
            "The queries are right. In the keys the word stands to the right of the matrix, W x. Here a word is a row "
            "and stands to the left, x W: each number of the key goes down a column of W_K.",
        ),
        Mistake(
            [-1, -1],
            "This is the dot product of the words themselves. Project them first: the query of the one with W_Q, the "
            "key of the other with W_K.",
        ),
        Mistake(
            [2, -4],
            "This is how each word scores itself. Wanted is the query of the one with the key of the other.",
        ),
        Mistake(
            [-1, -4],
            "The queries are right, and you multiplied them with the other word itself. Multiply them with its key, "
            "x W_K.",
        ),
        Mistake(
            [6, 3],
            "The keys are right, and you multiplied them with the other word itself. Multiply them with its query, "
            "x W_Q.",
        ),
        Mistake(
            [6, 8],
            "These are the two products for the first score, 3 · 2 and 4 · 2. A dot product is their sum, one number.",
        ),
        Mistake(
            [6, 2],
            "The second score is right. In the key of word 2 a sign is lost: 1 · 1 + (−1) · (−1) is 2.",
        ),
        Mistake(
            [14, -2],
            "The first score is right. In the second one, both signs are minus: (−2) · (−1) is +2.",
        ),
        Mistake(
            [14 / math.sqrt(2), 2 / math.sqrt(2)],
            "The scores are right, and you divided them by √K. That is chapter 5's. Here the score is the dot product.",
        ),
        Mistake(
            [[3, 4], [2, 2]],
            "This is the query of word 1 and the key of word 2. Their dot product is the first score.",
        ),
        Mistake(
            [1 / (1 + math.exp(-12)), 1 / (1 + math.exp(12))],
            "You made shares of the two numbers. Wanted are the scores. (Shares would be made for each word that asks, "
            "and not of two words' scores.)",
        ),
    ],
    hints=[
        "The score with which word 1 asks word 2 is the dot product of the query of word 1 and the key of word 2.",
        "The query of word 1 is x₁ W_Q. Its first number is x₁ times the first column: 1 · 1 + 2 · 1 = 3.",
        "The query of word 1 is (3, 4), the key of word 2 is (2, 2). For the way back you need the query of word 2, "
        "x₂ W_Q, and the key of word 1, x₁ W_K.",
    ],
)

# ---- 4.2 The soft look-up.


def _shares(scores: torch.Tensor, axis: int = -1) -> torch.Tensor:
    return scores.softmax(axis)


def _look_up(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    return _shares(keys @ query) @ values  # (M,)


def _look_up_in_loops(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> list[float]:
    fits = [math.exp(sum(a * b for a, b in zip(query.tolist(), key, strict=True))) for key in keys.tolist()]
    return [sum(f * v for f, v in zip(fits, column, strict=True)) / sum(fits) for column in values.T.tolist()]


def _look_up_in_numpy(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> np.ndarray:
    fits = np.exp(keys.numpy() @ query.numpy())
    return (fits[:, None] * values.numpy()).sum(0) / fits.sum()


def _entries() -> list[tuple]:
    """Queries, keys and values: (query, (S, K), (S, M)), with sizes that differ, and once with one entry alone."""
    values = [[1.0, 0, 0, 2], [0, 1, 0, 2], [0, 0, 1, 2]]
    return [
        (torch.tensor([1.0, 0]), torch.tensor([[2.0, 1], [0, 3], [1, -1]]), torch.tensor(values)),
        (
            torch.tensor([0.5, -1, 1]),
            torch.tensor([[-1.0, 1, 0], [0.5, 0.5, 1], [1, 0, 2], [2, 2, 1]]),
            torch.tensor([[3.0, -1], [0, 2], [1, 1], [-2, 4]]),
        ),
        (torch.tensor([0.3, 0.1, -0.2, 0.4]), torch.tensor([[1.0, -2, 0.5, 3]]), torch.tensor([[5.0, 7, -1]])),
        (  # keys and values of one length, so that the two are taken for each other without an error
            torch.tensor([-1.0, 2]),
            torch.tensor([[0.0, 0.5], [1, 1.5], [-1, -0.5]]),
            torch.tensor([[4.0, 1], [-2, 0.5], [1, 3]]),
        ),
    ]


LOOK_UP = Exercise(
    number="4.2",
    name="look_up",
    right=_look_up,
    inputs=_entries,
    also_right=[
        _look_up_in_loops,
        _look_up_in_numpy,
        lambda query, keys, values: torch.einsum("s,sm->m", torch.softmax(torch.mv(keys, query), 0), values),
        lambda query, keys, values: _look_up(query.float(), keys.float(), values.float()),
        lambda query, keys, values: F.scaled_dot_product_attention(
            query[None, None], keys[None], values[None], scale=1.0
        )[0, 0],
    ],
    mistakes=[
        Mistake(
            lambda query, keys, values: values[(keys @ query).argmax()],
            "You return the value of the key that fits best. That is a hard look-up. The soft one returns a blend of "
            "all values, in the shares in which their keys fit.",
        ),
        Mistake(
            lambda query, keys, values: _shares(keys @ query),
            "These are the shares, one for each entry. Add up the values in these shares: `shares @ values`.",
        ),
        Mistake(
            lambda query, keys, values: keys @ query,
            "These are the scores, one for each entry. Make shares of them, and add up the values in these shares.",
        ),
        Mistake(
            lambda query, keys, values: (keys @ query).exp() @ values,
            "Your shares do not add up to 1: the exponentials are not divided by their sum.",
        ),
        Mistake(
            lambda query, keys, values: (keys @ query) @ values,
            "You add up the values times their scores. Scores may be negative, and do not add up to 1. Make shares of "
            "them first: the exponential of each, divided by the sum of all.",
        ),
        Mistake(
            lambda query, keys, values: (keys @ query) / (keys @ query).sum() @ values,
            "You divide the scores by their sum, without the exponential. Then a share can be negative, and the sum "
            "can be 0. Take the exponential of each score first.",
        ),
        Mistake(
            lambda query, keys, values: _shares(keys @ query / math.sqrt(len(query))) @ values,
            "You divide the scores by √K. That is chapter 5's. Here the score is the dot product as it is.",
        ),
        Mistake(
            lambda query, keys, values: _shares(keys @ query) @ keys,
            "You blend the keys. They are for finding. What is handed over are the values.",
        ),
        Mistake(
            lambda query, keys, values: values[0],
            "You return the first value, whatever the query is. Compare the query with each key.",
        ),
        Mistake(
            lambda query, keys, values: values.mean(0),
            "All entries have the same share in your blend. The share of an entry comes from how well its key fits "
            "the query.",
        ),
        Mistake(
            lambda query, keys, values: values.sum(0),
            "You add up all values, without shares. Multiply each by its share first.",
        ),
        Mistake(
            lambda query, keys, values: _shares(-(keys @ query)) @ values,
            "The worse a key fits, the larger is your share: there is a minus before the scores. A dot product is "
            "large where query and key fit, so it needs none. (The distance of two hours needed one.)",
        ),
        Mistake(
            lambda query, keys, values: _shares(-(keys - query).norm(dim=1)) @ values,
            "Your score is minus the distance of query and key, as it was for the hours. Wanted is the dot product.",
        ),
        Mistake(
            lambda query, keys, values: _shares(-(keys - query).pow(2).sum(1)) @ values,
            "Your score is minus the squared distance of query and key. Wanted is the dot product.",
        ),
        Mistake(
            lambda query, keys, values: _shares(F.normalize(keys, dim=1) @ query) @ values,
            "You brought the keys to length 1 first. Wanted is the dot product with the keys as they are.",
        ),
        Mistake(
            lambda query, keys, values: _shares(keys @ query / len(query)) @ values,
            "You divide the scores by K. Here the score is the dot product as it is, and nothing is divided.",
        ),
        Mistake(
            lambda query, keys, values: (keys @ query).abs() / (keys @ query).abs().sum() @ values,
            "You divide the scores without their signs by their sum. So a key that points away gets a share as if it "
            "fitted. Take the exponential of each score, and divide by the sum of these.",
        ),
        Mistake(
            lambda query, keys, values: _shares(F.cosine_similarity(keys, query[None], dim=1)) @ values,
            "Your score is the cosine: the dot product divided by both lengths. Wanted is the dot product as it is.",
        ),
        Mistake(
            lambda query, keys, values: _shares(_shares(keys @ query)) @ values,
            "You made shares of the shares: the exponential and the division are done twice, and all entries get "
            "nearly the same. Once is enough.",
        ),
        Mistake(
            lambda query, keys, values: _shares(keys @ query)[:, None] * values,
            "Each value is multiplied by its share, and they still stand one below the other. Add up the rows: (M,).",
        ),
        Mistake(
            lambda query, keys, values: (_shares(keys @ query)[:, None] * values).sum(1),
            "You add up the numbers within each value. Add up over the entries, the first axis, so that M numbers "
            "are left.",
        ),
        Mistake(
            lambda query, keys, values: (_shares(keys @ query) @ values)[None],
            "The blend is right, with an axis of size 1 in front. Wanted is (M,).",
        ),
        Mistake(
            lambda query, keys, values: (keys @ query).exp() @ values / len(keys),
            "You divide the exponentials by how many there are. Divide by their sum, so that the shares add up to 1.",
        ),
        Mistake(
            lambda query, keys, values: _shares(keys.sum(1)) @ values,
            "The query plays no part in your shares: you add up the numbers of each key. Multiply each key by the "
            "query first, number by number, which is the dot product `keys @ query`.",
        ),
    ],
    hints=[
        "Three steps, as for the thermometer: scores, shares, and the sum of the values in these shares.",
        "`keys @ query` is (S,): the dot product of each key with the query.",
        "With `share = scores.exp() / scores.exp().sum()`, which is (S,), the blend is `share @ values`, (M,).",
    ],
)

# ---- 4.3 One head, from the weight as nn.Linear keeps it.


def _parts(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """W_Q, W_K and W_V, (D, D) each, as they stand to the right of a word."""
    return tuple(part.T for part in weight.chunk(3))


def _head(asking, asked, W_Q, W_K, W_V) -> torch.Tensor:
    return _shares(asking @ W_Q @ (asked @ W_K).transpose(-2, -1)) @ (asked @ W_V)


def _scores(asking, asked, weight) -> torch.Tensor:
    W_Q, W_K, _ = _parts(weight)
    return asking @ W_Q @ (asked @ W_K).transpose(-2, -1)  # (B, T, S)


def _values(asked, weight) -> torch.Tensor:
    return asked @ _parts(weight)[2]  # (B, S, D)


def _one_head(asking, asked, weight):
    return _head(asking, asked, *_parts(weight))


def _one_head_in_loops(asking, asked, weight):
    W_Q, W_K, W_V = _parts(weight)
    out = []
    for sentence, other in zip(asking, asked, strict=True):
        rows = []
        for x in sentence:
            fits = [((x @ W_Q) @ (y @ W_K)).exp() for y in other]
            rows.append(sum(f * (y @ W_V) for f, y in zip(fits, other, strict=True)) / sum(fits))
        out.append(torch.stack(rows))
    return torch.stack(out)


def _one_head_by_einsum(asking, asked, weight):
    W = weight.view(3, -1, weight.size(1))
    q, k, v = (torch.einsum("bsd,kd->bsk", x, w) for x, w in zip((asking, asked, asked), W, strict=True))
    return torch.einsum("bts,bsk->btk", torch.einsum("btk,bsk->bts", q, k).softmax(2), v)


def _one_head_by_linear(asking, asked, weight):
    D = weight.size(1)
    q, k, v = F.linear(asking, weight[:D]), F.linear(asked, weight[D : 2 * D]), F.linear(asked, weight[2 * D :])
    return F.scaled_dot_product_attention(q, k, v, scale=1.0)


def _one_head_with_keys_as_rows(asking, asked, weight):
    return _scores(asking, asked, weight).transpose(-2, -1).softmax(-1) @ _values(asked, weight)


def _one_head_in_steps(asking, asked, weight):
    W_Q, W_K, W_V = (part.T for part in weight.chunk(3))
    scores = asking @ W_Q @ (asked @ W_K).transpose(-2, -1)  # (B, T, S)
    return scores.softmax(-1) @ (asked @ W_V)


def _one_head_not_transposed(asking, asked, weight):
    W_Q, W_K, W_V = weight.chunk(3)
    scores = asking @ W_Q @ (asked @ W_K).transpose(-2, -1)  # (B, T, S)
    return scores.softmax(-1) @ (asked @ W_V)


def _sentences_that_ask() -> list[tuple]:
    """(asking, asked, weight): the example; a sentence that asks itself; other sizes, T below S and above it."""
    weight = torch.tensor([[1.0, 1], [0, 1], [1, 0], [2, 1], [4, 0], [0, 8]])
    inputs = [(torch.tensor([[[1.0, 0]]]), torch.tensor([[[1.0, 0], [0, 1]]]), weight)]
    for B, T, S, D, itself in ((1, 3, 3, 2, True), (2, 3, 4, 5, False), (3, 4, 2, 3, False), (2, 3, 3, 4, False)):
        numbers = torch.arange(3 * D * D, dtype=torch.float64)
        weight = (7 * numbers % 11 / 10 - 0.4).reshape(3 * D, D)
        asking = (torch.arange(B * T * D, dtype=torch.float64) * 5 % 7 / 4 - 0.5).reshape(B, T, D)
        asked = (torch.arange(B * S * D, dtype=torch.float64) * 3 % 8 / 4 - 0.75).reshape(B, S, D)
        inputs.append((asking, asking.clone() if itself else asked, weight))
    return inputs


ONE_HEAD = Exercise(
    number="4.3",
    name="one_head",
    right=_one_head,
    inputs=_sentences_that_ask,
    also_right=[
        _one_head_in_steps,
        _one_head_in_loops,
        _one_head_by_einsum,
        _one_head_by_linear,
        lambda asking, asked, weight: _one_head(asking.float(), asked.float(), weight.float()),
        lambda asking, asked, weight: _one_head(asking, asked, weight).numpy(),
    ],
    mistakes=[
        Mistake(
            _one_head_not_transposed,
            "You multiply by the parts of `weight` as they stand. `nn.Linear` keeps them transposed, so it is "
            "`x @ part.T`. They are square, so there is no error that would tell you.",
            classic="nn.Linear's weight as it stands",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asked, asked, *_parts(weight)),
            "Your queries come from the words that are asked. The words of `asking` ask.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking, asking, *_parts(weight)),
            "Your keys and values come from the words that ask. The words of `asked` answer.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asked, asking, *_parts(weight)),
            "The two are swapped: your queries come from `asked`, your keys and values from `asking`.",
        ),
        Mistake(
            lambda asking, asked, weight: _shares(_scores(asking, asking, weight)) @ _values(asked, weight),
            "Your keys come from the words that ask. The words of `asked` offer the keys, and hand over the values.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking, asked, *(_parts(weight)[i] for i in (0, 0, 2))),
            "You make the keys with W_Q. They come from W_K, the rows D to 2D of the weight.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking, asked, *(_parts(weight)[i] for i in (1, 1, 2))),
            "You make the queries with W_K. They come from W_Q, the first D rows of the weight.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking, asked, *(_parts(weight)[i] for i in (1, 0, 2))),
            "W_Q and W_K are swapped: the first D rows make the queries, the next D rows the keys.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking, asked, *(_parts(weight)[i] for i in (0, 1, 1))),
            "You blend the keys: your values are made with W_K. They come from W_V, the last D rows.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking, asked, *(_parts(weight)[i] for i in (1, 2, 0))),
            "You take the parts in the order key, value, query. From the top they are W_Q, W_K, W_V.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking, asked, *(_parts(weight)[i] for i in (0, 2, 1))),
            "You take the parts in the order query, value, key. From the top they are W_Q, W_K, W_V.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking, asked, *(_parts(weight)[i] for i in (2, 1, 0))),
            "You take the parts in the order value, key, query. From the top they are W_Q, W_K, W_V.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking, asked, weight[0::3].T, weight[1::3].T, weight[2::3].T),
            "You take every third row of the weight. The parts stand one above the other: the first D rows are W_Q "
            "transposed, the next D rows W_K, the last D rows W_V.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking, asked, weight.chunk(3)[0], *_parts(weight)[1:]),
            "Your W_Q is transposed. `nn.Linear` keeps it so, and it is to be turned back: `asking @ part.T`.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking, asked, *weight.chunk(3)[:2], _parts(weight)[2]),
            "Your W_Q and W_K are transposed. `nn.Linear` keeps them so, and they are to be turned back: `x @ part.T`.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking, asked, *_parts(weight)[:2], weight.chunk(3)[2]),
            "Your W_V is transposed. `nn.Linear` keeps it so, and it is to be turned back: `asked @ part.T`.",
        ),
        Mistake(
            lambda asking, asked, weight: (
                _shares(asking @ (asked @ _parts(weight)[1]).transpose(-2, -1)) @ _values(asked, weight)
            ),
            "Your queries are the words themselves. Project them first: `asking` times W_Q.",
        ),
        Mistake(
            lambda asking, asked, weight: (
                _shares(asking @ _parts(weight)[0] @ asked.transpose(-2, -1)) @ _values(asked, weight)
            ),
            "Your keys are the words themselves. Project them first: `asked` times W_K.",
        ),
        Mistake(
            lambda asking, asked, weight: (
                _values(asked, weight).mean(1, keepdim=True).expand(len(asked), asking.size(1), -1)
            ),
            "All words have the same share in your blend. The shares come from the scores, queries times keys.",
        ),
        Mistake(
            lambda asking, asked, weight: asking + _one_head(asking, asked, weight),
            "You add the words to what they get. (The model does that, too, in chapter 8.) Here the blend alone is "
            "wanted.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking.flatten(0, 1), asked.flatten(0, 1), *_parts(weight)).view(
                len(asking), asking.size(1), -1
            ),
            "Your words ask the words of all sentences of the batch. Each sentence of `asking` asks the sentence at "
            "the same place of `asked` alone.",
        ),
        Mistake(
            lambda asking, asked, weight: _shares(_scores(asking, asked, weight), 0) @ _values(asked, weight),
            "Your shares add up to 1 over the sentences of the batch, the first axis. Each word that asks shares out "
            "its own row: over the words that are asked, the last axis.",
        ),
        Mistake(
            lambda asking, asked, weight: _shares(_scores(asking, asked, weight)) @ asked,
            "You blend the words themselves. What is handed over are their values, `asked` times W_V.",
        ),
        Mistake(
            lambda asking, asked, weight: _shares(asking @ asked.transpose(-2, -1)) @ asked,
            "The weight plays no part: your words are query, key and value themselves. Project them first.",
        ),
        Mistake(
            lambda asking, asked, weight: _shares(asking @ asked.transpose(-2, -1)) @ _values(asked, weight),
            "Your scores compare the words themselves. Compare the queries with the keys.",
        ),
        Mistake(
            lambda asking, asked, weight: _shares(_scores(asking, asked, weight), -2) @ _values(asked, weight),
            "Your shares add up to 1 down a column, over the words that ask. Each word that asks shares out its own "
            "row: over the words that are asked, the last axis.",
        ),
        Mistake(
            _one_head_with_keys_as_rows,
            "Your scores are transposed: their rows are the keys. It is queries times keys transposed, (B, T, S), so "
            "that each row belongs to a word that asks.",
        ),
        Mistake(
            lambda asking, asked, weight: (
                _scores(asking, asked, weight).exp()
                / _scores(asking, asked, weight).exp().sum((-2, -1), keepdim=True)
                @ _values(asked, weight)
            ),
            "All shares of a sentence together add up to 1. Each row, of one word that asks, adds up to 1 by itself: "
            "divide by the sum over the last axis.",
        ),
        Mistake(
            lambda asking, asked, weight: (
                _scores(asking, asked, weight).exp()
                / _scores(asking, asked, weight).exp().sum(-1)
                @ _values(asked, weight)
            ),
            "The sum of a row has lost its axis: it is (B, T), and broadcasting lays it along the wrong axes. Keep the "
            "axis, with `keepdim=True`: (B, T, 1).",
        ),
        Mistake(
            lambda asking, asked, weight: (
                _shares(asking @ _parts(weight)[0] @ (asked @ _parts(weight)[1]).permute(2, 1, 0))
                @ _values(asked, weight)
            ),
            "`k.T` reverses all three axes of a batch. Swap the last two alone: `k.transpose(-2, -1)`.",
        ),
        Mistake(
            lambda asking, asked, weight: _scores(asking, asked, weight).exp() @ _values(asked, weight),
            "Your shares do not add up to 1: divide the exponentials by the sum of their row, with `keepdim=True`.",
        ),
        Mistake(
            lambda asking, asked, weight: _scores(asking, asked, weight) @ _values(asked, weight),
            "You add up the values times their scores. Make shares of the scores first: exponential, then divided by "
            "the sum of the row.",
        ),
        Mistake(
            lambda asking, asked, weight: (
                _shares(_scores(asking, asked, weight) / math.sqrt(weight.size(1))) @ _values(asked, weight)
            ),
            "You divide the scores by √K. That is chapter 5's. Here the score is the dot product as it is.",
        ),
        Mistake(
            lambda asking, asked, weight: (
                F.one_hot(_scores(asking, asked, weight).argmax(-1), asked.size(1)).to(asked) @ _values(asked, weight)
            ),
            "Each word takes the value of the one word that fits best. That is a hard look-up. Blend all values, in "
            "the shares in which their keys fit.",
        ),
        Mistake(
            lambda asking, asked, weight: _shares(_scores(asking, asked, weight)),
            "These are the shares, (B, T, S). Blend the values with them: `shares @ v`.",
        ),
        Mistake(
            lambda asking, asked, weight: _scores(asking, asked, weight),
            "These are the scores, (B, T, S). Make shares of each row, and blend the values with them.",
        ),
        Mistake(
            lambda asking, asked, weight: _values(asked, weight),
            "These are the values. Each word that asks gets a blend of them, in shares that come from its query.",
        ),
        Mistake(
            lambda asking, asked, weight: _head(asking, asked, *weight.reshape(weight.size(1), -1).chunk(3, -1)),
            "You reshaped the weight to (D, 3D). That keeps the numbers in the order in which they lie, so each "
            "column is a mixture. Wanted is the transpose: `weight.T`.",
        ),
    ],
    hints=[
        "First take the weight apart: its first D rows are W_Q transposed, the next D rows W_K, the last D rows W_V. "
        "`weight.chunk(3)` gives the three.",
        "A word is a row, so the queries are `asking @ part.T` with the first part. Keys and values are made of "
        "`asked` with the second and the third.",
        "The scores are `q @ k.transpose(-2, -1)`, (B, T, S). Each row becomes shares: `.exp()`, then divided by "
        "`.sum(-1, keepdim=True)`. Then `shares @ v`.",
    ],
)


# ---- 4.4 To ask for a place: PE(p) W_Q = the first K numbers of PE(p + step).


def _frequencies(d_model: int, exponent: float = 2.0) -> torch.Tensor:
    """(D/2,): 10000^(−exponent · i / D)."""
    return 10000.0 ** (-exponent * torch.arange(d_model // 2, dtype=torch.float64) / d_model)


def _turned(angles: torch.Tensor) -> torch.Tensor:
    """(D, D): a row (sin a, cos a) of each pair times this is the same pair, turned on by its angle."""
    cos, sin = angles.cos(), angles.sin()
    return torch.block_diag(*torch.stack([cos, -sin, sin, cos], -1).reshape(-1, 2, 2))


def _ask_for(step: int, d_model: int, d_k: int) -> torch.Tensor:
    return _turned(step * _frequencies(d_model))[:, :d_k]  # (D, K)


def _ask_for_in_loops(step: int, d_model: int, d_k: int) -> list[list[float]]:
    W = [[0.0] * d_k for _ in range(d_model)]
    for j in range(0, d_k, 2):
        angle = step / 10000 ** (j / d_model)
        W[j][j] = W[j + 1][j + 1] = math.cos(angle)
        W[j + 1][j], W[j][j + 1] = math.sin(angle), -math.sin(angle)
    return W


def _ask_for_in_halves(step: int, d_model: int, d_k: int) -> torch.Tensor:
    angles = step * _frequencies(d_model)
    cos, sin = angles.cos().diag(), angles.sin().diag()
    return torch.cat([torch.cat([cos, -sin], 1), torch.cat([sin, cos], 1)])[:, :d_k]


def _ask_for_without_the_minus(step: int, d_model: int, d_k: int) -> torch.Tensor:
    angles = step * _frequencies(d_model)
    cos, sin = angles.cos(), angles.sin()
    return torch.block_diag(*torch.stack([cos, sin, sin, cos], -1).reshape(-1, 2, 2))[:, :d_k]


ASK_FOR = Exercise(
    number="4.4",
    name="ask_for",
    right=_ask_for,
    inputs=lambda: [(1, 4, 2), (-1, 4, 2), (2, 8, 4), (3, 6, 6), (0, 8, 2), (-5, 12, 6)],
    also_right=[
        _ask_for_in_loops,
        lambda step, d_model, d_k: _ask_for(step, d_model, d_k).float(),
        lambda step, d_model, d_k: _ask_for(step, d_model, d_k).numpy(),
        lambda step, d_model, d_k: torch.linalg.matrix_power(_turned(_frequencies(d_model)), step)[:, :d_k],
    ],
    mistakes=[
        Mistake(
            lambda step, d_model, d_k: _ask_for(-step, d_model, d_k),
            "Your matrix asks for the place on the other side, p − step. Chapter 3's R has the code as a column, "
            "R @ PE. Here the code is a row and stands to the left, so it is R transposed: the minus stands above.",
        ),
        Mistake(
            lambda step, d_model, d_k: _ask_for(-1, d_model, d_k),
            "Your matrix always asks for the place before, whatever `step` is. The angle of a pair is step times its "
            "frequency.",
        ),
        Mistake(
            lambda step, d_model, d_k: _ask_for(1, d_model, d_k),
            "Your matrix always asks for the next place, whatever `step` is. The angle of a pair is step times its "
            "frequency.",
        ),
        Mistake(
            lambda step, d_model, d_k: _ask_for(abs(step), d_model, d_k),
            "A negative step asks for a place before. Yours asks for one after, as if step had no sign.",
        ),
        Mistake(
            lambda step, d_model, d_k: _turned(step * _frequencies(d_model)),
            "Your matrix has all D columns, so it makes D numbers of a code. Keep the first K columns.",
        ),
        Mistake(
            lambda step, d_model, d_k: _turned(step * _frequencies(d_model))[:d_k],
            "You kept the first K rows, (K, D). The code has D numbers and stands to the left, so W_Q has D rows. Keep "
            "K of its columns.",
        ),
        Mistake(
            lambda step, d_model, d_k: _ask_for(step, d_model, d_k).T,
            "Your matrix is (K, D), as `nn.Linear` keeps it. Wanted is (D, K), as it stands to the right of a code.",
        ),
        Mistake(
            lambda step, d_model, d_k: _turned(step * _frequencies(d_model))[:, -d_k:],
            "You kept the last K columns, the slow hands. Key and query are the first K numbers of a code.",
        ),
        Mistake(
            lambda step, d_model, d_k: F.pad(_turned(step * _frequencies(d_k)), (0, 0, 0, d_model - d_k)),
            "You took the frequencies of a code with K numbers. The code has D: the exponent is 2i / D, also for the "
            "hands of the first K numbers.",
        ),
        Mistake(
            lambda step, d_model, d_k: _turned(step * _frequencies(d_k)),
            "You made a (K, K) rotation for codes of K numbers. The codes have D: W_Q is (D, K), and the frequencies "
            "are those of D.",
        ),
        Mistake(
            lambda step, d_model, d_k: _turned(step * _frequencies(d_model))[:d_k, :d_k],
            "The numbers are right, and you cut the rows, too, (K, K). All D rows are needed, the others are 0: the "
            "code has D numbers.",
        ),
        Mistake(
            lambda step, d_model, d_k: _turned(step * _frequencies(d_model, 1.0))[:, :d_k],
            "Your hands slow down too little: the exponent you took is i / D. It is 2i / D.",
        ),
        Mistake(
            lambda step, d_model, d_k: _turned(step / _frequencies(d_model))[:, :d_k],
            "You multiply the step by 10000^(2i/D), so that later hands turn faster. Divide by it.",
        ),
        Mistake(
            lambda step, d_model, d_k: _turned(torch.full((d_model // 2,), float(step), dtype=torch.float64))[:, :d_k],
            "All your hands turn by the same angle. Each has its own frequency: the angle of hand i is "
            "step / 10000^(2i/D).",
        ),
        Mistake(
            lambda step, d_model, d_k: _turned(step * _frequencies(d_model, 4.0))[:, :d_k],
            "Your hands slow down too much: the exponent you took is 4i / D, as if i, which counts the hands, already "
            "went in steps of two. It is 2i / D.",
        ),
        Mistake(
            lambda step, d_model, d_k: (step * _turned(_frequencies(d_model)))[:, :d_k],
            "You multiply the matrix by step. To turn step times, multiply the angle: step times the frequency.",
        ),
        Mistake(
            _ask_for_without_the_minus,
            "A minus is missing: your block is (cos, sin; sin, cos). A rotation has one sine with a minus, here the "
            "one above.",
        ),
        Mistake(
            lambda step, d_model, d_k: (
                _turned(step * _frequencies(d_model)).reshape(-1, d_model // 2, 2).flip(2).reshape(d_model, -1)[:, :d_k]
            ),
            "The two columns of each hand are swapped. A hand is (sin, cos), in this order, so its first column makes "
            "the new sine: cos above, sin below.",
        ),
        Mistake(
            lambda step, d_model, d_k: torch.eye(d_model, dtype=torch.float64)[:, :d_k],
            "Your matrix lets through the first K numbers as they are. That is W_K. With it, each place asks for "
            "itself. Turn each hand by its angle.",
        ),
        Mistake(
            lambda step, d_model, d_k: torch.eye(d_model, dtype=torch.float64).roll(step, 0)[:, :d_k],
            "Your matrix moves the numbers of a code to other columns. Another place is no other column: it turns each "
            "hand, (sin, cos), by an angle of its own.",
        ),
        Mistake(
            _ask_for_in_halves,
            "Your matrix is for codes with all sines in the first half. Here sine and cosine of a hand stand side by "
            "side, so the matrix has 2 × 2 blocks along its diagonal.",
        ),
        Mistake(
            lambda step, d_model, d_k: _turned(step * _frequencies(d_model))[:, 0 : 2 * d_k : 2],
            "You kept every second column, the sines alone. Keep the first K columns: sine and cosine of K/2 hands.",
        ),
    ],
    hints=[
        "In chapter 3, R @ PE(p) = PE(p + k), with the code as a column. Here the code is a row. Transpose both sides: "
        "PE(p) @ R.T = PE(p + k).",
        "R.T has blocks [[cos a, −sin a], [sin a, cos a]] along its diagonal, with a = step / 10000^(j/D) for "
        "j = 0, 2, 4, …",
        "The chapter's `back` is made the same way, for one word back. Turn by `step` times the frequency, with the "
        "minus above, and keep the first K columns: `[:, :d_k]`.",
    ],
)

EXERCISES: list[Exercise] = [THERE_AND_BACK, LOOK_UP, ONE_HEAD, ASK_FOR]
