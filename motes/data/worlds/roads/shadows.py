"""Shadows of vehicles on the ground: where they block the sun, and, right under them, the sky."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.portable import Array
from motes.data.worlds.roads.canvas_windows import CanvasWindows
from motes.data.worlds.roads.fleet import Fleet, per_pixel
from motes.data.worlds.roads.junction import Junction
from motes.data.worlds.roads.traffic_camera import FAR
from motes.data.worlds.roads.vehicles import SIZES

# rays along the ground are tilted by this much
LEVEL = np.float32(1e-4)
EMPTY = np.zeros((0, 0), np.float32)


@dataclass(frozen=True)
class Shadow:
    """The shadow of one vehicle within a window of the canvas, H W."""

    top: int
    left: int
    # how much of the sun it takes, 0 to 1
    sun: Array
    # how much of the sky it takes, right under and beside the vehicle
    contact: Array

    @property
    def window(self) -> tuple[slice, slice]:
        height, width = self.sun.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def vehicle_shadows(junction: Junction, fleet: Fleet, direction: Array) -> list[Shadow]:
    """The shadow of each vehicle; `direction` to the sun is B 3."""
    sun = direction[fleet.frame].astype(np.float64)
    windows = _shadow_windows(junction, fleet, sun)
    result = [Shadow(0, 0, EMPTY, EMPTY)] * len(fleet.frame)
    for index in windows.groups():
        top, left, height, width = windows.alike(index)
        cuts = [
            _cut(row, column, height, width) for row, column in zip(top.tolist(), left.tolist(), strict=True)
        ]
        ground = np.stack([junction.ground[:, *cut] for cut in cuts])
        on_ground = np.stack([junction.depth[cut] >= FAR for cut in cuts])
        shaded, contact = _shaded(fleet.of(index), ground, sun[index])
        for n, vehicle in enumerate(index):
            light = (shaded[n] * on_ground[n], contact[n] * on_ground[n])
            result[vehicle] = Shadow(int(top[n]), int(left[n]), *light)
    return result


def _cut(row: int, column: int, height: int, width: int) -> tuple[slice, slice]:
    return slice(row, row + height), slice(column, column + width)


def _shadow_windows(junction: Junction, fleet: Fleet, sun: Array) -> CanvasWindows:
    """The windows in which shadows fall: around the vehicles' corners, projected along the sun, and
    widened."""
    corners = fleet.corners()
    for axis in (0, 1):
        corners[:, 4:, axis] -= corners[:, 4:, 2] * (sun[:, axis] / sun[:, 2])[:, None]
    corners[..., 2] = 0
    wider = [corners + np.array([x, y, 0.0]) for x in (-0.6, 0.6) for y in (-0.6, 0.6)]
    columns, rows, _ = junction.eye.project(np.concatenate(wider, 1))
    return CanvasWindows.around(columns, rows, junction.depth.shape)


def _shaded(fleet: Fleet, ground: Array, sun: Array) -> tuple[Array, Array]:
    """How much of the sun and of the sky each vehicle's box blocks at points of the ground (V 2 H W); V H
    W each."""
    length, width, height = (SIZES[fleet.kind, axis] for axis in range(3))
    east = per_pixel(fleet.east)
    north = per_pixel(fleet.north)
    x = ground[:, 0] - per_pixel(fleet.x)
    y = ground[:, 1] - per_pixel(fleet.y)
    sun = sun.astype(np.float32)[:, :, None, None]
    rise = sun[:, 2]
    ahead, left = _in_own_axes(x, y, east, north)
    sun_ahead, sun_left = _in_own_axes(sun[:, 0], sun[:, 1], east, north)
    forward = _through_slab(ahead, sun_ahead, per_pixel(length / 2))
    aside = _through_slab(left, sun_left, per_pixel(width / 2))
    enter = np.maximum(np.maximum(np.float32(0), forward[0]), aside[0])
    leave = np.minimum(np.minimum(per_pixel(height * 0.86) / rise, forward[1]), aside[1])
    outside = np.maximum(np.maximum(np.float32(-9), forward[2]), aside[2])
    cover = np.clip((leave - enter) * np.float32(2.5), 0, 1)
    return cover, np.clip(1 - outside / np.float32(0.55), 0, 1) * np.float32(0.5)


def _in_own_axes(x: Array, y: Array, east: Array, north: Array) -> tuple[Array, Array]:
    """How far ahead and how far to the left of vehicles points lie; `east` and `north` are their
    directions of travel."""
    return x * east + y * north, y * east - x * north


def _through_slab(start: Array, slope: Array, half: Array) -> tuple[Array, Array, Array]:
    """Where rays enter and leave the slab from -half to half, and how far outside it they start."""
    slope = np.where(np.abs(slope) < 1e-4, LEVEL, slope)
    first = (-half - start) / slope
    last = (half - start) / slope
    return np.minimum(first, last), np.maximum(first, last), np.abs(start) - half
