"""Animals: points on what they name, individuals that no two splits share, films that walk, and what a camera does to them."""

import numpy as np
import pytest
import torch

from motes.data.worlds.animals.animal import POINTS, Animal, AnimalConfig
from motes.data.worlds.animals.build import builds
from motes.data.worlds.animals.camera import cameras
from motes.data.worlds.animals.pose import joints_of, poses
from motes.data.worlds.dice import Dice
from motes.errors import UserError

ROWS = range(0, 600, 10)
NAMES = list(POINTS)
VIEWS = pytest.mark.parametrize("view", ["above", "side"])


def truth_of(**options):
    return Animal(AnimalConfig(**options), "test").truth(ROWS)


def at(values, points):
    """The values, B H W, at the pixels of these points, B P 2, which are cut at the picture's edges."""
    side = torch.tensor(values.shape[1:]) - 1
    pixel = ((points + 1) / 2 * side).round().long().clamp(torch.zeros(2, dtype=torch.long), side)
    return values[torch.arange(len(values))[:, None], pixel[..., 0], pixel[..., 1]]


@VIEWS
def test_visible_points_lie_on_the_animal(view):
    truth = truth_of(view=view, image_size=(128, 128))
    visible = truth.scene["visible"]
    assert visible.shape == truth.points.shape[:2] == (len(ROWS), len(POINTS))
    assert (truth.points[visible].abs() <= 1.01).all()
    assert at(truth.masks[:, 0], truth.points)[visible].float().mean() > 0.93
    assert not at(truth.masks[:, 1], truth.points)[visible].any(), "what is in front hides points"
    assert 0.5 < visible.float().mean() < 0.95


def test_each_name_is_seen_in_some_pictures_and_hidden_in_others():
    visible = torch.cat([truth_of(view=view).scene["visible"] for view in ("above", "side")])
    shares = visible.float().mean(0)
    assert shares.min() > 0.15 and shares.max() < 1


def test_points_keep_the_order_of_a_body():
    points = truth_of().points
    where = {name: points[:, number] for number, name in enumerate(NAMES)}

    def apart(first, second):
        return (where[first] - where[second]).norm(dim=1)

    assert (apart("nose", "tail base") > apart("neck", "tail base")).float().mean() > 0.95
    assert (
        apart("left shoulder", "left fore paw") < apart("left shoulder", "left hind paw")
    ).float().mean() > 0.9
    assert (apart("tail base", "tail middle") < apart("tail base", "tail tip")).float().mean() > 0.9
    # seen from above, its left is at the left of one who looks to the front
    front = where["neck"] - where["tail base"]
    left = where["left shoulder"] - where["right shoulder"]
    assert (front[:, 1] * left[:, 0] - front[:, 0] * left[:, 1] < 0).float().mean() > 0.95


def test_animals_turn_bend_and_face_where_the_options_say():
    truth = truth_of()
    front = truth.points[:, NAMES.index("neck")] - truth.points[:, NAMES.index("tail base")]
    turn = torch.atan2(-front[:, 0], front[:, 1]).rad2deg()
    assert turn.min() < -50 and turn.max() > 50 and turn.abs().max() < 120
    every = truth_of(turn=180.0).points
    backwards = every[:, NAMES.index("neck"), 1] < every[:, NAMES.index("tail base"), 1]
    assert 0.3 < backwards.float().mean() < 0.7


def test_legs_reach_the_ground_and_lie_on_both_sides():
    dice = Dice.of_rows(0, "train", range(50))
    build = builds(dice)
    joints = joints_of(build, poses(dice, 75.0, np.zeros(50)))
    for side in ("left", "right"):
        for end in ("fore", "hind"):
            paw = joints[f"{side} {end} paw"]
            assert (paw[:, 2] >= build["paw"] - 1e-9).all() and (paw[:, 2] < build["paw"] + 0.15).all()
            knee = joints[f"{side} {end} knee"]
            upper = np.linalg.norm(knee - joints[f"{side} {end} root"], axis=1)
            assert np.allclose(upper, np.linalg.norm(knee - paw, axis=1)), "upper and lower leg are as long"
    assert (joints["tail 6"][:, 2] > 0).all()


def test_a_camera_finds_the_ground_where_it_shows_it():
    dice = Dice.of_rows(3, "train", range(4))
    for view in ("above", "side"):
        camera = cameras(dice, view, (40, 60))
        x, y = camera.on_ground((40, 60))
        points = np.stack([x[:, 7, 11], y[:, 7, 11], np.zeros(4)], -1)[:, None]
        assert np.allclose(camera.pixels(points)[:, 0, :2], [7, 11])


def test_splits_share_no_individual_and_views_show_one():
    identities = [
        Animal(AnimalConfig(count=200, held_out=200), split).truth(range(0, 200, 5)).scene["identity"]
        for split in ("train", "validation", "test")
    ]
    assert all(len(part.unique()) == 20 for part in identities)
    assert len(torch.cat(identities).unique()) == 60
    clips = Animal(AnimalConfig(frames=3, views=2, count=4)).truth(range(12)).scene["identity"]
    assert clips.tolist() == [0] * 6 + [3] * 6


def test_an_animal_walks_through_its_clip_and_the_first_frame_is_its_picture():
    film = Animal(AnimalConfig(frames=8, count=6))
    single = Animal(AnimalConfig(count=6))
    points = film.truth(range(48)).points.unflatten(0, (6, 8))
    assert torch.equal(points[:, 0], single.truth(range(6)).points)
    step = points.diff(dim=1).norm(dim=-1)
    paws = [number for number, name in enumerate(NAMES) if "paw" in name]
    assert step[..., paws].mean() > 2 * step[..., NAMES.index("middle")].mean()
    assert 0.01 < step.mean() < 0.15
    pixels = film.pixels(range(48)).astype(float).reshape(6, 8, 64, 64)
    assert np.abs(pixels[:, 1] - pixels[:, 0]).mean() < np.abs(pixels[:, 7] - pixels[:, 0]).mean(), (
        "the ground moves"
    )


def test_dark_animals_stand_on_bright_grounds():
    data = Animal(AnimalConfig(count=3000))
    rows = range(0, 1600, 20)
    pixels, mask = torch.from_numpy(data.pixels(rows))[:, 0].float(), data.truth(rows).masks[:, 0]
    animal = (pixels * mask).sum((1, 2)) / mask.sum((1, 2))
    ground = (pixels * ~mask).sum((1, 2)) / (~mask).sum((1, 2))
    brighter = (animal > ground).float().mean()
    assert 0.8 < brighter < 0.98


def test_pictures_are_grey():
    one, three = Animal(AnimalConfig()).pixels([5]), Animal(AnimalConfig(channels=3)).pixels([5])
    assert one.shape == (1, 1, 64, 64) and (three == one).all()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"turn": 200.0}, "from 0 to 180"),
        ({"frames": 0}, "at least 1"),
        ({"views": 0}, "at least 1"),
        ({"channels": 2}, "1 or 3"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        Animal(AnimalConfig(**options))
