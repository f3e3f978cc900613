"""Models for tests whose latents are neither particles nor codes: a record of its own, and slots."""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from einops import rearrange, repeat
from jaxtyping import Float
from torch import Tensor, nn

from motes.data.source import Source
from motes.models import MODELS, checkpoint
from motes.models.base import Model
from motes.ops.pictures.image_loss import squared_error
from motes.training.recipe import Recipe
from motes.training.run import Run
from motes.types.batch import Batch, Losses
from motes.types.latents import Image
from motes.types.rows import Rows
from motes.types.slots import Slots

COUNT = 3


@dataclass(frozen=True)
class ToyConfig:
    image_size: tuple[int, int] = (32, 32)
    channels: int = 3


@dataclass(frozen=True)
class Stripes(Rows):
    """Colours of horizontal stripes: of a kind that no tool knows."""

    colours: Float[Tensor, "B K C"]
    # with a mapping and a plain value, as records may have
    parts: Mapping[str, Tensor]
    names: tuple[str, ...] = ("upper", "middle", "lower")


class Toy(Model):
    """Pictures as the mean colours of stripes."""

    Config = ToyConfig

    def __init__(self, config: ToyConfig):
        super().__init__()
        self.config = config
        self.gain = nn.Parameter(torch.ones(()))
        height = torch.linspace(-1, 1, config.image_size[0])
        logits = -20 * (height - torch.linspace(-1, 1, COUNT)[:, None]).square()
        self.register_buffer(
            "logits", repeat(logits, "k h -> k h w", w=config.image_size[1]), persistent=False
        )

    def loss(self, batch: Batch) -> Losses:
        error = squared_error(self.decode(self.encode(batch.image)), batch.image)
        return Losses(error.mean(), {"error": error})

    def colours(self, image: Image) -> Float[Tensor, "B K C"]:
        masks = self.logits.softmax(0)
        return torch.einsum("khw,bchw->bkc", masks / masks.sum((1, 2), keepdim=True), image)


class ToyStripes(Toy):
    def encode(self, image: Image) -> Stripes:
        colours = self.colours(image)
        return Stripes(colours, {"mean": colours.mean(1), "class": colours.argmax(2)})

    def decode(self, latent: Stripes) -> Image:
        return self.gain * torch.einsum("khw,bkc->bchw", self.logits.softmax(0), latent.colours)

    def sample(self, count: int) -> Stripes:
        return self.encode(torch.rand(count, self.config.channels, *self.config.image_size))


class ToySlots(Toy):
    """A slot's code is the height of its stripe, then its colour."""

    def encode(self, image: Image) -> Slots:
        colours = self.colours(image)
        heights = torch.linspace(-1, 1, COUNT).expand(len(image), -1)[..., None]
        codes = torch.cat([heights, colours], 2)
        return self.drawn(Slots(codes, torch.zeros_like(codes), torch.ones_like(codes[..., 0])))

    def drawn(self, latent: Slots) -> Slots:
        rows, columns = self.config.image_size
        height = torch.linspace(-1, 1, rows)
        logits = -20 * (height - latent.codes[..., :1]).square()
        logits = repeat(logits, "b k h -> b k h w", w=columns)
        colours = repeat(self.gain * latent.codes[..., 1:], "b k c -> b k c h w", h=rows, w=columns)
        return replace(latent, mask_logits=logits, colours=colours)

    def decode(self, latent: Slots) -> Image:
        return (latent if latent.colours is not None else self.drawn(latent)).mixed()

    def shares(self, latent: Slots) -> Float[Tensor, "N A H W"]:
        masks = latent.masks
        return torch.cat([1 - masks.sum(1, keepdim=True), masks], 1)


class ToyTensor(Toy):
    """Its latent is no record at all, which every app refuses in a sentence."""

    def encode(self, image: Image) -> Tensor:
        return rearrange(self.colours(image), "b k c -> b (k c)")

    def decode(self, latent: Tensor) -> Image:
        return torch.zeros(len(latent), self.config.channels, *self.config.image_size)


TOYS = {"toy-stripes": ToyStripes, "toy-slots": ToySlots, "toy-tensor": ToyTensor}


def make_toy_run(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder that can be opened until the test ends."""
    monkeypatch.setattr(checkpoint, "MODELS", ChainMap(TOYS, MODELS))
    torch.manual_seed(0)
    Recipe(name, Source("shapes", {"image_size": [32, 32], "count": 8, "held_out": 6}), {}).save(folder)
    run = Run(folder)
    run.checkpoints.mkdir()
    run.pictures.mkdir()
    run.record({"step": 0, "stage": "main", "total": 2.0, "terms": {"error": 2.0}, "seconds": 1.0})
    TOYS[name](ToyConfig()).save(run.checkpoints / "best")
    return folder
