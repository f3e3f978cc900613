"""Generated traffic: the same pixels everywhere, a ground that never moves, vehicles that keep their slots and their distance."""

import hashlib

import numpy as np
import pytest
import torch

from motes.data.worlds.roads.traffic import Traffic, TrafficConfig
from motes.data.worlds.roads.vehicles import SIZES
from motes.errors import UserError

HASH = "231fc0ad6d5260e895dc432b6666225507a254246a62763e983e265788ada459"
CLIP = TrafficConfig(frames=12, count=1200, held_out=120)


def test_same_seed_same_pixels_on_any_machine():
    pixels = Traffic(TrafficConfig(seed=5)).pixels(range(16))
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == HASH


@pytest.mark.parametrize("size", [(64, 64), (48, 80)])
def test_a_picture_does_not_depend_on_its_company(size):
    config = TrafficConfig(image_size=size, frames=3)
    together = Traffic(config).pixels(range(12))
    alone = np.concatenate([Traffic(config).pixels([row]) for row in (11, 3, 7)])
    assert np.array_equal(together[[11, 3, 7]], alone)


def test_splits_share_no_clip():
    colours = [
        Traffic(TrafficConfig(), split).truth(range(20)).factors["colour"]
        for split in ("train", "validation", "test")
    ]
    assert not any(
        torch.equal(colours[a][n], colours[b][n]) for a, b in ((0, 1), (0, 2), (1, 2)) for n in range(20)
    )


def test_what_no_vehicle_touches_stands_still():
    data = Traffic(CLIP)
    for first in (0, 24, 60):
        rows = range(first, first + 12)
        pixels, truth = data.pixels(rows).astype(int), data.truth(rows)
        away = (
            ~torch.nn.functional.max_pool2d(truth.whole.any(1, keepdim=True).float(), 15, 1, 7)
            .bool()
            .any(0)[0]
            .numpy()
        )
        moved = np.abs(pixels - pixels[0]).max((0, 1))
        assert away.mean() > 0.1 and moved[away].max() <= 1
        assert moved[~away].max() > 40


def test_the_light_of_the_day_changes_the_ground():
    data = Traffic(TrafficConfig())
    rows = range(60)
    brightness = data.pixels(rows)[:, :, :, 20:44].mean((1, 2, 3))
    hour = data.truth(rows).scene["hour"].numpy()
    assert brightness[(hour > 11) & (hour < 15)].mean() > 1.25 * brightness[(hour < 6.5) | (hour > 20)].mean()


def test_masks_boxes_and_centres_agree():
    data = Traffic(TrafficConfig())
    truth = data.truth(range(60))
    assert (truth.masks <= truth.whole).all() and (truth.masks.sum(1) <= 1).all()
    assert torch.equal(truth.present, truth.masks.any(-1).any(-1))
    hidden = (truth.whole.sum((2, 3)) > truth.masks.sum((2, 3))) & truth.present
    assert 0.02 < hidden.sum() / truth.present.sum() < 0.9, "some stand behind others"
    inner = truth.present & (truth.centres.abs() < 0.7).all(-1) & ~hidden
    grid = torch.linspace(-1, 1, 64)
    for axis, other in ((0, 3), (1, 2)):
        along = truth.masks.sum(other).float()
        mean = (along * grid).sum(-1) / along.sum(-1).clamp_min(1)
        assert (mean - truth.centres[..., axis]).abs()[inner].max() < 0.12
    assert 1.5 < truth.present.sum(1).float().mean() < 12


def test_the_nearer_hides_the_farther():
    truth = Traffic(TrafficConfig(vehicles=(12, 20), count=200)).truth(range(80))
    depth = truth.factors["depth"][:, :, None, None].expand_as(truth.whole)
    shared = truth.whole.sum(1) > 1
    nearest = torch.where(truth.whole, depth, torch.inf).argmin(1)
    owner, seen = truth.masks.int().argmax(1), truth.masks.any(1)
    assert shared.sum() > 300
    assert (owner == nearest)[shared & seen].float().mean() > 0.9


def test_vehicles_keep_slot_colour_and_direction_of_travel():
    data = Traffic(CLIP)
    truth = data.truth(range(36))
    colour = truth.factors["colour"].view(3, 12, -1, 3)
    assert (colour == colour[:, :1]).all()
    ground = torch.from_numpy(np.stack([np.stack([m.x, m.y], -1) for m, _ in [data._flow(0)]])[0][:3])
    heading = truth.factors["heading"].view(3, 12, -1, 2)
    there = heading.norm(dim=-1) > 0.5
    step = (ground[:, 1:] - ground[:, :-1]).float()
    ahead = (step * heading[:, :-1]).sum(-1)[there[:, :-1]]
    assert ahead.min() > -0.05, "nobody drives backwards"
    assert (ahead < 0.01).any() and (ahead > 1).any(), "some queue, some drive"


def test_nobody_drives_through_another():
    data = Traffic(TrafficConfig(frames=20, count=2000, vehicles=(10, 14)))
    moves, _ = data._flow(0)
    size = SIZES[moves.kind]
    crossings = 0
    for a in range(14):
        for b in range(a):
            both = (moves.present[:, a] & moves.present[:, b])[:, None]
            apart = np.zeros(moves.x[:, :, 0].shape, bool)
            for one, other in ((a, b), (b, a)):  # two boxes are apart if a side of one of them separates them
                dx, dy = moves.x[..., other] - moves.x[..., one], moves.y[..., other] - moves.y[..., one]
                e, n = moves.east[..., one], moves.north[..., one]
                oe, on = moves.east[..., other], moves.north[..., other]
                cosine, sine = np.abs(e * oe + n * on), np.abs(e * on - n * oe)
                half, wide = size[:, other, 0, None] / 2, size[:, other, 1, None] / 2
                apart |= np.abs(dx * e + dy * n) > size[:, one, 0, None] / 2 + half * cosine + wide * sine
                apart |= np.abs(dy * e - dx * n) > size[:, one, 1, None] / 2 + half * sine + wide * cosine
            crossings += (both & ~apart).sum()
    assert crossings == 0


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"channels": 2}, "1 or 3"),
        ({"vehicles": (5, 2)}, "fewest"),
        ({"frames": 5000}, "at least one clip"),
        ({"hours": (20.0, 3.0)}, "of a day"),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong, words):
    with pytest.raises(UserError, match=words):
        Traffic(TrafficConfig(**wrong))
