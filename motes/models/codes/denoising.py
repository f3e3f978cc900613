"""A denoising autoencoder: it reads a corrupted picture and draws the clean one."""

from dataclasses import dataclass

import torch

from motes.errors import UserError
from motes.models.base import Model, refuse_other_sizes
from motes.nn.coders.networks import PictureCoder, PictureShape
from motes.ops.pictures.corruption import corruption
from motes.ops.pictures.image_loss import pixel_error
from motes.types.batch import Batch, Losses
from motes.types.latents import Code, Image


@dataclass(frozen=True)
class DenoisingConfig:
    """Options of a denoising autoencoder."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # numbers that describe a picture; there may be more than pixels, since copying does not lower the loss
    code_dim: int = 128
    # convolutional, dense, tied or linear
    network: str = "dense"
    # units or channels of the networks' layers
    width: int = 128
    # kind of corruption: see motes.ops.pictures.corruption.CORRUPTIONS
    corruption: str = "masking"
    # share of the pixels that are hidden or salted; deviation of the noise; strength of the warp
    amount: float = 0.25
    # the error of each pixel
    error: str = "squared"
    # weight of the error where the picture was corrupted; more than the other = emphasis on repair
    touched_weight: float = 1.0
    # weight of the error elsewhere; 0 = full emphasis
    spared_weight: float = 1.0


class DenoisingAutoencoder(Model):
    """A denoising autoencoder: min E loss(g(f(x~)), x), where x~ is a corrupted copy of the picture x.

    f is the encoder, g the decoder. Errors are weighted by a in corrupted pixels and by b in all others
    (Vincent et al. 2010, https://jmlr.org/papers/v11/vincent10a.html). Every training step draws a new
    corruption; `encode` reads the picture without corruption.
    """

    Config = DenoisingConfig

    def __init__(self, config: DenoisingConfig):
        super().__init__()
        weights = (config.touched_weight, config.spared_weight)
        if min(weights) < 0 or max(weights) == 0:
            raise UserError("touched_weight and spared_weight must not be negative, nor both be 0")
        self.config = config
        self.coder = PictureCoder(config.network, PictureShape.of(config), config.width, config.code_dim)
        self.corrupt = corruption(config.corruption, config.amount)
        self.error = pixel_error(config.error)

    def loss(self, batch: Batch) -> Losses:
        """The reconstruction error, given corrupted pictures.

        Validation corrupts its pictures too, from a seed that the caller sets, so that all validations agree.
        """
        refuse_other_sizes(self.config, batch.image)
        corrupted = self.corrupt(batch.image)
        error = self.error(self.coder.draw(self.coder.read(corrupted.values)), batch.image)
        weight = torch.where(corrupted.touched, self.config.touched_weight, self.config.spared_weight)
        emphasised = (weight * error).sum((1, 2, 3))
        return Losses(emphasised.mean(), {"emphasised": emphasised, "reconstruction": error.sum((1, 2, 3))})

    def encode(self, image: Image) -> Code:
        refuse_other_sizes(self.config, image)
        return Code(self.coder.read(image))

    def decode(self, latent: Code) -> Image:
        return self.coder.draw(latent.vector)
