"""Deep Latent Particles, the masked model: one decoder paints the whole picture.

Inside the particles' disks the decoder reads the particles' codes, outside them the encoder's maps (the
bypass).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.base import Model, Stage, refuse_other_sizes
from motes.models.particles.encoding import DiagonalNormal
from motes.models.particles.followed import FollowingPoints
from motes.models.particles.heat_maps import HeatMaps
from motes.models.particles.parts import MaskedNetworks, SceneCode, check_particle_sizes, prior_image_of
from motes.models.particles.published import PatchPrior
from motes.models.particles.splatted import Splatted
from motes.nn.blocks.conv import initialise
from motes.nn.blocks.grid import grid_size
from motes.ops.densities.divergence import chamfer_kl
from motes.ops.densities.noise import normal_like
from motes.ops.points.keypoints import gaussian_maps
from motes.ops.points.warp import bent, equivariance_error
from motes.types.batch import Batch, Losses
from motes.types.latents import Image, Particles
from motes.weights.reconstruction import reconstruction_loss


@dataclass(frozen=True)
class DlpMaskedConfig:
    """Options of masked Deep Latent Particles: sizes, networks, and the weights of the loss."""

    # rows, columns; multiples of patch_size
    image_size: tuple[int, int] = (128, 128)
    # 1 for grey pictures
    channels: int = 3
    # K, the number of particles
    num_particles: int = 30
    # patch proposals that the particles are drawn to
    num_proposals: int = 50
    # numbers that describe the appearance of a particle
    feature_dim: int = 10
    # side of the prior's patches
    patch_size: int = 8
    # side of a particle's window in the picture; it is cut from the heat maps, where it is smaller
    glimpse_size: int = 16
    # widths of the image network, halving the picture at each but the first
    encoder_channels: tuple[int, ...] = (32, 64, 128, 256)
    # widths of the patch network
    prior_channels: tuple[int, ...] = (16, 32, 64)
    # standard deviation of a particle about its proposal, and width of its map; half a picture is 1
    prior_std: float = 0.1
    # a particle's disk ends where its Gaussian falls below this
    mask_threshold: float = 0.2
    # the reconstruction loss: see motes.weights.reconstruction.RECONSTRUCTIONS
    reconstruction: str = "vgg"
    # weights of the KL of positions (beta_kl) and of features (beta_kl * kl_balance)
    kl_weights: tuple[float, float] = (40.0, 0.04)
    # published: the paper's networks; splatted: smaller ones that move with the picture, learn in
    # minutes, and do not read glimpse_size; followed: these, with points that learn first, from warped copies alone
    architecture: Literal["published", "splatted", "followed"] = "published"
    # weight of the squared distance between particles in a warped picture and the warped particles; 0: as
    # published
    equivariance: float = 0.0


ARCHITECTURES: dict[str, Callable[[DlpMaskedConfig], MaskedNetworks]] = {
    "published": HeatMaps,
    "splatted": Splatted,
    "followed": FollowingPoints,
}
# of the training of points that learn first
POINTS = 0.75
# times the learning rate, which has come down by then: of what is drawn from them
FASTER = 5.0


class MaskedParticles(Model):
    """The masked model of Deep Latent Particles, for faces and other objects without clear borders.

    One decoder paints the picture from three stacks of maps: a Gaussian map for each particle, the
    particles' codes inside their disks, and the encoder's own maps outside the disks (Daniel & Tamar 2022,
    https://arxiv.org/abs/2205.15821).
    """

    Config = DlpMaskedConfig

    networks: MaskedNetworks

    def __init__(self, config: DlpMaskedConfig):
        super().__init__()
        check_particle_sizes(config)
        self.config = config
        self.grid = grid_size(config)
        self.prior = PatchPrior(config)
        initialise(self.prior)
        self.networks = ARCHITECTURES[config.architecture](config)
        self.reconstruction_loss = reconstruction_loss(config.reconstruction)
        self._locate = self._locate_in_bent if config.equivariance > 0 else self._locate_in_plain
        if config.architecture == "followed":
            self._locate = self._located_before

    def stages(self) -> tuple[Stage, ...]:
        networks = self.networks
        if not isinstance(networks, FollowingPoints):
            return super().stages()
        places = networks.place_parameters()
        place_ids = {id(parameter) for parameter in places}
        remaining = tuple(parameter for parameter in self.parameters() if id(parameter) not in place_ids)
        faster = partial(_adam, remaining)
        return (
            Stage("points", POINTS, partial(_place_losses, networks), places),
            Stage("looks", 1 - POINTS, self.loss, remaining, optimizer=faster),
        )

    def loss(self, batch: Batch) -> Losses:
        bypass, position, equivariance = self._locate(batch.image)
        sampled = position.sampled()
        outside = self._outside(sampled)
        features, background = self.networks.appearance(bypass, position.mean.detach(), outside)
        scene = SceneCode(
            sampled,
            features.sampled(),
            background.sampled(),
            self.config.prior_std * normal_like(sampled[:, 0]),
        )
        error = self.reconstruction_loss(self._paint(scene, bypass.detach()), batch.image)
        proposals = self.prior(prior_image_of(batch))
        chamfer = chamfer_kl(position.mean, position.log_variance, proposals, self.config.prior_std)
        feature_kl = features.kl().sum((1, 2)) + background.kl().sum(1)
        return self._losses(
            {
                "reconstruction": error,
                "chamfer_kl": chamfer,
                "feature_kl": feature_kl,
                "equivariance": equivariance,
            }
        )

    def encode(self, image: Image) -> Particles:
        refuse_other_sizes(self.config, image)
        bypass, position = self.networks.locate(image)
        outside = self._outside(position.mean)
        features, background = self.networks.appearance(bypass, position.mean, outside)
        return Particles(
            position=position.mean,
            log_variance=position.log_variance,
            features=features.mean,
            feature_log_variance=features.log_variance,
            presence=torch.ones_like(position.mean[..., 0]),
            background=background.mean,
            bypass=bypass,
        )

    def decode(self, latent: Particles) -> Image:
        if latent.bypass is None:
            raise UserError("these particles carry no bypass; encode the picture with a masked model")
        middle = torch.zeros_like(latent.position[:, 0])
        scene = SceneCode(latent.position, latent.features, latent.background, middle)
        maps = self._maps(latent.position) * latent.presence[..., None, None]
        return self.networks.paint(maps, self._outside(latent.position), scene, latent.bypass)

    def proposals(self, image: Image) -> Float[Tensor, "B M 2"]:
        """The M points that the prior network proposes for each picture."""
        return self.prior(image)

    def _losses(self, terms: dict[str, Float[Tensor, "B"]]) -> Losses:
        beta_position, beta_features = self.config.kl_weights
        total = (
            terms["reconstruction"]
            + beta_position * terms["chamfer_kl"]
            + beta_features * terms["feature_kl"]
            + self.config.equivariance * terms["equivariance"]
        )
        return Losses(total.mean(), terms)

    def _locate_in_plain(self, image: Image) -> tuple[Tensor, DiagonalNormal, Float[Tensor, "B"]]:
        maps, position = self.networks.locate(image)
        return maps, position, image.new_zeros(len(image))

    def _located_before(self, image: Image) -> tuple[Tensor, DiagonalNormal, Float[Tensor, "B"]]:
        """The same with points that have been learnt and stay."""
        maps, position, nothing = self._locate_in_plain(image)
        return maps, DiagonalNormal(position.mean.detach(), position.log_variance.detach()), nothing

    def _locate_in_bent(self, image: Image) -> tuple[Tensor, DiagonalNormal, Float[Tensor, "B"]]:
        """Feature maps, positions, and the equivariance error of each picture.

        The error is the sum of squared distances between the points of a warped picture and the warped points
        of the picture.
        """
        bent_image, weights = bent(image)
        maps, position = self.networks.locate(torch.cat([image, bent_image]))
        mean, followed = position.mean.chunk(2)
        log_variance = position.log_variance[: len(image)]
        distance = equivariance_error(mean, followed, weights)
        return maps[: len(image)], DiagonalNormal(mean, log_variance), distance

    def _maps(self, position: Float[Tensor, "B K 2"]) -> Float[Tensor, "B K h w"]:
        return gaussian_maps(position, self.grid, self.config.prior_std)

    def _outside(self, position: Float[Tensor, "B K 2"]) -> Float[Tensor, "B 1 h w"]:
        """0 where some particle's Gaussian exceeds the threshold, 1 elsewhere."""
        maps = self._maps(position.detach())
        return (maps <= self.config.mask_threshold).all(1, keepdim=True).to(maps.dtype)

    def _paint(self, scene: SceneCode, bypass: Float[Tensor, "B N h w"]) -> Image:
        """The pictures painted with every particle present."""
        return self.networks.paint(self._maps(scene.position), self._outside(scene.position), scene, bypass)


def _place_losses(networks: FollowingPoints, batch: Batch) -> Losses:
    terms = networks.place_losses(batch.image)
    return Losses(torch.stack([term.mean() for term in terms.values()]).sum(), terms)


def _adam(parameters: tuple[nn.Parameter, ...], learning_rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, FASTER * learning_rate)
