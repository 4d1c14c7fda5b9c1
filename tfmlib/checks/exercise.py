"""What an exercise is: what is right, what is wrong in a known way, and the hints that lead there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Mistake:
    """A classic mistake: a small wrong answer that behaves as learners' wrong answers do, and what to say of it.

    Args:
        answer: a wrong implementation with the exercise's arguments (or a wrong value, where a value is asked for).
        diagnosis: one to three short sentences to the learner: what the answer does, and what it should do. Code
            stands between backticks.
        classic: its name in the bug museum, if it is one of the mistakes that learners ask about again and again.
    """

    answer: Callable | Any
    diagnosis: str
    classic: str = ""


@dataclass(frozen=True)
class Exercise:
    """An exercise whose answer can be checked.

    Args:
        number: as the chapter writes it, such as "3.2".
        name: the name of the function, or of the value, that the learner gives.
        right: the reference implementation (or the right value). It may call `tfmlib` itself, has the names of the
            arguments that the chapter's template has, raises nothing and never gives None. Whole numbers and words
            must be met exactly, real numbers as exactly as their dtype allows; a real number that is asked for as a
            value is right with four decimals, and is not shown to who has it wrong.
        inputs: makes the inputs, a list of tuples of arguments, the smallest and most telling first: the first on
            which an answer is wrong is the one that the learner is shown.
        mistakes: the catalogue. No two may give the same answers to all inputs.
        hints: from a nudge to nearly the solution.
        also_right: other ways to be right (loops, einsum, numpy, another dtype). They prove that the check takes them.
    """

    number: str
    name: str
    right: Callable | Any
    mistakes: Sequence[Mistake]
    hints: Sequence[str]
    inputs: Callable[[], list[tuple]] = lambda: [()]
    also_right: Sequence[Callable | Any] = ()


@dataclass(frozen=True)
class Given:
    """A function that a learner's function is given: it is written as its own code, in which `torch` is known."""

    code: str

    def __call__(self, *arguments):
        return eval(self.code, {"torch": torch})(*arguments)

    def __repr__(self) -> str:
        return self.code
