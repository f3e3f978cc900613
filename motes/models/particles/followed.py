"""The masked model's networks whose points follow the picture: they learn from warped and relit copies alone.

A point is where its map is, whatever the picture's light; in a warped copy of a picture it must be where the warp puts it.
This needs no drawing, so thousands of steps fit into minutes. What is drawn is learnt afterwards, from points that stay.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.models.particles.encoding import DiagonalNormal
from motes.models.particles.parts import HeatMapSizes
from motes.models.particles.splatted import CONTENT, Splatted
from motes.nn.blocks.conv import Contracting
from motes.nn.blocks.point_maps import PointMaps
from motes.ops.pictures.relit import relit
from motes.ops.points.keypoints import expected_points
from motes.ops.points.warp import Warps, bent, warped_points
from motes.types.latents import Image

WIDTHS = (24, 48, 64)
# points are found in pictures of at most so many pixels a side
SIDE = 64
# of heat maps: they are nearly flat at first, and flat maps learn slowly
SHARPNESS = 8.0
# pictures that differ less than this are not told from noise
LEAST_CONTRAST = 0.05
WARPS = Warps(bend=0.0, bend_some=0.01, shift=0.15, scale=0.2, turn=15.0, weak=0.0)
# weight and width of the penalty of points that are near each other
SEPARATION = 0.005
NEAR = 0.1
LEAST_VARIANCE = 1e-4


class FollowingPoints(Splatted):
    """Points z_k from softmaxes of maps of their own, and features as in `Splatted`.

    The points learn |z_k(x) - g(z_k(x bent by g))|^2 (Thewlis et al. 2017, https://arxiv.org/abs/1705.02193) from two
    relit copies of each picture. The variance of a point is that of its map, with a scale and a power of its own, by the
    likelihood of these differences.
    """

    def __init__(self, config: HeatMapSizes):
        super().__init__(config)
        self.image = Contracting(config.channels, config.encoder_channels, CONTENT, first_kernel=7)
        self.maps = PointMaps(config.channels, WIDTHS, self.count)
        self.spread = _Spread(self.count)

    def locate(self, image: Image) -> tuple[Float[Tensor, "B n h w"], DiagonalNormal]:
        return self.image(image), self.places(image)

    def places(self, image: Float[Tensor, "B C H W"]) -> DiagonalNormal:
        maps = SHARPNESS * self.maps(_seen(image))
        density = maps.flatten(2).float().softmax(2).unflatten(2, maps.shape[2:])
        points, variance = expected_points(density)
        # from the middles of the outermost cells to the picture's edges
        inner = 1 - 1 / torch.tensor(maps.shape[2:], dtype=points.dtype, device=points.device)
        return DiagonalNormal(inner * points, self.spread(inner.square() * variance.detach()))

    def place_parameters(self) -> tuple[nn.Parameter, ...]:
        return (*self.maps.parameters(), *self.spread.parameters())

    def place_losses(self, image: Image) -> dict[str, Float[Tensor, "B"]]:
        """Of each picture: how far points are from where warps put them, how near to each other, and how unlikely."""
        small = _small(image)
        away, weights = bent(small, WARPS)
        places = self.places(torch.cat([relit(small), relit(away)]))
        here, there = places.mean.chunk(2)
        difference = warped_points(there, weights) - here
        variance = torch.stack(places.log_variance.exp().chunk(2)).sum(0)
        unlikely = difference.detach().square() / variance + variance.log()
        squares = (here[:, :, None] - here[:, None]).square().sum(-1)
        near = torch.exp(-squares / (2 * NEAR**2)).sum((1, 2)) / self.count - 1
        return {
            "equivariance": difference.square().sum(2).mean(1),
            "separation": SEPARATION * near,
            "unlikelihood": unlikely.mean((1, 2)) / 2,
        }


class _Spread(nn.Module):
    """The log-variance of each point from the variance of its map."""

    def __init__(self, points: int):
        super().__init__()
        # maps are wider than their errors
        self.scale = nn.Parameter(torch.full((points, 2), -1.5))
        self.power = nn.Parameter(torch.ones(points, 2))

    def forward(self, variance: Float[Tensor, "B K 2"]) -> Float[Tensor, "B K 2"]:
        return self.scale + self.power * (variance + LEAST_VARIANCE).log()


def _small(image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C h w"]:
    """The picture with sides of at most SIDE pixels, both by the same factor."""
    longer = max(image.shape[2:])
    if longer <= SIDE:
        return image
    height, width = (max(round(side * SIDE / longer), 1) for side in image.shape[2:])
    return F.adaptive_avg_pool2d(image, (height, width))


def _seen(image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C h w"]:
    """What the maps are made of: each colour around its mean, in units of its contrast."""
    small = _small(image)
    mean = small.mean((2, 3), keepdim=True)
    contrast = (small - mean).square().mean((2, 3), keepdim=True).sqrt()
    return (small - mean) / (contrast + LEAST_CONTRAST)
