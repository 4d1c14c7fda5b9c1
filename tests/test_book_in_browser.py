"""The book as a browser shows it: each page in light and dark, on a laptop and on a phone."""

import functools
import gzip
import http.server
import os
import re
import threading
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

SETTINGS = {1280: ["light", "dark"], 390: ["light", "dark"]}
PHONES = (390, 320)
WEIGHT = 1_500_000  # bytes, compressed, of a page and all that it loads
AXE = {"preload": False, "resultTypes": ["violations"], "rules": {"label-content-name-mismatch": {"enabled": True}}}

AT_REST = """async () => {
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  const ending = document.getAnimations().filter(animation => animation.effect.getComputedTiming().endTime < Infinity);
  await Promise.allSettled(ending.map(animation => animation.finished));
}"""
LOADED = "() => performance.getEntries().filter(e => /navigation|resource/.test(e.entryType)).map(e => e.name)"
OPEN = "() => document.querySelectorAll('details').forEach(details => { details.open = true; })"

# Code is most of a chapter, and all alike. Where axe-core has looked at its like before, it is emptied: that saves half
# of the time. Alike is what has the same colours, in both themes, on the same ground, and scrolls as well.
EMPTY_KNOWN_CODE = """seen => {
  const codes = [...document.querySelectorAll('.highlight pre')].map(pre => [pre, new Set()]);
  const colours = element => [getComputedStyle(element).color, getComputedStyle(element).backgroundColor];
  for (const theme of ['light', 'dark']) {
    document.documentElement.dataset.theme = theme;
    for (const [pre, kinds] of codes) {
      const ground = [theme, colours(pre.closest('.highlight')), pre.scrollWidth > pre.clientWidth, pre.tabIndex];
      for (const part of [pre, ...pre.querySelectorAll('span')])
        kinds.add([part.tagName, colours(part), ground].join());
    }
  }
  const known = new Set(seen);
  for (const [pre, kinds] of codes) {
    if (kinds.isSubsetOf(known)) pre.replaceChildren();
    kinds.forEach(kind => known.add(kind));
  }
  return [...known];
}"""

# Formulas that are not drawn, or drawn as an error, and text that was meant as one.
RAW_MATH = r"""() => {
  const raw = [...document.querySelectorAll('.math')].filter(math =>
    !math.querySelector('mjx-container') || math.querySelector('mjx-merror')).map(math => math.outerHTML);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (!text.parentElement.closest('pre, code, script, style, .math') && /\$\$|\\[([]|\\begin\{/.test(text.data))
      raw.push(text.data);
  }
  return raw;
}"""

# Pictures without a text that says what they show. An icon on a button needs none: the button has one.
UNDESCRIBED = r"""() => [...document.querySelectorAll('img, svg, canvas, [role=img]')].filter(picture => {
  const part = picture.closest('button, [aria-hidden=true]') ?? picture.parentElement.closest('svg, [role=img]');
  if (part) return false;
  const named = document.getElementById(picture.getAttribute('aria-labelledby')) ?? picture.querySelector('title');
  const text = picture.getAttribute('alt') ?? picture.getAttribute('aria-label') ?? named?.textContent ?? '';
  return !text.trim() || /^\S+\.(svg|png|jpe?g|gif|webp)$|_images\//.test(text);
}).map(picture => picture.outerHTML.slice(0, 200))"""

# What sticks out of the page on the right, if the page, or the column of its text, can be scrolled sideways.
SIDEWAYS = """() => {
  const boxes = [document.scrollingElement, ...document.querySelectorAll('body, main, .bd-article-container')];
  if (boxes.every(box => box.scrollWidth <= box.clientWidth)) return [];
  const held = e => e && !boxes.includes(e) && (getComputedStyle(e).overflowX !== 'visible' || held(e.parentElement));
  const out = [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > innerWidth + 1);
  return [innerWidth + ' px: ', ...out.filter(e => !held(e.parentElement)).map(e => e.outerHTML.slice(0, 120))];
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and keeps no log."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """The address at which the files of a folder are served."""
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@functools.cache
def compressed(path):
    return len(gzip.compress(path.read_bytes()))


def faults_of(browser, folder, origin, names):
    """What is wrong with the pages of a folder: {fact: {page, width, …: [fault, …]}}."""
    faults, seen = defaultdict(lambda: defaultdict(list)), set()
    ours = (origin, "data:", "blob:")

    def found(fact, list_, *where):
        if list_:
            faults[fact][name, *where] += list_

    for width, themes in SETTINGS.items():
        context = browser.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        page.on("request", lambda request: found("hosts", [request.url] * (not request.url.startswith(ours))))
        page.on("requestfailed", lambda request: found("failed", [request.url]))
        page.on("response", lambda response: found("failed", [response.url] * (response.status >= 400)))
        page.on("console", lambda said: found("console", [said.text] * (said.type in ("error", "warning"))))
        page.on("pageerror", lambda error: found("console", [str(error)]))
        for name in names:
            page.goto(f"{origin}/{name}")
            page.evaluate(AT_REST)
            paths = {unquote(urlsplit(url).path).lstrip("/") for url in page.evaluate(LOADED) if url.startswith(origin)}
            weight = sum(compressed((folder / path).resolve()) for path in paths if (folder / path).is_file())
            found("weight", [f"{weight} bytes"] * (weight > WEIGHT))
            found("math", page.evaluate(RAW_MATH))
            found("pictures", page.evaluate(UNDESCRIBED))
            page.evaluate(OPEN)
            page.evaluate(AT_REST)
            for phone in PHONES if width in PHONES else ():
                page.set_viewport_size({"width": phone, "height": 900})
                found("sideways", page.evaluate(SIDEWAYS))
            page.set_viewport_size({"width": width, "height": 900})
            seen.update(page.evaluate(EMPTY_KNOWN_CODE, list(seen)))
            for theme in themes:
                page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
                page.evaluate(AT_REST)
                for violation in Axe().run(page, options=AXE).response["violations"]:
                    nodes = [f"{violation['id']}: {node['html'][:200]}" for node in violation["nodes"]]
                    found("axe", nodes, width, theme)
        context.close()
    return faults


@pytest.fixture(scope="module")
def origin(site):
    with served(site) as address:
        yield address


@pytest.fixture(scope="module")
def names(site):
    """All pages, but for the first, which only leads on to the landing page."""
    files = (path.relative_to(site) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts)
    return [file.as_posix() for file in files if file != Path("index.html")]


@pytest.fixture(scope="module")
def faults(browser, site, origin, names):
    return faults_of(browser, site, origin, names)


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


def told(faults):
    lines = (f"{' '.join(map(str, where))}: {fault}" for where, list_ in faults.items() for fault in list_)
    return "\n".join(lines)


def test_no_page_asks_another_host(faults):
    assert not faults["hosts"], told(faults["hosts"])


def test_all_that_a_page_asks_for_comes(faults):
    assert not faults["failed"], told(faults["failed"])


def test_no_page_says_an_error_or_a_warning_on_the_console(faults):
    assert not faults["console"], told(faults["console"])


def test_all_formulas_are_drawn(faults):
    assert not faults["math"], told(faults["math"])


def test_each_picture_says_what_it_shows(faults):
    assert not faults["pictures"], told(faults["pictures"])


def test_axe_finds_nothing(faults):
    assert not faults["axe"], told(faults["axe"])


def test_no_page_scrolls_sideways_on_a_phone(faults):
    assert not faults["sideways"], told(faults["sideways"])


def test_a_page_with_all_that_it_loads_is_light(faults):
    assert not faults["weight"], told(faults["weight"])


PLANTED = [
    ("hosts", '<img alt="a" src="https://example.org/a.png">'),
    ("hosts", "<script>fetch('https://example.org').catch(() => 0)</script>"),
    ("hosts", "<style>@font-face{font-family:a;src:url(https://example.org/a.woff)}p{font-family:a}</style><p>a</p>"),
    ("failed", '<script src="missing.js"></script>'),
    ("console", "<script>console.warn('a')</script>"),
    ("console", "<script>throw Error('a')</script>"),
    ("math", r'<p class="math">\(a\)</p>'),
    ("math", '<p class="math"><mjx-container><mjx-merror></mjx-merror></mjx-container></p>'),
    ("math", "<p>$$a</p>"),
    ("math", r"<p>\(a\)</p>"),
    ("pictures", '<img src="a.svg">'),
    ("pictures", '<img alt="../_images/a.svg" src="a.svg">'),
    ("pictures", '<svg viewBox="0 0 1 1"></svg>'),
    ("pictures", '<div role="img"></div>'),
    ("axe", '<p style="color:#999">pale</p>'),
    ("axe", "<style>html[data-theme=dark] p{color:#555}</style><p>pale in the dark</p>"),
    ("axe", "<style>@media(max-width:400px){p{color:#999}}</style><p>pale on a phone</p>"),
    ("axe", '<details><summary>a</summary><p style="color:#999">pale and hidden</p></details>'),
    ("axe", '<button aria-label="Close">Open</button>'),
    ("axe", "<h3>a</h3>"),
    ("axe", '<div class="highlight"><pre><span>a</span><span style="color:#999">pale</span></pre></div>'),
    ("axe", f'<div class="highlight"><pre style="overflow:auto" tabindex="-1">{"wide " * 200}</pre></div>'),
    ("sideways", '<p style="width:330px">a</p>'),
    ("sideways", '<p style="white-space:nowrap">' + "a " * 200 + "</p>"),
    ("weight", '<script src="heavy.js"></script>'),
]
PAGE = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>a</title>
<style>html{background:#fff}html[data-theme=dark]{background:#000;color:#fff}</style><main><h1>a</h1>%s</main>"""


@pytest.fixture(scope="module")
def planted(browser, tmp_path_factory):
    """The facts of which a fault was found, in any setting, of a sound page and of each that has a fault."""
    folder = tmp_path_factory.mktemp("planted")
    pages = {f"{number}.html": html for number, (_, html) in enumerate([("", "<p>a</p>"), *PLANTED])}
    for name, html in pages.items():
        (folder / name).write_text(PAGE % html, encoding="utf-8")
    (folder / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (folder / "heavy.js").write_text(f"// {os.urandom(WEIGHT).hex()}")
    with served(folder) as origin:
        faults = faults_of(browser, folder, origin, pages)
    return [{fact for fact, where in faults.items() for page, *_ in where if page == name} for name in pages]


def test_a_page_without_a_fault_has_none(planted):
    assert planted[0] == set()


@pytest.mark.parametrize("number, fact", [*enumerate((fact for fact, _ in PLANTED), start=1)])
def test_a_planted_fault_is_found(planted, number, fact):
    assert fact in planted[number], PLANTED[number - 1]


def test_the_site_opens_with_the_landing_page(page, origin):
    page.goto(f"{origin}/")
    page.wait_for_url("**/book/index.html")


def search(page, origin, word):
    """The pages that the search finds for a word."""
    page.goto(f"{origin}/search.html?q={word}")
    page.locator("#search-results .search-summary", has_text=re.compile("finished|did not match")).wait_for()
    return page.locator("#search-results li > a").evaluate_all("links => links.map(link => link.pathname.slice(1))")


def test_search_finds_a_word_of_each_chapter_and_not_what_is_in_none(page, origin, names):
    missed = {}
    for name in filter(re.compile(r"notebooks/\d").match, names):
        page.goto(f"{origin}/{name}")
        words = re.findall(r"\b[a-z]{5,}\b", " ".join(page.locator("article section > p").all_inner_texts()))
        if name not in search(page, origin, word := max(words, key=len)):
            missed[name] = word
    assert missed == {}
    assert search(page, origin, "qwertz") == []


@pytest.mark.parametrize("system, other", [("light", "dark"), ("dark", "light")])
def test_the_colours_are_the_systems_until_switched_and_stay_so_on_the_next_page(page, origin, names, system, other):
    ground = "[document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]"
    page.emulate_media(color_scheme=system)
    page.goto(f"{origin}/{names[0]}")
    before = page.evaluate(ground)
    assert before[0] == system
    page.locator(".theme-switch-button").click()
    after = page.evaluate(ground)
    assert after[0] == other
    assert after[1] != before[1]
    page.goto(f"{origin}/{names[1]}")
    assert page.evaluate(ground) == after


def test_in_the_dark_it_is_printed_in_the_light(page, origin, names):
    page.emulate_media(color_scheme="dark")
    page.goto(f"{origin}/{names[0]}")
    page.evaluate("addEventListener('beforeprint', () => { window.printed = document.documentElement.dataset.theme; })")
    page.pdf()
    assert page.evaluate("printed") == "light"
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")


def test_a_hidden_cell_opens(page, origin, names):
    hidden = 0
    for name in filter(re.compile("notebooks/").match, names):
        page.goto(f"{origin}/{name}")
        for cell in page.locator("details.hide").all()[:1]:
            assert not cell.locator("pre").first.is_visible(), name
            cell.locator("summary").click()
            assert cell.locator("pre").first.is_visible(), name
            hidden += 1
    assert hidden


def test_code_is_copied(page, origin, names):
    page.goto(f"{origin}/{next(filter(re.compile('notebooks/').match, names))}")
    code = page.locator(".cell_input .highlight:visible").first
    code.hover()
    code.locator("button.copybtn").click()
    assert page.evaluate("navigator.clipboard.readText()").strip() == code.locator("pre").inner_text().strip()
