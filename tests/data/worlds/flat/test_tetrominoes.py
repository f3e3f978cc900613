"""Tetrominoes are complete, do not overlap, have the recipe's colours and every orientation."""

import numpy as np
import pytest
import torch

from motes.data.worlds.flat.tetrominoes import CELLS, COLOURS, Tetrominoes, TetrominoesConfig
from motes.errors import UserError


def test_nineteen_orientations_each_of_four_joined_blocks():
    assert CELLS.shape == (19, 4, 2)
    assert len({tuple(sorted(map(tuple, cells.tolist()))) for cells in CELLS}) == 19
    for cells in CELLS:
        touching = np.abs(cells[:, None] - cells).sum(-1) == 1
        assert touching.sum() >= 6 and touching.any(1).all() and (cells.min(0) == 0).all()


def test_three_pieces_of_four_blocks_in_pure_colours():
    data = Tetrominoes(TetrominoesConfig())
    image, truth = data.batch(range(60)).image, data.truth(range(60))
    assert truth.present.all() and truth.present.shape[1] == 3
    assert (truth.masks.sum((2, 3)) == 100).all() and truth.masks.sum(1).max() == 1
    painted = torch.einsum("bnhw,bnc->bchw", truth.masks.float(), truth.factors["colour"])
    assert torch.equal(painted, image), "nothing but the pieces, on black"
    assert set(map(tuple, (truth.factors["colour"].flatten(0, 1) * 255).int().tolist())) == set(
        map(tuple, COLOURS.tolist())
    )


def test_masks_are_the_shapes_that_the_factors_name():
    truth = Tetrominoes(TetrominoesConfig()).truth(range(20))
    for n in range(20):
        for k in range(3):
            blocks = truth.masks[n, k, 2::5, 2::5].nonzero().numpy()
            assert (blocks - blocks.min(0) == CELLS[truth.factors["shape"][n, k]]).all()


def test_arrangements_are_even():
    """A mirror image is as likely as the picture: pieces and their mirrored twins come equally often, at mirrored
    positions."""
    truth = Tetrominoes(TetrominoesConfig()).truth(range(3000))
    share = torch.bincount(truth.factors["shape"].flatten(), minlength=19) / 9000
    assert share.min() > 0.03 and share.max() < 0.08
    assert truth.centres.mean((0, 1)).abs().max() < 0.02


def test_other_sizes():
    assert Tetrominoes(TetrominoesConfig(image_size=(24, 32), block=4, pieces=2, channels=1)).pixels(
        [0]
    ).shape == (
        1,
        1,
        24,
        32,
    )
    with pytest.raises(UserError, match="whole blocks"):
        Tetrominoes(TetrominoesConfig(image_size=(36, 35)))
    with pytest.raises(UserError, match="pieces"):
        Tetrominoes(TetrominoesConfig(pieces=9))
