"""Generated faces: the same pixels everywhere, landmarks on what they name, people that no two splits share, and no two pictures alike."""

import hashlib

import numpy as np
import pytest
import torch

from motes.data.worlds.faces.faces import Faces, FacesConfig
from motes.errors import UserError

HASH = "3b725da23ad7fb285c9c876e4fe5e11f11493f9c4f8ff80f876098172a9b1f87"
ROWS = range(0, 400, 5)


@pytest.fixture(scope="module")
def large():
    data = Faces(FacesConfig(image_size=(192, 192), landmarks=68, shift=0.05))
    rows = range(0, 240, 10)
    return data, data.batch(rows).image, data.truth(rows)


def places(points, size):
    """Rows and columns of pixels."""
    rows, columns = ((points + 1) / 2 * (torch.tensor(size) - 1)).round().long().unbind(-1)
    return rows.clamp(0, size[0] - 1), columns.clamp(0, size[1] - 1)


def test_same_seed_same_pixels_on_any_machine():
    pixels = Faces(FacesConfig(seed=5)).pixels(range(0, 160, 10))
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == HASH


@pytest.mark.parametrize("size", [(64, 64), (48, 80)])
def test_a_picture_does_not_depend_on_its_company(size):
    data = Faces(FacesConfig(image_size=size))
    together = data.pixels(range(12))
    alone = np.stack([Faces(FacesConfig(image_size=size)).pixels([row])[0] for row in (11, 3, 7)])
    assert np.array_equal(together[[11, 3, 7]], alone)


def test_splits_share_no_person():
    people = [
        set(Faces(FacesConfig(), split).truth(range(0, 1000, 100)).scene["identity"].tolist())
        for split in ("train", "validation", "test")
    ]
    assert not (people[0] & people[1] or people[0] & people[2] or people[1] & people[2])
    hair = [Faces(FacesConfig(), split).truth([0]).scene["hair"] for split in ("train", "validation", "test")]
    assert not torch.equal(hair[0], hair[1]) and not torch.equal(hair[1], hair[2])


def test_views_of_a_person_share_the_person_alone():
    truth = Faces(FacesConfig(views=4)).truth(range(12))
    who, hair, pose = (
        truth.scene["identity"].view(3, 4),
        truth.scene["hair"].view(3, 4, 3),
        truth.scene["pose"],
    )
    assert (who == who[:, :1]).all() and who[:, 0].unique().numel() == 3
    assert (hair == hair[:, :1]).all()
    assert pose.unique(dim=0).shape[0] == 12


@pytest.mark.slow
def test_the_mean_face_is_a_bad_guess():
    train = Faces(FacesConfig()).truth(ROWS).points
    test = Faces(FacesConfig(), "test").truth(ROWS).points
    apart = (test[:, 0] - test[:, 1]).norm(dim=-1, keepdim=True)
    error = ((test - train.mean(0)).norm(dim=-1) / apart).mean()
    assert 0.15 < error < 0.6, "per cent of the distance of the eyes"


@pytest.mark.slow
def test_pupils_are_dark_on_bright_eyes(large):
    _, image, truth = large
    opened = truth.scene["expression"][:, 4] < 0.1
    eyes = torch.stack([truth.points[:, 36:42], truth.points[:, 42:48]], 1)[opened]
    grey = image[opened].mean(1)
    five = Faces(FacesConfig(image_size=(192, 192), shift=0.05)).truth(range(0, 240, 10)).points[opened, :2]
    rows, columns = places(five, (192, 192))
    for n in range(len(grey)):
        for side in (0, 1):
            pupil = grey[n, rows[n, side], columns[n, side]]
            lids = torch.stack(places(eyes[n, side], (192, 192)), -1)
            (top, left), (bottom, right) = lids.amin(0), lids.amax(0)
            assert pupil < 0.32 and grey[n, top : bottom + 1, left : right + 1].amax() > pupil + 0.2


@pytest.mark.slow
def test_the_jaw_line_is_the_edge_of_the_face(large):
    _, _, truth = large
    whole = truth.whole[:, 0]
    middle = truth.points[:, 27:31].mean(1, keepdim=True)
    jaw = truth.points[:, :17]
    step = (jaw - middle) / (jaw - middle).norm(dim=-1, keepdim=True) * (2.2 * 2 / 191)
    for points, inside in ((jaw - step, True), (jaw + step, False)):
        kept = (points.abs() < 1).all(-1)
        rows, columns = places(points, (192, 192))
        assert (whole[torch.arange(len(whole))[:, None], rows, columns] == inside)[kept].float().mean() > 0.99


@pytest.mark.slow
def test_five_of_sixty_eight(large):
    _, _, many = large
    five = Faces(FacesConfig(image_size=(192, 192), shift=0.05)).truth(range(0, 240, 10)).points
    torch.testing.assert_close(five[:, 2:], many.points[:, [30, 48, 54]])
    eyes = torch.stack([many.points[:, 36:42].mean(1), many.points[:, 42:48].mean(1)], 1)
    apart = (eyes[:, 0] - eyes[:, 1]).norm(dim=-1)[:, None]
    assert ((eyes - five[:, :2]).norm(dim=-1) < 0.12 * apart).all(), "pupils are in the eyes"


def test_closed_eyes_bring_the_lids_together(large):
    _, _, truth = large
    eye = truth.points[:, 36:42]
    gap = (eye[:, 1] - eye[:, 5]).norm(dim=-1) / (eye[:, 0] - eye[:, 3]).norm(dim=-1)
    closed = truth.scene["expression"][:, 4]
    assert (gap[closed == 1] < 0.05).all() and (gap[closed == 0] > 0.2).all()
    assert (closed == 1).any() and (closed == 0).any()


def test_an_open_mouth_parts_the_lips(large):
    _, _, truth = large
    gap = (truth.points[:, 62] - truth.points[:, 66]).norm(dim=-1)
    opened = truth.scene["expression"][:, 1]
    assert (gap[opened == 0] < 1e-6).all() and (gap[opened > 0.3] > 0.01).all()


def test_the_side_towards_the_light_is_brighter():
    data = Faces(FacesConfig())
    image, truth = data.batch(ROWS).image.mean(1), data.truth(ROWS)
    middle = truth.points[:, 2, 1].add(1).mul(63 / 2)[:, None, None]
    right = truth.masks[:, 0] & (torch.arange(64) > middle)
    left = truth.masks[:, 0] & (torch.arange(64) < middle)
    lean = (image * right).sum((1, 2)) / right.sum((1, 2)) - (image * left).sum((1, 2)) / left.sum((1, 2))
    assert torch.corrcoef(torch.stack([lean, truth.scene["light"][:, 0]]))[0, 1] > 0.6


def test_turning_moves_the_nose_against_the_eyes():
    truth = Faces(FacesConfig()).truth(ROWS)
    points, yaw = truth.points, truth.scene["pose"][:, 0]
    middle = (points[:, 0] + points[:, 1]) / 2
    lead = (points[:, 2] - middle)[:, 1] / (points[:, 0] - points[:, 1]).norm(dim=-1)
    assert torch.corrcoef(torch.stack([lead, yaw]))[0, 1] > 0.8


@pytest.mark.slow
def test_masks_and_boxes_agree():
    truth = Faces(FacesConfig()).truth(ROWS)
    assert (truth.masks <= truth.whole).all() and truth.masks.any((2, 3)).all()
    for mask, box in zip(truth.masks[:, 0], truth.boxes[:, 0], strict=True):
        rows, columns = torch.nonzero(mask, as_tuple=True)
        assert box.tolist() == [rows.min(), columns.min(), rows.max(), columns.max()]


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"landmarks": 21}, "5 or 68"),
        ({"channels": 2}, "1 or 3"),
        ({"views": 0}, "at least 1"),
        ({"turn": 90.0}, "60 degrees"),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong, words):
    with pytest.raises(UserError, match=words):
        Faces(FacesConfig(**wrong))


def test_grey_is_the_colour_s_brightness():
    colour, grey = Faces(FacesConfig()).pixels([3]), Faces(FacesConfig(channels=1)).pixels([3])
    weights = np.array([0.299, 0.587, 0.114])[:, None, None]
    assert (
        grey.shape == (1, 1, 64, 64) and np.abs((colour[0] * weights).sum(0) - grey[0, 0]).max() <= 0.5 + 1e-9
    )
