"""A readable, slow reference for `glimpse` and `composite`, with a whole canvas for every particle.

Tests compare with it, benchmarks measure against it, and exported graphs are made of it, for they cannot sort
windows by their sizes. Memory and time grow with particles times canvas.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from motes.types.latents import Image


def cut_windows(image: Image, position: Float[Tensor, "B K 2"], side: int) -> Float[Tensor, "B K C S S"]:
    """The glimpses: mask all but the particle's box, shift the particle to the middle, cut the middle out."""
    size = (image.shape[2], image.shape[3])
    masked = box_canvases(position, side, size)[:, :, None] * image[:, None]
    return _middle(shifted(masked, _from_middle(position, side, size)), side)


def box_canvases(
    position: Float[Tensor, "B K 2"], side: int, size: tuple[int, int]
) -> Float[Tensor, "B K H W"]:
    """Canvases that are 1 in the S x S box at each particle, whose position is rounded to whole pixels."""
    middle = _padded(torch.ones(*position.shape[:2], 1, side, side, dtype=position.dtype), size)
    return shifted(middle, -_from_middle(position, side, size), "nearest")[:, :, 0]


def paste(
    glimpses: Float[Tensor, "B K D S S"], position: Float[Tensor, "B K 2"], size: tuple[int, int]
) -> Float[Tensor, "B K D H W"]:
    """A canvas for each glimpse, which is put in the middle and then shifted to its position."""
    return shifted(_padded(glimpses, size), -_from_middle(position, glimpses.shape[-1], size))


def cut_windows_scaled(
    image: Image, position: Float[Tensor, "B K 2"], scale: Float[Tensor, "B K 2"], side: int
) -> Float[Tensor, "B K C S S"]:
    """Glimpses at any scale: pixel j is read at centre + (j - (S-1)/2) scale.

    It is interpolated if the scale is below 1, else the mean over scale x scale pixels.
    """
    size = (image.shape[2], image.shape[3])
    weights = []
    for axis in (0, 1):
        spread = scale[..., axis, None, None]
        read = _centre(position, size, axis) + (_pixels(side, position)[:, None] - (side - 1) / 2) * spread
        weights.append(_weights(read - _pixels(size[axis], position), spread))
    return torch.einsum("bkrh,bkcw,bdhw->bkdrc", weights[0], weights[1], image)


def paste_scaled(
    glimpses: Float[Tensor, "B K D S S"],
    position: Float[Tensor, "B K 2"],
    scale: Float[Tensor, "B K 2"],
    size: tuple[int, int],
) -> Float[Tensor, "B K D H W"]:
    """A canvas for each glimpse at any scale: pixel i is read at (i - centre) / scale + (S-1)/2 of the glimpse.

    It is interpolated if the scale is above 1, else the mean over 1 / scale x 1 / scale pixels of the glimpse.
    """
    side = glimpses.shape[-1]
    weights = []
    for axis in (0, 1):
        spread = scale[..., axis, None, None]
        steps = _pixels(size[axis], position)[:, None] - _centre(position, size, axis)
        weights.append(_weights(steps / spread + (side - 1) / 2 - _pixels(side, position), 1 / spread))
    return torch.einsum("bkhr,bkwc,bkdrc->bkdhw", weights[0], weights[1], glimpses)


def stitch(layers: Float[Tensor, "B K D H W"], presence: Float[Tensor, "B K"], background: Tensor) -> Image:
    """The particles layered over the background, the first in front, until each pixel is full.

    See `composite.render`.
    """
    alpha, colour = layers.split([1, layers.shape[2] - 1], 2)
    share = _saturated(presence[:, :, None, None, None] * alpha)
    # Below 0 only by rounding. A clamp of what is free would take the gradient of a few full pixels; one of what is taken
    # has, since torch 2.15, none at 0 either.
    taken = share.sum(1)
    free = 1 - torch.where(taken < 0, 0, taken)
    return (share * colour).sum(1) + free * background


def _saturated(alpha: Float[Tensor, "B K 1 H W"]) -> Float[Tensor, "B K 1 H W"]:
    """The part of each alpha for which the particles in front leave room."""
    taken = torch.zeros_like(alpha[:, 0])
    shares = []
    for k in range(alpha.shape[1]):
        shares.append(torch.minimum(1 - taken.detach(), alpha[:, k]))
        taken = taken + shares[-1]
    return torch.stack(shares, 1)


def shifted(
    canvases: Float[Tensor, "B K D H W"], by: Float[Tensor, "B K 2"], mode: str = "bilinear"
) -> Float[Tensor, "B K D H W"]:
    """Every canvas moved by its own offset, with zeros where nothing was."""
    flat = canvases.flatten(0, 1)
    grid = F.affine_grid(_translation(by.flatten(0, 1)), list(flat.shape), align_corners=False)
    return F.grid_sample(flat, grid, mode=mode, align_corners=False).view(canvases.shape)


def _translation(by: Float[Tensor, "N 2"]) -> Float[Tensor, "N 2 3"]:
    """The affine matrix of a shift, for `affine_grid`, which has columns before rows."""
    unit = torch.ones_like(by[:, 0])
    zero = torch.zeros_like(by[:, 0])
    return torch.stack([unit, zero, by[:, 1], zero, unit, by[:, 0]], -1).view(-1, 2, 3)


def _from_middle(
    position: Float[Tensor, "B K 2"], side: int, size: tuple[int, int]
) -> Float[Tensor, "B K 2"]:
    """The shift that moves a window from the middle of the canvas to each position.

    An odd window cannot stand in the middle of an even canvas; it starts half a pixel before it.
    """
    return position + position.new_tensor([(full - side) % 2 / full for full in size])


def _padded(glimpses: Tensor, size: tuple[int, int]) -> Tensor:
    side = glimpses.shape[-1]
    top, left = ((full - side) // 2 for full in size)
    return F.pad(glimpses, (left, size[1] - side - left, top, size[0] - side - top))


def _middle(canvases: Tensor, side: int) -> Tensor:
    rows, columns = ((full - side) // 2 for full in canvases.shape[-2:])
    return canvases[..., rows : rows + side, columns : columns + side]


def _pixels(count: int, like: Tensor) -> Float[Tensor, "n"]:
    return torch.arange(count, dtype=like.dtype, device=like.device)


def _centre(position: Float[Tensor, "B K 2"], size: tuple[int, int], axis: int) -> Float[Tensor, "B K 1 1"]:
    """The pixel of a particle's centre along one axis."""
    return (position[..., axis, None, None] + 1) * size[axis] / 2 - 0.5


def _weights(apart: Float[Tensor, "B K m n"], length: Float[Tensor, "B K 1 1"]) -> Float[Tensor, "B K m n"]:
    """What each of n pixels adds to each of m readings, which lie `apart` from it.

    A reading is interpolated between two pixels, or is the mean over an interval longer than 1 around its place.
    """
    interpolated = (1 - apart.abs()).clamp_min(0)
    first = torch.maximum(apart - length / 2, torch.full_like(apart, -0.5))
    last = torch.minimum(apart + length / 2, torch.full_like(apart, 0.5))
    return torch.where(length < 1, interpolated, (last - first).clamp_min(0) / length)
