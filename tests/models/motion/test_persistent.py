"""Things go on as they went, as far as that can be trusted."""

from dataclasses import replace

import torch

from motes.models.motion.persistent import KEPT, PersistentMotion
from motes.types.clips import ParticleClip
from motes.types.latents import Particles

SIZE = (64, 64)


def clip(pixels, track=None):
    """Places in pixels from the middle of the picture, T K 2."""
    position = torch.as_tensor(pixels).float() / 32
    shape = position.shape[:2]
    particles = Particles(
        position=position,
        log_variance=torch.zeros(*shape, 2),
        features=torch.zeros(*shape, 3),
        feature_log_variance=torch.zeros(*shape, 3),
        presence=torch.ones(shape),
        background=torch.zeros(shape[0], 1),
    )
    track = torch.arange(shape[1]).expand(shape) if track is None else track
    return ParticleClip(particles, track, track, frames=shape[0])


def moved(given, steps=1):
    """How far each thing is predicted to go from its last place, in pixels, steps K 2."""
    future = PersistentMotion(SIZE).predict(given, given.frames, steps)
    return 32 * (future.particles.position - given.particles.position[-1])


def test_a_steady_thing_goes_on_and_slows_down():
    steady = torch.arange(10.0)[:, None, None] * torch.tensor([0.0, 2.0])
    way = moved(clip(steady), 3)[:, 0]
    expected = 2 * torch.tensor([1, 1 + KEPT, 1 + KEPT + KEPT**2])
    assert torch.allclose(way[:, 1], expected, rtol=0.01) and way[:, 0].abs().max() < 1e-4


def test_a_thing_that_trembles_stays():
    trembling = 0.1 * torch.randn(10, 20, 2, generator=torch.Generator().manual_seed(0))
    way = moved(clip(trembling)).norm(dim=-1)
    assert way.amax() < 0.1 and way.median() == 0


def test_a_thing_that_turned_round_is_not_trusted():
    there_and_back = (5 - torch.arange(10.0)).abs()[:, None, None] * torch.tensor([2.0, 0.0])
    assert moved(clip(there_and_back)).abs().max() == 0


def test_a_thing_that_slows_down_goes_less_far_than_its_last_step():
    slowing = (8 * (1 - 0.7 ** torch.arange(10.0)))[:, None, None] * torch.tensor([1.0, 0.0])
    last_step = float(slowing[-1, 0, 0] - slowing[-2, 0, 0])
    assert 0 <= moved(clip(slowing))[0, 0, 0] < last_step


def test_a_thing_that_just_appeared_goes_by_the_frames_it_was_seen_in():
    steady = torch.arange(10.0)[:, None, None] * torch.tensor([0.0, 2.0])
    track = torch.zeros(10, 1, dtype=torch.long)
    track[:6] = -1
    assert 1.8 < moved(clip(steady, track))[0, 0, 1] <= 2.0


def test_a_thing_that_comes_in_goes_as_fast_as_the_side_that_is_inside():
    # 20 pixels long, 2 a frame; what is visible of it begins at row 0
    inner = 4 + 2 * torch.arange(6.0)
    middle = inner / 2 - 0.5
    given = clip(torch.stack([middle - 31.5, torch.zeros(6)], -1)[:, None])
    box = torch.stack([torch.zeros(6), torch.full((6,), 30.0), inner, torch.full((6,), 34.0)], -1)[:, None]
    assert 0.9 < moved(given)[0, 0, 0] <= 1.0
    assert 1.9 < moved(replace(given, box=box))[0, 0, 0] <= 2.0


def test_slots_in_another_order_go_the_same_way():
    wandering = torch.randn(10, 4, 2, generator=torch.Generator().manual_seed(1)).cumsum(0)
    order = torch.tensor([2, 0, 3, 1])
    assert torch.equal(moved(clip(wandering[:, order])), moved(clip(wandering))[:, order])
