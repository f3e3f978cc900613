"""KeyNet: the decoder learns where things are from K points alone; it takes appearance from a warped copy."""

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
from motes.ops.points.warp import warped_pair
from motes.types.batch import Batch, Losses
from motes.types.latents import Image, Particles
from motes.weights.reconstruction import reconstruction_loss


@dataclass(frozen=True)
class KeyNetConfig:
    """Options of a KeyNet."""

    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1 for grey pictures
    channels: int = 3
    # K, the number of points
    num_particles: int = 30
    # widths of the networks; each further one halves the picture
    encoder_channels: tuple[int, ...] = (32, 64, 128, 256)
    # width of a point's map exp(-|p - z|^2 / width^2), half a picture being 1
    point_width: float = 0.1
    # the reconstruction loss; the paper's is vgg
    reconstruction: str = "mse"


class KeyNet(Model):
    """KeyNet: the decoder draws a picture x from the points of x and the appearance of another picture y.

    The loss compares x' = draw(content(y), maps(points(x))) with x; y is a warped x, or another frame of the
    same clip. If the data have no such pairs, pictures are warped here (Jakab et al. 2018,
    https://arxiv.org/abs/1806.07823). The paper has no variance; `log_variance` is that of the marginal heat
    maps from which the points are computed.
    """

    Config = KeyNetConfig

    def __init__(self, config: KeyNetConfig):
        super().__init__()
        _check(config)
        self.config = config
        self.grid = grid_size(config)
        widths = config.encoder_channels
        self.pose = Contracting(config.channels, widths, config.num_particles, first_kernel=7)
        self.content = Contracting(config.channels, widths, widths[-1], first_kernel=7)
        inputs = widths[-1] + config.num_particles
        self.draw = Expanding(inputs, [*reversed(widths)], config.channels, config.image_size, each=2)
        self.reconstruction_loss = reconstruction_loss(config.reconstruction)

    def loss(self, batch: Batch) -> Losses:
        image, other_image = _pair_of(batch)
        points = marginal_soft_argmax(self.pose(image).flatten(0, 1)).unflatten(0, (len(image), -1))
        error = self.reconstruction_loss(self._draw(points, self.content(other_image)), image)
        return Losses(error.mean(), {"reconstruction": error})

    def encode(self, image: Image) -> Particles:
        refuse_other_sizes(self.config, image)
        heat = self.pose(image).flatten(0, 1)
        points = marginal_soft_argmax(heat).unflatten(0, (len(image), -1))
        variance = marginal_variance(heat).unflatten(0, (len(image), -1))
        no_features = points[..., :0]
        return Particles(
            position=points,
            log_variance=variance.clamp_min(1e-6).log(),
            features=no_features,
            feature_log_variance=no_features,
            presence=torch.ones_like(points[..., 0]),
            background=no_features[:, 0],
            bypass=self.content(image),
        )

    def decode(self, latent: Particles) -> Image:
        if latent.bypass is None:
            raise UserError("these particles carry no bypass; encode the picture with a KeyNet")
        return self._draw(latent.position, latent.bypass)

    def _draw(self, points: Float[Tensor, "B K 2"], content: Float[Tensor, "B N h w"]) -> Image:
        maps = gaussian_maps(points, self.grid, self.config.point_width / math.sqrt(2))
        return self.draw(torch.cat([content, maps], 1))


def _pair_of(batch: Batch) -> tuple[Image, Image]:
    """The pictures and their partners: the other picture of each pair, or a warped copy if the data have
    no pairs."""
    if batch.prior_image is not None:
        return batch.image, batch.prior_image
    weak, strong, _ = warped_pair(batch.image)
    return weak, strong


def _check(config: KeyNetConfig) -> None:
    least = 2 ** len(config.encoder_channels)
    if min(config.num_particles, config.channels) < 1 or min(config.image_size) < least:
        raise UserError(
            "num_particles and channels must be at least 1, "
            f"image_size {config.image_size} at least {least} a side"
        )
