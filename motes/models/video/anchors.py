"""Anchors that follow things: those of a frame stand where the things of the frame before should have gone.

Identity is the slot. The oldest thing is read first, so that it keeps what two could take; what no thing holds is
looked for as in a still picture, and goes to free slots.
"""

from dataclasses import dataclass, replace

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.models.particles.sized import SizedEncoder
from motes.models.particles.sized_decoder import SizedDecoder
from motes.models.particles.view import View
from motes.models.video.known_things import (
    PARTLY,
    PATIENCE,
    KnownThings,
    Sight,
    behind_others,
    updated,
    with_new_things,
)
from motes.nn.blocks.normalisation import settled
from motes.ops.gather import take
from motes.ops.points.boxes_of_things import Boxes, Things, moved_things
from motes.ops.tracks.outlines import laid_outlines
from motes.ops.tracks.tracker import DELAY
from motes.types.rows import Rows

# of a box: what a thing fills at least, in a frame in which it is seen and in its first one
LEAST = 0.15
LEAST_NEW = 0.3
# of an outline: what hides a thing in part covers so much of it at least, and so much of a thing is seen
HIDES = 0.15
SHOWS = 0.08
# of an outline: what is seen of a thing that nothing hides
OPEN = 0.5
# of a window: things so near to each other are crowded, and what the networks read there may be so far off
CROWDED = 1.5
ASTRAY = 0.1


@dataclass(frozen=True)
class TrackedAnchors(Rows):
    """The anchors of N frames in K slots, and what was read there."""

    # where each slot was looked for, and the scale of its window
    anchor: Float[Tensor, "N K 2"]
    scale: Float[Tensor, "N K 2"]
    # whether there is enough at the anchor for a thing
    full: Bool[Tensor, "N K"]
    # the number of the thing in each slot, counted in each clip; -1: none
    number: Int[Tensor, "N K"]
    seen: Bool[Tensor, "N K"]
    # whether its place follows from its outline: it is hidden in part, or other things confuse the networks
    by_outline: Bool[Tensor, "N K"]
    # frames in which the thing was seen so far
    sightings: Int[Tensor, "N K"]
    # where the thing is: as it was read, or where it should be
    place: Float[Tensor, "N K 2"]
    # 1 while the thing is seen or hidden; less by a quarter for each frame in open sight in which it is not found
    trust: Float[Tensor, "N K"]

    @property
    def order(self) -> Int[Tensor, "N K"]:
        """The slots in the order in which they are read."""
        return _oldest_first(self.number, self.full)

    @property
    def in_order(self) -> Boxes:
        order = self.order
        return Boxes(take(self.anchor, order), take(self.scale, order))

    def in_use(self) -> "TrackedAnchors":
        """The slots in which there is ever a thing."""
        slots = (self.number >= 0).any(0)
        # one is left where there is nothing
        slots[0] |= ~slots.any()
        return self.mapped(lambda value: value[:, slots])


@torch.no_grad()
def tracked_anchors(encoder: SizedEncoder, decoder: SizedDecoder, view: View, frames: int) -> TrackedAnchors:
    """The things in clips of `frames` frames each, one frame after the other, all clips at once.

    Things that were seen only once are taken back, unless the clip begins with them.
    """
    return confirmed(after_frames(None, view, frames, encoder, decoder)[1], frames)


@torch.no_grad()
def after_frames(
    things: KnownThings | None, view: View, frames: int, encoder: SizedEncoder, decoder: SizedDecoder
) -> tuple[KnownThings, TrackedAnchors]:
    """What is known after `frames` more frames of each clip, and the anchors in them; None before the first ones.

    The networks are used as they are after training.
    """
    clips = len(view) // frames
    is_first = things is None
    if things is None:
        things = KnownThings.none(clips, encoder.num_particles, view.colour)
    parts = []
    with settled(encoder), settled(decoder):
        for frame in range(frames):
            now = view[frame::frames]
            things, part = _after_frame(things, now, encoder, decoder, is_first and frame == 0)
            parts.append(part)
    rows = torch.arange(frames * clips, device=view.residual.device).view(frames, clips).T.flatten()
    return things, TrackedAnchors.cat(parts)[rows]


def confirmed(anchors: TrackedAnchors, frames: int) -> TrackedAnchors:
    """Without things that are never seen again, in a frame that is not the first of its clip.

    The last DELAY frames of a film that goes on cannot be judged yet.
    """
    number = rearrange(anchors.number, "(b t) k -> b t k", t=frames)
    often = rearrange(anchors.sightings > 1, "(b t) k -> b t k", t=frames)
    is_thing = often.clone()
    for later in range(1, min(DELAY + 1, frames)):
        is_thing[:, :-later] |= often[:, later:] & (number[:, later:] == number[:, :-later])
    is_thing = is_thing.flatten(0, 1) & (anchors.number >= 0)
    return replace(
        anchors,
        number=anchors.number.where(is_thing, -1),
        seen=anchors.seen & is_thing,
        trust=anchors.trust.where(is_thing, 0),
    )


def _after_frame(
    things: KnownThings, view: View, encoder: SizedEncoder, decoder: SizedDecoder, is_first: bool
) -> tuple[KnownThings, TrackedAnchors]:
    sight = _before_reading(things, view, encoder)
    boxes = encoder.as_anchors(Boxes(sight.place, things.scale), decoder.sides)
    boxes, full = _with_new(things, boxes, sight.matches.filled, view, encoder, decoder)
    order = _oldest_first(things.number, full)
    place, seen = _read(boxes, order, things.there | full, view, encoder, decoder)
    sight = _by_outlines(replace(sight, place=place, seen=seen & full), things, encoder)
    new = sight.seen & ~things.there
    new &= ~behind_others(sight.place, boxes.sides, sight.seen, encoder, order.argsort(1))
    things = updated(things, sight, view, encoder)
    if new.any():
        things = with_new_things(things, Boxes(sight.place, boxes.sides), new, view, encoder, is_first)
    seen = sight.seen & things.there
    hidden = sight.is_covered | behind_others(things.place, things.scale, seen, encoder)
    trust = torch.where(hidden, 1, 1 - things.gap / PATIENCE).clamp_min(0).where(things.there, 0)
    by_outline = sight.by_outline & seen
    part = TrackedAnchors(
        *boxes, full, things.number, seen, by_outline, things.sightings, things.place, trust
    )
    return things, part


def _before_reading(things: KnownThings, view: View, encoder: SizedEncoder) -> Sight:
    """Where each thing is by its colour, or by its outline where it is hidden in part; the networks have read none yet."""
    expected = Things(Boxes(things.place + things.step, things.scale), things.colour, things.there)
    matches = moved_things(view.foreground, expected, encoder.box_side)
    laid = laid_outlines(view.foreground, things.outline, expected, encoder.box_side)
    crowded = things.there & behind_others(laid.positions, CROWDED * things.scale, things.there, encoder)
    is_partial = things.there & (laid.covered > HIDES) & (matches.filled < PARTLY * things.share)
    position = torch.where(is_partial[..., None], laid.positions, matches.boxes.positions)
    unread = torch.zeros_like(is_partial)
    return Sight(expected.boxes.positions, position, unread, crowded, is_partial, matches, laid)


def _by_outlines(sight: Sight, things: KnownThings, encoder: SizedEncoder) -> Sight:
    """The same, where outlines say more than the networks, which learnt from things that stand apart.

    They read no two things at one place, though one of them may be in open sight, and mistake a thing for its
    neighbours.
    """
    laid = sight.laid
    window = encoder.side * things.scale * 2 / torch.tensor(encoder.size, device=things.scale.device)
    is_astray = ((sight.place - laid.positions).abs() > ASTRAY * window).any(-1)
    is_in_doubt = sight.crowded & (~sight.seen | is_astray)
    by_outline = sight.by_outline | (is_in_doubt & (laid.own > OPEN))
    return replace(
        sight,
        place=torch.where(by_outline[..., None], laid.positions, sight.place),
        seen=torch.where(by_outline, laid.own > SHOWS, sight.seen),
        by_outline=by_outline,
    )


def _oldest_first(number: Int[Tensor, "B K"], full: Bool[Tensor, "B K"]) -> Int[Tensor, "B K"]:
    """The slots in the order of their things' ages, then those that may hold a new one, then the others."""
    most = torch.iinfo(torch.int64).max
    rank = torch.where(number >= 0, number, torch.where(full, most - 1, most))
    return rank.argsort(dim=1, stable=True)


def _read(
    boxes: Boxes,
    order: Int[Tensor, "B K"],
    needed: Bool[Tensor, "B K"],
    view: View,
    encoder: SizedEncoder,
    decoder: SizedDecoder,
) -> tuple[Float[Tensor, "B K 2"], Bool[Tensor, "B K"]]:
    """Where a thing is in each slot that is needed, and whether it is seen."""
    place = boxes.positions.clone()
    seen = torch.zeros_like(needed)
    first = order[:, : int(needed.sum(1).max())]
    if first.shape[1]:
        ordered = Boxes(*(take(part, first) for part in boxes))
        position, presence, _ = encoder.locate(view.residual, ordered, decoder.unit)
        place.scatter_(1, first[..., None].expand(-1, -1, 2), position.mean)
        seen.scatter_(1, first, presence > 0.5)
    return place, seen


def _with_new(
    things: KnownThings,
    boxes: Boxes,
    share: Float[Tensor, "B K"],
    view: View,
    encoder: SizedEncoder,
    decoder: SizedDecoder,
) -> tuple[Boxes, Bool[Tensor, "B K"]]:
    """The boxes, with new ones in the slots that are free, around what looks like a thing and is in no box.

    Also whether each box holds enough of a thing; `share` is how much of them is known to be filled.
    """
    there = things.there
    free = int((~there).sum(1).max())
    new = None
    if free:
        new = encoder.boxes_beside(view, Things(boxes, things.colour, there), free, decoder.sides, LEAST_NEW)
    if new is None:
        share = share.where(there, 0)
    else:
        new, share_of_new = new
        turn = ((~there).cumsum(1) - 1).clamp(0, free - 1)
        share = torch.where(there, share, share_of_new.gather(1, turn))
        boxes = Boxes(
            torch.where(there[..., None], boxes.positions, take(new.positions, turn)),
            torch.where(there[..., None], boxes.sides, take(new.sides, turn)),
        )
    return boxes, share > torch.where(there, LEAST, LEAST_NEW)
