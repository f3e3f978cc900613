"""Moments of clips from which predictions start: what is given, and which particle is which true thing."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.evaluation.clips.tracks import by_clip, diameters
from motes.evaluation.question import GIVEN, EncodedBatch
from motes.models.middles import middle_pixels
from motes.ops.points.assignment import assign
from motes.ops.points.pixels import pixels_of_points
from motes.types.clips import ParticleClip


@dataclass(frozen=True)
class TrueObjects:
    """The n true things of B clips of T frames."""

    # in pixels
    centre: Float[Tensor, "B T n 2"]
    present: Bool[Tensor, "B T n"]
    # in pixels
    diameter: Float[Tensor, "B T n"]
    # whether it has hit another since the frame before; None where the data do not know
    hit: Bool[Tensor, "B T n"] | None

    @classmethod
    def of(cls, encoded: EncodedBatch) -> "TrueObjects | None":
        """None where the data do not know places."""
        if encoded.centres is None or encoded.truth is None:
            return None
        collisions = encoded.truth.scene.get("collisions")
        return cls(
            centre=by_clip(encoded, pixels_of_points(encoded.centres, encoded.size)),
            present=by_clip(encoded, encoded.truth.present),
            diameter=by_clip(encoded, diameters(encoded)),
            hit=None if collisions is None else by_clip(encoded, collisions.any(-1)),
        )


@dataclass(frozen=True)
class Moment:
    """A moment of B clips: what is given before it, and the pairs of true things and slots."""

    given: ParticleClip
    # the number of the first frame to predict
    start: int
    things: TrueObjects | None
    # the slot of each thing; -1: none
    slot: Int[Tensor, "B n"]


@dataclass(frozen=True)
class Forecast:
    """What is said of R frames: where the particles in K slots are."""

    # in pixels
    place: Float[Tensor, "B R K 2"]
    presence: Float[Tensor, "B R K"]
    # the slot of each true thing; -1: none
    slot: Int[Tensor, "B n"]
    # as particles; None of a simulation, which knows places alone
    clip: ParticleClip | None = None

    @classmethod
    def of(cls, encoded: EncodedBatch, moment: Moment, clip: ParticleClip) -> "Forecast":
        place = clip.by_clip(middle_pixels(encoded.model, clip.particles, encoded.size))
        return cls(place, clip.by_clip(clip.particles.presence), moment.slot, clip)


def moment_of(encoded: EncodedBatch, things: TrueObjects | None, start: int) -> Moment:
    """Things and slots are paired in the last given frame, if they are within half a diameter."""
    given = encoded.followed.window(start - GIVEN, GIVEN)
    if things is None:
        return Moment(given, start, None, torch.full((given.clips, 0), -1))
    last = given.window(GIVEN - 1, 1)
    places = middle_pixels(encoded.model, last.particles, encoded.size)
    distance = torch.cdist(things.centre[:, start - 1], places)
    is_there = (last.track >= 0) & (last.particles.presence > 0.5)
    near = distance <= things.diameter[:, start - 1, :, None] / 2
    allowed = near & is_there[:, None] & things.present[:, start - 1, :, None]
    return Moment(given, start, things, assign(distance, allowed))


def actions_from(encoded: EncodedBatch, moment: Moment, steps: int) -> Float[Tensor, "B steps A"] | None:
    """What was done from the last given frame on; None if the model does not ask for it."""
    if encoded.batch.actions is None:
        return None
    return by_clip(encoded, encoded.batch.actions)[:, moment.start - 1 : moment.start - 1 + steps]


def shuffled(encoded: EncodedBatch, moment: Moment, steps: int) -> Float[Tensor, "B steps A"]:
    """What was done in the next clip; in a batch of a single clip, half a clip later."""
    assert encoded.batch.actions is not None
    actions = by_clip(encoded, encoded.batch.actions[encoded.others])
    return actions[:, moment.start - 1 : moment.start - 1 + steps]
