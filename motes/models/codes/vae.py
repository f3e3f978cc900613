"""A variational autoencoder: one Gaussian code per picture."""

from dataclasses import dataclass
from functools import partial

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

WARM_UP_STEPS = 4  # in which the weight of the KL rises
# log-variances of a code: beyond, exp overflows or underflows
LARGEST_LOG_VARIANCE = 20.0
SMALLEST_LOG_VARIANCE = -30.0
SAMPLED_LOG_VARIANCE = -20.0  # of a code that was sampled, and is certain


@dataclass(frozen=True)
class VaeConfig:
    """Options of a variational autoencoder."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # numbers that describe a picture
    code_dim: int = 128
    # convolutional, dense, or linear: then it is probabilistic principal components
    network: str = "convolutional"
    # channels of the first convolution, or units of the dense layers
    width: int = 32
    # a likelihood (bernoulli, gaussian, gaussian-learned, gaussian-optimal), or mse, pyramid, vgg
    reconstruction: str = "mse"
    # variance of a pixel, for the likelihood gaussian; smaller = sharper pictures, more of the code is used
    variance: float = 0.5
    # weight of the KL: more = fewer numbers of the code are used, blurrier pictures
    beta: float = 1.0
    # nats of each number of the code, averaged over the batch, that cost nothing; more = fewer numbers
    # collapse
    free_bits: float = 0.0
    # share of the training in which the weight of the KL rises from 0; more = fewer numbers collapse
    warm_up: float = 0.0


class VariationalAutoencoder(Model):
    """A variational autoencoder: the loss is -log p(x | z) + beta KL(q(z|x) || N(0, 1)), z ~ q(z|x).

    x is a picture and z its code. With beta 1 and a likelihood, minus the loss is a lower bound of log p(x)
    (Kingma & Welling 2013, https://arxiv.org/abs/1312.6114).
    """

    Config = VaeConfig
    # the prior of its codes: a map of it can be drawn without fitting one
    standard_normal = True

    def __init__(self, config: VaeConfig):
        super().__init__()
        _check(config)
        self.config = config
        kind = picture_network(config.network)
        shape = PictureShape.of(config)
        self.read = kind.reader(shape, config.width, 2 * config.code_dim)
        self.draw = kind.drawer(shape, config.width, config.code_dim)
        self.observed = observation_model(config.reconstruction, kind.squashed, config.variance)

    def stages(self) -> tuple[Stage, ...]:
        """The stages of training; with a warm-up, the first ones raise the weight of the KL step by step."""
        learning = tuple(self.parameters())
        share = self.config.warm_up / WARM_UP_STEPS
        warm_up = [
            Stage(f"warm-up {n + 1}", share, partial(self._weighted_loss, n / WARM_UP_STEPS), learning)
            for n in range(WARM_UP_STEPS)
            if share
        ]
        return (*warm_up, Stage("main", 1 - self.config.warm_up, self.loss, learning))

    def loss(self, batch: Batch) -> Losses:
        return self._weighted_loss(1.0, batch)

    def encode(self, image: Image) -> Code:
        return Code(*self._posterior(image))

    def decode(self, latent: Code) -> Image:
        return self.observed.picture(self.draw(latent.vector))

    def sample(self, count: int) -> Code:
        mean = torch.randn(count, self.config.code_dim, device=device_of(self))
        return Code(mean, torch.full_like(mean, SAMPLED_LOG_VARIANCE))

    def log_likelihood(self, image: Image, code: Float[Tensor, "B F"]) -> Float[Tensor, "B"]:
        """log p(x | z) in nats, of pictures x given codes z.

        A Bernoulli likelihood of grey pixels is not a density: compare its numbers only among models that use
        it.
        """
        if not self.observed.density:
            raise UserError(
                f"reconstruction {self.config.reconstruction!r} has no likelihood; "
                f"train with one of {', '.join(LIKELIHOODS)} to know one"
            )
        return -self.observed(self.draw(code), image)

    def _weighted_loss(self, share: float, batch: Batch) -> Losses:
        """The loss with the weight of the KL multiplied by `share`."""
        mean, log_variance = self._posterior(batch.image)
        error = self.observed(self.draw(sample_normal(mean, log_variance)), batch.image)
        kl_of_numbers = kl_to_standard_normal(mean, log_variance)
        kl = kl_of_numbers.sum(1)
        # free bits are paid whether they are used or not
        unused = (self.config.free_bits - kl_of_numbers.mean(0)).clamp_min(0).sum()
        weight = share * self.config.beta
        total = (error + weight * kl).mean() + weight * unused
        return Losses(total, {"reconstruction": error, "kl": kl})

    def _posterior(self, image: Image) -> tuple[Float[Tensor, "B F"], Float[Tensor, "B F"]]:
        """Mean and log-variance of the code of each picture."""
        refuse_other_sizes(self.config, image)
        mean, log_variance = self.read(image).chunk(2, -1)
        return mean, log_variance.clamp(SMALLEST_LOG_VARIANCE, LARGEST_LOG_VARIANCE)


def _check(config: VaeConfig) -> None:
    if config.code_dim < 1 or min(config.beta, config.free_bits) < 0 or not 0 <= config.warm_up < 1:
        raise UserError(
            "code_dim must be at least 1, beta and free_bits not negative, warm_up at least 0 and below 1"
        )
