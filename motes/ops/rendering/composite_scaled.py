"""Layers particles of any size over a background in order, the first in front, as `composite` does.

Windows of many sizes are padded to a few sizes (`sizes`), so that cost follows the sum of their areas. Again only
a single number per pixel is carried from one particle to the next, and the backward pass computes the windows
again instead of keeping them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from motes.ops.rendering.composite import GRAIN_FROM
from motes.ops.rendering.scaled import border_index, placing_matrix, window_corners, window_starts
from motes.ops.rendering.sizes import SizeGroup, runs_of_groups
from motes.types.latents import Image


def render_scaled(
    glimpses: Float[Tensor, "B K D S S"],
    position: Float[Tensor, "B K 2"],
    scale: Float[Tensor, "B K 2"],
    presence: Float[Tensor, "B K"],
    background: Image,
    grain: Float[Tensor, "B K s s"] | None = None,
) -> Image:
    """The picture, as `composite.render` gives it, of glimpses that are placed at their scale.

    `grain` is added to alpha where alpha exceeds a tenth. It belongs to the pixels of the picture, from each
    window's first pixel on, and is repeated where a window is larger.
    """
    kind = torch.promote_types(torch.promote_types(glimpses.dtype, background.dtype), torch.float32)
    tensors = (tensor.to(kind) for tensor in (glimpses, position, scale, presence, background))
    return RenderScaled.apply(*tensors, grain)


class RenderScaled(torch.autograd.Function):
    """The differentiable form of `render_scaled`. It saves its inputs and one number for each pixel."""

    @staticmethod
    def forward(
        ctx: Any,
        glimpses: Tensor,
        position: Tensor,
        scale: Tensor,
        presence: Tensor,
        background: Tensor,
        grain: Tensor | None,
    ) -> Tensor:
        particles = ScaledParticles(glimpses, position, scale, presence, grain)
        canvas = (background.shape[2], background.shape[3])
        sheet = background.new_zeros(glimpses.shape[2], len(background) * _bordered_area(canvas))
        for layers in layers_in_order(particles, canvas):
            for layer in layers:
                _add_to_sheet(sheet, layer)
        layered = _without_border(sheet, canvas)
        ctx.save_for_backward(glimpses, position, scale, presence, background, grain, layered[:, :1].clone())
        return layered[:, 1:] + (1 - layered[:, :1].clamp(0, 1)) * background

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        *inputs, background, grain, taken = ctx.saved_tensors
        sums = [torch.zeros_like(tensor, memory_format=torch.contiguous_format) for tensor in inputs]
        hidden = (gradients[0] * background).sum(1, keepdim=True) * (taken >= 0)
        of_pixels = with_border(torch.cat([hidden, gradients[0]], 1))
        canvas = (background.shape[2], background.shape[3])
        with torch.enable_grad():
            for layers in layers_in_order(ScaledParticles(*inputs, grain), canvas):
                for layer in layers:
                    for total, part in zip(sums, _layer_backward(of_pixels, layer), strict=True):
                        total.flatten(0, 1).index_copy_(0, layer.group.members, part)
        return *sums, (1 - taken.clamp(0, 1)) * gradients[0], None


class ScaledParticles(NamedTuple):
    """What `render_scaled` lays over the background, front first."""

    glimpses: Float[Tensor, "B K D S S"]
    position: Float[Tensor, "B K 2"]
    scale: Float[Tensor, "B K 2"]
    presence: Float[Tensor, "B K"]
    grain: Float[Tensor, "B K s s"] | None = None

    def leaves(self, members: Int[Tensor, "n"]) -> "ScaledParticles":
        """Some particles of a batch, without its pictures, detached; if gradients are on, their own start here."""
        parts = [tensor if tensor is None else tensor.detach().flatten(0, 1)[members] for tensor in self]
        for part in parts[:4]:
            part.requires_grad_(torch.is_grad_enabled())
        return ScaledParticles(*parts)


@dataclass(frozen=True)
class Layer:
    """The windows of a group of particles of about one size."""

    group: SizeGroup
    particles: ScaledParticles
    # those that the particles' gradients are computed from
    pixels: Float[Tensor, "D n r s"]
    # of each pixel, on canvases with a border that follow one another
    index: Int[Tensor, "m"]
    # with grain and without gradient, before presence
    alpha: Float[Tensor, "m"]
    opacity: Float[Tensor, "m"]
    room: Float[Tensor, "m"]

    @property
    def share(self) -> Float[Tensor, "m"]:
        return torch.minimum(self.opacity, self.room)

    def pixels_of(self, k: int) -> slice:
        """The pixels of all windows whose particle has one k, counted within the run."""
        area = self.group.rows * self.group.columns
        return slice(self.group.starts[k] * area, self.group.starts[k + 1] * area)


def layers_in_order(particles: ScaledParticles, canvas: tuple[int, int]) -> Iterator[list[Layer]]:
    """The layers of one run of neighbouring k after the other, with the room that earlier k leave."""
    corner, count = window_corners(particles.position, particles.scale, particles.glimpses.shape[-1], canvas)
    free = particles.presence.new_ones(len(corner) * _bordered_area(canvas))
    for groups in runs_of_groups(count):
        layers = [_layer(particles, corner, group, canvas) for group in groups]
        _find_room(layers, free)
        yield layers


def with_border(maps: Float[Tensor, "B D H W"]) -> Float[Tensor, "D m"]:
    """Maps one after the other, each with a border of one pixel."""
    return rearrange(F.pad(maps, (1, 1, 1, 1)), "b d h w -> d (b h w)")


def _layer(particles: ScaledParticles, corner: Tensor, group: SizeGroup, canvas: tuple[int, int]) -> Layer:
    own = particles.leaves(group.members)
    corner = corner.flatten(0, 1)[group.members]
    start = window_starts(corner, own.position, canvas)
    side = own.glimpses.shape[-1]
    rows = placing_matrix(start[:, 0], own.scale[:, 0], side, group.rows)
    columns = placing_matrix(start[:, 1], own.scale[:, 1], side, group.columns)
    pixels = rows @ rearrange(own.glimpses, "n d r s -> d n r s") @ columns.mT
    alpha = pixels[0].detach()
    if own.grain is not None:
        alpha = alpha + _repeated(own.grain, group) * (alpha > GRAIN_FROM)
    opacity = alpha * own.presence.detach()[:, None, None]
    picture = group.members // particles.presence.shape[1] * _bordered_area(canvas)
    index = border_index(corner, (group.rows, group.columns), canvas) + picture[:, None]
    room = torch.empty_like(opacity).flatten()
    return Layer(group, own, pixels, index.flatten(), alpha.flatten(), opacity.flatten(), room)


def _find_room(layers: list[Layer], free: Float[Tensor, "m"]) -> None:
    """Fill in the layers' room, and update how much is `free` behind them."""
    for k in range(len(layers[0].group.starts) - 1):
        for layer in layers:
            part = layer.pixels_of(k)
            index = layer.index[part]
            before = torch.index_select(free, 0, index)
            layer.room[part] = before
            free.scatter_(0, index, before - torch.minimum(before, layer.opacity[part]))


def _repeated(grain: Float[Tensor, "n s s"], group: SizeGroup) -> Float[Tensor, "n r c"]:
    period = grain.shape[-1]
    rows, columns = (torch.arange(side, device=grain.device) % period for side in (group.rows, group.columns))
    return grain[:, rows[:, None], columns]


def _add_to_sheet(sheet: Float[Tensor, "D m"], layer: Layer) -> None:
    """Add shares to channel 0, and colours times shares to the other channels, in place."""
    share = layer.share
    pixels = rearrange(layer.pixels, "d n r s -> d (n r s)")
    pixels[1:] *= share
    pixels[0] = share
    sheet.scatter_add_(1, layer.index.expand(len(sheet), -1), pixels)


def _layer_backward(of_pixels: Float[Tensor, "D m"], layer: Layer) -> tuple[Tensor, ...]:
    """Gradients of the layer's glimpses, positions, scales and presences.

    Channel 0 of `of_pixels` is the gradient of what is taken from the background, the others are the picture's.
    """
    g = of_pixels.index_select(1, layer.index)
    pixels = rearrange(layer.pixels.detach(), "d n r s -> d (n r s)")
    g_share = (g[1:] * pixels[1:]).sum(0) - g[0]
    # one half where the particle exactly fills the room
    g_opacity = g_share * ((layer.opacity < layer.room) + 0.5 * (layer.opacity == layer.room))
    particles = layer.particles
    g_presence = (g_opacity * layer.alpha).view(len(particles.presence), -1).sum(1)
    g[1:] *= layer.share
    g[0] = (g_opacity.view(len(g_presence), -1) * particles.presence.detach()[:, None]).flatten()
    inputs = (particles.glimpses, particles.position, particles.scale)
    return *torch.autograd.grad(layer.pixels, inputs, g.view(layer.pixels.shape)), g_presence


def _without_border(sheet: Float[Tensor, "D m"], canvas: tuple[int, int]) -> Float[Tensor, "B D H W"]:
    maps = rearrange(sheet, "d (b h w) -> b d h w", h=canvas[0] + 2, w=canvas[1] + 2)
    return maps[..., 1:-1, 1:-1]


def _bordered_area(canvas: tuple[int, int]) -> int:
    return (canvas[0] + 2) * (canvas[1] + 2)
