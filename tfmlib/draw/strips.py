"""Vectors as coloured strips: a row a vector, a narrow cell a number."""

from collections.abc import Sequence

from .heat_map import heat_map, plain, table
from .picture import Picture, number


def strips(
    vectors,
    rows: Sequence[str],
    *,
    title: str,
    alt: str,
    columns: Sequence[str] | None = None,
    axes: tuple[str, str] = ("", ""),
    role: str = "source",
    digits: int | None = None,
    largest: float | None = None,
) -> Picture:
    """Vectors as coloured strips: a row a vector, a narrow cell a number, with the scale below.

    The larger a number, the stronger its cell; a negative one has the colour of the mask, zero that of the page.

    Args:
        vectors: (R, D) numbers.
        rows: R words. Where the rows are too many for their words, only some are written.
        columns: D names, empty where none shall stand; by default the places, counted from 0, as many as fit.
        axes: what the rows and what the columns are.
        role: the colour of the cells, a name of the palette.
        digits: how many decimals of the numbers are written, where they fit; None writes none.
        largest: the number that has the full colour, so that two pictures can have one scale; by default the
            largest that there is.
    """
    vectors = [list(vector) for vector in vectors]
    n_rows, D = len(vectors), len(vectors[0]) if vectors else 0
    places = list(map(str, range(D)))
    if columns is None:
        step = 1
        while 10 * step < D:
            step *= 2
        columns = [place if int(place) % step == 0 else "" for place in places]
    cells = table(vectors, rows, columns)
    return heat_map(
        cells,
        rows,
        columns,
        title=title,
        alt=alt,
        role=role,
        axes=plain(axes),
        numbers=None if digits is None else [[number(v, digits) for v in vector] for vector in cells],
        scale=True,
        largest=largest,
        cell=(max(1.0, min(26.0, 640 / D)), 22 if n_rows <= 24 else max(4.0, 480 / n_rows)),
        places=[name or place for name, place in zip(columns, places, strict=True)],
        gap=n_rows <= 24,
    )
