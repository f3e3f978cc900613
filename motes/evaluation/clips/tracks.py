"""Track scores: is a thing followed through its clip, by one track and no other?

Places count as right within a quarter of a thing's diameter, the side of a square as large as the box around
all of it. Models that give boxes are scored by them too: right boxes overlap with the true one by at least a
half. Beside each score stands that of the particles' own numbers, as if particle k were the same thing in all
frames.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from motes.evaluation.intervals import Statistic, ratio
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.models.abilities import Encloses, Segments
from motes.models.base import Model
from motes.models.middles import middle_pixels
from motes.models.things import particles_of
from motes.ops.points.matching import overlap
from motes.ops.points.pixels import pixels_of_points
from motes.ops.rendering.footprints import windows_of_masks
from motes.ops.scores.tracking import clear_mot, hota, identity_pairs, survival
from motes.types.clips import ParticleClip

# of places 1 - distance / diameter, of boxes intersection over union
LEAST_SIMILAR = {"": 0.75, "_boxes": 0.5}
# the diameter of things whose boxes are not known, in picture sides
DIAMETER = 0.25
# what can be seen of a hidden thing is less than this share of it
HIDDEN = 0.1

WORDS = {
    "mota": "1 - (missed + false + switches) / true things (CLEAR MOT)",
    "motp_px": "from a thing's centre to its particle, in pixels",
    "switches_per_1000": "things whose track is another than before, of 1,000 things in frames",
    "idf1": "F1 of frames, where each thing has one track for its whole clip",
    "hota": "HOTA: detection and association together, over all thresholds of similarity",
    "deta": "the part of HOTA that is detection",
    "assa": "the part of HOTA that is association",
    "survived": "of the things that were wholly hidden and came back, the share whose track came back too",
}
RIVAL = "number_"


@dataclass(frozen=True)
class _Tracks:
    """The tracks of B clips, each in a column of its own."""

    there: Bool[Tensor, "B T J"]
    # in pixels
    place: Float[Tensor, "B T J 2"]
    box: Float[Tensor, "B T J 4"] | None

    @classmethod
    def of(cls, clip: ParticleClip, model: Model, size: tuple[int, int]) -> "_Tracks":
        count = int(clip.track.max()) + 1 if clip.track.numel() else 0
        # what was not seen goes to a column that is cut off
        column = clip.track.where(clip.seen, count)

        def spread(values: Float[Tensor, "N K d"]) -> Float[Tensor, "B T J d"]:
            empty = values.new_zeros(len(values), count + 1, values.shape[2])
            full = empty.scatter_(1, column[..., None].expand_as(values), values)
            return clip.by_clip(full[:, :count])

        return cls(
            there=spread(clip.seen[..., None].float())[..., 0] > 0,
            place=spread(middle_pixels(model, clip.particles, size)),
            box=None if clip.box is None else spread(clip.box),
        )


def _measure(encoded: EncodedBatch) -> Measured:
    boxes = encoded.thing_boxes
    box = None if boxes is None else boxes.box
    particles = particles_of(encoded.model, encoded.latent)
    numbers = ParticleClip.of_slots(particles, encoded.batch.frames, box)
    return {
        **_counts(encoded, _Tracks.of(encoded.followed.of_things(), encoded.model, encoded.size), ""),
        **_counts(encoded, _Tracks.of(numbers, encoded.model, encoded.size), RIVAL),
    }


def _counts(encoded: EncodedBatch, tracks: _Tracks, start: str) -> Measured:
    """The counts of each picture; those of whole clips are at the first frame of each."""
    assert encoded.truth is not None
    present = by_clip(encoded, encoded.truth.present)
    counts: Measured = {}
    for end, similarity in _similarities(encoded, tracks).items():
        are_there = present[..., None] & tracks.there[..., None, :]
        allowed = are_there & (similarity >= LEAST_SIMILAR[end])
        counts |= _of_pairs(encoded, tracks, similarity, allowed, (start, end))
        scores = hota(similarity, present, tracks.there)
        counts[f"{start}right{end}"] = scores.right.flatten(0, 1)
        counts[f"{start}associated{end}"] = at_first_frame(scores.associated, present.shape[1])
        counts[f"{start}idtp{end}"] = at_first_frame(identity_pairs(allowed), present.shape[1])
    counts[f"{start}truths"] = encoded.truth.present.sum(1)
    counts[f"{start}tracks"] = tracks.there.sum(2).flatten()
    return counts


def _of_pairs(
    encoded: EncodedBatch,
    tracks: _Tracks,
    similarity: Float[Tensor, "B T N J"],
    allowed: Bool[Tensor, "B T N J"],
    names: tuple[str, str],
) -> Measured:
    start, end = names
    pairs = clear_mot(1 - similarity, allowed)
    paired = pairs.track >= 0
    counts = {
        f"{start}paired{end}": paired.sum(2).flatten(),
        f"{start}switches{end}": pairs.switched.sum(2).flatten(),
    }
    if end:
        return counts
    length = _distances(encoded, tracks)
    if length.shape[3]:
        of_pair = length.gather(3, pairs.track.clamp_min(0)[..., None])[..., 0]
        counts[f"{start}distance"] = torch.where(paired, of_pair, 0).sum(2).flatten()
    else:
        counts[f"{start}distance"] = length.new_zeros(len(encoded.batch))
    survivals = survival(pairs.track, _hidden(encoded))
    counts[f"{start}returned"] = survivals.returned.sum(2).flatten()
    counts[f"{start}survived"] = survivals.survived.sum(2).flatten()
    return counts


def _similarities(encoded: EncodedBatch, tracks: _Tracks) -> dict[str, Float[Tensor, "B T N J"]]:
    """How alike things and tracks are, in [0, 1], by every rule that model and truth allow."""
    diameter = by_clip(encoded, diameters(encoded))[..., None]
    similar = {"": (1 - _distances(encoded, tracks) / diameter).clamp_min(0)}
    if (
        tracks.box is not None
        and encoded.boxes is not None
        and isinstance(encoded.model, (Encloses, Segments))
    ):
        similar["_boxes"] = overlap(by_clip(encoded, encoded.boxes), tracks.box)
    return similar


def _distances(encoded: EncodedBatch, tracks: _Tracks) -> Float[Tensor, "B T N J"]:
    assert encoded.centres is not None
    centres = by_clip(encoded, pixels_of_points(encoded.centres, encoded.size))
    return (centres[..., :, None, :] - tracks.place[..., None, :, :]).norm(dim=-1)


def diameters(encoded: EncodedBatch) -> Float[Tensor, "N n"]:
    """The diameter of each thing in pixels, hidden parts included where they are known."""
    assert encoded.truth is not None
    present = encoded.truth.present
    masks = encoded.truth.whole
    boxes = encoded.boxes if masks is None else windows_of_masks(masks)
    if boxes is None:
        return torch.full(present.shape, DIAMETER * min(encoded.size), device=present.device)
    side = (boxes[..., 2:] - boxes[..., :2]).clamp_min(0).prod(-1).sqrt()
    return side.clamp_min(1)


def _hidden(encoded: EncodedBatch) -> Bool[Tensor, "B T N"]:
    """Whether a thing cannot be seen although its centre is in the picture."""
    truth = encoded.truth
    assert truth is not None and encoded.centres is not None
    inside = (encoded.centres.abs() <= 1).all(-1)
    visible = truth.present
    if truth.masks is not None and truth.whole is not None:
        visible = visible & (truth.masks.sum((2, 3)) >= HIDDEN * truth.whole.sum((2, 3)))
    return by_clip(encoded, ~visible & inside)


def by_clip(encoded: EncodedBatch, values: Tensor) -> Tensor:
    """The values of all pictures, arranged by clip and frame."""
    return rearrange(values, "(b t) ... -> b t ...", t=encoded.batch.frames)


def at_first_frame(values: Tensor, frames: int) -> Tensor:
    """The values of clips as values of pictures: all at the first frame, zeros at the others."""
    spread = values.new_zeros(len(values), frames, *values.shape[1:])
    spread[:, 0] = values
    return spread.flatten(0, 1)


def _score(evidence: Evidence) -> dict[str, Statistic]:
    test = evidence.test
    return {
        name: statistic
        for start in ("", RIVAL)
        for end in LEAST_SIMILAR
        if f"{start}paired{end}" in test
        for name, statistic in _scores(test, start, end).items()
    }


def _scores(test: Measured, start: str, end: str) -> dict[str, Statistic]:
    truths = test[f"{start}truths"]
    tracks = test[f"{start}tracks"]
    paired = test[f"{start}paired{end}"]
    switches = test[f"{start}switches{end}"]
    errors = ratio(truths + tracks - 2 * paired + switches, truths)
    scores = {
        "mota": lambda times: 1 - errors(times),
        "switches_per_1000": ratio(1000 * switches, truths),
        "idf1": ratio(2 * test[f"{start}idtp{end}"], truths + tracks),
        **_hota(test, start, end),
    }
    if not end:
        scores["motp_px"] = ratio(test[f"{start}distance"], paired)
        scores["survived"] = ratio(test[f"{start}survived"], test[f"{start}returned"])
    return {f"{start}{name}{end}": statistic for name, statistic in scores.items()}


def _hota(test: Measured, start: str, end: str) -> dict[str, Statistic]:
    boxes_in_all = (test[f"{start}truths"] + test[f"{start}tracks"]).double()
    right = test[f"{start}right{end}"].double()
    associated = test[f"{start}associated{end}"].double()

    def parts(times: Float[Tensor, "R B"]) -> tuple[Float[Tensor, "R A"], Float[Tensor, "R A"]]:
        times = times.double()
        pairs = times @ right
        every = (times @ boxes_in_all)[:, None] - pairs
        detection = torch.where(every > 0, pairs / every.clamp_min(1), torch.nan)
        return detection, (times @ associated) / pairs.clamp_min(1)

    return {
        "hota": lambda times: (parts(times)[0] * parts(times)[1]).sqrt().mean(1),
        "deta": lambda times: parts(times)[0].mean(1),
        "assa": lambda times: parts(times)[1].mean(1),
    }


def _explained() -> dict[str, str]:
    by_boxes = {f"{name}_boxes": f"{words}; by boxes" for name, words in WORDS.items()}
    words = {**WORDS, **by_boxes}
    return words | {f"{RIVAL}{name}": f"{name} of the particles' own numbers" for name in words}


QUESTION = Question(
    ("things", "places", "clips"),
    _measure,
    _score,
    _explained(),
    rivals={name: f"{RIVAL}{name}" for name in _explained() if not name.startswith(RIVAL)},
)
