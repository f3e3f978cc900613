"""Dataset, the base class of all data sets: pictures by row number, in three splits that share no picture."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, Protocol, get_args, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.plain.packing import packed
from motes.types.batch import Batch
from motes.types.truth import Truth

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


class Dataset(ABC):
    """Pictures by row number. A data set is made of its configuration and the name of a split.

    A row always gives the same picture. A subclass has `Config`, a frozen dataclass of its options, a
    constructor `(config, split)`, `len()`, and `pixels(rows)`. If it has truth or actions, it also overrides
    `truth(rows)` or `actions(rows)`. Its line in `motes.data.DATASETS` gives it a name.

    If the data are clips, row // frames is the number of the clip, and row % frames that of the frame in it.

    >>> from motes.data.worlds.flat.shapes import Shapes
    >>> data = Shapes(Shapes.Config(image_size=(32, 32), count=10), "train")
    >>> batch = data.batch([0, 3])
    >>> batch.image.shape, batch.index.tolist()
    (torch.Size([2, 3, 32, 32]), [0, 3])
    """

    Config: ClassVar[type]
    config: Any

    @abstractmethod
    def __init__(self, config: Any, split: Split): ...

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape of a picture: channels, rows, columns."""
        return (self.config.channels, *self.config.image_size)

    @property
    def frames(self) -> int:
        """The number of frames in each clip; 1 if the data are single pictures."""
        return getattr(self.config, "frames", 1)

    @abstractmethod
    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        """The pictures of these rows, uint8, N C H W. The same rows always give the same pixels."""

    def truth(self, rows: Sequence[int]) -> Truth | None:
        """What the pictures of these rows show; None if the data set does not know it."""
        return None

    def actions(self, rows: Sequence[int]) -> Float[Tensor, "N A"] | None:
        """What was done after each of these frames, one vector per row; None if the data set does not know
        it."""
        return None

    def first(self, count: int) -> range:
        """The first rows: as many whole clips as `count` rows hold, but at least one clip if `count` is
        above 0."""
        clips = min(count, len(self)) // self.frames
        return range(min(max(clips, 1) * self.frames, len(self)) if count > 0 else 0)

    def spread(self, count: int) -> list[int]:
        """Rows from all over the data, in order: as many whole clips as `count` rows hold.

        They are chosen as by `sample`. There is at least one clip if `count` is above 0.
        """
        total = len(self) // self.frames
        clips = _one_of_each_part(total, max(count // self.frames, 1) if count > 0 else 0)
        return [row for clip in clips for row in range(clip * self.frames, (clip + 1) * self.frames)]

    def sample(self, count: int) -> list[int]:
        """Single rows from all over the data, in order, for what needs pictures and no clips.

        The data are cut into `count` equal parts, and one row of each is drawn from a fixed seed: neighbours,
        such as the first frames of a film, are alike, and even distances may meet a rhythm of the data.
        """
        return _one_of_each_part(len(self), count)

    def chunks(self, rows: Sequence[int], size: int) -> Iterator[list[int]]:
        """Yield the rows in their order, in lists of at most `size`, without dividing a clip between two
        lists.

        A clip here is a run of neighbouring rows from the same clip. A clip longer than `size` is a list of
        its own.
        """
        clips = (list(clip) for _, clip in itertools.groupby(rows, lambda row: row // self.frames))
        for clips_of_chunk in packed(clips, size):
            yield [row for clip in clips_of_chunk for row in clip]

    def batch(self, rows: Sequence[int], needs: Sequence[str] = (), frames: int = 1) -> Batch:
        """The pictures of these rows, scaled to [0, 1], with the labels and actions that a model needs.

        `needs` lists names of labels, or "actions"; a data set that lacks one of them is refused. `frames`
        says that the rows are runs of that many neighbouring frames.
        """
        # bytes divided at once, without a copy as floats first
        image = torch.from_numpy(self.pixels(rows)) / 255
        batch = Batch(image, torch.as_tensor(np.asarray(rows), dtype=torch.int64), frames=frames)
        names = [name for name in needs if name != "actions"]
        if names:
            batch = replace(batch, labels=self._labels(rows, names))
        if "actions" in needs:
            batch = replace(batch, actions=self._actions(rows))
        return batch

    def labels(self, rows: Sequence[int], truth: Truth | None) -> dict[str, Tensor]:
        """All labels of these rows by name: those that their truth holds, and the number of the "clip"."""
        return labels_of(truth) | {"clip": torch.as_tensor(np.asarray(rows)) // self.frames}

    def _labels(self, rows: Sequence[int], names: Sequence[str]) -> dict[str, Tensor]:
        labels = self.labels(rows, self.truth(rows))
        if missing := [name for name in names if name not in labels]:
            available = [name for name in labels if name != "clip" or self.frames > 1]
            raise UserError(
                f"this model learns with the {' and the '.join(missing)} of each picture, "
                f"of which these data know nothing; they know {', '.join(available) or 'no labels at all'}"
            )
        return {name: labels[name] for name in names}

    def _actions(self, rows: Sequence[int]) -> Float[Tensor, "N A"]:
        actions = self.actions(rows)
        if actions is None:
            raise UserError(
                "this model learns with the actions that were done, of which these data know nothing"
            )
        return actions


@runtime_checkable
class Simulates(Protocol):
    """Data whose laws of motion are known: from places (pixels) and velocities (pixels a frame), B N 2, of the true
    things, the places in the next frames, B frames N 2."""

    def simulated(self, position: np.ndarray, velocity: np.ndarray, frames: int) -> np.ndarray: ...


@runtime_checkable
class Branches(Protocol):
    """Data whose things choose between ways: points along the W ways that each thing of these rows may still take, as
    (row, column) in [-1, 1]; not a number where it has no choice."""

    def ways(self, rows: Sequence[int]) -> Float[Tensor, "B N W P 2"]: ...


def _one_of_each_part(total: int, parts: int) -> list[int]:
    parts = min(parts, total)
    bounds = [total * part // max(parts, 1) for part in range(parts + 1)]
    random = np.random.default_rng(0)
    return [int(random.integers(start, stop)) for start, stop in itertools.pairwise(bounds)]


def labels_of(truth: Truth | None) -> dict[str, Tensor]:
    """The labels that a truth holds, by name; each label has one entry for each picture.

    They are the entries of `scene`, the landmarks as "points", and the union of all masks as "mask".
    """
    if truth is None:
        return {}
    labels = dict(truth.scene)
    if truth.points is not None:
        labels["points"] = truth.points
    if truth.masks is not None:
        labels["mask"] = truth.masks.any(1)
    return labels
