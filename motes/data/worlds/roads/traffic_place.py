"""The junction itself: road, lanes, kerbs, lawns, hedges, trees and buildings before a fixed camera. All
that never moves."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from motes.data.worlds.portable import Array, uniforms
from motes.data.worlds.roads.traffic_camera import FAR, Camera, camera, cast
from motes.data.worlds.roads.traffic_flow import LANE, STOP

Box = tuple[float, float, float, float, float, float]  # x, y and z from and to
TREES = (
    (9.6, -9.8),
    (-10.2, -10.0),
    (12.8, -12.5),
    (-9.4, -14.5),
    (6.9, 8.4),
    (-6.9, 9.2),
    (-6.8, 15.5),
    (6.9, 14.0),
)
FINER = 2  # canvas pixels in a picture's pixel
ROAD = 2 * LANE  # from the road's middle to the kerb
CORNER = 2.4  # radius of a kerb's corner
ASPHALT, PAVING, KERB, GRASS = (
    np.array(c) / 255 for c in ((96, 97, 102), (158, 152, 144), (196, 192, 184), (98, 132, 70))
)
MARKS, HEDGE, LEAVES, TRUNK = (
    np.array(c) / 255 for c in ((232, 230, 220), (58, 98, 50), (70, 116, 54), (92, 70, 52))
)
WALLS = (
    np.array(
        [[178, 120, 92], [206, 188, 158], [160, 164, 172], [190, 150, 120], [140, 96, 84], [214, 206, 192]]
    )
    / 255
)
PANE = np.array([66, 82, 104]) / 255


@dataclass(frozen=True)
class Place:
    """What the camera sees without vehicles, at the canvas's size; single precision."""

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
def place_of(size: tuple[int, int], number: int) -> Place:
    random = np.random.default_rng(np.random.SeedSequence([77, number]))
    draw = {
        name: float(value[0])
        for name, value in uniforms(
            random, 1, {"turn": (-32.0, 32.0), "height": (15.0, 19.0), "away": (19.0, 23.0)}
        ).items()
    }
    canvas = (size[0] * FINER, size[1] * FINER)
    eye = camera(canvas, draw["turn"], draw["height"], draw["away"], (0.0, -0.5))
    grids = []
    for column_part in (-0.25, 0.25):
        for row_part in (-0.25, 0.25):
            grids.append(
                (
                    np.arange(canvas[1])[None, None] + column_part,
                    np.arange(canvas[0])[None, :, None] + row_part,
                )
            )
    state = np.random.SeedSequence([78, number])
    views = [_look(eye, column, row, np.random.default_rng(state)) for column, row in grids]
    shade = sum(colour for colour, _, _ in views[1:]) + views[0][0]
    sunlit = (
        sum(colour * sun[..., None] for colour, sun, _ in views[1:]) + views[0][0] * views[0][1][..., None]
    )
    column, row = np.meshgrid(np.arange(canvas[1]), np.arange(canvas[0]))
    _, _, depth = _look(eye, column[None, :1], row[None, :, :1], np.random.default_rng(state))
    rays = eye.rays(column, row)
    far = -eye.place[2] / np.minimum(rays[..., 2], -1e-3)
    ground = np.stack([eye.place[axis] + far * rays[..., axis] for axis in (0, 1)])
    images = [
        np.ascontiguousarray((light / 4).transpose(2, 0, 1).astype(np.float32)) for light in (shade, sunlit)
    ]
    return Place(eye, images[0], images[1], depth.astype(np.float32), ground.astype(np.float32))


def _look(eye: Camera, column: Array, row: Array, random: np.random.Generator) -> tuple[Array, Array, Array]:
    """Colours H W 3, how much sun there is H W, and depth of what is not ground."""
    rays = eye.rays(column + 0 * row, row + 0 * column)[0]
    far = -eye.place[2] / np.minimum(rays[..., 2], -1e-3)
    x, y = (eye.place[axis] + far * rays[..., axis] for axis in (0, 1))
    colour = _ground(x, y, random)
    sun = np.ones(x.shape)
    depth = np.full(x.shape, float(FAR))
    flat = [normal for axis in np.eye(3) for normal in (axis, -axis)]
    for box, texture, tone in _solids(random):
        ends = np.array([box[1], -box[0], box[3], -box[2], box[5], -box[4]])
        inside = ends - np.array([sum(normal[k] * eye.place[k] for k in range(3)) for normal in flat])
        at, face = (
            found[0]
            for found in cast(
                eye, np.stack(flat)[None], inside[None], column.astype(np.float32), row.astype(np.float32)
            )
        )
        nearer = at < depth
        point = [eye.place[axis] + np.minimum(at, 200.0) * rays[..., axis] for axis in range(3)]
        painted = _wall(point, face, box, tone) if texture == "wall" else _leaves(point, tone, random)
        colour = np.where(nearer[..., None], painted, colour)
        sun = np.where(nearer, np.choose(face, (0.6, 0.45, 0.4, 0.8, 1.0, 0.3)), sun)
        depth = np.where(nearer, at, depth)
    return _trees(eye, rays, (colour, sun, depth), random)


def _ground(x: Array, y: Array, random: np.random.Generator) -> Array:
    across = np.abs(x)
    along = np.abs(y)
    out_x = across - ROAD
    out_y = along - ROAD
    round_ = CORNER - np.sqrt(
        np.square(CORNER - np.minimum(out_x, CORNER)) + np.square(CORNER - np.minimum(out_y, CORNER))
    )
    off = np.where((out_x < CORNER) & (out_y < CORNER), round_, np.minimum(out_x, out_y))
    rough = noise(random, x, y, 2.5)
    fine = noise(random, x, y, 0.35)
    blades = noise(random, x, y, 0.7)
    worn = np.minimum(np.abs(across - LANE), np.abs(along - LANE))
    asphalt = ASPHALT * (0.93 + 0.14 * rough + 0.1 * fine - 0.05 * np.clip(1 - worn, 0, 1))[..., None]
    slabs = ((x * 0.8) % 1 < 0.07) | ((y * 0.8) % 1 < 0.07)
    paving = PAVING * (0.95 + 0.1 * fine - 0.12 * slabs)[..., None]
    grass = GRASS * (0.75 + 0.3 * rough + 0.25 * blades)[..., None]
    colour = np.where(((off > 0) & (off < 0.3))[..., None], KERB * (0.95 + 0.1 * fine)[..., None], asphalt)
    colour = np.where((off >= 0.3)[..., None], paving, colour)
    colour = np.where((off >= 2.4)[..., None], grass, colour)
    marks = np.zeros(x.shape, bool)
    for a, b in ((x, y), (y, -x), (-x, -y), (-y, x)):  # right of the way, and along it
        leg = (b < 0) & (np.abs(a) < ROAD)
        zebra = (b > -7.9) & (b < -6.1) & (((a + 10.1) * 0.8) % 1 < 0.5) & (np.abs(a) < ROAD - 0.3)
        stop = (b > -STOP - 0.1) & (b < -STOP + 0.3) & (a > 0.15) & (a < ROAD - 0.25)
        middle = (np.abs(a) < 0.09) & (b < -STOP - 0.3) & ((b > -STOP - 6) | ((b * 0.25) % 1 < 0.5))
        edge = (np.abs(np.abs(a) - ROAD + 0.25) < 0.06) & (b < -STOP)
        marks |= leg & (zebra | stop | middle | edge)
    return np.where((marks & (off < 0))[..., None], MARKS * (0.86 + 0.14 * fine)[..., None], colour)


def _solids(random: np.random.Generator) -> list[tuple[Box, str, Array]]:
    """Walls at the two far corners, hedges at the near ones."""
    found: list[tuple[Box, str, Array]] = []
    draw = random.random((8, 6))
    for n, (left, right) in enumerate(((7.4, 16.0), (16.2, 30.0), (-15.5, -7.8), (-30.0, -15.7))):
        front = 7.6 + 2.5 * draw[n, 0]
        found.append(
            (
                (left, right, front, front + 12, 0.0, 6 + 7 * draw[n, 1]),
                "wall",
                WALLS[int(draw[n, 2] * len(WALLS))],
            )
        )
    for n, (left, right, low, high) in enumerate(
        (
            (6.4, 24.0, -7.1, -6.3),
            (6.4, 7.2, -20.0, -7.1),
            (-24.0, -6.4, -7.1, -6.3),
            (-7.2, -6.4, -18.0, -7.1),
        )
    ):
        if draw[4 + n, 0] < 0.75:
            found.append(
                (
                    (left, right, low, high, 0.0, 0.8 + 0.7 * draw[4 + n, 1]),
                    "hedge",
                    HEDGE * (0.85 + 0.3 * draw[4 + n, 2]),
                )
            )
    return found


def _wall(point: list[Array], face: Array, box: Box, tone: Array) -> Array:
    """Rows of windows and a flat roof."""
    along = np.where(face < 2, point[1] - box[2], point[0] - box[0])
    panes = (
        ((along * 0.55) % 1 > 0.42) & ((point[2] * 0.42) % 1 > 0.45) & (face < 4) & (point[2] < box[5] - 0.7)
    )
    panes |= (point[2] < 1.9) & ((along * 0.3) % 1 > 0.4) & (face < 4)
    colour = tone * (0.92 + 0.08 * ((point[2] * 3) % 1 < 0.5))[..., None]
    colour = np.where((face == 4)[..., None], tone * 0.55 + 0.2, colour)
    colour = np.where((point[2] > box[5] - 0.4)[..., None] & (face < 4)[..., None], tone * 0.6 + 0.3, colour)
    return np.where(panes[..., None], PANE * (0.8 + 0.5 * ((along * 0.55) % 1 > 0.7))[..., None], colour)


def _leaves(point: list[Array], tone: Array, random: np.random.Generator) -> Array:
    grain = noise(random, point[0] + 0.6 * point[2], point[1] - 0.8 * point[2], 0.4)
    return tone * (0.85 + 0.35 * grain)[..., None]


def _trees(
    eye: Camera, rays: Array, seen: tuple[Array, Array, Array], random: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Round crowns on trunks, on the lawns."""
    colour, sun, depth = seen
    draw = random.random((len(TREES), 5))
    for (x, y), (here, big, tall, tone, off) in zip(TREES, draw, strict=True):
        if here > 0.8:
            continue
        wide = 1.1 + 0.8 * big
        high = 2.6 + 1.2 * tall
        x = x + off - 0.5
        y = y + big - 0.5
        for part, middle, radii, paint in (
            (0, 0.45 * high, (0.16, 0.16, 0.6 * high), TRUNK),
            (1, high, (wide, wide, wide * 0.95), LEAVES),
        ):
            away = [eye.place[0] - x, eye.place[1] - y, eye.place[2] - middle]
            a = sum(np.square(rays[..., k] / radii[k]) for k in range(3))
            b = sum(rays[..., k] * away[k] / (radii[k] * radii[k]) for k in range(3))
            c = sum(away[k] * away[k] / (radii[k] * radii[k]) for k in range(3)) - 1
            root = b * b - a * c
            at = (-b - np.sqrt(np.maximum(root, 0))) / a
            point = [away[k] + at * rays[..., k] for k in range(3)]
            grain = noise(random, point[0] * 1.0 + point[2], point[1] - point[2], 0.5)
            nearer = (root > (0.06 * grain + 0.03) * part) & (at < depth)
            up = point[2] / radii[2]
            colour = np.where(
                nearer[..., None],
                paint * ((0.72 + 0.2 * tone + 0.25 * up + 0.3 * grain * part)[..., None]),
                colour,
            )
            sun = np.where(nearer, 0.55 + 0.4 * up, sun)
            depth = np.where(nearer, at, depth)
    return colour, sun, depth


def noise(random: np.random.Generator, x: Array, y: Array, cell: float) -> Array:
    """Smooth, -1 to 1, repeating every 64 cells."""
    grid = random.random((64, 64)) * 2 - 1
    x = x / cell
    y = y / cell
    left = np.floor(x)
    low = np.floor(y)
    u = x - left
    v = y - low
    u = u * u * (3 - 2 * u)
    v = v * v * (3 - 2 * v)
    i = left.astype(np.int64)
    j = low.astype(np.int64)
    a = grid[j % 64, i % 64]
    b = grid[j % 64, (i + 1) % 64]
    c = grid[(j + 1) % 64, i % 64]
    d = grid[(j + 1) % 64, (i + 1) % 64]
    return (a + (b - a) * u) * (1 - v) + (c + (d - c) * u) * v
