"""The networks of the 2022 paper, which can load its weights: one MLP reads all positions from all heat
maps."""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.models.particles.encoding import DiagonalNormal, Encoding
from motes.models.particles.parts import HeatMapSizes, OneSize, ParticleDecoder
from motes.nn.blocks.conv import Contracting, Expanding, initialise
from motes.nn.blocks.grid import grid_size
from motes.nn.blocks.mlp import mlp
from motes.nn.blocks.pointnet import PointNetMaps
from motes.ops.points.keypoints import (
    box_masks,
    farthest_first,
    gaussian_maps,
    marginal_soft_argmax,
    patch_to_image,
    split_patches,
    take,
)
from motes.ops.rendering.composite import shares
from motes.ops.rendering.glimpse import box_windows, cut_glimpses
from motes.types.latents import Image

GLIMPSE_WIDTHS = (16, 16, 32)


class PublishedEncoder(nn.Module):
    """The paper's encoder: proposals from patches; positions, presence and background from heat maps.

    Features are read from glimpses cut at the mean positions.
    """

    def __init__(self, config: HeatMapSizes):
        super().__init__()
        self.size = config.image_size
        self.side = config.glimpse_size
        self.grid = grid_size(config)
        numbers = 2 * config.feature_dim
        count = config.num_particles
        heat = count * self.grid[0] * self.grid[1]
        self.prior = PatchPrior(config)
        self.image = Contracting(config.channels, config.encoder_channels, count, first_kernel=7)
        self.position = mlp(heat, 256, 128, 4 * count)
        self.presence = mlp(heat, 256, 128, count)
        self.around = mlp(heat, 256, 128, numbers)
        self.glimpse = Contracting(config.channels, GLIMPSE_WIDTHS, GLIMPSE_WIDTHS[-1])
        self.look = mlp(GLIMPSE_WIDTHS[-1] * (-(-self.side // 4)) ** 2, 256, 128, numbers)
        initialise(self)

    def presence_parameters(self) -> list[nn.Parameter]:
        """The parameters of the presence network, which learn from the painted picture alone."""
        return list(self.presence.parameters())

    def forward(self, image: Image, prior_image: Image | None, decoder: ParticleDecoder) -> Encoding:
        heat = self.image(image)
        position = place_particles(self.position, heat)
        presence = torch.sigmoid(self.presence(heat.detach().flatten(1)))
        mean = position.mean.detach()
        glimpses = self._glimpses(image, mean, presence)
        features = self.look(self.glimpse(glimpses.flatten(0, 1)).flatten(1)).unflatten(0, presence.shape)
        covered = box_masks(mean, self._box_side(), self.grid)
        around = self.around(((1 - covered.amax(1, keepdim=True)) * heat.detach()).flatten(1))
        return Encoding(
            None if prior_image is None else self.prior(prior_image),
            position,
            presence,
            DiagonalNormal(*features.chunk(2, -1)),
            DiagonalNormal(*around.chunk(2, -1)),
            glimpses,
        )

    def _glimpses(
        self, image: Image, position: Float[Tensor, "B K 2"], presence: Float[Tensor, "B K"]
    ) -> Float[Tensor, "B K C S S"]:
        return cut_glimpses(image, position, self.side)

    def _box_side(self) -> int:
        """The glimpse's side on the heat maps' grid."""
        return round(self.side / (min(self.size) - 1) * (min(self.grid) - 1))


class ExclusiveEncoder(PublishedEncoder):
    """An encoder in which a particle reads only the part of each pixel that the boxes before it leave.

    The less presence a particle has, the more it leaves to later ones.
    """

    def presence_parameters(self) -> list[nn.Parameter]:
        """An empty list: presence also learns from the glimpses, since it decides how they are shared out."""
        return []

    def _glimpses(
        self, image: Image, position: Float[Tensor, "B K 2"], presence: Float[Tensor, "B K"]
    ) -> Float[Tensor, "B K C S S"]:
        windows = box_windows(position, self.side, self.size)
        return cut_glimpses(image, position, self.side, shares(windows, presence, self.size))


class PatchPrior(nn.Module):
    """Finds one point in each patch, and proposes the points that lie farthest from the middle of their
    patch.

    A flat patch gives its middle.
    """

    def __init__(self, config: HeatMapSizes):
        super().__init__()
        self.patch = config.patch_size
        self.size = config.image_size
        self.count = config.num_proposals
        self.network = Contracting(config.channels, config.prior_channels, 1)

    def forward(self, image: Image) -> Float[Tensor, "B M 2"]:
        heat = self.network(split_patches(image, self.patch))[:, 0]
        local = rearrange(marginal_soft_argmax(heat), "(b p) d -> b p d", b=image.shape[0])
        # distances are compared in the picture's frame, where a patch of an oblong picture is oblong
        points = patch_to_image(local, self.patch, self.size)
        middles = patch_to_image(torch.zeros_like(local), self.patch, self.size)
        return take(points, farthest_first(points - middles, self.count))


class PublishedDecoder(OneSize, nn.Module):
    """The paper's decoder: glimpses by up-convolution; the background from Gaussian maps and a PointNet.

    The PointNet reads all particles.
    """

    # the paper's background starts from no pictures
    starts_from = 0

    def __init__(self, config: HeatMapSizes):
        super().__init__()
        self.std = config.prior_std
        self.grid = grid_size(config)
        side = config.glimpse_size
        count = config.num_particles
        self.pointnet = PointNetMaps(config.feature_dim + 2, count, self.grid)
        self.scene = scene_network(config, 2 * count)
        doublings = max((-(-side // 8) - 1).bit_length(), 0)
        self.unfold = nn.Sequential(
            nn.Linear(config.feature_dim, 256), nn.ReLU(), nn.Linear(256, 2048), nn.ReLU()
        )
        self.draw = Expanding(32, [*[64] * doublings, 32], config.channels + 1, (side, side))
        initialise(self)

    def background_parameters(self) -> list[nn.Parameter]:
        return [*self.pointnet.parameters(), *self.scene.parameters()]

    def glimpses(self, features: Float[Tensor, "B K F"]) -> Float[Tensor, "B K D S S"]:
        code = self.unfold(features.flatten(0, 1)).unflatten(1, (32, 8, 8))
        return torch.sigmoid(self.draw(code)).unflatten(0, features.shape[:2])

    def background(
        self, position: Tensor, features: Tensor, background: Tensor, background_position: Tensor
    ) -> Image:
        maps = gaussian_maps(position, self.grid, self.std)
        related = relate(self.pointnet, position, features.detach(), background, background_position)
        return self.scene(torch.cat([maps, related], 1))

    def background_error(self, background: Float[Tensor, "B F"], image: Image) -> Float[Tensor, "B"]:
        return torch.zeros_like(background[:, 0])

    def start(self, pictures: Image) -> None:
        """Do nothing: this background starts from random weights."""


def place_particles(head: nn.Module, heat: Float[Tensor, "B K h w"]) -> DiagonalNormal:
    """The particles' positions, computed by `head` from all heat maps at once.

    Single precision is always used: the eight bits of bfloat16 are half a pixel in a picture of 256 pixels a
    side.
    """
    with torch.autocast(heat.device.type, enabled=False):
        numbers = head(heat.flatten(1).to(torch.promote_types(heat.dtype, torch.float32)))
    mean, log_variance = rearrange(numbers, "b (k two d) -> two b k d", two=2, d=2)
    return DiagonalNormal(torch.tanh(mean), log_variance)


def relate(
    pointnet: PointNetMaps,
    position: Float[Tensor, "B K 2"],
    features: Float[Tensor, "B K F"],
    background: Float[Tensor, "B F"],
    background_position: Float[Tensor, "B 2"],
) -> Float[Tensor, "B M h w"]:
    """Maps that the PointNet makes of all particles and, as one more node, the background.

    No gradient reaches the positions from here.
    """
    positions = torch.cat([position, background_position[:, None]], 1).detach()
    nodes = torch.cat([features, background[:, None]], 1)
    return pointnet(positions, torch.cat([positions, nodes], -1))


def scene_network(config: HeatMapSizes, maps: int) -> Expanding:
    """The network that draws a picture from `maps` maps on the grid of the heat maps.

    Its widths mirror the encoder's; the last is a multiple of the number of nodes (a quirk of the 2022
    weights).
    """
    nodes = config.num_particles + 1
    last = nodes * (config.encoder_channels[0] // nodes + 1)
    widths = [*reversed(config.encoder_channels[1:]), last]
    return Expanding(maps, widths, config.channels, config.image_size)
