"""Draw each vehicle alone as the camera sees it: rays are cast against its parts, the nearest part in
front."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.portable import Array
from motes.data.worlds.roads.canvas_windows import CanvasWindows
from motes.data.worlds.roads.fleet import Fleet, Light, per_pixel
from motes.data.worlds.roads.traffic_camera import FAR, Camera, cast, scalar_product
from motes.data.worlds.roads.vehicle_surface import Hit, surface_colours
from motes.data.worlds.roads.vehicles import PARTS, SIZES, bounds


@dataclass(frozen=True)
class Sprite:
    """One vehicle as the camera sees it, within a window of the canvas."""

    top: int
    left: int
    # H W: FAR where it is not
    depth: Array
    # 3 H W
    colour: Array

    @property
    def window(self) -> tuple[slice, slice]:
        height, width = self.depth.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


NOTHING = Sprite(0, 0, np.zeros((0, 0), np.float32), np.zeros((3, 0, 0), np.float32))


@dataclass(frozen=True)
class _Grid:
    """The pixels of one window per vehicle, and the camera that looks through them."""

    eye: Camera
    # V 1 W
    column: Array
    # V H 1
    row: Array


def draw_vehicles(eye: Camera, fleet: Fleet, light: Light, canvas: tuple[int, ...]) -> list[Sprite]:
    """One sprite for each vehicle of the fleet, drawn as if it were alone; `NOTHING` for one out of view.

    `light` has one entry per picture, of which each vehicle takes its own picture's. `canvas` has the
    rows and columns of the canvas.
    """
    columns, rows, _ = eye.project(fleet.corners())
    windows = CanvasWindows.around(columns, rows, canvas)
    sprites = [NOTHING] * len(fleet.frame)
    for index in windows.groups():
        top, left, height, width = windows.alike(index)
        grid = _Grid(eye, column=_pixels(left, width)[:, None], row=_pixels(top, height)[:, :, None])
        group = fleet.of(index)
        depth, colour = _draw_group(grid, group, light.of(group.frame))
        for n, vehicle in enumerate(index):
            sprites[vehicle] = Sprite(int(top[n]), int(left[n]), depth[n], colour[n])
    return sprites


def _pixels(first: Array, count: int) -> Array:
    """For each window, `count` row or column numbers from its first one on, V n."""
    return (first[:, None] + np.arange(count)).astype(np.float32)


def _draw_group(grid: _Grid, fleet: Fleet, light: Light) -> tuple[Array, Array]:
    """The depths V H W and colours V 3 H W of vehicles whose windows have one size; `light` is that of
    vehicles."""
    shape = (len(fleet.x), grid.row.shape[1], grid.column.shape[2])
    depth = np.full(shape, FAR)
    colour = np.zeros((shape[0], 3, *shape[1:]), np.float32)
    for number in range(PARTS.shape[1]):
        distance, painted = _draw_part(grid, fleet, PARTS[fleet.kind, number], light)
        nearer = distance < depth
        depth = np.where(nearer, distance, depth)
        colour = np.where(nearer[:, None], painted, colour)
    return depth, colour


def _draw_part(grid: _Grid, fleet: Fleet, part: Array, light: Light) -> tuple[Array, Array]:
    """The distances V H W and colours V 3 H W of one part (V 12) of each vehicle."""
    normals, distances = bounds(part, SIZES[fleet.kind, 1] / 2)
    normals = _turned(normals, fleet)
    offset = _offset(grid.eye, fleet)
    inside = distances - scalar_product(normals, offset[:, None])
    distance, face = cast(grid.eye, normals, inside, grid.column, grid.row)
    x, y, z = (_along(grid, offset, axis, distance) for axis in _own_axes(fleet))
    return distance, surface_colours(fleet, part, normals, Hit(face, x, y, z), light)


def _offset(eye: Camera, fleet: Fleet) -> Array:
    """The vector from each vehicle to the camera, V 3."""
    x, y, z = eye.position
    return np.stack([x - fleet.x, y - fleet.y, np.full_like(fleet.x, z)], -1)


def _turned(normals: Array, fleet: Fleet) -> Array:
    """Vectors from the vehicles' own axes (V P 3) to the axes of the ground."""
    east = fleet.east[:, None]
    north = fleet.north[:, None]
    x = normals[..., 0] * east - normals[..., 1] * north
    y = normals[..., 0] * north + normals[..., 1] * east
    return np.stack([x, y, normals[..., 2]], -1)


def _own_axes(fleet: Fleet) -> tuple[Array, Array, Array]:
    """The directions forward, to the left and up of each vehicle, V 3 each."""
    zeros = np.zeros_like(fleet.x)
    forward = np.stack([fleet.east, fleet.north, zeros], -1)
    left = np.stack([-fleet.north, fleet.east, zeros], -1)
    return forward, left, np.stack([zeros, zeros, zeros + 1], -1)


def _along(grid: _Grid, offset: Array, axis: Array, distance: Array) -> Array:
    """The coordinate along an axis of the vehicle (V 3) of the point that a ray meets at this distance: V
    H W."""
    right, down, base = (per_pixel(part) for part in grid.eye.ray_gradient(axis))
    start = per_pixel(scalar_product(offset, axis))
    return start + np.minimum(distance, 300) * (right * grid.column + base + down * grid.row)
