"""Discs are pushed by an effector, which goes where the recorded actions say, and by nothing else."""

import numpy as np
import pytest

from motes.data.worlds.flat.pushing import EFFECTOR, RADIUS, SIDE, Pushing
from motes.errors import UserError

CLIPS, FRAMES = 30, 40


@pytest.fixture(scope="module")
def world():
    return Pushing(Pushing.Config(count=CLIPS, frames=FRAMES))


def places(world):
    """In pixels of the box, from its corner; of the effector last."""
    truth = world.truth(range(CLIPS * FRAMES))
    pixels = (truth.centres.numpy() + 1) / 2 * (SIDE - 1) + 0.5
    return pixels.reshape(CLIPS, FRAMES, 4, 2), truth.scene["collisions"].numpy().reshape(CLIPS, FRAMES, 4, 4)


def test_the_effector_goes_where_its_action_says_unless_something_is_in_its_way(world):
    place, hits = places(world)
    action = world.actions(range(CLIPS * FRAMES)).numpy().reshape(CLIPS, FRAMES, 2)
    gone = np.diff(place[:, :, 3], axis=1)
    touched = hits[:, 1:, 3].any(-1)
    ahead = place[:, :-1, 3] + action[:, :-1]
    at_wall = ((ahead < EFFECTOR) | (ahead > SIDE - EFFECTOR)).any(-1)
    free = ~touched & ~at_wall
    assert free.mean() > 0.2
    np.testing.assert_allclose(gone[free], action[:, :-1][free], atol=1e-3)


def test_discs_begin_to_move_only_when_they_are_touched(world):
    place, hits = places(world)
    step = np.linalg.norm(np.diff(place[:, :, :3], axis=1), axis=-1)
    rested = step[:, :-1] < 1e-3
    moves = step[:, 1:] > 0.05
    touched = hits[:, 2:, :3].any(-1)
    assert (rested & moves).sum() > 20 and not (rested & moves & ~touched).any()


def test_what_was_pushed_comes_to_rest(world):
    place, hits = places(world)
    step = np.linalg.norm(np.diff(place[:, :, :3], axis=1), axis=-1)
    alone = ~hits[:, 2:, :3].any(-1)
    assert (step[:, 1:] <= 0.5 * step[:, :-1] + 1e-3)[alone].all()


def test_things_stay_in_the_box_and_hardly_overlap(world):
    place, _ = places(world)
    radius = np.array([RADIUS] * 3 + [EFFECTOR])
    assert (place >= radius[:, None] - 1e-3).all() and (place <= SIDE - radius[:, None] + 1e-3).all()
    distance = np.linalg.norm(place[:, :, :, None] - place[:, :, None], axis=-1)
    overlap = (radius[:, None] + radius - distance)[:, :, *np.triu_indices(4, 1)]
    assert overlap.max() < 3 and np.quantile(overlap, 0.99) < 1.5


def test_actions_belong_to_their_rows(world):
    rows = [3, 17, FRAMES + 5]
    alone = [world.actions([row])[0] for row in rows]
    assert all((one == other).all() for one, other in zip(alone, world.actions(rows), strict=True))


def test_what_cannot_be_is_refused():
    with pytest.raises(UserError, match="square"):
        Pushing(Pushing.Config(image_size=(32, 48)))
    with pytest.raises(UserError, match="from 1 to 4"):
        Pushing(Pushing.Config(objects=5))
