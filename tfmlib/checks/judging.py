"""The judge: runs an answer on the inputs of an exercise, compares, and says what it found."""

import dis
import inspect
import itertools
import time

from .calling import LONGEST_PRINT, Outcome, TimeIsUp, attempt, in_float64, kept, undisturbed
from .comparing import ROUNDED, near, numbers, same, tolerance
from .differing import difference, kind_of, value_of_another_kind
from .exercise import Exercise
from .explaining import meaning, place
from .verdict import Verdict
from .writing import without_addresses, write, write_call

SECONDS = 5.0  # after so many an answer that does not come back is stopped


def judge(exercise: Exercise, answer) -> Verdict:
    """Give the verdict on an answer: right, waiting, or wrong, and then which mistake it looks like.

    Args:
        exercise: what is right, and the catalogue of mistakes.
        answer: a function, or a value. Whatever it is or does, the verdict says so, and nothing is raised.

    Raises:
        RuntimeError: the exercise itself is broken.
    """
    if _is_untouched(answer):
        return _waiting(exercise)
    with undisturbed():
        inputs, wanted = _reference(exercise)
        if not callable(exercise.right):
            return _compare(exercise, answer, inputs, wanted, [Outcome(kept(answer))])
        if complaint := _no_such_function(exercise, answer, inputs[0]):
            return Verdict("wrong", exercise.number, (complaint,))
        outcomes = _run(answer, inputs, show=True)
        if any(_is_unfinished(outcome, answer) for outcome in outcomes):
            return _waiting(exercise, "Something in the code is still to be filled in.")
        again = _run(answer, inputs) if _came_back(outcomes) else outcomes
        if not _came_back(again):
            return _stopped(exercise, answer, inputs[len(again) - 1], again[-1].error)
        for arguments, *twice in zip(inputs, outcomes, again, strict=True):
            if not _alike(*twice) and len(set(map(_written, twice))) == 2:
                return _unstable(exercise, arguments, *twice)
        return _compare(exercise, answer, inputs, wanted, outcomes)


# ---- Is there an answer at all?


def _is_untouched(answer) -> bool:
    """Whether nothing is written yet: a `...`, alone or among others, or a function that does nothing at all."""
    if isinstance(answer, list | tuple | dict):
        return any(item is ... for item in (answer.values() if isinstance(answer, dict) else answer))
    code = getattr(inspect.unwrap(answer), "__code__", None)
    if not inspect.iscode(code):
        return answer is ...
    idle = {("RESUME", 0), ("NOP", None), ("LOAD_CONST", None), ("RETURN_CONST", None), ("RETURN_VALUE", None)}
    return all((step.opname, step.argval) in idle for step in dis.get_instructions(code))


def _is_unfinished(outcome: Outcome, answer) -> bool:
    """Whether the answer still holds a `...`, or a NotImplementedError of its own (torch raises some of them too)."""
    if isinstance(outcome.error, NotImplementedError):
        return "NotImplementedError" in getattr(getattr(inspect.unwrap(answer), "__code__", None), "co_names", ())
    return _is_untouched(outcome.value) or "ellipsis" in str(outcome.error)


def _no_such_function(exercise: Exercise, answer, arguments: tuple) -> str:
    """What to say of an answer that is no function with these arguments; nothing if it is one."""
    if inspect.isclass(answer) or not callable(answer):
        return (
            f"A function is wanted, and this is {kind_of(answer)}. Give the function itself, without brackets and "
            f'without quotes: `check("{exercise.number}", {exercise.name})`.'
        )
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):  # it does not say what it takes
        return ""
    try:
        signature.bind(*arguments)
    except TypeError as error:
        bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
        theirs = without_addresses(str(inspect.Signature(bare)))
        return (
            f"The check calls `{exercise.name}({', '.join(parameters(exercise))})`. Yours begins with "
            f"`def {exercise.name}{theirs}:`, which does not fit: {error}. Give it these arguments, in this order."
        )
    return ""


def parameters(exercise: Exercise) -> list[str]:
    """The names of the arguments; none where a value is asked for."""
    for known in (exercise.right, *exercise.also_right, *(mistake.answer for mistake in exercise.mistakes)):
        if callable(known):
            try:
                return list(inspect.signature(known).parameters)
            except ValueError:  # some of torch's own functions do not say what they take
                continue
    return []


# ---- Running it.


def _reference(exercise: Exercise) -> tuple[list[tuple], list]:
    """The inputs of an exercise, and what is right for each."""
    try:
        with in_float64():
            inputs = list(exercise.inputs())
        outcomes = outcomes_of(exercise.right, inputs)
        for outcome in outcomes:
            if outcome.error:
                raise outcome.error
        if not outcomes or any(outcome.value is None for outcome in outcomes):
            raise ValueError("it has no input, or nothing comes back for one")
    except Exception as error:
        fault = f"exercise {exercise.number} is broken; that is the course's fault, not your answer's"
        raise RuntimeError(f"{fault}: {type(error).__name__}: {error}") from error
    return inputs, [outcome.value for outcome in outcomes]


def outcomes_of(answer, inputs: list[tuple]) -> list[Outcome]:
    """What an answer of the course's own gives for each input, in the course's own dtype."""
    with in_float64():
        return [attempt(answer, arguments) if callable(answer) else Outcome(answer) for arguments in inputs]


def _run(answer, inputs: list[tuple], show: bool = False) -> list[Outcome]:
    """What the learner's answer gives for each input, up to one for which it does not come back.

    It is called many times: what it prints is shown for the first input only, and only if `show` is set.
    """
    outcomes, end = [], time.monotonic() + SECONDS
    for arguments in inputs:
        outcomes.append(attempt(answer, arguments, max(0.01, end - time.monotonic())))
        if show and len(outcomes) == 1:
            print(outcomes[0].printed, end="…\n" if len(outcomes[0].printed) == LONGEST_PRINT else "")
        if not _came_back(outcomes):
            break
    return outcomes


def _came_back(outcomes: list[Outcome]) -> bool:
    return not isinstance(outcomes[-1].error, TimeIsUp)


def _alike(given: Outcome, known: Outcome, least: float = 0.0) -> bool:
    """Whether two calls came to the same: the same value, or an error of the same type."""
    return type(given.error) is type(known.error) and bool(given.error or same(given.value, known.value, least))


def looks_like(outcomes: list[Outcome], known: list[Outcome], least: float = 0.0) -> bool:
    """Whether an answer is a known mistake: for all inputs it comes to the same.

    Where a mistake gives nothing but errors, they must say the same too: that they are of one type proves little.
    """
    if all(outcome.error for outcome in known):
        return [repr(outcome.error) for outcome in known] == [repr(outcome.error) for outcome in outcomes]
    return all(_alike(*pair, least) for pair in zip(outcomes, known, strict=True))


# ---- What is said.


def _compare(exercise: Exercise, answer, inputs: list[tuple], wanted: list, outcomes: list[Outcome]) -> Verdict:
    """The verdict on an answer that came back every time, and with the same each time."""
    least = 0.0 if callable(exercise.right) else ROUNDED
    right = [_alike(outcome, Outcome(value), least) for outcome, value in zip(outcomes, wanted, strict=True)]
    if all(right):
        return _right(exercise, inputs, outcomes)
    i = right.index(False)
    known = (m.diagnosis for m in exercise.mistakes if looks_like(outcomes, outcomes_of(m.answer, inputs), least))
    says = [*itertools.islice(known, 1)]
    if outcomes[i].error:
        return _stopped(exercise, answer, inputs[i], outcomes[i].error, *says)
    expected, came = wanted[i], outcomes[i].value
    if not says:
        says = [_general(exercise, inputs, wanted, outcomes, i) or difference(came, expected, least)]
        says += [_change(exercise, *pair) for pair in zip(inputs, outcomes, strict=True) if pair[1].changed][:1]
        says += [f"For {sum(right)} of the {len(right)} inputs that were tried it is right."] * any(right)
    evidence = _side_by_side(expected, came, least)
    if not callable(exercise.right):  # what is expected is the solution itself
        evidence = evidence[1:]
    return _wrong(exercise, inputs[i], says, *evidence)


def _general(exercise: Exercise, inputs: list[tuple], wanted: list, outcomes: list[Outcome], i: int) -> str:
    """What is wrong with the way in which an answer comes about; nothing if it is only its value."""
    came = outcomes[i].value
    if not callable(exercise.right):
        return value_of_another_kind(came, wanted[i])
    if came is None and outcomes[i].printed:
        return "It prints something and gives nothing back (None). To give it back: `return` in place of `print`."
    if came is None:
        return "It is None, nothing: is a `return` missing?"
    for name, *given in zip(parameters(exercise), *inputs, strict=False):  # on one input alone it may be by chance
        pairs = zip(outcomes, given, strict=True)
        if not isinstance(given[i], int | float) and all(same(outcome.value, argument) for outcome, argument in pairs):
            return f"It gives back its argument `{name}` as it came."
    if len(outcomes) > 1 and all(_alike(outcome, Outcome(wanted[0])) for outcome in outcomes):
        return "It gives for every input what is right for the first: compute it from the arguments."
    return ""


def _right(exercise: Exercise, inputs: list[tuple], outcomes: list[Outcome]) -> Verdict:
    for arguments, outcome in zip(inputs, outcomes, strict=True):
        if outcome.changed:
            return _wrong(exercise, arguments, ["What it gives is right.", _change(exercise, arguments, outcome)])
    tried = f" for each of the {len(inputs)} inputs that were tried" if len(inputs) > 1 else ""
    says = f"`{exercise.name}` {'gives' if tried else 'is'} what is wanted{tried}."
    return Verdict("right", exercise.number, (says,))


def _change(exercise: Exercise, arguments: tuple, outcome: Outcome) -> str:
    i = outcome.changed[0]
    name = parameters(exercise)[i]
    what = f"It changes its argument `{name}`: whoever calls it finds `{name}` changed afterwards."
    if isinstance(arguments[i], list | tuple | dict | set):
        return (
            f"{what} Build a new list and append to that. `append`, `pop`, `del` and `… [0] = …` change the one that "
            f"came in, and so they do with a list inside of it. `copy.deepcopy({name})` gives a copy to work on."
        )
    return f"{what} Make a new one: `{name} = {name} + 1` does, `{name} += 1` and `{name}[0] = 1` do not."


def _unstable(exercise: Exercise, arguments: tuple, *twice: Outcome) -> Verdict:
    says = (
        "It was called twice with the same arguments, and what came was not the same. Is there a random number in it, "
        "or something outside of it that changes from call to call, such as a list that grows?"
    )
    return _wrong(exercise, arguments, [says], *zip(("Came first", "Came then"), map(_written, twice), strict=True))


def _stopped(exercise: Exercise, answer, arguments: tuple, error: BaseException, *says: str) -> Verdict:
    """The verdict on an answer that did not come to its end, by an error or because time was up."""
    where, line = place(error, answer)
    evidence = [("The line", line)] if line else []
    if isinstance(error, TimeIsUp):
        what = f"`{exercise.name}` has used {SECONDS:g} seconds in all, so it was stopped{where}."
        return _wrong(exercise, arguments, [what + " Is there a loop that never ends, or is it very slow?"], *evidence)
    what = f"`{exercise.name}` stops with an error{where}. {meaning(error)}"
    return _wrong(exercise, arguments, [*says, what.rstrip()], *evidence, ("The error", _error_text(error)))


def _written(outcome: Outcome) -> str:
    return _error_text(outcome.error) if outcome.error else write(outcome.value)


def _error_text(error: BaseException) -> str:
    text = without_addresses(f"{type(error).__name__}: {error}".removesuffix(": "))
    short = "\n".join(text.splitlines()[:4])[:300]
    return short if short == text else short + " …"


def _side_by_side(expected, came, least: float) -> list[tuple[str, str]]:
    """What was expected and what came, with the numbers marked that differ, unless all do."""
    tables = [numbers(expected), numbers(came)]
    marks = None
    if all(table is not None and table.ndim for table in tables) and tables[0].shape == tables[1].shape:
        marks = ~near(tables[1], tables[0], tolerance(came), least)
    shapes = [f", shape {tuple(v.shape)}" if getattr(v, "ndim", 0) else "" for v in (expected, came)]
    digits = next((n for n in (4, 6, 8, 10) if write(expected, digits=n) != write(came, digits=n)), 12)
    return [
        (f"Expected{shapes[0]}", write(expected, digits=digits)),
        (f"Came{shapes[1]}", write(came, None if marks is None or marks.all() else marks, digits)),
    ]


def _wrong(exercise: Exercise, arguments: tuple, sentences: list[str], *evidence: tuple[str, str]) -> Verdict:
    if callable(exercise.right):
        call = write_call(exercise.name, parameters(exercise), arguments)
        evidence = (("The smallest input that shows it", call), *evidence)
    return Verdict("wrong", exercise.number, tuple(sentences), evidence)


def _waiting(exercise: Exercise, *sentences: str) -> Verdict:
    if callable(exercise.right):
        what = f"Write the code of `{exercise.name}({', '.join(parameters(exercise))})` where the `...` stands"
    else:
        what = f"Put your answer where the `...` stands in `{exercise.name} = ...`"
    what += f', and run the cell again. `hint("{exercise.number}")` gives a hint.'
    return Verdict("waiting", exercise.number, (*sentences, what))
