"""Rank correlation, and risk against coverage, for many weightings of the same values at once."""

import torch
from jaxtyping import Float
from torch import Tensor


def rank_correlation(
    x: Float[Tensor, "D"], y: Float[Tensor, "D"], times: Float[Tensor, "R D"]
) -> Float[Tensor, "R"]:
    """Spearman's rank correlation of x and y, one for each row of `times`; equal values share their mean
    rank.

    `times` says how often each pair counts. The result is NaN if nothing varies.
    """
    x_ranks = _centred(_ranks(x, times), times)
    y_ranks = _centred(_ranks(y, times), times)
    covariance = (times * (x_ranks * y_ranks)).sum(1)
    x_variance = (times * (x_ranks * x_ranks)).sum(1)
    y_variance = (times * (y_ranks * y_ranks)).sum(1)
    spread = (x_variance * y_variance).sqrt()
    return (covariance / torch.where(spread > 0, spread, 1)).masked_fill(spread == 0, torch.nan)


def _centred(rank: Float[Tensor, "R D"], times: Float[Tensor, "R D"]) -> Float[Tensor, "R D"]:
    total = times.sum(1, keepdim=True).clamp_min(1)
    return rank - (rank * times).sum(1, keepdim=True) / total


def area_under_risk(
    confidence: Float[Tensor, "D"], risk: Float[Tensor, "D"], times: Float[Tensor, "R D"]
) -> Float[Tensor, "R"]:
    """AURC: the mean risk of the most confident values, averaged over all shares of them.

    Geifman & El-Yaniv 2017, https://arxiv.org/abs/1705.08500. Equally confident values each count with their
    mean risk. The result is NaN if there are no values.
    """
    order, shared = _by_confidence(confidence, risk, times)
    times = times[:, order]
    before = times.cumsum(1) - times
    total = times.sum(1)
    lost = (times * shared).cumsum(1) - times * shared
    # the sum of 1 / (before + j), j = 1 ... times
    harmonic = torch.digamma(before + times + 1) - torch.digamma(before + 1)
    # the sum of (lost + j risk) / (before + j)
    area = times * shared + (lost - before * shared) * harmonic
    return (area.sum(1) / total.clamp_min(1)).masked_fill(total == 0, torch.nan)


def risk_at(
    confidence: Float[Tensor, "D"], risk: Float[Tensor, "D"], times: Float[Tensor, "R D"], coverage: float
) -> Float[Tensor, "R"]:
    """The mean risk of the most confident share (`coverage`) of the values; the last value counts in part."""
    order, shared = _by_confidence(confidence, risk, times)
    times = times[:, order]
    total = times.sum(1)
    before = times.cumsum(1) - times
    counted = (coverage * total[:, None] - before).clamp_min(0).minimum(times)
    return ((counted * shared).sum(1) / counted.sum(1).clamp_min(1e-12)).masked_fill(total == 0, torch.nan)


def _by_confidence(confidence: Tensor, risk: Tensor, times: Tensor) -> tuple[Tensor, Float[Tensor, "R D"]]:
    """The order of the values, most confident first, and for each in this order the mean risk of equally
    confident ones."""
    order = confidence.argsort(descending=True, stable=True)
    _, group = confidence[order].unique_consecutive(return_inverse=True)
    weight = _sums(times[:, order], group)
    mean = _sums((times * risk)[:, order], group) / weight.clamp_min(1e-12)
    return order, mean[:, group]


def _ranks(values: Float[Tensor, "D"], times: Float[Tensor, "R D"]) -> Float[Tensor, "R D"]:
    """The ranks of the values when each value is repeated `times` times."""
    _, group = values.unique(return_inverse=True)
    count = _sums(times, group)
    return (count.cumsum(1) - (count - 1) / 2)[:, group]


def _sums(values: Float[Tensor, "R D"], group: Tensor) -> Float[Tensor, "R g"]:
    most = int(group.max()) + 1 if len(group) else 0
    return values.new_zeros(len(values), most).index_add_(1, group, values)
