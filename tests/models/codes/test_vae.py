"""The variational autoencoder: bounds that are bounds, a linear one that is probabilistic principal components, laws that refuse."""

import math
from dataclasses import replace

import pytest
import torch

from motes.errors import UserError
from motes.evaluation.likelihood import code_usage, log_weights
from motes.models.codes.vae import VaeConfig, VariationalAutoencoder
from motes.nn.losses.observation import LIKELIHOODS
from motes.ops.densities.divergence import kl_to_standard_normal, sample_normal
from motes.ops.densities.likelihood_bounds import (
    importance_bound,
    linear_gaussian_likelihood,
    log_normal,
    principal_likelihood,
)
from motes.types.batch import Batch
from motes.weights.reconstruction import observation_model

LINEAR = VaeConfig(
    image_size=(4, 4),
    channels=1,
    code_dim=3,
    network="linear",
    reconstruction="gaussian-learned",
    variance=0.1,
)
DENSE = VaeConfig(
    image_size=(6, 6), channels=1, code_dim=4, network="dense", width=16, reconstruction="bernoulli"
)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def few_factors(count=400):
    """Pictures of three factors of falling strength, and noise."""
    axes = torch.linalg.qr(torch.randn(16, 3))[0] * torch.tensor([1.0, 0.6, 0.4])
    return (0.5 + torch.randn(count, 3) @ axes.T + 0.1 * torch.randn(count, 16)).unflatten(1, (1, 4, 4))


@pytest.mark.slow
def test_a_linear_one_becomes_probabilistic_principal_components():
    image, model = few_factors(), VariationalAutoencoder(LINEAR)
    batch, steps = Batch(image, torch.arange(len(image))), 350
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        layer = model.draw[0]
        variance = model.observed.log_variance.value.exp()
        ours = linear_gaussian_likelihood(image.flatten(1), layer.bias, layer.weight, variance)
        best = principal_likelihood(image.flatten(1), image.flatten(1), 3)
        bound = importance_bound(log_weights(model, image, 64), 64)
    assert best.mean() - ours.mean() < 0.1
    assert ours.mean() <= best.mean() + 1e-4  # the closed form is the highest
    assert (
        abs(bound.mean() - ours.mean()) < 0.05
    )  # importance sampling finds the likelihood that algebra finds


def test_the_divergence_in_closed_form_is_that_of_samples():
    mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
    code = sample_normal(mean.expand(20000, 5, 3), log_variance.expand(20000, 5, 3))
    sampled = log_normal(code, mean, log_variance) - log_normal(code, torch.zeros(3), torch.zeros(3))
    torch.testing.assert_close(
        sampled.mean(0), kl_to_standard_normal(mean, log_variance).sum(1), rtol=0.03, atol=0.03
    )


def test_the_sampled_gradient_is_the_slides():
    """dL/dmean = dL/dz and dL/dsigma = dL/dz * noise."""
    mean, log_variance = torch.randn(2, 3, requires_grad=True), torch.randn(2, 3, requires_grad=True)
    code = sample_normal(mean, log_variance)
    code.retain_grad()
    code.pow(3).sum().backward()
    sigma = (0.5 * log_variance).exp()
    noise = ((code - mean) / sigma).detach()
    torch.testing.assert_close(mean.grad, code.grad)
    torch.testing.assert_close(
        log_variance.grad, code.grad * noise * sigma.detach() / 2, rtol=1e-4, atol=1e-5
    )


@pytest.mark.slow
def test_the_bound_rises_with_samples_from_the_models_own():
    model, image = VariationalAutoencoder(DENSE).eval(), torch.rand(7, 1, 6, 6)
    weights = log_weights(model, image, 512)
    bounds = torch.stack([importance_bound(weights, count) for count in (1, 4, 64, 512)])
    assert (bounds.diff(dim=0) >= 0).all()
    losses = torch.stack([-model.validate(Batch(image, torch.arange(7))).total for _ in range(300)])
    assert abs(bounds[0].mean() - losses.mean()) < 4 * losses.std() / math.sqrt(300) + 4 * weights.mean(
        1
    ).std() / math.sqrt(512)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_a_law_is_a_density(name):
    """Of one pixel, integrated over what it may be."""
    law = observation_model(name, squashed=True, variance=0.02).eval()
    seen = torch.tensor([0.0, 1.0]) if name == "bernoulli" else torch.linspace(-3, 4, 7001)
    said = (-law(torch.full((len(seen), 1, 1, 1), 0.3), seen[:, None, None, None])).exp()
    whole = said.sum() if name == "bernoulli" else torch.trapezoid(said, seen)
    torch.testing.assert_close(whole, torch.tensor(1.0), atol=1e-3, rtol=0)


def test_the_optimal_variance_is_the_mean_squared_error_and_none_is_better():
    law = observation_model("gaussian-optimal", squashed=False, variance=1.0).train()
    drawn, wanted = torch.randn(8, 1, 3, 3), torch.randn(8, 1, 3, 3)
    best = law(drawn, wanted).mean()
    error = (drawn - wanted).square().mean()
    for factor in (0.9, 1.0, 1.1):
        fixed = observation_model("gaussian", squashed=False, variance=float(error) * factor)(
            drawn, wanted
        ).mean()
        assert fixed >= best - 1e-5
    for _ in range(400):
        law(drawn, wanted)
    torch.testing.assert_close(law.eval().log_variance.value.exp(), error, rtol=1e-2, atol=0)


def test_free_bits_cost_nothing_until_they_are_used():
    image = torch.rand(4, 1, 6, 6)
    plain, free = VariationalAutoencoder(DENSE), VariationalAutoencoder(replace(DENSE, free_bits=50.0))
    free.load_state_dict(plain.state_dict())
    batch = Batch(image, torch.arange(4))
    free.loss(batch).total.backward()
    moved = free.read[1][-1].weight.grad.clone()
    free.zero_grad()
    free._weighted_loss(0.0, batch).total.backward()
    assert torch.isfinite(moved).all()
    torch.manual_seed(3)
    one = torch.autograd.grad(free.loss(batch).total, free.read[1][-1].weight)[0]
    torch.manual_seed(3)
    other = torch.autograd.grad(free._weighted_loss(0.0, batch).total, free.read[1][-1].weight)[0]
    torch.testing.assert_close(one, other)  # all is free: the divergence has no gradient
    torch.manual_seed(3)
    third = torch.autograd.grad(plain.loss(batch).total, plain.read[1][-1].weight)[0]
    assert not torch.allclose(one, third)


def test_the_weight_of_the_divergence_climbs_over_the_warm_up():
    model = VariationalAutoencoder(replace(DENSE, warm_up=0.4, beta=3.0))
    batch, seen = Batch(torch.rand(4, 1, 6, 6), torch.arange(4)), []
    for stage in model.stages():
        torch.manual_seed(1)
        losses = stage.loss(batch)
        seen.append(
            ((losses.total - losses.terms["reconstruction"].mean()) / losses.terms["kl"].mean()).item()
        )
    assert seen == pytest.approx([0, 0.75, 1.5, 2.25, 3], abs=1e-3)
    assert sum(stage.share for stage in model.stages()[:-1]) == pytest.approx(0.4)


def test_an_unused_number_is_found():
    model = VariationalAutoencoder(DENSE).eval()
    with torch.no_grad():
        last = model.read[1][-1]
        last.weight[2] = 0
        last.bias[2] = last.bias[6] = 0
        last.weight[6] = 0
        last.weight[0] *= 30
    usage = code_usage(model, torch.rand(50, 1, 6, 6))
    assert usage.active[0] and not usage.active[2] and usage.divergence[2] < 1e-6
    assert usage.count == int(usage.active.sum())


def test_what_cannot_be_is_refused_in_a_sentence():
    image = torch.rand(2, 1, 6, 6)
    with pytest.raises(UserError, match=r"in \[0, 1\], and these go from .* to 1.5"):
        VariationalAutoencoder(DENSE).loss(Batch(image + (1.5 - image.max()), torch.arange(2)))
    with pytest.raises(UserError, match="has no likelihood; train with one of bernoulli"):
        VariationalAutoencoder(replace(DENSE, reconstruction="mse")).log_likelihood(image, torch.zeros(2, 4))
    for wrong, word in (
        ({"network": "dens"}, "no network"),
        ({"reconstruction": "bernouli"}, "unknown"),
        ({"variance": 0.0}, "variance"),
    ):
        with pytest.raises(UserError, match=word):
            VariationalAutoencoder(replace(DENSE, **wrong))
