"""Trees of a search: each word below its own, the four fates told apart without colour, and legible on a phone."""

import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from axe_playwright_python.sync_playwright import Axe

from tfmlib import draw
from tfmlib.draw import Branch
from tfmlib.draw.flow import SHAPE
from tfmlib.draw.picture import text_width
from tfmlib.draw.transformer import SIZE, WIDTH

PHONE = 342  # pixels that a phone of 390 leaves to a picture

BEAM = Branch(
    "<bos>",
    0.0,
    "best",
    [
        Branch("la", -0.693, children=[Branch("bête", -1.609, "ended"), Branch("souris", -1.743, "dropped")]),
        Branch("l'", -0.916, "best", [Branch("animal", -1.022, "best", [Branch("<eos>", "−1.82", "best")])]),
        Branch("un", -2.303, "dropped"),
    ],
)
LONG = Branch("…", children=[Branch("a", children=[Branch("b", children=[Branch("c", -1, "best")])]), Branch("d" * 20)])
CROWDED = Branch(
    "root",
    children=[Branch("left", -1, "kept", [Branch("word" + "s" * i, -2) for i in range(5)]), Branch("right" * 4, -3)],
)
TREES = {"beam": BEAM, "long": LONG, "crowded": CROWDED, "alone": Branch("alone")}


def picture(tree):
    return draw.tree(tree, title="What to see", alt="What it shows")


def svg(tree):
    return ET.fromstring(picture(tree)._repr_html_()).find("svg")


def pieces(tree):
    """The words of the tree with their fate, the middle and the top of their box, and where their line begins."""
    found = []
    for group in svg(tree).find("g[@class='tree']").findall("g"):
        texts = group.findall("text")
        if not texts:
            continue  # the legend's groups are deeper
        if "legend" in texts[0].get("class", ""):
            continue
        line = group.find("path")
        ends = None if line is None else [int(number) for number in re.findall(r"\d+", line.get("d"))]
        x, y = int(texts[0].get("x")), int(texts[0].get("y")) - 19
        found.append((texts[0].text, group.get("class"), x, y, ends, [text.text for text in texts[1:]]))
    return found


def every(branch):
    """All branches of a tree with their depth and their parent."""
    row = [(branch, 0, None)]
    while row:
        yield from row
        row = [(child, depth + 1, parent) for parent, depth, _ in row for child in parent.children]


# What it says


@pytest.mark.parametrize("name", TREES)
def test_a_word_stands_once_in_the_row_of_its_step_in_the_order_given(name):
    found, wanted = pieces(TREES[name]), list(every(TREES[name]))
    assert [piece[0] for piece in found] == [branch.word for branch, _, _ in wanted]
    rows = {}
    for piece, (_, depth, _) in zip(found, wanted, strict=True):
        rows.setdefault(depth, []).append(piece)
    heights = [{piece[3] for piece in row} for row in rows.values()]
    assert all(len(height) == 1 for height in heights)
    assert heights == sorted(heights, key=min)
    for row in rows.values():
        assert [piece[2] for piece in row] == sorted(piece[2] for piece in row)


@pytest.mark.parametrize("name", TREES)
def test_a_line_leads_from_the_bottom_of_its_parent_to_its_top(name):
    found, wanted = pieces(TREES[name]), list(every(TREES[name]))
    places = {id(branch): piece for piece, (branch, _, _) in zip(found, wanted, strict=True)}
    for (_, _, x, y, line, _), (_, _, parent) in zip(found, wanted, strict=True):
        if parent is None:
            assert line is None
            continue
        assert line[2:] == [x, y]
        above = places[id(parent)]
        assert line[0] == above[2]
        assert above[3] + 28 <= line[1] < y


def test_numbers_have_two_decimals_and_a_real_minus_sign_and_a_text_stays():
    found = {piece[0]: piece[5] for piece in pieces(BEAM)}
    assert found["la"] == ["−0.69"]
    assert found["<bos>"] == ["0.00"]
    assert found["<eos>"] == ["−1.82"]
    assert pieces(LONG)[0][5] == []


def test_the_fates_are_told_apart_without_colour():
    groups = {group.get("class"): group for group in svg(BEAM).find("g[@class='tree']").findall("g")[:-4]}
    boxes = {fate: len(group.findall("rect")) for fate, group in groups.items()}
    assert boxes == {"kept": 1, "dropped": 0, "ended": 2, "best": 1}
    style = picture(BEAM)._repr_html_()
    assert re.search(r"\.dropped path\{[^}]*stroke-dasharray", style)
    assert re.search(r"\.best path\{[^}]*stroke-width:4", style)


def test_the_legend_names_the_fates_that_there_are_and_no_others():
    def legend(tree):
        return [text.text for text in svg(tree).iter("text") if "legend" in text.get("class", "")]

    assert legend(BEAM) == ["kept", "dropped", "ended", "best"]
    assert legend(LONG) == ["kept", "best"]
    assert legend(Branch("alone")) == []


def test_it_says_what_it_shows_is_the_same_every_time_and_brings_no_ids():
    html = picture(BEAM)._repr_html_()
    assert html == picture(BEAM)._repr_html_()
    assert not re.search(r'\sid="|url\(', html)
    assert repr(picture(BEAM)) == "What to see\nWhat it shows"
    assert svg(BEAM).get("aria-label") == "What it shows"
    assert "a &lt; b" in picture(Branch("a < b"))._repr_html_()


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        (Branch("a", fate="lost"), "there is no fate 'lost'; there are kept, dropped, ended, best"),
        (Branch("a", children=[Branch("b" * 60)]), "pixels wide; above 480 .* Draw fewer branches"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tree, complaint):
    with pytest.raises(ValueError, match=complaint):
        picture(tree)


# How it looks


def test_words_and_numbers_are_legible_on_a_phone():
    assert min(SIZE, SHAPE) * PHONE / WIDTH >= 10


@pytest.mark.parametrize("name", TREES)
def test_nothing_is_cut_off_and_no_words_overlap(name):
    whole, rows = picture(TREES[name]), {}
    assert whole.width <= WIDTH
    for word, _, x, y, _, below in pieces(TREES[name]):
        half = max(text_width(text, size) for text, size in zip([word, *below], (SIZE, SHAPE), strict=False)) / 2
        assert x - half >= 1
        assert x + half + 1 <= whole.width
        assert y + 28 <= whole.height
        rows.setdefault(y, []).append((x - half, x + half))
    for row in rows.values():
        for (_, end), (start, _) in itertools.pairwise(row):
            assert end < start


@pytest.mark.parametrize("name", TREES)
def test_no_two_lines_cross(name):
    lines = [piece[4] for piece in pieces(TREES[name]) if piece[4]]
    for a, b in itertools.combinations(lines, 2):
        if a[3] == b[3]:  # of one row
            assert (a[0] - b[0]) * (a[2] - b[2]) >= 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_a_phone_shows_all_words_large_enough(opened, theme):
    page = opened(*map(picture, TREES.values()), theme=theme, width=PHONE + 16)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE + 16
    sizes = page.locator("svg text").evaluate_all("""texts => texts.map(text => {
        const { a, b, c, d } = text.getScreenCTM();
        return parseFloat(getComputedStyle(text).fontSize) * Math.sqrt(a * d - b * c);
    })""")
    assert min(sizes) >= 10
    outside = page.locator("svg .tree > g:has(rect)").evaluate_all("""groups => groups.filter(group => {
        const box = group.querySelector("rect").getBBox();
        return [...group.querySelectorAll(":scope > text:not(.legend)")].some(text => {
            const words = text.getBBox();
            return words.x < box.x || words.x + words.width > box.x + box.width;
        });
    }).length""")
    assert outside == 0
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [violation["id"] for violation in found] == []
