"""One step of a tracker: tracks go on with the particles of a frame, begin with them, or end."""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.gather import take
from motes.ops.points.assignment import taken
from motes.ops.tracks.births import with_births
from motes.ops.tracks.memory import Life, TrackMemory, Traits, learnt, with_steps
from motes.ops.tracks.pairing import TrackingRules, assigned
from motes.ops.tracks.pieces import after_sightings
from motes.ops.tracks.sightings import Sightings
from motes.ops.tracks.smoothing import gains
from motes.types.rows import Rows

# a new track is a thing if it was seen in two frames within the box of no other, where particles of a moment are
# rare, before it was missing in two; so many frames after its first one that is known
DELAY = 2
# a track that is seen in so many frames is a thing though it is always within the box of another
LONG = 10
# share by which a look and a size move to what is seen
RATE = 0.2
# share by which the velocity of a thing within another's box follows what is seen: its place is inexact there
HEED = 0.25
# frames in which the presence of a track that is not found goes to 0
FADES = 4


@dataclass(frozen=True)
class Links(Rows):
    """What one frame of each clip gave to the tracks in M slots."""

    # the number of the particle; -1: the track was not seen
    source: Int[Tensor, "B M"]
    # -1: the slot is free, or its track is lost
    number: Int[Tensor, "B M"]
    centre: Float[Tensor, "B M 2"]
    box: Float[Tensor, "B M 4"]
    confirmed: Bool[Tensor, "B M"]
    # 1 where it is seen or hidden; less by a quarter for each frame in open sight in which it is not found
    presence: Float[Tensor, "B M"]
    # the slot of the track that it is a piece of, or its own
    owner: Int[Tensor, "B M"]


def after_frame(memory: TrackMemory, now: Sightings, rules: TrackingRules) -> tuple[TrackMemory, Links]:
    """The memory after one more frame of each clip, and what the frame gave to each slot."""
    memory = replace(memory, habits=learnt(memory.habits, now, memory.before))
    memory = replace(memory, traits=_predicted(memory.traits))
    source = assigned(memory, now, rules)
    memory = _updated(memory, now, source, rules)
    born = now.sure & ~taken(source, now.centre.shape[1])
    within = _within(now.centre, memory.traits.box, memory.life.confirmed & (source >= 0)).any(2)
    memory, of_new = with_births(memory, now, born, within)
    source = torch.where(of_new < 0, F.pad(source, (0, memory.slots - source.shape[1]), value=-1), of_new)
    life = memory.life
    traits = memory.traits
    pieces = memory.pieces
    if now.has_sizes:
        pieces = after_sightings(pieces, life.number, traits.centre, traits.box, source >= 0)
    links = Links(
        source=source,
        number=torch.where(life.alive, life.number, -1),
        centre=memory.traits.centre,
        box=memory.traits.box,
        confirmed=life.confirmed,
        presence=torch.where(life.hidden, 1, 1 - life.gap / FADES).clamp_min(0),
        owner=pieces.owners(),
    )
    return replace(memory, before=now, pieces=pieces), links


def _predicted(traits: Traits) -> Traits:
    """The traits one frame later, at constant velocity."""
    velocity = traits.velocity
    box = traits.box + torch.cat([velocity, velocity], -1)
    return replace(traits, centre=traits.centre + velocity, box=box)


def _updated(
    memory: TrackMemory, now: Sightings, source: Int[Tensor, "B M"], rules: TrackingRules
) -> TrackMemory:
    """The memory after the tracks were seen, or not; tracks that end leave their slots."""
    is_seen = source >= 0
    memory = _with_sightings(memory, now, source)
    traits = memory.traits
    life = memory.life
    gap = torch.where(is_seen, 0, life.gap + 1)
    sure = is_seen & _of_slots(now.sure, source)
    sightings = life.sightings + sure
    sightings_apart = life.sightings_apart + (sure & ~_behind(traits, is_seen & life.confirmed))
    confirmed = life.confirmed | (sightings_apart >= 2) | (sightings >= LONG)
    hidden = ~is_seen & _behind(traits, is_seen & life.alive)
    lost = (life.lost & ~is_seen) | (gap > torch.where(hidden, rules.hidden_patience, rules.patience))
    over = (lost & (gap > rules.remembered)) | (~confirmed & (gap >= DELAY)) | _outside(traits, now, is_seen)
    number = torch.where(over & ~is_seen, -1, life.number)
    life = Life(
        number, life.age + 1, sightings, sightings_apart, gap, confirmed, hidden, lost & (number >= 0)
    )
    return replace(memory, life=life)


def _with_sightings(memory: TrackMemory, now: Sightings, source: Int[Tensor, "B M"]) -> TrackMemory:
    """The memory with the traits after this frame: those of tracks that were not seen stay as predicted."""
    if not now.centre.shape[1]:
        return memory
    traits = memory.traits
    is_seen = source >= 0
    row = source.clamp_min(0)
    centre = take(now.centre, row)
    box = take(now.box, row)
    around = replace(traits, centre=centre, box=box)
    crowded = _behind(around, is_seen & memory.life.confirmed)
    memory = with_steps(memory, centre, is_seen & ~crowded)
    to_centre, to_velocity = _gains(memory)
    error = centre - traits.centre
    changed = Traits(
        centre=traits.centre + to_centre * error,
        velocity=traits.velocity + torch.where(crowded[..., None], HEED, 1) * to_velocity * error,
        look=traits.look + RATE * (take(now.look, row) - traits.look),
        size=traits.size + RATE * (take(now.size, row) - traits.size),
        box=box,
    )
    return replace(memory, traits=_chosen(is_seen, changed, traits))


def _gains(memory: TrackMemory) -> tuple[Float[Tensor, "B M 1"], Float[Tensor, "B M 1"]]:
    """By how much the place and the velocity of each track follow what is seen."""
    place, velocity = gains(memory.habits.noise)
    count = memory.life.sightings + 1
    # the least squares line through so many places
    first_place = (2 * (2 * count - 1) / (count * (count + 1))).clamp_max(1)
    first_velocity = (6 / (count * (count + 1))).clamp_max(1)
    to_centre = torch.maximum(place[:, None], first_place)
    to_velocity = torch.maximum(velocity[:, None], first_velocity) / (memory.life.gap + 1)
    return to_centre[..., None], to_velocity[..., None]


def _chosen(which: Bool[Tensor, "B M"], changed: Traits, traits: Traits) -> Traits:
    values = changed.tensors()
    return traits.with_tensors(
        {name: torch.where(which[..., None], values[name], value) for name, value in traits.tensors().items()}
    )


def _of_slots(values: Bool[Tensor, "B K"], row: Int[Tensor, "B M"]) -> Bool[Tensor, "B M"]:
    """What belongs to the particle of each slot."""
    if not values.shape[1]:
        return torch.zeros_like(row, dtype=torch.bool)
    return values.gather(1, row.clamp_min(0))


def _behind(traits: Traits, seen: Bool[Tensor, "B M"]) -> Bool[Tensor, "B M"]:
    """Whether each track should be within the box of another, which is seen."""
    inside = _within(traits.centre, traits.box, seen)
    itself = torch.eye(inside.shape[1], dtype=torch.bool, device=inside.device)
    return (inside & ~itself).any(2)


def _within(
    centre: Float[Tensor, "B N 2"], boxes: Float[Tensor, "B M 4"], shown: Bool[Tensor, "B M"]
) -> Bool[Tensor, "B N M"]:
    """Whether each place is within each of the boxes that are shown."""
    corner = centre[:, :, None] + 0.5
    box = boxes[:, None]
    return ((corner >= box[..., :2]) & (corner <= box[..., 2:])).all(-1) & shown[:, None]


def _outside(traits: Traits, now: Sightings, seen: Bool[Tensor, "B M"]) -> Bool[Tensor, "B M"]:
    """Whether each track has left the picture by more than half of its size."""
    limit = traits.centre.new_tensor(now.canvas)
    half = (traits.box[..., 2:] - traits.box[..., :2]) / 2
    centre = traits.centre + 0.5
    return ((centre < -half) | (centre > limit + half)).any(-1) & ~seen
