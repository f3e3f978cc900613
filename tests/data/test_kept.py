"""Remembered pictures: drawn once while there is room, and the same beyond it."""

import numpy as np

from motes.data.kept import TOGETHER, RowCache


def test_rows_are_drawn_once_and_given_in_order():
    asked: list[int] = []

    def draw(rows):
        assert len(rows) <= TOGETHER
        asked.extend(rows)
        return np.array(rows)[:, None] * 2, np.array(rows)

    drawn = RowCache(draw)
    assert drawn([5, 3, 5])[0].tolist() == [[10], [6], [10]]
    assert drawn(range(200))[1].tolist() == list(range(200))
    assert sorted(asked) == list(range(200))


def test_without_room_rows_are_drawn_again():
    asked: list[int] = []

    def draw(rows):
        asked.extend(rows)
        return (np.array(rows, np.int64),)

    drawn = RowCache(draw, budget=16)
    for _ in range(2):
        assert drawn([1, 2, 3, 4])[0].tolist() == [1, 2, 3, 4]
    assert asked == [1, 2, 3, 4, 3, 4]
