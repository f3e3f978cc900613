"""A random texture for each picture: two colours mixed by clouds, stripes, checks or grain."""

import numpy as np

from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import to_bytes

CELLS = (3, 7, 15)  # of the clouds' octaves, a side


def textures(dice: Dice, size: tuple[int, int]) -> np.ndarray:
    """uint8, B H W 3."""
    cloudy = clouds(dice, size)
    rows, columns = (np.arange(side) / min(size) for side in size)
    way = (
        dice.directions("texture way")[:, :, None, None]
        * dice.between("texture waves", 3.0, 9.0)[:, None, None, None]
    )
    bend = cloudy * dice.between("texture bend", 0.0, 1.5)[:, None, None]
    shift = dice.uniform("texture shift", 2)[:, :, None, None]
    along = way[:, 0] * rows[:, None] + way[:, 1] * columns + bend + shift[:, 0]
    across = way[:, 0] * columns - way[:, 1] * rows[:, None] + bend + shift[:, 1]
    grain = dice.uniform("texture grain", *size)
    kind = dice.integers("texture kind", 0, 3)[:, None, None]
    checks = np.where((np.floor(along) + np.floor(across)) % 2 == 0, 0.8, 0.2)
    part = np.select(
        [kind == 0, kind == 1, kind == 2], [cloudy, _wave(along), checks], 0.6 * cloudy + 0.4 * grain
    )
    part = 0.94 * part + 0.06 * grain
    colours = dice.uniform("texture colours", 2, 3)
    first = colours[:, 0, None, None]
    second = colours[:, 1, None, None]
    return to_bytes(first + (second - first) * part[..., None])


def _wave(phase: np.ndarray) -> np.ndarray:
    """A round wave of period 1 in [0, 1], made of two parabolas."""
    place = phase - np.floor(phase)
    half = 2 * place - np.floor(2 * place)
    bow = 2 * half * (1 - half)
    return np.where(place < 0.5, 0.5 + bow, 0.5 - bow)


def clouds(dice: Dice, size: tuple[int, int]) -> np.ndarray:
    """B H W, about 0 to 1: octaves of random values, smoothly enlarged, the finer the weaker."""
    total = np.zeros((len(dice), *size))
    weights = 0.5 ** np.arange(len(CELLS))
    for cells, weight in zip(CELLS, weights.tolist(), strict=True):
        grid = dice.uniform(f"texture cells {cells}", cells + 1, cells + 1)
        total += weight * _enlarged(_enlarged(grid, size[0], 1), size[1], 2)
    spread = total / float(weights.sum())
    return np.clip(0.5 + 1.6 * (spread - 0.5), 0, 1)


def _enlarged(grid: np.ndarray, side: int, axis: int) -> np.ndarray:
    at = (np.arange(side) + 0.5) / side * (grid.shape[axis] - 1)
    low = np.minimum(at.astype(int), grid.shape[axis] - 2)
    part = at - low
    part = (part * part * (3 - 2 * part)).reshape(-1, *[1] * (2 - axis))
    return np.take(grid, low, axis) * (1 - part) + np.take(grid, low + 1, axis) * part
