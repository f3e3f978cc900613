"""The junction before a fixed camera, without vehicles: everything that never moves, under any light."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from motes.data.worlds.portable import Array, uniforms
from motes.data.worlds.roads.junction_ground import ground_colour
from motes.data.worlds.roads.junction_scenery import Surface, with_buildings, with_trees
from motes.data.worlds.roads.traffic_camera import FAR, Camera, camera

# canvas pixels in a picture's pixel, a side
FINER = 2
# (column, row) of the rays through a canvas pixel; in the order in which their colours are summed
RAYS = ((-0.25, 0.25), (0.25, -0.25), (0.25, 0.25), (-0.25, -0.25))


@dataclass(frozen=True)
class Junction:
    """What the camera sees without vehicles, at the size of the canvas, in single precision."""

    eye: Camera
    # 3 H W: colours as under the sky alone
    shade: Array
    # 3 H W: what the sun adds
    sunlit: Array
    # H W: how far along its ray a pixel's thing is that is not the ground, or FAR
    depth: Array
    # 2 H W: x and y where the ray meets the ground
    ground: Array


@lru_cache(maxsize=4)
def junction_of(size: tuple[int, int], number: int) -> Junction:
    """The junction with this number, for pictures of this size."""
    canvas = (size[0] * FINER, size[1] * FINER)
    eye = _eye(canvas, number)
    shade, sunlit = _lights(eye, canvas, number)
    column, row = np.meshgrid(np.arange(canvas[1]), np.arange(canvas[0]))
    depth = _surface(eye, column[None, :1], row[None, :, :1], number).depth
    ground = np.stack(eye.ground_points(eye.rays(column, row)))
    return Junction(eye, shade, sunlit, depth.astype(np.float32), ground.astype(np.float32))


def _eye(canvas: tuple[int, int], number: int) -> Camera:
    random = np.random.default_rng(np.random.SeedSequence([77, number]))
    ranges = {"turn": (-32.0, 32.0), "height": (15.0, 19.0), "distance": (19.0, 23.0)}
    turn, height, distance = (float(value[0]) for value in uniforms(random, 1, ranges).values())
    return camera(canvas, turn, height, distance, (0.0, -0.5))


def _lights(eye: Camera, canvas: tuple[int, int], number: int) -> tuple[Array, Array]:
    """The colours under the sky alone, and what the sun adds to them; 3 H W each, means over several rays
    a pixel."""
    shade = np.zeros((*canvas, 3))
    sunlit = np.zeros((*canvas, 3))
    for right, below in RAYS:
        column = np.arange(canvas[1])[None, None] + right
        row = np.arange(canvas[0])[None, :, None] + below
        surface = _surface(eye, column, row, number)
        shade = shade + surface.colour
        sunlit = sunlit + surface.colour * surface.sun[..., None]
    return _channels_first(shade / 4), _channels_first(sunlit / 4)


def _channels_first(light: Array) -> Array:
    return np.ascontiguousarray(light.transpose(2, 0, 1).astype(np.float32))


def _surface(eye: Camera, column: Array, row: Array, number: int) -> Surface:
    """The surfaces that rays meet first; the rays go through columns 1 1 W and rows 1 H 1."""
    random = np.random.default_rng(np.random.SeedSequence([78, number]))
    rays = eye.rays(column + 0 * row, row + 0 * column)[0]
    x, y = eye.ground_points(rays)
    surface = Surface(ground_colour(x, y, random), np.ones(x.shape), np.full(x.shape, float(FAR)))
    surface = with_buildings(surface, eye, column, row, random)
    return with_trees(surface, eye, rays, random)
