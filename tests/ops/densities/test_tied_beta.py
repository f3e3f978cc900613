"""Tied Beta distributions: their mean, their samples and gradients, their divergence."""

import pytest
import torch
from torch.distributions import Beta, kl_divergence

from motes.ops.densities import noise
from motes.ops.densities.tied_beta import kl_of_beta, sample_beta, tied_beta

MEANS = torch.tensor([1e-4, 0.02, 0.3, 0.5, 0.8, 0.99, 0.9999], dtype=torch.float64)


def samples_of(mean, count=20000):
    torch.manual_seed(0)
    return sample_beta(tied_beta(torch.full((count // 100, 100), mean)))


def test_one_number_decides_both_parameters():
    first, second = tied_beta(MEANS).unbind(-1)
    torch.testing.assert_close(first / (first + second), MEANS)
    torch.testing.assert_close(first * second, torch.full_like(MEANS, 0.01))
    certain = tied_beta(torch.tensor([0.0, 1.0]))
    assert certain.isfinite().all() and certain.min() == pytest.approx(1e-4) and certain.max() < 101


def test_the_divergence_agrees_with_torch():
    first, second = tied_beta(MEANS).unbind(-1)
    for prior in ((0.1, 0.1), (0.2, 0.1), (1.5, 3.0)):
        theirs = kl_divergence(Beta(first, second), Beta(*MEANS.new_tensor(prior)))
        torch.testing.assert_close(kl_of_beta(tied_beta(MEANS), prior), theirs)
    assert kl_of_beta(tied_beta(torch.tensor(0.5)), (0.1, 0.1)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("mean", [0.05, 0.5, 0.9])
def test_the_divergence_agrees_with_numerical_integration(mean):
    parameters = tied_beta(torch.tensor(mean))
    posterior, prior = Beta(*parameters), Beta(*parameters.new_tensor((0.2, 0.1)))
    # in the logit, where both ends of a Beta distribution fall off exponentially
    logits = torch.linspace(-400, 400, 400001, dtype=torch.float64)
    logit_of_sample = -torch.nn.functional.softplus(-logits)
    logit_of_rest = -torch.nn.functional.softplus(logits)

    def log_density(beta):
        first, second = beta.concentration1, beta.concentration0
        normaliser = torch.lgamma(first) + torch.lgamma(second) - torch.lgamma(first + second)
        return first * logit_of_sample + second * logit_of_rest - normaliser

    density = log_density(posterior).exp()
    assert torch.trapezoid(density, logits) == pytest.approx(1, rel=1e-3)
    integral = torch.trapezoid(density * (log_density(posterior) - log_density(prior)), logits)
    assert kl_of_beta(parameters, (0.2, 0.1)) == pytest.approx(float(integral), rel=2e-3)


@pytest.mark.parametrize("mean", [0.1, 0.5, 0.9])
def test_samples_are_distributed_as_those_of_torch(mean):
    ours = samples_of(mean).flatten().sort().values
    torch.manual_seed(1)
    theirs = Beta(*tied_beta(torch.tensor(mean))).sample((len(ours),)).sort().values
    at = torch.linspace(0.001, 0.999, 200, dtype=torch.float64)
    shares = [torch.searchsorted(samples, at) / len(ours) for samples in (ours, theirs)]
    assert (shares[0] - shares[1]).abs().max() < 0.015
    assert ours.mean() == pytest.approx(mean, abs=0.01)
    assert ((ours < 0.05) | (ours > 0.95)).double().mean() > 0.6, "most are nearly 0 or nearly 1"


@pytest.mark.parametrize("mean", [0.2, 0.5, 0.8])
def test_gradients_of_samples_are_those_of_expectations(mean):
    """E[x] is the mean m, and E[x^2] = a (a + 1) / ((a + b) (a + b + 1))."""
    number = torch.tensor(mean, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(0)
    samples = sample_beta(tied_beta(number.expand(400, 100)))
    (slope,) = torch.autograd.grad(samples.mean(), number, retain_graph=True)
    assert slope == pytest.approx(1, rel=0.05)
    (slope,) = torch.autograd.grad(samples.square().mean(), number)
    first, second = tied_beta(number).unbind(-1)
    total = first + second
    (expected,) = torch.autograd.grad(first * (first + 1) / (total * (total + 1)), number)
    assert slope == pytest.approx(float(expected), rel=0.05)


def test_gradients_are_right_and_finite_at_the_ends():
    mean = MEANS.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda values: kl_of_beta(tied_beta(values), (0.2, 0.1)), mean)
    ends = torch.tensor([0.0, 1e-30, 1e-7, 1 - 1e-7, 1.0]).expand(500, 5).clone().requires_grad_()
    parameters = tied_beta(ends)
    (sample_beta(parameters).sum() + kl_of_beta(parameters, (0.1, 0.1)).sum()).backward()
    assert ends.grad is not None and ends.grad.isfinite().all()


def test_two_processes_draw_what_one_would():
    parameters = tied_beta(torch.rand(6, 5, generator=torch.Generator().manual_seed(0)))
    torch.manual_seed(3)
    whole = sample_beta(parameters)
    halves = []
    for rank, part in enumerate(parameters.chunk(2)):
        torch.manual_seed(3)
        with noise.sharded(rank, 2):
            halves.append(sample_beta(part))
    assert torch.equal(torch.cat(halves), whole)
    assert len(whole.unique(dim=0)) == len(whole), "each row has noise of its own"
