"""What IODINE promises: slots are exchangeable, encodings follow from the draw, and the best start is kept."""

from dataclasses import replace

import pytest
import torch
from small import SMALL

from motes.errors import UserError
from motes.models import MODELS
from motes.models.slots.schedule import settings_at
from motes.models.slots.starts import best_of, noise_of_start


@pytest.fixture
def model():
    torch.manual_seed(0)
    Iodine = MODELS["iodine"]
    made = Iodine(Iodine.Config(**SMALL["iodine"])).eval()
    # as after some training, so that updates do something
    torch.nn.init.normal_(made.reader.change.weight, 0.0, 0.3)
    made.progress.fill_(1.0)
    return made


@pytest.fixture
def image():
    return torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def test_noise_in_another_order_gives_the_slots_in_that_order(model, image, monkeypatch):
    order = [2, 0, 1]
    slots = model.encode(image, starts=[3])

    def permuted(seed, count, like):
        return [noise[:, order] for noise in noise_of_start(seed, count, like)]

    monkeypatch.setattr("motes.models.slots.iodine.noise_of_start", permuted)
    again = model.encode(image, starts=[3])
    torch.testing.assert_close(again.codes, slots.codes[:, order], rtol=0, atol=1e-5)
    torch.testing.assert_close(again.mask_logits, slots.mask_logits[:, order], rtol=0, atol=1e-4)
    torch.testing.assert_close(again.mixed(), slots.mixed(), rtol=0, atol=1e-5)


def test_a_picture_alone_is_encoded_as_in_a_batch_and_always_alike(model, image):
    together = model.encode(image)
    torch.manual_seed(7)
    alone = model.encode(image[3:4])
    torch.testing.assert_close(alone.codes[0], together.codes[3], rtol=0, atol=1e-4)
    torch.testing.assert_close(alone.bound, together.bound[3:4], rtol=1e-5, atol=0)


def test_more_updates_go_on_from_fewer(model, image):
    noise = noise_of_start(3, 4, torch.zeros(2, 3, 4))
    longer = noise_of_start(3, 9, torch.zeros(2, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(noise, longer[:4], strict=True))
    bounds = [model.encode(image, updates=updates, starts=[3]).bound for updates in (1, 2, 6)]
    assert not torch.equal(bounds[0], bounds[1]) and not torch.equal(bounds[1], bounds[2])


def test_another_draw_is_another_start(model, image):
    first, second = (model.encode(image, starts=[3], draw=draw) for draw in (0, 1))
    assert not torch.equal(first.codes, second.codes)


def test_every_picture_keeps_its_best_start(model, image):
    every = [model._encoded(image, model._start(5, 3), 3, number) for number in range(3)]
    best = model.encode(image, starts=[3, 3, 3])
    assert torch.equal(best.bound, torch.stack([slots.bound for slots in every]).max(0).values)
    bounds = torch.tensor([[1.0, 0, 0, 5, 0], [0, 1, 0, 0, 9], [0, 0, 1, 0, 0]])
    mixed = best_of([replace(slots, bound=bound) for slots, bound in zip(every, bounds, strict=True)])
    for picture, start in enumerate([0, 1, 2, 0, 1]):
        assert torch.equal(mixed.codes[picture], every[start].codes[picture])
    assert torch.equal(mixed.bound, torch.tensor([1.0, 1, 1, 5, 9]))


def test_starts_may_differ_in_their_number_of_slots(model, image):
    slots = best_of([model._encoded(image, model._start(5, count), 2, 0) for count in (2, 4)])
    assert slots.count == 4
    few = ~slots.presence.bool().all(1)
    assert slots.presence.sum(1).tolist() == [2 if picture else 4 for picture in few]
    torch.testing.assert_close(slots.shares.sum(1), torch.ones(5, 32, 32))
    assert slots.masks[few][:, 2:].abs().sum() == 0


def test_without_a_slot_the_ground_and_the_others_share_its_pixels(model, image):
    slots = model.encode(image[:1])
    left = slots.without(0)
    assert (left.masks[:, 0] == 0).all()
    assert (left.masks[:, 1:] >= slots.masks[:, 1:]).all()
    empty = slots.without(0).without(1).without(2)
    torch.testing.assert_close(empty.mixed(), slots.ground)


def test_a_changed_code_is_drawn_again(model, image):
    slots = model.encode(image[:1])
    assert slots.traversed(1, 2, 3.0).fits is None
    changed = model.decode(slots.traversed(1, 2, 3.0))
    assert (changed - model.decode(slots)).abs().max() > 1e-3
    same = model.decode(slots.with_code(1, slots.codes[0, 1]))
    torch.testing.assert_close(same, model.decode(slots), rtol=0, atol=1e-5)


def test_the_owner_of_a_pixel_is_the_slot_whose_colour_fits(model, image):
    """Shares are responsibilities: masks times how likely the pixel is, given each component's colour."""
    slots = model.encode(image, starts=[3])
    look = model._look(image)
    with torch.no_grad():
        view = look.view(look.draw(slots.codes))
        joint = (view.components.log_masks + view.explained.of_components).softmax(1)
    torch.testing.assert_close(slots.shares, torch.cat([joint[:, -1:], joint[:, :-1]], 1), rtol=0, atol=1e-4)


def test_samples_are_slots_of_the_prior(model):
    slots = model.sample(4)
    assert slots.codes.shape == (4, 3, 4) and model.decode(slots).shape == (4, 3, 32, 32)
    assert slots.fits is None and (slots.log_variance < -10).all()


@pytest.mark.parametrize(("ground", "first"), [("flat", -4.0), ("median", 0.0), ("none", 0.0)])
def test_only_a_ground_that_learns_its_colour_appears_late(ground, first):
    config = replace(MODELS["iodine"].Config(**SMALL["iodine"]), ground=ground)
    assert settings_at(config, torch.tensor(0.0)).ground_logit == first
    assert settings_at(config, torch.tensor(1.0)).ground_logit == 0


@pytest.mark.parametrize(
    "options",
    [
        {"slots": 1},
        {"updates": (0, 5)},
        {"starts": (4, 1)},
        {"scale": (0.0, 0.1)},
        {"waves": 1},
    ],
)
def test_what_cannot_be_is_refused(options):
    Iodine = MODELS["iodine"]
    with pytest.raises(UserError):
        Iodine(Iodine.Config(**{**SMALL["iodine"], **options}))


def test_readings_that_cannot_be_are_refused(model, image):
    for options in ({"updates": 0}, {"starts": [1]}):
        with pytest.raises(UserError):
            model.encode(image, **options)
    with pytest.raises(UserError, match="resize"):
        model.encode(image[..., 1:])
    with pytest.raises(UserError, match="not finite"):
        model.encode(torch.full_like(image, torch.nan))
