"""An hourglass network: pooling makes the picture smaller, doubling enlarges it again, and skips join equal
sizes."""

import itertools
from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.nn.blocks.conv import ConvBlock, double


class Hourglass(nn.Module):
    """An hourglass with two blocks at each size; sizes halve between widths, rounding up.

    The result is as large as the picture.
    """

    def __init__(self, inputs: int, widths: Sequence[int], outputs: int):
        super().__init__()
        down = itertools.pairwise([inputs, *widths])
        self.down = nn.ModuleList(_two_blocks(a, b) for a, b in down)
        self.up = nn.ModuleList(ConvBlock(b, a, leak=0.01) for a, b in itertools.pairwise(widths))
        self.top = nn.Conv2d(widths[0], outputs, 1)

    def forward(self, x: Float[Tensor, "N C h w"]) -> Float[Tensor, "N D h w"]:
        sizes = []
        for number, blocks in enumerate(self.down):
            x = blocks(F.max_pool2d(x, 2, ceil_mode=True) if number else x)
            sizes.append(x)
        x = sizes.pop()
        for block in reversed(self.up):
            skip = sizes.pop()
            x = skip + block(double(x)[..., : skip.shape[2], : skip.shape[3]])
        return self.top(x)


def _two_blocks(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(ConvBlock(inputs, outputs, leak=0.01), ConvBlock(outputs, outputs, leak=0.01))
