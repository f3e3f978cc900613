"""The masked model's networks as published: places from all heat maps at once, looks from the heat maps,
painted through a PointNet."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.models.particles.parts import Normal, SceneCode
from motes.models.particles.published import place_particles, relate, scene_network
from motes.nn.blocks.conv import Contracting, initialise
from motes.nn.blocks.grid import grid_size
from motes.nn.blocks.mlp import mlp
from motes.nn.blocks.pointnet import PointNetMaps
from motes.ops.rendering.glimpse import cut_glimpses


class HeatMaps(nn.Module):
    """Heat maps learn from positions alone; looks read them as they are."""

    def __init__(self, config: Any):
        super().__init__()
        self.grid = grid_size(config)
        count = config.num_particles
        looks = 2 * config.feature_dim
        heat = count * self.grid[0] * self.grid[1]
        self.side = max(round(config.glimpse_size / (min(config.image_size) - 1) * (min(self.grid) - 1)), 1)
        self.image = Contracting(config.channels, config.encoder_channels, count, first_kernel=7)
        self.position = mlp(heat, 256, 128, 4 * count)
        self.around = mlp(heat, 256, 128, looks)
        self.look = mlp(count * self.side**2 + 2, 256, 128, looks)
        self.pointnet = PointNetMaps(config.feature_dim + 2, count, self.grid)
        self.scene = scene_network(config, 3 * count)

    @classmethod
    def from_config(cls, config: Any) -> "HeatMaps":
        networks = cls(config)
        initialise(networks)
        return networks

    def see(self, image: Float[Tensor, "B C H W"]) -> tuple[Float[Tensor, "B K h w"], Normal]:
        heat = self.image(image)
        return heat, place_particles(self.position, heat)

    def looks(
        self, seen: Float[Tensor, "B K h w"], where: Float[Tensor, "B K 2"], outside: Tensor
    ) -> tuple[Normal, Normal]:
        """Appearance from the heat maps around each mean, and the background's from what the disks leave."""
        heat = seen.detach()
        features = self.look(torch.cat([cut_glimpses(heat, where, self.side).flatten(2), where], -1))
        around = self.around((outside * heat).flatten(1))
        return Normal(*features.chunk(2, -1)), Normal(*around.chunk(2, -1))

    def paint(
        self, maps: Float[Tensor, "B K h w"], outside: Tensor, code: SceneCode, bypass: Tensor
    ) -> Float[Tensor, "B C H W"]:
        related = relate(self.pointnet, code.position, code.features, code.background, code.wandering)
        return self.scene(torch.cat([maps, (1 - outside) * related, outside * bypass], 1))
