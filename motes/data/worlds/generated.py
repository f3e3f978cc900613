"""Generated, the base class of generated worlds: each row is a function of (seed, split, row), drawn when
first read and then cached."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motes.data.base import Dataset, Split
from motes.data.worlds.dice import Dice
from motes.data.worlds.portable import Array
from motes.errors import UserError
from motes.plain.cache import Cache

# bytes of pictures in memory
ROOM = 1 << 30


class Generated(Dataset):
    """A world whose rows are drawn from random numbers of their own, so that splits cannot overlap
    (`dice.py`).

    A subclass paints rows; its Config has image_size, channels, count, held_out and seed.
    """

    # pixels drawn at once: few enough that the arrays stay near the processor; no pixel depends on it
    area = 2**18

    def __init__(self, config: Any, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        # refuses a seed that cannot be
        self._dice([])
        self._pictures: Cache[int, Array] = Cache(ROOM, evict=False)
        self._chunk = max(self.area // (config.image_size[0] * config.image_size[1]), 1)

    def __len__(self) -> int:
        config = self.config
        counts = {
            "train": config.count,
            "validation": config.held_out,
            "test": getattr(config, "tested", config.held_out),
        }
        return counts[self.split] * self.frames

    def pixels(self, rows: Sequence[int]) -> Array:
        numbers = self._checked(rows).tolist()
        cached = {row: picture for row in numbers if (picture := self._pictures.get(row)) is not None}
        fresh = self._drawn_in_chunks(sorted(set(numbers) - cached.keys()))
        # all or none: each picture is a part of the array that it was painted in, which stays with it
        if sum(picture.nbytes for picture in fresh.values()) <= self._pictures.left:
            for row, picture in fresh.items():
                self._pictures.put(row, picture)
        picture_of = cached | fresh
        return np.stack([picture_of[row] for row in numbers])

    def _drawn_in_chunks(self, rows: list[int]) -> dict[int, Array]:
        pictures: dict[int, Array] = {}
        for start in range(0, len(rows), self._chunk):
            chunk = rows[start : start + self._chunk]
            pictures |= zip(chunk, self._painted(chunk), strict=True)
        return pictures

    def _painted(self, rows: list[int]) -> Array:
        """The pictures of these rows, with the configured channels: uint8, B C H W."""
        colours = self._paint(np.array(rows))
        pictures = colours if self.config.channels == 3 else grey(colours)
        return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))

    @abstractmethod
    def _paint(self, rows: Array) -> Array:
        """Paint the pictures of these rows in colour: uint8, B H W 3. Each subclass does it in its own
        way."""

    def _dice(self, rows: Sequence[int] | Array) -> Dice:
        return Dice.of_rows(self.config.seed, self.split, rows)

    def _checked(self, rows: Sequence[int]) -> Array:
        numbers = np.asarray(rows, np.int64)
        if len(numbers) and (numbers.min() < 0 or numbers.max() >= len(self)):
            raise IndexError(f"rows go from 0 to {len(self) - 1}")
        return numbers

    def _colours(self, colours: Array) -> Array:
        """Colours (uint8, ... 3) as the pictures have them, grey or not: float32 in [0, 1]."""
        return (colours if self.config.channels == 3 else grey(colours)).astype(np.float32) / 255


def _check(config: Any) -> None:
    if config.channels not in (1, 3):
        raise UserError(f"pictures have 1 or 3 channels, not {config.channels}")
    if min(config.count, config.held_out) < 1:
        raise UserError(f"count {config.count} and held_out {config.held_out} must both be at least 1")
    if min(config.image_size) < 8:
        raise UserError(
            f"pictures of {config.image_size} are too small to show anything; image_size is at least 8 8"
        )


def blanked(factors: dict[str, Array], present: Array) -> dict[str, Tensor]:
    """Factors, B N ..., as tensors, with zeros for things that are not present; `present` is B N."""
    return {
        name: torch.from_numpy(value * present.reshape(*present.shape, *[1] * (value.ndim - 2)))
        for name, value in factors.items()
    }


def grey(pixels: Array) -> Array:
    """The brightness, ... 1, of colours, ... 3, computed in whole numbers."""
    weighted = pixels.astype(np.uint32) * np.array([299, 587, 114], np.uint32)
    return ((weighted[..., :1] + weighted[..., 1:2] + weighted[..., 2:] + 500) // 1000).astype(np.uint8)


def normalised(pixels: Array, size: tuple[int, int]) -> Array:
    """Positions (row, column) in pixels, which count from the middle of the first pixel, brought to [-1, 1].

    -1 and 1 are the middles of the outermost pixels.
    """
    return (pixels / (np.array(size, np.float64) - 1) * 2 - 1).astype(np.float32)


def to_bytes(light: Array) -> Array:
    """Light in [0, 1] as bytes, uint8."""
    return np.floor(np.clip(light, 0, 1) * 255 + 0.5).astype(np.uint8)
