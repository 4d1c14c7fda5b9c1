"""The map: the paper's figure 1, drawn as far as a chapter has come, legible, and with no link into the void."""

import itertools
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tfmlib import draw
from tfmlib.draw.picture import luminance, text_width
from tfmlib.draw.transformer import (
    CHAPTERS,
    FAINT,
    HEIGHT,
    ICON,
    NUMBER,
    PIECES,
    SHAPES,
    SIZE,
    WIDTH,
    Part,
    Road,
    Sum,
    Words,
    _pull,
    _pulled,
)

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
MAPS = [*CHAPTERS, None]
PARTS, ROADS, SUMS, WORDS = ([p for p in PIECES if isinstance(p, kind)] for kind in (Part, Road, Sum, Words))
PHONE = 342  # pixels that a phone of 390 leaves to a picture


def figure(chapter):
    return ET.fromstring(draw.transformer(chapter)._repr_html_())


def states(chapter):
    """The states of a chapter's places on this map, for each chapter."""
    found = {}
    for group in figure(chapter).iter("g"):
        if group.get("class").startswith("part "):
            found.setdefault(int(group.find("text").text), []).append(group.get("class").split()[1])
    return found


def links(chapter):
    return [(a.get("href"), a.get("aria-label")) for a in figure(chapter).iter("a")]


def maps_of(notebook):
    """The maps in the outputs of a notebook."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            html = "".join(output.get("data", {}).get("text/html", ""))
            if 'class="map"' in html:
                yield html


def box(words):
    """Left, top, width and height of words that stand on their middle."""
    (x, y), width = words.middle, text_width(words.words, SIZE)
    return x - width / 2, y - 0.75 * SIZE, width, SIZE


def signs_and_words():
    return [part.box for part in PARTS] + [box(words) for words in WORDS]


def meet(a, b):
    """Whether two boxes have more than an edge in common."""
    return all(a[i] < b[i] + b[i + 2] and b[i] < a[i] + a[i + 2] for i in (0, 1))


def contrast(a, b):
    low, high = sorted(luminance([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]) for colour in (a, b))
    return (high + 0.05) / (low + 0.05)


# What it says


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapters_part_is_lit_those_below_stand_and_those_above_are_outlines(chapter):
    found = states(chapter)
    assert list(sorted(found)) == list(CHAPTERS)
    for number, places in found.items():
        expected = "done" if number < chapter else "here" if number == chapter else "later"
        # The decoder's feed-forward and Add & Norm are the encoder's once more; chapter 12 puts them there.
        again = {7: 1, 8: 3}.get(number, 0)
        assert places[: len(places) - again] == [expected] * (len(places) - again)
        assert places[len(places) - again :] == ["done" if chapter >= 12 else "later"] * again


def test_the_whole_machine_is_drawn_without_a_chapter():
    assert set(itertools.chain(*states(None).values())) == {"done"}


def column(role):
    """The names of the parts in this column, from the bottom to the top; without the signs of the layers."""
    parts = [part for part in PARTS if part.role == role and part.chapter not in (9, 12)]
    return [" ".join(part.lines) for part in sorted(parts, key=lambda part: -part.box[1])]


def test_the_encoder_is_the_papers():
    attention = ["Query Key Value", "Scaled softmax", "Multi-head"]
    assert column("source") == ["One-hot", "Embedding", *attention, "Add & Norm", "Feed-forward", "Add & Norm"]


def test_the_decoder_is_the_papers():
    layer = ["Masked attention", "Add & Norm", "Cross-attention", "Add & Norm", "Feed-forward", "Add & Norm"]
    assert column("target") == ["One-hot", "Embedding", *layer, "Linear, softmax", "Translating: word by word"]


def test_each_sublayer_has_a_road_around_it_to_its_add_and_norm():
    sublayers = []
    for norm in (part for part in PARTS if part.chapter == 8):
        x, y, width, height = norm.box
        sides = {(x, y + height // 2), (x + width, y + height // 2)}
        (road,) = (road for road in ROADS if road.chapter == 8 and road.points[-1] in sides)
        middle, start = road.points[0]
        assert (road.role, middle) == (norm.role, x + width // 2)
        around = [part for part in PARTS if part.role == norm.role and y < part.box[1] < start]
        sublayers.append([part.chapter for part in around])
        assert max(part.box[1] + part.box[3] for part in around) < start
    assert sublayers == [[4, 5, 6], [7], [10], [11], [7]]


def test_keys_and_values_of_cross_attention_come_from_the_encoder_and_queries_from_the_decoder():
    (cross,) = (part for part in PARTS if part.chapter == 11)
    into = {road.role: road for road in ROADS if road.chapter == 11 and road.arrow}
    (memory,) = (road for road in ROADS if road.chapter == 11 and not road.arrow)
    (out,) = (road for road in ROADS if road.chapter == 9)
    last = min((part for part in PARTS if part.role == "source" and part.chapter == 8), key=lambda part: part.box[1])
    assert out.points[0] == (last.box[0] + last.box[2] // 2, last.box[1])
    assert memory.points[0] == out.points[-1]
    assert memory.points[-1] == into["key"].points[0] == into["value"].points[0]
    norm = max((p for p in PARTS if p.since == 12 and p.chapter == 8), key=lambda part: part.box[1])
    assert into["query"].points[0] == (norm.box[0] + norm.box[2] // 2, norm.box[1])
    assert {road.points[-1][1] for road in into.values()} == {cross.box[1] + cross.box[3]}


def test_positions_are_added_on_both_sides():
    assert {place.middle[0] for place in SUMS} == {p.box[0] + p.box[2] // 2 for p in PARTS if p.chapter == 2}


def test_the_title_and_the_alternative_text_say_where_one_is():
    picture = draw.transformer(3)
    assert picture.title == "You are here: 3 · Positional encoding"
    assert "Built: 1 One-hot, 2 Embedding. You are here: 3 Positional encoding. Still to come: 4 Query," in picture.alt
    assert "Built" not in draw.transformer(1).alt
    assert "Still to come" not in draw.transformer(16).alt
    assert "here" not in repr(draw.transformer())
    assert "16 Translating" in draw.transformer().alt


@pytest.mark.parametrize("chapter", [0, 17, -1, 2.5, "3"])
def test_a_chapter_that_is_none_is_refused(chapter):
    with pytest.raises(ValueError, match=re.escape(f"1 to 16, and no chapter {chapter!r}")):
        draw.transformer(chapter)


# Where it leads


@pytest.mark.parametrize("chapter", MAPS)
def test_each_part_below_leads_to_its_chapter(chapter):
    named = [link for link in links(chapter) if link[1]]
    # In the order in which they stand, from the bottom up: Add & Norm stands below the feed-forward part as well.
    standing = dict.fromkeys(part.chapter for part in PARTS)
    expected = [number for number in standing if chapter is None or number < chapter]
    assert named == [(f"{CHAPTERS[n][0]}.ipynb", f"Chapter {n}: {CHAPTERS[n][1]}") for n in expected]


@pytest.mark.parametrize("chapter", MAPS)
def test_a_link_lies_over_its_part_and_the_keyboard_meets_it_once(chapter):
    linked = []
    for a in figure(chapter).iter("a"):
        left, top, width, height = map(float, re.findall(r"([\d.]+)%", a.get("style")))
        place = [round(left * WIDTH / 100), round(top * HEIGHT / 100), round(width * WIDTH / 100)]
        (part,) = (p for p in PARTS if place == list(p.box[:3]) and round(height * HEIGHT / 100) == p.box[3])
        assert a.get("href") == f"{CHAPTERS[part.chapter][0]}.ipynb"
        hidden = a.get("aria-hidden"), a.get("tabindex"), a.get("aria-label") is None
        assert hidden == (("true", "-1", True) if part.chapter in linked else (None, None, False))
        linked.append(part.chapter)
    underlined = [g for g in figure(chapter).iter("g") if "link" in g.get("class").split()]
    assert [int(g.find("text").text) for g in underlined] == linked


def test_the_map_knows_the_chapters():
    files = {int(path.stem[:2]): path.stem for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")}
    assert files == {number: file for number, (file, _) in CHAPTERS.items()}


@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_map_in_a_notebook_leads_nowhere(notebook):
    for html in maps_of(notebook):
        for href in re.findall(r'<a href="([^"]+)"', html):
            assert (notebook.parent / href).is_file(), href


# How it looks


@pytest.mark.parametrize("chapter", MAPS)
def test_it_is_the_same_every_time_and_brings_no_ids(chapter):
    html = draw.transformer(chapter)._repr_html_()
    assert html == draw.transformer(chapter)._repr_html_()
    assert not re.search(r'\sid="|url\(', html)
    assert figure(chapter).find("svg").get("role") == "img"


def test_its_words_are_legible_on_a_phone():
    assert SIZE * PHONE / WIDTH >= 11


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.chapter} {part.role}")
def test_no_word_is_wider_than_its_sign(part):
    _, _, width, height = part.box
    room = width - NUMBER - (ICON + 9 if part.icon else 0)
    assert max(text_width(line, SIZE) for line in part.lines) <= room
    assert text_width("16", SIZE) <= NUMBER
    assert 17 * len(part.lines) <= height


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.chapter} {part.role}")
def test_a_finger_on_a_phone_meets_one_sign(part):
    x, y, width, height = part.box
    finger = 24 * WIDTH / PHONE  # WCAG 2.2, success criterion 2.5.8: 24 pixels, where the sign has them or around it
    around = (x, y + height / 2 - max(height, finger) / 2, width, max(height, finger))
    assert not [other for other in PARTS if other != part and meet(around, other.box)]


def test_nothing_is_cut_off_and_no_signs_or_words_overlap():
    boxes = signs_and_words() + [(x - 13, y - 13, 26, 26) for x, y in (place.middle for place in SUMS)]
    for a, b in itertools.combinations(boxes, 2):
        assert not meet(a, b), (a, b)
    for x, y, width, height in boxes:
        assert 0 <= x <= x + width <= WIDTH
        assert 0 <= y <= y + height <= HEIGHT


def test_no_road_runs_through_a_sign_or_a_word():
    for road in ROADS:
        for (ax, ay), (bx, by) in itertools.pairwise(road.points):
            assert ax == bx or ay == by
            way = (min(ax, bx), min(ay, by), abs(ax - bx), abs(ay - by))
            assert not [box for box in signs_and_words() if meet(way, box)], road


@pytest.mark.parametrize("page", [0, 1], ids=["light", "dark"])
def test_what_is_still_to_come_can_be_read(page):
    assert contrast(FAINT[page], draw.PAGE[page]) >= 4.5


# With the shapes


def with_shapes():
    return draw.transformer(shapes=True)


PULLED = [_pull(piece) for piece in PIECES]
PULLED_ROADS = [piece for piece in PULLED if isinstance(piece, Road)]


def test_without_the_shapes_nothing_of_them_is_drawn():
    assert draw.transformer(shapes=False)._repr_html_() == draw.transformer()._repr_html_()
    assert "shape" not in draw.transformer()._repr_html_()
    assert "shape" not in repr(draw.transformer())


def test_the_shapes_stand_on_the_map_and_in_its_words():
    groups = ET.fromstring(with_shapes()._repr_html_()).iter("g")
    drawn = [group.find("text").text for group in groups if group.get("class").startswith("shape done")]
    assert drawn == [shape.words for shape in SHAPES]
    assert "with the shape on each wire" in with_shapes().title
    assert "the memory (B, S, D)" in with_shapes().alt
    assert drawn.count("(B, T, D)") == 8
    assert drawn.count("(B, S, D)") == 6


def test_what_is_still_to_come_has_pale_shapes():
    groups = ET.fromstring(draw.transformer(9, shapes=True)._repr_html_()).iter("g")
    states = {
        (group.find("text").text, group.get("class").split()[1])
        for group in groups
        if group.get("class").startswith("shape")
    }
    assert ("(B, S, D)", "later") not in states
    assert ("(B, T, V)", "later") in states


def on(shape, road):
    """Whether the plate lies on the road, and leaves some of it free."""
    x, y = shape.middle
    for (ax, ay), (bx, by) in itertools.pairwise(road.points):
        if ax == bx == x and min(ay, by) < y - 9 and y + 9 < max(ay, by):
            return True
        if ay == by == y and min(ax, bx) < shape.box[0] and shape.box[0] + shape.box[2] < max(ax, bx):
            return True
    return False


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.of} {shape.words}")
def test_a_shape_lies_on_its_road(shape):
    if shape.words in ("(S, D)", "(T, D)"):  # its road is too short: it lies on the positional encoding
        (part,) = (p for p in PULLED if isinstance(p, Part) and p.chapter == 3)
        assert 0 <= part.box[1] - shape.box[1] - shape.box[3] <= 4
    else:
        assert any(on(shape, road) for road in PULLED_ROADS)


def test_no_shape_covers_a_sign_a_word_or_a_shape_and_none_is_cut_off():
    words = [box(piece) for piece in PULLED if isinstance(piece, Words)]
    signs = [piece.box for piece in PULLED if isinstance(piece, Part)]
    sums = [(x - 13, y - 13, 26, 26) for x, y in (piece.middle for piece in PULLED if isinstance(piece, Sum))]
    plates = [shape.box for shape in SHAPES]
    for plate in plates:
        assert not [other for other in words + signs + sums if meet(plate, other)], plate
        assert 0 <= plate[0] <= plate[0] + plate[2] <= WIDTH
        assert 0 <= plate[1] <= plate[1] + plate[3] <= _pulled(HEIGHT)
    assert not [pair for pair in itertools.combinations(plates, 2) if meet(*pair)]


def test_a_shape_hides_no_road_but_its_own():
    for shape in SHAPES:
        over = set()
        for road in PULLED_ROADS:
            for (ax, ay), (bx, by) in itertools.pairwise(road.points):
                if meet((min(ax, bx), min(ay, by), abs(ax - bx), abs(ay - by)), shape.box):
                    over.add(road.role)
        expected = {"query", "key", "value"} if shape.chapter == 4 else over if len(over) <= 1 else None
        assert over == expected, (shape, over)


def test_the_links_of_the_map_with_shapes_lie_over_their_parts():
    parts = [piece for piece in PULLED if isinstance(piece, Part)]
    for a in ET.fromstring(with_shapes()._repr_html_()).iter("a"):
        left, top, _, height = map(float, re.findall(r"([\d.]+)%", a.get("style")))
        place = [round(left * WIDTH / 100), round(top * _pulled(HEIGHT) / 100), round(height * _pulled(HEIGHT) / 100)]
        assert [p for p in parts if place == [p.box[0], p.box[1], p.box[3]]]
