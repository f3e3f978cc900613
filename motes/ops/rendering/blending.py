"""The weights with which the pixels of a window and of a glimpse blend, along one axis, and their gradients.

Pixel i of the picture lies apart = i - x_j pixels from pixel j of the glimpse, where x_j = c + (j - (S-1)/2) scale
for a particle with its centre at c. Both directions weigh by one shape, height * (reach - |apart|) / width, which is
cut off at 0 and at the height: a tent, or a tent with a flat top, which is how much two pixels of unlike sizes
overlap. Either way what is evenly coloured stays so at any scale. At scale 1 both are two taps, 1 - |apart|.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

NUMBERS = 5  # the numbers of a blend, in this order: start, scale, height, reach, width


def placing_blend(start: Float[Tensor, "*n"], scale: Float[Tensor, "*n"]) -> Float[Tensor, "*n 5"]:
    """The blend that places a glimpse: interpolation where it is magnified, the mean of what a pixel of the picture
    covers where it is minified.

    `start` is the window's first pixel, seen from the particle's centre.
    """
    narrow = torch.minimum(scale, torch.ones_like(scale))
    return torch.stack([start, scale, narrow, (scale + _at_least_one(scale)) / 2, scale], -1)


def cutting_blend(start: Float[Tensor, "*n"], scale: Float[Tensor, "*n"]) -> Float[Tensor, "*n 5"]:
    """The blend that cuts a glimpse: interpolation where it is finer than the picture, the mean of what a pixel of
    the glimpse covers where it is coarser."""
    wide = _at_least_one(scale)
    return torch.stack([start, scale, 1 / wide, (1 + wide) / 2, torch.ones_like(scale)], -1)


class BlendMatrix(torch.autograd.Function):
    """The differentiable form of `blend_matrix`."""

    @staticmethod
    def forward(ctx: Any, blend: Tensor, side: int, count: int) -> Tensor:
        ctx.save_for_backward(blend)
        ctx.side = side
        return blend_matrix(blend, side, count)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return blend_gradient(gradients[0], ctx.saved_tensors[0]), None, None


def blend_matrix(blend: Float[Tensor, "*n 5"], side: int, count: int) -> Float[Tensor, "*n s S"]:
    """The weight between each of `count` pixels of a window and each of `side` pixels of its glimpse."""
    height, reach, width = blend[..., 2:, None, None].unbind(-3)
    below = reach / width - _widths_apart(blend, side, count).abs_()
    return below.clamp_(0, 1).mul_(height)


def blend_gradient(g: Float[Tensor, "*n s S"], blend: Float[Tensor, "*n 5"]) -> Float[Tensor, "*n 5"]:
    """The gradient of the blend's numbers, given that of the matrix.

    Where slopes jump, it is that of a particle that moves towards later pixels, as in `glimpse`. Comparisons are
    slow on a CPU, so a sign and a clamp's own gradient stand in for them.
    """
    height, reach, width = blend[..., 2:].unbind(-1)
    separation = _widths_apart(blend, g.shape[-1], g.shape[-2], 32 * torch.finfo(g.dtype).eps)
    below = (reach / width)[..., None, None] - separation.abs()
    of_below = torch.ops.aten.hardtanh_backward(g, below, 0, 1)
    of_reach = of_below.sum((-1, -2))
    of_width = -(of_below * below).sum((-1, -2))
    of_start = -(of_below * separation.sign_()).sum(-2)
    of_scale = -(of_start @ _taps(g, g.shape[-1]))
    of_height = (g * below.clamp_(0, 1)).sum((-1, -2))
    slope = height / width
    parts = (of_start.sum(-1) * slope, of_scale * slope, of_height, of_reach * slope, of_width * slope)
    return torch.stack(parts, -1)


def _widths_apart(
    blend: Float[Tensor, "*n 5"], side: int, count: int, less: float = 0
) -> Float[Tensor, "*n s S"]:
    """Each pixel of the window, seen from each pixel of the glimpse, in units of the blend's width."""
    start, scale, _, _, width = blend[..., None].unbind(-2)
    pixels = torch.arange(count, device=blend.device, dtype=blend.dtype)
    return ((start + pixels) / width - less)[..., :, None] - (scale / width * _taps(blend, side))[
        ..., None, :
    ]


def _taps(like: Tensor, side: int) -> Float[Tensor, "n"]:
    return torch.arange(side, device=like.device, dtype=like.dtype) - (side - 1) / 2


def _at_least_one(scale: Tensor) -> Tensor:
    """At 1 the gradient is halfway between those of larger and smaller scales; many models start at 1."""
    return torch.maximum(scale, torch.ones_like(scale))
