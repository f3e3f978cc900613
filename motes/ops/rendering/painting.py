"""A picture in layers, of which an edit paints again only the windows that it touches."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from motes.ops.rendering.composite import render
from motes.ops.rendering.glimpse import corner_and_fraction

Box = tuple[slice, slice]  # rows, columns


@dataclass(frozen=True)
class Painting:
    """One picture with all that it was composed of. Edits return a new one and leave glimpses and background
    as they are: for models whose background answers to the particles, decode anew when the hand lets go."""

    picture: Float[Tensor, "C H W"]
    glimpses: Float[Tensor, "K D S S"]
    position: Float[Tensor, "K 2"]
    presence: Float[Tensor, "K"]
    background: Float[Tensor, "C H W"]

    @classmethod
    def of(cls, glimpses: Tensor, position: Tensor, presence: Tensor, background: Tensor) -> "Painting":
        picture = render(glimpses[None], position[None], presence[None], background[None])[0]
        return cls(picture, glimpses, position, presence, background)

    def moved(self, k: int, place: tuple[float, float]) -> "Painting":
        """Particle k at another (row, column)."""
        position = self.position.clone()
        position[k] = position.new_tensor(place)
        return replace(self, position=position)._painted_again(
            self._box(k), replace(self, position=position)._box(k)
        )

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
        """What is seen in a box, from the particles that reach into it, in the box's own coordinates."""
        size = (rows.stop - rows.start, columns.stop - columns.start)
        full = self._size()
        side = self.glimpses.shape[-1]
        corner = corner_and_fraction(self.position[None], self.glimpses.shape[-1], full)[0][0]
        first = torch.tensor([rows.start, columns.start])
        last = torch.tensor([rows.stop, columns.stop])
        near = ((corner < last) & (corner + side + 1 > first)).all(-1) & (self.presence > 0)
        pixels = self.position[near] * torch.tensor(full) / 2  # from the middle of the picture
        position = (pixels + torch.tensor(full) / 2 - first - torch.tensor(size) / 2) * 2 / torch.tensor(size)
        background = self.background[None, :, rows, columns]
        return render(self.glimpses[near][None], position[None], self.presence[near][None], background)[0]

    def _box(self, k: int) -> Box:
        """The window of particle k, as far as it is on the canvas."""
        side = self.glimpses.shape[-1]
        full = self._size()
        row, column = corner_and_fraction(self.position[k : k + 1][None], side, full)[0][0, 0].tolist()
        top = max(row, 0)
        left = max(column, 0)
        return slice(top, max(min(row + side + 1, full[0]), top)), slice(
            left, max(min(column + side + 1, full[1]), left)
        )

    def _size(self) -> tuple[int, int]:
        return self.background.shape[1], self.background.shape[2]
