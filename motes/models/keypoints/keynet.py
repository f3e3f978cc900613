"""KeyNet: where K points are is all that may pass from a picture to the decoder; its look comes from a
warped copy."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, refuse_other_sizes
from motes.nn.blocks.conv import Contracting, Expanding
from motes.nn.blocks.grid import grid_size
from motes.ops.points.keypoints import gaussian_maps, marginal_soft_argmax, marginal_variance
from motes.ops.points.warp import paired
from motes.types.batch import Batch, Losses
from motes.types.latents import Image, Particles
from motes.weights.reconstruction import reconstruction_loss


@dataclass(frozen=True)
class KeyNetConfig:
    """What a KeyNet is made of."""

    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1 for grey pictures
    channels: int = 3
    # K
    num_particles: int = 30
    # each further width halves the picture
    encoder_channels: tuple[int, ...] = (32, 64, 128, 256)
    # of a point's map exp(-|p - z|^2 / width^2), half a picture being 1
    point_width: float = 0.1
    # the paper's: vgg
    reconstruction: str = "mse"


class KeyNet(Model):
    """x' = draw(content(y), maps(points(x))) against x, y being x seen through a warp, or another moment of
    the same clip (Jakab et al. 2018, https://arxiv.org/abs/1806.07823). A batch without pairs is warped
    here.

    The paper has no variance; `log_variance` is that of the marginal heat maps, which it computes on its way
    to the points.
    """

    Config = KeyNetConfig

    def __init__(self, config: KeyNetConfig):
        super().__init__()
        check(config)
        self.config = config
        self.grid = grid_size(config)
        widths = config.encoder_channels
        self.pose = Contracting(config.channels, widths, config.num_particles, first_kernel=7)
        self.content = Contracting(config.channels, widths, widths[-1], first_kernel=7)
        inputs = widths[-1] + config.num_particles
        self.draw = Expanding(inputs, [*reversed(widths)], config.channels, config.image_size, each=2)
        self.reconstruction_loss = reconstruction_loss(config.reconstruction)

    def loss(self, batch: Batch) -> Losses:
        batch = batch if batch.prior_image is not None else paired(batch)
        assert batch.prior_image is not None
        points = marginal_soft_argmax(self.pose(batch.image).flatten(0, 1)).unflatten(0, (len(batch), -1))
        error = self.reconstruction_loss(self._draw(points, self.content(batch.prior_image)), batch.image)
        return Losses(error.mean(), {"reconstruction": error})

    def encode(self, image: Image) -> Particles:
        refuse_other_sizes(self.config, image)
        heat = self.pose(image).flatten(0, 1)
        points = marginal_soft_argmax(heat).unflatten(0, (len(image), -1))
        variance = marginal_variance(heat).unflatten(0, (len(image), -1))
        nothing = points[..., :0]
        return Particles(
            position=points,
            log_variance=variance.clamp_min(1e-6).log(),
            features=nothing,
            feature_log_variance=nothing,
            presence=torch.ones_like(points[..., 0]),
            background=nothing[:, 0],
            bypass=self.content(image),
        )

    def decode(self, latent: Particles) -> Image:
        assert latent.bypass is not None
        return self._draw(latent.position, latent.bypass)

    def _draw(self, points: Float[Tensor, "B K 2"], content: Float[Tensor, "B N h w"]) -> Image:
        return self.draw(
            torch.cat([content, gaussian_maps(points, self.grid, self.config.point_width / math.sqrt(2))], 1)
        )


def check(config: KeyNetConfig) -> None:
    least = 2 ** len(config.encoder_channels)
    if min(config.num_particles, config.channels) < 1 or min(config.image_size) < least:
        raise UserError(
            f"num_particles and channels must be at least 1, image_size {config.image_size} at least {least} a side"
        )
