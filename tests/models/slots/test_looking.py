"""Closed forms and one pass give the gradients of autograd, in float64; so do posteriors."""

import pytest
import torch
from small import SMALL
from torch.distributions import Normal, kl_divergence

from motes.models import MODELS
from motes.models.slots.ground import GROUNDS
from motes.models.slots.looking import THROUGH, seen
from motes.models.slots.posterior import Posterior
from motes.models.slots.refining import change_of
from motes.types.batch import Batch

LIKELIHOODS = ("mixture", "mixture-logistic", "gaussian", "blended")


def made(**options):
    torch.manual_seed(0)
    Iodine = MODELS["iodine"]
    return Iodine(Iodine.Config(**{**SMALL["iodine"], **options})).double()


def pictures(model, count=3):
    generator = torch.Generator().manual_seed(1)
    shape = (count, model.config.channels, *model.config.image_size)
    return torch.rand(shape, generator=generator, dtype=torch.float64)


def close(value, exact):
    assert (value - exact).abs().max() <= 1e-12 * exact.abs().max()


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_one_pass_has_the_gradients_of_the_graph(likelihood, ground):
    model = made(likelihood=likelihood, ground=ground)
    model.progress.fill_(0.45)
    look = model._look(pictures(model))
    codes = torch.randn(3, 3, 4, dtype=torch.float64, requires_grad=True)
    exact = look.view(look.draw(codes)).loss.sum()
    inputs = [codes, *look.parameters]
    expected = torch.autograd.grad(2.5 * exact, inputs)
    close(seen(look, codes).slope, expected[0] / 2.5)
    for name, see in THROUGH.items():
        result = see(look, codes, True)
        close(result.loss, exact)
        close(result.slope, expected[0] / 2.5)
        for gradient, of_graph in zip(torch.autograd.grad(2.5 * result.loss, inputs), expected, strict=True):
            assert (gradient - of_graph).abs().max() <= 1e-12 * of_graph.abs().max(), name


def test_where_the_loss_has_no_weight_no_parameter_has_a_gradient():
    model = made()
    look = model._look(pictures(model))
    codes = torch.randn(3, 3, 4, dtype=torch.float64, requires_grad=True)
    assert not THROUGH["state"](look, codes, False).loss.requires_grad


def test_the_posterior_is_that_of_distributions_and_its_slopes_those_of_autograd():
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randn(2, 3, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    noise = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64)
    posterior = Posterior(numbers)
    normal = Normal(posterior.mean, posterior.variance.sqrt())
    standard = Normal(torch.zeros_like(noise), torch.ones_like(noise))
    close(posterior.kl(), kl_divergence(normal, standard).sum(-1))
    code = posterior.sample(noise)
    loss = (code**3).sum()
    (slope,) = torch.autograd.grad(loss, code, retain_graph=True)
    (exact,) = torch.autograd.grad(loss + posterior.kl().sum(), numbers)
    close(posterior.slopes(slope, noise), exact)


@pytest.mark.parametrize("through", THROUGH)
@pytest.mark.parametrize("ground", GROUNDS)
def test_a_step_has_the_gradients_of_plain_autograd(through, ground):
    model = made(updates=(3, 3), ground=ground, through=through)
    model.progress.fill_(0.45)
    noise = [torch.randn(3, 3, 4, dtype=torch.float64) for _ in range(4)]
    image = pictures(model)
    look = model._look(image)
    see = THROUGH[through]
    total = 0.0
    steps = model._steps(model._start(3, 3), noise, lambda codes, number: see(look, codes, number > 0))
    for number, step in enumerate(steps):
        total = total + number / 3 * (step.seen.loss + step.kl.sum()) / 3
    expected = plain_step(model, noise, image)
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(total, parameters)
    for gradient, exact in zip(gradients, torch.autograd.grad(expected, parameters), strict=True):
        assert (gradient - exact).abs().max() <= 1e-12 * exact.abs().max()


def plain_step(model, noise, image):
    """The loss of a step by plain autograd: inner gradients are those of the loss itself."""
    reads_all = model.config.through == "all"
    numbers = model._start(3, 3)
    memory, total = None, 0.0
    for number, noise_of_step in enumerate(noise):
        look = model._look(image)
        view = look.view(look.draw(Posterior(numbers).sample(noise_of_step)))
        loss = view.loss.sum() + Posterior(numbers).kl().sum()
        total = total + number / (len(noise) - 1) * loss / len(image)
        if number + 1 < len(noise):
            (slopes,) = torch.autograd.grad(loss, numbers, retain_graph=True)
            with torch.set_grad_enabled(reads_all):
                read = look.view(look.draw(Posterior(numbers).sample(noise_of_step)))
            before = numbers if reads_all else numbers.detach()
            change, memory = change_of(model.reader, read, (before, slopes), memory)
            numbers = numbers + change
    return total


def test_losses_are_the_same_whichever_way_gradients_flow():
    losses = []
    for through in THROUGH:
        model = made(through=through)
        torch.manual_seed(3)
        batch = Batch(pictures(model), torch.arange(3))
        losses.append(model.loss(batch).total.detach())
    close(*losses)
