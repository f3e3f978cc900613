"""Scores with bootstrap intervals.

A statistic is a function of how often each picture is drawn; it is computed for many draws at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

# R draws, each saying how often it holds each of the B pictures -> R numbers; not a number where a draw
# holds nothing to score
Statistic = Callable[[Tensor], Tensor]

RESAMPLES = 500
DRAWN_AT_ONCE = 50


@dataclass(frozen=True)
class Score:
    """A score over all pictures, with the interval that holds 95 % of its bootstrap resamples.

    It is NaN if there is nothing to score.
    """

    value: float
    low: float
    high: float
    # how many pictures were scored
    pictures: int = 0


def intervals(statistics: Mapping[str, Statistic], unit: Int[Tensor, "B"]) -> dict[str, Score]:
    """The scores of these statistics, with their intervals.

    `unit` gives the number of each picture's unit. Pictures of one unit are much alike, such as frames of a
    clip or pictures of one person, so the bootstrap draws whole units.
    """
    names, unit = unit.unique(return_inverse=True)
    random = torch.Generator().manual_seed(0)
    everything = torch.ones(1, len(unit))
    values = {name: [statistic(everything)] for name, statistic in statistics.items()}
    for _ in range(RESAMPLES // DRAWN_AT_ONCE):
        times = _resampled(len(names), random)[:, unit]
        for name, statistic in statistics.items():
            values[name].append(statistic(times))
    return {name: _interval(torch.cat(parts).double(), len(unit)) for name, parts in values.items()}


def mean(values: Float[Tensor, "B"]) -> Statistic:
    """The statistic that is the mean of the values; NaN marks a picture without a value."""
    has_value = ~values.isnan()
    return ratio(torch.where(has_value, values, 0), has_value)


def ratio(
    numerator: Shaped[Tensor, "B"], denominator: Shaped[Tensor, "B"], if_empty: float = torch.nan
) -> Statistic:
    """The statistic that is one sum over all pictures divided by another; `if_empty` is its value if the
    divisor is 0."""
    numerator = numerator.double()
    denominator = denominator.double()

    def statistic(times: Float[Tensor, "R B"]) -> Float[Tensor, "R"]:
        times = times.double()
        below = times @ denominator
        quotient = times @ numerator / torch.where(below == 0, 1, below)
        return quotient.masked_fill(below == 0, if_empty)

    return statistic


def _resampled(count: int, random: torch.Generator) -> Float[Tensor, "R n"]:
    """How often each of `count` units is drawn in each of R resamples, with replacement."""
    drawn = torch.randint(count, (DRAWN_AT_ONCE, count), generator=random)
    return torch.zeros(drawn.shape).scatter_add_(1, drawn, torch.ones(drawn.shape))


def _interval(values: Float[Tensor, "R"], pictures: int) -> Score:
    """The score and its interval; `values[0]` is the value over all pictures, the others are of resamples."""
    low, high = values[1:].nanquantile(torch.tensor([0.025, 0.975], dtype=values.dtype)).tolist()
    return Score(values[0].item(), low, high, pictures)
