"""`TrackMemory`: what a tracker knows of the tracks of each clip after the frames so far."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.tracks.pieces import Pieces
from motes.ops.tracks.sightings import Sightings
from motes.types.clips import with_more_slots
from motes.types.rows import Rows

# changes of steps after which their correlation is half believed
PATIENT = 20


@dataclass(frozen=True)
class Life(Rows):
    """How long the track in each of M slots has lived, and whether it still does."""

    # the number of the track, counted in each clip; -1: the slot is free
    number: Int[Tensor, "B M"]
    # frames since the first one
    age: Int[Tensor, "B M"]
    # frames in which the model was sure of it, and those of them in which it was within the box of no other
    sightings: Int[Tensor, "B M"]
    sightings_apart: Int[Tensor, "B M"]
    # frames since it was last seen
    gap: Int[Tensor, "B M"]
    # it was seen often enough to be a thing, and not a moment's error
    confirmed: Bool[Tensor, "B M"]
    # it is expected behind something that is seen
    hidden: Bool[Tensor, "B M"]
    # it has been missing for too long to be shown, but may be found again
    lost: Bool[Tensor, "B M"]

    @property
    def alive(self) -> Bool[Tensor, "B M"]:
        return (self.number >= 0) & ~self.lost


@dataclass(frozen=True)
class Traits(Rows):
    """Where the thing in each slot is, and what it looks like."""

    # in pixels; of a thing that is not seen, where it should be by its velocity
    centre: Float[Tensor, "B M 2"]
    # pixels a frame
    velocity: Float[Tensor, "B M 2"]
    look: Float[Tensor, "B M F"]
    # logarithm of the scale
    size: Float[Tensor, "B M 2"]
    # around what was visible, moved along with the place
    box: Float[Tensor, "B M 4"]


@dataclass(frozen=True)
class Steps(Rows):
    """The places of each thing as they were seen in the last frames, not smoothed."""

    # frames without a gap in which it was seen and stood apart from others, up to this one
    streak: Int[Tensor, "B M"]
    # in pixels
    last: Float[Tensor, "B M 2"]
    # from the place before to the last one, and how that changed
    step: Float[Tensor, "B M 2"]
    change: Float[Tensor, "B M 2"]


@dataclass(frozen=True)
class Habits(Rows):
    """How looks differ and how far things move, over all frames of a clip so far."""

    # particles seen
    count: Float[Tensor, "B 1"]
    # sums of looks, of their squares, and of their variances
    look: Float[Tensor, "B F"]
    square: Float[Tensor, "B F"]
    variance: Float[Tensor, "B F"]
    # frames that had particles, as the one before had, and the sum over them of the median step
    steps: Float[Tensor, "B"]
    step: Float[Tensor, "B"]
    # sums, over things and frames, of 1, of the square of the change of a step, and of its product with that of
    # the frame before
    changes: Float[Tensor, "B"]
    change: Float[Tensor, "B"]
    change_product: Float[Tensor, "B"]

    @property
    def noise(self) -> Float[Tensor, "B"]:
        """The share of the changes of steps that is error of places, and no true change of velocity.

        Errors that are independent from frame to frame make neighbouring changes differ: their correlation is
        -2/3. True changes are taken for uncorrelated.
        """
        share = -1.5 * self.change_product / self.change.clamp_min(1e-12)
        # few changes tell little
        return (share * self.changes / (self.changes + PATIENT)).clamp(0, 1)

    @property
    def look_spread(self) -> Float[Tensor, "B F"]:
        """The standard deviation of each number of a look, at least that which the model gives it."""
        count = self.count.clamp_min(1)
        among = self.square / count - (self.look / count).square()
        return (among.clamp_min(0) + self.variance / count).clamp_min(1e-12).sqrt()

    @property
    def usual_step(self) -> Float[Tensor, "B"]:
        """The mean over frames of the median distance from a particle to the nearest in the frame before."""
        return self.step / self.steps.clamp_min(1)


@dataclass(frozen=True)
class TrackMemory(Rows):
    """The tracks of B clips in M slots; slots are added when they are needed."""

    life: Life
    traits: Traits
    steps: Steps
    habits: Habits
    pieces: Pieces
    # the number of the next track
    following: Int[Tensor, "B"]
    # the frame before, None at the start
    before: Sightings | None = None

    @classmethod
    def of_nothing(cls, sightings: Sightings) -> "TrackMemory":
        """The memory before the first frame of clips."""
        batch = len(sightings)
        device = sightings.centre.device
        nothing = torch.zeros(batch, 0, dtype=torch.int64, device=device)
        life = Life(
            nothing, nothing, nothing, nothing, nothing, nothing.bool(), nothing.bool(), nothing.bool()
        )
        none = sightings.centre.new_zeros(batch, 0, 2)
        look = sightings.look.new_zeros(batch, sightings.look.shape[2])
        per_clip = look.new_zeros(batch)
        return cls(
            life,
            Traits(none, none, look.new_zeros(batch, 0, look.shape[1]), none, none.new_zeros(batch, 0, 4)),
            Steps(nothing, none, none, none),
            Habits(per_clip[:, None], look, look, look, *[per_clip] * 5),
            Pieces.of_nothing(none),
            torch.zeros(batch, dtype=torch.int64, device=device),
        )

    @property
    def slots(self) -> int:
        return self.life.number.shape[1]

    def with_room(self, births: int) -> "TrackMemory":
        """The same memory with at least so many free slots in every clip."""
        free = (self.life.number < 0).sum(1)
        more = max(births - int(free.min()), 0) if len(free) else births
        if not more:
            return self
        life = self.life.mapped(lambda value: with_more_slots(value, more, 0))
        life = replace(life, number=with_more_slots(self.life.number, more, -1))
        traits = self.traits.mapped(lambda value: with_more_slots(value, more, 0))
        steps = self.steps.mapped(lambda value: with_more_slots(value, more, 0))
        pieces = self.pieces.with_slots(life.number.shape[1])
        return replace(self, life=life, traits=traits, steps=steps, pieces=pieces)


def learnt(habits: Habits, now: Sightings, before: Sightings | None) -> Habits:
    """The habits after one more frame."""
    weight = now.sure[..., None].to(now.look.dtype)
    steps = habits.steps
    step = habits.step
    if before is not None and now.centre.shape[1] and before.centre.shape[1]:
        distance = torch.cdist(now.centre, before.centre).masked_fill(~before.sure[:, None], torch.inf)
        nearest = distance.amin(2).masked_fill(~now.sure, torch.nan)
        median = nearest.masked_fill(nearest.isinf(), torch.nan).nanmedian(1).values
        steps = steps + ~median.isnan()
        step = step + median.nan_to_num(0)
    return replace(
        habits,
        count=habits.count + weight.sum(1),
        look=habits.look + (weight * now.look).sum(1),
        square=habits.square + (weight * now.look.square()).sum(1),
        variance=habits.variance + (weight * now.look_variance).sum(1),
        steps=steps,
        step=step,
    )


def with_steps(
    memory: TrackMemory, centre: Float[Tensor, "B M 2"], is_clear: Bool[Tensor, "B M"]
) -> TrackMemory:
    """The memory after things were seen at these centres, where it is clear that they were."""
    steps = memory.steps
    habits = memory.habits
    streak = torch.where(is_clear, steps.streak + 1, 0)
    step = centre - steps.last
    change = step - steps.step
    known = ((streak >= 4)[..., None] * change).double()
    habits = replace(
        habits,
        changes=habits.changes + (streak >= 4).sum(1),
        change=habits.change + known.square().sum((1, 2)).float(),
        change_product=habits.change_product + (known * steps.change).sum((1, 2)).float(),
    )
    return replace(memory, steps=Steps(streak, centre, step, change), habits=habits)
