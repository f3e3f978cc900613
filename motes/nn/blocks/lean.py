"""Trains the blocks of `motes.nn.blocks.conv` on a CPU with less memory and fewer passes.

Values and gradients are the same up to rounding; three things are done differently. Of every block only the
convolution's output is kept: the backward pass computes the next block's input (padded, normalised,
rectified) again. Edges are repeated by slices, not by an index for every pixel. A bilinear doubling before a
convolution moves behind it. Doubling puts zeros between the pixels, then blurs by (1 3 3 1)/4 along both
axes. Blurring every channel by the same weights commutes with the convolution, which then need not touch the
zeros: it becomes a transposed convolution of the small picture, with a quarter of the arithmetic, and the
blur has as many channels as come out, not as go in.
"""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.nn.blocks.normalisation import BatchNorm

BLUR = (0.25, 0.75, 0.75, 0.25)
BLUR_REACH = len(BLUR) - 1
POINTWISE = ([1, 1], [0, 0], [1, 1], False, [0, 0])  # stride, padding, dilation, transposed, output padding
TRANSPOSED = ([2, 2], [1, 1], [1, 1], True, [0, 0])


@runtime_checkable
class Block(Protocol):
    """The attributes of a ConvBlock that are used here."""

    conv: nn.Conv2d
    norm: BatchNorm
    pad: int
    leak: float
    doubling: bool


class Parameters(NamedTuple):
    """The parameters of one block."""

    weight: Tensor
    scale: Tensor
    shift: Tensor


class Convolved(NamedTuple):
    """The output of a block's convolution, and the statistics of its normalisation."""

    y: Tensor
    mean: Tensor
    inverse: Tensor


class LeanBlocks(torch.autograd.Function):
    """Blocks one after the other, and a 1x1 convolution at the end, as a single step of the autograd
    graph."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, blocks: list[Block], top: Tensor, bias: Tensor, *parameters: Tensor
    ) -> Tensor:
        ctx.blocks = blocks
        saved = [x, top, *parameters]
        out = x
        for block, weights in zip(blocks, _in_threes(Parameters, parameters), strict=True):
            out, convolved = _forward(out, block, weights)
            saved += convolved
        ctx.save_for_backward(*saved)
        return F.conv2d(out, top, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        x, top, *tensors = ctx.saved_tensors
        blocks = ctx.blocks
        parameters = _in_threes(Parameters, tensors[: 3 * len(blocks)])
        convolved = _in_threes(Convolved, tensors[3 * len(blocks) :])
        g_parameters: list[Tensor | None] = []
        out = _output(blocks[-1], parameters[-1], convolved[-1])
        g, *g_top = torch.ops.aten.convolution_backward(
            gradients[0], out, top, [len(top)], *POINTWISE, 1, [True, True, True]
        )
        for n in reversed(range(len(blocks))):
            # only the first block's input may need no gradient
            assert g is not None
            g, g_scale, g_shift = _normalise_backward(g, out, blocks[n], parameters[n], convolved[n])
            out = _output(blocks[n - 1], parameters[n - 1], convolved[n - 1]) if n else x
            needs_x = bool(n) or ctx.needs_input_grad[0]
            g, g_weight = _convolve_backward(g, out, parameters[n].weight, blocks[n], needs_x)
            g_parameters = [g_weight, g_scale, g_shift, *g_parameters]
        return g, None, *g_top, *g_parameters


def _in_threes(kind: Any, tensors: Any) -> list[Any]:
    return [kind(*tensors[n : n + 3]) for n in range(0, len(tensors), 3)]


def _forward(x: Tensor, block: Block, parameters: Parameters) -> tuple[Tensor, Convolved]:
    norm = block.norm
    y = _convolve(x, parameters.weight, block)
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked += 1
    running = (norm.running_mean, norm.running_var)
    out, mean, inverse = torch.native_batch_norm(
        y, parameters.scale, parameters.shift, *running, True, norm.momentum or 0.1, norm.eps
    )
    return F.leaky_relu_(out, block.leak), Convolved(y, mean, inverse)


def _normalise_backward(
    g: Tensor, out: Tensor, block: Block, parameters: Parameters, convolved: Convolved
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of the convolution's output, of the scale and of the shift, given the gradient g of the
    block's."""
    y, mean, inverse = convolved
    g = torch.ops.aten.leaky_relu_backward(g, out, block.leak, True)
    mask = [True, True, True]
    return torch.ops.aten.native_batch_norm_backward(
        g, y, parameters.scale, None, None, mean, inverse, True, block.norm.eps, mask
    )


def _output(block: Block, parameters: Parameters, convolved: Convolved) -> Tensor:
    """A block's output, computed again from its convolution's output."""
    variance = convolved.inverse.pow(-2) - block.norm.eps
    fixed = (parameters.scale, parameters.shift, convolved.mean, variance)
    out, _, _ = torch.native_batch_norm(convolved.y, *fixed, False, 0.0, block.norm.eps)
    return F.leaky_relu_(out, block.leak)


def _convolve(x: Tensor, weight: Tensor, block: Block) -> Tensor:
    if block.doubling:
        return convolve_doubled(x, weight)
    return F.conv2d(repeat_edges(x, block.pad), weight, stride=block.conv.stride)


def _convolve_backward(
    g: Tensor, x: Tensor, weight: Tensor, block: Block, needs_x: bool
) -> tuple[Tensor | None, Tensor]:
    wide = repeat_edges(x, block.pad)
    mask = [needs_x, True, False]
    if block.doubling:
        g_x, g_weight = _doubled_backward(g, wide, weight, mask)
    else:
        geometry = (list(block.conv.stride), [0, 0], [1, 1], False, [0, 0])
        g_x, g_weight, _ = torch.ops.aten.convolution_backward(g, wide, weight, None, *geometry, 1, mask)
    return repeat_edges_backward(g_x, block.pad) if needs_x else None, g_weight


def _doubled_backward(g: Tensor, wide: Tensor, weight: Tensor, mask: list[bool]) -> tuple[Tensor, Tensor]:
    g = _blur(g, BLUR_REACH)
    g_x, g_weight, _ = torch.ops.aten.convolution_backward(
        g, wide, _turned(weight), None, *TRANSPOSED, 1, mask
    )
    return g_x, _turned(g_weight)


def convolve_doubled(
    x: Float[Tensor, "N C h w"], weight: Float[Tensor, "D C 3 3"]
) -> Float[Tensor, "N D r s"]:
    """The picture doubled bilinearly, padded by repeating its edges, and convolved."""
    return _blur(torch.ops.aten.convolution(repeat_edges(x, 1), _turned(weight), None, *TRANSPOSED, 1))


def _turned(weight: Float[Tensor, "A B 3 3"]) -> Float[Tensor, "B A 3 3"]:
    """The weights in the layout of a transposed convolution, or such weights in the layout of a
    convolution."""
    return rearrange(weight.flip(2, 3), "a b r s -> b a r s").contiguous(memory_format=torch.channels_last)


def _blur(x: Float[Tensor, "N C h w"], pad: int = 0) -> Float[Tensor, "N C r s"]:
    """Each channel blurred by (1 3 3 1)/4 along both axes.

    The blur is its own adjoint except for the padding, because its weights are symmetric.
    """
    weight = torch.outer(x.new_tensor(BLUR), x.new_tensor(BLUR)).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(x, weight, padding=pad, groups=x.shape[1])


def repeat_edges(x: Float[Tensor, "N C h w"], pad: int) -> Float[Tensor, "N C r s"]:
    if pad == 0:
        return x
    wide = _empty_around(x, pad)
    wide[..., pad:-pad, pad:-pad] = x
    wide[..., :pad, pad:-pad] = x[..., :1, :]
    wide[..., -pad:, pad:-pad] = x[..., -1:, :]
    wide[..., :pad] = wide[..., pad : pad + 1]
    wide[..., -pad:] = wide[..., -pad - 1 : -pad]
    return wide


def _empty_around(x: Float[Tensor, "N C h w"], pad: int) -> Float[Tensor, "N C r s"]:
    """Uninitialised memory for pictures that are `pad` pixels wider on every side, channels last."""
    count, channels, rows, columns = x.shape
    shape = (count, channels, rows + 2 * pad, columns + 2 * pad)
    return torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)


def repeat_edges_backward(g: Float[Tensor, "N C r s"], pad: int) -> Float[Tensor, "N C h w"]:
    """Add the gradients of repeated pixels to those of the pixels that they repeat; `g` changes.

    The result is a view of the middle of `g`.
    """
    if pad == 0:
        return g
    g[..., pad] += g[..., :pad].sum(-1)
    g[..., -pad - 1] += g[..., -pad:].sum(-1)
    g[..., pad, :] += g[..., :pad, :].sum(-2)
    g[..., -pad - 1, :] += g[..., -pad:, :].sum(-2)
    return g[..., pad:-pad, pad:-pad]
