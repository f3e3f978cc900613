"""Deep Latent Particles, the masked model: one decoder paints everything, inside the particles from their code, outside from a by-pass."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, refuse_other_sizes
from motes.models.dlp import check_sizes, prior_image_of
from motes.nn.conv import Contracting, initialise, mlp
from motes.nn.parts import Normal
from motes.nn.perceptual import reconstruction_loss
from motes.nn.pointnet import PointNetMaps
from motes.nn.published import PatchPrior, grid_size, place_particles, relate, scene_network
from motes.ops.divergence import chamfer_kl, kl_to_standard_normal, sample_normal
from motes.ops.glimpse import cut
from motes.ops.keypoints import gaussian_maps
from motes.ops.noise import normal_like
from motes.ops.types import Batch, Image, Losses, Particles


@dataclass(frozen=True)
class Config:
    """What a masked particle model is made of and what it is paid for."""

    image_size: tuple[int, int] = (128, 128)  # rows, columns; multiples of patch_size
    channels: int = 3  # 1 for grey pictures
    num_particles: int = 30  # K
    num_proposals: int = 50  # patch proposals that the particles are drawn to
    feature_dim: int = 10  # numbers that describe a look
    patch_size: int = 8  # of the prior
    glimpse_size: int = 16  # side of a particle's window in the picture; it is cut from the heat maps, where it is smaller
    encoder_channels: tuple[int, ...] = (32, 64, 128, 256)
    prior_channels: tuple[int, ...] = (16, 32, 64)
    prior_std: float = 0.1  # how near a proposal a particle should be, and how wide its map is; half a picture is 1
    mask_threshold: float = 0.2  # a particle's disk ends where its Gaussian falls below this
    reconstruction: str = "vgg"  # what counts as a good picture
    kl_weights: tuple[float, float] = (40.0, 0.04)  # of positions (beta_kl) and of looks (beta_kl * kl_balance)
    background_in_kl: bool = False  # count the fixed background particle in the Chamfer-KL, as some published numbers do


class MaskedParticles(Model):
    """Gaussian maps, PointNet maps inside the particles' disks, and the encoder's heat maps outside of them, to one picture.

    The masked flavour of Daniel & Tamar 2022, https://arxiv.org/abs/2205.15821, for faces and other things without clear borders.
    """

    Config = Config

    def __init__(self, config: Config):
        super().__init__()
        check_sizes(config)
        self.config = config
        self.grid = grid_size(config)
        count, looks = config.num_particles, 2 * config.feature_dim
        heat = count * self.grid[0] * self.grid[1]
        self.side = max(round(config.glimpse_size / (min(config.image_size) - 1) * (min(self.grid) - 1)), 1)
        self.prior = PatchPrior(config)
        self.image = Contracting(config.channels, config.encoder_channels, count, first_kernel=7)
        self.position = mlp(heat, 256, 128, 4 * count)
        self.around = mlp(heat, 256, 128, looks)
        self.look = mlp(count * self.side**2 + 2, 256, 128, looks)
        self.pointnet = PointNetMaps(config.feature_dim + 2, count, self.grid)
        self.scene = scene_network(config, 3 * count)
        self.reconstruction_loss = reconstruction_loss(config.reconstruction)
        initialise(self)

    def loss(self, batch: Batch) -> Losses:
        heat, position = self._places(batch.image)
        features, background = self._looks(heat, position.mean.detach(), sampled := sample_normal(position.mean, position.log_variance))
        code = sample_normal(features.mean, features.log_variance)
        scene = sample_normal(background.mean, background.log_variance)
        wandering = self.config.prior_std * normal_like(sampled[:, 0])
        error = self.reconstruction_loss(self._paint(sampled, code, scene, wandering, heat.detach()), batch.image)
        chamfer = self._chamfer(position, self.prior(prior_image_of(batch)))
        looks = kl_to_standard_normal(features.mean, features.log_variance).sum((1, 2))
        looks = looks + kl_to_standard_normal(background.mean, background.log_variance).sum(1)
        beta_position, beta_looks = self.config.kl_weights
        total = error + beta_position * chamfer + beta_looks * looks
        return Losses(total.mean(), {"reconstruction": error, "chamfer_kl": chamfer, "feature_kl": looks})

    def encode(self, image: Image) -> Particles:
        refuse_other_sizes(self.config, image)
        heat, position = self._places(image)
        features, background = self._looks(heat, position.mean, position.mean)
        return Particles(
            position=position.mean,
            log_variance=position.log_variance,
            features=features.mean,
            feature_log_variance=features.log_variance,
            presence=torch.ones_like(position.mean[..., 0]),
            background=background.mean,
            bypass=heat,
        )

    def decode(self, latent: Particles) -> Image:
        if latent.bypass is None:
            raise UserError("these particles carry no by-pass; encode the picture with a masked model")
        return self._paint(
            latent.position,
            latent.features,
            latent.background,
            torch.zeros_like(latent.position[:, 0]),
            latent.bypass,
            latent.presence,
        )

    def proposals(self, image: Image) -> Float[Tensor, "B M 2"]:
        return self.prior(image)

    def _places(self, image: Image) -> tuple[Float[Tensor, "B K h w"], Normal]:
        heat = self.image(image)
        return heat, place_particles(self.position, heat)

    def _looks(self, heat: Tensor, where: Float[Tensor, "B K 2"], masked_at: Float[Tensor, "B K 2"]) -> tuple[Normal, Normal]:
        """Appearance from the heat maps around each mean, and the background's from what the disks leave."""
        heat = heat.detach()
        glimpses = cut(heat, where.detach(), self.side).flatten(2)
        features = self.look(torch.cat([glimpses, where.detach()], -1))
        around = self.around(((1 - self._disks(masked_at)) * heat).flatten(1))
        return Normal(*features.chunk(2, -1)), Normal(*around.chunk(2, -1))

    def _disks(self, position: Float[Tensor, "B K 2"]) -> Float[Tensor, "B 1 h w"]:
        """1 where some particle's Gaussian exceeds the threshold."""
        maps = gaussian_maps(position.detach(), self.grid, self.config.prior_std)
        return (maps > self.config.mask_threshold).any(1, keepdim=True).to(maps.dtype)

    def _paint(
        self,
        position: Tensor,
        features: Tensor,
        background: Tensor,
        wandering: Tensor,
        bypass: Tensor,
        presence: Tensor | None = None,
    ) -> Image:
        maps = gaussian_maps(position, self.grid, self.config.prior_std)
        if presence is not None:
            maps = maps * presence[..., None, None]
        inside = self._disks(position)
        related = relate(self.pointnet, position, features, background, wandering)
        return self.scene(torch.cat([maps, inside * related, (1 - inside) * bypass], 1))

    def _chamfer(self, position: Normal, proposals: Tensor) -> Float[Tensor, "B"]:
        mean, log_variance = position.mean, position.log_variance
        if self.config.background_in_kl:
            fixed = torch.full_like(log_variance[:, :1], 2 * torch.tensor(self.config.prior_std).log().item())
            mean, log_variance = (
                torch.cat([mean, torch.zeros_like(mean[:, :1])], 1),
                torch.cat([log_variance, fixed], 1),
            )
        return chamfer_kl(mean, log_variance, proposals, self.config.prior_std)
