"""Generated pictures of a few flat shapes on cyan or a photograph, with the truth: the 2022 paper's toy set
by our own vectorised generator."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from motes.data.base import SPLITS, Dataset, Split
from motes.data.truth_from_masks import boxes_of
from motes.data.worlds.photograph import photograph
from motes.errors import UserError
from motes.types.truth import Truth

KINDS = 5  # square, rectangle, circle, ellipse, triangle
BACKGROUNDS: dict[str, Callable[[tuple[int, int]], np.ndarray]] = {
    "plain": lambda size: np.array((0, 255, 255), np.uint8),  # cyan
    "photograph": photograph,
}
CHUNK = 500  # pictures drawn at once; part of what the pixels depend on
TRIES = 40  # places tried for a shape before the picture goes without it


@dataclass(frozen=True)
class ShapesConfig:
    """Two to five shapes of about a fifth of the picture's side, none touching another."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    # 1: grey
    channels: int = 3
    # training pictures
    count: int = 20000
    # pictures of the validation split, and of the test split
    held_out: int = 1000
    # fewest and most
    shapes: tuple[int, int] = (2, 5)
    # smallest and largest side in pixels; 0: 11 to 13 at 64 pixels, scaled
    size: tuple[int, int] = (0, 0)
    # photograph: one and the same behind all, as from a fixed camera
    background: Literal["plain", "photograph"] = "plain"
    seed: int = 0


class Shapes(Dataset):
    """Everything is a function of (seed, split, row): no file, the same pixels on any machine."""

    Config = ShapesConfig

    def __init__(self, config: ShapesConfig, split: Split = "train"):
        low, high = _sizes(config)
        if config.channels not in (1, 3):
            raise UserError(f"shapes have 1 or 3 channels, not {config.channels}")
        if not 1 <= config.shapes[0] <= config.shapes[1]:
            raise UserError(f"shapes {config.shapes} must be the fewest and the most, such as 2 5")
        if not 2 <= low <= high <= min(config.image_size):
            raise UserError(
                f"shapes of {low} to {high} pixels do not fit a picture of {config.image_size}; set size, such as 11 13"
            )
        if min(config.count, config.held_out) < 1:
            raise UserError(f"count {config.count} and held_out {config.held_out} must both be at least 1")
        self.config = config
        self.split = split
        self._count = config.count if split == "train" else config.held_out
        self._chunks: dict[int, dict[str, np.ndarray]] = {}

    def __len__(self) -> int:
        return self._count

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return np.stack([self._chunk(row // CHUNK)["pixels"][row % CHUNK] for row in rows])

    def truth(self, rows: Sequence[int]) -> Truth:
        scenes = [
            {key: value[row % CHUNK] for key, value in self._chunk(row // CHUNK).items() if key != "pixels"}
            for row in rows
        ]
        scene = {key: np.stack([one[key] for one in scenes]) for key in scenes[0]}
        seen = _masks(scene, self.config.image_size)
        grid = np.array(self.config.image_size, np.float32) - 1
        masks = torch.from_numpy(seen)
        return Truth(
            present=torch.from_numpy(scene["present"]),
            centres=torch.from_numpy((scene["centre"] / grid * 2 - 1).astype(np.float32)),
            boxes=torch.from_numpy(boxes_of(seen)),
            masks=masks,
            whole=masks,
            factors={
                "colour": torch.from_numpy(scene["colour"].astype(np.float32) / 255),
                "shape": torch.from_numpy(scene["kind"]),
            },
        )

    def _chunk(self, number: int) -> dict[str, np.ndarray]:
        if number not in self._chunks:
            seeds = np.random.SeedSequence([self.config.seed, SPLITS.index(self.split), number])
            self._chunks[number] = _draw(self.config, np.random.default_rng(seeds))
        return self._chunks[number]


def _sizes(config: ShapesConfig) -> tuple[int, int]:
    if config.size != (0, 0):
        return config.size
    scale = min(config.image_size) / 64
    return max(round(11 * scale), 2), max(round(13 * scale), 2)


def _draw(config: ShapesConfig, random: np.random.Generator) -> dict[str, np.ndarray]:
    scene = _arrange(config, random)
    pixels = np.empty((CHUNK, *config.image_size, 3), np.uint8)
    pixels[:] = BACKGROUNDS[config.background](config.image_size)
    steps = np.arange(scene["sides"].max())
    for n in range(
        config.shapes[1]
    ):  # shapes do not overlap: order is free, and one window at a time keeps memory small
        one = {key: value[:, n] for key, value in scene.items()}
        picture, row, column = np.nonzero(_inside(one, steps, steps))
        corner = one["corner"][picture]
        pixels[picture, corner[:, 0] + row, corner[:, 1] + column] = one["colour"][picture]
    if config.channels == 1:
        pixels = np.round(pixels @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[..., None]
        scene["colour"] = np.round(scene["colour"] @ np.array([0.299, 0.587, 0.114]))[..., None]
    return {**scene, "pixels": np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))}


def _arrange(config: ShapesConfig, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Kinds, colours and sides of all shapes of a chunk, and places where no two bounding boxes meet."""
    most = config.shapes[1]
    low, high = _sizes(config)
    kind = random.integers(0, KINDS, (CHUNK, most))
    sides = random.integers(low, high + 1, (CHUNK, most, 2))
    sides[kind == 0, 1] = sides[kind == 0, 0]  # a square
    sides[kind == 2, 1] = sides[kind == 2, 0]  # a circle
    colour = random.integers(0, 201, (CHUNK, most, 3))
    wanted = np.arange(most) < random.integers(config.shapes[0], most + 1, (CHUNK, 1))
    present = np.zeros_like(wanted)
    corner = np.zeros((CHUNK, most, 2), np.int64)
    room = np.array(config.image_size) - sides + 1
    for n in range(most):
        for _ in range(TRIES):
            seek = wanted[:, n] & ~present[:, n]
            if not seek.any():
                break
            place = (random.random((CHUNK, 2)) * room[:, n]).astype(np.int64)
            apart = (place[:, None] + sides[:, n, None] < corner) | (corner + sides < place[:, None])
            free = (apart.any(-1) | ~present).all(1)
            corner[:, n] = np.where((seek & free)[:, None], place, corner[:, n])
            present[:, n] |= seek & free
    return {
        "kind": kind,
        "sides": sides,
        "corner": corner,
        "colour": colour,
        "present": present,
        "centre": _centres(kind, corner, sides),
    }


def _centres(kind: np.ndarray, corner: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Centres of mass in pixels: a triangle's lies two thirds down."""
    middle = corner + (sides - 1) / 2
    middle[..., 0] = np.where(kind == 4, corner[..., 0] + (sides[..., 0] - 1) * 2 / 3, middle[..., 0])
    return middle


def _masks(scene: dict[str, np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """bool, B N H W."""
    rows, columns = (np.arange(side) - scene["corner"][..., axis, None] for axis, side in enumerate(size))
    return _inside(scene, rows, columns)


def _inside(scene: dict[str, np.ndarray], rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Which pixels, counted from the shape's corner, are of the shape: by each kind's own inequality, its
    bounding box being [0, 1]^2."""
    rows = ((rows + 0.5) / scene["sides"][..., :1])[..., :, None].astype(np.float32)
    columns = ((columns + 0.5) / scene["sides"][..., 1:])[..., None, :].astype(np.float32)
    box = (rows >= 0) & (rows <= 1) & (columns >= 0) & (columns <= 1)
    kind = scene["kind"][..., None, None]
    round_ = (rows - 0.5) ** 2 + (columns - 0.5) ** 2 <= 0.25
    pointed = np.abs(columns - 0.5) <= rows / 2
    inside = np.where(kind == 4, pointed, np.where(kind >= 2, round_, True))
    return box & inside & scene["present"][..., None, None]
