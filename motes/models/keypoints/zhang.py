"""An autoencoder that passes a picture through sharp, separate landmarks, with a few features at each.

The landmarks are equivariant: they move with the picture when it is warped.
"""

import math
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.base import Model, Stage, refuse_other_sizes
from motes.nn.blocks.hourglass import Hourglass
from motes.ops.pictures.image_loss import squared_error
from motes.ops.points.keypoints import expected_points, gaussian_maps
from motes.ops.points.warp import bent, equivariance_error
from motes.types.batch import Batch, Losses
from motes.types.latents import Image, Particles

# factors of the picture's weight in the three parts of the training: positions first, appearance later
PICTURE_FACTORS = (1.0, 100.0, 1000.0)
BACKGROUND_DENSITY = 0.25  # the same everywhere: 1 over the area of [-1, 1]^2


@dataclass(frozen=True)
class ZhangConfig:
    """Options of a landmark autoencoder, and the weights of its loss. Widths are in halves of a picture."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1 for grey pictures
    channels: int = 3
    # K, the number of landmarks
    num_particles: int = 30
    # numbers that describe the appearance at a landmark
    feature_dim: int = 8
    # channels of the hourglasses; each further one halves the picture
    widths: tuple[int, ...] = (32, 64, 64, 64)
    # standard deviation of a point's finest map
    point_width: float = 0.1
    # number of maps of a point, each 1.4 times as wide as the one before
    levels: int = 3
    # weight of the squared error at first; times 100 and 1,000 in the second and the last third
    picture_weight: float = 0.1
    # weight of the maps' areas
    concentration: float = 100.0
    # weight and width of the penalty of points that are near each other
    separation: tuple[float, float] = (10.0, 0.08)
    # weight of the squared distance between a point in a warped picture and the warped point
    equivariance: float = 2500.0


class LandmarkAutoencoder(Model):
    """An autoencoder that passes a picture x through K landmarks z_k and their features, and draws x' from
    these.

    D is a softmax over K + 1 channels; z_k is the mean and s_k^2 the variance of channel D_k as a density;
    features are averaged under N(z_k, s_k^2). The loss is w |x - x'|^2 + c sum 2 pi e s_k^2 + a sum_kj
    exp(-|z_k - z_j|^2 / 2 r^2) + e sum |z_k - g(z_k(x bent by g))|^2, with weights w, c, a, e, a width r and
    a random warp g (Zhang et al. 2018, "Unsupervised Discovery of Object Landmarks as Structural
    Representations", https://arxiv.org/abs/1804.04412).
    """

    Config = ZhangConfig

    def __init__(self, config: ZhangConfig):
        super().__init__()
        _check(config)
        self.config = config
        count = config.num_particles + 1
        numbers = config.feature_dim
        width = config.widths[-1]
        self.detect = Hourglass(config.channels, config.widths, count)
        self.look = Hourglass(config.channels, config.widths, width)
        self.squeeze = nn.Parameter(torch.randn(count, width, numbers) / math.sqrt(width))
        self.unfold = nn.Parameter(torch.randn(count, numbers, width) / math.sqrt(numbers))
        self.draw = Hourglass(config.levels * (width + count), config.widths, config.channels)

    def stages(self) -> tuple[Stage, ...]:
        share = 1 / len(PICTURE_FACTORS)
        learning = tuple(self.parameters())
        return tuple(
            Stage(f"picture x {factor:g}", share, partial(self._weighted_loss, factor), learning)
            for factor in PICTURE_FACTORS
        )

    def loss(self, batch: Batch) -> Losses:
        return self._weighted_loss(PICTURE_FACTORS[-1], batch)

    def encode(self, image: Image) -> Particles:
        refuse_other_sizes(self.config, image)
        points, variance = expected_points(self._maps(image))
        features = self._features(image, points, variance)
        return Particles(
            position=points,
            log_variance=variance.clamp_min(1e-6).log(),
            features=features[:, :-1],
            feature_log_variance=torch.zeros_like(features[:, :-1]),
            presence=torch.ones_like(points[..., 0]),
            background=features[:, -1],
        )

    def decode(self, latent: Particles) -> Image:
        features = torch.cat([latent.features, latent.background[:, None]], 1)
        return self._draw(latent.position, features)

    def _weighted_loss(self, factor: float, batch: Batch) -> Losses:
        """The loss, with the weight of the reconstruction error multiplied by `factor`."""
        config = self.config
        image = batch.image
        bent_image, weights = bent(image)
        points, variance = expected_points(self._maps(torch.cat([image, bent_image])))
        points, followed = points.chunk(2)
        variance = variance.chunk(2)[0]
        error = squared_error(self._draw(points, self._features(image, points, variance)), image)
        # a quarter: in pictures, as the paper counts
        area = 2 * math.pi * math.e * variance.mean(2).sum(1) / 4
        terms = {
            "reconstruction": error,
            "concentration": area,
            "separation": separation_penalty(points, config.separation[1]),
            "equivariance": equivariance_error(points, followed, weights),
        }
        costs = (
            factor * config.picture_weight,
            config.concentration,
            config.separation[0],
            config.equivariance,
        )
        weighted = (cost * term.mean() for cost, term in zip(costs, terms.values(), strict=True))
        return Losses(sum(weighted, start=error.new_zeros(())), terms)

    def _maps(self, image: Image) -> Float[Tensor, "B K H W"]:
        return self.detect(image).softmax(1)[:, :-1]

    def _features(
        self, image: Image, points: Float[Tensor, "B K 2"], variance: Float[Tensor, "B K 2"]
    ) -> Float[Tensor, "B n F"]:
        """Features at each point: a feature map averaged under the point's Gaussian, then reduced by the
        point's matrix.

        The last row holds the features of the background, averaged over the whole map.
        """
        features = self.look(image)
        pooled = torch.einsum("bkhw,bnhw->bkn", self._weights(points, variance), features)
        return F.leaky_relu(torch.einsum("bkn,knf->bkf", pooled, self.squeeze), 0.01)

    def _weights(
        self, points: Float[Tensor, "B K 2"], variance: Float[Tensor, "B K 2"]
    ) -> Float[Tensor, "B n h w"]:
        """The weight of each pixel in the average for each point, and last in the average over the whole
        map."""
        spread = variance.mean(2, keepdim=True).clamp_min(1e-4).sqrt()
        maps = gaussian_maps(points, self.config.image_size, spread)
        maps = torch.cat([maps, torch.ones_like(maps[:, :1])], 1)
        return maps / maps.sum((2, 3), keepdim=True).clamp_min(1e-6)

    def _draw(self, points: Float[Tensor, "B K 2"], features: Float[Tensor, "B n F"]) -> Image:
        unfolded = F.leaky_relu(torch.einsum("bkf,kfn->bkn", features, self.unfold), 0.01)
        layers = []
        for level in range(self.config.levels):
            maps = self._densities(points, self.config.point_width * 2 ** (level / 2))
            layers += [maps, torch.einsum("bkhw,bkn->bnhw", maps, unfolded)]
        return torch.sigmoid(self.draw(torch.cat(layers, 1)))

    def _densities(self, points: Float[Tensor, "B K 2"], width: float) -> Float[Tensor, "B n H W"]:
        """The share of each pixel that each point has, and last the share of the background."""
        maps = gaussian_maps(points, self.config.image_size, width) / (2 * math.pi * width**2)
        maps = torch.cat([maps, torch.full_like(maps[:, :1], BACKGROUND_DENSITY)], 1)
        return maps / maps.sum(1, keepdim=True)


def separation_penalty(points: Float[Tensor, "B K 2"], width: float) -> Float[Tensor, "B"]:
    """The sum of exp(-|z_k - z_j|^2 / 2 width^2) over all pairs of points z_k, z_j; each pair counts
    twice."""
    square = (points[:, :, None] - points[:, None]).square().sum(-1)
    return torch.exp(-square / (2 * width**2)).sum((1, 2)) - points.shape[1]


def _check(config: ZhangConfig) -> None:
    least = 2 ** len(config.widths)
    counts = (config.num_particles, config.channels, config.feature_dim, config.levels)
    if min(counts) < 1 or min(config.image_size) < least:
        raise UserError(
            f"counts must be at least 1 and image_size {config.image_size} at least {least} a side"
        )
