"""Houses, trees and cars of a generated street; each function draws one kind: a mask, B h w, and colours,
B h w 3."""

import numpy as np

from motes.data.worlds.dice import Dice
from motes.data.worlds.portable import Array, fraction, recoloured, within
from motes.data.worlds.roads.street_view import StreetView, per_picture

# houses a side
BLOCKS = 24
# windows whose light differs, across and up
PANES = 16
WALLS = np.array(
    [
        [0.66, 0.36, 0.28],
        [0.78, 0.68, 0.52],
        [0.55, 0.56, 0.6],
        [0.42, 0.52, 0.62],
        [0.72, 0.5, 0.36],
        [0.82, 0.8, 0.74],
    ]
)
PAINTS = np.array(
    [
        [0.75, 0.1, 0.1],
        [0.12, 0.25, 0.6],
        [0.85, 0.85, 0.85],
        [0.12, 0.12, 0.14],
        [0.9, 0.7, 0.1],
        [0.1, 0.45, 0.4],
    ]
)
GREENS = np.array([[0.22, 0.42, 0.12], [0.38, 0.45, 0.12], [0.14, 0.36, 0.2]])
BARK = np.array([0.32, 0.22, 0.15])
CAR_GLASS = np.array([0.25, 0.32, 0.4])
CAR_LAMP = np.array([0.95, 0.25, 0.15])
LIT_WINDOW = np.array([0.98, 0.88, 0.6])
DARK_WINDOW = np.array([0.2, 0.24, 0.3])


def houses(dice: Dice, view: StreetView, grain: Array) -> tuple[Array, Array]:
    along_street = 0.55 / view.offset
    house = np.minimum(along_street + per_picture(dice.uniform("first house")), BLOCKS - 1)
    block = (view.picture, view.side, house.astype(np.int64))
    slope = view.slope[view.picture, view.side]
    up = (view.horizon + slope * view.offset - view.row) / view.offset
    height = dice.between("houses", 0.35, 1.5, 2, BLOCKS)[block]
    built = dice.uniform("gaps", 2, BLOCKS)[block] < 0.9
    mask = built & within(up, 0.0, height + slope) & (view.offset > 0.05)
    plaster = _walls(dice)[block] * (0.9 + 0.2 * grain)[..., None]
    colour = recoloured(plaster, *_windows(dice, view, up, along_street))
    return mask, colour * view.light[view.picture, view.side][..., None]


def _walls(dice: Dice) -> Array:
    """The colours of the house walls on both sides of the street: B 2 h 3."""
    return WALLS[dice.integers("walls", 0, len(WALLS) - 1, 2, BLOCKS)]


def _windows(dice: Dice, view: StreetView, up: Array, along_street: Array) -> tuple[Array, Array]:
    """Whether each point of a wall is glass, and the colours of the glass: some windows are lit."""
    shift = dice.uniform("windows", 2)[:, :, None, None]
    floor = up * 5 + shift[:, 0]
    pane = along_street * 7 + shift[:, 1]
    glass = _inner(floor) & _inner(pane)
    number = np.stack(np.broadcast_arrays(np.floor(floor), np.floor(pane))).astype(np.int64) % PANES
    light = dice.uniform("panes", PANES, PANES)[view.picture, number[0], number[1]]
    dark = DARK_WINDOW * (0.6 + light)[..., None]
    return glass, recoloured(dark, light > 0.8, LIT_WINDOW)


def _inner(position: Array) -> Array:
    """Whether a position, in units of windows, lies inside a window and not on the wall between two."""
    return np.abs(fraction(position) - 0.5) < 0.27


def car(dice: Dice, view: StreetView, number: int, size: Array) -> tuple[Array, Array]:
    """The mask and colours of the car with this number, seen from behind; `size`, B, is its scale."""
    size = per_picture(size)
    lateral = per_picture(dice.between(f"car {number}", -1.3, 1.3))
    right = np.abs((view.column - view.vanish - lateral * size) / size)
    up = (view.horizon + size - view.row) / size
    half_width = _half_width_of_car(up)
    present = per_picture(dice.uniform(f"cars {number}") < 0.65)
    mask = present & within(up, 0.0, 0.72) & (right < half_width)
    body = per_picture(_paint(dice, number)) * (0.75 + 0.6 * up)[..., None]
    return mask, _with_car_parts(body, right, up, half_width)


def _half_width_of_car(up: Array) -> Array:
    """Half of the car's width at each height: constant below, narrower towards the roof."""
    return np.where(up < 0.36, 0.46, 0.46 - 0.45 * (up - 0.36))


def _paint(dice: Dice, number: int) -> Array:
    return PAINTS[dice.integers(f"paint {number}", 0, len(PAINTS) - 1)]


def _with_car_parts(body: Array, right: Array, up: Array, half_width: Array) -> Array:
    """The body's colours with a rear window, lamps, wheels and the dark under the car."""
    colour = recoloured(body, within(up, 0.4, 0.64) & (right < half_width - 0.07), CAR_GLASS)
    colour = recoloured(colour, (np.abs(up - 0.27) < 0.06) & (right > 0.3), CAR_LAMP)
    return recoloured(colour, (up < 0.12) & ((right > 0.26) | (up > 0.07)), 0.08)


def tree(dice: Dice, view: StreetView, grain: Array, number: int, size: Array) -> tuple[Array, Array]:
    """The mask and colours of the tree with this number; `size`, B, is its scale."""
    side = dice.integers(f"tree {number}", 0, 1)
    lateral = 0.9 * size / view.slope[np.arange(len(dice)), side] * (2 * side - 1)
    size = per_picture(size)
    right = (view.column - view.vanish - per_picture(lateral)) / size
    up = (view.horizon + size - view.row) / size
    above = up - 1.9
    crown = right * right + above * above < 0.5 + 0.5 * grain
    trunk = (np.abs(right) < 0.1) & within(up, 0.0, 1.9)
    present = per_picture(dice.uniform(f"trees {number}") < 0.7)
    leaves = per_picture(_green(dice, number)) * 1.5 * _brightness(view, right, above, grain)[..., None]
    return present & (crown | trunk), np.where(crown[..., None], leaves, BARK)


def _green(dice: Dice, number: int) -> Array:
    return GREENS[dice.integers(f"leaves {number}", 0, 2)]


def _brightness(view: StreetView, right: Array, above: Array, grain: Array) -> Array:
    """The brightness of leaves: more towards the sun and the sky."""
    sun = per_picture(view.light[:, 1] - view.light[:, 0])
    return np.clip(0.62 + 0.2 * above - 0.9 * sun * right, 0.3, 1) * (0.55 + 0.9 * grain)
