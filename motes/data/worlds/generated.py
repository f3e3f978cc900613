"""What generated worlds share: rows drawn when asked for, each a function of (seed, split, row), and kept
while there is room."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motes.data.base import Dataset, Split
from motes.data.worlds.dice import Dice
from motes.errors import UserError

ROOM = 1 << 30  # bytes of pictures kept


class Generated(Dataset):
    """Splits cannot overlap (`dice.py`). A subclass paints rows; its Config has image_size, channels, count,
    held_out and seed."""

    # pixels drawn at once: few enough that the arrays stay near the processor; what is drawn does not depend
    # on it
    area = 2**18

    def __init__(self, config: Any, split: Split = "train"):
        if config.channels not in (1, 3):
            raise UserError(f"pictures have 1 or 3 channels, not {config.channels}")
        if min(config.count, config.held_out) < 1:
            raise UserError(f"count {config.count} and held_out {config.held_out} must both be at least 1")
        if min(config.image_size) < 8:
            raise UserError(
                f"pictures of {config.image_size} are too small to show anything; image_size is at least 8 8"
            )
        self.config = config
        self.split: Split = split
        self._dice([])  # refuses a seed that cannot be
        self._known: dict[int, np.ndarray] = {}
        self._chunk = max(self.area // (config.image_size[0] * config.image_size[1]), 1)
        self._room = ROOM // (config.channels * config.image_size[0] * config.image_size[1])

    def __len__(self) -> int:
        config = self.config
        many = {
            "train": config.count,
            "validation": config.held_out,
            "test": getattr(config, "tested", config.held_out),
        }
        return many[self.split] * self.frames

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        asked = self._checked(rows).tolist()
        missing = sorted(set(asked) - self._known.keys())
        fresh: dict[int, np.ndarray] = {}
        for start in range(0, len(missing), self._chunk):
            part = missing[start : start + self._chunk]
            painted = self._paint(np.array(part))
            pictures = painted if self.config.channels == 3 else grey(painted)
            fresh |= zip(part, np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)), strict=True)
        result = np.stack([fresh[row] if row in fresh else self._known[row] for row in asked])
        if len(self._known) + len(fresh) <= self._room:
            self._known |= fresh
        return result

    @abstractmethod
    def _paint(self, rows: np.ndarray) -> np.ndarray:
        """uint8, B H W 3."""

    def _dice(self, rows: Sequence[int] | np.ndarray) -> Dice:
        return Dice.of_rows(self.config.seed, self.split, rows)

    def _checked(self, rows: Sequence[int]) -> np.ndarray:
        asked = np.asarray(rows, np.int64)
        if len(asked) and (asked.min() < 0 or asked.max() >= len(self)):
            raise IndexError(f"rows go from 0 to {len(self) - 1}")
        return asked

    def _colours(self, colours: np.ndarray) -> np.ndarray:
        """uint8 ... 3 to float32 in [0, 1], as the pictures have them: grey where they are."""
        return (colours if self.config.channels == 3 else grey(colours)).astype(np.float32) / 255


def blanked(factors: dict[str, np.ndarray], there: np.ndarray) -> dict[str, Tensor]:
    """As tensors; zero for what is not there."""
    return {
        name: torch.from_numpy(value * there.reshape(*there.shape, *[1] * (value.ndim - 2)))
        for name, value in factors.items()
    }


def grey(pixels: np.ndarray) -> np.ndarray:
    """... 3 to ... 1, by whole numbers."""
    weighted = pixels.astype(np.uint32) * np.array([299, 587, 114], np.uint32)
    return ((weighted[..., :1] + weighted[..., 1:2] + weighted[..., 2:] + 500) // 1000).astype(np.uint8)


def normalised(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(row, column) in pixels, the first pixel's middle being 0, to [-1, 1] between the middles of the outer
    ones."""
    return (pixels / (np.array(size, np.float64) - 1) * 2 - 1).astype(np.float32)


def to_bytes(light: np.ndarray) -> np.ndarray:
    """[0, 1] to uint8."""
    return np.floor(np.clip(light, 0, 1) * 255 + 0.5).astype(np.uint8)
