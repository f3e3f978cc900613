"""From one picture's particles to another's: who becomes whom, and everything in between."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from motes.ops.points.assignment import assign
from motes.types.latents import Particles
from motes.types.rows import Rows

LOOK = 0.25  # what a whole standard deviation of the looks counts against half a picture


def between(one: Particles, other: Particles, share: float) -> Particles:
    """A picture's particles on the way to another's, 0 to 1; batches of one. Who is there in one alone fades
    where it is."""
    return one if share == 0 else blend(one, counterpart(one, other), share)


def blend(one: Rows, other: Rows, share: float) -> Any:
    """Two latents of one kind, number by number: of particles the k-th becomes the k-th.

    What is no real number, such as a class, stays that of the first. What one of them lacks, the blend lacks.
    """
    values = {field.name: (getattr(one, field.name), getattr(other, field.name)) for field in fields(one)}
    return replace(one, **{name: _blended(first, second, share) for name, (first, second) in values.items()})


def _blended(first: Any, second: Any, share: float) -> Any:
    if first is None or second is None:
        return None
    if isinstance(first, Mapping):
        return {name: _blended(value, second.get(name), share) for name, value in first.items()}
    is_real = isinstance(first, Tensor) and first.is_floating_point()
    return first.lerp(second, share) if is_real else first


def counterpart(one: Particles, other: Particles) -> Particles:
    """`other` in the order of `one`: each of its particles where its match is, newcomers in places that
    nobody needs."""
    match = matched(one, other)
    here = one.presence[0] > 0.5
    there = other.presence[0] > 0.5
    taken = set(match[match >= 0].tolist())
    newcomers = [j for j in there.nonzero()[:, 0].tolist() if j not in taken]
    free = [k for k in range(one.count) if match[k] < 0 and not here[k]]
    for k, j in zip(free, newcomers, strict=False):
        match[k] = j
    stays = (match < 0)[None]
    rows = match.clamp_min(0)
    found = replace(
        one, background=other.background, bypass=one.bypass if other.bypass is None else other.bypass
    )
    for name in ("position", "log_variance", "features", "feature_log_variance", "presence", "certainty"):
        mine = getattr(one, name)
        theirs = getattr(other, name)
        if mine is not None and theirs is not None:
            kept = stays if mine.dim() == 2 else stays[..., None]
            found = replace(found, **{name: torch.where(kept, mine, theirs[:, rows])})
    return replace(found, presence=torch.where(stays, torch.zeros_like(found.presence), found.presence))


def matched(one: Particles, other: Particles) -> Int[Tensor, "K"]:
    """The particle of `other` that each one of `one` becomes, -1 where none: near in place and look, of
    those that are there."""
    far = torch.cdist(one.position, other.position)
    if one.features.shape[-1]:
        scale = (
            torch.cat([one.features, other.features], 1).std(1, correction=0, keepdim=True).clamp_min(1e-6)
        )
        far = (
            far
            + LOOK * torch.cdist(one.features / scale, other.features / scale) / one.features.shape[-1] ** 0.5
        )
    allowed = (one.presence > 0.5)[:, :, None] & (other.presence > 0.5)[:, None]
    return assign(far, allowed)[0]
