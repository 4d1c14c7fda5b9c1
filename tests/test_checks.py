"""The exercises: each mistake of the catalogue is named, each right answer is right, and no answer breaks a check."""

import ast
import inspect
import itertools
import math
import random
import re
import signal
import sys
import threading
import xml.etree.ElementTree as ET
from collections import Counter
from fractions import Fraction
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from tfmlib import checks
from tfmlib.checks import EXERCISES, Exercise, Mistake, check, hint, judging
from tfmlib.checks.exercise import Given
from tfmlib.checks.explaining import MEANINGS
from tfmlib.checks.judging import judge, looks_like, outcomes_of
from tfmlib.checks.writing import MARK, write, write_call

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
posix = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no alarm that ends a loop")


@pytest.fixture(autouse=True)
def dtype(request):
    """The notebooks' default dtype, or the one that a test asks for."""
    before, asked = torch.get_default_dtype(), getattr(request, "param", torch.float64)
    torch.set_default_dtype(asked)
    yield asked
    torch.set_default_dtype(before)


in_both_dtypes = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["64", "32"], indirect=True)


# ---- The catalogue. Whatever a chapter puts into it is proved here.


def of_catalogue(parts):
    return [
        pytest.param(exercise, part, id=f"{exercise.number}-{i}")
        for exercise in EXERCISES.values()
        for i, part in enumerate(parts(exercise))
    ]


each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))


@pytest.mark.parametrize("exercise, answer", of_catalogue(lambda exercise: [exercise.right, *exercise.also_right]))
def test_every_right_answer_is_right(exercise, answer):
    verdict = check(exercise.number, answer)
    assert verdict.kind == "right", verdict


@pytest.mark.parametrize("dtype", [torch.float32], ids=["float32"], indirect=True)
@each_exercise
def test_who_leaves_out_the_line_for_float64_is_right_too(exercise, dtype):
    assert check(exercise.number, exercise.right).kind == "right"


@pytest.mark.parametrize("exercise, mistake", of_catalogue(lambda exercise: exercise.mistakes))
def test_every_mistake_is_named(exercise, mistake):
    verdict = check(exercise.number, mistake.answer)
    assert (verdict.kind, verdict.sentences[:1]) == ("wrong", (mistake.diagnosis,)), verdict


@each_exercise
def test_no_two_mistakes_are_confused(exercise):
    outcomes = [(mistake.diagnosis, outcomes_of(mistake.answer, exercise.inputs())) for mistake in exercise.mistakes]
    for (diagnosis, given), (other, known) in itertools.permutations(outcomes, 2):
        assert not looks_like(given, known), (diagnosis, other)


@each_exercise
def test_no_mistake_is_one_of_our_own(exercise):
    for mistake in exercise.mistakes:
        for outcome in outcomes_of(mistake.answer, exercise.inputs()):
            assert not isinstance(outcome.error, NameError | ImportError | AssertionError), mistake.diagnosis


@each_exercise
def test_diagnoses_and_hints_are_sentences_to_a_learner(exercise):
    assert len(exercise.hints) >= 2
    for text in (*exercise.hints, *(mistake.diagnosis for mistake in exercise.mistakes)):
        assert text.rstrip("`)”").endswith((".", "?", ":", "…")), text
        assert text.count("`") % 2 == 0, text
        assert not re.search(r"\b(simply|obviously|just)\b", text, re.IGNORECASE), text


def cells(number, folder=NOTEBOOKS):
    """The cells in which a chapter, or its solutions, checks this exercise: what is given, the code, what is shown."""
    (notebook,) = folder.glob(f"{int(number.split('.')[0]):02}_*.ipynb")
    found = []
    for cell in nbformat.read(notebook, as_version=4).cells:
        for name in re.findall(rf'\bcheck\("{re.escape(number)}", (\w+)\)', cell.source):
            shown = [output.data["text/plain"] for output in cell.get("outputs", ()) if "data" in output]
            found.append((name, cell.source, "".join(shown)))
    return found


@each_exercise
def test_an_exercise_stands_once_in_its_chapter_and_waits_there(exercise):
    ((name, source, shown),) = cells(exercise.number)
    assert name == exercise.name
    assert shown.startswith(f"Waiting · exercise {exercise.number}\n")
    templates = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == name]
    if callable(exercise.right):
        (template,) = templates
        assert [argument.arg for argument in template.args.args] == judging.parameters(exercise)


@each_exercise
def test_its_solution_is_right(exercise):
    solved = cells(exercise.number, NOTEBOOKS / "solutions")
    assert solved
    for _, _, shown in solved:
        assert shown.startswith(f"Right · exercise {exercise.number}\n")


def test_every_check_in_a_notebook_is_of_an_exercise():
    texts = "".join(path.read_text(encoding="utf-8") for path in NOTEBOOKS.rglob("[0-9][0-9]_*.md"))
    assert set(re.findall(r'\b(?:check|hint)\("([\d.]+)"', texts)) == set(EXERCISES)


# ---- The judge, on exercises made up for it.


def lookup(ids, table):
    return table[ids]


def counting_from_one(ids, table):
    return table[ids - 1]


def beyond_the_table(ids, table):
    return table[ids + 1]


def lookup_inputs():
    table = torch.tensor([[0.5, 1.0, 0.0], [2.0, 3.0, -1.0], [4.0, 5.5, 7.0]])
    other = torch.tensor([[0.0, 0.1, 0.2, 0.3, 0.4], [1.5, 1.6, 1.7, 1.8, 1.9]])
    return [(torch.tensor([2]), table), (torch.tensor([1, 0]), table), (torch.tensor([1, 0, 1, 1]), other)]


LOOKUP = Exercise(
    number="9.1",
    name="lookup",
    right=lookup,
    inputs=lookup_inputs,
    mistakes=[
        Mistake(counting_from_one, "Your ids count from 1."),
        Mistake(beyond_the_table, "Your ids are one too high."),
    ],
    hints=["Look.", "Look `there`."],
)


def exercise(right, *inputs, mistakes=(), name="answer"):
    return Exercise("9.2", name, right, mistakes, ["a", "b"], inputs=lambda: list(inputs) or [()])


def says(verdict):
    return " ".join(verdict.sentences)


# Untouched, or not yet finished.


def template(ids, table):
    """(S,) ids and (V, D) table → (S, D) rows."""
    ...  # your code


def template_that_passes(ids, table):
    pass


def template_that_raises(ids, table):
    raise NotImplementedError


def template_with_a_gap(ids, table):
    one_hot = ...  # your code
    return one_hot @ table


def template_with_a_gap_in_a_call(ids, table):
    return torch.matmul(..., table)


def template_that_returns_its_gap(ids, table):
    result = ...
    return result


def template_that_returns_two(ids, table):
    return ..., table


@pytest.mark.parametrize("answer", [f for name, f in list(globals().items()) if name.startswith("template")])
def test_an_untouched_function_waits_and_the_verdict_says_what_to_do(answer):
    verdict = judge(LOOKUP, answer)
    assert verdict.kind == "waiting"
    assert "`lookup(ids, table)`" in says(verdict)
    assert '`hint("9.1")`' in says(verdict)


@pytest.mark.parametrize("answer", [..., (..., ...), [1, ...], {"a": ...}])
def test_an_untouched_value_waits(answer):
    verdict = judge(exercise(3), answer)
    assert verdict.kind == "waiting"
    assert "`answer = ...`" in says(verdict)


def test_what_torch_has_not_implemented_is_no_untouched_function():
    assert "dtypes do not fit" in says(judge(LOOKUP, lambda ids, table: ids.softmax(-1)))


# Right in another way.


def with_a_loop(ids, table):
    rows = []
    for i in ids.tolist():
        rows.append([float(x) for x in table[i]])
    return rows


class AsModule(torch.nn.Module):
    def forward(self, ids, table):
        return F.embedding(ids, table)


@in_both_dtypes
@pytest.mark.parametrize(
    "answer",
    [
        with_a_loop,
        lambda ids, table: torch.eye(len(table))[ids] @ table,
        lambda ids, table: torch.einsum("sv,vd->sd", F.one_hot(ids, len(table)).to(table), table),
        lambda ids, table: table.numpy()[ids.numpy()],
        lambda ids, table: np.float32(table.numpy()[ids.numpy()]),
        lambda ids, table: [table[i] for i in ids],
        lambda ids, table: table.float()[ids],
        lambda ids, table: table.float()[ids] * (1 + 2e-5),
        lambda ids, table: table.bfloat16()[ids],
        lambda ids, table: table.half()[ids] + 0,
        lambda ids, table: torch.nn.Parameter(table)[ids],
        lambda ids, table: list(torch.nn.Parameter(table)[ids]),
        lambda ids, table: tuple(tuple(map(Fraction, row)) for row in table[ids].tolist()),
        lambda ids, table, scale=1: table[ids] * scale,
        lambda *both: both[1][both[0]],
        torch.no_grad()(lookup),
        AsModule(),
        F.embedding,
    ],
)
def test_right_in_another_way_is_right(answer):
    verdict = judge(LOOKUP, answer)
    assert verdict.kind == "right", verdict
    assert says(verdict) == "`lookup` gives what is wanted for each of the 3 inputs that were tried."


@pytest.mark.parametrize(
    "right, given",
    [
        (math.sqrt(2), 1.4142),
        (math.sqrt(2), torch.tensor(2.0, requires_grad=True).sqrt()),
        (2 * math.pi * 10_000, 62832),
        (0.25, Fraction(1, 4)),
        (torch.tensor([0.5, 0.25]), (0.5, Fraction(1, 4))),
        (5_120_000, 5.12e6),
        (5_120_000, torch.tensor(5_120_000)),
        (True, np.bool_(True)),
        ([4, 5, 6], range(4, 7)),
        ((2, 3), torch.Size([2, 3])),
        ([[4, 5], [6]], [torch.tensor([4, 5]), (6,)]),
        ("cat", np.str_("cat")),
        (["a", "cat"], ("a", "cat")),
        ({"a": 0, "b": 1}, Counter(b=1, a=0)),
        ({"a", "b"}, {"b", "a"}),
        ((torch.eye(2), torch.ones(3)), [[[1, 0], [0, 1]], np.ones(3)]),
        (torch.tensor([-math.inf, math.nan]), [-math.inf, math.nan]),
    ],
)
def test_a_value_written_in_another_way_is_right(right, given):
    assert judge(exercise(right), given).kind == "right"
    assert judge(exercise(lambda: right), lambda: given).kind == ("wrong" if given in (1.4142, 62832) else "right")


@pytest.mark.parametrize(
    "right, given",
    [
        (5_120_000, 5_120_001),
        (5_120_000, 5_120_001.0),
        (10, 10.001),
        (math.sqrt(2), 1.41),
        ([4, 5], [4, 5, 5]),
        ([4, 5], {4, 5}),
        ("cat", ["c", "a", "t"]),
        (["c", "a", "t"], "cat"),
        (["cat"], ["Cat"]),
        ({"a": 0}, {"a": 0, "b": 1}),
        ((torch.eye(2), torch.ones(3)), torch.eye(2)),
        (1, True),
        (True, 1),
        (3, "3"),
        (1.0, 1 + 0j),
        (torch.zeros(2), torch.tensor([0.0, math.nan])),
        (torch.tensor([1e-7, 2e-7]), torch.tensor([2e-7, 1e-7])),
    ],
)
def test_what_is_not_the_same_is_not_right(right, given):
    assert judge(exercise(right), given).kind == "wrong"
    assert judge(exercise(lambda: right), lambda: given).kind == "wrong"


def test_the_solution_of_a_paper_exercise_is_not_given_away():
    assert "1.4142" not in repr(judge(exercise(math.sqrt(2)), 1.0))


# Absurd answers.


def growing(ids, table, rows=[]):  # noqa: B006 - the mistake itself
    rows.extend(table[ids])
    return rows


def in_place(ids, table):
    table *= 2
    return table[ids] / 2


def yields(ids, table):
    yield from table[ids]


def endless_list(ids, table):
    rows = []
    rows.append(rows)
    return rows


class Grumpy:
    def __eq__(self, other):
        raise TypeError("leave me alone")

    __repr__ = __hash__ = __eq__


@pytest.mark.parametrize(
    "answer, words",
    [
        (torch.ones(2, 3), "this is a tensor of shape (2, 3). Give the function itself, without brackets"),
        (None, "this is None"),
        ("lookup", "this is a string. Give the function itself"),
        (Grumpy, "this is a class"),
        ({}, "this is a dictionary"),
        (lambda: 1, "The check calls `lookup(ids, table)`. Yours begins with `def lookup():`"),
        (lambda ids: 1, "`def lookup(ids):`, which does not fit: too many positional arguments"),
        (lambda ids, table, mask: 1, "missing a required argument: 'mask'"),
        (lambda ids, table: table[ids] and None, "one True or False, and here are several"),
        (lambda ids, table: None if len(ids) else 1, "It is None, nothing: is a `return` missing?"),
        (lambda ids, table: print(table[ids]), "`return` in place of `print`"),
        (in_place, "What it gives is right. It changes its argument `table`"),
        (growing, "called twice with the same arguments, and what came was not the same"),
        (lambda ids, table: table[ids] + torch.rand(1), "Is there a random number in it"),
        (yields, "It is a generator. Wanted is a tensor of shape (1, 3). Collect what it yields in a list"),
        (lambda ids, table: map(abs, table), "It is a map"),
        (lambda ids, table: lookup, "It is a function. Wanted is a tensor of shape (1, 3). Is it to be called"),
        (lambda ids, table: Grumpy, "It is a class"),
        (lambda ids, table: Grumpy(), "It is a Grumpy"),
        (lambda ids, table: "rows", "It is a string"),
        (lambda ids, table: {2: 1}, "It is a dictionary of 1 item"),
        (lambda ids, table: [[1], [1, 2]], "It is a list of 2 items, themselves of different lengths"),
        (endless_list, "It is a list that holds itself."),
        (lambda ids, table: [0] * 200_000, "It is a list of 200000 items"),
        (lambda ids, table: torch.zeros(1).expand(10**12), "It is a tensor of shape (1000000000000,)"),
        (lambda ids, table: (table[ids],), "is there a comma at the end of the line?"),
        (lambda ids, table: table[ids] + 0j, "It holds complex numbers. Their real parts are right."),
        (lambda ids, table: table[ids] / 0, "infinite: x / 0 gives that"),
        (lambda ids, table: table[ids] * math.nan, "All of its numbers are nan: 0 / 0"),
        (lambda ids, table: table[ids] > 1, "It is a tensor of True and False, of shape (1, 3)"),
    ],
)
def test_absurd_answers_are_answered(answer, words):
    verdict = judge(LOOKUP, answer)
    assert verdict.kind == "wrong"
    assert words in says(verdict), verdict
    assert " at 0x" not in verdict._repr_html_()


@pytest.mark.parametrize(
    "answer, words",
    [
        (None, "It is None"),
        (math.sqrt, "It is a function. Wanted is a number. Is it to be called"),
        ("3", "It is a string. Wanted is a number. A number stands without quotes."),
        (True, "It is True or False. Wanted is a number."),
        ([3], "It is of shape (1,). Wanted is a single number. The numbers are right, but an axis of size 1"),
        (4, "It is too large by 1."),
        (-3, "Its sign is flipped."),
        (300, "It is 100 times what it should be."),
        (math.nan, "It is nan"),
        (endless_list(0, 0), "It is a list that holds itself."),
        (7, "It is wrong."),
    ],
)
def test_absurd_values_are_answered(answer, words):
    assert words in says(judge(exercise(3), answer))


@pytest.mark.parametrize(
    "number, answer, words",
    [
        ("1.1", None, "It is None, Python's word for nothing. Write a list of 6 numbers, where the `...` stood."),
        ("1.1", 7, "It is a single number. Write a list of 6 numbers"),
        ("1.1", "7 6 8 3 9 2", "It is text, in quotes. Write a list of 6 numbers"),
        ("1.1", [7, 6, 8, "<unk>", 9, 2], "There is text in it. Write a list of 6 numbers"),
        ("1.1", [7, 6, 8, None, 9, 2], "There is a None in it."),
        ("1.1", {7, 6}, "It is a set of 2 items, in curly brackets. Write a list of 6 numbers"),
        ("1.1", [7], "It has 1 number, and wanted are 6."),
        ("2.1", [0, 6, 2], "It has 3 numbers, and wanted are 6. Write 2 rows of 3 numbers each, a list of lists"),
        ("2.1", [[0, 6, 2], [2, 1]], "Its rows are not of one length."),
        ("2.1", [[0, 6, 2], ["½", 1, 1]], "There is text in it."),
        ("2.1", [0, 6, 2, 2, 2, 1], "not the shape; their order is right too"),
        ("3.1", 5.0, "It is a single number. Write a list of 4 numbers"),
        ("3.1", math.sin, "It is a function."),
    ],
)
def test_a_value_of_another_kind_is_answered_in_words_for_values(number, answer, words):
    verdict = check(number, answer)
    assert verdict.kind == "wrong"
    assert words in says(verdict), verdict
    assert "return" not in says(verdict)


def test_an_argument_that_is_a_list_and_is_changed_is_told_how_to_make_a_new_list():
    def pops(words):
        return [words.pop()]

    said = says(judge(exercise(lambda words: words[-1:], (["a", "b"],)), pops))
    assert "It changes its argument `words`: whoever calls it finds `words` changed afterwards." in said
    assert "`copy.deepcopy(words)` gives a copy" in said
    assert "words + 1" not in said


# Errors in the learner's code.


def one_hot_too_short(ids, table):
    one_hot = torch.zeros(len(ids), 2)
    return one_hot @ table


def calls_itself(ids, table):
    return calls_itself(ids, table)


def helper(table):
    return tabel  # noqa: F821 - the mistake itself


def with_a_helper(ids, table):
    return helper(table)


def leaves(ids, table):
    sys.exit("done")


@pytest.mark.parametrize(
    "answer, error, words",
    [
        (lambda ids, table: idz, "NameError", "Nothing has the name `idz`"),  # noqa: F821
        (lambda ids, table: tabel, "NameError", "Is `table` meant?"),  # noqa: F821
        (lambda ids, table: nn.Embedding(3, 4), "NameError", "`nn` is not imported: write `from torch import nn`"),  # noqa: F821
        (lambda ids, table: defaultdict(int), "NameError", "write `from collections import defaultdict`"),  # noqa: F821
        (lambda ids, table: [[0] for a, b in [(1, 2, 3)]], "ValueError", "are too many values for the names"),
        (lambda ids, table: ids.tolist().index(9), "ValueError", "`.index` looks for something that is not there"),
        (lambda ids, table: (1, 2).index(9), "ValueError", "`.index` looks for something that is not there"),
        (lambda ids, table: torch.tensor([[1, 2], [3]]), "ValueError", "Here one has 2 items and another 1."),
        (lambda ids, table: math.sqrt(table.shape), "TypeError", "Take one of them, such as `table.shape[1]`."),
        (lambda ids, table: table.shape**0.5, "TypeError", "Take one of them, such as `table.shape[1]`."),
        (lambda ids, table: math.sqrt(table.size), "TypeError", "is it to be called, with round brackets?"),
        (lambda ids, table: table.shap, "AttributeError", "Is `shape` meant?"),
        (lambda ids, table: ids.tolist().shape, "AttributeError", "type `list` has no `shape`"),
        (one_hot_too_short, "RuntimeError", "A is 1 × 2 and B is 3 × 3"),
        (lambda ids, table: np.ones((1, 2)) @ table.numpy(), "ValueError", "A has 2 columns and B has 3 rows"),
        (lambda ids, table: table + torch.ones(4), "RuntimeError", "along axis 1 one has 3 and the other 4"),
        (lambda ids, table: table.numpy() + np.ones(4), "ValueError", "(3,3) and (4,)"),
        (lambda ids, table: table.view(2, 5), "RuntimeError", "9 numbers cannot be laid out in the shape (2, 5)"),
        (lambda ids, table: table.T.view(9), "RuntimeError", "use `reshape`"),
        (lambda ids, table: table[7], "IndexError", "Index 7 is beyond the end: there are 3"),
        (lambda ids, table: [1, 2][5], "IndexError", "the last index is one less than the length"),
        (lambda ids, table: table.sum(5), "IndexError", "no such axis"),
        (lambda ids, table: table[0, 0, 0], "IndexError", "more indices between the brackets"),
        (lambda ids, table: table[ids / 2], "IndexError", "must be a whole number"),
        (lambda ids, table: F.embedding(table, table), "RuntimeError", "Ids must be whole numbers"),
        (lambda ids, table: F.one_hot(ids, 1), "RuntimeError", "Ids go from 0 to one less"),
        (lambda ids, table: ids[None].float() @ table.half()[:1], "RuntimeError", "dtypes do not fit"),
        (lambda ids, table: {}[3], "KeyError", "no key 3"),
        (lambda ids, table: 1 // 0, "ZeroDivisionError", "divided by zero"),
        (lambda ids, table: None + 1, "TypeError", "Something in this line is None"),
        (lambda ids, table: ids.tolist() @ table, "TypeError", "type `list` and one of type `Tensor`"),
        (lambda ids, table: torch.sin(3), "TypeError", "this is of type `int`"),
        (lambda ids, table: table.sum[0], "TypeError", "write round ones"),
        (lambda ids, table: table(0), "TypeError", "write square ones"),
        (lambda ids, table: [0 for _ in len(ids)], "TypeError", "is `range(…)` meant?"),
        (lambda ids, table: torch.zeros(3 / 1), "TypeError", "A whole number is needed"),
        (lambda ids, table: lookup(ids), "TypeError", "too few or too many arguments"),
        (lambda ids, table: torch.zeros(10**15), "RuntimeError", "more memory than there is"),
        (calls_itself, "RecursionError", "for which input should it stop?"),
        (leaves, "SystemExit: done", "To end a function, write `return`"),
        (lambda ids, table: exec("raise ValueError('mine')"), "ValueError: mine", "stops with an error in line"),
    ],
)
def test_errors_are_explained_in_the_learners_terms(answer, error, words):
    verdict = judge(LOOKUP, answer)
    evidence = dict(verdict.evidence)
    assert verdict.kind == "wrong"
    assert "`lookup` stops with an error" in says(verdict)
    assert words in says(verdict), verdict
    assert evidence["The error"].startswith(error)
    assert "lookup(ids, table)" in evidence["The smallest input that shows it"]


def test_the_line_of_an_error_is_the_learners_own():
    verdict = judge(LOOKUP, with_a_helper)
    line = inspect.getsourcelines(helper)[1] + 1
    assert f"`lookup` stops with an error in `helper`, line {line} of test_checks.py." in says(verdict)
    assert dict(verdict.evidence)["The line"].startswith(f"{line} | return tabel")
    verdict = judge(LOOKUP, one_hot_too_short)
    assert dict(verdict.evidence)["The line"].endswith("| return one_hot @ table")


CELL = """# A cell of a notebook.
def lookup(ids, table):
    if len(ids) > 1:
        exit()
    return table[idz]

verdict = judge(LOOKUP, lookup)"""


@pytest.fixture
def shell():
    config = Config({"HistoryManager": {"enabled": False}})
    yield InteractiveShell.instance(user_ns={"judge": judge, "LOOKUP": LOOKUP}, config=config)
    InteractiveShell.clear_instance()


def test_in_a_notebook_the_line_is_the_cells_own_and_exit_ends_nothing(shell):
    shell.run_cell(CELL).raise_error()
    verdict = shell.user_ns["verdict"]
    assert "`lookup` stops with an error in line 5 of its cell. Nothing has the name `idz`" in says(verdict)
    assert dict(verdict.evidence)["The line"] == "5 | return table[idz]"
    shell.run_cell(CELL.replace("idz", "ids")).raise_error()
    evidence = dict(shell.user_ns["verdict"].evidence)
    assert (evidence["The line"], evidence["The error"]) == ("4 | exit()", "SystemExit")


def test_every_meaning_can_be_filled_in():
    for meanings in MEANINGS.values():
        for pattern, sentence in meanings.items():
            sentence.format(*range(re.compile(pattern).groups))


def test_a_long_error_is_cut():
    def complains(ids, table):
        raise ValueError("no\n" * 3 + "x" * 1000 + "no\n" * 3)

    error = dict(judge(LOOKUP, complains).evidence)["The error"]
    assert len(error) <= 302
    assert len(error.splitlines()) == 4


def loops(ids, table):
    try:
        while True:
            ids = ids + 1
    except:  # noqa: E722 - which catches the first alarm
        while True:
            ids = ids + 1


@posix
def test_an_endless_loop_is_stopped(monkeypatch):
    monkeypatch.setattr(judging, "SECONDS", 0.1)
    before = signal.getsignal(signal.SIGALRM)
    verdict = judge(LOOKUP, loops)
    assert "has used 0.1 seconds in all, so it was stopped in line" in says(verdict)
    assert "Is there a loop that never ends, or is it very slow?" in says(verdict)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_off_the_main_thread_there_is_no_alarm_and_the_check_works():
    verdicts = []
    thread = threading.Thread(target=lambda: verdicts.append(judge(LOOKUP, lookup)))
    thread.start()
    thread.join()
    assert [verdict.kind for verdict in verdicts] == ["right"]


def test_whoever_interrupts_is_heard():
    def interrupted(ids, table):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(LOOKUP, interrupted)


# Mistakes, and what to say when the catalogue knows none.


def test_a_wrong_answer_is_told_which_mistake_it_is_and_shown_the_smallest_input_for_it():
    assert repr(judge(LOOKUP, lambda ids, table: table.roll(1, 0)[ids])) == (
        "Not yet · exercise 9.1\n"
        "Your ids count from 1.\n"
        "The smallest input that shows it:\n"
        "    ids = torch.tensor([2])\n"
        "    table = torch.tensor(\n"
        "        [[ 0.5,  1.0,  0.0],\n"
        "         [ 2.0,  3.0, -1.0],\n"
        "         [ 4.0,  5.5,  7.0]])\n"
        "    lookup(ids, table)\n"
        "Expected, shape (1, 3):\n"
        "    [[4.0, 5.5, 7.0]]\n"
        "Came, shape (1, 3):\n"
        "    [[ 2.0,  3.0, -1.0]]"
    )


def test_a_mistake_is_known_by_its_outputs_to_all_inputs():
    def from_one_for_the_first(ids, table):
        return table[ids - 1] if len(ids) == 1 else table[ids]

    assert "count from 1" not in says(judge(LOOKUP, from_one_for_the_first))


def test_a_mistake_may_end_in_an_error_which_is_explained_too():
    verdict = judge(LOOKUP, lambda ids, table: [table[i + 1] for i in ids])
    assert verdict.sentences[0] == "Your ids are one too high."
    assert "Index 3 is beyond the end" in says(verdict)


def test_an_error_alone_is_no_mistake_of_the_catalogue_unless_it_says_the_same():
    task = exercise(lambda x: x + 1, (1,), (2,), mistakes=[Mistake(lambda x: [][x], "You take a part.")])
    assert "You take a part." in says(judge(task, lambda x: [][x + 1]))
    assert "You take a part." not in says(judge(task, lambda x: torch.zeros(1)[x]))


def test_an_argument_that_comes_back_on_one_input_alone_is_no_reason():
    task = exercise(lambda x, y: x + y, (torch.eye(2), torch.eye(2)), (torch.ones(2, 2), torch.ones(2, 2)))
    assert "gives back" not in says(judge(task, lambda x, y: x @ y))
    assert "gives back its argument `x`" in says(judge(task, lambda x, y: x))


def test_what_came_is_written_with_as_many_decimals_as_it_takes_to_see_that_it_is_wrong():
    verdict = judge(exercise(lambda x: x / 3, (torch.ones(1),)), lambda x: x / 3 + 2e-6)
    written = [text for label, text in verdict.evidence if label.startswith(("Expected", "Came"))]
    assert written == ["[0.333333]", "[0.333335]"]


def times(factor):
    return lambda ids, table: table[ids] * factor


@pytest.mark.parametrize(
    "answer, words",
    [
        (lambda ids, table: table, "It gives back its argument `table` as it came."),
        (lambda ids, table: [[4, 5.5, 7]], "It gives for every input what is right for the first"),
        (
            lambda ids, table: table[ids].T,
            "of shape (3, 1). Wanted is of shape (1, 3). The numbers are right, but two axes",
        ),
        (lambda ids, table: table[ids][None], "an axis of size 1 is too many"),
        (lambda ids, table: table[ids].squeeze(), "an axis of size 1 is missing"),
        (lambda ids, table: table[ids].exp().sum(1), "1 axis is missing."),
        (lambda ids, table: table[ids, :2], "Axis 1 has 2 in place of 3."),
        (times(-1), "Every sign is flipped."),
        (times(math.sqrt(8)), "It is √8 times what it should be."),
        (times(1 / math.sqrt(8)), "It is 1/√8 of what it should be."),
        (times(0.25), "It is 1/4 of what it should be."),
        (times(-3), "It is −3 times what it should be."),
        (times(1.2345), "It is 1.2345 times what it should be."),
        (times(1e200), "numbers are wrong"),  # its square is no number any more
        (times(0), "All of it is 0: is the result ever filled?"),
        (lambda ids, table: table[ids] + 0.5, "Each number is too large by 0.5."),
        (lambda ids, table: table[ids] - 1, "Each number is too small by 1.0."),
        (lambda ids, table: table[ids].long(), "The decimals are cut off"),
        (lambda ids, table: table[ids] + 1e-3 * table[ids].sin(), "It is nearly right: it is off by 0.0008 at most."),
        (lambda ids, table: table[ids].flip(1), "in reverse along axis 1"),
        (lambda ids, table: table[ids].roll(1, 1), "shifted by one along axis 1"),
        (
            lambda ids, table: table[ids][:, [1, 0, 2, *range(3, table.size(1))]],
            "The numbers are the right ones, in other places.",
        ),
        (lambda ids, table: table[ids].flip(0), "For 1 of the 3 inputs that were tried it is right."),
        (
            lambda ids, table: table[ids] * torch.tensor([1, 9, 1, 1, 1])[: table.size(1)],
            "1 of 3 numbers is wrong, all in column 1 (counted from 0).",
        ),
    ],
)
def test_a_mistake_that_nobody_knows_is_described(answer, words):
    verdict = judge(LOOKUP, answer)
    assert words in says(verdict), verdict


TABLE = torch.tensor([[0.5, 1.0, 4.0], [2.0, 3.0, -1.0]])
PAIR = (torch.arange(6.0).reshape(2, 3), torch.ones(3))


@pytest.mark.parametrize(
    "right, given, words",
    [
        (TABLE, TABLE[0], "It is only the first of 2 along axis 0: does `return` stand inside the loop?"),
        (TABLE, TABLE[-1:], "It is only the last of 2 along axis 0: does each round"),
        (TABLE, TABLE.sum(1), "It is the sum over axis 1, which should stay."),
        (TABLE.sum(1), TABLE, "Its sum over axis 1 is right: that step is missing."),
        (TABLE.mean(0), TABLE, "Its mean over axis 0 is right: that step is missing."),
        (TABLE, TABLE.reshape(3, 2), "not the shape; their order is right too."),
        (TABLE, TABLE.T.reshape(2, 3), "they are read by columns, and wanted are rows."),
        (TABLE, TABLE.flatten(), "not the shape"),
        (TABLE, TABLE + torch.tensor([[0], [1]]), "3 of 6 numbers are wrong, all in row 1"),
        (TABLE, TABLE.T + 1, "Are two axes swapped?"),
        (TABLE > 0, (TABLE > 0).long(), "It holds 1 and 0, each in its place. Wanted are True and False"),
        (TABLE.gt(0).long(), TABLE > 0, "It holds True and False, each in its place. Wanted are numbers"),
        ("the cat", "the  cat", "Only the blanks differ."),
        ("the cat", "The cat", "Only capital and small letters differ."),
        ("the cat", "the dog", "The first 4 letters agree."),
        ("the cat", "a cat", "They differ from the first letter on."),
        (["a", "cat"], ["cat", "a"], "Its items are the right ones, in another order."),
        (["a", "cat"], ["a"], "It has 1 item. Wanted are 2."),
        (["a", "cat"], ["a", "Cat"], "1 of 2 items is wrong, the first at index 1. Only capital"),
        ([["t", "o"], ["no"]], [["t", "i"], ["na"]], "the first at index 0. In it, look at index 1. They differ"),
        ([["to"], ["no"]], [["ti"], ["no"]], "In it, look at index 0. Only the first letter agrees."),
        ([["t", "o"], ["no"]], [["to"], ["no"]], "is wrong, the first at index 0. It has 1 item. Wanted are 2."),
        (["a", "cat"], "a cat", "It is a string. Wanted is a list of 2 items."),
        ({"a": 0, "b": 1}, {"a": 0}, "1 key is missing, such as 'b'."),
        ({"a": 0}, {"a": 0, "b": 1}, "1 key is too many, such as 'b'."),
        ({"a": 0, "b": 1}, {"a": 0, "b": 2}, "1 of 2 values is wrong, such as that of 'b'. It is too large by 1."),
        (PAIR, (PAIR[0], -PAIR[1]), "1 of 2 items is wrong, the first at index 1. Every sign is flipped."),
        (PAIR, PAIR[0], "It is a tensor of shape (2, 3). Wanted is a tuple of 2 items"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_described(right, given, words):
    assert words in says(judge(exercise(lambda: right), lambda: given))


# What a check leaves behind.


def test_what_is_printed_for_the_first_input_is_shown_once_and_the_rest_is_not(capsys):
    def chatty(ids, table):
        print("ids", ids.tolist())
        return table[ids]

    assert judge(LOOKUP, chatty).kind == "right"
    assert capsys.readouterr().out == "ids [2]\n"


def test_very_much_that_is_printed_is_cut(capsys):
    def chatty(ids, table):
        print("x" * 10_000)
        return table[ids]

    judge(LOOKUP, chatty)
    assert 500 < len(capsys.readouterr().out) < 2000


@in_both_dtypes
def test_random_numbers_and_the_default_dtype_go_on_as_if_there_had_been_no_check(dtype):
    def careless(ids, table):
        torch.manual_seed(0), random.seed(0), np.random.seed(0)
        torch.set_default_dtype(torch.float16)
        return table[ids] + 0 * torch.rand(1)

    states = []
    for checks_it in (False, True):
        torch.manual_seed(1), random.seed(1), np.random.seed(1)
        if checks_it:
            assert judge(LOOKUP, careless).kind == "right"
        states.append((torch.rand(3).tolist(), random.random(), np.random.rand()))
    assert states[0] == states[1]
    assert torch.get_default_dtype() == dtype


@pytest.mark.parametrize("dtype", [torch.float16], indirect=True)
def test_what_is_right_is_computed_in_float64_whatever_the_learner_has_set(dtype):
    assert judge(exercise(lambda: torch.tensor([math.pi])), lambda: [math.pi]).kind == "right"


# An exercise of ours that is broken is no fault of the learner's.


@pytest.mark.parametrize(
    "broken, error",
    [
        (exercise(lambda x: x[0], (1,)), TypeError),
        (exercise(lambda x: None, (1,)), ValueError),
        (exercise(None), ValueError),
        (Exercise("9.2", "answer", lookup, [], [], inputs=lambda: []), ValueError),
        (Exercise("9.2", "answer", lookup, [], [], inputs=lambda: 1 / 0), ZeroDivisionError),
    ],
    ids=["right fails", "right gives nothing", "right is nothing", "no inputs", "inputs fail"],
)
def test_a_broken_exercise_is_an_error_and_not_the_learners(broken, error):
    with pytest.raises(RuntimeError, match="exercise 9.2 is broken; that is the course's fault") as caught:
        judge(broken, lambda *arguments: 1)
    assert type(caught.value.__cause__) is error


def test_an_unknown_number_is_an_error_that_names_those_there_are(monkeypatch):
    monkeypatch.setitem(EXERCISES, "9.1", LOOKUP)
    for ask in (hint, lambda number: check(number, lookup)):
        with pytest.raises(ValueError, match=r'there is no exercise .* with a check; there are .*"9.1"'):
            ask("99.9")


def test_a_number_may_stand_without_quotes_and_an_open_exercise_has_no_check(monkeypatch):
    monkeypatch.setattr(checks, "_hints_given", {})
    assert check(1.1, EXERCISES["1.1"].right).kind == "right"
    assert [hint(number).sentences[0] for number in (1.1, "1.1")] == list(EXERCISES["1.1"].hints[:2])
    with pytest.raises(ValueError, match=r"no exercise '2.5' with a check; .*An open exercise has neither"):
        hint("2.5")


def test_hints_come_in_steps(monkeypatch):
    monkeypatch.setitem(EXERCISES, "9.1", LOOKUP)
    given = [hint("9.1") for _ in range(3)]
    assert [verdict.kind for verdict in given] == ["hint"] * 3
    assert [verdict.sentences[0] for verdict in given] == ["Look.", "Look `there`.", "Look."]
    assert "This was hint 1 of 2. Run the cell again for the next one." in says(given[0])
    monkeypatch.setattr(checks, "_hints_given", {})


# How it looks.


def test_a_verdict_is_html_that_says_its_word_escapes_and_marks():
    def one_wrong(ids, table):
        rows = table[ids].clone()
        rows[:, 1] = 9
        return rows

    verdict = judge(exercise(lookup, *lookup_inputs(), name="<b>"), one_wrong)
    html = verdict._repr_html_()
    root = ET.fromstring(html)
    assert root.get("class") == "tfm verdict wrong"
    assert root.find("p/strong").text == "Not yet"
    assert "<code>" not in says(verdict)
    assert "&lt;b&gt;(ids, table)" in html
    assert [mark.text for mark in root.iter("mark")] == ["9.0"]
    boxes = list(root.iter("pre"))
    assert {box.get("tabindex") for box in boxes} == {"0"}
    assert len({box.get("aria-label") for box in boxes}) == len(boxes) == 3
    assert not re.search("|".join(MARK), html + repr(verdict))


def test_a_diagnosis_is_escaped():
    task = exercise(3, mistakes=[Mistake(4, "That is <eos>.")])
    assert "<p>That is &lt;eos&gt;.</p>" in judge(task, 4)._repr_html_()


def test_words_between_asterisks_are_emphasised_and_products_are_not():
    task = exercise(6, mistakes=[Mistake(4, "*Six*, not `2 * 2 * 1`, nor 2 * 2 * 1.")])
    assert "<p><em>Six</em>, not <code>2 * 2 * 1</code>, nor 2 * 2 * 1.</p>" in judge(task, 4)._repr_html_()


def test_code_between_backticks_is_code():
    html = judge(LOOKUP, template)._repr_html_()
    assert "<code>lookup(ids, table)</code>" in html
    assert "`" not in html


@pytest.mark.parametrize(
    "value, text",
    [
        (3, "3"),
        (2.0, "2.0"),
        (-0.0, "0.0"),
        (math.pi, "3.1416"),
        (1e-5, "1.000e-05"),
        (True, "True"),
        ("it's", '"it\'s"'),
        ((3, 4), "(3, 4)"),
        ((3,), "(3,)"),
        ([], "[]"),
        (["a", "b"], "['a', 'b']"),
        ({"a": torch.ones(2)}, "{'a': [1.0, 1.0]}"),
        (torch.tensor([[1.0, -0.00001], [0.25, 10]]), "[[ 1.0000,  0.0000],\n [ 0.2500, 10.0000]]"),
        (torch.tensor([[True, False]]), "[[ True, False]]"),
        (torch.tensor([1.0, -math.inf, math.nan]), "[ 1.0, -inf,  nan]"),
        (torch.arange(100), "[ 0,  1,  2,  3,  4,  5, …, 98, 99]"),
        (torch.zeros(2, 0), "[]"),
        (lambda: 1, "<function <lambda>>"),
        (None, "None"),
    ],
)
def test_values_are_written_with_four_decimals_at_most_and_no_minus_before_a_zero(value, text):
    assert write(value) == text


def test_a_call_is_written_so_that_it_can_be_run():
    written = write_call("lookup", ["ids", "table"], lookup_inputs()[2])
    assert torch.equal(eval(written.splitlines()[-1], globals(), run(written)), lookup(*lookup_inputs()[2]))
    assert write_call("one_hot", ["ids", "size"], (torch.tensor([2]), 4)) == "one_hot(torch.tensor([2]), 4)"


def run(text):
    names = {}
    exec("\n".join(text.splitlines()[:-1]), globals(), names)
    return names


@each_exercise
def test_a_function_that_is_given_is_written_whole(exercise):
    for arguments in exercise.inputs():
        written = write_call("f", [f"p{i}" for i in range(len(arguments))], arguments)
        for argument in arguments:
            for one in argument if isinstance(argument, list) else [argument]:
                assert not isinstance(one, Given) or one.code in written
