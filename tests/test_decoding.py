"""Writing the words of the target: greedy, drawn, with a beam, with and without a cache."""

import random

import pytest
import torch

from tfmlib.decoding import beam_search, generate, greedy, length_penalty, next_word_probabilities, sample
from tfmlib.training import TrainingConfig, train
from tfmlib.transformer import Transformer, TransformerConfig
from tfmlib.vocabulary import BOS, EOS, pad

V = 12


def reversal(rng):
    source = [rng.randrange(4, V) for _ in range(rng.randint(2, 6))]
    return source, source[::-1]


@pytest.fixture(scope="module")
def model():
    """A model that has learned, not too well, to write the source backwards."""
    rng = random.Random(0)
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(V, V, 16, 2, 32, 2, dropout=0.0, pre_norm=True))
    config = TrainingConfig(
        steps=250, batch_tokens=512, learning_rate=8e-3, warmup=50, schedule="linear", precision="float64"
    )
    train(model, [reversal(rng) for _ in range(2000)], config)
    return model


@pytest.fixture(scope="module")
def pairs():
    rng = random.Random(1)
    return [reversal(rng) for _ in range(40)]


@pytest.fixture(scope="module")
def source(pairs):
    return pad([source for source, _ in pairs])


def test_greedy_writes_what_was_learned(model, source, pairs):
    right = sum(words == target for words, (_, target) in zip(greedy(model, source), pairs, strict=True))
    assert right >= 20, "the model must know something, or the tests below compare noise"


def test_cached_equals_uncached(model, source):
    assert greedy(model, source) == greedy(model, source, use_cache=False)
    generator = [torch.Generator().manual_seed(3) for _ in range(2)]
    drawn = [sample(model, source, generator=g, use_cache=c) for g, c in zip(generator, (True, False), strict=True)]
    assert drawn[0] == drawn[1]
    for cached, uncached in zip(beam_search(model, source), beam_search(model, source, use_cache=False), strict=True):
        assert [ids for ids, _ in cached] == [ids for ids, _ in uncached]
        assert [score for _, score in cached] == pytest.approx([score for _, score in uncached])


def test_a_sentence_in_a_batch_is_translated_as_alone(model, source, pairs):
    alone = [greedy(model, pad([source]))[0] for source, _ in pairs]
    assert greedy(model, source) == alone
    alone = [beam_search(model, pad([source]), max_length=12)[0] for source, _ in pairs]
    assert [ids for hypotheses in alone for ids, _ in hypotheses] == [
        ids for hypotheses in beam_search(model, source, max_length=12) for ids, _ in hypotheses
    ]


def test_a_beam_of_one_is_greedy(model, source):
    assert [hypotheses[0][0] for hypotheses in beam_search(model, source, beam=1)] == greedy(model, source)


def log_probability(model, source, words):
    inputs = torch.tensor([[BOS, *words]])
    log_p = model(source, inputs)[0].log_softmax(-1)
    return sum(log_p[t, word].item() for t, word in enumerate([*words, EOS]))


@torch.inference_mode()
def test_a_wide_beam_finds_the_best_of_all_sentences():
    torch.manual_seed(5)
    model = Transformer(TransformerConfig(7, 7, 8, 2, 8, 1)).double().eval()
    source = torch.tensor([[4, 5, 6]])
    memory, may_attend = model.encode(source)
    start = model.positional(model.target_embedding(torch.tensor([[BOS]])))
    model.generator.weight[EOS] = model.decoder(start, memory, may_attend)[0, 0] / 4  # so that sentences end
    ((words, score), *_) = beam_search(model, source, beam=6, max_length=2)[0]
    # Every sentence of at most one word, <pad>, <bos> and <unk> included: the model may write them.
    sentences = [[], *([word] for word in range(7) if word != EOS)]
    scores = [log_probability(model, source, ids) / length_penalty(len(ids) + 1, 0.6) for ids in sentences]
    assert words == sentences[scores.index(max(scores))]
    assert score == pytest.approx(max(scores))


def test_scores_are_log_probabilities_over_the_length_penalty(model, source):
    for hypotheses in beam_search(model, source[:3], max_length=20):
        assert hypotheses == sorted(hypotheses, key=lambda h: -h[1])
        assert len(hypotheses) == 4
    for row, hypotheses in zip(source[:3], beam_search(model, source[:3], max_length=20), strict=True):
        for ids, score in hypotheses:
            if len(ids) < 20:
                expected = log_probability(model, row[None], ids) / length_penalty(len(ids) + 1, 0.6)
                assert score == pytest.approx(expected)


def test_length_normalisation_favours_longer_sentences():
    assert length_penalty(1, 0.6) == 1
    assert -2.0 / length_penalty(1, 0.6) < -2.1 / length_penalty(10, 0.6)
    assert length_penalty(7, 0.0) == 1


def test_writing_ends_at_the_limit(model, source):
    never = lambda logits: torch.full((len(logits),), 5)  # noqa: E731
    assert generate(model, source[:2], never, max_length=3) == [[5, 5, 5]] * 2
    assert len(generate(model, source[:1], never)[0]) == source.size(1) + 50
    assert all(len(ids) <= 2 for h in beam_search(model, source, max_length=2) for ids, _ in h)


def test_sampling_draws_what_the_probabilities_say():
    logits = torch.tensor([[3.0, 2.0, 1.0, 0.0]], dtype=torch.float64)
    p = logits.softmax(-1)
    torch.testing.assert_close(next_word_probabilities(logits), p)
    torch.testing.assert_close(next_word_probabilities(logits, temperature=2.0), (logits / 2).softmax(-1))
    torch.testing.assert_close(next_word_probabilities(logits, top_k=2)[0, :2], p[0, :2] / p[0, :2].sum())
    assert not next_word_probabilities(logits, top_k=2)[0, 2:].any()
    # 0.64, 0.24, 0.09, 0.03: the first two are the fewest that hold 0.8; the first alone holds 0.6.
    assert next_word_probabilities(logits, top_p=0.8)[0].nonzero().flatten().tolist() == [0, 1]
    assert next_word_probabilities(logits, top_p=0.6)[0].tolist() == [1, 0, 0, 0]


def test_low_temperature_is_greedy_and_a_seed_repeats(model, source):
    assert sample(model, source, temperature=1e-3) == greedy(model, source)
    drawn = [sample(model, source, 3.0, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda m, s: sample(m, s, temperature=0), "temperature is 0"),
        (lambda m, s: sample(m, s, top_k=0), "top_k is 0"),
        (lambda m, s: sample(m, s, top_p=1.5), "top_p is 1.5"),
        (lambda m, s: beam_search(m, s, beam=0), "beam is 0"),
        (lambda m, s: beam_search(m, s, beam=V), "beam is 12"),
        (lambda m, s: greedy(m, s, max_length=0), "max_length is 0"),
    ],
)
def test_settings_out_of_range_are_refused(model, source, call, says):
    with pytest.raises(ValueError, match=says):
        call(model, source)
