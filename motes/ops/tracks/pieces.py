"""Tracks that are pieces of one thing, as when a truck's cab and its box have a particle each.

Two tracks are pieces of one thing if their boxes touch and they keep their places to each other while they go some
way (the common fate of Wertheimer 1923), or if their boxes overlap. What stays beside another only because both stand
still is a thing of its own.
"""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.types.clips import with_more_slots
from motes.types.rows import Rows

# rates at which usual places and sizes follow those of a frame, and at least what is known of pairs
RATE = 0.2
PAIR_RATE = 0.05
# frames in which two are seen together before anything is said of them
LEAST = 3
# of a smaller box: the share within a larger one that makes it a piece though neither moves
OVERLAP = 0.25
# pixels between boxes that touch
TOUCH = 1.0
# by how much two that keep their places to each other may change them: a share of the square of their motion, and of
# that of the larger one's size
LOOSE = 0.5
JITTER = 0.03
# of the larger one's size: how far two go together until they are one
WAY = 0.25
# pieces may be so much looser before they are two again
PATIENT = 3.0


@dataclass(frozen=True)
class Pairs(Rows):
    """What is known of each pair of M tracks, of the frames in which both are seen; i may be a piece of j."""

    together: Int[Tensor, "B M M"]
    # square of how far the offset from j to i is from what it usually was, and of how far j is from its usual place
    change: Float[Tensor, "B M M"]
    motion: Float[Tensor, "B M M"]
    # how far they have gone, in pixels
    way: Float[Tensor, "B M M"]
    # the share of i's box that is within j's, and the pixels between the boxes
    inside: Float[Tensor, "B M M"]
    gap: Float[Tensor, "B M M"]
    # they are one
    joined: Bool[Tensor, "B M M"]


@dataclass(frozen=True)
class Pieces(Rows):
    """What is known of which tracks are pieces of others."""

    # of the track in each slot; -1: the slot is free
    number: Int[Tensor, "B M"]
    # over the last frames: its place, and the pixels in its box
    usual: Float[Tensor, "B M 2"]
    area: Float[Tensor, "B M"]
    pairs: Pairs

    @classmethod
    def of_nothing(cls, like: Float[Tensor, "B n 2"]) -> "Pieces":
        place = like[:, :0]
        number = torch.zeros(len(like), 0, dtype=torch.int64, device=like.device)
        pair = like.new_zeros(len(like), 0, 0)
        return cls(number, place, place[..., 0], Pairs(pair.long(), *[pair] * 5, pair.bool()))

    def with_slots(self, count: int) -> "Pieces":
        more = count - self.number.shape[1]
        if not more:
            return self
        return Pieces(
            with_more_slots(self.number, more, -1),
            with_more_slots(self.usual, more, 0),
            with_more_slots(self.area, more, 0),
            self.pairs.mapped(lambda value: F.pad(value, (0, more, 0, more))),
        )

    def owners(self) -> Int[Tensor, "B M"]:
        """The slot of the largest track that each is a piece of, or its own."""
        itself = torch.arange(self.number.shape[1], device=self.number.device)
        if not len(itself):
            return self.number
        rank = torch.where(self.pairs.joined, self.area[:, None], -1)
        rank = torch.where(torch.eye(len(itself), dtype=torch.bool, device=rank.device), self.area[:, None], rank)
        owner = rank.argmax(2)
        # a piece of a piece
        return owner.gather(1, owner)


def after_sightings(
    pieces: Pieces,
    number: Int[Tensor, "B M"],
    place: Float[Tensor, "B M 2"],
    box: Float[Tensor, "B M 4"],
    seen: Bool[Tensor, "B M"],
) -> Pieces:
    """What is known after one more frame: the numbers, places and boxes of the tracks, and which of them were seen."""
    is_same = pieces.number == number
    area = (box[..., 2:] - box[..., :2]).clamp_min(0).prod(-1)
    usual = torch.where(is_same[..., None], pieces.usual + RATE * (place - pieces.usual), place)
    area = torch.where(is_same, pieces.area + RATE * seen * (area - pieces.area), area)
    both = is_same[:, :, None] & is_same[:, None]
    pairs = pieces.pairs.mapped(lambda value: torch.where(both, value, torch.zeros_like(value)))
    pairs = _seen(pairs, place - usual, box, seen)
    size = area.sqrt()[:, None]
    return Pieces(number, usual, area, replace(pairs, joined=_joined(pairs, size)))


def _seen(
    pairs: Pairs, deviation: Float[Tensor, "B M 2"], box: Float[Tensor, "B M 4"], seen: Bool[Tensor, "B M"]
) -> Pairs:
    """The pairs after a frame that showed how far each track is from its usual place."""
    both = seen[:, :, None] & seen[:, None]
    together = pairs.together + both
    rate = both / together.clamp(1, round(1 / PAIR_RATE))
    inside, gap = _overlap(box)
    motion = deviation.square().sum(-1)[:, None].expand_as(rate)
    return Pairs(
        together,
        pairs.change + rate * ((deviation[:, :, None] - deviation[:, None]).square().sum(-1) - pairs.change),
        pairs.motion + rate * (motion - pairs.motion),
        # what moves evenly is as far ahead of its usual place as it goes in so many frames
        pairs.way + both * RATE * motion.sqrt(),
        pairs.inside + rate * (inside - pairs.inside),
        pairs.gap + rate * (gap - pairs.gap),
        pairs.joined,
    )


def _joined(pairs: Pairs, size: Float[Tensor, "B 1 M"]) -> Bool[Tensor, "B M M"]:
    loose = pairs.change / (LOOSE * pairs.motion + JITTER * size.square()).clamp_min(1e-6)
    goes_along = (pairs.gap <= TOUCH) & (pairs.way > WAY * size) & (pairs.change < LOOSE * pairs.motion)
    overlaps = (pairs.inside > OVERLAP) & (loose < 1)
    one = (pairs.together >= LEAST) & (goes_along | overlaps)
    one = one | (pairs.joined & (loose < PATIENT))
    return one | one.mT


def _overlap(box: Float[Tensor, "B M 4"]) -> tuple[Float[Tensor, "B M M"], Float[Tensor, "B M M"]]:
    """The share of each box that is within each other one, and the pixels between the two."""
    first, last = box[..., :2], box[..., 2:]
    apart = torch.maximum(first[:, :, None] - last[:, None], first[:, None] - last[:, :, None])
    shared = (-apart).clamp_min(0).prod(-1)
    area = (last - first).clamp_min(0).prod(-1)
    return shared / area.clamp_min(1)[:, :, None], apart.clamp_min(0).norm(dim=-1)
