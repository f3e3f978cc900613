"""Sorts windows of many sizes into groups that are computed in one step, so that padding costs little."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

# what one more group costs, in pixels of windows
OVERHEAD = 12_000
# windows that are computed at once have about as many pixels, so that they fit a processor's cache
AT_ONCE = 1 << 18


class SizeGroup(NamedTuple):
    """Particles whose windows are padded to one size."""

    # numbers that count through all pictures, sorted by k
    members: Int[Tensor, "n"]
    # how many members have a smaller k, for each k of the run and for the end
    starts: list[int]
    rows: int
    columns: int

    def on(self, device: torch.device) -> "SizeGroup":
        return self._replace(members=self.members.to(device))

    def pixels_of(self, k: int) -> slice:
        """The pixels of the members that have a k, which is counted within the run."""
        area = self.rows * self.columns
        return slice(self.starts[k] * area, self.starts[k + 1] * area)


def runs_of_groups(count: Int[Tensor, "B K 2"]) -> list[list[SizeGroup]]:
    """Groups of all particles, for one run of neighbouring k after the other.

    `count` says how many rows and columns each window has.
    """
    sizes = count.cpu().numpy()
    numbers = np.arange(sizes[..., 0].size).reshape(sizes.shape[:2])
    runs = []
    for ks in _runs(sizes.prod(-1).sum(0)):
        members = numbers[:, ks].T.flatten()
        group_sizes = sizes[:, ks].swapaxes(0, 1).reshape(-1, 2)
        before = np.arange(ks.stop - ks.start + 1) * len(sizes)
        runs.append(
            [_group(members, group_sizes, part, before).on(count.device) for part in _parts(group_sizes)]
        )
    return runs


def _runs(areas: np.ndarray) -> Iterator[slice]:
    """Neighbouring k whose windows have about `AT_ONCE` pixels together; at least one k."""
    first, pixels = 0, 0
    for k, area in enumerate(areas.tolist()):
        if k > first and pixels + area > AT_ONCE:
            yield slice(first, k)
            first, pixels = k, 0
        pixels += area
    if len(areas):
        yield slice(first, len(areas))


def _group(members: np.ndarray, sizes: np.ndarray, part: np.ndarray, before: np.ndarray) -> SizeGroup:
    rows, columns = sizes[part].max(0).tolist()
    starts = np.searchsorted(part, before).tolist()
    return SizeGroup(torch.from_numpy(members[part]), starts, rows, columns)


def _parts(sizes: np.ndarray) -> Iterator[np.ndarray]:
    """Split the windows in two as long as that saves more pixels than another group costs."""
    waiting = [np.arange(len(sizes))]
    while waiting:
        part = waiting.pop()
        halves = _halves(sizes[part])
        if halves:
            waiting += [part[np.sort(half)] for half in halves]
        else:
            yield part


def _halves(sizes: np.ndarray) -> tuple[np.ndarray, ...]:
    """The smaller and the larger windows, by the cut along one axis that saves most; none if it saves too little."""
    full_size = len(sizes) * sizes.max(0).prod()
    best, halves = full_size - OVERHEAD, ()
    if full_size - sizes.prod(-1).sum() <= OVERHEAD:
        return ()
    numbers = np.arange(1, len(sizes))
    for axis in (0, 1):
        order = sizes[:, axis].argsort()
        # the largest rows and columns up to each window, and from it on
        upto = np.maximum.accumulate(sizes[order])
        since = np.maximum.accumulate(sizes[order[::-1]])[::-1]
        pixels = upto[:-1].prod(-1) * numbers + since[1:].prod(-1) * numbers[::-1]
        cut = int(pixels.argmin())
        if pixels[cut] < best:
            best, halves = pixels[cut], (order[: cut + 1], order[cut + 1 :])
    return halves
