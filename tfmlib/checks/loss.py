"""The exercises of chapter 14: surprise on paper, a batch from sentences, the loss of a batch, what smoothing wants."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from .exercise import Exercise, Mistake

# ---- 14.1 Bits and perplexity: three words of 1, 4 and 1 bits, two of 5 and 4, and padding of 9.

_E = math.e

ON_PAPER = Exercise(
    number="14.1",
    name="answer",
    right=[3, 8],
    also_right=[(3.0, 8), torch.tensor([3.0, 8.0]), np.array([3, 8])],
    mistakes=[
        Mistake(
            [4, 16],
            "You counted the padding as a word: 24 bits, divided by 6. Padding is no word: leave it out of the sum and "
            "of the number.",
        ),
        Mistake(
            [2.5, 2**2.5],
            "You left the padding out of the sum and divided by all six places. There are five words: divide by 5.",
        ),
        Mistake(
            [3.25, 2**3.25],
            "You took the mean of each sentence, and then the mean of the two. So a word of the shorter sentence "
            "counts more. Add the bits of all words, and divide once.",
        ),
        Mistake(
            [10 / 3, 2 ** (10 / 3)],
            "You left out `<eos>`. It is a word that has to be said: without it no sentence ends. Only `<pad>` is left "
            "out.",
        ),
        Mistake([15, 2**15], "This is the sum over the words. The loss is the mean: divide the 15 bits by five words."),
        Mistake([15, 8], "15 bits is the sum. The loss is bits a word: divide by the number of words."),
        Mistake([3, 2**15], "You took the perplexity of the sum. It is 2 to the power of the bits *a word*."),
        Mistake(
            [3 * math.log(2), 8],
            "Your loss is in nats. Asked for are bits: the logarithm to base 2, which counts halvings.",
        ),
        Mistake(
            [3 * math.log(2), 2 ** (3 * math.log(2))],
            "Your loss is in nats, and your perplexity is 2 to the power of nats. To nats belongs e, to bits 2.",
        ),
        Mistake(
            [3, _E**3],
            "The bits are right. Your perplexity is e to the power of bits. To bits belongs 2, to nats belongs e.",
        ),
        Mistake([-3, 8], "Your sign is turned. Surprise is −log p, and a logarithm of a number below 1 is below 0."),
        Mistake(
            [-3, 1 / 8],
            "Your signs are turned. Surprise is −log p, above 0, and the perplexity is at least 1.",
        ),
        Mistake(
            [-math.log2(37 / 160), 160 / 37],
            "You took the mean of the probabilities, and then its logarithm. Take the surprise of each word first, "
            "then their mean.",
        ),
        Mistake(
            [3, 13.6],
            "You took the mean of 1 / p over the words as the perplexity. It is 2 to the power of the mean bits.",
        ),
        Mistake(
            [2.5, 5.66],
            "You left the padding out of the sum and divided by all six places. There are five words: divide by 5.",
        ),
        Mistake([2.08, 8], "Your loss is in nats. Asked for are bits: the logarithm to base 2, which counts halvings."),
        Mistake([8, 3], "Both numbers are right, and swapped: first the bits a word, then the perplexity."),
        Mistake([3], "This is the loss. The perplexity is asked for, too: 2 to the power of it."),
        Mistake([3, 9], "The bits are right. The perplexity is 2 to their power, 2 · 2 · 2, and not their square."),
        Mistake([3, 6], "The bits are right. The perplexity is 2 to their power, and not 2 times them."),
    ],
    hints=[
        "How often has 1 to be halved until 1/16 is there? That is the surprise in bits.",
        "The surprises of the words are 1, 4 and 1, then 5 and 4. `<eos>` is a word, `<pad>` is none.",
        "The loss is their sum, divided by the number of words. The perplexity is 2 to the power of that.",
    ],
)

# ---- 14.2 From sentences to a batch.

_PAD, _BOS, _EOS = 0, 1, 2


def _padded(rows: list[list[int]], width: int | None = None) -> torch.Tensor:
    width = width or max(map(len, rows))
    return torch.tensor([row + [_PAD] * (width - len(row)) for row in rows])


def _targets(sentences: list[list[int]]) -> torch.Tensor:
    """(B, T + 1): <bos> … <eos>, padded."""
    return _padded([[_BOS, *words, _EOS] for words in sentences])


def _make_batch(sentences):
    target = _targets(sentences)
    return target[:, :-1], target[:, 1:]


def _make_batch_in_lists(sentences):
    T = 1 + max(len(words) for words in sentences)
    inputs, labels = [], []
    for words in sentences:
        target = [_BOS] + list(words) + [_EOS] + [_PAD] * (T - 1 - len(words))
        inputs.append(target[:T])
        labels.append(target[1:])
    return torch.tensor(inputs), torch.tensor(labels)


def _make_batch_in_numpy(sentences):
    target = np.zeros((len(sentences), max(map(len, sentences)) + 2), dtype=np.int64)
    for row, words in zip(target, sentences, strict=True):
        row[: len(words) + 2] = [_BOS, *words, _EOS]
    return target[:, :-1].copy(), target[:, 1:].copy()


def _unshifted(sentences):
    target = _targets(sentences)
    return target, target


def _swapped(sentences):
    target = _targets(sentences)
    return target[:, 1:], target[:, :-1]


def _both_first(sentences):
    target = _targets(sentences)
    return target[:, :-1], target[:, :-1]


def _both_last(sentences):
    target = _targets(sentences)
    return target[:, 1:], target[:, 1:]


def _without_eos(sentences):
    target = _padded([[_BOS, *words] for words in sentences])
    return target[:, :-1], target[:, 1:]


def _without_bos(sentences):
    target = _padded([[*words, _EOS] for words in sentences])
    return target[:, :-1], target[:, 1:]


def _eos_after_padding(sentences):
    words = _padded(sentences)
    column = torch.ones(len(words), 1, dtype=torch.long)
    target = torch.cat([_BOS * column, words, _EOS * column], dim=1)
    return target[:, :-1], target[:, 1:]


def _eos_of_the_longest_alone(sentences):
    longest = max(map(len, sentences))
    rows = [[_BOS, *words, *([_EOS] if len(words) == longest else [])] for words in sentences]
    target = _padded(rows)
    return target[:, :-1], target[:, 1:]


def _eos_lost_beside_padding(sentences):
    """Cut before it is padded as long as the longest target was: the last place of each is gone."""
    inputs, labels = _make_batch(sentences)
    labels = labels.clone()
    for row, words in zip(labels, sentences, strict=True):
        if len(words) + 1 < labels.size(1):
            row[len(words)] = _PAD
    return inputs, labels


def _eos_overwritten(sentences):
    """The end symbol taken for padding: every label that is <eos> becomes <pad>."""
    inputs, labels = _make_batch(sentences)
    return inputs, labels.masked_fill(labels == _EOS, _PAD)


def _inputs_without_eos(sentences):
    inputs, labels = _make_batch(sentences)
    return inputs.masked_fill(inputs == _EOS, _PAD), labels


def _padded_with_eos(sentences):
    inputs, labels = _make_batch(sentences)
    return inputs.masked_fill(inputs == _PAD, _EOS), labels.masked_fill(labels == _PAD, _EOS)


def _padding_of_another_id(sentences):
    inputs, labels = _make_batch(sentences)
    return inputs, labels.masked_fill(labels == _PAD, -100)


def _whole_labels(sentences):
    target = _targets(sentences)
    return target[:, :-1], target


def _cut_to_the_shortest(sentences):
    shortest = min(map(len, sentences))
    return _make_batch([words[:shortest] for words in sentences])


def _padded_in_front(sentences):
    width = max(map(len, sentences)) + 2
    target = torch.tensor([[_PAD] * (width - len(w) - 2) + [_BOS, *w, _EOS] for w in sentences])
    return target[:, :-1], target[:, 1:]


def _two_on(sentences):
    target = _targets(sentences)
    return target[:, :-2], target[:, 2:]


def _whole_inputs(sentences):
    target = _targets(sentences)
    return target, target[:, 1:]


def _rows_cut(sentences):
    target = _targets(sentences)
    return target[:-1], target[1:]


def _bos_among_labels(sentences):
    return _padded([[_BOS, *words] for words in sentences]), _padded([[_BOS, *words, _EOS] for words in sentences])


def _rolled(sentences):
    target = _targets(sentences)
    return target, target.roll(-1, 1)


def _ids_of_bos_and_eos_swapped(sentences):
    target = _padded([[_EOS, *words, _BOS] for words in sentences])
    return target[:, :-1], target[:, 1:]


def _sentences_to_batch() -> list[tuple]:
    return [
        ([[7, 8], [9]],),
        ([[5, 6, 7]],),
        ([[4], [9, 4, 8, 6], [5, 7]],),
        ([[12, 11], [3, 10], [8, 9]],),
        ([[6], [7, 5, 5, 8, 9], [4, 7, 6], [11, 3, 5, 9]],),
    ]


MAKE_BATCH = Exercise(
    number="14.2",
    name="make_batch",
    right=_make_batch,
    inputs=_sentences_to_batch,
    also_right=[_make_batch_in_lists, _make_batch_in_numpy, lambda sentences: list(_make_batch(sentences))],
    mistakes=[
        Mistake(
            _unshifted,
            "Inputs and labels are the same: nothing is shifted. The decoder would learn to repeat what it reads. Cut "
            "the target twice: `target[:, :-1]` is read, `target[:, 1:]` has to be said.",
            classic="Targets not shifted",
        ),
        Mistake(
            _swapped,
            "The two are swapped: the decoder reads the next word, and has to say the one before. The inputs are "
            "`target[:, :-1]`, which begin with `<bos>`, the labels `target[:, 1:]`.",
            classic="Inputs and labels swapped",
        ),
        Mistake(
            _both_first,
            "Both are the target without its last column, so nothing is shifted. The labels are `target[:, 1:]`.",
        ),
        Mistake(
            _both_last,
            "Both are the target without its first column, so nothing is shifted. The inputs are `target[:, :-1]`.",
        ),
        Mistake(
            _without_eos,
            "`<eos>` is missing: nobody learns to stop. Put it at the end of each sentence, before the padding.",
            classic="No <eos> at the end",
        ),
        Mistake(
            _without_bos,
            "`<bos>` is missing, so the first word of each sentence is never asked for. Put it in front of each.",
        ),
        Mistake(
            _eos_after_padding,
            "You pad first, and put `<eos>` behind the padding. So the short sentences go on with `<pad>` and have "
            "their end far away. Put `<eos>` behind the last word, then pad.",
            classic="<eos> behind the padding",
        ),
        Mistake(
            _eos_of_the_longest_alone,
            "Only the longest sentences have their `<eos>`. The shorter ones need it as well, before their padding.",
        ),
        Mistake(
            _eos_lost_beside_padding,
            "The shorter sentences have lost their `<eos>` among the labels: padding stands in its place. Only the "
            "last *column* is cut off, and only from the inputs.",
        ),
        Mistake(
            _eos_overwritten,
            "Among your labels each `<eos>` has become `<pad>`, so it does not count, and nobody learns to stop. It "
            "is a word that has to be said.",
        ),
        Mistake(
            _inputs_without_eos,
            "The labels are right. Among your inputs `<eos>` of the short sentences is missing. It would train as "
            "well, since the label there is `<pad>`. But asked for is one padded target, cut twice, as in the example.",
        ),
        Mistake(
            _padded_with_eos,
            "You filled up with `<eos>`. Then each of them counts as a word. The id of padding is 0.",
        ),
        Mistake(
            _padded_in_front,
            "Your padding stands in front of the sentences. It belongs behind them, after `<eos>`.",
        ),
        Mistake(
            _two_on,
            "Your labels stand two places on. The label is the very next word: cut one column from each, no more.",
        ),
        Mistake(
            _whole_inputs,
            "The labels are right. The inputs have one column too many: nobody reads the last one, `target[:, :-1]`.",
        ),
        Mistake(
            _whole_labels,
            "The inputs are right. The labels have one column too many: nobody has to say `<bos>`, `target[:, 1:]`.",
        ),
        Mistake(
            _padding_of_another_id,
            "The padding of your labels is −100, PyTorch's own id for what does not count. Here `<pad>` is 0 in both.",
        ),
        Mistake(
            _cut_to_the_shortest,
            "You cut all sentences to the shortest, so words are lost. Pad to the longest instead.",
        ),
        Mistake(
            _rows_cut,
            "You cut sentences off, and not columns. `target[1:]` is all sentences but the first; the places are axis "
            "1: `target[:, 1:]`.",
        ),
        Mistake(
            _bos_among_labels,
            "The inputs may be right, but `<bos>` stands among the labels. Nobody has to say it: begin with the first "
            "word.",
        ),
        Mistake(
            _rolled,
            "You rolled the target: what falls out in front comes back at the end, so `<bos>` has to be said last. Cut "
            "instead: `target[:, 1:]`.",
        ),
        Mistake(
            _ids_of_bos_and_eos_swapped,
            "`<bos>` and `<eos>` are swapped: `<bos>` is 1 and stands in front, `<eos>` is 2 and stands at the end.",
        ),
        Mistake(
            lambda sentences: _targets(sentences),
            "This is the padded target, whole. Cut it twice, and give both: `return target[:, :-1], target[:, 1:]`.",
        ),
    ],
    hints=[
        "First make each sentence a target: `[1, *words, 2]`. Then pad them all to the length of the longest.",
        "Pad with 0, behind `<eos>`: `row + [0] * (width - len(row))`. The width is the longest sentence plus 2.",
        "With `target` as a tensor, (B, T + 1), the inputs are `target[:, :-1]`. For the labels leave out the first "
        "column.",
    ],
)

# ---- 14.3 The loss of a batch.


def _surprise(logits, labels) -> torch.Tensor:
    """(B, T), padding and all."""
    return -logits.log_softmax(-1).gather(-1, labels[..., None])[..., 0]


def _batch_loss(logits, labels):
    return _surprise(logits, labels)[labels != _PAD].mean()


def _batch_loss_in_loops(logits, labels):
    total, n = 0.0, 0
    for rows, ids in zip(logits.tolist(), labels.tolist(), strict=True):
        for row, label in zip(rows, ids, strict=True):
            if label != _PAD:
                top = max(row)
                total += top + math.log(sum(math.exp(score - top) for score in row)) - row[label]
                n += 1
    return total / n


def _batch_loss_in_numpy(logits, labels):
    z, y = logits.numpy(), labels.numpy()
    z = z - z.max(-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(-1, keepdims=True))
    real = y != _PAD
    return -np.take_along_axis(log_p, y[..., None], -1)[..., 0][real].mean()


def _torch_loss(logits, labels, **options) -> torch.Tensor:
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), **options)


def _one_hot_loss(logits, labels):
    real = (labels != _PAD)[..., None]
    q = F.one_hot(labels, logits.size(-1)) * real
    return -(q * logits.log_softmax(-1)).sum() / real.sum()


def _softmax_twice(logits, labels):
    probabilities = logits.softmax(-1)
    return F.cross_entropy(probabilities.flatten(0, 1), labels.flatten(), ignore_index=0)


def _over_all_places(logits, labels):
    words = labels != 0
    return (_surprise(logits, labels) * words).mean()


def _padding_counted(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten())


def _mean_of_sentence_means(logits, labels):
    words = labels != 0
    return ((_surprise(logits, labels) * words).sum(1) / words.sum(1)).mean()


def _log_of_softmax(logits, labels):
    p = logits.softmax(-1).gather(-1, labels[..., None])[..., 0]
    return -p.log()[labels != _PAD].mean()


def _naive_log_softmax(logits, labels):
    log_p = logits - logits.exp().sum(-1, keepdim=True).log()
    return -log_p.gather(-1, labels[..., None])[..., 0][labels != _PAD].mean()


def _with_small_number(logits, labels):
    p = logits.softmax(-1).gather(-1, labels[..., None])[..., 0]
    return -(p + 1e-9).log()[labels != _PAD].mean()


def _with_clamp(logits, labels):
    p = logits.softmax(-1).clamp(min=1e-12).gather(-1, labels[..., None])[..., 0]
    return -p.log()[labels != _PAD].mean()


def _logits_of_padding_zero(logits, labels):
    """The mask on the logits: padding is guessed at with ln V, and counts."""
    return _padding_counted(logits * (labels != _PAD)[..., None], labels)


def _viewed(logits, labels):
    B, T, V = logits.shape
    return F.cross_entropy(logits.reshape(B, V, T), labels, ignore_index=_PAD)


def _entropy(logits, labels):
    """How unsure the model is, whatever the label."""
    return -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1)[labels != _PAD].mean()


def _column_of_padding_dropped(logits, labels):
    return F.cross_entropy(logits[..., 1:].transpose(1, 2), labels - 1, ignore_index=-1)


def _along(axis: int):
    def loss(logits, labels):
        return -logits.log_softmax(axis).gather(-1, labels[..., None])[..., 0][labels != _PAD].mean()

    return loss


def _all_pairs(logits, labels):
    """Fancy indexing gone wrong: log_p[..., labels] has every label for every place."""
    return -logits.log_softmax(-1)[..., labels].mean()


def _without_eos_in_loss(logits, labels):
    real = (labels != _PAD) & (labels != _EOS)
    return _surprise(logits, labels)[real].mean()


def _shifted_again(logits, labels):
    """The labels, which are shifted already, against the logits of the place before."""
    return _torch_loss(logits[:, :-1], labels[:, 1:], ignore_index=_PAD)


def _padding_by_logits(logits, labels):
    """The place of padding is looked for in what the model says."""
    real = logits.argmax(-1) != _PAD
    return _surprise(logits, labels)[real].mean()


def _batches_to_judge() -> list[tuple]:
    def numbers(*shape, seed):
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(shape, generator=generator, dtype=torch.float64).mul(8).round() / 4

    large = torch.tensor([[[1000.0, -1000.0, 998.0, 999.0, 0.0], [0.0, 0.0, 0.0, 1000.0, 0.0]]])
    return [
        (torch.tensor([[[0.0, 0.0, 0.0], [0.0, 9.0, 0.0]]]), torch.tensor([[2, 0]])),
        (torch.tensor([[[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]]), torch.tensor([[1, 2]])),
        (numbers(2, 3, 5, seed=14), torch.tensor([[4, 3, 2], [1, 2, 0]])),
        (numbers(4, 3, 6, seed=15), torch.tensor([[5, 2, 0], [4, 3, 2], [2, 0, 0], [3, 2, 0]])),
        (numbers(3, 5, 7, seed=16), torch.tensor([[6, 2, 0, 0, 0], [5, 3, 4, 1, 2], [4, 4, 2, 0, 0]])),
        (large, torch.tensor([[3, 3]])),
        (large, torch.tensor([[1, 2]])),
    ]


BATCH_LOSS = Exercise(
    number="14.3",
    name="batch_loss",
    right=_batch_loss,
    inputs=_batches_to_judge,
    also_right=[
        _batch_loss_in_loops,
        _batch_loss_in_numpy,
        _one_hot_loss,
        lambda logits, labels: _torch_loss(logits, labels, ignore_index=_PAD),
        lambda logits, labels: F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=_PAD),
        lambda logits, labels: torch.nn.CrossEntropyLoss(ignore_index=_PAD)(logits.flatten(0, 1), labels.flatten()),
        lambda logits, labels: F.nll_loss(logits.log_softmax(-1).flatten(0, 1), labels.flatten(), ignore_index=_PAD),
        lambda logits, labels: _batch_loss(logits.float(), labels),
        lambda logits, labels: (
            torch.einsum(
                "btv,btv->",
                F.one_hot(labels, logits.size(-1)).to(logits.dtype) * (labels != _PAD)[..., None],
                -logits.log_softmax(-1),
            )
            / (labels != _PAD).sum()
        ),
    ],
    mistakes=[
        Mistake(
            _softmax_twice,
            "You take the softmax twice: `F.cross_entropy` wants logits, and does it itself. So the loss has a floor, "
            "and hardly any gradient.",
            classic="Softmax before cross-entropy",
        ),
        Mistake(
            _over_all_places,
            "The padding adds 0, but you divide by all places. Divide by the number of words: `(labels != 0).sum()`.",
            classic="The loss averaged over padding",
        ),
        Mistake(
            _padding_counted,
            "You count the padding as a word that has to be said. Leave out the places whose label is 0.",
        ),
        Mistake(
            _mean_of_sentence_means,
            "You take the mean of each sentence, and then the mean of these. A word in a short sentence counts more "
            "then. Add up all words, and divide once.",
        ),
        Mistake(
            lambda logits, labels: _surprise(logits, labels)[labels != _PAD].sum(),
            "This is the sum over the words. The loss is their mean: divide by the number of words.",
        ),
        Mistake(
            lambda logits, labels: _surprise(logits, labels)[labels != _PAD].sum() / len(labels),
            "You divide the sum by the number of sentences. Divide it by the number of words.",
        ),
        Mistake(
            lambda logits, labels: _batch_loss(logits, labels) / math.log(2),
            "Your loss is in bits. Asked for are nats: natural logarithms.",
        ),
        Mistake(
            lambda logits, labels: _batch_loss(logits, labels) / math.log(10),
            "Your logarithm has the base 10. Nats are natural logarithms: `torch.log`, or `math.log`.",
        ),
        Mistake(
            lambda logits, labels: -_batch_loss(logits, labels),
            "The sign is turned. A logarithm of a probability is below 0, the loss is minus that.",
        ),
        Mistake(
            lambda logits, labels: _batch_loss(logits, labels).exp(),
            "This is the perplexity. The loss is its logarithm.",
        ),
        Mistake(
            _log_of_softmax,
            "It is right for small logits. With large ones a probability becomes 0, and its logarithm −∞. Take "
            "`log_softmax` in one step.",
        ),
        Mistake(
            _naive_log_softmax,
            "It is right for small logits. The exponential of 1,000 is inf. Take the largest of each row away first, "
            "or take `log_softmax`.",
        ),
        Mistake(
            _with_small_number,
            "You add a small number to p, so that its logarithm is finite. Then a very wrong word is charged too "
            "little, and has no gradient. `log_softmax` needs no such help.",
        ),
        Mistake(
            lambda logits, labels: -logits.gather(-1, labels[..., None])[..., 0][labels != _PAD].mean(),
            "You took the logits for log-probabilities. First `log_softmax(-1)`, which brings them to a sum of 1.",
        ),
        Mistake(
            lambda logits, labels: -logits.softmax(-1).gather(-1, labels[..., None])[..., 0][labels != _PAD].mean(),
            "The logarithm is missing: this is minus the mean probability, as `F.nll_loss` gives it when it gets "
            "probabilities. It wants log-probabilities.",
        ),
        Mistake(
            lambda logits, labels: 1 - logits.softmax(-1).gather(-1, labels[..., None])[..., 0][labels != _PAD].mean(),
            "You take 1 − p. The surprise is −log p.",
        ),
        Mistake(
            lambda logits, labels: (
                -logits.softmax(-1).gather(-1, labels[..., None])[..., 0][labels != _PAD].mean().log()
            ),
            "You take the mean of the probabilities, then the logarithm. First the logarithm of each, then the mean.",
        ),
        Mistake(
            _along(1),
            "Your softmax goes along the places of a sentence. At each place the V words share 1: the last axis.",
        ),
        Mistake(
            _along(0),
            "Your softmax goes along the batch. At each place the V words share 1: the last axis.",
        ),
        Mistake(
            _with_clamp,
            "You clamp p, so that its logarithm is finite. Then a very wrong word is charged too little, and has no "
            "gradient. `log_softmax` needs no such help.",
        ),
        Mistake(
            _logits_of_padding_zero,
            "You set the logits of padding to 0. That is no mask: such a place is charged ln V, and counts. Leave it "
            "out of the sum and of the number.",
        ),
        Mistake(
            _viewed,
            "`view` or `reshape` to (B, V, T) keeps the numbers in their order, and so mixes places and words. Axes "
            "change places with `logits.transpose(1, 2)`.",
        ),
        Mistake(
            _entropy,
            "This is the entropy of what the model gives: how unsure it is, whatever the label. Take −log p of the "
            "label alone.",
        ),
        Mistake(
            _column_of_padding_dropped,
            "You take the column of `<pad>` out of the logits. All V scores stay in the softmax; only the *places* "
            "whose label is 0 are left out.",
        ),
        Mistake(
            _all_pairs,
            "`log_p[..., labels]` takes every label for every place. Each place has its own: "
            "`log_p.gather(-1, labels[..., None])`.",
        ),
        Mistake(
            _without_eos_in_loss,
            "You leave `<eos>` (2) out. It is a word that has to be said. Leave out the padding (0) alone.",
        ),
        Mistake(
            _shifted_again,
            "You shift again. The labels are shifted already: place t of `labels` belongs to place t of `logits`.",
        ),
        Mistake(
            _padding_by_logits,
            "You leave out places at which the model says `<pad>`. Padding is where the *label* is 0.",
        ),
        Mistake(
            lambda logits, labels: (logits.argmax(-1) != labels)[labels != _PAD].double().mean(),
            "This is the share of words that are wrong. It has no gradient, and does not ask how sure the model was.",
        ),
        Mistake(
            lambda logits, labels: F.cross_entropy(logits, labels, ignore_index=_PAD),
            "`F.cross_entropy` wants the V scores on axis 1. Make (B · T, V) of it, `logits.flatten(0, 1)`, or "
            "`logits.transpose(1, 2)`.",
        ),
        Mistake(
            lambda logits, labels: _torch_loss(
                logits.transpose(1, 2).flatten(0, 1), labels.flatten(), ignore_index=_PAD
            ),
            "The shapes do not fit: you make (B · V, T) of the logits. Wanted is (B · T, V), `logits.flatten(0, 1)`.",
        ),
        Mistake(
            lambda logits, labels: _torch_loss(logits, labels, ignore_index=_PAD, label_smoothing=0.1),
            "You smooth the labels. Here all is asked of the label.",
        ),
        Mistake(
            _surprise,
            "This is the surprise of each place, (B, T). One step more: the mean over the places that are words.",
        ),
        Mistake(
            lambda logits, labels: _surprise(logits, labels)[labels != _PAD],
            "This is the surprise of each word. One step more: their mean.",
        ),
    ],
    hints=[
        "`log_softmax(-1)` makes log-probabilities of the logits, (B, T, V). At each place one of them counts.",
        "`log_p.gather(-1, labels[..., None])[..., 0]` picks the label's, (B, T).",
        "`labels != 0` is True at the words. A tensor indexed with it keeps these alone: the mean of that, with the "
        "sign turned, is the loss.",
    ],
)

# ---- 14.4 What smoothing wants.


def _smoothed_target(labels, V, epsilon):
    q = (1 - epsilon) * F.one_hot(labels, V) + epsilon / V
    return q * (labels != _PAD)[..., None]


def _smoothed_in_loops(labels, V, epsilon):
    def row(label):
        if label == _PAD:
            return [0.0] * V
        return [(1 - epsilon if i == label else 0.0) + epsilon / V for i in range(V)]

    return [[row(label) for label in line] for line in labels.tolist()]


def _smoothed_by_scatter(labels, V, epsilon):
    q = torch.full((*labels.shape, V), epsilon / V)
    q.scatter_(-1, labels[..., None], 1 - epsilon + epsilon / V)
    return q.masked_fill((labels == _PAD)[..., None], 0.0)


def _smoothed_in_numpy(labels, V, epsilon):
    y = labels.numpy()
    return ((1 - epsilon) * np.eye(V)[y] + epsilon / V) * (y != _PAD)[..., None]


def _shares(own, other, blank: bool = True):
    """An answer that gives the label and each other word what these say of (V, epsilon)."""

    def target(labels, V, epsilon):
        q = torch.full((*labels.shape, V), float(other(V, epsilon)))
        q = q.scatter(-1, labels[..., None], float(own(V, epsilon)))
        return q.masked_fill((labels == _PAD)[..., None], 0.0) if blank else q

    return target


def _mass_missing(labels, V, epsilon):
    q = torch.full((*labels.shape, V), epsilon / V)
    q.scatter_(-1, labels[..., None], 1 - epsilon)
    return q.masked_fill((labels == _PAD)[..., None], 0.0)


def _never_padding(labels, V, epsilon):
    """As some code does: nothing for <pad>, and ε over the V − 1 words that are left, the label among them."""
    q = (1 - epsilon) * F.one_hot(labels, V) + epsilon / (V - 1)
    q[..., _PAD] = 0
    return q * (labels != _PAD)[..., None]


def _neither_padding_nor_label(labels, V, epsilon):
    q = torch.full((*labels.shape, V), epsilon / (V - 2))
    q.scatter_(-1, labels[..., None], 1 - epsilon)
    q[..., _PAD] = 0
    return q * (labels != _PAD)[..., None]


def _column_of_padding_empty(labels, V, epsilon):
    q = _smoothed_target(labels, V, epsilon)
    q[..., _PAD] = 0
    return q


def _brought_back_to_1(labels, V, epsilon):
    q = _mass_missing(labels, V, epsilon)
    return q / q.sum(-1, keepdim=True).clamp(min=1e-9)


def _padding_row_one_hot(labels, V, epsilon):
    blank = (labels == _PAD)[..., None]
    return torch.where(blank, F.one_hot(labels, V).double(), _smoothed_target(labels, V, epsilon).double())


def _to_smooth() -> list[tuple]:
    return [
        (torch.tensor([[2, 0]]), 4, 0.2),
        (torch.tensor([[4, 1, 2]]), 5, 0.1),
        (torch.tensor([[3, 2, 0], [5, 4, 2]]), 6, 0.3),
        (torch.tensor([[3, 6], [2, 0], [5, 2]]), 7, 0.0),
        (torch.tensor([[3, 2, 0, 0], [7, 5, 4, 2]]), 8, 0.4),
    ]


SMOOTHED = Exercise(
    number="14.4",
    name="smoothed_target",
    right=_smoothed_target,
    inputs=_to_smooth,
    also_right=[
        _smoothed_in_loops,
        _smoothed_by_scatter,
        _smoothed_in_numpy,
        _shares(lambda V, e: 1 - e + e / V, lambda V, e: e / V),
        lambda labels, V, epsilon: _smoothed_target(labels, V, epsilon).float(),
        lambda labels, V, epsilon: (
            torch.lerp(torch.eye(V)[labels], torch.full((V,), 1 / V), epsilon) * (labels != _PAD)[..., None]
        ),
    ],
    mistakes=[
        Mistake(
            _mass_missing,
            "Your rows sum to less than 1. ε is spread over all V words, the label among them: it gets its share, too, "
            "1 − ε + ε/V.",
            classic="Smoothing mass missing",
        ),
        Mistake(
            _shares(lambda V, e: 1 - e, lambda V, e: e / (V - 1)),
            "You spread ε over the V − 1 other words. Some programs do. The article that proposed it, PyTorch and "
            "this chapter spread it over all V, the label among them.",
        ),
        Mistake(
            _shares(lambda V, e: 1 - e + e / V, lambda V, e: e / V, blank=False),
            "The rows of words are right. A place of padding wants nothing: make its row all zeros.",
        ),
        Mistake(
            _shares(lambda V, e: 1 - e, lambda V, e: e / V, blank=False),
            "Your rows sum to less than 1, since the label gets no share of ε: 1 − ε + ε/V. And a row of padding "
            "should be all zeros.",
        ),
        Mistake(
            _shares(lambda V, e: 1 - e, lambda V, e: e / (V - 1), blank=False),
            "You spread ε over the V − 1 other words; here it is all V, the label among them. And a row of padding "
            "should be all zeros.",
        ),
        Mistake(
            _brought_back_to_1,
            "You give the label 1 − ε and the others ε/V, and then divide by the sum, so all are a little off. Give "
            "the label its share, too, 1 − ε + ε/V, and the sum is 1 by itself.",
        ),
        Mistake(
            _shares(lambda V, e: 1 - e + e / V, lambda V, e: e / (V - 1)),
            "The label is right. Each other word gets ε/V as well: V words share ε, the label among them.",
        ),
        Mistake(
            lambda labels, V, epsilon: _smoothed_target(labels, V, 0.1),
            "Your ε is always 0.1. It is an argument: `epsilon`.",
        ),
        Mistake(
            _padding_row_one_hot,
            "The rows of words are right. A place of padding does not want `<pad>`, it wants nothing: a row of zeros.",
        ),
        Mistake(
            _column_of_padding_empty,
            "You give the word `<pad>` nothing in any row, so the rows sum to less than 1. All V words have a share; "
            "only the *places* of padding are empty.",
        ),
        Mistake(
            _never_padding,
            "You spread ε over the words but `<pad>`. Some programs do. Here all V have a share: ε / V.",
        ),
        Mistake(
            _neither_padding_nor_label,
            "You spread ε over the words but `<pad>` and the label, as some programs do. Here all V have a share: "
            "ε / V.",
        ),
        Mistake(
            _shares(lambda V, e: 1 - e, lambda V, e: e),
            "Each other word gets the whole ε. They share it: ε / V for each.",
        ),
        Mistake(
            _shares(lambda V, e: 1, lambda V, e: e / V),
            "The label still gets 1, so the rows sum to more than 1. It gives ε away, and gets its share back.",
        ),
        Mistake(
            _shares(lambda V, e: 1 + e / V, lambda V, e: e / V),
            "You add ε/V to each word, but take nothing from the label. Multiply the one-hot row by 1 − ε.",
        ),
        Mistake(
            _shares(lambda V, e: e + (1 - e) / V, lambda V, e: (1 - e) / V),
            "ε and 1 − ε are swapped: the label keeps 1 − ε, and ε is spread.",
        ),
        Mistake(
            _shares(lambda V, e: 1, lambda V, e: 0),
            "This is one-hot: nothing is smoothed.",
        ),
        Mistake(
            _shares(lambda V, e: 1, lambda V, e: 0, blank=False),
            "This is one-hot: nothing is smoothed, and the padding is a word.",
        ),
        Mistake(
            _shares(lambda V, e: 1 - e, lambda V, e: 0),
            "You take ε from the label and give it to nobody. Spread it over all V words.",
        ),
        Mistake(
            _shares(lambda V, e: 1 - e / V, lambda V, e: e / V),
            "The label lost only its share. It loses the whole ε, and gets its share back: 1 − ε + ε/V.",
        ),
        Mistake(
            lambda labels, V, epsilon: _smoothed_target(labels - 1, V, epsilon),
            "Your labels are moved by one. An id is a place, counted from 0.",
        ),
        Mistake(
            lambda labels, V, epsilon: _smoothed_target(labels, V, epsilon)[labels != _PAD],
            "You leave the places of padding out, so the shape is lost. Keep them, as rows of zeros: (B, T, V).",
        ),
        Mistake(
            lambda labels, V, epsilon: ((1 - epsilon) * F.one_hot(labels, V) + epsilon / V) * (labels != _PAD),
            "The mask, (B, T), is laid along the words of the vocabulary, or does not fit. Make it (B, T, 1): "
            "`(labels != 0)[..., None]`.",
        ),
    ],
    hints=[
        "Start with the one-hot rows, `F.one_hot(labels, V)`, (B, T, V).",
        "Each row keeps 1 − ε of what it is, and each of the V words gets ε / V on top, the label too.",
        "Rows of padding become zeros when all is multiplied by `(labels != 0)[..., None]`, (B, T, 1).",
    ],
)

EXERCISES: list[Exercise] = [ON_PAPER, MAKE_BATCH, BATCH_LOSS, SMOOTHED]
