"""Truth that follows from masks: boxes, centres, and which pixels of a thing are visible behind others."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float

from motes.types.truth import Truth


def boxes_of(masks: np.ndarray) -> np.ndarray:
    """float32, ... 4: first row, first column, last row, last column; zeros where a mask is empty."""
    rows = np.asarray(masks.any(-1))
    columns = np.asarray(masks.any(-2))
    first = np.stack([rows.argmax(-1), columns.argmax(-1)], -1)
    end = np.array([masks.shape[-2] - 1, masks.shape[-1] - 1])
    last = end - np.stack([np.flip(rows, -1).argmax(-1), np.flip(columns, -1).argmax(-1)], -1)
    boxes = np.concatenate([first, last], -1)
    return np.where(np.asarray(rows.any(-1))[..., None], boxes, 0).astype(np.float32)


def seen_of(masks: np.ndarray) -> np.ndarray:
    """bool, B N H W: the visible part of each thing, where later things stand in front of earlier ones."""
    visible = masks.copy()
    covered = np.zeros_like(masks[:, 0])
    for n in reversed(range(masks.shape[1])):
        visible[:, n] &= ~covered
        covered |= masks[:, n]
    return visible


def centres_of(masks: Bool[np.ndarray, "*n H W"]) -> Float[np.ndarray, "*n 2"]:
    """(row, column) in [-1, 1]; the middle of the picture where a mask is empty."""
    # pixels of each row, then of each column
    return np.stack([_mean_position(masks.sum(axis)) for axis in (-1, -2)], -1).astype(np.float32)


def _mean_position(counts: np.ndarray) -> np.ndarray:
    grid = np.linspace(-1, 1, counts.shape[-1])
    return (counts * grid).sum(-1) / np.maximum(counts.sum(-1), 1)


def renumbered(numbers: np.ndarray, most: int = 0) -> np.ndarray:
    """Renumber a map as uint16: 0 stays, the other numbers become 1, 2 and so on, in their order.

    If there are more than `most` things, only the largest remain; `most` 0 keeps all.
    """
    values, inverse, area = np.unique(numbers, return_inverse=True, return_counts=True)
    area[values == 0] = 0
    largest = np.sort(np.argsort(-area, kind="stable")[: most or len(area)])
    remaining = largest[area[largest] > 0]
    new_numbers = np.zeros(len(values), np.uint16)
    new_numbers[remaining] = np.arange(1, len(remaining) + 1)
    return new_numbers[inverse.reshape(numbers.shape)]


def truth_from_numbers(numbers: np.ndarray, most: int) -> Truth:
    """The truth of maps B H W of numbers: 0 is background, n + 1 is thing n of `most`."""
    masks = numbers[:, None] == np.arange(1, most + 1)[:, None, None]
    return Truth(
        present=torch.from_numpy(masks.any((2, 3))),
        centres=torch.from_numpy(centres_of(masks)),
        boxes=torch.from_numpy(boxes_of(masks)),
        masks=torch.from_numpy(masks),
    )


def most_things(numbers: Callable[[Sequence[int]], tuple[np.ndarray, ...]], count: int) -> int:
    """Things of the picture that has the most, of so many pictures; at least 1. `numbers`: those of rows."""
    return max([1, *(int(numbers([row])[0].max()) for row in range(count))])
