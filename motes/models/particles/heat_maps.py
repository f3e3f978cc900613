"""The masked model's networks as published: positions and features are read from heat maps.

A PointNet turns the particles' features into maps, from which the picture is painted.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.models.particles.encoding import DiagonalNormal
from motes.models.particles.parts import HeatMapSizes, SceneCode
from motes.models.particles.published import place_particles, relate, scene_network
from motes.nn.blocks.conv import Contracting, initialise
from motes.nn.blocks.grid import grid_size
from motes.nn.blocks.mlp import mlp
from motes.nn.blocks.pointnet import PointNetMaps
from motes.ops.rendering.glimpse import cut_glimpses
from motes.types.latents import Image


class HeatMaps(nn.Module):
    """The masked model's published networks. The features' gradient does not reach the heat maps.

    So heat maps learn from positions alone.
    """

    def __init__(self, config: HeatMapSizes):
        super().__init__()
        self.grid = grid_size(config)
        count = config.num_particles
        numbers = 2 * config.feature_dim
        heat = count * self.grid[0] * self.grid[1]
        # the glimpse's side on the heat maps' grid
        self.side = max(round(config.glimpse_size / (min(config.image_size) - 1) * (min(self.grid) - 1)), 1)
        self.image = Contracting(config.channels, config.encoder_channels, count, first_kernel=7)
        self.position = mlp(heat, 256, 128, 4 * count)
        self.around = mlp(heat, 256, 128, numbers)
        self.look = mlp(count * self.side**2 + 2, 256, 128, numbers)
        self.pointnet = PointNetMaps(config.feature_dim + 2, count, self.grid)
        self.scene = scene_network(config, 3 * count)
        initialise(self)

    def locate(self, image: Image) -> tuple[Float[Tensor, "B K h w"], DiagonalNormal]:
        heat = self.image(image)
        return heat, place_particles(self.position, heat)

    def appearance(
        self,
        maps: Float[Tensor, "B K h w"],
        position: Float[Tensor, "B K 2"],
        outside: Float[Tensor, "B 1 h w"],
    ) -> tuple[DiagonalNormal, DiagonalNormal]:
        """The particles' features, from the heat maps around each position, and the background's, from
        outside the disks."""
        heat = maps.detach()
        windows = cut_glimpses(heat, position, self.side).flatten(2)
        features = self.look(torch.cat([windows, position], -1))
        around = self.around((outside * heat).flatten(1))
        return DiagonalNormal(*features.chunk(2, -1)), DiagonalNormal(*around.chunk(2, -1))

    def paint(
        self,
        maps: Float[Tensor, "B K h w"],
        outside: Float[Tensor, "B 1 h w"],
        scene: SceneCode,
        bypass: Float[Tensor, "B K h w"],
    ) -> Image:
        related = relate(
            self.pointnet, scene.position, scene.features, scene.background, scene.background_position
        )
        return self.scene(torch.cat([maps, (1 - outside) * related, outside * bypass], 1))
