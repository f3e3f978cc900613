"""What masks tell: boxes, centres of mass, and who is seen where things cover each other."""

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
    return np.where(np.asarray(rows.any(-1))[..., None], np.concatenate([first, last], -1), 0).astype(
        np.float32
    )


def seen_of(whole: np.ndarray) -> np.ndarray:
    """bool, B N H W: what later things leave of earlier ones."""
    seen = whole.copy()
    covered = np.zeros_like(whole[:, 0])
    for n in reversed(range(whole.shape[1])):
        seen[:, n] &= ~covered
        covered |= whole[:, n]
    return seen


def centres_of(masks: Bool[np.ndarray, "*n H W"]) -> Float[np.ndarray, "*n 2"]:
    """(row, column) in [-1, 1]; the middle of the picture where there is nothing."""
    found = []
    for axis in (-1, -2):
        along = masks.sum(axis)  # pixels of each row, then of each column
        grid = np.linspace(-1, 1, along.shape[-1])
        found.append((along * grid).sum(-1) / np.maximum(along.sum(-1), 1))
    return np.stack(found, -1).astype(np.float32)


def renumbered(numbers: np.ndarray, most: int = 0) -> np.ndarray:
    """uint16: 0 stays, the other numbers become 1, 2 and so on, in their order; the `most` largest things at
    most."""
    found, place, area = np.unique(numbers, return_inverse=True, return_counts=True)
    area[found == 0] = 0
    kept = np.sort(np.argsort(-area, kind="stable")[: most or len(area)])
    order = np.zeros(len(found), np.uint16)
    order[kept[area[kept] > 0]] = np.arange(1, (area[kept] > 0).sum() + 1)
    return order[place.reshape(numbers.shape)]


def truth_of(numbers: np.ndarray, most: int) -> Truth:
    """Of maps B H W: 0 is background, n + 1 is thing n of `most`."""
    masks = numbers[:, None] == np.arange(1, most + 1)[:, None, None]
    return Truth(
        present=torch.from_numpy(masks.any((2, 3))),
        centres=torch.from_numpy(centres_of(masks)),
        boxes=torch.from_numpy(boxes_of(masks)),
        masks=torch.from_numpy(masks),
    )
