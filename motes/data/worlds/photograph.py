"""A drawn street that looks like a fixed camera's photograph: a background for generated objects.

It follows from formulas and one seed; no file is read.
"""

from functools import lru_cache

import numpy as np

from motes.data.worlds.portable import Array

SEED = 2022
SKY, WALL, HEDGE, ROAD = range(4)
COLOURS = np.array([[206, 216, 228], [176, 134, 104], [66, 112, 54], [112, 110, 116]], np.float64)
# how far a region's light goes up and down
GRAIN = np.array([14, 38, 58, 16], np.float64)


@lru_cache(maxsize=4)
def photograph(size: tuple[int, int]) -> Array:
    """The picture of the street, uint8, H W 3: sky, a wall with rows of windows, a ragged hedge, and a
    road with a kerb and lane marks, under uneven light."""
    random = np.random.default_rng(SEED)
    rows = ((np.arange(size[0]) + 0.5) / size[0])[:, None] * np.ones((1, size[1]))
    columns = ((np.arange(size[1]) + 0.5) / size[1])[None, :] * np.ones((size[0], 1))
    region = _regions(rows, columns, _noise(random, size, (5, 13)) * 0.05)
    picture = _windows(COLOURS[region], (region == WALL), rows, columns)
    picture = _marks(picture, (region == ROAD), rows, columns)
    light = _noise(random, size, (3, 7, 17, 41))
    tint = np.stack([_noise(random, size, (4, 11)) for _ in range(3)], -1)
    picture = picture + (GRAIN[region] * light)[..., None] + 14 * tint
    # edges of shadows
    shade = 1 - 0.25 * (_noise(random, size, (2, 5)) > 0.3)
    return np.clip(np.round(picture * shade[..., None]), 0, 255).astype(np.uint8)


def _regions(rows: Array, columns: Array, ragged: Array) -> Array:
    """SKY, WALL, HEDGE or ROAD of each pixel; `ragged` moves the hedge's edges."""
    roofs = 0.14 + 0.1 * (columns > 0.42) - 0.08 * (columns > 0.75)
    wall = rows < 0.34 + ragged
    hedge = rows < 0.52 - 0.08 * columns + ragged
    return np.select([rows < roofs, wall, hedge], [SKY, WALL, HEDGE], ROAD)


def _windows(picture: Array, wall: Array, rows: Array, columns: Array) -> Array:
    """Paint dark panes in rows on the wall; `picture` changes."""
    pane = wall & (columns * 9 % 1 < 0.45) & (rows * 9 % 1 < 0.55)
    return np.where(pane[..., None], [62, 70, 92], picture)


def _marks(picture: Array, road: Array, rows: Array, columns: Array) -> Array:
    """Paint a kerb and broken lines on the road; `picture` changes.

    They spread towards the viewer, as they do in perspective.
    """
    depth = rows - 0.3
    across = (columns - 0.35) / depth
    dashed = (np.log(np.maximum(depth, 1e-3)) * 7 % 1) < 0.6
    line = (np.abs(across + 0.1) < 0.045) | (np.abs(across - 0.75) < 0.045)
    picture = np.where((road & line & dashed)[..., None], [226, 222, 206], picture)
    return np.where((road & (np.abs(across + 0.95) < 0.05))[..., None], [176, 166, 150], picture)


def _noise(random: np.random.Generator, size: tuple[int, int], cells: tuple[int, ...]) -> Array:
    """Smooth random values: a sum of octaves with `cells` cells along a side; finer octaves are weaker.

    The standard deviation is about 1/2.
    """
    total = np.zeros(size)
    weight = 1.0
    for count in cells:
        grid = random.standard_normal((count + 1, count + 1))
        total += weight * _enlarged(grid, size)
        weight *= 0.7
    return total / total.std() / 2


def _enlarged(grid: Array, size: tuple[int, int]) -> Array:
    """The grid's values, interpolated bilinearly to H W points."""
    for axis in (0, 1):
        position = (np.arange(size[axis]) + 0.5) / size[axis] * (grid.shape[axis] - 1)
        low = np.minimum(position.astype(int), grid.shape[axis] - 2)
        share = (position - low).reshape((-1, 1) if axis == 0 else (1, -1))
        grid = np.take(grid, low, axis) * (1 - share) + np.take(grid, low + 1, axis) * share
    return grid
