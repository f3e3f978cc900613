"""Pastes glimpses of one group into windows of one size, with gradients that are written out."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from motes.ops.rendering.blending import blend_gradient, blend_matrix


class Pasted(NamedTuple):
    """Glimpses between two matrices. Channels lie between rows and columns, so that every product is one of plain
    matrices."""

    glimpses: Float[Tensor, "n S D S"]
    blend: Float[Tensor, "n 2 5"]
    rows: Float[Tensor, "n r S"]
    columns: Float[Tensor, "n c S"]
    # after the rows
    half: Float[Tensor, "n r D S"]
    # and after the columns
    pixels: Float[Tensor, "n r D c"]

    @classmethod
    def of(
        cls, glimpses: Float[Tensor, "n S D S"], blend: Float[Tensor, "n 2 5"], sides: tuple[int, int]
    ) -> "Pasted":
        matrices = blend_matrix(blend, glimpses.shape[-1], max(sides))
        rows, columns = matrices[:, 0, : sides[0]], matrices[:, 1, : sides[1]]
        half = (rows @ glimpses.flatten(2)).unflatten(2, glimpses.shape[2:])
        pixels = (half.flatten(1, 2) @ columns.mT).unflatten(1, half.shape[1:3])
        return cls(glimpses, blend, rows, columns, half, pixels)

    def gradient(self, g: Float[Tensor, "n r D c"]) -> tuple[Tensor, Tensor]:
        """The gradients of glimpses and blends, given that of the pixels."""
        g = g.flatten(1, 2)
        of_half = (g @ self.columns).view(len(g), len(self.rows[0]), -1)
        of_matrices = self.blend.new_zeros(
            *self.blend.shape[:2], max(g.shape[2], of_half.shape[1]), self.glimpses.shape[-1]
        )
        of_matrices[:, 0, : of_half.shape[1]] = of_half @ self.glimpses.flatten(2).mT
        of_matrices[:, 1, : g.shape[2]] = g.mT @ self.half.flatten(1, 2)
        of_glimpses = (self.rows.mT @ of_half).view(self.glimpses.shape)
        return of_glimpses, blend_gradient(of_matrices, self.blend)
