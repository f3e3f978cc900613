"""Truth that follows from masks: boxes, centres, and the visible part of each thing."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float

from motes.types.truth import Truth


def boxes_of(masks: np.ndarray) -> np.ndarray:
    """The box around each mask, float32, ... 4: first row, first column, last row, last column; zeros if
    empty."""
    rows = np.asarray(masks.any(-1))
    columns = np.asarray(masks.any(-2))
    first = np.stack([rows.argmax(-1), columns.argmax(-1)], -1)
    end = np.array([masks.shape[-2] - 1, masks.shape[-1] - 1])
    last = end - np.stack([np.flip(rows, -1).argmax(-1), np.flip(columns, -1).argmax(-1)], -1)
    boxes = np.concatenate([first, last], -1)
    return np.where(np.asarray(rows.any(-1))[..., None], boxes, 0).astype(np.float32)


def seen_of(masks: np.ndarray) -> np.ndarray:
    """The visible part of each thing, bool, B N H W, where later things stand in front of earlier ones."""
    visible = masks.copy()
    covered = np.zeros_like(masks[:, 0])
    for n in reversed(range(masks.shape[1])):
        visible[:, n] &= ~covered
        covered |= masks[:, n]
    return visible


def centres_of(masks: Bool[np.ndarray, "*n H W"]) -> Float[np.ndarray, "*n 2"]:
    """The centre of mass of each mask, (row, column) in [-1, 1]; the middle of the picture if the mask is
    empty."""
    # pixels of each row, then of each column
    return np.stack([_mean_position(masks.sum(axis)) for axis in (-1, -2)], -1).astype(np.float32)


def _mean_position(counts: np.ndarray) -> np.ndarray:
    grid = np.linspace(-1, 1, counts.shape[-1])
    return (counts * grid).sum(-1) / np.maximum(counts.sum(-1), 1)


def renumbered(numbers: np.ndarray, most: int = 0) -> np.ndarray:
    """The map with new numbers, uint16: 0 stays 0, the other numbers become 1, 2 and so on, in their order.

    If there are more than `most` things, only the `most` largest remain; if `most` is 0, all remain.
    """
    values, inverse, area = np.unique(numbers, return_inverse=True, return_counts=True)
    area[values == 0] = 0
    largest = np.sort(np.argsort(-area, kind="stable")[: most or len(area)])
    remaining = largest[area[largest] > 0]
    new_numbers = np.zeros(len(values), np.uint16)
    new_numbers[remaining] = np.arange(1, len(remaining) + 1)
    return new_numbers[inverse.reshape(numbers.shape)]


def truth_from_numbers(numbers: np.ndarray, most: int) -> Truth:
    """The truth of pictures from maps B H W, in which 0 is background and n + 1 is thing n of at most
    `most`."""
    masks = numbers[:, None] == np.arange(1, most + 1)[:, None, None]
    return Truth(
        present=torch.from_numpy(masks.any((2, 3))),
        centres=torch.from_numpy(centres_of(masks)),
        boxes=torch.from_numpy(boxes_of(masks)),
        masks=torch.from_numpy(masks),
    )


def most_things(numbers: Callable[[Sequence[int]], tuple[np.ndarray, ...]], count: int) -> int:
    """The largest number of things in any of `count` pictures, at least 1.

    The first array that `numbers(rows)` returns has the maps of these rows, in which things are numbered from
    1.
    """
    return max([1, *(int(numbers([row])[0].max()) for row in range(count))])
