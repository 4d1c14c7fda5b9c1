"""What the tests of several files share."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tfmlib import draw

BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the built book. Every warning is an error."""
    out = tmp_path_factory.mktemp("book")
    program = Path(sys.executable).with_name("jupyter-book")
    command = [program, "build", Path(__file__).parents[1], "--path-output", out, "-W", "-n", "--keep-going"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return out / "_build" / "html"


def find_browser() -> str | None:
    """Chromium or Chrome, where CHROMIUM says or in one of the usual places."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="session")
def browser():
    """Chromium or Chrome, in one of the usual places or where CHROMIUM says. Once that is set, nothing is skipped."""
    program = find_browser()
    if not program:
        pytest.skip("no browser: install Chromium or Chrome, or set CHROMIUM=/path/to/it")
    only_here = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[only_here])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def opened(browser):
    """A function that opens pictures as a page that keeps still, and gives the page: what it asked for, its errors."""
    contexts = []

    def open_(*pictures, width=1280, theme="light", **options):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, **{"reduced_motion": "reduce"} | options
        )
        contexts.append(context)
        page, (ground, text) = context.new_page(), (draw.PAGE[theme == "dark"], ("#333333", "#cccccc")[theme == "dark"])
        page.asked, page.errors = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.set_content(
            f'<!DOCTYPE html><html lang="en" data-theme="{theme}"><title>a</title>'
            f'<meta name="viewport" content="width=device-width"><body style="background:{ground};color:{text}">'
            f"<main><h1>a</h1>{''.join(picture._repr_html_() for picture in pictures)}</main>"
        )
        return page

    yield open_
    for context in contexts:
        context.close()
