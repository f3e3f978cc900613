"""Rows that are computed when first read, and then cached."""

from collections.abc import Callable, Sequence

import numpy as np

from motes.plain.cache import Cache

# rows computed at once, at most
TOGETHER = 64
# bytes cached, at most; beyond them a row is computed again each time
BUDGET = 2**31

# several arrays that belong to one row, or of several rows, stacked
Arrays = tuple[np.ndarray, ...]


class RowCache:
    """Rows of a function `compute`, which takes row numbers and returns arrays with one entry a row. They must not
    depend on which rows are computed together."""

    def __init__(self, compute: Callable[[list[int]], Arrays], budget: int = BUDGET):
        self._compute = compute
        self._cache: Cache[int, Arrays] = Cache(budget, evict=False)

    def __call__(self, rows: Sequence[int]) -> Arrays:
        numbers = [int(row) for row in rows]
        cached = {row: arrays for row in numbers if (arrays := self._cache.get(row)) is not None}
        missing = [row for row in dict.fromkeys(numbers) if row not in cached]
        computed = self._computed(missing)
        for row, arrays in computed.items():
            # a copy, so that the arrays of the rows computed with it are not kept in memory
            self._cache.put(row, tuple(array.copy() for array in arrays))
        arrays_of = cached | computed
        return tuple(np.stack(arrays) for arrays in zip(*(arrays_of[row] for row in numbers), strict=True))

    def _computed(self, rows: list[int]) -> dict[int, Arrays]:
        computed: dict[int, Arrays] = {}
        for start in range(0, len(rows), TOGETHER):
            chunk = rows[start : start + TOGETHER]
            computed |= dict(zip(chunk, zip(*self._compute(chunk), strict=True), strict=True))
        return computed
