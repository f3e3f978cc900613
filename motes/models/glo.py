"""Generative latent optimisation: a learnt code for every training picture, and no encoder; to encode is to optimise."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.base import Model, Stage, refuse_other_sizes
from motes.nn.anchored import UpwardNetwork
from motes.nn.perceptual import reconstruction_loss
from motes.ops.types import Batch, Code, Image, Losses

ENCODING_STEPS, ENCODING_RATE = 60, 0.02


@dataclass(frozen=True)
class Config:
    """What a generative latent optimisation is made of."""

    image_size: tuple[int, int] = (64, 64)  # rows, columns
    channels: int = 3
    pictures: int = 1000  # in the training set: each has a code
    code_dim: int = 128  # of the ball; too few, and the pictures keep shapes and lose colours
    width: int = 64  # of the decoder's first maps
    reconstruction: str = "pyramid"
    code_rate: float = 2.0  # learning rate of the codes over the decoder's


class GenerativeLatentOptimisation(Model):
    """min over decoder g and codes |z_i| <= 1 of mean_i loss(g(z_i), x_i) (Bojanowski et al. 2018, https://arxiv.org/abs/1707.05776).

    The codes start from the pictures' principal components, and are kept in the ball after every step.
    """

    Config = Config
    middle: Tensor
    axes: Tensor

    def __init__(self, config: Config):
        super().__init__()
        if min(config.image_size) < 8 or config.pictures < 1 or config.code_dim < 1:
            raise UserError(f"image_size {config.image_size} must be at least 8 a side, pictures and code_dim at least 1")
        self.config = config
        self.codes = nn.Parameter(project(torch.randn(config.pictures, config.code_dim)))
        self.draw = UpwardNetwork(config.code_dim, config.image_size, config.channels, config.width, direct=True)
        self.reconstruction_loss = reconstruction_loss(config.reconstruction)
        pixels = _small(torch.zeros(1, config.channels, *config.image_size)).shape[1]
        self.register_buffer("middle", torch.zeros(pixels))  # of the small training pictures
        self.register_buffer("axes", torch.zeros(pixels, config.code_dim))  # their principal components, scaled into the ball

    def stages(self) -> tuple[Stage, ...]:
        return (
            Stage(
                "codes and decoder",
                1.0,
                self.loss,
                tuple(self.parameters()),
                self.start_codes,
                self.keep_in_ball,
                self.optimizer,
            ),
        )

    def loss(self, batch: Batch) -> Losses:
        error = self.reconstruction_loss(self._draw(self.codes[batch.index]), batch.image)
        return Losses(error.mean(), {"reconstruction": error})

    def validate(self, batch: Batch) -> Losses:
        error = self.reconstruction_loss(self.decode(self.encode(batch.image)), batch.image)
        return Losses(error.mean(), {"reconstruction": error})

    def encode(self, image: Image) -> Code:
        """Gradient descent on the code alone, from where training would have begun; each picture by itself, the same every time."""
        refuse_other_sizes(self.config, image)
        with torch.enable_grad():
            code = self._begin(_small(image)).requires_grad_()
            optimizer = torch.optim.Adam([code], lr=ENCODING_RATE)
            for _ in range(ENCODING_STEPS):
                error = self.reconstruction_loss(self._draw(code), image).sum()
                code.grad = torch.autograd.grad(error, code)[0]
                optimizer.step()
                code.data = project(code.data)
        return Code(code.detach())

    def decode(self, latent: Code) -> Image:
        return self._draw(latent.vector)

    def sample(self, count: int) -> Code:
        """From a Gaussian fitted to the training codes."""
        with torch.no_grad():
            centred = self.codes - self.codes.mean(0)
            covariance = centred.T @ centred / max(len(centred) - 1, 1) + 1e-6 * torch.eye(centred.shape[1], device=centred.device)
            noise = torch.randn(count, centred.shape[1], device=centred.device)
            return Code(project(self.codes.mean(0) + noise @ torch.linalg.cholesky(covariance).T))

    def start_codes(self, batches: Iterable[Batch]) -> None:
        """Principal components of the pictures at a quarter of their sides, scaled into the ball."""
        small, rows = [], []
        for batch in batches:
            small.append(_small(batch.image))
            rows.append(batch.index)
        flat = torch.cat(small)
        size = min(self.config.code_dim, *flat.shape)
        axes = torch.pca_lowrank(flat, size)[2]
        reach = ((flat - flat.mean(0)) @ axes).norm(dim=1).quantile(0.9).clamp_min(1e-6)
        with torch.no_grad():
            self.middle.copy_(flat.mean(0))
            self.axes[:, :size] = axes / reach
            self.codes[torch.cat(rows)] = self._begin(flat)

    def keep_in_ball(self, batch: Batch) -> None:
        """All codes: another process's batch moves codes too, and every process must hold the same."""
        self.codes.copy_(project(self.codes))

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        """RMSprop: without momentum, which would go on moving the codes of pictures that are not in the batch."""
        groups = [
            {"params": list(self.draw.parameters()), "lr": rate},
            {"params": [self.codes], "lr": self.config.code_rate * rate},
        ]
        return torch.optim.RMSprop(groups, alpha=0.99)

    def _begin(self, small: Float[Tensor, "B P"]) -> Float[Tensor, "B F"]:
        return project((small - self.middle) @ self.axes)

    def _draw(self, code: Float[Tensor, "B F"]) -> Image:
        return torch.sigmoid(self.draw(code))


def project(code: Float[Tensor, "B F"]) -> Float[Tensor, "B F"]:
    """The nearest point of the unit ball."""
    return code / code.norm(dim=1, keepdim=True).clamp_min(1)


def _small(image: Image) -> Float[Tensor, "B P"]:
    return torch.nn.functional.avg_pool2d(image, 4).flatten(1)
