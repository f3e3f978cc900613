"""Intervals: as wide as theory and scipy have them, wider where frames of a clip are alike, none where there is nothing."""

import math

import numpy as np
import pytest
import torch

from motes.evaluation.intervals import intervals, mean, ratio
from motes.ops.scores.rank import rank_correlation


def values(count=400, seed=0):
    return torch.randn(count, generator=torch.Generator().manual_seed(seed)).double() * 2 + 3


def test_a_mean_has_its_standard_error():
    score = intervals({"a": mean(values())}, torch.arange(400))["a"]
    assert score.value == pytest.approx(values().mean().item())
    assert (score.high - score.low) / 2 == pytest.approx(1.96 * 2 / 400**0.5, rel=0.15)


@pytest.mark.slow
def test_agrees_with_scipy_for_a_ratio_and_for_a_rank_correlation():
    stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
    of, to = values().abs(), values(seed=1).abs() + 1

    def bootstrap(statistic):
        found = stats.bootstrap(
            (of.numpy(), to.numpy()),
            statistic,
            paired=True,
            vectorized=False,
            n_resamples=2000,
            method="percentile",
            rng=np.random.default_rng(0),
        )
        return found.confidence_interval

    ours = intervals(
        {"ratio": ratio(of, to), "rank": lambda times: rank_correlation(of, to, times.double())},
        torch.arange(400),
    )
    for name, statistic in (
        ("ratio", lambda a, b: a.sum() / b.sum()),
        ("rank", lambda a, b: stats.spearmanr(a, b).statistic),
    ):
        theirs = bootstrap(statistic)
        width = theirs.high - theirs.low
        assert ours[name].low == pytest.approx(theirs.low, abs=0.15 * width)
        assert ours[name].high == pytest.approx(theirs.high, abs=0.15 * width)


def test_frames_that_are_alike_count_as_one():
    clips = values(40).repeat_interleave(10)
    apart, together = (intervals({"a": mean(clips)}, torch.arange(400) // frames)["a"] for frames in (1, 10))
    assert apart.value == pytest.approx(together.value)
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(10**0.5, rel=0.2)


def test_what_is_not_known_is_left_out_and_nothing_is_not_a_number():
    some = values()
    some[::3] = torch.nan
    assert intervals({"a": mean(some)}, torch.arange(400))["a"].value == pytest.approx(some.nanmean().item())
    nothing = intervals(
        {"a": mean(torch.full((5,), torch.nan)), "b": ratio(torch.zeros(5), torch.zeros(5))}, torch.arange(5)
    )
    assert all(math.isnan(value) for one in nothing.values() for value in (one.value, one.low, one.high))


def test_one_picture_has_no_spread():
    score = intervals({"a": mean(torch.tensor([2.0]))}, torch.zeros(1, dtype=torch.int64))["a"]
    assert (score.value, score.low, score.high) == (2, 2, 2)
