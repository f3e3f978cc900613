"""Boxes found against true boxes: matching by overlap, precision and recall; COCO's rules, for many pictures
at once."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

RECALLS = 101  # places of the recall axis at which precision is read


def hits(
    overlap: Float[Tensor, "B K N"],
    confidence: Float[Tensor, "B K"],
    there: Bool[Tensor, "B K"],
    present: Bool[Tensor, "B N"],
    least: Float[Tensor, "T"],
) -> Bool[Tensor, "B K T"]:
    """Which boxes are right at each least overlap: surest first, each takes the true box that it overlaps
    most of those still free."""
    batch, count, _ = overlap.shape
    found = torch.zeros(batch, count, len(least), dtype=torch.bool, device=overlap.device)
    if not overlap.shape[2]:
        return found
    order = confidence.masked_fill(~there, -torch.inf).argsort(dim=1, descending=True, stable=True)
    free = present[:, None].repeat(1, len(least), 1)
    picture = torch.arange(batch, device=overlap.device)
    for k in order.unbind(1):
        best = overlap[picture, k][:, None].expand_as(free).masked_fill(~free, -1).max(2)
        right = (best.values >= least) & (best.values > 0) & there[picture, k, None]
        found[picture, k] = right
        free.scatter_(2, best.indices[..., None], free.gather(2, best.indices[..., None]) & ~right[..., None])
    return found


def average_precision(
    right: Bool[Tensor, "D T"], times: Float[Tensor, "R D"], objects: Float[Tensor, "R"]
) -> Float[Tensor, "R T"]:
    """Of D boxes, surest first, each of which is drawn so many times: the mean over recalls of the best
    precision at that recall or more.

    Not a number where there is nothing to find.
    """
    if not len(right):
        return times.new_zeros(len(times), right.shape[1]).masked_fill((objects == 0)[:, None], torch.nan)
    true = (times[:, None] * right.T).cumsum(2)  # r t d
    recall = true / objects.clamp_min(1)[:, None, None]
    precision = true / times.cumsum(1).clamp_min(1)[:, None]
    best = precision.flip(2).cummax(2).values.flip(2)
    places = torch.linspace(0, 1, RECALLS, dtype=recall.dtype, device=recall.device).expand(
        *recall.shape[:2], -1
    )
    place = torch.searchsorted(recall, places.contiguous() - 1e-9)
    read = best.gather(2, place.clamp_max(len(right) - 1)).masked_fill(place >= len(right), 0)
    return read.mean(2).masked_fill((objects == 0)[:, None], torch.nan)
