"""Eyes: pairs that differ in the gaze alone, and irises where the truth says they are."""

import numpy as np
import pytest
import torch

from motes.data import DATASETS
from motes.errors import UserError

EYES = DATASETS["eyes"]


def eyes(split="train", **options):
    return EYES(EYES.Config(**{"count": 40, "held_out": 10, **options}), split)


def test_a_pair_differs_in_the_column_of_the_gaze_alone_and_turns_right():
    data = eyes()
    scene = data.truth(range(80)).scene
    for name in ("lids", "size", "skin", "iris"):
        assert torch.equal(scene[name][::2], scene[name][1::2]), name
        assert scene[name].std() > 0.2
    assert torch.equal(scene["gaze"][::2, 0], scene["gaze"][1::2, 0])
    turned = scene["gaze"][1::2, 1] - scene["gaze"][::2, 1]
    assert (turned > 0).all() and 0.4 < turned.mean() < 0.95  # two thirds are expected
    assert abs(scene["gaze"][:, 1].mean()) < 0.2 and scene["gaze"].abs().max() <= 1


def test_pictures_of_a_pair_are_the_same_but_around_the_iris():
    data = eyes()
    image, masks = data.batch(range(40)).image, data.truth(range(40)).masks[:, 0]
    either = (masks[::2] | masks[1::2]).float()[:, None]
    near = torch.nn.functional.max_pool2d(either, 3, 1, 1)
    change = (image[::2] - image[1::2]).abs() * (1 - near)
    assert change.max() < 0.02 and ((image[::2] - image[1::2]).abs() * near).amax((1, 2, 3)).min() > 0.02


def test_the_iris_is_darker_than_the_white_and_where_the_truth_says():
    data = eyes()
    batch, truth = data.batch(range(80)), data.truth(range(80))
    grey, masks = batch.image.mean(1), truth.masks[:, 0]
    assert truth.present.all() and (masks.sum((1, 2)) > 10).all()
    ring = torch.nn.functional.max_pool2d(masks[:, None].float(), (1, 9), 1, (0, 4))[:, 0].bool() & ~masks
    bright = torch.stack([one[where].quantile(0.8) for one, where in zip(grey, ring, strict=True)])
    dark = torch.stack([one[where].mean() for one, where in zip(grey, masks, strict=True)])
    assert (dark < bright).float().mean() > 0.9
    columns = torch.linspace(-1, 1, 48)
    middle = (masks.float().sum(1) * columns).sum(1) / masks.sum((1, 2))
    assert (middle - truth.centres[:, 0, 1]).abs().max() < 0.06


def test_other_factors_change_what_they_should():
    data = eyes(frames=1, count=200, irises=0.0)
    image, truth = data.batch(range(200)).image, data.truth(range(200))
    corner = image[:, :, -3:].mean((1, 2, 3))
    assert torch.corrcoef(torch.stack([corner, truth.scene["skin"]]))[0, 1] < -0.99
    assert (truth.scene["iris"] == 0.5).all()
    shown, lids = truth.masks.float().sum((1, 2, 3)), truth.scene["lids"]
    assert shown[lids > 0.7].mean() > 1.1 * shown[lids < 0.3].mean()


def test_rows_are_functions_of_seed_and_row():
    assert np.array_equal(eyes().pixels([7, 3]), eyes(count=60).pixels([7, 3]))
    assert not np.array_equal(eyes().pixels([7]), eyes(seed=1).pixels([7]))
    assert not np.array_equal(eyes().pixels([7]), eyes("test").pixels([7]))
    assert len(eyes()) == 80 and eyes(channels=1).batch([0]).image.shape == (1, 1, 32, 48)


@pytest.mark.parametrize("options", [{"frames": 3}, {"irises": 2.0}, {"image_size": (4, 4)}])
def test_what_cannot_be_is_refused(options):
    with pytest.raises(UserError):
        eyes(**options)
