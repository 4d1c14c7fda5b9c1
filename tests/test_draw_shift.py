"""The shift as a picture: each label stands below its input, and leads to where it is read."""

import xml.etree.ElementTree as ET

import pytest

from tfmlib import draw
from tfmlib.draw.shift import WIDEST

TARGETS = [["<bos>", "le", "chat", "dort", "<eos>"], ["<bos>", "il", "dort", "<eos>", "<pad>"]]
INPUTS, LABELS = [row[:-1] for row in TARGETS], [row[1:] for row in TARGETS]
SIZES = {"<bos>": "key", "<eos>": "value", "<pad>": "mask"}


def shifted(inputs=INPUTS, labels=LABELS):
    return draw.shifted(inputs, labels, title="What to see", alt="What it shows")


def svg(picture):
    html = picture._repr_html_()
    return ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])


def words(picture):
    """The rows of the picture from the top, each from left to right."""
    rows = {}
    for text in svg(picture).iter("text"):
        rows.setdefault(float(text.get("y")), []).append((float(text.get("x")), text.text))
    return [[word for _, word in sorted(row)] for _, row in sorted(rows.items())]


def test_a_label_stands_below_its_input_and_padding_does_not_count():
    assert words(shifted()) == [
        ["reads", "<bos>", "le", "chat", "dort"],
        ["says", "le", "chat", "dort", "<eos>"],
        ["counts", "1", "1", "1", "1"],
        ["reads", "<bos>", "il", "dort", "<eos>"],
        ["says", "il", "dort", "<eos>", "<pad>"],
        ["counts", "1", "1", "1", "0"],
    ]


def test_each_kind_of_word_has_its_colour_and_padding_is_dashed():
    boxes = list(svg(shifted()).iter("rect"))
    cells = [word for b in range(2) for pair in zip(INPUTS[b], LABELS[b], strict=True) for word in pair]
    for word, box in zip(cells, boxes, strict=True):
        assert box.get("stroke") == f"var(--{SIZES.get(word, 'target')})"
        assert (box.get("stroke-dasharray") is not None) == (word == "<pad>")


def test_a_line_leads_from_each_label_to_the_same_word_one_place_later():
    picture = svg(shifted())
    centres = {}
    for text in picture.iter("text"):
        centres.setdefault(float(text.get("x")), []).append((float(text.get("y")), text.text))
    lines = list(picture.iter("line"))
    assert len(lines) == 2 * (len(INPUTS[0]) - 1)
    for line in lines:
        below, above = ((float(line.get(f"x{i}")), float(line.get(f"y{i}"))) for i in (1, 2))
        said = min((y, word) for y, word in centres[below[0]] if y > below[1])[1]
        read = max((y, word) for y, word in centres[above[0]] if y < above[1])[1]
        assert said == read


def test_words_stay_legible_on_a_phone_and_signs_are_escaped():
    picture = shifted([["<bos>", "a&b"]], [["a&b", "<eos>"]])
    assert picture.width <= WIDEST
    assert "a&amp;b" in picture._repr_html_()
    assert repr(picture) == "What to see\nWhat it shows"


@pytest.mark.parametrize(
    "inputs, labels, message",
    [
        ([], [], "B sentences"),
        ([["<bos>", "a"], ["<bos>"]], [["a", "<eos>"], ["<eos>"]], "B sentences"),
        ([["<bos>", "a"]], [["a"]], "B sentences"),
        ([["<bos>", "a"]], [["<bos>", "a"]], "one place on"),
        ([["<bos>", *["anticonstitutionnel"] * 4]], [[*["anticonstitutionnel"] * 4, "<eos>"]], "fit on a phone"),
    ],
)
def test_what_is_no_shift_is_not_drawn(inputs, labels, message):
    with pytest.raises(ValueError, match=message):
        shifted(inputs, labels)
