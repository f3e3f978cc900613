"""Prediction scores: where are things some frames later, and what does the picture look like then?

Ten frames are given, at several moments of each clip. A true thing and a particle are paired once, in the last given
frame, if they are within half a diameter; after that the pair is held to. A thing without a partner, or whose particle
is predicted to have left, is lost: it has no error, but counts in `lost`. Beside each score stands that of a
prediction that needs no learning; the picture's rival is the last given picture itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.evaluation.clips.tracks import at_first_frame, by_clip, diameters
from motes.evaluation.intervals import Statistic, ratio
from motes.evaluation.question import GIVEN, EncodedBatch, Evidence, Measured, Question
from motes.models.abilities import Predicts
from motes.models.middles import middle_pixels
from motes.models.video.rivals import rivals
from motes.ops.gather import take
from motes.ops.points.assignment import assign
from motes.ops.points.pixels import pixels_of_points
from motes.ops.scores.metrics import psnr
from motes.types.clips import ParticleClip

# frames after the last given one
HORIZONS = (1, 5, 10, 20, 50)
# the first predicted frames: those that the clips have room for, but always the first
STARTS = (GIVEN, GIVEN + 15, GIVEN + 30)
# pictures are compared up to here: later ones show whether things are where they were, no more
PICTURES = 20
# frames at the end of the longest prediction over which speeds are compared
SPEED_OVER = 5
MODEL = "predicted"
COPY = "copy"

WORDS = {
    "error_px": "how far the particle is from its thing, in pixels",
    "lost": "share of the things that no particle follows: not found in the last given frame, or taken to have left",
    "psnr": "PSNR of the picture, in decibels",
    "speed": "speed of the particles over that of their things, in the last frames of the longest prediction",
    "inside": "share of the particles that are in the picture, if their things are",
}
# the rivals by name, in words
OTHERS = {
    COPY: "if nothing moved",
    "velocity": "if things went on by their last step",
    "reflecting": "if things went on by their last step and turned round at the borders",
}


@dataclass(frozen=True)
class _Moment:
    """A moment of B clips: what is given before it, and the pairs of true things and slots."""

    given: ParticleClip
    # the number of the first frame to predict
    start: int
    # the slot of each thing; -1: none
    slot: Int[Tensor, "B n"]


def _measure(encoded: EncodedBatch) -> Measured:
    assert isinstance(encoded.model, Predicts)
    frames = encoded.batch.frames
    predictors: Mapping[str, Predicts] = {MODEL: encoded.model, **rivals(encoded.size)}
    horizons = [horizon for horizon in HORIZONS if GIVEN + horizon <= frames]
    starts = [start for start in STARTS if start == GIVEN or start + horizons[-1] <= frames]
    counts: Measured = {}
    for start in starts:
        moment = _moment(encoded, start)
        for name, predictor in predictors.items():
            future = predictor.predict(moment.given, GIVEN, horizons[-1])
            _add(counts, _of_pictures(encoded, moment, future, horizons), name)
            if encoded.centres is not None:
                _add(counts, _of_places(encoded, moment, future, horizons), name)
    return {name: at_first_frame(value, frames) for name, value in counts.items()}


def _add(counts: Measured, more: Measured, predictor: str) -> None:
    for name, value in more.items():
        key = f"{predictor}_{name}"
        counts[key] = counts[key] + value if key in counts else value


def _moment(encoded: EncodedBatch, start: int) -> _Moment:
    given = encoded.followed.window(start - GIVEN, GIVEN)
    if encoded.centres is None or encoded.truth is None:
        return _Moment(given, start, torch.full((given.clips, 0), -1))
    centres = by_clip(encoded, pixels_of_points(encoded.centres, encoded.size))[:, start - 1]
    last = given.window(GIVEN - 1, 1)
    places = middle_pixels(encoded.model, last.particles, encoded.size)
    distance = torch.cdist(centres, places)
    is_there = (last.track >= 0) & (last.particles.presence > 0.5)
    present = by_clip(encoded, encoded.truth.present)[:, start - 1]
    near = distance <= by_clip(encoded, diameters(encoded))[:, start - 1, :, None] / 2
    return _Moment(given, start, assign(distance, near & is_there[:, None] & present[..., None]))


def _of_pictures(
    encoded: EncodedBatch, moment: _Moment, future: ParticleClip, horizons: list[int]
) -> Measured:
    """The PSNR at each horizon, in each clip, and that of the last given picture."""
    pictures = by_clip(encoded, encoded.batch.image)
    measured: Measured = {}
    for horizon in horizons:
        if horizon <= PICTURES:
            truth = pictures[:, moment.start + horizon - 1].double()
            drawn = encoded.model.decode(future.window(horizon - 1, 1)).double()
            measured[f"psnr_{horizon}"] = psnr(drawn, truth)
            measured[f"last_psnr_{horizon}"] = psnr(pictures[:, moment.start - 1].double(), truth)
            measured[f"pictures_{horizon}"] = torch.ones_like(measured[f"psnr_{horizon}"])
    return measured


def _of_places(encoded: EncodedBatch, moment: _Moment, future: ParticleClip, horizons: list[int]) -> Measured:
    """Sums over the things of each clip, by horizon."""
    assert encoded.centres is not None and encoded.truth is not None
    centres = by_clip(encoded, pixels_of_points(encoded.centres, encoded.size))
    present = by_clip(encoded, encoded.truth.present)
    particles = future.by_clip(middle_pixels(encoded.model, future.particles, encoded.size))
    presence = future.by_clip(future.particles.presence)
    slot = moment.slot.clamp_min(0)
    measured: Measured = {}
    for horizon in horizons:
        frame = moment.start + horizon - 1
        in_both = present[:, moment.start - 1] & present[:, frame]
        stays = presence[:, horizon - 1].gather(1, slot) > 0.5
        paired = in_both & stays & (moment.slot >= 0)
        error = (take(particles[:, horizon - 1], slot) - centres[:, frame]).norm(dim=-1)
        measured[f"error_{horizon}"] = error.where(paired, 0).sum(1)
        measured[f"pairs_{horizon}"] = paired.sum(1)
        measured[f"truths_{horizon}"] = in_both.sum(1)
        if horizon == HORIZONS[-1]:
            measured |= _health(encoded, centres, particles, moment, paired)
    return measured


def _health(
    encoded: EncodedBatch,
    centres: Float[Tensor, "B T n 2"],
    particles: Float[Tensor, "B R K 2"],
    moment: _Moment,
    paired: Bool[Tensor, "B n"],
) -> Measured:
    """Sums over the pairs at the end of the longest prediction."""
    row = moment.slot.clamp_min(0)
    ends = [take(particles[:, -1 - back], row) for back in range(SPEED_OVER)]
    end = moment.start + particles.shape[1]
    true_ends = centres[:, end - SPEED_OVER : end]
    sides = ends[0].new_tensor(encoded.size)
    is_inside = ((ends[0] >= -0.5) & (ends[0] <= sides - 0.5)).all(-1)
    return {
        "speed": (torch.stack(ends, 1).diff(dim=1).norm(dim=-1).sum(1) * paired).sum(1),
        "true_speed": (true_ends.diff(dim=1).norm(dim=-1).sum(1) * paired).sum(1),
        "inside": (is_inside & paired).sum(1),
        "at_end": paired.sum(1),
    }


def _score(evidence: Evidence) -> dict[str, Statistic]:
    test = evidence.test
    scores: dict[str, Statistic] = {}
    for name in (MODEL, *OTHERS):
        for horizon in HORIZONS:
            scores |= _at_horizon(test, name, horizon)
        if f"{name}_speed" in test:
            scores[f"{name}_speed"] = ratio(test[f"{name}_speed"], test[f"{name}_true_speed"])
            scores[f"{name}_inside"] = ratio(test[f"{name}_inside"], test[f"{name}_at_end"])
    return scores


def _at_horizon(test: Measured, name: str, horizon: int) -> dict[str, Statistic]:
    scores: dict[str, Statistic] = {}
    if f"{name}_error_{horizon}" in test:
        pairs = test[f"{name}_pairs_{horizon}"]
        truths = test[f"{name}_truths_{horizon}"]
        scores[f"{name}_error_px_{horizon}"] = ratio(test[f"{name}_error_{horizon}"], pairs)
        scores[f"{name}_lost_{horizon}"] = ratio(truths - pairs, truths)
    if f"{name}_psnr_{horizon}" in test:
        kind = "last_psnr" if name == COPY else "psnr"
        scores[f"{name}_psnr_{horizon}"] = ratio(
            test[f"{name}_{kind}_{horizon}"], test[f"{name}_pictures_{horizon}"]
        )
    return scores


def _explained() -> dict[str, str]:
    explained = {}
    for name, words in {MODEL: "", **{key: f", {words}" for key, words in OTHERS.items()}}.items():
        for kind in ("error_px", "lost", "psnr"):
            explained[f"{name}_{kind}_*"] = f"{WORDS[kind]}, so many frames after the last given one{words}"
        for kind in ("speed", "inside"):
            explained[f"{name}_{kind}"] = f"{WORDS[kind]}{words}"
    return explained


def _rivals() -> dict[str, str]:
    names = {"error_px": "velocity", "psnr": COPY, "lost": "velocity"}
    return {
        f"{MODEL}_{kind}_{horizon}": f"{rival}_{kind}_{horizon}"
        for kind, rival in names.items()
        for horizon in HORIZONS
    } | {f"{MODEL}_{kind}": f"velocity_{kind}" for kind in ("speed", "inside")}


QUESTION = Question(
    ("particles", "clips", "predicts", "future"), _measure, _score, _explained(), rivals=_rivals()
)
