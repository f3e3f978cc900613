"""White shapes, convex or not: a generated benchmark of deep networks, by its published recipe.

Larochelle et al. 2007 (https://doi.org/10.1145/1273496.1273556), used by Vincent et al. 2010: 28 x 28
pixels, 6,000 training, 2,000 validation and 50,000 test pictures. The pictures are not the published ones,
but of the same distribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.truth_from_masks import boxes_of
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated
from motes.data.worlds.portable import Array
from motes.errors import UserError
from motes.types.truth import Truth

# chance that no further half-plane is cut away, of the geometric distribution from 0 on; chosen so that both
# classes are as large on average, as published
CONVEX_STOP = 0.195
# fewest pixels
CONVEX_LEAST = 19
# the same for the convex sets whose union is a shape that is not convex
PART_STOP = 0.07
PART_LEAST = 10
# fewest and most of these sets
PARTS = (2, 4)
# pixels to the left of any picture
NOWHERE = 10**6
# half-planes of a set at most; one set in ten thousand would have more
PLANES = 100
# candidates for a set, of which about one in ten is large enough
TRIES = 3000


@dataclass(frozen=True)
class ConvexConfig:
    """Half of the pictures show convex shapes."""

    # rows, columns
    image_size: tuple[int, int] = (28, 28)
    # 3: the same grey three times
    channels: int = 1
    # training pictures
    count: int = 6000
    # pictures of the validation split
    held_out: int = 2000
    # pictures of the test split
    tested: int = 50000
    # another seed gives other pictures
    seed: int = 0


class Convex(Generated):
    """White shapes with their class: 1 convex, 0 not.

    Convex shapes are intersections of half-planes; the others are unions of such shapes that have a dent or
    fall apart.
    """

    Config = ConvexConfig
    area = 2**21

    def __init__(self, config: ConvexConfig, split: Split = "train"):
        super().__init__(config, split)
        if config.tested < 1:
            raise UserError(f"tested must be at least 1, not {config.tested}")

    def truth(self, rows: Sequence[int]) -> Truth:
        dice = self._dice(self._checked(rows))
        shape = self._shapes(dice)[:, None]
        return Truth(
            present=torch.ones(len(rows), 1, dtype=torch.bool),
            boxes=torch.from_numpy(boxes_of(shape)),
            masks=torch.from_numpy(shape),
            scene={"class": torch.from_numpy(_class(dice))},
        )

    def _paint(self, rows: Array) -> Array:
        return np.repeat((self._shapes(self._dice(rows)) * np.uint8(255))[..., None], 3, -1)

    def _shapes(self, dice: Dice) -> Array:
        """The shapes of these rows: bool, B H W."""
        shape = self._filled(dice, False)
        convex = _class(dice) == 1
        shape[convex] = self._intersections(dice.of(convex), "convex", CONVEX_STOP, CONVEX_LEAST)
        shape[~convex] = self._dented(dice.of(~convex))
        return shape

    def _dented(self, dice: Dice) -> Array:
        """For each row, the first random union that is not convex."""
        shape = self._filled(dice, False)
        pending = np.arange(len(dice))
        for attempt in range(TRIES):
            if not len(pending):
                return shape
            shape[pending] = self._union(dice.of(pending), f"union {attempt}")
            pending = pending[is_convex(shape[pending])]
        raise UserError(f"pictures of {self.config.image_size} have no room for shapes that are not convex")

    def _filled(self, dice: Dice, value: bool) -> Array:
        return np.full((len(dice), *self.config.image_size), value)

    def _union(self, dice: Dice, name: str) -> Array:
        parts = dice.integers(f"{name} parts", *PARTS)
        shape = self._filled(dice, False)
        for part in range(PARTS[1]):
            rows = parts > part
            shape[rows] |= self._intersections(dice.of(rows), f"{name} {part}", PART_STOP, PART_LEAST)
        return shape

    def _intersections(self, dice: Dice, name: str, stop: float, least: int) -> Array:
        """For each row, the first random intersection that has at least `least` pixels."""
        shape = self._filled(dice, False)
        pending = np.arange(len(dice))
        for attempt in range(TRIES):
            if not len(pending):
                return shape
            candidate = self._candidate(dice.of(pending), f"{name} {attempt}", stop, least)
            enough = candidate.sum((1, 2)) >= least
            shape[pending[enough]] = candidate[enough]
            pending = pending[~enough]
        raise UserError(f"pictures of {self.config.image_size} have no room for shapes of {least} pixels")

    def _candidate(self, dice: Dice, name: str, stop: float, least: int) -> Array:
        """For each row, a random intersection of half-planes, made by cutting them away one by one.

        No more are cut away from a set that is already too small.
        """
        shape = self._filled(dice, True)
        rows = np.arange(len(dice))
        for plane in range(PLANES):
            further = dice.of(rows).uniform(f"{name} more {plane}") >= stop
            rows = rows[further & (shape[rows].sum((1, 2)) >= least)]
            if not len(rows):
                break
            shape[rows] &= self._half_plane(dice.of(rows), name, plane)
        return shape

    def _half_plane(self, dice: Dice, name: str, plane: int) -> Array:
        """The pixels on one side of a line that has a random direction and goes through a random point:
        bool, B H W."""
        size = self.config.image_size
        row, column = (np.arange(side) + 0.5 for side in size)
        normal = dice.directions(f"{name} way {plane}")[:, :, None, None]
        point = dice.uniform(f"{name} place {plane}", 2)[:, :, None, None] * np.reshape(size, (2, 1, 1))
        return (row[:, None] - point[:, 0]) * normal[:, 0] + (column - point[:, 1]) * normal[:, 1] >= 0


def _class(dice: Dice) -> Array:
    return dice.integers("class", 0, 1)


def is_convex(shape: Array) -> Array:
    """Whether each shape, B H W, has every pixel whose middle is in the convex hull of its pixels' middles:
    bool, B.

    The arithmetic is in whole numbers.
    """
    occupied = np.asarray(shape.any(2))
    left = shape.argmax(2)
    right = shape.shape[2] - 1 - shape[:, :, ::-1].argmax(2)
    in_hull = (_reach(right, occupied) + _reach(-left, occupied) + 1).clip(min=0)
    return (in_hull == shape.sum(2)).all(1)


def _reach(edge: Array, occupied: Array) -> Array:
    """For each row, the last pixel within the chords between the edges of any two rows, or the row's own
    edge.

    It is far below 0 if a row has none.
    """
    reach = np.where(occupied, edge, -NOWHERE)
    for first in range(edge.shape[1]):
        for last in range(first + 2, edge.shape[1]):
            between = np.arange(first + 1, last)
            spanned = (occupied[:, first] & occupied[:, last])[:, None]
            pixels = np.where(spanned, _chord(edge, first, last), reach[:, between])
            reach[:, between] = np.maximum(reach[:, between], pixels)
    return reach


def _chord(edge: Array, first: int, last: int) -> Array:
    """For the rows between `first` and `last`, the last pixels within the chord between the edges of these
    two rows."""
    between = np.arange(first + 1, last)
    weighted = edge[:, first, None] * (last - between) + edge[:, last, None] * (between - first)
    return weighted // (last - first)
