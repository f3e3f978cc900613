"""Anchors that follow things: those of a frame stand where the things of the frame before should have gone.

Identity is the slot. The oldest thing is read first, so that it keeps what two could take; what no thing holds is
looked for as in a still picture, and goes to free slots.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.models.particles.sized import ROOM, SizedEncoder
from motes.models.particles.sized_decoder import SizedDecoder
from motes.models.particles.view import View
from motes.nn.blocks.normalisation import settled
from motes.ops.gather import take
from motes.ops.points.boxes_of_things import Boxes, Things, colours_in, moved
from motes.types.rows import Rows

# frames for which a thing is expected without being seen, in open sight and behind another
PATIENCE = 4
HIDDEN_PATIENCE = 10
# a thing that was seen once is forgotten if it is missing in so many frames
DELAY = 2
# share by which the velocity of a thing within another's box follows what is seen: its place is inexact there
HEED = 0.25
# share by which a thing's size and colour follow what is seen
RATE = 0.2


@dataclass(frozen=True)
class Followed(Rows):
    """The anchors of N frames in K slots, and what was read there."""

    # where each slot was looked for, and the scale of its window
    anchor: Float[Tensor, "N K 2"]
    scale: Float[Tensor, "N K 2"]
    # the slots in the order in which they are read
    order: Int[Tensor, "N K"]
    # the number of the thing in each slot, counted in each clip; -1: none
    number: Int[Tensor, "N K"]
    seen: Bool[Tensor, "N K"]
    # where the thing is: as it was read, or where it should be
    place: Float[Tensor, "N K 2"]
    # 1 while the thing is seen or hidden; less by a quarter for each frame in open sight in which it is not found
    trust: Float[Tensor, "N K"]

    @property
    def in_order(self) -> Boxes:
        return Boxes(take(self.anchor, self.order), take(self.scale, self.order))


@dataclass(frozen=True)
class _Things(Rows):
    """What is known of the things in K slots of B clips after the frames so far."""

    # -1: the slot is free
    number: Int[Tensor, "B K"]
    place: Float[Tensor, "B K 2"]
    # half pictures a frame
    step: Float[Tensor, "B K 2"]
    scale: Float[Tensor, "B K 2"]
    # the mean of its pixels, as differences from the background; and its scale over how far they spread
    colour: Float[Tensor, "B K C"]
    ratio: Float[Tensor, "B K 2"]
    # frames in which it was seen, and those since it was seen last
    sightings: Int[Tensor, "B K"]
    gap: Int[Tensor, "B K"]
    # the number of the next thing
    following: Int[Tensor, "B"]

    @classmethod
    def none(cls, clips: int, count: int, like: Float[Tensor, "N C h w"]) -> "_Things":
        zeros = like.new_zeros(clips, count, 2)
        colour = like.new_zeros(clips, count, like.shape[1])
        none = torch.zeros(clips, count, dtype=torch.int64, device=like.device)
        return cls(none - 1, zeros, zeros, zeros + 1, colour, zeros + 1, none, none, none[:, 0])

    @property
    def there(self) -> Bool[Tensor, "B K"]:
        return self.number >= 0


@torch.no_grad()
def follow(encoder: SizedEncoder, decoder: SizedDecoder, view: View, frames: int) -> Followed:
    """The things in clips of `frames` frames each, one frame after the other, all clips at once.

    The networks are used as they are after training. Things that were seen only once are taken back, unless the
    clip begins with them.
    """
    clips = len(view) // frames
    things = _Things.none(clips, encoder.num_particles, view.colour)
    parts = []
    with settled(encoder), settled(decoder):
        for frame in range(frames):
            things, part = _after_frame(things, view[frame::frames], encoder, decoder, frame == 0)
            parts.append(part)
    rows = torch.arange(frames * clips, device=view.residual.device).view(frames, clips).T.flatten()
    return _confirmed(Followed.cat(parts)[rows], frames)


def _after_frame(
    things: _Things, view: View, encoder: SizedEncoder, decoder: SizedDecoder, is_first: bool
) -> tuple[_Things, Followed]:
    there = things.there
    expected = things.place + things.step
    things, boxes = _looked_for(things, Boxes(expected, things.scale), view, encoder)
    boxes = _with_new(things, boxes, view, encoder, decoder)
    # free slots come last, in the order in which their boxes were found
    order = torch.where(there, things.number, torch.iinfo(torch.int64).max).argsort(dim=1, stable=True)
    ordered = Boxes(*(take(part, order) for part in boxes))
    position, presence, _ = encoder.locate(view.residual, ordered, decoder.unit)
    back = order.argsort(1)
    place = take(position.mean, back)
    seen = presence.gather(1, back) > 0.5
    things = _updated(things, expected, place, seen, encoder)
    born = seen & ~there
    if born.any():
        things = _born(things, Boxes(place, boxes.sides), born, view, encoder, is_first)
    there = things.there
    hidden = _behind(things.place, things.scale, seen & there, encoder)
    shown = Followed(
        anchor=boxes.positions,
        scale=boxes.sides,
        order=order,
        number=things.number,
        seen=seen & there,
        place=things.place,
        trust=torch.where(hidden, 1, 1 - things.gap / PATIENCE).clamp_min(0).where(there, 0),
    )
    return things, shown


def _looked_for(things: _Things, boxes: Boxes, view: View, encoder: SizedEncoder) -> tuple[_Things, Boxes]:
    """The boxes of things moved onto what looks like them, and the things with the sizes that they have there."""
    found = moved(view.foreground, Things(boxes, things.colour, things.there), encoder.box_side)
    known = (found.area > 1)[..., None]
    change = (things.ratio * found.spread / things.scale).log().clamp(-RATE, RATE)
    scale = torch.where(known, things.scale * (RATE * change).exp(), things.scale)
    colour = torch.where(known, things.colour + RATE * (found.colour - things.colour), things.colour)
    return replace(things, scale=scale, colour=colour), Boxes(found.positions, scale)


def _with_new(
    things: _Things, boxes: Boxes, view: View, encoder: SizedEncoder, decoder: SizedDecoder
) -> Boxes:
    """The boxes, with new ones in the slots that are free, around what looks like a thing and is in no box."""
    there = things.there
    free = int((~there).sum(1).max())
    if not free:
        return boxes
    if not there.any():
        return encoder.boxes(view, decoder.sides)
    new = encoder.boxes_beside(view, Things(boxes, things.colour, there), free, decoder.sides)
    turn = ((~there).cumsum(1) - 1).clamp(0, free - 1)
    return Boxes(
        *(
            torch.where(there[..., None], old, take(fresh, turn))
            for old, fresh in zip(boxes, new, strict=True)
        )
    )


def _updated(
    things: _Things,
    expected: Float[Tensor, "B K 2"],
    place: Float[Tensor, "B K 2"],
    seen: Bool[Tensor, "B K"],
    encoder: SizedEncoder,
) -> _Things:
    """The things that were there before, as they are in this frame; those that are over leave their slots."""
    there = things.there
    is_seen = seen & there
    behind = _behind(torch.where(is_seen[..., None], place, expected), things.scale, is_seen, encoder)
    rate = torch.where(behind & (things.sightings > 1), HEED, 1.0) / (things.gap + 1)
    step = things.step + rate[..., None] * (place - expected)
    gap = torch.where(is_seen, 0, things.gap + 1)
    patience = torch.where(behind, HIDDEN_PATIENCE, PATIENCE)
    patience = torch.where(things.sightings > 1, patience, DELAY - 1)
    room = 1 + encoder.side / min(encoder.size)
    over = ~is_seen & ((gap > patience) | (expected.abs() > room).any(-1))
    return replace(
        things,
        number=things.number.where(~over, -1),
        place=torch.where(is_seen[..., None], place, expected),
        step=torch.where(is_seen[..., None], step, things.step),
        sightings=things.sightings + is_seen,
        gap=gap,
    )


def _born(
    things: _Things,
    boxes: Boxes,
    born: Bool[Tensor, "B K"],
    view: View,
    encoder: SizedEncoder,
    is_first: bool,
) -> _Things:
    """The things and those that begin, which stand still at first."""
    number = things.following[:, None] + born.cumsum(1) - 1
    colour = colours_in(view.foreground, boxes, encoder.box_side)
    found = moved(view.foreground, Things(boxes, colour, torch.ones_like(born)), encoder.box_side)
    new = {
        "number": number,
        "place": boxes.positions,
        "step": torch.zeros_like(things.step),
        "scale": boxes.sides,
        "colour": found.colour,
        "ratio": boxes.sides / found.spread,
        # those that a clip begins with are things at once
        "sightings": torch.full_like(number, 2 if is_first else 1),
        "gap": torch.zeros_like(number),
    }
    old = things.tensors()
    values = {
        name: torch.where(born[..., None] if value.dim() > 2 else born, value, old[name])
        for name, value in new.items()
    }
    return things.with_tensors(values | {"following": things.following + born.sum(1)})


def _behind(
    place: Float[Tensor, "B K 2"],
    scale: Float[Tensor, "B K 2"],
    seen: Bool[Tensor, "B K"],
    encoder: SizedEncoder,
) -> Bool[Tensor, "B K"]:
    """Whether each place is within the box of another thing, which is seen."""
    half = encoder.side / ROOM * scale / torch.tensor(encoder.size, device=place.device)
    inside = ((place[:, :, None] - place[:, None]).abs() < half[:, None]).all(-1) & seen[:, None]
    itself = torch.eye(place.shape[1], dtype=torch.bool, device=place.device)
    return (inside & ~itself).any(2)


def _confirmed(found: Followed, frames: int) -> Followed:
    """Without things that were seen only once, in a frame that is not the first of its clip."""
    clip = torch.arange(len(found), device=found.number.device) // frames
    # a place for each thing of each clip, and one for none
    most = int(found.number.max()) + 2
    entry = clip[:, None] * most + found.number + 1
    sightings = torch.zeros(int(clip.max() + 1) * most, dtype=torch.int64, device=entry.device)
    sightings.index_add_(0, entry.flatten(), found.seen.long().flatten())
    first = found[::frames]
    of_first = torch.zeros_like(sightings, dtype=torch.bool)
    of_first[entry[::frames][first.seen]] = True
    is_thing = (found.number >= 0) & ((sightings[entry] > 1) | of_first[entry])
    return replace(
        found,
        number=found.number.where(is_thing, -1),
        seen=found.seen & is_thing,
        trust=found.trust.where(is_thing, 0),
    )
