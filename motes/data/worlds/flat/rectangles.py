"""Outlines of rectangles, tall or wide: a generated benchmark of deep networks, by its published recipe.

Larochelle et al. 2007 (https://doi.org/10.1145/1273496.1273556), used by Vincent et al. 2010: 28 x 28
pixels, 1,000 training, 200 validation and 50,000 test pictures. The pictures are not the published ones,
but of the same distribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, normalised
from motes.data.worlds.portable import Array
from motes.errors import UserError
from motes.types.truth import Truth

# pixels by which the sides of a rectangle differ at least
DIFFERENCE = 3


@dataclass(frozen=True)
class RectanglesConfig:
    """Sides are drawn uniformly among those that differ enough, positions among those where the rectangle
    fits."""

    # rows, columns
    image_size: tuple[int, int] = (28, 28)
    # 3: the same grey three times
    channels: int = 1
    # training pictures
    count: int = 1000
    # pictures of the validation split
    held_out: int = 200
    # pictures of the test split
    tested: int = 50000
    # another seed gives other pictures
    seed: int = 0


class Rectangles(Generated):
    """Outlines of rectangles, white lines one pixel wide on black; class 1 is taller than wide, 0 wider
    than tall."""

    Config = RectanglesConfig

    def __init__(self, config: RectanglesConfig, split: Split = "train"):
        super().__init__(config, split)
        if config.tested < 1:
            raise UserError(f"tested must be at least 1, not {config.tested}")
        rows, columns = (np.arange(1, side + 1) for side in config.image_size)
        self._sides = np.argwhere(np.abs(rows[:, None] - columns) >= DIFFERENCE) + 1

    def truth(self, rows: Sequence[int]) -> Truth:
        first, last = self._corners(self._dice(self._checked(rows)))
        extent = last - first
        return Truth(
            present=torch.ones(len(rows), 1, dtype=torch.bool),
            centres=torch.from_numpy(normalised((first + last)[:, None] / 2, self.config.image_size)),
            boxes=torch.from_numpy(np.concatenate([first, last], 1)[:, None].astype(np.float32)),
            scene={"class": torch.from_numpy((extent[:, 0] > extent[:, 1]).astype(np.int64))},
        )

    def _paint(self, rows: Array) -> Array:
        outline = self._outline(*self._corners(self._dice(rows)))
        return np.repeat((outline * np.uint8(255))[..., None], 3, -1)

    def _outline(self, first: Array, last: Array) -> Array:
        """The pixels on the rectangles' lines: bool, B H W."""
        row, column = (np.arange(side) for side in self.config.image_size)
        inside_rows, edge_rows = _span(row, first[:, :1], last[:, :1])
        inside_columns, edge_columns = _span(column, first[:, 1:], last[:, 1:])
        horizontal = edge_rows[:, :, None] & inside_columns[:, None]
        vertical = inside_rows[:, :, None] & edge_columns[:, None]
        return horizontal | vertical

    def _corners(self, dice: Dice) -> tuple[Array, Array]:
        """The first and the last (row, column) of each rectangle: int64, B 2 each."""
        sides = self._sides[dice.integers("sides", 0, len(self._sides) - 1)]
        room = np.array(self.config.image_size) - sides + 1
        first = np.floor(dice.uniform("place", 2) * room).astype(np.int64)
        return first, first + sides - 1


def _span(position: Array, first: Array, last: Array) -> tuple[Array, Array]:
    """Whether each position lies between the two ends, and whether it is one of them; B n each."""
    return (position >= first) & (position <= last), (position == first) | (position == last)
