"""Nearest points and their distances, overlaps of boxes, and suppression of overlapping boxes."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.gather import take


def nearest_distance(
    points: Float[Tensor, "B K 2"], others: Float[Tensor, "B N 2"], others_present: Bool[Tensor, "B N"]
) -> Float[Tensor, "B K"]:
    """The distance from each point to the nearest of the others that is present; infinite if none is."""
    return _distances(points, others, others_present).amin(2)


def nearest_index(
    points: Float[Tensor, "B K 2"], others: Float[Tensor, "B N 2"], others_present: Bool[Tensor, "B N"]
) -> Int[Tensor, "B K"]:
    """The number of the nearest present point among the others, for each point; -1 if none is present."""
    nearest = _distances(points, others, others_present).min(2)
    return nearest.indices.masked_fill(nearest.values.isinf(), -1)


def boxes_around(position: Float[Tensor, "K 2"], side: int, size: tuple[int, int]) -> Float[Tensor, "K 4"]:
    """The box of each particle's window in pixels: first row, first column, last row, last column.

    Ends are exclusive, and boxes are clipped to the picture.
    """
    limit = torch.tensor(size, dtype=position.dtype, device=position.device)
    first = (position + 1) / 2 * limit - side / 2
    return torch.cat([first.clamp_min(0), torch.minimum(first + side, limit)], -1)


def overlap(boxes: Float[Tensor, "*B K 4"], others: Float[Tensor, "*B N 4"]) -> Float[Tensor, "*B K N"]:
    """The intersection over union of every pair of boxes; their ends are exclusive."""
    first = torch.maximum(boxes[..., :, None, :2], others[..., None, :, :2])
    last = torch.minimum(boxes[..., :, None, 2:], others[..., None, :, 2:])
    common = (last - first).clamp_min(0).prod(-1)
    total = _areas(boxes)[..., :, None] + _areas(others)[..., None, :]
    return common / (total - common).clamp_min(1e-12)


def non_maximum_suppression(
    boxes: Float[Tensor, "B K 4"], confidence: Float[Tensor, "B K"], present: Bool[Tensor, "B K"], most: float
) -> Bool[Tensor, "B K"]:
    """Which boxes remain, when each box, most confident first, removes later boxes that overlap it by more
    than `most`."""
    order = most_confident_first(confidence, present)
    sorted_boxes = take(boxes, order)
    clash = overlap(sorted_boxes, sorted_boxes) > most
    remaining = _without_clashes(present.gather(1, order), clash)
    return torch.zeros_like(present).scatter(1, order, remaining)


def most_confident_first(
    confidence: Float[Tensor, "B K"], present: Bool[Tensor, "B K"]
) -> Int[Tensor, "B K"]:
    """The numbers of the boxes, the most confident first; those that are not present come last."""
    return confidence.masked_fill(~present, -torch.inf).argsort(dim=1, descending=True, stable=True)


def _without_clashes(remaining: Bool[Tensor, "B K"], clash: Bool[Tensor, "B K K"]) -> Bool[Tensor, "B K"]:
    """Which boxes remain, when each remaining box removes later boxes that it clashes with; `remaining`
    changes."""
    for k in range(remaining.shape[1] - 1):
        remaining[:, k + 1 :] &= ~(clash[:, k, k + 1 :] & remaining[:, k, None])
    return remaining


def _distances(points: Tensor, others: Tensor, others_present: Tensor) -> Float[Tensor, "B K N"]:
    distance = (points[:, :, None] - others[:, None]).norm(dim=-1)
    return distance.masked_fill(~others_present[:, None], torch.inf)


def _areas(boxes: Float[Tensor, "*B K 4"]) -> Float[Tensor, "*B K"]:
    return (boxes[..., 2:] - boxes[..., :2]).prod(-1)
