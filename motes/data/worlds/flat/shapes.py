"""Generated pictures of a few flat shapes on cyan, paper or a photograph, with the truth.

This is the toy set of the 2022 paper, by our own vectorised generator.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from motes.data.base import SPLITS, Dataset, Split
from motes.data.truth_from_masks import boxes_of
from motes.data.worlds.photograph import photograph
from motes.data.worlds.portable import Array
from motes.errors import UserError
from motes.types.truth import Truth

# square, rectangle, circle, ellipse, triangle
KINDS = 5
SQUARE = 0
CIRCLE = 2
TRIANGLE = 4
BACKGROUNDS: dict[str, Callable[[tuple[int, int]], Array]] = {
    # cyan, as in 2022
    "plain": lambda size: np.array((0, 255, 255), np.uint8),
    "paper": lambda size: np.array((240, 236, 226), np.uint8),
    "photograph": photograph,
}
# weights of red, green and blue
GREY = np.array([0.299, 0.587, 0.114])
# pictures drawn at once; pixels depend on it
CHUNK = 500
# positions tried for a shape before the picture goes without it
TRIES = 40


@dataclass(frozen=True)
class ShapesConfig:
    """Each picture has two to five shapes of about a fifth of the picture's side; none touches another."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey, 3: colours
    channels: int = 3
    # training pictures
    count: int = 20000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # fewest and most shapes of a picture
    shapes: tuple[int, int] = (2, 5)
    # smallest and largest side in pixels; 0 0: 11 to 13 for pictures of 64 pixels, scaled for others
    size: tuple[int, int] = (0, 0)
    # plain: cyan; paper: a warm white; photograph: one and the same behind all shapes, as from a fixed camera
    background: Literal["plain", "paper", "photograph"] = "plain"
    # what all colours are multiplied by, 0 to 1: dim light
    brightness: float = 1.0
    # another seed gives other pictures
    seed: int = 0


class Shapes(Dataset):
    """Pictures of flat shapes. Each is a function of (seed, split, row): no file, the same pixels on any
    machine."""

    Config = ShapesConfig

    def __init__(self, config: ShapesConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split = split
        self._count = config.count if split == "train" else config.held_out
        self._chunks: dict[int, dict[str, Array]] = {}

    def __len__(self) -> int:
        return self._count

    def pixels(self, rows: Sequence[int]) -> Array:
        return np.stack([self._chunk(row // CHUNK)["pixels"][row % CHUNK] for row in rows])

    def truth(self, rows: Sequence[int]) -> Truth:
        scene = self._scene(rows)
        masks = _masks(scene, self.config.image_size)
        grid = np.array(self.config.image_size, np.float32) - 1
        return Truth(
            present=torch.from_numpy(scene["present"]),
            centres=torch.from_numpy((scene["centre"] / grid * 2 - 1).astype(np.float32)),
            boxes=torch.from_numpy(boxes_of(masks)),
            masks=torch.from_numpy(masks),
            whole=torch.from_numpy(masks),
            factors={
                "colour": torch.from_numpy(scene["colour"].astype(np.float32) / 255),
                "shape": torch.from_numpy(scene["kind"]),
            },
        )

    def _scene(self, rows: Sequence[int]) -> dict[str, Array]:
        """The arrays that describe the shapes of these pictures, B N ... each."""
        chunks = [(self._chunk(row // CHUNK), row % CHUNK) for row in rows]
        names = [name for name in chunks[0][0] if name != "pixels"]
        return {name: np.stack([chunk[name][row] for chunk, row in chunks]) for name in names}

    def _chunk(self, number: int) -> dict[str, Array]:
        if number not in self._chunks:
            seeds = np.random.SeedSequence([self.config.seed, SPLITS.index(self.split), number])
            self._chunks[number] = _draw(self.config, np.random.default_rng(seeds))
        return self._chunks[number]


def _check(config: ShapesConfig) -> None:
    if config.channels not in (1, 3):
        raise UserError(f"shapes have 1 or 3 channels, not {config.channels}")
    if not 1 <= config.shapes[0] <= config.shapes[1]:
        raise UserError(f"shapes {config.shapes} must be the fewest and the most, such as 2 5")
    _check_sizes(config)
    if not 0 < config.brightness <= 1:
        raise UserError(f"brightness {config.brightness} must be above 0 and at most 1")
    if min(config.count, config.held_out) < 1:
        raise UserError(f"count {config.count} and held_out {config.held_out} must both be at least 1")


def _check_sizes(config: ShapesConfig) -> None:
    low, high = _sizes(config)
    if not 2 <= low <= high <= min(config.image_size):
        raise UserError(
            f"shapes of {low} to {high} pixels do not fit a picture of {config.image_size}; "
            "set size, such as 11 13"
        )


def _sizes(config: ShapesConfig) -> tuple[int, int]:
    """The smallest and the largest side of a shape, in pixels."""
    if config.size != (0, 0):
        return config.size
    scale = min(config.image_size) / 64
    return max(round(11 * scale), 2), max(round(13 * scale), 2)


def _draw(config: ShapesConfig, random: np.random.Generator) -> dict[str, Array]:
    """The pictures of a chunk, and the arrays that describe their shapes."""
    scene = _arranged(config, random)
    pixels = _painted(config, scene)
    if config.brightness < 1:
        pixels = np.round(config.brightness * pixels).astype(np.uint8)
        scene["colour"] = np.round(config.brightness * scene["colour"]).astype(np.uint8)
    if config.channels == 1:
        pixels = np.round(pixels @ GREY).astype(np.uint8)[..., None]
        scene["colour"] = np.round(scene["colour"] @ GREY)[..., None]
    return {**scene, "pixels": np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))}


def _painted(config: ShapesConfig, scene: dict[str, Array]) -> Array:
    """The pictures of these shapes: uint8, B H W 3."""
    pixels = np.empty((CHUNK, *config.image_size, 3), np.uint8)
    pixels[:] = BACKGROUNDS[config.background](config.image_size)
    steps = np.arange(scene["sides"].max())
    # shapes do not overlap, so that their order is free; one window at a time keeps memory small
    for n in range(config.shapes[1]):
        _paint_shape(pixels, {name: value[:, n] for name, value in scene.items()}, steps)
    return pixels


def _paint_shape(pixels: Array, shape: dict[str, Array], steps: Array) -> None:
    """Paint one shape of each picture; `pixels` changes."""
    picture, row, column = np.nonzero(_inside(shape, steps, steps))
    corner = shape["corner"][picture]
    pixels[picture, corner[:, 0] + row, corner[:, 1] + column] = shape["colour"][picture]


def _arranged(config: ShapesConfig, random: np.random.Generator) -> dict[str, Array]:
    """The kinds, colours and sides of all shapes of a chunk, and corners such that no two bounding boxes
    meet."""
    most = config.shapes[1]
    kind = random.integers(0, KINDS, (CHUNK, most))
    sides = _sides(config, kind, random)
    colour = random.integers(0, 201, (CHUNK, most, 3))
    requested = np.arange(most) < random.integers(config.shapes[0], most + 1, (CHUNK, 1))
    corner, present = _corners(config.image_size, sides, requested, random)
    return {
        "kind": kind,
        "sides": sides,
        "corner": corner,
        "colour": colour,
        "present": present,
        "centre": _centres(kind, corner, sides),
    }


def _sides(config: ShapesConfig, kind: Array, random: np.random.Generator) -> Array:
    """The numbers of rows and columns of each shape's bounding box, B N 2."""
    low, high = _sizes(config)
    sides = random.integers(low, high + 1, (*kind.shape, 2))
    for equal in (SQUARE, CIRCLE):
        sides[kind == equal, 1] = sides[kind == equal, 0]
    return sides


def _corners(
    size: tuple[int, int], sides: Array, requested: Array, random: np.random.Generator
) -> tuple[Array, Array]:
    """The upper left corners of the bounding boxes, B N 2, and whether there was room for each shape, B N."""
    present = np.zeros_like(requested)
    corner = np.zeros(sides.shape, np.int64)
    room = np.array(size) - sides + 1
    for n in range(sides.shape[1]):
        for _ in range(TRIES):
            pending = requested[:, n] & ~present[:, n]
            if not pending.any():
                break
            attempt = (random.random((len(sides), 2)) * room[:, n]).astype(np.int64)
            fits = pending & _is_free(attempt, sides[:, n], corner, sides, present)
            corner[:, n] = np.where(fits[:, None], attempt, corner[:, n])
            present[:, n] |= fits
    return corner, present


def _is_free(attempt: Array, side: Array, corner: Array, sides: Array, present: Array) -> Array:
    """Whether a box of one shape a picture (corner B 2, sides B 2) meets none of the present boxes, B N 2."""
    separate = (attempt[:, None] + side[:, None] < corner) | (corner + sides < attempt[:, None])
    return np.all(separate.any(-1) | ~present, 1)


def _centres(kind: Array, corner: Array, sides: Array) -> Array:
    """The centres of mass of the shapes, in pixels; that of a triangle lies two thirds down."""
    middle = corner + (sides - 1) / 2
    lower = corner[..., 0] + (sides[..., 0] - 1) * 2 / 3
    middle[..., 0] = np.where(kind == TRIANGLE, lower, middle[..., 0])
    return middle


def _masks(scene: dict[str, Array], size: tuple[int, int]) -> Array:
    """The masks of the shapes: bool, B N H W."""
    rows, columns = (np.arange(side) - scene["corner"][..., axis, None] for axis, side in enumerate(size))
    return _inside(scene, rows, columns)


def _inside(scene: dict[str, Array], rows: Array, columns: Array) -> Array:
    """Whether pixels, counted from the shape's corner, belong to the shape.

    The bounding box is scaled to [0, 1]^2, in which each kind has an inequality of its own.
    """
    rows = ((rows + 0.5) / scene["sides"][..., :1])[..., :, None].astype(np.float32)
    columns = ((columns + 0.5) / scene["sides"][..., 1:])[..., None, :].astype(np.float32)
    box = (rows >= 0) & (rows <= 1) & (columns >= 0) & (columns <= 1)
    inside = _inside_kind(scene["kind"][..., None, None], rows, columns)
    return box & inside & scene["present"][..., None, None]


def _inside_kind(kind: Array, rows: Array, columns: Array) -> Array:
    """Whether points of the unit square lie in a shape of this kind, by the kind's own inequality."""
    disc = (rows - 0.5) ** 2 + (columns - 0.5) ** 2 <= 0.25
    triangle = np.abs(columns - 0.5) <= rows / 2
    return np.where(kind == TRIANGLE, triangle, np.where(kind >= CIRCLE, disc, True))
