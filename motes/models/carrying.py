"""Clips that are read frame by frame, each from what was read of the frame before."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from einops import rearrange

from motes.models.abilities import Carries
from motes.models.base import Model
from motes.types.latents import Image
from motes.types.rows import Rows


def carrier_of(model: Any) -> Carries | None:
    """The model, if it reads frames from the frames before; None if it reads each picture by itself."""
    return model if isinstance(model, Carries) and model.carries else None


def read_in_order(
    model: Carries, image: Image, frames: int, first: Callable[[Image], Any], before: Rows | None = None
) -> Any:
    """The latent of whole clips, whose `frames` frames follow each other.

    `first` reads first frames, and `before` is the latent of the frames before the first ones, where there are some.
    """
    read = []
    for frame in rearrange(image, "(b t) c h w -> t b c h w", t=frames):
        before = first(frame) if before is None else model.carried(frame, before)
        read.append(before)
    by_clip = rearrange(torch.arange(len(image)), "(t b) -> (b t)", t=frames)
    return type(read[0]).cat(read)[by_clip]


class Carrying(Model):
    """A model with an option `carry`, and `carried`, which reads frames from the latents of the frames before."""

    @abstractmethod
    def carried(self, image: Image, before: Any) -> Any: ...

    @property
    def carries(self) -> bool:
        return self.config.carry > 0

    def encode_clips(self, image: Image, frames: int) -> Any:
        """The latent of clips; that of a frame goes on from that of the frame before, unless `carry` is 0."""
        return read_in_order(self, image, frames, self.encode) if self.carries else self.encode(image)
