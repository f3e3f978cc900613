"""A variational autoencoder: one Gaussian code a picture."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, Stage, device_of, refuse_other_sizes
from motes.nn.coders.networks import PictureShape, picture_network
from motes.nn.losses.observation import LIKELIHOODS
from motes.ops.densities.divergence import kl_to_standard_normal, sample_normal
from motes.types.batch import Batch, Losses
from motes.types.latents import Code, Image
from motes.weights.reconstruction import observation_model

STAIRS = 4  # in which the weight of the KL climbs
# log-variances of a code: beyond, exp would be no number
VAGUEST = 20.0
SUREST = -30.0


@dataclass(frozen=True)
class VaeConfig:
    """What a variational autoencoder is made of."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # numbers that describe a picture
    code_dim: int = 128
    # or dense, or linear: then it is probabilistic principal components
    network: str = "convolutional"
    # of the first convolution, or of the dense layers
    width: int = 32
    # a law with a density (bernoulli, gaussian, gaussian-learned, gaussian-optimal), or mse, pyramid, vgg
    reconstruction: str = "mse"
    # of a pixel, where it is gaussian; smaller = sharper pictures, more of the code is used
    variance: float = 0.5
    # weight of the KL: more = fewer numbers used, blurrier pictures
    beta: float = 1.0
    # nats of each number, on average over the batch, that cost nothing; more = fewer numbers collapse
    free_bits: float = 0.0
    # share of the training in which the weight of the KL climbs from 0; more = fewer numbers collapse
    warm_up: float = 0.0


class VariationalAutoencoder(Model):
    """-log p(x | z) + beta KL(q(z|x) || N(0, 1)), z ~ q(z|x) (Kingma & Welling 2013,
    https://arxiv.org/abs/1312.6114).

    With beta 1 and a law that has a density, minus the loss is a lower bound of log p(x).
    """

    Config = VaeConfig
    standard_normal = True  # the law of its codes: a map of it can be drawn as it is

    def __init__(self, config: VaeConfig):
        super().__init__()
        if config.code_dim < 1 or config.beta < 0 or config.free_bits < 0 or not 0 <= config.warm_up < 1:
            raise UserError(
                "code_dim must be at least 1, beta and free_bits not negative, warm_up at least 0 and below 1"
            )
        self.config = config
        kind = picture_network(config.network)
        shape = PictureShape.of(config)
        self.read = kind.reader(shape, config.width, 2 * config.code_dim)
        self.draw = kind.drawer(shape, config.width, config.code_dim)
        self.observed: Any = observation_model(config.reconstruction, kind.squashed, config.variance)

    def stages(self) -> tuple[Stage, ...]:
        learning = tuple(self.parameters())
        share = self.config.warm_up / STAIRS
        stairs = [
            Stage(f"warm-up {n + 1}", share, partial(self._weighted, n / STAIRS), learning)
            for n in range(STAIRS)
            if share
        ]
        return (*stairs, Stage("main", 1 - self.config.warm_up, self.loss, learning))

    def loss(self, batch: Batch) -> Losses:
        return self._weighted(1.0, batch)

    def encode(self, image: Image) -> Code:
        return Code(*self._read(image))

    def decode(self, latent: Code) -> Image:
        return self.observed.picture(self.draw(latent.vector))

    def sample(self, count: int) -> Code:
        mean = torch.randn(count, self.config.code_dim, device=device_of(self))
        return Code(mean, torch.full_like(mean, -20.0))

    def log_likelihood(self, image: Image, code: Float[Tensor, "B F"]) -> Float[Tensor, "B"]:
        """log p(x | z) in nats. Of grey pixels a Bernoulli law is no density: its figures compare models
        under the same law only."""
        if not self.observed.density:
            raise UserError(
                f"reconstruction {self.config.reconstruction!r} has no likelihood; train with one of {', '.join(LIKELIHOODS)} to know one"
            )
        return -self.observed(self.draw(code), image)

    def _weighted(self, climbed: float, batch: Batch) -> Losses:
        mean, log_variance = self._read(batch.image)
        error = self.observed(self.draw(sample_normal(mean, log_variance)), batch.image)
        each = kl_to_standard_normal(mean, log_variance)
        divergence = each.sum(1)
        unused = (
            (self.config.free_bits - each.mean(0)).clamp_min(0).sum()
        )  # what is free is paid whether it is used or not
        return Losses(
            (error + climbed * self.config.beta * divergence).mean() + climbed * self.config.beta * unused,
            {"reconstruction": error, "kl": divergence},
        )

    def _read(self, image: Image) -> tuple[Float[Tensor, "B F"], Float[Tensor, "B F"]]:
        refuse_other_sizes(self.config, image)
        mean, log_variance = self.read(image).chunk(2, -1)
        return mean, log_variance.clamp(SUREST, VAGUEST)
