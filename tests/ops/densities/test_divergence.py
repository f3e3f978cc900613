"""Divergences agree with torch.distributions; noise of a global batch is the same however it is shared."""

import math

import torch
from torch.distributions import Normal, kl_divergence

from motes.ops.densities import noise
from motes.ops.densities.divergence import chamfer_kl, kl_to_normal, kl_to_standard_normal, sample_normal


def test_kl_agrees_with_torch():
    torch.manual_seed(0)
    mean, log_variance, other, other_log_variance = torch.randn(4, 7, 3)
    theirs = kl_divergence(
        Normal(mean, (0.5 * log_variance).exp()), Normal(other, (0.5 * other_log_variance).exp())
    )
    torch.testing.assert_close(kl_to_normal(mean, log_variance, other, other_log_variance), theirs)
    standard = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), standard)


def test_chamfer_is_zero_on_the_proposals_themselves_and_ignores_order():
    torch.manual_seed(0)
    proposals = torch.rand(3, 6, 2)
    exact = torch.full((3, 6, 2), 2 * torch.tensor(0.1).log().item())
    torch.testing.assert_close(
        chamfer_kl(proposals, exact, proposals, 0.1), torch.zeros(3), atol=1e-5, rtol=0
    )
    mean, log_variance = torch.rand(3, 4, 2), torch.randn(3, 4, 2)
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(
        chamfer_kl(mean, log_variance, proposals, 0.1),
        chamfer_kl(mean[:, order], log_variance[:, order], proposals.flip(1), 0.1),
    )


def test_chamfer_is_the_sum_over_nearest_pairs_in_value_and_gradient():
    torch.manual_seed(0)
    inputs = [torch.rand(2, 5, 2).double().requires_grad_(), torch.randn(2, 5, 2).double().requires_grad_()]
    proposals = torch.rand(2, 7, 2).double().requires_grad_()
    pairs = kl_to_normal(
        inputs[0][:, :, None], inputs[1][:, :, None], proposals[:, None], 2 * math.log(0.1)
    ).sum(-1)
    theirs = pairs.amin(2).sum(1) + pairs.amin(1).sum(1)
    ours = chamfer_kl(*inputs, proposals, 0.1)
    torch.testing.assert_close(ours, theirs)
    found = [torch.autograd.grad(one.sum(), (*inputs, proposals)) for one in (ours, theirs)]
    for mine, oracle in zip(*found, strict=True):
        torch.testing.assert_close(mine, oracle)


def test_two_processes_draw_what_one_would():
    mean, log_variance = torch.zeros(4, 5), torch.zeros(4, 5)
    torch.manual_seed(3)
    whole = sample_normal(mean, log_variance)
    halves = []
    for rank in (0, 1):
        torch.manual_seed(3)
        with noise.sharded(rank, 2):
            halves.append(sample_normal(mean[:2], log_variance[:2]))
    torch.testing.assert_close(torch.cat(halves), whole, rtol=0, atol=0)
