"""A picture in layers: an edit repaints only the windows that it touches."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.rendering.composite import render
from motes.ops.rendering.glimpse import corner_and_fraction

Box = tuple[slice, slice]  # rows, columns


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

    @classmethod
    def of(cls, glimpses: Tensor, position: Tensor, presence: Tensor, background: Tensor) -> "Painting":
        picture = render(glimpses[None], position[None], presence[None], background[None])[0]
        return cls(picture, glimpses, position, presence, background)

    def moved(self, k: int, to: tuple[float, float]) -> "Painting":
        """The painting with particle k moved to the (row, column) `to`."""
        position = self.position.clone()
        position[k] = position.new_tensor(to)
        changed = replace(self, position=position)
        return changed._painted_again(self._box(k), changed._box(k))

    def with_presence(self, k: int, presence: float) -> "Painting":
        changed = self.presence.clone()
        changed[k] = presence
        return replace(self, presence=changed)._painted_again(self._box(k))

    def _painted_again(self, *boxes: Box) -> "Painting":
        picture = self.picture.clone()
        for rows, columns in boxes:
            if rows.stop > rows.start and columns.stop > columns.start:
                picture[:, rows, columns] = self._part(rows, columns)
        return replace(self, picture=picture)

    def _part(self, rows: slice, columns: slice) -> Float[Tensor, "C h w"]:
        """The part of the picture in a box, painted from the particles that reach into the box."""
        full = torch.tensor(self._size())
        size = torch.tensor([rows.stop - rows.start, columns.stop - columns.start])
        first = torch.tensor([rows.start, columns.start])
        near = self._reaches_into(first, torch.tensor([rows.stop, columns.stop]))
        # from the middle of the picture
        pixels = self.position[near] * full / 2
        position = (pixels + full / 2 - first - size / 2) * 2 / size
        background = self.background[None, :, rows, columns]
        return render(self.glimpses[near][None], position[None], self.presence[near][None], background)[0]

    def _reaches_into(self, first: Int[Tensor, "2"], last: Int[Tensor, "2"]) -> Bool[Tensor, "K"]:
        """Whether each particle is present and its window overlaps the box."""
        side = self.glimpses.shape[-1]
        corner = corner_and_fraction(self.position[None], side, self._size())[0][0]
        return ((corner < last) & (corner + side + 1 > first)).all(-1) & (self.presence > 0)

    def _box(self, k: int) -> Box:
        """The window of particle k, clipped to the canvas."""
        side = self.glimpses.shape[-1]
        size = self._size()
        row, column = corner_and_fraction(self.position[k : k + 1][None], side, size)[0][0, 0].tolist()
        return _clipped(row, side + 1, size[0]), _clipped(column, side + 1, size[1])

    def _size(self) -> tuple[int, int]:
        return self.background.shape[1], self.background.shape[2]


def _clipped(start: int, length: int, limit: int) -> slice:
    """The slice from `start`, clipped to 0 .. `limit`; empty if it lies outside."""
    first = max(start, 0)
    return slice(first, max(min(start + length, limit), first))
