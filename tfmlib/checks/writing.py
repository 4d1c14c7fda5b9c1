"""Values and calls as the learner would write them: small tensors, four decimals, lines that can be copied and run."""

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch

from .comparing import numbers
from .exercise import Given

FIRST, LAST, ALL = 6, 2, 12  # of an axis longer than ALL, the FIRST and the LAST items are written
WIDEST = 72  # characters of what stays on one line
MARK = ("\x02", "\x03")  # stand around a marked number, until a page or a terminal puts in what it has


def write(value, marked: np.ndarray | None = None, digits: int = 4) -> str:
    """A value as text, the same every time: numbers with few decimals, and of what is long the two ends.

    Args:
        value: anything at all.
        marked: of the shape of the value, True where a number is to stand between the two of `MARK`.
        digits: how many decimals at most.
    """
    table = numbers(value)
    if table is not None and not table.size:
        return "[]"
    if table is not None:
        text = _table(table, marked, digits)
        return f"({text[1:-1]}{',' * (len(value) == 1)})" if isinstance(value, tuple) else text
    if isinstance(value, dict):
        return _list("{", [f"{write(key)}: {write(value[key])}" for key in list(value)[:ALL]], "}", len(value))
    if isinstance(value, list | tuple):
        first, last = "()" if isinstance(value, tuple) else "[]"
        return _list(first, [write(item) for item in value[:ALL]], last, len(value))
    if isinstance(value, str):
        return repr(value if len(value) <= 200 else value[:200] + "…")
    try:
        text = without_addresses(repr(value))
    except Exception:  # of a class of the learner's own
        text = f"<{type(value).__name__}>"
    return text if len(text) <= WIDEST else text[:WIDEST] + "…"


def write_call(name: str, parameters: Iterable[str], arguments: Iterable) -> str:
    """A call: on one line where it fits, else below its arguments, each with its name."""
    parameters, arguments = list(parameters), [_argument(argument) for argument in arguments]
    line = f"{name}({', '.join(arguments)})"
    if "\n" not in line and len(line) <= WIDEST:
        return line
    lines = [f"{p} = " + _hanging(text, len(p) + 3) for p, text in zip(parameters, arguments, strict=False)]
    return "\n".join([*lines, f"{name}({', '.join(parameters[: len(arguments)])})"])


def without_addresses(text: str) -> str:
    """The text without what is another in each run: where an object lies in memory."""
    return re.sub(r"(?: object)? at 0x[0-9a-fA-F]+", "", text)


def _argument(value) -> str:
    if isinstance(value, Given):
        return value.code  # whole: it is to be copied
    if isinstance(value, torch.Tensor):
        text = write(value)
        return f"torch.tensor({text})" if "\n" not in text else f"torch.tensor(\n    {_indent(text, 4)})"
    if isinstance(value, list) and any(isinstance(item, torch.Tensor | Given) for item in value):
        return _list("[", list(map(_argument, value)), "]", len(value))
    return write(value)


def _list(first: str, items: Sequence[str], last: str, length: int) -> str:
    items = [*items, f"… {length - len(items)} more"] if length > len(items) else items
    line = first + ", ".join(items) + "," * (first == "(" and length == 1) + last
    if "\n" not in line and len(line) <= WIDEST:
        return line
    return "\n    ".join([first, *(_indent(item, 4) + "," for item in items)]) + "\n" + last


def _hanging(text: str, width: int) -> str:
    """The text with its further lines below its first, unless that ends in a bracket, behind which they start anew."""
    return text if text.partition("\n")[0].endswith(("(", "[", "{")) else _indent(text, width)


def _indent(text: str, width: int) -> str:
    return text.replace("\n", "\n" + " " * width)


def _table(table: np.ndarray, marked: np.ndarray | None, digits: int) -> str:
    axes = [range(n) if n <= ALL else [*range(FIRST), *range(n - LAST, n)] for n in table.shape]
    seen = table[np.ix_(*axes)]
    marks = np.zeros(seen.shape, bool) if marked is None else marked[np.ix_(*axes)]
    text = _number_writer(seen, digits)
    cells = np.array([text(number) for number in seen.flat], object)
    width = max(map(len, cells))
    for i, mark in enumerate(marks.flat):
        blank = " " * (width - len(cells[i]))
        cells[i] = blank + (cells[i].join(MARK) if mark else cells[i])
    return _brackets(cells.reshape(seen.shape), [n > ALL for n in table.shape])


def _brackets(cells, cut: list[bool]) -> str:
    if not cut:
        return str(cells)
    rows = [_brackets(row, cut[1:]) for row in cells]
    if cut[0]:
        rows.insert(FIRST, "…")
    between = ", " if len(cut) == 1 else ",\n"
    return "[" + _indent(between.join(rows), 1) + "]"


def _number_writer(table: np.ndarray, most: int) -> Callable:
    """How the numbers of a table are written, all of them alike: 3, 3.5, 3.1416, 3.142e-05; never -0."""
    if table.dtype.kind in "biu":
        return str
    finite = table[np.isfinite(table)]
    largest = np.abs(finite).max(initial=0)
    for digits in range(1, most + 1):
        if largest < 1e7 and np.allclose(finite, np.round(finite, digits), rtol=0, atol=1e-9):
            return f"{{:z.{digits}f}}".format
    return (f"{{:z.{most}f}}" if 0.01 <= largest < 1e7 else f"{{:.{most - 1}e}}").format
