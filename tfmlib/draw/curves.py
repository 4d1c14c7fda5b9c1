"""Curves and other plots, drawn by matplotlib in the course's look."""

import io
import re
import warnings

from .picture import PALETTE, Picture


def figure(width: float = 6, height: float = 3):
    """A matplotlib figure and its axes for a real plot, such as a curve; `plot` makes the picture of it.

    Colours are those of `PALETTE`, for the light page: `color=PALETTE["query"][0]`. Width and height are in inches.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_matplotlib_style()):
        made = Figure(figsize=(width, height), layout="constrained")
        return made, made.subplots()


def plot(made, *, title: str, alt: str) -> Picture:
    """The picture of a matplotlib figure: the page draws its words and gives its colours."""
    import matplotlib

    file = io.StringIO()
    with matplotlib.rc_context(_matplotlib_style()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # what matplotlib's font lacks, Chinese words say, the page's has
        made.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = re.sub(r'<g id="[^"]*">', "<g>", file.getvalue())  # names that two pictures on a page would share
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    svg = re.sub(r"font-family: [^;\"]*; ", "", svg)
    svg = svg.replace("*{stroke", ".tfm *{stroke").replace("xlink:href", "href").replace(INK, "currentColor")
    for name, (light, _) in PALETTE.items():
        svg = svg.replace(light, f"var(--{name})")
    inside = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")].strip()
    width, height = (round(96 * inches) for inches in made.get_size_inches())  # matplotlib's points are 72 an inch
    return Picture(f'<g transform="scale({96 / 72:.4f})">\n{inside}\n</g>', width, height, title, alt)


INK = "#010203"  # matplotlib draws words and axes in it; the page's own colour of text takes its place


def _matplotlib_style() -> dict:
    inks = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    return dict.fromkeys(inks, INK) | {
        "svg.hashsalt": "tfmlib",
        "svg.fonttype": "none",
        "font.sans-serif": ["DejaVu Sans"],
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
    }
