"""Rank correlation agrees with scipy; risk against coverage with its definition; a weight of two is standing there twice."""

import pytest
import torch

from motes.ops.scores.rank import area_under_risk, rank_correlation, risk_at


def pairs(count=200, ties=False):
    random = torch.Generator().manual_seed(count)
    x = torch.randn(count, generator=random, dtype=torch.float64)
    y = 0.5 * x + torch.randn(count, generator=random, dtype=torch.float64)
    return ((2 * x).round(), (2 * y).round()) if ties else (x, y)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("count", [3, 50, 200])
def test_rank_correlation_agrees_with_scipy(count, ties):
    stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
    x, y = pairs(count, ties)
    ours = rank_correlation(x, y, torch.ones(1, count).double())
    assert ours.item() == pytest.approx(stats.spearmanr(x.numpy(), y.numpy()).statistic, abs=1e-9)


@pytest.mark.parametrize("ties", [False, True])
def test_a_weight_is_standing_there_so_often(ties):
    x, y = pairs(80, ties)
    times = torch.randint(0, 4, (5, 80), generator=torch.Generator().manual_seed(1)).double()
    for row in range(5):
        many = torch.repeat_interleave(torch.arange(80), times[row].long())
        once = torch.ones(1, len(many)).double()
        assert rank_correlation(x, y, times)[row].item() == pytest.approx(
            rank_correlation(x[many], y[many], once).item()
        )
        assert area_under_risk(x, y, times)[row].item() == pytest.approx(
            area_under_risk(x[many], y[many], once).item()
        )
        assert risk_at(x, y, times, 0.5)[row].item() == pytest.approx(
            risk_at(x[many], y[many], once, 0.5).item()
        )


def test_area_is_the_mean_over_coverages_of_the_mean_risk_of_the_surest():
    confidence, risk = pairs(60)
    order = confidence.argsort(descending=True)
    wanted = torch.stack([risk[order[: n + 1]].mean() for n in range(60)])
    once = torch.ones(1, 60).double()
    assert area_under_risk(confidence, risk, once).item() == pytest.approx(wanted.mean().item(), abs=1e-12)
    for n in (5, 29, 59):
        assert risk_at(confidence, risk, once, (n + 1) / 60).item() == pytest.approx(
            wanted[n].item(), abs=1e-9
        )


def test_equal_confidence_is_a_random_order():
    risk = pairs(40)[1]
    once = torch.ones(1, 40).double()
    same = torch.zeros(40).double()
    assert area_under_risk(same, risk, once).item() == pytest.approx(risk.mean().item())
    assert risk_at(same, risk, once, 0.25).item() == pytest.approx(risk.mean().item())
    assert area_under_risk(-risk, risk, once) < risk.mean() < area_under_risk(risk, risk, once)


def test_nothing_and_nothing_that_varies():
    none, once = torch.zeros(0).double(), torch.ones(2, 0).double()
    for found in (
        rank_correlation(none, none, once),
        area_under_risk(none, none, once),
        risk_at(none, none, once, 0.5),
    ):
        assert found.isnan().all() and len(found) == 2
    assert (
        rank_correlation(torch.ones(4).double(), torch.arange(4).double(), torch.ones(1, 4).double())
        .isnan()
        .all()
    )
