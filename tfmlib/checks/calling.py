"""Calls an answer with copies of its arguments, and comes back whatever it does."""

import contextlib
import copy
import io
import math
import random
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import torch

from .comparing import same

LARGE = 100_000  # numbers, or items of a list
LONGEST_PRINT = 1000  # characters of what an answer prints that are kept


class TimeIsUp(BaseException):
    """The answer has not come back in time. It is no Exception, which the learner's own code may catch."""


@dataclass(frozen=True)
class TooMuch:
    """Stands for a value that is more than can be looked at, and says what it is."""

    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass
class Outcome:
    """What a call gave: a value, or an error; what it printed, and the places of the arguments that it changed."""

    value: Any = None
    error: BaseException | None = None
    printed: str = ""
    changed: tuple[int, ...] = ()


def attempt(function, arguments: Sequence, seconds: float | None = None) -> Outcome:
    """Call a function with copies of the arguments; float64 ones come in the default dtype, as the learner has it.

    Args:
        function: anything that can be called.
        arguments: stay as they are.
        seconds: after so many it is stopped, where that is possible: on the main thread, and not on Windows.
    """
    given, before = _copy(arguments), _copy(arguments)
    outcome, printed = Outcome(), _Printed()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), _no_exit(), _alarm(seconds):
            outcome.value = kept(function(*given))
    except (Exception, SystemExit, TimeIsUp) as error:
        outcome.error = error
    outcome.printed = printed.getvalue()
    outcome.changed = tuple(i for i, pair in enumerate(zip(given, before, strict=True)) if not _unchanged(*pair))
    return outcome


def kept(value):
    """The value as it is now, to be looked at later: the next call may change a list that the function holds on to."""
    if isinstance(value, torch.Tensor | np.ndarray) and math.prod(value.shape) > LARGE:
        return TooMuch(f"a tensor of shape {tuple(value.shape)}")
    if isinstance(value, list | tuple) and len(value) > LARGE:
        return TooMuch(f"a {type(value).__name__} of {len(value)} items")
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if type(value) in (list, tuple) and any(isinstance(item, torch.Tensor) for item in value):
        return type(value)(map(kept, value))
    try:
        same(value, value)
        return copy.deepcopy(value)
    except RecursionError:
        return TooMuch(f"a {type(value).__name__} that holds itself")
    except Exception:  # a generator has no copy
        return value


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Whatever is called in here, the random numbers and the default dtype outside go on as if it had not been."""
    dtype, python, numpy = torch.get_default_dtype(), random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            random.setstate(python)
            np.random.set_state(numpy)


@contextlib.contextmanager
def in_float64() -> Iterator[None]:
    """The course's own dtype, in which the reference computes, whatever the learner has set."""
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)


class _Printed(io.StringIO):
    """Keeps the beginning of what is printed, so that an endless loop cannot fill the memory."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, LONGEST_PRINT - self.tell())])
        return len(text)


def _copy(value):
    if isinstance(value, torch.Tensor) and value.dtype == torch.float64:
        return value.clone().to(torch.get_default_dtype())
    if type(value) in (list, tuple):
        return type(value)(map(_copy, value))
    return copy.deepcopy(value)


def _unchanged(after, before) -> bool:
    plain = torch.Tensor | np.ndarray | list | tuple | dict | set
    return not isinstance(before, plain) or (type(after) is type(before) and same(after, before))


@contextlib.contextmanager
def _alarm(seconds: float | None) -> Iterator[None]:
    possible = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if seconds is None or not possible:
        yield
        return

    def ring(*_):
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.01)  # and again, since a bare `except:` may catch it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _no_exit():
    """Within it IPython's own `exit()`, which shuts down the kernel, raises SystemExit as Python's does."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return mock.patch.object(shell, "ask_exit", sys.exit, create=True) if shell else contextlib.nullcontext()
