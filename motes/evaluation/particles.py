"""Do the particles lie where the things are? Over the particles that `confident()` leaves with presence above 1/2."""

from jaxtyping import Bool, Float
from torch import Tensor

from motes.ops.matching import nearest_distance
from motes.ops.types import Particles

NEAR = 0.1  # of the picture's side


def particle_counts(particles: Particles, centres: Float[Tensor, "B N 2"], present: Bool[Tensor, "B N"]) -> dict[str, Tensor]:
    """Sums of each picture, from which all scores follow; distances in picture sides ([-1, 1] is one side)."""
    there = particles.confident().presence > 0.5
    to_particle = nearest_distance(centres, particles.position, there) / 2
    to_object = nearest_distance(particles.position, centres, present) / 2
    near = (to_particle < NEAR) & present
    return {
        "objects": present.sum(1),
        "found": near.sum(1),
        "particles": there.sum(1),
        "clean": ((to_object < NEAR) & there).sum(1),
        "distance": to_particle.masked_fill(~near, 0).sum(1),
    }


def particle_scores(counts: dict[str, Tensor]) -> dict[str, float]:
    """found: objects with a particle near; clean: particles near an object; distance of the found; |particles - objects| a picture."""
    total = {key: float(value.sum()) for key, value in counts.items()}
    return {
        "found": total["found"] / max(total["objects"], 1),
        "clean": total["clean"] / max(total["particles"], 1) if total["particles"] else 0.0,
        "distance": total["distance"] / max(total["found"], 1),
        "count_error": float((counts["particles"] - counts["objects"]).abs().float().mean()),
    }
