"""The book: complete, built without a warning, and of one origin."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CHAPTERS = [f"notebooks/{path.stem}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]


class Page(HTMLParser):
    """What a page loads, where it links to, which places it has, and how it describes its pictures."""

    def __init__(self, html: str):
        super().__init__()
        self.loads, self.links, self.ids, self.undescribed = [], [], set(), []
        self.feed(html)
        self.loads += re.findall(r"url\(['\"]?([^'\")]+)", html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.update(value for name, value in attributes if name in ("id", "name") and value)
        if tag in ("script", "img", "iframe", "source") and given.get("src"):
            self.loads.append(given["src"])
        if tag == "link" and set(given.get("rel", "").split()) & {
            "stylesheet",
            "preload",
            "icon",
            "shortcut",
            "prefetch",
        }:
            self.loads.append(given["href"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "img" and (not given.get("alt") or "_images/" in given["alt"]):
            self.undescribed.append(given.get("src"))
        if tag == "svg" and not given.get("aria-label") and given.get("aria-hidden") != "true":
            self.undescribed.append("svg")


def is_external(address: str) -> bool:
    return bool(re.match(r"(https?:)?//", address))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("book")
    program = Path(sys.executable).with_name("jupyter-book")
    command = [program, "build", ROOT, "--path-output", out, "-W", "-n", "--keep-going"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return out / "_build" / "html"


@pytest.fixture(scope="module")
def pages(site):
    files = (path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts)
    return {path: Page(path.read_text(encoding="utf-8")) for path in files}


def test_the_table_of_contents_has_each_chapter_once_in_the_order_of_the_files():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    assert [file for file in files if file.startswith("notebooks/")] == CHAPTERS


def test_building_executes_nothing():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert config["execute"]["execute_notebooks"] == "off"


def test_each_chapter_is_a_page_with_its_outputs(site):
    for chapter in CHAPTERS:
        html = (site / f"{chapter}.html").read_text(encoding="utf-8")
        assert 'class="output' in html, chapter
        assert 'class="tfm"' in html, f"{chapter} has no picture"


def test_no_page_asks_another_host(pages):
    assert {
        path.name: external for path, page in pages.items() if (external := list(filter(is_external, page.loads)))
    } == {}


def test_each_picture_says_what_it_shows(pages):
    assert {path.name: page.undescribed for path, page in pages.items() if page.undescribed} == {}


def test_each_link_within_the_book_leads_somewhere(pages):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            file, anchor = urldefrag(unquote(link))
            if is_external(link) or re.match(r"[a-z]+:", link):
                continue
            target = (path.parent / file).resolve() if file else path
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].ids):
                broken.append((path.name, link))
    assert broken == []


def test_what_a_page_loads_is_in_the_site(pages):
    loads = {path.parent / address.partition("?")[0] for path, page in pages.items() for address in page.loads}
    files = {path.resolve() for path in loads if not re.search(r"/data:|/#", path.as_posix())}
    assert [path for path in files if not path.exists()] == []
    assert "tex-chtml.js" in {path.name for path in files}


def test_the_vendored_mathjax_has_its_fonts_and_its_licence(site):
    mathjax = site / "vendor" / "mathjax"
    assert "Apache License" in (mathjax / "LICENSE").read_text(encoding="utf-8")
    assert len(list((mathjax / "output/chtml/fonts/woff-v2").glob("*.woff"))) == 23


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://example.org/a.js"></script>',
        '<link rel="stylesheet" href="//example.org/a.css">',
        "<style>@font-face{src:url(https://example.org/a.woff)}</style>",
        '<img alt="a" src="http://example.org/a.png">',
    ],
)
def test_a_planted_request_to_another_host_is_found(html):
    assert any(map(is_external, Page(html).loads))


@pytest.mark.parametrize(
    "html", ['<img src="a.svg">', '<img alt="../_images/a.svg" src="a.svg">', '<svg role="img"></svg>']
)
def test_a_planted_picture_without_description_is_found(html):
    assert Page(html).undescribed
