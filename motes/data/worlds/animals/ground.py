"""What an animal walks on and what stands around it: bedding, a floor or grass, a wall, litter, uneven light."""

import numpy as np

from motes.data.worlds.animals.camera import AnimalCamera
from motes.data.worlds.animals.pose import direction
from motes.data.worlds.dice import Dice
from motes.data.worlds.portable import PI, Array, mix, smooth, wave

# cells of a pattern that repeats itself
CELLS = 32
# cells in a length of a back, of the coarse and of the fine pattern
GRAINS = (2.0, 9.0)
# under bright animals; grounds under dark ones are as far from white as these are from black
BRIGHTNESS = (0.08, 0.4)
LITTER = 5
# share of the pictures with a wall, and how far it is from the animal, in lengths of a back
WALL = {"above": 0.3, "side": 1.0}
WALL_AWAY = (0.7, 2.0)
# degrees above the ground
LAMP_HEIGHT = (25.0, 80.0)
# share of the pictures with something in front of the animal
IN_FRONT = 0.25


def grounds(
    dice: Dice, camera: AnimalCamera, view: str, is_bright: Array, travel: Array, size: tuple[int, int]
) -> Array:
    """The brightness of what is behind each animal, B H W; the ground has moved by `travel`, B 2."""
    x, y = camera.on_ground(size)
    pattern = _pattern(dice, x + travel[:, 0, None, None], y + travel[:, 1, None, None])
    brightness = _brightness(dice, "ground", is_bright)
    strength = dice.between("ground strength", 0.1, 0.6, 1, 1)
    ground = brightness * (1 + strength * pattern)
    ground = _with_litter(dice, ground, x + travel[:, 0, None, None], y + travel[:, 1, None, None])
    return _with_wall(dice, view, ground, _brightness(dice, "wall brightness", is_bright), x, y)


def _brightness(dice: Dice, name: str, is_bright: Array) -> Array:
    dark = dice.between(name, *BRIGHTNESS, 1, 1)
    return np.where(is_bright[:, None, None], 1 - dark, dark)


def _pattern(dice: Dice, x: Array, y: Array) -> Array:
    """Bedding, grass or a floor with lines, about -1 to 1."""
    kind = dice.uniform("ground kind", 1, 1)
    direction = dice.directions("ground way")[:, :, None, None]
    distance = direction[:, 0] * x + direction[:, 1] * y
    across = direction[:, 0] * y - direction[:, 1] * x
    cells = dice.uniform("ground cells", CELLS, CELLS).astype(np.float32)
    # blades of grass are long and thin
    stretch = np.where(kind < 0.3, 0.25, 1.0)
    coarse, fine = (_noise(cells, distance * grain * stretch, across * grain) for grain in GRAINS)
    rough = 0.8 * coarse + 1.2 * fine - 1
    lines = np.maximum(_line(dice, "first lines", distance), _line(dice, "second lines", across))
    return np.where(kind > 0.75, 0.3 * rough - lines, rough)


def _line(dice: Dice, name: str, position: Array) -> Array:
    """Dark lines at even distances, 0 to 1."""
    pace = dice.between(name, 0.5, 3.0, 1, 1)
    return np.clip(6 * wave(position * pace) - 4.5, 0, 1)


def _noise(cells: Array, rows: Array, columns: Array) -> Array:
    """Smooth random values at these positions, B H W, between those of cells that repeat themselves."""
    row = np.floor(rows)
    column = np.floor(columns)
    to_right = smooth(columns - column)
    top = row.astype(np.int64) % CELLS
    left = column.astype(np.int64) % CELLS
    upper = _in_row(cells, top, left, to_right)
    lower = _in_row(cells, (top + 1) % CELLS, left, to_right)
    return mix(upper, lower, smooth(rows - row))


def _in_row(cells: Array, row: Array, left: Array, to_right: Array) -> Array:
    picture = np.arange(len(cells))[:, None, None]
    return mix(cells[picture, row, left], cells[picture, row, (left + 1) % CELLS], to_right)


def _with_litter(dice: Dice, ground: Array, x: Array, y: Array) -> Array:
    """Round bits that lie about, brighter or darker."""
    for number in range(LITTER):
        middle = dice.between(f"litter {number}", -1.6, 1.6, 2)[:, :, None, None]
        radius = dice.between(f"litter radius {number}", 0.03, 0.2, 1, 1)
        right = x - middle[:, 0]
        up = y - middle[:, 1]
        cover = np.clip((radius * radius - right * right - up * up) / (0.1 * radius), 0, 1)
        brightness = dice.uniform(f"litter brightness {number}", 1, 1)
        ground = ground + (brightness - ground) * cover
    return ground


def _with_wall(dice: Dice, view: str, ground: Array, brightness: Array, x: Array, y: Array) -> Array:
    """A wall behind an animal that is seen from the side, or somewhere beside one that is seen from above."""
    direction = dice.directions("wall way")[:, :, None, None]
    away = dice.between("wall", *WALL_AWAY, 1, 1)
    beyond = y - away if view == "side" else direction[:, 0] * x + direction[:, 1] * y - away
    is_there = dice.uniform("wall there", 1, 1) < WALL[view]
    cover = np.clip(12 * beyond, 0, 1) * is_there
    return ground + (brightness - ground) * cover


def uneven_light(dice: Dice, size: tuple[int, int]) -> Array:
    """How bright the light is at each pixel, B H W: a slope, and a spot that is brighter than its surroundings."""
    rows, columns = (np.linspace(-1, 1, side) for side in size)
    slope = dice.between("light slope", -0.25, 0.25, 2)[:, :, None, None]
    spot = dice.between("light spot", -0.7, 0.7, 2)[:, :, None, None]
    down = rows[:, None] - spot[:, 0]
    right = columns - spot[:, 1]
    fall = dice.between("light fall", 0.0, 0.3, 1, 1)
    level = dice.between("light level", 0.7, 1.2, 1, 1)
    slopes = slope[:, 0] * rows[:, None] + slope[:, 1] * columns
    return level * np.maximum(1 + slopes - fall * (down * down + right * right), 0.1)


def lamps(dice: Dice) -> Array:
    """Where the light comes from, unit vectors in the world, B 3."""
    turn = dice.between("lamp turn", 0.0, 2 * PI)
    return direction(turn, dice.between("lamp height", *LAMP_HEIGHT) * PI / 180)


def in_front(dice: Dice, size: tuple[int, int]) -> tuple[Array, Array]:
    """The cover and the brightness of a bar, a stalk or a wire before some of the animals: B H W, and B 1 1."""
    rows, columns = ((np.arange(side) - (side - 1) / 2) / min(size) for side in size)
    direction = dice.directions("front way")[:, :, None, None]
    away = dice.between("front away", -0.3, 0.3, 1, 1)
    half = dice.between("front half", 0.01, 0.06, 1, 1)
    across = np.abs(direction[:, 0] * rows[:, None] + direction[:, 1] * columns - away)
    is_there = dice.uniform("front", 1, 1) < IN_FRONT
    cover = np.clip((half - across) * min(size) + 0.5, 0, 1) * is_there
    return cover, dice.between("front brightness", 0.05, 0.95, 1, 1)
