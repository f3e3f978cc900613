"""Interpolates between the particles of two pictures, and finds which particle becomes which."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from motes.ops.points.assignment import assign
from motes.types.latents import Particles
from motes.types.rows import Rows

LOOK = 0.25  # weight of one standard deviation of the features against half a picture


def interpolate_particles(first: Particles, second: Particles, share: float) -> Particles:
    """Particles between those of two pictures, `share` 0 being the first and 1 the second; batches of one.

    Particles that are present in one picture alone fade in or out in place.
    """
    return first if share == 0 else blend(first, counterpart(first, second), share)


def blend(first: Rows, second: Rows, share: float) -> Any:
    """Two latents of the same kind, blended number by number; particle k becomes particle k.

    Values that are not real numbers, such as classes, are taken from the first. A field that is missing in
    one of the two is missing in the blend.
    """
    values = {
        field.name: (getattr(first, field.name), getattr(second, field.name)) for field in fields(first)
    }
    return replace(first, **{name: _blended(*ends, share) for name, ends in values.items()})


def _blended(first: Any, second: Any, share: float) -> Any:
    """The blend of one field of two latents."""
    if first is None or second is None:
        return None
    if isinstance(first, Rows):
        return blend(first, second, share)
    if isinstance(first, Mapping):
        return {name: _blended(value, second.get(name), share) for name, value in first.items()}
    is_real = isinstance(first, Tensor) and first.is_floating_point()
    return first.lerp(second, share) if is_real else first


def counterpart(first: Particles, second: Particles) -> Particles:
    """`second` in the order of `first`: matched particles get the number of their match.

    The others, newcomers, get numbers that no particle needs.
    """
    match = matched(first, second)
    _seat_newcomers(match, first, second)
    stays = (match < 0)[None]
    rows = match.clamp_min(0)
    bypass = first.bypass if second.bypass is None else second.bypass
    theirs = second.per_particle()
    ordered = {
        name: torch.where(stays if ours.dim() == 2 else stays[..., None], ours, theirs[name][:, rows])
        for name, ours in first.per_particle().items()
        if name in theirs
    }
    ordered["presence"] = ordered["presence"].masked_fill(stays, 0)
    return replace(first, background=second.background, bypass=bypass).with_tensors(ordered)


def _seat_newcomers(match: Int[Tensor, "K"], first: Particles, second: Particles) -> None:
    """Give each newcomer of `second` the number of an absent, unmatched particle of `first`; `match` changes
    in place."""
    present = (first.presence[0] > 0.5).tolist()
    taken = set(match[match >= 0].tolist())
    newcomers = [j for j in (second.presence[0] > 0.5).nonzero()[:, 0].tolist() if j not in taken]
    free = [k for k in range(first.count) if match[k] < 0 and not present[k]]
    for k, j in zip(free, newcomers, strict=False):
        match[k] = j


def matched(first: Particles, second: Particles) -> Int[Tensor, "K"]:
    """The number of the particle of `second` that each particle of `first` becomes, or -1.

    Matched particles are near in position and features, and both are present.
    """
    distance = torch.cdist(first.position, second.position)
    if first.features.shape[-1]:
        distance = distance + _look_distance(first.features, second.features)
    allowed = (first.presence > 0.5)[:, :, None] & (second.presence > 0.5)[:, None]
    return assign(distance, allowed)[0]


def _look_distance(
    features: Float[Tensor, "B K F"], others: Float[Tensor, "B M F"]
) -> Float[Tensor, "B K M"]:
    """The distance of features for each pair of particles: root mean square, in standard deviations, times
    LOOK."""
    scale = torch.cat([features, others], 1).std(1, correction=0, keepdim=True).clamp_min(1e-6)
    return LOOK * torch.cdist(features / scale, others / scale) / features.shape[-1] ** 0.5
