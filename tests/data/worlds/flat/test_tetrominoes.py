"""Tetrominoes are complete, do not overlap, have the recipe's colours and every orientation."""

import itertools

import numpy as np
import pytest
import torch

from motes.data.worlds.flat.tetrominoes import CELLS, COLOURS, Tetrominoes, TetrominoesConfig
from motes.data.worlds.flat.tilings import tilings_of
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


def test_four_pieces_and_one_colour():
    four = Tetrominoes(TetrominoesConfig(pieces=4)).truth(range(20))
    assert four.present.shape[1] == 4 and four.present.all() and four.masks.sum(1).max() == 1
    plain, one = (
        Tetrominoes(TetrominoesConfig(colours=colours)).truth(range(40)) for colours in ("six", "one")
    )
    assert torch.equal(plain.masks, one.masks), "the same pieces at the same places"
    colour = one.factors["colour"]
    assert torch.equal(colour, colour[:, :1].expand_as(colour))
    assert len(colour[:, 0].unique(dim=0)) == len(COLOURS)


@pytest.mark.parametrize("pieces", [2, 3, 4])
def test_ambiguous_pictures_hold_all_their_tilings(pieces):
    data = Tetrominoes(TetrominoesConfig(pieces=pieces, ambiguous=True))
    truth = data.truth(range(60))
    tilings = truth.scene["tilings"]
    union = truth.masks[:, :, 2::5, 2::5].any(1)
    exists = (tilings > 0).any((2, 3))
    assert (exists.sum(1) >= 2).all() and not (exists[:, 1:] & ~exists[:, :-1]).any()
    shapes = {tuple(map(tuple, cells.tolist())) for cells in CELLS}
    for picture, number in exists.nonzero().tolist():
        tiling = tilings[picture, number]
        assert torch.equal(tiling > 0, union[picture])
        for piece in range(1, pieces + 1):
            cells = (tiling == piece).nonzero()
            assert tuple(map(tuple, (cells - cells.amin(0)).tolist())) in shapes
    drawn = (truth.masks[:, :, 2::5, 2::5] * torch.arange(1, pieces + 1)[:, None, None]).sum(1)
    for picture in range(60):
        known = [parts(tiling) for tiling in tilings[picture][exists[picture]]]
        assert len(set(known)) == len(known), "each once"
        assert parts(drawn[picture]) in known
    image = data.batch(range(60)).image
    assert torch.equal(image.amax(1)[:, 2::5, 2::5] > 0, union)


def parts(tiling):
    """A tiling without the numbers of its pieces."""
    return frozenset(
        frozenset(map(tuple, (tiling == piece).nonzero().tolist())) for piece in tiling.unique() if piece
    )


def test_no_tiling_is_missing():
    """Every set of disjoint pieces on a small grid is a tiling of its union, and there are no others."""
    placed = [
        frozenset(map(tuple, (cells + corner).tolist()))
        for cells in CELLS
        for corner in np.ndindex(*(np.array([3, 5]) - cells.max(0)))
        if ((cells + corner).max(0) < [3, 5]).all()
    ]
    expected = {}
    for number in (2, 3):
        for chosen in itertools.combinations(placed, number):
            union = frozenset().union(*chosen)
            if len(union) == 4 * number:
                expected.setdefault(union, set()).add(frozenset(chosen))
    for number in (2, 3):
        unions = [union for union in expected if len(union) == 4 * number]
        blocks = np.zeros((len(unions), 3, 5), bool)
        for at, union in enumerate(unions):
            blocks[at, *np.array(sorted(union)).T] = True
        got = [set() for _ in unions]
        for at, tiling in zip(*tilings_of(blocks, CELLS), strict=True):
            tiles = parts(torch.from_numpy(tiling))
            assert tiles not in got[at]
            got[at].add(tiles)
        assert got == [expected[union] for union in unions]
    most = max(len(tilings) for tilings in expected.values())
    assert most > 2


def test_a_single_piece_cannot_be_ambiguous():
    with pytest.raises(UserError, match="never ambiguous"):
        Tetrominoes(TetrominoesConfig(pieces=1, ambiguous=True))
