"""Heat maps: who looks at whom, and matrices of numbers."""

from collections.abc import Iterable, Sequence
from html import escape

from .picture import CELL, Picture, ink, text_width


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
    values = _table(weights, rows, columns)
    low, high = min(map(min, values)), max(map(max, values))
    if not -1e-9 <= low <= high <= 1 + 1e-9:
        raise ValueError(f"attention weights lie between 0 and 1; these lie between {low:.4g} and {high:.4g}.")
    hints = [
        [f"{row} → {column}: {values[y][x]:.0%}" for x, column in enumerate(columns)] for y, row in enumerate(rows)
    ]
    numbers = [[f"{100 * w:.0f}" if w >= 0.045 else "" for w in ws] for ws in values]
    axes = ((row_role, row_role), (column_role, column_role))
    return _heat_map(values, rows, columns, axes, row_role, numbers, hints, frames, title, alt)


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
) -> Picture:
    """A matrix of numbers: the larger a number, the stronger its cell; a negative one has the colour of the mask.

    Args:
        values: (R, C) numbers.
        rows, columns: R and C names; axes: what the rows and what the columns are.
        role: the colour of the cells, a name of the palette.
        digits: how many decimals of the numbers are written; None writes none.
    """
    table = _table(values, rows, columns)
    largest = max(abs(v) for row in table for v in row) or 1.0
    hints = [[f"{row}, {column}: {table[y][x]:.4g}" for x, column in enumerate(columns)] for y, row in enumerate(rows)]
    numbers = [["" if digits is None else f"{v:.{digits}f}" for v in vs] for vs in table]
    shares = [[v / largest for v in vs] for vs in table]
    plain = ((axes[0], "ink"), (axes[1], "ink"))
    return _heat_map(shares, rows, columns, plain, role, numbers, hints, (), title, alt)


def _table(values, rows: Sequence[str], columns: Sequence[str]) -> list[list[float]]:
    table = [[float(v) for v in row] for row in values]
    shape = (len(table), len(table[0]) if table else 0)
    if shape != (len(rows), len(columns)):
        raise ValueError(
            f"the numbers have the shape {shape}, and there are {len(rows)} names for rows and {len(columns)} for "
            "columns. Rows are the words that ask, columns the words that are looked at: are they swapped?"
        )
    if not table or not table[0]:
        raise ValueError("there is nothing to draw: no row or no column.")
    return table


def _heat_map(shares, rows, columns, axes, colour, numbers, hints, frames, title, alt) -> Picture:
    (row_axis, row_role), (column_axis, column_role) = axes
    row_axis, column_axis = row_axis and row_axis + " ↓", column_axis and column_axis + " →"
    left = 12 + max(map(text_width, [*rows, row_axis, column_axis]))
    top = 16 + round(0.75 * max(map(text_width, columns)))
    right = max(round(0.75 * text_width(word)) - (len(columns) - x - 1) * CELL for x, word in enumerate(columns))
    parts = [
        '<g text-anchor="end" font-weight="600">'
        f'<text x="{left - 8}" y="{top - 26}" fill="var(--{column_role})">{escape(column_axis)}</text>'
        f'<text x="{left - 8}" y="{top - 8}" fill="var(--{row_role})">{escape(row_axis)}</text></g>',
        f'<g fill="var(--{column_role})">',
    ]
    for x, word in enumerate(columns):
        place = f"translate({left + (x + 0.6) * CELL:.1f} {top - 6}) rotate(-45)"
        parts.append(f'<text transform="{place}">{escape(word)}</text>')
    parts.append(f'</g><g text-anchor="end" fill="var(--{row_role})">')
    for y, word in enumerate(rows):
        parts.append(f'<text x="{left - 8}" y="{top + (y + 0.68) * CELL:.1f}">{escape(word)}</text>')
    parts.append('</g><g class="cells" text-anchor="middle">')
    for y, row in enumerate(shares):
        for x, share in enumerate(row):
            role, strength = ("mask", -share) if share < 0 else (colour, share)
            parts.append(
                f'<rect x="{left + x * CELL}" y="{top + y * CELL}" width="{CELL}" height="{CELL}" fill="var(--{role})" '
                f'fill-opacity="{strength:.3f}"><title>{escape(hints[y][x])}</title></rect>'
            )
            if numbers[y][x]:
                parts.append(
                    f'<text x="{left + (x + 0.5) * CELL:g}" y="{top + (y + 0.66) * CELL:.1f}" '
                    f'class="{ink(role, strength)}">{numbers[y][x]}</text>'
                )
    parts.append('</g><g class="frames">')
    for y, x in sorted(frames):
        side = CELL - 4
        parts.append(f'<rect x="{left + x * CELL + 2}" y="{top + y * CELL + 2}" width="{side}" height="{side}"/>')
    parts.append("</g>")
    width, height = left + len(columns) * CELL + max(right, 1), top + len(rows) * CELL + 1
    return Picture("\n".join(parts), width, height, title, alt)
