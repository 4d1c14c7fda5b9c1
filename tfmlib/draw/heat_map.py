"""Heat maps: who looks at whom, and matrices of numbers."""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from html import escape

from .picture import CELL, SMALL, Picture, ink, number, script, text_width

NEGATIVE = "mask"  # the colour of negative numbers, a name of the palette
SHADES = 32  # of each colour: more are not told apart, and the page would be larger
NARROW = 320  # pixels: so wide is a picture on a small phone


def attention(
    weights,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str,
    alt: str,
    row_role: str = "target",
    column_role: str = "source",
    frames: Iterable[tuple[int, int]] = (),
) -> Picture:
    """Who looks at whom: a row for each word that asks, a column for each word that it may look at.

    Args:
        weights: (T, S), numbers from 0 to 1; row t holds the weights with which word t looks at the S words.
        rows, columns: T and S words.
        row_role, column_role: names of the palette; they colour the words and name the axes.
        frames: (row, column) of the cells to frame, such as the pairs of words that translate each other.
    """
    values = table(weights, rows, columns)
    low, high = min(map(min, values)), max(map(max, values))
    if not -1e-9 <= low <= high <= 1 + 1e-9:
        raise ValueError(f"attention weights lie between 0 and 1; these lie between {low:.4g} and {high:.4g}.")
    percents = [[round(100 * w) for w in ws] for ws in values]
    numbers = [[str(percent) if percent >= 5 else "" for percent in row] for row in percents]
    return heat_map(
        values,
        rows,
        columns,
        title=title,
        alt=alt,
        role=row_role,
        largest=1.0,
        axes=((row_role, row_role), (column_role, column_role)),
        numbers=numbers,
        hints=(percents, " → ", " %"),
        frames=frames,
    )


def matrix(
    values,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str,
    alt: str,
    axes: tuple[str, str] = ("", ""),
    role: str = "source",
    digits: int | None = 0,
    zeros: bool = True,
) -> Picture:
    """A matrix of numbers: the larger a number, the stronger its cell; a negative one has the colour of the mask.

    Args:
        values: (R, C) numbers.
        rows, columns: R and C names; axes: what the rows and what the columns are.
        role: the colour of the cells, a name of the palette.
        digits: how many decimals of the numbers are written, where they fit; None writes none, and draws the scale.
        zeros: write those that are exactly 0, too. Else their cells stay empty, and a 0 is a small number, rounded.
    """
    cells = table(values, rows, columns)
    numbers = None if digits is None else [[number(v, digits) if v or zeros else "" for v in vs] for vs in cells]
    return heat_map(
        cells, rows, columns, title=title, alt=alt, role=role, axes=plain(axes), numbers=numbers, scale=digits is None
    )


def plain(axes: tuple[str, str]) -> tuple[tuple[str, str], tuple[str, str]]:
    """Axes in the colour of the text."""
    return (axes[0], "ink"), (axes[1], "ink")


def table(values, rows: Sequence[str], columns: Sequence[str]) -> list[list[float]]:
    """Rows and columns of plain numbers, one for each of the names.

    Raises:
        ValueError: as many rows and columns as names are wanted, at least one of each, and finite numbers.
    """
    cells = [[float(v) for v in row] for row in values]
    shape = (len(cells), len(cells[0]) if cells else 0)
    if len(set(map(len, cells))) > 1:
        raise ValueError(f"the rows have different lengths: {', '.join(str(len(row)) for row in cells)}.")
    if shape != (len(rows), len(columns)):
        raise ValueError(
            f"the numbers have the shape {shape}, and there are {len(rows)} names for rows and {len(columns)} for "
            "columns. Rows are the words that ask, columns the words that are looked at: are they swapped?"
        )
    if not cells or not cells[0]:
        raise ValueError("there is nothing to draw: no row or no column.")
    for name, row in zip(rows, cells, strict=True):
        if not all(map(math.isfinite, row)):
            raise ValueError(
                f"the row {name!r} holds {next(v for v in row if not math.isfinite(v))}, which has no colour."
            )
    return cells


def heat_map(
    cells: list[list[float]],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str,
    alt: str,
    role: str,
    axes: tuple[tuple[str, str], tuple[str, str]],
    numbers: list[list[str]] | None,
    scale: bool = False,
    largest: float | None = None,
    hints: tuple[list[list[float]], str, str] | None = None,
    frames: Iterable[tuple[int, int]] = (),
    cell: tuple[float, float] = (CELL, CELL),
    places: Sequence[str] | None = None,
    gap: bool = False,
) -> Picture:
    """What all heat maps are: words at the side and on top, cells, numbers in them, and a script that tells a cell.

    Only the widths of the cells follow the page, so words and numbers keep their size on a phone.

    Args:
        cells: (R, C) numbers.
        rows, columns: R and C names, written where they are not empty.
        role: the colour of positive numbers.
        axes: the name and the role of the rows and of the columns.
        numbers: (R, C) texts to write where they fit.
        scale: draw the scale below.
        largest: the number that has the full colour; by default the largest that there is.
        hints: (R, C) numbers to tell of the cells, what stands between the words, and the unit.
        frames: (row, column) of the cells to frame.
        cell: a cell's width and height in pixels where there is room.
        places: C names to tell of the columns, if not those that are written.
        gap: leave a gap between the rows.
    """
    n_rows, n_columns = len(cells), len(cells[0])
    (row_axis, row_role), (column_axis, column_role) = axes
    found = max(abs(v) for row in cells for v in row)
    largest = largest or found or 1.0
    if found > 1.000001 * largest:
        raise ValueError(f"largest is {largest:.4g}, and there is a number of size {found:.4g}.")
    strengths = [[round(SHADES * v / largest) for v in row] for row in cells]

    # Sizes in pixels. A column's word is upright where it fits, else turned by 55° (sine 0.82, cosine 0.58).
    number_width = max(text_width(text, SMALL) for row in numbers or [[""]] for text in row)
    wide, tall = max(cell[0], number_width + 6 if number_width else 0), cell[1]
    row_name, column_name = (row_axis and row_axis + " ↓"), (column_axis and column_axis + " →")
    left = 10 + max(
        *map(text_width, rows), *(round(1.15 * text_width(name)) for name in (row_name, column_name))
    )  # bold
    named = [x for x, word in enumerate(columns) if word]
    apart = min((b - a for a, b in itertools.pairwise(named)), default=n_columns)
    narrow = min(wide, max(1.0, min(240 / n_columns, 15), 15 / apart))
    if left + n_columns * (number_width + 2) <= NARROW:
        narrow = max(narrow, number_width + 2)
    upright = max(text_width(word, SMALL) for word in columns) + 2 <= apart * narrow
    longest = max(map(text_width, columns))
    top = max(
        (20 if longest else 4) if upright else 14 + round(0.82 * longest),
        4 + 18 * bool(row_axis) + 18 * bool(column_axis),
    )
    overhang = [0.58 * text_width(word) - (n_columns - x - 0.6) * narrow for x, word in enumerate(columns)]
    right = 2 if upright else max(2, round(max(overhang)))
    width, height = n_columns * wide, n_rows * tall

    def across(x: float) -> str:
        return f"{100 * x / n_columns:.4g}%"

    parts = [
        f'<svg class="grid" aria-hidden="true" width="100%" height="100%" viewBox="0 0 {n_columns} {n_rows}" '
        'preserveAspectRatio="none">',
        *_shades(strengths, role, gap),
        _lines(n_rows, n_columns, gap),
        *(
            f'<path class="line" {look} d="M{x + 0.04:g} {y + 0.04:g}h.92v.92h-.92z"/>'
            for y, x in sorted(frames)
            for look in ('stroke-width="4" style="stroke:var(--page)"', 'stroke-width="2"')  # seen on any shade
        ),
        '</svg><g text-anchor="end" font-weight="600">',
    ]
    if column_axis:
        y = -8 - 18 * bool(row_axis)
        parts.append(f'<text x="-8" y="{y}" fill="var(--{column_role})">{escape(column_name)}</text>')
    if row_axis:
        parts.append(f'<text x="-8" y="-8" fill="var(--{row_role})">{escape(row_name)}</text>')
    parts.append(f'</g><g text-anchor="end" fill="var(--{row_role})">')
    for y in range(0, n_rows, math.ceil(14 / tall)):
        if rows[y]:
            parts.append(f'<text x="-8" y="{(y + 0.5) * tall + 4.5:g}">{escape(rows[y])}</text>')
    parts.append(f'</g><g text-anchor="{"middle" if upright else "start"}" fill="var(--{column_role})">')
    for x in named:
        place = across(x + (0.5 if upright else 0.6))
        parts.append(f'<text class="{"small" if upright else "turned"}" x="{place}" y="-6">{escape(columns[x])}</text>')
    parts.append("</g>")
    if number_width:
        needed = math.ceil(left + right + n_columns * (number_width + 1))  # the narrowest figure in which they fit
        hides = narrow < number_width + 1
        hidden = f' class="from{needed}"' if hides else ""
        parts.append(f'<g text-anchor="middle"{hidden}>')
        for y, row in enumerate(numbers):
            for x, text in enumerate(row):
                if text:
                    letters = ink(NEGATIVE if strengths[y][x] < 0 else role, abs(strengths[y][x]) / SHADES)
                    place = f'x="{across(x + 0.5)}" y="{(y + 0.5) * tall + 4:g}"'
                    parts.append(f'<text class="small {letters}" {place}>{text}</text>')
        parts.append("</g>")
        if hides:
            parts.append(
                f"<style>@container (max-width:{needed - 0.01:g}px){{.tfm .from{needed}{{display:none}}}}</style>"
            )
    below = 2
    if scale:
        below, (drawn, needed) = 34, _scale(cells, largest, role, height + 8)
        parts.append(drawn)
        right = max(right, round(needed - n_columns * narrow))
    told, join, unit = hints or (cells, ", ", "")
    data = {
        "rows": list(rows),
        "columns": list(places or columns),
        "values": [[float(f"{v:.3g}") + 0.0 for v in row] for row in told],
        "join": join,
        "unit": unit,
    }
    return Picture(
        "\n".join(parts),
        round(left + width + right),
        round(top + height + below),
        title,
        alt,
        narrowest=round(left + n_columns * narrow + right),
        padding=(top, right, below, left),
        script=script("heat_map.js", data),
    )


def _shades(strengths: list[list[int]], role: str, gap: bool) -> list[str]:
    """A path for each shade: much smaller than a rectangle for each cell."""
    runs = defaultdict(list)
    for y, row in enumerate(strengths):
        start = 0
        for x in range(1, len(row) + 1):
            if x == len(row) or row[x] != row[start]:
                runs[row[start]].append(f"M{start} {y}.5h{x - start}")
                start = x
    thick = ' stroke-width=".84"' if gap else ""
    paths = [
        f'<path stroke="var(--{role if shade > 0 else NEGATIVE})" stroke-opacity="{abs(shade) / SHADES:.2g}" '
        f'd="{"".join(runs[shade])}"/>'
        for shade in sorted(runs)
        if shade
    ]
    return [f'<g class="cells" shape-rendering="crispEdges"{thick}>', *paths, "</g>"]


def _lines(n_rows: int, n_columns: int, gap: bool) -> str:
    """A frame around the cells, or around each row of them, and lines between them where they are wide."""
    if gap:
        frame = "".join(f"M0 {y + 0.08:g}h{n_columns}v.84h-{n_columns}z" for y in range(n_rows))
    else:
        frame = f"M0 0h{n_columns}v{n_rows}h-{n_columns}z"
    if gap and n_columns <= 16:
        frame += "".join(f"M{x} {y + 0.08:g}v.84" for x in range(1, n_columns) for y in range(n_rows))
    elif not gap and n_columns <= 40:
        frame += "".join(f"M{x} 0v{n_rows}" for x in range(1, n_columns))
        frame += "".join(f"M0 {y}h{n_columns}" for y in range(1, n_rows))
    return f'<path class="line" stroke-opacity=".2" d="{frame}"/>'


def _scale(cells: list[list[float]], largest: float, role: str, top: float) -> tuple[str, float]:
    """The scale: from the smallest number over 0 to the largest, each with its shade; and how wide it is."""
    low, high = min(0.0, *map(min, cells)), max(0.0, *map(max, cells))
    digits = 0 if low == round(low) and high == round(high) else 2
    inside = low < 0 < high  # then the zero has its place below the bar
    low_name, high_name = (
        number(v, digits if v else 0) if abs(v) < 1000 and (round(v, 2) or not v) else f"{v:.3g}".replace("-", "−")
        for v in (low, high)
    )
    unit = 72 / largest  # pixels for 1
    start = text_width(low_name, SMALL) + 6
    zero, end = start - unit * low, start + unit * (high - low)
    parts = []
    for colour, sign, size in ((NEGATIVE, -1, -low), (role, 1, high)):
        for shade in range(1, SHADES + 1, 2):
            a, b = unit * largest * (shade - 1) / SHADES, min(unit * largest * (shade + 1) / SHADES, unit * size)
            if a < b:
                x = zero + (a if sign > 0 else -b)
                parts.append(
                    f'<rect x="{x:.1f}" y="{top:g}" width="{b - a:.1f}" height="10" '
                    f'fill="var(--{colour})" fill-opacity="{shade / SHADES:.2g}"/>'
                )
    frame = f"M{start:.1f} {top:g}H{end:.1f}v10H{start:.1f}z" + inside * f"M{zero:.1f} {top:g}v13"
    parts.append(
        f'<path class="line" stroke-opacity=".3" d="{frame}"/>'
        f'<g fill="currentColor">'
        f'<text class="small" x="{start - 6:.1f}" y="{top + 9:g}" text-anchor="end">{low_name}</text>'
        f'<text class="small" x="{end + 6:.1f}" y="{top + 9:g}">{high_name}</text>'
    )
    if inside:
        parts.append(f'<text class="small" x="{zero:.1f}" y="{top + 23:g}" text-anchor="middle">0</text>')
    return "".join(parts) + "</g>", end + 6 + text_width(high_name, SMALL)
