"""Pictures as cameras and files leave them: blurred, noisy, and coarse where few bytes are kept."""

import numpy as np

from motes.data.worlds.dice import Dice
from motes.data.worlds.portable import Array

# passes of a small blur, at most
BLURS = 3
NOISE = 0.05
# the coarsest step of the coefficients of an 8 x 8 square, of 255
COARSE = 40.0


def spoiled(dice: Dice, pixels: Array, grain: Dice | None = None) -> Array:
    """The pictures (uint8, B C H W) blurred, noisy, and as if stored in few bytes.

    `grain` draws the noise itself, by default from the same keys as its strength: frames of a clip are spoiled alike,
    but no two have the same noise.
    """
    grain = grain or dice
    picture = pixels.astype(np.float64)
    for number in range(BLURS):
        is_blurred = dice.uniform(f"blur {number}", 1, 1, 1) < 0.35
        picture = np.where(is_blurred, _blurred(picture), picture)
    deviation = dice.between("noise", 0.0, NOISE)[:, None, None, None] * 255
    # a sum of three uniform numbers is nearly normal, with a deviation of 1/2
    bell = sum(grain.uniform(f"noise {number}", *pixels.shape[1:]) for number in range(3)) - 1.5
    picture = picture + 2 * deviation * bell
    step = dice.between("coarse", 0.0, COARSE)[:, None, None, None]
    return np.clip(np.floor(_coarse(picture, step) + 0.5), 0, 255).astype(np.uint8)


def _blurred(picture: Array) -> Array:
    """Each pixel with half of itself and a quarter of each neighbour, along rows and along columns."""
    for axis in (2, 3):
        length = picture.shape[axis]
        before = np.take(picture, [0, *range(length - 1)], axis)
        after = np.take(picture, [*range(1, length), length - 1], axis)
        picture = picture / 2 + (before + after) / 4
    return picture


def _coarse(picture: Array, step: Array) -> Array:
    """The picture with the coefficients of each 8 x 8 square in multiples of the step; its mean stays."""
    height, width = picture.shape[2] // 8 * 8, picture.shape[3] // 8 * 8
    squares = picture[:, :, :height, :width].reshape(*picture.shape[:2], height // 8, 8, width // 8, 8)
    coefficients = _walsh(_walsh(squares, 3), 5) / 8
    size = np.maximum(step[..., None, None], 1e-3)
    rounded = np.floor(coefficients / size + 0.5) * size
    rounded[:, :, :, 0, :, 0] = coefficients[:, :, :, 0, :, 0]
    back = _walsh(_walsh(rounded, 3), 5) / 8
    coarse = picture.copy()
    coarse[:, :, :height, :width] = back.reshape(*picture.shape[:2], height, width)
    return coarse


def _walsh(values: Array, axis: int) -> Array:
    """The Walsh-Hadamard transform along an axis of 8, by sums and differences."""
    for stride in (1, 2, 4):
        first = [number for number in range(8) if not number & stride]
        a = np.take(values, first, axis)
        b = np.take(values, [number + stride for number in first], axis)
        joined = np.concatenate([a + b, a - b], axis)
        # back in the order of the numbers
        order = np.argsort([*first, *(number + stride for number in first)])
        values = np.take(joined, order, axis)
    return values
