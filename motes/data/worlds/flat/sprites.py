"""Generated sprites that cover each other (squares, ellipses, hearts): the multi-dSprites recipes, over
plain or textured grounds.

Facts of the published sets: sprites lie on the dSprites grid (3 shapes, 6 scales, 40 orientations, 32 x 32
places), later ones cover earlier ones, colours and counts are the recipe's. The outlines are drawn by their
inequalities, not cut from that set's bitmaps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from motes.data.base import Split
from motes.data.truth_from_masks import boxes_of, seen_of
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, blanked, normalised, to_bytes
from motes.data.worlds.photograph import photograph
from motes.data.worlds.textures import random_textures
from motes.errors import UserError
from motes.types.truth import Truth

COUNTS = {
    "binarized": (2, 3),
    "colored_on_grayscale": (2, 5),
    "colored_on_colored": (1, 4),
}  # fewest and most sprites
SCALES = 6
ORIENTATIONS = 40
PLACES = 32
REACH = 16.0  # no sprite reaches farther from its centre, in 64ths of the shorter side
ANGLES = np.arange(ORIENTATIONS) * (
    2 * math.pi / (ORIENTATIONS - 1)
)  # the first and the last are the same, as in dSprites
# rounded to a grid on which no two machines' sines differ
TURNS = np.array(
    [[round(f(angle) * 2**20) / 2**20 for f in (math.cos, math.sin)] for angle in ANGLES.tolist()], np.float32
)
HEART = (12.0, 0.2935)  # its size, and how far above the curve's origin its centre of mass lies, in sizes


@dataclass(frozen=True)
class SpritesConfig:
    """Sprites of half to full size at random places; they may hide each other wholly."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey
    channels: int = 3
    # training pictures
    count: int = 60000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # counts, colours, plain ground
    recipe: Literal["colored_on_grayscale", "colored_on_colored", "binarized"] = "colored_on_grayscale"
    # fewest and most; 0: as the recipe has it
    sprites: tuple[int, int] = (0, 0)
    # textures: another each time; photograph: the same behind all
    background: Literal["plain", "textures", "photograph"] = "plain"
    # points a pixel's side; 1: hard edges, as published
    smooth: int = 1
    # another seed, other pictures
    seed: int = 0


class Sprites(Generated):
    """Depth is the order of drawing: the nearest was drawn last."""

    Config = SpritesConfig

    def __init__(self, config: SpritesConfig, split: Split = "train"):
        super().__init__(config, split)
        self._fewest, self._most = config.sprites if config.sprites != (0, 0) else COUNTS[config.recipe]
        if not 1 <= self._fewest <= self._most <= 255:
            raise UserError(f"sprites {config.sprites} must be the fewest and the most, such as 2 5")
        if not 1 <= config.smooth <= 8:
            raise UserError(
                f"smooth must be from 1 (hard edges) to 8 points a pixel's side, not {config.smooth}"
            )

    def truth(self, rows: Sequence[int]) -> Truth:
        scene = self._scene(self._dice(self._checked(rows)))
        _, covered = self._cover(scene, True)
        whole = 2 * _counted(covered, self.config.smooth) >= self.config.smooth**2
        seen = seen_of(whole)
        wanted = scene["wanted"]
        centres = normalised(scene["centre"] - 0.5, self.config.image_size) * wanted[..., None]
        factors = {
            "shape": scene["kind"],
            "size": scene["size"].astype(np.float32),
            "orientation": ANGLES[scene["turn"]].astype(np.float32),
            "colour": self._colours(scene["colour"]),
            "depth": np.broadcast_to(np.arange(self._most - 1, -1, -1).astype(np.float32), wanted.shape),
        }
        return Truth(
            present=torch.from_numpy(seen.any((2, 3))),
            centres=torch.from_numpy(centres),
            boxes=torch.from_numpy(boxes_of(seen)),
            masks=torch.from_numpy(seen),
            whole=torch.from_numpy(whole),
            factors=blanked(factors, wanted),
        )

    def _paint(self, rows: np.ndarray) -> np.ndarray:
        dice = self._dice(rows)
        scene = self._scene(dice)
        front, _ = self._cover(scene, False)
        ground = self._ground(dice)
        colours = np.concatenate([np.zeros((len(rows), 1, 3), np.uint8), scene["colour"]], 1)
        pictures = np.arange(len(rows))[:, None, None]
        if self.config.smooth == 1:
            return np.where(front[..., None] == 0, ground, colours[pictures, front])
        total = np.zeros((len(rows), *self.config.image_size, 3), np.uint16)
        for n in range(self._most + 1):
            share = _counted(front == n, self.config.smooth)[..., None].astype(np.uint16)
            total += share * (ground if n == 0 else colours[:, n, None, None])
        points = self.config.smooth**2
        return ((total + points // 2) // points).astype(np.uint8)

    def _scene(self, dice: Dice) -> dict[str, np.ndarray]:
        most = self._most
        size = np.array(self.config.image_size, np.float64)
        unit = size.min() / 64
        level = dice.integers("scale", 0, SCALES - 1, most)
        step = (size - 2 * REACH * unit) / PLACES
        return {
            "wanted": np.arange(most) < dice.integers("count", self._fewest, most)[:, None],
            "kind": dice.integers("shape", 0, 2, most),
            "size": (5 + level) / 10,
            "turn": dice.integers("orientation", 0, ORIENTATIONS - 1, most),
            "centre": size / 2 + (dice.integers("place", 0, PLACES - 1, most, 2) - (PLACES - 1) / 2) * step,
            "colour": self._sprite_colours(dice),
        }

    def _sprite_colours(self, dice: Dice) -> np.ndarray:
        if self.config.recipe == "binarized":
            return np.full((len(dice), self._most, 3), 255, np.uint8)
        uniform = dice.uniform("colour", self._most, 3)
        return to_bytes(uniform if self.config.recipe == "colored_on_colored" else rgb_of_hsv(uniform))

    def _ground(self, dice: Dice) -> np.ndarray:
        """uint8, B H W 3, or what spreads to it."""
        if self.config.background == "textures":
            return random_textures(dice, self.config.image_size)
        if self.config.background == "photograph":
            return photograph(self.config.image_size)[None]
        if self.config.recipe == "binarized":
            return np.zeros((1, 1, 1, 3), np.uint8)
        levels = 3 if self.config.recipe == "colored_on_colored" else 1
        return np.broadcast_to(to_bytes(dice.uniform("ground", levels)), (len(dice), 3))[:, None, None]

    def _cover(self, scene: dict[str, np.ndarray], apart: bool) -> tuple[np.ndarray, np.ndarray]:
        """Of every point the foremost sprite's number from 1 (0: none); and if asked, each sprite's points
        as if alone."""
        fine = self.config.smooth
        rows, columns = (side * fine for side in self.config.image_size)
        count = len(scene["kind"])
        front = np.zeros((count, rows, columns), np.uint8)
        alone = np.zeros((count, self._most if apart else 0, rows, columns), bool)
        unit = fine * min(self.config.image_size) / 64
        reach = math.ceil(REACH * unit)
        for n in range(self._most):
            corner = np.floor(scene["centre"][:, n] * fine).astype(np.int64) - reach
            for kind, inside in enumerate(INSIDE):
                which = np.nonzero(scene["wanted"][:, n] & (scene["kind"][:, n] == kind))[0]
                turn = TURNS[scene["turn"][which, n]]
                middle = scene["centre"][which, n] * fine - corner[which]
                shrink = 1 / (scene["size"][which, n] * unit)
                x, y = _turned(middle, turn, shrink, 2 * reach + 1)
                picture, row, column = np.nonzero(inside(x, y))
                place = which[picture], row + corner[which[picture], 0], column + corner[which[picture], 1]
                front[place] = n + 1
                if apart:
                    alone[place[0], n, place[1], place[2]] = True
        return front, alone


def _turned(
    middle: np.ndarray, turn: np.ndarray, shrink: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Where the points of each window lie as the upright sprite of size 1 sees them, y upwards: float32, B
    side side."""
    steps = np.arange(side) + 0.5
    up = ((middle[:, :1] - steps) * shrink[:, None]).astype(np.float32)[:, :, None]
    right = ((steps - middle[:, 1:]) * shrink[:, None]).astype(np.float32)[:, None, :]
    cosine = turn[:, 0, None, None]
    sine = turn[:, 1, None, None]
    return cosine * right + sine * up, cosine * up - sine * right


def _in_square(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(x), np.abs(y)) <= 11


def _in_ellipse(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return x * x + 4 * (y * y) <= 225


def _in_heart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    x = x / np.float32(HEART[0])
    y = y / np.float32(HEART[0]) + np.float32(HEART[1])
    outside = x * x + y * y - 1
    return outside * outside * outside <= x * x * y * y * y


INSIDE = (_in_square, _in_ellipse, _in_heart)


def rgb_of_hsv(hsv: np.ndarray) -> np.ndarray:
    """[0, 1] ... 3 to the same."""
    hue = hsv[..., :1]
    saturation = hsv[..., 1:2]
    value = hsv[..., 2:]
    away = (hue * 6 + np.array([5.0, 3.0, 1.0])) % 6
    return value - value * saturation * np.clip(np.minimum(away, 4 - away), 0, 1)


def _counted(points: np.ndarray, fine: int) -> np.ndarray:
    """uint8: how many points of each pixel."""
    if fine == 1:
        return points.astype(np.uint8)
    total = np.zeros((*points.shape[:-2], points.shape[-2] // fine, points.shape[-1] // fine), np.uint8)
    for row in range(fine):
        for column in range(fine):
            total += points[..., row::fine, column::fine]
    return total
