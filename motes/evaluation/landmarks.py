"""Landmark scores: how well can annotated points be predicted from the particles?

A linear map from particles to points is learnt on the training split.

Its inputs are either the positions; or the positions and their log-variances; or these and the appearance
features with their log-variances. They are taken from all particles, from the ten surest (`surest`) or from
the ten least sure (`unsurest`); from half of the particles each if there are fewer than twenty. The surest
are those whose log-variance, averaged over the training pictures, is lowest; they are the same in every
picture.

Each map is learnt in two ways. The first has an offset, and a penalty that the validation pictures choose.
The second, `_2022`, has neither, as in the published numbers. In it the fixed background particle takes part
if all particles do; with log-variances, its constant column acts as an offset.

The error is the distance from the annotated point in % of the distance between the eyes, averaged over points
and pictures. Of 5 points the first two are the eyes; of 68 points one eye begins at 36 and the other at 42.
For any other number of points, the error is in % of the larger side of the points' bounding box.

Two rivals know nothing of particles: the mean of the points learnt from (`mean_guess`), and principal components
of the pixels (`motes.evaluation.landmark_rivals`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from motes.evaluation.intervals import Statistic, mean
from motes.evaluation.landmark_rivals import Pixels, small_pictures
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.ops.points.pixels import pixels_of_points
from motes.ops.scores.regression import Linear, by_known, least_squares, ridges

Fit = Callable[[Tensor, Tensor, Tensor], Linear]  # from columns read, points, and which points those are
Columns = Callable[[Measured], Tensor]  # the inputs of a linear map, one row per picture

TOP = 10
PENALTIES = (0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
EYES = {5: ((0,), (1,)), 68: (tuple(range(36, 42)), tuple(range(42, 48)))}
READ = {
    "position": ("position",),
    "position+variance": ("position", "log_variance"),
    "position+variance+look": ("position", "log_variance", "features", "feature_log_variance"),
}
SHARES = ("", "/surest", "/unsurest")
RIVALS = {
    f"landmarks/{name}{share}{end}": "rival_pixels"
    for name in READ
    for share in SHARES
    for end in ("", "_2022")
}
BACKGROUND_LOG_VARIANCE = 2 * math.log(0.1)  # of the fixed particle of 2022; any constant but 0 would do
ERROR = "distance of the landmarks, in % of the distance of the eyes"
EXPLAINS = {
    "landmarks/mean_guess": f"{ERROR}, from the mean of the pictures learnt from",
    "landmarks/*_2022": f"{ERROR}, from those read off the particles without an offset, as published in 2022",
    "landmarks/*/surest": f"{ERROR}, from those read off the {TOP} surest particles",
    "landmarks/*/unsurest": f"{ERROR}, from those read off the {TOP} least sure particles",
    "landmarks/*": f"{ERROR}, from those read off the particles by a linear map",
    "rival_pixels": f"{ERROR}, from those read off principal components of the pixels by a linear map",
}


@dataclass(frozen=True)
class _Reading:
    """The inputs of a linear map: some of the particles, and which of their properties (`parts`)."""

    parts: tuple[str, ...]
    particles: Int[Tensor, "k"]

    def columns(self, measured: Measured) -> Float[Tensor, "B n"]:
        return torch.cat([measured[name][:, self.particles].flatten(1) for name in self.parts], 1).double()

    def columns_2022(self, measured: Measured) -> Float[Tensor, "B n"]:
        """The inputs as published in 2022. If all particles are read, the fixed background particle takes
        part too.

        That particle is in the middle: its position is 0 0, and adds nothing. The published table also held
        the log-variances of the background's features, which `Particles` does not have.
        """
        columns = [self.columns(measured)]
        if len(self.particles) == measured["position"].shape[1]:
            constant = torch.full((len(measured["points"]), 2), BACKGROUND_LOG_VARIANCE, dtype=torch.float64)
            columns += [constant] if "log_variance" in self.parts else []
            columns += [measured["background"].double()] if "features" in self.parts else []
        return torch.cat(columns, 1)


def _measure(encoded: EncodedBatch) -> Measured:
    """The parts of the particles, the annotated points in pixels, and the picture made small."""
    assert encoded.truth is not None and encoded.truth.points is not None
    names = (*READ["position+variance+look"], "background")
    parts = {name: getattr(encoded.latent, name) for name in names}
    points = pixels_of_points(encoded.truth.points, encoded.size)
    return {"points": points, "picture": small_pictures(encoded.batch.image), **parts}


def _score(evidence: Evidence) -> dict[str, Statistic]:
    points = evidence.test["points"]
    scores: dict[str, Statistic] = {}
    for share, particles in _shares(evidence.learn["log_variance"]).items():
        for name, parts in READ.items():
            reading = _Reading(parts, particles)
            scores[f"landmarks/{name}{share}"] = mean(
                landmark_errors(predicted_points(evidence, reading.columns), points)
            )
            scores[f"landmarks/{name}{share}_2022"] = mean(
                landmark_errors(_predicted_2022(evidence, reading), points)
            )
    guess = evidence.learn["points"].nanmean(0).expand_as(points)
    pixels = Pixels(evidence.learn, _largest(evidence.learn))
    scores["landmarks/mean_guess"] = mean(landmark_errors(guess, points))
    scores["rival_pixels"] = mean(landmark_errors(predicted_points(evidence, pixels.columns), points))
    return scores


def _largest(measured: Measured) -> int:
    """How many numbers the largest reading has: everything of all particles."""
    particles = torch.arange(measured["position"].shape[1])
    return _Reading(READ["position+variance+look"], particles).columns(measured).shape[1]


def _shares(log_variance: Float[Tensor, "B K 2"]) -> dict[str, Int[Tensor, "k"]]:
    """The numbers of the particles to read: of all, of the surest and of the least sure, by the score's
    ending."""
    order = log_variance.sum(2).mean(0).argsort()
    count = min(TOP, len(order) // 2)
    parts = (torch.arange(len(order)), order[:count], order[len(order) - count :])
    return {share: part for share, part in zip(SHARES, parts, strict=True) if len(part)}


def predicted_points(
    evidence: Evidence, columns_of: Columns, penalties: tuple[float, ...] = PENALTIES
) -> Float[Tensor, "B P 2"]:
    """The predicted points of the test pictures, with the penalty that is best on the validation pictures.

    Points that are known in the same pictures form a group, and each group has its own penalty.
    """
    choose = columns_of(evidence.choose)

    def fit(x: Tensor, y: Tensor, columns: Tensor) -> Linear:
        candidates = ridges(x, y, penalties)
        points = _flat(evidence.choose["points"])[:, columns]
        errors = torch.stack([(linear(choose) - points).square().nanmean() for linear in candidates])
        return candidates[int(errors.nan_to_num(torch.inf).argmin())]

    return _fitted(evidence, columns_of(evidence.learn), columns_of(evidence.test), fit)


def _predicted_2022(evidence: Evidence, reading: _Reading) -> Float[Tensor, "B P 2"]:
    """The predicted points of the test pictures, by the published protocol: least squares without offset or
    penalty."""
    learn = reading.columns_2022(evidence.learn)
    test = reading.columns_2022(evidence.test)
    return _fitted(evidence, learn, test, lambda x, y, columns: least_squares(x, y))


def _fitted(evidence: Evidence, learn: Tensor, test: Tensor, fit: Fit) -> Float[Tensor, "B P 2"]:
    """The predicted points of the test pictures, by `fit` from the inputs `learn` to the points of these
    pictures.

    A point with NaN coordinates is unknown. Points that are known in the same pictures are learnt together,
    from these pictures.
    """
    y = _flat(evidence.learn["points"])
    predicted = torch.full((len(test), y.shape[1]), torch.nan, dtype=torch.float64)
    for rows, columns in by_known(~y.isnan()):
        if rows.any():
            predicted[:, columns] = fit(learn[rows], y[rows][:, columns], columns)(test)
    return rearrange(predicted, "b (p two) -> b p two", two=2)


def landmark_errors(predicted: Float[Tensor, "B P 2"], points: Float[Tensor, "B P 2"]) -> Float[Tensor, "B"]:
    """The mean error over the known points, in % of the picture's `_unit`; NaN if the picture has no known
    point."""
    return 100 * (predicted - points).norm(dim=2).nanmean(1) / _unit(points)


def _unit(points: Float[Tensor, "B P 2"]) -> Float[Tensor, "B"]:
    """The length in each picture by which errors are divided: the distance between the eyes.

    Where the points do not mark eyes, it is the larger side of the box around the points. It is NaN where the
    length is 0 or unknown.
    """
    unit = _eye_distance(points) if points.shape[1] in EYES else _larger_side(points)
    return unit.masked_fill(~(unit > 0) | unit.isinf(), torch.nan)


def _eye_distance(points: Float[Tensor, "B P 2"]) -> Float[Tensor, "B"]:
    left, right = (points[:, list(eye)].mean(1) for eye in EYES[points.shape[1]])
    return (left - right).norm(dim=1)


def _larger_side(points: Float[Tensor, "B P 2"]) -> Float[Tensor, "B"]:
    high = points.nan_to_num(-torch.inf).amax(1)
    low = points.nan_to_num(torch.inf).amin(1)
    return (high - low).amax(1)


def _flat(points: Tensor) -> Float[Tensor, "B n"]:
    return rearrange(points, "b p two -> b (p two)").double()


QUESTION = Question(("particles", "points"), _measure, _score, EXPLAINS, learns=True, rivals=RIVALS)
