"""Prediction scores: where are things some frames later, and what does the picture look like then?

Ten frames are given, at several moments of each clip. A true thing and a particle are paired once, in the last given
frame, if they are within half a diameter; after that the pair is held to. A thing without a partner, or whose particle
is predicted to have left, is lost: it has no error, but counts in `lost`. Beside each score stands that of a
prediction that needs no learning; the picture's rival is the last given picture itself.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from motes.evaluation.clips.moments import Forecast, Moment, TrueObjects, actions_from, moment_of, shuffled
from motes.evaluation.clips.place_errors import errors, soundness
from motes.evaluation.clips.sampled import SAMPLES, can_be_drawn, of_samples
from motes.evaluation.clips.simulations import simulations
from motes.evaluation.clips.tracks import at_first_frame, by_clip
from motes.evaluation.intervals import Statistic, ratio
from motes.evaluation.pictures import perceptual_distance
from motes.evaluation.question import GIVEN, EncodedBatch, Evidence, Measured, Question
from motes.models.abilities import Predicts
from motes.models.motion.rivals import rivals
from motes.ops.scores.metrics import psnr, ssim
from motes.types.clips import ParticleClip
from motes.types.latents import Image

# frames after the last given one
HORIZONS = (1, 5, 10, 20, 50)
# the first predicted frames: those that the clips have room for, but always the first
STARTS = (GIVEN, GIVEN + 15, GIVEN + 30)
# pictures are compared, and samples drawn, up to here: later ones show whether things are where they were, no more
PICTURES = 20
MODEL = "predicted"
COPY = "copy"
SAMPLED = "samples"
SHUFFLED = "shuffled"
UNTOLD = "untold"

BY_HORIZON = {
    "error_px": "how far the particle is from its thing, in pixels",
    "hit_error_px": "the same, of things that have hit another by then",
    "free_error_px": "the same, of things that have hit no other",
    "lost": "share of the things that no particle follows: not found in the last given frame, or taken to have left",
    "psnr": "PSNR of the picture, in decibels",
    "ssim": "structural similarity of the picture, 1 at best",
    "lpips": "distance of the picture in a network's features, 0 at best",
}
AT_END = {
    "speed": "speed of the particles over that of their things, in the last frames of the longest prediction",
    "inside": "share of the particles that are in the picture, if their things are",
    "overlap": "by what share of a diameter two things overlap at the end, a mean over all couples",
    "look_drift": "how far looks have gone from those of the given frames, in standard deviations of all looks",
}
OF_SAMPLES = {
    "energy_px": f"energy score of {SAMPLES} futures, in pixels: error less half of their distances; of one future, its error",
    "covered": f"share of the things that are inside the hull of {SAMPLES} futures",
    "diversity_px": "mean distance of two futures of a thing, in pixels",
}
OF_WAYS = {
    "ways": f"share of the ways open to a thing that one of {SAMPLES} futures takes, of things that have taken one by then",
    "on_way": "share of the futures that have taken one of these ways by then, of the same things",
}
PICTURE_KINDS = ("psnr", "ssim", "lpips")
# the rivals by name, in words
OTHERS = {
    COPY: "if nothing moved",
    "velocity": "if things went on by their last step",
    "reflecting": "if things went on by their last step and turned round at the borders",
    SHUFFLED: "told the actions of another clip or moment",
    UNTOLD: "told no actions",
    "laws": "by the true laws of motion from the true places and velocities",
    "laws_encoded": "by the true laws of motion from the places of the particles and their last steps",
}


def _measure(encoded: EncodedBatch) -> Measured:
    frames = encoded.batch.frames
    horizons = [horizon for horizon in HORIZONS if GIVEN + horizon <= frames]
    starts = [start for start in STARTS if start == GIVEN or start + horizons[-1] <= frames]
    objects = TrueObjects.of(encoded)
    counts: Measured = {}
    for start in starts:
        moment = moment_of(encoded, objects, start)
        for name, measured in _at_moment(encoded, moment, horizons):
            for key, value in measured.items():
                key = f"{name}_{key}"
                counts[key] = counts[key] + value if key in counts else value
    return {name: at_first_frame(value, frames) for name, value in counts.items()}


def _at_moment(encoded: EncodedBatch, moment: Moment, horizons: list[int]) -> Iterator[tuple[str, Measured]]:
    """Yields the name of each predictor and what is measured of it."""
    assert isinstance(encoded.model, Predicts)
    steps = horizons[-1]
    told = actions_from(encoded, moment, steps)
    predictors: list[tuple[str, Predicts, Tensor | None]] = [(MODEL, encoded.model, told)]
    predictors += [(name, rival, None) for name, rival in rivals(encoded.size).items()]
    if told is not None:
        predictors += [
            (SHUFFLED, encoded.model, shuffled(encoded, moment, steps)),
            (UNTOLD, encoded.model, None),
        ]
    forecasts = simulations(encoded, moment, steps)
    early = [horizon for horizon in horizons if horizon <= PICTURES]
    for name, predictor, actions in predictors:
        future = predictor.predict(moment.given, GIVEN, steps, actions)
        yield name, _of_pictures(encoded, moment, future, early)
        forecasts[name] = Forecast.of(encoded, moment, future)
    if moment.things is None:
        return
    for name, forecast in forecasts.items():
        yield name, errors(moment, forecast, horizons)
        if horizons[-1] == HORIZONS[-1]:
            yield name, soundness(moment, forecast, encoded.size)
    if can_be_drawn(encoded):
        yield SAMPLED, of_samples(encoded, moment, early, told)


def _of_pictures(
    encoded: EncodedBatch, moment: Moment, future: ParticleClip, horizons: list[int]
) -> Measured:
    """How like the truth the picture is at each horizon, in each clip, and how like it the last given picture is."""
    pictures = by_clip(encoded, encoded.batch.image)
    last = pictures[:, moment.start - 1]
    measured: Measured = {}
    for horizon in horizons:
        truth = pictures[:, moment.start + horizon - 1]
        drawn = encoded.model.decode(future.window(horizon - 1, 1))
        for start, picture in (("", drawn), ("last_", last)):
            of_kind = _likeness(picture, truth)
            measured |= {f"{start}{kind}_{horizon}": value for kind, value in of_kind.items()}
        measured[f"pictures_{horizon}"] = torch.ones_like(measured[f"psnr_{horizon}"])
    return measured


def _likeness(drawn: Image, truth: Image) -> Measured:
    measured = {
        "psnr": psnr(drawn.double(), truth.double()),
        # variances in SSIM are differences of near numbers
        "ssim": ssim(drawn.double(), truth.double()),
    }
    return measured | perceptual_distance(drawn.clamp(0, 1), truth)


def _score(evidence: Evidence) -> dict[str, Statistic]:
    test = evidence.test
    scores: dict[str, Statistic] = {}
    for name in (MODEL, *OTHERS):
        for horizon in HORIZONS:
            scores |= _at_horizon(test, name, horizon)
        scores |= _in_the_end(test, name)
    for horizon in HORIZONS:
        if f"{SHUFFLED}_error_{horizon}" in test:
            scores[f"over_shuffled_{horizon}"] = ratio(
                test[f"{MODEL}_error_{horizon}"], test[f"{SHUFFLED}_error_{horizon}"]
            )
    for horizon in HORIZONS:
        if f"{SAMPLED}_energy_{horizon}" in test:
            for kind in OF_SAMPLES:
                sums = test[f"{SAMPLED}_{kind.removesuffix('_px')}_{horizon}"]
                scores[f"{SAMPLED}_{kind}_{horizon}"] = ratio(sums, test[f"{SAMPLED}_counted_{horizon}"])
        if f"{SAMPLED}_choosing_{horizon}" in test:
            choosing = test[f"{SAMPLED}_choosing_{horizon}"]
            for kind in OF_WAYS:
                scores[f"{SAMPLED}_{kind}_{horizon}"] = ratio(test[f"{SAMPLED}_{kind}_{horizon}"], choosing)
    return scores


def _at_horizon(test: Measured, name: str, horizon: int) -> dict[str, Statistic]:
    scores: dict[str, Statistic] = {}
    for group in ("", "hit_", "free_"):
        if f"{name}_{group}error_{horizon}" in test:
            pairs = test[f"{name}_{group}pairs_{horizon}"]
            sums = test[f"{name}_{group}error_{horizon}"]
            scores[f"{name}_{group}error_px_{horizon}"] = ratio(sums, pairs)
    if f"{name}_truths_{horizon}" in test:
        truths = test[f"{name}_truths_{horizon}"]
        lost = truths - test[f"{name}_pairs_{horizon}"]
        scores[f"{name}_lost_{horizon}"] = ratio(lost, truths)
    for kind in PICTURE_KINDS:
        key = f"{name}_last_{kind}_{horizon}" if name == COPY else f"{name}_{kind}_{horizon}"
        if key in test:
            scores[f"{name}_{kind}_{horizon}"] = ratio(test[key], test[f"{name}_pictures_{horizon}"])
    return scores


def _in_the_end(test: Measured, name: str) -> dict[str, Statistic]:
    below = {"speed": "true_speed", "inside": "at_end", "overlap": "couples", "look_drift": "at_end"}
    scores = {
        f"{name}_{kind}": ratio(test[f"{name}_{kind}"], test[f"{name}_{other}"])
        for kind, other in below.items()
        if f"{name}_{kind}" in test
    }
    if name == MODEL and f"{name}_true_overlap" in test:
        scores["true_overlap"] = ratio(test[f"{name}_true_overlap"], test[f"{name}_couples"])
    return scores


def _explained() -> dict[str, str]:
    explained = {
        "true_overlap": "the same of the true things",
        "over_shuffled_*": "error of the places over that with the actions of another clip or moment",
    }
    for name, words in {MODEL: "", **{key: f", {words}" for key, words in OTHERS.items()}}.items():
        for kind in BY_HORIZON:
            explained[f"{name}_{kind}_*"] = (
                f"{BY_HORIZON[kind]}, so many frames after the last given one{words}"
            )
        for kind in AT_END:
            explained[f"{name}_{kind}"] = f"{AT_END[kind]}{words}"
    return explained | {f"{SAMPLED}_{kind}_*": words for kind, words in (OF_SAMPLES | OF_WAYS).items()}


def _rivals() -> dict[str, str]:
    by_horizon = {kind: COPY if kind in PICTURE_KINDS else "velocity" for kind in BY_HORIZON}
    of_horizons = {
        f"{MODEL}_{kind}_{horizon}": f"{rival}_{kind}_{horizon}"
        for kind, rival in by_horizon.items()
        for horizon in HORIZONS
    }
    of_samples = {f"{SAMPLED}_energy_px_{horizon}": f"{MODEL}_error_px_{horizon}" for horizon in HORIZONS}
    return of_horizons | of_samples | {f"{MODEL}_{kind}": f"velocity_{kind}" for kind in AT_END}


QUESTION = Question(
    ("particles", "clips", "predicts", "future", "actions"), _measure, _score, _explained(), rivals=_rivals()
)
