"""Curves and other plots, drawn by matplotlib in the course's look."""

import hashlib
import io
import re
import warnings

from .picture import PALETTE, Picture


def figure(width: float = 4.6, height: float = 2.8):
    """A matplotlib figure and its axes for a real plot, such as a curve; `plot` makes the picture of it.

    Colours are those of `PALETTE`, for the light page: `color=PALETTE["query"][0]`. Width and height are in inches, 96
    pixels each; the whole shrinks on a narrower page, so a wide one has small words on a phone.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_matplotlib_style()):
        made = Figure(figsize=(width, height), layout="constrained")
        return made, made.subplots()


def plot(made, *, title: str, alt: str) -> Picture:
    """The picture of a matplotlib figure: the page draws its words and gives its colours."""
    import matplotlib

    for axes in made.axes:
        if legend := axes.get_legend():
            legend.set_frame_on(False)  # a white plate on a dark page
    file = io.StringIO()
    with matplotlib.rc_context(_matplotlib_style()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # what matplotlib's font lacks, Chinese words say, the page's has
        made.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = re.sub(r'<g id="[^"]*">', "<g>", file.getvalue())  # names that two pictures on a page would share
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    svg = re.sub(r"font-family: [^;\"]*; ", "", svg)
    svg = svg.replace("*{stroke", ".tfm *{stroke").replace("xlink:href", "href").replace("#000000", "currentColor")
    for name, (light, _) in PALETTE.items():
        svg = svg.replace(light, f"var(--{name})")
    inside = _rounded(svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")].strip())
    width, height = (round(96 * inches) for inches in made.get_size_inches())  # matplotlib's points are 72 an inch
    return Picture(
        f'<g fill="currentColor" transform="scale({96 / 72:.4f})">\n{inside}\n</g>', width, height, title, alt
    )


def _rounded(svg: str) -> str:
    """The SVG with two decimals, and with ids that come from what is left: rounding errors change nothing in it."""

    def shorten(tag):
        return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{round(float(number[0]), 2) + 0.0:g}", tag[0])

    svg = re.sub(r"<[^>]*>", shorten, svg)
    for n, name in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg))):
        svg = svg.replace(f'"{name}"', f'"\0{n}"').replace(f"#{name}", f"#\0{n}")
    return svg.replace("\0", f"p{hashlib.sha256(svg.encode()).hexdigest()[:8]}-")


def _matplotlib_style() -> dict:
    return {
        "svg.hashsalt": "tfmlib",
        "svg.fonttype": "none",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 12,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
