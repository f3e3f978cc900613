"""`Truth`: the ground truth about each picture, for data that have it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jaxtyping import Bool, Float
from torch import Tensor

from motes.types.rows import Rows


@dataclass(frozen=True)
class Truth(Rows):
    """The ground truth about each picture.

    N is the largest number of things in a picture. What is unknown is None, or missing from its mapping. In a
    clip, number n is the same thing in all frames.
    """

    # whether any part of the thing is visible
    present: Bool[Tensor, "B N"]
    # (row, column) in [-1, 1] of the middle of the whole thing, hidden parts included
    centres: Float[Tensor, "B N 2"] | None = None
    # box of the visible part: first row, first column, last row, last column, in pixels
    boxes: Float[Tensor, "B N 4"] | None = None
    # pixels of the visible part; no pixel belongs to two things
    masks: Bool[Tensor, "B N H W"] | None = None
    # pixels of the thing as if nothing stood in front of it
    whole: Bool[Tensor, "B N H W"] | None = None
    # landmarks of the picture, as (row, column) in [-1, 1]
    points: Float[Tensor, "B P 2"] | None = None
    # factors of things, each B N ...: colour in [0, 1], shape, size, depth (less = nearer)
    factors: Mapping[str, Tensor] = field(default_factory=dict)
    # factors of pictures, each B ...: camera, light, identity
    scene: Mapping[str, Tensor] = field(default_factory=dict)
