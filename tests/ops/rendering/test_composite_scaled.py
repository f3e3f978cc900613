"""Pictures of particles of any size are those of full canvases, and at scale 1 those of `render`."""

import pytest
import torch
from oracle import compare

from motes.ops.rendering import canvas
from motes.ops.rendering.composite import GRAIN_FROM, render
from motes.ops.rendering.composite_scaled import render_scaled
from motes.ops.rendering.placement import Placement

SIZES = [(8, (32, 32)), (7, (35, 41)), (16, (24, 64)), (1, (9, 12)), (5, (1, 16)), (5, (16, 1))]


def scene(side, size, kind, count=7):
    """Particles inside, on every edge and beyond, small and larger than the picture; presences of nothing, all and
    between; some pixels full."""
    torch.manual_seed(side)
    position = torch.rand(2, count, 2, dtype=kind) * 2 - 1
    position[:, :5] = torch.tensor(
        [[-0.99, 0.317], [0.98, 0.99], [0.213, -1.013], [-1.71, 0.013], [1.31, 1.33]], dtype=kind
    )
    scale = torch.exp(torch.rand(2, count, 2, dtype=kind) * 2.2 - 1.1)
    scale[:, 3] = 9.3
    glimpses, presence = torch.rand(2, count, 4, side, side, dtype=kind), torch.rand(2, count, dtype=kind)
    glimpses[:, -1], presence[:, -1], presence[:, 5] = 1.0, 0.97, 0.0
    inputs = (glimpses, position, scale, presence, torch.randn(2, 3, *size, dtype=kind))
    return [tensor.requires_grad_() for tensor in inputs]


def repeated(noise, position, scale, side, size):
    """The grain of each window at its place on the canvas."""
    placement = Placement.of(position, scale, side, size)
    corner, count = placement.corner, placement.count
    rows, columns = (torch.arange(full) - corner[..., axis, None] for axis, full in enumerate(size))
    within = [(steps >= 0) & (steps < count[..., axis, None]) for axis, steps in enumerate((rows, columns))]
    first, second = torch.arange(2)[:, None, None, None], torch.arange(noise.shape[1])[:, None, None]
    period = noise.shape[-1]
    values = noise[first, second, rows[..., :, None] % period, columns[..., None, :] % period]
    return values * within[0][..., :, None] * within[1][..., None, :]


@pytest.mark.parametrize("grainy", [False, True])
@pytest.mark.parametrize("kind", [torch.float64, torch.float32])
@pytest.mark.parametrize("side, size", SIZES)
def test_render_is_the_full_canvas_in_value_and_gradient(side, size, kind, grainy, monkeypatch):
    # two or three k at once, and groups of a few windows
    monkeypatch.setattr("motes.ops.rendering.sizes.AT_ONCE", 6 * side**2)
    monkeypatch.setattr("motes.ops.rendering.sizes.OVERHEAD", side**2)
    variables = scene(side, size, kind)
    noise = 0.1 * torch.randn(2, 7, side + 1, side + 1, dtype=kind) if grainy else None

    def slow(glimpses, position, scale, presence, background):
        pasted = canvas.paste_scaled(glimpses, position, scale, size)
        if grainy:
            alpha = pasted[:, :, :1]
            # places of windows are found in the precision of the inputs
            grain = repeated(noise, variables[1].detach(), variables[2].detach(), side, size).double()
            alpha = alpha + grain[:, :, None] * (alpha.detach() > GRAIN_FROM)
            pasted = torch.cat([alpha, pasted[:, :, 1:]], 2)
        return canvas.stitch(pasted, presence, background)

    compare(lambda *inputs: render_scaled(*inputs, noise), slow, variables, kind, single=2e-5)


@pytest.mark.parametrize("kind", [torch.float64, torch.float32])
def test_crowds_that_fill_pixels_lose_no_gradient_to_rounding(kind):
    torch.manual_seed(0)
    shapes = ((1, 40, 4, 8, 8), (1, 40, 2), (1, 40, 2), (1, 40), (1, 3, 32, 32))
    glimpses, position, scale, presence, background = (torch.rand(shape, dtype=kind) for shape in shapes)
    inputs = (glimpses, position * 2 - 1, 0.4 + scale, presence.fill_(1.0), background)

    def slow(glimpses, position, scale, presence, background):
        return canvas.stitch(canvas.paste_scaled(glimpses, position, scale, (32, 32)), presence, background)

    compare(render_scaled, slow, [tensor.requires_grad_() for tensor in inputs], kind, single=2e-5)


def test_what_is_kept_for_the_gradient_is_little():
    """Beyond the inputs, one number a pixel and nothing a particle."""
    variables, kept = scene(16, (96, 96), torch.float32, count=50), []

    def keep(tensor):
        kept.append(tensor.untyped_storage())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        render_scaled(*variables)
    known = {tensor.untyped_storage().data_ptr() for tensor in variables}
    assert sum(storage.nbytes() for storage in kept if storage.data_ptr() not in known) <= 2 * 96 * 96 * 4


@pytest.mark.parametrize("grainy", [False, True])
def test_at_scale_one_the_picture_is_that_of_particles_of_one_size(grainy):
    glimpses, position, _, presence, background = scene(8, (32, 40), torch.float64)
    noise = 0.1 * torch.randn(2, 7, 9, 9, dtype=torch.float64) if grainy else None
    variables = [glimpses, position, presence, background]
    compare(
        lambda g, p, z, b: render_scaled(g, p, torch.ones_like(p), z, b, noise),
        lambda g, p, z, b: render(g, p, z, b, noise),
        variables,
        torch.float64,
    )


def test_without_particles_the_picture_is_the_background():
    none, background = torch.zeros(2, 0, 2), torch.rand(2, 3, 16, 20, requires_grad=True)
    glimpses = torch.zeros(2, 0, 4, 8, 8)
    picture = render_scaled(glimpses, none, none, torch.zeros(2, 0), background)
    assert torch.equal(picture, background)
    picture.sum().backward()
    assert (background.grad == 1).all()


def test_a_particle_beyond_the_picture_paints_nothing():
    glimpses, background = torch.rand(1, 1, 4, 8, 8), torch.rand(1, 3, 32, 32)
    position, scale = torch.tensor([[[1.9, 0.0]]]), torch.full((1, 1, 2), 1.7)
    picture = render_scaled(glimpses, position, scale, torch.ones(1, 1), background)
    torch.testing.assert_close(picture, background)


def test_halves_are_painted_in_single_precision():
    inputs = [tensor.detach().bfloat16() for tensor in scene(8, (32, 32), torch.float32)]
    picture = render_scaled(*inputs)
    assert picture.dtype == torch.float32
    torch.testing.assert_close(picture, render_scaled(*(tensor.float() for tensor in inputs)))


@pytest.mark.parametrize("broken", [1, 2])
def test_a_place_or_a_scale_that_is_no_number_harms_no_other_picture(broken):
    inputs = scene(8, (32, 32), torch.float32)
    with torch.no_grad():
        inputs[broken][0, 2, 0] = torch.nan
    picture = render_scaled(*inputs)
    picture.sum().backward()
    assert picture[1].isfinite().all()
    assert inputs[broken].grad[1].isfinite().all()
