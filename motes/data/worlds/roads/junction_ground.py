"""The ground of a junction (asphalt with its marks, kerbs, paving and lawns) as colours at x and y in
metres."""

import numpy as np

from motes.data.worlds.portable import Array, mix, recoloured, within
from motes.data.worlds.roads.traffic_flow import LANE, STOP

# metres from the road's middle to the kerb
ROAD = 2 * LANE
# radius of a kerb's corner, metres
CORNER = 2.4
ASPHALT = np.array((96, 97, 102)) / 255
PAVING = np.array((158, 152, 144)) / 255
KERB = np.array((196, 192, 184)) / 255
GRASS = np.array((98, 132, 70)) / 255
MARKS = np.array((232, 230, 220)) / 255
# cells a side of a noise's lattice
LATTICE = 64


def ground_colour(x: Array, y: Array, random: np.random.Generator) -> Array:
    """The colours of the ground at these points: ... 3, 0 to 1."""
    coarse = value_noise(random, x, y, 2.5)
    fine = value_noise(random, x, y, 0.35)
    blades = value_noise(random, x, y, 0.7)
    beyond = _beyond_kerb(x, y)
    colour = recoloured(_asphalt(x, y, coarse, fine), within(beyond, 0.0, 0.3), _kerb(fine))
    colour = recoloured(colour, beyond >= 0.3, _paving(x, y, fine))
    colour = recoloured(colour, beyond >= 2.4, _lawn(coarse, blades))
    return recoloured(colour, _marked(x, y) & (beyond < 0), _paint(fine))


def _beyond_kerb(x: Array, y: Array) -> Array:
    """How many metres a point lies beyond the road's edge; below 0 on the road. The road's corners are
    round."""
    beyond_x = np.abs(x) - ROAD
    beyond_y = np.abs(y) - ROAD
    square_x = np.square(CORNER - np.minimum(beyond_x, CORNER))
    square_y = np.square(CORNER - np.minimum(beyond_y, CORNER))
    corner = (beyond_x < CORNER) & (beyond_y < CORNER)
    return np.where(corner, CORNER - np.sqrt(square_x + square_y), np.minimum(beyond_x, beyond_y))


def _asphalt(x: Array, y: Array, coarse: Array, fine: Array) -> Array:
    """The colours of the asphalt, which is darker along the middle of the lanes."""
    to_lane = np.minimum(np.abs(np.abs(x) - LANE), np.abs(np.abs(y) - LANE))
    return ASPHALT * (0.93 + 0.14 * coarse + 0.1 * fine - 0.05 * np.clip(1 - to_lane, 0, 1))[..., None]


def _kerb(fine: Array) -> Array:
    return KERB * (0.95 + 0.1 * fine)[..., None]


def _lawn(coarse: Array, blades: Array) -> Array:
    return GRASS * (0.75 + 0.3 * coarse + 0.25 * blades)[..., None]


def _paint(fine: Array) -> Array:
    """The colours of painted marks on the road."""
    return MARKS * (0.86 + 0.14 * fine)[..., None]


def _paving(x: Array, y: Array, fine: Array) -> Array:
    """The colours of the paving, which consists of slabs."""
    joints = ((x * 0.8) % 1 < 0.07) | ((y * 0.8) % 1 < 0.07)
    return PAVING * (0.95 + 0.1 * fine - 0.12 * joints)[..., None]


def _marked(x: Array, y: Array) -> Array:
    """Whether a point lies on a painted mark, on any of the four arms of the junction."""
    return _marked_arm(x, y) | _marked_arm(y, -x) | _marked_arm(-x, -y) | _marked_arm(-y, x)


def _marked_arm(right: Array, ahead: Array) -> Array:
    """Whether a point lies on a painted mark of the junction's lower arm.

    The coordinates are those of a driver on that arm.
    """
    marks = _zebra(right, ahead) | _stop_line(right, ahead) | _lane_lines(right, ahead)
    return (ahead < 0) & (np.abs(right) < ROAD) & marks


def _zebra(right: Array, ahead: Array) -> Array:
    stripes = ((right + 10.1) * 0.8) % 1 < 0.5
    return within(ahead, -7.9, -6.1) & stripes & (np.abs(right) < ROAD - 0.3)


def _stop_line(right: Array, ahead: Array) -> Array:
    return within(ahead, -STOP - 0.1, -STOP + 0.3) & within(right, 0.15, ROAD - 0.25)


def _lane_lines(right: Array, ahead: Array) -> Array:
    """Whether a point lies on the line in the middle, or on those along the kerbs.

    The middle line is broken except for the last metres before the stop line.
    """
    solid = (ahead > -STOP - 6) | ((ahead * 0.25) % 1 < 0.5)
    middle = (np.abs(right) < 0.09) & (ahead < -STOP - 0.3) & solid
    edge = np.abs(np.abs(right) - ROAD + 0.25) < 0.06
    return middle | (edge & (ahead < -STOP))


def value_noise(random: np.random.Generator, x: Array, y: Array, cell: float) -> Array:
    """Smooth noise from -1 to 1 at these points, from random values on a lattice that repeats after 64
    cells."""
    lattice = random.random((LATTICE, LATTICE)) * 2 - 1
    column, right = _in_cell(x / cell)
    row, down = _in_cell(y / cell)
    upper = _across_cell(lattice, row, column, right)
    lower = _across_cell(lattice, row + 1, column, right)
    return upper * (1 - down) + lower * down


def _in_cell(position: Array) -> tuple[Array, Array]:
    """The number of the cell in which each position lies, and the smoothed position within the cell."""
    first = np.floor(position)
    part = position - first
    return first.astype(np.int64), part * part * (3 - 2 * part)


def _across_cell(lattice: Array, row: Array, column: Array, share: Array) -> Array:
    """Values in one row of the lattice, interpolated between two neighbouring columns."""
    left = lattice[row % LATTICE, column % LATTICE]
    right = lattice[row % LATTICE, (column + 1) % LATTICE]
    return mix(left, right, share)
