"""Slot Attention is the published rounds, exactly; its implicit gradient is that of one round; slots have no order."""

import pytest
import torch
import torch.nn.functional as F

from motes.errors import UserError
from motes.models.slots.slot_attention import SlotAttentionAutoencoder, SlotAttentionConfig
from motes.nn.blocks.broadcast import BroadcastSize
from motes.nn.blocks.slot_attention import LEAST_SHARE, GrowingDecoder, SlotAttention
from motes.types.batch import Batch

SMALL = {
    "image_size": (16, 16),
    "slots": 3,
    "code_dim": 6,
    "width": 5,
    "kernel": 3,
    "hidden": 7,
    "decoder": "cells",
    "side": 8,
}


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def make(**options):
    torch.manual_seed(0)
    return SlotAttentionAutoencoder(SlotAttentionConfig(**{**SMALL, **options}))


def images(count=4):
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def normalised(x, norm):
    middle = x.mean(-1, keepdim=True)
    variance = (x - middle).square().mean(-1, keepdim=True)
    return (x - middle) / (variance + norm.eps).sqrt() * norm.weight + norm.bias


def test_a_round_is_the_published_one():
    """Against the formulas written out slot by slot."""
    torch.manual_seed(0)
    part = SlotAttention(inputs=5, code=4, hidden=3)
    x, slots = torch.randn(2, 9, 5), torch.randn(2, 3, 4)
    got = part(slots, *part.keys_and_values(x))
    x = normalised(x, part.norm_inputs)
    keys, values = x @ part.key.weight.T, x @ part.value.weight.T
    query = normalised(slots, part.norm_slots) @ part.query.weight.T
    logits = torch.stack([(keys * query[:, k, None]).sum(-1) / 4**0.5 for k in range(3)], 1)
    share = logits.exp() / logits.exp().sum(1, keepdim=True) + LEAST_SHARE
    for k in range(3):
        weights = share[:, k] / share[:, k].sum(1, keepdim=True)
        read = (weights[..., None] * values).sum(1)
        gates = [part.gru.weight_ih, part.gru.weight_hh, part.gru.bias_ih, part.gru.bias_hh]
        (reset_i, keep_i, new_i), (reset_h, keep_h, new_h) = (
            (vector @ weight.T + bias).chunk(3, 1)
            for vector, weight, bias in (
                (read, gates[0], gates[2]),
                (slots[:, k], gates[1], gates[3]),
            )
        )
        keep = torch.sigmoid(keep_i + keep_h)
        new = torch.tanh(new_i + torch.sigmoid(reset_i + reset_h) * new_h)
        updated = keep * slots[:, k] + (1 - keep) * new
        first, last = part.mlp[0], part.mlp[2]
        hidden = (normalised(updated, part.norm_hidden) @ first.weight.T + first.bias).clamp_min(0)
        expected = updated + hidden @ last.weight.T + last.bias
        torch.testing.assert_close(got[:, k], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("start", ["shared", "learned"])
def test_the_implicit_gradient_is_of_the_last_round_alone(start):
    model = make(gradient="implicit", start=start)
    batch = Batch(images(), torch.arange(4))
    torch.manual_seed(3)
    losses = model.loss(batch)
    losses.total.backward()
    got = {name: value.grad for name, value in model.named_parameters()}

    torch.manual_seed(3)
    noise = torch.randn(4, 3, 6)
    with torch.no_grad():
        keys, values = model.attention.keys_and_values(model.read(batch.image))
        if start == "learned":
            codes = model.start.values.expand(4, 3, 6)
        else:
            codes = model.start.mean + model.start.log_std.exp() * noise
        for _ in range(2):
            codes = model.attention(codes, keys, values)
    codes = codes.clone().requires_grad_()
    last = model.attention(codes, *model.attention.keys_and_values(model.read(batch.image)))
    drawn = model.draw(last.flatten(0, 1)).view(4, 3, 4, 16, 16)
    picture = (drawn[:, :, :1].softmax(1) * drawn[:, :, 1:]).sum(1)
    loss = (picture - batch.image).square().sum() / 4
    assert loss.item() == pytest.approx(losses.total.item(), rel=1e-12)
    names = [name for name, _ in model.named_parameters() if not name.startswith("start")]
    expected = torch.autograd.grad(loss, [*(model.get_parameter(name) for name in names), codes])
    for name, gradient in zip(names, expected, strict=False):
        torch.testing.assert_close(got[name], gradient, rtol=1e-11, atol=1e-13)
    if start == "learned":
        torch.testing.assert_close(got["start.values"], expected[-1].sum(0), rtol=1e-11, atol=1e-13)
    else:
        assert got["start.mean"] is None and got["start.log_std"] is None


def test_one_round_has_the_same_gradient_either_way():
    gradients = []
    for gradient in ("unrolled", "implicit"):
        model = make(gradient=gradient, updates=1)
        torch.manual_seed(0)
        model.loss(Batch(images(), torch.arange(4))).total.backward()
        gradients.append([value.grad for name, value in model.named_parameters() if "start" not in name])
    for unrolled, implicit in zip(*gradients, strict=True):
        torch.testing.assert_close(unrolled, implicit, rtol=1e-12, atol=1e-14)


def test_starts_in_another_order_give_the_same_slots_in_that_order():
    model = make()
    noise = torch.randn(4, 3, 6)
    order = [2, 0, 1]
    with torch.no_grad():
        codes = model._settled(images(), model.start(noise), 5)
        other = model._settled(images(), model.start(noise[:, order]), 5)
    torch.testing.assert_close(other, codes[:, order], rtol=1e-12, atol=1e-12)


@torch.no_grad()
def test_draws_are_the_same_for_every_picture_and_differ_from_each_other():
    model = make().eval()
    latent = model.encode(images())
    torch.testing.assert_close(model.encode(images()[2:]).codes, latent.codes[2:])
    assert not torch.equal(model.encode(images(), draw=1).codes, latent.codes)
    more = model.encode(images(), updates=9, slots=5)
    assert more.codes.shape == (4, 5, 6) and more.masks.shape == (4, 5, 16, 16)


@torch.no_grad()
def test_the_bound_is_the_likelihood_of_the_mean_picture():
    model = make(scale=0.2).eval()
    latent = model.encode(images())
    normal = torch.distributions.Normal(model.decode(latent), 0.2)
    torch.testing.assert_close(latent.bound, normal.log_prob(images()).sum((1, 2, 3)))


@torch.no_grad()
def test_a_pixel_is_of_the_slot_whose_mask_and_colour_say_so():
    model = make(scale=0.2).eval()
    latent = model.encode(images())
    normal = torch.distributions.Normal(latent.colours, 0.2)
    likelihood = normal.log_prob(images()[:, None]).sum(2).exp()
    expected = latent.masks * likelihood
    torch.testing.assert_close(
        model.shares(latent)[:, 1:], expected / expected.sum(1, keepdim=True), rtol=1e-6, atol=1e-9
    )
    by_masks = make(scale=1e6).eval()
    by_masks.load_state_dict(model.state_dict())
    torch.testing.assert_close(by_masks.shares(by_masks.encode(images()))[:, 1:], latent.masks)


def test_the_growing_decoder_reaches_any_size_from_its_grid():
    for size, side in (((35, 35), 0), ((40, 24), 3), ((21, 50), 5), ((128, 128), 8)):
        decoder = GrowingDecoder(6, 4, BroadcastSize(size, side, width=2, layers=1))
        assert decoder(torch.zeros(1, 6)).shape == (1, 4, *size)
    assert decoder.grid == (8, 8)


def test_a_place_is_drawn_from_the_code_and_where_it_is():
    decoder = GrowingDecoder(3, 2, BroadcastSize((6, 7), width=4, layers=1))
    code = torch.randn(1, 3)
    row, column = torch.linspace(0, 1, 6)[:, None].expand(6, 7), torch.linspace(0, 1, 7).expand(6, 7)
    place = torch.stack([row, column, 1 - row, 1 - column], -1)
    x = (code + place @ decoder.place.linear.weight.T + decoder.place.linear.bias).permute(2, 0, 1)
    layer = decoder.layers[0]
    expected = decoder.last(F.relu(F.conv2d(x[None], layer.weight, layer.bias, padding=2)))
    torch.testing.assert_close(decoder(code), expected)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"slots": 1}, "at least 2 slots"),
        ({"updates": 0}, "updates must be at least 1"),
        ({"kernel": 4}, "odd"),
        ({"side": 99}, "side must be from 0 to 16"),
        ({"scale": 0.0}, "scale must be positive"),
    ],
)
def test_odd_options_are_refused(options, words):
    with pytest.raises(UserError, match=words):
        make(**options)


def test_odd_requests_are_refused():
    model = make(start="learned").eval()
    for asked, words in (({"updates": 0}, "1 update"), ({"slots": 1}, "2 slots"), ({"slots": 4}, "learned")):
        with pytest.raises(UserError, match=words):
            model.encode(images(), **asked)
    with pytest.raises(UserError, match="resize them"):
        model.encode(torch.rand(1, 3, 8, 8))
    with pytest.raises(UserError, match="not numbers"):
        model.encode(images() * torch.nan)
