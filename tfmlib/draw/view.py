"""A view of attention that answers: choose a layer and a head, point at a word, and see where it looks."""

import re
from collections.abc import Mapping, Sequence

import torch

from .heat_map import attention
from .picture import Picture, script, style


def attention_view(
    weights: torch.Tensor | Mapping[str, torch.Tensor],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str,
    alt: str,
    row_role: str = "target",
    column_role: str = "source",
    start: str | None = None,
) -> Picture:
    """All layers and heads side by side; of the one that the reader chooses, where each word looks.

    The reader points at a word, taps it, or moves to it with the arrow keys. Without JavaScript, the page shows the
    mean of the heads of `start`.

    Args:
        weights: (T, S), or (H, T, S) for H heads, or several of them by name. With the names that
            `Translator.attention` gives, the words of each are known: in the encoder the source looks at itself, in
            the decoder's self-attention the step that writes a word looks at what is written before it.
        rows, columns: T words that ask and S words that they may look at.
        row_role, column_role: names of the palette; they colour the words and name the sides.
        start: the name of the weights that are shown first, by default the last ones.
    """
    if not isinstance(weights, Mapping):
        weights = {"": weights}
    if not weights:
        raise ValueError("there is nothing to draw: no weights.")
    start = list(weights)[-1] if start is None else start
    if start not in weights:
        raise ValueError(f"there are no weights {start!r} to start with; there are {', '.join(weights)}.")
    shown, picture = [], None
    for name, heads in weights.items():
        heads = torch.as_tensor(heads)
        if heads.dim() not in (2, 3):
            raise ValueError(
                f"weights {name} of the shape {tuple(heads.shape)}; wanted (heads, T, S), or (T, S), of one sentence."
            )
        heads = heads if heads.dim() == 3 else heads[None]  # (H, T, S)
        asking, asked, roles = rows, columns, (row_role, column_role)
        if name.startswith("encoder."):
            asking, roles = columns, (column_role, column_role)
        elif re.match(r"decoder\..*self", name):
            asked, roles = ["<bos>", *rows[:-1]], (row_role, row_role)
        mean = heads.double().mean(0)
        told = dict(zip(("row_role", "column_role"), roles, strict=True))
        drawn = attention(mean, asking, asked, title=title, alt=alt, **told)  # and so the words are checked
        picture = drawn if name == start else picture
        several = [mean, *heads] if len(heads) > 1 else [mean]
        part, layer = re.fullmatch(r"(?:(.+)\.layers\.(\d+)\.)?(.*)", name).group(1, 2)
        kind = name.rpartition(".")[2].replace("_", "-")
        shown.append(
            {
                "name": name,
                "part": f"{part}, {kind}" if part else kind,
                "layer": f"layer {layer}" if part else "",
                "rows": list(asking),
                "columns": list(asked),
                "roles": roles,
                "heads": [[[round(100 * w) for w in row] for row in head.tolist()] for head in several],
            }
        )
    parts = [one["part"] for one in shown]
    shown.sort(key=lambda one: parts.index(one["part"]))
    data = {"alt": alt, "attentions": shown, "start": [one["name"] for one in shown].index(start)}
    picture.script = f"{style('view.css')}\n{script('view.js', data)}"
    return picture
