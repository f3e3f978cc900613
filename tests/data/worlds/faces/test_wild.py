"""Wild faces: the same pixels everywhere, landmarks that move with the face, hats and hands that hide it, and stored coarsely."""

import hashlib

import numpy as np
import pytest
import torch

from motes.data.worlds.dice import Dice
from motes.data.worlds.faces.faces import Faces, FacesConfig
from motes.data.worlds.faces.wild import clutter
from motes.data.worlds.spoiled import spoiled

WILD = FacesConfig(wild=True, landmarks=68)
HASH = "8fbb0ec6f96135d0"
ROWS = range(0, 400, 5)


@pytest.fixture(scope="module")
def truth():
    return Faces(WILD, "test").truth(ROWS)


def test_same_seed_same_pixels_on_any_machine():
    pixels = Faces(WILD).pixels(range(0, 160, 10))
    assert hashlib.sha256(pixels.tobytes()).hexdigest()[:16] == HASH


@pytest.mark.parametrize("size", [(64, 64), (44, 80)])
def test_a_picture_does_not_depend_on_its_company(size):
    config = FacesConfig(image_size=size, wild=True)
    together = Faces(config).pixels(range(12))
    alone = np.stack([Faces(config).pixels([row])[0] for row in (11, 3, 7)])
    assert np.array_equal(together[[11, 3, 7]], alone)


def test_landmarks_lie_on_the_face_wherever_it_is(truth):
    points = ((truth.points + 1) / 2 * 63).round().long()
    inside = ((points >= 0) & (points <= 63)).all(2)
    picture = torch.arange(len(points))[:, None].expand_as(inside)
    on_face = truth.whole[:, 0][picture[inside], points[inside][:, 0], points[inside][:, 1]]
    assert inside.float().mean() > 0.97
    # the points of the jaw lie on the edge
    assert on_face.float().mean() > 0.85
    nose = truth.points[:, 30]
    offset = nose - truth.centres[:, 0]
    assert (offset - offset.mean(0)).abs().mean() < 0.12 < truth.centres[:, 0].abs().amax(), (
        "it moves with the face"
    )


def test_faces_are_of_many_sizes_turned_and_anywhere(truth):
    eyes = truth.points[:, 36:42].mean(1) - truth.points[:, 42:48].mean(1)
    distance = eyes.norm(dim=1) * 31.5
    assert distance.min() < 0.75 * distance.median() and distance.max() > 1.2 * distance.median()
    turned = torch.atan2(eyes[:, 0], eyes[:, 1].abs()).rad2deg()
    assert turned.abs().max() > 15 and turned.abs().max() < 40
    assert truth.centres[:, 0].std(0).min() > 0.06


def test_hats_and_hands_hide_parts_of_some_faces(truth):
    visible = truth.masks.flatten(1).sum(1) / truth.whole.flatten(1).sum(1)
    assert not (truth.masks & ~truth.whole).any()
    plain = Faces(FacesConfig(), "test").truth(ROWS)
    before = plain.masks.flatten(1).sum(1) / plain.whole.flatten(1).sum(1)
    assert 0.3 < (visible < before.min() - 0.02).float().mean() + (visible < 0.8).float().mean() < 1.6
    assert visible.median() > 0.5


def test_clutter_differs_from_picture_to_picture_and_is_not_loud():
    behind = clutter(Dice.of_rows(0, "train", range(20)), (32, 40))
    assert behind.shape == (20, 3, 32, 40) and behind.min() >= 0 and behind.max() <= 1
    assert np.abs(behind[0] - behind[1]).mean() > 0.05
    assert behind.std((2, 3)).mean() > 0.08
    assert (behind.max(1) - behind.min(1)).mean() < 0.35


def test_spoiling_keeps_the_picture_s_light():
    pixels = Faces(FacesConfig()).pixels(range(0, 200, 10))
    worse = spoiled(Dice.of_rows(0, "train", range(len(pixels))), pixels)
    assert worse.dtype == np.uint8 and worse.shape == pixels.shape
    difference = worse.astype(float) - pixels
    assert abs(difference.mean()) < 2
    assert 3 < np.sqrt((difference**2).mean()) < 30
