"""Chosen points of each picture."""

from jaxtyping import Float, Int
from torch import Tensor


def take(points: Float[Tensor, "B P *d"], rows: Int[Tensor, "B M"]) -> Float[Tensor, "B M *d"]:
    """What belongs to the points of each picture whose numbers are in its row of `rows`, in that order."""
    index = rows.reshape(*rows.shape, *(1 for _ in points.shape[2:]))
    return points.gather(1, index.expand(-1, -1, *points.shape[2:]))
