"""A tree of words from the top to the bottom: what a search kept, what it dropped, what ended, and what it chose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from .flow import SHAPE
from .picture import DARK_PAGE, Picture, number, text_width
from .transformer import FAINT, SIZE, WIDTH

FATES = ("kept", "dropped", "ended", "best")
RISE = 30  # from a row of words to the next
APART = 8  # between two words of a row
LEGEND = 34  # how high the line is that says what the looks mean


@dataclass(frozen=True)
class Branch:
    """A word of the tree, with the number below it, and what grows out of it.

    Args:
        word: what is written.
        value: a number, shown with two decimals, or a text; None is nothing.
        fate: "kept", "dropped", "ended" (it goes no further, and counts), or "best" (on the way that is chosen).
        children: the branches below, from the left to the right.
    """

    word: str
    value: float | str | None = None
    fate: str = "kept"
    children: Sequence["Branch"] = ()

    @property
    def below(self) -> str:
        """What stands below the word."""
        return self.value if isinstance(self.value, str) else "" if self.value is None else number(self.value, 2)

    @property
    def width(self) -> int:
        """How wide its box is."""
        around = 16 if self.fate == "best" else 10  # bold is wider
        return max(30, text_width(self.word, SIZE), text_width(self.below, SHAPE)) + around


def tree(root: Branch, *, title: str, alt: str) -> Picture:
    """A tree from its root at the top: a row a step.

    What was kept stands in a box, at the end of a line; what was dropped has no box, and its line is broken. What ended
    has two frames, and the way that is chosen is bold. A line at the bottom says so.

    Raises:
        ValueError: a fate that there is not, or a row so wide that its words could not be read on a phone.
    """
    rows = list(_rows(root))
    for branch, _ in (each for row in rows for each in row):
        if branch.fate not in FATES:
            raise ValueError(f"there is no fate {branch.fate!r}; there are {', '.join(FATES)}.")
    legend = [fate for fate in FATES if any(branch.fate == fate for row in rows[1:] for branch, _ in row)]
    width = max([_width(row) for row in rows] + [sum(map(_entry, legend)) + 4])
    if width > WIDTH:
        raise ValueError(
            f"the tree is {width} pixels wide; above {WIDTH} its words cannot be read on a phone. "
            "Draw fewer branches, or begin further down."
        )
    y, above, drawn = 2, [], []
    for row in rows:
        middles = _middles(row, [x for x, _ in above], width)
        height = 46 if any(branch.below for branch, _ in row) else 28
        for (branch, parent), x in zip(row, middles, strict=True):
            drawn.append((branch.fate, _svg(branch, x, y, height, above[parent] if above else None)))
        above = [(x, y + height) for x in middles]
        y += height + RISE
    y -= RISE
    svg = "\n".join(f'<g class="{fate}">{lines}</g>' for fate, lines in drawn)
    if legend:
        svg += "\n" + _legend(legend, y + LEGEND)
        y += LEGEND + 12
    return Picture(f'<style>{_style()}</style>\n<g class="tree">{svg}</g>', width, y + 2, title, alt)


Row = list[tuple[Branch, int]]  # the branches of a step, each with the place of its parent in the row above


def _rows(root: Branch) -> Iterator[Row]:
    row: Row = [(root, 0)]
    while row:
        yield row
        row = [(child, place) for place, (branch, _) in enumerate(row) for child in branch.children]


def _width(row: Row) -> int:
    return sum(branch.width + APART for branch, _ in row) - APART + 4


def _middles(row: Row, parents: Sequence[int], width: int) -> list[int]:
    """Where the middles of a row stand: each as near to the middle below its parent as the others leave it room."""
    if not parents:
        return [width // 2]
    starts, place = [], 0  # from the left end of the row to each middle
    for branch, _ in row:
        starts.append(place + branch.width / 2)
        place += branch.width + APART
    wanted = []
    for _, parent in row:
        siblings = [start for start, (_, other) in zip(starts, row, strict=True) if other == parent]
        wanted.append(parents[parent] - (siblings[0] + siblings[-1]) / 2)
    groups: list[list[float]] = []  # [sum, count]: who would overlap shifts together, by the mean of what they want
    for shift in wanted:
        groups.append([shift, 1])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            total, count = groups.pop()
            groups[-1] = [groups[-1][0] + total, groups[-1][1] + count]
    shifts = [total / count for total, count in groups for _ in range(int(count))]
    most = width - (place - APART) - 2
    return [round(start + min(max(shift, 2), most)) for start, shift in zip(starts, shifts, strict=True)]


def _svg(branch: Branch, x: int, y: int, height: int, parent: tuple[int, int] | None) -> str:
    lines = []
    if parent:
        lines.append(f'<path d="M{parent[0]} {parent[1]}L{x} {y}"/>')
    left, width = x - branch.width // 2, branch.width
    if branch.fate != "dropped":
        lines.append(f'<rect x="{left}" y="{y}" width="{width}" height="{height}" rx="5"/>')
    if branch.fate == "ended":
        lines.append(f'<rect x="{left + 3}" y="{y + 3}" width="{width - 6}" height="{height - 6}" rx="3"/>')
    lines.append(f'<text x="{x}" y="{y + 19}">{escape(branch.word)}</text>')
    if branch.below:
        lines.append(f'<text class="value" x="{x}" y="{y + 38}">{escape(branch.below)}</text>')
    return "".join(lines)


def _entry(fate: str) -> int:
    """How wide a word of the legend is, with the sign before it."""
    return 34 + text_width(fate, SHAPE) + 12


def _legend(fates: Sequence[str], y: int) -> str:
    signs, x = [], 2
    for fate in fates:
        sign = f'<path d="M{x} {y - 5}h{28 if fate == "dropped" else 8}"/>'
        if fate != "dropped":
            sign += f'<rect x="{x + 8}" y="{y - 13}" width="20" height="16" rx="3"/>'
        if fate == "ended":
            sign += f'<rect x="{x + 11}" y="{y - 10}" width="14" height="10" rx="1"/>'
        sign += f'<text class="value legend" x="{x + 34}" y="{y}">{fate}</text>'
        signs.append(f'<g class="{fate}">{sign}</g>')
        x += _entry(fate)
    return "\n".join(signs)


def _style() -> str:
    look = {
        "": f"--faint:{FAINT[0]}",
        "text": f"fill:var(--ink);font-size:{SIZE}px;text-anchor:middle",
        ".value": f"font-size:{SHAPE}px",
        ".legend": "text-anchor:start",
        ":is(rect,path)": "fill:none;stroke:var(--target);stroke-width:1.5",
        ".dropped text": "fill:var(--faint)",
        ".dropped path": "stroke:var(--faint);stroke-dasharray:4 3",
        ".best rect": "stroke-width:3;fill:var(--target);fill-opacity:.12",
        ".best path": "stroke-width:4",
        ".best text": "font-weight:600",
    }
    rules = "".join(f".tfm .tree {pieces}{{{rule}}}" for pieces, rule in look.items())
    return f"{rules}{DARK_PAGE} .tfm .tree{{--faint:{FAINT[1]}}}"
