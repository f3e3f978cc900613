"""A picture in layers: an edit repaints only the windows that it touches."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.rendering.composite import render
from motes.ops.rendering.composite_scaled import render_scaled
from motes.ops.rendering.glimpse import corner_and_fraction
from motes.ops.rendering.placement import Placement

Box = tuple[slice, slice]  # rows, columns


class LayerSizes(NamedTuple):
    """How glimpses of different sizes are laid: fields of `Painting`."""

    scale: Float[Tensor, "K 2"]
    middle: Float[Tensor, "K 2"]


@dataclass(frozen=True)
class Painting:
    """One picture in layers. Edits return a new `Painting`, and leave glimpses and background as they are.

    If a model's background depends on the particles, decode again when the edit is finished.
    """

    picture: Float[Tensor, "C H W"]
    glimpses: Float[Tensor, "K D S S"]
    position: Float[Tensor, "K 2"]
    presence: Float[Tensor, "K"]
    background: Float[Tensor, "C H W"]
    # pixels of the picture per pixel of the glimpse, along rows and along columns; None: 1, which is faster
    scale: Float[Tensor, "K 2"] | None
    # the point of a glimpse that lies at the particle's position, in the glimpse's pixels from its middle
    middle: Float[Tensor, "K 2"]

    @classmethod
    def of(
        cls,
        glimpses: Float[Tensor, "K D S S"],
        position: Float[Tensor, "K 2"],
        presence: Float[Tensor, "K"],
        background: Float[Tensor, "C H W"],
        sizes: LayerSizes | None = None,
    ) -> "Painting":
        """The painting. Without `sizes`, glimpses are as large as they are, with their middles at the positions."""
        scale, middle = sizes or (None, torch.zeros_like(position))
        blank = cls(background, glimpses, position, presence, background, scale, middle)
        return blank._painted_again((slice(0, background.shape[1]), slice(0, background.shape[2])))

    def moved(self, k: int, to: tuple[float, float]) -> "Painting":
        """The painting with particle k moved to the (row, column) `to`."""
        changed = replace(self, position=_with_row(self.position, k, to))
        return changed._painted_again(self._box(k), changed._box(k))

    def resized(self, k: int, scale: tuple[float, float]) -> "Painting":
        """The painting with particle k at another scale, along rows and along columns; it stays where it is."""
        changed = replace(self, scale=_with_row(self._scale, k, scale))
        return changed._painted_again(self._box(k), changed._box(k))

    def with_presence(self, k: int, presence: float) -> "Painting":
        changed = self.presence.clone()
        changed[k] = presence
        return replace(self, presence=changed)._painted_again(self._box(k))

    def windows(self) -> tuple[Float[Tensor, "K 2"], Float[Tensor, "K 2"]]:
        """Where the middle of each window is, (row, column) in [-1, 1], and pixels of the picture per pixel of the
        glimpse."""
        return self._window_position * 2 / self._sides, self._scale

    @property
    def _size(self) -> tuple[int, int]:
        return self.background.shape[1], self.background.shape[2]

    @property
    def _sides(self) -> Int[Tensor, "2"]:
        return torch.tensor(self._size, device=self.position.device)

    @property
    def _scale(self) -> Float[Tensor, "K 2"]:
        return torch.ones_like(self.position) if self.scale is None else self.scale

    @property
    def _window_position(self) -> Float[Tensor, "K 2"]:
        """Where the middles of the windows are, in pixels from the middle of the picture."""
        return self.position * self._sides / 2 - self.middle * self._scale

    def _painted_again(self, *boxes: Box) -> "Painting":
        picture = self.picture.clone()
        for rows, columns in _joined(boxes):
            if rows.stop > rows.start and columns.stop > columns.start:
                picture[:, rows, columns] = self._part(rows, columns)
        return replace(self, picture=picture)

    def _part(self, rows: slice, columns: slice) -> Float[Tensor, "C h w"]:
        """The part of the picture in a box, painted from the particles that reach into the box."""
        first, last = self._sides.new_tensor([[rows.start, columns.start], [rows.stop, columns.stop]])
        size = last - first
        near = self._reaches_into(first, last)
        from_box = self._window_position[near] + self._sides / 2 - first - size / 2
        glimpses, position, presence = self.glimpses[near], from_box * 2 / size, self.presence[near]
        background = self.background[None, :, rows, columns]
        if self.scale is None:
            return render(glimpses[None], position[None], presence[None], background)[0]
        scale = self.scale[near]
        return render_scaled(glimpses[None], position[None], scale[None], presence[None], background)[0]

    def _reaches_into(self, first: Int[Tensor, "2"], last: Int[Tensor, "2"]) -> Bool[Tensor, "K"]:
        """Whether each particle is present and its window overlaps the box."""
        corner, count = self._corners()
        return ((corner < last) & (corner + count > first)).all(-1) & (self.presence > 0)

    def _box(self, k: int) -> Box:
        """The window of particle k, clipped to the canvas."""
        (row, column), (height, width) = (numbers[k].tolist() for numbers in self._corners())
        return _clipped(row, height, self._size[0]), _clipped(column, width, self._size[1])

    def _corners(self) -> tuple[Int[Tensor, "K 2"], Int[Tensor, "K 2"]]:
        """The first pixel of each window along each axis, and the number of its pixels."""
        position = self._window_position[None] * 2 / self._sides
        side = self.glimpses.shape[-1]
        if self.scale is None:
            corner = corner_and_fraction(position, side, self._size)[0][0]
            return corner, torch.full_like(corner, side + 1)
        placement = Placement.of(position, self.scale[None], side, self._size)
        return placement.corner[0], placement.count[0]


def _with_row(numbers: Float[Tensor, "K 2"], k: int, row: tuple[float, float]) -> Float[Tensor, "K 2"]:
    changed = numbers.clone()
    changed[k] = numbers.new_tensor(row)
    return changed


def _clipped(start: int, length: int, limit: int) -> slice:
    """The slice from `start`, clipped to 0 .. `limit`; empty if it lies outside."""
    first = max(start, 0)
    return slice(first, max(min(start + length, limit), first))


def _joined(boxes: tuple[Box, ...]) -> tuple[Box, ...]:
    """One box around all of them if it has no more pixels than they have together."""
    rows, columns = (
        slice(min(one.start for one in axis), max(one.stop for one in axis))
        for axis in zip(*boxes, strict=True)
    )
    around = (rows, columns)
    return (around,) if _area(around) <= sum(map(_area, boxes)) else boxes


def _area(box: Box) -> int:
    rows, columns = box
    return (rows.stop - rows.start) * (columns.stop - columns.start)
