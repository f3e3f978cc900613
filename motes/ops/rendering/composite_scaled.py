"""Layers particles of any size over a background in order, the first in front, as `composite` does."""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.ops.rendering.composite import GRAIN_FROM, shares
from motes.ops.rendering.glimpse import Windows
from motes.ops.rendering.scaled import border_index, place_scaled
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

    `grain` is added to alpha where alpha exceeds a tenth. It belongs to the pixels of the picture, from each window's
    first pixel on, and is repeated where a window is larger.
    """
    canvas = (background.shape[2], background.shape[3])
    kind = torch.promote_types(torch.promote_types(glimpses.dtype, background.dtype), torch.float32)
    windows = place_scaled(glimpses.to(kind), position.to(kind), scale.to(kind), canvas)
    if grain is not None:
        windows = _grainy(windows, grain)
    share = shares(windows, presence, canvas)[:, :, None]
    painted = torch.cat([share, share * windows.pixels[:, :, 1:]], 2)
    layered = _sum_on_canvas(painted, windows.corner, canvas)
    return layered[:, 1:] + (1 - layered[:, :1].clamp_min(0)) * background


def _grainy(windows: Windows, grain: Tensor) -> Windows:
    side = windows.pixels.shape[-1]
    steps = torch.arange(side, device=grain.device) % grain.shape[-1]
    repeated = grain[:, :, steps[:, None], steps]
    alpha = windows.pixels[:, :, 0]
    alpha = alpha + repeated * (alpha.detach() > GRAIN_FROM)
    return Windows(torch.cat([alpha[:, :, None], windows.pixels[:, :, 1:]], 2), windows.corner)


def _sum_on_canvas(
    pixels: Float[Tensor, "B K D s s"], corner: Tensor, canvas: tuple[int, int]
) -> Float[Tensor, "B D H W"]:
    side = pixels.shape[-1]
    index = rearrange(border_index(corner, (side, side), canvas), "b k n -> b 1 (k n)")
    flat = pixels.new_zeros(len(pixels), pixels.shape[2], (canvas[0] + 2) * (canvas[1] + 2))
    values = rearrange(pixels, "b k d r s -> b d (k r s)")
    summed = flat.scatter_add(2, index.expand(-1, flat.shape[1], -1), values)
    return rearrange(summed, "b d (h w) -> b d h w", h=canvas[0] + 2)[..., 1:-1, 1:-1]
