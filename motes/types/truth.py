"""What is in each picture, for data that knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jaxtyping import Bool, Float
from torch import Tensor

from motes.types.rows import Rows


@dataclass(frozen=True)
class Truth(Rows):
    """What is in each picture; N is the most things a picture may have. What nobody knows is None or missing.

    In a clip, n is the same thing in all frames.
    """

    # whether any of it is visible
    present: Bool[Tensor, "B N"]
    # (row, column) in [-1, 1]; of the whole thing, hidden parts included
    centres: Float[Tensor, "B N 2"] | None = None
    # of what is visible: first row, first column, last row, last column, in pixels
    boxes: Float[Tensor, "B N 4"] | None = None
    # of what is visible: no pixel belongs to two
    masks: Bool[Tensor, "B N H W"] | None = None
    # as if nothing stood in front
    whole: Bool[Tensor, "B N H W"] | None = None
    # landmarks of the picture: (row, column) in [-1, 1]
    points: Float[Tensor, "B P 2"] | None = None
    # of things, B N ...: colour in [0, 1], shape, size, depth (less = nearer)
    factors: Mapping[str, Tensor] = field(default_factory=dict)
    # of pictures, B ...: camera, light, identity
    scene: Mapping[str, Tensor] = field(default_factory=dict)
