"""The exercises of chapter 1: ids on paper, one-hot vectors, a padded batch, one step of byte-pair merging."""

from collections import Counter
from itertools import pairwise

import numpy as np
import torch
from torch.nn.functional import one_hot

from tfmlib.vocabulary import EOS, PAD, UNK, pad

from .exercise import Exercise, Mistake

# ---- 1.1 Ids on paper: because 4, it 5, street 6, the 7, was 8, wide 9; "the street was too wide".

IDS_ON_PAPER = Exercise(
    number="1.1",
    name="answer",
    right=[7, 6, 8, 3, 9, 2],
    also_right=[(7, 6, 8, 3, 9, 2), torch.tensor([7, 6, 8, 3, 9, 2])],
    mistakes=[
        Mistake(
            [3, 2, 4, 3, 5, 2],
            "Your words count from 0, and there stand the four symbols: `<pad>` 0, `<bos>` 1, `<eos>` 2, `<unk>` 3. "
            "The first word of the table has the id 4.",
        ),
        Mistake(
            [8, 9, 5, 3, 6, 2],
            "Your table holds the words in the order in which they come. Sort them first: because, it, street, …",
        ),
        Mistake(
            [7, 6, 8, 3, 10, 2],
            "Your table holds “was” twice, so that all words behind it moved. Each word stands in the table once.",
        ),
        Mistake(
            [8, 7, 9, 3, 10, 2],
            "Your words are one too high: you gave the first word the id 5. The four symbols are 0 to 3, so it is 4.",
        ),
        Mistake(
            [8, 7, 9, 4, 10, 3],
            "Each of your ids is one too high: you count from 1. The first place of the table, `<pad>`, is 0.",
        ),
        Mistake([7, 6, 8, 3, 9], "The words are right. At the end `<eos>` is missing, which says that it is the end."),
        Mistake(
            [1, 7, 6, 8, 3, 9, 2],
            "The words are right, but you put `<bos>` in front. The question asks for the words and `<eos>`.",
        ),
        Mistake(
            [7, 6, 8, 9, 2],
            "You left out “too”, as it is not in the table. Its place in the sentence must stay: it becomes `<unk>`.",
        ),
        Mistake(
            [7, 6, 8, 10, 9, 2],
            "You gave “too” an id of its own, 10. The table was made without it and ends at 9; what is not in the "
            "table becomes `<unk>`.",
        ),
        Mistake(
            [7, 6, 9, 8, 10, 2],
            "You put “too” into the table, so that “was” and “wide” moved. The table is made from the first sentence "
            "alone; what is not in it becomes `<unk>`.",
        ),
        Mistake(
            [7, 6, 8, 0, 9, 2],
            "You wrote 0 for “too”. That is `<pad>`: nothing is here. A word that is not in the table is `<unk>`.",
        ),
    ],
    hints=[
        "Write the different words of the first sentence below one another, sorted. There are six.",
        "Number them. The ids 0 to 3 are taken by `<pad>`, `<bos>`, `<eos>` and `<unk>`, so “because” is 4.",
        "“too” is not among the six words: it becomes `<unk>`. Last of all comes `<eos>`. That makes six ids.",
    ],
)

# ---- 1.2 One-hot vectors.


def _rows_full(ids: torch.Tensor, size: int) -> torch.Tensor:
    X = torch.zeros(len(ids), size)
    X[ids] = 1
    return X


def _columns_full(ids: torch.Tensor, size: int) -> torch.Tensor:
    X = torch.zeros(len(ids), size)
    X[:, ids] = 1
    return X


def _into_a_copy(ids: torch.Tensor, size: int) -> torch.Tensor:
    X = torch.zeros(len(ids), size)
    X[torch.arange(len(ids))][:, ids] = 1
    return X


def _first_row_only(ids: torch.Tensor, size: int) -> torch.Tensor:
    X = torch.zeros(len(ids), size)
    X[0, ids[0]] = 1
    return X


def _in_lists(ids: torch.Tensor, size: int) -> list[list[int]]:
    return [[1 if column == i else 0 for column in range(size)] for i in ids.tolist()]


def _in_a_loop(ids: torch.Tensor, size: int) -> torch.Tensor:
    X = torch.zeros(len(ids), size, dtype=torch.float32)
    for row, i in enumerate(ids):
        X[row, i] = 1.0
    return X


def _in_one_step(ids: torch.Tensor, size: int) -> torch.Tensor:
    X = torch.zeros(len(ids), size)
    X[torch.arange(len(ids)), ids] = 1
    return X


def _as_wide_as_the_largest(ids: torch.Tensor, size: int) -> torch.Tensor:
    X = torch.zeros(len(ids), ids.max() + 1)
    X[torch.arange(len(ids)), ids] = 1
    return X


ONE_HOT = Exercise(
    number="1.2",
    name="one_hot",
    right=lambda ids, size: one_hot(ids, size),
    # Each id is smaller than the number of ids, so that X[ids] = 1 goes wrong without an error.
    inputs=lambda: [
        (torch.tensor([2, 0, 2]), 4),
        (torch.tensor([0]), 3),
        (torch.tensor([1, 3, 1, 0]), 6),
        (torch.tensor([4, 0, 2, 2, 1, 4]), 5),
    ],
    also_right=[
        _in_one_step,
        _in_lists,
        _in_a_loop,
        lambda ids, size: torch.eye(size)[ids],
        lambda ids, size: (ids[:, None] == torch.arange(size)).double(),
        lambda ids, size: torch.zeros(len(ids), size).scatter_(1, ids[:, None], 1.0),
        lambda ids, size: np.eye(size, dtype=int)[ids.numpy()],
    ],
    mistakes=[
        Mistake(
            lambda ids, size: torch.eye(size)[:, ids],
            "You give (size, S), a column for each word. Wanted is a row for each word, (S, size).",
        ),
        Mistake(
            lambda ids, size: torch.eye(size)[ids - 1],
            "Each 1 stands one column too far to the left, and id 0 landed in the last column: you count columns "
            "from 1. The 1 of id i stands in column i, counted from 0.",
        ),
        Mistake(
            lambda ids, size: torch.eye(len(ids), size),
            "Your 1 stands where the word stands in the sentence: first row, first column, and so on down. "
            "It has to stand where the word stands in the table: in the column of its id.",
        ),
        Mistake(
            _as_wide_as_the_largest,
            "You have as many columns as the largest id needs. The next sentence would get another width. Wanted are "
            "`size` columns, whichever ids come. (PyTorch's `one_hot` guesses the width, too, if you do not give it.)",
            classic="The width guessed from the ids",
        ),
        Mistake(
            _columns_full,
            "Every row has a 1 for every word of the sentence: `X[:, ids] = 1` fills these columns in all rows. "
            "A row and a column belong together: `X[torch.arange(len(ids)), ids] = 1`.",
        ),
        Mistake(
            _rows_full,
            "Some rows are full of 1s and others empty: `X[ids] = 1` takes the ids for numbers of rows. "
            "An id is the number of a column; the row is the place of the word in the sentence.",
            classic="X[ids] = 1 fills whole rows",
        ),
        Mistake(
            _into_a_copy,
            "All 0: your 1s did not arrive. `X[…][…] = 1` writes into a copy that is thrown away. "
            "Index once: `X[rows, columns] = 1`.",
        ),
        Mistake(
            lambda ids, size: one_hot(ids, size) * ids[:, None],
            "The right places, but you wrote the id there. It has to be a 1 for every word; with the id, the order of "
            "the table is back, and the row of id 0 is empty.",
        ),
        Mistake(
            lambda ids, size: (torch.arange(size) <= ids[:, None]).long(),
            "Your rows are 1 up to the id. That brings back an order: a large id would be “more”. "
            "Only the column of the id itself holds a 1.",
        ),
        Mistake(
            lambda ids, size: one_hot(ids, size).sum(0),
            "You give one vector that counts the words, so their order is lost. "
            "Wanted is a row for each word, (S, size).",
        ),
        Mistake(
            lambda ids, size: one_hot(ids.unique(), size),
            "A word that stands twice has one row only, and the rows are sorted by id. Each word of the sentence has "
            "its own row, at its own place.",
        ),
        Mistake(
            _first_row_only,
            "Only the first row has its 1: does `return` stand inside the loop? It belongs behind it, as far to the "
            "left as `for`.",
        ),
        Mistake(
            lambda ids, size: one_hot(ids, size)[0],
            "You give the row of the first word alone, (size,): does `return` stand inside the loop? "
            "Wanted is a row for each word, (S, size).",
        ),
        Mistake(
            lambda ids, size: torch.ones(len(ids), size),
            "All 1. Each row holds a single 1, in the column of its id, and 0 everywhere else.",
        ),
        Mistake(
            lambda ids, size: ids[:, None] == torch.arange(size),
            "The places are right, and True and False stand there. A network multiplies: it needs 1 and 0. "
            "With `.double()` behind it, True becomes 1.",
        ),
        Mistake(lambda ids, size: ids, "These are the ids again. Each of them becomes a row of `size` numbers."),
    ],
    hints=[
        "Begin with zeros: `torch.zeros(len(ids), size)` is (S, size). Which S of its numbers become 1?",
        "The 1 of row r stands in column `ids[r]`. A loop over the rows is fine.",
        "Without a loop: the rows are `torch.arange(len(ids))`, the columns `ids`; both go into one pair of brackets.",
    ],
)

# ---- 1.3 Ids of a batch: unknown words, the end, the padding.


def _ids(sentence: str, table: list[str], unknown: int | None = UNK) -> list[int]:
    ids = [table.index(word) if word in table else unknown for word in sentence.split()]
    return [i for i in ids if i is not None]


def _encode_batch(sentences: list[str], table: list[str]) -> torch.Tensor:
    return pad([[*_ids(sentence, table), EOS] for sentence in sentences])


def _filled(rows: list[list[int]], filler: int = 0) -> list[list[int]]:
    width = max(map(len, rows))
    return [row + [filler] * (width - len(row)) for row in rows]


def _pad_in_front(sentences: list[str], table: list[str]) -> list[list[int]]:
    rows = [[*_ids(sentence, table), EOS] for sentence in sentences]
    width = max(map(len, rows))
    return [[0] * (width - len(row)) + row for row in rows]


def _cut_to_the_shortest(sentences: list[str], table: list[str]) -> list[list[int]]:
    rows = [[*_ids(sentence, table), EOS] for sentence in sentences]
    return [row[: min(map(len, rows))] for row in rows]


def _with_a_table_of_its_own(sentences: list[str], table: list[str]) -> list[list[int]]:
    words = sorted({word for sentence in sentences for word in sentence.split()})
    return _filled([[*_ids(sentence, [*table[:4], *words]), EOS] for sentence in sentences])


def _numbered_as_they_come(sentences: list[str], table: list[str]) -> list[list[int]]:
    words = dict.fromkeys(word for sentence in sentences for word in sentence.split())
    return _filled([[*_ids(sentence, [*table[:4], *words]), EOS] for sentence in sentences])


def _by_pad_sequence(sentences: list[str], table: list[str]) -> torch.Tensor:
    numbers = {word: i for i, word in enumerate(table)}
    rows = [torch.tensor([*(numbers.get(word, 3) for word in sentence.split()), 2]) for sentence in sentences]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


def _encode_step_by_step(sentences: list[str], table: list[str]) -> torch.Tensor:
    rows = []
    for sentence in sentences:
        ids = [table.index(word) if word in table else UNK for word in sentence.split()]
        rows.append([*ids, EOS])
    return pad(rows)


def _end_behind_the_padding(sentences: list[str], table: list[str]) -> torch.Tensor:
    rows = []
    for sentence in sentences:
        ids = [table.index(word) if word in table else UNK for word in sentence.split()]
        rows.append(ids)
    return torch.tensor([[*row, EOS] for row in pad(rows).tolist()])


def _without_an_end(sentences: list[str], table: list[str]) -> torch.Tensor:
    rows = []
    for sentence in sentences:
        ids = [table.index(word) if word in table else UNK for word in sentence.split()]
        rows.append(ids)
    return pad(rows)


def _unknown_is_padding(sentences: list[str], table: list[str]) -> torch.Tensor:
    rows = []
    for sentence in sentences:
        ids = [table.index(word) if word in table else PAD for word in sentence.split()]
        rows.append([*ids, EOS])
    return pad(rows)


def _beyond_the_table(sentences: list[str], table: list[str]) -> torch.Tensor:
    rows = []
    for sentence in sentences:
        ids = [table.index(word) if word in table else len(table) for word in sentence.split()]
        rows.append([*ids, EOS])
    return pad(rows)


_TABLE = ["<pad>", "<bos>", "<eos>", "<unk>", "animal", "it", "tired", "was"]

ENCODE_BATCH = Exercise(
    number="1.3",
    name="encode_batch",
    right=_encode_batch,
    inputs=lambda: [
        (["it was tired", "it slept"], _TABLE),
        (["was it"], _TABLE),
        (["it", "the animal was very tired", "animal was it"], _TABLE),
    ],
    also_right=[
        _encode_step_by_step,
        lambda sentences, table: _filled([[*_ids(sentence, table), 2] for sentence in sentences]),
        lambda sentences, table: np.array(_filled([[*_ids(sentence, table), 2] for sentence in sentences])),
        _by_pad_sequence,
    ],
    mistakes=[
        Mistake(
            _end_behind_the_padding,
            "Your `<eos>` stands behind the padding. It says that the sentence ends, so it comes directly behind the "
            "last word, and the padding behind it: first `<eos>`, then fill up.",
            classic="<eos> behind the padding",
        ),
        Mistake(
            _without_an_end,
            "The words are right, but no sentence ends: `<eos>`, 2, is missing behind the last word of each.",
            classic="No <eos> at the end",
        ),
        Mistake(
            lambda sentences, table: _filled([[1, *_ids(s, table), EOS] for s in sentences]),
            "You put `<bos>` in front of each sentence. The question asks for `<eos>` at the end only.",
        ),
        Mistake(
            lambda sentences, table: _filled([[1, *_ids(s, table)] for s in sentences]),
            "You put `<bos>`, 1, in front. What is asked for is `<eos>`, 2, behind the last word.",
        ),
        Mistake(
            _pad_in_front,
            "Your padding stands in front of the short sentences. It belongs at their end, so that the first word of "
            "each sentence stands in the first column.",
        ),
        Mistake(
            lambda sentences, table: _filled([[*_ids(s, table), EOS] for s in sentences], EOS),
            "You fill up with `<eos>`, 2. A sentence ends once; what comes behind is `<pad>`, 0.",
        ),
        Mistake(
            _cut_to_the_shortest,
            "You cut the long sentences down to the shortest. Nothing may be lost: fill the short ones up.",
        ),
        Mistake(
            lambda sentences, table: _filled([[*_ids(s, table, None), EOS] for s in sentences]),
            "A word that is not in the table vanishes from your sentence. Its place must stay: it becomes `<unk>`, 3.",
        ),
        Mistake(
            _unknown_is_padding,
            "A word that is not in the table becomes 0 in your rows. That is `<pad>`, and the model will later skip it "
            "as if nothing stood there. Use `<unk>`, 3.",
            classic="An unknown word becomes padding",
        ),
        Mistake(
            _beyond_the_table,
            "A word that is not in the table gets the id `len(table)`, which lies beyond the table: its ids end at "
            "`len(table) - 1`. Use `<unk>`, 3.",
            classic="An id beyond the table",
        ),
        Mistake(
            lambda sentences, table: _filled(
                [[*(i if i == UNK else i - 4 for i in _ids(s, table)), EOS] for s in sentences]
            ),
            "Your words count from 0, where the four symbols stand. The table that you get holds the symbols already: "
            "the id of a word is its place in the whole table.",
        ),
        Mistake(
            lambda sentences, table: _filled(
                [[*(i if i == UNK else i + 4 for i in _ids(s, table)), EOS] for s in sentences]
            ),
            "Your words are four too high: you added 4 for the symbols. The table that you get holds them already: "
            "the id of a word is its place in the whole table.",
        ),
        Mistake(
            _with_a_table_of_its_own,
            "You number the words of these sentences anew. Then a word has another id in each batch. "
            "The ids are the places in `table`.",
        ),
        Mistake(
            _numbered_as_they_come,
            "You number the words of these sentences as they come. Then a word has another id in each batch. "
            "The ids are the places in `table`.",
        ),
        Mistake(
            lambda sentences, table: [[*_ids(s, table), EOS] for s in sentences],
            "The ids are right, but your rows differ in length, so that they are no tensor. Fill the shorter ones "
            "up with `<pad>`, 0.",
        ),
        Mistake(
            lambda sentences, table: [i for s in sentences for i in (*_ids(s, table), EOS)],
            "You give one long row. Wanted is a row for each sentence, all of the same length.",
        ),
        Mistake(
            lambda sentences, table: _filled([[*_ids(" ".join(s.replace(" ", "")), table), EOS] for s in sentences]),
            "Nearly all is 3, `<unk>`, and the rows are long: you walk over the letters of a sentence. "
            "`sentence.split()` gives its words.",
        ),
        Mistake(
            lambda sentences, table: _filled([[*(UNK for _ in s), EOS] for s in sentences]),
            "Each letter and each blank became 3, `<unk>`: a loop over a string goes over its letters. "
            "`sentence.split()` gives its words.",
        ),
    ],
    hints=[
        "Do it in two steps: first a list of ids for each sentence, with `<eos>` at its end, then the filling up.",
        "`table.index(word)` gives the id of a word that is in the table. Ask first: `word in table`. If not: 3.",
        "The width is the length of the longest list. A list times a number repeats it: `[0] * 2` is `[0, 0]`.",
    ],
)

# ---- 1.4 One step of byte-pair merging.

Words = list[tuple[list[str], int]]  # the pieces of each word, and how often the word occurs
Pair = tuple[str, str]


def _pairs(words: Words) -> Counter:
    found = Counter()
    for pieces, count in words:
        for pair in pairwise(pieces):
            found[pair] += count
    return found


def _first_of_the_most_frequent(pairs: Counter) -> Pair:
    return min(pairs, key=lambda pair: (-pairs[pair], pair))


def _join(pieces: list[str], pair: Pair, most: int | None = None, step: int = 2) -> list[str]:
    """Join `pair` in `pieces`, at most `most` times, going on `step` pieces behind a pair."""
    joined, i, n = [], 0, 0
    while i < len(pieces):
        if tuple(pieces[i : i + 2]) == pair and n != most:
            joined.append("".join(pair))
            i, n = i + step, n + 1
        else:
            joined.append(pieces[i])
            i += 1
    return joined


def _merge_once(words: Words) -> list[list[str]]:
    pair = _first_of_the_most_frequent(_pairs(words))
    return [_join(pieces, pair) for pieces, _ in words]


def _types(words: Words) -> list[list[str]]:
    pair = _first_of_the_most_frequent(_pairs([(pieces, 1) for pieces, _ in words]))
    return [_join(pieces, pair) for pieces, _ in words]


def _across_words(words: Words) -> list[list[str]]:
    text = [piece for pieces, count in words for piece in pieces * count]
    pair = _first_of_the_most_frequent(_pairs([(text, 1)]))
    return [_join(pieces, pair) for pieces, _ in words]


def _seen_first(words: Words) -> list[list[str]]:
    pair = _pairs(words).most_common(1)[0][0]
    return [_join(pieces, pair) for pieces, _ in words]


def _last_in_the_alphabet(words: Words) -> list[list[str]]:
    pairs = _pairs(words)
    pair = max(pairs, key=lambda pair: (pairs[pair], pair))
    return [_join(pieces, pair) for pieces, _ in words]


def _either_order(words: Words) -> list[list[str]]:
    pairs = Counter()
    for pair, count in _pairs(words).items():
        pairs[tuple(sorted(pair))] += count
    pair = _first_of_the_most_frequent(pairs)
    return [_join(pieces, pair) for pieces, _ in words]


def _first_only(words: Words) -> list[list[str]]:
    pair = _first_of_the_most_frequent(_pairs(words))
    return [_join(pieces, pair, most=1) for pieces, _ in words]


def _second_piece_stays(words: Words) -> list[list[str]]:
    pair = _first_of_the_most_frequent(_pairs(words))
    return [_join(pieces, pair, step=1) for pieces, _ in words]


def _overlapping(words: Words) -> list[list[str]]:
    pair = _first_of_the_most_frequent(_pairs(words))
    merged = []
    for pieces, _ in words:
        found = [both == pair for both in pairwise(pieces)]
        starts, ends = [*found, False], [False, *found]
        merged.append(["".join(pair) if s else p for p, s, e in zip(pieces, starts, ends, strict=True) if s or not e])
    return merged


def _last_piece_lost(words: Words) -> list[list[str]]:
    return [
        new[:-1] if new[-1] == pieces[-1] else new for new, (pieces, _) in zip(_merge_once(words), words, strict=True)
    ]


def _join_text(pieces: list[str], text: str) -> list[str]:
    joined, i = [], 0
    while i < len(pieces):
        both = "".join(pieces[i : i + 2])
        step = 2 if both == text and i + 1 < len(pieces) else 1
        joined.append("".join(pieces[i : i + step]))
        i += step
    return joined


def _counted_as_text(words: Words) -> list[list[str]]:
    counts = Counter()
    for pair, count in _pairs(words).items():
        counts["".join(pair)] += count
    text = min(counts, key=lambda text: (-counts[text], text))
    return [_join_text(pieces, text) for pieces, _ in words]


def _joined_by_text(words: Words) -> list[list[str]]:
    text = "".join(_first_of_the_most_frequent(_pairs(words)))
    return [_join_text(pieces, text) for pieces, _ in words]


def _in_a_string(words: Words) -> list[list[str]]:
    pair = _first_of_the_most_frequent(_pairs(words))
    return [" ".join(pieces).replace(" ".join(pair), "".join(pair)).split() for pieces, _ in words]


def _to_the_end(words: Words) -> list[list[str]]:
    while _pairs(words):
        words = [(pieces, count) for pieces, (_, count) in zip(_merge_once(words), words, strict=True)]
    return [pieces for pieces, _ in words]


def _least_frequent(words: Words) -> list[list[str]]:
    pairs = _pairs(words)
    pair = min(pairs, key=lambda pair: (pairs[pair], pair))
    return [_join(pieces, pair) for pieces, _ in words]


def _from_the_left_into_the_last(words: Words) -> list[list[str]]:
    pair = max(sorted(_pairs(words).items()), key=lambda item: item[1])[0]
    merged = []
    for pieces, _ in words:
        new = []
        for piece in pieces:
            if new and (new[-1], piece) == pair:
                new[-1] += piece
            else:
                new.append(piece)
        merged.append(new)
    return merged


def _letters(*words: tuple[str, int]) -> Words:
    return [(text.split(), count) for text, count in words]


MERGE_ONCE = Exercise(
    number="1.4",
    name="merge_once",
    right=_merge_once,
    inputs=lambda: [
        (_letters(("d i d", 4), ("w i d e", 5), ("s i d e", 3)),),
        (_letters(("t o", 9), ("w i d e", 1), ("s i d e", 1), ("r i d e", 1)),),  # the count of a word counts
        (_letters(("t o", 3), ("t a", 2)),),  # nothing is joined across words
        (_letters(("n o", 3), ("a t", 4), ("o n", 3)),),  # a pair has an order
        (_letters(("n o t", 2), ("a s", 2)),),  # of equals the first in the alphabet
        (_letters(("o o o h", 3), ("o o o o", 2)),),  # twice in a word, and overlapping
        # A piece may have several letters; two pairs may join to one text.
        (_letters(("id e", 4), ("brid e", 1), ("i de", 1), ("st op", 3), ("s top", 3)),),
    ],
    also_right=[_from_the_left_into_the_last, lambda words: tuple(map(tuple, _merge_once(words)))],
    mistakes=[
        Mistake(
            _types,
            "You count each word once. A word that occurs nine times brings its pairs nine times: add its count.",
        ),
        Mistake(
            _across_words,
            "You count the last piece of a word and the first of the next as a pair. Pairs lie inside a word: count "
            "each word on its own.",
        ),
        Mistake(
            _seen_first,
            "Of two pairs that are equally frequent you take the one that you saw first. Then the order of the words "
            "would decide; wanted is the first in alphabetical order.",
        ),
        Mistake(
            _last_in_the_alphabet,
            "Of two pairs that are equally frequent you take the last in alphabetical order; wanted is the first. "
            "`max` over `(count, pair)` does that: take `min` over `(-count, pair)`.",
        ),
        Mistake(
            _either_order,
            "You count “n o” and “o n” as one pair. A pair has an order: they are two.",
        ),
        Mistake(
            _least_frequent,
            "You join the rarest pair. The most frequent one is joined, because it saves the most pieces.",
        ),
        Mistake(
            _first_only,
            "In a word that holds the pair twice you join it once. Join it wherever it stands.",
        ),
        Mistake(
            _second_piece_stays,
            "The second half of the pair stands there twice, in the new piece and once more behind it. After a pair "
            "go on two pieces, not one.",
        ),
        Mistake(
            _overlapping,
            "In “o o o” you use the middle piece twice, for two pairs that overlap. A piece that is joined is used up: "
            "from left to right, “o o o” becomes “oo o”.",
        ),
        Mistake(
            _last_piece_lost,
            "The last piece of a word gets lost unless it is joined: a loop over neighbours ends one piece early. "
            "What is left at the end must be appended.",
        ),
        Mistake(
            _counted_as_text,
            "You count the joined text, not the pair: “st” + “op” and “s” + “top” are two different pairs, although "
            "both join to “stop”. Count the tuples.",
        ),
        Mistake(
            _joined_by_text,
            "You count the pairs, and then join wherever the text is the same: “i” + “de” joins to “ide” as “id” + "
            "“e” does, but it is another pair. Compare both pieces.",
        ),
        Mistake(
            _in_a_string,
            "You look for the pair in a string: “brid e” holds “id e”, although its pieces are “brid” and “e”. "
            "Compare whole pieces.",
        ),
        Mistake(
            _to_the_end,
            "You go on joining until whole words are left. One step joins one pair.",
        ),
        Mistake(
            lambda words: _first_of_the_most_frequent(_pairs(words)),
            "That is the right pair. Now join it in all words, and give the pieces of each word.",
        ),
    ],
    hints=[
        "Two steps: find the pair, then join it. To count, take a `dict`, or a `Counter`, from (piece, next piece) "
        "to a number.",
        "`itertools.pairwise(pieces)` gives the neighbours. Add the count of the word for each. The best pair is "
        "`min(pairs, key=lambda pair: (-pairs[pair], pair))`.",
        "Joining: walk through the pieces into a new list. If the last piece of the new list and the next piece are "
        "the pair, lengthen that last piece; if not, append the next one.",
    ],
)

EXERCISES: list[Exercise] = [IDS_ON_PAPER, ONE_HOT, ENCODE_BATCH, MERGE_ONCE]
