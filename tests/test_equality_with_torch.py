"""Each part of tfmlib gives what its twin in torch.nn gives, after its weights were copied: outputs and gradients."""

import copy

import pytest
import torch
from torch import nn

from tfmlib.attention import MultiHeadAttention, record_attention
from tfmlib.decoder import Decoder
from tfmlib.embedding import Embedding
from tfmlib.encoder import Encoder
from tfmlib.interop import copy_weights
from tfmlib.masks import causal_mask
from tfmlib.sublayer import layer_norm
from tfmlib.transformer import Transformer, TransformerConfig

# PyTorch warns that its fast path for padded batches is off: it is, on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor")

# All different, so that a wrong axis fails.
B, T, S, D, H, F, N, V, W = 2, 5, 7, 12, 3, 20, 4, 11, 13
TOLERANCE = {torch.float64: 1e-11, torch.float32: 5e-5}
precisions = pytest.mark.parametrize("dtype", TOLERANCE, ids=["float64", "float32"])
orders = pytest.mark.parametrize("pre_norm", [False, True], ids=["post-LN", "pre-LN"])
biases = pytest.mark.parametrize("bias", [False, True], ids=["no bias", "bias"])
masked = pytest.mark.parametrize("with_mask", [False, True], ids=["no mask", "mask"])


def randomise(module, dtype):
    """Give each parameter its own values: LayerNorm's 1 and 0 and zero biases would hide an error in copying."""
    torch.manual_seed(1)
    module = module.to(dtype)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.randn_like(p) * 0.3)
    return module


def vectors(*shape, dtype):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(2))


def source_mask():
    """The last two words of the second source are padding; True = may attend. (B, S)."""
    mask = torch.ones(B, S, dtype=torch.bool)
    mask[1, -2:] = False
    return mask


def torch_stack(kind, pre_norm, dtype):
    """PyTorch's encoder or decoder, without the final norm that it would add to post-LN."""
    layer = {"Encoder": nn.TransformerEncoderLayer, "Decoder": nn.TransformerDecoderLayer}[kind]
    stack = {"Encoder": nn.TransformerEncoder, "Decoder": nn.TransformerDecoder}[kind]
    layer = layer(D, H, F, dropout=0, batch_first=True, norm_first=pre_norm)
    return stack(layer, N, norm=nn.LayerNorm(D) if pre_norm else None).to(dtype)


def run(call, inputs):
    """Give the output, and the gradients of the inputs of a weighted sum of it."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    out = call(*leaves)
    (out * torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)).sum().backward()
    return [out, *(x.grad for x in leaves)]


def gradients(module):
    """A copy of the module that holds its gradients where its weights were."""
    twin = copy.deepcopy(module)
    with torch.no_grad():
        for p, q in zip(twin.parameters(), module.parameters(), strict=True):
            p.copy_(torch.zeros_like(q) if q.grad is None else q.grad)
    return twin


def assert_twins_agree(ours, theirs, call_ours, call_theirs, *inputs):
    close = dict.fromkeys(("rtol", "atol"), TOLERANCE[inputs[0].dtype])
    torch.testing.assert_close(run(call_ours, inputs), run(call_theirs, inputs), **close)
    mine, its = gradients(ours), gradients(theirs)
    if not any("proj.bias" in name for name, _ in mine.named_parameters()):
        for name, p in its.named_parameters():
            if name.endswith(("in_proj_bias", "out_proj.bias")):
                p.data.zero_()  # PyTorch's has a gradient for the biases of 0 that ours does not have
    copied = copy.deepcopy(mine)
    copy_weights(its, copied)
    expected = dict(copied.named_parameters())
    for name, gradient in mine.named_parameters():
        torch.testing.assert_close(gradient, expected[name], **close, msg=lambda m, name=name: f"{name}: {m}")
        assert gradient.any(), f"{name} has no gradient: nothing was compared"


@precisions
@biases
@masked
@pytest.mark.parametrize("recorded", [False, True], ids=["fast", "written out"])
def test_cross_attention_equals_torch(dtype, bias, with_mask, recorded):
    ours = randomise(MultiHeadAttention(D, H, bias), dtype)
    theirs = nn.MultiheadAttention(D, H, batch_first=True, dtype=dtype)
    copy_weights(ours, theirs)
    may_attend = source_mask() if with_mask else None

    def call_ours(x, memory):
        mask = None if may_attend is None else may_attend[:, None, None]
        if not recorded:
            return ours(x, memory, mask)
        with record_attention(ours):
            return ours(x, memory, mask)

    def call_theirs(x, memory):
        ignored = None if may_attend is None else ~may_attend  # PyTorch: True = leave out
        return theirs(x, memory, memory, key_padding_mask=ignored)[0]

    x, memory = vectors(B, T, D, dtype=dtype), vectors(B, S, D, dtype=dtype)
    assert_twins_agree(ours, theirs, call_ours, call_theirs, x, memory)


@precisions
@biases
def test_causal_self_attention_equals_torch(dtype, bias):
    ours = randomise(MultiHeadAttention(D, H, bias), dtype)
    theirs = nn.MultiheadAttention(D, H, batch_first=True, dtype=dtype)
    copy_weights(ours, theirs)
    assert_twins_agree(
        ours,
        theirs,
        lambda x: ours(x, is_causal=True),
        lambda x: theirs(x, x, x, attn_mask=~causal_mask(T))[0],
        vectors(B, T, D, dtype=dtype),
    )


def test_recorded_weights_equal_torchs_of_every_head():
    ours = randomise(MultiHeadAttention(D, H), torch.float64)
    theirs = nn.MultiheadAttention(D, H, batch_first=True, dtype=torch.float64)
    copy_weights(ours, theirs)
    x, memory = vectors(B, T, D, dtype=torch.float64), vectors(B, S, D, dtype=torch.float64)
    with record_attention(ours) as weights:
        ours(x, memory, source_mask()[:, None, None])
    expected = theirs(x, memory, memory, key_padding_mask=~source_mask(), average_attn_weights=False)[1]
    assert weights[""][0].shape == (B, H, T, S)
    torch.testing.assert_close(weights[""][0], expected)


@precisions
def test_layer_norm_written_out_equals_torch(dtype):
    theirs = randomise(nn.LayerNorm(D), dtype)
    x = vectors(B, T, D, dtype=dtype) * 3 + 1
    expected = run(theirs, [x])
    torch.testing.assert_close(run(lambda x: layer_norm(x, theirs.weight, theirs.bias), [x]), expected)
    tiny = x * 1e-3  # the variance is then as small as ε, whose place becomes visible
    torch.testing.assert_close(layer_norm(tiny, theirs.weight, theirs.bias), theirs(tiny))


@precisions
@orders
@biases
@masked
def test_encoder_equals_torch(dtype, pre_norm, bias, with_mask):
    ours = randomise(Encoder(N, D, H, F, dropout=0, pre_norm=pre_norm, bias=bias), dtype)
    theirs = torch_stack("Encoder", pre_norm, dtype)
    copy_weights(ours, theirs)
    may_attend = source_mask()
    assert_twins_agree(
        ours,
        theirs,
        lambda x: ours(x, may_attend[:, None, None] if with_mask else None),
        lambda x: theirs(x, src_key_padding_mask=~may_attend if with_mask else None),
        vectors(B, S, D, dtype=dtype),
    )


@precisions
@orders
@biases
@masked
def test_decoder_equals_torch(dtype, pre_norm, bias, with_mask):
    ours = randomise(Decoder(N, D, H, F, dropout=0, pre_norm=pre_norm, bias=bias), dtype)
    theirs = torch_stack("Decoder", pre_norm, dtype)
    copy_weights(ours, theirs)
    may_attend = source_mask()
    assert_twins_agree(
        ours,
        theirs,
        lambda x, memory: ours(x, memory, may_attend[:, None, None] if with_mask else None),
        lambda x, memory: theirs(
            x, memory, tgt_mask=~causal_mask(T), memory_key_padding_mask=~may_attend if with_mask else None
        ),
        vectors(B, T, D, dtype=dtype),
        vectors(B, S, D, dtype=dtype),
    )


class Halves(nn.Module):
    """nn.Transformer begins at vectors: give ours the same door."""

    def __init__(self, model):
        super().__init__()
        self.encoder, self.decoder = model.encoder, model.decoder

    def forward(self, source, target, may_attend):
        return self.decoder(target, self.encoder(source, may_attend), may_attend)


@precisions
@orders
@masked
def test_transformer_equals_torch(dtype, pre_norm, with_mask):
    config = TransformerConfig(V, W, D, H, F, N, dropout=0.0, pre_norm=pre_norm)
    model = randomise(Transformer(config), dtype)
    theirs = nn.Transformer(D, H, N, N, F, dropout=0, batch_first=True, norm_first=pre_norm, dtype=dtype)
    if not pre_norm:
        theirs.encoder.norm = theirs.decoder.norm = None
    copy_weights(model, theirs)
    halves = Halves(model)
    may_attend = source_mask()
    inputs = vectors(B, S, D, dtype=dtype), vectors(B, T, D, dtype=dtype)
    close = dict.fromkeys(("rtol", "atol"), TOLERANCE[dtype])
    torch.testing.assert_close(
        run(lambda source, target: halves(source, target, may_attend[:, None, None] if with_mask else None), inputs),
        run(
            lambda source, target: theirs(
                source,
                target,
                tgt_mask=~causal_mask(T),
                src_key_padding_mask=~may_attend if with_mask else None,
                memory_key_padding_mask=~may_attend if with_mask else None,
            ),
            inputs,
        ),
        **close,
    )
    mine, its = gradients(model), gradients(theirs)
    for name, p in its.named_parameters():
        if name.endswith(("in_proj_bias", "out_proj.bias")):
            p.data.zero_()
    copied = copy.deepcopy(mine)
    copy_weights(its, copied)
    for (name, gradient), expected in zip(mine.named_parameters(), copied.parameters(), strict=True):
        torch.testing.assert_close(gradient, expected, **close, msg=lambda m, name=name: f"{name}: {m}")


@orders
def test_weights_copied_out_and_back_are_the_same(pre_norm):
    config = TransformerConfig(V, W, D, H, F, N, pre_norm=pre_norm, bias=True)
    model, other = randomise(Transformer(config), torch.float64), Transformer(config).double()
    theirs = nn.Transformer(D, H, N, N, F, norm_first=pre_norm, dtype=torch.float64)
    if not pre_norm:
        theirs.encoder.norm = theirs.decoder.norm = None
    copy_weights(model, theirs)
    copy_weights(theirs, other)
    for half in ("encoder", "decoder"):
        for p, q in zip(getattr(model, half).parameters(), getattr(other, half).parameters(), strict=True):
            assert torch.equal(p, q)


@pytest.mark.parametrize(
    ("build", "error", "says"),
    [
        (lambda: nn.Linear(D, D), TypeError, "TransformerEncoder"),
        (
            lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(D, H, F), N, norm=nn.LayerNorm(D)),
            ValueError,
            "LayerNorm at the top",
        ),
        (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(D, H, F), N + 1), ValueError, "5"),
        (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(D, H + 1, F), N), ValueError, "heads"),
        (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(D, H, F + 1), N), ValueError, "shape"),
        (
            lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(D, H, F, norm_first=True), N),
            ValueError,
            "norm_first",
        ),
    ],
    ids=["another part", "final norm", "layers", "heads", "inner width", "order of the norm"],
)
def test_weights_that_do_not_fit_are_refused_and_nothing_is_copied(build, error, says):
    ours, theirs = randomise(Encoder(N, D, H, F), torch.float32), build()
    before = [p.clone() for p in theirs.parameters()]
    with pytest.raises(error, match=says):
        copy_weights(ours, theirs)
    assert all(torch.equal(p, q) for p, q in zip(before, theirs.parameters(), strict=True))


def test_a_part_without_a_twin_is_refused_with_the_parts_that_have_one():
    with pytest.raises(TypeError, match="Embedding and Embedding are no twins.*MultiHeadAttention, .*Transformer to"):
        copy_weights(Embedding(W, D), nn.Embedding(W, D))


def test_biases_that_ours_lacks_are_refused_unless_they_are_zero():
    ours, theirs = MultiHeadAttention(D, H), nn.MultiheadAttention(D, H)
    copy_weights(theirs, ours)
    theirs.in_proj_bias.data[3] = 1.0
    with pytest.raises(ValueError, match="bias=True"):
        copy_weights(theirs, ours)
