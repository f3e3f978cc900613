"""How sure is a score? Bootstrap intervals: every score is a function of how often each picture is drawn,
for many draws at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

# R draws, each saying how often it holds each of the B pictures -> R numbers; not a number where a draw
# holds nothing to score
Statistic = Callable[[Tensor], Tensor]

RESAMPLES = 500
AT_ONCE = 50  # draws


@dataclass(frozen=True)
class Score:
    """A score over all pictures, and where it lies for 95 % of bootstrap resamples; not a number where there
    is nothing to score."""

    value: float
    low: float
    high: float


def intervals(statistics: Mapping[str, Statistic], unit: Int[Tensor, "B"]) -> dict[str, Score]:
    """Pictures of the same unit are much alike, as frames of a clip or pictures of one person are: units are
    drawn whole."""
    names, unit = unit.unique(return_inverse=True)
    random = torch.Generator().manual_seed(0)
    found: dict[str, list[Tensor]] = {
        name: [statistic(torch.ones(1, len(unit)))] for name, statistic in statistics.items()
    }
    for _ in range(RESAMPLES // AT_ONCE):
        drawn = torch.randint(len(names), (AT_ONCE, len(names)), generator=random)
        times = torch.zeros(drawn.shape).scatter_add_(1, drawn, torch.ones(drawn.shape))[:, unit]
        for name, statistic in statistics.items():
            found[name].append(statistic(times))
    return {name: _score(torch.cat(values).double()) for name, values in found.items()}


def mean(values: Float[Tensor, "B"]) -> Statistic:
    """Over the pictures that have a value, the others being not a number."""
    known = ~values.isnan()
    return ratio(torch.where(known, values, 0), known)


def ratio(of: Shaped[Tensor, "B"], to: Shaped[Tensor, "B"], of_nothing: float = torch.nan) -> Statistic:
    """A sum over all pictures by another sum; `of_nothing` where the other is 0."""
    of = of.double()
    to = to.double()

    def statistic(times: Float[Tensor, "R B"]) -> Float[Tensor, "R"]:
        times = times.double()
        below = times @ to
        return (times @ of / torch.where(below == 0, 1, below)).masked_fill(below == 0, of_nothing)

    return statistic


def _score(values: Float[Tensor, "R"]) -> Score:
    """The first is of all pictures, the others are of resamples."""
    low, high = values[1:].nanquantile(torch.tensor([0.025, 0.975], dtype=values.dtype)).tolist()
    return Score(values[0].item(), low, high)
