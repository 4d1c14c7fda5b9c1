"""What the decoder reads above what it has to say: a batch of targets, shifted by one."""

from collections.abc import Sequence
from html import escape

from .picture import FONT, Picture, text_width

WIDEST = 440  # pixels: on a phone, which leaves 342 to a picture, words of 13 pixels are then 10 high
# Heights: of a word, between both rows, of the row of counts, between sentences.
BOX, GAP, COUNT, APART = 26, 30, 22, 26
ROLES = {"<bos>": "key", "<eos>": "value", "<pad>": "mask"}
NAMES = ("reads", "says", "counts")


def shifted(inputs: Sequence[Sequence[str]], labels: Sequence[Sequence[str]], *, title: str, alt: str) -> Picture:
    """A batch in the loss: for each sentence its inputs, below them its labels, and whether a label counts.

    A line leads from each label to the input one place later where the same word stands. ``<bos>``, words,
    ``<eos>`` and ``<pad>`` have a colour each; padding is dashed and counts 0.

    Args:
        inputs, labels: B sentences of T words each, as `tfmlib.loss.shift` cuts them.

    Raises:
        ValueError: inputs and labels differ in shape or are no shift of one another, or the words are too wide.
    """
    inputs, labels = ([list(row) for row in rows] for rows in (inputs, labels))
    shapes = [[len(row) for row in rows] for rows in (inputs, labels)]
    if not inputs or shapes[0] != shapes[1] or len({*shapes[0]}) > 1 or 0 in shapes[0]:
        raise ValueError(f"wanted are B sentences of T words for both; there are {shapes[0]} and {shapes[1]} words.")
    for read, said in zip(inputs, labels, strict=True):
        if read[1:] != said[:-1]:
            raise ValueError(f"the labels {said} are not the inputs {read}, one place on: was something lost?")
    left = max(map(text_width, NAMES)) + 8
    cell = max(text_width(word) for rows in (inputs, labels) for row in rows for word in row) + 10
    width = left + cell * len(inputs[0])
    if width > WIDEST:
        raise ValueError(f"{len(inputs[0])} words of {cell} pixels make {width}; no more than {WIDEST} fit on a phone.")
    tall = 2 * BOX + GAP + COUNT
    drawn = []
    for b, (read, said) in enumerate(zip(inputs, labels, strict=True)):
        top = b * (tall + APART) + 1
        below = top + BOX + GAP
        for name, y in zip(NAMES, (top + BOX / 2, below + BOX / 2, below + BOX + COUNT / 2), strict=True):
            drawn.append(_text(name, 0, y, "start", name == "counts"))
        for t in range(len(read) - 1):
            x = left + cell * t + cell / 2
            drawn.append(
                f'<line x1="{x:g}" y1="{below}" x2="{x + cell:g}" y2="{top + BOX}" '
                f'stroke="var(--{_role(said[t])})" stroke-width="1.5"/>'
            )
        for t, words in enumerate(zip(read, said, strict=True)):
            for word, y in zip(words, (top, below), strict=True):
                drawn.append(_box(word, left + cell * t, y, cell))
            counts = "0" if said[t] == "<pad>" else "1"
            drawn.append(_text(counts, left + cell * (t + 0.5), below + BOX + COUNT / 2, "middle", True))
    return Picture("\n".join(drawn), width, len(inputs) * (tall + APART) - APART + 2, title, alt)


def _role(word: str) -> str:
    return ROLES.get(word, "target")


def _box(word: str, x: float, y: float, cell: float) -> str:
    colour = f"var(--{_role(word)})"
    dashes = ' stroke-dasharray="4 3"' if word == "<pad>" else ""
    return (
        f'<rect x="{x + 2:g}" y="{y:g}" width="{cell - 4:g}" height="{BOX}" rx="4" fill="{colour}" '
        f'fill-opacity="{0 if dashes else 0.16:g}" stroke="{colour}"{dashes}/>\n'
        + _text(word, x + cell / 2, y + BOX / 2, "middle", word == "<pad>")
    )


def _text(text: str, x: float, y: float, anchor: str, pale: bool) -> str:
    colour = "var(--mask)" if pale else "currentColor"
    return f'<text x="{x:g}" y="{y + 0.35 * FONT:g}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
