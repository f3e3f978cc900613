"""Restoration: the closed form where there is one, pictures that know nothing of each other, and priors that say what they say."""

from dataclasses import dataclass, replace

import pytest
import torch
import torch.nn.functional as F
from extents import extent_of
from few_pictures import FewPictures

from motes.errors import UserError
from motes.explore.latents import drawn_parts
from motes.explore.observation import low_resolution, masked, noisy
from motes.explore.prior import FittedNormal, learn_prior
from motes.explore.restore import Search, remember, restore, starts
from motes.models import MODELS
from motes.models.base import Model
from motes.types.batch import Batch, Losses
from motes.types.latents import Code, Particles

SIZE, CODE = (6, 6), 3


@dataclass(frozen=True)
class Config:
    image_size: tuple[int, int] = SIZE
    channels: int = 1


class Components(Model):
    """Orthonormal axes: encode and decode are one matrix and its transpose."""

    Config = Config

    def __init__(self, axes, mean):
        super().__init__()
        self.config = Config()
        self.axes, self.mean = torch.nn.Parameter(axes), torch.nn.Parameter(mean)

    def loss(self, batch):
        return Losses(self.axes.sum(), {})

    def encode(self, image):
        return Code((image.flatten(1) - self.mean) @ self.axes)

    def decode(self, latent):
        return (latent.vector @ self.axes.T + self.mean).unflatten(1, (1, *SIZE))


@pytest.fixture
def world():
    """Pictures near a plane in the space of pictures, and the model of that plane."""
    torch.manual_seed(0)
    axes = torch.linalg.qr(torch.randn(36, CODE)).Q
    image = (
        0.5 + (torch.randn(200, CODE) * torch.tensor([0.6, 0.4, 0.2])) @ axes.T + 0.03 * torch.randn(200, 36)
    )
    image = image.unflatten(1, (1, *SIZE))
    return Components(axes, image.flatten(1).mean(0)), image


def closed_form(model, memory, system, values, weight):
    """argmin over z of |system (axes z + mean) - values|^2 + weight |whitening (z - middle)|^2, one picture."""
    law = FittedNormal.of(memory.latent.vector)
    a = system @ model.axes
    penalty = weight * law.whitening @ law.whitening.T
    z = torch.linalg.solve(a.T @ a + penalty, a.T @ (values - system @ model.mean) + penalty @ law.mean)
    return model.decode(Code(z[None]))[0]


CASES = {
    "hidden": lambda image, known: masked(image, known),
    "noisy": lambda image, known: noisy(image + 0.2 * torch.randn_like(image), 0.2),
    "small": lambda image, known: low_resolution(F.avg_pool2d(image, 3), 3),
    "half known": lambda image, known: masked(image, (known + 0.3) / 1.3),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.slow
def test_with_a_linear_decoder_it_is_ridge_regression(world, case):
    model, image = world
    memory = remember(model, image)
    known = (torch.rand(5, 1, *SIZE) < 0.4).float()
    observation = CASES[case](image[:5], known)
    search = Search(steps=600, neighbours=2, mode="best")
    found = restore(model, observation, memory, search)
    pooled = observation.observe(torch.eye(36).unflatten(1, (1, *SIZE))).flatten(1).T
    for n in range(5):
        root = observation.known[n].flatten().sqrt()
        weight = search.caution * memory.residual + observation.noise**2
        wanted = closed_form(
            model, memory, root[:, None] * pooled, root * observation.values[n].flatten(), weight
        )
        torch.testing.assert_close(found.drawn[n], wanted, atol=1e-4, rtol=0)


def test_a_picture_is_restored_alike_alone_and_in_company(world):
    model, image = world
    memory = remember(model, image)
    observation = masked(image[:7], (torch.rand(7, 1, *SIZE) < 0.5).float())
    together = restore(model, observation, memory, Search(steps=30))
    alone = restore(model, observation.rows(slice(4, 5)), memory, Search(steps=30))
    torch.testing.assert_close(alone.image[0], together.image[4], atol=1e-5, rtol=0)
    torch.testing.assert_close(alone.energy[0], together.energy[4], atol=1e-4, rtol=1e-4)


def test_what_lies_in_the_holes_does_not_matter_and_what_was_seen_stays(world):
    model, image = world
    memory = remember(model, image)
    known = (torch.rand(4, 1, *SIZE) < 0.5).float()
    other = torch.where(known > 0, image[:4], torch.rand(4, 1, *SIZE))
    one, two = (
        restore(model, masked(picture, known), memory, Search(steps=20)) for picture in (image[:4], other)
    )
    assert torch.equal(one.image, two.image)
    assert torch.equal(one.image * known, image[:4] * known)
    assert not torch.equal(one.drawn * known, image[:4] * known)


def test_starts_are_the_encoders_and_the_nearest_under_the_mask(world):
    model, image = world
    memory = remember(model, image)
    known = torch.zeros(3, 1, *SIZE)
    known[..., :3, :] = 1
    begun = starts(model, masked(image[[5, 17, 40]], known), memory, Search(neighbours=2))
    vectors = begun.vector.unflatten(0, (3, 3))
    for n, row in enumerate((5, 17, 40)):
        torch.testing.assert_close(
            vectors[n, 1], memory.latent.vector[row]
        )  # the picture itself is a training picture
        apart = ((image[row] - image) * known[n]).square().sum((1, 2, 3))
        torch.testing.assert_close(vectors[n, 2], memory.latent.vector[apart.argsort()[1]])
        filled = torch.where(known[n : n + 1] > 0, image[row][None], image.mean(0))
        torch.testing.assert_close(vectors[n, 0], model.encode(filled).vector[0])


def test_the_mean_leans_to_low_energies_and_the_best_takes_the_lowest(world):
    model, image = world
    memory = remember(model, image)
    observation = masked(image[:3], (torch.rand(3, 1, *SIZE) < 0.3).float())
    best = restore(model, observation, memory, Search(steps=3, mode="best"))
    cold = restore(model, observation, memory, Search(steps=3, temperature=1e-6))
    warm = restore(model, observation, memory, Search(steps=3, temperature=1e6))
    torch.testing.assert_close(best.drawn, cold.drawn)
    torch.testing.assert_close(best.drawn, model.decode(best.latent))
    assert (warm.drawn - best.drawn).abs().max() > 1e-3


def test_the_model_is_left_as_it_was(world):
    model, image = world
    model.train()
    model.mean.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    restore(model, masked(image[:2], torch.ones(2, 1, *SIZE)), remember(model, image), Search(steps=5))
    assert (
        model.training
        and model.axes.requires_grad
        and not model.mean.requires_grad
        and model.axes.grad is None
    )
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_model_that_confines_its_latents_is_obeyed(world):
    model, image = world
    memory = remember(model, image)
    observation = masked(image[:4], torch.ones(4, 1, *SIZE))
    free = restore(model, observation, memory, Search(steps=50)).latent.vector
    model.within = lambda code: code / code.norm(dim=1, keepdim=True).clamp_min(0.1) * 0.1
    bound = restore(model, observation, memory, Search(steps=50)).latent.vector
    assert (free.norm(dim=1) > 0.2).any() and (bound.norm(dim=1) <= 0.1 + 1e-5).all()


def test_mahalanobis_distance_is_that_of_the_covariance():
    torch.manual_seed(0)
    vectors = torch.randn(500, 4) @ torch.randn(4, 4) + 3
    away = torch.randn(6, 4) + 3
    inverse = torch.linalg.inv(torch.cov(vectors.T))
    wanted = torch.einsum("nf,fg,ng->n", away - vectors.mean(0), inverse, away - vectors.mean(0))
    torch.testing.assert_close(FittedNormal.of(vectors).distance(away), wanted, rtol=1e-3, atol=1e-3)


def some_particles(pictures=20, count=4):
    torch.manual_seed(0)
    shape = (pictures, count)
    return Particles(
        torch.rand(*shape, 2) * 2 - 1,
        torch.zeros(*shape, 2),
        torch.randn(*shape, 3) + 1,
        torch.zeros(*shape, 3),
        (torch.rand(shape) < 0.7).float(),
        torch.randn(pictures, 3),
    )


def test_the_prior_of_particles_knows_places_presence_and_looks():
    latent = some_particles()
    prior = learn_prior(latent, ("position", "features", "presence", "background"))
    outside = replace(latent, position=latent.position * 3, presence=latent.presence * 2 - 0.5)
    kept = prior.projected(outside)
    assert kept.position.abs().max() <= 1 and kept.presence.min() >= 0 and kept.presence.max() <= 1
    away = replace(latent, features=latent.features + 5)
    there = latent.presence.sum(1) > 0
    assert (prior.distance(away) > prior.distance(latent))[there].all()
    none = replace(latent, presence=torch.zeros_like(latent.presence))
    torch.testing.assert_close(
        prior.distance(replace(none, features=away.features)), prior.distance(none)
    )  # nobody looks like that
    half = replace(latent, presence=torch.full_like(latent.presence, 0.5))
    whole = replace(latent, presence=torch.ones_like(latent.presence))
    absent, unsure, sure = (prior.distance(one) for one in (none, half, whole))
    assert (sure > absent).all() and (unsure > (sure + absent) / 2).all()


def test_the_prior_of_particles_knows_sizes_where_there_are_any():
    latent = some_particles()
    scale = torch.rand(20, 4, 2) + 0.5
    latent = replace(latent, extent=extent_of(scale))
    prior = learn_prior(latent, ("position", "features", "presence", "background", "extent.scale"))
    assert prior.scale["extent.scale"].shape == (2,)
    huge = replace(latent, extent=replace(latent.extent, scale=scale * 5))
    there = latent.presence.sum(1) > 0
    assert (prior.distance(huge) > prior.distance(latent))[there].all()
    none = replace(latent, presence=torch.zeros_like(latent.presence))
    torch.testing.assert_close(prior.distance(replace(none, extent=huge.extent)), prior.distance(none))
    inside_out = replace(latent, extent=replace(latent.extent, scale=-scale))
    assert (prior.projected(inside_out).extent.scale >= scale.amin((0, 1))).all()


SMALL_DLP = {
    "image_size": (32, 32),
    "num_particles": 3,
    "num_proposals": 4,
    "glimpse_size": 8,
    "feature_dim": 3,
}


def test_particles_are_searched_by_the_parts_that_are_drawn():
    torch.manual_seed(0)
    model = MODELS["dlp"](MODELS["dlp"].Config(**SMALL_DLP, architecture="anchored")).eval()
    image = torch.rand(4, 3, 32, 32)
    assert set(drawn_parts(model, model.encode(image))) == {"position", "features", "presence", "background"}
    known = torch.ones(4, 1, 32, 32)
    known[..., 16:] = 0
    found = restore(model, masked(image, known), remember(model, image), Search(steps=15, neighbours=1))
    before = restore(model, masked(image, known), remember(model, image), Search(steps=0, neighbours=1))
    assert (found.energy.amin(1) < before.energy.amin(1)).all()
    assert found.latent.position.abs().max() <= 1


@pytest.mark.slow
def test_sized_particles_are_searched_by_their_sizes_too():
    torch.manual_seed(0)
    model = MODELS["dlp"](MODELS["dlp"].Config(**SMALL_DLP, architecture="sized")).eval()
    # of unlike brightness: light is a part of the latent
    image = torch.rand(12, 3, 32, 32) * (0.5 + 0.5 * torch.rand(12, 1, 1, 1))
    assert "extent.scale" in drawn_parts(model, model.encode(image))
    known = torch.ones(4, 1, 32, 32)
    known[..., 16:] = 0
    memory = remember(model, image)
    found = restore(model, masked(image[:4], known), memory, Search(steps=8, neighbours=1))
    before = restore(model, masked(image[:4], known), memory, Search(steps=0, neighbours=1))
    assert (found.energy.amin(1) < before.energy.amin(1)).all()
    assert (found.latent.extent.scale != before.latent.extent.scale).any()
    assert found.latent.extent.scale.min() > 0


def test_what_cannot_be_is_said(world):
    model, image = world
    memory = remember(model, image)
    with pytest.raises(UserError, match="mask of"):
        masked(image, torch.ones(len(image), 1, 5, 6))
    with pytest.raises(UserError, match="start"):
        restore(model, noisy(image, 0.1), memory, Search(neighbours=0, encoder=False))
    with pytest.raises(UserError, match="the model draws"):
        restore(model, noisy(torch.rand(2, 1, 9, 9), 0.1), memory)
    with pytest.raises(UserError, match="two at least"):
        remember(model, image[:1])
    with pytest.raises(UserError, match="standard deviation"):
        noisy(image, -1.0)
    with pytest.raises(UserError, match="whole number"):
        low_resolution(image, 0)


OTHERS = {
    "dlp-masked": {
        "num_particles": 3,
        "num_proposals": 4,
        "encoder_channels": (8, 16),
        "reconstruction": "mse",
        "feature_dim": 3,
    },
    "keynet": {"num_particles": 3, "encoder_channels": (8, 16)},
    "zhang": {"num_particles": 3, "feature_dim": 3, "widths": (8, 16)},
    "vae": {"code_dim": 4, "width": 8},
    "glo": {"pictures": 8, "code_dim": 4, "width": 16},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_every_model_that_draws_restores(name):
    torch.manual_seed(0)
    model = MODELS[name](MODELS[name].Config(image_size=(32, 32), **OTHERS[name])).eval()
    image, known = torch.rand(4, 3, 32, 32), torch.ones(2, 1, 32, 32)
    known[..., 16:] = 0
    for stage in model.stages():
        if stage.begin:
            stage.begin(FewPictures(Batch(image, torch.arange(4))))  # or the codes of GLO were all the same
    memory, observation = remember(model, image), masked(image[:2], known)
    before, after = (
        restore(model, observation, memory, Search(steps=steps, neighbours=1)) for steps in (0, 50)
    )
    assert (after.energy.amin(1) < before.energy.amin(1)).all() and after.image.isfinite().all()
