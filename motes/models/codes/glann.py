"""GLANN: generative latent optimisation, then a sampler of its codes, learnt by implicit maximum likelihood;
sharp samples without a rival."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, Stage
from motes.models.codes import glo
from motes.nn.blocks.normalisation import processes
from motes.nn.coders.sampler import Sampler
from motes.types.batch import Batch, Losses
from motes.types.latents import Code, Image


@dataclass(frozen=True)
class GlannConfig:
    """What a GLANN is made of: the first fields are those of its latent optimisation."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # in the training set: each has a code
    pictures: int = 1000
    # of the ball
    code_dim: int = 64
    # or dense, or linear
    network: str = "convolutional"
    # half of the decoder's first maps, or of the dense layers
    width: int = 32
    # or vgg, as in the paper, or mse
    reconstruction: str = "pyramid"
    # learning rate of the codes over the decoder's
    code_rate: float = 2.0
    # p of the norm in which codes have at most length 1: 1, 2 or inf
    ball: str = "2"
    # of the codes, or random
    start: str = "pca"
    # numbers that the sampler starts from, at most as many as a code has; too few leave gaps
    noise_dim: int = 32
    # of its two hidden layers
    sampler_width: int = 128
    # of the steps, in which the sampler learns; the first are the codes' and the decoder's
    sampler_share: float = 0.5
    # fresh ones for each code at every epoch, of which the nearest is taken
    noises: int = 2
    # learning rate of the sampler over that of the decoder
    sampler_rate: float = 0.5


class Glann(Model):
    """min_T sum_i min_m |z_i - T(e_m)|^2, e_m ~ N(0, 1), on codes z_i that GLO learnt (Hoshen et al. 2019,
    https://arxiv.org/abs/1812.08985).

    Which noise belongs to which code is found anew, with fresh noise, whenever all pictures have been seen.
    """

    Config = GlannConfig
    chosen: Tensor
    seen: Tensor

    def __init__(self, config: GlannConfig):
        super().__init__()
        if config.noise_dim < 1 or config.noises < 1 or not 0 < config.sampler_share < 1:
            raise UserError("noise_dim and noises must be at least 1, and sampler_share between 0 and 1")
        self.config = config
        names = {field.name for field in fields(glo.GloConfig)}
        self.glo = glo.GenerativeLatentOptimisation(
            glo.GloConfig(**{key: value for key, value in vars(config).items() if key in names})
        )
        self.sampler = Sampler(min(config.noise_dim, config.code_dim), config.sampler_width, config.code_dim)
        self.within = self.glo.within
        self.register_buffer(
            "chosen", self.sampler.noise(config.pictures)
        )  # the noise of each picture's code
        self.register_buffer("seen", torch.tensor(0))  # pictures since it was chosen

    def stages(self) -> tuple[Stage, ...]:
        (first,) = self.glo.stages()
        share = self.config.sampler_share
        learning = tuple(self.sampler.parameters())
        return (
            replace(first, share=1 - share),
            Stage(
                "sampler", share, self.loss, learning, self.begin_sampler, self.count_pictures, self.optimizer
            ),
        )

    def loss(self, batch: Batch) -> Losses:
        apart = (
            (self.sampler(self.chosen[batch.index]) - self.glo.codes[batch.index].detach()).square().sum(1)
        )
        return Losses(apart.mean(), {"sampler": apart})

    def validate(self, batch: Batch) -> Losses:
        """How well pictures are drawn again, and how far their codes are from the nearest sample: what each
        of the stages lowers."""
        code = self.encode(batch.image)
        error = self.glo.observed(self.glo.draw(code.vector), batch.image)
        apart = self.sampler.coverage(code.vector, self.config.noises * self.config.pictures)
        return Losses((error + apart).mean(), {"reconstruction": error, "coverage": apart})

    def encode(self, image: Image) -> Code:
        return self.glo.encode(image)

    def decode(self, latent: Code) -> Image:
        return self.glo.decode(latent)

    def sample(self, count: int) -> Code:
        return self.from_noise(self.noise(count))

    def noise(self, count: int) -> Float[Tensor, "B E"]:
        return self.sampler.noise(count)

    def from_noise(self, noise: Float[Tensor, "B E"]) -> Code:
        """A way between noises stays nearer to likely codes than one between codes."""
        with torch.no_grad():
            return Code(self.within(self.sampler(noise)))

    def begin_sampler(self, batches: Iterable[Batch]) -> None:
        with torch.no_grad():
            self.chosen.copy_(self.sampler.assign(self.glo.codes, self.config.noises * self.config.pictures))
            self.seen.zero_()

    def count_pictures(self, batch: Batch) -> None:
        """At the end of an epoch all codes choose among fresh noises; the last, incomplete batch of an epoch
        is never given."""
        self.seen += len(batch) * processes()
        if self.seen + len(batch) * processes() > self.config.pictures:
            self.begin_sampler(())

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.sampler.parameters(), lr=self.config.sampler_rate * rate)
