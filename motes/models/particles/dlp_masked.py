"""Deep Latent Particles, the masked model: one decoder paints everything, inside the particles from their
code, outside from a by-pass."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, refuse_other_sizes
from motes.models.particles.dlp import check_sizes, prior_image_of
from motes.models.particles.heat_maps import HeatMaps
from motes.models.particles.parts import Normal, SceneCode
from motes.models.particles.published import PatchPrior
from motes.models.particles.splatted import Splatted
from motes.nn.blocks.conv import initialise
from motes.nn.blocks.grid import grid_size
from motes.ops.densities.divergence import chamfer_kl, kl_to_standard_normal, sample_normal
from motes.ops.densities.noise import normal_like
from motes.ops.points.keypoints import gaussian_maps
from motes.ops.points.warp import bent, equivariance_error
from motes.types.batch import Batch, Losses
from motes.types.latents import Image, Particles
from motes.weights.reconstruction import reconstruction_loss


@dataclass(frozen=True)
class DlpMaskedConfig:
    """What a masked particle model is made of and what it is paid for."""

    # rows, columns; multiples of patch_size
    image_size: tuple[int, int] = (128, 128)
    # 1 for grey pictures
    channels: int = 3
    # K
    num_particles: int = 30
    # patch proposals that the particles are drawn to
    num_proposals: int = 50
    # numbers that describe a look
    feature_dim: int = 10
    # of the prior
    patch_size: int = 8
    # side of a particle's window in the picture; it is cut from the heat maps, where it is smaller
    glimpse_size: int = 16
    encoder_channels: tuple[int, ...] = (32, 64, 128, 256)
    prior_channels: tuple[int, ...] = (16, 32, 64)
    # how near a proposal a particle should be, and how wide its map is; half a picture is 1
    prior_std: float = 0.1
    # a particle's disk ends where its Gaussian falls below this
    mask_threshold: float = 0.2
    # what counts as a good picture
    reconstruction: str = "vgg"
    # of positions (beta_kl) and of looks (beta_kl * kl_balance)
    kl_weights: tuple[float, float] = (40.0, 0.04)
    # see ARCHITECTURES
    architecture: Literal["published", "splatted"] = "published"
    # weight of the squared distances from where particles should be in a bent picture; 0: as published
    equivariance: float = 0.0


# name -> networks; the paper's, or smaller ones that move with the picture and learn in minutes (they read
# no glimpse_size)
ARCHITECTURES: dict[str, Callable[[DlpMaskedConfig], Any]] = {
    "published": HeatMaps.from_config,
    "splatted": Splatted.from_config,
}


class MaskedParticles(Model):
    """Gaussian maps, PointNet maps inside the particles' disks, and the encoder's heat maps outside of them,
    to one picture.

    The masked flavour of Daniel & Tamar 2022, https://arxiv.org/abs/2205.15821, for faces and other things
    without clear borders.
    """

    Config = DlpMaskedConfig

    def __init__(self, config: DlpMaskedConfig):
        super().__init__()
        check_sizes(config)
        self.config = config
        self.grid = grid_size(config)
        self.prior = PatchPrior(config)
        initialise(self.prior)
        self.networks = ARCHITECTURES[config.architecture](config)
        self.reconstruction_loss = reconstruction_loss(config.reconstruction)
        self._watch = self._watch_bent if config.equivariance > 0 else self._watch_still

    def loss(self, batch: Batch) -> Losses:
        seen, position, astray = self._watch(batch.image)
        sampled = sample_normal(position.mean, position.log_variance)
        features, background = self.networks.looks(seen, position.mean.detach(), self._outside(sampled))
        code = sample_normal(features.mean, features.log_variance)
        scene = sample_normal(background.mean, background.log_variance)
        wandering = self.config.prior_std * normal_like(sampled[:, 0])
        error = self.reconstruction_loss(
            self._paint(SceneCode(sampled, code, scene, wandering), seen.detach()), batch.image
        )
        proposals = self.prior(prior_image_of(batch))
        chamfer = chamfer_kl(position.mean, position.log_variance, proposals, self.config.prior_std)
        looks = kl_to_standard_normal(features.mean, features.log_variance).sum((1, 2))
        looks = looks + kl_to_standard_normal(background.mean, background.log_variance).sum(1)
        beta_position, beta_looks = self.config.kl_weights
        total = error + beta_position * chamfer + beta_looks * looks + self.config.equivariance * astray
        terms = {"reconstruction": error, "chamfer_kl": chamfer, "feature_kl": looks, "equivariance": astray}
        return Losses(total.mean(), terms)

    def encode(self, image: Image) -> Particles:
        refuse_other_sizes(self.config, image)
        seen, position = self.networks.see(image)
        features, background = self.networks.looks(seen, position.mean, self._outside(position.mean))
        return Particles(
            position=position.mean,
            log_variance=position.log_variance,
            features=features.mean,
            feature_log_variance=features.log_variance,
            presence=torch.ones_like(position.mean[..., 0]),
            background=background.mean,
            bypass=seen,
        )

    def decode(self, latent: Particles) -> Image:
        if latent.bypass is None:
            raise UserError("these particles carry no by-pass; encode the picture with a masked model")
        still = torch.zeros_like(latent.position[:, 0])
        return self._paint(
            SceneCode(latent.position, latent.features, latent.background, still),
            latent.bypass,
            latent.presence,
        )

    def proposals(self, image: Image) -> Float[Tensor, "B M 2"]:
        return self.prior(image)

    def _watch_still(self, image: Image) -> tuple[Tensor, Normal, Float[Tensor, "B"]]:
        return *self.networks.see(image), image.new_zeros(len(image))

    def _watch_bent(self, image: Image) -> tuple[Tensor, Normal, Float[Tensor, "B"]]:
        """And how far particles are from where they should be, once the picture is bent."""
        away, weights = bent(image)
        seen, both = self.networks.see(torch.cat([image, away]))
        mean, followed = both.mean.chunk(2)
        log_variance = both.log_variance[: len(image)]
        return seen[: len(image)], Normal(mean, log_variance), equivariance_error(mean, followed, weights)

    def _outside(self, position: Float[Tensor, "B K 2"]) -> Float[Tensor, "B 1 h w"]:
        """0 where some particle's Gaussian exceeds the threshold, 1 elsewhere."""
        maps = gaussian_maps(position.detach(), self.grid, self.config.prior_std)
        return (maps <= self.config.mask_threshold).all(1, keepdim=True).to(maps.dtype)

    def _paint(self, code: SceneCode, bypass: Tensor, presence: Tensor | None = None) -> Image:
        maps = gaussian_maps(code.position, self.grid, self.config.prior_std)
        if presence is not None:
            maps = maps * presence[..., None, None]
        return self.networks.paint(maps, self._outside(code.position), code, bypass)
