"""Solids and flat patches in the space of a head, turned and projected to the picture.

The head's space: x to the picture's right, y down, z to the viewer; half the skull's width is 1. In the
picture: columns and rows in pixels. Each face has one number, B 1, so that points are B P; for drawing,
`planes` makes them B 1 1.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from motes.data.worlds.portable import PI, Array, cosine, sine

Look = dict[str, Array]  # all numbers that a face is drawn from
Pair = tuple[Array, Array]
Triple = tuple[Array, Array, Array]
SIDES = (-1, 1)  # the left of the picture, the right


@dataclass(frozen=True)
class HeadPose:
    """How the head stands before the camera: rotated, then scaled and shifted."""

    rotation: tuple[Triple, Triple, Triple]
    # pixels in half a skull's width
    scale: Array
    column: Array
    row: Array

    def project(self, x: Array, y: Array, z: Array) -> Pair:
        across, down, _ = self.rotation
        return (
            self.column + self.scale * (across[0] * x + across[1] * y + across[2] * z),
            self.row + self.scale * (down[0] * x + down[1] * y + down[2] * z),
        )

    def depth(self, x: Array, y: Array, z: Array) -> Array:
        """The coordinate towards the viewer, in half skull widths."""
        near = self.rotation[2]
        return near[0] * x + near[1] * y + near[2] * z


@dataclass(frozen=True)
class Patch:
    """A flat piece of the face; it maps its local coordinates (s, t) to the picture and back."""

    column: Array
    row: Array
    # columns and rows for a step of s
    across: Pair
    # for a step of t
    down: Pair

    def project(self, s: Array, t: Array) -> Pair:
        column = self.column + self.across[0] * s + self.down[0] * t
        row = self.row + self.across[1] * s + self.down[1] * t
        return column, row

    def local(self, column: Array, row: Array) -> Pair:
        area = self.across[0] * self.down[1] - self.across[1] * self.down[0]
        x = (column - self.column) / area
        y = (row - self.row) / area
        return self.down[1] * x - self.down[0] * y, self.across[0] * y - self.across[1] * x


@dataclass(frozen=True)
class ProjectedEllipsoid:
    """The outline and the front surface of an ellipsoid in the picture.

    `level` is 1 on the outline and less inside. Coordinates of points on the surface are linear in column,
    row and `root`, the square root of 1 - level.
    """

    column: Array
    row: Array
    # factors of column^2, column row and row^2 in the level
    form: Triple
    # in pixels, about
    radius: Array
    # factors of column, row and root, and a constant, for each of the head's x, y and z
    axes: tuple[tuple[Array, ...], ...]
    # factors of column, row and root in the cosine of the light's angle, nearly
    light: Triple

    def level(self, column: Array, row: Array) -> Array:
        x = column - self.column
        y = row - self.row
        return self.form[0] * x * x + (self.form[1] * x + self.form[2] * y) * y

    def root(self, column: Array, row: Array) -> Array:
        return np.sqrt(np.maximum(1 - self.level(column, row), 0))

    def coordinate(self, axis: int, column: Array, row: Array, root: Array) -> Array:
        """The x, y or z, in the head's space, of points of the front surface."""
        return self._linear(self.axes[axis], column, row, root) + self.axes[axis][3]

    def light_cosine(self, column: Array, row: Array, root: Array) -> Array:
        return self._linear(self.light, column, row, root)

    def _linear(self, factors: tuple[Array, ...], column: Array, row: Array, root: Array) -> Array:
        return factors[0] * (column - self.column) + factors[1] * (row - self.row) + factors[2] * root


def radius_of(x: Array, y: Array) -> Array:
    return np.sqrt(np.square(x) + np.square(y))


def planes(part: Any) -> Any:
    """The same object with its arrays in shape B 1 1 and single precision, for drawing."""
    return _mapped(part, lambda array: array[..., None].astype(np.float32))


def select_pictures(part: Any, index: Array | slice) -> Any:
    """The same object for some of the pictures only."""
    return _mapped(part, lambda array: array[index])


def _mapped(part: Any, function: Callable[[Array], Array]) -> Any:
    """A copy of `part` (an array, or a tuple, dictionary or dataclass of arrays) with `function` applied
    to each array."""
    if isinstance(part, np.ndarray):
        return function(part)
    if isinstance(part, tuple):
        return tuple(_mapped(entry, function) for entry in part)
    if isinstance(part, dict):
        return {name: _mapped(value, function) for name, value in part.items()}
    return replace(part, **{f.name: _mapped(getattr(part, f.name), function) for f in fields(part)})


def head_pose(look: Look) -> HeadPose:
    """The pose of a head from its angles in degrees: yaw to the picture's right, pitch down, roll
    clockwise."""
    cos_yaw, sin_yaw = _directions(look["yaw"])
    cos_pitch, sin_pitch = _directions(look["pitch"])
    cos_roll, sin_roll = _directions(look["roll"])
    across = (cos_yaw, 0 * cos_yaw, sin_yaw)
    down = (-sin_yaw * sin_pitch, cos_pitch, cos_yaw * sin_pitch)
    near = (-sin_yaw * cos_pitch, -sin_pitch, cos_yaw * cos_pitch)
    rolled = (
        tuple(cos_roll * p - sin_roll * q for p, q in zip(across, down, strict=True)),
        tuple(sin_roll * p + cos_roll * q for p, q in zip(across, down, strict=True)),
    )
    return HeadPose((*rolled, near), look["scale"], look["column"], look["row"])  # type: ignore[arg-type]


def _directions(degrees: Array) -> Pair:
    return cosine(degrees * PI / 180), sine(degrees * PI / 180)


def ellipsoid(pose: HeadPose, centre: Triple, radii: Triple, light: Triple) -> ProjectedEllipsoid:
    """The projection of an ellipsoid whose axes are the head's, lit from the direction `light`."""
    inner = _inner_form(pose.rotation, radii)
    squared_depth = 1 / inner[2][2]
    root = np.sqrt(squared_depth)

    def linear(factors: list[Array]) -> Triple:
        flat = [(factors[n] - factors[2] * inner[2][n] * squared_depth) / pose.scale for n in range(2)]
        return flat[0], flat[1], factors[2] * root

    column, row = pose.project(*centre)
    form, size = _outline_form(pose, radii)
    axes = tuple((*linear([pose.rotation[i][k] for i in range(3)]), centre[k]) for k in range(3))
    facing = [sum(inner[i][j] * light[i] for i in range(3)) * size for j in range(3)]
    return ProjectedEllipsoid(column, row, form, size * pose.scale, axes, linear(facing))


def _inner_form(turn: tuple[Triple, Triple, Triple], radii: Triple) -> list[list[Any]]:
    """The matrix of the quadratic form that is 1 on the ellipsoid's surface, in the viewer's axes."""
    return [
        [sum(turn[i][k] * turn[j][k] / (radii[k] * radii[k]) for k in range(3)) for j in range(3)]
        for i in range(3)
    ]


def _outline_form(pose: HeadPose, radii: Triple) -> tuple[Triple, Array]:
    """The quadratic form of the outline, and the outline's mean radius in half skull widths."""
    spread = _spread(pose.rotation, radii)
    area = spread[0][0] * spread[1][1] - spread[0][1] * spread[0][1]
    square = pose.scale * pose.scale * area
    form = (spread[1][1] / square, -2 * spread[0][1] / square, spread[0][0] / square)
    return form, np.sqrt(np.sqrt(area))


def _spread(turn: tuple[Triple, Triple, Triple], radii: Triple) -> list[list[Any]]:
    """The inverse of the quadratic form of the outline."""
    return [
        [sum(turn[i][k] * turn[j][k] * radii[k] * radii[k] for k in range(3)) for j in range(2)]
        for i in range(2)
    ]


def patch(pose: HeadPose, centre: Triple, across: Triple, down: Triple) -> Patch:
    """The patch around a point of the head; `across` and `down` are its two steps, directions in the
    head's space."""
    column, row = pose.project(*centre)
    return Patch(column, row, _step(pose, across), _step(pose, down))


def _step(pose: HeadPose, direction: Triple) -> Pair:
    column, row = (pose.scale * sum(pose.rotation[i][k] * direction[k] for k in range(3)) for i in range(2))
    return column, row


# Curves of a face, along which features are painted and landmarks lie. Rows and columns are counted in the feature's
# patch, in head units; `across` is -1 to 1 over the feature's width.


def lids(look: Look, side: int, across: Array) -> Pair:
    """The rows of the upper and of the lower lid's edge."""
    width = look["eye_width"]
    arch = 1 - across * across
    slant = -look["slant"] * side * across * width
    low = look["eye_low"] * width * (1 - 0.3 * np.maximum(look["smile"], 0))
    high = look["eye_high"] * width * (1 + 0.25 * look["raise"])
    # the upper lid is highest on the outer half
    lean = arch * (1 + 0.25 * side * across)
    return slant - (high - (high + low) * look["closed"]) * lean, slant + low * arch


def pupil(look: Look) -> Pair:
    """The column and row of the pupil's middle."""
    return look["gaze_x"] * look["eye_width"], (look["gaze_y"] - 0.06) * look["eye_width"]


def lips(look: Look, across: Array) -> tuple[Array, Array, Array, Array]:
    """The rows of the lips' edges from the top: outer, inner, inner, outer."""
    square = across * across
    arch = 1 - square
    base = -look["smile"] * 0.11 * square + 0.05 * look["smile"]
    gap = look["open"] * 0.2 * arch
    dip = np.maximum(1 - 9 * square, 0) * 0.22
    top = base - 0.35 * gap
    bottom = base + 0.65 * gap
    upper = top - look["lip_high"] * arch * (1 + 0.35 * square - dip)
    return upper, top, bottom, bottom + look["lip_low"] * arch * (1 + 0.2 * arch)


def mouth_width(look: Look) -> Array:
    """Half the width of the mouth."""
    return look["mouth_width"] * (1 + 0.22 * look["smile"] - 0.18 * look["open"])


def brow_line(look: Look, side: int, across: Array) -> Array:
    """The rows of the middle line of a brow."""
    inner = 0.5 - 0.5 * side * across
    arch = -look["brow_arch"] * (1 - across * across)
    return arch - look["brow_slant"] * side * across + 0.1 * look["frown"] * inner * inner
