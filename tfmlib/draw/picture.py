"""What every picture is made of: the palette, the size of a word, and the SVG that stands in the HTML itself."""

from collections.abc import Sequence
from html import escape
from unicodedata import east_asian_width

# One thing, one colour, in the whole course: (on a light page, on a dark page). Told apart by colour-blind eyes too.
PALETTE = {
    "query": ("#7e2c18", "#f16b52"),
    "key": ("#0b4bea", "#3395fe"),
    "value": ("#0e815a", "#6bf0b0"),
    "source": ("#946706", "#fcab1a"),
    "target": ("#b01dac", "#f8c8fb"),
    "mask": ("#3e4756", "#8c9197"),
}
PAGE = ("#ffffff", "#121212")  # what lies below the pictures: the book's and JupyterLab's pages are near to it
DARK_PAGE = ":is([data-theme=dark],[data-jp-theme-light=false])"  # the book's mark, and JupyterLab's

CELL, FONT = 26, 13  # a cell's side and a word's height, in pixels on a wide page


class Picture:
    """A picture with its title and its alternative text. A page shows the picture; a terminal shows the text."""

    def __init__(self, svg: str, width: int, height: int, title: str, alt: str):
        self.svg, self.width, self.height, self.title, self.alt = svg, width, height, title, alt

    def __repr__(self) -> str:
        return f"{self.title}\n{self.alt}"

    def _repr_html_(self) -> str:
        return (
            '<figure class="tfm" style="margin:0;padding:0">\n'
            '<figcaption style="padding:0 0 .5em;color:inherit;text-align:left;font-weight:600">'
            f"{escape(self.title)}</figcaption>\n"
            f'<svg viewBox="0 0 {self.width} {self.height}" style="width:100%;max-width:{self.width}px" '
            f'role="img" aria-label="{escape(self.alt)}">\n<style>{_style()}</style>\n{self.svg}\n</svg>\n</figure>'
        )


def text_width(word: str) -> int:
    """About how wide the page draws a word, in pixels: fonts differ, so on the safe side."""
    return round(sum(FONT if east_asian_width(c) in "WF" else 0.62 * FONT for c in word))


def ink(role: str, strength: float) -> str:
    """Black (k) or white (w), whichever is read better on this cell: a letter for the light page, one for the dark."""
    inks = ""
    for colour, page in zip(PALETTE[role], PAGE, strict=True):
        mixed = [strength * a + (1 - strength) * b for a, b in zip(_rgb(colour), _rgb(page), strict=True)]
        inks += "k" if luminance(mixed) > 0.179 else "w"  # 0.179: as far from black as from white
    return inks


def luminance(rgb: Sequence[float]) -> float:
    """Relative luminance, 0 to 1, of red, green and blue from 0 to 1 (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _rgb(colour: str) -> list[float]:
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def _style() -> str:
    def colours(page):
        return "".join(f"--{name}:{pair[page]};" for name, pair in PALETTE.items())

    return (
        f".tfm{{--ink:currentColor;{colours(0)}}}{DARK_PAGE} .tfm{{{colours(1)}}}"
        f".tfm text{{font-size:{FONT}px;font-family:inherit}}"
        ".tfm .cells rect{stroke:currentColor;stroke-opacity:.15}.tfm .cells rect:hover{stroke-opacity:1}"
        ".tfm .cells text{pointer-events:none;font-size:11px}.tfm .frames{fill:none;stroke:currentColor;stroke-width:2;"
        "pointer-events:none}.tfm .kw,.tfm .kk{fill:#000}.tfm .wk,.tfm .ww{fill:#fff}"
        f"{DARK_PAGE} .tfm .kw{{fill:#fff}}{DARK_PAGE} .tfm .wk{{fill:#000}}"
    )
