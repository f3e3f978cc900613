"""Which belongs to which: nearest things, overlapping boxes, the most certain."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.types import Particles


def nearest_distance(
    points: Float[Tensor, "B K 2"], others: Float[Tensor, "B N 2"], others_present: Bool[Tensor, "B N"]
) -> Float[Tensor, "B K"]:
    """From each point to the nearest of the others that is there; infinite where none is."""
    return _distances(points, others, others_present).amin(2)


def nearest(points: Float[Tensor, "B K 2"], others: Float[Tensor, "B N 2"], others_present: Bool[Tensor, "B N"]) -> Int[Tensor, "B K"]:
    """Which of the others that are there is nearest to each point; -1 where none is there."""
    found = _distances(points, others, others_present).min(2)
    return found.indices.masked_fill(found.values.isinf(), -1)


def boxes_around(position: Float[Tensor, "K 2"], side: int, size: tuple[int, int]) -> Float[Tensor, "K 4"]:
    """First row, first column, last row, last column in pixels of each particle's window, kept within the picture."""
    limit = torch.tensor(size, dtype=position.dtype, device=position.device)
    first = (position + 1) / 2 * limit - side / 2
    return torch.cat([first.clamp_min(0), torch.minimum(first + side, limit)], -1)


def overlap(boxes: Float[Tensor, "K 4"], others: Float[Tensor, "N 4"]) -> Float[Tensor, "K N"]:
    """Intersection over union."""
    first, last = (
        torch.maximum(boxes[:, None, :2], others[None, :, :2]),
        torch.minimum(boxes[:, None, 2:], others[None, :, 2:]),
    )
    common = (last - first).clamp_min(0).prod(-1)
    area, other_area = ((b[:, 2:] - b[:, :2]).prod(-1) for b in (boxes, others))
    return common / (area[:, None] + other_area[None] - common).clamp_min(1e-12)


def suppress_overlaps(boxes: Float[Tensor, "K 4"], scores: Float[Tensor, "K"], most: float = 0.2) -> Int[Tensor, "M"]:
    """Non-maximum suppression: rows to keep, best first; each drops the later ones that overlap it more than `most`."""
    order = scores.argsort(descending=True, stable=True)
    clash = overlap(boxes[order], boxes[order]) > most
    alive = torch.ones(len(order), dtype=torch.bool, device=boxes.device)
    for row in range(len(order)):
        if alive[row]:
            alive[row + 1 :] &= ~clash[row, row + 1 :]
    return order[alive]


def most_confident(confidence: Float[Tensor, "B K"], count: int) -> Int[Tensor, "B k"]:
    """The `count` particles of each picture whose place is surest, surest first."""
    return confidence.topk(min(count, confidence.shape[1]), dim=1).indices


def without_vague(particles: Particles, least: float) -> Particles:
    """The same particles with presence 0 where the confidence is below `least`: the 2022 paper's filter (24 for its shapes)."""
    return replace(particles, presence=particles.presence * (particles.confidence >= least))


def _distances(points: Tensor, others: Tensor, others_present: Tensor) -> Float[Tensor, "B K N"]:
    distance = (points[:, :, None] - others[:, None]).norm(dim=-1)
    return distance.masked_fill(~others_present[:, None], torch.inf)
