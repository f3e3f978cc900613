"""A cache of rows: a row is computed when it is first read, and then kept."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from motes.plain.cache import Cache

# rows computed at once, at most
TOGETHER = 64
# bytes cached, at most; beyond them a row is computed again each time
BUDGET = 2**31

# arrays of several rows, and the entries of one row
Arrays = tuple[np.ndarray, ...]
Entries = tuple[Any, ...]


class RowCache:
    """The rows of the function `compute`, which takes row numbers and returns arrays with one entry per row.

    The entry of a row must not depend on which rows are computed together with it.
    """

    def __init__(self, compute: Callable[[list[int]], Arrays], budget: int = BUDGET):
        self._compute = compute
        self._cache: Cache[int, Entries] = Cache(budget, evict=False)

    def __call__(self, rows: Sequence[int]) -> Arrays:
        numbers = [int(row) for row in rows]
        cached = {row: entries for row in numbers if (entries := self._cache.get(row)) is not None}
        computed = self._computed([row for row in dict.fromkeys(numbers) if row not in cached])
        for row, entries in computed.items():
            # a copy, so that the arrays of the rows computed with it do not stay in memory
            self._cache.put(row, tuple(entry.copy() for entry in entries))
        entries_of = cached | computed
        return tuple(np.stack(entries) for entries in zip(*(entries_of[row] for row in numbers), strict=True))

    def _computed(self, rows: list[int]) -> dict[int, Entries]:
        computed: dict[int, Entries] = {}
        for start in range(0, len(rows), TOGETHER):
            chunk = rows[start : start + TOGETHER]
            computed |= dict(zip(chunk, zip(*self._compute(chunk), strict=True), strict=True))
        return computed
