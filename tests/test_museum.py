"""The bug museum: each exhibit is caught, explained and shown; each plant is a line of the package replaced."""

import re
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from unittest import mock

import nbformat
import pytest
import torch

from tfmlib import museum
from tfmlib.checks import EXERCISES, Exercise, Mistake
from tfmlib.museum import PLANTS, WINGS, Trial, planting, try_out
from tfmlib.museum.exhibits import Exhibit, compare, lines_of, source, wing_of_answer, wing_of_trial
from tfmlib.museum.planting import fresh

ROOT = Path(__file__).parents[1]
REFERENCE = Trial(losses=[4.0, 2.0, 0.6], right=90, says="oui")
CLASSICS = [(exercise, m) for exercise in EXERCISES.values() for m in exercise.mistakes if m.classic]
EXHIBITS = museum.exhibits({plant.classic: REFERENCE for plant in PLANTS}, REFERENCE)

each_exhibit = pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.name)
each_plant = pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.classic)


def test_every_classic_of_the_catalogue_is_in_one_exhibit_and_every_plant_too():
    shown = [(exercise.number, mistake.diagnosis) for exhibit in EXHIBITS for exercise, mistake in exhibit.found]
    assert sorted(shown) == sorted((exercise.number, mistake.diagnosis) for exercise, mistake in CLASSICS)
    assert [exhibit.plant for exhibit in EXHIBITS if exhibit.plant] != []
    assert {exhibit.plant.classic for exhibit in EXHIBITS if exhibit.plant} == {plant.classic for plant in PLANTS}
    assert len(PLANTS) >= 10


def test_no_two_exhibits_have_one_name_or_one_place():
    assert len({exhibit.name for exhibit in EXHIBITS}) == len(EXHIBITS)
    assert len({exhibit.anchor for exhibit in EXHIBITS}) == len(EXHIBITS)


def test_each_chapter_has_exhibits():
    assert {exhibit.chapter for exhibit in EXHIBITS} == set(range(1, 17))


@each_exhibit
def test_an_exhibit_is_caught_by_each_of_its_checks(exhibit):
    assert exhibit.found or exhibit.plant
    for verdict, (exercise, mistake) in zip(exhibit.verdicts, exhibit.found, strict=True):
        assert (verdict.kind, verdict.number) == ("wrong", exercise.number)
        assert verdict.sentences[0] == mistake.diagnosis


@each_exhibit
def test_an_exhibit_shows_a_wrong_line_beside_a_right_one_in_a_few_lines(exhibit):
    marks = [mark for mark, _ in exhibit.difference]
    assert {"wrong", "right"} & set(marks)
    answers = [mistake.answer for _, mistake in exhibit.found]
    if exhibit.plant or any(map(callable, answers)):
        assert "right" in marks or "both" in marks
        lines = [[line for mark, line in exhibit.difference if mark == kind] for kind in ("wrong", "right")]
        assert lines[0] != lines[1]
    assert len(marks) <= 25


@each_exhibit
def test_an_exhibit_links_to_a_chapter_that_there_is(exhibit):
    assert (ROOT / "notebooks" / exhibit.page).exists()


def test_a_mistake_has_one_name():
    names = {exhibit.name for exhibit in EXHIBITS}
    bare = {re.sub(r"^(the|an?) ", "", name.lower()) for name in names}
    assert len(bare) == len(names)
    assert not [name for name in names if "`" in name]


# ---- The page.


@pytest.fixture(scope="module")
def page():
    notebook = nbformat.read(ROOT / "notebooks" / "bug_museum.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "\n".join(output.data.get("text/html", "") for output in outputs if "data" in output)


def test_the_page_has_every_exhibit_once_and_a_way_to_it_from_the_guide(page):
    anchors = [exhibit.anchor for exhibit in EXHIBITS]
    assert sorted(re.findall(r'<details class="tfm exhibit" id="([^"]+)">', page)) == sorted(anchors)
    guide = page[page.index("guide") : page.index("</table>")]
    assert sorted(re.findall(r'href="#([^"]+)"', guide)) == sorted(anchors)


def test_the_page_shows_every_wing():
    text = (ROOT / "notebooks" / "bug_museum.md").read_text(encoding="utf-8")
    assert re.findall(r'museum\.wing\(exhibits, "(\w+)"\)', text) == list(WINGS)


# ---- Planting.


def steps_with(plant=None) -> tuple:
    """The losses of a few steps of training, and the scores of the second word that is written, with the cache."""
    training = planting.training
    _, ids, _, _ = planting.school()
    losses = []
    with plant.planted() if plant else nullcontext():
        model = fresh()
        config = training.TrainingConfig(**vars(planting.TRAINING) | {"steps": 3, "log_every": 1})
        training.train(model, ids, config, on_log=lambda entry: losses.append(entry["loss"]))
        source, target = training.collate(ids[:7])
        writer = planting.decoding._Writer(model, source, use_cache=True)
        writer.logits()
        writer.append(target[:, 1])
        scores = writer.logits()
    return torch.tensor(losses, dtype=torch.float64), scores.detach()


@pytest.mark.parametrize("place", planting.TWINS, ids=lambda place: place[1])
def test_the_right_twin_of_a_function_of_pytorch_gives_what_that_gives(place):
    right = steps_with()
    with mock.patch.object(*place, planting.TWINS[place]):
        torch.testing.assert_close(steps_with(), right)


@each_plant
def test_a_plant_replaces_lines_by_wrong_ones_and_changes_what_comes(plant):
    wrong, right = plant.texts
    assert wrong != right
    try:
        came = steps_with(plant)
    except (ValueError, RuntimeError):
        return
    assert not all(a.shape == b.shape and torch.allclose(a, b) for a, b in zip(came, steps_with(), strict=True))


def test_a_plant_whose_line_is_not_there_says_so():
    with pytest.raises(ValueError, match="No: forward has 'tanh' 0 times"):
        _ = replace(PLANTS[0], classic="No", wrong={"tanh": "relu"}).texts


@each_plant
def test_a_planted_part_is_gone_after_the_block(plant):
    before = getattr(plant.owner, plant.part)
    with plant.planted():
        assert getattr(plant.owner, plant.part) is not before
    assert getattr(plant.owner, plant.part) is before
    with pytest.raises(ZeroDivisionError), plant.planted():
        raise ZeroDivisionError
    assert getattr(plant.owner, plant.part) is before


def test_what_leaks_is_what_lets_a_word_see_the_words_after_it():
    plants = {plant.classic: plant for plant in PLANTS}
    assert not museum.leaks()
    assert museum.leaks(plants["No causal mask"])
    assert not museum.leaks(plants["Targets not shifted"])


def test_a_plant_that_stops_tells_its_error_and_one_that_leaks_is_better_than_the_right_one():
    plants = {plant.classic: plant for plant in PLANTS}
    assert "nan" in str(try_out(plants["True taken for ignore"]).error)
    assert "must broadcast" in str(try_out(plants["The padding mask on the query axis"]).error)
    right, leaking = try_out(), try_out(plants["The wrong triangle"])
    assert leaking.mean < 0.9 * right.mean
    assert leaking.right == 0 < 80 < right.right
    assert len(right.losses) == len(leaking.losses)


# ---- The wings, and the lines, on cases made up for them.


@pytest.mark.parametrize(
    ("trial", "wing"),
    [
        (Trial(error=ValueError("the loss is nan at step 5")), "nan"),
        (Trial(error=ValueError("no")), "error"),
        (Trial(losses=[4.0, 3.0, 2.0], right=90), "high"),
        (Trial(losses=[float("nan")], right=0), "high"),
        (Trial(losses=[4.0, 1.0, 0.1], right=0), "good"),
        (Trial(losses=[4.0, 2.0, 0.6], right=0), "words"),
        (Trial(losses=[4.0, 2.7, 0.7], right=90), "slow"),
        (Trial(losses=[4.0, 1.0, 0.1], right=90), "nothing"),
    ],
)
def test_the_wing_of_a_planted_mistake_is_what_is_seen(trial, wing):
    assert wing_of_trial(trial, REFERENCE) == wing


def double(x):
    """Twice x."""
    return 2 * x


def made_up(answer) -> tuple[Exercise, Mistake]:
    mistake = Mistake(answer, "No.", classic="made up")
    inputs = [(torch.tensor([1.0, 2.0]),), (torch.tensor([3.0, 0.0]),)]
    return Exercise("1.9", "twice", double, [mistake], ["a", "b"], lambda: inputs), mistake


@pytest.mark.parametrize(
    ("answer", "wing"),
    [
        (lambda x: x @ torch.eye(3), "error"),
        (lambda x: 2 * x + 0 / x * 0, "nan"),
        (lambda x: 2 * x[:1], "shape"),
        (lambda x: [2 * v for v in x.tolist()][::-1], "numbers"),
    ],
)
def test_the_wing_of_another_mistake_is_what_its_answers_show(answer, wing):
    assert wing_of_answer(*made_up(answer)) == wing


def test_a_new_classic_is_a_new_exhibit_and_one_of_the_same_name_joins_it():
    exercise, mistake = made_up(lambda x: 3 * x)
    (one,) = museum.exhibits({}, REFERENCE, {"1.9": exercise})
    assert (one.name, one.chapter, one.plant, one.wing) == ("made up", 1, None, "numbers")
    again = Mistake(lambda x: 4 * x, "No!", classic="made up")
    (both,) = museum.exhibits({}, REFERENCE, {"1.9": Exercise("1.9", "twice", double, [mistake, again], ["a", "b"])})
    assert len(both.found) == 2


def test_the_source_is_a_functions_own_without_docstring_and_a_lambdas_too():
    assert source(double, "twice") == ["def twice(x):", "    return 2 * x"]
    pair = [lambda x: (x, 1), lambda x: (x, 2)]
    assert [source(f, "f")[1] for f in pair] == ["    return (x, 1)", "    return (x, 2)"]
    exercise, mistake = made_up(lambda x: 3 * x)
    marked = [("both", "def twice(x):"), ("wrong", "    return 3 * x"), ("right", "    return 2 * x")]
    assert lines_of(exercise, mistake) == marked
    assert lines_of(exercise, Mistake([1, 2], "No.")) == [("wrong", "twice = [1, 2]")]


def test_what_is_far_from_the_mistake_is_left_out():
    wrong = ["def f(x):", *(f"    {c} = 1" for c in "abcdefgh"), "    return x"]
    right = [line.replace("h = 1", "h = 2") for line in wrong]
    shown = compare(wrong, right)
    assert [line for mark, line in shown if mark == "both"][:2] == ["def f(x):", "    …"]
    assert ("wrong", "    h = 1") in shown
    assert ("right", "    h = 2") in shown
    assert len(shown) < len(wrong)


def test_every_exhibit_is_shown_with_its_lines_and_its_name_in_a_page_and_in_a_terminal():
    mistakes = [Exhibit("a < b", (made_up(lambda x: 3 * x),)), Exhibit("other", (made_up(lambda x: x[:1]),))]
    shown = museum.wing(mistakes, "numbers")
    assert 'id="bug-a-b"><summary><strong>a &lt; b</strong> <span>No.</span>' in shown._repr_html_()
    assert "✗" in shown._repr_html_()
    assert repr(shown) == "a < b: No.\n  def twice(x):\n✗     return 3 * x\n✓     return 2 * x"
    assert "no exhibit" in repr(museum.wing([], "numbers"))
    assert repr(museum.guide(mistakes)).startswith(f"{WINGS['shape']}:\n    other\n{WINGS['numbers']}:\n    a < b")
