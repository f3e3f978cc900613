"""Cut a window out of the picture at each particle, or place one back: one map, two directions.

A particle at s = position * N / 2 pixels from the middle owns the S x S window whose first pixel is s + N/2 - S/2. Its whole part
shifts the window (an index), its fraction f blends neighbours (two taps an axis). Both directions touch (S+1) x (S+1) pixels a
particle; nothing is ever as large as the canvas. `benchmarks/reference_2022.py` holds the full-canvas way, the oracle of the tests.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Windows:
    """Pixels of each particle, with the place of their upper left corner on the canvas (which may lie outside it)."""

    pixels: Float[Tensor, "B K C s s"]
    corner: Int[Tensor, "B K 2"]


def cut(
    image: Float[Tensor, "B C H W"],
    position: Float[Tensor, "B K 2"],
    side: int,
    share: Float[Tensor, "B K s s"] | None = None,
) -> Float[Tensor, "B K C S S"]:
    """The glimpses, zero outside the picture; `share`: how much of each pixel of its (S+1)-window a particle may see.

    Follows the 2022 code to the last tap: where the window's edge rounds outside of its own box, that edge's farther tap
    is lost, so weights trained there see what they saw there."""
    corner, fraction = _split(position, side, image.shape[-2:])
    window = _gather(image, corner, side + 1)
    window = window if share is None else window * share[:, :, None]
    near, far = _cut_taps(fraction, side)
    rows = near[:, :, 0, None, :, None] * window[..., :-1, :] + far[:, :, 0, None, :, None] * window[..., 1:, :]
    return near[:, :, 1, None, None, :] * rows[..., :-1] + far[:, :, 1, None, None, :] * rows[..., 1:]


def place(glimpses: Float[Tensor, "B K C S S"], position: Float[Tensor, "B K 2"], canvas: tuple[int, int]) -> Windows:
    """Each glimpse shifted by its fraction of a pixel, as an (S+1)-window of the canvas: w[i] = (1-f) g[i] + f g[i-1]."""
    corner, fraction = _split(position, glimpses.shape[-1], canvas)
    f = fraction[:, :, None, :, None, None]
    rows = F.pad(glimpses, (0, 0, 0, 1)) * (1 - f[:, :, :, 0]) + F.pad(glimpses, (0, 0, 1, 0)) * f[:, :, :, 0]
    pixels = F.pad(rows, (0, 1)) * (1 - f[:, :, :, 1]) + F.pad(rows, (1, 0)) * f[:, :, :, 1]
    return Windows(pixels, corner)


def boxes(position: Float[Tensor, "B K 2"], side: int, canvas: tuple[int, int]) -> Windows:
    """1 where a pixel of the (S+1)-window belongs to the particle's S x S box, after rounding the place to whole pixels."""
    corner, fraction = _split(position, side, canvas)
    nearest = (torch.arange(side + 1, device=position.device) - fraction.detach()[..., None]).round()
    inside = ((nearest >= 0) & (nearest <= side - 1)).to(position.dtype)
    return Windows((inside[:, :, 0, :, None] * inside[:, :, 1, None, :])[:, :, None], corner)


def canvas_index(corner: Int[Tensor, "B K 2"], side: int, canvas: tuple[int, int]) -> Int[Tensor, "B K n"]:
    """Flat places of every window's pixels on a canvas padded by `side` all around, so that no window sticks out."""
    steps = torch.arange(side, device=corner.device)
    rows = corner[..., 0, None].clamp(-side, canvas[0]) + side + steps
    columns = corner[..., 1, None].clamp(-side, canvas[1]) + side + steps
    flat = rows[..., :, None] * (canvas[1] + 2 * side) + columns[..., None, :]
    return rearrange(flat, "b k r c -> b k (r c)")


def _split(position: Tensor, side: int, canvas) -> tuple[Int[Tensor, "B K 2"], Float[Tensor, "B K 2"]]:
    """The first pixel of each window: whole part and fraction. The window's own start is added to the whole part, for precision."""
    half = torch.tensor([canvas[0] / 2, canvas[1] / 2], device=position.device, dtype=position.dtype)
    start = half - side / 2
    shift = position * half + (start - start.floor())
    whole = shift.detach().floor()
    return (whole + start.floor()).long(), shift - whole


def _gather(image: Tensor, corner: Tensor, side: int) -> Float[Tensor, "B K C s s"]:
    _batch, channels, height, width = image.shape
    padded = rearrange(F.pad(image, (side,) * 4), "b c h w -> b c (h w)")
    index = rearrange(canvas_index(corner, side, (height, width)), "b k n -> b 1 (k n)").expand(-1, channels, -1)
    return rearrange(padded.gather(2, index), "b c (k r s) -> b k c r s", k=corner.shape[1], r=side)


def _cut_taps(fraction: Float[Tensor, "B K 2"], side: int) -> tuple[Float[Tensor, "B K 2 S"], Float[Tensor, "B K 2 S"]]:
    """Weights of the two taps along each axis, the edge rule included."""
    f = fraction[..., None]
    tap = torch.arange(side, device=f.device, dtype=f.dtype)
    first, last = (tap - f).detach().round(), (tap + 1 - f).detach().round()
    return (1 - f) * (first >= 0), f * (last <= side - 1)
