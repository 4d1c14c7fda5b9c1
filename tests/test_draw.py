"""Pictures: legible for all eyes in light and dark, described, the right way round, and the same every time."""

import itertools
import math
import re
import xml.etree.ElementTree as ET

import pytest
import torch

from tfmlib import draw
from tfmlib.draw.curves import INK
from tfmlib.draw.picture import FONT, ink, luminance, text_width

WORDS = dict(title="What to see", alt="What it shows")

# How the colours look to eyes without one of the three kinds of cones (Machado et al., 2009; linear red, green, blue).
EYES = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def rgb(colour):
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def contrast(a, b):
    """WCAG 2.2: 1 for the same colour, 21 for black and white."""
    low, high = sorted(map(luminance, (a, b)))
    return (high + 0.05) / (low + 0.05)


def lab(colour, eyes):
    """CIE L*a*b* of a colour as these eyes see it: a distance of 2 is just seen."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb(colour)]
    r, g, b = (min(1, max(0, sum(m * c for m, c in zip(row, linear, strict=True)))) for row in EYES[eyes])
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def svg(picture):
    html = picture._repr_html_()
    return ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])


def table(n_rows, n_columns):
    values = torch.rand(n_rows, n_columns, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return values.softmax(-1)


@pytest.mark.parametrize("page", [0, 1], ids=["light", "dark"])
def test_words_in_every_colour_can_be_read(page):
    for pair in draw.PALETTE.values():
        assert contrast(rgb(pair[page]), rgb(draw.PAGE[page])) >= 4.5


@pytest.mark.parametrize("page", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("eyes", EYES)
def test_no_two_colours_are_confused(eyes, page):
    colours = [lab(pair[page], eyes) for pair in draw.PALETTE.values()]
    assert min(math.dist(a, b) for a, b in itertools.combinations(colours, 2)) > 20


@pytest.mark.parametrize("role", draw.PALETTE)
def test_a_number_can_be_read_on_every_shade_of_a_cell(role):
    for strength in (i / 200 for i in range(201)):
        for page, letter in enumerate(ink(role, strength)):
            colour, below = rgb(draw.PALETTE[role][page]), rgb(draw.PAGE[page])
            cell = [strength * a + (1 - strength) * b for a, b in zip(colour, below, strict=True)]
            assert contrast([0, 0, 0] if letter == "k" else [1, 1, 1], cell) >= 4.5


def test_attention_has_a_row_for_each_target_word_and_a_column_for_each_source_word():
    weights = torch.zeros(3, 2)
    weights[2, 0] = 1.0  # the third target word looks at the first source word
    picture = svg(draw.attention(weights, ["le", "chat", "dort"], ["cat", "sleeps"], **WORDS))
    cells = [e for e in picture.iter() if e.tag.endswith("rect")]
    (lit,) = (cell for cell in cells if float(cell.get("fill-opacity")) == 1)
    assert lit[0].text == "dort → cat: 100%"
    columns, rows = ({int(cell.get(axis)) for cell in cells} for axis in "xy")
    assert (len(rows), len(columns)) == (3, 2)
    assert int(lit.get("x")) == min(columns)
    assert int(lit.get("y")) == max(rows)
    words = {e.text: e for e in picture.iter() if e.tag.endswith("text")}
    assert float(words["dort"].get("y")) > float(words["le"].get("y"))
    assert words["target ↓"].get("fill") == "var(--target)"
    assert words["source →"].get("fill") == "var(--source)"


def test_a_frame_stands_on_its_cell():
    picture = svg(draw.attention(table(3, 4), list("abc"), list("wxyz"), frames=[(1, 3)], **WORDS))
    rects = [e for e in picture.iter() if e.tag.endswith("rect")]
    cell, frame = rects[1 * 4 + 3], rects[-1]
    assert (int(frame.get("x")) - int(cell.get("x")), int(frame.get("y")) - int(cell.get("y"))) == (2, 2)


def test_numbers_and_signs_of_a_matrix_are_shown():
    picture = svg(draw.matrix([[0, -0.5], [2, 1]], ["a", "b"], ["c", "d"], digits=1, **WORDS))
    cells = [e for e in picture.iter() if e.tag.endswith("rect")]
    assert [cell.get("fill") for cell in cells] == ["var(--source)", "var(--mask)", "var(--source)", "var(--source)"]
    assert [float(cell.get("fill-opacity")) for cell in cells] == [0, 0.25, 1, 0.5]
    assert {"0.0", "-0.5", "2.0", "1.0"} <= {e.text for e in picture.iter()}


def test_no_word_is_cut_off():
    words = ["<pad>", "动物没有过街", "a much longer word than others", "x"]
    picture = draw.attention(table(4, 4), words, words, **WORDS)
    width = float(svg(picture).get("viewBox").split()[2])
    for element in svg(picture).iter():
        if element.get("transform"):
            left, top = map(float, re.findall(r"translate\(([\d.]+) ([\d.]+)\)", element.get("transform"))[0])
            side = text_width(element.text) * math.sqrt(0.5)
            assert left + side <= width
            assert top - side >= 0
    assert text_width("动物") == 2 * FONT


def test_a_picture_says_what_it_shows_and_words_are_escaped():
    picture = draw.attention([[1.0]], ["<bos>"], ["a&b"], title="1 < 2", alt='He said "a & b"')
    assert svg(picture).get("role") == "img"
    assert svg(picture).get("aria-label") == 'He said "a & b"'
    assert "1 &lt; 2</figcaption>" in picture._repr_html_()
    assert repr(picture) == '1 < 2\nHe said "a & b"'


@pytest.mark.parametrize(
    ("weights", "complaint"),
    [
        (torch.zeros(2, 3), "are they swapped"),
        (torch.full((3, 2), 1.5), "between 0 and 1; these lie between 1.5 and 1.5"),
        (torch.full((3, 2), -0.5), "between 0 and 1"),
        (torch.full((3, 2), math.nan), "between 0 and 1"),
    ],
)
def test_weights_that_are_none_are_refused(weights, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw.attention(weights, list("abc"), list("xy"), **WORDS)


def test_nothing_to_draw_is_an_error():
    with pytest.raises(ValueError, match="nothing to draw"):
        draw.matrix([], [], [], **WORDS)


def curve():
    figure, axes = draw.figure()
    axes.plot([1, 2, 3], [3, 1, 2], color=draw.PALETTE["query"][0], label="loss 损失")
    axes.set_xlabel("step")
    axes.legend()
    return draw.plot(figure, **WORDS)


@pytest.mark.filterwarnings("error")
def test_a_plot_follows_the_page_and_is_the_same_every_time():
    html = curve()._repr_html_()
    assert html == curve()._repr_html_()
    assert svg(curve()) is not None
    assert "var(--query)" in html
    assert "currentColor" in html
    assert INK not in html
    assert "损失</text>" in html  # words, drawn by the page
    assert not re.search(r"20\d\d-\d\d|<metadata|DejaVu|[^m] \*\{", html)


def test_the_source_of_a_function_is_shown_as_code():
    source = draw.Source(draw.Picture.__repr__)
    assert source._repr_markdown_().startswith("```python\ndef __repr__(self)")
    assert repr(source) in source._repr_markdown_()
