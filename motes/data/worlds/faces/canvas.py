"""The canvas on which generated faces are painted, at twice the pictures' size.

It has several layers. A feature is painted on the full canvas, or in a window around it, one window for each
picture.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from motes.data.worlds.faces.geometry import Look, Pair, select_pictures
from motes.data.worlds.portable import Array

FINER = 2  # canvas pixels in a picture's pixel
LAYERS = {"colour": (3,), "light": (3,), "face": (), "visible": ()}  # and the channels of each
EMPTY = np.zeros(0, np.float32)


@dataclass(frozen=True)
class Canvas:
    """A rectangle of every picture: its layers, and its position."""

    # B 3 H W
    colour: Array
    # B 3 H W: what a colour on the face is multiplied with
    light: Array
    # B H W: cover of the face
    face: Array
    # B H W: of it, what no hair hides
    visible: Array
    # B 1 W, in the picture's pixels
    column: Array
    # B H 1
    row: Array

    def paint(self, cover: Array, colour: Array, lit: bool = True) -> None:
        """Paint a colour on the canvas.

        `cover`: how much of each pixel is painted, B H W, 0 to 1; `colour`: B 3 1 1 or B 3 H W. `lit` colours
        are multiplied by the light.
        """
        for n in range(3):
            shade = self.light[:, n] * colour[:, n] if lit else colour[:, n] * np.ones_like(cover)
            shade -= self.colour[:, n]
            shade *= cover
            self.colour[:, n] += shade


def rgb(red: float, green: float, blue: float) -> Array:
    """A colour, in the shape that `Canvas.paint` takes."""
    return np.array([red, green, blue], np.float32)[None, :, None, None]


def edge(inside: Array) -> Array:
    """The cover of each canvas pixel, given how far it lies inside an edge, in pixels of the picture."""
    return np.clip(inside * np.float32(FINER) + np.float32(0.5), 0, 1)


def empty_canvas(count: int, size: tuple[int, int]) -> Canvas:
    rows = size[0] * FINER
    columns = size[1] * FINER
    layers = {
        name: np.zeros((count, *channels, rows, columns), np.float32) for name, channels in LAYERS.items()
    }
    column = np.repeat(_positions(columns)[None, None], count, 0)
    return Canvas(column=column, row=np.repeat(_positions(rows)[None, :, None], count, 0), **layers)


def _positions(count: int) -> Array:
    """The middles of the canvas pixels, in pixels of the picture; 0 is the middle of the picture's first
    pixel."""
    return (np.arange(count, dtype=np.float32) + 0.5) / FINER - 0.5


def reach(look: Look, width: float, height: float = 0.0) -> tuple[float, float]:
    """The distance in pixels beyond which a feature paints nothing, across and down, from its size in half
    skull widths.

    It is that of the largest head of the batch.
    """
    scale = float(look["scale"].max())
    return width * scale, (height or width) * scale


@contextmanager
def window(
    canvas: Canvas, centre: Pair, half: tuple[float, float], names: tuple[str, ...] = ("colour", "light")
) -> Iterator[Canvas]:
    """Give a window of the canvas for each picture, around its own centre (columns and rows, B 1).

    What is painted in the window is copied back to the canvas at the end. `half` is half the window's width
    and height in pixels. `names` are the layers that are needed; the others are empty.
    """
    rows, columns = canvas.face.shape[1:]
    horizontal = _spans(centre[0], half[0], columns)
    vertical = _spans(centre[1], half[1], rows)
    boxes = [(..., y, x) for x, y in zip(horizontal, vertical, strict=True)]
    layers = {name: _cut(getattr(canvas, name), boxes) for name in names}
    yield Canvas(
        column=_cut(canvas.column, [(..., x) for x in horizontal]),
        row=_cut(canvas.row, [(..., y, slice(None)) for y in vertical]),
        **{name: layers.get(name, EMPTY) for name in LAYERS},
    )
    for name, painted in layers.items():
        _put_back(getattr(canvas, name), painted, boxes)


def _spans(centre: Array, half: float, side: int) -> list[slice]:
    """The ranges of canvas pixels around these centres; all have the same length."""
    count = min(2 * int(half * FINER) + 3, side)
    middle = np.rint(centre.reshape(-1) * FINER).astype(np.int64)
    first = np.clip(middle - count // 2, 0, side - count)
    return [slice(start, start + count) for start in first.tolist()]


def _cut(layer: Array, boxes: list[Any]) -> Array:
    """The box of each picture cut out of a layer; the boxes are stacked."""
    return np.stack([picture[box] for picture, box in zip(layer, boxes, strict=True)])


def _put_back(layer: Array, painted: Array, boxes: list[Any]) -> None:
    for picture, part, box in zip(layer, painted, boxes, strict=True):
        picture[box] = part


class PartOfLook(dict):
    """The look of some of the pictures; each entry is selected when it is first used."""

    def __init__(self, look: Look, index: Array | slice):
        super().__init__()
        self.look = look
        self.index = index

    def __missing__(self, name: str) -> Array:
        self[name] = value = self.look[name][self.index]
        return value


@contextmanager
def pictures_with(canvas: Canvas, present: Array, *parts: Any) -> Iterator[tuple[Any, ...]]:
    """Give the canvas and `parts` of only those pictures that have a feature; paint is copied back at the
    end."""
    index = np.flatnonzero(present)
    if len(index) == len(canvas.face):
        yield (canvas, *parts)
        return
    piece = select_pictures(canvas, index)
    yield (piece, *(_part(part, index) for part in parts))
    for name in LAYERS:
        getattr(canvas, name)[index] = getattr(piece, name)


def _part(part: Any, index: Array) -> Any:
    return PartOfLook(part, index) if isinstance(part, dict) else select_pictures(part, index)


def downsampled(canvas: Canvas) -> Array:
    """The finished pictures, uint8, B 3 H W: each pixel is the mean of a square of canvas pixels."""
    rows = canvas.colour[:, :, ::2] + canvas.colour[:, :, 1::2]
    mean = (rows[..., ::2] + rows[..., 1::2]) * np.float32(255 / 4)
    return np.clip(mean + np.float32(0.5), 0, 255).astype(np.uint8)
