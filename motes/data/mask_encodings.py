"""Turn masks as COCO's format stores them, polygons or run lengths, into pixels."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from motes.errors import UserError

# polygons are drawn enlarged by this factor
FINER = 4


def filled(polygons: list[Any], height: int, width: int) -> np.ndarray:
    """How much of each pixel lies inside the polygons, from 0 to 255: uint8, H W.

    Each polygon is a list x, y, x, y ... The polygons are drawn four times as large and then averaged,
    because PIL fills the pixels on an edge as well.
    """
    corners = [np.array(polygon, np.float64).reshape(-1, 2) for polygon in polygons if len(polygon) >= 6]
    mask = np.zeros((height, width), np.uint8)
    if not corners:
        return mask
    points = np.concatenate(corners)
    first = np.clip(np.floor(points.min(0)), 0, (width, height)).astype(int)
    last = np.clip(np.ceil(points.max(0)), 0, (width, height)).astype(int)
    if (last > first).all():
        mask[first[1] : last[1], first[0] : last[0]] = _drawn(
            [polygon - first for polygon in corners], last - first
        )
    return mask


def _drawn(polygons: list[np.ndarray], size: np.ndarray) -> np.ndarray:
    canvas = Image.new("L", tuple((FINER * size).tolist()))
    for polygon in polygons:
        outline = [tuple(corner) for corner in (FINER * polygon - 0.5).tolist()]
        ImageDraw.Draw(canvas).polygon(outline, fill=255)
    return np.asarray(canvas.reduce(FINER))


def from_run_lengths(encoded: dict[str, Any], source: Path) -> np.ndarray:
    """The mask that run lengths describe: uint8, H W, 255 inside and 0 outside.

    The runs lie outside and inside by turns, down one column after the other. `encoded` has their lengths as
    numbers, or packed into characters of six bits each. `source` is named in errors.
    """
    height, width = encoded["size"]
    counts = encoded["counts"] if isinstance(encoded["counts"], list) else unpacked(encoded["counts"])
    if sum(counts) != height * width or min(counts, default=0) < 0:
        raise UserError(
            f"{source} has a mask of {sum(counts)} pixels for a picture of {height} x {width}; it is damaged"
        )
    values = np.repeat(np.arange(len(counts)) % 2, counts).astype(np.uint8) * 255
    return np.ascontiguousarray(values.reshape(width, height).T)


def unpacked(text: str) -> list[int]:
    """The numbers that are packed into a text.

    A character holds five bits of a number; its sixth bit says whether the number goes on in the next one.
    From the fourth number on, each is stored as its difference from the number two places before.
    """
    counts: list[int] = []
    value = 0
    shift = 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:  # the sign of the number
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = 0
        shift = 0
    return counts
