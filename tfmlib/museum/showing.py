"""The museum on the page: a guide by symptom, and a wing with its curves, what the models say, and the exhibits.

An exhibit is folded: its line has its name and what is seen of it. A link to it opens it.
"""

import re
from collections.abc import Sequence
from html import escape

from tfmlib.checks.verdict import marked_up
from tfmlib.draw import PALETTE, Picture, figure, plot
from tfmlib.draw.picture import DARK_PAGE
from tfmlib.draw.transformer import CHAPTERS

from .exhibits import WINGS, Exhibit
from .planting import LOG_EVERY, N_SPOKEN, Trial

SIGN = {"wrong": "✗", "right": "✓", "both": " "}
OPEN = """<script>
(() => {
  const open = (place) => {
    const exhibit = place.startsWith("#bug-") && document.getElementById(decodeURIComponent(place.slice(1)));
    if (!exhibit) return;
    exhibit.open = true;
    exhibit.scrollIntoView();
  };
  const arrive = () => open(location.hash);
  addEventListener("hashchange", arrive);
  addEventListener("load", arrive);
  addEventListener("click", ({ target }) => open(target.closest?.("a[href^='#bug-']")?.hash ?? ""));
})();
</script>"""


class Html:
    """HTML for a page, and text for a terminal."""

    def __init__(self, html: str, text: str):
        self.html, self.text = html, text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def guide(exhibits: Sequence[Exhibit]) -> Html:
    """A table: what you see, and which mistakes make it, each a link to its exhibit."""
    rows, text = [], []
    for wing, seen in WINGS.items():
        here = [exhibit for exhibit in exhibits if exhibit.wing == wing]
        if not here:
            continue
        links = ", ".join(f'<a href="#{exhibit.anchor}">{escape(exhibit.name)}</a>' for exhibit in here)
        rows.append(f"<tr><td>{escape(seen)}</td><td>{links}</td></tr>")
        text += [f"{seen}:", *(f"    {exhibit.name}" for exhibit in here)]
    head = "<thead><tr><th>What do you see?</th><th>It may be</th></tr></thead>"
    table = f'<table class="tfm table guide">{head}<tbody>{"".join(rows)}</tbody></table>'
    return Html(f"{table}\n{OPEN}", "\n".join(text))


def wing(exhibits: Sequence[Exhibit], name: str) -> Html:
    """All exhibits of one wing: their curves side by side, what the models say, then each by itself."""
    here = [exhibit for exhibit in exhibits if exhibit.wing == name]
    trained = [exhibit for exhibit in here if exhibit.trial and not exhibit.trial.error]
    parts = [f'<div class="tfm"><style>{_style()}</style></div>']
    if trained:
        parts += [curves(trained)._repr_html_(), _sayings(trained)]
    parts += map(_html, here)
    text = [_text(exhibit) for exhibit in here]
    return Html("\n".join(parts), "\n\n".join(text) or f"{WINGS[name]}: no exhibit yet.")


def curves(trained: Sequence[Exhibit]) -> Picture:
    """The loss of each beside that of the right model."""
    reference = trained[0].reference
    columns = min(2, len(trained))
    rows = -(-len(trained) // columns)
    made, axes = figure(4.4, 0.5 + 1.15 * rows)
    axes.remove()
    top = 1.2 * max(max(trial.losses) for trial in (reference, *(exhibit.trial for exhibit in trained)))
    for i, exhibit in enumerate(trained):
        axes = made.add_subplot(rows, columns, i + 1)
        axes.spines[["top", "right"]].set_visible(False)
        axes.patch.set_visible(False)
        for trial, look in (
            (reference, {"color": PALETTE["mask"][0], "linestyle": "--"}),
            (exhibit.trial, {"color": PALETTE["query"][0], "linewidth": 2}),
        ):
            steps = range(LOG_EVERY, LOG_EVERY * len(trial.losses) + 1, LOG_EVERY)
            axes.semilogy(steps, trial.losses, **look)
        axes.set_ylim(0.005, top)
        axes.set_yticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
        axes.minorticks_off()
        axes.set_title(_short(exhibit.name), fontsize=9)
        axes.tick_params(labelsize=9)
        if i % columns == 0:
            axes.set_ylabel("loss", fontsize=9)
        end = LOG_EVERY * len(reference.losses)
        axes.set_xticks([0, end // 2, end])
        if i >= len(trained) - columns:
            axes.set_xlabel("step", fontsize=9)
    return plot(
        made,
        title=f"{WINGS[trained[0].wing]}. The loss with the mistake, and (dashed) without it",
        alt="Loss, on a logarithmic scale, against training step. At the end: "
        + "; ".join(f"{exhibit.name}, {_last(exhibit.trial)}" for exhibit in trained)
        + f"; without a mistake, {_last(reference)}.",
    )


def _short(name: str) -> str:
    return name if len(name) <= 28 else name[:28].rsplit(" ", 1)[0] + " …"


def _last(trial: Trial) -> str:
    return f"{trial.losses[-1]:.2f}"


def _sayings(trained: Sequence[Exhibit]) -> str:
    rows = [("without a mistake", "", trained[0].reference)]
    rows += [(exhibit.name, exhibit.anchor, exhibit.trial) for exhibit in trained]
    head = f"<th>With</th><th>Loss</th><th>Right of {N_SPOKEN}</th><th>What it then says</th>"
    body = ""
    for name, anchor, trial in rows:
        name = f'<a href="#{anchor}">{escape(name)}</a>' if anchor else escape(name)
        body += f"<tr><td>{name}</td><td>{_last(trial)}</td><td>{trial.right}</td><td>{_said(trial)}</td></tr>"
    return f'<table class="tfm table says"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _said(trial: Trial) -> str:
    """Its sentence; of a word again and again the first three, and nothing where it says nothing."""
    said = re.sub(r"(\S+)((?: \1){2})(?: \1)+", r"\1\2 …", trial.says)
    return f'<span lang="fr">{escape(said)}</span>' if said else "<em>nothing: its first word is &lt;eos&gt;</em>"


def _html(exhibit: Exhibit) -> str:
    title = CHAPTERS[exhibit.chapter][1]
    parts = [f'<p>Chapter <a href="{exhibit.page}">{exhibit.chapter} · {escape(title)}</a></p>', _code(exhibit)]
    if exhibit.plant:
        parts.append(f"<p>{marked_up(exhibit.plant.why)}</p>")
    for (exercise, _), verdict in zip(exhibit.found, exhibit.verdicts, strict=True):
        label = f"The check of exercise {exercise.number} finds it"
        if not exhibit.plant and verdict is exhibit.verdicts[0]:
            parts.append(f"<p>{label}:</p>{verdict._repr_html_()}")
        else:
            parts.append(f"<details><summary>{label}.</summary>{verdict._repr_html_()}</details>")
    summary = f"<summary><strong>{escape(exhibit.name)}</strong> <span>{marked_up(_seen(exhibit))}</span></summary>"
    return f'<details class="tfm exhibit" id="{exhibit.anchor}">{summary}\n{"".join(parts)}</details>'


def _seen(exhibit: Exhibit) -> str:
    """What is seen of it, in a line."""
    if exhibit.error:
        return _first(exhibit.error)
    if not exhibit.trial:
        return re.match(r".{40,}?[.!?](?= |$)|.*", exhibit.found[0][1].diagnosis)[0]
    return f"loss {_last(exhibit.trial)}, {exhibit.trial.right} of {N_SPOKEN} right"


def _first(error: Exception) -> str:
    """The first sentence of an error."""
    return f"{type(error).__name__}: {error}".split("; ")[0].split(". ")[0]


def _code(exhibit: Exhibit) -> str:
    if not any(callable(mistake.answer) for _, mistake in exhibit.found) and not exhibit.plant:
        ((_, line),) = exhibit.difference
        return f"<p>It is found with a pencil. With the mistake: <code>{escape(line)}</code></p>"
    lines = ""
    for mark, line in exhibit.difference:
        lines += f'<span class="{mark}"><i>{SIGN[mark]}</i> {escape(line)}\n</span>'
    label = f"{escape(exhibit.name)}: the wrong line is marked ✗, the right one ✓"
    return f'<pre tabindex="0" data-lm-suppress-shortcuts="true" role="group" aria-label="{label}">{lines}</pre>'


def _text(exhibit: Exhibit) -> str:
    lines = [f"{exhibit.name}: {_seen(exhibit)}", *(f"{SIGN[m]} {line}".rstrip() for m, line in exhibit.difference)]
    return "\n".join(lines)


def _style() -> str:
    def colours(page):
        return f"--wrong:{PALETTE['query'][page]};--good:{PALETTE['value'][page]}"

    return (
        f".tfm.exhibit{{{colours(0)}}}{DARK_PAGE} .tfm.exhibit{{{colours(1)}}}"
        ".tfm.exhibit{border-top:1px solid rgba(128,128,128,.4);padding:.45em 0}"
        ".tfm.exhibit[open]{padding-bottom:1.2em}.tfm.exhibit summary strong{margin-right:.4em}"
        ".tfm.exhibit p{margin:.4em 0;color:inherit}.tfm.exhibit details{margin-top:.6em}"
        "@media print{.tfm.exhibit::details-content{content-visibility:visible;block-size:auto}}"
        ".tfm.exhibit>pre{margin:.5em 0;padding:.5em 0;border:0;border-radius:3px;color:inherit;font-size:.85em;"
        "line-height:1.5;overflow-x:auto;white-space:pre;background:rgba(128,128,128,.12)}"
        ".tfm.exhibit>pre span{display:block;width:max-content;min-width:100%;padding:0 .8em;box-sizing:border-box;"
        "border-left:4px solid transparent}"
        ".tfm.exhibit>pre i{font-style:normal;font-weight:700}"
        ".tfm.exhibit>pre .wrong{border-color:var(--wrong);background:rgba(128,128,128,.14)}"
        ".tfm.exhibit>pre .right{border-color:var(--good);background:rgba(128,128,128,.14)}"
        ".tfm.exhibit>pre .wrong i{color:var(--wrong)}.tfm.exhibit>pre .right i{color:var(--good)}"
        # JupyterLab takes the marker of a summary away.
        ".tfm.exhibit summary{cursor:pointer;list-style:none}.tfm.exhibit summary::-webkit-details-marker{display:none}"
        '.tfm.exhibit summary::before{content:"▸ " / ""}'
        '.tfm.exhibit[open]>summary::before,.tfm.exhibit [open]>summary::before{content:"▾ " / ""}'
        ".tfm.exhibit code{font-size:.9em}"
        ".tfm.says{margin-top:1.2em}"
        ".tfm.says td,.tfm.guide td{vertical-align:top;text-align:left}.tfm.says th,.tfm.guide th{text-align:left}"
        ".tfm.guide td:first-child{min-width:7em}"
    )
