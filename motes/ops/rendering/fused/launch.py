"""The kernels as one differentiable function: their arguments, the number of programs, and the saved tensors.

Importing this file needs triton; the package does so when it first renders.
"""

from typing import Any

import torch
from torch import Tensor

from motes.ops.rendering.fused.backward import TileGradients, gather, paint_tile_backward
from motes.ops.rendering.fused.forward import Scene, Sizes, compiled_in, paint_tile

BLOCK = 256  # elements of a tile that one warp of threads takes


class FusedRender(torch.autograd.Function):
    """The differentiable form of `render`. It saves its inputs and one number for each pixel."""

    @staticmethod
    def forward(
        ctx: Any,
        glimpses: Tensor,
        position: Tensor,
        presence: Tensor,
        background: Tensor,
        grain: Tensor | None,
    ) -> Tensor:
        inputs = [
            tensor if tensor is None else tensor.contiguous()
            for tensor in (glimpses, position, presence, background, grain)
        ]
        kind = torch.promote_types(torch.promote_types(glimpses.dtype, background.dtype), torch.float32)
        picture = background.new_empty(background.shape, dtype=kind)
        taken = torch.empty_like(picture[:, 0])
        sizes = kernel_sizes(glimpses, background)
        launch_kernel(paint_tile, _tiles(sizes, background), sizes, Scene(*inputs), picture, taken)
        ctx.save_for_backward(*inputs, taken)
        return picture

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        *inputs, taken = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        glimpses, position, presence, background, _ = inputs
        sizes = kernel_sizes(glimpses, background)
        side = glimpses.shape[-1]
        scene = Scene(*inputs)
        results = TileGradients(
            torch.empty_like(background),
            gradient.new_empty(*presence.shape, 2, side + 1, side + 1),
            gradient.new_zeros(*presence.shape, sizes.slot_rows * sizes.slot_columns, 3),
        )
        launch_kernel(paint_tile_backward, _tiles(sizes, background), sizes, scene, gradient, taken, results)
        g_glimpses = torch.empty_like(glimpses)
        g_particles = results.gradients.sum(2)
        parts = presence.numel() * _steps(side, sizes.tile_rows) * _steps(side, sizes.tile_columns)
        launch_kernel(gather, parts, sizes, scene, gradient, results.windows, g_glimpses)
        return (
            g_glimpses,
            g_particles[..., :2].to(position.dtype),
            g_particles[..., 2].to(presence.dtype),
            results.background,
            None,
        )


def launch_kernel(kernel: Any, programs: int, sizes: Sizes, *arguments: Any) -> None:
    """Run `programs` programs of a kernel on the GPU that holds the data, which need not be the current
    GPU."""
    with torch.cuda.device_of(arguments[1]):
        kernel[(programs,)](*arguments, compiled_in(sizes), num_warps=warps(sizes))


def warps(sizes: Sizes) -> int:
    return min(max(sizes.depth_block * sizes.tile_rows * sizes.tile_columns // BLOCK, 1), 8)


def kernel_sizes(glimpses: Tensor, background: Tensor) -> Sizes:
    """The sizes for a launch. Tiles are as wide as a window, to read whole rows of memory, and low.

    The part of a tile beside a window is wasted work.
    """
    count, depth, side = glimpses.shape[1:4]
    height, width = background.shape[2:]
    tile = (8, min(max(_power_of_two(side), 8), 32))
    slots = (_steps(side, tile[0]) + 1, _steps(side, tile[1]) + 1)
    return Sizes(count, height, width, depth, side, *tile, *slots, _power_of_two(depth), _power_of_two(count))


def _tiles(sizes: Sizes, background: Tensor) -> int:
    return len(background) * _steps(sizes.height, sizes.tile_rows) * _steps(sizes.width, sizes.tile_columns)


def _steps(length: int, step: int) -> int:
    return (length + step - 1) // step


def _power_of_two(number: int) -> int:
    return 1 << max(number - 1, 0).bit_length()
