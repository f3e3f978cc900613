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

from motes.ops.rendering.blending import BlendMatrix, blend_matrix, cutting_blend, placing_blend
from motes.ops.rendering.glimpse import Windows
from motes.ops.rendering.sizes import runs_of_groups
from motes.types.latents import Image


def cut_scaled(
    image: Image, position: Float[Tensor, "B K 2"], scale: Float[Tensor, "B K 2"], side: int
) -> Float[Tensor, "B K C S S"]:
    """The glimpses, `side` pixels an axis, of windows that are scale * side pixels long; zero outside the picture.

    The backward pass computes the windows again instead of keeping them.
    """
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (image, position, scale)):
        return checkpoint(_cut, image, position, scale, side, use_reentrant=False, preserve_rng_state=False)
    return _cut_in_groups(image, position, scale, side)


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
    rows, columns = BlendMatrix.apply(placing_blend(start, scale), side, largest).unbind(2)
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


def border_index(
    corner: Int[Tensor, "*b 2"],
    sides: tuple[int, int],
    canvas: tuple[int, int],
    before: Int[Tensor, "*b 1"] | int = 0,
) -> Int[Tensor, "*b n"]:
    """The flat index of each pixel of every window on a canvas with a border of one pixel.

    All that lies outside the canvas falls on the border. `before` says how many pixels come before the canvas.
    """
    rows = corner[..., 0, None] + torch.arange(sides[0], device=corner.device)
    columns = corner[..., 1, None] + torch.arange(sides[1], device=corner.device)
    first = (rows.clamp(-1, canvas[0]) + 1) * (canvas[1] + 2) + before
    flat = first[..., :, None] + (columns.clamp(-1, canvas[1]) + 1)[..., None, :]
    return rearrange(flat, "... r c -> ... (r c)")


def _cut_in_groups(image: Tensor, position: Tensor, scale: Tensor, side: int) -> Float[Tensor, "B K C S S"]:
    """The glimpses without gradients: windows of about one size together, so that small ones stay small."""
    canvas = (image.shape[2], image.shape[3])
    corner, count = window_corners(position, scale, side, canvas)
    blend = cutting_blend(window_starts(corner, position, canvas), scale).flatten(0, 1)
    flat = rearrange(F.pad(image, (1, 1, 1, 1)), "b c h w -> (b h w) c")
    area = (canvas[0] + 2) * (canvas[1] + 2)
    glimpses = image.new_empty(corner.shape[0] * corner.shape[1], image.shape[1], side, side)
    for groups in runs_of_groups(count):
        for group in groups:
            members = group.members
            before = (members // corner.shape[1])[:, None] * area
            index = border_index(corner.flatten(0, 1)[members], (group.rows, group.columns), canvas, before)
            pixels = flat.index_select(0, index.flatten())
            windows = rearrange(pixels, "(n r s) c -> n c r s", r=group.rows, s=group.columns).contiguous()
            rows = blend_matrix(blend[members, 0], side, group.rows)
            columns = blend_matrix(blend[members, 1], side, group.columns)
            # in half precision where autocast says so
            read = rows.mT[:, None] @ windows @ columns[:, None]
            glimpses[members] = read.to(glimpses)
    return glimpses.unflatten(0, corner.shape[:2])


def _cut(image: Tensor, position: Tensor, scale: Tensor, side: int) -> Float[Tensor, "B K C S S"]:
    canvas = (image.shape[2], image.shape[3])
    corner, count = window_corners(position, scale, side, canvas)
    largest = largest_side(count, side)
    start = window_starts(corner, position, canvas)
    matrices = BlendMatrix.apply(cutting_blend(start, scale), side, largest).mT
    index = rearrange(border_index(corner, (largest, largest), canvas), "b k n -> b 1 (k n)")
    flat = rearrange(F.pad(image, (1, 1, 1, 1)), "b c h w -> b c (h w)")
    pixels = flat.gather(2, index.expand(-1, image.shape[1], -1))
    windows = rearrange(pixels, "b c (k r s) -> b k c r s", r=largest, s=largest)
    return matrices[:, :, :1] @ windows @ matrices[:, :, 1:].mT
