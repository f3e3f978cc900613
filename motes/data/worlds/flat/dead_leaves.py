"""Dead leaves: discs that hide each other, of all sizes, the larger the rarer: pictures with the statistics
of photographs.

Radii have density r^-3, which makes every scale cover alike and the spectrum fall as photographs' do (Lee,
Mumford & Huang 2001, https://doi.org/10.1023/A:1011109015675).
"""

from dataclasses import dataclass

import numpy as np

from motes.data.base import Split
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, to_bytes
from motes.errors import UserError

RADII = 96  # between the smallest and the largest, each a little larger than the one before
FINE = 2  # samples a pixel's side, averaged: edges without steps
BARE = 1e-3  # chance that a pixel's middle is covered by no leaf, and has the colour of the ground
MARGIN = 8  # pixels around a picture that whitening looks at
STRETCH = 4.0  # of whitened differences; few leave [0, 1]


@dataclass(frozen=True)
class DeadLeavesConfig:
    """A walk over such a ground looks alike at every scale between the smallest leaf and the largest."""

    # rows, columns
    image_size: tuple[int, int] = (12, 12)
    # 3: coloured leaves
    channels: int = 1
    # training pictures
    count: int = 10000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # radius in pixels; less, and edges become specks
    smallest: float = 3.0
    # a picture may lie in one leaf
    largest: float = 100.0
    # fine differences raised to the height of coarse ones, about a middle grey, as eyes and their models do
    whitened: bool = False
    # another seed, other pictures
    seed: int = 0


class DeadLeaves(Generated):
    """Leaves are laid from the front to the back until hardly a pixel is bare."""

    Config = DeadLeavesConfig
    area = 2**15

    def __init__(self, config: DeadLeavesConfig, split: Split = "train"):
        super().__init__(config, split)
        if not 0 < config.smallest < config.largest:
            raise UserError(f"smallest {config.smallest} must be above 0 and below largest {config.largest}")
        self._margin = MARGIN if config.whitened else 0
        self._size = tuple(side + 2 * self._margin for side in config.image_size)
        ratio = (config.largest / config.smallest) ** (1 / (RADII - 1))
        self._radii = config.smallest * ratio ** np.arange(RADII)
        reach = [
            (side + 2 * self._radii) for side in self._size
        ]  # where the middle of a leaf may lie that is seen
        weight = self._radii**-2 * reach[0] * reach[1]  # of r^-3, on a scale of powers
        self._chance = np.cumsum(weight / weight.sum())
        covered = float(
            (weight / weight.sum() * np.pi * self._radii**2 / (reach[0] * reach[1])).sum()
        )  # of a pixel, by one leaf
        self._leaves = int(np.ceil(np.log(BARE) / np.log1p(-covered)))

    def _paint(self, rows: np.ndarray) -> np.ndarray:
        dice = self._dice(rows)
        light = self._ground(dice)
        return to_bytes(_whitened(light, self._margin) if self.config.whitened else light)

    def _ground(self, dice: Dice) -> np.ndarray:
        """float64 in [0, 1], B H W 3, with the margin."""
        radius = self._radii[
            np.searchsorted(self._chance, dice.uniform("radius", self._leaves)).clip(max=RADII - 1)
        ]
        middle = (
            dice.uniform("middle", self._leaves, 2) * (np.array(self._size) + 2 * radius[..., None])
            - radius[..., None]
        )
        colour = dice.uniform("colour", self._leaves + 1, 3)
        row, column = ((np.arange(side * FINE) + 0.5) / FINE for side in self._size)
        front = np.full((len(dice), len(row), len(column)), self._leaves)  # the ground
        for leaf in range(self._leaves - 1, -1, -1):
            down = np.square(row - middle[:, leaf, :1])
            across = np.square(column - middle[:, leaf, 1:])
            np.copyto(
                front,
                leaf,
                where=down[:, :, None] + across[:, None] <= np.square(radius[:, leaf])[:, None, None],
            )
        seen = colour[np.arange(len(dice))[:, None, None], front]
        rows, columns = self._size
        return seen.reshape(len(dice), rows, FINE, columns, FINE, 3).mean((2, 4))


def _whitened(light: np.ndarray, margin: int) -> np.ndarray:
    """What a pixel has more than its surroundings, near and wide: a gain that grows with frequency, as
    amplitudes fall."""
    near = light
    total = np.zeros_like(light)
    for reach in (1, 2, 4):
        wide = _blurred(_blurred(near, reach, 1), reach, 2)
        total += (near - wide) / reach
        near = wide
    inner = slice(margin, -margin)
    return 0.5 + STRETCH * total[:, inner, inner]


def _blurred(light: np.ndarray, reach: int, axis: int) -> np.ndarray:
    """A quarter, a half, a quarter, `reach` pixels apart; edges are repeated."""
    last = light.shape[axis] - 1
    place = np.arange(last + 1)
    before, after = (np.take(light, (place + step).clip(0, last), axis) for step in (-reach, reach))
    return 0.25 * before + 0.5 * light + 0.25 * after
