"""Blobs: the connected pixels of masks, with their boxes."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Int
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


def find_blobs(masks: Bool[Tensor, "N H W"], least_area: float = 1.0) -> Blobs:
    """The blobs of the masks with at least this many pixels; pixels touch along edges and at corners.

    Rows of neighbouring pixels are runs, and runs that touch are joined. Runs are far fewer than pixels.
    """
    starts = masks & ~F.pad(masks, (1, 0))[..., :-1]
    ends = masks & ~F.pad(masks, (0, 1))[..., 1:]
    picture, row, first = starts.nonzero(as_tuple=True)
    last = ends.nonzero(as_tuple=True)[2]
    run = torch.where(masks, starts.flatten().cumsum(0).view(masks.shape) - 1, -1)
    roots = _joined(_touching(run), len(row))
    _, number = roots.unique(return_inverse=True)
    count = int(number.max()) + 1 if len(number) else 0
    area = number.new_zeros(count).index_add(0, number, last - first + 1)
    box = [_reduced(values, number, count, "amin") for values in (row, first)]
    box += [_reduced(values, number, count, "amax") for values in (row, last)]
    large = area >= least_area
    # blobs are numbered anew without the small ones; the last entry is for pixels outside all runs
    renumbered = torch.where(large, large.cumsum(0) - 1, -1)
    of_run = torch.cat([renumbered[number], number.new_full((1,), -1)])
    picture = _reduced(picture, number, count, "amin")[large]
    return Blobs(picture, torch.stack(box, 1)[large], area[large], of_run[run])


def _touching(run: Int[Tensor, "N H W"]) -> Int[Tensor, "2 n"]:
    """Pairs of runs in neighbouring rows that touch, from the number of the run at each pixel (-1: none)."""
    below = F.pad(run[:, 1:], (1, 1), value=-1)
    pairs: list[Tensor] = []
    for shift in range(3):
        pair = torch.stack([run[:, :-1], below[..., shift : shift + run.shape[-1]]])
        pair = pair[:, (pair >= 0).all(0)]
        # runs touch along many pixels
        is_new = torch.ones_like(pair[0], dtype=torch.bool)
        is_new[1:] = (pair[:, 1:] != pair[:, :-1]).any(0)
        pairs.append(pair[:, is_new])
    return torch.cat(pairs, 1)


def _joined(pairs: Int[Tensor, "2 n"], count: int) -> Int[Tensor, "k"]:
    """For each of `count` items, the smallest item that pairs lead to from it.

    Each item points to a smaller one. Pairs make the targets of their items point to the smaller target's
    target, and every pointer leaps to its target's target, until nothing changes.
    """
    pointer = torch.arange(count, device=pairs.device)
    while True:
        target = pointer[pointer]
        smaller = target[pairs].amin(0)
        leapt = pointer.scatter_reduce(0, pointer[pairs[0]], smaller, "amin")
        leapt = leapt.scatter_reduce(0, pointer[pairs[1]], smaller, "amin")
        leapt = leapt[leapt]
        if torch.equal(leapt, pointer):
            return pointer
        pointer = leapt


def _reduced(values: Int[Tensor, "N"], number: Int[Tensor, "N"], count: int, how: str) -> Int[Tensor, "n"]:
    """The least or largest of the values that have the same number."""
    return values.new_zeros(count).scatter_reduce(0, number, values, how, include_self=False)
