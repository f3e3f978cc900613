"""Losses of pictures: one number a picture, zero only where they agree."""

import pytest
import torch

from motes.nn.losses.perceptual import PyramidLoss, SquaredError


@pytest.mark.parametrize("build", [SquaredError, PyramidLoss])
def test_losses_are_zero_on_the_same_picture_and_one_number_each(build):
    loss, picture = build(), torch.rand(3, 3, 20, 28)
    assert loss(picture, picture).tolist() == [0, 0, 0]
    other = picture.clone()
    other[1] += 0.1
    assert (loss(other, picture) > 0).tolist() == [False, True, False]
