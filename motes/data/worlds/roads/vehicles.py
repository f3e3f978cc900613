"""Kinds of generated vehicles: solids bounded by planes, with glass, wheels and lamps painted on.

A vehicle's own space: x forward, y to its left, z up, in metres; 0 is the ground under its middle.
"""

import numpy as np

from motes.data.worlds.portable import Array, picks, uniforms

# Of each kind: how likely it is; length, width and height; then two parts, each with
# x from and to; by how much half its width is less than the vehicle's; z from and to;
# slopes of front, back and sides (metres back per metre up); glass from and to (z); metres from pillar to
# pillar; the colour (0: body, 1: second).
KINDS = {
    "saloon": (
        3,
        (4.5, 1.8, 1.45),
        (
            (-2.25, 2.25, 0, 0.15, 0.85, 0.12, 0.1, 0.02, 9, 9, 1, 0),
            (-1.95, 1.0, 0.02, 0.85, 1.45, 1.25, 0.9, 0.3, 0.92, 1.38, 1.25, 1),
        ),
    ),
    "hatchback": (
        3,
        (3.8, 1.75, 1.5),
        (
            (-1.9, 1.9, 0, 0.15, 0.9, 0.15, 0.05, 0.02, 9, 9, 1, 0),
            (-1.85, 0.95, 0.02, 0.9, 1.5, 1.1, 0.3, 0.28, 0.96, 1.42, 1.2, 1),
        ),
    ),
    "estate": (
        2,
        (4.7, 1.85, 1.65),
        (
            (-2.35, 2.35, 0, 0.15, 0.95, 0.12, 0.05, 0.02, 9, 9, 1, 0),
            (-2.3, 1.05, 0.02, 0.95, 1.65, 0.9, 0.25, 0.24, 1.02, 1.56, 1.3, 1),
        ),
    ),
    "van": (
        1.5,
        (5.2, 2.0, 2.2),
        (
            (-2.6, 2.6, 0, 0.15, 1.15, 0.25, 0.02, 0.02, 9, 9, 1, 0),
            (-2.6, 2.25, 0.0, 1.15, 2.2, 0.75, 0.03, 0.1, 1.25, 1.95, 7.2, 1),
        ),
    ),
    "pickup": (
        1.2,
        (5.2, 1.9, 1.75),
        (
            (-2.6, 2.6, 0, 0.2, 1.0, 0.12, 0.02, 0.02, 9, 9, 1, 0),
            (-0.6, 1.3, 0.02, 1.0, 1.75, 0.8, 0.1, 0.2, 1.08, 1.66, 1.0, 0),
        ),
    ),
    "truck": (
        1.6,
        (7.6, 2.4, 3.1),
        (
            (-3.8, 1.7, 0.0, 0.35, 3.1, 0, 0, 0, 9, 9, 1, 1),
            (1.85, 3.8, 0.05, 0.15, 2.45, 0.12, 0, 0.04, 1.45, 2.15, 7, 0),
        ),
    ),
    "bus": (
        0.9,
        (9.0, 2.45, 2.9),
        (
            (-4.5, 4.5, 0, 0.15, 2.9, 0.06, 0.02, 0.03, 1.3, 2.35, 1.5, 0),
            (-1.8, 0.8, 0.7, 2.9, 3.15, 0.5, 0.5, 0.3, 9, 9, 1, 1),
        ),
    ),
}
SIZES = np.array([row[1] for row in KINDS.values()])
LENGTHS = SIZES[:, 0]
# kinds, 2 parts, 12 numbers
PARTS = np.array([row[2] for row in KINDS.values()], np.float64)
# places of some of the 12 numbers
START = 0
END = 1
GLASS_FROM = 8
GLASS_TO = 9
PILLARS = 10
COLOUR = 11
# of each colour, how likely it is
PAINT = {
    (236, 236, 232): 3,
    (176, 182, 188): 2.5,
    (92, 98, 106): 1.5,
    (38, 40, 46): 2,
    (178, 36, 36): 2,
    (36, 72, 150): 2,
    (54, 128, 186): 1.2,
    (40, 110, 72): 1,
    (232, 178, 40): 1.4,
    (226, 112, 38): 0.9,
    (122, 62, 44): 0.6,
    (120, 60, 128): 0.4,
    (150, 190, 120): 0.5,
}


def vehicle_colours(random: np.random.Generator, count: int, kind: Array) -> tuple[Array, Array]:
    """The body colours and the second colours of vehicles, 0 to 1.

    The second colour, of a roof or of a truck's box, is mostly the body's own for roofs, and another for
    boxes.
    """
    table = np.array(list(PAINT), np.float64) / 255
    weights = {str(colour): float(weight) for colour, weight in PAINT.items()}
    variation = uniforms(random, count, {"tone": (0.88, 1.06), "second": (0.0, 1.0)})
    body = table[picks(random, count, weights)]
    second = table[picks(random, count, weights)]
    body = np.clip(body * variation["tone"][:, None], 0, 1)
    two_coloured = variation["second"] < _chance_of_second_colour(kind.reshape(-1))
    second = np.where(two_coloured[:, None], second * 0.6 + 0.36, body)
    return body, np.clip(second, 0, 1)


def _chance_of_second_colour(kind: Array) -> Array:
    names = list(KINDS)
    return np.where(kind == names.index("truck"), 0.85, np.where(kind == names.index("bus"), 1.0, 0.12))


def bounds(part: Array, half: Array) -> tuple[Array, Array]:
    """The planes n . p <= d that bound parts: their normals n, P 6 3, and distances d, P 6.

    The planes are front, back, left, right, top and bottom. `part` is P 12; `half` is half the vehicle's
    width, P.
    """
    start, end, inset, low, high, front, back, sides = (part[:, n] for n in range(8))
    flank = half - inset + sides * low
    distances = [end + front * low, -start + back * low, flank, flank, high, -low]
    normals = _plane_normals(front, back, sides)
    lengths = [np.sqrt(x * x + y * y + z * z) for x, y, z in normals]
    units = [_divided(normal, length) for normal, length in zip(normals, lengths, strict=True)]
    scaled = [distance / length for distance, length in zip(distances, lengths, strict=True)]
    return np.stack(units, 1), np.stack(scaled, 1)


def _divided(vector: tuple[Array, Array, Array], length: Array) -> Array:
    """The vector (x, y, z) divided by its length, P 3."""
    return np.stack([axis / length for axis in vector], -1)


def _plane_normals(front: Array, back: Array, sides: Array) -> list[tuple[Array, Array, Array]]:
    """The x, y and z of the normals of the six planes, of any length, computed from the planes' slopes."""
    ones = np.ones_like(front)
    zeros = np.zeros_like(front)
    return [
        (ones, zeros, front),
        (-ones, zeros, back),
        (zeros, ones, sides),
        (zeros, -ones, sides),
        (zeros, zeros, ones),
        (zeros, zeros, -ones),
    ]
