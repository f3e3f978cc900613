"""A small network that computes features of textures; each level sees twice as far as the one before."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.types.latents import Image

WIDTHS = (16, 32, 48, 64)  # of the levels; each has half the side of the one before
# The standard deviation of a picture's pixels: with it, a level weighs about as much as the pixels.
PIXEL_SPREAD = 0.25


class TextureNetwork(nn.Module):
    """Maps a picture to the feature maps of all levels.

    Each level has two convolutions with rectifiers, then averages over 2 x 2 pixels. `scale` brings each
    channel to unit variance over textures, and a level's sum of squares to that of the pixels.
    """

    def __init__(self, widths: Sequence[int] = WIDTHS):
        super().__init__()
        inputs = (3, *widths[:-1])
        self.levels = nn.ModuleList(_level(a, b) for a, b in zip(inputs, widths, strict=True))
        for number, width in enumerate(widths):
            self.register_buffer(f"scale_{number}", torch.ones(1, width, 1, 1))

    def forward(self, image: Image) -> list[Tensor]:
        """The scaled feature maps of all levels.

        Grey becomes three equal channels. No picture is too small, because levels of single pixels are left
        out.
        """
        return [maps * self.get_buffer(f"scale_{number}") for number, maps in enumerate(self.unscaled(image))]

    def unscaled(self, image: Image) -> list[Tensor]:
        """The feature maps of all levels, before scaling."""
        x = (image.expand(-1, 3, -1, -1) - 0.5) / PIXEL_SPREAD
        levels = []
        for number, level in enumerate(self.levels):
            if number and min(x.shape[-2:]) < 4:
                break
            x = level(F.avg_pool2d(x, 2) if number else x)
            levels.append(x)
        return levels

    @torch.no_grad()
    def scale_by(self, image: Float[Tensor, "B 3 H W"]) -> None:
        """Set the scales from the spread of the features over the given pictures."""
        for number, maps in enumerate(self.unscaled(image)):
            spread = maps.std((0, 2, 3), keepdim=True).clamp_min(1e-3)
            # numbers of the picture over numbers of the level
            share = (3 * 4.0**number / maps.shape[1]) ** 0.5
            self.get_buffer(f"scale_{number}").copy_(PIXEL_SPREAD * share / spread)


def initialised_network() -> TextureNetwork:
    """A network with random weights, sized so that rectifiers keep the variance from layer to layer."""
    network = TextureNetwork()
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)
            part.register_parameter("bias", nn.Parameter(torch.zeros(part.out_channels)))
    return network


def _level(inputs: int, outputs: int) -> nn.Sequential:
    first = nn.Conv2d(inputs, outputs, 3, padding=1)
    second = nn.Conv2d(outputs, outputs, 3, padding=1)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
