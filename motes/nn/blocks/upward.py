"""Networks that draw a picture from a code: they double the side of a small map again and again."""

import itertools

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.nn.blocks.normalisation import BatchNorm


class UpwardNetwork(nn.Module):
    """Maps a code to a picture: linear layers give about 4 x 4 pixels, then come doublings and convolutions.

    The result is trimmed to `size`. `direct` is for codes of whole pictures: it has one normalised layer,
    since 128 hidden numbers keep little but the positions of many objects.
    """

    def __init__(self, code: int, size: tuple[int, int], channels: int, width: int, direct: bool = False):
        super().__init__()
        width = max(width, 16)
        # the last one is a pixel shuffle: sharp, and four times cheaper
        doublings = max((min(size) // 4).bit_length() - 1, 1)
        self.size = size
        self.start = tuple(-(-side // 2**doublings) for side in size)
        self.width = width
        cells = self.start[0] * self.start[1]
        layers = _normalised_layer(code, width, cells) if direct else _two_layers(code, width * cells)
        self.seed = nn.Sequential(*layers, nn.ReLU())
        widths = [max(width >> step, 16) for step in range(doublings)]
        self.body = nn.ModuleList(
            nn.Sequential(DoublingConvolution(a, b), BatchNorm(b)) for a, b in itertools.pairwise(widths)
        )
        self.colour = nn.Conv2d(widths[-1], 4 * channels, 3, padding=1)

    def forward(self, code: Float[Tensor, "N F"]) -> Float[Tensor, "N C H W"]:
        grid = self.seed(code).unflatten(1, (self.width, *self.start))
        grid = grid.contiguous(memory_format=torch.channels_last)
        for layer in self.body:
            grid = F.relu_(layer(grid))
        return self._coloured(grid)[..., : self.size[0], : self.size[1]]

    def _coloured(self, grid: Float[Tensor, "N w h v"]) -> Float[Tensor, "N C H W"]:
        """The pixel shuffle of the last convolution, whose outputs are first sorted by their place.

        The colours of a pixel then lie side by side and are moved together; `pixel_shuffle` moves number by
        number.
        """
        weight = rearrange(self.colour.weight, "(c r s) ... -> (r s c) ...", r=2, s=2)
        bias = rearrange(self.colour.bias, "(c r s) -> (r s c)", r=2, s=2)
        drawn = rearrange(F.conv2d(grid, weight, bias, padding=1), "n d h w -> n h w d")
        pixels = rearrange(drawn, "n h w (r s c) -> n (h r) (w s) c", r=2, s=2)
        return rearrange(pixels, "n h w c -> n c h w")


def _normalised_layer(code: int, width: int, cells: int) -> list[nn.Module]:
    linear = nn.Linear(code, width * cells, bias=False)
    return [linear, nn.Unflatten(1, (width, cells)), BatchNorm(width), nn.Flatten()]


def _two_layers(code: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(code, 128), nn.ReLU(), nn.Linear(128, outputs)]


class DoublingConvolution(nn.Conv2d):
    """A 3 x 3 convolution, padded by zeros, of the map with every pixel repeated 2 x 2.

    It is computed as a transposed convolution and sums over 2 x 2 pixels, with a quarter of the arithmetic
    (see motes.nn.blocks.lean).
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, 3, bias=False)

    def forward(self, input: Float[Tensor, "N C h w"]) -> Float[Tensor, "N D r s"]:
        # four times, since the mean of 2 x 2 pixels stands for their sum: ONNX knows no pooling that sums
        turned = 4 * rearrange(self.weight.flip(2, 3), "d c r s -> c d r s")
        return F.avg_pool2d(F.conv_transpose2d(input, turned, stride=2), 2, stride=1)
