"""Windows of any size are what full canvases would be, and at scale 1 what windows of one size are."""

import pytest
import torch

from motes.ops.rendering import canvas
from motes.ops.rendering.footprints import Footprints
from motes.ops.rendering.glimpse import cut_glimpses, place_glimpses
from motes.ops.rendering.scaled import cut_scaled, place_scaled

SIZES = [(8, (32, 32)), (7, (35, 41)), (16, (24, 64)), (1, (9, 12)), (8, (20, 1)), (5, (1, 16))]


def crowd(side, size, count=9):
    """Particles inside, on every edge and beyond, from a third of their size to larger than the picture.
    No place at whole pixels and no scale of 1: there slopes are not defined."""
    torch.manual_seed(side)
    position = torch.rand(2, count, 2, dtype=torch.float64) * 2 - 1
    position[:, :4] = torch.tensor([[-0.99, 0.317], [0.98, 0.99], [0.213, -1.713], [-3.71, 0.013]])
    scale = torch.exp(torch.rand(2, count, 2, dtype=torch.float64) * 2.4 - 1.2)
    scale[:, -1] = 9.3
    glimpses = torch.rand(2, count, 4, side, side, dtype=torch.float64)
    return [tensor.requires_grad_() for tensor in (glimpses, position, scale)]


def on_canvas(windows, size):
    """Every channel of every window, on canvases."""
    channels = windows.pixels.unbind(2)
    canvases = [Footprints(pixels, windows.corner, size).on_canvas()[:, 1:] for pixels in channels]
    return torch.stack(canvases, 2)


def compare(fast, slow, variables):
    torch.testing.assert_close(fast, slow, atol=1e-10, rtol=1e-10)
    weight = torch.randn_like(slow)
    ours = torch.autograd.grad((fast * weight).sum(), variables)
    theirs = torch.autograd.grad((slow * weight).sum(), variables)
    torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("side, size", SIZES)
def test_windows_of_any_size_are_the_full_canvas_in_value_and_gradient(side, size):
    variables = crowd(side, size)
    windows = place_scaled(*variables, size)
    assert windows.pixels.shape[-1] <= max(size) + 1
    compare(on_canvas(windows, size), canvas.paste_scaled(*variables, size), variables)


@pytest.mark.parametrize("side, size", SIZES)
def test_cutting_at_any_size_reads_the_full_canvas_in_value_and_gradient(side, size):
    variables = [torch.rand(2, 3, *size, dtype=torch.float64, requires_grad=True), *crowd(side, size)[1:]]
    compare(cut_scaled(*variables, side), canvas.cut_windows_scaled(*variables, side), variables)


def test_slopes_along_place_and_scale_are_those_of_small_steps():
    glimpses, position, scale = crowd(5, (16, 20))
    image = torch.rand(2, 2, 16, 20, dtype=torch.float64)

    def placed(position, scale):
        return on_canvas(place_scaled(glimpses.detach(), position, scale, (16, 20)), (16, 20))

    assert torch.autograd.gradcheck(placed, (position, scale))
    assert torch.autograd.gradcheck(lambda *inputs: cut_scaled(image, *inputs, 5), (position, scale))


@pytest.mark.parametrize("side, size", [(8, (32, 48)), (7, (35, 41)), (32, (32, 64)), (1, (5, 8))])
def test_at_scale_one_placing_is_that_of_windows_of_one_size(side, size):
    """At whole pixels too, where slopes jump."""
    glimpses, position, _ = crowd(side, size)
    with torch.no_grad():
        position[:, 4:6] = (2 * torch.tensor([3.0, 5.0]) + 1 - side % 2) / torch.tensor(size) - 1
    found = place_scaled(glimpses, position, torch.ones_like(position), size)
    expected = place_glimpses(glimpses, position, size)
    assert torch.equal(found.corner, expected.corner)
    compare(found.pixels, expected.pixels, [glimpses, position])


def test_at_scale_one_cutting_is_that_of_windows_of_one_size_within_their_rim():
    _, position, _ = crowd(8, (32, 48))
    image = torch.rand(2, 3, 32, 48, dtype=torch.float64, requires_grad=True)
    inside = (..., slice(1, -1), slice(1, -1))
    found = cut_scaled(image, position, torch.ones_like(position), 8)[inside]
    compare(found, cut_glimpses(image, position, 8)[inside], [image, position])


def test_at_scale_one_the_slope_along_scale_is_halfway_between_larger_and_smaller():
    glimpses, position, _ = crowd(6, (20, 20))

    def slope(value):
        scale = torch.full_like(position, value).requires_grad_()
        painted = on_canvas(place_scaled(glimpses, position, scale, (20, 20)), (20, 20))
        return torch.autograd.grad((painted * weight).sum(), scale)[0]

    weight = torch.rand(2, 9, 4, 20, 20, dtype=torch.float64)
    torch.testing.assert_close(slope(1.0), (slope(1 - 1e-9) + slope(1 + 1e-9)) / 2, atol=1e-6, rtol=1e-6)


def test_what_is_minified_keeps_its_mass():
    """The sum is that of the glimpse, times the scale of both axes."""
    glimpses = torch.rand(1, 3, 2, 16, 16, dtype=torch.float64)
    position = torch.tensor([[[0.03, -0.11], [0.2, 0.1], [-0.21, 0.17]]], dtype=torch.float64)
    scale = torch.tensor([[[0.9, 0.37], [0.51, 0.5], [0.111, 0.74]]], dtype=torch.float64)
    mass = place_scaled(glimpses, position, scale, (40, 40)).pixels.sum((-1, -2))
    torch.testing.assert_close(mass, glimpses.sum((-1, -2)) * scale.prod(-1)[..., None])


def test_magnified_colours_are_interpolated_and_minified_pictures_averaged():
    ramp = torch.arange(8.0).expand(1, 1, 1, 8, 8)
    middle, twice = torch.zeros(1, 1, 2), torch.full((1, 1, 2), 2.0)
    painted = on_canvas(place_scaled(ramp, middle, twice, (32, 32)), (32, 32))[0, 0, 0]
    torch.testing.assert_close(painted[16, 9:23].diff(), torch.full((13,), 0.5))
    stripes = (torch.arange(32) % 2).float().expand(1, 1, 32, 32)
    torch.testing.assert_close(cut_scaled(stripes, middle, twice, 8), torch.full((1, 1, 1, 8, 8), 0.5))


def test_a_particle_beyond_the_picture_paints_and_reads_nothing():
    glimpses, scale = torch.rand(1, 2, 4, 8, 8), torch.full((1, 2, 2), 1.7)
    position = torch.tensor([[[1.9, 0.0], [0.0, -1e6]]])
    assert on_canvas(place_scaled(glimpses, position, scale, (32, 32)), (32, 32)).abs().max() == 0
    assert cut_scaled(torch.ones(1, 3, 32, 32), position, scale, 8).abs().max() == 0


def test_no_particles_are_placed_and_cut_as_nothing():
    none = torch.zeros(2, 0, 2)
    assert place_scaled(torch.zeros(2, 0, 4, 8, 8), none, none, (32, 32)).pixels.shape[:3] == (2, 0, 4)
    assert cut_scaled(torch.ones(2, 3, 32, 32), none, none, 8).shape == (2, 0, 3, 8, 8)


def test_for_the_gradient_of_a_cut_no_windows_are_kept():
    image = torch.rand(1, 3, 64, 64)
    inputs = [torch.rand(1, 20, 2).requires_grad_(), torch.full((1, 20, 2), 1.5).requires_grad_()]
    kept = []

    def keep(tensor):
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        cut_scaled(image, *inputs, 16)
    assert sum(kept) <= image.numel() + 2 * 20 * 2
