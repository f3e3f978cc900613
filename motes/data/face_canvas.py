"""What a generated face is painted on: pictures at twice their size, painted in layers, whole or in one window a picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from motes.data.face_anatomy import Pair
from motes.data.portable import Array

FINER = 2  # canvas pixels in a picture's pixel


@dataclass(frozen=True)
class Field:
    """A piece of every picture: what is painted, the light that falls on the face there, and where it is."""

    colour: Array  # B 3 H W
    light: Array  # B 3 H W: what a colour on the face is multiplied with
    column: Array  # B 1 W, in the picture's pixels
    row: Array  # B H 1

    def paint(self, cover: Array, colour: Array, lit: bool = True) -> None:
        """cover: B H W, 0 to 1; colour: B 3 1 1 or B 3 H W."""
        shade = self.light * colour if lit else colour
        shade = shade - self.colour
        shade *= cover[:, None]
        self.colour[:] += shade


def edge(inside: Array) -> Array:
    """Cover of a canvas pixel that lies so many picture pixels inside an edge."""
    return np.clip(inside * np.float32(FINER) + np.float32(0.5), 0, 1)


def canvas(count: int, size: tuple[int, int]) -> Field:
    tall, wide = size[0] * FINER, size[1] * FINER
    column, row = ((np.arange(side, dtype=np.float32) + 0.5) / FINER - 0.5 for side in (wide, tall))
    empty = np.zeros((count, 3, tall, wide), np.float32)
    return Field(empty, np.ones_like(empty), column[None, None], row[None, :, None])


@contextmanager
def window(field: Field, centre: Pair, half: float) -> Iterator[Field]:
    """A square of each picture around its own centre (B 1 columns, rows), `half` pixels to each side; painted back at the end."""
    side = 2 * round(half * FINER) + 2
    tall, wide = field.colour.shape[2:]
    side = min(side, tall, wide)
    first = [
        np.clip(np.rint(at[:, 0] * FINER).astype(np.int64) - side // 2, 0, most - side)
        for at, most in zip(centre, (wide, tall), strict=True)
    ]
    cuts = [(n, slice(None), slice(top, top + side), slice(left, left + side)) for n, (left, top) in enumerate(zip(*first, strict=True))]
    steps = np.arange(side)
    column, row = (((at[:, None] + steps + 0.5) / FINER - 0.5).astype(np.float32) for at in first)
    piece = Field(
        np.stack([field.colour[cut] for cut in cuts]), np.stack([field.light[cut] for cut in cuts]), column[:, None], row[:, :, None]
    )
    yield piece
    for cut, painted in zip(cuts, piece.colour, strict=True):
        field.colour[cut] = painted


def finished(field: Field) -> Array:
    """uint8, B 3 H W: the mean of each square of canvas pixels."""
    tall = field.colour[:, :, ::2] + field.colour[:, :, 1::2]
    mean = (tall[..., ::2] + tall[..., 1::2]) * np.float32(255 / 4)
    return np.clip(mean + np.float32(0.5), 0, 255).astype(np.uint8)
