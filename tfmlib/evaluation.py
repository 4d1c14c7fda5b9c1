"""How good is it? Exact match, BLEU, chrF, coreference, and whether the heads look where they should."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import torch
from sacrebleu.metrics import BLEU, CHRF
from tqdm import tqdm

from tfmlib.attention import record_attention
from tfmlib.checkpoint import Translator
from tfmlib.corpus import Sentence
from tfmlib.vocabulary import BOS, SPECIALS, pad

Links = set[tuple[int, int]]  # (i, j): source word i and target word j


@dataclass(frozen=True)
class Scores:
    """How near translations come to their references: exact is a share of 1, BLEU and chrF go up to 100."""

    sentences: int
    exact: float
    bleu: float
    chrf: float
    signature: str


def score(translations: Sequence[str], references: Sequence[str], language: str | None = None) -> Scores:
    """Compare each translation with its one reference, over the whole corpus.

    Exact is the share of translations that are the reference, letter for letter. BLEU (Papineni et al., 2002) and
    chrF (Popović, 2015) are sacrebleu's (Post, 2018), whose signature says how they were computed; Chinese
    (`language` "zh") is cut into characters.
    """
    if not references or len(translations) != len(references):
        raise ValueError(f"got {len(translations)} translations and {len(references)} references; wanted one for one.")
    bleu, chrf = BLEU(trg_lang=language or ""), CHRF()
    exact = sum(map(str.__eq__, translations, references)) / len(references)
    points = [metric.corpus_score(translations, [references]).score for metric in (bleu, chrf)]
    return Scores(len(references), exact, *points, f"BLEU {bleu.get_signature()}, chrF {chrf.get_signature()}")


def coreference_pairs(right: Sequence[bool]) -> float:
    """Share of minimal pairs, items 2k and 2k + 1, of which both sides are right: guessing alike gets 0."""
    if not right or len(right) % 2:
        raise ValueError(f"got {len(right)} sentences; the two of a minimal pair stand side by side.")
    return sum(a and b for a, b in zip(right[::2], right[1::2], strict=True)) / (len(right) // 2)


def pronouns_right(words: Iterable[Sequence[str]], sentences: Iterable[Sentence], target: str) -> float | None:
    """Share of the pronouns that the translation, as words, has at the reference's place; None if there are none."""
    right = [
        p.word[target] < len(translation) and translation[p.word[target]] == sentence.words[target][p.word[target]]
        for translation, sentence in zip(words, sentences, strict=True)
        for p in sentence.pronouns
        if p.word.get(target) is not None
    ]
    return sum(right) / len(right) if right else None


def alignment_error_rate(found: Iterable[Links], sure: Iterable[Links], possible: Iterable[Links]) -> float:
    """AER = 1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|), each count summed over the sentences (Och & Ney, 2003).

    A are the links found, S the sure ones and P the possible ones, which hold S. 0 is perfect.
    """
    hits = total = 0
    for a, s, p in zip(found, sure, possible, strict=True):
        hits += len(a & s) + len(a & p)
        total += len(a) + len(s)
    return 1 - hits / total


def strongest(weights: torch.Tensor) -> Links:
    """Link each target word to the source word that it gives the most weight. Shape: (T, S)."""
    return {(i, j) for j, i in enumerate(weights.argmax(-1).tolist())}


def diagonal(n_source: int, n_target: int) -> Links:
    """Link each target word to the source word at the same part of the way: what needs no attention."""
    return {((2 * j + 1) * n_source // (2 * n_target), j) for j in range(n_target)}


def languages(translator: Translator) -> tuple[str, str]:
    """The languages of a translator that works on the words of `tfmlib.corpus`.

    Raises:
        ValueError: it works on something else.
    """
    vocabularies = translator.source_vocabulary, translator.target_vocabulary
    found = tuple(v.language if getattr(v, "level", None) == "word" else None for v in vocabularies)
    if None in found:
        raise ValueError("this model was not trained on the words of the built-in corpus; give --pairs FILE.")
    return found


def attention_on_references(
    translator: Translator, sentences: Sequence[Sentence], batch: int = 64
) -> Iterator[dict[str, torch.Tensor]]:
    """Give, for each sentence, the weights of every layer and head while the decoder is fed the reference.

    Row j of a decoder's weights belongs to the step that writes target word j: its *input* is word j − 1, and
    ``<bos>`` for the first. The step that writes ``<eos>`` and the padding are cut off.

    Returns dicts from the name of an attention to its weights: "encoder.layers.0.self_attention" (H, S, S),
    "decoder.layers.0.self_attention" (H, T, T), "decoder.layers.0.cross_attention" (H, T, S).
    """
    source, target = languages(translator)
    device = next(translator.model.parameters()).device
    for start in range(0, len(sentences), batch):
        ids = [
            [
                vocabulary.encode(" ".join(sentence.words[language]), strict=False)
                for sentence in sentences[start : start + batch]
            ]
            for vocabulary, language in (
                (translator.source_vocabulary, source),
                (translator.target_vocabulary, target),
            )
        ]
        with torch.inference_mode(), record_attention(translator.model) as weights:
            translator.model(pad(ids[0]).to(device), pad([[BOS, *words] for words in ids[1]]).to(device))
        weights = {name: w[0].cpu() for name, w in weights.items()}
        for b, (S, T) in enumerate(zip(map(len, ids[0]), map(len, ids[1]), strict=True)):
            sizes = {
                "encoder.self_attention": (S, S),
                "decoder.self_attention": (T, T),
                "decoder.cross_attention": (T, S),
            }
            yield {name: w[b, :, : sizes[_kind(name)][0], : sizes[_kind(name)][1]] for name, w in weights.items()}


def _kind(name: str) -> str:
    """decoder.layers.0.cross_attention → decoder.cross_attention"""
    parts = name.split(".")
    return f"{parts[0]}.{parts[-1]}"


Head = tuple[str, int]  # the attention's name, and which of its heads


@dataclass(frozen=True)
class AlignmentErrors:
    """The alignment error rate of each cross-attention head, of the mean of all heads, and of the diagonal."""

    heads: dict[Head, float]
    mean: float
    diagonal: float

    @property
    def best(self) -> Head:
        """The head with the lowest error."""
        return min(self.heads, key=self.heads.get)


def alignment_errors(translator: Translator, sentences: Sequence[Sentence]) -> AlignmentErrors:
    """Link each word of the reference to the source word that a head looks at most while it is written."""
    source, target = languages(translator)
    truth = [sentence.alignment(source, target) for sentence in sentences]
    found: dict[Head | str, list[Links]] = {}
    for sentence, weights in zip(sentences, attention_on_references(translator, sentences), strict=True):
        cross = {name: w for name, w in weights.items() if _kind(name) == "decoder.cross_attention"}
        for name, w in cross.items():
            for h, head in enumerate(w):
                found.setdefault((name, h), []).append(strongest(head))
        found.setdefault("mean", []).append(strongest(torch.cat(list(cross.values())).mean(0)))
        lengths = len(sentence.words[source]), len(sentence.words[target])
        found.setdefault("diagonal", []).append(diagonal(*lengths))
    sure, possible = [t.sure for t in truth], [t.possible for t in truth]
    rates = {key: alignment_error_rate(links, sure, possible) for key, links in found.items()}
    return AlignmentErrors(mean=rates.pop("mean"), diagonal=rates.pop("diagonal"), heads=rates)


def antecedent_preference(translator: Translator, sentences: Sequence[Sentence]) -> tuple[dict[Head, float], int]:
    """How often a head gives the pronoun's antecedent more weight than its rival, and over how many pronouns.

    Cross-attention is looked at while the pronoun is written, the encoder's self-attention in the row of the
    source's pronoun. A coin gets one half.
    """
    source, target = languages(translator)
    wins: dict[Head, int] = {}
    n = 0
    for sentence, weights in zip(sentences, attention_on_references(translator, sentences), strict=True):
        for pronoun in sentence.pronouns:
            if pronoun.rival is None:
                continue
            n += 1
            rows = {"encoder.self_attention": pronoun.word[source], "decoder.cross_attention": pronoun.word[target]}
            right, wrong = pronoun.antecedent[source], pronoun.rival[source]
            for name, w in weights.items():
                if _kind(name) in rows:
                    row = w[:, rows[_kind(name)]]  # (H, S)
                    for h, won in enumerate((row[:, right] > row[:, wrong]).tolist()):
                        wins[name, h] = wins.get((name, h), 0) + won
    return {head: count / n for head, count in wins.items()}, n


@dataclass(frozen=True)
class Evaluation:
    """The scores of one split; what a split cannot have is None."""

    split: str
    scores: Scores
    coreference: float | None = None
    pronouns: float | None = None
    alignment: AlignmentErrors | None = None


def _translations(translator: Translator, sources: Sequence[str], beam: int, chunk: int = 256) -> list[str]:
    starts = tqdm(range(0, len(sources), chunk), unit="chunk", leave=False, disable=None)  # None: only on a terminal
    return [text for i in starts for text in translator.translate(sources[i : i + chunk], beam, strict=False)]


def evaluate_pairs(translator: Translator, pairs: Sequence[tuple[str, str]], split: str, beam: int = 1) -> Evaluation:
    """Translate the sources of `pairs` and compare with the targets; an unknown word becomes ``<unk>``."""
    translations = _translations(translator, [source for source, _ in pairs], beam)
    language = getattr(translator.target_vocabulary, "language", None)
    return Evaluation(split, score(translations, [target for _, target in pairs], language))


def evaluate_corpus(translator: Translator, sentences: Sequence[Sentence], split: str, beam: int = 1) -> Evaluation:
    """Translate sentences of `tfmlib.corpus`, whose alignment and antecedents are known."""
    source, target = languages(translator)
    translations = _translations(translator, [" ".join(s.words[source]) for s in sentences], beam)
    references = [sentence.text(target) for sentence in sentences]
    right = [translation == reference for translation, reference in zip(translations, references, strict=True)]
    return Evaluation(
        split,
        score(translations, references, target),
        coreference_pairs(right) if split == "coreference" else None,
        pronouns_right(map(translator.target_vocabulary.tokenize, translations), sentences, target),
        alignment_errors(translator, sentences),
    )


def table(evaluations: Sequence[Evaluation]) -> str:
    """One row a split, in Markdown; exact match, coreference and pronouns in percent; no column that nobody has."""
    columns = {
        "split": lambda e: e.split.replace("_", " "),
        "sentences": lambda e: f"{e.scores.sentences:,}",
        "exact %": lambda e: _percent(e.scores.exact),
        "BLEU": lambda e: f"{e.scores.bleu:.1f}",
        "chrF": lambda e: f"{e.scores.chrf:.1f}",
        "coreference pairs %": lambda e: _percent(e.coreference),
        "pronouns %": lambda e: _percent(e.pronouns),
        "alignment error: best head": lambda e: _rate(e.alignment and min(e.alignment.heads.values())),
        "mean of heads": lambda e: _rate(e.alignment and e.alignment.mean),
        "diagonal": lambda e: _rate(e.alignment and e.alignment.diagonal),
    }
    cells = {name: [cell(e) for e in evaluations] for name, cell in columns.items()}
    cells = {name: column for name, column in cells.items() if set(column) != {NONE}}
    return _markdown(list(cells), list(zip(*cells.values(), strict=True)))


def table_of_heads(translator: Translator, sentences: Sequence[Sentence]) -> str:
    """One row a head, in Markdown: its alignment error, and how often it prefers the antecedent to the rival."""
    errors = alignment_errors(translator, sentences).heads
    preference, n = antecedent_preference(translator, sentences)
    rows = [[name, str(h), _rate(errors.get((name, h))), _percent(share)] for (name, h), share in preference.items()]
    return _markdown(("attention", "head", "alignment error", f"prefers the antecedent ({n:,} pronouns) %"), rows)


NONE = "–"


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.1f}"


def _rate(rate: float | None) -> str:
    return NONE if rate is None else f"{rate:.3f}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in lines
    )


NAMES = {"en": "English", "fr": "French", "zh": "Chinese"}


def card(
    translator: Translator, evaluations: Sequence[Evaluation], coreference: Sequence[Sentence], command: str
) -> str:
    """Write the model's card, in Markdown: how it came to be, what it can and cannot do, with measured figures.

    Args:
        evaluations: of all splits.
        coreference: sentences of that split, for the table of heads.
        command: what made the model.
    """
    source, target = (NAMES[language] for language in languages(translator))
    n_words = [len(v) - len(SPECIALS) for v in (translator.source_vocabulary, translator.target_vocabulary)]
    n_parameters = sum(p.numel() for p in translator.model.parameters())
    sizes = ", ".join(f"{name} {value}" for name, value in asdict(translator.model.config).items())
    signature = re.sub(r"\|version:[\d.]+", "", evaluations[0].scores.signature)
    exact = {e.split: _percent(e.scores.exact) for e in evaluations}
    # Of the three languages French alone has a gender for each noun, which the pronoun shows.
    pronoun = "its translation changes" if target == NAMES["fr"] else f"{target} has the same pronoun in both"
    return f"""# A small Transformer, {source} → {target}

`python -m tfmlib train` wrote this page, with the model beside it; each figure was measured then.

## How it came to be

It was trained from nothing by

```
{command}
```

on sentences of `tfmlib.corpus`, which a grammar makes: no text of other people is in it. It has {n_parameters:,}
parameters and knows {n_words[0]:,} {source} and {n_words[1]:,} {target} words.

Sizes: {sizes}.

## What it can do

It translates {source} sentences that are like those of the corpus, also such as it has not seen. Greedily, one word
after the other:

{table(evaluations)}

- *held out*: sentences that are not in training; *new combinations*: each word is, the pair of words is not;
  *new structures*: deeper or longer than any in training; *coreference*: pairs that differ in one adjective, which
  decides what the pronoun stands for; {pronoun}.
- *exact*: the translation is the reference, letter for letter. *Coreference pairs*: both sides are exact.
  *Pronouns*: the right one stands at its place.
- *Alignment error* (Och & Ney, 2003): 0 is perfect; each {target} word is linked to the {source} word that the head
  looks at most while it is written. *Diagonal* is what no attention at all would get.
- {signature}

Which head finds what a pronoun stands for? On the coreference split, with the reference as the target; a coin gets 50:

{table_of_heads(translator, coreference)}

## What it cannot do

- A word that it does not know is an error. It has never seen text by people, and is of no use for it.
- Where the sentences are deeper or longer than in training it is exact in {exact["new_structures"]} % only, against
  {exact["held_out"]} % on those that are like the training.
- A head that looks at the right word need not be the reason for the right translation.
"""
