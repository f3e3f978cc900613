"""Cut or place windows of any size: each particle has a scale, pixels of the picture per pixel of its glimpse.

A particle whose centre is at pixel c = position * N / 2 + N / 2 - 1/2 of an axis shows pixel j of its glimpse
at x_j = c + (j - (S-1)/2) scale. Both directions blend by the same tents, max(0, 1 - |i - x_j| / max(1, scale))
for pixel i of the picture. Placing multiplies them by min(1, scale): a glimpse that is magnified is
interpolated, one that is minified is averaged, and its sum is multiplied by scale exactly. Cutting divides them by
max(1, scale): what is read is averaged where the glimpse is coarser than the picture. At scale 1 that is
`glimpse`, without the rule of 2022 for the window's edge. The tents of the two axes are matrices on either side of
the glimpse. `canvas.py` computes the same with full canvases, and tests compare the two.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from motes.ops.rendering.glimpse import Windows
from motes.types.latents import Image


def cut_scaled(
    image: Image, position: Float[Tensor, "B K 2"], scale: Float[Tensor, "B K 2"], side: int
) -> Float[Tensor, "B K C S S"]:
    """The glimpses, `side` pixels an axis, of windows that are scale * side pixels long; zero outside the picture.

    The backward pass computes the windows again instead of keeping them.
    """
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (image, position, scale)):
        return checkpoint(_cut, image, position, scale, side, use_reentrant=False, preserve_rng_state=False)
    return _cut(image, position, scale, side)


def place_scaled(
    glimpses: Float[Tensor, "B K D S S"],
    position: Float[Tensor, "B K 2"],
    scale: Float[Tensor, "B K 2"],
    canvas: tuple[int, int],
) -> Windows:
    """Each glimpse at its place and scale, as a window of the canvas.

    All windows have the side of the largest, which is at most one more than the canvas's longer side.
    """
    side = glimpses.shape[-1]
    corner, count = window_corners(position, scale, side, canvas)
    largest = largest_side(count, side)
    start = window_starts(corner, position, canvas)
    rows, columns = placing_matrix(start, scale, side, largest).unbind(2)
    return Windows(rows[:, :, None] @ glimpses @ columns[:, :, None].mT, corner)


def window_corners(
    position: Float[Tensor, "B K 2"], scale: Float[Tensor, "B K 2"], side: int, canvas: tuple[int, int]
) -> tuple[Int[Tensor, "B K 2"], Int[Tensor, "B K 2"]]:
    """The first pixel of each window along each axis, and the number of its pixels.

    Windows larger than the canvas are cut down to what may be visible.
    """
    full = torch.tensor(canvas, device=position.device, dtype=position.dtype)
    scale = scale.detach()
    reach = (side - 1) / 2 * scale + scale.clamp_min(1)
    first = (position.detach() * full / 2 + (full - 1) / 2 - reach).floor() + 1
    count = (2 * reach).ceil()
    corner = torch.maximum(first, (first + count - full - 1).clamp_max(0))
    return corner.long(), torch.minimum(count, full + 1).long()


def largest_side(count: Int[Tensor, "B K 2"], side: int) -> int:
    """The side of a square that holds any of the windows."""
    return int(count.max()) if count.numel() else side + 1


def window_starts(
    corner: Int[Tensor, "*b 2"], position: Float[Tensor, "*b 2"], canvas: tuple[int, int]
) -> Float[Tensor, "*b 2"]:
    """Each window's first pixel, seen from the particle's centre, along each axis."""
    full = torch.tensor(canvas, device=position.device, dtype=position.dtype)
    return (corner - (full - 1) / 2) - position * full / 2


def placing_matrix(
    start: Float[Tensor, "*n"], scale: Float[Tensor, "*n"], side: int, count: int
) -> Float[Tensor, "*n s S"]:
    """What each of `count` pixels of the window gets from each pixel of the glimpse, along one axis."""
    return window_tents(start, scale, side, count) * _at_most_one(scale)[..., None, None]


def cutting_matrix(
    start: Float[Tensor, "*n"], scale: Float[Tensor, "*n"], side: int, count: int
) -> Float[Tensor, "*n S s"]:
    """What each pixel of the glimpse gets from each of `count` pixels of the window, along one axis."""
    return (window_tents(start, scale, side, count) / _at_least_one(scale)[..., None, None]).mT


def window_tents(
    start: Float[Tensor, "*n"], scale: Float[Tensor, "*n"], side: int, count: int
) -> Float[Tensor, "*n s S"]:
    """How near each of `count` pixels of the picture is to each pixel of the glimpse, from 0 to 1.

    `start` is the window's first pixel, seen from the particle's centre. Where slopes jump, the gradient is that
    of a particle that moves towards later pixels, as in `glimpse`.
    """
    pixels = torch.arange(count, device=start.device, dtype=start.dtype)
    taps = torch.arange(side, device=start.device, dtype=start.dtype) - (side - 1) / 2
    apart = (start[..., None] + pixels)[..., None] - (scale[..., None] * taps)[..., None, :]
    slope = torch.where(apart.detach() > 0, -1.0, 1.0).to(start.dtype)
    return (1 + slope * apart / _at_least_one(scale)[..., None, None]).clamp_min(0)


def border_index(
    corner: Int[Tensor, "*b 2"], sides: tuple[int, int], canvas: tuple[int, int]
) -> Int[Tensor, "*b n"]:
    """The flat index of each pixel of every window on a canvas with a border of one pixel.

    All that lies outside the canvas falls on the border.
    """
    rows = corner[..., 0, None] + torch.arange(sides[0], device=corner.device)
    columns = corner[..., 1, None] + torch.arange(sides[1], device=corner.device)
    first = (rows.clamp(-1, canvas[0]) + 1) * (canvas[1] + 2)
    flat = first[..., :, None] + (columns.clamp(-1, canvas[1]) + 1)[..., None, :]
    return rearrange(flat, "... r c -> ... (r c)")


def _cut(image: Tensor, position: Tensor, scale: Tensor, side: int) -> Float[Tensor, "B K C S S"]:
    canvas = (image.shape[2], image.shape[3])
    corner, count = window_corners(position, scale, side, canvas)
    largest = largest_side(count, side)
    start = window_starts(corner, position, canvas)
    rows, columns = cutting_matrix(start, scale, side, largest).unbind(2)
    index = rearrange(border_index(corner, (largest, largest), canvas), "b k n -> b 1 (k n)")
    flat = rearrange(F.pad(image, (1, 1, 1, 1)), "b c h w -> b c (h w)")
    pixels = flat.gather(2, index.expand(-1, image.shape[1], -1))
    windows = rearrange(pixels, "b c (k r s) -> b k c r s", r=largest, s=largest)
    return rows[:, :, None] @ windows @ columns[:, :, None].mT


def _at_most_one(scale: Tensor) -> Tensor:
    """As `_at_least_one`, from the other side."""
    return torch.minimum(scale, torch.ones_like(scale))


def _at_least_one(scale: Tensor) -> Tensor:
    """At 1 the gradient is halfway between those of larger and smaller scales; many models start at 1."""
    return torch.maximum(scale, torch.ones_like(scale))
