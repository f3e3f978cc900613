"""The given frames of a prediction as they would have been, had the last of them been as somebody edited it."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from motes.ops.points.assignment import assign
from motes.types.clips import ParticleClip
from motes.types.latents import Particles

# halves of the picture: a thing that is followed and a particle of the last frame are one and the same within this distance
NEAR = 0.2


def with_changed_start(
    clip: ParticleClip, before: Particles, after: Particles, copies: Mapping[int, int | None]
) -> ParticleClip:
    """One clip, given the particles of its last frame before and after an edit, a row each.

    A thing that was moved has come the same way beside its own, so that its velocity is what it was; a look or a
    size that was changed was so all the while. A copy moves as its origin does, and one from elsewhere stands still:
    `copies` are the particles that are copies, each with its origin if that is in the same picture. Boxes are not
    known any more.
    """
    slots = _slots_of(clip, before)
    clip = replace(clip, box=None, whole=None)
    left = set(range(clip.particles.count))
    for particle in range(after.count):
        is_known = particle < before.count
        is_there = bool(after.presence[0, particle] > 0.5)
        slot = slots.get(particle)
        is_changed = not is_known or _differs(before, after, particle)
        if not is_changed:
            continue
        if slot is not None and (particle in copies or not is_there):
            left.discard(slot)
        if slot is not None and is_there and particle not in copies:
            clip = _changed(clip, slot, before[:1], after[:1], particle)
        elif is_there:
            origin = copies.get(particle)
            left.add(clip.particles.count)
            clip = _added(clip, after, particle, None if origin is None else slots.get(origin))
    changed = {"background": after.background.expand_as(clip.particles.background)}
    if after.bypass is not None and clip.particles.bypass is not None:
        changed["bypass"] = after.bypass.expand_as(clip.particles.bypass)
    return replace(clip, particles=clip.particles.with_tensors(changed)).only(sorted(left)).with_slots(1)


def _slots_of(clip: ParticleClip, last: Particles) -> dict[int, int]:
    """The slot of the thing that each particle of the last frame is."""
    newest = clip.window(clip.frames - 1, 1)
    distance = torch.cdist(last.position, newest.particles.position)
    allowed = (last.presence > 0.5)[:, :, None] & (newest.track >= 0)[:, None] & (distance < NEAR)
    slots = enumerate(assign(distance, allowed)[0].tolist())
    return {particle: slot for particle, slot in slots if slot >= 0}


def _differs(before: Particles, after: Particles, particle: int) -> bool:
    parts = after.per_particle()
    return any(
        not torch.equal(value[0, particle], parts[name][0, particle])
        for name, value in before.per_particle().items()
        if name in parts
    )


def _changed(
    clip: ParticleClip, slot: int, before: Particles, after: Particles, particle: int
) -> ParticleClip:
    old, new = before.per_particle(), after.per_particle()
    changed = {}
    for name, value in clip.particles.per_particle().items():
        if not torch.equal(old[name][0, particle], new[name][0, particle]):
            changed[name] = value.clone()
            changed[name][:, slot] = new[name][0, particle]
    position = clip.particles.position.clone()
    position[:, slot] += after.position[0, particle] - before.position[0, particle]
    return replace(clip, particles=clip.particles.with_tensors({**changed, "position": position}))


def _added(clip: ParticleClip, after: Particles, particle: int, origin: int | None) -> ParticleClip:
    """The clip with one slot more, behind all others."""
    slot = clip.particles.count
    place = after.position[0, particle]
    clip = clip.with_slots(slot + 1)
    new = after.per_particle()
    changed = {}
    for name, value in clip.particles.per_particle().items():
        changed[name] = value.clone()
        changed[name][:, slot] = new[name][0, particle]
    track, source = clip.track.clone(), clip.source.clone()
    is_there = torch.ones_like(track[:, 0], dtype=torch.bool)
    if origin is not None:
        way = clip.particles.position[:, origin]
        changed["position"][:, slot] = _beside(way, place)
        is_there = track[:, origin] == track[-1, origin]
    track[:, slot] = torch.where(is_there, track.max() + 1, -1)
    source[:, slot] = torch.where(is_there, particle, -1)
    return replace(clip, particles=clip.particles.with_tensors(changed), track=track, source=source)


def _beside(way: Float[Tensor, "T 2"], place: Float[Tensor, "2"]) -> Float[Tensor, "T 2"]:
    """The same way, so that it ends at this place."""
    return way + (place - way[-1])
