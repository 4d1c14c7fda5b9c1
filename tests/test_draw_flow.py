"""Flow diagrams: the parts and shapes that were given, wired as they were given, and legible on a phone."""

import itertools
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe

from tfmlib import draw
from tfmlib.draw import Box, Branches, Layer, Plus, Shortcut, Words
from tfmlib.draw.flow import SHAPE
from tfmlib.draw.picture import text_width
from tfmlib.draw.transformer import SIZE, WIDTH

PHONE = 342  # pixels that a phone of 390 leaves to a picture


def sublayer(name, *shapes, **options):
    return Shortcut([*shapes, Box(name, "source"), *shapes], Box("Add & Norm", "source"), role="source", **options)


def pre(name, **options):
    return Shortcut([Box("Norm", "source"), Box(name)], role="source", **options)


THREE = Branches(
    [Box("W_Q", "query"), "(B, S, K)", "Q"],
    [Box("W_K", "key"), "(B, S, K)", "K"],
    [Box("W_V", "value"), "(B, S, K)", "V"],
)
ATTENTION = [
    Branches(
        [Branches([Words("Q", "query"), "(S, K)"], [Words("K", "key"), "(S, K)"]), Box("Q Kᵀ"), "(S, S)"],
        [Words("V", "value"), "(S, K)"],
    ),
    Box("weights · V"),
    "out",
]
HEADS = [
    *("x", "(B, S, D)", Box("split"), "(B, H, S, K)"),
    Branches([Box("head 0")], [Box("head 1")], "…", [Box("head H − 1")]),
    *(Box("concatenate"), "(B, S, H·K)", Box("W_O"), "(B, S, D)"),
]
ENCODER = [
    *("ids", "(B, S)", Box("Embedding", "source"), "(B, S, D)", Plus(Box("Positional\nencoding")), "(B, S, D)"),
    Layer([sublayer("Attention", "(B, S, D)"), "(B, S, D)", sublayer("Feed-forward")], "× 6", "source"),
    *("(B, S, D)", "memory"),
]
DIAGRAMS = {
    "three": ["x", "(B, S, D)", THREE],
    "attention": ATTENTION,
    "heads": HEADS,
    "encoder": ENCODER,
    "norms": {
        "post-LN": ["x", sublayer("Attention"), sublayer("Feed-\nforward"), "y"],
        "pre-LN": ["x", pre("Attention"), pre("Feed-\nforward"), "y"],
    },
    "aside": {
        "post-LN": ["x", "(B, S, D)", sublayer("Attention", "(B)", aside=True), "(B, S, D)"],
        "pre-LN": ["x", pre("Attention", aside=True), pre("Feed-\nforward", aside=True), "y"],
    },
    "nested": [
        "x",
        Branches(
            [Shortcut([Box("a", "query"), "(B)"])],
            [Layer([Box("b", "key")], "× 2", "key"), "(T)"],
            [Branches([Box("c")], [Box("d"), "(K)"]), "+"],
        ),
        *("(B, S)", Layer(["(B)", Shortcut([Branches([Box("Q")], [Box("K")]), "(X)", Box("attend"), "(Y)"]), "(Z)"])),
        Branches([Box("e"), "(1)"], [Box("f"), "(2)"]),
    ],
}


@dataclass
class Piece:
    """What is drawn: its kind, role and words, and where. A road has its corners, and whether it ends in an arrow."""

    kind: str
    role: str
    words: str = ""
    box: tuple = ()
    corners: tuple = ()
    arrow: bool = False

    @property
    def middle(self):
        x, y, width, height = self.box
        return x + width / 2, y + height / 2


def picture(road, **options):
    return draw.flow(road, **{"title": "What to see", "alt": "What it shows"} | options)


def numbers(text):
    return [float(number) for number in re.findall(r"-?[\d.]+", text)]


def pieces(road):
    """All pieces of a diagram, in the picture's own places."""
    found = []

    def walk(element, x, y):
        for group in element:
            if group.tag != "g":
                continue
            if move := group.get("transform"):
                dx, dy = numbers(move)
                walk(group, x + dx, y + dy)
            elif (kind := group.get("class").split()[0]) == "map":
                walk(group, x, y)
            else:
                found.append(piece(group, kind, group.get("class").split()[2], x, y))

    def piece(group, kind, role, x, y):
        texts = [*group.iter("text")]
        words = "\n".join("".join(text.itertext()) for text in texts)
        if kind == "road":
            way, head = group[0].get("d"), group[1].get("d") if len(group) > 1 else ""
            ends = numbers(re.match(r"M[-\d. ]+", way)[0]), numbers(head)[:2] or numbers(way.rpartition("L")[2])
            turns = [numbers(turn)[:2] for turn in re.findall(r"Q([-\d. ]+)", way)]
            corners = tuple((x + a, y + b) for a, b in (ends[0], *turns, ends[1]))
            return Piece(kind, role, corners=corners, arrow=bool(head))
        if kind == "sum":
            a, b, r = (float(group[0].get(name)) for name in ("cx", "cy", "r"))
            return Piece(kind, role, "+", (x + a - r, y + b - r, 2 * r, 2 * r))
        if kind == "words":
            look = texts[0].get("class")
            size = SHAPE if look == "shape" else SIZE
            width = text_width(words, size)
            left = float(texts[0].get("x")) - (0 if look in ("shape", "note") else width / 2)
            kind = look or kind
            return Piece(kind, role, words, (x + left, y + float(texts[0].get("y")) - 0.75 * size, width, size))
        rect = [float(group[0].get(name)) for name in ("x", "y", "width", "height")]
        return Piece(kind, role, words, (x + rect[0], y + rect[1], *rect[2:]))

    walk(ET.fromstring(picture(road)._repr_html_()).find("svg"), 0, 0)
    return found


def of(found, *kinds):
    return [piece for piece in found if piece.kind in kinds]


def named(found, words):
    (one,) = (piece for piece in found if piece.words == words)
    return one


def meet(a, b):
    """Whether two boxes have more than an edge in common."""
    return all(a[i] < b[i] + b[i + 2] and b[i] < a[i] + a[i + 2] for i in (0, 1))


def at_bottom(point, piece):
    x, y, width, height = piece.box
    return x <= point[0] <= x + width and abs(point[1] - y - height) <= (5 if piece.kind == "words" else 0.5)


def at_top(point, piece):
    x, y, width, _ = piece.box
    return x <= point[0] <= x + width and abs(point[1] - y) <= (5 if piece.kind == "words" else 0.5)


def at_side(point, piece):
    x, y, width, height = piece.box
    return abs(point[1] - y - height / 2) <= 0.5 and min(abs(point[0] - x), abs(point[0] - x - width)) <= 0.5


# What it says


def test_parts_and_words_stand_one_above_the_other_as_they_are_given():
    found = of(pieces(ENCODER), "part", "words", "sum")
    standing = sorted((p for p in found if p.words != "Positional\nencoding"), key=lambda piece: -piece.middle[1])
    assert [piece.words for piece in standing] == [
        *("ids", "Embedding", "+", "Attention", "Add & Norm", "Feed-forward", "Add & Norm", "memory")
    ]
    assert len({piece.middle[0] for piece in standing if piece.kind == "part"}) == 1


def test_a_shape_stands_beside_the_wire_where_it_is_given():
    found = pieces(["x", "(A)", Box("one"), "(B)", Box("two"), "(C)"])
    order = sorted(of(found, "part", "words", "shape"), key=lambda piece: -piece.middle[1])
    assert [piece.words for piece in order] == ["x", "(A)", "one", "(B)", "two", "(C)"]
    for shape in of(found, "shape"):
        (wire,) = (road for road in of(found, "road") if road.corners[1][1] < shape.middle[1] < road.corners[0][1])
        assert 0 < shape.box[0] - wire.corners[0][0] < 12


def test_a_wire_leads_from_each_part_to_the_next():
    found = pieces(["x", Box("one"), Plus(), Box("two"), "y"])
    standing = sorted(of(found, "part", "words", "sum"), key=lambda piece: -piece.middle[1])
    for road, (below, above) in zip(of(found, "road"), itertools.pairwise(standing), strict=True):
        assert at_top(road.corners[0], below)
        assert at_bottom(road.corners[-1], above)
        assert road.arrow


def test_branches_leave_from_one_wire_to_each_road_in_its_colour():
    found = pieces(["x", "(B, S, D)", THREE])
    trunk = min(
        (road for road in of(found, "road") if road.role == "ink"), key=lambda road: road.corners[-1][1]
    ).corners[-1]
    for name, role in (("W_Q", "query"), ("W_K", "key"), ("W_V", "value")):
        box = named(found, name)
        assert box.role == named(found, name[-1]).role == role
        roads = [road for road in of(found, "road") if road.role == role]
        assert roads[0].corners[0] == trunk
        assert roads[0].corners[-1] == roads[1].corners[0]
        assert at_bottom(roads[1].corners[-1], box)
        assert at_top(roads[2].corners[0], box)
        assert at_bottom(roads[2].corners[-1], named(found, name[-1]))
    assert [p.words for p in sorted(of(found, "part"), key=lambda p: p.middle)] == ["W_Q", "W_K", "W_V"]


def test_branches_end_each_at_the_box_above_them_and_words_between_have_no_wire():
    found = pieces(HEADS)
    above = named(found, "concatenate")
    for name in ("head 0", "head 1", "head H − 1"):
        (road,) = (road for road in of(found, "road") if at_top(road.corners[0], named(found, name)))
        assert len(road.corners) == 2
        assert at_bottom(road.corners[-1], above)
    left, _, width, height = named(found, "…").box
    for road in of(found, "road"):
        xs = [x for x, _ in road.corners[-2:]]
        assert not (left <= min(xs) == max(xs) <= left + width)
    assert named(found, "head 1").middle[0] < left < named(found, "head H − 1").middle[0]
    assert abs(named(found, "…").middle[1] - named(found, "head 0").middle[1]) < height


def test_branches_come_together_before_what_is_no_box():
    for last in ("y", "+", "(B)"):
        found = pieces([Branches([Box("a")], [Box("b")]), last])
        ends = {
            road.corners[-1]
            for name in "ab"
            for road in of(found, "road")
            if at_top(road.corners[0], named(found, name))
        }
        assert len(ends) == 1
        (trunk,) = (road for road in of(found, "road") if road.corners[0] in ends)
        assert trunk.arrow
        if last != "(B)":
            assert at_bottom(trunk.corners[-1], named(found, last))


def test_inputs_side_by_side_have_wires_only_above_them():
    found = pieces(ATTENTION)
    lowest = max(y for road in of(found, "road") for _, y in road.corners)
    for name in "QKV":
        assert named(found, name).middle[1] > lowest


@pytest.mark.parametrize("to", ["+", Box("Add & Norm")])
def test_a_shortcut_leaves_below_its_road_and_comes_back_at_its_end(to):
    found = pieces(["x", Box("below"), Shortcut([Box("one"), Box("two")], to, role="target"), Box("above")])
    (road,) = (road for road in of(found, "road") if road.role == "target")
    end = named(found, to if to == "+" else "Add & Norm")
    leave = road.corners[0]
    assert leave[0] == named(found, "below").middle[0]
    assert named(found, "one").box[1] + 34 < leave[1] < named(found, "below").box[1]
    assert any(r.corners[0][1] >= leave[1] >= r.corners[-1][1] and r.role == "ink" for r in of(found, "road"))
    assert at_side(road.corners[-1], end)
    assert road.arrow
    assert end.box[1] + end.box[3] < named(found, "two").box[1]
    assert road.corners[1][0] < min(piece.box[0] for piece in of(found, "part", "sum"))


@pytest.mark.parametrize("to", ["+", Box("Add & Norm")])
def test_aside_the_shortcut_is_straight_and_its_road_stands_beside(to):
    found = pieces(["x", Shortcut([Box("one"), Box("two")], to, role="target", aside=True), "y"])
    end, one, two = named(found, to if to == "+" else "Add & Norm"), named(found, "one"), named(found, "two")
    roads = [road for road in of(found, "road") if road.role == "target"]
    assert {x for road in roads for x, _ in road.corners} == {named(found, "x").middle[0]} == {end.middle[0]}
    assert at_bottom(roads[0].corners[-1], end)
    assert one.middle[0] == two.middle[0] > end.box[0] + end.box[2]
    (back,) = (road for road in of(found, "road") if at_top(road.corners[0], two))
    assert at_side(back.corners[-1], end)
    assert back.corners[-1][0] > end.middle[0]
    assert back.arrow


def test_a_layer_frames_its_road_and_nothing_else_and_its_note_stands_beside():
    found = pieces(ENCODER)
    (frame,) = of(found, "frame")
    x, y, width, height = frame.box
    inside = {p.words for p in of(found, "part", "sum") if x < p.box[0] and y < p.box[1] < y + height}
    assert inside == {"Attention", "Feed-forward", "Add & Norm"}
    assert not any(meet(frame.box, named(found, name).box) for name in ("Embedding", "memory", "+"))
    assert x + width < named(found, "× 6").box[0] < x + width + 12
    assert y < named(found, "× 6").middle[1] < y + height


def test_what_a_plus_adds_stands_beside_it():
    found = pieces(ENCODER)
    plus, beside = named(found, "+"), named(found, "Positional\nencoding")
    (road,) = (road for road in of(found, "road") if at_side(road.corners[0], beside))
    assert at_side(road.corners[-1], plus)
    assert road.arrow
    assert beside.middle[1] == plus.middle[1]


def test_several_diagrams_stand_side_by_side_on_one_ground_each_below_its_name():
    found = pieces(DIAGRAMS["norms"])
    post, pre_ = of(found, "name")
    assert (post.words, pre_.words) == ("post-LN", "pre-LN")
    assert post.middle[0] < pre_.middle[0]
    grounds = [piece for piece in of(found, "words") if piece.words == "x"]
    assert [ground.middle[0] for ground in grounds] == pytest.approx([post.middle[0], pre_.middle[0]], abs=1)
    assert grounds[0].middle[1] == grounds[1].middle[1]
    assert max(name.box[1] + name.box[3] for name in (post, pre_)) < min(p.box[1] for p in of(found, "part", "words"))


def test_boxes_of_a_road_have_one_width_and_lines_where_they_are_given():
    found = pieces(DIAGRAMS["norms"])
    assert len({piece.box[2] for piece in of(found, "part")}) == 1
    assert "Feed-\nforward" in {piece.words for piece in of(found, "part")}


def test_a_word_that_names_a_role_has_its_colour_as_on_the_map():
    assert '<tspan class="query">Query</tspan>' in picture([Box("Query Key Value")])._repr_html_()


def test_it_says_what_it_shows_is_the_same_every_time_and_brings_no_ids():
    for road in DIAGRAMS.values():
        html = picture(road)._repr_html_()
        assert html == picture(road)._repr_html_()
        assert not re.search(r'\sid="|url\(', html)
    assert repr(picture(HEADS)) == "What to see\nWhat it shows"
    assert ET.fromstring(html).find("svg").get("aria-label") == "What it shows"
    assert "a &lt; b" in picture(["a < b", Box("a < b"), Layer([Box("c")], "a < b")])._repr_html_()
    assert "a < b" not in picture({"a < b": ["a < b", Box("a < b")]})._repr_html_()


@pytest.mark.parametrize(
    ("road", "complaint"),
    [
        ([], "a road is a list .* from the bottom to the top; .. is none"),
        ("x", "'x' is none"),
        ({}, "nothing to draw: no road"),
        (["x", Branches([Box("a")], [])], "a road is a list"),
        (["x", 3], "on a road stand words, Box, .*; 3 is none of them"),
        (["x", ["y"]], r"\['y'\] is none of them"),
        (["x", "(A)", "(B)", "y"], r"one wire has two shapes: \(A\) and \(B\)"),
        (["x", Branches([Box("a")])], "branches are two roads or more.*; there are 1"),
        (["x", Branches([Box("a")], "…")], "there are 1"),
        ([Box("a", "blue")], "there is no role 'blue'; there are ink, query, key"),
        ([Shortcut([Box("a")], role="blue")], "there is no role 'blue'"),
        ([Shortcut([Box("a")], "Add & Norm")], "comes back at .*a Box; 'Add & Norm' is neither"),
        ([Shortcut([Box("a")], Plus(Box("b")))], "comes back at .*a Box; Plus"),
        ([Box("a box with too many words for any phone to show it")], "50. pixels wide; above 480"),
    ],
)
def test_what_is_no_road_is_refused(road, complaint):
    with pytest.raises(ValueError, match=complaint):
        picture(road)


# How it looks


def test_words_and_shapes_are_legible_on_a_phone():
    assert min(SIZE, SHAPE) * PHONE / WIDTH >= 10


@pytest.mark.parametrize("name", DIAGRAMS)
def test_nothing_is_cut_off_and_no_parts_or_words_overlap(name):
    found, whole = pieces(DIAGRAMS[name]), picture(DIAGRAMS[name])
    for a, b in itertools.combinations(of(found, "part", "sum", "words", "shape", "name", "note"), 2):
        assert not meet(a.box, b.box), (a, b)
    for piece in of(found, "part", "sum", "words", "shape", "name", "note", "frame"):
        x, y, width, height = piece.box
        assert 0 <= x <= x + width <= whole.width, piece
        assert 0 <= y <= y + height <= whole.height, piece
    for piece in of(found, "part"):
        assert max(text_width(line, SIZE) for line in piece.words.split("\n")) <= piece.box[2]
    for x, y in (corner for road in of(found, "road") for corner in road.corners):
        assert 0 <= x <= whole.width
        assert 0 <= y <= whole.height


@pytest.mark.parametrize("name", DIAGRAMS)
def test_no_wire_runs_through_a_part_or_a_word(name):
    found = pieces(DIAGRAMS[name])
    for road in of(found, "road"):
        for (ax, ay), (bx, by) in itertools.pairwise(road.corners):
            assert ax == bx or ay == by, road
            way = (min(ax, bx), min(ay, by), abs(ax - bx), abs(ay - by))
            assert not [p for p in of(found, "part", "sum", "words", "shape", "name", "note") if meet(way, p.box)], road


@pytest.mark.parametrize("name", DIAGRAMS)
def test_each_arrow_ends_at_a_part_or_words_or_leads_out_with_a_shape(name):
    found = pieces(DIAGRAMS[name])
    for road in of(found, "road"):
        x, y = end = road.corners[-1]
        ends = [p for p in of(found, "part", "sum", "words") if at_bottom(end, p) or at_side(end, p)]
        above = [p for p in of(found, "part", "sum", "words") if p.box[0] < x < p.box[0] + p.box[2] and p.box[1] < y]
        assert bool(ends) == road.arrow or (road.arrow and not above), road


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_a_phone_shows_all_words_large_enough(opened, theme):
    widest = {"one": [Box("a box with as many words as fit a phone")], "two": ["x"]}
    assert WIDTH - 30 < picture(widest).width <= WIDTH
    page = opened(*map(picture, [*DIAGRAMS.values(), widest]), theme=theme, width=PHONE + 16)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE + 16
    sizes = page.locator("svg text").evaluate_all("""texts => texts.map(text => {
        const { a, b, c, d } = text.getScreenCTM();
        return parseFloat(getComputedStyle(text).fontSize) * Math.sqrt(a * d - b * c);
    })""")
    assert min(sizes) >= 10
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [violation["id"] for violation in found] == []
