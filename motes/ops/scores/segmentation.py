"""Scores of segmentations, computed from how many pixels each true and each predicted segment share.

Row 0 of such a table counts pixels of no true object, column 0 those of no predicted object. Tables of a
clip's frames add up to the clip's table, so every score is also one over space and time.
"""

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.points.assignment import assign


def shared_pixels(
    masks: Bool[Tensor, "B N H W"], predicted: Int[Tensor, "B H W"], count: int
) -> Float[Tensor, "B n k"]:
    """The table of shared pixels, n = N + 1 and k = count + 1.

    `predicted` is 0 where no predicted object is, and i where predicted object i, of `count`, is.
    """
    pair = rearrange(_labels(masks, predicted) * (count + 1) + predicted, "b h w -> b (h w)")
    size = (masks.shape[1] + 1) * (count + 1)
    table = torch.zeros(len(pair), size, dtype=torch.float64, device=masks.device)
    table.scatter_add_(1, pair, torch.ones_like(pair, dtype=torch.float64))
    return rearrange(table, "b (n k) -> b n k", k=count + 1)


def _labels(masks: Bool[Tensor, "B N H W"], like: Int[Tensor, "B H W"]) -> Int[Tensor, "B H W"]:
    """The number n + 1 of the first mask n that covers each pixel, or 0 if none does."""
    if not masks.shape[1]:
        return torch.zeros_like(like)
    return torch.where(masks.any(1), masks.to(torch.uint8).argmax(1) + 1, 0)


def adjusted_rand(table: Float[Tensor, "B n k"]) -> Float[Tensor, "B"]:
    """The adjusted Rand index: 1 for the same segmentation, 0 on average for a random one.

    Hubert & Arabie 1985, https://doi.org/10.1007/BF01908075. It is 1 if both are a single segment, and NaN if
    there are no pixels. Without the table's row 0 it is ARI-FG.
    """
    total = table.sum((1, 2))
    agreeing = _pairs(table).sum((1, 2))
    true = _pairs(table.sum(2)).sum(1)
    predicted = _pairs(table.sum(1)).sum(1)
    expected = true * predicted / _pairs(total).clamp_min(1)
    most = (true + predicted) / 2
    single = most == expected
    index = torch.where(single, 1.0, (agreeing - expected) / torch.where(single, 1.0, most - expected))
    return index.masked_fill(total == 0, torch.nan)


def segment_overlaps(table: Float[Tensor, "B n k"]) -> Float[Tensor, "B n k"]:
    """The intersection over union of every true and every predicted segment; 0 if either is empty."""
    union = table.sum(2, keepdim=True) + table.sum(1, keepdim=True) - table
    return table / union.clamp_min(1)


def best_overlap(table: Float[Tensor, "B n k"]) -> Float[Tensor, "B"]:
    """mBO: the best intersection over union of each true object, averaged; NaN if there are no true objects.

    Several true objects may share one predicted object.
    """
    best = segment_overlaps(table)[:, 1:, 1:]
    return _mean(_largest(best), table[:, 1:].sum(2) > 0)


def matched_overlap(table: Float[Tensor, "B n k"]) -> Float[Tensor, "B"]:
    """mIoU: the mean intersection over union of objects matched one to one; NaN if there are no true objects.

    A true object without a predicted one counts as 0.
    """
    overlaps = segment_overlaps(table)[:, 1:, 1:]
    true = table[:, 1:].sum(2) > 0
    predicted = table[:, :, 1:].sum(1) > 0
    match = assign(1 - overlaps, true[:, :, None] & predicted[:, None])
    if not overlaps.shape[2]:
        return _mean(overlaps.new_zeros(true.shape), true)
    matched = overlaps.gather(2, match.clamp_min(0)[..., None])[..., 0]
    return _mean(torch.where(match < 0, 0, matched), true)


def covering(table: Float[Tensor, "B n k"], weighted: bool) -> Float[Tensor, "B"]:
    """The segmentation covering: the mean of the best overlap of every true segment, the background included.

    With `weighted`, segments count by their areas, else equally (Arbelaez et al. 2011,
    https://doi.org/10.1109/TPAMI.2010.161).
    """
    area = table.sum(2)
    weight = area if weighted else (area > 0).to(area.dtype)
    total = weight.sum(1)
    covered = (_largest(segment_overlaps(table)) * weight).sum(1)
    return (covered / total.clamp_min(1)).masked_fill(total == 0, torch.nan)


def _pairs(count: Tensor) -> Tensor:
    return count * (count - 1) / 2


def _largest(overlaps: Tensor) -> Tensor:
    return overlaps.amax(2) if overlaps.shape[2] else overlaps.new_zeros(overlaps.shape[:2])


def _mean(values: Float[Tensor, "B N"], present: Bool[Tensor, "B N"]) -> Float[Tensor, "B"]:
    count = present.sum(1)
    return (values * present).sum(1).div(count.clamp_min(1)).masked_fill(count == 0, torch.nan)
