"""The parts of a chair: boxes and elliptic cylinders, each between two points.

The chair's space: x to its right, y to its back, z up; the seat faces -y. The chair is about one unit high
and stands on z = 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from motes.data.worlds.portable import Array


@dataclass(frozen=True)
class Part:
    """A box or, if round, an elliptic cylinder along the third of its axes."""

    # 3
    centre: Array
    # 3 3: its own axes, as rows
    axes: Array
    # 3: half its extents along them
    half: Array
    round: bool
    # 3, in [0, 1]
    colour: Array


def bar(start: Array, end: Array, half: tuple[float, float], is_round: bool, colour: Array) -> Part:
    """A part that reaches from the point `start` to `end`; its first axis lies as nearly along x as possible.

    `half` has half its extents along the first two axes.
    """
    third = end - start
    length = np.sqrt(inner_product(third, third))
    third = third / length
    first = np.eye(3)[0 if abs(third[0]) < 0.9 else 1]
    first = first - inner_product(first, third) * third
    first = first / np.sqrt(inner_product(first, first))
    axes = np.stack([first, _cross(third, first), third])
    return Part((start + end) / 2, axes, np.array([*half, length / 2]), is_round, colour)


def slab(bottom: float, top: float, half: tuple[float, float], is_round: bool, colour: Array) -> Part:
    """A level part around the z axis, from the height `bottom` to the height `top`."""
    return bar(np.array([0, 0, bottom]), np.array([0, 0, top]), half, is_round, colour)


def inner_product(a: Array, b: Array) -> Any:
    """The inner product of vectors ... 3.

    A library's own product differs in the last bit between machines.
    """
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]


def _cross(a: Array, b: Array) -> Array:
    return np.array([a[(n + 1) % 3] * b[(n + 2) % 3] - a[(n + 2) % 3] * b[(n + 1) % 3] for n in range(3)])
