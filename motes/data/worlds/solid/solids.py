"""Spheres, boxes and upright cylinders on a floor: where a ray enters each, and which way the surface faces
there.

Vectors are 3 P, component first. Only + - * / and square roots, one tensor operation each, so that no two
operations are fused and float32 results are the same on every machine.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

SPHERE, BOX, CYLINDER = range(3)
NEVER = float("inf")
TINY = 1e-9


@dataclass(frozen=True)
class Solids:
    """All things of some pictures, standing on the floor z = 0 or above it."""

    centre: Float[Tensor, "B N 3"]
    # of the smallest upright cylinder around it
    radius: Float[Tensor, "B N"]
    kind: Int[Tensor, "B N"]
    # cosine and sine of the turn about the vertical
    turn: Float[Tensor, "B N 2"]
    colour: Float[Tensor, "B N 3"]
    metal: Bool[Tensor, "B N"]
    there: Bool[Tensor, "B N"]

    def half(self) -> Float[Tensor, "B N"]:
        """Half the height; a box's half side: its corners lie on the circle of its radius."""
        return torch.where(self.kind == BOX, self.radius * 0.7071067690849304, self.radius)


@dataclass(frozen=True)
class Rays:
    """Rays as their solids see them: relative to the centre, turned back."""

    origin: Float[Tensor, "3 P"]
    way: Float[Tensor, "3 P"]
    radius: Float[Tensor, " P"]
    half: Float[Tensor, " P"]


def dot(a: Tensor, b: Tensor) -> Tensor:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def unit(a: Tensor) -> Tensor:
    return a / torch.sqrt(dot(a, a)).clamp_min(TINY)


def turned(a: Float[Tensor, "3 P"], turn: Float[Tensor, "2 P"], back: bool = False) -> Float[Tensor, "3 P"]:
    """About the vertical."""
    cosine = turn[0]
    sine = -turn[1] if back else turn[1]
    return torch.stack([cosine * a[0] - sine * a[1], sine * a[0] + cosine * a[1], a[2]])


def enter_sphere(rays: Rays) -> Float[Tensor, " P"]:
    """In lengths of the ray's way; `NEVER` where it does not, or begins inside."""
    a = dot(rays.way, rays.way)
    b = dot(rays.origin, rays.way)
    inside = b * b - a * (dot(rays.origin, rays.origin) - rays.radius * rays.radius)
    first = (-b - torch.sqrt(inside.clamp_min(0))) / a
    return torch.where((inside > 0) & (first > 0), first, NEVER)


def enter_box(rays: Rays) -> Float[Tensor, " P"]:
    low, high = _slab(rays, 0)
    for axis in (1, 2):
        near, far = _slab(rays, axis)
        low = torch.maximum(low, near)
        high = torch.minimum(high, far)
    return torch.where((low < high) & (low > 0), low, NEVER)


def enter_cylinder(rays: Rays) -> Float[Tensor, " P"]:
    x, y, _ = rays.origin
    u, v, _ = rays.way
    a = (u * u + v * v).clamp_min(TINY)
    b = x * u + y * v
    inside = b * b - a * (x * x + y * y - rays.radius * rays.radius)
    root = torch.sqrt(inside.clamp_min(0))
    near, far = _slab(rays, 2)
    low = torch.maximum((-b - root) / a, near)
    high = torch.minimum((root - b) / a, far)
    return torch.where((inside > 0) & (low < high) & (low > 0), low, NEVER)


def _slab(rays: Rays, axis: int) -> tuple[Tensor, Tensor]:
    """Where the ray is between two faces of the solid."""
    way = rays.way[axis]
    way = torch.where(way.abs() < TINY, TINY, way)
    one = (-rays.half - rays.origin[axis]) / way
    other = (rays.half - rays.origin[axis]) / way
    return torch.minimum(one, other), torch.maximum(one, other)


def faces_sphere(point: Float[Tensor, "3 P"], radius: Tensor, half: Tensor) -> Float[Tensor, "3 P"]:
    """The outward normal at a point of the surface, given relative to the centre."""
    return point / radius


def faces_box(point: Float[Tensor, "3 P"], radius: Tensor, half: Tensor) -> Float[Tensor, "3 P"]:
    far = point.abs()
    along_x = (far[0] >= far[1]) & (far[0] >= far[2])
    along_y = ~along_x & (far[1] >= far[2])
    chosen = torch.stack([along_x, along_y, ~along_x & ~along_y])
    return torch.where(chosen, torch.sign(point), 0.0)


def faces_cylinder(point: Float[Tensor, "3 P"], radius: Tensor, half: Tensor) -> Float[Tensor, "3 P"]:
    around = torch.sqrt(point[0] * point[0] + point[1] * point[1])
    lid = point[2].abs() * radius >= around * half
    side = point / around.clamp_min(TINY)
    return torch.where(
        lid,
        torch.stack([torch.zeros_like(around), torch.zeros_like(around), torch.sign(point[2])]),
        side * _FLAT.to(point),
    )


_FLAT = torch.tensor([[1.0], [1.0], [0.0]])
ENTER = (enter_sphere, enter_box, enter_cylinder)
FACES = (faces_sphere, faces_box, faces_cylinder)
