"""Rolling things obey the flat physics that they promise, and keep who they are from frame to frame."""

import numpy as np
import pytest
import torch

from motes.data.worlds.collisions import distances
from motes.data.worlds.solid.discs import RADIUS, SLOWING, SPRING, RollingDiscs
from motes.data.worlds.solid.rolling import Rolling, RollingConfig
from motes.errors import UserError


@pytest.fixture(scope="module")
def clips():
    data = Rolling(RollingConfig(count=24))
    dice = data._dice(range(24))
    paths = {
        name: value.astype(np.float64) if value.dtype == np.float32 else value
        for name, value in data._simulated(dice).items()
    }
    return paths, data._looks(dice)


def mass(look):
    return np.where(look["metal"], 1.6, 1.0)


def test_nothing_is_in_another(clips):
    paths, _ = clips
    pairs = np.array([(i, j) for i in range(6) for j in range(i)])
    gaps = distances(paths["position"].reshape(-1, 6, 2), pairs)[1] - 2 * RADIUS
    assert gaps.min() > -0.01 and (gaps < 0.05).sum() > 20, "though many touch"


def test_energy_only_falls(clips):
    paths, look = clips
    energy = (mass(look)[:, None, :, None] * paths["velocity"] ** 2).sum((2, 3))
    comes = np.diff(paths["entered"].sum(2), axis=1) > 0
    assert np.diff(energy, axis=1)[~comes].max() < 1e-6 and energy.max() > 0.01


def test_only_hits_and_the_floor_change_a_way(clips):
    paths, look = clips
    before, after = paths["velocity"][:, :-1], paths["velocity"][:, 1:]
    free = ~paths["hits"][:, 1:].any(-1) & paths["entered"][:, :-1]
    moving = free & (np.linalg.norm(after, axis=-1) > 1e-3)
    cosine = (before * after).sum(-1) / np.maximum(
        np.linalg.norm(before, axis=-1) * np.linalg.norm(after, axis=-1), 1e-12
    )
    assert (cosine[moving] > 0.999).mean() > 0.995 and moving.sum() > 500, "but for touches too soft to count"
    slowed = np.linalg.norm(before, axis=-1) - np.linalg.norm(after, axis=-1)
    metal = np.broadcast_to(look["metal"][:, None], moving.shape)
    sphere = np.broadcast_to((look["kind"] == 0)[:, None], moving.shape)
    for which, rate in (
        (~metal & ~sphere, SLOWING[0]),
        (metal & ~sphere, SLOWING[1]),
        (metal & sphere, 0.3 * SLOWING[1]),
    ):
        np.testing.assert_allclose(np.median(slowed[moving & which]), rate, rtol=0.01)
    still = free & (np.linalg.norm(before, axis=-1) == 0)
    assert np.median(np.linalg.norm(after, axis=-1)[still]) == 0 and still.sum() > 500


def test_hits_are_between_neighbours_and_there_are_some(clips):
    paths, _ = clips
    hits = paths["hits"]
    assert (hits == hits.swapaxes(-1, -2)).all() and not np.diagonal(hits, 0, -2, -1).any()
    clip, time, i, j = np.nonzero(hits)
    near = np.linalg.norm(paths["position"][clip, time, i] - paths["position"][clip, time, j], axis=-1)
    assert near.max() < 2 * RADIUS + 0.3 and hits.any((1, 2, 3)).mean() > 0.7


def test_a_hit_keeps_momentum_and_gives_back_its_share_of_speed():
    look = {"kind": np.array([[1, 2]]), "metal": np.array([[True, False]])}
    start = {
        "position": np.zeros((1, 2, 2)),
        "velocity": np.zeros((1, 2, 2)),
        "turn": np.array([[[1.0, 0.0]] * 2]),
    }
    discs = RollingDiscs(look, start, np.zeros((1, 2)))
    discs.position, discs.velocity = (
        np.array([[[0.0, 0.0], [0.0, 0.9]]]),
        np.array([[[0.05, 0.2], [0.0, 0.0]]]),
    )
    discs._hit(discs.position)
    weights = np.array([1.6, 1.0])
    np.testing.assert_allclose((weights[:, None] * discs.velocity[0]).sum(0), [0.08, 0.32], atol=1e-12)
    np.testing.assert_allclose(discs.velocity[0, 1, 1] - discs.velocity[0, 0, 1], SPRING * 0.2)
    assert discs.hits[0].tolist() == [[False, True], [True, False]]
    assert (discs.spin != 0).all(), "struck off the middle"
    again = discs.velocity.copy()
    discs._hit(discs.position)
    assert (discs.velocity == again).all(), "what parts is let go"


@pytest.mark.slow
def test_what_comes_in_is_out_of_sight_at_first():
    data = Rolling(RollingConfig(count=20, frames=70))
    entered = np.stack([data._moments(np.array([clip * 70]))[2]["entered"] for clip in range(20)])
    assert entered.sum(2).min() >= 1
    first = data.truth(range(0, 1400, 70))
    later = data.truth(range(69, 1400, 70))
    assert later.present.sum() > 1.3 * first.present.sum()
    for clip in range(6):
        rows = range(clip * 70, clip * 70 + 70)
        inside, seen = data._moments(np.array(rows))[2]["entered"], data.truth(rows).present.numpy()
        assert not (seen & ~inside).any()
        for k in np.nonzero(~inside[0] & inside[-1])[0]:
            assert not seen[inside[:, k].argmax(), k], "it enters beyond the edge"


def test_things_stay_who_they_are_and_no_two_are_alike():
    data = Rolling(RollingConfig(count=8, frames=40))
    rows = range(80, 120)
    truth, (solids, _, _) = data.truth(rows), data._moments(np.array(rows))
    looks = torch.stack(
        [
            solids.kind,
            solids.metal.long(),
            (solids.colour[..., 0] * 7 + solids.colour[..., 1] * 77).mul(255).round().long(),
        ],
        -1,
    )
    assert (looks == looks[0]).all() and len(looks[0].unique(dim=0)) == 6
    assert (truth.scene["camera"] == truth.scene["camera"][0]).all()
    seen = truth.present[:-1] & truth.present[1:] & ~truth.scene["collisions"][1:].any(-1)
    moved = truth.factors["position"][1:, :, :2] - truth.factors["position"][:-1, :, :2]
    assert (moved - truth.factors["velocity"][:-1])[seen].abs().max() < 0.01


def test_words_that_cannot_be():
    with pytest.raises(UserError, match="objects"):
        Rolling(RollingConfig(objects=(1, 3)))
    with pytest.raises(UserError, match="frames"):
        Rolling(RollingConfig(frames=0))
