"""Checks for the exercises: the verdict on an answer, and, when it is wrong, which mistake it looks like.

    check("3.2", positional_encoding)   # the last line of the exercise's cell
    hint("3.2")                         # the first hint; called again, the next one

Each chapter's exercises are a module named as its part: what is right, the catalogue of mistakes, the hints.
"""

from . import (
    cross_attention,
    decoder,
    embedding,
    encoder,
    feed_forward,
    linear_softmax,
    loss,
    masking,
    multi_head,
    one_hot,
    positional_encoding,
    query_key_value,
    residual_layer_norm,
    scaled_softmax,
    training,
    translating,
)
from .exercise import Exercise, Mistake
from .judging import judge
from .verdict import Verdict

CHAPTERS = (
    one_hot,
    embedding,
    positional_encoding,
    query_key_value,
    scaled_softmax,
    multi_head,
    feed_forward,
    residual_layer_norm,
    encoder,
    masking,
    cross_attention,
    decoder,
    linear_softmax,
    loss,
    training,
    translating,
)
EXERCISES = {exercise.number: exercise for chapter in CHAPTERS for exercise in chapter.EXERCISES}
__all__ = ["EXERCISES", "Exercise", "Mistake", "Verdict", "check", "hint"]

_hints_given: dict[str, int] = {}


def check(number: str | float, answer) -> Verdict:
    """The verdict on a learner's answer to the exercise with this number: a function, or a value."""
    return judge(_exercise(number), answer)


def hint(number: str | float) -> Verdict:
    """The next hint for this exercise; after the last one, the first again."""
    exercise = _exercise(number)
    number, hints = exercise.number, exercise.hints
    step = _hints_given.get(number, 0)
    _hints_given[number] = (step + 1) % len(hints)
    more = "" if step + 1 == len(hints) else " Run the cell again for the next one."
    return Verdict("hint", number, (hints[step], f"This was hint {step + 1} of {len(hints)}.{more}"))


def _exercise(number: str | float) -> Exercise:
    if str(number) not in EXERCISES:
        known = ", ".join(f'"{known}"' for known in EXERCISES)
        raise ValueError(
            f"there is no exercise {number!r} with a check; there are {known}. "
            "An open exercise has neither check nor hints: compare with its solution."
        )
    return EXERCISES[str(number)]
