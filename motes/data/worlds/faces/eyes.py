"""Generated eyes, in pairs that differ only in where the eye looks: clips of two frames, the second looking
further to the right.

What else there is of an eye (lids, size, skin, iris) is the same in both frames and known, so that an edit
of the gaze can be checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motes.data.base import Split
from motes.data.truth_from_masks import boxes_of
from motes.data.worlds.generated import Generated, normalised, to_bytes
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
PALE, DARK, WHITE, PINK, LASH, BLACK = (
    np.array(  # skin, the white and its corners, lashes and brows, the pupil
        [
            [0.98, 0.84, 0.74],
            [0.42, 0.27, 0.19],
            [0.96, 0.95, 0.93],
            [0.90, 0.62, 0.58],
            [0.13, 0.09, 0.08],
            [0.04, 0.04, 0.04],
        ],
        np.float32,
    )
)
IRISES = np.array(
    [[0.30, 0.52, 0.72], [0.36, 0.55, 0.36], [0.42, 0.24, 0.11]], np.float32
)  # blue, green, brown


@dataclass(frozen=True)
class EyesConfig:
    """Row // 2 is the eye; row % 2 is 0 before and 1 after it turned to the right. Every gaze is as likely
    as any other."""

    # rows, columns
    image_size: tuple[int, int] = (32, 48)
    # 1: grey
    channels: int = 3
    # training eyes
    count: int = 4000
    # eyes of the validation split, and of the test split
    held_out: int = 300
    # of an eye; 1: single pictures
    frames: int = 2
    # of the way from blue to brown, how much there is; 0: all are green
    irises: float = 1.0
    # another seed, other eyes
    seed: int = 0


class Eyes(Generated):
    """`gaze` is (row, column) in [-1, 1]; `lids`, `size`, `skin` and `iris` are in [0, 1]: open, wide, dark,
    brown."""

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
        at = self._places(1)
        y, x = self._own(eye, at)
        away = np.sqrt(
            (y - eye["middle"][:, 0, None, None]) ** 2 + (x - eye["middle"][:, 1, None, None]) ** 2
        )
        upper, lower = _lids(eye, x)
        masks = ((away < IRIS) & (y > upper) & (y < lower))[:, None]
        centre = eye["corner"] + eye["middle"] * eye["half"][:, None]
        scene = {name: torch.from_numpy(eye[name]) for name in ("gaze", "lids", "size", "skin", "iris")}
        return Truth(
            present=torch.from_numpy(masks.any((2, 3))),
            centres=torch.from_numpy(normalised(centre - 0.5, self.config.image_size))[:, None],
            boxes=torch.from_numpy(boxes_of(masks)),
            masks=torch.from_numpy(masks),
            scene=scene,
        )

    def _paint(self, rows: np.ndarray) -> np.ndarray:
        eye = self._eyes(rows)
        y, x = self._own(eye, self._places(FINE))
        picture = _skin(eye, y, x, FINE)
        upper, lower = _lids(eye, x)
        inside = _edge(np.minimum(y - upper, lower - y), eye, FINE)
        _lay(picture, inside, _ball(eye, y, x, y - upper))
        thick = 0.05 + 0.03 * np.clip(x, 0, 1)
        _lay(picture, _edge(thick - np.abs(y - upper), eye, FINE) * (np.abs(x) < 1.02), LASH)
        _lay(picture, 0.35 * _edge(0.03 - np.abs(y - lower), eye, FINE) * (np.abs(x) < 1), LASH)
        tall, wide = self.config.image_size
        return to_bytes(picture.reshape(len(rows), tall, FINE, wide, FINE, 3).mean((2, 4)))

    def _eyes(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """What an eye is like, and in which pixel its middle is: lengths in half widths of the eye, places
        as (row, column)."""
        dice = self._dice(rows // self.frames)
        frame = rows % self.frames
        columns = dice.between("gaze columns", -1.0, 1.0, 2)
        if self.frames == 2:
            columns = np.sort(columns, 1)
        gaze = np.stack([dice.between("gaze row", -1.0, 1.0), columns[np.arange(len(rows)), frame]], 1)
        tall, wide = self.config.image_size
        size = dice.uniform("size")
        half = (HALF_WIDTH[0] + (HALF_WIDTH[1] - HALF_WIDTH[0]) * size) * min(wide, 1.5 * tall)
        eye = {
            "gaze": gaze,
            "lids": dice.uniform("lids"),
            "size": size,
            "skin": dice.uniform("skin"),
            "iris": 0.5 + self.config.irises * (dice.uniform("iris") - 0.5),
            "half": half,
            "middle": gaze * REACH,
            "corner": np.broadcast_to(np.array([MIDDLE * tall, 0.5 * wide]), (len(rows), 2)),
        }
        return {name: value.astype(np.float32) for name, value in eye.items()}

    def _places(self, fine: int) -> tuple[np.ndarray, np.ndarray]:
        tall, wide = self.config.image_size
        return ((np.arange(tall * fine) + 0.5) / fine)[:, None], ((np.arange(wide * fine) + 0.5) / fine)[
            None, :
        ]

    def _own(
        self, eye: dict[str, np.ndarray], at: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns from the eye's middle."""
        places = [
            (at[axis] - eye["corner"][:, axis, None, None]) / eye["half"][:, None, None] for axis in (0, 1)
        ]
        return places[0].astype(np.float32), places[1].astype(np.float32)


def _lids(eye: dict[str, np.ndarray], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the upper and of the lower lid above each column; they meet in the corners, the outer one a
    little higher."""
    arch = 1 - x * x
    tilt = -0.08 * x
    rise = (LIDS[0] + (LIDS[1] - LIDS[0]) * eye["lids"])[:, None, None]
    return tilt - rise * arch, tilt + 0.34 * arch


def _skin(eye: dict[str, np.ndarray], y: np.ndarray, x: np.ndarray, fine: int) -> np.ndarray:
    """B H W 3: lit from above, with a fold above the lid and a brow."""
    upper, _ = _lids(eye, x)
    tone = PALE + (DARK - PALE) * eye["skin"][:, None, None, None]
    light = 1 - 0.13 * np.clip(1 - np.abs(y + 0.15 * x * x) / 0.9, 0, 1) - 0.10 * np.clip(-x - 0.7, 0, 1)
    picture = tone * light[..., None]
    fold = upper - 0.20 + 0.10 * x * x
    _lay(picture, 0.45 * np.clip(1 - np.abs(y - fold) / 0.07, 0, 1) * (np.abs(x) < 1), 0.45 * tone)
    brow = -1.02 + 0.20 * x * x - 0.08 * x
    thick = 0.13 - 0.06 * np.clip(x, 0, 1)
    return _lay(
        picture,
        0.85 * _edge(thick - np.abs(y - brow), eye, fine) * (np.abs(x) < 1.15),
        0.5 * LASH + 0.25 * tone,
    )


def _ball(eye: dict[str, np.ndarray], y: np.ndarray, x: np.ndarray, below: np.ndarray) -> np.ndarray:
    """B H W 3: the white, the iris, the pupil and a glint, in the shade of the upper lid."""
    white = WHITE + (PINK - WHITE) * np.clip(x * x - 0.62, 0, 0.38)[..., None] * 2
    picture = np.ascontiguousarray(np.broadcast_to(white, (*y.shape[:1], y.shape[1], x.shape[2], 3)))
    down = y - eye["middle"][:, 0, None, None]
    right = x - eye["middle"][:, 1, None, None]
    away = np.sqrt(down * down + right * right)
    place = 2 * eye["iris"]
    first = np.minimum(place.astype(np.int64), 1)
    colour = (IRISES[first] + (IRISES[first + 1] - IRISES[first]) * (place - first)[:, None])[:, None, None]
    shade = (
        1.15 - 0.55 * np.clip((away - 0.6 * IRIS) / (0.4 * IRIS), 0, 1) + 0.35 * np.clip(down / IRIS, 0, 1)
    )[..., None]
    _lay(picture, _edge(IRIS - away, eye, FINE), np.clip(colour * shade, 0, 1))
    _lay(picture, _edge(PUPIL - away, eye, FINE), BLACK)
    glint = np.sqrt((down + 0.13) ** 2 + (right + 0.12) ** 2)
    _lay(picture, 0.95 * _edge(GLINT - glint, eye, FINE), np.ones(3, np.float32))
    picture *= (1 - 0.35 * np.clip(1 - below / 0.22, 0, 1))[..., None]
    return picture


def _edge(inside: np.ndarray, eye: dict[str, np.ndarray], fine: int) -> np.ndarray:
    """Cover of a sample that lies so far inside an edge."""
    return np.clip(inside * eye["half"][:, None, None] * fine + 0.5, 0, 1)


def _lay(picture: np.ndarray, cover: np.ndarray, colour: np.ndarray) -> np.ndarray:
    picture += cover[..., None] * (colour - picture)
    return picture
