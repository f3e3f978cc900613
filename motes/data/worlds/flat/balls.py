"""Generated clips of balls in a box, with the physics and the constants of the published sets.

There are four sets: balls that collide, balls that pass in front of each other, and two layers of balls, with
few or many in a layer.

The box is 64 x 64, and each frame has ten steps. In each step a ball that would leave the box turns round,
and balls of one layer that would overlap exchange their velocities along the line between their centres
(equal masses).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import torch

from motes.data.base import Split
from motes.data.worlds.collisions import bounce, collide
from motes.data.worlds.dice import Dice
from motes.data.worlds.flat.disc_drawing import painted_discs, truth_of_discs
from motes.data.worlds.generated import Generated
from motes.data.worlds.portable import Array
from motes.errors import UserError
from motes.types.truth import Truth

# of the box, in the published pixels
SIDE = 64.0
# pixels a frame
SPEED = 3.0
# steps of the simulation a frame
STEPS = 10
# simulated at once; no pixel depends on it
CLIPS = 128
BLUE = (0, 0, 255)
RED = (255, 0, 0)
YELLOW = (255, 255, 0)
FUCHSIA = (255, 0, 255)
AQUA = (0, 255, 255)
COLOURS = np.array([BLUE, RED, YELLOW, FUCHSIA, AQUA], np.uint8)


@dataclass(frozen=True)
class Rules:
    """The rules of a published set. `layers` is the number of balls in each layer; later layers lie in
    front."""

    layers: tuple[int, ...]
    radius: float
    # whether balls of a layer collide; if not, they may overlap from the start
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
    # 1: grey, 3: colours
    channels: int = 3
    # training clips
    count: int = 5000
    # clips of the validation split, and of the test split
    held_out: int = 200
    # the published set: it decides which balls collide, their number and their colours
    recipe: Literal["interaction", "occlusion", "two_layer", "two_layer_dense"] = "interaction"
    # frames of a clip
    frames: int = 100
    # another seed gives other pictures
    seed: int = 0


class Balls(Generated):
    """Clips of balls; row // frames is the number of the clip. A ball with a higher number is in front.

    `collisions` are those since the frame before.
    """

    Config = BallsConfig

    def __init__(self, config: BallsConfig, split: Split = "train"):
        super().__init__(config, split)
        if config.image_size[0] != config.image_size[1]:
            raise UserError(f"the box of balls is a square; image_size {config.image_size} is not")
        if config.frames < 1:
            raise UserError(f"frames must be at least 1, not {config.frames}")
        self.rules = RECIPES[config.recipe]
        self._layer = np.repeat(np.arange(len(self.rules.layers)), self.rules.layers)
        self._paths: dict[int, tuple[Array, Array]] = {}

    def simulated(self, position: Array, velocity: Array, frames: int) -> Array:
        """The places in the next frames, B frames N 2, of balls at these places, B N 2.

        Places are in pixels of the picture, velocities in pixels a frame.
        """
        place = (position.astype(np.float64) + 0.5) / self._scale
        speed = velocity.astype(np.float64) / self._scale
        places = np.empty((len(place), frames, *place.shape[1:]))
        for frame in range(frames):
            place = self._after_frame(place, speed)
            places[:, frame] = place
        return places * self._scale - 0.5

    def truth(self, rows: Sequence[int]) -> Truth:
        numbers = self._checked(rows)
        positions, velocities, hits = self._moments(numbers)
        return truth_of_discs(
            positions * self._scale,
            self._radii,
            self.config.image_size,
            self._factors(numbers, velocities),
            {"collisions": torch.from_numpy(hits)},
        )

    @property
    def _scale(self) -> float:
        """The number of pixels of the picture per pixel of the published pictures."""
        return self.config.image_size[0] / SIDE

    def _factors(self, rows: Array, velocities: Array) -> dict[str, torch.Tensor]:
        """For each ball its velocity in pixels per frame, size in pixels, colour, layer and depth."""
        shape = (len(rows), len(self._layer))
        radius = self.rules.radius * self._scale
        return {
            "velocity": torch.from_numpy(velocities * np.float32(self._scale)),
            "size": torch.ones(shape) * radius,
            "colour": torch.from_numpy(self._colours(self._ball_colours(rows))),
            "layer": torch.from_numpy(self._layer).expand(shape),
            "depth": torch.arange(shape[1] - 1.0, -1.0, -1.0).expand(shape),
        }

    def _paint(self, rows: Array) -> Array:
        positions, _, _ = self._moments(rows)
        colours = self._ball_colours(rows).astype(np.float32)
        middles = positions * np.float32(self._scale)
        return painted_discs(middles, self._radii, colours, self.config.image_size[0])

    @property
    def _radii(self) -> list[float]:
        """In pixels of the picture."""
        return [self.rules.radius * self._scale] * len(self._layer)

    def _moments(self, rows: Array) -> tuple[Array, Array, Array]:
        """The positions and velocities of the balls in these rows, in units of the box, B N 2 each, and which
        balls have hit each other since the frame before, B N N."""
        moments = zip((rows // self.frames).tolist(), (rows % self.frames).tolist(), strict=True)
        blocks = [(*self._paths_near(clip), clip % CLIPS, time) for clip, time in moments]
        positions, velocities = np.stack([paths[:, clip, time] for paths, _, clip, time in blocks], 1)
        return positions, velocities, np.stack([hits[clip, time] for _, hits, clip, time in blocks])

    def _paths_near(self, clip: int) -> tuple[Array, Array]:
        """The paths and hits of the clips that are simulated together with this one."""
        number = clip // CLIPS
        if number not in self._paths:
            end = min((number + 1) * CLIPS, len(self) // self.frames)
            self._paths[number] = self._simulated(self._dice(range(number * CLIPS, end)))
        return self._paths[number]

    def _ball_colours(self, rows: Array) -> Array:
        """The colour of each ball, uint8, B N 3."""
        return CHOICES[self.rules.colours](self._dice(rows // self.frames), self._layer)

    def _simulated(self, dice: Dice) -> tuple[Array, Array]:
        """The positions and velocities of all balls in all frames, float32: 2 B T N 2, and the hits, B T N N."""
        balls = len(self._layer)
        position = self._start(dice)
        velocity = SPEED * dice.directions("way", balls)
        paths = np.empty((2, len(dice), self.frames, balls, 2), np.float32)
        hits = np.zeros((len(dice), self.frames, balls, balls), bool)
        for time in range(self.frames):
            paths[0, :, time] = position
            paths[1, :, time] = velocity
            if time + 1 < self.frames:
                position = self._after_frame(position, velocity, hits[:, time + 1])
        return paths, hits

    def _after_frame(self, position: Array, velocity: Array, hits: Array | None = None) -> Array:
        """The positions one frame later; `velocity` changes, and balls that meet are marked in `hits`."""
        pairs = self._pairs()
        radius = np.full(len(self._layer), self.rules.radius)
        mass = np.ones(len(self._layer))
        for _ in range(STEPS):
            bounce(position + velocity / STEPS, velocity, radius, SIDE)
            collide(position + velocity / STEPS, velocity, radius, mass, pairs, hits)
            position = position + velocity / STEPS
        return position

    def _start(self, dice: Dice) -> Array:
        """Positions at the start, B N 2. The balls are placed one after another, each drawn again until it
        overlaps no other of its layer."""
        position = np.zeros((len(dice), len(self._layer), 2))
        for n in range(len(self._layer)):
            earlier = np.array([i for i, j in self._pairs().tolist() if j == n], np.int64)
            clips = np.arange(len(dice))
            attempt = 0
            while len(clips):
                position[clips, n] = self._anywhere(dice.of(clips), f"start {n} {attempt}")
                clips = clips[self._overlaps(position[clips, n], position[clips][:, earlier])]
                attempt = attempt + 1
        return position

    def _anywhere(self, dice: Dice, name: str) -> Array:
        """A random position inside the box for one ball of each clip, B 2."""
        return dice.between(name, self.rules.radius, SIDE - self.rules.radius, 2)

    def _overlaps(self, position: Array, placed: Array) -> Array:
        """Whether one ball of each clip, at C 2, overlaps any ball already placed, at C M 2."""
        gap = position[:, None] - placed
        square = gap[..., 0] * gap[..., 0] + gap[..., 1] * gap[..., 1]
        return np.any(square < (2 * self.rules.radius) ** 2, 1)

    def _pairs(self) -> Array:
        """The pairs of balls that may hit each other, P 2."""
        layer = self._layer.tolist()
        pairs = combinations(range(len(layer)), 2) if self.rules.collide else ()
        of_one_layer = [(i, j) for i, j in pairs if layer[i] == layer[j]]
        return np.array(of_one_layer, np.int64).reshape(-1, 2)


def _any_colours(dice: Dice, layer: Array) -> Array:
    return COLOURS[dice.integers("colour", 0, len(COLOURS) - 1, len(layer))]


def _different_colours(dice: Dice, layer: Array) -> Array:
    return COLOURS[dice.orders("colour", len(COLOURS))[:, : len(layer)]]


def _colours_of_layers(dice: Dice, layer: Array) -> Array:
    return np.broadcast_to(COLOURS[layer], (len(dice), len(layer), 3))


# rule -> colours of the balls of each picture, uint8, B N 3
CHOICES: dict[str, Callable[[Dice, Array], Array]] = {
    "any": _any_colours,
    "different": _different_colours,
    "layer": _colours_of_layers,
}
