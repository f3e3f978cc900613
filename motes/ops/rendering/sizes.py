"""Sorts windows of many sizes into groups that are computed in one step, so that padding costs little."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

# what one more group costs, in pixels of windows
OVERHEAD = 4000
# windows that are computed at once have about as many pixels, so that they fit a processor's cache
AT_ONCE = 1 << 18


class SizeGroup(NamedTuple):
    """Particles whose windows are padded to the same size."""

    # in a batch whose pictures lie flat, sorted by k
    members: Int[Tensor, "n"]
    # how many have a smaller k, for each of the k's that are computed at once and the next
    starts: list[int]
    rows: int
    columns: int


def runs_of_groups(count: Int[Tensor, "B K 2"]) -> Iterator[list[SizeGroup]]:
    """For one run of neighbouring k after the other, groups of all particles with these k.

    `count` says how many rows and columns each window has.
    """
    device = count.device
    count = count.cpu()
    total = count.shape[1]
    area = count.prod(-1).sum(0).cumsum(0)
    for ks in _runs(area.tolist()):
        members = (torch.arange(len(count)) * total + torch.arange(ks.start, ks.stop)[:, None]).flatten()
        sizes = count.flatten(0, 1)[members]
        yield [_group(members[part], sizes[part], ks, total, device) for part in _parts(sizes)]


def _runs(area: list[int]) -> Iterator[range]:
    """Neighbouring k whose windows together have about `AT_ONCE` pixels; at least one k."""
    start, before = 0, 0
    for k, upto in enumerate(area):
        if k + 1 == len(area) or area[k + 1] - before > AT_ONCE:
            yield range(start, k + 1)
            start, before = k + 1, upto


def _group(members: Tensor, sizes: Tensor, ks: range, total: int, device: torch.device) -> SizeGroup:
    ordinals = torch.bincount(members % total - ks.start, minlength=len(ks)).cumsum(0)
    rows, columns = sizes.amax(0).tolist()
    return SizeGroup(members.to(device), [0, *ordinals.tolist()], rows, columns)


def _parts(sizes: Int[Tensor, "n 2"]) -> Iterator[Tensor]:
    """Split the windows in two as long as that saves more pixels than another group costs."""
    waiting = [torch.arange(len(sizes))]
    while waiting:
        part = waiting.pop()
        halves = _halves(sizes[part])
        if halves is None:
            yield part
        else:
            waiting += [part[half.sort().values] for half in halves]


def _halves(sizes: Int[Tensor, "n 2"]) -> tuple[Tensor, Tensor] | None:
    """The smaller and the larger windows along the axis, and at the size, that save most; None if too little."""
    whole = len(sizes) * sizes.amax(0).prod()
    if whole - sizes.prod(-1).sum() <= OVERHEAD:
        return None
    numbers = torch.arange(1, len(sizes))
    orders = sizes.argsort(0).T
    # of each order and prefix, or suffix, the largest rows and columns
    ordered = sizes[orders]
    smaller = ordered.cummax(1).values[:, :-1].prod(-1) * numbers
    larger = ordered.flip(1).cummax(1).values.flip(1)[:, 1:].prod(-1) * (len(sizes) - numbers)
    pixels, cuts = (smaller + larger).min(1)
    axis = int(pixels.argmin())
    if whole - pixels[axis] <= OVERHEAD:
        return None
    first = int(cuts[axis]) + 1
    return orders[axis, :first], orders[axis, first:]
