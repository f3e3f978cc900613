"""Tracks that begin: each particle that no track took gets a slot of its own."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from motes.ops.gather import take
from motes.ops.tracks.memory import Life, Steps, TrackMemory, Traits
from motes.ops.tracks.sightings import Sightings


def with_births(
    memory: TrackMemory, now: Sightings, born: Bool[Tensor, "B K"], within: Bool[Tensor, "B K"]
) -> tuple[TrackMemory, Int[Tensor, "B m"]]:
    """The memory with a track for each particle that is born, and the particle of each new slot, else -1.

    `within` marks the particles within the box of another track. Tracks of the first frame are confirmed at
    once.
    """
    births = int(born.sum(1).max()) if born.numel() else 0
    memory = memory.with_room(births)
    if not births:
        return memory, torch.full_like(memory.life.number, -1)
    free = memory.life.number < 0
    # the n-th birth goes to the n-th free slot
    turn = free.cumsum(1)
    new = free & (turn <= born.sum(1, keepdim=True))
    in_order = (~born).to(torch.uint8).argsort(dim=1, stable=True)
    source = in_order.gather(1, (turn - 1).clamp(0, born.shape[1] - 1))
    number = memory.following[:, None] + turn - 1
    is_first = memory.before is None
    memory = replace(
        memory,
        life=_begun(memory.life, new, number, ~within.gather(1, source), is_first),
        traits=_first_traits(memory.traits, now, new, source),
        steps=_first_steps(memory.steps, now, new, source),
        following=memory.following + born.sum(1),
    )
    return memory, source.where(new, -1)


def _begun(
    life: Life,
    new: Bool[Tensor, "B M"],
    number: Int[Tensor, "B M"],
    apart: Bool[Tensor, "B M"],
    is_first: bool,
) -> Life:
    return Life(
        number=torch.where(new, number, life.number),
        age=torch.where(new, 0, life.age),
        sightings=torch.where(new, 1, life.sightings),
        sightings_apart=torch.where(new, apart.long(), life.sightings_apart),
        gap=torch.where(new, 0, life.gap),
        confirmed=torch.where(new, is_first, life.confirmed),
        hidden=life.hidden & ~new,
        lost=life.lost & ~new,
    )


def _first_traits(
    traits: Traits, now: Sightings, new: Bool[Tensor, "B M"], source: Int[Tensor, "B M"]
) -> Traits:
    """The traits of new tracks are those of their particles; they stand still at first."""
    fresh = {
        "centre": take(now.centre, source),
        "velocity": torch.zeros_like(traits.velocity),
        "look": take(now.look, source),
        "size": take(now.size, source),
        "box": take(now.box, source),
    }
    old = traits.tensors()
    return Traits(**{name: torch.where(new[..., None], value, old[name]) for name, value in fresh.items()})


def _first_steps(steps: Steps, now: Sightings, new: Bool[Tensor, "B M"], source: Int[Tensor, "B M"]) -> Steps:
    streak = torch.where(new, 1, steps.streak)
    return replace(
        steps, streak=streak, last=torch.where(new[..., None], take(now.centre, source), steps.last)
    )
