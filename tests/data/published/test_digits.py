"""The digits: splits share no picture, and labels come in batches for models that need them."""

import pytest
import torch

from motes.data.base import SPLITS
from motes.data.published.digits import Digits, DigitsConfig
from motes.errors import UserError


@pytest.mark.slow
def test_splits_cover_the_set_once():
    splits = [Digits(DigitsConfig(), split) for split in SPLITS]
    assert [len(one) for one in splits] == [1300, 100, 397]
    mean = sum(one.pixels(range(len(one))).astype(float).sum() for one in splits)
    other = sum(
        float(one.pixels(range(len(one))).sum(dtype=float))
        for one in (Digits(DigitsConfig(seed=1), split) for split in SPLITS)
    )
    assert mean == other  # the same pictures in another order


def test_batches_bring_the_labels_that_are_needed():
    data = Digits(DigitsConfig())
    batch = data.batch([3, 5], ["class"])
    assert batch.image.shape == (2, 1, 8, 8)
    assert batch.image.max() == 1
    assert torch.equal(batch.labels["class"], data.truth([3, 5]).scene["class"])
    assert not data.batch([3]).labels
    with pytest.raises(UserError, match=r"learns with the view.*they know class"):
        data.batch([0], ["view"])
