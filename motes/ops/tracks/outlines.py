"""Where things are that are hidden in part: the outline that each has in open sight is laid over what is seen of it."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.ops.points.boxes_of_things import Boxes, Foreground, Things, all_alike
from motes.ops.rendering.scaled import cut_scaled

# of an outline, an axis; its side in boxes
CELLS = 24
AROUND = 1.5
# cells: how far from where it should be a thing is looked for
REACH = 8
# what a cell's distance costs, squared, where a cell of the thing counts 1
DISTANT = 0.02
# what a pixel of none costs: pixels of a thing count less than 1, so that outlines would flee into what hides it
EMPTY = 0.75


class Laid(NamedTuple):
    """The places where outlines fit best, and what is seen there, as shares of each outline."""

    positions: Float[Tensor, "B K 2"]
    # pixels of the thing, of things of other colours, and of none
    own: Float[Tensor, "B K"]
    covered: Float[Tensor, "B K"]
    empty: Float[Tensor, "B K"]


@torch.no_grad()
def outlines_of(foreground: Foreground, things: Things, side: float) -> Float[Tensor, "B K c c"]:
    """How surely each cell around the middle of each thing belongs to it; all of it must be in sight."""
    return _cut(_own_pixels(foreground, things), things.boxes, side, CELLS)[:, :, 0]


@torch.no_grad()
def laid_outlines(
    foreground: Foreground, outlines: Float[Tensor, "B K c c"], things: Things, side: float
) -> Laid:
    """Each outline o near its box, where sum o (own - EMPTY empty) is largest: pixels of other things may hide the thing.

    A thing of which nothing is seen stays in the middle of its box.
    """
    alike = all_alike(foreground.colour, things.colour)
    own_pixels = _own_pixels(foreground, things)
    empty = (1 - foreground.amount).expand_as(own_pixels)
    foreign = foreground.amount * (1 - alike)
    maps = _cut(torch.stack([own_pixels, empty, foreign], 2), things.boxes, side, CELLS + 2 * REACH)
    batch, count = maps.shape[:2]
    evidence = rearrange(maps, "b k d r s -> d (b k) r s")
    kernel = rearrange(outlines, "b k r s -> (b k) 1 r s")
    total = kernel.sum((1, 2, 3)).clamp_min(1e-6)[:, None, None]
    own_at, empty_at, foreign_at = F.conv2d(evidence, kernel, groups=batch * count)
    steps = torch.arange(-REACH, REACH + 1, device=own_at.device)
    distance = steps.square()[:, None] + steps.square()
    score = own_at - EMPTY * empty_at - DISTANT * distance
    shift, index = _highest(score)
    at_best = [
        (part / total).flatten(1).gather(1, index).view(batch, count)
        for part in (own_at, foreign_at, empty_at)
    ]
    cell = AROUND * things.boxes.sides * side / CELLS
    size = cell.new_tensor(foreground.amount.shape[2:])
    moved = rearrange(shift, "(b k) c -> b k c", b=batch) * cell * 2 / size
    return Laid(things.boxes.positions + moved, *at_best)


def _own_pixels(foreground: Foreground, things: Things) -> Float[Tensor, "B K h w"]:
    alike = all_alike(foreground.colour, things.colour) * things.holds[..., None, None]
    return foreground.amount * alike * alike / alike.sum(1, keepdim=True).clamp_min(1e-6)


def _cut(maps: Float[Tensor, "B K ..."], boxes: Boxes, side: float, cells: int) -> Float[Tensor, "B K d c c"]:
    """The map of each thing around its box, in cells; zero outside of the picture."""
    batch, count = maps.shape[:2]
    rows = maps.reshape(batch * count, -1, *maps.shape[-2:])
    scale = (AROUND * side / CELLS) * boxes.sides
    windows = cut_scaled(rows, boxes.positions.reshape(-1, 1, 2), scale.reshape(-1, 1, 2), cells)
    return windows.view(batch, count, -1, cells, cells)


def _highest(score: Float[Tensor, "n r r"]) -> tuple[Float[Tensor, "n 2"], Tensor]:
    """The place of the highest score, in cells from the middle and between cells by parabolas, and its number."""
    side = score.shape[1]
    index = score.flatten(1).argmax(1, keepdim=True)
    padded = F.pad(score, (1, 1, 1, 1), mode="replicate").flatten(1)
    row, column = index // side, index % side
    middle = (row + 1) * (side + 2) + column + 1
    parts = []
    for number, step in ((row, side + 2), (column, 1)):
        before, here, after = (padded.gather(1, middle + offset) for offset in (-step, 0, step))
        bend = (2 * here - before - after).clamp_min(1e-6)
        inside = (number > 0) & (number < side - 1)
        parts.append(number - REACH + ((after - before) / (2 * bend)).clamp(-0.5, 0.5) * inside)
    return torch.cat(parts, 1), index
