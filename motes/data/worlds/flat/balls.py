"""Generated clips of balls in a box: interaction, occlusion, two layers, two dense layers, with the
published physics and its constants.

A box of 64 x 64, ten steps a frame; in each step a ball that would leave the box turns round, and balls of a
layer that would overlap exchange their velocities along the line between their centres (equal masses).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from motes.data.base import Split
from motes.data.truth_from_masks import boxes_of, seen_of
from motes.data.worlds.collisions import bounce, collide
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, normalised
from motes.errors import UserError
from motes.types.truth import Truth

# of the box; a frame; a frame
SIDE = 64.0
SPEED = 3.0
STEPS = 10
CLIPS = 128  # simulated at once; no pixel depends on it
BLUE = (0, 0, 255)
RED = (255, 0, 0)
YELLOW = (255, 255, 0)
FUCHSIA = (255, 0, 255)
AQUA = (0, 255, 255)
COLOURS = np.array([BLUE, RED, YELLOW, FUCHSIA, AQUA], np.uint8)


@dataclass(frozen=True)
class Rules:
    """A published set: layers of so many balls, a later layer in front."""

    layers: tuple[int, ...]
    radius: float
    # within a layer; if not, they may overlap from the start
    collide: bool = True
    colours: Literal["any", "different", "layer"] = "any"


RECIPES = {
    "interaction": Rules((3,), 8.0),
    "occlusion": Rules((3,), 8.0, False, "different"),
    "two_layer": Rules((3, 3), 8.0, colours="layer"),
    "two_layer_dense": Rules((8, 8), 5.0, colours="layer"),
}


@dataclass(frozen=True)
class BallsConfig:
    """Balls start anywhere in the box, in any direction, at three pixels a frame (of 64 pixels)."""

    # rows, columns: a square
    image_size: tuple[int, int] = (64, 64)
    # 1: grey
    channels: int = 3
    # training clips
    count: int = 5000
    # clips of the validation split, and of the test split
    held_out: int = 200
    # who hits whom, how many, what colours
    recipe: Literal["interaction", "occlusion", "two_layer", "two_layer_dense"] = "interaction"
    # of a clip
    frames: int = 100
    # another seed, other pictures
    seed: int = 0


class Balls(Generated):
    """Row // frames is the clip. A ball of a higher number is in front."""

    Config = BallsConfig

    def __init__(self, config: BallsConfig, split: Split = "train"):
        super().__init__(config, split)
        if config.image_size[0] != config.image_size[1]:
            raise UserError(f"the box of balls is a square; image_size {config.image_size} is not")
        if config.frames < 1:
            raise UserError(f"frames must be at least 1, not {config.frames}")
        self.rules = RECIPES[config.recipe]
        self._layer = np.repeat(np.arange(len(self.rules.layers)), self.rules.layers)
        self._paths: dict[int, np.ndarray] = {}

    def truth(self, rows: Sequence[int]) -> Truth:
        asked = self._checked(rows)
        places, speeds = self._moments(asked)
        scale = self.config.image_size[0] / SIDE
        balls = len(self._layer)
        whole = np.stack(
            [self._distance(places[:, n] * scale) <= self.rules.radius * scale for n in range(balls)], 1
        )
        seen = seen_of(whole)
        each = torch.ones(len(asked), balls)
        return Truth(
            present=torch.from_numpy(seen.any((2, 3))),
            centres=torch.from_numpy(normalised(places * scale - 0.5, self.config.image_size)),
            boxes=torch.from_numpy(boxes_of(seen)),
            masks=torch.from_numpy(seen),
            whole=torch.from_numpy(whole),
            factors={
                "velocity": torch.from_numpy(speeds * np.float32(scale)),  # pixels a frame
                "size": each * (self.rules.radius * scale),  # pixels
                "colour": torch.from_numpy(self._colours(self._ball_colours(asked))),
                "layer": torch.from_numpy(self._layer).expand(len(asked), -1),
                "depth": torch.arange(balls - 1.0, -1.0, -1.0).expand(len(asked), -1),
            },
        )

    def _paint(self, rows: np.ndarray) -> np.ndarray:
        places, _ = self._moments(rows)
        scale = self.config.image_size[0] / SIDE
        radius = self.rules.radius * scale
        margin = int(np.ceil(radius)) + 2  # no window leaves a canvas so much larger
        side = self.config.image_size[0] + 2 * margin
        canvas = np.zeros((len(rows), side, side, 3), np.float32)
        colours = self._ball_colours(rows).astype(np.float32)
        window = np.arange(2 * margin)
        frame = np.arange(len(rows))[:, None, None]
        for n in range(places.shape[1]):
            middle = places[:, n] * np.float32(scale)
            corner = np.floor(middle).astype(np.int64) - margin
            row, column = (corner[:, axis, None] + window for axis in (0, 1))
            cover = np.clip(
                radius + np.float32(0.5) - _length(row + 0.5 - middle[:, :1], column + 0.5 - middle[:, 1:]),
                0,
                1,
            )[..., None]
            place = frame, row[:, :, None] + margin, column[:, None, :] + margin
            canvas[place] += (colours[:, n, None, None] - canvas[place]) * cover.astype(np.float32)
        return np.floor(canvas[:, margin:-margin, margin:-margin] + 0.5).astype(np.uint8)

    def _distance(self, middle: np.ndarray) -> np.ndarray:
        steps = np.arange(self.config.image_size[0]) + 0.5
        return _length(steps - middle[:, :1], steps - middle[:, 1:])

    def _moments(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places and velocities in the box, B N 2 each."""
        clips = rows // self.frames
        times = rows % self.frames
        for number in np.unique(clips // CLIPS).tolist():
            if number not in self._paths:
                most = len(self) // self.frames
                self._paths[number] = self._simulated(
                    self._dice(range(number * CLIPS, min((number + 1) * CLIPS, most)))
                )
        moments = zip(clips.tolist(), times.tolist(), strict=True)
        both = np.stack([self._paths[clip // CLIPS][:, clip % CLIPS, time] for clip, time in moments], 1)
        return both[0], both[1]

    def _ball_colours(self, rows: np.ndarray) -> np.ndarray:
        dice = self._dice(rows // self.frames)
        balls = len(self._layer)
        if self.rules.colours == "layer":
            return np.broadcast_to(COLOURS[self._layer], (len(rows), balls, 3))
        if self.rules.colours == "different":
            return COLOURS[dice.orders("colour", len(COLOURS))[:, :balls]]
        return COLOURS[dice.integers("colour", 0, len(COLOURS) - 1, balls)]

    def _simulated(self, dice: Dice) -> np.ndarray:
        """Places and velocities, float32: 2 B T N 2."""
        place = self._start(dice)
        pairs = self._pairs()
        velocity = SPEED * dice.directions("way", len(self._layer))
        radius = np.full(len(self._layer), self.rules.radius)
        mass = np.ones(len(self._layer))
        paths = np.empty((2, len(dice), self.frames, len(self._layer), 2), np.float32)
        for time in range(self.frames):
            paths[0, :, time] = place
            paths[1, :, time] = velocity
            for _ in range(STEPS if time + 1 < self.frames else 0):
                bounce(place + velocity / STEPS, velocity, radius, SIDE)
                collide(place + velocity / STEPS, velocity, radius, mass, pairs)
                place = place + velocity / STEPS
        return paths

    def _start(self, dice: Dice) -> np.ndarray:
        """One ball after another, each thrown until it overlaps none of its layer."""
        place = np.zeros((len(dice), len(self._layer), 2))
        for n in range(len(self._layer)):
            earlier = np.array([i for i, j in self._pairs().tolist() if j == n], np.int64)
            open_ = np.arange(len(dice))
            attempt = 0
            while len(open_):
                low = self.rules.radius
                high = SIDE - self.rules.radius
                place[open_, n] = dice.of(open_).between(f"start {n} {attempt}", low, high, 2)
                gap = place[open_, n, None] - place[open_][:, earlier]
                near = gap[..., 0] * gap[..., 0] + gap[..., 1] * gap[..., 1] < (2 * self.rules.radius) ** 2
                open_ = open_[near.any(1)]
                attempt = attempt + 1
        return place

    def _pairs(self) -> np.ndarray:
        """P 2: which may hit each other."""
        of = self._layer.tolist()
        found = [
            (i, j)
            for i in range(len(of))
            for j in range(i + 1, len(of))
            if of[i] == of[j] and self.rules.collide
        ]
        return np.array(found, np.int64).reshape(-1, 2)


def _length(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Of all pairs of a row's and a column's distance: B R C."""
    return np.sqrt((rows * rows)[:, :, None] + (columns * columns)[:, None, :])
