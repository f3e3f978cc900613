"""The closed forms are what torch.distributions and autograd say, in float64; leaving one out is stable."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from motes.ops.densities.spatial_mixture import (
    PIXEL_LIKELIHOODS,
    PixelComponents,
    PixelMixture,
    log_of_others,
)

SHARE = torch.tensor(0.3, dtype=torch.float64)


def scene(scale, components=5):
    """A picture that some components explain well, with masks from flat to hard."""
    random = torch.Generator().manual_seed(0)
    colours = torch.randn(2, components, 3, 6, 7, generator=random, dtype=torch.float64) * 0.4 + 0.5
    logits = torch.randn(2, components, 6, 7, generator=random, dtype=torch.float64)
    logits = logits * torch.linspace(0, 12, 7, dtype=torch.float64)
    owner = logits.argmax(1)[:, None, None].expand(-1, -1, 3, -1, -1)
    noise = torch.randn(2, 3, 6, 7, generator=random, dtype=torch.float64)
    image = colours.gather(1, owner)[:, 0] + scale * noise
    return image, logits.requires_grad_(), colours.requires_grad_()


def explained(name, image, logits, colours, scale):
    components = PixelComponents(logits.log_softmax(1), colours)
    return PIXEL_LIKELIHOODS[name](image, components, torch.tensor(scale, dtype=torch.float64), SHARE)


def of_mixture(image, logits, colours, scale):
    pixels = colours.permute(0, 3, 4, 1, 2)
    parts = Independent(Normal(pixels, scale), 1)
    return MixtureSameFamily(Categorical(logits=logits.permute(0, 2, 3, 1)), parts).log_prob(
        image.permute(0, 2, 3, 1)
    )


def of_logistic(image, logits, colours, scale):
    """The logistic density is s(u) s(-u) / scale, s the sigmoid."""
    deviation = (image[:, None] - colours) / scale
    parts = (F.logsigmoid(deviation) + F.logsigmoid(-deviation) - math.log(scale)).sum(2)
    return (logits.log_softmax(1) + parts).logsumexp(1)


def of_mean(image, logits, colours, scale):
    mean = (logits.softmax(1)[:, :, None] * colours).sum(1)
    return Normal(mean, scale).log_prob(image).sum(1)


def of_blend(image, logits, colours, scale):
    first, second = (of(image, logits, colours, scale) for of in (of_mean, of_mixture))
    return (1 - SHARE) * first + SHARE * second


ORACLES = {
    "mixture": of_mixture,
    "mixture-logistic": of_logistic,
    "gaussian": of_mean,
    "blended": of_blend,
}
CASES = [(name, scale) for name in ORACLES for scale in (0.03, 0.1, 0.5)]


def close(value, exact):
    assert (value - exact).abs().max() <= 1e-12 * exact.abs().max().clamp_min(1)


def test_every_likelihood_has_an_oracle_here():
    assert set(ORACLES) == set(PIXEL_LIKELIHOODS)


@pytest.mark.parametrize(("name", "scale"), CASES)
def test_density_and_slopes_are_those_of_distributions_and_autograd(name, scale):
    image, logits, colours = scene(scale)
    exact = ORACLES[name](image, logits, colours, scale)
    of_colours, of_logits = torch.autograd.grad(exact.sum(), (colours, logits))
    parts = explained(name, image, logits, colours, scale)
    close(parts.log_density, exact)
    close(parts.slopes().colours, of_colours)
    close(parts.slopes().logits, of_logits)


@pytest.mark.parametrize(("name", "scale"), CASES)
def test_leaving_a_component_out_is_the_density_of_the_others(name, scale):
    image, logits, colours = (value.detach() for value in scene(scale))
    gains = explained(name, image, logits, colours, scale).gains()
    enough = logits.softmax(1) < 0.99
    for slot in range(logits.shape[1]):
        others = [number for number in range(logits.shape[1]) if number != slot]
        parts = (image, logits[:, others], colours[:, others], scale)
        expected = ORACLES[name](image, logits, colours, scale) - ORACLES[name](*parts)
        mixed = name not in ("mixture", "mixture-logistic")
        trusted = enough[:, slot] if mixed else torch.ones_like(enough[:, slot])
        assert (gains[:, slot] - expected)[trusted].abs().max() <= 1e-12 * expected.abs().max()


def test_leaving_out_is_finite_and_exact_in_single_precision():
    """Where one component explains a pixel alone, log(1 - responsibility) is not finite."""
    image, logits, colours = (value.detach() for value in scene(0.03))
    single = PixelComponents(logits.float().log_softmax(1), colours.float())
    gains = PixelMixture(image.float(), single, torch.tensor(0.03)).gains()
    exact = explained("mixture", image, logits, colours, 0.03).gains()
    assert gains.isfinite().all()
    assert (gains - exact).abs().max() <= 1e-4 * exact.abs().max()


def test_two_components_can_be_left_with_one():
    values = torch.tensor([[0.0, -800.0]], dtype=torch.float64)[..., None, None]
    torch.testing.assert_close(log_of_others(values), values.flip(1))
