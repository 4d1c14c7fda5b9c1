"""The model in the page computes what tfmlib computes, says what tfmlib says, and can be used by everybody."""

import difflib
import functools
import gzip
import itertools
import json
import re
from pathlib import Path

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe

from tfmlib import corpus, draw
from tfmlib.checkpoint import Translator
from tfmlib.decoding import beam_search, next_word_probabilities
from tfmlib.transformer import Transformer, TransformerConfig
from tfmlib.vocabulary import BOS, EOS, SPECIALS, BytePairVocabulary, UnknownWordError, Vocabulary, join

MACHINE = Path(draw.__file__).with_name("machine.js").read_text(encoding="utf-8")
WORDS = dict(title="What to see", alt="What it shows")
TIRED, WIDE = (sentence.text("en") for sentence in corpus.running_sentences())


@functools.cache
def shipped():
    return Translator.load(dtype=torch.float64)


def english(**counts):
    """So many sentences of each of these splits."""
    return [sentence.text("en") for split, n in counts.items() for sentence in corpus.load(split, n)]


@functools.cache
def both_sentences():
    """The live model, with the two running sentences to pick from."""
    return draw.live_translator(shipped(), [TIRED, WIDE], longest=21, **WORDS)


def small(sizes=(8, 2, 12, 2), max_length=9, seed=1, **options):
    """An untrained translator of seven English words and nine French ones, whose numbers float16 holds as they are."""
    d_model, n_heads, d_ff, n_layers = sizes
    source = Vocabulary("a animal c'est cat? rue the Été".lower().split(), language="en")
    target = (
        source
        if options.get("share_embeddings")
        else Vocabulary("l' a chat d dort est ? la rue".split(), language="fr")
    )
    config = TransformerConfig(
        len(source),
        len(target),
        d_model=d_model,
        n_heads=n_heads,
        d_ff=d_ff,
        n_layers=n_layers,
        max_length=max_length,
        **options,
    )
    torch.manual_seed(seed)
    model = Transformer(config).double()
    with torch.no_grad():
        for p in model.parameters():  # biases and gains too: at their start, 0 and 1, they could be forgotten
            p.copy_((p + torch.randn_like(p) * 0.3).half())
            p.flatten()[::7] = -3 * 2.0**-24  # among the smallest that float16 has
    return Translator(model, source, target)


@pytest.fixture(scope="module")
def page(opened):
    """The shipped model in a page; each test says for itself what it needs of it."""
    return opened(both_sentences())


@pytest.fixture(scope="module")
def machine(opened):
    """A function that gives what a piece of JavaScript says of the machine of a translator, `m`."""
    pages = {}

    def ask(translator, code, given=None):
        if translator not in pages:
            told = data(draw.live_translator(translator, [translator.source_vocabulary.tokens[-1]], **WORDS))
            pages[translator] = opened()
            pages[translator].evaluate("([code, data]) => { window.m = eval(code)(data); }", [MACHINE, told["model"]])
        return pages[translator].evaluate(code, given)

    return ask


def data(picture):
    """What the script gets."""
    html = picture._repr_html_()
    start = html.index('closest("figure"), ') + len('closest("figure"), ')
    return json.JSONDecoder().raw_decode(html[start:])[0]


def ask(page, sentences, how="greedy"):
    """What the page writes, by the way a reader takes."""
    page.locator(f".method [value={how}]").check()
    return page.evaluate(
        """sentences => sentences.map(sentence => {
            const text = document.querySelector('.own input');
            text.value = sentence;
            text.form.requestSubmit();
            return document.querySelector('.result').hidden ? null : document.querySelector('.wrote').textContent;
        })""",
        sentences,
    )


# As text: that many numbers would take Playwright long.
LOGITS = """pairs => JSON.stringify(pairs.map(([ids, given]) =>
    m.write(m.read(ids), given, m.best).map(one => [...one.logits])))"""


def logits_of(translator, ids, given):
    """The logits of each step of a translation, (T, V), computed in one pass and so without a cache."""
    with torch.inference_mode():
        return translator.model(torch.tensor([ids]), torch.tensor([[BOS, *given[:-1]]]))[0]


# ---- The page and tfmlib: the same numbers, the same words.


OPTIONS = [
    {},
    {"pre_norm": True},
    {"bias": True},
    {"share_embeddings": True},
    {"pre_norm": True, "bias": True, "sizes": (12, 3, 10, 3)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: ", ".join(options) or "the paper")
def test_with_the_same_weights_the_page_computes_the_same_logits(machine, options):
    translator = small(**options)
    pairs = [[[4, 9, 5, 6, 10], [7, 4, 8, 9, 5, 6, 4]], [[8], [6, EOS]], [[5, 5, 7], [4, 5, 6, EOS]]]
    for (ids, given), found in zip(pairs, json.loads(machine(translator, LOGITS, pairs)), strict=True):
        wanted = logits_of(translator, ids, given)
        assert wanted.std() > 0.1
        assert torch.tensor(found[: len(given)], dtype=torch.float64).sub(wanted).abs().max() < 1e-9


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: ", ".join(options) or "the paper")
def test_with_the_same_weights_the_beam_of_the_page_finds_the_same(machine, options):
    """Untrained models: hypotheses end at any length, some never, and one beats four that have ended before it."""
    for seed, max_length in ((0, 9), (16, 60)):
        translator = small(seed=seed, max_length=max_length, **options)
        for ids, beam in itertools.product(([4, 9, 5, 6, 10], [8]), (1, 3, 4)):
            code = "([ids, beam]) => m.beamSearch(m.read(ids), beam).map(({ words, score }) => [words, score])"
            found = machine(translator, code, [ids, beam])
            wanted = beam_search(translator.model, torch.tensor([ids]), beam)[0]
            assert [[word for word in words if word != EOS] for words, _ in found] == [words for words, _ in wanted]
            assert [score for _, score in found] == pytest.approx([score for _, score in wanted], abs=1e-9)


def test_padding_in_the_source_changes_nothing(machine):
    """A reader may type <pad>."""
    pairs = [[ids, [5, 6, EOS]] for ids in ([20, 30, 40], [20, 30, 40, 0, 0], [0])]
    one, more, blind = json.loads(machine(shipped(), LOGITS, pairs))
    assert torch.tensor(one).sub(torch.tensor(more)).abs().max() < 1e-9
    wanted = logits_of(shipped(), *pairs[2])
    assert torch.tensor(blind).sub(wanted).abs().max() < 1e-2  # and who may look at nothing gets nothing


def test_over_200_sentences_the_page_writes_the_words_that_tfmlib_writes(page):
    """Held-out sentences and coreference: float16 changes no word."""
    sentences = english(held_out=100, coreference=100)
    assert ask(page, sentences) == shipped().translate(sentences)


def test_over_200_sentences_the_logits_are_those_of_tfmlib_to_a_hundredth(machine):
    translator = shipped()
    source, target = translator.source_vocabulary, translator.target_vocabulary
    sentences = english(held_out=100, coreference=100)
    written = translator.translate(sentences)
    pairs = [[source.encode(a), [*target.encode(b), EOS]] for a, b in zip(sentences, written, strict=True)]
    for (ids, given), found in zip(pairs, json.loads(machine(translator, LOGITS, pairs)), strict=True):
        wanted = logits_of(translator, ids, given)
        assert torch.tensor(found, dtype=torch.float64).sub(wanted).abs().max() < 1e-2


def test_with_a_beam_of_four_the_page_writes_the_words_that_tfmlib_writes(page):
    # The beam of the last one ends too early, if it ends with the fourth hypothesis.
    wall = "the king who pushed the chair that our mother must sell did not climb this wall"
    sentences = [*english(held_out=10, coreference=10, new_structures=20), wall]
    found = ask(page, sentences, "beam")
    assert found == shipped().translate(sentences, beam=4)
    assert found != shipped().translate(sentences)


def test_what_the_beam_found_is_shown_with_its_scores_and_each_can_be_looked_at(page):
    ask(page, [TIRED], "beam")
    found = beam_search(shipped().model, shipped().ids([TIRED]), 4)[0]
    shown = page.locator(".hypotheses label")
    for label, (words, score) in zip(shown.all(), found, strict=True):
        number, text = label.locator("span").all_inner_texts()
        # Half of the last decimal, and what float16 moves.
        assert float(number.replace("−", "-")) == pytest.approx(score, abs=5e-3 + 1e-3)
        assert text == shipped().target_vocabulary.decode(words)
    shown.nth(2).locator("input").check()
    assert page.locator(".wrote").inner_text() == shipped().target_vocabulary.decode(found[2][0])


def test_the_heads_of_the_page_look_where_those_of_tfmlib_look(page):
    ask(page, [TIRED])
    read, wrote, weights = shipped().attention(TIRED)
    for (name, heads), head in itertools.product(weights.items(), range(4)):
        rows = read if name.startswith("encoder") else wrote
        columns = ["<bos>", *wrote[:-1]] if re.search(r"decoder.*self", name) else read
        part, _, layer, kind = name.replace("_", "-").split(".")
        page.get_by_label(f"{part}, {kind}, layer {layer}, head {head}").check()
        words = [page.locator(f".{side} label span:nth-child(3)").all_inner_texts() for side in ("asking", "asked")]
        assert words == [rows, columns]
        shown = page.locator(".asking input").evaluate_all("""inputs => inputs.map(input => {
            input.click();
            return [...document.querySelectorAll('.asked .percent')].map(share => parseInt(share.textContent) || 0);
        })""")
        assert torch.tensor(shown).sub(100 * heads[head]).abs().max() < 1.5
    assert page.errors == []


# ---- Words.


NASTY = [
    "The Cat SLEEPS?",
    "l\u2019animal n'a pas",
    "cafe\u0301 d'été",
    "rock-n-roll's '' don't _a_ a_b",
    "a\u00a0b\u2028c\x1cd\x85e\ufefff",
    "<pad><EOS> <b> <unk>",
    "…—!? (a) \\ \" ' 🙂👍🏽 x² ½ Ⅷ ٣ ǅ İ ΑΣ",
    "动物没有过街\uff1f abc",
    "動物a-动",
    "\u200d a\u0300\u0316 \t\n",
    "",
]


def test_a_text_is_cut_as_tfmlib_cuts_it(machine):
    chinese = small()
    words = ["动物", "没有", "动", "动物没", "过街", "a"]
    chinese.source_vocabulary = Vocabulary([*words, "b"], language="zh")
    for translator in (shipped(), chinese):
        wanted = [translator.source_vocabulary.tokenize(text) for text in NASTY]
        assert machine(translator, "texts => texts.map(m.tokenize)", NASTY) == wanted


def test_words_are_joined_as_tfmlib_joins_them(machine):
    rows = [
        ["l'", "animal", "n'", "a", "qu'", "il", "?"],
        ["est-ce", "qu'", "à", "!", ",", ".", ";", ":"],
        ["'", "a", "_'", "b", "'"],
        ["动物", "睡", "吗", "?"],
        ["a", "动", "物", "b", "?"],
        [],
    ]
    for language in ("en", "fr", "zh", None):
        found = machine(shipped(), "([rows, language]) => rows.map(row => m.join(row, language))", [rows, language])
        assert found == [join(row, language) for row in rows]
    ids = [[1, 5, 6, 0, 7, 2, 8], [2], [5, 1, 6]]
    assert machine(shipped(), "ids => ids.map(m.decode)", ids) == list(map(shipped().target_vocabulary.decode, ids))


def misspelt(word):
    """The word with a letter less, a letter twice, two letters swapped, another ending, and cut in two."""
    middle = len(word) // 2
    yield word[:middle] + word[middle + 1 :]
    yield word[: middle + 1] + word[middle:]
    yield word[: middle - 1] + word[middle : middle + 1] + word[middle - 1 : middle] + word[middle + 1 :]
    yield word + "ing"
    yield word[:middle] + "x" + word[middle:] + "ss"
    yield word[::-1]


def test_a_misspelt_word_has_the_neighbours_that_difflib_names(machine):
    words = shipped().source_vocabulary.tokens[len(SPECIALS) :]
    odd = [
        "licorne",
        "transformer",
        "étrange",
        "动物",
        "a",
        "q",
        "zzz",
        "x" * 300,
        "catcatcat",
        "abababab",
        "don't",
        "🙂",
    ]
    tried = odd + [wrong for word in words[::3] for wrong in misspelt(word)]
    found = machine(shipped(), "words => words.map(word => m.unknown(word).near)", tried)
    wanted = [difflib.get_close_matches(word, words) if re.search(r"\w", word) else [] for word in tried]
    assert found == wanted
    assert len(set(map(len, wanted))) == 4  # none to three
    assert len(tried) > 500


@pytest.mark.parametrize(
    "sentence",
    [
        "the anmal sleeps",
        "The Transformer sleeps!",
        "the cat.",
        "the zzz sleeps",
        "don't sleep",
        "a \\ cat",
        "THE DOGG",
    ],
)
def test_a_word_that_is_not_known_is_named_as_tfmlib_names_it(page, sentence):
    assert ask(page, [sentence]) == [None]
    with pytest.raises(UnknownWordError) as error:
        shipped().translate(sentence)
    assert page.locator(".problem").inner_text() == str(error.value)
    assert page.locator(".own input").get_attribute("aria-invalid") == "true"


def test_a_neighbour_takes_the_place_of_the_word_and_is_translated(page):
    ask(page, ["the dog, sleps"])
    page.locator(".own input").fill("The ctas sleep")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="cats", exact=True).click()
    assert page.locator(".own input").input_value() == "the cats sleep"
    assert page.locator(".wrote").inner_text() == shipped().translate("the cats sleep")
    assert page.locator(".problem").inner_text() == ""
    assert page.evaluate("document.activeElement.matches('.own input')")


def test_an_empty_sentence_is_asked_for_again(page):
    for empty in ("", "  \t "):
        assert ask(page, [empty]) == [None]
        assert page.locator(".problem").inner_text() == "Give a sentence of at least one word."
    assert ask(page, [TIRED]) == shipped().translate([TIRED])
    assert page.locator(".problem").inner_text() == ""


def test_a_longer_sentence_than_in_the_training_is_translated_with_a_warning(page):
    longer = f"{TIRED} because {TIRED}"
    assert ask(page, [longer]) == shipped().translate([longer])
    warning = "That is a sentence of 25 words, and the longest that it was trained on have 21: it may go wrong."
    assert page.locator(".problem").inner_text() == warning
    assert ask(page, [" ".join(["cat"] * 60)]) == shipped().translate([" ".join(["cat"] * 60)])
    assert ask(page, [" ".join(["cat"] * 61)]) == [None]
    assert page.locator(".problem").inner_text() == "That is a sentence of 61 words. Here it may have 60."


# ---- The next word, and who takes it.


def bars(page):
    """The words that have a bar at this step, with their probabilities in percent, and the word that was written."""
    rows = page.locator(".bars .word")
    texts = [row.locator("span:not(.track, .bar)").all_inner_texts() for row in rows.all()]
    written = rows.and_(page.locator("[aria-pressed=true]")).locator("span").first.inner_text()
    return {word: float(percent.removesuffix(" %")) for word, percent in texts}, written


def move(page, temperature):
    page.locator(".temperature input").evaluate(
        "(input, to) => { input.value = to; input.dispatchEvent(new Event('input', { bubbles: true })); }", temperature
    )


def choose_step(page, place):
    page.locator(".chips input").nth(place).check()


@pytest.mark.parametrize("temperature", [0.3, 1.0, 1.8])
def test_the_bars_are_the_probabilities_of_the_next_word_at_the_temperature(page, temperature):
    vocabulary = shipped().target_vocabulary
    ask(page, [TIRED])
    move(page, temperature)
    words = vocabulary.encode(shipped().translate(TIRED))
    logits = logits_of(shipped(), shipped().ids([TIRED])[0].tolist(), [*words, EOS])
    for t, wanted in enumerate(next_word_probabilities(logits, temperature)):
        choose_step(page, t)
        shown, written = bars(page)
        assert len(shown) == 6
        assert written == vocabulary.tokens[(*words, EOS)[t]] == next(iter(shown))
        assert list(shown.values()) == sorted(shown.values(), reverse=True)
        for word, percent in shown.items():
            assert percent == pytest.approx(100 * wanted[vocabulary.encode(word)[0]].item(), abs=0.2)
        others = re.match(r"386 others: ([\d.]+) %", page.locator(".bars p").inner_text())
        assert sum(shown.values()) + float(others[1]) == pytest.approx(100, abs=0.4)
    move(page, 1)


def test_the_temperature_changes_no_word_of_greedy_and_of_the_beam(page):
    for how in ("greedy", "beam"):
        (wrote,) = ask(page, [WIDE], how)
        for temperature in (0.1, 2):
            move(page, temperature)
            assert ask(page, [WIDE], how) == [wrote]
    move(page, 1)


def test_a_word_is_drawn_as_often_as_it_is_probable(machine):
    ids = shipped().source_vocabulary.encode(TIRED)
    code = """([ids, temperature, n]) => {
        const { logits } = m.step(m.read(ids), 1), times = Array(logits.length).fill(0);
        for (let i = 0; i < n; i++) times[m.draw(temperature, () => (i + 0.5) / n)(logits)] += 1 / n;
        return times;
    }"""
    logits = logits_of(shipped(), ids, [EOS])
    for temperature in (0.5, 2):
        times = torch.tensor(machine(shipped(), code, [ids, temperature, 2000]))
        assert times.sub(next_word_probabilities(logits, temperature)[0]).abs().max() < 2e-3


def test_a_draw_can_be_repeated_and_the_next_one_is_another(opened):
    def drawn(page):
        ask(page, [TIRED], "draw")
        move(page, 2)
        again = page.get_by_role("button", name="Draw again")
        return [(again.click(), page.locator(".wrote").inner_text())[1] for _ in range(5)]

    first = drawn(opened(both_sentences()))
    assert first == drawn(opened(both_sentences()))
    assert len(set(first)) == 5


def test_draws_follow_the_probabilities_from_seed_to_seed(page):
    ask(page, [TIRED], "draw")
    move(page, 1)
    choose_step(page, 0)
    shown, _ = bars(page)
    first = page.evaluate("""() => Array.from({ length: 150 }, () => {
        document.querySelector('.again').click();
        return document.querySelector('.chips label').textContent;
    })""")
    assert 100 * first.count("l'") / 150 == pytest.approx(shown["l'"], abs=7)
    move(page, 0.1)
    assert page.locator(".wrote").inner_text() == shipped().translate(TIRED)
    move(page, 1)


def continued(sentence, given):
    """What greedy makes of a beginning."""
    ids, words = shipped().ids([sentence]), shipped().target_vocabulary.encode(given)
    with torch.inference_mode():
        while words[-1] != EOS:
            words.append(shipped().model(ids, torch.tensor([[BOS, *words]]))[0, -1].argmax().item())
    return shipped().target_vocabulary.decode(words)


def test_the_reader_can_write_another_word_and_the_model_goes_on_from_it(page):
    (wrote,) = ask(page, [TIRED])
    place = page.locator(".chips label").all_inner_texts().index("il")
    choose_step(page, place)
    page.locator(".bars .word", has_text="elle").click()
    other = continued(TIRED, wrote[: wrote.index("il était")] + "elle")
    assert "qu'elle" in other
    assert page.locator(".wrote").inner_text() == other
    assert page.locator(".chips .given").count() == place + 1
    assert page.evaluate("document.activeElement.textContent").startswith("elle")
    assert bars(page)[1] == "elle"
    page.locator(".method [value=beam]").check()
    texts = page.locator(".hypotheses label span:last-child").all_inner_texts()
    assert len(texts) == 4
    assert all("parce qu'elle" in text for text in texts)
    page.locator(".method [value=greedy]").check()
    page.get_by_role("button", name="Let the model write all of it").click()
    assert page.locator(".wrote").inner_text() == wrote


def test_a_written_end_is_the_end(page):
    ask(page, [TIRED])
    choose_step(page, 3)
    page.locator(".bars .word", has_text="<eos>").click()
    assert page.locator(".wrote").inner_text() == "l'animal n'"
    assert page.locator(".chips label").all_inner_texts() == ["l'", "animal", "n'", "<eos>"]


def test_at_first_the_step_is_shown_at_which_the_model_is_the_least_sure(page):
    for sentence in english(held_out=5, coreference=2):
        ask(page, [sentence])
        words = shipped().target_vocabulary.encode(shipped().translate(sentence))
        logits = logits_of(shipped(), shipped().ids([sentence])[0].tolist(), [*words, EOS])
        least = logits.softmax(-1).max(-1).values.argmin().item()
        assert page.locator(".chips input").nth(least).is_checked()
        assert page.locator(".bars legend").inner_text().startswith(f"Step {least + 1} of {len(words) + 1}: what comes")


def test_the_step_and_the_heads_belong_together(page):
    ask(page, [TIRED])
    page.get_by_label("decoder, cross-attention, layer 1, head 3").check()
    choose_step(page, 7)
    told = page.locator(".view output")
    assert "cross-attention, layer 1, head 3. rue looks at “street”" in told.inner_text()
    page.locator(".asking label", has_text=re.compile("animal$")).click()
    assert page.locator(".chips input").nth(1).is_checked()
    assert bars(page)[1] == "animal"
    page.locator(".asking input:checked").press("ArrowDown")
    assert bars(page)[1] == "n'"
    page.get_by_label("encoder, self-attention, layer 0, head 0").check()
    page.locator(".asking label", has_text=re.compile("street$")).click()
    assert bars(page)[1] == "n'"  # the encoder has no such steps
    page.get_by_label("decoder, self-attention, layer 0, head 1").check()
    assert ". n' looks at" in told.inner_text()
    page.locator(".all").click()
    choose_step(page, 8)
    assert ". parce looks at" in told.inner_text()
    ask(page, [WIDE])
    assert page.get_by_label("decoder, self-attention, layer 0, head 1").is_checked()


def test_the_words_come_one_after_the_other(opened):
    page = opened(reduced_motion="no-preference")
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    page.set_content(f"<!DOCTYPE html><main>{both_sentences()._repr_html_()}")
    assert page.locator(".wrote").inner_text() == shipped().translate(TIRED)  # at first it stands there
    page.locator(".pick select").select_option(WIDE)
    seen = lambda: page.locator(".wrote span").first.inner_text()  # noqa: E731
    assert seen() == "l'"
    page.clock.run_for(300)
    assert seen() == "l'animal"
    assert bars(page)[1] == "animal"
    assert page.locator(".chips .to-come").count() == 13
    page.clock.run_for(300 * 20)
    assert seen() == shipped().translate(WIDE)
    assert bars(page)[1] == "animal"  # the least sure of all
    page.get_by_role("button", name="Translate").click()
    page.clock.run_for(600)
    choose_step(page, 0)  # who takes a step ends the show
    page.clock.run_for(300 * 20)
    assert seen() == shipped().translate(WIDE)
    assert bars(page)[1] == "l'"


# ---- For everybody.


def test_the_keyboard_is_enough(opened):
    page = opened(both_sentences())
    press = page.keyboard.press
    press("Tab")
    press("Control+a")
    page.keyboard.type("the cat sleeps")
    press("Enter")
    assert page.locator(".wrote").inner_text() == "le chat dort"
    for _ in range(4):  # the button, the list, the known words, the way
        press("Tab")
    press("ArrowRight")
    assert page.locator(".method [value=beam]").is_checked()
    press("Tab")
    press("ArrowRight")
    assert "τ = 1.1" in page.locator(".temperature").inner_text()
    press("Tab")
    press("ArrowDown")
    assert page.locator(".hypotheses input").nth(1).is_checked()
    assert page.evaluate("document.activeElement.name") == "hypothesis"
    press("ArrowUp")
    press("Tab")
    page.locator(".chips input").first.focus()
    press("ArrowRight")
    assert page.locator(".chips input").nth(1).is_checked()
    press("Tab")
    press("Tab")
    press("Enter")
    assert page.locator(".chips .given").count() == 2
    assert page.errors == []


def test_two_live_models_on_a_page_are_apart(opened):
    page = opened(both_sentences(), both_sentences())
    first, second = page.locator(".live").all()
    first.locator(".own input").fill("the cat sleeps")
    first.locator(".own input").press("Enter")
    second.locator(".method [value=draw]").check()
    assert first.locator(".wrote").inner_text() == "le chat dort"
    assert first.locator(".method [value=greedy]").is_checked()
    assert second.locator(".own input").input_value() == TIRED
    assert first.locator(".chips :checked").count() == second.locator(".chips :checked").count() == 1


def test_without_javascript_there_is_a_translation_and_what_is_missing(opened):
    page = opened(both_sentences(), java_script_enabled=False)
    shown = page.locator("figure").inner_text()
    assert f"{TIRED} → {shipped().translate(TIRED)}" in shown
    assert "needs JavaScript" in shown
    assert page.locator("svg[role=img]").bounding_box()["height"] > 100
    assert "needs JavaScript" not in opened(both_sentences()).locator("figure").inner_text()


STATES = {
    "at first, all words": lambda page: page.locator("summary").click(),
    "beam, long": lambda page: ask(page, [f"{TIRED} because {TIRED}"], "beam"),
    "draw, another word": lambda page: (ask(page, [WIDE], "draw"), page.locator(".bars .word").nth(3).click()),
    "unknown word": lambda page: ask(page, ["the anmal sleeps"]),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_whatever_is_done(opened, theme, width):
    page = opened(both_sentences(), theme=theme, width=width)
    rules = {"label-content-name-mismatch": {"enabled": True}}
    for state, do in STATES.items():
        do(page)
        found = Axe().run(page, options={"resultTypes": ["violations"], "rules": rules}).response["violations"]
        assert [(state, one["id"], one["nodes"][0]["html"]) for one in found] == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_fits_the_page_and_the_finger(opened, width):
    page = opened(both_sentences(), width=width)
    for state, do in STATES.items():
        do(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state
        targets = page.locator(".live :is(button, select, summary, label, input[type=text], input[type=range]):visible")
        boxes = targets.evaluate_all("all => all.map(one => [one.outerHTML, one.getBoundingClientRect().toJSON()])")
        assert [html for html, box in boxes if min(box["width"], box["height"]) < 24] == [], state
        assert all(box["left"] >= 0 and box["right"] <= width for _, box in boxes), state


# ---- What stands in the page.


def test_it_asks_nobody_and_is_light(opened):
    page = opened(both_sentences())
    ask(page, english(held_out=2), "beam")
    assert page.asked == page.errors == []
    assert len(gzip.compress(both_sentences()._repr_html_().encode())) < 580_000


def test_it_is_the_same_every_time_and_no_word_ends_its_script():
    assert (
        draw.live_translator(shipped(), [TIRED], **WORDS)._repr_html_()
        == draw.live_translator(shipped(), [TIRED], **WORDS)._repr_html_()
    )
    assert both_sentences()._repr_html_().count("</script>") == 1
    assert not re.search(r"\b0x[0-9a-f]{6}|/(home|root|tmp|Users)/", both_sentences()._repr_html_())  # as in an address


def test_a_weight_beyond_float16_is_refused():
    translator = small()
    with torch.no_grad():
        translator.model.decoder.layers[1].feed_forward.outer.weight[0, 0] = 70_000
    complaint = (
        r"decoder.layers.1.feed_forward.outer.weight holds a number of size 7e\+04; float16 holds none beyond 65,504"
    )
    with pytest.raises(ValueError, match=complaint):
        draw.live_translator(translator, ["rue"], **WORDS)


@pytest.mark.parametrize(
    ("sentences", "complaint"),
    [
        ([], "at least one"),
        ("the cat sleeps", "a list of sentences"),
        (["the cat sleeps", "the unicorn"], "'unicorn' is not among"),
        ([" "], "no token"),
    ],
)
def test_sentences_that_are_none_are_refused(sentences, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw.live_translator(shipped(), sentences, **WORDS)


@pytest.mark.parametrize("other", [BytePairVocabulary.build(["a"], 261), Vocabulary("abcdefg", "character")])
def test_a_vocabulary_without_words_is_refused(other):
    config = TransformerConfig.preset("small", len(other), len(other))
    with pytest.raises(ValueError, match="cuts a sentence into words"):
        draw.live_translator(Translator(Transformer(config), other, other), ["a"], **WORDS)
