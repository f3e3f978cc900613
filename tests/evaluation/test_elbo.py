"""The model's own loss: of each picture what the model would say of it alone, and together what it says of the batch."""

from dataclasses import replace

import pytest
import torch

from motes.evaluation.elbo import QUESTION
from motes.evaluation.question import EncodedBatch, Evidence
from motes.models.codes.vae import VaeConfig, VariationalAutoencoder
from motes.models.particles.dlp import DeepLatentParticles, DlpConfig
from motes.types.batch import Batch, Losses


@pytest.fixture
def batch():
    image = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return Batch(image, torch.arange(3, 8))


def look(model, batch):
    with torch.no_grad():
        return QUESTION.measure(EncodedBatch(model.eval(), batch, None))


def test_total_of_each_picture_is_the_weighted_sum_of_its_terms(batch):
    torch.manual_seed(0)
    config = DlpConfig(image_size=(32, 32), num_particles=3, glimpse_size=8, presence_weight=0.7)
    found = look(DeepLatentParticles(config), batch)
    weights = {
        "reconstruction": 1,
        "chamfer_kl": config.kl_weights[0],
        "feature_kl": config.kl_weights[1],
        "presence_price": 0.7,
        "scale_kl": config.kl_weights[0],
        "depth_kl": config.kl_weights[1],
        "background": 1,
    }
    wanted = sum(weight * found[f"loss/{name}"] for name, weight in weights.items())
    torch.testing.assert_close(found["loss"], wanted, rtol=1e-4, atol=1e-3)
    assert not found["loss"].requires_grad and found["loss"].shape == (5,)


def test_how_unsure_is_that_of_the_particles_believed_in(make_particles, batch):
    model = VariationalAutoencoder(VaeConfig(image_size=(32, 32)))
    sure = torch.tensor([[0.9, 0.2, 0.9]] * 5)
    log_variance = torch.tensor([[[-4.0, -6.0], [9.0, 9.0], [-1.0, -1.0]]] * 5)
    latent = make_particles(torch.zeros(5, 3, 2), log_variance=log_variance, certainty=sure)
    with torch.no_grad():
        statistics = QUESTION.score(Evidence(QUESTION.measure(EncodedBatch(model, batch, latent))))
    assert statistics["log_variance"](torch.ones(1, 5)).item() == pytest.approx(-3)


def test_the_same_every_time_and_random_numbers_are_left_alone(batch):
    torch.manual_seed(0)
    model = VariationalAutoencoder(VaeConfig(image_size=(32, 32), beta=3.0))
    state = torch.get_rng_state()
    first, second = look(model, batch), look(model, batch)
    assert torch.equal(first["loss"], second["loss"]) and torch.equal(torch.get_rng_state(), state)
    torch.testing.assert_close(
        first["loss"], first["loss/reconstruction"] + 3 * first["loss/kl"], rtol=1e-4, atol=1e-3
    )


def test_a_loss_that_is_no_sum_of_its_terms_is_asked_of_each_picture_alone(batch):
    class Odd(VariationalAutoencoder):
        def loss(self, batch):
            losses = super().loss(replace(batch))
            brightness = batch.image.mean((1, 2, 3))
            return Losses(brightness.mean() + 0 * losses.total, losses.terms)

    found = look(Odd(VaeConfig(image_size=(32, 32))), batch)
    torch.testing.assert_close(found["loss"], batch.image.mean((1, 2, 3)))
