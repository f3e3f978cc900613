"""Compares predicted boxes with true boxes, by COCO's rules: matching by overlap, precision and recall.

Many pictures are compared at once.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.ops.points.matching import most_confident_first

# points of the recall axis at which precision is evaluated
RECALLS = 101


def hits(
    overlap: Float[Tensor, "B K N"],
    confidence: Float[Tensor, "B K"],
    there: Bool[Tensor, "B K"],
    present: Bool[Tensor, "B N"],
    least: Float[Tensor, "T"],
) -> Bool[Tensor, "B K T"]:
    """Which predicted boxes are right, for each least overlap in `least`.

    The most confident box comes first. Each box takes the true box that it overlaps most, among those still
    free. `there` marks the predicted boxes that exist, `present` the true ones.
    """
    batch, count, true_boxes = overlap.shape
    right = torch.zeros(batch, count, len(least), dtype=torch.bool, device=overlap.device)
    if not true_boxes:
        return right
    order = most_confident_first(confidence, there)
    free = present[:, None].repeat(1, len(least), 1)
    picture = torch.arange(batch, device=overlap.device)
    for k in order.unbind(1):
        right[picture, k] = _take_best(overlap[picture, k], there[picture, k], free, least)
    return right


def _take_best(
    overlap: Float[Tensor, "B N"], there: Bool[Tensor, "B"], free: Bool[Tensor, "B T N"], least: Tensor
) -> Bool[Tensor, "B T"]:
    """Whether a box of each picture is right; the true box that it takes is marked in `free` as taken."""
    best = overlap[:, None].expand_as(free).masked_fill(~free, -1).max(2)
    right = (best.values >= least) & (best.values > 0) & there[:, None]
    index = best.indices[..., None]
    free.scatter_(2, index, free.gather(2, index) & ~right[..., None])
    return right


def average_precision(
    right: Bool[Tensor, "D T"], times: Float[Tensor, "R D"], objects: Float[Tensor, "R"]
) -> Float[Tensor, "R T"]:
    """Average precision: the mean over recalls of the best precision at that recall or more.

    The D boxes are ordered by confidence, and `times` says how often each is drawn. The result is NaN if
    there is nothing to find.
    """
    nothing = (objects == 0)[:, None]
    if not len(right):
        return times.new_zeros(len(times), right.shape[1]).masked_fill(nothing, torch.nan)
    # r t d
    true = (times[:, None] * right.T).cumsum(2)
    recall = true / objects.clamp_min(1)[:, None, None]
    precision = true / times.cumsum(1).clamp_min(1)[:, None]
    return _precision_at_recalls(precision, recall).mean(2).masked_fill(nothing, torch.nan)


def _precision_at_recalls(
    precision: Float[Tensor, "R T D"], recall: Float[Tensor, "R T D"]
) -> Float[Tensor, "R T n"]:
    """For each recall, the best precision at that recall or more; 0 at recalls that are not reached."""
    best = precision.flip(2).cummax(2).values.flip(2)
    recalls = torch.linspace(0, 1, RECALLS, dtype=recall.dtype, device=recall.device)
    recalls = recalls.expand(*recall.shape[:2], -1)
    first = torch.searchsorted(recall, recalls.contiguous() - 1e-9)
    boxes = recall.shape[2]
    return best.gather(2, first.clamp_max(boxes - 1)).masked_fill(first >= boxes, 0)
