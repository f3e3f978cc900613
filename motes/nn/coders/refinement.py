"""Networks that draw pictures from a layout of classes, coarse to fine, and that read layouts from
pictures."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.types.latents import Image

GRAINS = 4  # learned maps of a module
FAINT = 0.2  # their standard deviation at the start


def pyramid_sizes(size: tuple[int, int], least: int) -> list[tuple[int, int]]:
    """The sizes of a pyramid, coarse to fine: `size` is halved, rounding up, while the smaller side is twice
    `least`."""
    sizes = [size]
    while min(sizes[0]) >= 2 * least:
        rows, columns = sizes[0]
        sizes.insert(0, (-(-rows // 2), -(-columns // 2)))
    return sizes


class RefinementModule(nn.Module):
    """Doubles the maps so far and refines them, given the layout at this size.

    It has two convolutions, each normalised over its picture, with leaky rectifiers. Inside a wide region the
    layout is constant, and a convolution cannot distinguish positions. Some learned maps, the same for all
    pictures, therefore give texture a reference. They start small: large random maps would remain noise.
    """

    def __init__(self, inputs: int, outputs: int, size: tuple[int, int]):
        super().__init__()
        self.size = size
        self.grain = nn.Parameter(FAINT * torch.randn(1, GRAINS, *size))
        self.first = nn.Conv2d(inputs + GRAINS, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.norms = nn.ModuleList(nn.GroupNorm(1, outputs) for _ in range(2))

    def forward(
        self, maps: Float[Tensor, "B D h w"] | None, layout: Float[Tensor, "B N H W"]
    ) -> Float[Tensor, "B E r s"]:
        parts = [F.adaptive_avg_pool2d(layout, self.size), self.grain.expand(len(layout), -1, -1, -1)]
        if maps is not None:
            parts.insert(0, F.interpolate(maps, size=self.size, mode="bilinear", align_corners=False))
        x = F.leaky_relu(self.norms[0](self.first(torch.cat(parts, 1))), 0.2)
        return F.leaky_relu(self.norms[1](self.second(x)), 0.2)


class Refinement(nn.Module):
    """Refinement modules from coarse to full size, then a convolution that draws several pictures of each
    layout."""

    def __init__(
        self, classes: int, size: tuple[int, int], channels: int, widths: Sequence[int], pictures: int
    ):
        """Build the modules; `widths` go from the coarsest size to the finest."""
        super().__init__()
        sizes = pyramid_sizes(size, 4)
        widths = [widths[max(len(widths) - len(sizes) + n, 0)] for n in range(len(sizes))]
        inputs = [0, *widths[:-1]]
        self.steps = nn.ModuleList(
            RefinementModule(a + classes, b, at) for a, b, at in zip(inputs, widths, sizes, strict=True)
        )
        self.colour = nn.Conv2d(widths[-1], pictures * channels, 1)
        self.pictures = pictures

    def forward(self, layout: Float[Tensor, "B N H W"]) -> Float[Tensor, "B U C H W"]:
        """U pictures of each layout. Values are near [0, 1], but not squashed into it."""
        maps = None
        for step in self.steps:
            maps = step(maps, layout)
        assert maps is not None
        return rearrange(0.5 + 0.25 * self.colour(maps), "b (u c) h w -> b u c h w", u=self.pictures)


class LayoutReader(nn.Module):
    """Maps a picture to a score for each class at each pixel.

    It halves the picture twice, then enlarges it again, with a skip from the features of each size.
    """

    def __init__(self, channels: int, classes: int, width: int):
        super().__init__()
        fine, middle, coarse = (width, 2 * width, 4 * width)
        self.down = nn.ModuleList(
            [
                nn.Conv2d(channels, fine, 3, stride=1, padding=1),
                nn.Conv2d(fine, middle, 3, stride=2, padding=1),
                nn.Conv2d(middle, coarse, 3, stride=2, padding=1),
            ]
        )
        self.wide = nn.Conv2d(coarse, coarse, 3, padding=2, dilation=2)
        up = [nn.Conv2d(coarse + middle, middle, 3, padding=1), nn.Conv2d(middle + fine, fine, 3, padding=1)]
        self.up = nn.ModuleList(up)
        self.scores = nn.Conv2d(fine, classes, 1)

    def forward(self, image: Image) -> Float[Tensor, "B N H W"]:
        fine, middle, _, x = self.features(image)
        for layer, skip in zip(self.up, (middle, fine), strict=True):
            large = F.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            x = F.relu(layer(torch.cat([large, skip], 1)))
        return self.scores(x)

    def features(self, image: Image) -> list[Tensor]:
        """The features of a picture at each size, from fine to coarse; the coarsest see the widest
        surroundings."""
        x = image
        features = []
        for layer in (*self.down, self.wide):
            x = F.relu(layer(x))
            features.append(x)
        return features
