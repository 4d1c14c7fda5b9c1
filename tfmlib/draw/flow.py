"""Flow diagrams in the look of the map: parts from the bottom to the top, the wires between them, and their shapes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from .picture import PALETTE, Picture, text_width
from .transformer import SIZE, WIDTH, Frame, Point, Road, Sum, coloured, look

SHAPE = 14.5  # a shape's height: 10 pixels where a phone, 390 pixels wide, leaves the widest picture 342
WIRE, SHAPED = 22, 34  # how long a wire is, and one that carries a shape
BESIDE = 8  # from a wire to its shape, and from a frame to its note
TURN = 8  # from where a wire leaves to where it turns
STEP = 16  # from a part to the shortcut around it, and to the frame
APART = 14  # between branches


class _Canvas:
    """Part of a drawing: it begins at (0, 0) and rises along the axis x = 0.

    Args:
        width: how wide its boxes are.
        role: the colour of its wires and words.
    """

    def __init__(self, width: int, role: str = "ink"):
        self.width, self.role = width, role
        self.svg, self.left, self.right = [], 0, 0
        self.last = 0, 0  # half the width, and the middle's height, of the last box or plus

    def add(self, kind: str, role: str, svg: str, left: int, right: int) -> None:
        if role != "ink" and role not in PALETTE:
            raise ValueError(f"there is no role {role!r}; there are ink, {', '.join(PALETTE)}.")
        self.svg.append(f'<g class="{kind} done {role}">{svg}</g>')
        self.left, self.right = min(self.left, left), max(self.right, right)

    def wire(self, role: str, *points: Point, arrow: bool = True) -> None:
        if points[0] == points[-1]:
            return
        places = [x for x, _ in points]
        self.add("road", role, Road(0, role, points, arrow).svg(), min(places), max(places))

    def shape(self, shape: str, x: int, bottom: int, top: int) -> None:
        """A shape, if there is one, beside a wire."""
        if shape:
            self.text(shape, x + BESIDE, (bottom + top) // 2 + 5, "ink", "shape")

    def text(self, words: str, x: int, y: int, role: str, kind: str = "") -> None:
        """Words on their middle; a shape and a note begin at x."""
        width = text_width(words, SHAPE if kind == "shape" else SIZE)
        left = x if kind in ("shape", "note") else x - width // 2
        kind = kind and f'class="{kind}" '
        self.add("words", role, f'<text {kind}x="{x}" y="{y}">{escape(words)}</text>', left, left + width)

    def box(self, box: "Box", width: int, x: int, y: int) -> int:
        """A box on its bottom's middle; gives its height."""
        lines = box.text.split("\n")
        height = max(34, 17 * len(lines) + 10)
        svg = f'<rect x="{x - width // 2}" y="{y - height}" width="{width}" height="{height}" rx="5"/>'
        for row, line in enumerate(lines):
            middle = y - height / 2 + 5 + 17 * row - 8.5 * (len(lines) - 1)
            svg += f'<text x="{x}" y="{middle:g}">{coloured(line)}</text>'
        self.add("part", box.role, svg, x - width // 2, x + width // 2)
        return height

    def place(self, other: "_Canvas", x: int = 0, y: int = 0) -> None:
        self.svg.append("\n".join([f'<g transform="translate({x} {y})">', *other.svg, "</g>"]))
        self.left, self.right = min(self.left, x + other.left), max(self.right, x + other.right)


@dataclass(frozen=True)
class _End:
    """The end of a wire that waits for what comes above, and the shape that the wire will carry."""

    x: int
    y: int
    role: str = "ink"
    shape: str = ""


def _rise(canvas: _Canvas, ends: Sequence[_End], *, each: bool = False, arrow: bool = True, short: int = WIRE) -> int:
    """Lead the wires up to what comes next, and give its bottom: each of them there, or all together."""
    if not ends:
        return 0
    ends = ends if each else [_together(canvas, ends)]
    top = min(end.y for end in ends)
    y = top - (SHAPED if any(end.shape for end in ends) else short)
    for end in ends:
        canvas.wire(end.role, (end.x, end.y), (end.x, y), arrow=arrow)
        canvas.shape(end.shape, end.x, top, y)
    return y


def _together(canvas: _Canvas, ends: Sequence[_End]) -> _End:
    """Lead wires together on the axis."""
    if len(ends) < 2:
        return ends[0] if ends else _End(0, 0, canvas.role)
    top = min(end.y for end in ends)
    y = top - (SHAPED - TURN if any(end.shape for end in ends) else TURN)
    for end in ends:
        corners = [(end.x, y), (0, y)] if end.x else [(0, y)]
        canvas.wire(end.role, (end.x, end.y), *corners, arrow=False)
        canvas.shape(end.shape, end.x, top, y)
    return _End(0, y, canvas.role)


@dataclass(frozen=True)
class Words:
    """Words without a box, in a colour. Words in the colour of their road need no `Words`: a string will do."""

    text: str
    role: str = ""

    def draw(self, canvas, ends):
        y = _rise(canvas, ends)
        canvas.text(self.text, 0, y - 5, self.role or canvas.role)
        return [_End(0, y - 20, canvas.role)]


@dataclass(frozen=True)
class Box:
    """A part: a rounded box in the colour of its role, a name of the palette or "ink". A new line is a new line."""

    text: str
    role: str = "ink"

    def draw(self, canvas, ends):
        y = _rise(canvas, ends, each=True)
        width = max([canvas.width, *(2 * abs(end.x) + 2 * APART for end in ends)])
        height = canvas.box(self, width, 0, y)
        canvas.last = width // 2, y - height // 2
        return [_End(0, y - height, canvas.role)]


@dataclass(frozen=True)
class Plus:
    """A plus in a circle, and perhaps a box beside it that is added; alone it is as well written "+"."""

    beside: Box | None = None

    def draw(self, canvas, ends):
        y = _rise(canvas, ends, arrow=not self.beside)
        more = 0  # below the circle and above it, as far as the box reaches
        if self.beside:
            width, start = _widest([self.beside]), 13 + WIRE
            beside = _Canvas(width)
            height = beside.box(self.beside, width, start + width // 2, 0)
            more = (height - 26) // 2
            canvas.place(beside, 0, y)
            canvas.wire("ink", (start, y - height // 2), (13, y - height // 2))
            canvas.wire(canvas.role, (0, y), (0, y - more))
        top = y - more - 26
        canvas.add("sum", "ink", Sum(0, "ink", (0, top + 13)).svg(), -13, 13)
        canvas.wire(canvas.role, (0, top), (0, top - more), arrow=False)
        canvas.last = 13, top + 13
        return [_End(0, top - more, canvas.role)]


@dataclass(frozen=True, init=False)
class Branches:
    """Roads side by side. Words, such as "…", stand between them without wires."""

    roads: Sequence

    def __init__(self, *roads):
        object.__setattr__(self, "roads", roads)

    def draw(self, canvas, ends):
        roads = [road for road in self.roads if not isinstance(road, str)]
        if len(roads) < 2:
            raise ValueError(f"branches are two roads or more, Branches([…], […]); there are {len(roads)}.")
        y = _rise(canvas, ends, arrow=False, short=0) - (2 * TURN if ends else 0)
        columns, place, width = [], 0, max(map(_widest, roads))
        for road in self.roads:
            if isinstance(road, str):
                branch, tops = _Canvas(width), []
                branch.text(road, 0, 5, "ink")
            else:
                branch = _Canvas(width, next((item.role for item in road if isinstance(item, Box | Words)), "ink"))
                tops = _road(branch, road, [_End(0, 0, branch.role)] if ends else [])
                shapes = [end.x + BESIDE + text_width(end.shape, SHAPE) for end in tops if end.shape]
                branch.right = max([branch.right, *shapes])
            columns.append((branch, tops, place - branch.left))
            place += branch.right - branch.left + APART
        axes = [axis for _, tops, axis in columns if tops]
        middle = (axes[0] + axes[-1]) // 2
        middle = min((axis for axis in axes if abs(axis - middle) < STEP), default=middle)
        height = min(end.y for _, tops, _ in columns for end in tops)
        waiting = []
        for branch, tops, axis in columns:
            x = axis - middle
            if tops and ends:
                _lead_off(canvas, branch.role, x, y)
            canvas.place(branch, x, y if tops else y + height // 2)
            waiting += [_End(x + end.x, y + end.y, end.role, end.shape) for end in tops]
        return waiting


@dataclass(frozen=True)
class Shortcut:
    """A road, and a shortcut past it that leaves below and comes back at `to`: "+", or a box such as Add & Norm.

    Args:
        aside: the shortcut is the straight way, and the road stands beside it.
    """

    road: Sequence
    to: "str | Box" = "+"
    role: str = "ink"
    aside: bool = False

    def draw(self, canvas, ends):
        if self.to not in ("+", Plus()) and not isinstance(self.to, Box):
            raise ValueError(f'a shortcut comes back at "+" or a Box; {self.to!r} is neither.')
        y = _rise(canvas, ends, arrow=False, short=TURN)
        road = _Canvas(canvas.width, canvas.role)
        if self.aside:
            top = _together(road, _road(road, self.road, [_End(0, 0, road.role)]))
            start = y - 2 * TURN
            end = start + top.y - (SHAPED - STEP if top.shape else TURN)  # the bottom of what it comes back at
            ends = _element(self.to).draw(canvas, [_End(0, end + WIRE, self.role)])
            half, middle = canvas.last
            x = max(-road.left, half + TURN) + STEP
            _lead_off(canvas, canvas.role, x, start)
            canvas.wire(self.role, (0, y), (0, end + WIRE), arrow=False)
            canvas.place(road, x, start)
            canvas.wire(canvas.role, (x, start + top.y), (x, middle), (half, middle))
            canvas.shape(top.shape, x, start + top.y, end - TURN)
        else:
            leave = y - TURN
            road.wire(road.role, (0, y), (0, leave), arrow=False)
            ends = _element(self.to).draw(road, _road(road, self.road, [_End(0, leave, road.role)]))
            half, middle = road.last
            x = road.left - STEP
            canvas.wire(self.role, (0, leave), (x, leave), (x, middle), (-half, middle))
            canvas.place(road)
        return ends


@dataclass(frozen=True)
class Layer:
    """A road with a frame around it, and a note beside the frame, such as "× 6"."""

    road: Sequence
    note: str = ""
    role: str = "ink"

    def draw(self, canvas, ends):
        y = _rise(canvas, ends, arrow=False, short=STEP)
        road = _Canvas(canvas.width, canvas.role)
        top = _rise(road, _road(road, self.road, [_End(0, y, road.role)]), arrow=False, short=STEP)
        left, right = road.left - STEP + 4, road.right + STEP - 4
        frame = Frame(0, self.role, (left, top, right - left, y - top))
        canvas.add("frame", self.role, frame.svg(), left, right)
        canvas.place(road)
        if self.note:
            canvas.text(self.note, right + BESIDE, (y + top) // 2 + 5, self.role, "note")
        return [_End(0, top, canvas.role)]


def flow(roads: Sequence | Mapping[str, Sequence], *, title: str, alt: str) -> Picture:
    """A flow diagram, from the bottom to the top.

    A road is a list of what stands on it, the lowest first: words, `Box`, `Words`, `Plus` (or "+"), `Branches`,
    `Shortcut`, `Layer`. Words in brackets, such as "(B, S, D)", are a shape: it stands beside the wire, where the list
    has it. Several wires end each at a box above them; before all else, a shape too, they come together. So

        [Branches(["Q", "(S, K)"], ["K", "(S, K)"]), Box("Q Kᵀ"), "(S, S)", "scores"]

    is a product of two inputs, with the shape at each wire.

    Args:
        roads: a road, or several by their names, which stand side by side.

    Raises:
        ValueError: a road that is none, or a diagram so wide that its words could not be read on a phone.
    """
    named = dict(roads) if isinstance(roads, Mapping) else {"": roads}
    if not named:
        raise ValueError("there is nothing to draw: no road.")
    width = max(map(_widest, named.values()))
    drawn, heights = [], []
    for name, road in named.items():
        canvas = _Canvas(width)
        ends = _road(canvas, road, [])
        if any(end.shape for end in ends):
            top = _rise(canvas, ends, each=True)
        else:
            top = min(end.y for end in ends)
        heights.append(-top)
        drawn.append((name, canvas))
    bottom = max(heights) + (26 if any(named) else 2)
    whole = _Canvas(width)
    for name, canvas in drawn:
        half = text_width(name, SIZE) // 2
        x = whole.right + (2 * APART if whole.svg else 2) + max(-canvas.left, half)
        if name:
            whole.text(name, x, 16, "ink", "name")
        whole.place(canvas, x, bottom)
    if whole.right + 2 > WIDTH:
        raise ValueError(
            f"the diagram is {whole.right + 2} pixels wide; above {WIDTH} its words cannot be read on a phone. "
            "Write them shorter or in two lines, or set fewer roads side by side."
        )
    style = (
        f"{look()}.tfm .map .shape{{font-size:{SHAPE}px;text-anchor:start}}.tfm .map .note{{text-anchor:start}}"
        ".tfm .map .name{font-weight:600}"
    )
    svg = "\n".join([f'<style>{style}</style>\n<g class="map">', *whole.svg, "</g>"])
    return Picture(svg, whole.right + 2, bottom + 2, title, alt)


def _road(canvas: _Canvas, items: Sequence, ends: Sequence[_End]) -> Sequence[_End]:
    """Draw what stands on a road above the ends of these wires."""
    if isinstance(items, str) or not isinstance(items, Sequence) or not items:
        raise ValueError(f"a road is a list of what stands on it, from the bottom to the top; {items!r} is none.")
    for item in items:
        if isinstance(item, str) and item.startswith("(") and item.endswith(")"):
            end = _together(canvas, ends)
            if end.shape:
                raise ValueError(f"one wire has two shapes: {end.shape} and {item}.")
            ends = [_End(end.x, end.y, end.role, item)]
        else:
            ends = _element(item).draw(canvas, ends)
    return ends


def _element(item):
    if isinstance(item, str):
        return Plus() if item == "+" else Words(item)
    if isinstance(item, Box | Words | Plus | Branches | Shortcut | Layer):
        return item
    known = "words, Box, Words, Plus, Branches, Shortcut and Layer"
    raise ValueError(f"on a road stand {known}; {item!r} is none of them.")


def _lead_off(canvas: _Canvas, role: str, x: int, y: int) -> None:
    """A wire from the axis to another one."""
    canvas.wire(role, (0, y + 2 * TURN), *([(0, y + TURN), (x, y + TURN)] if x else []), (x, y), arrow=False)


def _widest(items: Sequence) -> int:
    """How wide the boxes of a road are: as wide as its widest, those in branches aside."""
    widths = [60]
    for item in items:
        if isinstance(item, Box):
            widths += [text_width(line, SIZE) // 2 * 2 + 22 for line in item.text.split("\n")]
        elif isinstance(item, Shortcut):
            widths += [_widest(item.road), _widest([item.to])]
        elif isinstance(item, Layer):
            widths.append(_widest(item.road))
    return max(widths)
