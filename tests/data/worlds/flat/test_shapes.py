"""Generated shapes: the same pixels everywhere, and a truth that the pixels confirm."""

import hashlib

import numpy as np
import pytest
import torch

from motes.data.worlds.flat.shapes import Shapes, ShapesConfig
from motes.errors import UserError

HASH = "65c0432d3e8c570dd3a9485ccd2161e5075a731458de75dca84b61b381b03bcf"


def test_same_seed_same_pixels_on_any_machine():
    pixels = Shapes(ShapesConfig(seed=5)).pixels(range(4))
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == HASH
    assert np.array_equal(Shapes(ShapesConfig(seed=5)).pixels([3, 1]), pixels[[3, 1]])


def test_splits_share_nothing():
    first = [Shapes(ShapesConfig(), split).pixels(range(50)) for split in ("train", "validation", "test")]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert not any(np.array_equal(x, y) for x in first[a] for y in first[b])


@pytest.mark.parametrize("size", [(64, 64), (48, 96)])
def test_truth_is_what_the_pixels_show(size):
    data = Shapes(ShapesConfig(image_size=size))
    rows = range(100)
    image = data.batch(rows).image
    truth = data.truth(rows)
    covered = truth.masks.any(1)
    cyan = torch.tensor([0.0, 1.0, 1.0]).view(1, 3, 1, 1)
    assert ((image == cyan).all(1) == ~covered).all()
    assert (truth.masks.sum(1) <= 1).all(), "no two overlap"
    count = truth.present.sum(1)
    assert count.min() >= 2 and count.max() == 5
    grids = torch.meshgrid(*(torch.linspace(-1, 1, side) for side in size), indexing="ij")
    for axis in (0, 1):
        weight = truth.masks.float()
        mean = (weight * grids[axis]).sum((2, 3)) / weight.sum((2, 3)).clamp_min(1)
        error = (mean - truth.centres[..., axis]).abs() * size[axis] / 2
        assert error[truth.present].max() < 0.6, "centres of mass, within half a pixel or so"
    for n in range(5):
        mask = truth.masks[:, n]
        for channel in range(3):
            painted = image[:, channel][mask]
            colour = truth.factors["colour"][:, n, channel][:, None, None].expand_as(mask)[mask]
            torch.testing.assert_close(painted, colour)


def test_grey_and_odd_sizes():
    assert Shapes(ShapesConfig(image_size=(40, 24), channels=1, size=(5, 8))).pixels([0]).shape == (
        1,
        1,
        40,
        24,
    )
    with pytest.raises(UserError, match="do not fit"):
        Shapes(ShapesConfig(image_size=(8, 8), size=(9, 12)))


def test_empty_splits_are_refused():
    with pytest.raises(UserError, match="at least 1"):
        Shapes(ShapesConfig(held_out=0))


def test_shapes_over_a_photograph_have_the_same_shapes():
    plain = Shapes(ShapesConfig(count=4))
    a = plain.pixels([0, 1])
    b = Shapes(ShapesConfig(count=4, background="photograph")).pixels([0, 1])
    masks = plain.truth([0, 1]).masks.any(1).numpy()
    inside = np.broadcast_to(masks[:, None], a.shape)
    assert (a[inside] == b[inside]).all()
    still = ~(masks[0] | masks[1])
    assert (b[0][:, still] == b[1][:, still]).all() and b[0][:, still].std() > 20


def test_shapes_on_paper_are_the_same_shapes_on_a_warm_white():
    cyan = Shapes(ShapesConfig(count=4))
    a = cyan.pixels([0, 1])
    b = Shapes(ShapesConfig(count=4, background="paper")).pixels([0, 1])
    masks = cyan.truth([0, 1]).masks.any(1).numpy()
    inside = np.broadcast_to(masks[:, None], a.shape)
    assert (a[inside] == b[inside]).all()
    assert (b.transpose(0, 2, 3, 1)[~masks] == (240, 236, 226)).all()
