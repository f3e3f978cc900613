"""Points, looks and what is painted of them go where the picture goes."""

import pytest
import torch

from motes.models.particles.dlp_masked import DlpMaskedConfig, MaskedParticles
from motes.models.particles.parts import SceneCode

CONFIG = DlpMaskedConfig(
    (64, 64), 3, num_particles=5, encoder_channels=(8, 16, 16), reconstruction="mse", architecture="splatted"
)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MaskedParticles(CONFIG).eval()


def blob(row, column):
    """A red disk far from all edges, and what is around it."""
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    there = (((rows - row) ** 2 + (columns - column) ** 2) < 36).float()
    return torch.stack([0.2 + 0.7 * there, 0.3 - 0.2 * there, 0.3 - 0.2 * there])[None]


def sharpen(model):
    """Heat that a fresh network's would become: very sure of itself."""
    with torch.no_grad():
        model.networks.image.top.weight[: CONFIG.num_particles] *= 1e5


@torch.no_grad()
def test_points_follow_a_shift(model):
    sharpen(model)
    here, there = model.encode(blob(28, 24)).position, model.encode(blob(32, 36)).position
    moved = (there - here) * 16 / 2 / (16 / 15)  # in cells of the grid, four pixels each
    near = (moved - torch.tensor([1.0, 3.0])).abs().amax(-1)
    assert near.min() < 0.5


@torch.no_grad()
def test_a_look_is_painted_where_its_particle_is(model):
    latent = model.encode(blob(28, 24))
    position = latent.position.clone()
    position[0, 0] = torch.tensor([-0.6, -0.6])
    position[0, 1:] = torch.tensor([0.6, 0.6])
    latent = model.encode(blob(28, 24)).__class__(**{**vars(latent), "position": position})
    changed = latent.with_features(0, latent.features[0, 0] + 3)
    difference = (model.decode(changed) - model.decode(latent)).abs().sum(1)[0]
    assert difference[:32, :32].sum() > 0.9 * difference.sum() > 0


def test_looks_do_not_move_points_and_the_by_pass_learns_nothing(model):
    image = blob(28, 24)
    seen, position = model.networks.locate(image)
    features, _ = model.networks.appearance(seen, position.mean.detach(), model._outside(position.mean))
    top = model.networks.image.top.weight
    (to_heat,) = torch.autograd.grad(features.mean.sum(), top, retain_graph=True)
    assert (
        to_heat[: CONFIG.num_particles].abs().max() == 0 and to_heat[CONFIG.num_particles :].abs().max() > 0
    )


def test_it_is_as_sure_as_the_prior_at_first(model):
    log_variance = model.encode(blob(28, 24)).log_variance
    assert torch.allclose(log_variance.exp().sqrt(), torch.full_like(log_variance, CONFIG.prior_std))


def test_wandering_is_for_networks_that_have_a_background_node(model):
    latent = model.encode(blob(28, 24))
    codes = [
        SceneCode(latent.position, latent.features, latent.background, torch.full((1, 2), place))
        for place in (0.0, 0.7)
    ]
    assert torch.equal(model._paint(codes[0], latent.bypass), model._paint(codes[1], latent.bypass))
