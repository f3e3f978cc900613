"""A random texture for each picture: two colours mixed by clouds, stripes, checks or grain."""

import numpy as np

from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import to_bytes
from motes.data.worlds.portable import Array

# of the clouds' octaves, a side
CELLS = (3, 7, 15)


def random_textures(dice: Dice, size: tuple[int, int]) -> Array:
    """A random texture for each row: uint8, B H W 3."""
    colours = dice.uniform("texture colours", 2, 3)
    first = colours[:, 0, None, None]
    second = colours[:, 1, None, None]
    return to_bytes(first + (second - first) * _shares(dice, size)[..., None])


def _shares(dice: Dice, size: tuple[int, int]) -> Array:
    """How much of the second colour each pixel has: B H W, 0 to 1."""
    cloudy = clouds(dice, size)
    forward, across = _bent_axes(dice, size, cloudy)
    grain = dice.uniform("texture grain", *size)
    kind = dice.integers("texture kind", 0, 3)[:, None, None]
    checks = np.where((np.floor(forward) + np.floor(across)) % 2 == 0, 0.8, 0.2)
    rough = 0.6 * cloudy + 0.4 * grain
    share = np.select([kind == 0, kind == 1, kind == 2], [cloudy, _wave(forward), checks], rough)
    return 0.94 * share + 0.06 * grain


def _bent_axes(dice: Dice, size: tuple[int, int], cloudy: Array) -> tuple[Array, Array]:
    """Coordinates of each pixel along a random direction and across it, in waves; B H W each.

    Clouds bend them.
    """
    rows, columns = (np.arange(side) / min(size) for side in size)
    waves = dice.between("texture waves", 3.0, 9.0)[:, None, None, None]
    direction = dice.directions("texture way")[:, :, None, None] * waves
    bend = cloudy * dice.between("texture bend", 0.0, 1.5)[:, None, None]
    shift = dice.uniform("texture shift", 2)[:, :, None, None]
    forward = direction[:, 0] * rows[:, None] + direction[:, 1] * columns + bend + shift[:, 0]
    across = direction[:, 0] * columns - direction[:, 1] * rows[:, None] + bend + shift[:, 1]
    return forward, across


def _wave(position: Array) -> Array:
    """A round wave of period 1 in [0, 1], made of two parabolas."""
    phase = position - np.floor(position)
    half = 2 * phase - np.floor(2 * phase)
    bow = 2 * half * (1 - half)
    return np.where(phase < 0.5, 0.5 + bow, 0.5 - bow)


def clouds(dice: Dice, size: tuple[int, int]) -> Array:
    """Clouds for each row, B H W, about 0 to 1: a sum of smoothly enlarged random values, the finer the
    weaker."""
    total = np.zeros((len(dice), *size))
    weights = 0.5 ** np.arange(len(CELLS))
    for cells, weight in zip(CELLS, weights.tolist(), strict=True):
        grid = dice.uniform(f"texture cells {cells}", cells + 1, cells + 1)
        total += weight * _enlarged(_enlarged(grid, size[0], 1), size[1], 2)
    mean = total / float(weights.sum())
    return np.clip(0.5 + 1.6 * (mean - 0.5), 0, 1)


def _enlarged(grid: Array, side: int, axis: int) -> Array:
    """The grid's values at `side` pixels along an axis, interpolated smoothly."""
    position = (np.arange(side) + 0.5) / side * (grid.shape[axis] - 1)
    low = np.minimum(position.astype(int), grid.shape[axis] - 2)
    share = position - low
    share = (share * share * (3 - 2 * share)).reshape(-1, *[1] * (2 - axis))
    return np.take(grid, low, axis) * (1 - share) + np.take(grid, low + 1, axis) * share
