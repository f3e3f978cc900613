"""Convolution blocks of the particle models, and stacks of them.

A block is replicate-padded convolution, batch normalisation and activation. While training, channels come
last in memory, which makes convolutions a third faster on the CPUs tried. Otherwise they keep the order in
which the outputs of the 2022 weights were recorded, to the last bit.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.nn.blocks.lean import LeanBlocks
from motes.nn.blocks.normalisation import BatchNorm, shared_by_processes


class ConvBlock(nn.Module):
    """A block that pads by repeating the edge, convolves without bias, normalises, and rectifies (leak 0:
    ReLU).

    Repeated edges keep borders from looking like edges. With `doubling`, the picture is first doubled
    bilinearly.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        leak: float = 0.0,
        doubling: bool = False,
    ):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, bias=False)
        self.norm = BatchNorm(outputs)
        self.pad = kernel // 2
        self.leak = leak
        self.doubling = doubling

    def forward(self, x: Float[Tensor, "N C h w"]) -> Float[Tensor, "N D r s"]:
        x = double(x) if self.doubling else x
        padded = F.pad(x, (self.pad,) * 4, mode="replicate")
        return F.leaky_relu(self.norm(self.conv(padded)), self.leak)


class Contracting(nn.Module):
    """Blocks that make a picture smaller: two at full size, then for each further width one that halves and
    one more.

    A 1 x 1 convolution follows.
    """

    def __init__(self, inputs: int, widths: Sequence[int], outputs: int, first_kernel: int = 3):
        super().__init__()
        blocks = [ConvBlock(inputs, widths[0], first_kernel), ConvBlock(widths[0], widths[0])]
        for narrow, wide in itertools.pairwise(widths):
            blocks += [ConvBlock(narrow, wide, stride=2), ConvBlock(wide, wide)]
        self.blocks = nn.Sequential(*blocks)
        self.top = nn.Conv2d(widths[-1], outputs, 1)

    def forward(self, x: Float[Tensor, "N C h w"]) -> Float[Tensor, "N D r s"]:
        return through(self.blocks, self.top, x)


class Expanding(nn.Module):
    """Blocks that enlarge a picture: `each` blocks for each width, a bilinear doubling between widths.

    A 1 x 1 convolution follows. The result is trimmed to `size`, because the last doubling may overshoot.
    """

    def __init__(
        self, inputs: int, widths: Sequence[int], outputs: int, size: tuple[int, int], each: int = 1
    ):
        super().__init__()
        blocks: list[nn.Module] = []
        for number, (a, b) in enumerate(zip([inputs, *widths], widths, strict=False)):
            blocks.append(ConvBlock(a, b, leak=0.01, doubling=number > 0))
            blocks += [ConvBlock(b, b, leak=0.01) for _ in range(each - 1)]
        self.blocks = nn.Sequential(*blocks)
        self.top = nn.Conv2d(widths[-1], outputs, 1)
        self.size = size

    def forward(self, x: Float[Tensor, "N C h w"]) -> Float[Tensor, "N D r s"]:
        return through(self.blocks, self.top, x)[..., : self.size[0], : self.size[1]]


def through(blocks: nn.Sequential, top: nn.Conv2d, x: Float[Tensor, "N C h w"]) -> Float[Tensor, "N D r s"]:
    """The picture x after all blocks and the top convolution, computed by `motes.nn.blocks.lean` where
    possible."""
    if not blocks.training:
        return top(blocks(x.contiguous()))
    x = x.contiguous(memory_format=torch.channels_last)
    if x.device.type != "cpu" or torch.is_autocast_enabled("cpu") or shared_by_processes():
        return top(blocks(x))
    lean: list[Any] = list(blocks)
    parameters = [parameter for block in lean for parameter in _parameters_of(block)]
    return LeanBlocks.apply(x, lean, top.weight, top.bias, *parameters)


def _parameters_of(block: Any) -> tuple[Tensor, Tensor, Tensor]:
    return block.conv.weight, block.norm.weight, block.norm.bias


def double(x: Float[Tensor, "N C h w"]) -> Float[Tensor, "N C r s"]:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def initialise(module: nn.Module) -> None:
    """Set the paper's initial weights: N(0, 0.01) for convolutions, torch's defaults for everything else."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.normal_(part.weight, 0.0, 0.01)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
