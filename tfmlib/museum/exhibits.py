"""The exhibits: each mistake of the catalogue that has a classic's name, and each that can be planted into the model.

Nothing here knows a mistake by name. What the catalogue gains, the museum gains.
"""

import ast
import difflib
import dis
import inspect
import linecache
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tfmlib.checks import EXERCISES, Exercise, Mistake, Verdict
from tfmlib.checks.calling import Outcome, in_float64, undisturbed
from tfmlib.checks.comparing import numbers
from tfmlib.checks.judging import judge, outcomes_of
from tfmlib.checks.writing import write
from tfmlib.draw.transformer import CHAPTERS

from .planting import PLANTS, Plant, Trial

# A wing by its name in the code: what you see, in words. In the order in which a person notices.
WINGS = {
    "error": "An error, at once",
    "nan": "NaN, or inf",
    "shape": "Another shape than you wanted",
    "high": "The loss stays too high",
    "good": "The loss is too good to be true",
    "words": "The loss looks right, and the words are wrong",
    "slow": "It learns, but more slowly",
    "nothing": "Nothing: it learns and speaks like the right one",
    "numbers": "Nothing but other numbers",
}
HIGH, GOOD, SLOW = 1.3, 0.95, 1.1  # mean of the curve, by that of the right model's
SPEAKS = 0.8  # right sentences, by those of the right model, below which it says the wrong words


@dataclass(frozen=True)
class Exhibit:
    """A classic mistake: of the catalogue, or planted, or both.

    Args:
        name: as the label says it.
        found: the exercises whose catalogue has it, each with the mistake.
        plant, trial: how it is planted, and what came of it.
        reference: what came without it.
    """

    name: str
    found: tuple[tuple[Exercise, Mistake], ...] = ()
    plant: Plant | None = None
    trial: Trial | None = None
    reference: Trial | None = None

    @property
    def chapter(self) -> int:
        """The chapter that explains it."""
        return self.plant.chapter if self.plant else _chapter(self.found[0][0])

    @property
    def page(self) -> str:
        """The chapter's notebook, seen from the museum's."""
        return f"{CHAPTERS[self.chapter][0]}.ipynb"

    @property
    def anchor(self) -> str:
        """The place on the page."""
        return "bug-" + re.sub(r"\W+", "-", self.name.replace("√", "root-")).strip("-").lower()

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """What the checks say of it, but for a line's number in the catalogue, which no learner has before them."""
        with in_float64():
            verdicts = [judge(exercise, mistake.answer) for exercise, mistake in self.found]
        return [
            replace(
                verdict,
                sentences=tuple(re.sub(r" in (`\w+`, )?line \d+ of \w+\.py", "", s) for s in verdict.sentences),
                evidence=tuple((label, re.sub(r"^\d+ \| ", "", text)) for label, text in verdict.evidence),
            )
            for verdict in verdicts
        ]

    @cached_property
    def wing(self) -> str:
        """What one sees of it, as measured: a name of `WINGS`."""
        return wing_of_trial(self.trial, self.reference) if self.trial else wing_of_answer(*self.found[0])

    @cached_property
    def error(self) -> Exception | None:
        """The error that it ends in: in training, or for an input of its check."""
        if self.trial:
            return self.trial.error
        exercise, mistake = self.found[0]
        return next((outcome.error for outcome in _outcomes(exercise, mistake.answer) if outcome.error), None)

    @cached_property
    def difference(self) -> list[tuple[str, str]]:
        """The code, line by line, each with "wrong", "right", or "both": where it is seen best."""
        versions = [(_chapter(exercise), lines_of(exercise, mistake)) for exercise, mistake in self.found]
        if self.plant:
            wrong, right = (clean(text, self.plant.part) for text in self.plant.texts)
            versions.append((self.chapter, compare(wrong, right)))
        _, lines = min(versions, key=lambda v: (_unseen(v[1]), v[0] != self.chapter, _size(v[1])))
        return lines


def exhibits(
    trials: Mapping[str, Trial],
    reference: Trial,
    exercises: Mapping[str, Exercise] = EXERCISES,
    plants: Iterable[Plant] = PLANTS,
) -> list[Exhibit]:
    """All exhibits, in the order of the chapters.

    Args:
        trials: what came of the plants, from `try_all`; who has none is not planted.
        reference: what comes of the right model.
        exercises: the catalogue.
        plants: the mistakes that can be planted.
    """
    plants = {plant.classic: plant for plant in plants if plant.classic in trials}
    found = {name: [] for name in plants}
    for exercise in exercises.values():
        for mistake in exercise.mistakes:
            if mistake.classic:
                found.setdefault(mistake.classic, []).append((exercise, mistake))
    made = []
    for name, mistakes in found.items():
        planted = (plants[name], trials[name], reference) if name in plants else ()
        made.append(Exhibit(name, tuple(mistakes), *planted))
    return sorted(made, key=lambda exhibit: exhibit.chapter)


def _chapter(exercise: Exercise) -> int:
    return int(exercise.number.split(".")[0])


# ---- The wing.


def wing_of_trial(trial: Trial, reference: Trial) -> str:
    """What is seen of a mistake in a model that is trained with it."""
    if trial.error:
        return "nan" if "nan" in str(trial.error).lower() else "error"
    ratio = trial.mean / reference.mean
    speaks = trial.right >= SPEAKS * reference.right
    if not ratio < HIGH:
        return "high"
    if speaks:
        return "slow" if ratio > SLOW else "nothing"
    return "good" if ratio < GOOD else "words"


def wing_of_answer(exercise: Exercise, mistake: Mistake) -> str:
    """What is seen of a mistake in an answer to an exercise, on the inputs of its check."""
    came, wanted = _outcomes(exercise, mistake.answer), _outcomes(exercise, exercise.right)
    if any(outcome.error for outcome in came):
        return "error"
    tables = [
        (numbers(a), numbers(b))
        for pair in zip(came, wanted, strict=True)
        for a, b in zip(*(_parts(outcome.value) for outcome in pair), strict=False)
    ]
    if any(a is not None and b is not None and not _finite(a) and _finite(b) for a, b in tables):
        return "nan"
    if any(a is None or a.shape != b.shape for a, b in tables if b is not None):
        return "words" if _chapter(exercise) == 16 else "shape"  # what decoding writes is as long as it is
    return "numbers"


def _outcomes(exercise: Exercise, answer) -> list[Outcome]:
    """What comes of an answer on the inputs of its check."""
    with undisturbed(), in_float64():
        inputs = list(exercise.inputs())
    return outcomes_of(answer, inputs)


def _parts(value) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def _finite(table: np.ndarray) -> bool:
    return table.dtype.kind not in "fc" or bool(np.isfinite(table).all())


# ---- The lines.


def has_source(thing) -> bool:
    """Whether it is a function of our own, written in Python."""
    return inspect.isfunction(thing) and bool(linecache.getlines(thing.__code__.co_filename))


def source(function: Callable, name: str) -> list[str]:
    """The lines of a function, under another name; a lambda as a function."""
    if function.__name__ == "<lambda>":
        return _source_of_lambda(function, name)
    return clean(textwrap.dedent(inspect.getsource(function)), name)


def clean(text: str, name: str) -> list[str]:
    """The lines of a function's text, under another name, without its docstring and its hints on types."""
    (tree,) = ast.parse(text).body
    lines = text.rstrip().splitlines()
    if ast.get_docstring(tree) and len(tree.body) > 1:
        docstring = tree.body[0]
        del lines[docstring.lineno - 1 : docstring.end_lineno]
    head = tree.body[0].lineno - 1
    arguments = ", ".join(argument.arg for argument in tree.args.args)
    lines[:head] = [f"def {name}({arguments}):"]
    return [line for line in lines if line.strip()]


def _source_of_lambda(function: Callable, name: str) -> list[str]:
    code = function.__code__
    tree = ast.parse("".join(linecache.getlines(code.co_filename)))
    # Where its code lies in the file; what begins and ends the call has no width.
    spans = [step.positions for step in dis.get_instructions(code)]
    spans = [span for span in spans if span.end_col_offset]
    first = min((span.lineno, span.col_offset) for span in spans)
    last = max((span.end_lineno, span.end_col_offset) for span in spans)
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Lambda)
        and node.lineno == code.co_firstlineno
        and (node.lineno, node.col_offset) <= first
        and last <= (node.end_lineno, node.end_col_offset)
    ]
    node = min(around, key=lambda node: (node.end_lineno - node.lineno, len(ast.dump(node))))
    return [f"def {name}({ast.unparse(node.args)}):", f"    return {ast.unparse(node.body)}"]


def lines_of(exercise: Exercise, mistake: Mistake) -> list[tuple[str, str]]:
    """A mistake beside the right answer that is most like it. Of a value that is wrong, the right one is not told."""
    name = exercise.name
    if not has_source(mistake.answer):
        return [("wrong", f"{name} = {write(mistake.answer)}")]
    wrong = source(mistake.answer, name)
    rights = [source(right, name) for right in (exercise.right, *exercise.also_right) if has_source(right)]
    rights.sort(key=lambda right: -_likeness(wrong, right))
    return min((compare(wrong, right) for right in rights or [[]]), key=_unseen)


def _unseen(lines: list[tuple[str, str]]) -> int:
    """What a reader misses: 2, a wrong line beside a right one; 1, a helper that the right one alone calls; 0."""
    if len({mark for mark, _ in lines}) == 1:
        return 2
    called = {(mark, name) for mark, line in lines for name in re.findall(r"(?<![\w.])_[a-z]\w*\(", line)}
    return int(any(mark == "right" and ("wrong", name) not in called for mark, name in called))


def _size(lines: list[tuple[str, str]]) -> tuple[int, int]:
    return sum(mark != "both" for mark, _ in lines), len(lines)


def _likeness(wrong: list[str], right: list[str]) -> float:
    return difflib.SequenceMatcher(None, "\n".join(wrong), "\n".join(right), autojunk=False).ratio()


def compare(wrong: list[str], right: list[str]) -> list[tuple[str, str]]:
    """The lines of both, those that only one has with "wrong" or "right"; of what is far from those, a "…"."""
    lines = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, wrong, right, autojunk=False).get_opcodes():
        if kind == "equal":
            lines += [("both", line) for line in wrong[a:b]]
        else:
            lines += [("wrong", line) for line in wrong[a:b]] + [("right", line) for line in right[c:d]]
    near = {i + d for i, (mark, _) in enumerate(lines) if mark != "both" for d in range(-2, 3)} | {0, len(lines) - 1}
    shown = []
    for i, (mark, line) in enumerate(lines):
        if i in near:
            shown.append((mark, line))
        elif shown[-1] != ("both", "    …"):
            shown.append(("both", "    …"))
    return shown
