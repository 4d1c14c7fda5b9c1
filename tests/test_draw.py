"""Pictures: legible for all eyes in light and dark, described, the right way round, and the same every time."""

import gzip
import itertools
import json
import math
import re
import xml.etree.ElementTree as ET

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe

from tfmlib import draw
from tfmlib.draw.picture import FONT, SMALL, ink, luminance, number, text_width

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
    return ET.fromstring(html[html.index("<svg") : html.rindex("</svg>") + 6])


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


def test_the_sign_of_a_number_can_be_seen_in_its_colour():
    for role, page, eyes in itertools.product(draw.PALETTE.keys() - {"mask"}, (0, 1), EYES):
        for strength in (0.25, 0.5, 1):
            plus, minus = (
                "#" + "".join(f"{round(255 * (strength * a + (1 - strength) * b)):02x}" for a, b in pairs)
                for pairs in (
                    zip(rgb(draw.PALETTE[name][page]), rgb(draw.PAGE[page]), strict=True) for name in (role, "mask")
                )
            )
            assert math.dist(lab(plus, eyes), lab(minus, eyes)) > 3, (role, page, eyes, strength)


def cells(picture):
    """{(row, column): (colour, strength)} of the cells that are not empty."""
    found = {}
    for path in svg(picture).findall(".//g[@class='cells']/path"):
        colour = re.fullmatch(r"var\(--(\w+)\)", path.get("stroke"))[1]
        for x, y, n in re.findall(r"M(\d+) (\d+)\.5h(\d+)", path.get("d")):
            for i in range(int(n)):
                found[int(y), int(x) + i] = (colour, float(path.get("stroke-opacity")))
    return found


def told(picture):
    """What the script gets."""
    return json.loads(re.search(r'closest\("figure"\), (.*)\);\n</script>', picture._repr_html_())[1])


def texts(picture):
    return {e.text: e for e in svg(picture).iter("text")}


def test_attention_has_a_row_for_each_target_word_and_a_column_for_each_source_word():
    weights = torch.zeros(3, 2)
    weights[2, 0] = 1.0  # the third target word looks at the first source word
    picture = draw.attention(weights, ["le", "chat", "dort"], ["cat", "sleeps"], **WORDS)
    assert cells(picture) == {(2, 0): ("target", 1.0)}
    grid = svg(picture).find("svg")
    assert grid.get("viewBox") == "0 0 2 3"
    words = texts(picture)
    assert float(words["dort"].get("y")) > float(words["le"].get("y"))
    assert words["cat"].get("x") == "30%"
    assert words["sleeps"].get("x") == "80%"
    assert words["target ↓"].get("fill") == "var(--target)"
    assert words["source →"].get("fill") == "var(--source)"


def test_a_cell_tells_its_words_and_its_number():
    data = told(draw.attention([[0.254, 0.746]], ["chat"], ["the", "cat"], **WORDS))
    assert data == {"rows": ["chat"], "columns": ["the", "cat"], "values": [[25, 75]], "join": " → ", "unit": " %"}
    data = told(draw.matrix([[-0.12345, 1000]], ["a"], ["b", "c"], **WORDS))
    assert data == {"rows": ["a"], "columns": ["b", "c"], "values": [[-0.123, 1000]], "join": ", ", "unit": ""}


def test_a_frame_stands_on_its_cell():
    picture = svg(draw.attention(table(3, 4), list("abc"), list("wxyz"), frames=[(1, 3)], **WORDS))
    assert picture.find("svg/path[@stroke-width='2']").get("d").startswith("M3.04 1.04h.92")


def test_numbers_and_signs_of_a_matrix_are_shown_and_zero_has_none():
    picture = draw.matrix([[-0.04, -0.5], [2, 1]], ["a", "b"], ["c", "d"], digits=1, role="query", **WORDS)
    shown = cells(picture)
    assert shown[0, 1] == ("mask", 0.25)
    assert shown[1, 0] == ("query", 1)
    assert shown[1, 1] == ("query", 0.5)
    assert {"0.0", "−0.5", "2.0", "1.0"} <= texts(picture).keys()
    assert number(-1e-9, 4) == "0.0000"


def test_a_matrix_may_leave_the_zeros_out():
    def shown(value, **options):
        return "0" in texts(draw.matrix([[value, 2]], ["a"], ["b", "c"], digits=0, **options, **WORDS))

    assert shown(0.0)
    assert shown(0.2, zeros=False)
    assert not shown(0.0, zeros=False)


@pytest.mark.parametrize("count", [3, 16, 40])
def test_no_word_is_cut_off_at_any_width(count):
    words = ["<pad>", "动物没有过街", "a much longer word than others", *["x"] * count][:count]
    picture = draw.matrix(table(count, count), words, words, axes=("the rows", "the columns"), **WORDS)
    top, right, _, left = picture.padding
    narrow = picture.narrowest - left - right
    for text, element in texts(picture).items():
        if element.get("class") == "turned":
            x = float(element.get("x").rstrip("%")) / 100 * narrow
            assert x + text_width(text) * math.cos(math.radians(55)) <= narrow + right + 1
            assert text_width(text) * math.sin(math.radians(55)) + 6 <= top
        elif element.get("x") == "-8":
            assert text_width(text) + 8 <= left
    assert text_width("动物") == 2 * FONT


def test_words_above_the_columns_do_not_run_into_each_other_at_any_width():
    for count in (4, 8, 16, 40):
        picture = draw.matrix(table(2, count), ["a", "b"], ["word"] * count, **WORDS)
        cell = (picture.narrowest - picture.padding[1] - picture.padding[3]) / count
        assert cell * math.sin(math.radians(55)) >= SMALL


def test_a_picture_of_the_running_sentence_fits_a_phone_without_scrolling():
    words = "the animal did not cross the street because it was too tired".split()
    assert draw.attention(table(12, 12), words, words, **WORDS).narrowest <= 320
    assert draw.matrix(table(12, 16), words, list("abcdefghijklmnop"), **WORDS).narrowest <= 320
    assert draw.strips(table(12, 64), words, **WORDS).narrowest <= 320


def test_numbers_are_left_out_where_they_do_not_fit():
    def needed(digits):
        picture = draw.matrix(table(12, 12), list("abcdefghijkl"), list("abcdefghijkl"), digits=digits, **WORDS)
        hides = re.search(r"@container \(max-width:[\d.]+px\)\{\.tfm \.from(\d+)\{display:none", picture._repr_html_())
        sides = picture.padding[1] + picture.padding[3]
        return hides and int(hides[1]) - sides, picture.width - sides

    assert needed(0)[0] is None
    hidden, wide = needed(3)
    assert 12 * text_width("0.123", SMALL) < hidden < wide


def test_a_strip_is_a_row_of_cells_one_for_each_number():
    picture = draw.strips([[0.5, 0, -1, 0.25], [0, 0, 0, 1]], ["cat", "dog"], role="key", **WORDS)
    assert cells(picture) == {
        (0, 0): ("key", 0.5),
        (0, 2): ("mask", 1),
        (0, 3): ("key", 0.25),
        (1, 3): ("key", 1),
    }
    assert {"cat", "dog", "0", "1", "2", "3"} <= texts(picture).keys()


def test_the_scale_of_strips_says_the_smallest_number_and_the_largest():
    assert {"−0.25", "0", "1.50"} <= texts(draw.strips([[1.5, -0.25]], ["a"], **WORDS)).keys()
    assert "0.50" in texts(draw.strips([[0.25, 0.5]], ["a"], **WORDS))
    assert {"−2", "12"} <= texts(draw.strips([[-2, 12]], ["a"], **WORDS)).keys()
    assert "−0.001" in texts(draw.strips([[-0.001, 0]], ["a"], **WORDS))
    assert draw.strips([[0, 0]], ["a"], **WORDS)


def test_the_scale_is_not_cut_off_where_the_cells_are_few():
    picture = draw.strips([[-1234.5], [1234.5]], ["a", "b"], **WORDS)
    largest = texts(picture)["1.23e+03"]
    assert float(largest.get("x")) + text_width(largest.text, SMALL) <= picture.narrowest - picture.padding[3]


def test_two_strips_can_have_one_scale():
    assert cells(draw.strips([[1.0]], ["a"], largest=2, **WORDS)) == {(0, 0): ("source", 0.5)}
    with pytest.raises(ValueError, match="largest is 2, and there is a number of size 4"):
        draw.strips([[-4.0]], ["a"], largest=2, **WORDS)


def test_strips_number_their_columns_or_have_names():
    assert [text for text in texts(draw.strips(table(1, 64), ["a"], **WORDS)) if text.isdigit()][:8] == [
        str(8 * i) for i in range(8)
    ]
    assert svg(draw.strips(table(1, 64), ["a"], **WORDS)).find("g/text[@x='0.7812%']/..").get("text-anchor") == "middle"
    named = draw.strips(table(1, 3), ["a"], columns=["sin", "", "cos"], digits=2, **WORDS)
    assert {"sin", "cos"} < texts(named).keys()
    assert told(named)["columns"] == ["sin", "1", "cos"]
    assert re.search(r"0\.\d\d</text>", named._repr_html_())


def test_where_rows_are_many_only_some_of_their_words_are_written():
    picture = draw.strips(table(100, 8), [f"row {i}" for i in range(100)], **WORDS)
    places = sorted(float(e.get("y")) for text, e in texts(picture).items() if text.startswith("row "))
    assert 10 < len(places) < 50
    assert min(b - a for a, b in itertools.pairwise(places)) >= FONT
    assert picture.height < 600


def test_strips_are_light():
    words = "the animal did not cross the street because it was too tired".split()
    vectors = torch.randn(12, 64, generator=torch.Generator().manual_seed(1))
    assert len(draw.strips(vectors, words, **WORDS)._repr_html_()) < 30_000
    vectors = torch.randn(12, 512, generator=torch.Generator().manual_seed(1))
    assert len(gzip.compress(draw.strips(vectors, words, **WORDS)._repr_html_().encode())) < 50_000


def translator_weights():
    """Weights of a sentence of 3 words and its translation of 4, as `Translator.attention` names them."""
    weights = {}
    for part, kind, T, S in (
        ("encoder", "self", 3, 3),
        ("decoder", "self", 4, 4),
        ("decoder", "cross", 4, 3),
    ):
        for layer in (0, 1):
            noise = torch.Generator().manual_seed(T * S + layer)
            weights[f"{part}.layers.{layer}.{kind}_attention"] = torch.rand(2, T, S, generator=noise).softmax(-1)
    return weights


def view(weights=None, **options):
    weights = translator_weights() if weights is None else weights
    return draw.attention_view(weights, ["le", "chat", "dort", "<eos>"], ["the", "cat", "sleeps"], **WORDS | options)


def test_a_view_gets_each_layer_and_head_and_their_mean():
    weights, data = translator_weights(), told(view())
    assert [one["name"] for one in data["attentions"]] == [*weights][:6]
    for one in data["attentions"]:
        heads = weights[one["name"]]
        wanted = torch.cat([heads.mean(0, keepdim=True), heads])
        assert torch.allclose(torch.tensor(one["heads"]) / 100, wanted, atol=0.0051)
    assert data["attentions"][data["start"]]["name"] == "decoder.layers.1.cross_attention"
    assert told(view(start="encoder.layers.0.self_attention"))["start"] == 0


def test_a_view_puts_the_layers_of_a_kind_together():
    decoder = translator_weights()
    mixed = {name: decoder[name] for name in sorted(decoder, key=lambda name: name.split(".")[2])}
    parts = [(one["part"], one["layer"]) for one in told(view(mixed))["attentions"]]
    assert len({part for part, _ in parts}) == 3
    assert all(parts[i][0] == parts[i + 1][0] for i in (0, 2, 4))
    assert ("decoder, cross-attention", "layer 1") in parts


def test_in_a_view_each_attention_has_its_words_on_their_sides():
    by_part = {one["part"]: (one["rows"], one["columns"], one["roles"]) for one in told(view())["attentions"]}
    source, target = ["the", "cat", "sleeps"], ["le", "chat", "dort", "<eos>"]
    assert by_part == {
        "encoder, self-attention": (source, source, ["source", "source"]),
        "decoder, self-attention": (target, ["<bos>", "le", "chat", "dort"], ["target", "target"]),
        "decoder, cross-attention": (target, source, ["target", "source"]),
    }


def test_without_a_script_a_view_is_the_picture_of_the_mean():
    mean = translator_weights()["decoder.layers.1.cross_attention"].mean(0)
    alone = draw.attention(mean, ["le", "chat", "dort", "<eos>"], ["the", "cat", "sleeps"], **WORDS)
    assert cells(view()) == cells(alone)
    assert view().svg == alone.svg


def test_a_view_takes_one_tensor_of_heads_or_of_weights():
    heads = translator_weights()["decoder.layers.0.cross_attention"]
    (one,) = told(view(heads, row_role="query", column_role="key"))["attentions"]
    assert (len(one["heads"]), one["roles"], one["part"]) == (3, ["query", "key"], "")
    (one,) = told(view(heads[0]))["attentions"]
    assert len(one["heads"]) == 1


def test_a_view_is_the_same_every_time_and_no_word_ends_its_script():
    assert view()._repr_html_() == view()._repr_html_()
    word = "</script><script>alert(1)//"
    html = draw.attention_view([[1.0]], [word], ["a"], **WORDS)._repr_html_()
    assert html.count("</script>") == 1
    assert word not in html


@pytest.mark.parametrize(
    ("weights", "options", "complaint"),
    [
        ({}, {}, "no weights"),
        ({"a": torch.zeros(1, 2, 4, 3)}, {}, "weights a of the shape .1, 2, 4, 3.; wanted .heads, T, S."),
        (torch.full((2, 3, 4), 0.1), {}, "are they swapped"),
        (torch.full((2, 4, 3), 1.1), {}, "between 0 and 1"),
        (None, {"start": "nothing"}, "no weights 'nothing' to start with; there are encoder.layers.0"),
    ],
)
def test_a_view_of_what_are_no_weights_is_refused(weights, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        view(weights, **options)


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
        (torch.full((3, 2), math.nan), "the row 'a' holds nan"),
    ],
)
def test_weights_that_are_none_are_refused(weights, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw.attention(weights, list("abc"), list("xy"), **WORDS)


def test_nothing_to_draw_is_an_error():
    for drawn in (lambda: draw.matrix([], [], [], **WORDS), lambda: draw.strips([], [], **WORDS)):
        with pytest.raises(ValueError, match="nothing to draw"):
            drawn()


def test_rows_of_different_lengths_are_an_error():
    with pytest.raises(ValueError, match="different lengths: 2, 1"):
        draw.strips([[1, 2], [3]], ["a", "b"], **WORDS)


def test_what_is_no_number_is_an_error_that_names_its_row():
    with pytest.raises(ValueError, match="the row 'dog' holds -inf, which has no colour"):
        draw.matrix([[0.0], [-math.inf]], ["cat", "dog"], ["a"], **WORDS)


def curve():
    figure, axes = draw.figure()
    axes.plot([1, 2, 3], [3, 1, 2], color=draw.PALETTE["query"][0], label="loss 损失")
    axes.set_xlabel("step")
    axes.text(1, 1, "here")
    axes.legend()
    return draw.plot(figure, **WORDS)


def test_a_difference_of_a_rounding_error_does_not_change_a_plot():
    def arrow(length):
        figure, axes = draw.figure()
        axes.plot([0, length], [0, 1])
        axes.set_aspect("equal")  # then the frame hangs on the data
        return draw.plot(figure, **WORDS).svg

    assert "url(#" in arrow(2)
    assert arrow(2 + 1e-14) == arrow(2)


@pytest.mark.filterwarnings("error")
def test_a_plot_follows_the_page_and_is_the_same_every_time():
    html = curve()._repr_html_()
    assert html == curve()._repr_html_()
    assert svg(curve()) is not None
    assert "var(--query)" in html
    assert "currentColor" in html
    assert "损失</text>" in html  # words, drawn by the page
    assert not re.search(r"20\d\d-\d\d|<metadata|DejaVu|[^m] \*\{", html)
    drawn = html[html.index('<g fill="currentColor"') : html.index("</svg>")]
    assert not re.search("#[0-9a-f]{6}", drawn)  # neither black words nor a white plate: both themes have their own


def test_the_source_of_a_function_is_shown_as_code():
    source = draw.Source(draw.Picture.__repr__)
    assert source._repr_markdown_().startswith("```python\ndef __repr__(self)")
    assert repr(source) in source._repr_markdown_()


def test_some_lines_of_a_source_are_shown_from_the_left_edge():
    assert repr(draw.Source(draw.Source.__init__, "start =", "end =")).splitlines()[0].startswith("start = next(")
    assert len(repr(draw.Source(draw.Source.__init__, "start =", "end =")).splitlines()) == 2
    assert repr(draw.Source(draw.Source.__init__, "end =")).splitlines()[-1].startswith("self.text")


# ---- What answers, in a browser.


def word(page, side, text):
    return page.locator(f".{side} label", has_text=re.compile(f"{text}$"))


def looks_of(weights, row, columns):
    """What a view tells of a row: the words with 5 % and more, the most first, and four at most."""
    percents = sorted(((round(100 * w), word) for w, word in zip(weights[row], columns, strict=True)), reverse=True)
    return ", ".join(f"“{word}” {w} %" for w, word in percents[:4] if w >= 5)


def test_pointing_at_a_word_shows_where_it_looks(opened):
    page = opened(view())
    mean = translator_weights()["decoder.layers.1.cross_attention"].mean(0).tolist()
    looks = looks_of(mean, 1, ["the", "cat", "sleeps"])
    told, lines = page.locator("output"), page.locator(".lines path")
    assert lines.count() == 12
    word(page, "asking", "chat").hover()
    assert told.inner_text() == f"decoder, cross-attention, layer 1, mean of the heads. chat looks at {looks}."
    assert lines.count() == 3
    assert page.locator(".asked .percent").all_inner_texts() == [f"{round(100 * w)} %" for w in mean[1]]
    word(page, "asked", "cat").hover()
    assert "cat is looked at by " in told.inner_text()
    assert lines.count() == 4
    page.mouse.move(0, 0)
    assert "Point at a word" in told.inner_text()
    assert lines.count() == 12


def test_a_tap_shows_where_a_word_looks_until_the_next_one(opened):
    page = opened(view(), width=390, has_touch=True)
    word(page, "asking", "dort").tap()
    assert "dort looks at" in page.locator("output").inner_text()
    page.locator(".all").tap()
    assert "Point at a word" in page.locator("output").inner_text()


def test_the_keyboard_does_what_the_pointer_does(opened):
    page = opened(view())
    told = page.locator("output")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")  # the head before the first head of all: the last one
    assert "layer 0, head 1" in told.inner_text()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert ". le looks at" in told.inner_text()
    page.keyboard.press("ArrowDown")
    assert ". chat looks at" in told.inner_text()
    page.keyboard.press("ArrowLeft")
    assert ". cat is looked at by" in told.inner_text()
    page.keyboard.press("Escape")
    assert "Point at a word" in told.inner_text()


def test_another_head_has_its_own_weights_and_keeps_the_word(opened):
    page = opened(view())
    word(page, "asking", "chat").click()
    page.get_by_label("decoder, cross-attention, layer 0, head 1").check()
    page.mouse.move(0, 0)
    weights = translator_weights()["decoder.layers.0.cross_attention"][1].tolist()
    assert (
        f"head 1. chat looks at {looks_of(weights, 1, ['the', 'cat', 'sleeps'])}."
        in page.locator("output").inner_text()
    )
    page.get_by_label("decoder, self-attention, layer 1, head 0").check()
    assert page.locator(".asked label").all_inner_texts() != page.locator(".asking label").all_inner_texts()
    assert "chat looks at" in page.locator("output").inner_text()
    page.get_by_label("encoder, self-attention, layer 1, head 0").check()
    assert "Point at a word" in page.locator("output").inner_text()  # there is no such word


def test_two_views_on_a_page_are_apart(opened):
    page = opened(view(), view())
    first, second = page.locator(".view").all()
    word(first, "asking", "le").click()
    word(second, "asking", "dort").click()
    page.mouse.move(0, 0)
    for one, chosen in ((first, "le"), (second, "dort")):
        assert f"{chosen} looks at" in one.locator("output").inner_text()
        assert word(one, "asking", chosen).locator("input").is_checked()


def test_without_scripts_a_view_is_a_picture_that_can_be_seen(opened):
    page = opened(view(), java_script_enabled=False)
    assert page.locator(".view").count() == 0
    assert page.locator("svg[role=img]").bounding_box()["height"] > 100


GRID = "document.querySelector('.grid').getBoundingClientRect().toJSON()"


def test_a_cell_is_told_to_the_pointer_the_finger_and_the_keyboard(opened):
    picture = draw.matrix([[1, -2, 3], [4, 5, 6]], ["a", "b"], ["x", "y", "z"], **WORDS)
    page = opened(picture)
    tip, box = page.locator(".tip"), page.evaluate(GRID)
    assert not tip.is_visible()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    assert tip.inner_text() == "a, y: −2"
    page.mouse.move(0, 0)
    assert not tip.is_visible()
    page.keyboard.press("Tab")
    assert tip.inner_text() == "a, y: −2"
    for key, told_ in {
        "ArrowDown": "b, y: 5",
        "ArrowRight": "b, z: 6",
        "ArrowUp": "a, z: 3",
        "ArrowLeft": "a, y: −2",
    }.items():
        page.keyboard.press(key)
        assert tip.inner_text() == told_
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    phone = opened(picture, width=390, has_touch=True)
    box = phone.evaluate(GRID)
    phone.touchscreen.tap(box["x"] + 5, box["y"] + box["height"] - 5)
    phone.locator(".tip", has_text="b, x: 4").wait_for()


def many_pictures():
    words = "the animal did not cross the street because it was too tired".split()
    vectors = torch.randn(12, 64, generator=torch.Generator().manual_seed(1))
    return [
        draw.attention(table(12, 12), words, words, **WORDS | {"title": "a"}),
        draw.matrix(vectors[:, :16], words, [*words, "<pad>", "<bos>", "<eos>", "<unk>"], digits=2, **WORDS),
        draw.matrix(vectors @ vectors.T, words, words, digits=None, axes=("word", "word"), **WORDS),
        draw.strips(vectors, words, **WORDS),
        draw.strips(vectors[:, :8], words, digits=2, columns=["sin", "cos"] * 4, axes=("word", "number"), **WORDS),
        view(),
    ]


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_words_keep_their_size_and_stay_on_the_page_at_any_width(opened, width):
    page = opened(*many_pictures(), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.locator(".tfm svg text:visible").evaluate_all("""texts => texts.map(text => {
        const { a, b, c, d } = text.getScreenCTM();
        return parseFloat(getComputedStyle(text).fontSize) * Math.sqrt(a * d - b * c);
    })""")
    assert len(sizes) > 200
    assert min(sizes) >= 11
    out = page.evaluate("""[...document.querySelectorAll('.answers')].flatMap(area => {
        const page = area.getBoundingClientRect();
        return [...area.querySelectorAll('text')].map(text => text.getBoundingClientRect()).filter(
            word => word.width && (word.left < page.left - 1 || word.top < page.top - 1
                || word.right > page.left + area.scrollWidth + 1)
        ).map(word => word.left);
    })""")
    assert out == []
    targets = page.locator(".view label").evaluate_all(
        "labels => labels.map(label => label.getBoundingClientRect().toJSON())"
    )
    assert min(min(target["width"], target["height"]) for target in targets) >= 24


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_in_the_pictures_touched_or_not(opened, theme, width):
    page = opened(*many_pictures(), theme=theme, width=width)
    for touch in (
        lambda: None,
        lambda: word(page, "asking", "chat").click(),
        lambda: page.locator(".answers").first.focus(),
    ):
        touch()
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [violation["id"] for violation in found] == []
