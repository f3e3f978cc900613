"""What every data set answers: pictures by row, the same for the same row always, in three splits that share none."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.ops.types import Batch

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Truth:
    """Where the things of a picture are, for data that knows; N is the most things a picture may have."""

    centres: Float[Tensor, "B N 2"]  # (row, column) in [-1, 1]
    boxes: Float[Tensor, "B N 4"]  # first row, first column, last row, last column, in pixels
    masks: Bool[Tensor, "B N H W"]
    colours: Float[Tensor, "B N C"]  # in [0, 1]
    present: Bool[Tensor, "B N"]


class Dataset(ABC):
    """`Config` is a frozen dataclass; a data set is made of it and the name of a split."""

    Config: ClassVar[type]

    @abstractmethod
    def __init__(self, config: Any, split: Split): ...

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, rows, columns."""

    @abstractmethod
    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        """uint8, B C H W; a pure function of the rows."""

    def batch(self, rows: Sequence[int]) -> Batch:
        image = torch.from_numpy(self.pixels(rows)).float().div_(255)
        return Batch(image, torch.as_tensor(np.asarray(rows), dtype=torch.int64))

    def truth(self, rows: Sequence[int]) -> Truth | None:
        """None where nobody knows."""
        return None
