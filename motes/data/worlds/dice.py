"""Random numbers that belong to a row: the same in any order, on any machine, with any version of NumPy.

A hash of (seed, split, row, name, place in the array), by integer arithmetic alone. No two rows of the same
seed share a key, and no two splits: a row's number and its split's go into one integer, which is multiplied
by an odd number and mixed, and both can be undone. What is made of the numbers keeps to + - * / and square
roots, which IEEE 754 rounds in one way only; sums of many, sines and powers are not used where pixels depend
on them, since their last bits differ between machines.
"""

import math
import zlib
from collections.abc import Sequence

import numpy as np

from motes.data.base import SPLITS, Split
from motes.errors import UserError

_STEP = np.uint64(0x9E3779B97F4A7C15)  # odd: 2^64 over the golden ratio
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


class Dice:
    """One key a row; every draw is named, so that adding one changes no other."""

    def __init__(self, keys: np.ndarray):
        self._keys = keys

    @classmethod
    def of_rows(cls, seed: int, split: Split, rows: Sequence[int] | np.ndarray) -> "Dice":
        if not 0 <= seed < 2**63:
            raise UserError(f"seed must be a whole number from 0 up, not {seed}")
        place = np.asarray(rows, np.uint64) * np.uint64(len(SPLITS)) + np.uint64(SPLITS.index(split) + 1)
        return cls(_mixed(_mixed(np.array([seed], np.uint64)) + place * _STEP))

    def __len__(self) -> int:
        return len(self._keys)

    def of(self, which: np.ndarray) -> "Dice":
        """Those of some of the rows: by a mask or by places."""
        return Dice(self._keys[which])

    def uniform(self, name: str, *shape: int) -> np.ndarray:
        """float64 in [0, 1), B *shape."""
        own = _mixed(
            self._keys + np.array([zlib.crc32(name.encode()) + 1], np.uint64) * _STEP
        )  # arrays wrap round without a warning
        count = np.arange(1, math.prod(shape) + 1, dtype=np.uint64)
        bits = _mixed(own[:, None] + count * _STEP)
        return ((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(len(self), *shape)

    def between(self, name: str, low: float, high: float, *shape: int) -> np.ndarray:
        return low + (high - low) * self.uniform(name, *shape)

    def integers(self, name: str, low: int, high: int, *shape: int) -> np.ndarray:
        """int64 from low to high, both included."""
        return low + np.floor(self.uniform(name, *shape) * (high - low + 1)).astype(np.int64)

    def orders(self, name: str, count: int) -> np.ndarray:
        """int64, B count: a permutation a row."""
        return np.argsort(self.uniform(name, count), axis=1, kind="stable")

    def directions(self, name: str, *shape: int) -> np.ndarray:
        """float64, B *shape 2: unit vectors, without a sine: the first of some points of a square that lies
        in its disc."""
        points = 2 * self.uniform(name, *shape, 12, 2) - 1  # all twelve miss the disc once in 10^8
        square = points[..., 0] * points[..., 0] + points[..., 1] * points[..., 1]
        first = ((square <= 1) & (square > 1e-4)).argmax(-1)[..., None]
        chosen = np.take_along_axis(points, first[..., None], -2)[..., 0, :]
        return chosen / np.sqrt(np.take_along_axis(square, first, -1))


def _mixed(bits: np.ndarray) -> np.ndarray:
    """Every bit of the result depends on every bit given; one to one (the finaliser of splitmix64)."""
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))
