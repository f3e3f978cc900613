"""Generated traffic: the same pixels everywhere, a still ground, vehicles that keep slots and distances."""

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
@pytest.mark.slow
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
        pixels = data.pixels(rows).astype(int)
        truth = data.truth(rows)
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
    for axis, across in ((0, 3), (1, 2)):
        profile = truth.masks.sum(across).float()
        mean = (profile * grid).sum(-1) / profile.sum(-1).clamp_min(1)
        assert (mean - truth.centres[..., axis]).abs()[inner].max() < 0.12
    assert 1.5 < truth.present.sum(1).float().mean() < 12


@pytest.mark.slow
def test_the_nearer_hides_the_farther():
    truth = Traffic(TrafficConfig(vehicles=(12, 20), count=200)).truth(range(80))
    depth = truth.factors["depth"][:, :, None, None].expand_as(truth.whole)
    shared = truth.whole.sum(1) > 1
    nearest = torch.where(truth.whole, depth, torch.inf).argmin(1)
    owner = truth.masks.int().argmax(1)
    covered = truth.masks.any(1)
    assert shared.sum() > 300
    assert (owner == nearest)[shared & covered].float().mean() > 0.9


def test_vehicles_keep_slot_colour_and_direction_of_travel():
    data = Traffic(CLIP)
    truth = data.truth(range(36))
    colour = truth.factors["colour"].view(3, 12, -1, 3)
    assert (colour == colour[:, :1]).all()
    ground = torch.from_numpy(np.stack([np.stack([m.x, m.y], -1) for m, _ in [data._flow(0)]])[0][:3])
    heading = truth.factors["heading"].view(3, 12, -1, 2)
    present = heading.norm(dim=-1) > 0.5
    step = (ground[:, 1:] - ground[:, :-1]).float()
    ahead = (step * heading[:, :-1]).sum(-1)[present[:, :-1]]
    assert ahead.min() > -0.05, "nobody drives backwards"
    assert (ahead < 0.01).any() and (ahead > 1).any(), "some queue, some drive"


def _separated_by_a_side(moves, size, first, second):
    """Whether a side of the first vehicle's box has the second one's box beyond it: two boxes are separate if
    that holds for either of them."""
    dx = moves.x[..., second] - moves.x[..., first]
    dy = moves.y[..., second] - moves.y[..., first]
    e = moves.east[..., first]
    n = moves.north[..., first]
    east = moves.east[..., second]
    north = moves.north[..., second]
    cosine = np.abs(e * east + n * north)
    sine = np.abs(e * north - n * east)
    length = size[:, second, 0, None] / 2
    width = size[:, second, 1, None] / 2
    beyond_end = np.abs(dx * e + dy * n) > size[:, first, 0, None] / 2 + length * cosine + width * sine
    beyond_flank = np.abs(dy * e - dx * n) > size[:, first, 1, None] / 2 + length * sine + width * cosine
    return beyond_end | beyond_flank


def test_nobody_drives_through_another():
    data = Traffic(TrafficConfig(frames=20, count=2000, vehicles=(10, 14)))
    moves, _ = data._flow(0)
    size = SIZES[moves.kind]
    crossings = 0
    for a in range(14):
        for b in range(a):
            present = (moves.present[:, a] & moves.present[:, b])[:, None]
            separate = _separated_by_a_side(moves, size, a, b) | _separated_by_a_side(moves, size, b, a)
            crossings += (present & ~separate).sum()
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


def test_each_vehicle_goes_on_along_one_of_the_ways_that_were_open_to_it():
    data = Traffic(TrafficConfig(frames=30, count=300))
    starts = range(0, 300, 30)
    ways = data.ways(starts)
    has_choice = ways.isfinite().all((2, 3, 4))
    points, exists = data.places(range(300))
    later = points.unflatten(0, (10, 30))[:, 12]
    distance = (ways - later[:, :, None, None]).norm(dim=-1).amin(-1)
    is_near = (later.abs() < 1).all(-1) & has_choice
    # half of the half metre from point to point, at most a pixel and a half
    assert is_near.sum() > 20 and (distance.amin(-1)[is_near] < 0.05).all()
    assert (exists.unflatten(0, (10, 30)).all(1) == exists[::30]).all()
    assert ways[~has_choice].isnan().all() and not has_choice[~exists[::30]].any()


def test_places_are_those_of_the_truth():
    data = Traffic(TrafficConfig(frames=4, count=8))
    points, exists = data.places(range(8))
    truth = data.truth(range(8))
    assert torch.equal(points, truth.centres) and (truth.present <= exists).all()
