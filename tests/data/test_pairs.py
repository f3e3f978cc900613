"""Warped pairs: a function of seed and row alone; the prior's picture is the one that is bent."""

import numpy as np
import torch
from PIL import Image

from motes.data.folder import Config, Folder
from motes.data.pairs import Warps, with_warped_pair
from motes.data.shapes import Config as ShapesConfig
from motes.data.shapes import Shapes

DATA = Shapes(ShapesConfig(image_size=(32, 48), count=50, held_out=1))


def test_a_pair_depends_on_seed_and_row_alone():
    together, alone = with_warped_pair(DATA.batch([4, 1, 7]), 3), with_warped_pair(DATA.batch([7]), 3)
    assert torch.equal(together.image[2:], alone.image) and torch.equal(together.prior_image[2:], alone.prior_image)
    assert torch.equal(together.index, torch.tensor([4, 1, 7]))
    other = with_warped_pair(DATA.batch([7]), 4)
    assert not torch.equal(other.prior_image, alone.prior_image)


def test_the_prior_sees_the_strongly_warped_picture():
    batch = DATA.batch(range(20))
    pair = with_warped_pair(batch)
    weak, strong = (pair.image - batch.image).square().mean(), (pair.prior_image - batch.image).square().mean()
    assert 0 < weak < strong / 2
    assert pair.image.min() >= 0 and pair.prior_image.max() <= 1
    assert pair.prior_image.shape == batch.image.shape


def test_warps_of_nothing_change_nothing():
    batch = DATA.batch([0, 1])
    pair = with_warped_pair(batch, 0, Warps(0.0, 0.0, 0.0, 0.0, 0.0))
    torch.testing.assert_close(pair.image, batch.image, atol=2e-5, rtol=0)
    torch.testing.assert_close(pair.prior_image, batch.image, atol=4e-5, rtol=0)


def test_a_folder_warps_what_it_trains_on_and_nothing_else(tmp_path):
    random = np.random.default_rng(0)
    for n in range(10):
        Image.fromarray((random.random((16, 16, 3)) * 255).astype(np.uint8)).save(tmp_path / f"{n}.png")
    plain, warped = (Folder(Config(str(tmp_path), (16, 16), pairs=pairs)) for pairs in (False, True))
    assert plain.batch([0]).prior_image is None
    assert not torch.equal(plain.batch([0]).image, warped.batch([0]).image) and warped.batch([0]).prior_image is not None
    assert torch.equal(warped.batch([0, 3]).prior_image, warped.batch([0, 3]).prior_image)
    assert Folder(Config(str(tmp_path), (16, 16), pairs=True), "validation").batch([0]).prior_image is None
