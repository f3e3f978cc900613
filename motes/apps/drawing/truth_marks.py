"""What is truly in a picture, in numbers from which a page draws it over the picture."""

from typing import Any

import torch
from torch import Tensor

from motes.data.base import Dataset
from motes.types.truth import Truth


def truth_marks(data: Dataset, row: int) -> dict[str, list[Any]]:
    """The boxes, middles and landmarks of a picture, as far as the data know them; empty lists otherwise.

    A box is first row, first column, last row and last column, its ends included, as shares of the picture's
    size. Middles and landmarks are (row, column) in [-1, 1].
    """
    truth = data.truth([row])
    if truth is None:
        return {"boxes": [], "middles": [], "points": []}
    present = truth.present[0]
    return {
        "boxes": _boxes(truth, data, row),
        "middles": _listed(None if truth.centres is None else truth.centres[0, present]),
        "points": _listed(None if truth.points is None else truth.points[0]),
    }


def _boxes(truth: Truth, data: Dataset, row: int) -> list[Any]:
    if truth.boxes is None:
        return []
    height, width = data.pixels([row]).shape[-2:]
    ends = truth.boxes[0, truth.present[0]] + torch.tensor([0.0, 0.0, 1.0, 1.0])
    return _listed(ends / torch.tensor([height, width, height, width]))


def _listed(values: Tensor | None) -> list[Any]:
    return [] if values is None else values.nan_to_num().tolist()
