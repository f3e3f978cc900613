"""Layers particles over a background in order, the first in front; a pixel that is full takes no more.

A pixel's share depends on the particles in front of it, so particles are visited one after the other. Only a
single number per pixel is carried from one particle to the next, read and written in the particle's window.
Everything else is done for many particles at once, in groups that fit a processor's cache. Where there are
several groups, the backward pass computes the windows again instead of keeping them.

To render several frames, fold them into B. For another order, permute K before the call, front first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from motes.ops.exporting import is_exporting
from motes.ops.rendering import fused
from motes.ops.rendering.canvas import paste, stitch
from motes.ops.rendering.glimpse import (
    Windows,
    canvas_index,
    corner_and_fraction,
    narrowed,
    rimmed_index,
    widened,
)
from motes.types.latents import Image

GROUP = 512  # windows at once
GRAIN_FROM = 0.1  # alphas above this are grainy


def render(
    glimpses: Float[Tensor, "B K D S S"],
    position: Float[Tensor, "B K 2"],
    presence: Float[Tensor, "B K"],
    background: Image,
    grain: Float[Tensor, "B K s s"] | None = None,
) -> Image:
    """The picture. Channel 0 of a glimpse is alpha; `grain` is added to alpha where alpha exceeds a tenth.

    With a_k = presence_k alpha_k and e_k = min(1 - sum_{j<k} e_j, a_k), where no gradient flows to the e_j,
    the picture is sum_k e_k c_k + (1 - sum_k e_k) b, for colours c_k and background b.

    Equals `canvas.stitch(canvas.paste(...))` in value and gradient, but reads and keeps no more than the
    particles' windows. On a GPU a single kernel computes it where possible (`fused`).
    """
    if is_exporting():
        return stitch(
            paste(glimpses, position, (background.shape[2], background.shape[3])), presence, background
        )
    if glimpses.shape[1] and fused.obstacle(background.device) is None:
        return fused.render_fused(glimpses, position, presence, background, grain)
    kind = torch.promote_types(torch.promote_types(glimpses.dtype, background.dtype), torch.float32)
    tensors = (tensor.to(kind) for tensor in (glimpses, position, presence, background))
    return Render.apply(*tensors, grain)


def rendering_method(device: torch.device) -> str:
    """A description, in words, of how `render` works on this device."""
    obstacle = fused.obstacle(device)
    return "one fused kernel" if obstacle is None else f"window by window ({obstacle})"


def shares(
    windows: Windows, presence: Float[Tensor, "B K"], canvas: tuple[int, int]
) -> Float[Tensor, "B K s s"]:
    """The share of each pixel of its window that a particle has: alpha times presence, at most the room left
    in front."""
    side = windows.pixels.shape[-1]
    alpha = rearrange(windows.pixels[:, :, 0], "b k r s -> b k (r s)") * presence[..., None]
    index = canvas_index(windows.corner, side, canvas)
    free = alpha.new_ones(alpha.shape[0], (canvas[0] + 2 * side) * (canvas[1] + 2 * side))
    room = _room(alpha.detach(), index, free)
    return rearrange(torch.minimum(alpha, room), "b k (r s) -> b k r s", r=side)


class Render(torch.autograd.Function):
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
        canvas = (background.shape[2], background.shape[3])
        free = _free(background)
        sheet = background.new_zeros(free.numel(), glimpses.shape[2])
        groups = list(_groups(glimpses, position, presence, grain))
        kept: tuple[Tensor, ...] = ()
        for group in groups:
            layers = _lay(group, canvas, free)
            _add_to_sheet(sheet, layers)
            # those of a single group are few: they need not be computed again
            kept = layers.tensors if len(groups) == 1 else ()
        layered = _picture_of(sheet, background)
        taken = layered[:, :1].clone()
        ctx.save_for_backward(glimpses, position, presence, background, grain, taken, *kept)
        return layered[:, 1:] + (1 - layered[:, :1].clamp(0, 1)) * background

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        glimpses, position, presence, background, grain, taken, *kept = ctx.saved_tensors
        g = gradients[0]
        canvas = (background.shape[2], background.shape[3])
        pixel_gradients = _pixel_gradients(g, background, taken)
        free = _free(background)
        parts = []
        for group in _groups(glimpses, position, presence, grain):
            layers = _Layers.of(kept) if kept else _lay(group, canvas, free)
            parts.append(_lay_backward(pixel_gradients, group, layers, canvas))
        g_glimpses, g_position, g_presence = (torch.cat(part, 1) for part in zip(*parts, strict=True))
        g_glimpses = rearrange(g_glimpses, "b k r s d -> b k d r s")
        return g_glimpses, g_position, g_presence, (1 - taken.clamp(0, 1)) * g, None


class _Group(NamedTuple):
    """A group of particles that are cut and pasted in one step."""

    glimpses: Tensor
    position: Tensor
    presence: Tensor
    grain: Tensor | None


@dataclass(frozen=True)
class _Layers:
    """A group of windows, channels last."""

    # glimpses widened along rows
    half: Float[Tensor, "B K s S D"]
    # and along columns
    pixels: Float[Tensor, "B K s s D"]
    # times presence, grain and all
    alpha: Float[Tensor, "B K n"]
    room: Float[Tensor, "B K n"]
    rows_of_sheet: Int[Tensor, "m"]
    # B K 2 1: of the near and the far pixel
    taps: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, tensors: Sequence[Tensor]) -> "_Layers":
        *parts, near, far = tensors
        return cls(*parts, taps=(near, far))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return self.half, self.pixels, self.alpha, self.room, self.rows_of_sheet, *self.taps

    @property
    def flat_pixels(self) -> Float[Tensor, "B K n D"]:
        return rearrange(self.pixels, "b k r s d -> b k (r s) d")


def _lay(group: _Group, canvas: tuple[int, int], free: Tensor) -> _Layers:
    """The layers of the group, given how much room the particles in front left (`free`).

    `free` is updated in place.
    """
    side = group.glimpses.shape[-1] + 1
    corner, fraction = corner_and_fraction(group.position, side - 1, canvas)
    taps = (1 - fraction[..., None], fraction[..., None])
    half = widened(_channels_last(group.glimpses), taps[0][:, :, 0], taps[1][:, :, 0], 2)
    pixels = widened(half, taps[0][:, :, 1], taps[1][:, :, 1], 3)
    if group.grain is not None:
        pixels[..., 0] += group.grain * (pixels[..., 0] > GRAIN_FROM)
    index = rimmed_index(corner, side, canvas)
    alpha = rearrange(pixels[..., 0], "b k r s -> b k (r s)") * group.presence[..., None]
    room = _room(alpha, index, free)
    return _Layers(half, pixels, alpha, room, _rows_of_sheet(index, free), taps)


def _rows_of_sheet(index: Int[Tensor, "B K n"], free: Float[Tensor, "B p"]) -> Int[Tensor, "m"]:
    """The row of each window pixel in the sheet, in which the canvases of all pictures follow one another."""
    first = torch.arange(len(free), device=free.device)[:, None, None] * free.shape[1]
    return (index + first).flatten()


def _add_to_sheet(sheet: Tensor, layers: _Layers) -> None:
    """Add the layers to the sheet in place: shares to channel 0, colours times shares to the other
    channels."""
    share = torch.minimum(layers.alpha, layers.room)[..., None]
    pixels = layers.flat_pixels * share
    pixels[..., :1] = share
    sheet.index_add_(0, layers.rows_of_sheet, pixels.flatten(0, 2))


def _pixel_gradients(g: Tensor, background: Tensor, taken: Tensor) -> Float[Tensor, "m D"]:
    """For each pixel of the sheet, the gradient of its total share, through the background, and the gradient
    of its colours."""
    # above 1 only by rounding: no clamp there
    hidden = (g * background).sum(1) * (taken[:, 0] >= 0)
    batch, colours, height, width = g.shape
    sheet = g.new_zeros(batch, height + 2, width + 2, 1 + colours)
    sheet[:, 1:-1, 1:-1, 0] = hidden
    sheet[:, 1:-1, 1:-1, 1:] = rearrange(g, "b c h w -> b h w c")
    return rearrange(sheet, "b h w d -> (b h w) d")


def _lay_backward(
    pixel_gradients: Tensor, group: _Group, layers: _Layers, canvas: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of the group's glimpses, positions and presences."""
    pixels = layers.flat_pixels
    g = pixel_gradients.index_select(0, layers.rows_of_sheet).view(pixels.shape)
    g_share = (g[..., 1:] * pixels[..., 1:]).sum(-1) - g[..., 0]
    g_alpha = g_share * _minimum_gradient(layers.alpha, layers.room)
    g_presence = (g_alpha * pixels[..., 0]).sum(-1)
    g[..., 1:] *= torch.minimum(layers.alpha, layers.room)[..., None]
    g[..., 0] = g_alpha * group.presence[..., None]
    g, g_position = _widen_backward(g.view(layers.pixels.shape), layers, group.glimpses, canvas)
    return g, g_position, g_presence


def _minimum_gradient(value: Tensor, bound: Tensor) -> Tensor:
    """The gradient of min(value, bound) with respect to the value; one half where both are equal."""
    return (value < bound) + 0.5 * (value == bound)


def _widen_backward(
    g: Float[Tensor, "B K s s D"], layers: _Layers, glimpses: Tensor, canvas: tuple[int, int]
) -> tuple[Float[Tensor, "B K S S D"], Float[Tensor, "B K 2"]]:
    """Gradients of the glimpses, channels last, and of the positions, given those of the windows' pixels."""
    near, far = layers.taps
    g_columns = _fraction_gradient(g, layers.half, 3)
    g = narrowed(g, near[:, :, 1], far[:, :, 1], 3)
    g_rows = _fraction_gradient(g, _channels_last(glimpses), 2)
    g = narrowed(g, near[:, :, 0], far[:, :, 0], 2)
    g_position = torch.stack([g_rows * canvas[0] / 2, g_columns * canvas[1] / 2], -1)
    return g, g_position


def _fraction_gradient(g: Tensor, x: Tensor, axis: int) -> Float[Tensor, "B K"]:
    """The gradient of the fraction by which x was shifted along `axis`, given the gradient `g` of the shifted
    x."""
    count = x.shape[axis]
    return ((g.narrow(axis, 1, count) - g.narrow(axis, 0, count)) * x).sum((2, 3, 4))


def _channels_last(glimpses: Float[Tensor, "B K D S S"]) -> Float[Tensor, "B K S S D"]:
    return rearrange(glimpses, "b k d r s -> b k r s d")


def _room(
    alpha: Float[Tensor, "B K n"], index: Int[Tensor, "B K n"], free: Float[Tensor, "B p"]
) -> Float[Tensor, "B K n"]:
    """The room that the particles in front leave at each pixel.

    This is the only loop over particles: it carries one value for each pixel.
    """
    room = torch.empty_like(alpha)
    for k in range(alpha.shape[1]):
        before = free.gather(1, index[:, k])
        room[:, k] = before
        free.scatter_(1, index[:, k], before - torch.minimum(before, alpha[:, k]))
    return room


def _groups(glimpses: Tensor, position: Tensor, presence: Tensor, grain: Tensor | None) -> Iterator[_Group]:
    step = max(GROUP // len(glimpses), 1)
    for start in range(0, glimpses.shape[1], step):
        part = slice(start, start + step)
        grains = None if grain is None else grain[:, part]
        yield _Group(glimpses[:, part], position[:, part], presence[:, part], grains)


def _free(background: Image) -> Float[Tensor, "B p"]:
    """The room at each pixel, and at each of the rim, before anything is drawn."""
    return background.new_ones(len(background), (background.shape[2] + 2) * (background.shape[3] + 2))


def _picture_of(sheet: Float[Tensor, "m D"], like: Image) -> Float[Tensor, "B D H W"]:
    """The sheet as maps without the rim, for as many pictures as `like` has."""
    maps = rearrange(sheet, "(b h w) d -> b d h w", b=len(like), h=like.shape[2] + 2)
    return maps[..., 1:-1, 1:-1]
