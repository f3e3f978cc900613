"""What a generated face is painted on: pictures at twice their size, painted in layers, whole or in one
window a picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from motes.data.worlds.faces.anatomy import Look, Pair, chosen
from motes.data.worlds.portable import Array

FINER = 2  # canvas pixels in a picture's pixel
LAYERS = {"colour": (3,), "light": (3,), "face": (), "seen": ()}  # what a Field keeps of each place
EMPTY = np.zeros(0, np.float32)


@dataclass(frozen=True)
class Field:
    """A piece of every picture: what is painted, what is known of each place, and where it is."""

    # B 3 H W
    colour: Array
    # B 3 H W: what a colour on the face is multiplied with
    light: Array
    # B H W: cover of the face
    face: Array
    # B H W: of it, what no hair hides
    seen: Array
    # B 1 W, in the picture's pixels
    column: Array
    # B H 1
    row: Array

    def paint(self, cover: Array, colour: Array, lit: bool = True) -> None:
        """cover: B H W, 0 to 1; colour: B 3 1 1 or B 3 H W."""
        for n in range(3):
            shade = self.light[:, n] * colour[:, n] if lit else colour[:, n] * np.ones_like(cover)
            shade -= self.colour[:, n]
            shade *= cover
            self.colour[:, n] += shade


def edge(inside: Array) -> Array:
    """Cover of a canvas pixel that lies so many picture pixels inside an edge."""
    return np.clip(inside * np.float32(FINER) + np.float32(0.5), 0, 1)


def canvas(count: int, size: tuple[int, int]) -> Field:
    tall = size[0] * FINER
    wide = size[1] * FINER
    column, row = ((np.arange(side, dtype=np.float32) + 0.5) / FINER - 0.5 for side in (wide, tall))
    layers = {name: np.zeros((count, *more, tall, wide), np.float32) for name, more in LAYERS.items()}
    return Field(
        column=np.repeat(column[None, None], count, 0), row=np.repeat(row[None, :, None], count, 0), **layers
    )


def reach(look: Look, wide: float, high: float = 0.0) -> tuple[float, float]:
    """So many half skull widths of the largest head here, in pixels; what is painted beyond it is nothing."""
    most = float(look["scale"].max())
    return wide * most, (high or wide) * most


@contextmanager
def window(
    field: Field, centre: Pair, half: tuple[float, float], names: tuple[str, ...] = ("colour", "light")
) -> Iterator[Field]:
    """A box of each picture around its own centre (B 1 columns, rows), `half` its width and height in
    pixels; `names`: the layers that are needed there, painted back at the end; the others are empty."""
    tall, wide = field.face.shape[1:]
    sides = [min(2 * int(reach * FINER) + 3, most) for reach, most in zip(half, (wide, tall), strict=True)]
    places = zip(centre, sides, (wide, tall), strict=True)
    first = [
        np.clip(np.rint(at.reshape(-1) * FINER).astype(np.int64) - side // 2, 0, most - side)
        for at, side, most in places
    ]
    cuts = [
        (..., slice(top, top + sides[1]), slice(left, left + sides[0]))
        for left, top in zip(*first, strict=True)
    ]
    column = np.stack([field.column[n, :, left : left + sides[0]] for n, left in enumerate(first[0])])
    row = np.stack([field.row[n, top : top + sides[1]] for n, top in enumerate(first[1])])
    layers = {
        name: np.stack([whole[cut] for whole, cut in zip(getattr(field, name), cuts, strict=True)])
        for name in names
    }
    piece = Field(column=column, row=row, **{name: layers.get(name, EMPTY) for name in LAYERS})
    yield piece
    for name, painted in layers.items():
        for whole, part, cut in zip(getattr(field, name), painted, cuts, strict=True):
            whole[cut] = part


class Some(dict):
    """Numbers of some pictures, taken when asked for."""

    def __init__(self, whole: Look, index: Array | slice):
        super().__init__()
        self.whole = whole
        self.index = index

    def __missing__(self, name: str) -> Array:
        self[name] = found = self.whole[name][self.index]
        return found


@contextmanager
def among(field: Field, wanted: Array, *parts: Any) -> Iterator[tuple[Any, ...]]:
    """The pictures that have something: their pieces of the field, and of the parts (see `chosen`); painted
    back at the end."""
    index = np.flatnonzero(wanted)
    if len(index) == len(field.face):
        yield (field, *parts)
        return
    piece = chosen(field, index)
    yield (piece, *(Some(part, index) if isinstance(part, dict) else chosen(part, index) for part in parts))
    for name in LAYERS:
        getattr(field, name)[index] = getattr(piece, name)


def finished(field: Field) -> Array:
    """uint8, B 3 H W: the mean of each square of canvas pixels."""
    tall = field.colour[:, :, ::2] + field.colour[:, :, 1::2]
    mean = (tall[..., ::2] + tall[..., 1::2]) * np.float32(255 / 4)
    return np.clip(mean + np.float32(0.5), 0, 255).astype(np.uint8)
