"""Boxes and centres of mass of masks, as the truth has them."""

import numpy as np
from jaxtyping import Bool, Float


def boxes(masks: Bool[np.ndarray, "*n H W"]) -> Float[np.ndarray, "*n 4"]:
    """First row, first column, last row, last column, in pixels; zeros where there is nothing."""
    rows, columns = np.asarray(masks.any(-1)), np.asarray(masks.any(-2))
    first = np.stack([rows.argmax(-1), columns.argmax(-1)], -1)
    last = np.stack([rows.shape[-1] - 1 - rows[..., ::-1].argmax(-1), columns.shape[-1] - 1 - columns[..., ::-1].argmax(-1)], -1)
    return np.where(np.asarray(masks.any((-1, -2)))[..., None], np.concatenate([first, last], -1), 0).astype(np.float32)


def centres(masks: Bool[np.ndarray, "*n H W"]) -> Float[np.ndarray, "*n 2"]:
    """(row, column) in [-1, 1]; the middle of the picture where there is nothing."""
    found = []
    for axis in (-1, -2):
        along = masks.sum(axis)  # pixels of each row, then of each column
        grid = np.linspace(-1, 1, along.shape[-1])
        found.append((along * grid).sum(-1) / np.maximum(along.sum(-1), 1))
    return np.stack(found, -1).astype(np.float32)
