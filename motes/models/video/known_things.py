"""What is known of the things in each slot while clips are followed, and how a frame changes it."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.models.particles.sized import SizedEncoder
from motes.models.particles.view import View
from motes.ops.points.boxes_of_things import FAR, Boxes, Moved, Things, colours_in, share_filled
from motes.ops.tracks.outlines import CELLS, Laid, outlines_of
from motes.ops.tracks.pairing import TrackingRules
from motes.ops.tracks.tracker import DELAY, HEED, RATE
from motes.types.rows import Rows

# frames for which a thing is expected without being seen, in open sight and behind another
PATIENCE = TrackingRules.patience
HIDDEN_PATIENCE = TrackingRules.hidden_patience
# a thing may be hidden in part where it fills so much less of its box than it used to
PARTLY = 0.85
# frames for which a thing is expected that should be behind others by more than a half
COVERED_PATIENCE = 30
COVERED = 0.5
# of half a window: things of one colour that are no farther apart are one
SAME = 0.5
# share by which the step of a thing follows the place of its outline
HEED_OUTLINE = 0.5


@dataclass(frozen=True)
class KnownThings(Rows):
    """What is known of the things in K slots of B clips after the frames so far."""

    # -1: the slot is free
    number: Int[Tensor, "B K"]
    place: Float[Tensor, "B K 2"]
    # half pictures a frame
    step: Float[Tensor, "B K 2"]
    scale: Float[Tensor, "B K 2"]
    # the mean of its pixels, as differences from the background
    colour: Float[Tensor, "B K C"]
    # how much of its box it fills when it is in open sight
    share: Float[Tensor, "B K"]
    # what it looks like in open sight: how surely each cell around its middle belongs to it
    outline: Float[Tensor, "B K c c"]
    # frames in which it was seen, those of them in which it stood apart, and those since it was seen last
    sightings: Int[Tensor, "B K"]
    sightings_apart: Int[Tensor, "B K"]
    gap: Int[Tensor, "B K"]
    # the number of the next thing
    following: Int[Tensor, "B"]

    @classmethod
    def none(cls, clips: int, count: int, like: Float[Tensor, "N C h w"]) -> "KnownThings":
        zeros = like.new_zeros(clips, count, 2)
        colour = like.new_zeros(clips, count, like.shape[1])
        none = torch.zeros(clips, count, dtype=torch.int64, device=like.device)
        outline = like.new_zeros(clips, count, CELLS, CELLS)
        return cls(
            none - 1, zeros, zeros, zeros + 1, colour, zeros[..., 0], outline, none, none, none, none[:, 0]
        )

    @property
    def there(self) -> Bool[Tensor, "B K"]:
        return self.number >= 0


@dataclass(frozen=True)
class Sight(Rows):
    """What a frame shows of the things in K slots."""

    # where each was looked for
    expected: Float[Tensor, "B K 2"]
    place: Float[Tensor, "B K 2"]
    seen: Bool[Tensor, "B K"]
    # whether another thing is near
    crowded: Bool[Tensor, "B K"]
    # whether the place follows from the thing's outline, and not from what the networks read
    by_outline: Bool[Tensor, "B K"]
    matches: Moved
    laid: Laid

    @property
    def is_covered(self) -> Bool[Tensor, "B K"]:
        """Whether things of other colours stand where it should be."""
        return self.laid.covered > COVERED


def updated(things: KnownThings, sight: Sight, view: View, encoder: SizedEncoder) -> KnownThings:
    """The things that were there before, as they are in this frame; those that are over leave their slots."""
    is_seen = sight.seen & things.there
    position = torch.where(is_seen[..., None], sight.place, sight.expected)
    behind = behind_others(position, things.scale, is_seen, encoder)
    is_partial = behind | (sight.matches.filled < PARTLY * things.share)
    gap = torch.where(is_seen, 0, things.gap + 1)
    over = ~is_seen & ((gap > _patience(things, sight, behind)) | _outside(sight.expected, encoder))
    over |= _twice(things, sight.place, is_seen, encoder)
    return replace(
        _with_looks(things, sight, is_seen, is_partial, view, encoder),
        number=things.number.where(~over, -1),
        place=position,
        step=torch.where(is_seen[..., None], _step(things, sight, is_partial), things.step),
        sightings=things.sightings + is_seen,
        gap=gap,
    )


def _step(things: KnownThings, sight: Sight, is_partial: Bool[Tensor, "B K"]) -> Float[Tensor, "B K 2"]:
    """The step of each thing after it was seen."""
    heed = torch.where(is_partial, HEED, 1.0).masked_fill(sight.by_outline, HEED_OUTLINE)
    heed = heed.masked_fill(things.sightings < 2, 1.0)
    return things.step + (heed / (things.gap + 1))[..., None] * (sight.place - sight.expected)


def _with_looks(
    things: KnownThings,
    sight: Sight,
    is_seen: Bool[Tensor, "B K"],
    is_partial: Bool[Tensor, "B K"],
    view: View,
    encoder: SizedEncoder,
) -> KnownThings:
    """The things with sizes, colours and outlines nearer to what is seen; outlines only of what stands apart."""
    matches = sight.matches
    rate = torch.where(is_partial & (things.sightings > 1), HEED, 1.0)
    rate = rate * (1 / (things.sightings + 1)).clamp_min(RATE)
    rate = (rate * (is_seen & ~(sight.by_outline & (things.sightings_apart > 0))))[..., None]
    boxes = Boxes(sight.place, things.scale)
    outline = outlines_of(view.foreground, Things(boxes, things.colour, things.there), encoder.box_side)
    is_apart = is_seen & ~is_partial & ~sight.crowded
    learnt = (is_apart * (1 / (things.sightings_apart + 1)).clamp_min(RATE))[..., None, None]
    return replace(
        things,
        scale=things.scale * (matches.boxes.sides / things.scale).pow(rate),
        colour=things.colour + rate * (matches.colour - things.colour),
        share=things.share + rate[..., 0] * (matches.filled - things.share),
        outline=things.outline + learnt * (outline - things.outline),
        sightings_apart=things.sightings_apart + is_apart,
    )


def _twice(
    things: KnownThings, place: Float[Tensor, "B K 2"], seen: Bool[Tensor, "B K"], encoder: SizedEncoder
) -> Bool[Tensor, "B K"]:
    """Whether each is an older thing once more: of its colour, and where it is."""
    half = SAME * encoder.side * things.scale / torch.tensor(encoder.size, device=place.device)
    near = ((place[:, :, None] - place[:, None]).abs() < half[:, None]).all(-1)
    alike = (things.colour[:, :, None] - things.colour[:, None]).square().sum(-1) < FAR
    older = things.number[:, :, None] > things.number[:, None]
    return (near & alike & older & seen[:, None] & seen[:, :, None]).any(2)


def _patience(things: KnownThings, sight: Sight, behind: Bool[Tensor, "B K"]) -> Int[Tensor, "B K"]:
    """For how many frames each thing is expected without being seen."""
    frames = torch.where(behind, HIDDEN_PATIENCE, PATIENCE)
    frames = torch.where(sight.is_covered, COVERED_PATIENCE, frames)
    return torch.where(things.sightings > 1, frames, DELAY - 1)


def _outside(place: Float[Tensor, "B K 2"], encoder: SizedEncoder) -> Bool[Tensor, "B K"]:
    """Whether each place is outside of the picture by more than half a window."""
    return (place.abs() > 1 + encoder.side / min(encoder.size)).any(-1)


def with_new_things(
    things: KnownThings,
    boxes: Boxes,
    born: Bool[Tensor, "B K"],
    view: View,
    encoder: SizedEncoder,
    is_first: bool,
) -> KnownThings:
    """The things and those that begin, which stand still at first."""
    number = things.following[:, None] + born.cumsum(1) - 1
    colour = colours_in(view.foreground, boxes, encoder.box_side)
    new = {
        "number": number,
        "place": boxes.positions,
        "step": torch.zeros_like(things.step),
        "scale": boxes.sides,
        "colour": colour,
        "share": share_filled(view.foreground, boxes, encoder.box_side),
        "outline": outlines_of(view.foreground, Things(boxes, colour, born), encoder.box_side),
        # those that a clip begins with are things at once
        "sightings": torch.full_like(number, 2 if is_first else 1),
        "sightings_apart": torch.zeros_like(number),
        "gap": torch.zeros_like(number),
    }
    old = things.tensors()
    values = {
        name: torch.where(born.view(*born.shape, *[1] * (value.dim() - 2)), value, old[name])
        for name, value in new.items()
    }
    return things.with_tensors(values | {"following": things.following + born.sum(1)})


def behind_others(
    place: Float[Tensor, "B K 2"],
    scale: Float[Tensor, "B K 2"],
    seen: Bool[Tensor, "B K"],
    encoder: SizedEncoder,
    turn: Int[Tensor, "B K"] | None = None,
) -> Bool[Tensor, "B K"]:
    """Whether each place is in the window of another thing, which is seen; with turns, of one with an earlier turn."""
    half = encoder.side * scale / torch.tensor(encoder.size, device=place.device)
    inside = ((place[:, :, None] - place[:, None]).abs() < half[:, None]).all(-1) & seen[:, None]
    if turn is None:
        return (inside & ~torch.eye(place.shape[1], dtype=torch.bool, device=place.device)).any(2)
    return (inside & (turn[:, None] < turn[:, :, None])).any(2)
