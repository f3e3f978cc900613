"""Where every point of a picture lies in a generated street; rows and columns are in units of picture
heights."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.dice import Dice
from motes.data.worlds.portable import Array


@dataclass(frozen=True)
class StreetView:
    """The camera, kerbs and sun of pictures, and the positions of their points; numbers of a picture are B
    1 1."""

    # h 1: 0 is the upper edge, 1 the lower
    row: Array
    # w: 0 is the middle
    column: Array
    horizon: Array
    # column of the vanishing point
    vanish: Array
    # B 1 w: columns from the vanishing point, however many; few are far away
    offset: Array
    # B 1 w: 0 left of it, 1 right
    side: Array
    # B 2: how fast the foot of each side's houses comes down
    slope: Array
    # B 2: light on each side
    light: Array

    @property
    def sky(self) -> Array:
        """Whether a point is above the horizon, B h 1."""
        return self.row < self.horizon

    @property
    def picture(self) -> Array:
        """The index of each picture in the batch, B 1 1."""
        return np.arange(len(self.slope))[:, None, None]


def street_view(dice: Dice, size: tuple[int, int]) -> StreetView:
    """Draw the camera, kerbs and sun of each picture at random; `size` is the number of points in a
    picture."""
    column = (np.arange(size[1]) + 0.5 - size[1] / 2) / size[0]
    horizon = per_picture(dice.between("horizon", 0.42, 0.56))
    vanish = per_picture(dice.between("vanishing point", -0.3, 0.3))
    sun_on_left = dice.uniform("sun")[:, None] < 0.5
    across = column - vanish
    return StreetView(
        row=(np.arange(size[0]) + 0.5)[:, None] / size[0],
        column=column,
        horizon=horizon,
        vanish=vanish,
        offset=np.maximum(np.abs(across), 0.01),
        side=(across > 0).astype(np.int64),
        slope=dice.between("kerbs", 0.3, 0.55, 2),
        light=np.where(sun_on_left, np.array([1.05, 0.72]), np.array([0.72, 1.05])),
    )


def per_picture(values: Array) -> Array:
    """Numbers of pictures, B, in a shape that broadcasts to points B h w."""
    return values[:, None, None]
