"""On the way from one picture's particles to another's nothing jumps at the ends, and each finds its own again."""

from dataclasses import replace

import torch
from extents import extent_of

from motes.ops.points.interpolation import blend, interpolate_particles, matched
from motes.types.latents import Particles


def particles(count=6, seed=0):
    torch.manual_seed(seed)
    position, features = torch.rand(1, count, 2) * 2 - 1, torch.randn(1, count, 3)
    return Particles(
        position,
        position * 0,
        features,
        features * 0,
        torch.ones(1, count),
        torch.rand(1, 3),
        certainty=torch.ones(1, count),
        extent=extent_of(torch.rand(1, count, 2) + 0.5),
    )


def test_in_another_order_everybody_is_found_again():
    one = particles()
    order = [3, 0, 5, 1, 4, 2]
    other = replace(one.restacked(order), position=one.position[:, order] + 0.01)
    assert [order[j] for j in matched(one, other).tolist()] == list(range(6))
    torch.testing.assert_close(interpolate_particles(one, other, 1.0).position, one.position + 0.01)
    assert torch.equal(interpolate_particles(one, other, 0.5).presence, one.presence)


def test_at_the_ends_it_is_the_one_and_the_other():
    one, other = particles(), particles(seed=1)
    assert interpolate_particles(one, other, 0.0) is one
    end = interpolate_particles(one, other, 1.0)
    assert sorted(end.position[0].tolist()) == sorted(other.position[0].tolist())
    torch.testing.assert_close(end.background, other.background)
    torch.testing.assert_close(blend(one, other, 0.25).features, 0.75 * one.features + 0.25 * other.features)


def test_sizes_go_with_their_particles_and_change_on_the_way():
    one = particles()
    order = [3, 0, 5, 1, 4, 2]
    other = one.restacked(order)
    for k in range(6):
        other = other.resized(k, (2.0, 0.5))
    scale = one.extent.scale
    for share in (0.25, 1.0):
        wanted = scale.lerp(scale * torch.tensor([2.0, 0.5]), share)
        torch.testing.assert_close(interpolate_particles(one, other, share).extent.scale, wanted)
    fading = interpolate_particles(one, other.without(1), 0.5).extent.scale[0, order[1]]
    torch.testing.assert_close(fading, scale[0, order[1]])


def test_where_sizes_are_missing_in_one_of_two_pictures_nothing_is_made_up():
    one, other = particles(), replace(particles(seed=1), extent=None)
    assert blend(one, other, 0.5).extent is None and blend(other, one, 0.5).extent is None


def test_who_is_there_in_one_alone_fades_where_it_is():
    one, other = particles(), particles(seed=1)
    one = one.without(4).without(5)
    for k in (0, 1, 2):
        other = other.without(k)
    half = interpolate_particles(one, other, 0.5)
    match = matched(one, other)
    assert (match >= 0).sum() == 3 and (half.presence[0] > 0.99).sum() == 3
    lonely = [k for k in range(4) if match[k] < 0]
    assert half.presence[0, lonely].tolist() == [0.5] and torch.equal(
        half.position[0, lonely], one.position[0, lonely]
    )
    newcomer = interpolate_particles(one.without(0), other, 1.0)
    assert (newcomer.presence > 0.5).sum() == 3
