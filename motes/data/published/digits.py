"""The handwritten digits that come with scikit-learn: 1,797 grey pictures of 8 x 8 pixels and their class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from motes.data.base import Dataset, Split
from motes.data.worlds.generated import to_bytes
from motes.plain.packages import optional
from motes.types.truth import Truth

TEST = 397
VALIDATION = 100


@dataclass(frozen=True)
class DigitsConfig:
    """Rows are shuffled: the last 397 are the test split, the 100 before them the validation split."""

    # seed of the shuffled order
    seed: int = 0


class Digits(Dataset):
    """Handwritten digits: the test part of the UCI set "Optical Recognition of Handwritten Digits"."""

    Config = DigitsConfig

    def __init__(self, config: DigitsConfig, split: Split = "train"):
        library = optional("sklearn.datasets", "digits", "the digits come with scikit-learn")
        self.config = config
        digits: Any = library.load_digits()
        rows = _rows_of_split(len(digits.images), config.seed, split)
        self._pixels = to_bytes(digits.images[rows] / 16)[:, None]
        self._classes = torch.from_numpy(digits.target[rows].astype(np.int64))

    def __len__(self) -> int:
        return len(self._pixels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (1, 8, 8)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._pixels[np.asarray(rows, np.int64)]

    def truth(self, rows: Sequence[int]) -> Truth:
        return Truth(torch.ones(len(rows), 1, dtype=torch.bool), scene={"class": self._classes[list(rows)]})


def _rows_of_split(count: int, seed: int, split: Split) -> np.ndarray:
    order = np.random.default_rng(seed).permutation(count)
    first = count - TEST - VALIDATION
    second = count - TEST
    parts = {"train": order[:first], "validation": order[first:second], "test": order[second:]}
    return parts[split]
