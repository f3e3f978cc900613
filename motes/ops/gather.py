"""Chosen points of each picture."""

from jaxtyping import Float, Int
from torch import Tensor


def take(points: Float[Tensor, "B P d"], rows: Int[Tensor, "B M"]) -> Float[Tensor, "B M d"]:
    """The points of each picture whose numbers are in its row of `rows`, in that order."""
    return points.gather(1, rows[..., None].expand(-1, -1, points.shape[-1]))
