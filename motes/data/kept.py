"""Pictures that are drawn when first asked for and then remembered, while there is room."""

from collections.abc import Callable, Sequence

import numpy as np

TOGETHER = 64  # pictures drawn at once at most
ROOM = 2**31  # bytes remembered at most; beyond them a picture is drawn again each time


class Drawn:
    """`draw` gives arrays of one entry a row; they must not depend on which rows are drawn together."""

    def __init__(self, draw: Callable[[list[int]], tuple[np.ndarray, ...]], room: int = ROOM):
        self._draw = draw
        self._room = room
        self._kept: dict[int, tuple[np.ndarray, ...]] = {}

    def __call__(self, rows: Sequence[int]) -> tuple[np.ndarray, ...]:
        rows = [int(row) for row in rows]
        missing = [row for row in dict.fromkeys(rows) if row not in self._kept]
        fresh: dict[int, tuple[np.ndarray, ...]] = {}
        for first in range(0, len(missing), TOGETHER):
            some = missing[first : first + TOGETHER]
            fresh |= dict(zip(some, zip(*self._draw(some), strict=True), strict=True))
        for row, parts in fresh.items():
            size = sum(part.nbytes for part in parts)
            if size <= self._room:
                self._kept[row] = tuple(
                    part.copy() for part in parts
                )  # a copy lets go of the pictures drawn with it
                self._room -= size
        found = [self._kept.get(row) or fresh[row] for row in rows]
        return tuple(np.stack(parts) for parts in zip(*found, strict=True))
