"""Which particle of a frame belongs to which track: the cheapest pairs, in three rounds.

A pair costs its distance, in gates, from where the track should be at constant velocity, and more if the look or
the size differ. The pairs of a round have the least total cost (the Hungarian method). First, particles that the
model is sure of go to tracks that are alive. Second, particles that it doubts go to tracks that found none, as in
ByteTrack (https://arxiv.org/abs/2110.06864). Last, what is left of the sure ones goes to tracks that were lost, by
their look.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.points.assignment import assign, taken, times_taken
from motes.ops.tracks.memory import TrackMemory
from motes.ops.tracks.sightings import Sightings

# a track takes doubtful particles only if the model was sure of it in so many of its frames
TRUSTED = 0.85
# the gate of a track that was not seen in the frame before is larger by this factor
WIDER = 1.5
# the gate of a lost track grows by this share with each frame
SPREADS = 0.25


@dataclass(frozen=True)
class TrackingRules:
    """Weights of costs, in which a gate is 1, and times in frames.

    A gate is how far from where it should be a thing is looked for.
    """

    # cost of a look that differs by one standard deviation in every number
    look: float = 0.5
    # cost of a size that differs by a factor e along both sides
    size: float = 0.5
    # cost of a pair with a track that is not confirmed yet
    young: float = 0.3
    # no pair costs more than this: the particle and the track are left alone instead
    most: float = 1.5
    # a track is shown for so long without being seen, in open sight and behind something
    patience: int = 4
    hidden_patience: int = 10
    # and may be found again for so long, if its look differs by no more than this
    remembered: int = 30
    alike: float = 0.7


def assigned(memory: TrackMemory, now: Sightings, rules: TrackingRules) -> Int[Tensor, "B M"]:
    """The particle that each slot is given, or -1."""
    life = memory.life
    gate = _gate(memory, now)[:, None, None]
    distance = torch.cdist(memory.traits.centre, now.centre) / gate
    unlike = _unlike(memory, now)
    resized = (memory.traits.size[:, :, None] - now.size[:, None]).norm(dim=-1) / 2**0.5
    cost = distance + rules.look * unlike + rules.size * resized
    cost = cost + rules.young * ~life.confirmed[..., None]
    near = distance < torch.where(life.gap > 0, WIDER, 1.0)[..., None]
    source = torch.full_like(life.number, -1)
    source = _round(source, cost, near & life.alive[..., None] & now.sure[:, None], rules.most)
    trusted = life.alive & (life.sightings + 1 > TRUSTED * (life.age + 2))
    source = _round(source, cost, near & trusted[..., None] & now.doubtful[:, None], rules.most)
    # as far as it may have gone since
    reach = 1 + SPREADS * life.gap[..., None]
    similar = (distance < reach) & (unlike < rules.alike) & life.lost[..., None]
    similar = similar & now.sure[:, None]
    return _round(source, distance / reach + unlike, similar, torch.inf)


def _gate(memory: TrackMemory, now: Sightings) -> Float[Tensor, "B"]:
    """How far from where it should be a thing is looked for, in pixels."""
    return (3 * memory.habits.usual_step).clamp_min(now.window / 2)


def _unlike(memory: TrackMemory, now: Sightings) -> Float[Tensor, "B M K"]:
    """How much looks differ, in standard deviations of all looks: the root mean square over their numbers."""
    spread = memory.habits.look_spread[:, None]
    features = max(now.look.shape[2], 1)
    return torch.cdist(memory.traits.look / spread, now.look / spread) / features**0.5


def _round(
    source: Int[Tensor, "B M"],
    cost: Float[Tensor, "B M K"],
    allowed: Bool[Tensor, "B M K"],
    most: float,
) -> Int[Tensor, "B M"]:
    """The particles of the slots, after those that have none yet were given what is still free."""
    free = allowed & (source < 0)[..., None] & ~taken(source, cost.shape[2])[:, None] & (cost < most)
    if not free.any():
        return source
    return torch.where(source < 0, _cheapest(cost, free, most), source)


def _cheapest(
    cost: Float[Tensor, "B M K"], allowed: Bool[Tensor, "B M K"], most: float
) -> Int[Tensor, "B M"]:
    """The pairs of the least total cost, where each slot that is left alone costs `most`; -1 for those."""
    limit = most if most < torch.inf else float(cost[allowed].max()) * cost.shape[1] + 1
    price = torch.where(allowed, cost, limit)
    best = price.min(2)
    choice = torch.where(best.values < limit, best.indices, -1)
    # most frames are simple: no two slots want the same particle
    disputed = times_taken(choice, cost.shape[2]).amax(1) > 1
    if disputed.any():
        column = assign(price[disputed], torch.ones_like(allowed[disputed]))
        cheap = price[disputed].gather(2, column.clamp_min(0)[..., None])[..., 0] < limit
        choice[disputed] = torch.where((column >= 0) & cheap, column, -1)
    return choice
