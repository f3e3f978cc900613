"""Dead leaves: discs of all sizes that hide each other; their pictures have the statistics of photographs.

Radii have density r^-3, so that every scale covers alike and the spectrum falls as that of photographs does
(Lee, Mumford & Huang 2001, https://doi.org/10.1023/A:1011109015675).
"""

from dataclasses import dataclass

import numpy as np

from motes.data.base import Split
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, to_bytes
from motes.data.worlds.portable import Array
from motes.errors import UserError

# between the smallest and the largest, each a little larger than the one before
RADII = 96
# samples a pixel's side, averaged: edges without steps
FINE = 2
# chance that a pixel's middle is covered by no leaf, and has the colour of the ground
BARE = 1e-3
# pixels around a picture that whitening needs
MARGIN = 8
# of whitened differences; few leave [0, 1]
STRETCH = 4.0


@dataclass(frozen=True)
class DeadLeavesConfig:
    """Pictures look alike at every scale between the radii of the smallest leaf and of the largest."""

    # rows, columns
    image_size: tuple[int, int] = (12, 12)
    # 3: coloured leaves
    channels: int = 1
    # training pictures
    count: int = 10000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # smallest radius in pixels; with less, edges become specks
    smallest: float = 3.0
    # largest radius in pixels; a picture may lie in one leaf
    largest: float = 100.0
    # amplify fine differences to the size of coarse ones, about a middle grey, as eyes and models of them do
    whitened: bool = False
    # another seed gives other pictures
    seed: int = 0


class DeadLeaves(Generated):
    """Pictures of discs, the leaves. They are laid from the front to the back until hardly a pixel is
    bare."""

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
        # rows and columns in which the middle of a visible leaf may lie
        reach = [side + 2 * self._radii for side in self._size]
        # of r^-3, on a scale of powers
        weight = self._radii**-2 * reach[0] * reach[1]
        probability = weight / weight.sum()
        self._chance = np.cumsum(probability)
        self._leaves = _leaves_until_covered(probability * np.pi * self._radii**2 / (reach[0] * reach[1]))

    def _paint(self, rows: Array) -> Array:
        dice = self._dice(rows)
        light = self._ground(dice)
        return to_bytes(_whitened(light, self._margin) if self.config.whitened else light)

    def _ground(self, dice: Dice) -> Array:
        """The leaves of these rows, float64 in [0, 1], B H W 3, with a margin around the picture."""
        colour = dice.uniform("colour", self._leaves + 1, 3)
        front = self._front(*self._discs(dice))
        points = colour[np.arange(len(dice))[:, None, None], front]
        rows, columns = self._size
        return points.reshape(len(dice), rows, FINE, columns, FINE, 3).mean((2, 4))

    def _discs(self, dice: Dice) -> tuple[Array, Array]:
        """The radii, B L, and middles, B L 2, of the leaves, in pixels."""
        number = np.searchsorted(self._chance, dice.uniform("radius", self._leaves))
        radius = self._radii[number.clip(max=RADII - 1)]
        reach = np.array(self._size) + 2 * radius[..., None]
        return radius, dice.uniform("middle", self._leaves, 2) * reach - radius[..., None]

    def _front(self, radius: Array, middle: Array) -> Array:
        """The number of the leaf in front at each point, B h w; the number of leaves where there is none."""
        front = np.full((len(radius), *(side * FINE for side in self._size)), self._leaves)
        for leaf in range(self._leaves - 1, -1, -1):
            np.copyto(front, leaf, where=self._inside(radius[:, leaf], middle[:, leaf]))
        return front

    def _inside(self, radius: Array, middle: Array) -> Array:
        """Whether each point lies inside a leaf of its picture, one leaf per picture: bool, B h w."""
        row, column = ((np.arange(side * FINE) + 0.5) / FINE for side in self._size)
        down = np.square(row - middle[:, :1])[:, :, None]
        across = np.square(column - middle[:, 1:])[:, None]
        return down + across <= np.square(radius)[:, None, None]


def _leaves_until_covered(covering: Array) -> int:
    """How many leaves are needed to hide all but a few pixels.

    `covering` sums, over all radii, to the probability that a random leaf hides a given pixel.
    """
    return int(np.ceil(np.log(BARE) / np.log1p(-float(covering.sum()))))


def _whitened(light: Array, margin: int) -> Array:
    """The differences between each pixel and its near and wide surroundings.

    The gain grows with frequency just as the amplitudes of photographs fall with it.
    """
    near = light
    total = np.zeros_like(light)
    for reach in (1, 2, 4):
        wide = _blurred(_blurred(near, reach, 1), reach, 2)
        total += (near - wide) / reach
        near = wide
    inner = slice(margin, -margin)
    return 0.5 + STRETCH * total[:, inner, inner]


def _blurred(light: Array, reach: int, axis: int) -> Array:
    """A weighted mean along an axis: the pixel (a half) and its two neighbours `reach` pixels away (a quarter
    each).

    The picture is continued beyond its edges by repeating the last pixel.
    """
    pixel = np.arange(light.shape[axis])
    last = light.shape[axis] - 1
    before, after = (np.take(light, (pixel + step).clip(0, last), axis) for step in (-reach, reach))
    return 0.25 * before + 0.5 * light + 0.25 * after
