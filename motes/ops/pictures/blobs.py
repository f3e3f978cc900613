"""Blobs: the connected pixels of masks, with their boxes."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Blobs:
    """The blobs of a batch of masks, in the order of the pictures."""

    # the picture of each blob
    picture: Int[Tensor, "n"]
    # first row, first column, last row, last column
    box: Int[Tensor, "n 4"]
    # pixels
    area: Int[Tensor, "n"]
    # the number of the blob at each pixel; -1: none
    map: Int[Tensor, "N H W"]

    def sides(self) -> Int[Tensor, "n 2"]:
        """Rows and columns of each box."""
        return self.box[:, 2:] - self.box[:, :2] + 1


def find_blobs(masks: Bool[Tensor, "N H W"], least_area: float = 1) -> Blobs:
    """The blobs of the masks with at least this many pixels; pixels touch along edges and at corners."""
    height, width = masks.shape[1:]
    picture, row, column = masks.nonzero(as_tuple=True)
    roots = _roots(masks)[masks].long() + picture * (height * width)
    _, number, area = roots.unique(return_inverse=True, return_counts=True)
    large = area >= least_area
    # blobs are numbered anew without the small ones, which get -1
    renumbered = torch.where(large, large.cumsum(0) - 1, -1)
    number = renumbered[number]
    member = number >= 0
    number_map = torch.full(masks.shape, -1, dtype=torch.long)
    number_map[masks] = number
    number, picture, row, column = (values[member] for values in (number, picture, row, column))
    count = int(large.sum())
    first = [_reduced(values, number, count, "amin") for values in (row, column, picture)]
    last = [_reduced(values, number, count, "amax") for values in (row, column)]
    return Blobs(first[2], torch.stack([*first[:2], *last], 1), area[large], number_map)


def _reduced(values: Int[Tensor, "p"], number: Int[Tensor, "p"], count: int, how: str) -> Int[Tensor, "n"]:
    """The least or largest value of each blob's pixels."""
    return values.new_zeros(count).scatter_reduce(0, number, values, how, include_self=False)


def _roots(masks: Bool[Tensor, "N H W"]) -> Float[Tensor, "N H W"]:
    """For each pixel of a mask, the smallest pixel number in its blob.

    Every pixel takes the smallest number of its neighbours, and then the number which the pixel of that number
    has, so that numbers travel in leaps and not in steps of a pixel.
    """
    count, height, width = masks.shape
    # float32 holds whole numbers up to 16 million, more than a picture has pixels
    none = float(height * width)
    numbers = torch.arange(height * width, dtype=torch.float32).view(1, height, width)
    roots = torch.where(masks, numbers, none)
    while True:
        spread = -F.max_pool2d(-roots[:, None], 3, stride=1, padding=1)[:, 0]
        nearer = torch.where(masks, spread, none).flatten(1)
        table = torch.cat([nearer, nearer.new_full((count, 1), none)], 1)
        for _ in range(2):
            table = table.gather(1, table.long())
        leapt = table[:, :-1].view_as(roots)
        if torch.equal(leapt, roots):
            return roots
        roots = leapt
