"""Anchors with a size: boxes, chosen one after the other, each around pixels that look like one thing."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.gather import take
from motes.ops.points.box_sums import integral_with_borders, sums_of_boxes
from motes.ops.points.keypoints import centroids
from motes.ops.points.pixels import pixels_of_positions, positions_of_pixels

# sides of a square box in units of `side`, and how tall and wide the other boxes of about its area are
SIDES = (0.4, 0.55, 0.75, 1.0, 1.35, 1.85)
ASPECTS = ((1.0, 1.0), (1.45, 0.7), (0.7, 1.45))
UNLIKE = 0.3  # what a pixel costs whose colour differs as colours do within a thing, where a pixel counts 1
EMPTY = 0.3  # what a pixel costs that belongs to no thing
CUT = 0.05  # what a border costs that goes through a thing, for each pixel of it and each pixel of `side`
# a box's middle is sought in a part so much larger than the box, so many times
SEEN = 1.2
MOVES = 2
CLEARED = 1.15  # what is cleared for the next box is so much larger than the box
# of things that are known already: how much larger than a box the parts are that are cleared, and in which they are
# sought; a box's side over the standard deviation of a thing's pixels: 3.5 for boxes, 4 for discs
AROUND = 1.3
SOUGHT = 1.5
SIDE_OF_SPREAD = 3.8
FAR = 5.0  # squared distance of colours at which a pixel belongs to a box's thing or to another, as likely


class Foreground(NamedTuple):
    """Pixels that may belong to things."""

    # how surely a pixel belongs to one, 0 to 1
    amount: Float[Tensor, "B 1 H W"]
    # in units of how much colours differ within a thing: the mean squared distance from their mean is 1
    colour: Float[Tensor, "B C H W"]

    def shrunk(self, factor: int) -> "Foreground":
        """The mean of squares of factor x factor pixels; of colours, that of pixels of things."""
        amount = F.avg_pool2d(self.amount, factor)
        colour = F.avg_pool2d(self.amount * self.colour, factor) / amount.clamp_min(1e-6)
        return Foreground(amount, colour)


class Boxes(NamedTuple):
    """Positions with the sides of a box around each, as shares of `side`."""

    positions: Float[Tensor, "B K 2"]
    sides: Float[Tensor, "B K 2"]


class Things(NamedTuple):
    """Boxes that hold a thing that is known already, and the mean colour of each; in other slots is none."""

    boxes: Boxes
    colour: Float[Tensor, "B K C"]
    holds: Bool[Tensor, "B K"]


class Moved(NamedTuple):
    """Things near where they were: boxes around them, their colours, and the share of each box that they fill."""

    boxes: Boxes
    colour: Float[Tensor, "B K C"]
    filled: Float[Tensor, "B K"]


@torch.no_grad()
def boxes_of_things(
    foreground: Foreground,
    positions: Float[Tensor, "B P 2"],
    count: int,
    side: float,
    limits: tuple[float, float] = (0.0, math.inf),
) -> Boxes:
    """The `count` boxes around some of the positions that hold most of a thing, each of what the earlier ones
    left.

    A box counts the amounts a of its pixels, less UNLIKE sum a |c - mean c|^2 for their colours c, less EMPTY
    sum (1 - a), less CUT side sum min(a, a') over its border, where a' is the amount beyond. So it grows to the
    size of a thing and no further, and takes no part of one. The pixels of a chosen box that have its colour are
    cleared before the next is chosen. `limits` are those of a box's longer side, in units of `side`.
    """
    options = side * torch.tensor(_boxes_within(*limits), device=positions.device)
    amount, colour = foreground
    size = (amount.shape[2], amount.shape[3])
    middles = pixels_of_positions(positions, size)
    corners = _corners(middles, options, size)
    chosen = []
    for _ in range(count):
        maps = torch.cat([amount, amount * colour, amount * colour.square().sum(1, keepdim=True)], 1)
        integral = integral_with_borders(maps)
        best, mean = _best_box(integral, corners, side)
        middle = take(middles, best // len(options))
        box = options[best[:, 0] % len(options)]
        # the positions are coarse: the box moves onto what it found, and takes its size anew
        for _ in range(MOVES):
            seen = amount * _inside(middle[:, 0], box * SEEN, size)
            middle = _middle_of(seen * _alike(colour, mean))
            best, mean = _best_box(integral, _corners(middle, options, size), side)
            box = options[best[:, 0]]
        chosen.append(Boxes(middle, box[:, None] / side))
        cleared = _inside(middle[:, 0], box * CLEARED, size) * _alike(colour, mean)
        amount = amount * (1 - cleared)
    middles, sides = (torch.cat(parts, 1) for parts in zip(*chosen, strict=True))
    return Boxes(positions_of_pixels(middles, size), sides)


@torch.no_grad()
def share_filled(foreground: Foreground, boxes: Boxes, side: float) -> Float[Tensor, "B K"]:
    """The share of each box that pixels of things fill."""
    return (_all_inside(boxes, side, foreground) * foreground.amount).mean((2, 3)) * (
        foreground.amount[0].numel() / (side * boxes.sides).prod(-1)
    )


@torch.no_grad()
def colours_in(foreground: Foreground, boxes: Boxes, side: float) -> Float[Tensor, "B K C"]:
    """The mean colour of the pixels of things in each box."""
    core = _all_inside(boxes, side, foreground) * foreground.amount
    return _mean_colours(foreground.colour, core)


@torch.no_grad()
def moved_things(foreground: Foreground, things: Things, side: float) -> Moved:
    """The things where they are now, if they are still near their boxes: pixels of their colours.

    Each pixel that two things could have is shared by how near they are. What is found nowhere stays.
    """
    positions, sides = things.boxes
    size = (foreground.amount.shape[2], foreground.amount.shape[3])
    alike = foreground.amount * all_alike(foreground.colour, things.colour)
    weight = alike
    for _ in range(MOVES):
        boxes = Boxes(positions, SOUGHT * sides)
        near = alike * _nearness(Boxes(positions, sides), side, size) * things.holds[..., None, None]
        share = near / near.sum(1, keepdim=True).clamp_min(1e-12)
        weight = alike * share * _all_inside(boxes, side, foreground)
        centre, _ = _centre_and_spread(weight)
        is_there = weight.sum((2, 3), keepdim=True)[..., 0] > 1
        positions = torch.where(is_there, positions_of_pixels(centre, size), positions)
    area = weight.sum((2, 3))
    extent = SIDE_OF_SPREAD * _centre_and_spread(weight)[1] / side
    boxes = Boxes(positions, torch.where((area > 1)[..., None], extent, sides))
    return Moved(boxes, _mean_colours(foreground.colour, weight), area / (side * sides).prod(-1))


@torch.no_grad()
def without(foreground: Foreground, things: Things, side: float) -> Foreground:
    """The foreground without the pixels in and around the boxes of things that have their colours."""
    around = _all_inside(Boxes(things.boxes.positions, AROUND * things.boxes.sides), side, foreground)
    taken = around * all_alike(foreground.colour, things.colour) * things.holds[..., None, None]
    return Foreground(foreground.amount * (1 - taken).prod(1, keepdim=True), foreground.colour)


def nearest_sides(sides: Float[Tensor, "B K 2"], limits: tuple[float, float]) -> Float[Tensor, "B K 2"]:
    """The sides of the box that `boxes_of_things` could have chosen with these limits and that is most like each."""
    options = torch.tensor(_boxes_within(*limits), device=sides.device)
    unlike = (sides[:, :, None].log() - options.log()).square().sum(-1)
    return options[unlike.argmin(2)]


def _all_inside(boxes: Boxes, side: float, foreground: Foreground) -> Float[Tensor, "B K h w"]:
    size = (foreground.amount.shape[2], foreground.amount.shape[3])
    middles = pixels_of_positions(boxes.positions, size).flatten(0, 1)
    inside = _inside(middles, (boxes.sides * side).flatten(0, 1), size)
    return inside.view(*boxes.positions.shape[:2], *size)


def all_alike(colour: Float[Tensor, "B C h w"], mean: Float[Tensor, "B K C"]) -> Float[Tensor, "B K h w"]:
    return torch.cat([_alike(colour, mean[:, k]) for k in range(mean.shape[1])], 1)


def _mean_colours(
    colour: Float[Tensor, "B C h w"], weight: Float[Tensor, "B K h w"]
) -> Float[Tensor, "B K C"]:
    sums = weight.flatten(2) @ colour.flatten(2).mT
    return sums / weight.sum((2, 3))[..., None].clamp_min(1e-6)


def _nearness(boxes: Boxes, side: float, size: tuple[int, int]) -> Float[Tensor, "B K h w"]:
    """A Gaussian about each box, as wide as the box."""
    axes = []
    middles = pixels_of_positions(boxes.positions, size)
    for axis, length in enumerate(size):
        steps = torch.arange(length, device=middles.device)
        offset = (steps - middles[..., axis, None]) / (side * boxes.sides[..., axis, None] / 2)
        axes.append(torch.exp(-offset.square()))
    return axes[0][..., :, None] * axes[1][..., None, :]


def _centre_and_spread(
    weight: Float[Tensor, "B K h w"],
) -> tuple[Float[Tensor, "B K 2"], Float[Tensor, "B K 2"]]:
    """The mean place of each map, in pixels, and the standard deviations."""
    total = weight.sum((2, 3)).clamp_min(1e-6)
    centres, spreads = [], []
    for axis in (2, 3):
        profile = weight.sum(5 - axis)
        steps = torch.arange(profile.shape[2], device=weight.device)
        centre = (profile * steps).sum(2) / total
        square = (profile * (steps - centre[..., None]).square()).sum(2) / total
        centres.append(centre)
        # of a single pixel too
        spreads.append((square + 1 / 12).sqrt())
    return torch.stack(centres, -1), torch.stack(spreads, -1)


def smallest_area(side: float) -> float:
    """The pixels in the smallest box."""
    return min(tall * wide for tall, wide in _boxes_within(0.0, math.inf)) * side * side


def _boxes_within(smallest: float, largest: float) -> list[tuple[float, float]]:
    boxes = [(side * tall, side * wide) for side in SIDES for tall, wide in ASPECTS]
    return [box for box in boxes if smallest <= max(box) <= largest] or [(1.0, 1.0)]


def _best_box(
    integral: Float[Tensor, "B h w D"], corners: Int[Tensor, "B n 4"], side: float
) -> tuple[Int[Tensor, "B 1"], Float[Tensor, "B C"]]:
    """The number of the box that holds most of a thing, and the mean colour of the thing's pixels in it."""
    inside, cut = sums_of_boxes(integral, corners)
    top, left, bottom, right = corners.unbind(-1)
    amount = inside[..., 0].clamp_min(1e-6)
    unlike = (inside[..., -1] - inside[..., 1:-1].square().sum(-1) / amount).clamp_min(0)
    empty = (bottom - top) * (right - left) - amount
    best = (amount - UNLIKE * unlike - EMPTY * empty - CUT * side * cut).argmax(1, keepdim=True)
    return best, (take(inside[..., 1:-1], best)[:, 0] / amount.gather(1, best))


def _alike(colour: Float[Tensor, "B C H W"], mean: Float[Tensor, "B C"]) -> Float[Tensor, "B 1 H W"]:
    """How surely each pixel is of the thing that has this mean colour, 0 to 1."""
    distance = (colour - mean[..., None, None]).square().sum(1, keepdim=True)
    return 1 / (1 + (distance / FAR).square())


def _middle_of(weight: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B 1 2"]:
    """The centroid of each map, in pixels."""
    middle = (torch.tensor(weight.shape[2:], device=weight.device) - 1) / 2
    return centroids(weight + 1e-9, floor=1e-12) + middle


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
