"""Faces as photographs have them: unaligned, in harsh and coloured light, before clutter, partly hidden, and spoiled.

Each picture's numbers come from a key of its own (`Dice`), so that none changes when a setting is added.
"""

import numpy as np

from motes.data.worlds.dice import Dice
from motes.data.worlds.faces.geometry import Look
from motes.data.worlds.faces.sampling import light
from motes.data.worlds.generated import to_bytes
from motes.data.worlds.portable import PI, Array, cosine, sine
from motes.data.worlds.textures import random_textures

# half a skull's width of a face of usual size, as a share of the picture's side, and times that
USUAL = 0.27
SIZES = (0.6, 1.3)
# times the turn of an aligned face to a side
YAW = 0.6
# degrees in the plane of the picture
ROLL = 25.0
# off the middle, as a share of the picture's side
SHIFT = 0.1
# things behind a face
BEHIND = 7
# how colourful these are
COLOURFUL = 0.5
HATS = 0.2
HANDS = 0.3
FINGERS = 4


def wild_looks(dice: Dice, look: Look, size: tuple[int, int]) -> Look:
    """The same people, unaligned and in other light."""
    change = {
        "yaw": look["yaw"] * YAW,
        "scale": USUAL * min(size) * dice.bell("size", *SIZES),
        "roll": dice.bell("roll", -ROLL, ROLL),
        "column": (size[1] - 1) / 2 + dice.bell("column", -SHIFT, SHIFT) * size[1],
        "row": (size[0] - 1) / 2 + (dice.bell("row", -SHIFT, SHIFT) - 0.03) * size[0],
        "light_turn": dice.between("light turn", -110.0, 110.0),
        "soft": dice.between("soft", 0.2, 0.7),
        "bright": dice.between("bright", 0.75, 1.35),
        "warmth": dice.between("warmth", -3.0, 3.0),
    }
    wild = look | change
    return wild | light(wild, dice.between("light height", -0.4, 0.9))


def clutter(dice: Dice, size: tuple[int, int]) -> Array:
    """What stands behind faces: discs and boxes of all sizes before a texture; float, B 3 H W in [0, 1]."""
    picture = random_textures(dice, size).astype(np.float64) / 255
    rows, columns = _grid(size)
    for number in range(BEHIND):
        cover, colour = _thing_behind(dice, f"behind {number}", rows, columns, min(size))
        picture += (colour - picture) * cover[..., None]
    light = (picture[..., :1] + picture[..., 1:2] + picture[..., 2:]) / 3
    return (light + COLOURFUL * (picture - light)).transpose(0, 3, 1, 2)


def _thing_behind(dice: Dice, name: str, rows: Array, columns: Array, side: int) -> tuple[Array, Array]:
    """The cover of a turned disc or box, B H W, and its colours, B H W 3, lit from a side."""
    middle = dice.between(f"{name} middle", -0.1, 1.1, 2)[:, :, None, None]
    half = dice.between(f"{name} half", 0.04, 0.35, 2)[:, :, None, None]
    down, across = _turned(dice, name, rows - middle[:, 0], columns - middle[:, 1])
    box = np.maximum(np.abs(down) - half[:, 0], np.abs(across) - half[:, 1])
    disc = (_length(down / half[:, 0], across / half[:, 1]) - 1) * half.min(1)
    is_disc = dice.uniform(f"{name} kind", 1, 1) < 0.4
    shade = 1 + dice.between(f"{name} shade", -1.5, 1.5, 1, 1) * across
    colour = dice.uniform(f"{name} colour", 3)[:, None, None] * shade[..., None]
    return _cover(np.where(is_disc, disc, box) * side), np.clip(colour, 0, 1)


def hidden(dice: Dice, look: Look, pixels: Array, masks: Array) -> tuple[Array, Array]:
    """The pictures (uint8, B 3 H W) and the masks (B 2 H W, what is visible first) with hats and hands in front."""
    size = (pixels.shape[2], pixels.shape[3])
    picture = pixels.astype(np.float64) / 255
    away_row, away_column = _of_the_head(look, size)
    for cover, colour in (
        _hats(dice, look, away_row, away_column),
        _hands(dice, look, away_row, away_column),
    ):
        picture += (colour[:, :, None, None] - picture) * cover[:, None]
        masks = masks & np.stack([cover < 0.5, np.ones_like(cover, bool)], 1)
    return to_bytes(picture), masks


def _grid(size: tuple[int, int]) -> tuple[Array, Array]:
    """Row and column of each pixel, as shares of the picture's sides."""
    rows, columns = ((np.arange(side) + 0.5) / side for side in size)
    return rows[None, :, None], columns[None, None]


def _turned(dice: Dice, name: str, rows: Array, columns: Array) -> tuple[Array, Array]:
    direction = dice.directions(f"{name} way")[:, :, None, None]
    return direction[:, 0] * rows - direction[:, 1] * columns, direction[:, 1] * rows + direction[
        :, 0
    ] * columns


def _of_the_head(look: Look, size: tuple[int, int]) -> tuple[Array, Array]:
    """Where each pixel is from the middle of the head, in half skull widths down and across, as the head is turned."""
    rows = np.arange(size[0])[None, :, None] - look["row"][:, None, None]
    columns = np.arange(size[1])[None, None] - look["column"][:, None, None]
    angle = look["roll"] * PI / 180
    down, across = ((function(angle) / look["scale"])[:, None, None] for function in (cosine, sine))
    return down * rows - across * columns, across * rows + down * columns


def _hats(dice: Dice, look: Look, rows: Array, columns: Array) -> tuple[Array, Array]:
    """The cover and the colour of a hat with a brim, for some of the heads."""
    brim = dice.between("hat brim", -0.62, -0.4, 1, 1)
    wide = dice.between("hat wide", 1.0, 1.7, 1, 1)
    crown = np.maximum(np.abs(columns) - 0.98, np.maximum(rows - brim, -1.75 - rows))
    rim = np.maximum(np.abs(columns) - wide, np.abs(rows - brim) - 0.09)
    is_there = dice.uniform("hat", 1, 1) < HATS
    cover = _cover(np.minimum(crown, rim) * look["scale"][:, None, None]) * is_there
    return cover, dice.between("hat colour", 0.0, 0.9, 3)


def _hands(dice: Dice, look: Look, rows: Array, columns: Array) -> tuple[Array, Array]:
    """The cover and the colour of fingers that come from below or from a side, for some of the heads."""
    side = np.where(dice.uniform("hand side", 1, 1) < 0.5, -1.0, 1.0)
    tip = (
        dice.between("hand tip down", 0.2, 0.9, 1, 1),
        side * dice.between("hand tip across", 0.1, 0.9, 1, 1),
    )
    root = (
        dice.between("hand root down", 1.2, 2.0, 1, 1),
        side * dice.between("hand root across", 0.6, 1.6, 1, 1),
    )
    distance = np.full(rows.shape, np.inf)
    for finger in range(FINGERS):
        # beside each other
        beside = (finger - (FINGERS - 1) / 2) * 0.24
        short = dice.between(f"finger {finger}", -0.12, 0.12, 1, 1)
        first = (tip[0] + short, tip[1] + beside)
        distance = np.minimum(
            distance, _from_line(rows, columns, first, (root[0], root[1] + 0.6 * beside)) - 0.13
        )
    is_there = dice.uniform("hand", 1, 1) < HANDS
    shade = dice.between("hand shade", 0.7, 1.05, 1)
    colour = np.clip(look["skin_colour"] * (look["dim"] + 0.7 * look["lamp"]) * shade, 0, 1)
    return _cover(distance * look["scale"][:, None, None]) * is_there, colour


def _from_line(rows: Array, columns: Array, start: tuple[Array, Array], end: tuple[Array, Array]) -> Array:
    """How far points are from the line between two points."""
    along_row = end[0] - start[0]
    along_column = end[1] - start[1]
    inner = (rows - start[0]) * along_row + (columns - start[1]) * along_column
    share = np.clip(inner / (along_row * along_row + along_column * along_column), 0, 1)
    return _length(rows - start[0] - share * along_row, columns - start[1] - share * along_column)


def _length(rows: Array, columns: Array) -> Array:
    return np.sqrt(rows * rows + columns * columns)


def _cover(outside: Array) -> Array:
    """The cover of pixels that lie so many pixels outside of an edge."""
    return np.clip(0.5 - outside, 0, 1)
