"""A denoising autoencoder: it sees a picture after an accident and draws it as it was before."""

from dataclasses import dataclass

import torch

from motes.errors import UserError
from motes.models.base import Model, refuse_other_sizes
from motes.nn.coders.networks import PictureCoder, PictureShape
from motes.ops.pictures.corruption import Corrupted, corruption
from motes.ops.pictures.image_loss import pixel_error
from motes.types.batch import Batch, Losses
from motes.types.latents import Code, Image


@dataclass(frozen=True)
class DenoisingConfig:
    """What a denoising autoencoder is made of."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # numbers that describe a picture; more than pixels is fine, for copying does not pay
    code_dim: int = 128
    network: str = "dense"
    # of the networks' layers
    width: int = 128
    corruption: str = "masking"
    # share of the pixels that are hidden or salted; deviation of the noise; strength of the warp
    amount: float = 0.25
    # of a pixel
    error: str = "squared"
    # of the error where the accident changed the picture; more than the other = emphasis on repair
    touched_weight: float = 1.0
    # of the error elsewhere; 0 = full emphasis
    spared_weight: float = 1.0


class DenoisingAutoencoder(Model):
    """min E loss(g(f(x~)), x), x~ ~ q(x~ | x), the error weighed by a where x~ is corrupted and by b where
    it is not (Vincent et al. 2010, https://jmlr.org/papers/v11/vincent10a.html). Each step draws another
    accident; encoding meets none.
    """

    Config = DenoisingConfig

    def __init__(self, config: DenoisingConfig):
        super().__init__()
        if (
            min(config.touched_weight, config.spared_weight) < 0
            or config.touched_weight == config.spared_weight == 0
        ):
            raise UserError("touched_weight and spared_weight must not be negative, nor both be 0")
        self.config = config
        self.coder = PictureCoder(config.network, PictureShape.of(config), config.width, config.code_dim)
        self.corrupt = corruption(config.corruption, config.amount)
        self.error = pixel_error(config.error)

    def loss(self, batch: Batch) -> Losses:
        refuse_other_sizes(self.config, batch.image)
        return self._repair(self.corrupt(batch.image), batch.image)

    def validate(self, batch: Batch) -> Losses:
        """The same accidents every time: the caller has seeded the dice."""
        return self.loss(batch)

    def encode(self, image: Image) -> Code:
        refuse_other_sizes(self.config, image)
        return Code(self.coder.read(image))

    def decode(self, latent: Code) -> Image:
        return self.coder.draw(latent.vector)

    def _repair(self, seen: Corrupted, wanted: Image) -> Losses:
        error = self.error(self.coder.draw(self.coder.read(seen.values)), wanted)
        weight = torch.where(seen.touched, self.config.touched_weight, self.config.spared_weight)
        emphasised = (weight * error).sum((1, 2, 3))
        return Losses(emphasised.mean(), {"emphasised": emphasised, "reconstruction": error.sum((1, 2, 3))})
