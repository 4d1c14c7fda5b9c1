"""The exercises of the chapter: embedding."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from .exercise import Exercise, Mistake


def _numbers(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# ---- 2.1 By hand: what a row of zeros and ones, or of shares, picks

PICKED = Exercise(
    number="2.1",
    name="answer",
    right=[[0, 6, 2], [2, 2, 1]],
    mistakes=[
        Mistake(
            [[4, -2, 0], [2.5, -1, 1]],
            "You counted the rows of W from 1. They are counted from 0: the third number of x belongs to the third "
            "row, whose id is 2.",
        ),
        Mistake(
            [[2, 0, 2, 5], [1, -1, 4, 3]],
            "You picked columns of W: they have 4 numbers. In x · W each number of x multiplies a row of W, so the "
            "result has 3 numbers, as a row has.",
        ),
        Mistake(
            [[0, 6, 2], [4, 4, 2]],
            "The first row is right. For the second you added the two rows whole. Each of them counts ½.",
        ),
        Mistake(
            [[0, 6, 2], [2, -1, 0]],
            "The first row is right. The second has half of W's row 1, and half of row 2 is missing: add both.",
        ),
        Mistake(
            [[0, 6, 2], [4, -2, 0]],
            "The first row is right. For the second you took one row of W. There is no single 1 in that x: take half "
            "of each of the two rows, and add.",
        ),
        Mistake(
            [[0, 6, 2], [0, 3, 1]],
            "The first row is right. The second has half of W's row 2, and half of row 1 is missing: add both.",
        ),
        Mistake(
            [[0, 12, 4], [2, 5, 2]],
            "You multiplied the rows by their ids. An id is a name, not an amount: the factor is the number that "
            "stands in x.",
        ),
    ],
    hints=[
        "x · W is a sum: the first number of x times the first row of W, plus the second times the second row, …",
        "In the first x all of these products but one are zero. In the second, two are left.",
        "The second is ½ · (4, −2, 0) + ½ · (0, 6, 2). What is that?",
    ],
    also_right=[
        torch.tensor([[0.0, 6.0, 2.0], [2.0, 2.0, 1.0]]),
        np.array([[0, 6, 2], [2, 2, 1]]),
        ((0, 6, 2), (2, 2, 1)),
    ],
)


# ---- 2.2 From ids to vectors


def _embed(ids, table):
    return F.embedding(ids, table) * math.sqrt(table.size(1))


def _embed_by_product(ids, table):
    x = F.one_hot(ids, len(table)).to(table.dtype)  # (B, S, V)
    return x @ table * table.size(-1) ** 0.5


def _embed_by_loops(ids, table):
    out = torch.zeros(*ids.shape, table.shape[1])
    for b, sentence in enumerate(ids.tolist()):
        for s, i in enumerate(sentence):
            for d in range(table.shape[1]):
                out[b, s, d] = table[i, d] * table.shape[1] ** 0.5
    return out


def _unscaled(ids, table):
    return F.embedding(ids, table)


def _divided(ids, table):
    return F.embedding(ids, table) / math.sqrt(table.size(1))


EMBED = Exercise(
    number="2.2",
    name="embed",
    right=_embed,
    inputs=lambda: [
        (torch.tensor([[2, 0]]), torch.tensor([[1.0, 2, 3, 4], [5, 6, 7, 8], [0, -1, 0, 1]])),
        (torch.tensor([[4, 1, 0], [1, 3, 4]]), _numbers(5, 9, seed=0)),
        (torch.tensor([[5, 2, 3, 2], [0, 0, 4, 1], [5, 1, 2, 4]]), _numbers(8, 6, seed=1)),
    ],
    mistakes=[
        Mistake(
            _unscaled,
            "The rows are the right ones, and the factor is missing: multiply them by √d_model.",
            classic="√d_model forgotten",
        ),
        Mistake(
            _divided,
            "You divide by √d_model. The embedding is multiplied by it. (The division belongs to attention.)",
            classic="Divided by √d_model",
        ),
        Mistake(
            lambda ids, table: table[ids] * table.size(1),
            "Your factor is d_model, or you multiplied by √d_model twice. It is the square root, once.",
        ),
        Mistake(
            lambda ids, table: table[ids] * len(table) ** 0.5,
            "Your factor is √V, the root of the number of rows. d_model is the length of a row: table.size(1).",
        ),
        Mistake(
            lambda ids, table: table[ids] * ids.size(1) ** 0.5,
            "Your factor is √S, the root of the number of words. d_model is the length of a row: table.size(1).",
        ),
        Mistake(
            lambda ids, table: table[ids] * len(ids) ** 0.5,
            "Your factor is √B, the root of the number of sentences. d_model is the length of a row: table.size(1).",
        ),
        Mistake(
            lambda ids, table: table[ids] * 2,
            "Your factor is always 2. That is √4, and fits rows of 4 numbers: d_model is the length of a row, "
            "table.size(1).",
        ),
        Mistake(
            lambda ids, table: table[ids] * 8,
            "Your factor is always 8. That is √64, of the trained model. Here d_model is the length of a row: "
            "table.size(1).",
        ),
        Mistake(
            lambda ids, table: table.T[ids] * table.size(1) ** 0.5,
            "You took columns of the table: your vectors have V numbers. A word's vector is a row, with D numbers.",
        ),
        Mistake(
            lambda ids, table: table[:, ids] * table.size(1) ** 0.5,
            "You took columns: in table[:, ids] the ids stand in the second place, which counts columns. A word's "
            "vector is a row: the ids belong in the first place.",
        ),
        Mistake(
            lambda ids, table: table[ids - 1] * table.size(1) ** 0.5,
            "You are off by one row: the id 2 gave row 1. Ids count from 0, so the id 2 is row 2. (And table[-1] is "
            "no error: it is the last row.)",
        ),
        Mistake(
            lambda ids, table: table[ids.flatten()] * table.size(1) ** 0.5,
            "The vectors are right, and the sentences have run together: you give (B · S, D). Keep the batch: "
            "(B, S, D).",
        ),
        Mistake(
            lambda ids, table: table[ids.T] * table.size(1) ** 0.5,
            "Your first two axes are swapped: you give (S, B, D). The sentences come first: (B, S, D).",
        ),
        Mistake(
            lambda ids, table: table[ids].sum(1) * table.size(1) ** 0.5,
            "You added the words of a sentence: one vector a sentence is left. Each word keeps its own: (B, S, D).",
        ),
        Mistake(
            lambda ids, table: table[ids].mean(1) * table.size(1) ** 0.5,
            "You give the mean of a sentence's words: one vector a sentence is left. Each word keeps its own: "
            "(B, S, D).",
        ),
        Mistake(
            lambda ids, table: table[ids[0]] * table.size(1) ** 0.5,
            "You looked up the first sentence only. ids holds B sentences, and all of them go through at once: "
            "(B, S, D).",
        ),
        Mistake(
            lambda ids, table: F.normalize(table[ids], dim=-1) * table.size(1) ** 0.5,
            "You gave each row the length √d_model. The rows keep their own lengths: multiply them, and divide by "
            "nothing.",
        ),
        Mistake(
            lambda ids, table: F.one_hot(ids, len(table)).to(table.dtype),
            "These are the one-hot vectors, (B, S, V). They still have to pick the rows of the table.",
        ),
    ],
    hints=[
        "A tensor of whole numbers can stand in the brackets of another: it picks rows, and keeps its own shape.",
        "table[ids] is (B, S, D). What is missing is a factor.",
        "d_model is the length of a row, table.size(1), and the factor is its square root.",
    ],
    also_right=[
        _embed_by_product,
        _embed_by_loops,
        lambda ids, table: table[ids] * torch.sqrt(torch.tensor(table.shape[-1])),
        lambda ids, table: table.float()[ids] * math.sqrt(table.size(1)),
        lambda ids, table: table.numpy()[ids.numpy()] * np.sqrt(table.shape[1]),
        lambda ids, table: (
            torch.einsum("bsv,vd->bsd", F.one_hot(ids, len(table)).to(table.dtype), table) * table.size(1) ** 0.5
        ),
        lambda ids, table: torch.stack([table[row] * table.size(1) ** 0.5 for row in ids]),
        lambda ids, table: (table[ids] * math.sqrt(table.size(1))).tolist(),
    ],
)


# ---- 2.3 How alike are the rows of a table?


def _cosines(table):
    rows = F.normalize(table, dim=1)
    return rows @ rows.T


def _cosines_by_loops(table):
    out = torch.zeros(len(table), len(table))
    for i, a in enumerate(table):
        for j, b in enumerate(table):
            out[i, j] = (a @ b) / ((a @ a).sqrt() * (b @ b).sqrt())
    return out


def _cosines_by_numpy(table):
    a = table.numpy()
    lengths = np.linalg.norm(a, axis=1)
    return a @ a.T / np.outer(lengths, lengths)


COSINES = Exercise(
    number="2.3",
    name="cosines",
    right=_cosines,
    inputs=lambda: [
        (torch.tensor([[3.0, 4.0], [6.0, 8.0], [-4.0, 3.0]]),),
        (_numbers(5, 4, seed=2) * torch.tensor([[1.0], [3.0], [0.5], [2.0], [4.0]]),),
    ],
    mistakes=[
        Mistake(
            lambda table: table @ table.T,
            "These are dot products. They grow with the lengths: divide each by the lengths of both of its rows.",
        ),
        Mistake(
            lambda table: (lambda t: t @ t.T)(table / table.norm(dim=0)),
            "Your lengths are those of the columns (dim=0). A word is a row: take the lengths along dim=1.",
        ),
        Mistake(
            lambda table: table / table.norm(dim=1),
            "The lengths are of shape (V,), and a row has D numbers. Keep them as a column, (V, 1), with keepdim=True: "
            "then each row is divided by its own length.",
        ),
        Mistake(
            lambda table: table / table.norm(dim=1, keepdim=True),
            "These are the rows at length 1. One step is left: the dot product of each with each.",
        ),
        Mistake(
            lambda table: table @ table.T / table.norm(dim=1, keepdim=True),
            "You divided by the length of one of the two rows only. A cosine is divided by both lengths.",
        ),
        Mistake(
            lambda table: table @ table.T / table.norm(dim=1),
            "You divided by the length of one of the two rows only: that of the column's word. A cosine is divided by "
            "both lengths.",
        ),
        Mistake(
            lambda table: table @ table.T / table.square().sum(1, keepdim=True),
            "You divided by the squared length of one row. The diagonal is right by luck: a cosine is divided by the "
            "lengths of both rows.",
        ),
        Mistake(
            lambda table: table @ table.T / table.square().sum(1),
            "You divided by the squared length of one row: that of the column's word. A cosine is divided by the "
            "lengths of both rows.",
        ),
        Mistake(
            lambda table: (lambda s: table @ table.T / (s * s[:, None]))(table.square().sum(1)),
            "You divided by the squared lengths: the square root is missing. The length of a row is √(sum of squares).",
        ),
        Mistake(
            lambda table: table @ table.T / table.norm() ** 2,
            "You divided by the length of the whole table, one number. Each row has a length of its own: norm(dim=1).",
        ),
        Mistake(
            lambda table: torch.cdist(table, table),
            "These are distances: 0 on the diagonal. The cosine asks for the angle, and is 1 there.",
        ),
        Mistake(
            lambda table: 1 - _cosines(table),
            "You give 1 − cosine: 0 on the diagonal. That is how unlike two rows are. Asked is how alike.",
        ),
        Mistake(
            lambda table: _cosines(table).triu(),
            "Below the diagonal stands 0: your inner loop begins at the row of the outer one. The table is symmetric, "
            "and both halves are wanted.",
        ),
        Mistake(
            lambda table: _cosines(table).clamp(-1, 1).arccos(),
            "These are the angles, in radians: 0 on the diagonal. Asked is their cosine, which is 1 there: "
            "leave out the arccos.",
        ),
        Mistake(
            lambda table: _cosines(table).abs(),
            "Your numbers have lost their sign. Two rows that point in opposite directions have the cosine −1.",
        ),
        Mistake(
            lambda table: (lambda t: t.T @ t)(F.normalize(table, dim=1)),
            "You multiplied the wrong way round: rowsᵀ · rows is (D, D) and compares columns. Asked is rows · rowsᵀ, "
            "(V, V).",
        ),
        Mistake(
            lambda table: _cosines(table.T),
            "You compare the columns of the table with each other, (D, D). A word is a row: (V, V).",
        ),
        Mistake(
            lambda table: F.cosine_similarity(table, table, dim=-1),
            "You compared each row with itself: all 1. Each row is compared with every row: (V, V).",
        ),
        Mistake(
            lambda table: (lambda t: t @ t.T)(table / table.abs().sum(1, keepdim=True)),
            "Your lengths are sums of absolute values. The length of a vector is the root of the sum of squares.",
        ),
        Mistake(
            lambda table: table @ table.T / table.size(1) ** 0.5,
            "You divided by √D, as attention will do. A cosine is divided by the lengths of the two rows.",
        ),
    ],
    hints=[
        "First bring every row to length 1. What is the dot product of two rows of length 1?",
        "The lengths are table.norm(dim=1, keepdim=True), (V, 1): divide the table by them.",
        "With rows = table / lengths, all dot products at once are rows @ rows.T.",
    ],
    also_right=[
        _cosines_by_loops,
        _cosines_by_numpy,
        lambda table: F.cosine_similarity(table[:, None], table[None], dim=-1),
        lambda table: torch.einsum("id,jd->ij", F.normalize(table), F.normalize(table)),
        lambda table: table @ table.T / torch.outer(table.norm(dim=1), table.norm(dim=1)),
        lambda table: _cosines(table.float()),
        lambda table: _cosines(table).tolist(),
        lambda table: 1 - torch.cdist(F.normalize(table), F.normalize(table)).square() / 2,
    ],
)


# ---- 2.4 Which rows learn?


def _table_gradient(ids, gradient, V):
    return F.one_hot(ids, V).to(gradient.dtype).T @ gradient


def _by_index_add(ids, gradient, V):
    return torch.zeros(V, gradient.size(1), dtype=gradient.dtype).index_add_(0, ids, gradient)


def _by_loop(ids, gradient, V):
    out = torch.zeros(V, gradient.size(1))
    for i, row in zip(ids, gradient, strict=True):
        out[i] += row
    return out


def _by_autograd(ids, gradient, V):
    table = torch.zeros(V, gradient.size(1), dtype=gradient.dtype, requires_grad=True)
    F.embedding(ids, table).backward(gradient)
    return table.grad


def _by_numpy(ids, gradient, V):
    out = np.zeros((V, gradient.shape[1]))
    np.add.at(out, ids.numpy(), gradient.numpy())
    return out


def _all_add_up(ids, gradient, V):
    out = torch.zeros(V, gradient.size(1), dtype=gradient.dtype)
    for i, row in zip(ids, gradient, strict=True):
        out[i] += row
    return out


def _last_wins(ids, gradient, V):
    out = torch.zeros(V, gradient.size(1), dtype=gradient.dtype)
    for i, row in zip(ids, gradient, strict=True):
        out[i] = row
    return out


def _first_wins(ids, gradient, V):
    return _last_wins(ids.flip(0), gradient.flip(0), V)


def _in_order(ids, gradient, V):
    out = torch.zeros(V, gradient.size(1), dtype=gradient.dtype)
    out[: len(ids)] = gradient
    return out


TABLE_GRADIENT = Exercise(
    number="2.4",
    name="table_gradient",
    right=_table_gradient,
    inputs=lambda: [
        (torch.tensor([3, 1, 3]), torch.tensor([[1.0, 2.0], [10.0, 20.0], [5.0, 6.0]]), 5),
        (torch.tensor([0, 6, 2, 6, 6, 2]), _numbers(6, 4, seed=3), 9),
    ],
    mistakes=[
        Mistake(
            _last_wins,
            "A word that stands twice got one of its two rows, the last. (`out[ids] = …`, and `out[ids] += …` too, "
            "writes each row once.) Its places add up.",
            classic="A word that stands twice learns once",
        ),
        Mistake(
            _first_wins,
            "A word that stands twice got the first of its two rows, and the second is lost. Its places add up.",
        ),
        Mistake(
            lambda ids, gradient, V: _by_index_add(ids, gradient, V) / F.one_hot(ids, V).sum(0).clamp(min=1)[:, None],
            "A word that stands twice got the mean of its two rows. They add up: moving its one row moves the loss "
            "at both places.",
        ),
        Mistake(
            lambda ids, gradient, V: _by_index_add(ids, gradient, V) / len(ids),
            "Your numbers are divided by S, the number of words. If the loss is a mean, that division is in "
            "`gradient` already.",
        ),
        Mistake(
            lambda ids, gradient, V: _by_index_add(ids, gradient, int(ids.max()) + 1),
            "Your table ends with the largest id of the sentence. It has V rows, whichever words come: "
            "the rows behind are 0.",
        ),
        Mistake(
            lambda ids, gradient, V: _by_index_add(ids, gradient, V)[: V - 1],
            "Your table has one row too few, V − 1. The ids go from 0 to V − 1, and so there are V rows.",
        ),
        Mistake(
            lambda ids, gradient, V: _by_index_add(ids, gradient, V + 1),
            "Your table has one row too many, V + 1. The ids go from 0 to V − 1, and so there are V rows.",
        ),
        Mistake(
            lambda ids, gradient, V: _by_index_add(ids, gradient, V)[ids.unique()],
            "You give the rows of the words that stand in the sentence. The gradient has the table's shape, (V, D): "
            "the other rows are 0.",
        ),
        Mistake(
            lambda ids, gradient, V: _by_index_add(ids, gradient, V)[ids],
            "You give a row for each place of the sentence, (S, D). The gradient has the table's shape: a row for "
            "each word of the vocabulary, (V, D).",
        ),
        Mistake(
            lambda ids, gradient, V: gradient,
            "This is what came in, a row for each place of the sentence, (S, D). It has to go to the rows of the "
            "table, (V, D).",
        ),
        Mistake(
            lambda ids, gradient, V: gradient.sum(0).expand(V, -1),
            "Every row of yours has the sum over the whole sentence. A row gets what came to its own word only, and "
            "0 if that word does not stand there.",
        ),
        Mistake(
            _in_order,
            "You wrote the rows in the order of the sentence. Place s belongs to the word ids[s]: its row goes there.",
        ),
        Mistake(
            lambda ids, gradient, V: _by_index_add((ids - 1) % V, gradient, V),
            "You are off by one row: what belongs to the id 3 stands in row 2. Ids count from 0.",
        ),
        Mistake(
            lambda ids, gradient, V: _by_index_add(ids, gradient, V).T,
            "Yours is (D, V), transposed. The gradient has the table's shape, (V, D).",
        ),
        Mistake(
            lambda ids, gradient, V: _by_index_add(ids, gradient, V) * gradient.size(1) ** 0.5,
            "You multiplied by √D. Here the rows are looked up and no more: there is no factor.",
        ),
        Mistake(
            lambda ids, gradient, V: -_by_index_add(ids, gradient, V),
            "The sign is turned round. The step goes against the gradient; the gradient itself keeps its sign.",
        ),
        Mistake(
            lambda ids, gradient, V: F.one_hot(ids, V).to(gradient.dtype).sum(0)[:, None].expand(-1, gradient.size(1)),
            "You counted how often each word stands in the sentence. Add up the rows of `gradient` at these places.",
        ),
    ],
    hints=[
        "The row of a word is used at each place where the word stands. How much does the loss change in all, if that "
        "row changes?",
        "Start from zeros, (V, D). Walk over the places: row ids[s] gets gradient[s] added.",
        "As a product: the lookup is X · W, so the gradient is Xᵀ · gradient, with the one-hot X, (S, V).",
    ],
    also_right=[
        _all_add_up,
        _by_index_add,
        _by_loop,
        _by_autograd,
        _by_numpy,
        lambda ids, gradient, V: gradient.new_zeros(V, gradient.size(1)).index_put((ids,), gradient, accumulate=True),
        lambda ids, gradient, V: torch.stack([gradient[ids == i].sum(0) for i in range(V)]),
        lambda ids, gradient, V: torch.einsum("sv,sd->vd", F.one_hot(ids, V).to(gradient.dtype), gradient),
        lambda ids, gradient, V: _table_gradient(ids, gradient, V).tolist(),
    ],
)

EXERCISES: list[Exercise] = [PICKED, EMBED, COSINES, TABLE_GRADIENT]
