"""Random numbers that belong to a row: the same in any order, on any machine, with any version of NumPy.

They are a hash of (seed, split, row, name, index in the array), by integer arithmetic alone. No two rows of
the same seed share a key, whatever their splits: the numbers of row and split go into one integer, which is
multiplied by an odd number and mixed, and both steps can be undone. The numbers then go through + - * / and
square roots only, which IEEE 754 rounds in one way; sums of many, sines and powers are not used where pixels
depend on them, since their last bits differ between machines.
"""

import math
import zlib
from collections.abc import Sequence

import numpy as np

from motes.data.base import SPLITS, Split
from motes.data.worlds.portable import Array
from motes.errors import UserError

# odd: 2^64 over the golden ratio
_STEP = np.uint64(0x9E3779B97F4A7C15)
# multipliers of splitmix64
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


class Dice:
    """Random numbers for B rows, from one key per row. Each draw has a name, so that adding a draw changes
    no other."""

    def __init__(self, keys: Array):
        self._keys = keys

    @classmethod
    def of_rows(cls, seed: int, split: Split, rows: Sequence[int] | Array) -> "Dice":
        if not 0 <= seed < 2**63:
            raise UserError(f"seed must be a whole number from 0 up, not {seed}")
        number = np.asarray(rows, np.uint64) * np.uint64(len(SPLITS)) + np.uint64(SPLITS.index(split) + 1)
        return cls(_mixed(_mixed(np.array([seed], np.uint64)) + number * _STEP))

    def __len__(self) -> int:
        return len(self._keys)

    def of(self, index: Array) -> "Dice":
        """The dice of some of the rows, by a mask or by indices."""
        return Dice(self._keys[index])

    def uniform(self, name: str, *shape: int) -> Array:
        """Uniform numbers in [0, 1), float64, B *shape."""
        # an array of one, since arrays wrap round without a warning
        number = np.array([zlib.crc32(name.encode()) + 1], np.uint64)
        keys = _mixed(self._keys + number * _STEP)
        count = np.arange(1, math.prod(shape) + 1, dtype=np.uint64)
        bits = _mixed(keys[:, None] + count * _STEP)
        return ((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(len(self), *shape)

    def between(self, name: str, low: float, high: float, *shape: int) -> Array:
        """Uniform numbers in [low, high), float64, B *shape."""
        return low + (high - low) * self.uniform(name, *shape)

    def bell(self, name: str, low: float, high: float, *shape: int) -> Array:
        """Numbers from low to high, of which the middle is likelier than the ends; float64, B *shape."""
        return low + (high - low) * self.uniform(name, *shape, 2).mean(-1)

    def integers(self, name: str, low: int, high: int, *shape: int) -> Array:
        """Whole numbers from low to high, both included; int64, B *shape."""
        return low + np.floor(self.uniform(name, *shape) * (high - low + 1)).astype(np.int64)

    def orders(self, name: str, count: int) -> Array:
        """A random permutation of `count` numbers for each row: int64, B count."""
        return np.argsort(self.uniform(name, count), axis=1, kind="stable")

    def directions(self, name: str, *shape: int) -> Array:
        """Random unit vectors, float64, B *shape 2, drawn without a sine.

        Twelve points are drawn in a square; the vector points to the first of them that lies in the disc
        within it.
        """
        # all twelve miss the disc once in 10^8
        points = 2 * self.uniform(name, *shape, 12, 2) - 1
        square = points[..., 0] * points[..., 0] + points[..., 1] * points[..., 1]
        first = ((square <= 1) & (square > 1e-4)).argmax(-1)[..., None]
        chosen = np.take_along_axis(points, first[..., None], -2)[..., 0, :]
        return chosen / np.sqrt(np.take_along_axis(square, first, -1))


def _mixed(bits: Array) -> Array:
    """Mix 64 bits one to one (the finaliser of splitmix64): each bit of the result depends on all of the
    input."""
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))
