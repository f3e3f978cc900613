"""Principal components of pictures, in closed form: eigenfaces."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, Stage, refuse_other_sizes
from motes.ops.densities.principal_components import (
    Components,
    components_of_covariance,
    components_of_pictures,
    mean_and_covariance,
)
from motes.ops.pictures.image_loss import squared_error
from motes.types.batch import Batch, Losses
from motes.types.latents import Code, Image


@dataclass(frozen=True)
class PcaConfig:
    """Options of principal components."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # number of pictures in the training set; with fewer pictures than pixels, their Gram matrix is decomposed
    pictures: int = 1000
    # directions kept; more = less lost
    code_dim: int = 16
    # divide each number of a code by its standard deviation: distances then count alike in all directions
    whiten: bool = False


class PrincipalComponents(Model):
    """Principal components: z = (x - mean) V, x' = mean + z V'.

    V holds the first eigenvectors of the pictures' covariance. No other linear code of this size loses less:
    the mean squared error on the training pictures is the sum of the eigenvalues left out (Turk & Pentland
    1991, Eigenfaces for recognition, https://doi.org/10.1162/jocn.1991.3.1.71).
    """

    Config = PcaConfig
    mean: Tensor
    axes: Tensor
    # standard deviation of the training pictures along each direction
    deviation: Tensor
    # the unit of each number of a code: its deviation, where whitened
    unit: Tensor
    # the sum of the eigenvalues left out
    dropped: Tensor

    def __init__(self, config: PcaConfig):
        super().__init__()
        pixels = config.channels * config.image_size[0] * config.image_size[1]
        _check(config, pixels)
        self.config = config
        self.components = components_of_few if config.pictures < pixels else components_of_many
        self.register_buffer("mean", torch.zeros(pixels))
        self.register_buffer("axes", torch.zeros(pixels, config.code_dim))
        self.register_buffer("deviation", torch.ones(config.code_dim))
        self.register_buffer("unit", torch.ones(config.code_dim))
        self.register_buffer("dropped", torch.zeros(()))

    def stages(self) -> tuple[Stage, ...]:
        return (Stage("components", 1.0, self.loss, (), self.fit),)

    def fit(self, batches: Iterable[Batch]) -> None:
        """Compute the mean and the components of the pictures in one pass, in double precision."""
        mean, components = self.components(batches, self.config.code_dim)
        self.mean.copy_(mean)
        self.axes.copy_(components.axes)
        self.deviation.copy_(components.variance.sqrt())
        self.dropped.copy_(components.dropped)
        if self.config.whiten:
            self.unit.copy_(self.deviation.clamp_min(1e-6))

    def loss(self, batch: Batch) -> Losses:
        error = squared_error(self.decode(self.encode(batch.image)), batch.image)
        return Losses(error.mean(), {"reconstruction": error})

    def encode(self, image: Image) -> Code:
        refuse_other_sizes(self.config, image)
        return Code((image.flatten(1) - self.mean) @ self.axes / self.unit)

    def decode(self, latent: Code) -> Image:
        return self._pictures(self.mean + (latent.vector * self.unit) @ self.axes.T)

    def sample(self, count: int) -> Code:
        """Draw codes from a Gaussian whose variances are the eigenvalues."""
        noise = torch.randn(count, len(self.unit), device=self.unit.device)
        return Code(noise * self.deviation / self.unit)

    def filters(self) -> Float[Tensor, "F C H W"]:
        """The eigenvectors as pictures (eigenfaces), one for each number of a code."""
        return self._pictures(self.axes.T)

    def _pictures(self, flat: Float[Tensor, "B P"]) -> Image:
        return rearrange(flat, "b (c h w) -> b c h w", c=self.config.channels, h=self.config.image_size[0])


def components_of_few(batches: Iterable[Batch], count: int) -> tuple[Tensor, Components]:
    """Mean and components by the Gram matrix, for fewer pictures than pixels."""
    flat = torch.cat([batch.image.flatten(1) for batch in batches]).double()
    return flat.mean(0), components_of_pictures(flat - flat.mean(0), count)


def components_of_many(batches: Iterable[Batch], count: int) -> tuple[Tensor, Components]:
    """Mean and components by the covariance matrix, for any number of pictures."""
    mean, covariance = mean_and_covariance(batch.image.flatten(1) for batch in batches)
    return mean, components_of_covariance(covariance, count)


def _check(config: PcaConfig, pixels: int) -> None:
    most = min(pixels, config.pictures - 1)
    if not 1 <= config.code_dim <= most:
        raise UserError(
            f"code_dim {config.code_dim} must be from 1 to {most}: "
            f"{config.pictures} pictures of {pixels} numbers have no more"
        )
