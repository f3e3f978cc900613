"""Generative latent optimisation: each training picture has a learnt code, and there is no encoder.

A picture is encoded by searching for its code.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, Stage, refuse_other_sizes
from motes.nn.blocks.code_table import AT_ONCE, RowRMSprop
from motes.nn.coders.networks import PictureShape, picture_network
from motes.ops.densities.principal_components import components_of_covariance, mean_and_covariance
from motes.ops.densities.unit_ball import BALLS
from motes.types.batch import Batch, Losses
from motes.types.latents import Code, Image
from motes.weights.code_storage import code_table
from motes.weights.reconstruction import observation_model

# of the search for a picture's code
ENCODING_STEPS = 60
ENCODING_RATE = 0.02
NEIGHBOURS = 256  # training codes among which it begins, where there are no principal components
SMALL_SIDE = 16  # pixels of the short side of the pictures whose principal components are the first codes
# of a component, over the first's: below it, pictures do not determine its direction
RELATIVE_VARIANCE = 1e-9
INSIDE = 0.9  # share of the first codes that lie in the ball without being moved


@dataclass(frozen=True)
class GloConfig:
    """Options of generative latent optimisation."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # number of pictures in the training set: each has a code
    pictures: int = 1000
    # numbers of a code; with too few the pictures keep shapes and lose colours
    code_dim: int = 128
    # convolutional, dense or linear
    network: str = "convolutional"
    # half of the decoder's first maps, or of the dense layers
    width: int = 32
    # pyramid, mse, vgg (perceptual), or another reconstruction loss
    reconstruction: str = "pyramid"
    # learning rate of the codes over the decoder's
    code_rate: float = 2.0
    # p of the norm in which codes have at most length 1: 1, 2 or inf; 1 = most numbers are 0
    ball: str = "2"
    # what codes start from: the pictures' principal components (pca), or random, which needs far longer
    start: str = "pca"
    # where the codes are kept: memory, or file (on the disk of TMPDIR, with the optimiser's copy) for
    # millions of codes
    codes_in: str = "memory"


class GenerativeLatentOptimisation(Model):
    """Generative latent optimisation: min over decoder g and codes z_i of mean_i loss(g(z_i), x_i), |z_i|_p
    <= 1.

    x_i is the i-th training picture. The codes start from the pictures' principal components, and are
    projected into the unit ball of the p-norm after every step (Bojanowski et al. 2018,
    https://arxiv.org/abs/1707.05776).
    """

    Config = GloConfig
    middle: Tensor
    axes: Tensor

    def __init__(self, config: GloConfig):
        super().__init__()
        _check(config)
        self.config = config
        self.start = STARTS[config.start]
        kind = picture_network(config.network)
        shape = PictureShape.of(config)
        # the nearest code of the ball
        self.within = BALLS[config.ball]
        self.draw = kind.drawer(shape, config.width, config.code_dim)
        self.observed = observation_model(config.reconstruction, kind.squashed, variance=0.5)
        pixels = _small(torch.zeros(1, config.channels, *config.image_size)).shape[1]
        self.table = code_table(config.pictures, config.code_dim, config.codes_in)
        self.table.change(lambda codes: self.within(torch.randn_like(codes)))
        # mean of the small training pictures
        self.register_buffer("middle", torch.zeros(pixels))
        # their principal components, scaled into the ball
        self.register_buffer("axes", torch.zeros(pixels, config.code_dim))

    @property
    def codes(self) -> Float[Tensor, "N F"]:
        """The codes of the training pictures."""
        return self.table.values

    def stages(self) -> tuple[Stage, ...]:
        return (
            Stage(
                "codes and decoder",
                1.0,
                self.loss,
                tuple(self.parameters()),
                begin=partial(self.start.begin, self),
                after_step=self.keep_in_ball,
                optimizer=self.optimizer,
            ),
        )

    def loss(self, batch: Batch) -> Losses:
        return self.reconstruction(self.table(batch.index), batch.image)

    def validate(self, batch: Batch) -> Losses:
        return self.reconstruction(self.encode(batch.image).vector, batch.image)

    def reconstruction(self, code: Float[Tensor, "B F"], image: Image) -> Losses:
        error = self.observed(self.draw(code), image)
        return Losses(error.mean(), {"reconstruction": error})

    def encode(self, image: Image) -> Code:
        """Search for the code of each picture by gradient descent.

        The result depends on that picture alone, and is the same every time.
        """
        refuse_other_sizes(self.config, image)
        first = self.start.search(self, image)
        with torch.enable_grad():
            code = first.detach().clone().requires_grad_()
            optimizer = torch.optim.Adam([code], lr=ENCODING_RATE)
            for _ in range(ENCODING_STEPS):
                error = self.observed(self.draw(code), image).sum()
                code.grad = torch.autograd.grad(error, code)[0]
                optimizer.step()
                code.data = self.within(code.data)
        return Code(code.detach())

    def decode(self, latent: Code) -> Image:
        return self.observed.picture(self.draw(latent.vector))

    @torch.no_grad()
    def sample(self, count: int) -> Code:
        """Draw codes from a Gaussian fitted to the training codes."""
        mean, covariance = mean_and_covariance(self.codes.split(AT_ONCE))
        root = torch.linalg.cholesky(covariance + 1e-6 * torch.eye(len(mean), device=mean.device))
        noise = torch.randn(count, len(mean), device=self.middle.device)
        return Code(self.within(mean.to(noise) + noise @ root.to(noise).T))

    def keep_in_ball(self, batch: Batch) -> None:
        """Project the codes of the batch back into the ball after an optimiser step."""
        self.table.change(self.within, batch.index)

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        """An optimiser of decoder and codes that updates only the codes of the batch.

        A step costs the same however many codes there are.
        """
        return RowRMSprop(list(self.draw.parameters()), self.table, rate, self.config.code_rate * rate)

    @torch.no_grad()
    def start_codes(self, batches: Iterable[Batch]) -> None:
        """Set the codes to the principal components of the pictures, made small first.

        The codes are scaled so that nine in ten lie in the ball; the others are projected into it.
        """
        mean, covariance = mean_and_covariance(_small(batch.image) for batch in batches)
        components = components_of_covariance(covariance, self.config.code_dim)
        # fewer than the numbers of a code where pictures are few or small
        determined = components.variance > RELATIVE_VARIANCE * components.variance[0]
        self.middle.copy_(mean)
        self.axes.zero_()[:, : len(determined)] = torch.where(determined, components.axes, 0.0)
        lengths = []
        for batch in batches:
            code = (_small(batch.image) - self.middle) @ self.axes
            lengths.append(code.norm(dim=1))
            self.codes[batch.index.to(self.codes.device)] = code.to(self.codes.device)
        reach = torch.cat(lengths).quantile(INSIDE).clamp_min(1e-6)
        self.axes /= reach
        self.table.change(lambda codes: self.within(codes / reach.to(codes.device)))

    def code_of_components(self, image: Image) -> Float[Tensor, "B F"]:
        """The principal components of pictures, scaled and projected into the ball as codes."""
        return self.within((_small(image) - self.middle) @ self.axes)

    @torch.no_grad()
    def nearest_training_code(self, image: Image) -> Float[Tensor, "B F"]:
        """For each picture, the one of some hundred training codes that decodes to the most similar
        picture."""
        codes = self.codes[:: -(-len(self.codes) // NEIGHBOURS)].to(image.device)
        drawn = self.decode(Code(codes)).flatten(1)
        return codes[torch.cdist(image.flatten(1), drawn).argmin(1)]


@dataclass(frozen=True)
class CodeStart:
    """A way to initialise codes: `begin` for those of the training pictures, `search` for that of a new
    picture."""

    begin: Callable[[GenerativeLatentOptimisation, Iterable[Batch]], None]
    search: Callable[[GenerativeLatentOptimisation, Image], Tensor]


def leave_codes(model: GenerativeLatentOptimisation, batches: Iterable[Batch]) -> None:
    """Do nothing: the codes are random already."""


STARTS = {
    "pca": CodeStart(
        begin=GenerativeLatentOptimisation.start_codes,
        search=GenerativeLatentOptimisation.code_of_components,
    ),
    "random": CodeStart(
        begin=leave_codes,
        search=GenerativeLatentOptimisation.nearest_training_code,
    ),
}


def _check(config: GloConfig) -> None:
    if config.pictures < 1 or config.code_dim < 1:
        raise UserError(f"pictures {config.pictures} and code_dim {config.code_dim} must be at least 1")
    if config.ball not in BALLS or config.start not in STARTS:
        raise UserError(
            f"ball must be one of {', '.join(BALLS)} and start one of {', '.join(STARTS)}, "
            f"not {config.ball}, {config.start}"
        )


def _small(image: Image) -> Float[Tensor, "B P"]:
    return F.avg_pool2d(image, max(min(image.shape[-2:]) // SMALL_SIDE, 1)).flatten(1)
