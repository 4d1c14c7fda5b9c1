"""Softmax in the reader's hand: scores, weights and entropy, and a slider for the temperature."""

import math
from collections.abc import Sequence
from html import escape

from .picture import PALETTE, Picture, script, style, text_width

ROW, BAR = 26, 16  # the height of a row and of its bar
COLDEST = 0.1  # the lowest temperature; the highest is 1 / COLDEST


def softmax_view(
    scores,
    words: Sequence[str],
    *,
    title: str,
    alt: str,
    role: str = "key",
    digits: int = 2,
    top_k: bool = False,
    top_p: bool = False,
    others: Sequence[float] = (),
) -> Picture:
    """Scores, the weights that softmax makes of them, their entropy, and a slider for the temperature τ.

    The weights are softmax(scores / τ). Without JavaScript the page shows them at τ = 1.

    Args:
        scores: n numbers, -inf where a word is masked.
        words: n words.
        role: a name of the palette; it colours the words and the bars.
        digits: how many decimals of the scores are written.
        top_k, top_p: whether there are sliders for these too, which leave words out as
            `tfmlib.decoding.next_word_probabilities` does.
        others: scores of further words, which share the softmax and have one row together, the last; the slider for
            top-k goes from 1 to n, and then to all.
    """
    if len(shape := getattr(scores, "shape", (0,))) != 1:
        raise ValueError(f"scores of the shape {tuple(shape)}; wanted (n,), those of one word.")
    scores, words = [float(score) for score in scores], list(words)
    if len(scores) != len(words):
        raise ValueError(f"there are {len(scores)} scores and {len(words)} words; each word has one score.")
    for word, score in zip(words, scores, strict=True):
        if math.isnan(score) or score == math.inf:
            raise ValueError(f"the score of {word!r} is {score}; wanted is a number, or -inf where it is masked.")
    if not any(map(math.isfinite, scores)):
        raise ValueError("there is nothing to draw: no word with a score." if words else "there is nothing to draw.")
    if role not in PALETTE:
        raise ValueError(f"there is no role {role!r}; there are {', '.join(PALETTE)}.")
    every = [*scores, *map(float, others)]
    if not all(map(math.isfinite, every[len(scores) :])):
        raise ValueError("a score among the others is no finite number.")
    n, largest = len(every), max(every)
    weights = [math.exp(score - largest) for score in every]
    weights = [weight / sum(weights) for weight in weights]
    bits = -sum(weight * math.log2(weight) for weight in weights if weight)

    header = "score ÷ τ"
    extremes = [_round(score / COLDEST, digits) for score in scores]
    rows = list(zip(words, [_round(score, digits) for score in scores], weights, strict=False))
    if len(others):
        rows.append((f"{len(others)} others", "", sum(weights[len(words) :])))
    number_width = max(map(text_width, [header, *extremes]))
    left = 2 + max(text_width(word) for word, _, _ in rows) + 12 + number_width + 10
    right = 6 + text_width("100.0 %")
    parts = [
        f'<g fill="currentColor" font-weight="600"><text x="-10" y="-6" text-anchor="end">{header}</text>'
        '<text x="0" y="-6">softmax</text></g>'
    ]
    for i, (word, score, weight) in enumerate(rows):
        middle = ROW * i + ROW / 2
        bar = f'y="{middle - BAR / 2:g}" height="{BAR}"'
        text = f'y="{middle + 4.5:g}" text-anchor="end"'
        parts.append(
            f'<text class="word" fill="var(--{role})" x="{-number_width - 22}" {text}>{escape(word)}</text>'
            f'<g fill="currentColor"><text class="score" x="-10" {text}>{score}</text>'
            f'<text class="percent" x="100%" dx="{right}" {text}>{_round(100 * weight, 1)} %</text></g>'
            f'<rect class="line" {bar} width="100%" stroke-opacity=".3"/>'
            f'<rect class="bar" {bar} width="{100 * weight:.2f}%" fill="var(--{role})"/>'
        )
    sliders = [_slider("temperature", "temperature τ", math.log10(COLDEST), -math.log10(COLDEST), 0.05, 0, "1.00")]
    if top_k:
        sliders.append(_slider("top_k", "top-k", 1, len(rows), 1, len(rows), str(n)))
    if top_p:
        sliders.append(_slider("top_p", "top-p", 0.05, 1, 0.05, 1, "1"))
    among = sum(map(math.isfinite, every))
    text = f"At τ = {{tau}}: entropy {{bits}} bits, as if spread evenly over {{even}} of {among} words."
    told = text.format(tau="1.00", bits=_round(bits, 2), even=_round(2**bits, 1))
    names = [word for word, _, _ in rows]
    data = {"scores": [s if math.isfinite(s) else None for s in every], "words": names, "digits": digits}
    return Picture(
        "\n".join(parts),
        left + 260 + right,
        24 + ROW * len(rows),
        title,
        alt,
        narrowest=left + 56 + right,
        padding=(24, right, 0, left),
        read=False,
        script=f"{style('softmax.css')}\n"
        f'<form class="sliders" style="--slider:var(--{role})" autocomplete="off" hidden>\n'
        + "\n".join(sliders)
        + f'\n<button type="button">back to {"the start" if top_k or top_p else "τ = 1"}</button>\n</form>\n'
        f'<output class="told" data-text="{escape(text)}">{told}</output>\n' + script("softmax.js", data),
    )


def _slider(name: str, label: str, low: float, high: float, step: float, start: float, told: str) -> str:
    """A slider; JupyterLab keeps the arrow keys for itself, but for such an element."""
    return (
        f'<label><span>{label} = <b>{told}</b></span><input type="range" name="{name}" min="{low:g}" max="{high:g}" '
        f'step="{step:g}" value="{start:g}" aria-label="{label}" aria-valuetext="{told}" '
        'data-lm-suppress-shortcuts="true"></label>'
    )


def _round(value: float, digits: int) -> str:
    """A number with so many decimals; halves go up, as the script has them."""
    if value == -math.inf:
        return "−∞"
    return f"{math.floor(value * 10**digits + 0.5) / 10**digits + 0.0:.{digits}f}".replace("-", "−")
