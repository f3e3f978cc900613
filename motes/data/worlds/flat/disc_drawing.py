"""Discs with smooth rims, painted one over another, and the truth about them."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from motes.data.truth_from_masks import boxes_of, seen_of
from motes.data.worlds.generated import normalised
from motes.data.worlds.portable import Array
from motes.types.truth import Truth


def painted_discs(middle: Array, radius: Sequence[float], colour: Array, side: int) -> Array:
    """Pictures of discs on black, later ones in front: uint8, B H W 3.

    The middles, B N 2, are in pixels, which count from the picture's corner; the colours, B N 3, go from 0 to 255.
    Both are float32.
    """
    # so wide that no window around a disc leaves the canvas
    margin = int(np.ceil(max(radius))) + 2
    canvas = np.zeros((len(middle), side + 2 * margin, side + 2 * margin, 3), np.float32)
    for n, reach in enumerate(radius):
        _paint(canvas, middle[:, n], reach, colour[:, n], margin)
    return np.floor(canvas[:, margin:-margin, margin:-margin] + 0.5).astype(np.uint8)


def disc_masks(centre: Array, radius: Sequence[float], side: int) -> Array:
    """The mask of each disc as if it were alone, bool, B N H W."""
    middle = np.arange(side) + 0.5
    masks = [
        _length(middle - centre[:, n, :1], middle - centre[:, n, 1:]) <= reach
        for n, reach in enumerate(radius)
    ]
    return np.stack(masks, 1)


def truth_of_discs(
    middle: Array,
    radius: Sequence[float],
    size: tuple[int, int],
    factors: dict[str, Tensor],
    scene: dict[str, Tensor],
) -> Truth:
    """The truth about pictures of this size that `painted_discs` gives; the last disc is in front."""
    masks = disc_masks(middle, radius, size[0])
    visible = seen_of(masks)
    return Truth(
        present=torch.from_numpy(visible.any((2, 3))),
        centres=torch.from_numpy(normalised(middle - 0.5, size)),
        boxes=torch.from_numpy(boxes_of(visible)),
        masks=torch.from_numpy(visible),
        whole=torch.from_numpy(masks),
        factors=factors,
        scene=scene,
    )


def _paint(canvas: Array, middle: Array, radius: float, colour: Array, margin: int) -> None:
    """Paint one disc of each picture on the canvas, which changes and has a margin on each side."""
    corner = np.floor(middle).astype(np.int64) - margin
    row, column = (corner[:, axis, None] + np.arange(2 * margin) for axis in (0, 1))
    distance = _length(row + 0.5 - middle[:, :1], column + 0.5 - middle[:, 1:])
    # how much of each pixel of these rows and columns the disc covers
    cover = np.clip(radius + np.float32(0.5) - distance, 0, 1)[..., None].astype(np.float32)
    picture = np.arange(len(canvas))[:, None, None]
    window = picture, row[:, :, None] + margin, column[:, None, :] + margin
    canvas[window] += (colour[:, None, None] - canvas[window]) * cover


def _length(rows: Array, columns: Array) -> Array:
    """The distance that each row's and each column's part make together: B R C."""
    return np.sqrt((rows * rows)[:, :, None] + (columns * columns)[:, None, :])
