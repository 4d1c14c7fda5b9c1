"""What the learner sees: a word, a few sentences, and the evidence, on a page or in a terminal."""

import re
import textwrap
from dataclasses import dataclass
from html import escape

from tfmlib.draw.picture import DARK_PAGE, PALETTE

from .writing import MARK

WORDS = {"right": "Right", "waiting": "Waiting", "wrong": "Not yet", "hint": "Hint"}
TONES = {"right": "value", "waiting": "key", "wrong": "query", "hint": "source"}  # colours of the palette


@dataclass(frozen=True, repr=False)
class Verdict:
    """What is said on an answer to an exercise, or to whoever asks for a hint.

    Args:
        kind: "right", "waiting" (nothing is written yet), "wrong" or "hint".
        number: the exercise's, such as "3.2".
        sentences: paragraphs; code stands between backticks.
        evidence: pairs of what is shown and the text that shows it, such as ("expected", "[[1, 0]]").
    """

    kind: str
    number: str
    sentences: tuple[str, ...]
    evidence: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        lines = [f"{WORDS[self.kind]} · exercise {self.number}", *self.sentences]
        for label, text in self.evidence:
            lines += [f"{label}:", textwrap.indent(text, "    ")]
        return re.sub("|".join(MARK), "", "\n".join(lines))

    def _repr_html_(self) -> str:
        sentences = "".join(f"<p>{marked_up(sentence)}</p>\n" for sentence in self.sentences)
        boxes = "".join(_box(f"Exercise {self.number}", label, text) for label, text in self.evidence)
        return (
            f'<div class="tfm verdict {self.kind}" role="note" aria-label="Exercise {self.number}">\n'
            f"<style>{_style()}</style>\n"
            f"<p><strong>{WORDS[self.kind]}</strong> · exercise {self.number}</p>\n"
            f'{sentences}<div class="evidence">\n{boxes}</div>\n</div>'
        )


def _box(name: str, label: str, text: str) -> str:
    """Evidence, in a box that scrolls by itself on a narrow page, with the arrow keys too: else JupyterLab has them."""
    text = escape(text).replace(MARK[0], "<mark>").replace(MARK[1], "</mark>")
    keys = f'tabindex="0" data-lm-suppress-shortcuts="true" role="group" aria-label="{name}: {label}"'
    return f"<div><p>{label}:</p><pre {keys}>{text}</pre></div>\n"


def marked_up(sentence: str) -> str:
    """A sentence as HTML: `code` between backticks, *emphasis* between asterisks."""

    def element(match: re.Match) -> str:
        code, words = match.groups()
        return f"<code>{code}</code>" if code else f"<em>{words}</em>"

    return re.sub(r"`(.+?)`|\*(\w[^*`]*)\*", element, escape(sentence))


def _style() -> str:
    light, dark = (
        "".join(f".tfm.{kind}{{--tone:{PALETTE[tone][page]}}}" for kind, tone in TONES.items()) for page in (0, 1)
    )
    return (
        f"{light}{dark.replace('.tfm.', f'{DARK_PAGE} .tfm.')}"
        ".tfm.verdict{border-left:4px solid var(--tone);padding:.1em 0 .1em 1em;overflow-wrap:break-word}"
        ".tfm.verdict p{margin:.3em 0;color:inherit}.tfm.verdict strong{color:var(--tone)}"
        ".tfm.verdict pre,.tfm.verdict code{margin:0;border:0;border-radius:3px;color:inherit;font-size:.9em;"
        "background:rgba(128,128,128,.12)}.tfm.verdict code{padding:.1em .3em}"
        ".tfm.verdict pre{padding:.4em .6em;line-height:1.5;overflow-x:auto;white-space:pre}"
        ".tfm.verdict mark{background:none;color:inherit;font-weight:700;padding:0;text-decoration:underline 2px}"
        ".tfm .evidence{display:flex;flex-wrap:wrap;gap:0 1.5em}.tfm .evidence>div{max-width:100%}"
        ".tfm .evidence>div:first-child{flex-basis:100%}"
    )
