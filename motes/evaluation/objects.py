"""Object scores: do the particles lie on the things? Only particles that the model believes in count."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.evaluation.boxes import EXPLAINS_BOXES, has_boxes, measure_boxes, score_boxes
from motes.evaluation.intervals import Statistic, mean, ratio
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.ops.points.assignment import assign
from motes.ops.points.matching import nearest_distance
from motes.types.latents import Particles

NEAR = 0.1  # of the picture's side
PCK = (0.02, 0.05, 0.1)  # distances in picture sides within which a thing counts as correctly placed
EXPLAINS = {
    "found": "share of the things that have a particle near",
    "clean": "share of the particles that lie near a thing",
    "distance": "from a found thing to its particle, in picture sides",
    "count_error": "particles too many or too few, a picture",
    "count_right": "share of the pictures with as many particles as things",
    "position_error_px": "from a thing to the particle matched to it, in pixels",
    "position_error": "the same in picture sides",
    "pck@0.02": "share of the things whose matched particle is within 2 % of the picture",
    "pck@0.05": "within 5 %",
    "pck@0.1": "within 10 %",
}


def _measure(encoded: EncodedBatch) -> Measured:
    assert encoded.truth is not None and encoded.centres is not None
    present = encoded.truth.present
    measured = measure_nearness(encoded.latent, encoded.centres, present)
    distance = _pixel_distances(encoded.centres, encoded.latent.position, encoded.size)
    measured |= measure_places(distance, present[:, :, None] & encoded.believed[:, None], encoded.size)
    return measured | (measure_boxes(encoded) if has_boxes(encoded) else {})


def measure_nearness(
    particles: Particles, centres: Float[Tensor, "B N 2"], present: Bool[Tensor, "B N"]
) -> Measured:
    """For each picture, how many things are near a particle, and how many particles are near a thing.

    The totals of both are counted too. `distance` sums, over the things near a particle, the distance to the
    nearest one, in picture sides. A thing may be near several particles, and a particle near several things.
    """
    believed = particles.believed
    # [-1, 1] is one side
    to_particle = nearest_distance(centres, particles.position, believed) / 2
    to_object = nearest_distance(particles.position, centres, present) / 2
    near = (to_particle < NEAR) & present
    return {
        "objects": present.sum(1),
        "found": near.sum(1),
        "particles": believed.sum(1),
        "clean": ((to_object < NEAR) & believed).sum(1),
        "distance": to_particle.masked_fill(~near, 0).sum(1),
    }


def measure_places(
    distance: Float[Tensor, "B N K"], allowed: Bool[Tensor, "B N K"], size: tuple[int, int]
) -> Measured:
    """For each picture, the sum of position errors and the number of things placed correctly.

    Things and particles are matched one to one, so that the total distance in pixels is smallest; `allowed`
    says which pairs may be matched. A thing without a particle never counts as placed correctly.
    """
    match = assign(distance, allowed)
    matched = match >= 0
    error = _matched_distance(distance, match)
    sides = error / (max(size) - 1 or 1)
    within = {f"within_{limit}": ((sides <= limit) & matched).sum(1) for limit in PCK}
    return {
        "matched": matched.sum(1),
        "error": (error * matched).sum(1),
        "error_sides": (sides * matched).sum(1),
        **within,
    }


def _pixel_distances(
    centres: Float[Tensor, "B N 2"], position: Float[Tensor, "B K 2"], size: tuple[int, int]
) -> Float[Tensor, "B N K"]:
    # of one unit, as the truth has it
    pixels = (torch.tensor(size, device=position.device) - 1) / 2
    return ((centres[:, :, None] - position[:, None]) * pixels).norm(dim=-1)


def _matched_distance(distance: Float[Tensor, "B N K"], match: Tensor) -> Float[Tensor, "B N"]:
    if not distance.shape[2]:
        return distance.new_zeros(distance.shape[:2])
    return distance.gather(2, match.clamp_min(0).unsqueeze(2)).squeeze(2)


def _score(evidence: Evidence) -> dict[str, Statistic]:
    test = evidence.test
    miscounted = (test["particles"] - test["objects"]).abs()
    return {
        "found": ratio(test["found"], test["objects"]),
        "clean": ratio(test["clean"], test["particles"], if_empty=0.0),
        "distance": ratio(test["distance"], test["found"]),
        "count_error": mean(miscounted.double()),
        "count_right": mean((miscounted == 0).double()),
        "position_error_px": ratio(test["error"], test["matched"]),
        "position_error": ratio(test["error_sides"], test["matched"]),
        **{f"pck@{limit:g}": ratio(test[f"within_{limit}"], test["objects"]) for limit in PCK},
        **(score_boxes(test) if "right" in test else {}),
    }


QUESTION = Question(("particles", "places"), _measure, _score, EXPLAINS | EXPLAINS_BOXES)
