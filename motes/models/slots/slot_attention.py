"""Slot Attention: slots that compete for the places of a picture, and draw it together."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.base import Stage, device_of, refuse_other_sizes
from motes.models.carrying import Carrying
from motes.nn.blocks.broadcast import BroadcastDecoder, BroadcastSize
from motes.nn.blocks.slot_attention import (
    GrowingDecoder,
    LearnedStart,
    PlaceReader,
    SharedStart,
    SlotAttention,
)
from motes.ops.densities.noise import normal_like
from motes.ops.pictures.image_loss import squared_error
from motes.types.batch import Batch, Losses
from motes.types.latents import Image
from motes.types.slots import Slots

# of a code: it is certain
LOG_VARIANCE = -20.0


@dataclass(frozen=True)
class SlotAttentionConfig:
    """Options of Slot Attention."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1 for grey pictures
    channels: int = 3
    # K: things in a picture, at most, and one for the ground
    slots: int = 6
    # numbers that describe a slot
    code_dim: int = 64
    # rounds of attention
    updates: int = 3
    # rounds of a frame of a clip, which go on from the slots of the frame before, so that slot k stays the same thing;
    # 0: each frame is encoded by itself
    carry: int = 2
    # unrolled: through all rounds; implicit: through the last round alone, which costs less and is steadier
    gradient: Literal["unrolled", "implicit"] = "unrolled"
    # shared: slots start at random from one normal distribution; learned: each slot has a start of its own
    start: Literal["shared", "learned"] = "shared"
    # channels of the convolutions
    width: int = 32
    # side of the convolutions; odd
    kernel: int = 5
    # pixels between the places that slots compete for
    stride: int = 1
    # growing: the published one; cells: the same grid for all layers, each cell draws its block of pixels
    decoder: Literal["growing", "cells"] = "growing"
    # cells along the shorter side of the decoder's grid; 0: a cell for every pixel
    side: int = 0
    # convolutions of the decoder that do not enlarge
    layers: int = 3
    # units of the MLP of a slot
    hidden: int = 128
    # standard deviation of a pixel, for the bound and for whose a pixel is; very large: the masks alone say that
    scale: float = 0.3


class SlotAttentionAutoencoder(Carrying):
    """|sum_k m_k c_k - x|^2: slots drawn as masks m_k and colours c_k, found by rounds of attention.

    Locatello et al. 2020, https://arxiv.org/abs/2006.15055. `gradient` implicit: Chang et al. 2022,
    https://arxiv.org/abs/2207.00787. `start` learned with it, whose gradient goes straight through to the start: Jia et
    al. 2023, https://arxiv.org/abs/2210.08990.

    Codes are certain (log-variance -20), so `bound` is the log-likelihood of the picture given its codes, each
    colour normal with deviation `scale`. It lacks the codes' own cost, and serves to compare starts of one picture.
    """

    Config = SlotAttentionConfig

    def __init__(self, config: SlotAttentionConfig):
        super().__init__()
        _check(config)
        self.config = config
        self.read = PlaceReader(
            config.channels, config.image_size, config.width, config.kernel, config.stride
        )
        self.attention = SlotAttention(config.width, config.code_dim, config.hidden)
        size = BroadcastSize(config.image_size, config.side, config.width, config.layers, config.kernel)
        self.draw = DECODERS[config.decoder](config.code_dim, 1 + config.channels, size)
        self.start = STARTS[config.start](config.slots, config.code_dim)

    @property
    def usual_updates(self) -> int:
        return self.config.updates

    def stages(self) -> tuple[Stage, ...]:
        """One stage. No gradient reaches a shared start through the last round alone: it stays as it began."""
        parts = [self.read, self.attention, self.draw]
        if self.config.gradient == "unrolled" or self.start.straight_through:
            parts.append(self.start)
        learning = tuple(value for part in parts for value in part.parameters())
        return (Stage("main", 1.0, self.loss, learning),)

    def loss(self, batch: Batch) -> Losses:
        shape = (len(batch.image), self.config.slots, self.config.code_dim)
        return self._loss(batch.image, normal_like(batch.image.new_empty(shape)))

    def validate(self, batch: Batch) -> Losses:
        """The loss from the starts that `encode` uses."""
        return self._loss(batch.image, self._noise(len(batch.image), self.config.slots, 0))

    def encode(
        self, image: Image, updates: int | None = None, slots: int | None = None, draw: int = 0
    ) -> Slots:
        """The slots of pictures.

        Arguments:
            image: pictures N C H W in [0, 1].
            updates: rounds of attention; None: as many as in training.
            slots: K; None: as many as in training. Learned starts cannot be more than were trained.
            draw: which random start; the same for every picture. Learned starts are not random.
        """
        count = self.config.slots if slots is None else slots
        rounds = self.config.updates if updates is None else updates
        _check_asked(count, rounds)
        return self._encoded(image, self.start(self._noise(len(image), count, draw)), rounds)

    def carried(self, image: Image, before: Slots) -> Slots:
        """The slots of frames from those of the frames before."""
        return self._encoded(image, before.codes, self.config.carry)

    def _encoded(self, image: Image, start: Float[Tensor, "B K D"], rounds: int) -> Slots:
        refuse_other_sizes(self.config, image)
        if not image.isfinite().all():
            raise UserError("these pictures hold values that are not numbers; mend or leave out such pixels")
        codes = self._settled(image, start, rounds)
        certain = torch.full_like(codes, LOG_VARIANCE)
        latent = self._with_layers(Slots(codes, certain, torch.ones_like(codes[..., 0])))
        return self._compared(latent, image)

    def redraw(self, image: Image, updates: int | None = None, draw: int = 0) -> Slots:
        return self.encode(image, updates, draw=draw)

    def decode(self, latent: Slots) -> Image:
        return self.layers(latent).mixed()

    def layers(self, latent: Slots) -> Slots:
        """The same slots with their layers, drawn if they are not there."""
        return latent if latent.colours is not None else self._with_layers(latent)

    def shares(self, latent: Slots) -> Float[Tensor, "N A H W"]:
        """Whose each pixel is; there is no ground apart from the slots, whose share comes first and is 0.

        For slots that were encoded, masks are weighed by how well colours fit the picture, as `Slots.shares` says.
        """
        return self.layers(latent).shares

    def _loss(self, image: Image, noise: Float[Tensor, "B K D"]) -> Losses:
        refuse_other_sizes(self.config, image)
        codes = GRADIENTS[self.config.gradient](self, image, noise)
        drawn = self._with_layers(Slots(codes, torch.zeros_like(codes), torch.ones_like(codes[..., 0])))
        error = squared_error(drawn.mixed(), image)
        return Losses(error.mean(), {"reconstruction": error})

    def _noise(self, pictures: int, slots: int, draw: int) -> Float[Tensor, "B K D"]:
        """The random part of the starts, the same for every picture."""
        generator = torch.Generator().manual_seed(draw)
        noise = torch.randn(slots, self.config.code_dim, generator=generator).to(device_of(self))
        return noise.expand(pictures, -1, -1)

    def _settled(self, image: Image, start: Float[Tensor, "B K D"], rounds: int) -> Float[Tensor, "B K D"]:
        """The codes after these rounds."""
        features = self.attention.keys_and_values(self.read(image))
        return self._rounds(start, features, rounds)

    def _rounds(self, codes: Tensor, features: tuple[Tensor, Tensor], rounds: int) -> Float[Tensor, "B K D"]:
        for _ in range(rounds):
            codes = self.attention(codes, *features)
        return codes

    def _unrolled(self, image: Image, noise: Float[Tensor, "B K D"]) -> Float[Tensor, "B K D"]:
        return self._settled(image, self.start(noise), self.config.updates)

    def _implicit(self, image: Image, noise: Float[Tensor, "B K D"]) -> Float[Tensor, "B K D"]:
        """The codes, with gradients through the last round alone, and straight through to a learned start."""
        features = self.attention.keys_and_values(self.read(image))
        start = self.start(noise)
        with torch.no_grad():
            codes = self._rounds(start, features, self.config.updates - 1)
        codes = codes.detach()
        if self.start.straight_through:
            codes = codes + start - start.detach()
        return self.attention(codes, *features)

    def _with_layers(self, latent: Slots) -> Slots:
        count = latent.count
        drawn = rearrange(self.draw(latent.codes.flatten(0, 1)), "(b k) d h w -> b k d h w", k=count)
        return replace(latent, mask_logits=drawn[:, :, 0], colours=drawn[:, :, 1:])

    def _compared(self, latent: Slots, image: Image) -> Slots:
        """The slots beside the picture: how well they explain it, and how well each slot's colour fits each pixel."""
        assert latent.colours is not None
        variance = self.config.scale**2
        constant = 0.5 * image[0].numel() * math.log(2 * math.pi * variance)
        bound = -squared_error(latent.mixed(), image) / (2 * variance) - constant
        fits = -(latent.colours - image[:, None]).square().sum(2) / (2 * variance)
        return replace(latent, bound=bound, fits=fits)


# the codes of pictures with the gradients that training takes
GRADIENTS: dict[str, Callable[[SlotAttentionAutoencoder, Image, Tensor], Tensor]] = {
    "unrolled": SlotAttentionAutoencoder._unrolled,
    "implicit": SlotAttentionAutoencoder._implicit,
}
STARTS: dict[str, Callable[[int, int], SharedStart | LearnedStart]] = {
    "shared": SharedStart,
    "learned": LearnedStart,
}
DECODERS: dict[str, Callable[[int, int, BroadcastSize], nn.Module]] = {
    "growing": GrowingDecoder,
    "cells": BroadcastDecoder,
}


def _check_asked(slots: int, updates: int) -> None:
    if updates < 1:
        raise UserError(f"slots need at least 1 update, not {updates}")
    if slots < 2:
        raise UserError(f"a picture is divided among at least 2 slots, not {slots}")


def _check(config: SlotAttentionConfig) -> None:
    if config.slots < 2:
        raise UserError(f"a picture is divided among at least 2 slots, not {config.slots}")
    least = ("code_dim", "updates", "width", "stride", "layers", "hidden")
    for name in least:
        if getattr(config, name) < 1:
            raise UserError(f"{name} must be at least 1, not {getattr(config, name)}")
    if config.kernel < 1 or config.kernel % 2 == 0:
        raise UserError(f"kernel must be odd, such as 3 or 5, not {config.kernel}")
    if not 0 <= config.side <= min(config.image_size):
        raise UserError(f"side must be from 0 to {min(config.image_size)}, not {config.side}")
    if config.carry < 0:
        raise UserError(f"carry must be 0 or a number of rounds, not {config.carry}")
    if not config.scale > 0:
        raise UserError(f"scale must be positive, not {config.scale}")
