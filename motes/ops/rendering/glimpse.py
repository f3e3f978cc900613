"""Cut a window out of the picture at each particle, or place a window in the picture: one map in two
directions.

A particle at s = position * N / 2 pixels from the middle owns the S x S window whose first pixel is s + N/2 -
S/2. The whole part of that number shifts the window (an index), its fraction f blends neighbours (two taps
per axis). Both directions touch (S+1) x (S+1) pixels per particle; nothing is ever as large as the canvas.
`canvas.py` computes the same with full canvases, and tests compare the two.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from motes.types.latents import Image


@dataclass(frozen=True)
class Windows:
    """Pixels of each particle, with the position of their upper left corner on the canvas (which may lie
    outside it)."""

    pixels: Float[Tensor, "B K C s s"]
    corner: Int[Tensor, "B K 2"]


def cut_glimpses(
    image: Image,
    position: Float[Tensor, "B K 2"],
    side: int,
    share: Float[Tensor, "B K s s"] | None = None,
) -> Float[Tensor, "B K C S S"]:
    """The glimpses, zero outside the picture.

    `share` says how much of each pixel of its (S+1)-window a particle gets. This follows the 2022 code to the
    last tap: where the window's edge rounds outside of its own box, that edge's farther tap is lost, so
    weights trained there get the same input here. The backward pass computes the windows again instead of
    keeping them.
    """
    inputs = [tensor for tensor in (image, position, share) if tensor is not None]
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs):
        return checkpoint(_cut, image, position, side, share, use_reentrant=False, preserve_rng_state=False)
    return _cut(image, position, side, share)


def place_glimpses(
    glimpses: Float[Tensor, "B K D S S"], position: Float[Tensor, "B K 2"], canvas: tuple[int, int]
) -> Windows:
    """Each glimpse g shifted by its fraction f of a pixel, as an (S+1)-window w of the canvas.

    Along each axis, w[i] = (1-f) g[i] + f g[i-1].
    """
    corner, fraction = corner_and_fraction(position, glimpses.shape[-1], canvas)
    f = fraction[..., None]
    channels_last = rearrange(glimpses, "b k d r s -> b k r s d")
    rows = widened(channels_last, 1 - f[:, :, 0], f[:, :, 0], 2)
    pixels = widened(rows, 1 - f[:, :, 1], f[:, :, 1], 3)
    return Windows(rearrange(pixels, "b k r s d -> b k d r s"), corner)


def box_windows(position: Float[Tensor, "B K 2"], side: int, canvas: tuple[int, int]) -> Windows:
    """Windows that are 1 where a pixel of the (S+1)-window belongs to the particle's S x S box, else 0.

    The position is rounded to whole pixels.
    """
    corner, fraction = corner_and_fraction(position, side, canvas)
    nearest = (torch.arange(side + 1, device=position.device) - fraction.detach()[..., None]).round()
    inside = ((nearest >= 0) & (nearest <= side - 1)).to(position.dtype)
    return Windows((inside[:, :, 0, :, None] * inside[:, :, 1, None, :])[:, :, None], corner)


def canvas_index(corner: Int[Tensor, "B K 2"], side: int, canvas: tuple[int, int]) -> Int[Tensor, "B K n"]:
    """The flat index of each pixel of every window, on a canvas padded by `side` all around.

    So no window extends beyond the padded canvas.
    """
    steps = torch.arange(side, device=corner.device)
    rows = corner[..., 0, None].clamp(-side, canvas[0]) + side + steps
    columns = corner[..., 1, None].clamp(-side, canvas[1]) + side + steps
    flat = rows[..., :, None] * (canvas[1] + 2 * side) + columns[..., None, :]
    return rearrange(flat, "b k r c -> b k (r c)")


def rimmed_index(corner: Int[Tensor, "B K 2"], side: int, canvas: tuple[int, int]) -> Int[Tensor, "B K n"]:
    """The flat index of each pixel of every window, on a canvas with a rim of one pixel all around.

    Pixels beyond the edge share those of the rim.
    """
    steps = corner[..., None] + torch.arange(side, device=corner.device)
    rows = steps[:, :, 0].clamp(-1, canvas[0]) + 1
    columns = steps[:, :, 1].clamp(-1, canvas[1]) + 1
    flat = rows[..., :, None] * (canvas[1] + 2) + columns[..., None, :]
    return rearrange(flat, "b k r c -> b k (r c)")


def corner_and_fraction(
    position: Float[Tensor, "B K 2"], side: int, canvas: tuple[int, int]
) -> tuple[Int[Tensor, "B K 2"], Float[Tensor, "B K 2"]]:
    """The first pixel of each window, as a whole part and a fraction.

    The start of a window in the middle is added to the whole part, for precision.
    """
    half = torch.tensor([canvas[0] / 2, canvas[1] / 2], device=position.device, dtype=position.dtype)
    start = half - side / 2
    shift = position * half + (start - start.floor())
    pixels = shift.detach().floor()
    return (pixels + start.floor()).long(), shift - pixels


def narrowed(
    x: Float[Tensor, "B K r s D"], near: Float[Tensor, "B K n"], far: Float[Tensor, "B K n"], axis: int
) -> Tensor:
    """The input with one pixel fewer along the axis: y[i] = near[i] x[i] + far[i] x[i+1].

    A tap may be one number for all i.
    """
    count = x.shape[axis] - 1
    nearer = _along(near, axis, x) * x.narrow(axis, 0, count)
    return nearer.addcmul_(_along(far, axis, x), x.narrow(axis, 1, count))


def widened(
    x: Float[Tensor, "B K r s D"], near: Float[Tensor, "B K n"], far: Float[Tensor, "B K n"], axis: int
) -> Tensor:
    """The input with one pixel more along the axis: y[i] = near[i] x[i] + far[i-1] x[i-1], with zeros beyond
    the ends.

    This is the opposite direction of `narrowed`.
    """
    size = list(x.shape)
    count = x.shape[axis]
    size[axis] += 1
    wide = x.new_zeros(size)
    wide.narrow(axis, 0, count).addcmul_(_along(near, axis, x), x)
    wide.narrow(axis, 1, count).addcmul_(_along(far, axis, x), x)
    return wide


def _along(taps: Float[Tensor, "B K n"], axis: int, x: Float[Tensor, "B K r s D"]) -> Tensor:
    """The taps in the shape in which they multiply `x`."""
    if axis == 2:
        return taps[:, :, :, None, None]
    spread = taps[:, :, None, :, None]
    # a tap of its own for each pixel is repeated for the channels, so that rows are multiplied in long runs
    return spread if taps.shape[2] == 1 else spread.expand(-1, -1, -1, -1, x.shape[4]).contiguous()


def _cut(image: Tensor, position: Tensor, side: int, share: Tensor | None) -> Float[Tensor, "B K C S S"]:
    corner, fraction = corner_and_fraction(position, side, (image.shape[2], image.shape[3]))
    window, inside = _windows_at(image, corner, side + 1)
    window = window if share is None else window * share[..., None]
    near, far = _cut_taps(fraction, side)
    # beyond the edge the window repeats the edge's pixels, which must not count
    near = near * inside[..., :-1]
    far = far * inside[..., 1:]
    rows = narrowed(window, near[:, :, 0], far[:, :, 0], 2)
    narrow = narrowed(rows, near[:, :, 1], far[:, :, 1], 3)
    return rearrange(narrow, "b k r s c -> b k c r s")


def _windows_at(
    image: Image, corner: Int[Tensor, "B K 2"], side: int
) -> tuple[Float[Tensor, "B K s s C"], Bool[Tensor, "B K 2 s"]]:
    """The S x S windows that start at whole pixels, channels last, and which of their rows and columns lie in
    the picture.

    Outside of the picture they repeat its edge: a copy of the picture with a margin would take longer than
    all windows.
    """
    height, width = image.shape[2:]
    steps = corner[..., None] + torch.arange(side, device=corner.device)
    last = torch.tensor([[height - 1], [width - 1]], device=corner.device)
    nearest = torch.minimum(steps.clamp_min(0), last)
    first = torch.arange(image.shape[0], device=corner.device)[:, None, None, None] * (height * width)
    index = first + nearest[:, :, 0, :, None] * width + nearest[:, :, 1, None, :]
    pixels = rearrange(image, "b c h w -> (b h w) c")
    window = pixels.index_select(0, index.flatten())
    return window.view(*index.shape, -1), steps == nearest


def _cut_taps(
    fraction: Float[Tensor, "B K 2"], side: int
) -> tuple[Float[Tensor, "B K 2 S"], Float[Tensor, "B K 2 S"]]:
    """The weights of the two taps along each axis, with the rule for the window's edge."""
    f = fraction[..., None]
    tap = torch.arange(side, device=f.device, dtype=f.dtype)
    first = (tap - f).detach().round()
    last = (tap + 1 - f).detach().round()
    return (1 - f) * (first >= 0), f * (last <= side - 1)
