"""When two answers are the same: in any container, in any dtype, as exactly as that dtype allows."""

from numbers import Number

import numpy as np
import torch

TOLERANCE = {"float32": 1e-4, "complex64": 1e-4, "float16": 1e-2, "bfloat16": 3e-2}  # float64, and Python's own: 1e-6
ROUNDED = 5.1e-5  # how far a number may be that a person wrote down with four decimals


def numbers(value) -> np.ndarray | None:
    """The numbers of a tensor, an array, a number, or lists of them, as an array; None if it is anything else.

    Real numbers come in float64 at least; whole numbers, booleans and complex ones stay what they are.
    """
    try:
        if isinstance(value, torch.Tensor):
            value = value.detach().cpu().to_dense()
            value = (value.double() if value.is_floating_point() else value).numpy(force=True)
        elif isinstance(value, list | tuple | range):
            if any(isinstance(item, torch.Tensor | list | tuple) for item in value):
                tables = [numbers(item) for item in value]
                return None if any(table is None for table in tables) else np.stack(tables)
            value = np.asarray(value)
        elif isinstance(value, Number | np.ndarray | np.generic):
            value = np.asarray(value)
        else:
            return None
        if value.dtype.kind == "O" and all(isinstance(item, Number) for item in value.flat):  # such as fractions
            value = value.astype(float)
        if value.dtype.kind == "f":
            value = value.astype(float)
        return value if value.dtype.kind in "biufc" else None
    except (TypeError, ValueError, RuntimeError, OverflowError):  # ragged, too deep, on no device
        return None


def tolerance(value) -> float:
    """How far, relatively, an answer may be from the right one: the coarsest dtype in it decides."""
    if isinstance(value, list | tuple):
        return max(map(tolerance, value[:100]), default=1e-6)
    return TOLERANCE.get(str(getattr(value, "dtype", "")).removeprefix("torch."), 1e-6)


def near(given: np.ndarray, wanted: np.ndarray, within: float, least: float = 0.0) -> np.ndarray:
    """Where two arrays of one shape agree, `within` a relative distance; to whole numbers it is not relative."""
    with np.errstate(all="ignore"):
        if wanted.dtype.kind in "biu":
            return given == wanted if given.dtype.kind in "biu" else np.isclose(given, wanted, rtol=0, atol=within)
        largest = np.abs(wanted[np.isfinite(wanted)]).max(initial=0) or 1
        exact = within * min(1, largest), least * (largest > 1e-3)
        return np.isclose(given, wanted, rtol=max(within, least), atol=max(exact), equal_nan=True)


def same(given, wanted, least: float = 0.0) -> bool:
    """Whether an answer is the wanted one.

    A tensor, an array and nested lists are the same if their shapes and numbers are; True is no 1. Words, and lists
    and dictionaries of words, are compared letter for letter, tuples and lists of tensors one by one.

    Args:
        given, wanted: anything.
        least: a distance between real numbers that is forgiven in any dtype.
    """
    if isinstance(wanted, dict):
        return (
            isinstance(given, dict)
            and given.keys() == wanted.keys()
            and all(same(given[key], wanted[key], least) for key in wanted)
        )
    parts = parts_of(wanted)
    if parts is not None:
        theirs = parts_of(given, of_tables=True)
        return (
            theirs is not None
            and len(theirs) == len(parts)
            and all(same(a, b, least) for a, b in zip(theirs, parts, strict=True))
        )
    table = numbers(wanted)
    if table is not None:
        theirs = numbers(given)
        if theirs is None or theirs.shape != table.shape or not of_one_kind(theirs, table):
            return False
        return bool(near(theirs, table, tolerance(given), least).all())
    try:
        return bool(given == wanted)
    except Exception:  # whatever the learner's object does when it is compared
        return False


def parts_of(value, of_tables: bool = False) -> list | None:
    """The parts that are compared one by one: of a list of words or a tuple of tensors; None of a table of numbers."""
    if isinstance(value, torch.Tensor | np.ndarray):
        return list(value) if of_tables and value.ndim else None
    if not isinstance(value, list | tuple):
        return None
    whole = numbers(value) is not None and not any(isinstance(item, torch.Tensor | np.ndarray) for item in value)
    return None if whole and not of_tables else list(value)


def of_one_kind(given: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether both are real, or both True and False, or both complex."""
    a, b = given.dtype.kind, wanted.dtype.kind
    return a == b or not {a, b} & {"b", "c"}
