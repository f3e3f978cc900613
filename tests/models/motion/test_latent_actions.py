"""Latent actions: futures that choose a way and keep to it, beside a future that is expected."""

from dataclasses import replace

import pytest
import torch

from motes.errors import UserError
from motes.models import MODELS
from motes.models.motion.action_losses import FIRST_WORTH, WORTH, action_losses, worth_of_nat
from motes.models.motion.dynamics import Dynamics
from motes.models.motion.future import noise_of_samples, predicted
from motes.models.motion.latent_actions import LASTS, Courses
from motes.types.clips import ParticleClip
from motes.types.latents import Particles

HISTORY = 3
FRAMES = HISTORY + LASTS
# half pictures a frame, along columns and, once a thing has chosen, up or down
SPEED = 0.02
TURN = 0.03


def forks(random, clips=32):
    """Two things a clip that go on along columns, and from the last given frame on also up or down, as chance will."""
    start = torch.rand(clips, 1, 2, 2, generator=random) - 0.5
    side = torch.randint(2, (clips, 1, 2), generator=random) * 2 - 1
    time = torch.arange(float(FRAMES))[:, None]
    along = SPEED * time.expand(clips, -1, 2)
    aside = TURN * side * (time - (HISTORY - 1)).clamp_min(0)
    position = (start + torch.stack([aside, along], -1)).flatten(0, 1)
    rows = clips * FRAMES
    particles = Particles(
        position=position,
        log_variance=torch.zeros(rows, 2, 2),
        features=torch.zeros(rows, 2, 3),
        feature_log_variance=torch.zeros(rows, 2, 3),
        presence=torch.ones(rows, 2),
        background=torch.zeros(rows, 1),
    )
    number = torch.arange(2).expand(rows, -1)
    return ParticleClip(particles, number, number, None, FRAMES)


@pytest.fixture(scope="module")
def learnt():
    """A network that expects constant velocity, and latent actions that learnt from forks; its weights before."""
    torch.manual_seed(0)
    config = MODELS["dlp-graph"].Config(still={"feature_dim": 3}, history=HISTORY, width=16, motion="latent")
    dynamics = Dynamics(config, 3).eval()
    before = {name: value.clone() for name, value in dynamics.state_dict().items()}
    optimizer = torch.optim.Adam(dynamics.parameters(), lr=3e-3)
    random = torch.Generator().manual_seed(0)
    for step in range(250):
        loss, _ = action_losses(dynamics, forks(random), HISTORY, worth_of_nat(step / 250))
        optimizer.zero_grad()
        loss.mean().backward()
        optimizer.step()
    return dynamics, before


def test_each_future_turns_to_one_side_and_both_sides_are_found(learnt):
    dynamics, _ = learnt
    given = forks(torch.Generator().manual_seed(1), clips=4).window(0, HISTORY)
    noise = noise_of_samples(given, LASTS, 16, 0, dynamics.noise)
    with torch.no_grad():
        future = predicted(dynamics, given.repeated(16), LASTS, (64, 64), noise)
    start = given.by_clip(given.particles.position)[:, -1].repeat_interleave(16, 0)
    path = (future.by_clip(future.particles.position) - start[:, None])[..., 0] / TURN
    side = path[:, -1].sign()
    ahead = torch.arange(1, LASTS + 1)[:, None]
    # each keeps to its side in all frames
    assert ((path * side[:, None] - ahead).abs().mean(1) < 0.15 * LASTS).float().mean() > 0.9
    share = (side > 0).float().unflatten(0, (4, 16)).mean(1)
    assert share.min() > 0.1 and share.max() < 0.9


def test_what_is_expected_learns_nothing_from_latent_actions(learnt):
    dynamics, before = learnt
    for name, value in dynamics.state_dict().items():
        assert name.startswith("latent.") or torch.equal(value, before[name]), name
    assert not torch.equal(
        before["latent.courses.0.weight"], dynamics.state_dict()["latent.courses.0.weight"]
    )


def test_a_course_is_drawn_as_often_as_it_is_likely():
    chance = torch.tensor([0.5, 0.0, 0.5]).log().expand(2000, 1, 3)
    offset = torch.arange(3.0)[:, None, None].expand(2000, 1, 3, 4, 2)
    noise = torch.randn(2000, 1, 3, generator=torch.Generator().manual_seed(0))
    drawn = Courses(chance, offset, torch.zeros_like(offset)).drawn(noise)
    assert drawn.shape == (2000, 1, 4, 2) and not (drawn == 1).any()
    assert (drawn == 2).float().mean() == pytest.approx(0.5, abs=0.05)


def test_things_that_are_nowhere_to_be_seen_cost_nothing():
    torch.manual_seed(0)
    config = MODELS["dlp-graph"].Config(still={"feature_dim": 3}, history=HISTORY, width=16, motion="latent")
    clip = forks(torch.Generator().manual_seed(0), clips=2)
    unseen = replace(clip, source=torch.full_like(clip.source, -1))
    loss, terms = action_losses(Dynamics(config, 3).eval(), unseen, HISTORY)
    assert not loss.any() and set(terms) == {"course", "course_spread"}


def test_a_nat_is_worth_ever_less():
    assert worth_of_nat(0.0) == FIRST_WORTH
    assert worth_of_nat(1.0) == pytest.approx(WORTH) and worth_of_nat(0.3) > worth_of_nat(0.5)


def test_actions_that_are_known_are_not_guessed():
    options = {"still": {"feature_dim": 3}, "motion": "latent", "actions": 2}
    with pytest.raises(UserError, match="what nobody knows"):
        MODELS["dlp-graph"](MODELS["dlp-graph"].Config(**options))
