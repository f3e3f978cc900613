"""Presence: a plain number by default, or the mean of a Beta distribution that is sampled while training."""

import json
from dataclasses import replace

import pytest
import torch

from motes import load
from motes.errors import UserError
from motes.models.particles.dlp import DeepLatentParticles, DlpConfig
from motes.models.particles.presence import (
    RATHER_PRESENT,
    UNDECIDED,
    BetaPresence,
    DeterministicPresence,
    presence_price,
)
from motes.plain.records import from_plain
from motes.types.batch import Batch

CONFIG = DlpConfig(image_size=(32, 32), num_particles=4, num_proposals=6, glimpse_size=8, feature_dim=3)


def model_of(posterior="beta", architecture="sized", **more):
    torch.manual_seed(0)
    config = replace(CONFIG, presence_posterior=posterior, architecture=architecture, **more)
    return DeepLatentParticles(config)


def batch_of(count=4):
    return Batch(
        torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(count)
    )


def loss_of(model, loss):
    torch.manual_seed(1)
    return getattr(model, loss)(batch_of())


def test_by_default_presence_is_the_number_that_is_read():
    mean = torch.rand(2, 4)
    before = torch.get_rng_state()
    posterior = DeterministicPresence()
    assert posterior.sampled(mean) is mean and posterior.kl(mean, UNDECIDED) is None
    assert torch.equal(posterior.price(mean), presence_price(mean))
    assert torch.equal(torch.get_rng_state(), before), "no random number is taken"
    assert "presence_kl" not in loss_of(model_of("deterministic"), "loss").terms


@pytest.mark.parametrize("architecture", ["sized", "anchored", "published"])
def test_encoding_gives_the_mean(architecture):
    image = batch_of().image
    with torch.no_grad():
        plain, beta = [
            model_of(name, architecture).eval().encode(image) for name in ("deterministic", "beta")
        ]
    assert torch.equal(plain.presence, beta.presence) and torch.equal(plain.position, beta.position)


def test_presence_is_drawn_while_training():
    model = model_of().train()
    drawn = []
    render = model.decoder.render
    model.decoder.render = lambda particles, *layers: drawn.append(particles) or render(particles, *layers)
    loss_of(model, "loss")
    loss_of(model, "loss")
    torch.manual_seed(2)
    model.loss(batch_of())
    first, again, other = (particles.presence for particles in drawn)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.dtype == torch.float32 and first.min() >= 0 and first.max() <= 1


@pytest.mark.parametrize("loss", ["warmup_loss", "noisy_loss", "loss"])
def test_the_divergence_counts_as_that_of_positions(loss):
    priced = {"kl_weights": (0.3, 0.02), "presence_weight": 0.5}
    losses = loss_of(model_of(**priced).train(), loss)
    weights = {"chamfer_kl": 0.3, "scale_kl": 0.3, "presence_kl": 0.3, "feature_kl": 0.02, "depth_kl": 0.02}
    weights |= {"presence_price": 0.5, "reconstruction": 1.0, "background": 1.0}
    total = sum(weights[name] * float(term.detach().mean()) for name, term in losses.terms.items())
    assert losses.total.item() == pytest.approx(total, rel=1e-5)
    assert (losses.terms["presence_kl"] > 0).all()


def test_particles_are_tried_before_they_are_judged():
    """The prior of the first stages pulls presence up, the later one pulls neither way."""
    pulls = []
    for prior in (RATHER_PRESENT, UNDECIDED):
        mean = torch.full((1, 3), 0.5, requires_grad=True)
        (pull,) = torch.autograd.grad(BetaPresence().kl(mean, prior).sum(), mean)
        pulls.append(pull)
    assert (pulls[0] < -0.1).all() and pulls[1].abs().max() < 1e-6


def test_presence_learns_from_what_is_drawn():
    model = model_of(kl_weights=(0.0, 0.0)).train()
    loss_of(model, "loss").total.backward()
    of_presence = model.encoder.where.last.weight.grad[4]
    assert of_presence.isfinite().all() and of_presence.abs().sum() > 0


def test_half_precision_and_certain_presences_are_sampled():
    mean = torch.tensor([[0.0, 0.5, 1.0]], dtype=torch.bfloat16).expand(50, 3)
    sample = BetaPresence().sampled(mean)
    assert sample.dtype == torch.bfloat16
    assert (sample[:, 0] < 0.01).all() and (sample[:, 2] > 0.99).all()


def test_a_checkpoint_that_does_not_know_the_option_loads(tmp_path):
    model_of("deterministic").save(tmp_path / "kept")
    path = tmp_path / "kept/config.json"
    facts = json.loads(path.read_text())
    assert facts["config"].pop("presence_posterior") == "deterministic"
    path.write_text(json.dumps(facts))
    model = load(tmp_path / "kept")
    assert model.config.presence_posterior == "deterministic"


def test_an_unknown_posterior_is_refused():
    with pytest.raises(UserError, match="one of deterministic, beta"):
        from_plain(DlpConfig, {"presence_posterior": "gamma"}, "the options")
