"""Anchors with a size: boxes, chosen one after the other, whose residual one value explains best."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from motes.ops.points.keypoints import centroids
from motes.ops.points.pixels import pixels_of_points, points_of_pixels
from motes.types.latents import Image

# sides of a square box in units of `side`, and how tall and wide the other boxes of about its area are
SIDES = (0.4, 0.6, 0.9, 1.3, 1.9)
ASPECTS = ((1.0, 1.0), (1.45, 0.7), (0.7, 1.45))
# what a pixel costs that its box's one value does not explain
UNEXPLAINED = 1.0
# a box's middle is sought in a part so much larger than the box, so many times
SEEN = 1.2
MOVES = 2
# what is cleared for the next box is so much larger than the box; this share of the residual is left there,
# and more where it differs from the box's value, up to SPARED
CLEARED = 1.1
LEFT = 0.03
SPARED = 0.3
COLOUR = 1.0  # weight of the colour beside the amount
CLOSE = 0.1  # of a typical thing's contrast: as much residual is half an amount


class Boxes(NamedTuple):
    """Points with the sides of a box around each, as shares of `side`."""

    points: Float[Tensor, "B K 2"]
    sides: Float[Tensor, "B K 2"]


@torch.no_grad()
def boxes_of_one_value(
    residual: Float[Tensor, "B D H W"],
    points: Float[Tensor, "B P 2"],
    count: int,
    side: float,
    limits: tuple[float, float] = (0.0, math.inf),
) -> Boxes:
    """The `count` boxes around some of the points that explain most, each of what the earlier ones left.

    A box of A visible pixels with residuals r explains A |mean r|^2 - UNEXPLAINED sum |r - mean r|^2. So it
    grows to the size of a thing and no further. What a chosen box explained is cleared before the next is
    chosen. `limits` are those of a box's longer side, in units of `side`.
    """
    options = side * torch.tensor(_boxes_within(*limits), device=points.device)
    size = (residual.shape[2], residual.shape[3])
    middles = pixels_of_points(points, size)
    corners = _corners(middles, options, size)
    chosen = []
    for _ in range(count):
        sums = _sums_from_corner(residual)
        best = _explained(sums, corners).argmax(1)
        middle = middles.gather(1, (best // len(options))[:, None, None].expand(-1, 1, 2))
        box = options[best % len(options)]
        # the points are coarse: the box moves onto what it found, and takes its size anew
        for _ in range(MOVES):
            middle = _middle_of(residual, _inside(middle[:, 0], box * SEEN, size))
            box = options[_explained(sums, _corners(middle, options, size)).argmax(1)]
        chosen.append(Boxes(middle, box[:, None] / side))
        residual = _cleared(residual, _inside(middle[:, 0], box * CLEARED, size))
    places, sides = (torch.cat(parts, 1) for parts in zip(*chosen, strict=True))
    return Boxes(points_of_pixels(places, size), sides)


def _boxes_within(smallest: float, largest: float) -> list[tuple[float, float]]:
    boxes = [(side * tall, side * wide) for side in SIDES for tall, wide in ASPECTS]
    return [box for box in boxes if smallest <= max(box) <= largest] or [(1.0, 1.0)]


def colour_and_amount(residual: Image, contrast: float | Tensor) -> Float[Tensor, "B D H W"]:
    """The residual, and whether there is any: |r|^2 / (|r|^2 + CLOSE contrast).

    With colours alone, a thing of two colours would be two; with the amount alone, two things that touch would
    be one. `contrast` is |r|^2 of a typical thing, so the range of brightness makes no difference.
    """
    amount = residual.square().sum(1, keepdim=True)
    colour = (COLOUR / contrast) ** 0.5 * residual
    return torch.cat([colour, amount / (amount + CLOSE * contrast)], 1)


def _sums_from_corner(residual: Float[Tensor, "B C H W"]) -> Float[Tensor, "B h w D"]:
    """Integral images of the residual and of its square: of all above and left of each pixel's corner."""
    maps = torch.cat([residual, residual.square().sum(1, keepdim=True)], 1)
    # channels last, so that a corner is one read
    rows = rearrange(maps, "b c h w -> b h w c").contiguous()
    return F.pad(rows.cumsum(1).cumsum(2), (0, 0, 1, 0, 1, 0))


def _explained(integral: Float[Tensor, "B h w D"], corners: Int[Tensor, "B n 4"]) -> Float[Tensor, "B n"]:
    """What each box explains."""
    height, width = integral.shape[1:3]
    of_picture = torch.arange(len(integral), device=integral.device)[:, None] * (height * width)
    top, left, bottom, right = corners.unbind(-1)
    ends = torch.stack(
        [bottom * width + right, top * width + left, top * width + right, bottom * width + left]
    )
    read = integral.flatten(0, 2).index_select(0, (ends + of_picture).flatten())
    plus, plus_too, minus, minus_too = read.view(4, *corners.shape[:2], -1)
    sums = plus + plus_too - minus - minus_too
    area = ((bottom - top) * (right - left)).clamp_min(1)
    explained = sums[..., :-1].square().sum(-1) / area
    return explained - UNEXPLAINED * (sums[..., -1] - explained)


def _middle_of(
    residual: Float[Tensor, "B C H W"], inside: Float[Tensor, "B 1 H W"]
) -> Float[Tensor, "B 1 2"]:
    """The middle of the residual inside each box, in pixels."""
    weight = inside * (residual.square().sum(1, keepdim=True) + 1e-9)
    middle = (torch.tensor(weight.shape[2:], device=weight.device) - 1) / 2
    return centroids(weight, floor=1e-12) + middle


def _corners(
    middles: Float[Tensor, "B P 2"], sides: Float[Tensor, "n 2"], size: tuple[int, int]
) -> Int[Tensor, "B m 4"]:
    """First row and column, and the ones after the last, of all boxes around all points, cut off at the edges."""
    middle = middles[:, :, None]
    limit = torch.tensor(size, device=middles.device)
    first = (middle - sides / 2 + 0.5).round().long().clamp_min(0).minimum(limit)
    last = (middle + sides / 2 + 0.5).round().long().clamp_min(0).minimum(limit)
    return rearrange(torch.cat([first, last], -1), "b p n four -> b (p n) four")


def _inside(
    middle: Float[Tensor, "B 2"], sides: Float[Tensor, "B 2"], size: tuple[int, int]
) -> Float[Tensor, "B 1 H W"]:
    """1 inside each box, 0 outside, with a rim of one pixel between."""
    axes = []
    for axis, length in enumerate(size):
        steps = torch.arange(length, device=middle.device)
        depth = sides[:, axis, None] / 2 - (steps - middle[:, axis, None]).abs() + 0.5
        axes.append(depth.clamp(0, 1))
    return (axes[0][:, :, None] * axes[1][:, None, :])[:, None]


def _cleared(
    residual: Float[Tensor, "B C H W"], inside: Float[Tensor, "B 1 H W"]
) -> Float[Tensor, "B C H W"]:
    """The residual without what each box explains: all that has its mean value, less of what differs from it.

    The mean is that of pixels with residuals: a box holds some ground, too.
    """
    weight = inside * residual.square().sum(1, keepdim=True)
    mean = (weight * residual).sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True).clamp_min(1e-9)
    apart = (residual - mean).square().sum(1, keepdim=True)
    alike = 1 - SPARED * apart / (apart + mean.square().sum(1, keepdim=True) / 4 + 1e-9)
    return residual * (1 - (1 - LEFT) * inside * alike)
