"""An autoencoder through landmarks: maps that are sharp, apart, and follow when the picture is bent; a few
numbers of look at each."""

import math
from dataclasses import dataclass
from functools import partial

import torch
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

STRONGER = (
    1.0,
    100.0,
    1000.0,
)  # the picture's weight in the three parts of the training: places first, looks later


@dataclass(frozen=True)
class ZhangConfig:
    """What a landmark autoencoder is made of and what it is paid for. Widths are in halves of a picture."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1 for grey pictures
    channels: int = 3
    # K
    num_particles: int = 30
    # numbers that describe a look
    feature_dim: int = 8
    # of the hourglasses; each further one halves the picture
    widths: tuple[int, ...] = (32, 64, 64, 64)
    # standard deviation of a point's finest map
    point_width: float = 0.1
    # maps of a point, each 1.4 times as wide as the one before
    levels: int = 3
    # of the squared error at first; times 100 and 1,000 in the second and the last third
    picture_weight: float = 0.1
    # weight of the maps' areas
    concentration: float = 100.0
    # weight of points that come nearer to each other than this
    separation: tuple[float, float] = (10.0, 0.08)
    # weight of the squared distance from where a point should be in a bent picture
    equivariance: float = 2500.0


class LandmarkAutoencoder(Model):
    """Zhang et al. 2018, "Unsupervised Discovery of Object Landmarks as Structural Representations",
    https://arxiv.org/abs/1804.04412.

    D = softmax over K + 1 channels; z_k the mean and s_k^2 the variance of D_k as a density; looks pooled
    under N(z_k, s_k^2); w |x - x'|^2 + c sum 2 pi e s_k^2 + a sum_kj exp(-|z_k - z_j|^2 / 2 r^2) + e sum
    |z_k - g(z_k(x bent by g))|^2.
    """

    Config = ZhangConfig

    def __init__(self, config: ZhangConfig):
        super().__init__()
        check(config)
        self.config = config
        count = config.num_particles
        width = config.widths[-1]
        self.detect = Hourglass(config.channels, config.widths, count + 1)
        self.look = Hourglass(config.channels, config.widths, width)
        self.squeeze = nn.Parameter(torch.randn(count + 1, width, config.feature_dim) / math.sqrt(width))
        self.unfold = nn.Parameter(
            torch.randn(count + 1, config.feature_dim, width) / math.sqrt(config.feature_dim)
        )
        self.draw = Hourglass(config.levels * (width + count + 1), config.widths, config.channels)

    def stages(self) -> tuple[Stage, ...]:
        learners = tuple(self.parameters())
        return tuple(
            Stage(
                f"picture x {factor:g}",
                1 / len(STRONGER),
                partial(self._loss, factor * self.config.picture_weight),
                learners,
            )
            for factor in STRONGER
        )

    def loss(self, batch: Batch) -> Losses:
        return self._loss(STRONGER[-1] * self.config.picture_weight, batch)

    def encode(self, image: Image) -> Particles:
        refuse_other_sizes(self.config, image)
        points, variance = expected_points(self._maps(image))
        looks = self._looks(image, points, variance)
        return Particles(
            position=points,
            log_variance=variance.clamp_min(1e-6).log(),
            features=looks[:, :-1],
            feature_log_variance=torch.zeros_like(looks[:, :-1]),
            presence=torch.ones_like(points[..., 0]),
            background=looks[:, -1],
        )

    def decode(self, latent: Particles) -> Image:
        return self._draw(latent.position, torch.cat([latent.features, latent.background[:, None]], 1))

    def _loss(self, picture_weight: float, batch: Batch) -> Losses:
        config = self.config
        image = batch.image
        away, weights = bent(image)
        points, variance = expected_points(self._maps(torch.cat([image, away])))
        points, followed = points.chunk(2)
        variance = variance.chunk(2)[0]
        error = squared_error(self._draw(points, self._looks(image, points, variance)), image)
        terms = {
            "reconstruction": error,
            "concentration": 2
            * math.pi
            * math.e
            * variance.mean(2).sum(1)
            / 4,  # in pictures, as the paper counts
            "separation": crowding(points, config.separation[1]),
            "equivariance": equivariance_error(points, followed, weights),
        }
        costs = (picture_weight, config.concentration, config.separation[0], config.equivariance)
        total = sum(
            (weight * term.mean() for weight, term in zip(costs, terms.values(), strict=True)),
            start=error.new_zeros(()),
        )
        return Losses(total, terms)

    def _maps(self, image: Image) -> Float[Tensor, "B K H W"]:
        return self.detect(image).softmax(1)[:, :-1]

    def _looks(
        self, image: Image, points: Float[Tensor, "B K 2"], variance: Float[Tensor, "B K 2"]
    ) -> Float[Tensor, "B n F"]:
        """Means of a feature map under each point's own Gaussian, and of all of it; squeezed, differently
        for each point."""
        features = self.look(image)
        spread = variance.mean(2, keepdim=True).clamp_min(1e-4).sqrt()
        maps = gaussian_maps(points, self.config.image_size, spread)
        maps = torch.cat([maps, torch.ones_like(maps[:, :1])], 1)
        maps = maps / maps.sum((2, 3), keepdim=True).clamp_min(1e-6)
        pooled = torch.einsum("bkhw,bnhw->bkn", maps, features)
        return nn.functional.leaky_relu(torch.einsum("bkn,knf->bkf", pooled, self.squeeze), 0.01)

    def _draw(self, points: Float[Tensor, "B K 2"], looks: Float[Tensor, "B n F"]) -> Image:
        unfolded = nn.functional.leaky_relu(torch.einsum("bkf,kfn->bkn", looks, self.unfold), 0.01)
        layers = []
        for level in range(self.config.levels):
            width = self.config.point_width * 2 ** (level / 2)
            maps = gaussian_maps(points, self.config.image_size, width) / (2 * math.pi * width**2)
            maps = torch.cat(
                [maps, torch.full_like(maps[:, :1], 0.25)], 1
            )  # the background is as dense everywhere: 1 over its area
            maps = maps / maps.sum(1, keepdim=True)
            layers += [maps, torch.einsum("bkhw,bkn->bnhw", maps, unfolded)]
        return torch.sigmoid(self.draw(torch.cat(layers, 1)))


def crowding(points: Float[Tensor, "B K 2"], width: float) -> Float[Tensor, "B"]:
    """sum over pairs of exp(-|z_k - z_j|^2 / 2 width^2), each pair twice."""
    square = (points[:, :, None] - points[:, None]).square().sum(-1)
    return torch.exp(-square / (2 * width**2)).sum((1, 2)) - points.shape[1]


def check(config: ZhangConfig) -> None:
    least = 2 ** len(config.widths)
    if (
        min(config.num_particles, config.channels, config.feature_dim, config.levels) < 1
        or min(config.image_size) < least
    ):
        raise UserError(
            f"counts must be at least 1 and image_size {config.image_size} at least {least} a side"
        )
