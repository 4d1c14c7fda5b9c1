"""Softmax in the reader's hand: what the picture and its sliders say is what torch says."""

import json
import math
import re
import xml.etree.ElementTree as ET

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe

from tfmlib import draw
from tfmlib.decoding import next_word_probabilities
from tfmlib.draw.picture import text_width

SENTENCE = "the animal did not cross the street because it was too tired".split()
SCORES = [-0.31, 4.2, 0.5, -1.22, 0.11, -0.3, 2.9, 0.2, 1.5, 0.01, -2.5, 3.05]
STOPS = [round(-1 + 0.05 * i, 2) for i in range(41)]


def view(scores=SCORES, words=SENTENCE, **options):
    return draw.softmax_view(scores, words, **{"title": "What to see", "alt": "What it shows"} | options)


def svg(picture):
    html = picture._repr_html_()
    return ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])


def column(picture, kind):
    return [element.text for element in svg(picture).iter("text") if element.get("class") == kind]


def bars(picture):
    return [float(e.get("width").rstrip("%")) / 100 for e in svg(picture).iter("rect") if e.get("class") == "bar"]


def percent(weights):
    return [f"{math.floor(1000 * weight + 0.5) / 10:.1f} %" for weight in weights.tolist()]


def signed(scores, digits=2):
    return [f"{score:.{digits}f}".replace("-", "−") for score in scores]


def entropy(weights):
    return abs(torch.special.xlogy(weights, weights).sum().item() / math.log(2))


def told(weights, tau, among):
    bits = entropy(weights)
    return f"At τ = {tau:.2f}: entropy {bits:.2f} bits, as if spread evenly over {2**bits:.1f} of {among} words."


def softmax(scores=SCORES, tau=1.0):
    return (torch.tensor(scores, dtype=torch.float64) / tau).softmax(-1)


# ---- What the page says before its script.


def test_each_word_has_its_score_and_its_softmax_weight():
    picture = view()
    assert column(picture, "word") == SENTENCE
    assert column(picture, "score") == signed(SCORES)
    assert column(picture, "percent") == percent(softmax())
    assert bars(picture) == pytest.approx(softmax().tolist(), abs=6e-5)


def test_each_row_stands_below_the_one_before_with_its_bar_at_the_height_of_its_word():
    rows = [float(e.get("y")) for e in svg(view()).iter("text") if e.get("class") == "word"]
    boxes = [e for e in svg(view()).iter("rect") if e.get("class") == "bar"]
    assert rows == sorted(set(rows))
    for row, box in zip(rows, boxes, strict=True):
        assert float(box.get("y")) < row < float(box.get("y")) + float(box.get("height"))


def test_the_entropy_is_that_of_the_weights():
    assert told(softmax(), 1, 12) in view()._repr_html_()
    assert "entropy 2.00 bits, as if spread evenly over 4.0 of 4 words." in view([7.5] * 4, "abcd")._repr_html_()
    assert "entropy 0.00 bits, as if spread evenly over 1.0 of 1 words." in view([-3], ["a"])._repr_html_()


def test_a_masked_word_has_no_weight_and_does_not_count():
    picture = view([1.0, -math.inf, 0.0], ["a", "<pad>", "b"])
    assert column(picture, "score") == ["1.00", "−∞", "0.00"]
    assert column(picture, "percent")[1] == "0.0 %"
    assert " of 2 words." in picture._repr_html_()


def test_large_scores_do_not_overflow():
    assert column(view([1000.0, 999.0], "ab"), "percent") == ["73.1 %", "26.9 %"]
    assert column(view([-1000.0, -1000.0], "ab"), "percent") == ["50.0 %", "50.0 %"]


def test_scores_have_so_many_decimals_and_a_real_minus():
    assert column(view([-0.04, 12.345, -7], "abc", digits=1), "score") == ["0.0", "12.3", "−7.0"]
    assert column(view([-0.04, 2, -7], "abc", digits=0), "score") == ["0", "2", "−7"]


def test_the_others_share_the_softmax_and_have_the_last_row_together():
    for others in (SCORES[4:], torch.tensor(SCORES[4:])):
        picture = view(SCORES[:4], SENTENCE[:4], others=others)
        weights = softmax()
        together = torch.cat([weights[:4], weights[4:].sum(0, keepdim=True)])
        assert column(picture, "word") == [*SENTENCE[:4], "8 others"]
        assert column(picture, "score")[:4] == signed(SCORES[:4])
        assert column(picture, "percent") == percent(together)
        assert told(weights, 1, 12) in picture._repr_html_()


def test_it_takes_a_tensor_as_well_as_a_list():
    assert view(torch.tensor(SCORES, dtype=torch.float64))._repr_html_() == view()._repr_html_()


def test_it_is_the_same_every_time_and_no_word_ends_its_script():
    assert view()._repr_html_() == view()._repr_html_()
    word = "</script><script>alert(1)//"
    html = view([1.0], [word])._repr_html_()
    assert html.count("</script>") == 1
    assert word not in html


def test_words_and_bars_have_the_colour_of_the_role():
    html = view(role="source")._repr_html_()
    assert html.count('fill="var(--source)"') == 2 * len(SENTENCE)
    assert "var(--key)" not in html


def test_it_says_what_it_shows_and_the_keys_read_nothing():
    html = view()._repr_html_()
    assert svg(view()).get("aria-label") == "What it shows"
    assert repr(view()) == "What to see\nWhat it shows"
    assert "The arrow keys" not in html
    assert "tabindex" not in html


def test_the_running_sentence_fits_a_phone():
    assert view([10 * score for score in SCORES]).narrowest <= 320


@pytest.mark.parametrize("scores", [SCORES, [-123456.5] * 12])
def test_no_column_runs_into_another_at_any_temperature(scores):
    picture = view(scores)
    _, right, _, left = picture.padding
    ends = {e.get("class"): -float(e.get("x")) for e in svg(picture).iter("text") if e.get("x") != "100%"}
    assert ends["score"] + max(text_width(f"{score * 10:.2f}") for score in scores) < ends["word"]
    assert ends["word"] + max(map(text_width, SENTENCE)) <= left
    assert text_width("100.0 %") < right


@pytest.mark.parametrize(
    ("scores", "words", "options", "complaint"),
    [
        ([1, 2], ["a"], {}, "there are 2 scores and 1 words; each word has one score"),
        (torch.zeros(2, 3), "ab", {}, r"scores of the shape \(2, 3\); wanted \(n,\), those of one word"),
        ([1, math.nan], "ab", {}, "the score of 'b' is nan; wanted is a number, or -inf where it is masked"),
        ([math.inf, 1], "ab", {}, "the score of 'a' is inf"),
        ([-math.inf], "a", {}, "nothing to draw: no word with a score"),
        ([], "", {}, "nothing to draw"),
        ([1], "a", {"role": "blue"}, "no role 'blue'; there are query, key"),
        ([1], "a", {"others": [0, -math.inf]}, "a score among the others is no finite number"),
    ],
)
def test_what_has_no_softmax_is_refused(scores, words, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        view(scores, words, **options)


# ---- What answers, in a browser.


def shown(page):
    """What stands on the page: scores, percents, the widths of the bars, and what is told."""
    texts = (page.locator(f"svg .{kind}").all_text_contents() for kind in ("score", "percent"))
    widths = page.locator("svg .bar").evaluate_all("bars => bars.map(bar => bar.getBoundingClientRect().width)")
    whole = page.locator("svg .line").first.evaluate("line => line.getBoundingClientRect().width")
    return (*texts, [width / whole for width in widths], page.locator("output").inner_text())


def tau_of(stop):
    return round(10**stop, 2)


def test_at_each_stop_of_the_slider_scores_weights_and_entropy_are_torchs(opened):
    page = opened(view())
    slider = page.get_by_role("slider", name="temperature τ")
    for stop in STOPS:
        slider.fill(str(stop))
        tau = tau_of(stop)
        scores, percents, widths, said = shown(page)
        weights = softmax(tau=tau)
        assert [float(score.replace("−", "-")) for score in scores] == pytest.approx(
            [score / tau for score in SCORES], abs=0.0051
        )
        assert percents == percent(weights)
        assert widths == pytest.approx(weights.tolist(), abs=2e-3)
        assert said == told(weights, tau, 12)
        assert slider.get_attribute("aria-valuetext") == f"{tau:.2f}"
        assert page.locator("label b").inner_text() == f"{tau:.2f}"
    assert (tau_of(STOPS[0]), tau_of(STOPS[20]), tau_of(STOPS[-1])) == (0.1, 1, 10)
    assert len({tau_of(stop) for stop in STOPS}) == len(STOPS)


def test_the_keyboard_moves_the_slider_and_its_button_leads_back(opened):
    page = opened(view())
    before = shown(page)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert shown(page)[-1] == told(softmax(tau=1.12), 1.12, 12)
    page.keyboard.press("Home")
    assert shown(page)[-1] == told(softmax(tau=0.1), 0.1, 12)
    page.keyboard.press("End")
    assert shown(page)[-1] == told(softmax(tau=10), 10, 12)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert shown(page) == before
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "1.00"


def test_a_finger_moves_the_slider(opened):
    page = opened(view(), width=390, has_touch=True)
    box = page.get_by_role("slider").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    page.locator("output", has_text="At τ = 10.00").wait_for()


def test_halves_are_rounded_alike_before_the_slider_is_moved_and_after(opened):
    page = opened(view([0.125, -0.125, 0.375, -2.625, math.log(1.5), 0.005], "abcdef"))
    before = shown(page)
    page.get_by_role("slider").fill("0.5")
    assert shown(page) != before
    page.get_by_role("button").click()
    assert shown(page) == before


def test_who_hears_the_page_is_told_the_weights_of_now(opened):
    page = opened(view([2, 0, -math.inf], ["cat", "dog", "<pad>"]))
    picture = page.locator("svg[role=img]")
    assert picture.get_attribute("aria-label") == "What it shows"
    page.get_by_role("slider").fill("0.3")
    weights = percent(softmax([2, 0], 2))
    assert (
        picture.get_attribute("aria-label")
        == f"What it shows Now, at τ = 2.00: cat {weights[0]}, dog {weights[1]}, <pad> 0.0 %."
    )


def test_top_k_and_top_p_leave_out_the_words_that_the_package_leaves_out(opened):
    page = opened(view(top_k=True, top_p=True))
    logits = torch.tensor([SCORES], dtype=torch.float64)
    for tau, k, p in [(1, 12, 1), (1, 3, 1), (1, 12, 0.9), (2, 5, 0.7), (0.5, 1, 1), (10, 12, 0.05)]:
        page.get_by_role("slider", name="temperature").fill(str(round(math.log10(tau) * 20) / 20))
        page.get_by_role("slider", name="top-k").fill(str(k))
        page.get_by_role("slider", name="top-p").fill(str(p))
        weights = next_word_probabilities(logits, tau, k, p)[0]
        _, percents, _, said = shown(page)
        assert percents == percent(weights)
        assert said == told(weights, tau, 12)
        out = page.locator("svg .out").all_text_contents()
        assert out == [word for word, weight in zip(SENTENCE, weights, strict=True) if not weight]
    page.get_by_role("button", name="back to the start").click()
    assert shown(page)[1] == percent(softmax())
    assert page.locator("svg .out").count() == 0


def test_top_k_and_top_p_count_the_others_too(opened):
    page = opened(view(SCORES[:4], SENTENCE[:4], others=SCORES[4:], top_k=True, top_p=True))
    logits = torch.tensor([SCORES], dtype=torch.float64)
    for tau, k, p in [(1, 12, 1), (2, 12, 1), (1, 1, 1), (1, 4, 0.9), (10, 12, 0.8)]:
        page.get_by_role("slider", name="temperature").fill(str(round(math.log10(tau) * 20) / 20))
        page.get_by_role("slider", name="top-k").fill(str(min(k, 5)))  # 1 to 4, then all
        assert page.get_by_role("slider", name="top-k").get_attribute("aria-valuetext") == str(k)
        page.get_by_role("slider", name="top-p").fill(str(p))
        weights = next_word_probabilities(logits, tau, k, p)[0]
        together = torch.cat([weights[:4], weights[4:].sum(0, keepdim=True)])
        scores, percents, widths, said = shown(page)
        assert scores[-1] == ""
        assert percents == percent(together)
        assert widths == pytest.approx(together.tolist(), abs=2e-3)
        assert said == told(weights, tau, 12)
        assert ("8 others" in page.locator("svg .out").all_text_contents()) == (not together[-1])


def test_words_as_good_as_the_last_of_top_k_stay_as_in_the_package(opened):
    scores = [1.0, 2.0, 1.0, 0.0]
    page = opened(view(scores, "abcd", top_k=True))
    page.get_by_role("slider", name="top-k").fill("2")
    assert shown(page)[1] == percent(next_word_probabilities(torch.tensor([scores], dtype=torch.float64), 1.0, 2)[0])


def test_large_scores_do_not_overflow_at_the_lowest_temperature(opened):
    page = opened(view([-1000.0, -1000.2], "ab"), view([1000.0, 1000.2], "ab"))
    for slider in page.get_by_role("slider").all():
        slider.fill("-1")
    both = percent(softmax([0, -0.2], 0.1))
    assert page.locator("svg .percent").all_text_contents() == both + both[::-1]


def test_two_on_a_page_are_apart(opened):
    page = opened(view(), view([1, 0], "ab"))
    page.get_by_role("slider").nth(1).fill("1")
    first, second = page.locator("output").all_inner_texts()
    assert first == told(softmax(), 1, 12)
    assert second == told(softmax([1, 0], 10), 10, 2)


def test_without_scripts_it_shows_the_temperature_1_and_no_slider(opened):
    page = opened(view(), java_script_enabled=False)
    assert page.locator("svg[role=img]").bounding_box()["height"] > 12 * 20
    assert page.locator("output").inner_text() == told(softmax(), 1, 12)
    assert not page.locator("form").is_visible()
    assert page.locator("svg .percent").all_text_contents() == percent(softmax())


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_words_keep_their_size_and_all_stays_on_the_page_at_any_width(opened, width):
    page = opened(view(), view([-99.99, 12.5], ["a", "because"], top_k=True, top_p=True), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.locator("svg text").evaluate_all("""texts => texts.map(text => {
        const { a, b, c, d } = text.getScreenCTM();
        return parseFloat(getComputedStyle(text).fontSize) * Math.sqrt(a * d - b * c);
    })""")
    assert min(sizes) >= 11
    for stop in (-1, 1):
        page.get_by_role("slider", name="temperature").first.fill(str(stop))
        places = page.locator("svg text, .sliders *").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect()).map(box => [box.left, box.right])"
        )
        assert min(left for left, _ in places) >= 0
        assert max(right for _, right in places) <= width
    targets = page.locator("input, button").evaluate_all("all => all.map(one => one.getBoundingClientRect().toJSON())")
    assert min(min(target["width"], target["height"]) for target in targets) >= 24


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_moved_or_not(opened, theme, width):
    page = opened(view(), view(role="target", top_k=True, top_p=True), theme=theme, width=width)
    page.get_by_role("slider", name="top-k").fill("2")
    page.get_by_role("button").nth(1).focus()
    options = {"resultTypes": ["violations"], "rules": {"label-content-name-mismatch": {"enabled": True}}}
    found = Axe().run(page, options=options).response["violations"]
    assert [violation["id"] for violation in found] == []


def test_its_script_gets_what_was_given():
    data = json.loads(
        re.search(r'closest\("figure"\), (.*)\);\n</script>', view([1, -math.inf], "ab")._repr_html_())[1]
    )
    assert data == {"scores": [1, None], "words": ["a", "b"], "digits": 2}
