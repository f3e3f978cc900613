"""Random numbers by row: the same alone and among others, known values, none shared by two splits."""

import numpy as np
import pytest

from motes.data.worlds.dice import SPLITS, Dice
from motes.errors import UserError


def test_a_row_has_its_numbers_alone_and_among_others():
    many_rows = Dice.of_rows(3, "train", range(50))
    single_row = Dice.of_rows(3, "train", [17])
    assert (many_rows.uniform("place", 4, 2)[17] == single_row.uniform("place", 4, 2)[0]).all()
    assert (many_rows.uniform("place", 2)[:, :2] == many_rows.uniform("place", 4)[:, :2]).all(), (
        "asking for more changes none"
    )
    assert (many_rows.of(np.array([17])).directions("way", 3) == single_row.directions("way", 3)).all()
    assert (many_rows.uniform("place") != many_rows.uniform("colour")).all()


def test_known_numbers():
    """Whole-number arithmetic: a machine that disagrees is broken, or the worlds have changed."""
    assert (Dice.of_rows(0, "train", [0, 10**9]).uniform("place", 2) * 2**53).astype(
        np.int64
    ).tolist() == KNOWN


KNOWN = [[7228815222244666, 6145827196258709], [5857507809242399, 1361682472640040]]


def test_rows_and_splits_of_a_seed_share_no_key():
    keys = np.concatenate([Dice.of_rows(5, split, range(2000))._keys for split in SPLITS])
    assert len(np.unique(keys)) == len(keys)


def test_numbers_are_spread_evenly():
    dice = Dice.of_rows(0, "test", range(4000))
    numbers = dice.uniform("x", 5)
    assert np.abs(np.histogram(numbers, 10, (0, 1))[0] / numbers.size - 0.1).max() < 0.01
    assert np.abs(np.corrcoef(numbers.T) - np.eye(5)).max() < 0.06
    assert set(np.unique(dice.integers("n", 2, 5)).tolist()) == {2, 3, 4, 5}
    directions = dice.directions("way")
    np.testing.assert_allclose((directions * directions).sum(-1), 1, atol=1e-12)
    assert np.abs(directions.mean(0)).max() < 0.05
    assert (np.sort(dice.orders("order", 5)) == np.arange(5)).all()


def test_a_negative_seed_is_refused():
    with pytest.raises(UserError, match="seed"):
        Dice.of_rows(-1, "train", [0])
