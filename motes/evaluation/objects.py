"""Do the particles lie where the things are? Over the particles that `confident()` leaves with presence
above 1/2."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.evaluation.boxes import has_boxes, judge_boxes, look_at_boxes
from motes.evaluation.intervals import Statistic, mean, ratio
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.ops.points.assignment import assign
from motes.ops.points.matching import nearest_distance
from motes.types.latents import Particles

NEAR = 0.1  # of the picture's side
PCK = (0.02, 0.05, 0.1)  # distances in picture sides within which a thing counts as correctly placed


def look(encoded: EncodedBatch) -> Measured:
    assert encoded.truth is not None and encoded.centres is not None
    found = nearness(encoded.latent, encoded.centres, encoded.truth.present)
    found |= matched_places(
        encoded.latent.position, encoded.believed, encoded.centres, encoded.truth.present, encoded.size
    )
    return found | (look_at_boxes(encoded) if has_boxes(encoded) else {})


def nearness(particles: Particles, centres: Float[Tensor, "B N 2"], present: Bool[Tensor, "B N"]) -> Measured:
    """Sums of each picture, several particles to a thing or several things to a particle; distances in
    picture sides."""
    there = particles.confident().presence > 0.5
    to_particle = nearest_distance(centres, particles.position, there) / 2  # [-1, 1] is one side
    to_object = nearest_distance(particles.position, centres, present) / 2
    near = (to_particle < NEAR) & present
    return {
        "objects": present.sum(1),
        "found": near.sum(1),
        "particles": there.sum(1),
        "clean": ((to_object < NEAR) & there).sum(1),
        "distance": to_particle.masked_fill(~near, 0).sum(1),
    }


def matched_places(
    position: Float[Tensor, "B K 2"],
    there: Bool[Tensor, "B K"],
    centres: Float[Tensor, "B N 2"],
    present: Bool[Tensor, "B N"],
    size: tuple[int, int],
) -> Measured:
    """Sums of each picture, one particle to a thing at the least total distance in pixels; a thing without
    one is never placed right."""
    pixels = (torch.tensor(size, device=position.device) - 1) / 2  # of one unit, as the truth has it
    apart = ((centres[:, :, None] - position[:, None]) * pixels).norm(dim=-1)
    match = assign(apart, present[:, :, None] & there[:, None])
    matched = match >= 0
    error = (
        apart.gather(2, match.clamp_min(0)[..., None])[..., 0]
        if position.shape[1]
        else torch.zeros_like(centres[..., 0])
    )
    sides = error / (max(size) - 1 or 1)
    found = {
        "matched": matched.sum(1),
        "error": (error * matched).sum(1),
        "error_sides": (sides * matched).sum(1),
    }
    return found | {f"within_{within}": ((sides <= within) & matched).sum(1) for within in PCK}


def judge(evidence: Evidence) -> dict[str, Statistic]:
    """found: things with a particle near; clean: particles near a thing; distance of the found; |particles -
    things| a picture."""
    test = evidence.test
    miscounted = (test["particles"] - test["objects"]).abs()
    return {
        "found": ratio(test["found"], test["objects"]),
        "clean": ratio(test["clean"], test["particles"], of_nothing=0.0),
        "distance": ratio(test["distance"], test["found"]),
        "count_error": mean(miscounted.double()),
        "count_right": mean((miscounted == 0).double()),
        "position_error_px": ratio(test["error"], test["matched"]),
        "position_error": ratio(test["error_sides"], test["matched"]),
        **{f"pck@{within:g}": ratio(test[f"within_{within}"], test["objects"]) for within in PCK},
        **(judge_boxes(test) if "right" in test else {}),
    }


QUESTION = Question(("particles", "places"), look, judge)
