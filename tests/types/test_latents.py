"""Edits of particles are pure: the original stays, and only what was asked for changes."""

import copy
import pickle
from dataclasses import FrozenInstanceError

import pytest
import torch

from motes.types.latents import Particles


def some(count=3):
    torch.manual_seed(0)
    return Particles(
        torch.rand(2, count, 2),
        torch.randn(2, count, 2),
        torch.randn(2, count, 4),
        torch.randn(2, count, 4),
        torch.rand(2, count),
        torch.randn(2, 4),
        None,
        torch.rand(2, count),
    )


def changed(before, after):
    return {
        name
        for name in vars(before)
        if getattr(before, name) is not None and not torch.equal(getattr(before, name), getattr(after, name))
    }


def test_edits_change_one_thing_and_never_the_original():
    before = some()
    kept = {name: value.clone() for name, value in vars(before).items() if value is not None}
    moved = before.moved(1, (0.1, -0.2))
    assert changed(before, moved) == {"position"}
    torch.testing.assert_close(
        moved.position[0, 1], (before.position[0, 1] + torch.tensor([0.1, -0.2])).clamp(-1, 1)
    )
    assert torch.equal(moved.position[1], before.position[1])
    assert changed(before, before.without(2, picture=1)) == {"presence"}
    assert changed(before, before.with_features(0, torch.zeros(4))) == {"features"}
    other = some().moved(0, (0.5, 0.5))
    copied = before.with_particle_of(other, source=0, target=2)
    assert torch.equal(copied.features[0, 2], other.features[0, 0]) and torch.equal(
        copied.position[0, 2], other.position[0, 0]
    )
    assert all(torch.equal(kept[name], getattr(before, name)) for name in kept)
    with pytest.raises(FrozenInstanceError):
        before.position = before.position


def test_confident_switches_off_what_the_model_doubts():
    before = some()
    after = before.confident()
    assert torch.equal(after.presence, before.presence * (before.certainty >= 0.5))


def test_a_certainty_that_comes_later_is_computed_once_and_only_if_read():
    calls = []

    def compute():
        calls.append(torch.is_grad_enabled())
        return torch.rand(2, 3)

    with torch.no_grad():
        particles = some().judged(compute)
    assert len(particles) == 2 and not calls
    certainty = particles.certainty
    assert particles.certainty is certainty and calls == [False], "without gradients, as when it was promised"
    assert torch.equal(particles.moved(0, (0.1, 0.1)).certainty, certainty)
    assert torch.equal(Particles.cat([particles[1:], particles.to("cpu")]).certainty[0], certainty[1])


def test_a_certainty_that_comes_later_is_in_copies_and_among_the_tensors():
    for share in (lambda latent: pickle.loads(pickle.dumps(latent)), copy.deepcopy, lambda latent: latent[:]):
        particles = some().judged(lambda: torch.full((2, 3), 0.25))
        assert torch.equal(share(particles).tensors()["certainty"], torch.full((2, 3), 0.25))
        assert not share(particles).believed.any()
    assert some().judged(lambda: torch.ones(2, 3)).believed.tolist() == (some().presence > 0.5).tolist()
