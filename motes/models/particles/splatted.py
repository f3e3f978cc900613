"""The masked model's networks for short trainings: each particle lies where its own map says, its look is
pooled there and splatted back.

Where the picture moves, maps, points and looks move with it, without having to learn that; nothing grows
with particles x picture.
"""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.models.particles.parts import Normal, SceneCode
from motes.nn.blocks.conv import Contracting, Expanding
from motes.nn.blocks.grid import grid_size
from motes.nn.blocks.mlp import mlp
from motes.ops.points.keypoints import gaussian_maps, marginal_soft_argmax

CONTENT = 32  # maps that looks are pooled from, and splatted to
# of maps: their marginal means are over a whole row of cells, which leaves little of what a network says at
# first
SHARPNESS = 4.0
LEAN = 0.4  # how far from its place a map starts to fade, half a picture being 1
GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
UNCLAIMED = 0.1  # of the sum of Gaussians: below it nobody's look is painted in full


class Splatted(nn.Module):
    """Each map leans towards a place of its own, or all particles would start, and many stay, in the middle.

    Looks under Gaussians: pooled, f_k = g(sum_p N_k(p) c(p) / sum_p N_k(p)); painted, sum_k N_k(p) W_k f_k /
    (sum_k N_k(p) + 0.1).
    """

    leaning: Tensor

    def __init__(self, config: Any):
        super().__init__()
        self.grid = grid_size(config)
        self.std = config.prior_std
        self.count = config.num_particles
        widths = config.encoder_channels
        looks = config.feature_dim
        self.image = Contracting(config.channels, widths, self.count + CONTENT, first_kernel=7)
        self.spread = mlp(self.grid[0] * self.grid[1], 64, 2)
        self.look = mlp(CONTENT + 2, 128, 2 * looks)
        self.around = mlp(CONTENT, 128, 2 * looks)
        self.unfold = nn.Parameter(torch.randn(self.count, looks, CONTENT) / math.sqrt(looks))
        self.unfold_background = nn.Linear(looks, CONTENT)
        self.scene = Expanding(
            self.count + 2 * CONTENT, [*reversed(widths)], config.channels, tuple(config.image_size)
        )
        self.register_buffer("leaning", leaning(self.count, self.grid), persistent=False)
        with torch.no_grad():
            final: Any = self.spread[-1]
            final.weight.zero_()
            final.bias.fill_(2 * math.log(config.prior_std))  # as sure as the prior

    @classmethod
    def from_config(cls, config: Any) -> "Splatted":
        return cls(config)

    def see(self, image: Float[Tensor, "B C H W"]) -> tuple[Float[Tensor, "B n h w"], Normal]:
        heat, content = self.image(image).split([self.count, CONTENT], 1)
        heat = SHARPNESS * heat + self.leaning
        points = marginal_soft_argmax(heat.flatten(0, 1)).unflatten(0, (len(image), -1))
        return content, Normal(points, self.spread(heat.flatten(2)).to(points.dtype))

    def looks(
        self, seen: Float[Tensor, "B n h w"], where: Float[Tensor, "B K 2"], outside: Tensor
    ) -> tuple[Normal, Normal]:
        maps = gaussian_maps(where, self.grid, self.std)
        pooled = torch.einsum("bkhw,bnhw->bkn", maps, seen) / maps.sum((2, 3)).clamp_min(1e-4)[..., None]
        features = self.look(torch.cat([pooled, where], -1))
        around = self.around((outside * seen).sum((2, 3)) / outside.sum((2, 3)).clamp_min(1))
        return Normal(*features.chunk(2, -1)), Normal(*around.chunk(2, -1))

    def paint(
        self, maps: Float[Tensor, "B K h w"], outside: Tensor, code: SceneCode, bypass: Tensor
    ) -> Float[Tensor, "B C H W"]:
        unfolded = torch.einsum("bkf,kfn->bkn", code.features, self.unfold)
        splat = torch.einsum("bkhw,bkn->bnhw", maps, unfolded) / (maps.sum(1, keepdim=True) + UNCLAIMED)
        splat = splat + self.unfold_background(code.background)[..., None, None]
        return self.scene(torch.cat([maps, splat, outside * bypass], 1))


def leaning(count: int, grid: tuple[int, int]) -> Float[Tensor, "K h w"]:
    """-|p - a_k|^2 / 2 0.4^2 for `count` places a_k, spread evenly over a disk as a sunflower's seeds are."""
    number = torch.arange(count) + 0.5
    radius = 0.75 * (number / count).sqrt()
    angle = GOLDEN_ANGLE * number
    rows, columns = (torch.linspace(-1, 1, side) for side in grid)
    down = (rows - (radius * angle.sin())[:, None]).square()[:, :, None]
    across = (columns - (radius * angle.cos())[:, None]).square()[:, None]
    return -(down + across) / (2 * LEAN**2)
