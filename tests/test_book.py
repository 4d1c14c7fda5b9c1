"""The book: complete, in order, built without a warning, and every link in it leads somewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CHAPTERS = [f"notebooks/{path.stem}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
SOLUTIONS = [f"notebooks/solutions/{path.stem}" for path in sorted((ROOT / "notebooks/solutions").glob("*.ipynb"))]


class Page(HTMLParser):
    """Where a page links to, which places it has, and which pages it names as the one before and the one after."""

    def __init__(self, html: str):
        super().__init__()
        self.links, self.ids, self.beside = [], set(), {}
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.update(value for name, value in attributes if name in ("id", "name") and value)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
            for side in {"left-prev", "right-next"} & set((given.get("class") or "").split()):
                self.beside[side] = given["href"]


def read_pages(folder):
    files = (path for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts)
    return {path: Page(path.read_text(encoding="utf-8")) for path in files}


def broken_links(pages):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            file, anchor = urldefrag(unquote(link))
            if re.match(r"//|[a-z]+:", link):
                continue
            target = (path.parent / file).resolve() if file else path
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].ids):
                broken.append((path.name, link))
    return broken


def off_the_chain(pages, chain):
    """The pages whose links to the page before and the page after do not follow the chain of files."""
    wrong = []
    for before, path, after in zip([None, *chain], chain, [*chain[1:], None], strict=False):
        beside = {side: (path.parent / link).resolve() for side, link in pages[path].beside.items()}
        if beside != {side: file for side, file in (("left-prev", before), ("right-next", after)) if file}:
            wrong.append(path.name)
    return wrong


@pytest.fixture(scope="module")
def pages(site):
    return read_pages(site)


@pytest.fixture(scope="module")
def contents():
    """The files of the table of contents, in order."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [contents["root"], *(chapter["file"] for part in contents["parts"] for chapter in part["chapters"])]


def test_the_table_of_contents_has_each_notebook_once_in_the_order_of_the_files(contents):
    notebooks = [file for file in contents if file.startswith("notebooks/")]
    assert [file for file in notebooks if file not in SOLUTIONS] == CHAPTERS
    assert [file for file in notebooks if file in SOLUTIONS] == SOLUTIONS


def test_building_executes_nothing():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert config["execute"]["execute_notebooks"] == "off"


def test_each_notebook_is_a_page_with_its_outputs(site):
    for name in CHAPTERS + SOLUTIONS:
        assert 'class="output' in (site / f"{name}.html").read_text(encoding="utf-8"), name
    for name in CHAPTERS:
        assert '<figure class="tfm' in (site / f"{name}.html").read_text(encoding="utf-8"), f"{name} has no picture"


def test_each_exercise_is_headed_by_its_number_and_title(site):
    titles = []
    for name in CHAPTERS:
        html = (site / f"{name}.html").read_text(encoding="utf-8")
        titles += re.findall(r'<div class="exercise[^>]*>\s*<p class="admonition-title">(.*?)</p>', html)
    assert titles
    assert [title for title in titles if not re.match(r"Exercise \d+\.\d+ · \w", title)] == []


def test_each_exhibit_of_the_museum_has_a_place_on_its_page(site):
    html = (site / "notebooks/bug_museum.html").read_text(encoding="utf-8")
    places = re.findall(r'<details class="tfm exhibit" id="([^"]+)">', html)
    assert len(places) > 20
    assert set(places) == set(re.findall(r'href="#(bug-[^"]+)"', html))


def test_each_notebook_can_be_downloaded_and_its_text_too(site, pages):
    for name in CHAPTERS + SOLUTIONS:
        page = (site / f"{name}.html").resolve()
        linked = {(page.parent / link).resolve() for link in pages[page].links}
        for suffix in (".ipynb", ".md"):
            download = site / "_sources" / f"{name}{suffix}"
            assert download.read_bytes() == (ROOT / f"{name}{suffix}").read_bytes(), download
            assert download.resolve() in linked, f"{name} does not link its {suffix}"


def test_previous_and_next_follow_the_table_of_contents(site, pages, contents):
    assert off_the_chain(pages, [site / f"{file}.html" for file in contents]) == []


def test_each_link_within_the_book_leads_somewhere(pages):
    assert broken_links(pages) == []


def test_the_vendored_mathjax_has_its_fonts_and_its_licence(site):
    mathjax = site / "vendor" / "mathjax"
    assert "Apache License" in (mathjax / "LICENSE").read_text(encoding="utf-8")
    assert len(list((mathjax / "output/chtml/fonts/woff-v2").glob("*.woff"))) == 23


@pytest.mark.parametrize("link", ["c.html", "b.html#nowhere", "#nowhere"])
def test_a_planted_link_to_nowhere_is_found(tmp_path, link):
    (tmp_path / "a.html").write_text(f'<p id="here"><a href="{link}">a</a><a href="b.html#here">a</a>')
    (tmp_path / "b.html").write_text('<p id="here"><a href="a.html#here">a</a><a href="https://example.org">a</a>')
    assert broken_links(read_pages(tmp_path)) == [("a.html", link)]


@pytest.mark.parametrize("link", ["", '<a class="right-next" href="c.html">a</a>'])
def test_a_planted_page_off_the_chain_is_found(tmp_path, link):
    (tmp_path / "a.html").write_text(f"<p>{link}")
    (tmp_path / "b.html").write_text('<a class="left-prev" href="a.html">a</a>')
    assert off_the_chain(read_pages(tmp_path), [tmp_path / "a.html", tmp_path / "b.html"]) == ["a.html"]
