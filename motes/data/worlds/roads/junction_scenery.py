"""What stands around a junction: houses, hedges and trees, where the camera's rays meet them."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.portable import Array, recoloured
from motes.data.worlds.roads.junction_ground import value_noise
from motes.data.worlds.roads.traffic_camera import Camera, cast, scalar_product

# left, right of houses at the two far corners
HOUSES = ((7.4, 16.0), (16.2, 30.0), (-15.5, -7.8), (-30.0, -15.7))
# left, right, front, back of hedges at the near corners
HEDGES = (
    (6.4, 24.0, -7.1, -6.3),
    (6.4, 7.2, -20.0, -7.1),
    (-24.0, -6.4, -7.1, -6.3),
    (-7.2, -6.4, -18.0, -7.1),
)
# x and y of trees on the lawns
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
HEDGE = np.array((58, 98, 50)) / 255
LEAVES = np.array((70, 116, 54)) / 255
TRUNK = np.array((92, 70, 52)) / 255
WALLS = (
    np.array(
        [[178, 120, 92], [206, 188, 158], [160, 164, 172], [190, 150, 120], [140, 96, 84], [214, 206, 192]]
    )
    / 255
)
PANE = np.array([66, 82, 104]) / 255
# normals of a cuboid's planes: right, left, back, front, top, bottom; and how much sun each gets
NORMALS = np.stack([normal for axis in np.eye(3) for normal in (axis, -axis)])
SUN_ON_FACE = (0.6, 0.45, 0.4, 0.8, 1.0, 0.3)


@dataclass(frozen=True)
class Surface:
    """The surface that each ray meets first."""

    # H W 3
    colour: Array
    # H W: how much sun there is
    sun: Array
    # H W: how far along the ray; FAR on the ground
    depth: Array

    def covered(self, mask: Array, colour: Array, sun: Array, depth: Array) -> "Surface":
        """The surface, with another colour, sunlight and depth where the mask is true."""
        return Surface(
            recoloured(self.colour, mask, colour),
            np.where(mask, sun, self.sun),
            np.where(mask, depth, self.depth),
        )

    def behind_cuboid(self, distance: Array, face: Array, colour: Array) -> "Surface":
        """The surface with a cuboid in front of it, where the cuboid is nearer.

        The cuboid has its own colours; the light depends on the face of the cuboid.
        """
        return self.covered(distance < self.depth, colour, np.choose(face, SUN_ON_FACE), distance)


@dataclass(frozen=True)
class Cuboid:
    """A house or a hedge; lengths are in metres."""

    # from and to
    x: tuple[float, float]
    y: tuple[float, float]
    height: float
    colour: Array

    @property
    def ends(self) -> Array:
        """The position of each face's plane along its normal, in the order of NORMALS."""
        return np.array([self.x[1], -self.x[0], self.y[1], -self.y[0], self.height, -0.0])


@dataclass(frozen=True)
class Ellipsoid:
    """A tree's trunk or crown; lengths are in metres."""

    middle: tuple[float, float, float]
    radii: tuple[float, float, float]
    colour: Array
    # brightness of this tree, 0 to 1
    tone: float
    # 1: leaves; 0: bark
    rough: int


def with_buildings(
    surface: Surface, eye: Camera, column: Array, row: Array, random: np.random.Generator
) -> Surface:
    """The surface with houses and hedges in front of it; rays go through columns 1 1 W and rows 1 H 1."""
    numbers = random.random((8, 6))
    for house in _houses(numbers[:4]):
        distance, face, point = _meet_cuboid(eye, column, row, house)
        surface = surface.behind_cuboid(distance, face, _facade(point, face, house))
    for hedge in _hedges(numbers[4:]):
        distance, face, point = _meet_cuboid(eye, column, row, hedge)
        surface = surface.behind_cuboid(distance, face, _leaves(point, hedge.colour, random))
    return surface


def _houses(numbers: Array) -> list[Cuboid]:
    houses = []
    for (left, right), (distance, tall, colour) in zip(HOUSES, numbers[:, :3], strict=True):
        front = 7.6 + 2.5 * distance
        wall = WALLS[int(colour * len(WALLS))]
        houses.append(Cuboid((left, right), (front, front + 12), 6 + 7 * tall, wall))
    return houses


def _hedges(numbers: Array) -> list[Cuboid]:
    hedges = []
    for (left, right, front, back), (chance, tall, tone) in zip(HEDGES, numbers[:, :3], strict=True):
        if chance < 0.75:
            leaves = HEDGE * (0.85 + 0.3 * tone)
            hedges.append(Cuboid((left, right), (front, back), 0.8 + 0.7 * tall, leaves))
    return hedges


def _meet_cuboid(
    eye: Camera, column: Array, row: Array, cuboid: Cuboid
) -> tuple[Array, Array, tuple[Array, Array, Array]]:
    """Where each ray meets the cuboid: the distance, the number of the face, and the point's x, y and z.

    Each is an array H W.
    """
    inside = cuboid.ends - scalar_product(NORMALS, eye.position)
    pixels = column.astype(np.float32), row.astype(np.float32)
    distance, face = (values[0] for values in cast(eye, NORMALS[None], inside[None], *pixels))
    rays = eye.rays(column + 0 * row, row + 0 * column)[0]
    x, y, z = (eye.position[axis] + np.minimum(distance, 200.0) * rays[..., axis] for axis in range(3))
    return distance, face, (x, y, z)


def _facade(point: tuple[Array, Array, Array], face: Array, house: Cuboid) -> Array:
    """The colours of a house, ... 3: rows of windows under a flat roof."""
    x, y, z = point
    along_wall = np.where(face < 2, y - house.y[0], x - house.x[0])
    panes = _panes(along_wall, z, house.height) & (face < 4)
    glass = PANE * (0.8 + 0.5 * ((along_wall * 0.55) % 1 > 0.7))[..., None]
    return recoloured(_plaster(z, face, house), panes, glass)


def _panes(along_wall: Array, z: Array, height: float) -> Array:
    """Whether a point of a wall is glass: windows, and shops at the bottom."""
    window = ((along_wall * 0.55) % 1 > 0.42) & ((z * 0.42) % 1 > 0.45) & (z < height - 0.7)
    return window | ((z < 1.9) & ((along_wall * 0.3) % 1 > 0.4))


def _plaster(z: Array, face: Array, house: Cuboid) -> Array:
    """The colours of a house without its windows: the wall in courses, the roof, and the band under the
    roof."""
    colour = house.colour * (0.92 + 0.08 * ((z * 3) % 1 < 0.5))[..., None]
    colour = recoloured(colour, face == 4, house.colour * 0.55 + 0.2)
    band = (z > house.height - 0.4) & (face < 4)
    return recoloured(colour, band, house.colour * 0.6 + 0.3)


def _leaves(point: tuple[Array, Array, Array], colour: Array, random: np.random.Generator) -> Array:
    x, y, z = point
    grain = value_noise(random, x + 0.6 * z, y - 0.8 * z, 0.4)
    return colour * (0.85 + 0.35 * grain)[..., None]


def with_trees(surface: Surface, eye: Camera, rays: Array, random: np.random.Generator) -> Surface:
    """The surface with trees in front of it; the rays are H W 3."""
    numbers = random.random((len(TREES), 5))
    for position, (chance, *shape) in zip(TREES, numbers.tolist(), strict=True):
        if chance <= 0.8:
            for body in _tree(position, *shape):
                surface = _with_ellipsoid(surface, eye, rays, body, random)
    return surface


def _tree(
    position: tuple[float, float], wide: float, tall: float, tone: float, shift: float
) -> tuple[Ellipsoid, Ellipsoid]:
    """The trunk and the round crown of a tree at this position; the other arguments are numbers from 0 to
    1."""
    x = position[0] + shift - 0.5
    y = position[1] + wide - 0.5
    radius = 1.1 + 0.8 * wide
    height = 2.6 + 1.2 * tall
    trunk = Ellipsoid((x, y, 0.45 * height), (0.16, 0.16, 0.6 * height), TRUNK, tone, 0)
    crown = Ellipsoid((x, y, height), (radius, radius, radius * 0.95), LEAVES, tone, 1)
    return trunk, crown


def _with_ellipsoid(
    surface: Surface, eye: Camera, rays: Array, body: Ellipsoid, random: np.random.Generator
) -> Surface:
    offset = [eye.position[axis] - body.middle[axis] for axis in range(3)]
    root, distance = _meet(offset, rays, body.radii)
    x, y, z = (offset[axis] + distance * rays[..., axis] for axis in range(3))
    grain = value_noise(random, x + z, y - z, 0.5)
    nearer = (root > (0.06 * grain + 0.03) * body.rough) & (distance < surface.depth)
    up = z / body.radii[2]
    colour = body.colour * _brightness(body, up, grain)[..., None]
    return surface.covered(nearer, colour, 0.55 + 0.4 * up, distance)


def _brightness(body: Ellipsoid, up: Array, grain: Array) -> Array:
    return 0.72 + 0.2 * body.tone + 0.25 * up + 0.3 * grain * body.rough


def _meet(offset: list[float], rays: Array, radii: tuple[float, float, float]) -> tuple[Array, Array]:
    """A discriminant, which is above 0 if a ray from `offset` meets the ellipsoid, and the distance at
    which it does."""
    squares = [radius * radius for radius in radii]
    x, y, z = (np.square(rays[..., axis] / radii[axis]) for axis in range(3))
    a = x + y + z
    x, y, z = (rays[..., axis] * offset[axis] / squares[axis] for axis in range(3))
    b = x + y + z
    c = sum(offset[axis] * offset[axis] / squares[axis] for axis in range(3)) - 1
    root = b * b - a * c
    return root, (-b - np.sqrt(np.maximum(root, 0))) / a
