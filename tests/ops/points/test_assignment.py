"""Matching one to one agrees with scipy, whatever is not allowed."""

import pytest
import torch

from motes.ops.points.assignment import assign

scipy = pytest.importorskip("scipy.optimize", reason="scipy is not installed")


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (7, 3), (6, 6), (12, 30), (5, 1)])
def test_cost_is_the_least(size):
    random = torch.Generator().manual_seed(sum(size))
    cost = torch.randn(40, *size, generator=random, dtype=torch.float64) * 50
    cost[20:] = cost[20:].round(decimals=-1)  # with ties
    match = assign(cost, torch.ones_like(cost, dtype=torch.bool))
    for one, found in zip(cost, match, strict=True):
        rows, columns = scipy.linear_sum_assignment(one.numpy())
        there = found >= 0
        assert there.sum() == min(size) and len(set(found[there].tolist())) == min(size)
        assert one[there.nonzero()[:, 0], found[there]].sum().item() == pytest.approx(
            one.numpy()[rows, columns].sum(), abs=1e-9
        )


def test_absent_rows_and_columns_get_none_and_take_nothing():
    random = torch.Generator().manual_seed(1)
    cost = torch.rand(60, 5, 8, generator=random)
    rows, columns = torch.rand(60, 5, generator=random) > 0.4, torch.rand(60, 8, generator=random) > 0.6
    match = assign(cost, rows[:, :, None] & columns[:, None])
    assert (match[~rows] == -1).all()
    for n in range(60):
        small = cost[n][rows[n]][:, columns[n]].double().numpy()
        best = scipy.linear_sum_assignment(small)
        there = match[n] >= 0
        assert there.sum() == min(small.shape) and columns[n][match[n][there]].all()
        assert cost[n][there.nonzero()[:, 0], match[n][there]].double().sum().item() == pytest.approx(
            small[best].sum(), abs=1e-5
        )


def test_as_many_pairs_as_can_be_before_cheap_ones():
    cost = torch.tensor([[[0.0, 100.0], [0.0, 0.0]]])
    allowed = torch.tensor([[[True, True], [True, False]]])
    assert assign(cost, allowed).tolist() == [[1, 0]]
    assert assign(cost, torch.zeros_like(allowed)).tolist() == [[-1, -1]]


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 4, 0)])
def test_nothing_to_match(shape):
    match = assign(torch.zeros(shape), torch.ones(shape, dtype=torch.bool))
    assert match.shape == shape[:2] and (match == -1).all()


def test_what_is_no_number_is_not_matched():
    cost = torch.tensor([[[torch.nan, 2.0, 1.0], [torch.nan, torch.inf, 3.0]]])
    assert assign(cost, torch.ones_like(cost, dtype=torch.bool)).tolist() == [[1, 2]]
    assert assign(torch.full((1, 2, 2), torch.nan), torch.ones(1, 2, 2, dtype=torch.bool)).tolist() == [
        [-1, -1]
    ]
