"""What every picture is made of: the palette, the size of a word, and the SVG that stands in the HTML itself."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
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

CELL, FONT, SMALL = 26, 13, 11  # a cell's side, the height of a word and of a number, in pixels


class Picture:
    """A picture with its title and its alternative text. A page shows the picture; a terminal shows the text.

    Args:
        svg: what stands in the SVG.
        width, height: its size in pixels, words at the sides and all.
        narrowest: the width in pixels below which it scrolls. Down to it only the width shrinks, not the words: places
            in the SVG are in percent. By default the picture has no such width, and shrinks as a whole.
        padding: the room for words above, right, below and left of what has a `narrowest` width.
        read: whether the arrow keys read its values, where it has a `narrowest` width.
        script: what makes it answer, from `script`.
    """

    def __init__(
        self,
        svg: str,
        width: int,
        height: int,
        title: str,
        alt: str,
        *,
        narrowest: int | None = None,
        padding: tuple[int, int, int, int] = (0, 0, 0, 0),
        read: bool = True,
        script: str = "",
    ):
        self.svg, self.width, self.height, self.title, self.alt = svg, width, height, title, alt
        self.narrowest, self.padding, self.read, self.script = narrowest, padding, read, script

    def __repr__(self) -> str:
        return f"{self.title}\n{self.alt}"

    def _repr_html_(self) -> str:
        size = f"width:100%;max-width:{self.width}px"
        if self.narrowest is None:
            box = f'viewBox="0 0 {self.width} {self.height}" style="{size}"'
        else:
            sides = " ".join(f"{side}px" for side in self.padding)
            box = f'style="{size};min-width:{self.narrowest}px;height:{self.height}px;padding:{sides}"'
        svg = f'<svg {box} role="img" aria-label="{escape(self.alt)}">\n{self.svg}\n</svg>'
        if self.narrowest is not None:  # JupyterLab keeps the arrow keys for itself, but for such an element
            label = f'role="group" aria-label="{escape(self.title)}. The arrow keys read the values."'
            lab = f'data-lm-suppress-shortcuts="true" style="max-width:{self.width}px"'
            keys = f' tabindex="0" {lab} {label}' if self.read else ""
            svg = f'<div class="answers"{keys}>\n{svg}\n</div>'
        return (
            '<figure class="tfm" style="margin:0;padding:0">\n'
            '<figcaption style="padding:0 0 .5em;color:inherit;text-align:left;font-weight:600;line-height:1.4">'
            f"{escape(self.title)}</figcaption>\n<style>{_style()}</style>\n{svg}\n{self.script}</figure>"
        )


def script(name: str, data, *used: str) -> str:
    """The script `name` of this folder, and what it gets: the figure in which it stands, the data, scripts it uses."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    given = ", ".join(['document.currentScript.closest("figure")', text, *map(_code, used)])
    return f"<script>\n({_code(name)})({given});\n</script>\n"


def _code(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8").rstrip().rstrip(";")


def style(*names: str) -> str:
    """The style sheets of these names, in this folder."""
    text = " ".join(" ".join(Path(__file__).with_name(name).read_text(encoding="utf-8").split()) for name in names)
    return f"<style>{text}</style>"


def text_width(word: str, font: int = FONT) -> int:
    """About how wide the page draws a word, in pixels: fonts differ, so on the safe side."""
    return round(sum(font if east_asian_width(c) in "WF" else 0.62 * font for c in word))


def number(value: float, digits: int) -> str:
    """A number with so many decimals, with a real minus sign, and none before a zero."""
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


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
        f".tfm{{--ink:currentColor;{colours(0)}--page:{PAGE[0]};position:relative;container-type:inline-size}}"
        f"{DARK_PAGE} .tfm{{{colours(1)}--page:{PAGE[1]}}}"
        f".tfm text{{font-size:{FONT}px;font-family:inherit}}.tfm .small{{font-size:{SMALL}px}}"
        ".tfm .kw,.tfm .kk{fill:#000}.tfm .wk,.tfm .ww{fill:#fff}"
        f"{DARK_PAGE} .tfm .kw{{fill:#fff}}{DARK_PAGE} .tfm .wk{{fill:#000}}"
        ".tfm .answers{overflow-x:auto}.tfm .answers:focus-visible{outline:2px solid;outline-offset:-2px}"
        ".tfm .answers>svg{display:block;box-sizing:border-box;overflow:visible}"
        ".tfm .turned{transform:rotate(-55deg);transform-box:fill-box;transform-origin:0 100%}"
        ".tfm .line{fill:none;stroke:currentColor;vector-effect:non-scaling-stroke}"
        ".tfm .tip{position:absolute;z-index:1;padding:.1em .5em;border:1px solid;border-radius:4px;"
        f"background:var(--page);font-size:{FONT}px;line-height:1.5;white-space:nowrap;pointer-events:none}}"
    )
