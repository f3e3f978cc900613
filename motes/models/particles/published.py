"""The networks of the 2022 paper, whose weights load here: one MLP over all heat maps places the
particles."""

from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.models.particles.parts import Encoding, Normal
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

GLIMPSE_WIDTHS = (16, 16, 32)


class PublishedEncoder(nn.Module):
    """Proposals by patches; positions, presence and background from the heat maps; looks from glimpses at
    the mean position."""

    def __init__(self, config: Any, exclusive: bool = False):
        super().__init__()
        self.size = tuple(config.image_size)
        self.side = config.glimpse_size
        self.exclusive = exclusive
        self.grid = grid_size(config)
        looks = 2 * config.feature_dim
        heat = config.num_particles * self.grid[0] * self.grid[1]
        self.prior = PatchPrior(config)
        self.image = Contracting(
            config.channels, config.encoder_channels, config.num_particles, first_kernel=7
        )
        self.position = mlp(heat, 256, 128, 4 * config.num_particles)
        self.presence = mlp(heat, 256, 128, config.num_particles)
        self.around = mlp(heat, 256, 128, looks)
        self.glimpse = Contracting(config.channels, GLIMPSE_WIDTHS, GLIMPSE_WIDTHS[-1])
        self.look = mlp(GLIMPSE_WIDTHS[-1] * (-(-self.side // 4)) ** 2, 256, 128, looks)
        initialise(self)

    @classmethod
    def from_config(cls, config: Any) -> "PublishedEncoder":
        return cls(config)

    @classmethod
    def exclusive_from_config(cls, config: Any) -> "PublishedEncoder":
        return cls(config, exclusive=True)

    def presence_parameters(self) -> list[nn.Parameter]:
        """Those that learn by stitching alone; where glimpses are shared out by presence, they learn by what
        is seen as well."""
        return [] if self.exclusive else list(self.presence.parameters())

    def forward(
        self, image: Float[Tensor, "B C H W"], prior_image: Float[Tensor, "B C H W"], decoder: Any
    ) -> Encoding:
        heat = self.image(image)
        position = place_particles(self.position, heat)
        presence = torch.sigmoid(self.presence(heat.detach().flatten(1)))
        where = position.mean.detach()
        glimpses = (
            self._exclusive_glimpses(image, where, presence)
            if self.exclusive
            else cut_glimpses(image, where, self.side)
        )
        features = self.look(self.glimpse(glimpses.flatten(0, 1)).flatten(1)).unflatten(0, presence.shape)
        covered = box_masks(where, self._box_side(), self.grid)
        around = self.around(((1 - covered.amax(1, keepdim=True)) * heat.detach()).flatten(1))
        return Encoding(
            self.prior(prior_image),
            position,
            presence,
            Normal(*features.chunk(2, -1)),
            Normal(*around.chunk(2, -1)),
            glimpses,
        )

    def _exclusive_glimpses(
        self, image: Tensor, where: Tensor, presence: Tensor
    ) -> Float[Tensor, "B K C S S"]:
        """Each pixel is shared out: a particle sees it as far as it is present and the boxes before it leave
        room."""
        return cut_glimpses(
            image, where, self.side, shares(box_windows(where, self.side, self.size), presence, self.size)
        )

    def _box_side(self) -> int:
        """The glimpse's side on the heat maps' grid."""
        return round(self.side / (min(self.size) - 1) * (min(self.grid) - 1))


class PatchPrior(nn.Module):
    """One point a patch, of which the farthest from their patch's middle are proposed: a flat patch answers
    with its middle."""

    def __init__(self, config: Any):
        super().__init__()
        self.patch = config.patch_size
        self.size = tuple(config.image_size)
        self.count = config.num_proposals
        self.network = Contracting(config.channels, config.prior_channels, 1)

    def forward(self, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B M 2"]:
        heat = self.network(split_patches(image, self.patch))[:, 0]
        local = rearrange(marginal_soft_argmax(heat), "(b p) d -> b p d", b=len(image))
        # distances are compared in the picture's frame, where a patch of an oblong picture is oblong
        points = patch_to_image(local, self.patch, self.size)
        middles = patch_to_image(torch.zeros_like(local), self.patch, self.size)
        return take(points, farthest_first(points - middles, self.count))


class PublishedDecoder(nn.Module):
    """Glimpses by up-convolution from a code; the background from Gaussian maps and a PointNet over all
    particles."""

    starts_from = 0  # the paper's starts from nothing

    def __init__(self, config: Any):
        super().__init__()
        self.std = config.prior_std
        self.grid = grid_size(config)
        self.side = config.glimpse_size
        count = config.num_particles
        self.pointnet = PointNetMaps(config.feature_dim + 2, count, self.grid)
        self.scene = scene_network(config, 2 * count)
        doublings = max((-(-self.side // 8) - 1).bit_length(), 0)
        self.unfold = nn.Sequential(
            nn.Linear(config.feature_dim, 256), nn.ReLU(), nn.Linear(256, 2048), nn.ReLU()
        )
        self.draw = Expanding(32, [*[64] * doublings, 32], config.channels + 1, (self.side, self.side))
        initialise(self)

    @classmethod
    def from_config(cls, config: Any) -> "PublishedDecoder":
        return cls(config)

    def background_parameters(self) -> list[nn.Parameter]:
        return [*self.pointnet.parameters(), *self.scene.parameters()]

    def glimpses(self, features: Float[Tensor, "B K F"]) -> Float[Tensor, "B K D S S"]:
        code = self.unfold(features.flatten(0, 1)).unflatten(1, (32, 8, 8))
        return torch.sigmoid(self.draw(code)).unflatten(0, features.shape[:2])

    def background(
        self, position: Tensor, features: Tensor, background: Tensor, background_position: Tensor
    ) -> Float[Tensor, "B C H W"]:
        maps = gaussian_maps(position, self.grid, self.std)
        return self.scene(
            torch.cat(
                [maps, relate(self.pointnet, position, features.detach(), background, background_position)], 1
            )
        )

    def background_error(
        self, background: Float[Tensor, "B F"], image: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B"]:
        return torch.zeros_like(background[:, 0])


def place_particles(head: nn.Module, heat: Float[Tensor, "B K h w"]) -> Normal:
    """Positions from all heat maps at once; each particle is bound to its index. In single precision always:
    the eight bits of bfloat16 are half a pixel at 256 a side."""
    with torch.autocast(heat.device.type, enabled=False):
        read = head(heat.flatten(1).to(torch.promote_types(heat.dtype, torch.float32)))
    mean, log_variance = rearrange(read, "b (k two d) -> two b k d", two=2, d=2)
    return Normal(torch.tanh(mean), log_variance)


def relate(
    pointnet: PointNetMaps,
    position: Tensor,
    features: Tensor,
    background: Tensor,
    background_position: Tensor,
) -> Tensor:
    """Maps from the particles and, as one more node, the background. Positions carry no gradient here."""
    places = torch.cat([position, background_position[:, None]], 1).detach()
    return pointnet(places, torch.cat([places, torch.cat([features, background[:, None]], 1)], -1))


def scene_network(config: Any, maps: int) -> Expanding:
    """Maps on the grid to a picture; the widths mirror the encoder's, the last a multiple of the particles
    (a quirk that weights fix)."""
    nodes = config.num_particles + 1
    widths = [*reversed(config.encoder_channels[1:]), nodes * (config.encoder_channels[0] // nodes + 1)]
    return Expanding(maps, widths, config.channels, tuple(config.image_size))
