"""Edits of particles are pure: the original stays, and only what was asked for changes."""

import copy
import pickle
from dataclasses import FrozenInstanceError, replace

import pytest
import torch

from motes.errors import UserError
from motes.types.latents import Extent, Particles


def some(count=3, sized=False):
    torch.manual_seed(0)
    particles = Particles(
        torch.rand(2, count, 2),
        torch.randn(2, count, 2),
        torch.randn(2, count, 4),
        torch.randn(2, count, 4),
        torch.rand(2, count),
        torch.randn(2, 4),
        None,
        torch.rand(2, count),
    )
    if not sized:
        return particles
    numbers = (torch.rand(2, count, 2) + 0.5, torch.randn(2, count, 2), *torch.randn(2, 2, count))
    return replace(particles, extent=Extent(*numbers))


def changed(before, after):
    ends = after.tensors()
    return {name for name, value in before.tensors().items() if not torch.equal(value, ends[name])}


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


def test_sizes_change_by_factors_or_are_set_and_nothing_else_changes():
    before = some(sized=True)
    scale = before.extent.scale
    twice = before.resized(1, 2.0)
    assert changed(before, twice) == {"extent.scale"}
    torch.testing.assert_close(twice.extent.scale[0, 1], 2 * scale[0, 1])
    tall = before.resized(2, (3.0, 0.5), picture=1)
    torch.testing.assert_close(tall.extent.scale[1, 2], scale[1, 2] * torch.tensor([3.0, 0.5]))
    assert torch.equal(tall.extent.scale[0], scale[0]) and torch.equal(tall.extent.scale[1, :2], scale[1, :2])
    assert before.with_scale(0, (0.7, 1.5)).extent.scale[0, 0].tolist() == pytest.approx([0.7, 1.5])
    back = twice.resized(1, 0.5)
    torch.testing.assert_close(back.extent.scale, scale)


def test_sizes_go_with_their_particles():
    before, other = some(sized=True), some(4, sized=True)
    order = [2, 0, 1]
    assert torch.equal(before.restacked(order).extent.scale, before.extent.scale[:, order])
    own = before.reordered(torch.tensor([order, [0, 2, 1]]))
    assert torch.equal(own.extent.scale[1], before.extent.scale[1, [0, 2, 1]])
    assert torch.equal(own.features[0], before.features[0, order])
    one = before[0].joined(other, 3, other_picture=1)
    assert torch.equal(one.extent.scale[0, 3], other.extent.scale[1, 3]) and one.count == 4
    assert torch.equal(one.extent.log_variance[0, :3], before.extent.log_variance[0])
    copied = before.with_particle_of(other, source=3, target=0)
    assert torch.equal(copied.extent.scale[0, 0], other.extent.scale[0, 3])
    absent = before.without(0).without(1, picture=1)
    assert torch.equal(absent.there(0.0).extent.scale[0], before.extent.scale[0, 1:])


def test_particles_of_one_size_cannot_be_resized():
    for edit in (lambda: some().resized(0, 2.0), lambda: some().with_scale(0, (1.0, 1.0))):
        with pytest.raises(UserError, match="all particles of this model are of one size"):
            edit()


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
