"""White shapes, convex or not: a generated benchmark of deep networks, by its published recipe.

Larochelle et al. 2007 (https://doi.org/10.1145/1273496.1273556), used by Vincent et al. 2010: 28 x 28
pixels, 6,000 pictures to learn from, 2,000 to choose by, 50,000 to be tested on. The pictures are others
than the published ones, of the same distribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.truth_from_masks import boxes_of
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated
from motes.errors import UserError
from motes.types.truth import Truth

# chance that no further half-plane is cut away, of the geometric distribution from 0 on, which alone makes
# both kinds as large on average,
# as was published; fewest pixels
CONVEX_STOP = 0.195
CONVEX_LEAST = 19
# of the convex sets of which one that is not convex is the union
PART_STOP = 0.07
PART_LEAST = 10
PARTS = (2, 4)  # of them, fewest and most
NOWHERE = 10**6  # pixels to the left of any picture
# of one set at most; one in ten thousand would have more. Candidates for a set, of which about every tenth
# is kept
PLANES = 100
TRIES = 3000


@dataclass(frozen=True)
class ConvexConfig:
    """One half of the pictures are convex."""

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
    # another seed, other pictures
    seed: int = 0


class Convex(Generated):
    """An intersection of half-planes is class 1; a union of some that has a dent or falls apart is class
    0."""

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

    def _paint(self, rows: np.ndarray) -> np.ndarray:
        return np.repeat((self._shapes(self._dice(rows)) * np.uint8(255))[..., None], 3, -1)

    def _shapes(self, dice: Dice) -> np.ndarray:
        """bool, B H W."""
        shape = np.zeros((len(dice), *self.config.image_size), bool)
        convex = _class(dice) == 1
        shape[convex] = self._intersections(dice.of(convex), "convex", CONVEX_STOP, CONVEX_LEAST)
        open_ = np.nonzero(~convex)[0]
        for attempt in range(TRIES):
            if not len(open_):
                return shape
            shape[open_] = self._union(dice.of(open_), f"union {attempt}")
            open_ = open_[is_convex(shape[open_])]
        raise UserError(f"pictures of {self.config.image_size} have no room for shapes that are not convex")

    def _union(self, dice: Dice, name: str) -> np.ndarray:
        parts = dice.integers(f"{name} parts", *PARTS)
        shape = np.zeros((len(dice), *self.config.image_size), bool)
        for part in range(PARTS[1]):
            which = parts > part
            shape[which] |= self._intersections(dice.of(which), f"{name} {part}", PART_STOP, PART_LEAST)
        return shape

    def _intersections(self, dice: Dice, name: str, stop: float, least: int) -> np.ndarray:
        """The first candidate of each row that has enough pixels."""
        shape = np.zeros((len(dice), *self.config.image_size), bool)
        open_ = np.arange(len(dice))
        for attempt in range(TRIES):
            if not len(open_):
                return shape
            candidate = self._candidate(dice.of(open_), f"{name} {attempt}", stop, least)
            enough = candidate.sum((1, 2)) >= least
            shape[open_[enough]] = candidate[enough]
            open_ = open_[~enough]
        raise UserError(f"pictures of {self.config.image_size} have no room for shapes of {least} pixels")

    def _candidate(self, dice: Dice, name: str, stop: float, least: int) -> np.ndarray:
        """Half-planes one by one, each with its edge through a random point; no more of a set that is
        already too small."""
        shape = np.ones((len(dice), *self.config.image_size), bool)
        row, column = (np.arange(side) + 0.5 for side in self.config.image_size)
        cut = np.arange(len(dice))
        for plane in range(PLANES):
            own = dice.of(cut)
            cut = cut[(own.uniform(f"{name} more {plane}") >= stop) & (shape[cut].sum((1, 2)) >= least)]
            if not len(cut):
                break
            own = dice.of(cut)
            way = own.directions(f"{name} way {plane}")[:, :, None, None]
            place = own.uniform(f"{name} place {plane}", 2)[:, :, None, None] * np.reshape(
                self.config.image_size, (2, 1, 1)
            )
            shape[cut] &= (row[:, None] - place[:, 0]) * way[:, 0] + (column - place[:, 1]) * way[:, 1] >= 0
        return shape


def _class(dice: Dice) -> np.ndarray:
    return dice.integers("class", 0, 1)


def is_convex(shape: np.ndarray) -> np.ndarray:
    """bool, B: whether a shape has all pixels whose middles are in the hull of its pixels' middles; B H W.
    In whole numbers."""
    there = np.asarray(shape.any(2))
    left = shape.argmax(2)
    right = shape.shape[2] - 1 - shape[:, :, ::-1].argmax(2)
    in_hull = (_reach(right, there) + _reach(-left, there) + 1).clip(min=0)
    return (in_hull == shape.sum(2)).all(1)


def _reach(edge: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Of each row, the last pixel within chords between edges of any two rows, or its own; far below 0 where
    there is none."""
    rows = edge.shape[1]
    reach = np.where(there, edge, -NOWHERE)
    for first in range(rows):
        for last in range(first + 2, rows):
            between = np.arange(first + 1, last)
            chord = (edge[:, first, None] * (last - between) + edge[:, last, None] * (between - first)) // (
                last - first
            )
            both = (there[:, first] & there[:, last])[:, None]
            np.maximum(reach[:, between], np.where(both, chord, reach[:, between]), out=chord)
            reach[:, between] = chord
    return reach
