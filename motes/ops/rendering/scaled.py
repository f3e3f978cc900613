"""Cut or place windows of any size: each particle has a scale, pixels of the picture per pixel of its glimpse.

A particle whose centre is at pixel c = position * N / 2 + N / 2 - 1/2 of an axis shows pixel j of its glimpse
at c + (j - (S-1)/2) scale, and owns scale * S pixels. A glimpse that is magnified is interpolated, one that is
minified is averaged (`blending`); its sum is then multiplied by the scale exactly. What is cut is averaged where the
glimpse is coarser than the picture. At scale 1 all that is `glimpse`, without the rule of 2022 for the window's edge.
The weights of the two axes are matrices on either side of the glimpse. `canvas.py` computes the same with full
canvases, and tests compare the two.
"""

from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.ops.exporting import is_exporting
from motes.ops.rendering.blending import BlendMatrix, blend_matrix, cutting_blend, placing_blend
from motes.ops.rendering.canvas import cut_windows_scaled
from motes.ops.rendering.glimpse import Windows
from motes.ops.rendering.pasting import Pasted
from motes.ops.rendering.placement import (
    Placement,
    Runs,
    bordered,
    in_one_precision,
    ungrouped,
    without_autocast,
    without_border,
)
from motes.ops.rendering.sizes import SizeGroup
from motes.types.latents import Image


def cut_scaled(
    image: Image, position: Float[Tensor, "B K 2"], scale: Float[Tensor, "B K 2"], side: int
) -> Float[Tensor, "B K C S S"]:
    """The glimpses, `side` pixels an axis, of windows that are scale * side pixels long; zero outside the picture.

    Scales are above 0. The backward pass reads the windows again instead of keeping them.
    """
    if is_exporting():
        return cut_windows_scaled(image, position, scale, side)
    with without_autocast(image):
        return CutScaled.apply(*in_one_precision(image, position, scale), side)


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
    glimpses, position, scale = in_one_precision(glimpses, position, scale)
    placement = Placement.of(position, scale, side, canvas)
    blend = placing_blend(placement.starts(position), scale)
    with without_autocast(glimpses):
        rows, columns = BlendMatrix.apply(blend, side, placement.largest()).unbind(2)
        return Windows(rows[:, :, None] @ glimpses @ columns[:, :, None].mT, placement.corner)


class CutScaled(torch.autograd.Function):
    """The differentiable form of `cut_scaled`. It saves its inputs."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, position: Tensor, scale: Tensor, side: int) -> Tensor:
        ctx.save_for_backward(image, position, scale)
        placement = Placement.of(position, scale, side, (image.shape[2], image.shape[3]))
        blend = cutting_blend(placement.starts(position), scale).flatten(0, 1)
        ctx.runs = placement.runs()
        if not ctx.runs:
            return image.new_zeros(*position.shape[:2], image.shape[1], side, side)
        sheet = bordered(image)
        parts = []
        for group in (group for groups in ctx.runs for group in groups):
            windows = _windows(sheet, placement, group)
            matrices = blend_matrix(blend[group.members], side, max(group.rows, group.columns))
            half = matrices[:, 0, : group.rows].mT @ windows.flatten(2)
            rows = half.view(len(half), -1, group.columns)
            cut = rows @ matrices[:, 1, : group.columns]
            parts.append(rearrange(cut, "n (r d) c -> n d r c", r=side))
        return ungrouped(parts, ctx.runs, position.shape[:2])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not ctx.runs:
            return None, None, None, None
        image, position, scale = ctx.saved_tensors
        position, scale = position.detach().requires_grad_(), scale.detach().requires_grad_()
        placement = Placement.of(position, scale, gradients[0].shape[-1], (image.shape[2], image.shape[3]))
        with torch.enable_grad():
            blend = cutting_blend(placement.starts(position), scale)
        sheet = bordered(image)
        of_sheet = torch.zeros_like(sheet) if ctx.needs_input_grad[0] else None
        with without_autocast(image):
            of_blend = _cut_gradients(gradients[0], blend.detach(), placement, ctx.runs, (sheet, of_sheet))
        of_place = torch.autograd.grad(blend, (position, scale), of_blend)
        return None if of_sheet is None else without_border(of_sheet, placement.canvas), *of_place, None


def _cut_gradients(
    g: Float[Tensor, "B K C S S"],
    blend: Float[Tensor, "B K 2 5"],
    placement: Placement,
    runs: Runs,
    sheets: tuple[Tensor, Tensor | None],
) -> Float[Tensor, "B K 2 5"]:
    """The gradient of the blend; that of the picture is added to the second sheet.

    What a glimpse reads of a window, times a gradient, is what the gradient adds when it is pasted there, times the
    window: so pasting has all the slopes.
    """
    sheet, of_sheet = sheets
    flat = rearrange(g, "b k d r c -> (b k) r d c")
    parts = []
    for group in (group for groups in runs for group in groups):
        sides = (group.rows, group.columns)
        pasted = Pasted.of(flat[group.members], blend.flatten(0, 1)[group.members], sides)
        parts.append(pasted.gradient(_windows(sheet, placement, group))[1])
        if of_sheet is not None:
            pixels = rearrange(pasted.pixels, "n r d c -> d (n r c)")
            of_sheet.scatter_add_(1, placement.index(group).expand(len(sheet), -1), pixels)
    return ungrouped(parts, runs, g.shape[:2])


def _windows(sheet: Float[Tensor, "D m"], placement: Placement, group: SizeGroup) -> Float[Tensor, "n r D c"]:
    pixels = sheet.index_select(1, placement.index(group))
    return rearrange(pixels, "d (n r c) -> n r d c", r=group.rows, c=group.columns).contiguous()
