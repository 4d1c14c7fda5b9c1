"""The map: the drawing of the Transformer that grows from the bottom up, chapter by chapter (the paper's figure 1)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from itertools import pairwise

from .picture import DARK_PAGE, PALETTE, Picture, text_width

# Each chapter's notebook and name.
CHAPTERS = {
    1: ("01_one_hot", "One-hot"),
    2: ("02_embedding", "Embedding"),
    3: ("03_positional_encoding", "Positional encoding"),
    4: ("04_query_key_value", "Query, key, value"),
    5: ("05_scaled_softmax", "Scaled softmax"),
    6: ("06_multi_head", "Multi-head"),
    7: ("07_feed_forward", "Feed-forward"),
    8: ("08_residual_layer_norm", "Add & Norm"),
    9: ("09_encoder", "Encoder"),
    10: ("10_masking", "Masking"),
    11: ("11_cross_attention", "Cross-attention"),
    12: ("12_decoder", "Decoder"),
    13: ("13_linear_softmax", "Linear, softmax"),
    14: ("14_loss", "Loss"),
    15: ("15_training", "Training"),
    16: ("16_translating", "Translating"),
}

WIDTH, HEIGHT = 480, 866
SIZE = 15.5  # a word's height: 11 pixels where a phone, 390 pixels wide, leaves the picture 342
NUMBER, ICON = 25, 31  # how wide a part's number and its icon are
FAINT = ("#667080", "#8c9197")  # what is still to come: pale, and its words legible

Point = tuple[int, int]
Box = tuple[int, int, int, int]  # left, top, width, height


@dataclass(frozen=True)
class Piece:
    """A piece of the drawing, which belongs to a chapter; if a later one puts it where it stands, since that one."""

    chapter: int
    role: str
    since: int = field(default=0, kw_only=True)

    def state(self, chapter: int | None) -> str:
        """What the piece is on this chapter's map: done, here, or later."""
        if chapter == self.chapter and not self.since:
            return "here"
        return "done" if chapter is None or max(self.chapter, self.since) <= chapter else "later"


@dataclass(frozen=True)
class Part(Piece):
    """A sign with its chapter's number, its name, and perhaps an icon; it leads to the chapter."""

    box: Box
    lines: Sequence[str]
    icon: str = ""

    def svg(self) -> str:
        x, y, width, height = self.box
        middle = y + height / 2
        name = x + (NUMBER + width - (ICON + 9 if self.icon else 0)) / 2
        first = middle + 5 - 8.5 * (len(self.lines) - 1)
        signs = [
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="5"/>',
            f'<path class="number" d="M{x + NUMBER} {y}v{height}h{5 - NUMBER}q-5 0-5-5v{10 - height}q0-5 5-5z"/>',
            f'<path class="plate" d="M{x + NUMBER} {y + 4}h{width - NUMBER - 4}v{height - 8}h{NUMBER + 4 - width}z"/>',
            f'<text class="number" x="{x + NUMBER / 2:g}" y="{middle + 5:g}">{self.chapter}</text>',
        ]
        for row, line in enumerate(self.lines):
            signs.append(f'<text x="{name:g}" y="{first + 17 * row:g}">{coloured(line)}</text>')
        if self.icon:
            place = f"translate({x + width - ICON - 8} {middle:g})"
            signs.append(f'<path class="icon" transform="{place}" d="{self.icon}"/>')
        return "".join(signs)


@dataclass(frozen=True)
class Frame(Piece):
    """What is around parts: a layer; or the heads, as sheets one behind the other, each with a shift to the side."""

    box: Box
    shift: int = 0

    def svg(self) -> str:
        x, y, width, height = self.box
        places = [(x + i * self.shift, y - 5 * i) for i in ((2, 1, 0) if self.shift else (0,))]
        return "".join(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="5"/>' for x, y in places)


@dataclass(frozen=True)
class Road(Piece):
    """A way that vectors take, from corner to corner, with an arrow at its end."""

    points: Sequence[Point]
    arrow: bool = True

    def svg(self) -> str:
        ways = [_direction(a, b) for a, b in pairwise(self.points)]
        (x, y), (dx, dy) = self.points[-1], ways[-1]
        d = "M{} {}".format(*self.points[0])
        for (cx, cy), (ax, ay), (bx, by) in zip(self.points[1:-1], ways[:-1], ways[1:], strict=True):
            d += f"L{cx - 7 * ax} {cy - 7 * ay}Q{cx} {cy} {cx + 7 * bx} {cy + 7 * by}"  # a round corner
        if not self.arrow:
            return f'<path d="{d}L{x} {y}"/>'
        left, right = ((x - 8 * dx + side * dy, y - 8 * dy + side * dx) for side in (4, -4))
        head = "M{} {}L{} {}L{} {}z".format(x, y, *left, *right)
        return f'<path d="{d}L{x - 4 * dx} {y - 4 * dy}"/><path class="head" d="{head}"/>'


@dataclass(frozen=True)
class Sum(Piece):
    """A plus in a circle: two vectors are added."""

    middle: Point

    def svg(self) -> str:
        x, y = self.middle
        return f'<circle cx="{x}" cy="{y}" r="13"/><path d="M{x - 7} {y}h14M{x} {y - 7}v14"/>'


@dataclass(frozen=True)
class Words(Piece):
    """Words beside the parts: the sentences, and what runs along a road."""

    middle: Point
    words: str

    def svg(self) -> str:
        return f'<text x="{self.middle[0]}" y="{self.middle[1]}">{escape(self.words)}</text>'


@dataclass(frozen=True)
class Shape(Piece):
    """The shape of what runs along a road, on a plate that lies on the road; what has it, for the alternative text."""

    middle: Point
    words: str
    of: str

    @property
    def box(self) -> Box:
        """The plate: left, top, width, height."""
        width = text_width(self.words, SIZE) + 2
        return self.middle[0] - width // 2, self.middle[1] - 9, width, 18

    def svg(self) -> str:
        x, y, width, height = self.box
        plate = f'<rect x="{x}" y="{y}" width="{width}" height="{height}"/>'
        return f'{plate}<text x="{self.middle[0]}" y="{y + 14}">{self.words}</text>'


def _direction(start: Point, end: Point) -> Point:
    return tuple((b > a) - (b < a) for a, b in zip(start, end, strict=True))


def coloured(line: str) -> str:
    """The line; a word that names a thing of the palette has its colour."""
    return " ".join(
        f'<tspan class="{word.lower()}">{word}</tspan>' if word.lower() in PALETTE else escape(word)
        for word in line.split()
    )


def _vector(*numbers: float) -> str:
    """An icon: four numbers from 0 to 1, each a cell that is filled so far."""
    cells = (f"M{8 * i}-7h7v14h-7zm1 1v12h5v-12z" for i in range(4))
    return "".join(cells) + "".join(f"M{8 * i} 7v-{14 * n:g}h7v{14 * n:g}z" for i, n in enumerate(numbers) if n)


WAVE = "M0 0q4-16 8 0t8 0 8 0 8 0z"
MASK = "".join(  # an icon: row by row, a word sees those up to itself
    f"M{8 * x} {8 * y - 15}h7v7h-7z" + ("m1 1v5h5v-5z" if x > y else "") for y in range(4) for x in range(4)
)

# How the pieces look. What is lit, done or still to come is told by more than a colour: by full, tinted or empty signs.
LOOK = {
    ".later": "--c:var(--faint)",
    "text": f"fill:var(--c);font-size:{SIZE}px;text-anchor:middle",
    ":is(rect,circle,path)": "fill:none;stroke:var(--c);stroke-width:1.5",
    ":is(.head,.icon)": "fill:var(--c);stroke:none",
    ".frame rect": "fill:var(--page)",
    ".part .plate": "stroke:none",
    ".part .number": "fill:var(--c);stroke:none;font-weight:700",
    ".later :is(rect,circle,path)": "stroke-width:1;stroke-dasharray:4 3",
    ".later path.number": "fill:none",
    ".later text.number": "font-weight:400",
    ".part.done text": "fill:var(--ink)",
    ".part.done tspan": "fill:var(--c)",
    ".part.done text.number": "fill:var(--page)",
    ".part.done rect": "fill:var(--c);fill-opacity:.1",
    ".part.done:has(tspan) rect": "fill:var(--page);fill-opacity:1",
    ".part.here rect": "fill:var(--c);stroke:var(--ink);stroke-width:4",
    ".part.here path.number": "fill:none",
    ".part.here .plate": "stroke:var(--page);stroke-width:1",
    ".part.here :is(text,.icon)": "fill:var(--page)",
    ":is(.road,.sum,.frame).here :is(rect,circle,path):not(.head)": "stroke-width:2.5",
    ".link text:not(.number)": "text-decoration:underline 1px;text-underline-offset:3px",
}

# The drawing, from the bottom to the top. The encoder's parts begin at E and the decoder's at D; all are W wide.
E, D, W = 44, 266, 170
EM, DM = E + W // 2, D + W // 2  # the middles: the vectors rise there
QKV = (("query", -45), ("key", 0), ("value", 45))

PIECES = (
    # What is around others lies below them.
    Frame(9, "source", (20, 334, 208, 332)),
    Frame(6, "source", (E - 4, 516, W + 8, 134), 3),
    Frame(12, "target", (252, 174, 208, 492)),
    Frame(10, "target", (D, 516, W, 88), -4),
    Frame(11, "target", (D, 356, W, 48), -4),
    # From words to vectors.
    Words(1, "source", (EM, 836), "the animal did …"),
    Words(1, "source", (EM, 858), "English"),
    Words(1, "target", (DM, 836), "<bos> l' animal …"),
    Words(1, "target", (DM, 858), "French, shifted right"),
    *(Road(1, "ink", [(x, 820), (x, 808)]) for x in (EM, DM)),
    Part(1, "source", (E, 774, W, 34), ["One-hot"], _vector(0, 0, 1, 0)),
    Part(1, "target", (D, 774, W, 34), ["One-hot"], _vector(0, 1, 0, 0)),
    *(Road(2, "ink", [(x, 774), (x, 760)]) for x in (EM, DM)),
    Part(2, "source", (E, 726, W, 34), ["Embedding"], _vector(0.7, 0.3, 0.9, 0.5)),
    Part(2, "target", (D, 726, W, 34), ["Embedding"], _vector(0.4, 0.8, 0.3, 0.6)),
    *(Road(3, "ink", [(x, 726), (x, 707)]) for x in (EM, DM)),
    *(Sum(3, "ink", (x, 694)) for x in (EM, DM)),
    Road(3, "ink", [(156, 694), (142, 694)]),
    Road(3, "ink", [(324, 694), (338, 694)]),
    Part(3, "ink", (156, 672, 168, 44), ["Positional", "encoding"], WAVE),
    # The encoder's layer.
    Road(4, "ink", [(EM, 681), (EM, 642)]),
    Part(4, "source", (E, 608, W, 34), ["Query Key Value"]),
    *(Road(4, role, [(EM + x, 608), (EM + x, 590)]) for role, x in QKV),
    Part(5, "source", (E, 556, W, 34), ["Scaled softmax"]),
    Road(6, "ink", [(EM, 556), (EM, 546)], arrow=False),
    Part(6, "source", (E - 4, 516, W + 8, 30), ["Multi-head"]),
    Road(8, "ink", [(EM, 506), (EM, 492)]),
    Road(8, "source", [(EM, 658), (33, 658), (33, 475), (E, 475)]),
    Part(8, "source", (E, 458, W, 34), ["Add & Norm"]),
    Road(7, "ink", [(EM, 458), (EM, 432)]),
    Part(7, "source", (E, 398, W, 34), ["Feed-forward"]),
    Road(8, "ink", [(EM, 398), (EM, 384)]),
    Road(8, "source", [(EM, 446), (33, 446), (33, 367), (E, 367)]),
    Part(8, "source", (E, 350, W, 34), ["Add & Norm"]),
    Road(9, "source", [(EM, 350), (EM, 310)], arrow=False),
    Part(9, "source", (20, 308, 97, 26), ["Encoder"]),
    Words(9, "source", (EM + 28, 326), "× N"),
    # The decoder's layer.
    Road(10, "ink", [(DM, 681), (DM, 644)], arrow=False),
    *(Road(10, role, [(DM, 644), (DM + x, 644), (DM + x, 604)]) for role, x in (QKV[0], QKV[2])),
    Road(10, "key", [(DM, 644), (DM, 604)]),
    *(Words(10, role, (DM + x + 13, 630), role[0].upper()) for role, x in QKV),
    Part(10, "target", (D, 516, W, 88), ["Masked", "attention"], MASK),
    Road(8, "ink", [(DM, 506), (DM, 492)], since=12),
    Road(8, "target", [(DM, 658), (447, 658), (447, 475), (D + W, 475)], since=12),
    Part(8, "target", (D, 458, W, 34), ["Add & Norm"], since=12),
    Words(11, "source", (186, 290), "memory"),
    Road(11, "source", [(EM, 310), (EM, 296), (240, 296), (240, 434), (270, 434)], arrow=False),
    Road(11, "value", [(270, 434), (318, 434), (318, 404)]),
    Road(11, "key", [(270, 434), (290, 434), (290, 404)]),
    Road(11, "query", [(DM, 458), (DM, 404)]),
    Words(11, "key", (279, 424), "K"),
    Words(11, "value", (330, 424), "V"),
    Words(11, "query", (DM + 13, 430), "Q"),
    Part(11, "target", (D, 356, W, 48), ["Cross-attention"]),
    Road(8, "ink", [(DM, 346), (DM, 332)], since=12),
    Road(8, "target", [(DM, 446), (447, 446), (447, 315), (D + W, 315)], since=12),
    Part(8, "target", (D, 298, W, 34), ["Add & Norm"], since=12),
    Road(7, "ink", [(DM, 298), (DM, 272)], since=12),
    Part(7, "target", (D, 238, W, 34), ["Feed-forward"], since=12),
    Road(8, "ink", [(DM, 238), (DM, 224)], since=12),
    Road(8, "target", [(DM, 286), (447, 286), (447, 207), (D + W, 207)], since=12),
    Part(8, "target", (D, 190, W, 34), ["Add & Norm"], since=12),
    Part(12, "target", (363, 148, 97, 26), ["Decoder"]),
    Words(12, "target", (DM - 28, 166), "× N"),
    # From a vector to the next word, and what is done with it.
    Road(13, "ink", [(DM, 190), (DM, 136)]),
    Part(13, "target", (D, 92, W, 44), ["Linear,", "softmax"], _vector(0.1, 0.2, 1, 0.1)),
    Road(13, "ink", [(DM, 92), (DM, 78)]),
    Words(13, "target", (DM, 72), "l' animal n' …"),
    Words(14, "target", (EM, 16), "the right words:"),
    Words(14, "target", (EM, 35), "l' animal n' …"),
    Road(14, "ink", [(EM, 40), (EM, 50)]),
    Road(14, "ink", [(282, 67), (E + W, 67)]),
    Part(14, "ink", (E, 50, W, 34), ["Loss"]),
    Road(15, "ink", [(EM, 84), (EM, 182)]),
    Part(15, "ink", (E, 182, W, 44), ["Training:", "the way back"]),
    Road(15, "ink", [(E + W, 204), (252, 204)]),
    Road(15, "ink", [(10, 500), (20, 500)]),
    Road(15, "ink", [(E, 204), (10, 204), (10, 743), (E, 743)]),
    Road(16, "ink", [(DM, 56), (DM, 46)]),
    Part(16, "target", (D, 2, W, 44), ["Translating:", "word by word"]),
    Road(16, "target", [(D + W, 24), (470, 24), (470, 831), (440, 831)]),
)

# With the shapes, the drawing is pulled apart at these heights, so that there is room for a plate on each road.
ROOM = {48: 28, 85: 26, 143: 26, 231: 26, 289: 16, 293: 12, 339: 26, 391: 26, 452: 28, 499: 26, 551: 26, 600: 26}
ROOM |= {669: 28, 721: 28, 767: 26}


def _pulled(y: int) -> int:
    """Where this height is in the drawing with the shapes."""
    return y + sum(room for place, room in ROOM.items() if place < y)


def _between(top: int, bottom: int) -> int:
    """The middle of a road between two heights, in the drawing with the shapes; an arrow's head stays free."""
    return (_pulled(top) + _pulled(bottom)) // 2 + 2


def _pull(piece: Piece) -> Piece:
    """The piece where the drawing with the shapes has it."""
    moved = {}
    if isinstance(piece, Road):
        moved["points"] = [(x, _pulled(y)) for x, y in piece.points]
    elif isinstance(piece, Part | Frame):
        x, y, width, height = piece.box
        moved["box"] = x, _pulled(y), width, _pulled(y + height) - _pulled(y)
    else:
        moved["middle"] = piece.middle[0], _pulled(piece.middle[1])
    return replace(piece, **moved)


def _both(chapter: int, top: int, bottom: int, shape: str, of: str, since: int = 0) -> tuple[Shape, Shape]:
    """A shape in the encoder, with S words, and in the decoder, with T."""
    y = _between(top, bottom)
    target = shape.replace("S", "T")
    return Shape(chapter, "ink", (EM, y), shape, of), Shape(chapter, "ink", (DM, y), target, of, since=since)


SHAPES = (
    *_both(1, 760, 774, "(B, S)", "the ids"),
    *_both(2, 716, 726, "(B, S, D)", "the embedding"),
    Shape(3, "ink", (206, _pulled(672) - 11), "(S, D)", "the positional encoding"),
    Shape(3, "ink", (274, _pulled(672) - 11), "(T, D)", "the positional encoding"),
    *_both(3, 666, 681, "(B, S, D)", "the sum of both"),
    Shape(4, "ink", (EM, _between(590, 608)), "(B, H, S, K)", "queries, keys and values"),
    Shape(5, "ink", (EM, _between(546, 556)), "(B, H, S, K)", "what the heads give"),
    *_both(6, 492, 506, "(B, S, D)", "attention", since=12),
    *_both(8, 446, 458, "(B, S, D)", "Add & Norm", since=12),
    Shape(7, "ink", (EM, _between(384, 398)), "(B, S, D)", "feed-forward"),
    Shape(9, "source", (186, _pulled(296)), "(B, S, D)", "the memory"),
    Shape(11, "ink", (DM, _between(332, 346)), "(B, T, D)", "cross-attention", since=12),
    Shape(8, "ink", (DM, _between(286, 298)), "(B, T, D)", "Add & Norm", since=12),
    Shape(7, "ink", (DM, _between(224, 238)), "(B, T, D)", "feed-forward", since=12),
    Shape(12, "ink", (DM, _between(136, 148)), "(B, T, D)", "the decoder"),
    Shape(13, "ink", (DM, _between(78, 92)), "(B, T, V)", "the scores of the next words"),
    Shape(14, "ink", (EM, _between(40, 50)), "(B, T)", "the right words"),
)


def transformer(chapter: int | None = None, *, shapes: bool = False) -> Picture:
    """The map as far as this chapter has come.

    Its own part is lit, the parts below are drawn and lead to their chapters, and the parts above are outlines.

    Args:
        chapter: 1 to 16; None draws the whole machine.
        shapes: on each road that a tensor takes stands its shape.

    Raises:
        ValueError: there is no such chapter.
    """
    if chapter is not None and chapter not in CHAPTERS:
        raise ValueError(f"the map has the chapters 1 to {len(CHAPTERS)}, and no chapter {chapter!r}.")
    pieces, height = ([*map(_pull, PIECES), *SHAPES], _pulled(HEIGHT)) if shapes else (PIECES, HEIGHT)
    linked = [piece for piece in pieces if isinstance(piece, Part) and piece.state(chapter) == "done"]
    drawn = []
    for piece in pieces:
        kind = f"{type(piece).__name__.lower()} {piece.state(chapter)} {piece.role}"
        drawn.append(f'<g class="{kind}{" link" if piece in linked else ""}">{piece.svg()}</g>')
    svg = "\n".join([f'<style>{_style(height, shapes)}</style>\n<g class="map">', *drawn, "</g>"])
    title = f"You are here: {chapter} · {CHAPTERS[chapter][1]}" if chapter else "The whole machine, part by part"
    alt = _alt(chapter)
    if shapes:
        title += ", with the shape on each wire"
        alt += " The shapes, from below: " + "; ".join(f"{shape.of} {shape.words}" for shape in SHAPES) + "."
    return Picture(svg, WIDTH, height, title, alt, script=_links(linked, height, "with its shapes" if shapes else ""))


def _links(parts: Sequence[Part], height: int, kind: str) -> str:
    """The links, which lie over the picture. HTML, since JupyterLab loads itself anew on a link in SVG."""
    if not parts:
        return ""
    # A part may stand in several places; the keyboard and a screen reader meet its link once.
    first = {part.chapter: part for part in reversed(parts)}
    links = "\n".join(_link(part, part is not first[part.chapter], height) for part in parts)
    label = f"Chapters on the map {kind}".strip()
    return f'<nav class="chapters" aria-label="{label}">\n{links}\n</nav>\n'


def _link(part: Part, again: bool, whole: int) -> str:
    (x, y, width, height), (file, name) = part.box, CHAPTERS[part.chapter]
    place = f"left:{x / WIDTH:.2%};top:{y / whole:.2%};width:{width / WIDTH:.2%};height:{height / whole:.2%}"
    label = escape(f"Chapter {part.chapter}: {name}")
    names = f'title="{label}" ' + ('aria-hidden="true" tabindex="-1"' if again else f'aria-label="{label}"')
    return f'<a href="{file}.ipynb" style="{place}" {names}></a>'


def _alt(chapter: int | None) -> str:
    what = (
        "The Transformer, drawn from the bottom up. On the left the encoder reads the English words. On the right "
        "the decoder reads the French words so far and the encoder's memory, and gives the next word."
    )
    here = chapter or len(CHAPTERS) + 1
    for words, numbers in (
        ("Built", range(1, here)),
        ("You are here", [here]),
        ("Still to come", range(here + 1, len(CHAPTERS) + 1)),
    ):
        names = ", ".join(f"{number} {CHAPTERS[number][1]}" for number in numbers if number in CHAPTERS)
        what += f" {words}: {names}." if names else ""
    return what


def look() -> str:
    """The look of the pieces, as CSS."""
    return (
        f".tfm .map{{--faint:{FAINT[0]}}}{DARK_PAGE} .tfm .map{{--faint:{FAINT[1]}}}"
        + "".join(f".tfm .map .{role}{{--c:var(--{role})}}" for role in ("ink", *PALETTE))
        + "".join(f".tfm .map {pieces}{{{look}}}" for pieces, look in LOOK.items())
    )


def _style(height: int, shapes: bool) -> str:
    plate = ".tfm .map .shape rect{fill:var(--page);stroke:none}" if shapes else ""
    return (
        f"{look()}{plate}.tfm>svg:has(>.map){{display:block}}.tfm>.chapters{{position:absolute;bottom:0;left:0;width:100%;"
        f"max-width:{WIDTH}px;aspect-ratio:{WIDTH}/{height}}}"
        ".tfm>.chapters a{position:absolute;border-radius:5px}"
        ".tfm>.chapters a:hover{background:currentColor;opacity:.15}"
        ".tfm>.chapters a:focus-visible{outline:3px solid currentColor;outline-offset:3px}"
    )
