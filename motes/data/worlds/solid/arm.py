"""Generated depth pictures of a planar arm: capsules that hang together at joints, with a sensor's noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.truth_from_masks import boxes_of, centres_of
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, to_bytes
from motes.errors import UserError
from motes.types.truth import Truth

REACH = 0.9  # of the outstretched arm, in half pictures
SHOULDER = 0.1  # how far from the middle it may be, by rows and by columns
# radius at the shoulder and at the tip
THICK = 0.13
THIN = 0.06
# brightness behind, of a capsule's rim, and how much its middle is nearer
WALL = 0.1
AXIS = 0.55
BULGE = 0.35
FOLD = 1.4  # tangent of half the sharpest bend, which is 109 degrees


@dataclass(frozen=True)
class ArmConfig:
    """Every direction of the upper arm and every bend is as likely; nearer is brighter."""

    # rows, columns
    image_size: tuple[int, int] = (32, 32)
    # 3: the same thrice
    channels: int = 1
    # training pictures
    count: int = 6000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # capsules; the joints are one more: shoulder, bends and tip
    links: int = 3
    # standard deviation of a pixel's error
    noise: float = 0.05
    # another seed, other pictures
    seed: int = 0


class Arm(Generated):
    """The joints are the picture's points, from the shoulder to the tip."""

    Config = ArmConfig

    def __init__(self, config: ArmConfig, split: Split = "train"):
        super().__init__(config, split)
        if not 1 <= config.links <= 12:
            raise UserError(f"an arm has from 1 to 12 links, not {config.links}")
        if not 0 <= config.noise < 1:
            raise UserError(f"noise must be from 0 up and below 1, not {config.noise}")

    def truth(self, rows: Sequence[int]) -> Truth:
        joints = self._joints(self._dice(self._checked(rows)))
        masks = self._nearness(joints)[1] > 0.5
        return Truth(
            present=torch.ones(len(masks), 1, dtype=torch.bool),
            centres=torch.from_numpy(centres_of(masks[:, None])),
            boxes=torch.from_numpy(boxes_of(masks[:, None])),
            masks=torch.from_numpy(masks[:, None]),
            whole=torch.from_numpy(masks[:, None]),
            points=torch.from_numpy(joints.astype(np.float32)),
        )

    def _paint(self, rows: np.ndarray) -> np.ndarray:
        dice = self._dice(rows)
        near, cover = self._nearness(self._joints(dice))
        grain = dice.uniform("noise", 2, *self.config.image_size)
        error = (
            self.config.noise * 6.0**0.5 * (grain[:, 0] - grain[:, 1])
        )  # a difference of two has a sixth of variance
        light = WALL + cover * (AXIS - WALL + BULGE * near) + error
        return to_bytes(light)[..., None].repeat(3, -1)

    def _joints(self, dice: Dice) -> np.ndarray:
        """B J 2, in [-1, 1]: each link is turned against the one before."""
        links = self.config.links
        lengths = np.linspace(1.4, 0.6, links) * (REACH / links)
        at = dice.between("shoulder", -SHOULDER, SHOULDER, 2)
        way = dice.directions("upper arm")
        half = dice.between("bends", -FOLD, FOLD, links)
        joints = [at]
        for n, length in enumerate(lengths.tolist()):
            if n:
                way = _turned(way, half[:, n])
            joints.append(joints[-1] + length * way)
        return np.stack(joints, 1)

    def _nearness(self, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far each pixel's surface stands out, in [0, 1], and how much of the pixel the arm covers: B H
        W each."""
        size = self.config.image_size
        rows, columns = (np.linspace(-1, 1, side) for side in size)
        radii = np.linspace(THICK, THIN, joints.shape[1])
        near = np.zeros((len(joints), *size))
        cover = np.zeros_like(near)
        for n in range(joints.shape[1] - 1):
            start = joints[:, n, :, None, None]
            link = (joints[:, n + 1] - joints[:, n])[:, :, None, None]
            down = rows[:, None] - start[:, 0]
            right = columns - start[:, 1]
            length = link[:, 0] * link[:, 0] + link[:, 1] * link[:, 1]
            along = np.clip((down * link[:, 0] + right * link[:, 1]) / length, 0, 1)
            down = down - along * link[:, 0]
            right = right - along * link[:, 1]
            squared = down * down + right * right
            radius = radii[n] + along * (radii[n + 1] - radii[n])
            near = np.maximum(near, np.sqrt(np.maximum(radius * radius - squared, 0)) / THICK)
            cover = np.maximum(cover, np.clip((radius - np.sqrt(squared)) * (min(size) / 2) + 0.5, 0, 1))
        return near, cover


def _turned(way: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Unit vectors turned by an angle of which the tangent of the half is given: no sine is needed."""
    square = half * half
    cosine = (1 - square) / (1 + square)
    sine = 2 * half / (1 + square)
    return np.stack([cosine * way[:, 0] - sine * way[:, 1], sine * way[:, 0] + cosine * way[:, 1]], -1)
