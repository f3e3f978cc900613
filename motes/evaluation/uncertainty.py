"""Is a particle that says it is unsure of its place in fact farther from the thing?

The log-variance of a particle's position, summed over both axes, against its distance to the nearest true
centre, in pixels. Once over the particles that the model believes in, and once (`_all`) over every particle
that is drawn.
"""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from motes.evaluation.intervals import Statistic
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.ops.scores.rank import area_under_risk, rank_correlation, risk_at

COVERAGES = (0.25, 0.5, 0.75)


def look(encoded: EncodedBatch) -> Measured:
    """Of each particle: how unsure, how far (endless where there is no thing), whether it is believed in and
    drawn."""
    assert encoded.truth is not None and encoded.centres is not None
    pixels = (torch.tensor(encoded.size, device=encoded.batch.image.device) - 1) / 2
    apart = ((encoded.latent.position[:, :, None] - encoded.centres[:, None]) * pixels).norm(dim=-1)
    apart = apart.masked_fill(~encoded.truth.present[:, None], torch.inf)
    nearest = apart.amin(2) if apart.shape[2] else torch.full_like(encoded.latent.presence, torch.inf)
    return {
        "unsure": encoded.latent.log_variance.sum(-1),
        "apart": nearest,
        "there": encoded.believed,
        "drawn": encoded.latent.presence > 0.5,
    }


def judge(evidence: Evidence) -> dict[str, Statistic]:
    """Risks are mean distances of the surest particles; `aurc_random` is what any order without knowledge
    has, `aurc_best` the least."""
    test = evidence.test
    believed, everyone = (_Pairs(test, test[name] & test["apart"].isfinite()) for name in ("there", "drawn"))
    sure = -believed.unsure
    risk = believed.apart
    return {
        "rank_correlation": believed.of(partial(rank_correlation, believed.unsure, risk)),
        "rank_correlation_all": everyone.of(partial(rank_correlation, everyone.unsure, everyone.apart)),
        "aurc": believed.of(partial(area_under_risk, sure, risk)),
        "aurc_random": believed.of(partial(area_under_risk, torch.zeros_like(risk), risk)),
        "aurc_best": believed.of(partial(area_under_risk, -risk, risk)),
        **{
            f"risk@{coverage:g}": believed.of(partial(risk_at, sure, risk, coverage=coverage))
            for coverage in COVERAGES
        },
        "risk@1": believed.of(partial(risk_at, sure, risk, coverage=1.0)),
    }


class _Pairs:
    """The particles that count, of all pictures in one row; a picture that is drawn twice has its particles
    drawn twice."""

    def __init__(self, test: Measured, which: Tensor):
        self.unsure = test["unsure"][which].double()
        self.apart = test["apart"][which].double()
        self.picture = torch.arange(len(which))[:, None].expand_as(which)[which]

    def of(self, score: partial[Tensor]) -> Statistic:
        def statistic(times: Float[Tensor, "R B"]) -> Float[Tensor, "R"]:
            groups = times.double().split(max(2_000_000 // max(len(self.picture), 1), 1))
            return torch.cat([score(times=group[:, self.picture]) for group in groups])

        return statistic


QUESTION = Question(("particles", "places"), look, judge)
