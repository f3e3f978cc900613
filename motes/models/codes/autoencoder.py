"""A plain autoencoder: a small code, or a large one that a penalty or noise keeps from copying the
picture."""

from dataclasses import dataclass

import torch

from motes.errors import UserError
from motes.models.base import Model, refuse_other_sizes
from motes.nn.coders.networks import PictureCoder, PictureShape
from motes.ops.densities.divergence import sample_normal
from motes.types.batch import Batch, Losses
from motes.types.latents import Code, Image
from motes.weights.reconstruction import reconstruction_loss


@dataclass(frozen=True)
class AutoencoderConfig:
    """Options of an autoencoder."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # numbers that describe a picture; with as many as pixels, and no penalty or noise, it learns to copy
    code_dim: int = 16
    # convolutional, dense, tied or linear
    network: str = "dense"
    # units or channels of the networks' layers
    width: int = 128
    # the reconstruction loss: see motes.weights.reconstruction.RECONSTRUCTIONS
    reconstruction: str = "mse"
    # weight of the sum of squared weights: more = smoother filters, less detail
    weight_decay: float = 0.0
    # weight of the code's absolute values: more = most numbers of a code near 0
    activation_penalty: float = 0.0
    # standard deviation of the noise on a code while learning: more = codes of different pictures lie farther
    # apart
    noise: float = 0.0


class Autoencoder(Model):
    """An autoencoder with encoder f and decoder g: min loss(g(f(x) + noise), x) + a |W|^2 + b |f(x)|_1.

    W are the weights, a and b the weights of the penalties. Rumelhart et al. 1986,
    https://doi.org/10.1038/323533a0; the penalty on activations: Olshausen & Field 1996,
    https://doi.org/10.1038/381607a0. With one matrix each for f and g, and squared errors, the codes span the
    space of the principal components. The distribution of the codes is unknown, so fit one before sampling.
    """

    Config = AutoencoderConfig

    def __init__(self, config: AutoencoderConfig):
        super().__init__()
        if min(config.weight_decay, config.activation_penalty, config.noise) < 0:
            raise UserError("weight_decay, activation_penalty and noise must not be negative")
        self.config = config
        self.coder = PictureCoder(config.network, PictureShape.of(config), config.width, config.code_dim)
        self.reconstruction_loss = reconstruction_loss(config.reconstruction)
        # of the noise; minus infinity, where there is none
        self.log_variance = 2 * torch.tensor(config.noise).log()

    def loss(self, batch: Batch) -> Losses:
        refuse_other_sizes(self.config, batch.image)
        code = self.coder.read(batch.image)
        noisy = sample_normal(code, self.log_variance.to(code))
        error = self.reconstruction_loss(self.coder.draw(noisy), batch.image)
        activity = code.abs().sum(1)
        weights = self.coder.squared_weights()
        total = error.mean() + self.config.activation_penalty * activity.mean()
        total = total + self.config.weight_decay * weights
        terms = {"reconstruction": error, "activity": activity, "weights": weights.expand(len(error))}
        return Losses(total, terms)

    def validate(self, batch: Batch) -> Losses:
        """The reconstruction error alone, without noise and penalties, so that models with different
        penalties compare."""
        error = self.reconstruction_loss(self.decode(self.encode(batch.image)), batch.image)
        return Losses(error.mean(), {"reconstruction": error})

    def encode(self, image: Image) -> Code:
        refuse_other_sizes(self.config, image)
        return Code(self.coder.read(image))

    def decode(self, latent: Code) -> Image:
        return self.coder.draw(latent.vector)
