"""Generated depth pictures of an arm in the picture's plane: capsules connected at joints, with a sensor's
noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.truth_from_masks import boxes_of, centres_of
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, to_bytes
from motes.data.worlds.portable import Array
from motes.data.worlds.solid.plane import rotated
from motes.errors import UserError
from motes.types.truth import Truth

REACH = 0.9  # of the outstretched arm, in half pictures
SHOULDER = 0.1  # how far from the middle it may be, by rows and by columns
# radius at the shoulder and at the tip
THICK = 0.13
THIN = 0.06
# brightness of the wall, of a capsule's rim, and how much brighter its middle is
WALL = 0.1
RIM = 0.55
BULGE = 0.35
FOLD = 1.4  # tangent of half the sharpest bend, which is 109 degrees


@dataclass(frozen=True)
class ArmConfig:
    """All directions of the upper arm and all bends are equally likely. Nearer surfaces are brighter."""

    # rows, columns
    image_size: tuple[int, int] = (32, 32)
    # 3: the same grey three times
    channels: int = 1
    # training pictures
    count: int = 6000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # number of capsules; there is one joint more: shoulder, bends and tip
    links: int = 3
    # standard deviation of a pixel's error
    noise: float = 0.05
    # another seed, other pictures
    seed: int = 0


class Arm(Generated):
    """Depth pictures of an arm. Its joints, from the shoulder to the tip, are the points of the truth."""

    Config = ArmConfig

    def __init__(self, config: ArmConfig, split: Split = "train"):
        super().__init__(config, split)
        if not 1 <= config.links <= 12:
            raise UserError(f"an arm has from 1 to 12 links, not {config.links}")
        if not 0 <= config.noise < 1:
            raise UserError(f"noise must be from 0 up and below 1, not {config.noise}")

    def truth(self, rows: Sequence[int]) -> Truth:
        joints = self._joints(self._dice(self._checked(rows)))
        masks = (self._surface(joints)[1] > 0.5)[:, None]
        return Truth(
            present=torch.ones(len(masks), 1, dtype=torch.bool),
            centres=torch.from_numpy(centres_of(masks)),
            boxes=torch.from_numpy(boxes_of(masks)),
            masks=torch.from_numpy(masks),
            whole=torch.from_numpy(masks),
            points=torch.from_numpy(joints.astype(np.float32)),
        )

    def _paint(self, rows: Array) -> Array:
        dice = self._dice(rows)
        height, cover = self._surface(self._joints(dice))
        light = WALL + cover * (RIM - WALL + BULGE * height)
        return to_bytes(light + self._error(dice))[..., None].repeat(3, -1)

    def _error(self, dice: Dice) -> Array:
        # the difference of two uniform numbers has a variance of one sixth
        grain = dice.uniform("noise", 2, *self.config.image_size)
        return self.config.noise * 6.0**0.5 * (grain[:, 0] - grain[:, 1])

    def _joints(self, dice: Dice) -> Array:
        """The positions of the joints, B J 2, in [-1, 1]; each link is turned against the one before."""
        links = self.config.links
        lengths = np.linspace(1.4, 0.6, links) * (REACH / links)
        direction = dice.directions("upper arm")
        half_tangent = dice.between("bends", -FOLD, FOLD, links)
        joints = [dice.between("shoulder", -SHOULDER, SHOULDER, 2)]
        for n, length in enumerate(lengths.tolist()):
            if n:
                direction = _bent(direction, half_tangent[:, n])
            joints.append(joints[-1] + length * direction)
        return np.stack(joints, 1)

    def _surface(self, joints: Array) -> tuple[Array, Array]:
        """How near the surface at each pixel is, in [0, 1], and how much of the pixel the arm covers; B H
        W each."""
        size = self.config.image_size
        height = np.zeros((len(joints), *size))
        cover = np.zeros_like(height)
        radii = np.linspace(THICK, THIN, joints.shape[1])
        for n in range(joints.shape[1] - 1):
            position, squared = _distance_to_link(joints[:, n], joints[:, n + 1], size)
            radius = radii[n] + position * (radii[n + 1] - radii[n])
            height = np.maximum(height, _height(radius, squared))
            cover = np.maximum(cover, np.clip((radius - np.sqrt(squared)) * (min(size) / 2) + 0.5, 0, 1))
        return height, cover


def _height(radius: Array, squared: Array) -> Array:
    """How far a capsule stands out at points with this squared distance from its axis.

    1 is the middle of the shoulder.
    """
    return np.sqrt(np.maximum(radius * radius - squared, 0)) / THICK


def _distance_to_link(start: Array, end: Array, size: tuple[int, int]) -> tuple[Array, Array]:
    """The point of the link that is nearest to each pixel, and its squared distance; B H W each.

    `start` and `end` of the link are B 2; the point is a number from 0 at the start to 1 at the end.
    """
    rows, columns = (np.linspace(-1, 1, side) for side in size)
    link_down, link_right = (end - start).T[:, :, None, None]
    down = rows[:, None] - start[:, 0, None, None]
    right = columns - start[:, 1, None, None]
    squared_length = link_down * link_down + link_right * link_right
    position = np.clip((down * link_down + right * link_right) / squared_length, 0, 1)
    down = down - position * link_down
    right = right - position * link_right
    return position, down * down + right * right


def _bent(direction: Array, half_tangent: Array) -> Array:
    """Unit vectors turned by an angle, which is given by the tangent of its half: no sine is needed."""
    squared = half_tangent * half_tangent
    return rotated(direction, (1 - squared) / (1 + squared), 2 * half_tangent / (1 + squared))
