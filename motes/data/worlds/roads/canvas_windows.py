"""Rectangles of the canvas around things, grouped by size so that many are drawn at once."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.portable import Array

# canvas pixels of vehicles drawn at once
GROUP = 2**15


@dataclass(frozen=True)
class CanvasWindows:
    """Rectangles of the canvas: top, left, height and width in canvas pixels, V of each."""

    top: Array
    left: Array
    height: Array
    width: Array
    # rows and columns of the canvas
    canvas: tuple[int, ...]

    @classmethod
    def around(cls, columns: Array, rows: Array, canvas: tuple[int, ...]) -> "CanvasWindows":
        """The windows around V groups of P points, cut to the canvas; without pixels if a group lies
        outside it."""
        top, bottom = _span(rows, canvas[0])
        left, right = _span(columns, canvas[1])
        return cls(top, left, np.maximum(bottom - top, 0), np.maximum(right - left, 0), canvas)

    def groups(self) -> list[Array]:
        """The indices of the windows in groups of similar size.

        Windows without pixels are in no group.
        """
        area = self.height * self.width
        order = np.argsort(area, kind="stable")
        order = order[area[order] > 0]
        groups = []
        first = 0
        while first < len(order):
            last = first + 1
            while last < len(order) and self._area(order[first : last + 1]) <= GROUP:
                last += 1
            groups.append(order[first:last])
            first = last
        return groups

    def _area(self, index: Array) -> int:
        """The number of pixels in these windows if all are made as large as the largest."""
        return len(index) * int(self.height[index].max()) * int(self.width[index].max())

    def alike(self, index: Array) -> tuple[Array, Array, int, int]:
        """Tops and lefts of these windows, and the height and the width of the largest, which all of them
        get.

        All lie within the canvas.
        """
        height = int(self.height[index].max())
        width = int(self.width[index].max())
        top = np.clip(self.top[index], 0, self.canvas[0] - height)
        left = np.clip(self.left[index], 0, self.canvas[1] - width)
        return top, left, height, width


def _span(values: Array, side: int) -> tuple[Array, Array]:
    """For each of V groups of P coordinates, the first pixel and the one after the last, V each."""
    first = np.clip(np.floor(values.min(1)).astype(np.int64), 0, side)
    return first, np.clip(np.floor(values.max(1)).astype(np.int64) + 2, 0, side)
