"""How well do the particles tell where the landmarks are? A linear map from particles to the annotated
points, learnt on other pictures.

What is read: positions; positions and their log-variances; those and looks with theirs. Of all particles, of
the ten surest or of the ten least sure (of half of them, where there are fewer than twenty): those whose
mean log-variance over the pictures learnt from is the lowest or the highest, the same in every picture.

Each twice. With an offset, and a penalty that the validation pictures choose. And as `_2022`: neither of
them, as the published numbers were made; the fixed background particle takes part where all do, so with
log-variances its constant column acts as an offset.

The error is the distance from the annotated point in % of the distance of the eyes, averaged over points and
pictures. Of 5 points the first two are eyes, of 68 those from 36 and from 42 on; of any other number it is
in % of the larger side of the points' bounding box.
"""

import math
from collections.abc import Callable

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from motes.evaluation.intervals import Statistic, mean
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.ops.scores.regression import Linear, by_known, least_squares, ridges

Fit = Callable[[Tensor, Tensor, Tensor], Linear]  # from columns read, points, and which points those are

TOP = 10
PENALTIES = (0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
EYES = {5: ((0,), (1,)), 68: (tuple(range(36, 42)), tuple(range(42, 48)))}
READ = {
    "position": ("position",),
    "position+variance": ("position", "log_variance"),
    "position+variance+look": ("position", "log_variance", "features", "feature_log_variance"),
}
BACKGROUND_LOG_VARIANCE = 2 * math.log(0.1)  # of the fixed particle of 2022; any constant but 0 would do


def look(encoded: EncodedBatch) -> Measured:
    """The particles, and the points in pixels."""
    assert encoded.truth is not None and encoded.truth.points is not None
    pixels = (torch.tensor(encoded.size, device=encoded.batch.image.device) - 1) / 2
    names = (*READ["position+variance+look"], "background")
    return {
        "points": (encoded.truth.points + 1) * pixels,
        **{name: getattr(encoded.latent, name) for name in names},
    }


def judge(evidence: Evidence) -> dict[str, Statistic]:
    found: dict[str, Statistic] = {}
    for share, which in _particles(evidence.learn["log_variance"]).items():
        for name, parts in READ.items():
            with_offset = _fitted(evidence, parts, which)
            of_2022 = _fitted_2022(evidence, parts, which)
            found[f"landmarks/{name}{share}"] = mean(_error(with_offset, evidence.test["points"]))
            found[f"landmarks/{name}{share}_2022"] = mean(_error(of_2022, evidence.test["points"]))
    guess = evidence.learn["points"].nanmean(0).expand_as(evidence.test["points"])
    return found | {"landmarks/mean_guess": mean(_error(guess, evidence.test["points"]))}


def _particles(log_variance: Float[Tensor, "B K 2"]) -> dict[str, Int[Tensor, "k"]]:
    """All, the surest and the least sure of the data set."""
    order = log_variance.sum(2).mean(0).argsort()
    few = min(TOP, len(order) // 2)
    found = {"": torch.arange(len(order))}
    return found | {"/surest": order[:few], "/unsurest": order[-few:]} if few else found


def _fitted(evidence: Evidence, parts: tuple[str, ...], which: Tensor) -> Float[Tensor, "B P 2"]:
    """Points of the test pictures; each group of points with the penalty that is best for it on the
    validation pictures."""
    choose = _columns(evidence.choose, parts, which)

    def fit(x: Tensor, y: Tensor, columns: Tensor) -> Linear:
        candidates = ridges(x, y, PENALTIES)
        wanted = _flat(evidence.choose["points"])[:, columns]
        errors = [(one(choose) - wanted).square().nanmean() for one in candidates]
        return candidates[int(torch.stack(errors).nan_to_num(torch.inf).argmin())]

    return _predicted(
        evidence, _columns(evidence.learn, parts, which), _columns(evidence.test, parts, which), fit
    )


def _fitted_2022(evidence: Evidence, parts: tuple[str, ...], which: Tensor) -> Float[Tensor, "B P 2"]:
    """Points of the test pictures, by the published protocol."""
    learn, test = (
        torch.cat([_columns(one, parts, which), *_background(one, parts, which)], 1)
        for one in (evidence.learn, evidence.test)
    )
    return _predicted(evidence, learn, test, lambda x, y, columns: least_squares(x, y))


def _background(measured: Measured, parts: tuple[str, ...], which: Tensor) -> list[Tensor]:
    """What the particle in the middle that stands for the background adds where all are read: its place is 0
    0, and adds nothing.

    The published table also held the log-variances of the background's look, which `Particles` does not
    carry.
    """
    if len(which) < measured["position"].shape[1]:
        return []
    constant = torch.full((len(measured["points"]), 2), BACKGROUND_LOG_VARIANCE, dtype=torch.float64)
    return [constant] * ("log_variance" in parts) + [measured["background"].double()] * ("features" in parts)


def _predicted(evidence: Evidence, learn: Tensor, test: Tensor, fit: Fit) -> Float[Tensor, "B P 2"]:
    """Points whose place is not a number are unknown: each group of them is learnt from the pictures that
    know it."""
    y = _flat(evidence.learn["points"])
    found = torch.full((len(test), y.shape[1]), torch.nan, dtype=torch.float64)
    for rows, columns in by_known(~y.isnan()):
        if rows.any():
            found[:, columns] = fit(learn[rows], y[rows][:, columns], columns)(test)
    return rearrange(found, "b (p two) -> b p two", two=2)


def _error(found: Float[Tensor, "B P 2"], points: Float[Tensor, "B P 2"]) -> Float[Tensor, "B"]:
    """In % of the picture's unit, over its known points; not a number where it has none."""
    return 100 * (found - points).norm(dim=2).nanmean(1) / _unit(points)


def _unit(points: Float[Tensor, "B P 2"]) -> Float[Tensor, "B"]:
    """The distance of the eyes, or else the larger side of the box around the points; not a number where
    that is nothing."""
    if points.shape[1] in EYES:
        left, right = (points[:, list(eye)].mean(1) for eye in EYES[points.shape[1]])
        unit = (left - right).norm(dim=1)
    else:
        high = points.nan_to_num(-torch.inf).amax(1)
        low = points.nan_to_num(torch.inf).amin(1)
        unit = (high - low).amax(1)
    return unit.masked_fill(~(unit > 0) | unit.isinf(), torch.nan)


def _columns(measured: Measured, parts: tuple[str, ...], which: Tensor) -> Float[Tensor, "B n"]:
    return torch.cat([measured[name][:, which].flatten(1) for name in parts], 1).double()


def _flat(points: Tensor) -> Float[Tensor, "B n"]:
    return rearrange(points, "b p two -> b (p two)").double()


QUESTION = Question(("particles", "points"), look, judge, learns=True)
