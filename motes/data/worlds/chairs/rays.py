"""Where rays enter the parts of a chair, and the normals of the surface at these points."""

from typing import Any

import numpy as np

from motes.data.worlds.chairs.parts import Part, inner_product
from motes.data.worlds.portable import Array

NEVER = np.float32(1e9)
TINY = np.float32(1e-9)
Span = tuple[Array, Array, Array]  # distances of entry and exit, and the normal of entry


def ray_entry(part: Part, origin: Array, directions: Array) -> tuple[Array, Array]:
    """The distance along each ray at which it enters the part, and the normal of the surface there.

    `origin` is 3, or ... 3 with one for each ray; `directions` is ... 3. The distance is `NEVER` where the
    ray misses the part or the part lies behind.
    """
    axes = part.axes.astype(np.float32)
    half = part.half.astype(np.float32)
    offset = origin - part.centre.astype(np.float32)
    start = [inner_product(offset, axis) / extent for axis, extent in zip(axes, half, strict=True)]
    speed = [inner_product(directions, axis) / extent for axis, extent in zip(axes, half, strict=True)]
    speed = [np.where(np.abs(value) < TINY, TINY, value) for value in speed]
    crossing = _through_cylinder if part.round else _through_box
    low, high, normal = _between_lids(crossing(start, speed), start[2], speed[2])
    normal = normal[..., :1] * axes[0] + normal[..., 1:2] * axes[1] + normal[..., 2:] * axes[2]
    return np.where((low < high) & (low > 0), low, NEVER), normal


def _between_lids(walls: Span, start: Any, speed: Array) -> Span:
    """The span of each ray inside the part: the span between its side walls, cut by its two ends."""
    low, high, normal = walls
    near, far = _between_walls(start, speed)
    by_lid = near > low
    low = np.where(by_lid, near, low)
    high = np.minimum(high, far)
    lid = np.stack([np.zeros_like(low), np.zeros_like(low), -np.sign(speed) + 0 * low], -1)
    return low, high, np.where(by_lid[..., None], lid, normal)


def _through_cylinder(start: list[Any], speed: list[Array]) -> Span:
    """Where each ray enters and leaves an endless cylinder of radius 1, and the normal where it enters.

    `_between_lids` cuts the cylinder at the part's two ends afterwards.
    """
    x, y = start[:2]
    u, v = speed[:2]
    a = u * u + v * v
    b = x * u + y * v
    discriminant = b * b - a * (x * x + y * y - 1)
    root = np.sqrt(np.maximum(discriminant, 0))
    low = (-b - root) / a
    high = np.where(discriminant > 0, (-b + root) / a, -NEVER)
    return low, high, np.stack([x + low * u, y + low * v, np.zeros_like(low)], -1)


def _through_box(start: list[Any], speed: list[Array]) -> Span:
    """The span of each ray between the four side walls of a box, a square from -1 to 1, before its ends
    are cut."""
    near_x, far_x = _between_walls(start[0], speed[0])
    near_y, far_y = _between_walls(start[1], speed[1])
    normal = _wall_normal(near_x > near_y, speed[0], speed[1])
    return np.maximum(near_x, near_y), np.minimum(far_x, far_y), normal


def _between_walls(start: Any, speed: Array) -> tuple[Array, Array]:
    return (-np.sign(speed) - start) / speed, (np.sign(speed) - start) / speed


def _wall_normal(by_x: Array, u: Array, v: Array) -> Array:
    normal = [np.where(by_x, -np.sign(u), 0), np.where(by_x, 0, -np.sign(v)), np.zeros_like(u)]
    return np.stack(normal, -1).astype(np.float32)
