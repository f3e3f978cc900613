"""Disentanglement and completeness: 1 for one to one, 0 for all alike, and apart where only one of them fails."""

import math

import pytest
import torch

from motes.ops.scores.disentanglement import completeness, disentanglement


def test_one_number_for_each_factor_is_perfect_in_any_order_and_scale():
    importance = torch.diag(torch.tensor([3.0, 0.1, 7.0]))[[2, 0, 1]]
    assert disentanglement(importance) == pytest.approx(1) and completeness(importance) == pytest.approx(1)


def test_all_alike_is_nothing():
    assert disentanglement(torch.ones(4, 3)) == pytest.approx(0, abs=1e-6)
    assert completeness(torch.ones(4, 3)) == pytest.approx(0, abs=1e-6)


def test_a_factor_in_two_numbers_is_not_complete_and_a_number_of_two_factors_not_disentangled():
    spread = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert disentanglement(spread) == pytest.approx(1) and completeness(spread) == pytest.approx(0.5)
    mixed = spread.T
    assert completeness(mixed) == pytest.approx(1) and disentanglement(mixed) == pytest.approx(0.5)


def test_numbers_without_importance_do_not_count():
    importance = torch.cat([torch.eye(3), torch.zeros(5, 3)])
    assert disentanglement(importance) == pytest.approx(1) and completeness(importance) == pytest.approx(1)
    assert math.isnan(disentanglement(torch.zeros(3, 3))) and math.isnan(completeness(torch.zeros(3, 3)))
    assert math.isnan(disentanglement(torch.ones(3, 1)))
