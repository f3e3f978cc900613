"""Spheres, boxes and upright cylinders on a floor: where rays enter them, and the normals of their surfaces.

Vectors are 3 P, component first. Only + - * / and square roots are used, one tensor operation each, so that
no two operations are fused and float32 results are the same on every machine.
"""

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.data.worlds.portable import Array

SPHERE, BOX, CYLINDER = range(3)
NEVER = float("inf")
TINY = 1e-9
_SIGNS = torch.tensor([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])  # of a box's corners
HALF_SIDE = 0.7071067690849304  # of a box whose corners lie on the circle of radius 1


@dataclass(frozen=True)
class Solids:
    """The solids of some pictures, which stand on the floor z = 0 or above it."""

    centre: Float[Tensor, "B N 3"]
    # of the smallest upright cylinder around the solid
    radius: Float[Tensor, "B N"]
    kind: Int[Tensor, "B N"]
    # cosine and sine of the rotation about the vertical
    turn: Float[Tensor, "B N 2"]
    colour: Float[Tensor, "B N 3"]
    metal: Bool[Tensor, "B N"]
    present: Bool[Tensor, "B N"]

    def half_height(self) -> Float[Tensor, "B N"]:
        """Half of each solid's height. For a box it is half of the side; its corners lie on the circle of
        its radius."""
        return torch.where(self.kind == BOX, self.radius * HALF_SIDE, self.radius)

    def corners(self, wider: float = 1.0) -> Float[Tensor, "B N 8 3"]:
        """The corners of an upright box around each solid, `wider` times as wide as the solid."""
        half = self._half_extents(wider)
        return self.centre[:, :, None] + _SIGNS.to(half.device) * half[:, :, None]

    def _half_extents(self, wider: float) -> Float[Tensor, "B N 3"]:
        width = self.radius * wider
        return torch.stack([width, width, self.half_height()], -1)

    def centres_at(self, index: Int[Tensor, " P"]) -> Float[Tensor, "3 P"]:
        """The centres of the solids with these flat indices: the picture's number times N, plus the
        solid's number."""
        return rearrange(self.centre, "b n c -> c (b n)")[:, index]

    def colours_at(self, index: Int[Tensor, " P"]) -> Float[Tensor, "3 P"]:
        return rearrange(self.colour, "b n c -> c (b n)")[:, index]

    def sizes_at(self, index: Int[Tensor, " P"]) -> tuple[Tensor, Tensor]:
        """The radius and half of the height of the solids with these flat indices."""
        return self.radius.flatten()[index], self.half_height().flatten()[index]

    def turns_at(self, index: Int[Tensor, " P"]) -> Float[Tensor, "2 P"]:
        return rearrange(self.turn, "b n c -> c (b n)")[:, index]


def half_heights(kind: Array, radius: Array) -> Array:
    """Half of each solid's height, as in `Solids.half_height`, for code that runs before there are
    `Solids`."""
    return np.where(kind == BOX, radius * HALF_SIDE, radius)


@dataclass(frozen=True)
class Rays:
    """Rays in the frame of their solid: relative to its centre, and turned back by its rotation."""

    origin: Float[Tensor, "3 P"]
    direction: Float[Tensor, "3 P"]
    radius: Float[Tensor, " P"]
    half: Float[Tensor, " P"]


def dot(a: Tensor, b: Tensor) -> Tensor:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def square_root(a: Tensor) -> Tensor:
    """The square root, rounded as the standard says.

    On some processors torch takes it from a library whose last bit is not always right.
    """
    return torch.from_numpy(np.sqrt(a.numpy())) if a.device.type == "cpu" else torch.sqrt(a)


def unit(a: Tensor) -> Tensor:
    return a / square_root(dot(a, a)).clamp_min(TINY)


def turned(vectors: Float[Tensor, "3 P"], turn: Float[Tensor, "2 P"]) -> Float[Tensor, "3 P"]:
    """Vectors rotated about the vertical axis."""
    return _rotated(vectors, turn[0], turn[1])


def turned_back(vectors: Float[Tensor, "3 P"], turn: Float[Tensor, "2 P"]) -> Float[Tensor, "3 P"]:
    """Vectors rotated about the vertical axis by the opposite angle: the inverse of `turned`."""
    return _rotated(vectors, turn[0], -turn[1])


def _rotated(vectors: Tensor, cosine: Tensor, sine: Tensor) -> Float[Tensor, "3 P"]:
    x, y, z = vectors
    return torch.stack([cosine * x - sine * y, sine * x + cosine * y, z])


def enter_sphere(rays: Rays) -> Float[Tensor, " P"]:
    """The distance at which each ray enters its sphere, in lengths of the ray's direction.

    It is `NEVER` if the ray misses the sphere or begins inside.
    """
    a = dot(rays.direction, rays.direction)
    b = dot(rays.origin, rays.direction)
    met, distance, _ = _roots(a, b, dot(rays.origin, rays.origin) - rays.radius * rays.radius)
    return torch.where(met & (distance > 0), distance, NEVER)


def enter_box(rays: Rays) -> Float[Tensor, " P"]:
    """The distance at which each ray enters its box, as in `enter_sphere`."""
    low, high = _slab(rays, 0)
    for axis in (1, 2):
        near, far = _slab(rays, axis)
        low = torch.maximum(low, near)
        high = torch.minimum(high, far)
    return _first(low, high)


def enter_cylinder(rays: Rays) -> Float[Tensor, " P"]:
    """The distance at which each ray enters its cylinder, as in `enter_sphere`."""
    x, y, _ = rays.origin
    u, v, _ = rays.direction
    a = (u * u + v * v).clamp_min(TINY)
    met, enter, leave = _roots(a, x * u + y * v, x * x + y * y - rays.radius * rays.radius)
    near, far = _slab(rays, 2)
    distance = _first(torch.maximum(enter, near), torch.minimum(leave, far))
    return torch.where(met, distance, NEVER)


def _roots(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Whether a t^2 + 2 b t + c has two real roots in t, and the lower and the upper one."""
    discriminant = b * b - a * c
    root = square_root(discriminant.clamp_min(0))
    return discriminant > 0, (-b - root) / a, (root - b) / a


def _first(low: Tensor, high: Tensor) -> Tensor:
    """The distance at which a ray enters a solid, if it is inside from `low` to `high`."""
    return torch.where((low < high) & (low > 0), low, NEVER)


def _slab(rays: Rays, axis: int) -> tuple[Tensor, Tensor]:
    """The two distances between which the ray is between two opposite faces of its solid."""
    speed = rays.direction[axis]
    speed = torch.where(speed.abs() < TINY, TINY, speed)
    lower = (-rays.half - rays.origin[axis]) / speed
    upper = (rays.half - rays.origin[axis]) / speed
    return torch.minimum(lower, upper), torch.maximum(lower, upper)


def sphere_normal(point: Float[Tensor, "3 P"], radius: Tensor, half: Tensor) -> Float[Tensor, "3 P"]:
    """The outward normal of a sphere at a point of its surface, given relative to the centre."""
    return point / radius


def box_normal(point: Float[Tensor, "3 P"], radius: Tensor, half: Tensor) -> Float[Tensor, "3 P"]:
    """The outward normal of a box at a point of its surface, as in `sphere_normal`."""
    size = point.abs()
    faces_x = (size[0] >= size[1]) & (size[0] >= size[2])
    faces_y = ~faces_x & (size[1] >= size[2])
    face = torch.stack([faces_x, faces_y, ~faces_x & ~faces_y])
    return torch.where(face, torch.sign(point), 0.0)


def cylinder_normal(point: Float[Tensor, "3 P"], radius: Tensor, half: Tensor) -> Float[Tensor, "3 P"]:
    """The outward normal of a cylinder at a point of its surface, as in `sphere_normal`."""
    across = square_root(point[0] * point[0] + point[1] * point[1])
    on_lid = point[2].abs() * radius >= across * half
    side = point / across.clamp_min(TINY) * _FLAT.to(point)
    return torch.where(on_lid, _upright(torch.sign(point[2])), side)


def _upright(z: Tensor) -> Float[Tensor, "3 P"]:
    zero = torch.zeros_like(z)
    return torch.stack([zero, zero, z])


_FLAT = torch.tensor([[1.0], [1.0], [0.0]])
ENTER = (enter_sphere, enter_box, enter_cylinder)
NORMAL = (sphere_normal, box_normal, cylinder_normal)
