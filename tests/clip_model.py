"""A model of clips that refuses whatever is no run of neighbouring frames, for tests of training, scores and sessions."""

import sys
from dataclasses import dataclass, replace

import torch
from torch import nn

from motes.models import MODELS
from motes.models.base import Model
from motes.plain.registry import Row
from motes.types.batch import Losses
from motes.types.latents import Code

CLIP = 8  # frames of the data that the tests use


@dataclass(frozen=True)
class WatchingConfig:
    # rows, columns
    image_size: tuple[int, int] = (16, 16)
    channels: int = 3


class Watching(Model):
    """Learns a grey; its training steps must be runs of 4 frames, everything else whole clips."""

    Config = WatchingConfig
    window = 4

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.grey = nn.Parameter(torch.zeros(()))
        self.register_buffer("prepared", torch.zeros(()))

    def stages(self):
        (stage,) = super().stages()
        return (replace(stage, begin=self.check_all, prepare=self.prepare),)

    def check_all(self, batches):
        assert sum(len(check(batch, CLIP)) for batch in batches) == 48

    def prepare(self, batches):
        self.prepared = torch.stack([batch.image.mean() for batch in batches]).mean()

    def loss(self, batch):
        return self._loss(check(batch, self.window))

    def validate(self, batch):
        return self._loss(check(batch, CLIP))

    def _loss(self, batch):
        assert self.prepared > 0, "prepared before the first step, and again when a run is resumed"
        change = batch.clips(batch.image).diff(dim=1).abs().mean((1, 2, 3, 4))
        error = (batch.image - self.grey).square().mean((1, 2, 3))
        error = error + change.repeat_interleave(batch.frames) * self.prepared
        return Losses(error.mean(), {"error": error})

    def encode(self, image):
        raise AssertionError("a model of clips is given clips")

    def encode_clips(self, image, frames):
        time = torch.arange(len(image), device=image.device) % frames
        return Code(
            torch.stack([image.mean((1, 2, 3)), time.float(), torch.full_like(time, frames).float()], 1)
        )

    def decode(self, latent):
        return latent.vector[:, :1, None, None].expand(-1, self.config.channels, *self.config.image_size)


def check(batch, frames):
    assert batch.frames == frames, f"clips of {batch.frames}, not {frames}"
    index = batch.clips(batch.index)
    assert (index.diff(dim=1) == 1).all() and (index[:, 0] // CLIP == index[:, -1] // CLIP).all()
    return batch


def register():
    """Make the model known by the name "watching"."""
    sys.modules["motes.models.watching"] = sys.modules[__name__]
    MODELS._rows["watching"] = Row("watching:Watching", "for tests")


def unregister():
    del MODELS._rows["watching"]
