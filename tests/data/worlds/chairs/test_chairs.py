"""Chairs: the parts lie where they say, a mask covers what is not ground, views go round, and held-out views lie between seen ones."""

import hashlib
import math

import numpy as np
import pytest
import torch

from motes.data.worlds.chairs.anatomy import chair
from motes.data.worlds.chairs.chairs import Chairs, ChairsConfig
from motes.data.worlds.chairs.drawing import GROUND
from motes.data.worlds.chairs.parts import bar
from motes.data.worlds.chairs.rays import NEVER, ray_entry
from motes.data.worlds.dice import Dice
from motes.errors import UserError

SMALL = ChairsConfig(image_size=(24, 24), classes=4, azimuths=8, elevations=(30.0,), every=4)


def masks_of(data):
    masks = data.truth(range(len(data))).masks
    assert masks is not None
    return masks


def test_a_ray_enters_a_bar_where_geometry_says():
    box = bar(np.array([0.0, -1, 0]), np.array([0.0, 1, 0]), (0.5, 0.25), False, np.ones(3))
    origin = np.array([3.0, 0, 0], np.float32)
    ways = np.array([[-1, 0, 0], [-1, 0.1, 0], [-1, 0, 0.2], [1, 0, 0]], np.float32)
    distance, facing = ray_entry(box, origin, ways)
    np.testing.assert_allclose(distance, np.array([2.5, 2.5, NEVER, NEVER]), rtol=1e-6)
    np.testing.assert_allclose(facing[:2], [[1, 0, 0], [1, 0, 0]], atol=1e-6)
    tube = bar(np.array([0.0, 0, -1]), np.array([0.0, 0, 1]), (0.5, 0.5), True, np.ones(3))
    distance, facing = ray_entry(
        tube, np.array([3.0, 0, 3], np.float32), np.array([[-1, 0, -1], [-1, 0, -0.7]], np.float32)
    )
    np.testing.assert_allclose(distance[0], 2.5, rtol=1e-5)  # the wall, at (0.5, 0, 0.5)
    np.testing.assert_allclose(distance[1] * 0.7, 3 - 1, rtol=1e-5)  # the lid
    np.testing.assert_allclose(facing, [[1, 0, 0], [0, 0, 1]], atol=1e-5)


def test_axes_of_every_part_are_square_to_each_other():
    for number in range(30):
        for part in chair(Dice.of_rows(0, "train", [number])):
            np.testing.assert_allclose(part.axes @ part.axes.T, np.eye(3), atol=1e-9)
            assert part.half.min() > 0


def test_masks_cover_what_is_not_ground():
    data = Chairs(SMALL)
    rows = range(len(data))
    image, mask = data.batch(rows).image, masks_of(data)[:, 0]
    chair_like = ((image - GROUND).abs() > 0.02).any(1)
    assert (chair_like | ~mask).float().mean() > 0.97, "a pixel of the mask looks like a chair"
    assert (image.permute(0, 2, 3, 1)[~chair_like] - GROUND).abs().max() < 0.03
    assert 0.05 < mask.float().mean() < 0.5
    assert not mask[:, 0].any() and not mask[:, -1].any(), "no chair is cut off"


def test_views_from_the_right_and_from_the_left_are_mirrored():
    data = Chairs(
        ChairsConfig(image_size=(32, 32), classes=3, azimuths=4, elevations=(0.0,), sparse=0.4, every=2)
    )
    truth, masks, rows = data.truth(range(len(data))), masks_of(data), {}
    for row, (number, view) in enumerate(
        zip(truth.scene["class"].tolist(), truth.scene["view"], strict=True)
    ):
        rows[number, round(2 * view[0].item() / math.pi)] = masks[row, 0]
    for number in range(2):  # those seen from all sides
        left, right = rows[number, 1], rows[number, 3].flip(-1)
        assert (left & right).sum() / (left | right).sum() > 0.98


def test_held_out_views_lie_between_those_seen():
    seen, held = {}, {}
    for split in ("train", "validation", "test"):
        scene = Chairs(SMALL, split).truth(range(len(Chairs(SMALL, split)))).scene
        pairs = list(
            zip(
                scene["class"].tolist(),
                (scene["view"][:, 0] * 4 / math.pi).round().int().tolist(),
                strict=True,
            )
        )
        (seen if split == "train" else held).update(dict.fromkeys(pairs))
    assert not seen.keys() & held.keys() and len(seen) + len(held) == 4 * 8
    sparse = {number for number, _ in held}
    assert len(sparse) == 2, "half of the classes"
    assert all(turn % 4 == 0 for number, turn in seen if number in sparse)


def test_rows_do_not_depend_on_each_other_or_on_the_number_of_classes():
    data = Chairs(SMALL)
    alone, together = data.pixels([5]), Chairs(SMALL).pixels([3, 5, 9])[1]
    assert np.array_equal(alone[0], together)
    assert not np.array_equal(
        data.pixels([5]), Chairs(ChairsConfig(**{**vars(SMALL), "seed": 1})).pixels([5])
    )
    assert Chairs(ChairsConfig(**{**vars(SMALL), "channels": 1})).batch([0]).image.shape == torch.Size(
        [1, 1, 24, 24]
    )


@pytest.mark.parametrize(
    "wrong", [{"elevations": (95.0,)}, {"every": 1}, {"sparse": 0.0}, {"classes": 0}, {"channels": 2}]
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(UserError):
        Chairs(ChairsConfig(**wrong))


def test_pictures_are_the_same_on_every_machine():
    """Also on one without vector instructions, as was tried; if the hash changes, so does what everyone has measured with these data."""
    pixels = Chairs(ChairsConfig(image_size=(32, 32)), "test").pixels(range(16))
    assert hashlib.sha256(pixels.tobytes()).hexdigest()[:16] == "fd58e9f432b4e8a7"
