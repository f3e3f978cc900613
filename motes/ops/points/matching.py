"""Which belongs to which: nearest things, overlapping boxes, the most certain."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.types.latents import Particles


def nearest_distance(
    points: Float[Tensor, "B K 2"], others: Float[Tensor, "B N 2"], others_present: Bool[Tensor, "B N"]
) -> Float[Tensor, "B K"]:
    """From each point to the nearest of the others that is there; infinite where none is."""
    return _distances(points, others, others_present).amin(2)


def nearest(
    points: Float[Tensor, "B K 2"], others: Float[Tensor, "B N 2"], others_present: Bool[Tensor, "B N"]
) -> Int[Tensor, "B K"]:
    """Which of the others that are there is nearest to each point; -1 where none is there."""
    found = _distances(points, others, others_present).min(2)
    return found.indices.masked_fill(found.values.isinf(), -1)


def boxes_around(position: Float[Tensor, "K 2"], side: int, size: tuple[int, int]) -> Float[Tensor, "K 4"]:
    """First row, first column, last row, last column in pixels of each particle's window, kept within the
    picture."""
    limit = torch.tensor(size, dtype=position.dtype, device=position.device)
    first = (position + 1) / 2 * limit - side / 2
    return torch.cat([first.clamp_min(0), torch.minimum(first + side, limit)], -1)


def overlap(boxes: Float[Tensor, "*B K 4"], others: Float[Tensor, "*B N 4"]) -> Float[Tensor, "*B K N"]:
    """Intersection over union; ends are exclusive."""
    first = torch.maximum(boxes[..., :, None, :2], others[..., None, :, :2])
    last = torch.minimum(boxes[..., :, None, 2:], others[..., None, :, 2:])
    common = (last - first).clamp_min(0).prod(-1)
    area, other = ((one[..., 2:] - one[..., :2]).prod(-1) for one in (boxes, others))
    return common / (area[..., :, None] + other[..., None, :] - common).clamp_min(1e-12)


def unsuppressed(
    boxes: Float[Tensor, "B K 4"], confidence: Float[Tensor, "B K"], there: Bool[Tensor, "B K"], most: float
) -> Bool[Tensor, "B K"]:
    """Non-maximum suppression: surest first, each drops the later ones that it overlaps by more than
    `most`."""
    order = confidence.masked_fill(~there, -torch.inf).argsort(dim=1, descending=True, stable=True)
    sorted_boxes = boxes.gather(1, order[..., None].expand(-1, -1, 4))
    clash = overlap(sorted_boxes, sorted_boxes) > most
    alive = there.gather(1, order)
    for k in range(boxes.shape[1] - 1):
        alive[:, k + 1 :] &= ~(clash[:, k, k + 1 :] & alive[:, k, None])
    return torch.zeros_like(there).scatter(1, order, alive)


def suppress_overlaps(
    boxes: Float[Tensor, "K 4"], scores: Float[Tensor, "K"], most: float = 0.2
) -> Int[Tensor, "M"]:
    """`unsuppressed` for one picture: rows to keep, best first."""
    order = scores.argsort(descending=True, stable=True)
    kept = unsuppressed(boxes[None], scores[None], torch.ones_like(scores[None], dtype=torch.bool), most)[0]
    return order[kept[order]]


def most_confident(confidence: Float[Tensor, "B K"], count: int) -> Int[Tensor, "B k"]:
    """The `count` particles of each picture whose place is surest, surest first."""
    return confidence.topk(min(count, confidence.shape[1]), dim=1).indices


def without_vague(particles: Particles, least: float) -> Particles:
    """The same particles with presence 0 where the confidence is below `least`: the 2022 paper's filter (24
    for its shapes)."""
    return replace(particles, presence=particles.presence * (particles.confidence >= least))


def _distances(points: Tensor, others: Tensor, others_present: Tensor) -> Float[Tensor, "B K N"]:
    distance = (points[:, :, None] - others[:, None]).norm(dim=-1)
    return distance.masked_fill(~others_present[:, None], torch.inf)
