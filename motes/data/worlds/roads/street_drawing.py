"""How a street is seen: where each class stands, and the colour of every point; B h w arrays throughout,
rows and columns in picture heights."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.dice import Dice
from motes.data.worlds.textures import clouds

SKY, ROAD, BUILDING, CAR, TREE = range(5)
# houses a side; windows whose light differs; cars, and trees, at most
BLOCKS = 24
PANES = 16
THINGS = 4
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
DAYS = np.array(
    [
        [[0.30, 0.52, 0.86], [0.75, 0.86, 0.95]],
        [[0.50, 0.58, 0.70], [0.80, 0.82, 0.84]],
        [[0.36, 0.38, 0.66], [0.98, 0.72, 0.50]],
    ]
)


@dataclass(frozen=True)
class View:
    """Where every point lies in the street; numbers of a picture are B 1 1."""

    # h 1: 0 is the upper edge, 1 the lower
    row: np.ndarray
    # w: 0 is the middle
    column: np.ndarray
    horizon: np.ndarray
    # column of the vanishing point
    vanish: np.ndarray
    # B 1 w: columns from it; far is near
    away: np.ndarray
    # B 1 w: 0 left of it, 1 right
    side: np.ndarray
    # B 2: how fast the foot of each side's houses comes down
    slope: np.ndarray
    # B 2: light on each side
    lit: np.ndarray


def view_of(dice: Dice, size: tuple[int, int]) -> View:
    """Of pictures of so many points."""
    row = (np.arange(size[0]) + 0.5)[:, None] / size[0]
    column = (np.arange(size[1]) + 0.5 - size[1] / 2) / size[0]
    horizon = dice.between("horizon", 0.42, 0.56)
    vanish = dice.between("vanishing point", -0.3, 0.3)
    lit = np.where(dice.uniform("sun")[:, None] < 0.5, np.array([1.05, 0.72]), np.array([0.72, 1.05]))
    across = column - vanish[:, None, None]
    away = np.maximum(np.abs(across), 0.01)
    side = (across > 0).astype(np.int64)
    return View(
        row,
        column,
        horizon[:, None, None],
        vanish[:, None, None],
        away,
        side,
        dice.between("kerbs", 0.3, 0.55, 2),
        lit,
    )


def street(dice: Dice, size: tuple[int, int], fine: int) -> tuple[np.ndarray, np.ndarray]:
    """Colours in [0, 1], B h w 3, and classes, B h w, of fine x fine points a pixel."""
    view = view_of(dice, (size[0] * fine, size[1] * fine))
    grain = dice.uniform("grain", *size).repeat(fine, 1).repeat(fine, 2)
    soft = clouds(dice, (size[0] * fine, size[1] * fine))
    sky = _sky(dice, view, soft)
    colour = np.where(
        (view.row < view.horizon)[..., None],
        sky,
        _road(dice, view, grain)[..., None] * np.array([1.0, 1.0, 1.04]),
    )
    classes = np.where(view.row < view.horizon, SKY, ROAD) + np.zeros(soft.shape, np.int64)
    for standing, paint, of in _painted(dice, view, grain):
        colour = np.where(standing[..., None], paint, colour)
        classes = np.where(standing, of, classes)
    haze = (0.35 / (1 + 12 * np.maximum(view.away, view.row - view.horizon)) * (classes != SKY))[..., None]
    return colour + haze * (sky[:, -1:, :1] - colour), classes


def _sky(dice: Dice, view: View, soft: np.ndarray) -> np.ndarray:
    day = DAYS[dice.integers("day", 0, len(DAYS) - 1)][:, :, None, None]
    down = np.minimum(view.row / 0.6, 1)[..., None]
    blue = day[:, 0] + (day[:, 1] - day[:, 0]) * down
    cloudy = np.clip(2.5 * (soft - dice.between("cloudless", 0.45, 0.75)[:, None, None]), 0, 0.8)[..., None]
    return blue + cloudy * (0.97 - blue)


def _road(dice: Dice, view: View, grain: np.ndarray) -> np.ndarray:
    below = np.maximum(view.row - view.horizon, 0.01)
    lateral = (view.column - view.vanish) / below
    kerb = np.where(view.side == 1, 1 / view.slope[:, 1:, None], 1 / view.slope[:, :1, None])
    dashes = _part(0.35 / below + dice.uniform("dashes")[:, None, None]) < 0.5
    asphalt = 0.3 + 0.16 * (grain - 0.5) + 0.1 * below
    asphalt = np.where((np.abs(lateral) < 0.07) & dashes, 0.88, asphalt)
    return np.where(np.abs(lateral) > 0.78 * kerb, 0.58 + 0.1 * (grain - 0.5), asphalt)


def _painted(dice: Dice, view: View, grain: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """What stands in the street, the farthest first: where, in which colours, of which class."""
    layers = [(*_houses(dice, view, grain), BUILDING)]
    for n in range(THINGS):
        part = (n + dice.uniform(f"depth {n}", 2)) / THINGS
        size = 0.05 + 0.3 * part * part
        layers += [(*_tree(dice, view, grain, n, size[:, 0]), TREE), (*_car(dice, view, n, size[:, 1]), CAR)]
    return layers


def _houses(dice: Dice, view: View, grain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    picture = np.arange(len(dice))[:, None, None]
    along = 0.55 / view.away
    block = np.minimum(along + dice.uniform("first house")[:, None, None], BLOCKS - 1).astype(np.int64)
    tall = dice.between("houses", 0.35, 1.5, 2, BLOCKS)[picture, view.side, block]
    there = dice.uniform("gaps", 2, BLOCKS)[picture, view.side, block] < 0.9
    slope = view.slope[picture, view.side]
    foot = view.horizon + slope * view.away
    up = (foot - view.row) / view.away
    standing = there & (up > 0) & (up < tall + slope) & (view.away > 0.05)
    shift = dice.uniform("windows", 2)[:, :, None, None]
    floor = up * 5 + shift[:, 0]
    pane = along * 7 + shift[:, 1]
    at = np.stack(np.broadcast_arrays(np.floor(floor), np.floor(pane))).astype(np.int64) % PANES
    glass = (np.abs(_part(floor) - 0.5) < 0.27) & (np.abs(_part(pane) - 0.5) < 0.27)
    light = dice.uniform("panes", PANES, PANES)[picture, at[0], at[1]]
    wall = WALLS[dice.integers("walls", 0, len(WALLS) - 1, 2, BLOCKS)[picture, view.side, block]]
    plaster = wall * (0.9 + 0.2 * grain)[..., None]
    window = np.where(
        (light > 0.8)[..., None],
        np.array([0.98, 0.88, 0.6]),
        np.array([0.2, 0.24, 0.3]) * (0.6 + light)[..., None],
    )
    return standing, np.where(glass[..., None], window, plaster) * view.lit[picture, view.side][..., None]


def _car(dice: Dice, view: View, n: int, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = size[:, None, None]
    lateral = dice.between(f"car {n}", -1.3, 1.3)[:, None, None]
    right = (view.column - view.vanish - lateral * size) / size
    up = (view.horizon + size - view.row) / size
    there = (dice.uniform(f"cars {n}") < 0.65)[:, None, None]
    wide = np.where(up < 0.36, 0.46, 0.46 - 0.45 * (up - 0.36))
    standing = there & (up > 0) & (up < 0.72) & (np.abs(right) < wide)
    body = (
        PAINTS[dice.integers(f"paint {n}", 0, len(PAINTS) - 1)][:, None, None] * (0.75 + 0.6 * up)[..., None]
    )
    glass = (up > 0.4) & (up < 0.64) & (np.abs(right) < wide - 0.07)
    lamp = (np.abs(up - 0.27) < 0.06) & (np.abs(right) > 0.3)
    dark = (up < 0.12) & ((np.abs(right) > 0.26) | (up > 0.07))
    colour = np.where(glass[..., None], np.array([0.25, 0.32, 0.4]), body)
    colour = np.where(lamp[..., None], np.array([0.95, 0.25, 0.15]), colour)
    return standing, np.where(dark[..., None], 0.08, colour)


def _tree(
    dice: Dice, view: View, grain: np.ndarray, n: int, size: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    side = dice.integers(f"tree {n}", 0, 1)
    place = (0.9 * size / view.slope[np.arange(len(dice)), side] * (2 * side - 1))[:, None, None]
    size = size[:, None, None]
    right = (view.column - view.vanish - place) / size
    up = (view.horizon + size - view.row) / size
    there = (dice.uniform(f"trees {n}") < 0.7)[:, None, None]
    over = up - 1.9
    crown = right * right + over * over < 0.5 + 0.5 * grain
    trunk = (np.abs(right) < 0.1) & (up > 0) & (up < 1.9)
    sun = view.lit[:, 1] - view.lit[:, 0]
    bright = np.clip(0.62 + 0.2 * over - 0.9 * sun[:, None, None] * right, 0.3, 1) * (0.55 + 0.9 * grain)
    green = np.array([[0.22, 0.42, 0.12], [0.38, 0.45, 0.12], [0.14, 0.36, 0.2]])[
        dice.integers(f"leaves {n}", 0, 2)
    ][:, None, None]
    return there & (crown | trunk), np.where(
        crown[..., None], green * 1.5 * bright[..., None], np.array([0.32, 0.22, 0.15])
    )


def _part(value: np.ndarray) -> np.ndarray:
    return value - np.floor(value)
