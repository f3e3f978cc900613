"""What every data set answers: pictures by row, the same for the same row always, in three splits that share
none."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from motes.errors import UserError
from motes.types.batch import Batch
from motes.types.truth import Truth

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


class Dataset(ABC):
    """`Config` is a frozen dataclass; a data set is made of it and the name of a split."""

    Config: ClassVar[type]
    config: Any

    @abstractmethod
    def __init__(self, config: Any, split: Split): ...

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, rows, columns."""
        return (self.config.channels, *self.config.image_size)

    @property
    def frames(self) -> int:
        """Of a clip: row // frames is the clip, row % frames the time. Single pictures are clips of one."""
        return getattr(self.config, "frames", 1)

    @abstractmethod
    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        """uint8, B C H W; a pure function of the rows."""

    def batch(self, rows: Sequence[int]) -> Batch:
        image = torch.from_numpy(self.pixels(rows)).float().div_(255)
        return Batch(image, torch.as_tensor(np.asarray(rows), dtype=torch.int64))

    def batch_with(self, rows: Sequence[int], names: Sequence[str]) -> Batch:
        """And with what is known of these names; data that knows less is refused."""
        batch = self.batch(rows)
        if not names:
            return batch
        known = known_of_pictures(self.truth(rows))
        if missing := [name for name in names if name not in known]:
            raise UserError(
                f"this model learns with the {' and the '.join(missing)} of each picture, of which these data know nothing; "
                f"they know {', '.join(known) or 'no labels at all'}"
            )
        return replace(batch, facts={name: known[name] for name in names})

    def truth(self, rows: Sequence[int]) -> Truth | None:
        """None where nobody knows."""
        return None


def known_of_pictures(truth: Truth | None) -> dict[str, Tensor]:
    """By name, one entry a picture: what the scene has, landmarks as "points", and the union of all masks as
    "mask"."""
    if truth is None:
        return {}
    known = dict(truth.scene)
    if truth.points is not None:
        known["points"] = truth.points
    if truth.masks is not None:
        known["mask"] = truth.masks.any(1)
    return known
