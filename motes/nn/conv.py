"""Convolution blocks of the particle models: replicate-padded convolution, batch normalisation, activation, and stacks of them.

While training, channels come last in memory: on the CPUs tried, convolutions are a third faster so.
"""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.nn.normalisation import BatchNorm, shared_by_processes


class ConvBlock(nn.Module):
    """Pad by repeating the edge, convolve without bias, normalise, rectify (leak 0: ReLU). Repeating keeps borders from being seen as edges."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, leak: float = 0.0):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, bias=False)
        self.norm = BatchNorm(outputs)
        self.pad, self.leak = kernel // 2, leak

    def forward(self, x: Float[Tensor, "N C h w"]) -> Float[Tensor, "N D r s"]:
        if self.training and x.device.type == "cpu" and not torch.is_autocast_enabled("cpu") and not shared_by_processes():
            return LeanBlock.apply(x, self.conv.weight, self.norm, self.norm.weight, self.norm.bias, self)
        return F.leaky_relu(self.norm(self.conv(F.pad(x, (self.pad,) * 4, mode="replicate"))), self.leak)


class LeanBlock(torch.autograd.Function):
    """A training block on a CPU that keeps its input and the convolution's output; the padded copy is made again in the backward pass,
    and the rectifier's mask is read off the block's own output, which the next block keeps anyway."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, norm: BatchNorm, scale: Tensor, shift: Tensor, block: ConvBlock) -> Tensor:
        padded = F.pad(x, (block.pad,) * 4, mode="replicate")
        y = F.conv2d(padded, weight, stride=block.conv.stride)
        assert norm.num_batches_tracked is not None
        norm.num_batches_tracked += 1
        out, mean, inverse = torch.native_batch_norm(y, scale, shift, norm.running_mean, norm.running_var, True, 0.1, norm.eps)
        out = F.leaky_relu_(out, block.leak)
        ctx.save_for_backward(x, y, out, weight, scale, mean, inverse)
        ctx.pad, ctx.leak, ctx.eps, ctx.stride = block.pad, block.leak, norm.eps, list(block.conv.stride)
        return out

    @staticmethod
    def backward(ctx, *gradients: Tensor):
        x, y, out, weight, scale, mean, inverse = ctx.saved_tensors
        aten = torch.ops.aten
        g = aten.leaky_relu_backward(gradients[0], out, ctx.leak, True)
        g, g_scale, g_shift = aten.native_batch_norm_backward(g, y, scale, None, None, mean, inverse, True, ctx.eps, [True, True, True])
        padded = F.pad(x, (ctx.pad,) * 4, mode="replicate")
        wanted = [ctx.needs_input_grad[0], ctx.needs_input_grad[1], False]
        g, g_weight, _ = aten.convolution_backward(g, padded, weight, None, ctx.stride, [0, 0], [1, 1], False, [0, 0], 1, wanted)
        g_x = aten.replication_pad2d_backward(g, x, [ctx.pad] * 4) if ctx.needs_input_grad[0] else None
        return g_x, g_weight, None, g_scale, g_shift, None


class Contracting(nn.Module):
    """Two blocks at full size, then per further width one block that halves and one that keeps; a 1x1 convolution on top."""

    def __init__(self, inputs: int, widths: Sequence[int], outputs: int, first_kernel: int = 3):
        super().__init__()
        blocks = [ConvBlock(inputs, widths[0], first_kernel), ConvBlock(widths[0], widths[0])]
        for narrow, wide in itertools.pairwise(widths):
            blocks += [ConvBlock(narrow, wide, stride=2), ConvBlock(wide, wide)]
        self.blocks = nn.Sequential(*blocks)
        self.top = nn.Conv2d(widths[-1], outputs, 1)

    def forward(self, x: Float[Tensor, "N C h w"]) -> Float[Tensor, "N D r s"]:
        return self.top(self.blocks(in_training_order(x, self.training)))


class Expanding(nn.Module):
    """Blocks with a bilinear doubling between each two; trimmed to `size`, as the last doubling may overshoot an odd picture."""

    def __init__(self, inputs: int, widths: Sequence[int], size: tuple[int, int], leak: float = 0.01):
        super().__init__()
        self.blocks = nn.ModuleList(ConvBlock(a, b, leak=leak) for a, b in zip([inputs, *widths], widths, strict=False))
        self.size = size

    def forward(self, x: Float[Tensor, "N C h w"]) -> Float[Tensor, "N D r s"]:
        x = in_training_order(x, self.training)
        for number, block in enumerate(self.blocks):
            x = double(x) if number else x
            x = block(x)
        return x[..., : self.size[0], : self.size[1]]


def in_training_order(x: Tensor, training: bool) -> Tensor:
    """Channels last while training; when a model is used, the order in which the 2022 weights were recorded, to the last bit."""
    return x.contiguous(memory_format=torch.channels_last) if training else x


def double(x: Float[Tensor, "N C h w"]) -> Float[Tensor, "N C r s"]:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers with ReLU between."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def initialise(module: nn.Module) -> None:
    """The paper's start: convolutions N(0, 0.01), everything else as torch has it."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.normal_(part.weight, 0.0, 0.01)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
