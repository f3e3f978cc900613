"""Laws of codes: fitted ones draw what they were fitted to; a model without one refuses; ways keep to likely codes."""

from itertools import pairwise

import pytest
import torch

from motes.errors import UserError
from motes.explore import sample
from motes.explore.interpolate import interpolate, interpolated_pictures
from motes.explore.sample import DISTRIBUTIONS, decode_codes, fit_distribution, own_distribution
from motes.models.base import Model
from motes.models.codes.glo import GenerativeLatentOptimisation, GloConfig
from motes.ops.densities.mixture import choose_mixture, fit_mixture
from motes.types.batch import Batch, Losses
from motes.types.latents import Code, Particles


@pytest.fixture(autouse=True)
def seeded(monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setattr(sample, "IMLE_EPOCHS", 60)


class Plain(Model):
    """A code is the picture's mean in each column: no law of its own."""

    def loss(self, batch):
        return Losses(torch.tensor(0.0), {})

    def encode(self, image):
        return Code(image.mean((1, 2)))

    def decode(self, latent):
        return latent.vector[:, None, None, :].expand(-1, 1, 2, -1)


class Scattered(Plain):
    def encode(self, image):
        nothing = torch.zeros(len(image), 1, 2)
        return Particles(nothing, nothing, nothing, nothing, nothing[..., 0], nothing[:, 0])


@pytest.fixture
def model():
    one = Plain()
    one.register_buffer("place", torch.zeros(1))
    return one


def two_clouds(count):
    """Pictures whose codes lie on two narrow clouds, one of them twice as full."""
    side = (torch.rand(count) < 2 / 3).float()[:, None]
    codes = (
        side * torch.tensor([0.8, 0.2, 0.5])
        + (1 - side) * torch.tensor([0.2, 0.8, 0.5])
        + 0.03 * torch.randn(count, 3)
    )
    image = codes[:, None, None, :].expand(-1, 1, 2, -1)
    return codes, [Batch(image[rows], rows) for rows in torch.arange(count).split(100)]


@pytest.mark.parametrize("name", ["gaussian", "mixture"])
def test_a_fitted_law_draws_what_it_was_fitted_to(name, model):
    codes, batches = two_clouds(600)
    drawn = fit_distribution(model, batches, name).draw(4000)
    torch.testing.assert_close(drawn.mean(0), codes.mean(0), atol=0.06, rtol=0)
    torch.testing.assert_close(torch.cov(drawn.T), torch.cov(codes.T), atol=0.02, rtol=0)


def test_a_mixture_keeps_two_clouds_apart(model):
    _, batches = two_clouds(600)
    gap = {}
    for name in ("gaussian", "mixture"):
        drawn = fit_distribution(model, batches, name).draw(1200)
        gap[name] = ((drawn[:, 0] > 0.35) & (drawn[:, 0] < 0.65)).float().mean().item()
    assert gap["mixture"] < 0.005 and gap["gaussian"] > 0.3


@pytest.mark.slow
def test_a_learnt_law_bends_where_a_gaussian_cannot():
    angle = torch.rand(400) * 6.283
    ring = torch.stack([angle.cos(), angle.sin()], 1) + 0.03 * torch.randn(400, 2)
    off, missed = {}, {}
    for name in ("gaussian", "imle"):
        drawn = DISTRIBUTIONS[name](ring).draw(2000)
        off[name] = torch.cdist(drawn, ring).amin(1).mean().item()
        missed[name] = torch.cdist(ring, drawn).amin(1).mean().item()
    assert off["imle"] < 0.85 * off["gaussian"] and missed["imle"] < missed["gaussian"]


def test_a_mixture_finds_how_many_there_are_and_never_gets_worse():
    codes, _ = two_clouds(600)
    assert len(choose_mixture(codes).share) == 2
    mixture, history = fit_mixture(codes, 3)
    assert all(later >= earlier - 1e-4 for earlier, later in pairwise(history))
    law = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(mixture.share),
        torch.distributions.MultivariateNormal(mixture.mean, mixture.covariance),
    )
    torch.testing.assert_close(mixture.log_density(codes), law.log_prob(codes), rtol=1e-3, atol=1e-3)


def test_a_model_without_a_law_refuses_until_one_is_fitted(model):
    with pytest.raises(UserError, match="fit one to codes of pictures first"):
        own_distribution(model)
    law = fit_distribution(model, two_clouds(100)[1], "gaussian")
    assert decode_codes(model, law.draw(7)).shape == (7, 1, 2, 3)
    with pytest.raises(UserError, match="no distribution 'gauss'; choose one of gaussian, mixture, imle"):
        fit_distribution(model, [], "gauss")
    scattered = Scattered()
    scattered.register_buffer("place", torch.zeros(1))
    with pytest.raises(UserError, match="one vector a picture"):
        fit_distribution(scattered, two_clouds(100)[1], "gaussian")


def test_drawn_codes_are_brought_into_the_models_ball():
    model = GenerativeLatentOptimisation(
        GloConfig(image_size=(8, 8), channels=1, pictures=5, code_dim=2, network="linear")
    ).eval()
    far = torch.tensor([[3.0, 4.0], [0.1, 0.2]])
    with torch.no_grad():
        expected = model.decode(Code(torch.tensor([[0.6, 0.8], [0.1, 0.2]])))
    torch.testing.assert_close(decode_codes(model, far), expected)
    assert (own_distribution(model).draw(50).norm(dim=1) <= 1 + 1e-6).all()


def test_ways_begin_and_end_where_they_should_and_an_arc_keeps_its_length():
    first, second = torch.randn(6, 40), torch.randn(6, 40)
    for way in ("line", "arc"):
        along = interpolate(first, second, 7, way)
        torch.testing.assert_close(along[0], first, atol=1e-5, rtol=0)
        torch.testing.assert_close(along[-1], second, atol=1e-5, rtol=0)
    middle, mean = (
        interpolate(first, second, 3, "arc")[1].norm(dim=1),
        (first.norm(dim=1) + second.norm(dim=1)) / 2,
    )
    torch.testing.assert_close(middle, mean)
    assert (interpolate(first, second, 3)[1].norm(dim=1) < 0.85 * mean).all()
    torch.testing.assert_close(interpolate(first, 2 * first, 3, "arc")[1], 1.5 * first)


@pytest.mark.slow
def test_every_way_of_every_law_joins_likely_codes(model):
    codes, batches = two_clouds(300)
    for name in DISTRIBUTIONS:
        along = fit_distribution(model, batches, name).paths(20, 5)
        assert along.shape == (5, 20, 3)
        assert torch.cdist(along[[0, -1]].flatten(0, 1), codes).amin(1).mean() < 0.25
    drawn = interpolated_pictures(model, Code(codes[:4]), Code(codes[4:8]), 5)
    assert drawn.shape == (4, 5, 1, 2, 3)
    torch.testing.assert_close(drawn[:, 2, 0, 0], (codes[:4] + codes[4:8]) / 2)
