"""The exercises of chapter 3: angles on paper, codes of any positions, words with their places, the turn of a shift."""

import math

import numpy as np
import torch
from torch.nn.functional import one_hot

from tfmlib import positional

from .exercise import Exercise, Mistake

# ---- 3.1 Angles on paper: position 5, d_model 8.

ANGLES = Exercise(
    number="3.1",
    name="answer",
    right=[5, 0.5, 0.05, 0.005],
    also_right=[(5.0, 0.5, 0.05, 0.005), torch.tensor([5, 0.5, 0.05, 0.005]), np.array([5, 0.5, 0.05, 0.005])],
    mistakes=[
        Mistake(
            [5, 1.5811, 0.5, 0.1581],
            "Each of your angles is 3.16 times smaller than the one before it: the exponent you took is i / 8. "
            "It is 2i / 8, so that each is 10 times smaller.",
        ),
        Mistake(
            [5, 50, 500, 5000],
            "Your angles grow: you multiplied by 10000^(2i/8). Divide by it. The later pairs turn more slowly.",
        ),
        Mistake(
            [6, 0.6, 0.06, 0.006],
            "These are the angles of position 6. Positions count from 0, and position 5 is the sixth word.",
        ),
        Mistake(
            [4, 0.4, 0.04, 0.004],
            "These are the angles of position 4. The position is given as 5: there is nothing to take off.",
        ),
        Mistake(
            [0.5, 0.05, 0.005, 0.0005],
            "You let i run from 1 to 4. It runs from 0 to 3: the fastest pair divides by 10000^0, which is 1.",
        ),
        Mistake(
            [5, 0.05, 0.0005, 0.000005],
            "Each of your angles is 100 times smaller than the one before it. So it is for d_model 4; "
            "for d_model 8 the step is 10000^(2/8).",
        ),
        Mistake(
            [5, 0.2321, 0.0108, 0.0005],
            "You spread the four pairs so that the last one divides by 10,000 itself. The paper's formula stops "
            "short of that: the last exponent is 6/8.",
        ),
        Mistake(
            [5, 1.5811, 0.5, 0.1581, 0.05, 0.0158, 0.005, 0.0016],
            "You have an angle for each of the eight dimensions. Sine and cosine of a pair share one angle, "
            "so there are four.",
        ),
        Mistake(
            [5, 5, 0.5, 0.5, 0.05, 0.05, 0.005, 0.005],
            "The angles are right, and each stands there twice, for its sine and its cosine. Write each once.",
        ),
        Mistake(
            [1, 0.1, 0.01, 0.001],
            "These are the angles of position 1, which are the frequencies. Multiply each by the position.",
        ),
        Mistake(
            [math.tau * 10**i for i in range(4)],
            "These are the wavelengths: after how many positions each pair has turned once. "
            "Wanted is how far it has turned at position 5.",
        ),
        Mistake(
            [math.degrees(5 / 10**i) for i in range(4)],
            "Your angles are in degrees. The formula's are in radians, where a full turn is 2π and not 360.",
        ),
        Mistake(
            [5 / 10**i / math.tau for i in range(4)],
            "Your angles are in full turns: you divided by 2π. The formula's are in radians, and need no 2π.",
        ),
        Mistake([0.005, 0.05, 0.5, 5], "These are the four, from the slowest to the fastest. Give the fastest first."),
        Mistake(
            [math.sin(5 / 10**i) for i in range(4)],
            "You went one step too far: these are the sines of the angles. Give the angles.",
        ),
        Mistake(
            [f(5 / 10**i) for i in range(4) for f in (math.sin, math.cos)],
            "You went one step too far: this is the whole code, sines and cosines. Give the four angles in it.",
        ),
    ],
    hints=[
        "There are d_model / 2 = 4 pairs, i = 0, 1, 2, 3. Each has one angle: position / 10000^(2i / d_model).",
        "10000^(2i/8) = 10^i, since 10000 is 10 four times multiplied. For the first pair it is 1.",
        "So divide 5 by 1, by 10, by 100 and by 1,000.",
    ],
)

# ---- 3.2 The codes of any positions.


def _frequencies(d_model: int, step: float | None = None, base: float = 10000.0) -> torch.Tensor:
    """(D/2,) frequencies, base^(−step · i), by default with the paper's step of 2 / d_model."""
    step = 2 / d_model if step is None else step
    return base ** (-step * torch.arange(d_model // 2, dtype=torch.float64))


def _angles(positions: torch.Tensor, frequencies: torch.Tensor) -> torch.Tensor:
    return positions.double()[:, None] * frequencies  # (S, D/2)


def _pairs(angles: torch.Tensor) -> torch.Tensor:
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)  # (S, D)


def _halves(angles: torch.Tensor) -> torch.Tensor:
    return torch.cat([angles.sin(), angles.cos()], -1)  # (S, D)


def _alternating(angles: torch.Tensor) -> torch.Tensor:
    """(S, D) angles, one for each dimension: sines of the even ones, cosines of the odd ones."""
    codes = angles.sin()
    codes[:, 1::2] = angles[:, 1::2].cos()
    return codes


def _reaching(d_model: int) -> torch.Tensor:
    return _frequencies(d_model, 1 / max(d_model // 2 - 1, 1))


def _codes(positions: torch.Tensor, d_model: int) -> torch.Tensor:
    return _pairs(_angles(positions, _frequencies(d_model)))


def _codes_by_the_words_parity(positions: torch.Tensor, d_model: int) -> torch.Tensor:
    angles = _angles(positions, _frequencies(d_model)).repeat_interleave(2, -1)
    return torch.where(positions[:, None] % 2 == 0, angles.sin(), angles.cos())


def _codes_without_cosines(positions: torch.Tensor, d_model: int) -> torch.Tensor:
    codes = torch.zeros(len(positions), d_model, dtype=torch.float64)
    codes[:, 0::2] = _angles(positions, _frequencies(d_model)).sin()
    return codes


def _codes_in_loops(positions: torch.Tensor, d_model: int) -> list[list[float]]:
    rows = []
    for position in positions.tolist():
        row = []
        for j in range(d_model):
            angle = position / 10000 ** ((j - j % 2) / d_model)
            row.append(math.cos(angle) if j % 2 else math.sin(angle))
        rows.append(row)
    return rows


def _codes_by_exp(positions: torch.Tensor, d_model: int) -> torch.Tensor:
    codes = torch.zeros(len(positions), d_model, dtype=torch.float32)
    frequencies = torch.exp(torch.arange(0, d_model, 2).float() * -(math.log(10000.0) / d_model))
    codes[:, 0::2] = torch.sin(positions.float().unsqueeze(1) * frequencies)
    codes[:, 1::2] = torch.cos(positions.float().unsqueeze(1) * frequencies)
    return codes


def _codes_in_numpy(positions: torch.Tensor, d_model: int) -> np.ndarray:
    j = np.arange(d_model)
    angles = positions.numpy()[:, None] / np.power(10000, 2 * (j // 2) / d_model)
    return np.where(j % 2 == 0, np.sin(angles), np.cos(angles))


def _side_by_side(positions: torch.Tensor, d_model: int) -> torch.Tensor:
    frequencies = 10000.0 ** (-torch.arange(0, d_model, 2).double() / d_model)
    angles = positions[:, None] * frequencies  # (S, D/2)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)  # (S, D)


def _in_halves(positions: torch.Tensor, d_model: int) -> torch.Tensor:
    frequencies = 10000.0 ** (-torch.arange(0, d_model, 2).double() / d_model)
    angles = positions[:, None] * frequencies  # (S, D/2)
    return torch.cat([angles.sin(), angles.cos()], -1)  # (S, D)


CODES = Exercise(
    number="3.2",
    name="encode_positions",
    right=_codes,
    inputs=lambda: [
        (torch.tensor([1, 4, 7]), 4),
        (torch.tensor([0, 1, 2, 3, 4]), 6),
        (torch.tensor([5]), 2),
        (torch.tensor([30, 2, 11, 0]), 12),
    ],
    also_right=[
        _side_by_side,
        _codes_in_loops,
        _codes_by_exp,
        _codes_in_numpy,
        lambda positions, d_model: positional.positional_encoding(int(positions.max()) + 1, d_model)[positions],
        lambda positions, d_model: torch.view_as_real(  # i · e^(−ia) = sin a + i cos a
            1j * torch.exp(-1j * _angles(positions, _frequencies(d_model)))
        ).flatten(1),
    ],
    mistakes=[
        Mistake(
            _in_halves,
            "Your sines stand in the first half of the row and your cosines in the second. That is a layout in use, "
            "too; the paper's has the two of a pair side by side: sin, cos, sin, cos, …",
            classic="Sines in one half, cosines in the other",
        ),
        Mistake(
            lambda positions, d_model: _codes(positions, d_model).unflatten(-1, (-1, 2)).flip(-1).flatten(1),
            "Sine and cosine are swapped: the even dimensions 0, 2, 4, … hold the sines.",
        ),
        Mistake(
            lambda positions, d_model: _pairs(_angles(positions, _frequencies(d_model, 1 / d_model))),
            "Your pairs slow down too little: the exponent you took is i / d_model, with i the number of the pair. "
            "It is 2i / d_model.",
        ),
        Mistake(
            lambda positions, d_model: _pairs(_angles(positions, _frequencies(d_model, 4 / d_model))),
            "Your pairs slow down too much: the 2 of 2i is in there twice. A count 0, 2, 4, … is 2i already.",
        ),
        Mistake(
            lambda positions, d_model: _alternating(_angles(positions, _frequencies(2 * d_model))),
            "Each of your dimensions has a frequency of its own. Sine and cosine of a pair share one: the exponent "
            "is 0, 0, 2, 2, 4, 4, … over d_model.",
        ),
        Mistake(
            lambda positions, d_model: _alternating(_angles(positions, _frequencies(2 * d_model, 2 / d_model))),
            "You took i for the number of the dimension, 0 to d_model − 1. It is the number of the pair: dimensions "
            "2i and 2i + 1 share the exponent 2i / d_model.",
        ),
        Mistake(
            lambda positions, d_model: _pairs(_angles(positions, 1 / _frequencies(d_model))),
            "You multiply the position by 10000^(2i/d_model), so that later pairs turn faster. Divide by it.",
        ),
        Mistake(
            lambda positions, d_model: _codes(positions + 1, d_model),
            "Your row for a position is that of the next one: you count from 1. Take each position as it is given.",
        ),
        Mistake(
            lambda positions, d_model: _codes(torch.arange(len(positions)), d_model),
            "You give the codes of 0, 1, 2, …, whatever positions come in. A row is the code of the position that "
            "is given for it.",
        ),
        Mistake(
            lambda positions, d_model: _pairs(torch.deg2rad(_angles(positions, _frequencies(d_model)))),
            "Your angles are taken as degrees. The formula's are radians, which is what `torch.sin` expects.",
        ),
        Mistake(
            lambda positions, d_model: _pairs(math.tau * _angles(positions, _frequencies(d_model))),
            "You multiplied the angles by 2π. At position 1 the fastest pair has turned by 1 radian, not by a full "
            "turn, after which it would look as at position 0.",
        ),
        Mistake(
            lambda positions, d_model: _codes(positions, d_model).T,
            "You give (D, S), a column for each position. Wanted is a row for each position, (S, D).",
        ),
        Mistake(
            lambda positions, d_model: _codes(positions, d_model)[None],
            "Your rows are right, with an axis of size 1 in front. Wanted is (S, D).",
        ),
        Mistake(
            lambda positions, d_model: _angles(positions, _frequencies(d_model)).sin().repeat_interleave(2, -1),
            "Both numbers of each pair are sines. The second one, in the odd dimension, is the cosine.",
        ),
        Mistake(
            _codes_without_cosines,
            "The odd dimensions are 0: the cosines are missing.",
        ),
        Mistake(
            _codes_by_the_words_parity,
            "You take sines at even positions and cosines at odd ones. It is the dimension that decides: "
            "each position has sines in its even dimensions and cosines in its odd ones.",
        ),
        Mistake(
            lambda positions, d_model: _angles(positions, _frequencies(d_model)).repeat_interleave(2, -1),
            "These are the angles. Take the sine of each for the even dimension and the cosine for the odd one.",
        ),
        Mistake(
            lambda positions, d_model: _angles(positions, _frequencies(d_model)),
            "These are the angles, (S, D/2). Each gives two numbers, its sine and its cosine, side by side: (S, D).",
        ),
        Mistake(
            lambda positions, d_model: _pairs(_angles(positions, _frequencies(d_model)).floor()),
            "Your angles are whole numbers: `//` divides a position without decimals. Divide with `/`.",
        ),
        Mistake(
            lambda positions, d_model: _pairs(_angles(positions, torch.ones(d_model // 2))),
            "All your pairs turn at the speed of the first: their exponent is 0. A whole-number division, `//`, "
            "does that: `2 * i // d_model` is 0. Divide with `/`.",
        ),
        Mistake(
            lambda positions, d_model: _pairs(_angles(positions, _frequencies(d_model, base=1000.0))),
            "Your base is 1,000. The paper's is 10,000: one zero more.",
        ),
        Mistake(
            lambda positions, d_model: _pairs(_angles(positions, _frequencies(d_model, base=math.exp(4)))),
            "You take the logarithm to base 10 and put it into exp. exp goes with the natural one, `math.log(10000)`.",
        ),
        Mistake(
            lambda positions, d_model: _pairs(_angles(positions, _reaching(d_model))),
            "You spread the pairs so that the last one divides by 10,000 itself: i / (d_model/2 − 1). The paper's "
            "formula stops short of that: the exponent is 2i / d_model.",
        ),
        Mistake(
            lambda positions, d_model: _halves(_angles(positions, _reaching(d_model))),
            "You have the sines in the first half and the cosines in the second, and the last pair divides by 10,000 "
            "itself, as in some programs. The paper has the two of a pair side by side, and the exponent 2i / d_model.",
        ),
    ],
    hints=[
        "First the frequencies, one for each pair: 10000^(−2i / d_model) for i = 0, 1, …, d_model/2 − 1. "
        "`torch.arange(0, d_model, 2)` gives the numbers 2i.",
        "The angles are a table (S, D/2): each position times each frequency. `positions[:, None]` makes of the "
        "positions a column, (S, 1), which broadcasts against the row of frequencies.",
        "Make a tensor of zeros (S, D) and fill `codes[:, 0::2]` with the sines of the angles and "
        "`codes[:, 1::2]` with their cosines.",
    ],
)

# ---- 3.3 Words with their places.


def _scaled(ids: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return weight[ids] * math.sqrt(weight.size(1))  # (B, S, D)


def _placed(ids: torch.Tensor, weight: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    return _scaled(ids, weight) + table[: ids.size(1)]


def _placed_in_loops(ids: torch.Tensor, weight: torch.Tensor, table: torch.Tensor) -> list[list[list[float]]]:
    root = weight.size(1) ** 0.5
    return [
        [
            [root * e + p for e, p in zip(weight[i].tolist(), table[place].tolist(), strict=True)]
            for place, i in enumerate(sentence.tolist())
        ]
        for sentence in ids
    ]


def _placed_in_steps(ids: torch.Tensor, weight: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    x = weight[ids] * math.sqrt(weight.size(1))  # (B, S, D)
    return x + table[: ids.size(1)]


def _placed_by_the_batch(ids: torch.Tensor, weight: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    x = weight[ids] * math.sqrt(weight.size(1))  # (B, S, D)
    return x + table[: ids.size(0), None]


def _placed_nowhere(ids: torch.Tensor, weight: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    x = weight[ids] * math.sqrt(weight.size(1))  # (B, S, D)
    return x


def _sentences_to_place() -> list[tuple]:
    # Ids below the table's length and B·S within it, so that the mistakes of the catalogue run without an error.
    inputs = []
    for ids, d_model, max_length in (
        ([[1, 3, 3], [2, 0, 4]], 4, 7),
        ([[5, 2]], 6, 8),
        ([[0, 3], [1, 1], [4, 2], [3, 5]], 2, 10),
    ):
        rows = max(max(sentence) for sentence in ids) + 1
        weight = torch.arange(rows * d_model, dtype=torch.float64).reshape(rows, d_model) % 7 / 10 - 0.2
        inputs.append((torch.tensor(ids), weight, positional.positional_encoding(max_length, d_model)))
    return inputs


PLACED = Exercise(
    number="3.3",
    name="place_words",
    right=_placed,
    inputs=_sentences_to_place,
    also_right=[
        _placed_in_steps,
        _placed_in_loops,
        lambda ids, weight, table: (_scaled(ids, weight) + table[None, : ids.shape[1], :]).float(),
        lambda ids, weight, table: (
            one_hot(ids, len(weight)).to(weight) @ weight * weight.size(1) ** 0.5
            + table[torch.arange(ids.size(1))].expand(*ids.shape, -1)
        ),
        lambda ids, weight, table: torch.stack([_scaled(row, weight) + table[: len(row)] for row in ids]),
        lambda ids, weight, table: (
            weight.numpy()[ids.numpy()] * np.sqrt(weight.shape[1]) + table.numpy()[: ids.shape[1]]
        ),
    ],
    mistakes=[
        Mistake(
            _placed_by_the_batch,
            "All words of a sentence get one code, that of the sentence's place in the batch. Cut the table along the "
            "words, not along the sentences: `ids.size(1)` rows of it.",
            classic="Positions by the batch axis",
        ),
        Mistake(
            lambda ids, weight, table: weight[ids] + table[: ids.size(1)],
            "The codes are right. The rows of the embedding are not multiplied by √D (chapter 2).",
        ),
        Mistake(
            lambda ids, weight, table: weight[ids] / math.sqrt(weight.size(1)) + table[: ids.size(1)],
            "You divide the rows of the embedding by √D. They are multiplied by it.",
        ),
        Mistake(
            lambda ids, weight, table: weight[ids] * weight.size(1) + table[: ids.size(1)],
            "You multiply the rows of the embedding by D. It is √D.",
        ),
        Mistake(
            lambda ids, weight, table: weight[ids] * math.sqrt(len(weight)) + table[: ids.size(1)],
            "You multiply the rows of the embedding by √V, the root of the number of words. It is √D, the root of the "
            "length of a vector: `weight.size(1)`.",
        ),
        Mistake(
            lambda ids, weight, table: weight[ids] * math.sqrt(ids.size(1)) + table[: ids.size(1)],
            "You multiply the rows of the embedding by √S, the root of the length of the sentence. It is √D, the root "
            "of the length of a vector: `weight.size(1)`.",
        ),
        Mistake(
            lambda ids, weight, table: math.sqrt(weight.size(1)) * (weight[ids] + table[: ids.size(1)]),
            "You multiply the sum by √D, and so the codes, too. Multiply the embedding alone, then add the codes.",
        ),
        Mistake(
            lambda ids, weight, table: weight[ids] + math.sqrt(weight.size(1)) * table[: ids.size(1)],
            "You multiply the codes by √D. It belongs to the embedding.",
        ),
        Mistake(
            lambda ids, weight, table: _scaled(ids, weight) * table[: ids.size(1)],
            "You multiply word and code. They are added. (Where a sine is 0, your product forgets the word.)",
        ),
        Mistake(
            lambda ids, weight, table: torch.cat(
                [_scaled(ids, weight), table[: ids.size(1)].expand(*ids.shape, -1)], -1
            ),
            "You append the code to the word, so that a row has 2D numbers. They are added: D numbers stay D numbers.",
        ),
        Mistake(
            lambda ids, weight, table: _scaled(ids, weight) + table[ids],
            "You look the code up by the word's id, so that a word has the same code wherever it stands. "
            "Look it up by the place: 0, 1, 2, …",
        ),
        Mistake(
            lambda ids, weight, table: _scaled(ids, weight) + table[1 : ids.size(1) + 1],
            "Each word has the code of the next place: you count from 1. The first word stands at position 0.",
        ),
        Mistake(
            lambda ids, weight, table: _scaled(ids, weight) + table[-ids.size(1) :],
            "You took the last rows of the table. A sentence begins at position 0: take the first.",
        ),
        Mistake(
            lambda ids, weight, table: _scaled(ids, weight) + table[ids.size(1)],
            "Each word gets one and the same row, `table[S]`. Wanted are the rows up to it: `table[:S]`.",
        ),
        Mistake(
            lambda ids, weight, table: _scaled(ids, weight) + table[ids.size(1) - 1],
            "Each word gets the code of the last place. Wanted is a row for each place: `table[:S]`.",
        ),
        Mistake(
            lambda ids, weight, table: _scaled(ids, weight) + table[: ids.numel()].reshape(*ids.shape, -1),
            "Your positions run on from one sentence to the next. Each sentence begins again at position 0.",
        ),
        Mistake(
            _placed_nowhere,
            "The words are right. No code of their place is added.",
            classic="No positions",
        ),
        Mistake(
            lambda ids, weight, table: table[: ids.size(1)].expand(*ids.shape, -1),
            "These are the codes alone. Add them to the words.",
        ),
    ],
    hints=[
        "Three steps: look the words up, scale them, add the codes.",
        "`weight[ids]` is (B, S, D). The scale is √D with `D = weight.size(1)`, and it belongs to the words alone.",
        "The table has max_length rows, and the sentences have S words: take `table[:S]`, with `S = ids.size(1)`. "
        "It is (S, D) and broadcasts: each of the B sentences gets the same codes.",
    ],
)

# ---- 3.4 The turn of a shift: R @ PE(p) = PE(p + k).


def _turn(angles: torch.Tensor) -> torch.Tensor:
    """(D, D): for each angle a block [[cos, sin], [−sin, cos]] on the diagonal."""
    cos, sin = angles.cos(), angles.sin()
    return torch.block_diag(*torch.stack([cos, sin, -sin, cos], -1).reshape(-1, 2, 2))


def _blocks(k: int, d_model: int, block) -> torch.Tensor:
    """(D, D): on the diagonal the 2 × 2 that `block` makes of cosine and sine of each pair's angle."""
    angles = (k * _frequencies(d_model)).tolist()
    return torch.block_diag(*(torch.tensor(block(math.cos(a), math.sin(a)), dtype=torch.float64) for a in angles))


def _shift(k: int, d_model: int) -> torch.Tensor:
    return _turn(k * _frequencies(d_model))


def _shift_in_halves(k: int, d_model: int) -> torch.Tensor:
    cos, sin = (k * _frequencies(d_model)).cos().diag(), (k * _frequencies(d_model)).sin().diag()
    return torch.cat([torch.cat([cos, sin], 1), torch.cat([-sin, cos], 1)])


def _shift_of_position_0(k: int, d_model: int) -> torch.Tensor:
    first, there = _codes(torch.tensor([0, k]), d_model)
    return torch.outer(there, first) / (d_model / 2)


def _shift_in_loops(k: int, d_model: int) -> list[list[float]]:
    R = [[0.0] * d_model for _ in range(d_model)]
    for j in range(0, d_model, 2):
        angle = k / 10000 ** (j / d_model)
        R[j][j] = R[j + 1][j + 1] = math.cos(angle)
        R[j][j + 1], R[j + 1][j] = math.sin(angle), -math.sin(angle)
    return R


def _shift_by_exponential(k: int, d_model: int) -> torch.Tensor:
    quarter = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    return torch.matrix_exp(k * torch.kron(_frequencies(d_model).diag(), quarter))


SHIFT = Exercise(
    number="3.4",
    name="shift",
    right=_shift,
    inputs=lambda: [(2, 4), (1, 2), (3, 6), (0, 4), (-1, 4), (10, 8)],
    also_right=[
        _shift_in_loops,
        _shift_by_exponential,
        lambda k, d_model: _shift(k, d_model).float(),
        lambda k, d_model: _shift(k, d_model).numpy(),
    ],
    mistakes=[
        Mistake(
            lambda k, d_model: _shift(-k, d_model),
            "Your matrix turns the other way: it takes PE(p) to PE(p − k). The block of the books, (cos, −sin; sin, "
            "cos), is for pairs with the cosine first. Here the sine is first, so the minus stands below.",
        ),
        Mistake(
            lambda k, d_model: _shift(abs(k), d_model),
            "A negative k turns back: yours turns on, as if k had no sign. Take k as it is, without `abs`. "
            "The sine of a negative angle is negative, and that turns the other way.",
        ),
        Mistake(
            lambda k, d_model: _turn(k * torch.ones(d_model // 2, dtype=torch.float64)),
            "All your pairs turn by the same angle k. Each pair has its own frequency: the angle of pair i is "
            "k / 10000^(2i/d_model).",
        ),
        Mistake(
            _shift_in_halves,
            "Your matrix is for codes with all sines in the first half and all cosines in the second. "
            "Here the two of a pair stand side by side, so R has 2 × 2 blocks along its diagonal.",
        ),
        Mistake(
            lambda k, d_model: _turn(k * _frequencies(d_model, 1 / d_model)),
            "Your pairs slow down too little: the exponent you took is i / d_model. It is 2i / d_model.",
        ),
        Mistake(
            lambda k, d_model: _turn(k * _frequencies(d_model, 4 / d_model)),
            "Your pairs slow down too much: the 2 of 2i is in there twice. A count 0, 2, 4, … is 2i already.",
        ),
        Mistake(
            lambda k, d_model: _turn(k / _frequencies(d_model)),
            "You multiply k by 10000^(2i/d_model), so that later pairs turn faster. Divide by it.",
        ),
        Mistake(
            lambda k, d_model: _turn(_frequencies(d_model)),
            "You give the same matrix for each k, that of a shift by 1. The angles are k times the frequencies.",
        ),
        Mistake(
            lambda k, d_model: _blocks(k, d_model, lambda cos, sin: [[cos, sin], [sin, cos]]),
            "Both sines of your blocks are positive. Then the block is no turn: it stretches. "
            "cos(a + b) = cos a cos b − sin a sin b has a minus, and it stands in the second row.",
        ),
        Mistake(
            lambda k, d_model: _blocks(k, d_model, lambda cos, sin: [[sin, cos], [-cos, sin]]),
            "The sines stand on your diagonal. For k = 0 nothing may turn, so the diagonal holds the cosines, "
            "which are then 1.",
        ),
        Mistake(
            lambda k, d_model: _blocks(k, d_model, lambda cos, sin: [[cos, 0], [0, cos]]),
            "You have the cosines on the diagonal and nothing beside them. Sine and cosine of a pair mix: "
            "sin(a + b) = sin a cos b + cos a sin b.",
        ),
        Mistake(
            lambda k, d_model: torch.eye(d_model, dtype=torch.float64).roll(k, 0),
            "Your matrix moves the numbers of a code to other dimensions. A shift moves no number: it turns each "
            "pair, (sin, cos), by an angle of its own.",
        ),
        Mistake(
            _shift_of_position_0,
            "Your matrix takes PE(0) to PE(k), and other positions elsewhere. It must fit each position p, "
            "and so must not be made from one of them.",
        ),
    ],
    hints=[
        "Take one pair, (sin a, cos a) with a = pω. Where must it go? To (sin(a + kω), cos(a + kω)). "
        "The addition theorems write both with sin a and cos a.",
        "sin(a + b) = cos b · sin a + sin b · cos a, and cos(a + b) = −sin b · sin a + cos b · cos a. "
        "The four factors, cos b, sin b, −sin b and cos b, are a 2 × 2 block with b = kω.",
        "R is 0 but for the blocks on its diagonal: for j = 0, 2, 4, … and `b = k / 10000 ** (j / d_model)`, "
        "`R[j, j]` and `R[j + 1, j + 1]` are cos b, `R[j, j + 1]` is sin b, and `R[j + 1, j]` is −sin b.",
    ],
)

EXERCISES: list[Exercise] = [ANGLES, CODES, PLACED, SHIFT]
