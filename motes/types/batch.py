"""`Batch`: what a data set gives to a model; and `Losses`: what the model returns to be minimised."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from motes.errors import UserError
from motes.types.rows import Rows


@dataclass(frozen=True)
class Batch(Rows):
    """A batch of N pictures, with their row numbers in the data set.

    In a batch of clips N = B x T: the T frames of each clip are neighbours, so that code that works picture
    by picture need not know of time. A `UserError` refuses a number of pictures that is no multiple of T.

    >>> import torch
    >>> batch = Batch(torch.zeros(4, 3, 8, 8), torch.arange(4), labels={"class": torch.tensor([0, 0, 1, 1])})
    >>> len(batch), batch[2:].labels["class"].tolist()
    (4, [1, 1])
    >>> [len(part) for part in batch.chunks(3)]
    [3, 1]
    """

    image: Float[Tensor, "N C H W"]
    index: Int[Tensor, "N"]
    # the other picture of a warped pair; the particles' prior proposes points from it
    prior_image: Float[Tensor, "N C H W"] | None = None
    # T, the number of frames in each clip; 1: single pictures
    frames: int = 1
    # labels for a model that learns with labels: name -> one entry per picture
    labels: Mapping[str, Tensor] = field(default_factory=dict)
    # the action after each frame (of a robot, for example), where the data hold actions
    actions: Float[Tensor, "N A"] | None = None

    def __post_init__(self) -> None:
        if self.frames < 1 or len(self.image) % self.frames:
            raise UserError(f"{len(self.image)} pictures are no whole clips of {self.frames} frames")

    def __getitem__(self, index: Any) -> "Batch":
        """Some of the pictures, as single pictures: they need not be whole clips any more."""
        alone = replace(self, frames=1)
        return super(Batch, alone).__getitem__(index)

    @property
    def clip(self) -> Int[Tensor, "N"]:
        """The number of the clip that each picture belongs to, counted within the batch."""
        return torch.arange(len(self), device=self.image.device) // self.frames

    def chunks(self, size: int) -> Iterator["Batch"]:
        """Yields the batch in parts of at most `size` pictures that never divide a clip."""
        step = max(size // self.frames, 1) * self.frames
        for start in range(0, len(self), step):
            yield self.mapped(lambda tensor, start=start: tensor[start : start + step])

    def clips(self, values: Shaped[Tensor, "N ..."]) -> Shaped[Tensor, "B T ..."]:
        """The values of all pictures, arranged by clip and frame.

        >>> import torch
        >>> batch = Batch(torch.zeros(6, 3, 8, 8), torch.arange(6), frames=3)
        >>> batch.clips(batch.index).tolist()
        [[0, 1, 2], [3, 4, 5]]
        """
        return rearrange(values, "(b t) ... -> b t ...", t=self.frames)


@dataclass(frozen=True)
class Losses:
    """What training minimises: one scalar to differentiate, and its unweighted terms.

    Each term has one number per picture (or per clip).
    """

    total: Float[Tensor, ""]
    terms: Mapping[str, Float[Tensor, "B"]]
