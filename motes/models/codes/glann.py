"""GLANN: generative latent optimisation, followed by a network that samples its codes.

The sampler learns by implicit maximum likelihood estimation, so samples are sharp without adversarial
training.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, Stage
from motes.models.codes.glo import GenerativeLatentOptimisation, GloConfig
from motes.nn.blocks.normalisation import processes
from motes.nn.coders.sampler import Sampler
from motes.types.batch import Batch, Losses
from motes.types.latents import Code, Image


@dataclass(frozen=True)
class GlannConfig:
    """Options of a GLANN: first those of its generative latent optimisation, then those of the sampler."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # number of pictures in the training set: each has a code
    pictures: int = 1000
    # numbers of a code
    code_dim: int = 64
    # convolutional, dense or linear
    network: str = "convolutional"
    # half of the decoder's first maps, or of the dense layers
    width: int = 32
    # pyramid, mse, vgg (as in the paper), or another reconstruction loss
    reconstruction: str = "pyramid"
    # learning rate of the codes over the decoder's
    code_rate: float = 2.0
    # p of the norm in which codes have at most length 1: 1, 2 or inf
    ball: str = "2"
    # what codes start from: pca or random
    start: str = "pca"
    # numbers of the sampler's noise, at most as many as a code has; too few leave gaps
    noise_dim: int = 32
    # units of each of the sampler's two hidden layers
    sampler_width: int = 128
    # share of the steps in which the sampler learns, after the codes and the decoder
    sampler_share: float = 0.5
    # fresh noises for each code at every epoch; the code takes the nearest
    noises: int = 2
    # learning rate of the sampler over that of the decoder
    sampler_rate: float = 0.5


class Glann(Model):
    """GLANN: a sampler T is fitted to the codes z_i of GLO: min_T sum_i min_m |z_i - T(e_m)|^2, e_m ~ N(0,
    1).

    After each epoch, the nearest noise of every code is chosen again among fresh noises e_m (Hoshen et al.
    2019, https://arxiv.org/abs/1812.08985).
    """

    Config = GlannConfig
    # the noise of each picture's code
    chosen: Tensor
    # pictures since it was chosen
    seen: Tensor

    def __init__(self, config: GlannConfig):
        super().__init__()
        _check(config)
        self.config = config
        names = {field.name for field in fields(GloConfig)}
        shared = {name: value for name, value in vars(config).items() if name in names}
        self.glo = GenerativeLatentOptimisation(GloConfig(**shared))
        self.sampler = Sampler(min(config.noise_dim, config.code_dim), config.sampler_width, config.code_dim)
        self.within = self.glo.within
        self.register_buffer("chosen", self.sampler.noise(config.pictures))
        self.register_buffer("seen", torch.tensor(0))

    def stages(self) -> tuple[Stage, ...]:
        (codes,) = self.glo.stages()
        share = self.config.sampler_share
        sampler = Stage(
            "sampler",
            share,
            self.loss,
            tuple(self.sampler.parameters()),
            begin=self.begin_sampler,
            after_step=self.count_pictures,
            optimizer=self.optimizer,
        )
        return (replace(codes, share=1 - share), sampler)

    def loss(self, batch: Batch) -> Losses:
        sampled = self.sampler(self.chosen[batch.index])
        distance = (sampled - self.glo.codes[batch.index].detach()).square().sum(1)
        return Losses(distance.mean(), {"sampler": distance})

    def validate(self, batch: Batch) -> Losses:
        """The sum of what the two stages lower: reconstruction error, and squared distance of codes to their
        nearest samples."""
        code = self.encode(batch.image)
        error = self.glo.observed(self.glo.draw(code.vector), batch.image)
        distance = self.sampler.coverage(code.vector, self._noise_count())
        return Losses((error + distance).mean(), {"reconstruction": error, "coverage": distance})

    def encode(self, image: Image) -> Code:
        return self.glo.encode(image)

    def decode(self, latent: Code) -> Image:
        return self.glo.decode(latent)

    def sample(self, count: int) -> Code:
        return self.from_noise(self.noise(count))

    def noise(self, count: int) -> Float[Tensor, "B E"]:
        return self.sampler.noise(count)

    @torch.no_grad()
    def from_noise(self, noise: Float[Tensor, "B E"]) -> Code:
        """The codes that the sampler makes from noise.

        On a path between two noises the codes are likelier than on a straight path between two codes.
        """
        return Code(self.within(self.sampler(noise)))

    @torch.no_grad()
    def begin_sampler(self, batches: Iterable[Batch]) -> None:
        self.chosen.copy_(self.sampler.assign(self.glo.codes, self._noise_count()))
        self.seen.zero_()

    def count_pictures(self, batch: Batch) -> None:
        """Count the pictures of the epoch; at its end, choose the nearest of fresh noises for each code.

        The last batch of an epoch is left out if it is incomplete.
        """
        self.seen += len(batch) * processes()
        if self.seen + len(batch) * processes() > self.config.pictures:
            self.begin_sampler(())

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.sampler.parameters(), lr=self.config.sampler_rate * rate)

    def _noise_count(self) -> int:
        return self.config.noises * self.config.pictures


def _check(config: GlannConfig) -> None:
    if config.noise_dim < 1 or config.noises < 1 or not 0 < config.sampler_share < 1:
        raise UserError("noise_dim and noises must be at least 1, and sampler_share between 0 and 1")
