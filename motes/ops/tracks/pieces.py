"""Tracks that are pieces of one thing, as when a truck's cab and its box have a particle each.

A track is a piece of a larger one if its box lies partly within the larger one's and the two keep their places to each
other, whether they move or stand (the common fate of Wertheimer 1923). Where all particles have one size, there are no
pieces.
"""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.types.clips import with_more_slots
from motes.types.rows import Rows

# rates at which usual places and areas follow those of a frame, and at least what is known of pairs
RATE = 0.2
PAIR_RATE = 0.1
# frames in which two are seen together before anything is said of them
LEAST = 3
# the share of a piece's box that is within the larger one's
OVERLAP = 0.25
# by how much two that keep their places to each other may change them: a share of the square of their motion, and of
# the larger one's area
LOOSE = 0.5
JITTER = 0.03
# pieces may be so much looser before they are two again
PATIENT = 3.0


@dataclass(frozen=True)
class TrackPairs(Rows):
    """What is known of each pair of M tracks, from the frames in which both are seen; i may be a piece of j."""

    # frames
    together: Int[Tensor, "B M M"]
    # squares: how far the offset from j to i is from what it usually was, and how far j is from its usual place
    change: Float[Tensor, "B M M"]
    motion: Float[Tensor, "B M M"]
    # the share of i's box that is within j's
    inside: Float[Tensor, "B M M"]
    is_piece: Bool[Tensor, "B M M"]


@dataclass(frozen=True)
class Pieces(Rows):
    """What is known of which tracks are pieces of others."""

    # of the track in each slot; -1: the slot is free
    number: Int[Tensor, "B M"]
    # over the last frames: its place, and the pixels in its box
    usual: Float[Tensor, "B M 2"]
    area: Float[Tensor, "B M"]
    pairs: TrackPairs

    @classmethod
    def of_nothing(cls, like: Float[Tensor, "B n 2"]) -> "Pieces":
        nowhere = like[:, :0]
        number = torch.zeros(len(like), 0, dtype=torch.int64, device=like.device)
        pair = like.new_zeros(len(like), 0, 0)
        return cls(number, nowhere, nowhere[..., 0], TrackPairs(pair.long(), pair, pair, pair, pair.bool()))

    def with_slots(self, count: int) -> "Pieces":
        more = count - self.number.shape[1]
        return Pieces(
            with_more_slots(self.number, more, -1),
            with_more_slots(self.usual, more, 0),
            with_more_slots(self.area, more, 0),
            self.pairs.mapped(lambda value: F.pad(value, (0, more, 0, more))),
        )

    def owners(self) -> Int[Tensor, "B M"]:
        """The slot of the largest track that each is a piece of, or its own."""
        slots = self.number.shape[1]
        if not slots:
            return self.number
        candidate = self.pairs.is_piece | torch.eye(slots, dtype=torch.bool, device=self.number.device)
        owner = self.area[:, None].where(candidate, -1).argmax(2)
        # of a piece of a piece
        return owner.gather(1, owner)


def after_sightings(
    pieces: Pieces,
    number: Int[Tensor, "B M"],
    centre: Float[Tensor, "B M 2"],
    box: Float[Tensor, "B M 4"],
    seen: Bool[Tensor, "B M"],
) -> Pieces:
    """What is known after one more frame: the numbers, centres and boxes of the tracks, and which of them were seen."""
    is_same = pieces.number == number
    area = _area(box)
    usual = torch.where(is_same[..., None], pieces.usual + RATE * (centre - pieces.usual), centre)
    area = torch.where(is_same, pieces.area + RATE * seen * (area - pieces.area), area)
    both_same = is_same[:, :, None] & is_same[:, None]
    pairs = pieces.pairs.mapped(lambda value: value.where(both_same, value.new_zeros(())))
    inside = _share_inside(box)
    pairs = _after_frame(pairs, centre - usual, inside, seen)
    is_piece = _is_piece(pairs, area) & (inside > 0)
    return Pieces(number, usual, area, replace(pairs, is_piece=is_piece))


def _after_frame(
    pairs: TrackPairs,
    deviation: Float[Tensor, "B M 2"],
    inside: Float[Tensor, "B M M"],
    seen: Bool[Tensor, "B M"],
) -> TrackPairs:
    """The pairs after a frame that showed how far each track is from its usual place, and what lies within what."""
    both_seen = seen[:, :, None] & seen[:, None]
    together = pairs.together + both_seen
    rate = both_seen / together.clamp(1, round(1 / PAIR_RATE))
    change = (deviation[:, :, None] - deviation[:, None]).square().sum(-1)
    motion = deviation.square().sum(-1)[:, None]
    return TrackPairs(
        together,
        pairs.change + rate * (change - pairs.change),
        pairs.motion + rate * (motion - pairs.motion),
        pairs.inside + rate * (inside - pairs.inside),
        pairs.is_piece,
    )


def _is_piece(pairs: TrackPairs, area: Float[Tensor, "B M"]) -> Bool[Tensor, "B M M"]:
    loose = pairs.change / (LOOSE * pairs.motion + JITTER * area[:, None]).clamp_min(1e-6)
    begins = (pairs.together >= LEAST) & (pairs.inside > OVERLAP) & (loose < 1)
    return begins | (pairs.is_piece & (loose < PATIENT))


def _share_inside(box: Float[Tensor, "B M 4"]) -> Float[Tensor, "B M M"]:
    """The share of each box, in rows, that is within each other one, in columns."""
    first, last = box.split(2, 2)
    first = torch.maximum(first[:, :, None], first[:, None])
    last = torch.minimum(last[:, :, None], last[:, None])
    return (last - first).clamp_min(0).prod(-1) / _area(box).clamp_min(1)[:, :, None]


def _area(box: Float[Tensor, "B M 4"]) -> Float[Tensor, "B M"]:
    return (box[..., 2:] - box[..., :2]).clamp_min(0).prod(-1)
