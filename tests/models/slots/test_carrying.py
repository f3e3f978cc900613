"""Slots over time: a frame goes on from the frame before, in clips and films alike, and a slot's place is its pixels'."""

from dataclasses import replace

import pytest
import torch
from small import SMALL

from motes.errors import UserError
from motes.models import MODELS
from motes.models.carrying import carrier_of, read_in_order
from motes.models.slots.posterior import Posterior
from motes.models.things import placed_slots
from motes.models.tracking import film_tracks
from motes.types.slots import Slots

FRAMES = 4


@pytest.fixture(params=["iodine", "slot-attention"])
def model(request):
    torch.manual_seed(0)
    kind = MODELS[request.param]
    made = kind(kind.Config(**SMALL[request.param])).eval()
    if request.param == "iodine":
        torch.nn.init.normal_(made.reader.change.weight, 0.0, 0.3)
        made.progress.fill_(1.0)
    return made


@pytest.fixture
def clips(model):
    """Two clips of other pictures."""
    image = torch.rand(2, 3, *model.config.image_size, generator=torch.Generator().manual_seed(1))
    return torch.stack([image.roll(frame, 3) for frame in range(FRAMES)], 1).flatten(0, 1)


def without_carry(model):
    other = type(model)(replace(model.config, carry=0)).eval()
    other.load_state_dict(model.state_dict())
    return other


@torch.no_grad()
def test_a_frame_goes_on_from_the_frame_before_and_clips_know_nothing_of_each_other(model, clips):
    latent = model.encode_clips(clips, FRAMES)
    expected = model.encode(clips[4:5])
    for frame in range(FRAMES):
        torch.testing.assert_close(latent.codes[4 + frame], expected.codes[0], rtol=0, atol=1e-4)
        expected = model.carried(clips[5 + frame : 6 + frame], expected) if frame + 1 < FRAMES else expected
    assert len(latent) == 8 and latent.bound is not None


@torch.no_grad()
def test_pieces_of_a_film_go_on_from_each_other(model, clips):
    together = model.encode_clips(clips[:4], FRAMES)
    before = model.encode_clips(clips[:2], 2)
    behind = read_in_order(model, clips[2:4], 2, model.encode, before[-1:])
    torch.testing.assert_close(behind.codes, together.codes[2:], rtol=0, atol=1e-5)
    pieces = list(film_tracks(model, [clips[:3], clips[3:4]], model.encode_clips))
    whole = model.track(clips[:4], FRAMES)
    assert [piece.frames for piece in pieces] == [3, 1]
    joined = pieces[0].joined(pieces[1])
    torch.testing.assert_close(joined.particles.position, whole.particles.position, rtol=0, atol=1e-5)
    assert torch.equal(joined.track, whole.track)


@torch.no_grad()
def test_slot_k_is_track_k_where_slots_are_carried_and_is_matched_where_not(model, clips):
    clip = model.track(clips, FRAMES)
    numbers = torch.arange(clip.particles.count).expand(len(clip), -1)
    assert torch.equal(clip.track, numbers.where(clip.seen, -1))
    alone = without_carry(model)
    assert carrier_of(alone) is None and carrier_of(model) is model
    assert torch.equal(alone.encode_clips(clips, FRAMES).codes, alone.encode(clips).codes)
    assert alone.track(clips, FRAMES).clips == 2


def test_a_negative_carry_is_refused(model):
    with pytest.raises(UserError, match="carry"):
        type(model)(replace(model.config, carry=-1))


@torch.no_grad()
def test_a_slot_that_is_not_present_starts_again():
    Iodine = MODELS["iodine"]
    model = Iodine(Iodine.Config(**SMALL["iodine"])).eval()
    image = torch.rand(1, 3, *model.config.image_size)
    before = model.encode(image).without(1)
    changed = replace(before, codes=before.codes.clone())
    changed.codes[0, 1] = 7.0
    torch.testing.assert_close(model.carried(image, before).codes, model.carried(image, changed).codes)
    assert model.carried(image, before).presence.all()


def test_a_posterior_is_known_again_by_its_mean_and_variance():
    numbers = torch.randn(5, 8, dtype=torch.float64) * 3
    posterior = Posterior(numbers)
    again = Posterior.of(posterior.mean, posterior.variance)
    torch.testing.assert_close(again.numbers, numbers, rtol=1e-6, atol=1e-6)


def test_a_slot_stands_in_the_middle_of_its_pixels_and_one_without_pixels_is_not_present():
    shares = torch.zeros(1, 4, 6, 8)
    shares[:, 0] = 0.2
    shares[0, 1, 1:3, 2:6] = 0.8
    shares[0, 2, 5, 7] = 0.9
    slots = Slots(torch.randn(1, 3, 5), torch.zeros(1, 3, 5), torch.ones(1, 3))
    particles = placed_slots(slots, shares)
    assert particles.presence.tolist() == [[1, 1, 0]]
    torch.testing.assert_close(particles.position[0, 0], torch.tensor([2 * 2 / 6 - 1, 4 * 2 / 8 - 1]))
    torch.testing.assert_close(particles.position[0, 1], torch.tensor([5.5 * 2 / 6 - 1, 7.5 * 2 / 8 - 1]))
    assert torch.equal(particles.features, slots.codes)
