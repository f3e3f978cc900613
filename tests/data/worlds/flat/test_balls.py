"""Balls obey the published physics and look as the truth says."""

import numpy as np
import pytest
import torch

from motes.data.worlds.collisions import bounce, collide, distances
from motes.data.worlds.flat.balls import COLOURS, RECIPES, SIDE, Balls, BallsConfig
from motes.errors import UserError


def paths(recipe, clips=40):
    """Positions and velocities of clips: B T N 2."""
    data = Balls(BallsConfig(recipe=recipe, count=clips))
    return tuple(
        data._simulated(data._dice(range(clips)))[0][kind].astype(np.float64) for kind in (0, 1)
    ), data


def test_a_head_on_hit_exchanges_velocities():
    velocity = np.array([[[0.0, 1.0], [0.0, -2.0]]])
    collide(np.array([[[5.0, 5.0], [5.0, 6.5]]]), velocity, np.ones(2), np.ones(2), np.array([[1, 0]]))
    np.testing.assert_allclose(velocity, [[[0, -2], [0, 1]]])


def test_unequal_masses_keep_momentum_and_energy():
    random = np.random.default_rng(0)
    position = random.random((50, 2, 2))
    velocity = random.standard_normal((50, 2, 2))
    mass = np.array([1.0, 3.0])
    before = velocity.copy()
    collide(position, velocity, np.ones(2), mass, np.array([[0, 1]]))
    assert np.abs(velocity - before).max() > 0.1
    np.testing.assert_allclose((mass[:, None] * velocity).sum(1), (mass[:, None] * before).sum(1), atol=1e-12)
    np.testing.assert_allclose(
        (mass[:, None] * velocity**2).sum((1, 2)), (mass[:, None] * before**2).sum((1, 2)), atol=1e-12
    )


def test_walls_send_back_only_what_would_leave():
    velocity = np.array([[[-1.0, 2.0], [1.0, 2.0]]])
    bounce(np.array([[[0.9, 30.0], [0.9, 63.5]]]), velocity, np.ones(2), SIDE)
    assert velocity.tolist() == [[[1.0, 2.0], [1.0, -2.0]]]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.slow
def test_energy_stays_and_balls_stay_inside(recipe):
    (position, velocity), data = paths(recipe)
    np.testing.assert_allclose((velocity**2).sum((2, 3)), 9.0 * position.shape[2], rtol=1e-5)
    # a collision after the test for walls may send a ball a tenth of a frame's distance out
    slack = 0.3 if recipe == "occlusion" else 0.6
    assert position.min() > data.rules.radius - slack and position.max() < SIDE - data.rules.radius + slack


def test_simulations_from_a_true_moment_are_the_clip():
    data = Balls(Balls.Config(image_size=(48, 48), count=3, frames=30))
    truth = data.truth(range(90))
    pixels = ((truth.centres + 1) / 2 * 47).numpy().reshape(3, 30, 3, 2)
    velocity = truth.factors["velocity"].numpy().reshape(3, 30, 3, 2)
    ahead = data.simulated(pixels[:, 10], velocity[:, 10], 8)
    np.testing.assert_allclose(ahead, pixels[:, 11:19], atol=1e-3)


def test_balls_that_have_hit_each_other_changed_their_velocity_and_no_others():
    data = Balls(Balls.Config(count=20, frames=40))
    truth = data.truth(range(800))
    hits = truth.scene["collisions"].numpy().reshape(20, 40, 3, 3)
    assert np.array_equal(hits, hits.swapaxes(2, 3)) and not hits[:, 0].any() and 0.02 < hits.mean() < 0.2
    velocity = truth.factors["velocity"].numpy().reshape(20, 40, 3, 2)
    # walls change the sign of one part
    turned = (np.abs(np.diff(np.abs(velocity), axis=1)) > 1e-3).any(-1)
    assert not (turned & ~hits[:, 1:].any(-1)).any()
    assert turned[hits[:, 1:].any(-1)].mean() > 0.95


def test_momentum_changes_at_walls_only():
    (position, velocity), data = paths("interaction")
    near = np.abs(velocity).max((1, 2, 3))[:, None, None, None] + data.rules.radius
    free = ((position > near) & (position < SIDE - near)).all((2, 3))
    free = free[:, :-1] & free[:, 1:]
    change = np.diff(velocity.sum(2), axis=1)[free]
    hit = np.abs(np.diff(velocity, axis=1)).max((2, 3))[free] > 0.1
    assert hit.sum() > 20, "there are collisions among these"
    assert np.abs(change).max() < 1e-4


def test_balls_that_collide_do_not_overlap_and_others_pass_through():
    for recipe, overlaps in (("interaction", False), ("two_layer", False), ("occlusion", True)):
        (position, _), data = paths(recipe)
        of = data._layer
        pairs = np.array([(i, j) for i in range(len(of)) for j in range(i) if of[i] == of[j]])
        gaps = (
            np.stack([distances(position[:, time], pairs)[1] for time in range(position.shape[1])])
            - 2 * data.rules.radius
        )
        if overlaps:
            assert (gaps < -4).mean() > 0.02
        else:
            assert gaps[0].min() >= 0, "none at the start"
            assert gaps.min() > -1.0 and (gaps < -0.1).mean() < 0.01, (
                "later, three at once may press one into another a little"
            )


def test_layers_pass_each_other():
    (position, _), _ = paths("two_layer")
    across = np.array([(i, j) for i in range(3, 6) for j in range(3)])
    assert min(distances(position[:, time], across)[1].min() for time in range(100)) < 8


def test_paths_are_straight_between_hits():
    (position, velocity), _ = paths("occlusion")
    steady = (np.diff(velocity, axis=1) == 0).all(-1)
    np.testing.assert_allclose(np.diff(position, axis=1)[steady], velocity[:, :-1][steady], atol=1e-4)
    assert steady.mean() > 0.7


def test_truth_of_a_clip():
    data = Balls(BallsConfig(recipe="two_layer", frames=20, count=3))
    assert len(data) == 60 and data.frames == 20
    clip = data.truth(range(20, 40))
    assert (clip.factors["colour"] == clip.factors["colour"][0]).all(), "the same thing in every frame"
    moved = torch.diff((clip.centres + 1) / 2 * 63, dim=0)
    assert (moved - clip.factors["velocity"][:-1]).abs().median() < 1e-3
    assert not torch.equal(clip.centres[0], data.truth([0]).centres[0]), "another clip begins elsewhere"
    late = Balls(BallsConfig(recipe="two_layer", frames=20, count=400)).pixels([20 * 300 + 7])
    assert (late == Balls(BallsConfig(recipe="two_layer", frames=20, count=301)).pixels([20 * 300 + 7])).all()


@pytest.mark.parametrize("recipe", RECIPES)
def test_colours_are_the_recipes(recipe):
    data = Balls(BallsConfig(recipe=recipe, count=300, frames=2))
    image = data.batch(range(0, 600, 2)).image
    truth = data.truth(range(0, 600, 2))
    chosen = truth.factors["colour"]
    palette = {tuple(colour) for colour in (COLOURS / 255).tolist()}
    assert {tuple(colour) for colour in chosen.flatten(0, 1).tolist()} <= palette
    different = [len(colours.unique(dim=0)) for colours in chosen]
    if recipe == "occlusion":
        assert set(different) == {3}
    elif recipe == "interaction":
        assert set(different) == {1, 2, 3}
    else:
        assert (chosen[:, : len(chosen[0]) // 2] == torch.tensor([0.0, 0, 1])).all() and set(different) == {2}
    middle = ((truth.centres + 1) / 2 * 63).round().long()
    for n in range(50):
        for k in range(chosen.shape[1]):
            if truth.masks[n, k, middle[n, k, 0], middle[n, k, 1]]:
                assert (image[n, :, middle[n, k, 0], middle[n, k, 1]] - chosen[n, k]).abs().max() <= 0.76, (
                    "but for rims in front"
                )


def test_impossible_options_are_refused():
    with pytest.raises(UserError, match="square"):
        Balls(BallsConfig(image_size=(64, 32)))
