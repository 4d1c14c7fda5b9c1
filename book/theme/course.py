"""A Sphinx extension: three things of the book for which its tools have no option."""

import re
import shutil
from pathlib import Path

from docutils.nodes import Text, raw
from sphinx_exercise.nodes import exercise_node


def offer_text(app, page, template, context, doctree):
    """Beside a notebook, offer the text that it is made from."""
    text = Path(app.srcdir, page).with_suffix(".md")
    if context.get("page_source_suffix") != ".ipynb" or not text.exists():
        return
    button = {"type": "link", "text": ".md", "icon": "fas fa-file-lines", "label": "download-text-button"}
    button |= {"url": context["pathto"](f"_sources/{page}.md", 1), "tooltip": "Download the notebook as text (MyST)"}
    for group in context["header_buttons"]:
        if group["label"] == "download-buttons":
            group["buttons"].insert(1, button)
    copy = Path(app.outdir, "_sources", f"{page}.md")
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(text, copy)


def name_exercises(app, doctree, page):
    """Write “Exercise 2.1 · Title” for “Exercise (2.1 · Title)”, and give no two places of a page the same id."""
    for exercise in doctree.findall(exercise_node):
        title, body = exercise.children[:2]
        title.children[1:] = [Text(" "), *title.children[2:-1]]
        body["ids"] = []


def link_pages(app, doctree, page):
    """Where a picture links to a notebook, as it must in JupyterLab, link to the page that is made from it."""

    def link(match):
        return f'href="{app.builder.get_relative_uri(page, f"notebooks/{match[1]}")}"'

    for html in doctree.findall(raw):
        html[:] = [Text(re.sub(r'href="(\d\d_\w+)\.ipynb"', link, html.astext()))]


def setup(app):
    """Register with Sphinx; the theme makes its list of downloads at 501."""
    app.connect("html-page-context", offer_text, priority=502)
    app.connect("doctree-resolved", name_exercises)
    app.connect("doctree-resolved", link_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
