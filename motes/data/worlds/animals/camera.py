"""The camera that looks at an animal, from above or from the side, without perspective."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.dice import Dice
from motes.data.worlds.portable import PI, Array, cosine, sine

# degrees above the ground
ELEVATIONS = {"above": (55.0, 90.0), "side": (4.0, 30.0)}
# the length of a back, as a share of the picture's side
SIZES = (0.28, 0.46)
# off the middle, as a share of the picture's side, and degrees in the plane of the picture
SHIFT = 0.1
ROLL = 8.0


@dataclass(frozen=True)
class AnimalCamera:
    """How points of the world come to be in the picture; B each, angles as their sine and cosine."""

    # pixels of a length of 1
    scale: Array
    # of the origin, in pixels
    row: Array
    column: Array
    elevation: tuple[Array, Array]
    roll: tuple[Array, Array]

    def turned(self, vector: Array) -> Array:
        """Directions, B J 3, as (down, right, towards the viewer)."""
        sine_up, cosine_up = (part[:, None] for part in self.elevation)
        sine_roll, cosine_roll = (part[:, None] for part in self.roll)
        x, y, z = np.moveaxis(vector, -1, 0)
        up = y * sine_up + z * cosine_up
        near = z * sine_up - y * cosine_up
        return np.stack([x * sine_roll - up * cosine_roll, x * cosine_roll + up * sine_roll, near], -1)

    def pixels(self, points: Array) -> Array:
        """Points, B J 3, as (row, column, nearness) in pixels."""
        origin = np.stack([self.row, self.column, 0 * self.row], -1)
        return origin[:, None] + self.turned(points) * self.scale[:, None, None]

    def on_ground(self, size: tuple[int, int]) -> tuple[Array, Array]:
        """Where on the ground, x and y, each pixel's line of sight ends: B H W each."""
        rows, columns = (np.arange(side, dtype=np.float64) for side in size)
        scale, row, column = (part[:, None, None] for part in (self.scale, self.row, self.column))
        down = (rows[:, None] - row) / scale
        right = (columns - column) / scale
        sine_roll, cosine_roll = (part[:, None, None] for part in self.roll)
        up = right * sine_roll - down * cosine_roll
        return right * cosine_roll + down * sine_roll, up / self.elevation[0][:, None, None]


def cameras(dice: Dice, view: str, size: tuple[int, int]) -> AnimalCamera:
    side = min(size)
    elevation = dice.between("elevation", *ELEVATIONS[view]) * PI / 180
    roll = dice.bell("roll", -ROLL, ROLL) * PI / 180
    shift = dice.bell("shift", -SHIFT, SHIFT, 2) * side
    return AnimalCamera(
        dice.bell("size", *SIZES) * side,
        (size[0] - 1) / 2 + shift[:, 0],
        (size[1] - 1) / 2 + shift[:, 1],
        (sine(elevation), cosine(elevation)),
        (sine(roll), cosine(roll)),
    )
