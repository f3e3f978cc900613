"""Finds which particle changed between two pictures, and makes the same change to other particles."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from motes.errors import UserError
from motes.ops.points.interpolation import matched
from motes.types.latents import Particles


def largest_changes(before: Particles, after: Particles) -> tuple[dict[str, Tensor], list[int]]:
    """For each pair of pictures, the change of the particle that changed most, as name of a part -> changes.

    Changes are compared in units of the particles' spread. The second result lists the numbers of the pairs
    that have such a particle.
    """
    parts = {name: part for name, part in _changeable(before).items() if part.numel()}
    spread = {name: part.flatten(0, 1).std(0).clamp_min(1e-6) for name, part in parts.items()}
    changes: list[dict[str, Tensor]] = []
    pairs: list[int] = []
    for number in range(len(before)):
        matches = _matched_changes(before[number], after[number], list(parts))
        if matches is not None:
            largest = _sizes(matches, spread).argmax()
            changes.append({name: change[largest] for name, change in matches.items()})
            pairs.append(number)
    if not pairs:
        raise UserError(
            "no particle is there before and after, in no pair; train the model longer, or give other pairs"
        )
    return {name: torch.stack([change[name] for change in changes]) for name in parts}, pairs


def change_particles(
    latent: Particles,
    step: Mapping[str, Tensor],
    strength: float | Tensor,
    particle: int | Int[Tensor, "B"] | None,
) -> Particles:
    """The latent with `strength` times the change `step` made to one particle of each picture, or to all."""
    parts = _changeable(latent)
    _refuse_others(step, parts)
    strength = torch.as_tensor(strength, dtype=latent.position.dtype, device=latent.position.device)
    weight = _chosen(latent, particle) * strength.expand(len(latent))[:, None]
    steps = {name: expanded(weight, parts[name]) * change for name, change in step.items()}
    log_factor = steps.pop("log_scale", None)
    moved = {name: parts[name] + change for name, change in steps.items()}
    if "presence" in moved:
        moved["presence"] = moved["presence"].clamp(0, 1)
    changed = replace(latent, **moved)
    if latent.extent is None or log_factor is None:
        return changed
    return replace(changed, extent=replace(latent.extent, scale=latent.extent.scale * log_factor.exp()))


def expanded(weight: Tensor, part: Tensor) -> Tensor:
    """The weight with axes of length 1 appended, so that it can be multiplied by the part."""
    return weight.reshape(*weight.shape, *[1] * (part.dim() - weight.dim()))


def _changeable(latent: Particles) -> dict[str, Float[Tensor, "B K ..."]]:
    """What of each particle a direction may change, by name; sizes change by factors."""
    parts = {"position": latent.position, "features": latent.features, "presence": latent.presence}
    return parts if latent.extent is None else {**parts, "log_scale": latent.extent.scale.log()}


def _refuse_others(step: Mapping[str, Tensor], parts: Mapping[str, Tensor]) -> None:
    if step.keys() - parts.keys() == {"log_scale"}:
        raise UserError("this direction changes sizes, and all particles of this model are of one size")
    if unknown := step.keys() - parts.keys():
        raise UserError(
            f"this direction changes the {' and the '.join(sorted(unknown))} of a code, not particles"
        )


def _matched_changes(
    before: Particles, after: Particles, names: Sequence[str]
) -> dict[str, Float[Tensor, "k ..."]] | None:
    """The changes of the particles of a pair that have a counterpart in the other picture; None if no
    particle has."""
    match = matched(before, after)
    rows = (match >= 0).nonzero()[:, 0]
    if not len(rows):
        return None
    start = _changeable(before)
    end = _changeable(after)
    return {name: end[name][0, match[rows]] - start[name][0, rows] for name in names}


def _sizes(changes: Mapping[str, Tensor], spread: Mapping[str, Tensor]) -> Float[Tensor, "k"]:
    """The squared size of each particle's change, in units of the particles' spread."""
    scaled = [(change / spread[name]).reshape(len(change), -1) for name, change in changes.items()]
    start = torch.zeros(1).to(scaled[0].device)
    return sum((change.square().sum(1) for change in scaled), start)


def _chosen(latent: Particles, particle: int | Tensor | None) -> Float[Tensor, "B K"]:
    """1 for the particle of this number in each picture and 0 for all others; 1 for all if the number is
    None."""
    everywhere = torch.ones_like(latent.presence)
    if particle is None:
        return everywhere
    index = torch.as_tensor(particle, device=everywhere.device).expand(len(latent))
    if int(index.max()) >= latent.count:
        raise UserError(f"there is no particle {int(index.max())}; this picture has {latent.count}")
    return torch.zeros_like(everywhere).scatter(1, index[:, None], 1.0)
