"""Generative latent optimisation: a learnt code for every training picture, and no encoder; to encode is to
optimise."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

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

ENCODING_STEPS = 60
ENCODING_RATE = 0.02
NEIGHBOURS = 256  # training codes among which a new picture's search begins, where components do not tell
SIDE = 16  # pixels of the short side of the pictures whose components are the first codes


@dataclass(frozen=True)
class GloConfig:
    """What a generative latent optimisation is made of."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # in the training set: each has a code
    pictures: int = 1000
    # of the ball; too few, and the pictures keep shapes and lose colours
    code_dim: int = 128
    # or dense, or linear
    network: str = "convolutional"
    # half of the decoder's first maps, or of the dense layers
    width: int = 32
    # or mse, vgg: perceptual
    reconstruction: str = "pyramid"
    # learning rate of the codes over the decoder's
    code_rate: float = 2.0
    # p of the norm in which codes have at most length 1: 1, 2 or inf; 1 = few numbers are not 0
    ball: str = "2"
    # of the codes: the pictures' principal components, or random, which needs far longer
    start: str = "pca"
    # or file: on the disk of TMPDIR, with what is remembered of them, where millions would not fit into
    # memory
    codes_in: str = "memory"


class GenerativeLatentOptimisation(Model):
    """min over decoder g and codes |z_i|_p <= 1 of mean_i loss(g(z_i), x_i) (Bojanowski et al. 2018,
    https://arxiv.org/abs/1707.05776).

    The codes start from the pictures' principal components, and are kept in the ball after every step.
    """

    Config = GloConfig
    middle: Tensor
    axes: Tensor

    def __init__(self, config: GloConfig):
        super().__init__()
        if config.pictures < 1 or config.code_dim < 1:
            raise UserError(f"pictures {config.pictures} and code_dim {config.code_dim} must be at least 1")
        if config.ball not in BALLS or config.start not in STARTS:
            raise UserError(
                f"ball must be one of {', '.join(BALLS)} and start one of {', '.join(STARTS)}, not {config.ball}, {config.start}"
            )
        self.config = config
        kind = picture_network(config.network)
        shape = PictureShape.of(config)
        self.within = BALLS[config.ball]  # the nearest code of the ball
        self.draw = kind.drawer(shape, config.width, config.code_dim)
        self.observed: Any = observation_model(config.reconstruction, kind.squashed, variance=0.5)
        pixels = _small(torch.zeros(1, config.channels, *config.image_size)).shape[1]
        self.table = code_table(config.pictures, config.code_dim, config.codes_in)
        self.table.change(lambda codes: self.within(torch.randn_like(codes)))
        self.register_buffer("middle", torch.zeros(pixels))  # of the small training pictures
        self.register_buffer(
            "axes", torch.zeros(pixels, config.code_dim)
        )  # their principal components, scaled into the ball

    @property
    def codes(self) -> Float[Tensor, "N F"]:
        """Of the training pictures."""
        return self.table.values

    def stages(self) -> tuple[Stage, ...]:
        begin = STARTS[self.config.start].codes
        return (
            Stage(
                "codes and decoder",
                1.0,
                self.loss,
                tuple(self.parameters()),
                lambda batches: begin(self, batches),
                self.keep_in_ball,
                self.optimizer,
            ),
        )

    def loss(self, batch: Batch) -> Losses:
        error = self.observed(self.draw(self.table(batch.index)), batch.image)
        return Losses(error.mean(), {"reconstruction": error})

    def validate(self, batch: Batch) -> Losses:
        error = self.observed(self.draw(self.encode(batch.image).vector), batch.image)
        return Losses(error.mean(), {"reconstruction": error})

    def encode(self, image: Image) -> Code:
        """Gradient descent on the code alone; each picture by itself, the same every time."""
        refuse_other_sizes(self.config, image)
        begin = STARTS[self.config.start].search(self, image)
        with torch.enable_grad():
            code = begin.detach().clone().requires_grad_()
            optimizer = torch.optim.Adam([code], lr=ENCODING_RATE)
            for _ in range(ENCODING_STEPS):
                error = self.observed(self.draw(code), image).sum()
                code.grad = torch.autograd.grad(error, code)[0]
                optimizer.step()
                code.data = self.within(code.data)
        return Code(code.detach())

    def decode(self, latent: Code) -> Image:
        return self.observed.picture(self.draw(latent.vector))

    def sample(self, count: int) -> Code:
        """From a Gaussian fitted to the training codes."""
        with torch.no_grad():
            mean, covariance = mean_and_covariance(self.codes.split(AT_ONCE))
            root = torch.linalg.cholesky(covariance + 1e-6 * torch.eye(len(mean), device=mean.device))
            noise = torch.randn(count, len(mean), device=self.middle.device)
            return Code(self.within(mean.to(noise) + noise @ root.to(noise).T))

    def keep_in_ball(self, batch: Batch) -> None:
        """Those that moved."""
        self.table.change(self.within, batch.index)

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        """Whose steps cost as much as the pictures of a batch, however many codes there are."""
        return RowRMSprop(list(self.draw.parameters()), self.table, rate, self.config.code_rate * rate)

    @torch.no_grad()
    def start_codes(self, batches: Iterable[Batch]) -> None:
        """Principal components of small pictures, scaled so that nine in ten lie in the ball; the others are
        brought there."""
        mean, covariance = mean_and_covariance(_small(batch.image) for batch in batches)
        found = components_of_covariance(covariance, self.config.code_dim)
        known = (
            found.variance > 1e-9 * found.variance[0]
        )  # fewer than numbers of a code where pictures are few or small
        self.middle.copy_(mean)
        self.axes.zero_()[:, : len(known)] = torch.where(known, found.axes, 0.0)
        lengths = []
        for batch in batches:
            code = (_small(batch.image) - self.middle) @ self.axes
            lengths.append(code.norm(dim=1))
            self.codes[batch.index.to(self.codes.device)] = code.to(self.codes.device)
        reach = torch.cat(lengths).quantile(0.9).clamp_min(1e-6)
        self.axes /= reach
        self.table.change(lambda codes: self.within(codes / reach.to(codes.device)))

    def _component(self, small: Float[Tensor, "B P"]) -> Float[Tensor, "B F"]:
        return self.within((small - self.middle) @ self.axes)

    def _nearest_known(self, image: Image) -> Float[Tensor, "B F"]:
        """The training code, of some hundred, that draws what is most like the picture."""
        with torch.no_grad():
            known = self.codes[:: -(-len(self.codes) // NEIGHBOURS)].to(image.device)
            drawn = self.decode(Code(known)).flatten(1)
            return known[torch.cdist(image.flatten(1), drawn).argmin(1)]


@dataclass(frozen=True)
class Start:
    """Where codes begin: in training, and when a new picture's is searched for."""

    codes: Callable[[GenerativeLatentOptimisation, Iterable[Batch]], None]
    search: Callable[[GenerativeLatentOptimisation, Image], Tensor]


STARTS = {
    "pca": Start(
        lambda model, batches: model.start_codes(batches),
        lambda model, image: model._component(_small(image)),
    ),
    "random": Start(lambda model, batches: None, lambda model, image: model._nearest_known(image)),
}


def _small(image: Image) -> Float[Tensor, "B P"]:
    return nn.functional.avg_pool2d(image, max(min(image.shape[-2:]) // SIDE, 1)).flatten(1)
