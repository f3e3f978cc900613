"""Kinds of generated vehicles: solids bounded by planes, with glass, wheels and lamps painted on by place.

A vehicle's own space: x forward, y to its left, z up, metres, the ground under its middle at 0.
"""

import numpy as np

from motes.data.worlds.portable import Array, picks, uniforms

# How likely; length, width, height; then parts: x from and to, half its width less that of the vehicle, z
# from and to, slopes of front, back
# and sides (metres back per metre up), glass from and to (z), metres from pillar to pillar, and which
# colour: 0 body, 1 second
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
PARTS = np.array([row[2] for row in KINDS.values()], np.float64)  # kinds, 2 parts, 12 numbers
PAINT = {  # how likely; the colour
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


def paints(random: np.random.Generator, count: int, kind: Array) -> tuple[Array, Array]:
    """Body and second colours, 0 to 1: roofs are mostly as the body is, boxes of trucks mostly not."""
    table = np.array(list(PAINT), np.float64) / 255
    weights = {str(colour): float(weight) for colour, weight in PAINT.items()}
    vary = uniforms(random, count, {"tone": (0.88, 1.06), "other": (0.0, 1.0)})
    body = table[picks(random, count, weights)]
    second = table[picks(random, count, weights)]
    names = list(KINDS)
    apart = np.where(
        kind.reshape(-1) == names.index("truck"),
        0.85,
        np.where(kind.reshape(-1) == names.index("bus"), 1.0, 0.12),
    )
    body = np.clip(body * vary["tone"][:, None], 0, 1)
    second = np.where((vary["other"] < apart)[:, None], second * 0.6 + 0.36, body)
    return body, np.clip(second, 0, 1)


def bounds(part: Array, half: Array) -> tuple[Array, Array]:
    """Planes n . p <= d of parts (P 12; half the vehicle's width P): normals P 6 3 and distances P 6: front,
    back, left, right, top, bottom."""
    start, end, narrow, low, high, front, back, sides = (part[:, n] for n in range(8))
    one = np.ones_like(start)
    zero = np.zeros_like(start)
    wide = half - narrow
    normals = [
        (one, zero, front),
        (-one, zero, back),
        (zero, one, sides),
        (zero, -one, sides),
        (zero, zero, one),
        (zero, zero, -one),
    ]
    distances = [end + front * low, -start + back * low, wide + sides * low, wide + sides * low, high, -low]
    length = [np.sqrt(a * a + b * b + c * c) for a, b, c in normals]
    unit = [
        np.stack([axis / size for axis in normal], -1) for normal, size in zip(normals, length, strict=True)
    ]
    return np.stack(unit, 1), np.stack([d / size for d, size in zip(distances, length, strict=True)], 1)
