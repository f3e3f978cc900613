"""Generated sprites that cover each other (squares, ellipses, hearts): the multi-dSprites recipes, over
plain or textured grounds.

As in the published sets, sprites lie on the dSprites grid (3 shapes, 6 scales, 40 orientations, 32 x 32
positions), later ones cover earlier ones, colours and counts are the recipe's. The outlines are drawn by
their inequalities, not cut from that set's bitmaps.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from motes.data.base import Split
from motes.data.truth_from_masks import boxes_of, seen_of
from motes.data.worlds.dice import Dice
from motes.data.worlds.generated import Generated, blanked, normalised, to_bytes
from motes.data.worlds.photograph import photograph
from motes.data.worlds.portable import Array
from motes.data.worlds.textures import random_textures
from motes.errors import UserError
from motes.types.truth import Truth

# fewest and most sprites
COUNTS = {"binarized": (2, 3), "colored_on_grayscale": (2, 5), "colored_on_colored": (1, 4)}
SCALES = 6
ORIENTATIONS = 40
# a side
POSITIONS = 32
# no sprite reaches farther from its centre, in 64ths of the shorter side
REACH = 16.0
# the first and the last are the same, as in dSprites
ANGLES = np.arange(ORIENTATIONS) * (2 * math.pi / (ORIENTATIONS - 1))
# rounded to a grid on which no two machines' sines differ
TURNS = np.array(
    [[round(f(angle) * 2**20) / 2**20 for f in (math.cos, math.sin)] for angle in ANGLES.tolist()], np.float32
)
# its size, and how far above the curve's origin its centre of mass lies, in sizes
HEART = (12.0, 0.2935)


@dataclass(frozen=True)
class SpritesConfig:
    """Sprites of half to full size at random places; one may hide another completely."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey, 3: colours
    channels: int = 3
    # training pictures
    count: int = 60000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # the published set: it decides the counts and colours of the sprites
    recipe: Literal["colored_on_grayscale", "colored_on_colored", "binarized"] = "colored_on_grayscale"
    # fewest and most sprites; 0 0: as in the recipe
    sprites: tuple[int, int] = (0, 0)
    # plain: one colour; textures: another for each picture; photograph: the same behind all
    background: Literal["plain", "textures", "photograph"] = "plain"
    # points along a pixel's side; 1: hard edges, as published
    smooth: int = 1
    # another seed gives other pictures
    seed: int = 0


class Sprites(Generated):
    """Pictures of sprites. Their depth is the order of drawing: the nearest was drawn last."""

    Config = SpritesConfig

    def __init__(self, config: SpritesConfig, split: Split = "train"):
        super().__init__(config, split)
        self._fewest, self._most = _counts(config)
        if not 1 <= config.smooth <= 8:
            raise UserError(
                f"smooth must be from 1 (hard edges) to 8 points a pixel's side, not {config.smooth}"
            )

    def truth(self, rows: Sequence[int]) -> Truth:
        scene = self._scene(self._dice(self._checked(rows)))
        masks = self._whole(scene)
        visible = seen_of(masks)
        present = scene["present"]
        centres = normalised(scene["centre"] - 0.5, self.config.image_size) * present[..., None]
        return Truth(
            present=torch.from_numpy(visible.any((2, 3))),
            centres=torch.from_numpy(centres),
            boxes=torch.from_numpy(boxes_of(visible)),
            masks=torch.from_numpy(visible),
            whole=torch.from_numpy(masks),
            factors=blanked(self._factors(scene), present),
        )

    def _factors(self, scene: dict[str, Array]) -> dict[str, Array]:
        depth = np.arange(self._most - 1, -1, -1).astype(np.float32)
        return {
            "shape": scene["kind"],
            "size": scene["size"].astype(np.float32),
            "orientation": ANGLES[scene["turn"]].astype(np.float32),
            "colour": self._colours(scene["colour"]),
            "depth": np.broadcast_to(depth, scene["kind"].shape),
        }

    def _paint(self, rows: Array) -> Array:
        dice = self._dice(rows)
        scene = self._scene(dice)
        # 0: no sprite
        colours = np.concatenate([np.zeros((len(rows), 1, 3), np.uint8), scene["colour"]], 1)
        layered = self._averaged if self.config.smooth > 1 else self._hard_edged
        return layered(self._front(scene), self._ground(dice), colours)

    def _hard_edged(self, front: Array, ground: Array, colours: Array) -> Array:
        """Pictures with hard edges: one point per pixel."""
        picture = np.arange(len(front))[:, None, None]
        return np.where(front[..., None] == 0, ground, colours[picture, front])

    def _averaged(self, front: Array, ground: Array, colours: Array) -> Array:
        """Pictures with smooth edges: each pixel is the mean of its points."""
        total = np.zeros((len(front), *self.config.image_size, 3), np.uint16)
        for n in range(self._most + 1):
            share = _counted(front == n, self.config.smooth)[..., None].astype(np.uint16)
            total += share * (ground if n == 0 else colours[:, n, None, None])
        points = self.config.smooth**2
        return ((total + points // 2) // points).astype(np.uint8)

    def _scene(self, dice: Dice) -> dict[str, Array]:
        """For each sprite, B N ...: whether it is drawn, its kind, size, turn, centre and colour."""
        most = self._most
        count = dice.integers("count", self._fewest, most)
        return {
            "present": np.arange(most) < count[:, None],
            "kind": dice.integers("shape", 0, 2, most),
            "size": (5 + dice.integers("scale", 0, SCALES - 1, most)) / 10,
            "turn": dice.integers("orientation", 0, ORIENTATIONS - 1, most),
            "centre": self._centres(dice),
            "colour": self._sprite_colours(dice),
        }

    def _centres(self, dice: Dice) -> Array:
        """Random centres in pixels, B N 2, such that every sprite is inside the picture."""
        size = np.array(self.config.image_size, np.float64)
        step = (size - 2 * REACH * (size.min() / 64)) / POSITIONS
        position = dice.integers("place", 0, POSITIONS - 1, self._most, 2)
        return size / 2 + (position - (POSITIONS - 1) / 2) * step

    def _sprite_colours(self, dice: Dice) -> Array:
        """The colour of each sprite: uint8, B N 3."""
        return SPRITE_COLOURS.get(self.config.recipe, _hues)(dice, self._most)

    def _ground(self, dice: Dice) -> Array:
        """The background: uint8, B H W 3, or an array that can be broadcast to it."""
        config = self.config
        ground = GROUNDS_OF_RECIPES.get(config.recipe, _grey_ground)
        return GROUNDS.get(config.background, ground)(dice, config.image_size)

    def _front(self, scene: dict[str, Array]) -> Array:
        """The number (from 1) of the foremost sprite at every point, 0 where there is none: uint8, B h w."""
        front = np.zeros((len(scene["kind"]), *self._points()), np.uint8)
        for n in range(self._most):
            for picture, row, column in self._covered(scene, n):
                front[picture, row, column] = n + 1
        return front

    def _whole(self, scene: dict[str, Array]) -> Array:
        """The mask of each sprite as if alone, bool, B N H W: at least half of each pixel is covered."""
        points = np.zeros((len(scene["kind"]), self._most, *self._points()), bool)
        for n in range(self._most):
            for picture, row, column in self._covered(scene, n):
                points[picture, n, row, column] = True
        return 2 * _counted(points, self.config.smooth) >= self.config.smooth**2

    def _points(self) -> list[int]:
        """The numbers of rows and columns of points."""
        return [side * self.config.smooth for side in self.config.image_size]

    def _covered(self, scene: dict[str, Array], n: int) -> Iterator[tuple[Array, Array, Array]]:
        """Yield pictures, rows and columns of the points that sprite n covers, kind by kind of sprite."""
        for kind, inside in enumerate(INSIDE):
            pictures = np.nonzero(scene["present"][:, n] & (scene["kind"][:, n] == kind))[0]
            centre, turn, size = (scene[name][pictures, n] for name in ("centre", "turn", "size"))
            corner, x, y = self._window(centre, turn, size)
            number, row, column = np.nonzero(inside(x, y))
            yield pictures[number], row + corner[number, 0], column + corner[number, 1]

    def _window(self, centre: Array, turn: Array, size: Array) -> tuple[Array, Array, Array]:
        """The corner of a window around one sprite of each picture, B 2, and x and y of its points, B h w, in
        the space of the upright sprite of size 1."""
        fine = self.config.smooth
        unit = fine * min(self.config.image_size) / 64
        reach = math.ceil(REACH * unit)
        corner = np.floor(centre * fine).astype(np.int64) - reach
        x, y = _turned(centre * fine - corner, TURNS[turn], 1 / (size * unit), 2 * reach + 1)
        return corner, x, y


def _counts(config: SpritesConfig) -> tuple[int, int]:
    """The fewest and the most sprites of a picture."""
    fewest, most = config.sprites if config.sprites != (0, 0) else COUNTS[config.recipe]
    if not 1 <= fewest <= most <= 255:
        raise UserError(f"sprites {config.sprites} must be the fewest and the most, such as 2 5")
    return fewest, most


def _turned(middle: Array, turn: Array, shrink: Array, side: int) -> tuple[Array, Array]:
    """Coordinates of the points of each window in the space of the upright sprite of size 1, y upwards:
    float32, B side side."""
    steps = np.arange(side) + 0.5
    up = ((middle[:, :1] - steps) * shrink[:, None]).astype(np.float32)[:, :, None]
    right = ((steps - middle[:, 1:]) * shrink[:, None]).astype(np.float32)[:, None, :]
    cosine = turn[:, 0, None, None]
    sine = turn[:, 1, None, None]
    return cosine * right + sine * up, cosine * up - sine * right


def _in_square(x: Array, y: Array) -> Array:
    return np.maximum(np.abs(x), np.abs(y)) <= 11


def _in_ellipse(x: Array, y: Array) -> Array:
    return x * x + 4 * (y * y) <= 225


def _in_heart(x: Array, y: Array) -> Array:
    x = x / np.float32(HEART[0])
    y = y / np.float32(HEART[0]) + np.float32(HEART[1])
    outside = x * x + y * y - 1
    return outside * outside * outside <= x * x * y * y * y


INSIDE = (_in_square, _in_ellipse, _in_heart)


def rgb_of_hsv(hsv: Array) -> Array:
    """Red, green and blue from hue, saturation and value; both ... 3, in [0, 1]."""
    hue = hsv[..., :1]
    saturation = hsv[..., 1:2]
    value = hsv[..., 2:]
    phase = (hue * 6 + np.array([5.0, 3.0, 1.0])) % 6
    return value - value * saturation * np.clip(np.minimum(phase, 4 - phase), 0, 1)


def _counted(points: Array, fine: int) -> Array:
    """The number of points that are true in each pixel: uint8."""
    if fine == 1:
        return points.astype(np.uint8)
    rows, columns = (side // fine for side in points.shape[-2:])
    total = np.zeros((*points.shape[:-2], rows, columns), np.uint8)
    for row in range(fine):
        for column in range(fine):
            total += points[..., row::fine, column::fine]
    return total


def _white(dice: Dice, count: int) -> Array:
    return np.full((len(dice), count, 3), 255, np.uint8)


def _even_colours(dice: Dice, count: int) -> Array:
    return to_bytes(dice.uniform("colour", count, 3))


def _hues(dice: Dice, count: int) -> Array:
    return to_bytes(rgb_of_hsv(dice.uniform("colour", count, 3)))


# recipe -> colours of the sprites of each picture, uint8, B N 3; hues for all others
SPRITE_COLOURS: dict[str, Callable[[Dice, int], Array]] = {
    "binarized": _white,
    "colored_on_colored": _even_colours,
}


def _texture_ground(dice: Dice, size: tuple[int, int]) -> Array:
    return random_textures(dice, size)


def _photograph_ground(dice: Dice, size: tuple[int, int]) -> Array:
    return photograph(size)[None]


def _black_ground(dice: Dice, size: tuple[int, int]) -> Array:
    return np.zeros((1, 1, 1, 3), np.uint8)


def _coloured_ground(dice: Dice, size: tuple[int, int]) -> Array:
    return to_bytes(dice.uniform("ground", 3))[:, None, None]


def _grey_ground(dice: Dice, size: tuple[int, int]) -> Array:
    return np.broadcast_to(to_bytes(dice.uniform("ground", 1)), (len(dice), 3))[:, None, None]


Ground = Callable[[Dice, tuple[int, int]], Array]
# background -> the ground of each picture; for all others the recipe decides, and a grey one for all other
# recipes
GROUNDS: dict[str, Ground] = {"textures": _texture_ground, "photograph": _photograph_ground}
GROUNDS_OF_RECIPES: dict[str, Ground] = {"binarized": _black_ground, "colored_on_colored": _coloured_ground}
