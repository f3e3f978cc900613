"""Toy models with latents that are neither particles nor one vector, and pictures to try them on.

The latents are a grid, tokens, a code with a tint, and slots. The pictures have three vertical stripes, two of which
count as things.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from einops import reduce, repeat

from motes.data.base import Dataset
from motes.models.base import Model
from motes.types.batch import Losses
from motes.types.rows import Rows
from motes.types.slots import Slots
from motes.types.truth import Truth

SIDE = 12
STRIPES = 3


@dataclass(frozen=True)
class StripesConfig:
    image_size: tuple[int, int] = (SIDE, SIDE)
    channels: int = 1
    count: int = 12
    frames: int = 1


class Stripes(Dataset):
    """Every stripe has one brightness of its own. The first stripe is the ground."""

    Config = StripesConfig

    def __init__(self, config, split):
        self.config = config
        self.brightness = np.random.default_rng(len(split)).integers(20, 235, (config.count, STRIPES))

    def __len__(self):
        return self.config.count

    def pixels(self, rows):
        stripes = self.brightness[list(rows)].astype(np.uint8)
        return repeat(stripes, "n k -> n 1 h (k w)", h=SIDE, w=SIDE // STRIPES)

    def truth(self, rows):
        masks = torch.zeros(len(rows), STRIPES - 1, SIDE, SIDE, dtype=torch.bool)
        width = SIDE // STRIPES
        for thing in range(STRIPES - 1):
            masks[:, thing, :, (thing + 1) * width : (thing + 2) * width] = True
        return Truth(torch.ones(len(rows), STRIPES - 1, dtype=torch.bool), masks=masks)


@dataclass(frozen=True)
class Grid(Rows):
    """N h w"""

    values: torch.Tensor


@dataclass(frozen=True)
class Tokens(Rows):
    """N k, whole numbers"""

    number: torch.Tensor


@dataclass(frozen=True)
class TintedCode(Rows):
    """One code a picture, and whether the picture is drawn inverted."""

    inverted: torch.Tensor
    numbers: torch.Tensor

    @property
    def code(self):
        return self.numbers

    def with_code(self, code):
        return replace(self, numbers=code)


class ToyModel(Model):
    Config = StripesConfig

    def __init__(self):
        super().__init__()
        self.config = StripesConfig()
        self.register_buffer("zero", torch.zeros(()))

    def loss(self, batch):
        error = (self.decode(self.encode(batch.image)) - batch.image).square().mean((1, 2, 3))
        return Losses(error.mean(), {})


class GridModel(ToyModel):
    """A cell of the grid is the mean of 4 x 4 pixels."""

    def encode(self, image):
        return Grid(reduce(image, "n 1 (h a) (w b) -> n h w", "mean", a=4, b=4))

    def decode(self, latent):
        return repeat(latent.values, "n h w -> n 1 (h a) (w b)", a=4, b=4)


class TokenModel(ToyModel):
    """A token is the brightness of a stripe in tenths."""

    def encode(self, image):
        return Tokens((10 * stripe_means(image)).round().long())

    def decode(self, latent):
        return stripes(latent.number / 10)


class TintedModel(ToyModel):
    """The code is the brightness of each stripe; the first picture of a batch is read as inverted."""

    def encode(self, image):
        inverted = torch.arange(len(image)) % 2 == 0
        means = stripe_means(image)
        return TintedCode(inverted, torch.where(inverted[:, None], 1 - means, means))

    def decode(self, latent):
        return stripes(torch.where(latent.inverted[:, None], 1 - latent.numbers, latent.numbers))


class SlotModel(ToyModel):
    """A slot is a stripe, its code the stripe's brightness.

    Layers are drawn from the codes where they are missing.
    """

    def encode(self, image):
        codes = stripe_means(image)[..., None]
        return self.layered(Slots(codes, torch.full_like(codes, -4.0), torch.ones_like(codes[..., 0])))

    def decode(self, latent):
        return (latent if latent.colours is not None else self.layered(latent)).mixed()

    def layered(self, slots):
        masks = stripes(torch.eye(STRIPES))[:, 0].expand(len(slots), -1, -1, -1)
        colours = slots.codes[..., None, None].expand(-1, -1, -1, SIDE, SIDE)
        return replace(slots, mask_logits=50 * masks, colours=colours)

    def shares(self, latent):
        masks = latent.masks
        return torch.cat([torch.zeros_like(masks[:, :1]), masks], 1)


def stripe_means(image):
    return reduce(image, "n 1 h (k w) -> n k", "mean", k=STRIPES)


def stripes(brightness):
    return repeat(brightness, "n k -> n 1 h (k w)", h=SIDE, w=SIDE // STRIPES)
