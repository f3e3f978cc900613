"""Generated eyes in pairs that differ only in gaze: clips of two frames, the second looking further right.

Lids, size, skin and iris are the same in both frames and known, so that an edit of the gaze can be checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.truth_from_masks import boxes_of
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, normalised, to_bytes
from motes.data.worlds.portable import Array
from motes.errors import UserError
from motes.types.truth import Truth

FINE = 2  # samples a pixel's side
REACH = np.array([0.15, 0.42])  # of the iris' middle at gaze 1, in half widths of the eye: rows, columns
# radii, in half widths
IRIS = 0.36
PUPIL = 0.15
GLINT = 0.07
HALF_WIDTH = (0.29, 0.38)  # of the eye, in widths of the picture, or of one and a half heights
LIDS = (0.20, 0.62)  # how far the upper lid rises in the middle, in half widths
MIDDLE = 0.58  # of the eye, in heights of the picture
# skin
PALE = np.array([0.98, 0.84, 0.74], np.float32)
DARK = np.array([0.42, 0.27, 0.19], np.float32)
# the white and its corners
WHITE = np.array([0.96, 0.95, 0.93], np.float32)
PINK = np.array([0.90, 0.62, 0.58], np.float32)
# lashes and brows
LASH = np.array([0.13, 0.09, 0.08], np.float32)
# the pupil
BLACK = np.array([0.04, 0.04, 0.04], np.float32)
# blue, green, brown
IRISES = np.array([[0.30, 0.52, 0.72], [0.36, 0.55, 0.36], [0.42, 0.24, 0.11]], np.float32)
Eye = dict[str, Array]  # its numbers by name, B or B 2


@dataclass(frozen=True)
class EyesConfig:
    """Row // 2 is the eye; row % 2 is 0 before and 1 after the eye turned to the right. All gazes are
    equally likely."""

    # rows, columns
    image_size: tuple[int, int] = (32, 48)
    # 1: grey, 3: colours
    channels: int = 3
    # number of training eyes
    count: int = 4000
    # eyes of the validation split, and of the test split
    held_out: int = 300
    # pictures of each eye: 2 (a pair) or 1
    frames: int = 2
    # range of the irises' colours: 1, from blue to brown; 0, all green
    irises: float = 1.0
    # another seed, other eyes
    seed: int = 0


class Eyes(Generated):
    """Pictures of an eye; `scene` has its gaze and its look.

    `gaze` is (row, column) in [-1, 1]; `lids`, `size`, `skin` and `iris` are in [0, 1], where 1 is an open,
    wide, dark and brown one.
    """

    Config = EyesConfig

    def __init__(self, config: EyesConfig, split: Split = "train"):
        super().__init__(config, split)
        if config.frames not in (1, 2):
            raise UserError(
                f"eyes come as single pictures or in pairs: frames is 1 or 2, not {config.frames}"
            )
        if not 0 <= config.irises <= 1:
            raise UserError(f"irises {config.irises} must be from 0, all green, to 1, blue to brown")

    def truth(self, rows: Sequence[int]) -> Truth:
        eye = self._eyes(self._checked(rows))
        masks = self._iris_masks(eye)
        centre = eye["corner"] + eye["middle"] * eye["half"][:, None]
        scene = {name: torch.from_numpy(eye[name]) for name in ("gaze", "lids", "size", "skin", "iris")}
        return Truth(
            present=torch.from_numpy(masks.any((2, 3))),
            centres=torch.from_numpy(normalised(centre - 0.5, self.config.image_size))[:, None],
            boxes=torch.from_numpy(boxes_of(masks)),
            masks=torch.from_numpy(masks),
            scene=scene,
        )

    def _iris_masks(self, eye: Eye) -> Array:
        """The masks of the visible irises: bool, B 1 H W."""
        y, x = self._points(eye, 1)
        down, right = _from_iris(eye, y, x)
        upper, lower = _lids(eye, x)
        return ((np.sqrt(down**2 + right**2) < IRIS) & (y > upper) & (y < lower))[:, None]

    def _paint(self, rows: Array) -> Array:
        eye = self._eyes(rows)
        y, x = self._points(eye, FINE)
        picture = _skin(eye, y, x)
        upper, lower = _lids(eye, x)
        _lay(picture, _edge(np.minimum(y - upper, lower - y), eye), _eyeball(eye, y, x, y - upper))
        _lay(picture, _upper_lashes(eye, y - upper, x), LASH)
        _lay(picture, 0.35 * _edge(0.03 - np.abs(y - lower), eye) * (np.abs(x) < 1), LASH)
        height, width = self.config.image_size
        return to_bytes(picture.reshape(len(rows), height, FINE, width, FINE, 3).mean((2, 4)))

    def _eyes(self, rows: Array) -> Eye:
        """The numbers that describe the eyes of these rows.

        gaze: row and column in [-1, 1]; half: half the width, in pixels; corner: row and column of the eye's
        middle in pixels; middle: row and column of the iris' middle, counted from the eye's in half widths.
        """
        dice = self._dice(rows // self.frames)
        height, width = self.config.image_size
        size = dice.uniform("size")
        gaze = self._gaze(dice, rows)
        eye = {
            "gaze": gaze,
            "lids": dice.uniform("lids"),
            "size": size,
            "skin": dice.uniform("skin"),
            "iris": 0.5 + self.config.irises * (dice.uniform("iris") - 0.5),
            "half": (HALF_WIDTH[0] + (HALF_WIDTH[1] - HALF_WIDTH[0]) * size) * min(width, 1.5 * height),
            "middle": gaze * REACH,
            "corner": np.broadcast_to(np.array([MIDDLE * height, 0.5 * width]), (len(rows), 2)),
        }
        return {name: value.astype(np.float32) for name, value in eye.items()}

    def _gaze(self, dice: Dice, rows: Array) -> Array:
        """The gaze of each row, B 2; the second picture of a pair looks further to the right."""
        columns = dice.between("gaze columns", -1.0, 1.0, 2)
        if self.frames == 2:
            columns = np.sort(columns, 1)
        column = columns[np.arange(len(rows)), rows % self.frames]
        return np.stack([dice.between("gaze row", -1.0, 1.0), column], 1)

    def _points(self, eye: Eye, fine: int) -> tuple[Array, Array]:
        """The rows, B H 1, and columns, B 1 W, of sample points, counted from the eye's middle in its half
        widths."""
        height, width = self.config.image_size
        row = ((np.arange(height * fine) + 0.5) / fine)[:, None]
        column = ((np.arange(width * fine) + 0.5) / fine)[None, :]
        half = eye["half"][:, None, None]
        y = (row - eye["corner"][:, 0, None, None]) / half
        x = (column - eye["corner"][:, 1, None, None]) / half
        return y.astype(np.float32), x.astype(np.float32)


def _lids(eye: Eye, x: Array) -> tuple[Array, Array]:
    """The rows of the upper and of the lower lid in each column.

    They meet in the corners, of which the outer one is a little higher.
    """
    arch = 1 - x * x
    tilt = -0.08 * x
    rise = (LIDS[0] + (LIDS[1] - LIDS[0]) * eye["lids"])[:, None, None]
    return tilt - rise * arch, tilt + 0.34 * arch


def _upper_lashes(eye: Eye, below: Array, x: Array) -> Array:
    """The cover of the upper lashes; `below` is how far a point lies under the upper lid."""
    thickness = 0.05 + 0.03 * np.clip(x, 0, 1)
    return _edge(thickness - np.abs(below), eye) * (np.abs(x) < 1.02)


def _skin(eye: Eye, y: Array, x: Array) -> Array:
    """The skin's colours, B H W 3: lit from above, with a fold above the lid and a brow."""
    tone = PALE + (DARK - PALE) * eye["skin"][:, None, None, None]
    picture = tone * _skin_light(y, x)[..., None]
    _lay(picture, _fold(eye, y, x), 0.45 * tone)
    _lay(picture, _brow(eye, y, x), 0.5 * LASH + 0.25 * tone)
    return picture


def _skin_light(y: Array, x: Array) -> Array:
    """The brightness of the skin: darker around the eye and towards the nose."""
    return 1 - 0.13 * np.clip(1 - np.abs(y + 0.15 * x * x) / 0.9, 0, 1) - 0.10 * np.clip(-x - 0.7, 0, 1)


def _fold(eye: Eye, y: Array, x: Array) -> Array:
    """The cover of the fold above the lid."""
    row = _lids(eye, x)[0] - 0.20 + 0.10 * x * x
    return 0.45 * np.clip(1 - np.abs(y - row) / 0.07, 0, 1) * (np.abs(x) < 1)


def _brow(eye: Eye, y: Array, x: Array) -> Array:
    """The cover of the brow."""
    row = -1.02 + 0.20 * x * x - 0.08 * x
    thickness = 0.13 - 0.06 * np.clip(x, 0, 1)
    return 0.85 * _edge(thickness - np.abs(y - row), eye) * (np.abs(x) < 1.15)


def _eyeball(eye: Eye, y: Array, x: Array, below: Array) -> Array:
    """The eyeball's colours, B H W 3: white, iris, pupil and a glint, in the shade of the upper lid."""
    picture = np.ascontiguousarray(np.broadcast_to(_white(x), (*y.shape[:2], x.shape[2], 3)))
    down, right = _from_iris(eye, y, x)
    distance = np.sqrt(down * down + right * right)
    _lay(picture, _edge(IRIS - distance, eye), _iris_light(eye, distance, down))
    _lay(picture, _edge(PUPIL - distance, eye), BLACK)
    _lay(picture, _glint(eye, down, right), np.ones(3, np.float32))
    picture *= _lid_shade(below)[..., None]
    return picture


def _white(x: Array) -> Array:
    """The colour of the white of the eye, pink in the corners."""
    return WHITE + (PINK - WHITE) * np.clip(x * x - 0.62, 0, 0.38)[..., None] * 2


def _from_iris(eye: Eye, y: Array, x: Array) -> tuple[Array, Array]:
    """The rows and columns of points, counted from the middle of the iris."""
    return y - eye["middle"][:, 0, None, None], x - eye["middle"][:, 1, None, None]


def _glint(eye: Eye, down: Array, right: Array) -> Array:
    """The cover of the glint."""
    distance = np.sqrt((down + 0.13) ** 2 + (right + 0.12) ** 2)
    return 0.95 * _edge(GLINT - distance, eye)


def _lid_shade(below: Array) -> Array:
    return 1 - 0.35 * np.clip(1 - below / 0.22, 0, 1)


def _iris_light(eye: Eye, distance: Array, down: Array) -> Array:
    """The iris' colours under the light, B H W 3: darker at the rim, brighter below."""
    rim = np.clip((distance - 0.6 * IRIS) / (0.4 * IRIS), 0, 1)
    shade = 1.15 - 0.55 * rim + 0.35 * np.clip(down / IRIS, 0, 1)
    return np.clip(_iris_colour(eye) * shade[..., None], 0, 1)


def _iris_colour(eye: Eye) -> Array:
    """The iris' colour, B 1 1 3: between blue, green and brown."""
    position = 2 * eye["iris"]
    first = np.minimum(position.astype(np.int64), 1)
    colour = IRISES[first] + (IRISES[first + 1] - IRISES[first]) * (position - first)[:, None]
    return colour[:, None, None]


def _edge(inside: Array, eye: Eye) -> Array:
    """The cover of a sample, given how far it lies inside an edge."""
    return np.clip(inside * eye["half"][:, None, None] * FINE + 0.5, 0, 1)


def _lay(picture: Array, cover: Array, colour: Array) -> None:
    """Paint a colour over the picture, which changes, as much as `cover` says."""
    picture += cover[..., None] * (colour - picture)
