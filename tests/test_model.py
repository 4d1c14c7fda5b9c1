"""What the model must do whatever its weights: see no future, ignore padding, keep its size, refuse bad input."""

import pytest
import torch

from tfmlib.attention import KeyValueCache, MultiHeadAttention, record_attention, scaled_dot_product_attention
from tfmlib.embedding import Embedding
from tfmlib.encoder import Encoder
from tfmlib.loss import cross_entropy, n_words, shift
from tfmlib.masks import causal_mask, padding_mask
from tfmlib.positional import PositionalEncoding, positional_encoding
from tfmlib.transformer import PRESETS, Transformer, TransformerConfig
from tfmlib.vocabulary import PAD

B, T, S, D, H, F, N, V, W = 2, 5, 7, 12, 3, 20, 4, 11, 13
orders = pytest.mark.parametrize("pre_norm", [False, True], ids=["post-LN", "pre-LN"])


@pytest.fixture(params=[False, True], ids=["post-LN", "pre-LN"])
def model(request):
    torch.manual_seed(0)
    return Transformer(TransformerConfig(V, W, D, H, F, N, pre_norm=request.param)).double().eval()


def ids(rows, columns, vocab_size, seed=0):
    return torch.randint(4, vocab_size, (rows, columns), generator=torch.Generator().manual_seed(seed))


def test_the_future_does_not_change_the_past(model):
    source, target = ids(B, S, V), ids(B, T, W)
    other = target.clone()
    other[:, 3:] = (other[:, 3:] - 3) % (W - 4) + 4
    assert (other[:, 3:] != target[:, 3:]).all()
    before, after = model(source, target), model(source, other)
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.isclose(before[:, 3:], after[:, 3:]).all(-1).any()


def test_padding_changes_nothing(model):
    source, target = ids(B, S, V), ids(B, T, W)
    padded_source = torch.cat([source, torch.full((B, 3), PAD)], 1)
    padded_target = torch.cat([target, torch.full((B, 2), PAD)], 1)
    torch.testing.assert_close(model(padded_source, padded_target)[:, :T], model(source, target))


def test_the_neighbours_in_a_batch_change_nothing(model):
    source, target = ids(B, S, V), ids(B, T, W)
    torch.testing.assert_close(model(source, target)[1:], model(source[1:], target[1:]))


@orders
def test_without_positions_permuted_words_give_permuted_outputs(pre_norm):
    torch.manual_seed(0)
    encoder = Encoder(N, D, H, F, pre_norm=pre_norm).double().eval()
    x = torch.randn(B, S, D, dtype=torch.float64)
    order = torch.tensor([3, 0, 6, 2, 5, 1, 4])
    torch.testing.assert_close(encoder(x[:, order]), encoder(x)[:, order])
    x = PositionalEncoding(D, dropout=0)(x)
    assert not torch.allclose(encoder(x[:, order]), encoder(PositionalEncoding(D, 0)(x[:, order])))


def test_every_source_word_reaches_every_output(model):
    memory = model.source_embedding(ids(1, S, V)).detach().requires_grad_()
    model.decoder(torch.randn(1, T, D, dtype=torch.float64), model.encoder(memory)).square().sum().backward()
    assert (memory.grad.abs().sum(-1) > 0).all()


@pytest.mark.parametrize("written_out", [True, False], ids=["written out", "fast"])
def test_a_query_that_may_attend_to_nothing_gets_zeros_and_finite_gradients(written_out):
    torch.manual_seed(0)
    q, k, v = (torch.randn(B, H, n, 4, dtype=torch.float64, requires_grad=True) for n in (T, S, S))
    may_attend = torch.ones(T, S, dtype=torch.bool)
    may_attend[2] = False
    if written_out:
        out, weights = scaled_dot_product_attention(q, k, v, may_attend)
        assert not weights[..., 2, :].any()
        torch.testing.assert_close(weights.sum(-1)[..., [0, 1, 3, 4]], torch.ones(B, H, 4, dtype=torch.float64))
    else:
        out = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=may_attend)
    assert not out[..., 2, :].any()
    out.square().sum().backward()
    assert all(x.grad.isfinite().all() for x in (q, k, v))
    assert not q.grad[..., 2, :].any()


def test_a_source_of_padding_alone_gives_no_nan(model):
    source = torch.full((1, S), PAD)
    assert model(source, ids(1, T, W)).isfinite().all()


def test_recording_changes_no_output_and_gives_every_layer_and_head(model):
    source, target = ids(B, S, V), ids(B, T, W)
    source[0, -2:] = PAD
    expected = model(source, target)
    with record_attention(model) as weights:
        torch.testing.assert_close(model(source, target), expected)
    assert len(weights) == 3 * N
    assert weights["encoder.layers.0.self_attention"][0].shape == (B, H, S, S)
    assert weights["decoder.layers.1.self_attention"][0].shape == (B, H, T, T)
    assert weights["decoder.layers.1.cross_attention"][0].shape == (B, H, T, S)
    assert not weights["decoder.layers.1.cross_attention"][0][0, :, :, -2:].any()
    assert not weights["decoder.layers.0.self_attention"][0].triu(1).any()
    for recorded in weights.values():
        torch.testing.assert_close(recorded[0].sum(-1), torch.ones(recorded[0].shape[:-1], dtype=torch.float64))
    model(source, target)
    assert all(len(recorded) == 1 for recorded in weights.values()), "the recording must end with the block"


def test_a_cached_step_gives_what_the_whole_sentence_gives(model):
    source, target = ids(B, S, V), ids(B, 40, W)  # 40: the cache must grow more than once
    memory, may_attend = model.encode(source)
    whole = model.decode(target, memory, may_attend)
    state = model.decoder.start(memory)
    steps = [model.decode(target[:, t : t + 1], may_attend=may_attend, state=state) for t in range(40)]
    assert len(state) == 40
    torch.testing.assert_close(torch.cat(steps, 1), whole)


def test_the_cache_keeps_what_it_was_given_when_it_grows_and_when_rows_are_selected():
    cache = KeyValueCache()
    k, v = torch.randn(2, 3, H, 50, 4).unbind()
    for t in range(50):
        keys, values = cache.append(k[:, :, t : t + 1], v[:, :, t : t + 1])
    assert torch.equal(keys, k)
    assert torch.equal(values, v)
    cache.select(torch.tensor([2, 2, 0]))
    keys, _ = cache.append(k[:, :, :1], v[:, :, :1])
    assert torch.equal(keys[:, :, :50], k[[2, 2, 0]])


def test_the_positions_are_the_papers_formula():
    table = positional_encoding(50, D)
    for pos, i in [(0, 0), (1, 0), (7, 3), (49, 5)]:
        angle = torch.tensor(pos / 10000 ** (2 * i / D), dtype=torch.float64)
        torch.testing.assert_close(table[pos, 2 * i], angle.sin())
        torch.testing.assert_close(table[pos, 2 * i + 1], angle.cos())


def test_the_embedding_is_a_row_of_the_table_times_the_root_of_d_model():
    embedding = Embedding(V, D)
    assert torch.equal(embedding(torch.tensor([[3]]))[0, 0], embedding.weight[3] * D**0.5)
    torch.manual_seed(0)
    assert Embedding(1000, 64)(torch.arange(1000)[None]).std().item() == pytest.approx(1, abs=0.01)


def paper_parameters(d_model, d_ff, vocab_size, n_layers=6):
    """Count what figure 1 and sections 3.2 to 3.4 name: projections without a bias, one shared table."""
    attention = 4 * d_model * d_model
    feed_forward = 2 * d_model * d_ff + d_ff + d_model
    norm = 2 * d_model
    encoder = attention + feed_forward + 2 * norm
    decoder = 2 * attention + feed_forward + 3 * norm
    return vocab_size * d_model + n_layers * (encoder + decoder)


@pytest.mark.parametrize(("preset", "total", "papers"), [("base", 63_045_632, 65e6), ("big", 214_171_648, 213e6)])
def test_the_papers_models_have_the_papers_size(preset, total, papers):
    config = TransformerConfig.preset(preset, 37_000, 37_000)
    with torch.device("meta"):
        count = sum(p.numel() for p in Transformer(config).parameters())
    assert count == total == paper_parameters(config.d_model, config.d_ff, 37_000)
    assert count == pytest.approx(papers, rel=0.04)  # about 37,000 tokens, says section 5.1


@pytest.mark.parametrize("share", [False, True])
def test_target_embedding_and_output_are_one_table(share):
    model = Transformer(TransformerConfig(V, V, D, H, F, N, share_embeddings=share))
    assert model.generator.weight is model.target_embedding.weight
    assert (model.source_embedding.weight is model.generator.weight) == share


def test_half_precision_runs():
    model = Transformer(TransformerConfig(V, W, D, H, F, N)).bfloat16().eval()
    assert model(ids(B, S, V), ids(B, T, W)).dtype == torch.bfloat16


def test_the_shift_and_the_sum_leave_out_what_they_must():
    target = torch.tensor([[1, 7, 8, 2], [1, 9, 2, PAD]])
    inputs, labels = shift(target)
    assert inputs.tolist() == [[1, 7, 8], [1, 9, 2]]
    assert labels.tolist() == [[7, 8, 2], [9, 2, PAD]]
    assert n_words(labels) == 5
    uniform = torch.zeros(2, 3, W)
    torch.testing.assert_close(cross_entropy(uniform, labels), 5 * torch.tensor(W).log())


def test_label_smoothing_is_the_cross_entropy_against_the_smoothed_distribution():
    torch.manual_seed(0)
    logits, labels = torch.randn(B, T, W, dtype=torch.float64), ids(B, T, W)
    q = torch.full_like(logits, 0.1 / W).scatter_add(-1, labels[..., None], torch.full((B, T, 1), 0.9).double())
    torch.testing.assert_close(cross_entropy(logits, labels, 0.1), -(q * logits.log_softmax(-1)).sum())


def test_masks_say_who_may_attend():
    assert padding_mask(torch.tensor([[5, 6, PAD]])).tolist() == [[[[True, True, False]]]]
    assert causal_mask(3).int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert causal_mask(2, 4).int().tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]


X, MEMORY = torch.zeros(B, T, D), torch.zeros(B, S, D)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: MultiHeadAttention(D, 5), ValueError, "12 / 5 leaves 2"),
        (lambda: MultiHeadAttention(D, H)(X[0]), ValueError, r"\(5, 12\).*batch, words"),
        (lambda: MultiHeadAttention(D, H)(X[..., :-1]), ValueError, "11.*d_model = 12"),
        (lambda: MultiHeadAttention(D, H)(X, MEMORY[:1]), ValueError, "batch of 2.*memory one of 1"),
        (lambda: MultiHeadAttention(D, H)(X, MEMORY, torch.ones(T, S)), TypeError, "float32.*True = may attend"),
        (lambda: MultiHeadAttention(D, H)(X, MEMORY, causal_mask(T)), ValueError, r"\(5, 5\).*\(2, 3, 5, 7\)"),
        (lambda: MultiHeadAttention(D, H)(X, is_causal=True, may_attend=causal_mask(T)), ValueError, "compose"),
        (lambda: MultiHeadAttention(D, H)(X, MEMORY, is_causal=True), ValueError, "5 queries and 7 keys"),
        (lambda: causal_mask(5, 3), ValueError, "5 queries and 3 keys"),
        (lambda: Embedding(V, D)(torch.tensor([[3, V]])), ValueError, "id 11.*0 to 10"),
        (lambda: PositionalEncoding(D, max_length=4)(X), ValueError, "5 tokens.*positions for 4"),
        (lambda: positional_encoding(4, 5), ValueError, "must be even"),
        (lambda: TransformerConfig(0, W), ValueError, "source_vocab_size is 0"),
        (lambda: TransformerConfig(V, W, share_embeddings=True), ValueError, "11 and 13"),
        (lambda: TransformerConfig(V, W, dropout=1), ValueError, "dropout is 1"),
        (lambda: TransformerConfig.preset("huge", V, W), ValueError, "huge.*small, medium, base, big"),
        (lambda: cross_entropy(torch.zeros(B, T, W), ids(B, T + 1, W)), ValueError, r"\(2, 6\)"),
    ],
)
def test_bad_input_is_refused_with_what_came_and_what_was_wanted(call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize(
    ("source", "target", "says"),
    [
        (ids(B, S, V), ids(B + 1, T, W), "2 sentences and target 3"),
        (ids(B, 0, V), ids(B, T, W), "source holds no word"),
        (ids(B, S, V)[0], ids(B, T, W), r"source has the shape \(7,\)"),
        (ids(B, S, V), ids(B, T, W).double(), "target.*float64"),
        (ids(B, 1025, V), ids(B, T, W), "1025 tokens.*1024"),
    ],
)
def test_ids_that_do_not_fit_are_refused(model, source, target, says):
    with pytest.raises(ValueError, match=says):
        model(source, target)


def test_every_preset_builds_the_model_it_names():
    for name, sizes in PRESETS.items():
        with torch.device("meta"):
            model = Transformer(TransformerConfig.preset(name, 50, 50))
        assert model.encoder.layers[0].feed_forward.inner.out_features == sizes.get("d_ff", 2048)
