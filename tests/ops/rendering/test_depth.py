"""Depth learns the order of particles that overlap, and only of those."""

import torch

from motes.ops.gather import take
from motes.ops.rendering import canvas
from motes.ops.rendering.composite_scaled import render_scaled
from motes.ops.rendering.depth import front_first, with_depth_gradient
from motes.ops.rendering.layers_scaled import ScaledParticles

SIZE = (32, 40)


def discs(*centres, colours, alpha=1.0):
    """Discs of a radius of 5 pixels at pixels of the picture, as particles of one picture."""
    steps = torch.arange(12.0) - 5.5
    disc = ((steps[:, None].square() + steps.square()) < 25).float()
    looks = [torch.stack([alpha * disc, *(disc * value for value in colour)]) for colour in colours]
    position = (torch.tensor(centres) + 0.5) * 2 / torch.tensor(SIZE) - 1
    count = len(centres)
    return ScaledParticles(
        torch.stack(looks)[None], position[None], torch.ones(1, count, 2), torch.ones(1, count)
    )


def painted(particles, depth, temperature=1.0):
    """From particles in any order."""
    order = front_first(depth)
    ordered = ScaledParticles(*(take(tensor, order) for tensor in particles[:4]))
    background = torch.full((len(depth), 3, *SIZE), 0.2, dtype=ordered.glimpses.dtype)
    picture = render_scaled(*ordered[:4], background)
    return with_depth_gradient(picture, take(depth, order), ordered, temperature)


RED, GREEN = (1.0, 0.1, 0.0), (0.0, 0.9, 0.3)


def test_the_order_of_two_overlapping_discs_is_learnt_whichever_is_in_front():
    particles = discs((14.0, 16.0), (17.0, 20.0), colours=(RED, GREEN))
    for truth in ([0.0, 1.0], [1.0, 0.0]):
        target = painted(particles, torch.tensor([truth]))
        for start in ([0.1, 0.4], [0.4, 0.1]):
            depth = torch.tensor([start], requires_grad=True)
            for _ in range(20):
                loss = (painted(particles, depth) - target).square().sum()
                (slope,) = torch.autograd.grad(loss, depth)
                wrong = (depth[0, 0] < depth[0, 1]) != (truth[0] < truth[1])
                # the one that hides the other goes back, and the other comes forward
                expected = torch.tensor([-1.0, 1.0] if start[0] < start[1] else [1.0, -1.0]) * wrong
                assert torch.equal(slope.sign()[0], expected)
                depth = (depth - 0.002 * slope).detach().requires_grad_()
            assert torch.equal(front_first(depth), front_first(torch.tensor([truth])))


def test_particles_that_do_not_overlap_ask_nothing_of_each_other():
    particles = discs((8.0, 8.0), (9.0, 10.0), (24.0, 30.0), (31.0, 39.0), colours=(RED, GREEN, RED, GREEN))
    depth = torch.tensor([[0.3, 0.1, 0.2, 0.4]], requires_grad=True)
    picture = painted(particles, depth)
    (picture * torch.rand_like(picture)).sum().backward()
    assert (depth.grad[0, :2] != 0).all()
    # the windows of the last two overlap, and their discs do not
    assert (depth.grad[0, 2:] == 0).all()


def over(front, behind, background):
    """The first layer over the second, each with alpha first."""
    first, second = front[:, :1], behind[:, :1]
    rest = (1 - first) * (second * behind[:, 1:] + (1 - second) * background)
    return first * front[:, 1:] + rest


def test_the_slope_is_that_of_small_steps_of_a_softly_ordered_pair():
    """In double precision, for soft alphas, at places and scales of all kinds."""
    torch.manual_seed(0)
    for _ in range(5):
        position = torch.rand(3, 2, 2, dtype=torch.float64) * 1.4 - 0.7
        scale = torch.exp(torch.rand(3, 2, 2, dtype=torch.float64) * 2 - 1)
        glimpses = torch.rand(3, 2, 4, 9, 9, dtype=torch.float64)
        particles = ScaledParticles(glimpses, position, scale, torch.rand(3, 2, dtype=torch.float64))
        depth = torch.rand(3, 2, dtype=torch.float64).sort(1).values.requires_grad_()
        weight = torch.randn(3, 3, *SIZE, dtype=torch.float64)
        layers = canvas.paste_scaled(glimpses, position, scale, SIZE)
        layers[:, :, :1] *= particles.presence[:, :, None, None, None]

        def soft(depth, layers=layers, weight=weight):
            front = torch.sigmoid((depth[:, 1] - depth[:, 0]) / 0.4)[:, None, None, None]
            one, two = layers.unbind(1)
            picture = front * over(one, two, 0.2) + (1 - front) * over(two, one, 0.2)
            return (picture * weight).sum()

        (painted(particles, depth, 0.4) * weight).sum().backward()
        step = 1e-6 * torch.eye(6, dtype=torch.float64).view(6, 3, 2)
        still = depth.detach()
        slopes = torch.stack([(soft(still + one) - soft(still - one)) / 2e-6 for one in step]).view(3, 2)
        torch.testing.assert_close(depth.grad, slopes, atol=1e-6, rtol=1e-6)


def test_in_a_crowd_the_slope_is_the_sum_over_all_pairs(monkeypatch):
    """Against whole canvases, with windows of many sizes in several groups and pairs in several parts."""
    monkeypatch.setattr("motes.ops.rendering.sizes.AT_ONCE", 600)
    monkeypatch.setattr("motes.ops.rendering.sizes.OVERHEAD", 50)
    monkeypatch.setattr("motes.ops.rendering.depth.AT_ONCE", 700)
    torch.manual_seed(0)
    count = 8
    position = torch.rand(2, count, 2, dtype=torch.float64) * 2.2 - 1.1
    scale = torch.exp(torch.rand(2, count, 2, dtype=torch.float64) * 2 - 1)
    glimpses = torch.rand(2, count, 4, 9, 9, dtype=torch.float64)
    particles = ScaledParticles(glimpses, position, scale, torch.rand(2, count, dtype=torch.float64))
    depth = torch.rand(2, count, dtype=torch.float64).sort(1).values.requires_grad_()
    picture = painted(particles, depth, 0.5)
    weight = torch.randn_like(picture)
    (picture * weight).sum().backward()

    alpha, colour = canvas.paste_scaled(glimpses, position, scale, SIZE).split([1, 3], 2)
    opacity = alpha[:, :, 0] * particles.presence[:, :, None, None]
    room = (1 - opacity.cumsum(1) + opacity).clamp_min(0)
    worth = (colour * weight[:, None]).sum(2)
    slopes = torch.einsum("bihw,bjhw,bijhw->bij", room * opacity, opacity, worth[:, :, None] - worth[:, None])
    soft = torch.sigmoid((depth[:, None] - depth[:, :, None]) / 0.5).detach()
    slopes = slopes.triu(1) * soft * (1 - soft) / 0.5
    torch.testing.assert_close(depth.grad, slopes.sum(1) - slopes.sum(2))


def test_all_else_has_the_gradient_it_has_without_depth():
    particles = discs((14.0, 16.0), (17.0, 20.0), colours=(RED, GREEN), alpha=0.8)
    variables = [tensor.requires_grad_() for tensor in particles[:4]]
    background = torch.full((1, 3, *SIZE), 0.2, requires_grad=True)
    picture = render_scaled(*variables, background)
    depth = torch.tensor([[0.0, 1.0]], requires_grad=True)
    same = with_depth_gradient(picture, depth, ScaledParticles(*variables), 1.0)
    assert torch.equal(picture, same)
    weight = torch.rand_like(picture)
    inputs = [*variables, background]
    expected = torch.autograd.grad((picture * weight).sum(), inputs, retain_graph=True)
    assert all(map(torch.equal, torch.autograd.grad((same * weight).sum(), inputs), expected))


def test_without_particles_depth_has_nothing_to_learn():
    none, depth = torch.zeros(2, 0, 2), torch.zeros(2, 0, requires_grad=True)
    particles = ScaledParticles(torch.zeros(2, 0, 4, 8, 8), none, none, torch.zeros(2, 0))
    painted(particles, depth).sum().backward()
    assert depth.grad.shape == (2, 0)
