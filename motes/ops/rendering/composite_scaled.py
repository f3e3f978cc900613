"""Composites particles of any size over a background in order, the first in front, as `composite` does.

The backward pass computes the windows again (`layers_scaled`) instead of keeping them.
"""

from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.ops.exporting import is_exporting
from motes.ops.rendering.blending import placing_blend
from motes.ops.rendering.canvas import paste_scaled, stitch
from motes.ops.rendering.layers_scaled import Layer, ScaledParticles, layers_in_order
from motes.ops.rendering.placement import (
    Placement,
    Runs,
    bordered,
    bordered_area,
    in_one_precision,
    ungrouped,
    without_autocast,
    without_border,
)
from motes.types.latents import Image


def render_scaled(
    glimpses: Float[Tensor, "B K D S S"],
    position: Float[Tensor, "B K 2"],
    scale: Float[Tensor, "B K 2"],
    presence: Float[Tensor, "B K"],
    background: Image,
    grain: Float[Tensor, "B K s s"] | None = None,
) -> Image:
    """The picture, as `composite.render` gives it, of glimpses that are placed at their scale, above 0.

    `grain` is added to alpha where alpha exceeds a tenth. It belongs to the pixels of the picture, from each
    window's first pixel on, and is repeated where a window is larger.
    """
    tensors = in_one_precision(glimpses, position, scale, presence, background)
    if is_exporting():
        canvas = (background.shape[2], background.shape[3])
        return stitch(paste_scaled(glimpses, position, scale, canvas), presence, background)
    with without_autocast(background):
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
        canvas = (background.shape[2], background.shape[3])
        particles = ScaledParticles(glimpses, position, scale, presence, grain)
        placement = Placement.of(position, scale, glimpses.shape[-1], canvas)
        blend = placing_blend(placement.starts(position), scale)
        ctx.runs = placement.runs()
        sheet = background.new_zeros(glimpses.shape[2], len(background) * bordered_area(canvas))
        for layers in layers_in_order(particles, blend, placement, ctx.runs):
            for layer in layers:
                _add_to_sheet(sheet, layer)
        layered = without_border(sheet, canvas)
        ctx.save_for_backward(glimpses, position, scale, presence, background, grain, layered[:, :1].clone())
        return layered[:, 1:] + (1 - layered[:, :1].clamp(0, 1)) * background

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        glimpses, position, scale, presence, background, grain, taken = ctx.saved_tensors
        particles = ScaledParticles(glimpses, position, scale, presence, grain)
        hidden = (gradients[0] * background).sum(1, keepdim=True) * (taken >= 0)
        of_pixels = bordered(torch.cat([hidden, gradients[0]], 1))
        of_background = (1 - taken.clamp(0, 1)) * gradients[0]
        with without_autocast(background):
            of_particles = _particle_gradients(of_pixels, particles, background.shape[2:], ctx.runs)
        return *of_particles, of_background, None


def _particle_gradients(
    of_pixels: Float[Tensor, "D m"], particles: ScaledParticles, canvas: tuple[int, int], runs: Runs
) -> tuple[Tensor | None, ...]:
    """Gradients of glimpses, positions, scales and presences.

    Channel 0 of `of_pixels` is the gradient of what is taken from the background, the others are the picture's.
    """
    if not runs:
        return None, None, None, None
    position, scale = (tensor.detach().requires_grad_() for tensor in particles[1:3])
    placement = Placement.of(position, scale, particles.glimpses.shape[-1], canvas)
    with torch.enable_grad():
        blend = placing_blend(placement.starts(position), scale)
    layers_of_runs = layers_in_order(particles, blend.detach(), placement, runs)
    parts = [_layer_gradients(of_pixels, layer) for layers in layers_of_runs for layer in layers]
    glimpses, of_blend, presence = (
        ungrouped(part, runs, particles.presence.shape) for part in zip(*parts, strict=True)
    )
    of_place = torch.autograd.grad(blend, (position, scale), of_blend)
    return rearrange(glimpses, "b k r d c -> b k d r c"), *of_place, presence


def _add_to_sheet(sheet: Float[Tensor, "D m"], layer: Layer) -> None:
    """Add shares to channel 0, and colours times shares to the other channels, in place."""
    share = layer.share
    painted = share.new_empty(len(sheet), *share.shape)
    painted[0] = share
    torch.mul(layer.channels[1:], share, out=painted[1:])
    sheet.scatter_add_(1, layer.index.expand(len(sheet), -1), painted.view(len(sheet), -1))


def _layer_gradients(of_pixels: Float[Tensor, "D m"], layer: Layer) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of the layer's glimpses, blends and presences."""
    g = of_pixels.index_select(1, layer.index).view(-1, *layer.alpha.shape)
    of_share = (g[1:] * layer.channels[1:]).sum(0) - g[0]
    # one half where a particle exactly fills the room
    of_opacity = of_share * (layer.room - layer.opacity).sign_().mul_(0.5).add_(0.5)
    of_presence = (of_opacity * layer.alpha).sum((1, 2))
    of_window = torch.empty_like(layer.pasted.pixels)
    of_channels = rearrange(of_window, "n r d c -> d n r c")
    torch.mul(of_opacity, layer.presence[:, None, None], out=of_channels[0])
    torch.mul(g[1:], layer.share, out=of_channels[1:])
    return *layer.pasted.gradient(of_window), of_presence
