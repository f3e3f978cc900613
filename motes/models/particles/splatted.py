"""The masked model's networks for short trainings: a particle's position is the mean of its own heat map.

Features are averaged around the position, and painted back around it. Maps, positions and features move with
the picture without having to learn so. No memory grows with the number of particles times the number of
pixels.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.models.particles.encoding import DiagonalNormal
from motes.models.particles.parts import HeatMapSizes, SceneCode
from motes.nn.blocks.conv import Contracting, Expanding
from motes.nn.blocks.grid import grid_size
from motes.nn.blocks.mlp import mlp
from motes.ops.points.keypoints import gaussian_maps, marginal_soft_argmax
from motes.types.latents import Image

CONTENT = 32  # maps that features are pooled from, and splatted to
# of heat maps: their marginal means are over a whole row of cells, which leaves little of the first outputs
SHARPNESS = 4.0
LEAN = 0.4  # how far from its place a map starts to fade, half a picture being 1
GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
UNCLAIMED = 0.1  # of the sum of Gaussians: below it no particle's features are painted in full


class Splatted(nn.Module):
    """Networks whose features are averages under Gaussians: f_k = g(sum_p N_k(p) c(p) / sum_p N_k(p)).

    N_k is the Gaussian of particle k, c(p) the content at pixel p, g an MLP. Features are painted as sum_k
    N_k(p) W_k f_k / (sum_k N_k(p) + 0.1), W_k being matrices. Each map starts with a bias towards a position
    of its own. Otherwise all particles would start in the middle of the picture, and many would stay there.
    """

    leaning: Tensor

    def __init__(self, config: HeatMapSizes):
        super().__init__()
        self.grid = grid_size(config)
        self.std = config.prior_std
        self.count = config.num_particles
        widths = config.encoder_channels
        numbers = config.feature_dim
        self.image = Contracting(config.channels, widths, self.count + CONTENT, first_kernel=7)
        self.spread = mlp(self.grid[0] * self.grid[1], 64, 2)
        self.look = mlp(CONTENT + 2, 128, 2 * numbers)
        self.around = mlp(CONTENT, 128, 2 * numbers)
        self.unfold = nn.Parameter(torch.randn(self.count, numbers, CONTENT) / math.sqrt(numbers))
        self.unfold_background = nn.Linear(numbers, CONTENT)
        inputs = self.count + 2 * CONTENT
        self.scene = Expanding(inputs, [*reversed(widths)], config.channels, config.image_size)
        self.register_buffer("leaning", sunflower_leaning(self.count, self.grid), persistent=False)
        self._start_as_sure_as(config.prior_std)

    @torch.no_grad()
    def _start_as_sure_as(self, std: float) -> None:
        """Set all variances of positions to the prior's, `std` squared, at the start of training."""
        last = self.spread[-1]
        assert isinstance(last, nn.Linear)
        last.weight.zero_()
        last.bias.fill_(2 * math.log(std))

    def locate(self, image: Image) -> tuple[Float[Tensor, "B n h w"], DiagonalNormal]:
        heat, content = self.image(image).split([self.count, CONTENT], 1)
        heat = SHARPNESS * heat + self.leaning
        points = marginal_soft_argmax(heat.flatten(0, 1)).unflatten(0, (len(image), -1))
        return content, DiagonalNormal(points, self.spread(heat.flatten(2)).to(points.dtype))

    def appearance(
        self,
        maps: Float[Tensor, "B n h w"],
        position: Float[Tensor, "B K 2"],
        outside: Float[Tensor, "B 1 h w"],
    ) -> tuple[DiagonalNormal, DiagonalNormal]:
        """The particles' features, averaged under each Gaussian, and the background's, averaged outside the
        disks."""
        weights = gaussian_maps(position, self.grid, self.std)
        sums = torch.einsum("bkhw,bnhw->bkn", weights, maps)
        pooled = sums / weights.sum((2, 3)).clamp_min(1e-4)[..., None]
        features = self.look(torch.cat([pooled, position], -1))
        around = self.around((outside * maps).sum((2, 3)) / outside.sum((2, 3)).clamp_min(1))
        return DiagonalNormal(*features.chunk(2, -1)), DiagonalNormal(*around.chunk(2, -1))

    def paint(
        self,
        maps: Float[Tensor, "B K h w"],
        outside: Float[Tensor, "B 1 h w"],
        scene: SceneCode,
        bypass: Float[Tensor, "B n h w"],
    ) -> Image:
        unfolded = torch.einsum("bkf,kfn->bkn", scene.features, self.unfold)
        splat = torch.einsum("bkhw,bkn->bnhw", maps, unfolded) / (maps.sum(1, keepdim=True) + UNCLAIMED)
        splat = splat + self.unfold_background(scene.background)[..., None, None]
        return self.scene(torch.cat([maps, splat, outside * bypass], 1))


def sunflower_leaning(count: int, grid: tuple[int, int]) -> Float[Tensor, "K h w"]:
    """The initial bias of each map, -|p - a_k|^2 / 2 0.4^2, for `count` places a_k and pixels p.

    The places are spread evenly over a disk, like the seeds of a sunflower.
    """
    number = torch.arange(count) + 0.5
    radius = 0.75 * (number / count).sqrt()
    angle = GOLDEN_ANGLE * number
    rows, columns = (torch.linspace(-1, 1, side) for side in grid)
    down = (rows - (radius * angle.sin())[:, None]).square()[:, :, None]
    across = (columns - (radius * angle.cos())[:, None]).square()[:, None]
    return -(down + across) / (2 * LEAN**2)
