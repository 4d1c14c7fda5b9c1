"""In which way an answer differs from the wanted one, when it is no mistake that the catalogue knows."""

import inspect
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from .calling import TooMuch
from .comparing import near, numbers, of_one_kind, parts_of, same, tolerance
from .writing import write


def difference(given, wanted, least: float = 0.0) -> str:
    """What sets an answer apart, in one to three sentences: its kind, its shape, or its numbers, with the evidence.

    Args:
        given, wanted: an answer that is wrong, and the right one.
        least: a distance between real numbers that is forgiven in any dtype.
    """
    if isinstance(given, tuple) and len(given) == 1 and same(given[0], wanted, least):
        return "It is right, but packed into a tuple of one: is there a comma at the end of the line?"
    if isinstance(given, str) and isinstance(wanted, str):
        return _of_words(given, wanted)
    if isinstance(given, dict) and isinstance(wanted, dict):
        return _of_dictionaries(given, wanted, least)
    if isinstance(given, list | tuple) and parts_of(wanted) is not None:
        return _of_lists(list(given), parts_of(wanted), least)
    a, b = numbers(given), numbers(wanted)
    said = "" if a is None or b is None else _of_tables(a, b, tolerance(given), least)
    return said or f"It is {kind_of(given)}. Wanted is {kind_of(wanted)}.{_advice(given, wanted)}"


def value_of_another_kind(given, wanted) -> str:
    """What to say where a list of numbers is to be written down, and the answer is no such list; nothing if it is."""
    table = numbers(wanted)
    if table is None or not 1 <= table.ndim <= 2:
        return ""
    form = _count(table.shape[-1], "number")
    if table.ndim == 2:
        form = f"{_count(len(table), 'row')} of {form} each, a list of lists"
    else:
        form = f"a list of {form}"
    write_it = f"Write {form}, where the `...` stood."
    if given is None:
        return f"It is None, Python's word for nothing. {write_it}"
    if isinstance(given, str):
        return f"It is text, in quotes. {write_it}"
    if isinstance(given, dict | set):
        return f"It is {kind_of(given)}, in curly brackets. {write_it} A list stands in square ones."
    if isinstance(given, list | tuple):
        items = [item for row in given for item in (row if isinstance(row, list | tuple) else [row])]
        if any(isinstance(item, str) for item in items):
            return f"There is text in it. {write_it} Numbers stand without quotes."
        if any(item is None for item in items):
            return f"There is a None in it. {write_it}"
        if any(isinstance(row, list | tuple) for row in given) and numbers(given) is None:
            return f"Its rows are not of one length. {write_it}"
    theirs = numbers(given)
    if theirs is None or theirs.size == table.size:
        return ""
    if not theirs.ndim:
        return f"It is a single number. {write_it}"
    return f"It has {_count(theirs.size, 'number')}, and wanted {_are(table.size)} {table.size}. {write_it}"


def kind_of(value) -> str:
    """What kind of thing a value is: "a tensor of shape (2, 3)", "a list of 3 items"."""
    table = numbers(value)
    if table is not None and not table.ndim:
        return {"b": "True or False", "c": "a complex number"}.get(table.dtype.kind, "a number")
    name = type(value).__name__
    noun = {"Tensor": "tensor", "ndarray": "array", "str": "string", "dict": "dictionary"}.get(name, name)
    noun = f"an {noun}" if noun[0] in "aeiouAEIOU" else f"a {noun}"
    if table is not None:
        content = {"b": " of True and False,", "c": " of complex numbers,"}.get(table.dtype.kind, "")
        return f"{noun}{content} of shape {table.shape}"
    if value is None:
        return "None, Python's word for nothing"
    if isinstance(value, list | tuple | dict | set):
        lengths = {len(item) for item in list(value)[:100] if isinstance(item, list | tuple)}
        ragged = ", themselves of different lengths" if len(lengths) > 1 else ""
        return f"{noun} of {_count(len(value), 'item')}{ragged}"
    if isinstance(value, TooMuch):
        return value.text
    if inspect.isclass(value):
        return "a class"
    return "a function" if inspect.isroutine(value) else noun


def _advice(given, wanted) -> str:
    if isinstance(given, str) and isinstance(wanted, int | float):
        return " A number stands without quotes."
    if inspect.isroutine(given):
        return " Is it to be called, with round brackets?"
    if isinstance(given, Iterator):
        return " Collect what it yields in a list, and give that."
    return ""


def _of_words(given: str, wanted: str) -> str:
    if given.split() == wanted.split():
        return "Only the blanks differ."
    if given.lower() == wanted.lower():
        return "Only capital and small letters differ."
    place = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(given, wanted, strict=False)))
    if place < 2:
        return "Only the first letter agrees." if place else "They differ from the first letter on."
    return f"The first {place} letters agree."


def _of_dictionaries(given: dict, wanted: dict, least: float) -> str:
    missing, extra = [k for k in wanted if k not in given], [k for k in given if k not in wanted]
    for keys, what in ((missing, "missing"), (extra, "too many")):
        if keys:
            return f"{_count(len(keys), 'key')} {_are(len(keys))} {what}, such as {write(keys[0])}."
    wrong = [key for key in wanted if not same(given[key], wanted[key], least)]
    detail = difference(given[wrong[0]], wanted[wrong[0]], least)
    which = (
        f"{len(wrong)} of {_count(len(wanted), 'value')} {_are(len(wrong))} wrong, such as that of {write(wrong[0])}."
    )
    return f"{which} {detail}"


def _of_lists(given: list, wanted: list, least: float) -> str:
    if len(given) != len(wanted):
        return f"It has {_count(len(given), 'item')}. Wanted {_are(len(wanted))} {len(wanted)}."
    if all(isinstance(item, str) for item in given + wanted) and Counter(given) == Counter(wanted):
        return "Its items are the right ones, in another order."
    wrong = _wrong_items(given, wanted, least)
    which = f"{len(wrong)} of {_count(len(wanted), 'item')} {_are(len(wrong))} wrong, the first at index {wrong[0]}."
    a, b, way = given[wrong[0]], wanted[wrong[0]], [wrong[0]]
    while isinstance(a, list | tuple) and parts_of(b) is not None and len(a) == len(b):  # to the innermost list
        i = _wrong_items(a, b, least)[0]
        a, b, way = a[i], b[i], [*way, i]
    inside = f" In it, look at index {', then '.join(map(str, way[1:]))}." if len(way) > 1 else ""
    return f"{which}{inside} {difference(a, b, least)}"


def _wrong_items(given: Sequence, wanted: Sequence, least: float) -> list[int]:
    return [i for i, pair in enumerate(zip(given, wanted, strict=True)) if not same(*pair, least)]


def _of_tables(given: np.ndarray, wanted: np.ndarray, within: float, least: float) -> str:
    shapes = f"It is {_shape(given)}. Wanted is {_shape(wanted)}. " if given.shape != wanted.shape else ""
    with np.errstate(all="ignore"):
        for a, b, sentence in _guesses(given, wanted):
            if a.shape == b.shape and near(a, b, within, least).all():
                return shapes + sentence
    if shapes:
        return (shapes + _of_shapes(given.shape, wanted.shape)).strip()
    if not of_one_kind(given, wanted):
        return ""
    fractions = wanted.dtype.kind in "iu" and given.dtype.kind == "f" and bool((given % 1).any())
    return _where(~near(given, wanted, within, least)) + " Whole numbers are wanted." * fractions


def _shape(table: np.ndarray) -> str:
    return f"of shape {table.shape}" if table.ndim else "a single number"


def _guesses(given: np.ndarray, wanted: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
    """What may have been done: two arrays, and what to say of the answer if these two are the same."""
    kinds = given.dtype.kind, wanted.dtype.kind
    if kinds[0] == "b" != kinds[1]:
        yield given + 0, wanted, "It holds True and False, each in its place. Wanted are numbers: use `.float()`."
    if kinds[1] == "b" != kinds[0]:
        yield given, wanted + 0, "It holds 1 and 0, each in its place. Wanted are True and False: use `.bool()`."
    if kinds[0] == "c" != kinds[1]:
        yield given.real, wanted, "It holds complex numbers. Their real parts are right."

    # The shape is another one, or the order.
    right = "The numbers are right, but"
    if given.ndim <= 4:
        for order in itertools.permutations(range(given.ndim)):
            yield given.transpose(order), wanted, f"{right} two axes are swapped: transpose it."
    if given.size == wanted.size:
        given_as_wanted, ones = given.reshape(wanted.shape), given.ndim - wanted.ndim
        if ones and [n for n in given.shape if n > 1] == [n for n in wanted.shape if n > 1]:
            yield given_as_wanted, wanted, f"{right} an axis of size 1 is {'too many' if ones > 0 else 'missing'}."
        yield given_as_wanted, wanted, f"{right} not the shape; their order is right too."
        yield given.ravel(), wanted.ravel("F"), f"{right} they are read by columns, and wanted are rows."
    for axis, n in enumerate(given.shape):
        yield np.flip(given, axis), wanted, f"{right} in reverse along axis {axis}."
        for step in (1, -1):
            yield np.roll(given, step, axis), wanted, f"{right} shifted by one along axis {axis}."
        if n:
            yield given.sum(axis), wanted, f"Its sum over axis {axis} is right: that step is missing."
            yield given.mean(axis), wanted, f"Its mean over axis {axis} is right: that step is missing."
    for axis, n in enumerate(wanted.shape):
        for keep in (False, True) if n else ():
            first, last = (wanted.take([i] if keep else i, axis) for i in (0, -1))
            only = f"of {n} along axis {axis}"
            yield given, first, f"It is only the first {only}: does `return` stand inside the loop?"
            yield given, last, f"It is only the last {only}: does each round of a loop write over the one before?"
            yield given, wanted.sum(axis, keepdims=keep), f"It is the sum over axis {axis}, which should stay."
    yield np.sort(given, None), np.sort(wanted, None), "The numbers are the right ones, in other places."

    # The numbers are others.
    if given.shape != wanted.shape or not wanted.size:
        return
    lost = ~np.isfinite(given) & np.isfinite(wanted)
    if lost.any():
        what, why = (
            ("nan", "0 / 0 and ∞ − ∞ give it, and every sum with it")
            if np.isnan(given).any()
            else ("infinite", "x / 0 gives that, and e to the power of a large number")
        )
        yield given, given, f"{_share(lost)} {_are(lost.sum())} {what}: {why}."
    if kinds[0] in "iu" and kinds[1] == "f":
        for cut in (np.trunc, np.floor, np.round):
            yield given, cut(wanted), "The decimals are cut off, since its dtype is for whole numbers: use a float one."
    if given.size > 1:
        yield given, np.zeros_like(given), "All of it is 0: is the result ever filled?"
    if "f" in kinds:
        scale = min(1, np.abs(wanted[np.isfinite(wanted)]).max(initial=0)) or 1
        close = np.isclose(given, wanted, rtol=1e-2, atol=5e-3 * scale, equal_nan=True)
        most = np.nanmax(np.abs(np.where(given == wanted, 0, given - wanted)))
        nearly = f"It is nearly right: it is off by {most:.1g} at most."
        yield close, np.ones_like(close), f"{nearly} Is something rounded, or computed in a coarser dtype?"
    if kinds[0] in "iuf" and kinds[1] in "iuf":
        yield -given, wanted, "Every sign is flipped." if given.size > 1 else "Its sign is flipped."
        alone, at = given.size == 1, np.unravel_index(np.argmax(np.abs(wanted)), wanted.shape)
        factor, offset = float(given[at] / wanted[at]), (given - wanted)[at]
        too = f"too {'large' if offset > 0 else 'small'} by {write(abs(offset))}."
        if alone and abs(offset) == 1:
            yield given, wanted + offset, f"It is {too}"
        if name := _factor(factor, alone):
            yield given, factor * wanted, f"It is {name} what it should be."
        if not alone:
            yield given, wanted + offset, f"Each number is {too}"


def _factor(factor: float, alone: bool) -> str:
    """A factor in words: "√8 times", "1/4 of", or with four decimals; of a number `alone` only if it is such a one."""
    if not 1e-100 < abs(factor) < 1e100:  # whose square is no number any more, or 0
        return ""
    sign, size = "−" * (factor < 0), abs(factor)
    for square, text in ((size, "{} times"), (1 / size, "1/{} of"), (size**2, "√{} times"), (size**-2, "1/√{} of")):
        if 2 <= square <= 4096.5 and math.isclose(square, round(square), rel_tol=1e-9 if alone else 1e-5):
            return sign + text.format(round(square))
    return "" if alone else sign + f"{size:.4f} times"


def _of_shapes(given: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if not given or not wanted:
        return ""
    if len(given) != len(wanted):
        n = abs(len(given) - len(wanted))
        return f"{_count(n, 'axis')} {_are(n)} {'too many' if len(given) > len(wanted) else 'missing'}."
    if sorted(given) == sorted(wanted):
        return "Are two axes swapped?"
    axes = [f"axis {i} has {a} in place of {b}" for i, (a, b) in enumerate(zip(given, wanted, strict=True)) if a != b]
    text = " and ".join(axes)
    return text[0].upper() + text[1:] + "."


def _where(wrong: np.ndarray) -> str:
    """Which numbers are wrong, by rows or by columns if that says it."""
    text = "It is wrong" if wrong.size == 1 else f"{_share(wrong)} {_are(wrong.sum())} wrong"
    if wrong.ndim == 2:
        for name, lines in (("row", wrong.any(1)), ("column", wrong.any(0))):
            which = np.flatnonzero(lines).tolist()
            if len(which) < len(lines) and len(which) <= 8:
                names = name + "s" * (len(which) > 1)
                return f"{text}, all in {names} {', '.join(map(str, which))} (counted from 0)."
    return f"{text}."


def _share(which: np.ndarray) -> str:
    if which.all():
        return "All of its numbers" if which.size > 1 else "It"
    return f"{which.sum()} of {_count(which.size, 'number')}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun if n == 1 else {'axis': 'axes'}.get(noun, noun + 's')}"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"
