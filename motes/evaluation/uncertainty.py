"""Uncertainty scores: is a particle with an uncertain position in fact farther from the nearest thing?

The log-variance of a particle's position, summed over both axes, is compared with its distance in pixels to
the nearest true centre. This is done over the particles that the model believes in, and again (`_all`) over
every particle that is drawn.
"""

from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.evaluation.intervals import Statistic
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.ops.scores.rank import area_under_risk, rank_correlation, risk_at

COVERAGES = (0.25, 0.5, 0.75)
GROUP = 2_000_000  # numbers of a statistic at once
EXPLAINS = {
    "rank_correlation": "of a particle's uncertainty with its distance from the nearest thing (Spearman)",
    "rank_correlation_all": "the same over every particle that is drawn, doubted ones included",
    "aurc": "area under risk against coverage, in pixels: less where the surest particles are nearest",
    "aurc_random": "the same in an order without knowledge",
    "aurc_best": "the same in the best order",
    "risk@*": "mean distance of this share of the particles, the surest ones, in pixels",
}


def _measure(encoded: EncodedBatch) -> Measured:
    """For each particle: its uncertainty, its distance, whether it is believed in, and whether it is drawn.

    The distance is infinite where the picture has no thing.
    """
    return {
        "unsure": encoded.latent.log_variance.sum(-1),
        "distance": _distances(encoded),
        "believed": encoded.believed,
        "drawn": encoded.latent.presence > 0.5,
    }


def _distances(encoded: EncodedBatch) -> Float[Tensor, "B K"]:
    """The distance from each particle to the nearest centre, in pixels."""
    assert encoded.truth is not None
    distance = encoded.distances.masked_fill(~encoded.truth.present[:, :, None], torch.inf)
    if not distance.shape[1]:
        return torch.full_like(encoded.latent.presence, torch.inf)
    return distance.amin(1)


def _score(evidence: Evidence) -> dict[str, Statistic]:
    test = evidence.test
    near = test["distance"].isfinite()
    believed = _Pooled(test, test["believed"] & near)
    drawn = _Pooled(test, test["drawn"] & near)
    return {
        "rank_correlation": believed.statistic(partial(rank_correlation, believed.unsure, believed.distance)),
        "rank_correlation_all": drawn.statistic(partial(rank_correlation, drawn.unsure, drawn.distance)),
        **_risks(believed),
    }


def _risks(believed: "_Pooled") -> dict[str, Statistic]:
    """The mean distance of the surest particles, at several shares of them, and the area under this curve.

    The areas for a random and for the best order are given for comparison.
    """
    risk = believed.distance
    sure = -believed.unsure
    orders = {"aurc": sure, "aurc_random": torch.zeros_like(risk), "aurc_best": -risk}
    areas = {
        name: believed.statistic(partial(area_under_risk, order, risk)) for name, order in orders.items()
    }
    risks = {
        f"risk@{coverage:g}": believed.statistic(partial(risk_at, sure, risk, coverage=coverage))
        for coverage in (*COVERAGES, 1.0)
    }
    return areas | risks


class _Pooled:
    """The chosen particles of all pictures, in one list.

    If a resample draws a picture twice, its particles count twice.
    """

    def __init__(self, test: Measured, chosen: Bool[Tensor, "B K"]):
        self.unsure = test["unsure"][chosen].double()
        self.distance = test["distance"][chosen].double()
        self.picture = chosen.nonzero()[:, 0]

    def statistic(self, score: partial[Tensor]) -> Statistic:
        group_size = max(GROUP // max(len(self.picture), 1), 1)

        def statistic(times: Float[Tensor, "R B"]) -> Float[Tensor, "R"]:
            groups = times.double().split(group_size)
            return torch.cat([score(times=group[:, self.picture]) for group in groups])

        return statistic


QUESTION = Question(("particles", "places"), _measure, _score, EXPLAINS)
