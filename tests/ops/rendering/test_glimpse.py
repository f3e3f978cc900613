"""Windows are what the full canvas would be: `glimpse` and `composite` against `canvas`, in value and gradient."""

import pytest
import torch
from oracle import compare

from motes.ops.rendering import canvas
from motes.ops.rendering.composite import GRAIN_FROM, render
from motes.ops.rendering.glimpse import cut_glimpses

SIDE = 16
SIZES = [
    (16, (64, 64)),
    (8, (32, 48)),
    (7, (35, 41)),
    (8, (33, 40)),
    (7, (32, 36)),
    (32, (32, 64)),
    (3, (9, 12)),
]


def scene(side, size, kind, count=7):
    """Particles inside, on every edge and beyond; presences of nothing, all and between; some alphas full, so that pixels saturate.
    No place at whole pixels, and no share that exactly fills the room: there slopes are not defined."""
    torch.manual_seed(side)
    position = torch.rand(2, count, 2, dtype=kind) * 2 - 1
    position[:, :5] = torch.tensor(
        [[-0.99, 0.317], [0.98, 0.99], [0.213, -1.013], [-1.71, 0.013], [1.31, 1.33]], dtype=kind
    )
    glimpses, presence = torch.rand(2, count, 4, side, side, dtype=kind), torch.rand(2, count, dtype=kind)
    glimpses[:, -1], presence[:, -1], presence[:, 5] = 1.0, 0.97, 0.0
    inputs = (glimpses, position, presence, torch.randn(2, 3, *size, dtype=kind))
    return [one.requires_grad_() for one in inputs]


@pytest.mark.parametrize("grainy", [False, True])
@pytest.mark.parametrize("kind", [torch.float64, torch.float32])
@pytest.mark.parametrize("side, size", SIZES)
def test_render_is_the_full_canvas_in_value_and_gradient(side, size, kind, grainy, monkeypatch):
    monkeypatch.setattr("motes.ops.rendering.composite.GROUP", 6)  # three particles of two pictures at once
    noise = 0.1 * torch.randn(2, 7, side + 1, side + 1, dtype=kind) if grainy else None

    def slow(glimpses, position, presence, background):
        pasted = canvas.paste(glimpses, position, size)
        if grainy:
            pasted = torch.cat(
                [grained(pasted[:, :, :1], noise.double(), position, side, size), pasted[:, :, 1:]], 2
            )
        return canvas.stitch(pasted, presence, background)

    compare(lambda *inputs: render(*inputs, noise), slow, scene(side, size, kind), kind)


@pytest.mark.parametrize("kind", [torch.float64, torch.float32])
def test_crowds_that_fill_pixels_lose_no_gradient_to_rounding(kind):
    """Shares that fill a pixel add up to a little more than 1 or less; a clamp at 1 would stop what some pixels tell those in front."""
    torch.manual_seed(0)
    shapes = ((1, 40, 4, 8, 8), (1, 40, 2), (1, 40), (1, 3, 32, 32))
    glimpses, position, presence, background = (torch.rand(shape, dtype=kind) for shape in shapes)
    variables = [
        one.requires_grad_() for one in (glimpses, position * 2 - 1, presence.fill_(1.0), background)
    ]
    compare(
        render,
        lambda *inputs: canvas.stitch(canvas.paste(*inputs[:2], (32, 32)), *inputs[2:]),
        variables,
        kind,
    )


def grained(alpha, noise, position, side, size):
    """The grain of each window at its place on the canvas."""
    from motes.ops.rendering.glimpse import corner_and_fraction

    out, corner = torch.zeros_like(alpha), corner_and_fraction(position, side, size)[0]
    for b in range(alpha.shape[0]):
        for k in range(alpha.shape[1]):
            wide = torch.zeros(size[0] + 4 * side, size[1] + 4 * side, dtype=alpha.dtype)
            row, column = (int(corner[b, k, axis]) + 2 * side for axis in (0, 1))
            if 0 <= row <= wide.shape[0] - side - 1 and 0 <= column <= wide.shape[1] - side - 1:
                wide[row : row + side + 1, column : column + side + 1] = noise[b, k]
            out[b, k, 0] = wide[2 * side : 2 * side + size[0], 2 * side : 2 * side + size[1]]
    return alpha + out * (alpha.detach() > GRAIN_FROM)


@pytest.mark.parametrize("kind", [torch.float64, torch.float32])
@pytest.mark.parametrize("side, size", SIZES)
def test_cut_is_the_full_canvas_in_value_and_gradient(side, size, kind):
    _, position, _, image = scene(side, size, kind)
    compare(
        lambda *inputs: cut_glimpses(*inputs, side),
        lambda *inputs: canvas.cut_windows(*inputs, side),
        [image, position],
        kind,
    )


def test_what_is_kept_for_the_gradient_is_little():
    """Beyond the inputs, one number a pixel and nothing a particle, as soon as there is more than one group."""
    variables, kept = scene(32, (128, 128), torch.float32, count=300), []

    def keep(tensor):
        kept.append(tensor.untyped_storage())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        render(*variables)
        cut_glimpses(variables[3], variables[1], 32)
    known = {one.untyped_storage().data_ptr() for one in variables}
    assert sum(one.nbytes() for one in kept if one.data_ptr() not in known) <= 2 * 128 * 128 * 4


def test_cutting_where_a_glimpse_was_pasted_returns_it():
    torch.manual_seed(0)
    glimpse = torch.rand(1, 1, 4, SIDE, SIDE)
    glimpse[:, :, 0] = 1
    position = torch.tensor([[[8 / 32, -12 / 32]]])  # whole pixels
    picture = render(glimpse, position, torch.ones(1, 1), torch.zeros(1, 3, 64, 64))
    torch.testing.assert_close(cut_glimpses(picture, position, SIDE), glimpse[:, :, 1:])


def test_moving_one_particle_changes_no_pixel_outside_its_two_windows():
    torch.manual_seed(0)
    glimpses, presence, background = (
        torch.rand(1, 2, 4, SIDE, SIDE),
        torch.ones(1, 2),
        torch.rand(1, 3, 64, 64),
    )
    before = torch.tensor([[[-0.5, -0.5], [0.5, 0.5]]])
    after = torch.tensor([[[-0.5, 0.5], [0.5, 0.5]]])
    first, second = (render(glimpses, position, presence, background) for position in (before, after))
    torch.testing.assert_close(first[..., 34:, :], second[..., 34:, :], rtol=0, atol=0)


def test_a_particle_beyond_the_picture_paints_nothing():
    glimpses, background = torch.rand(1, 1, 4, SIDE, SIDE), torch.rand(1, 3, 64, 64)
    picture = render(glimpses, torch.tensor([[[1.6, 0.0]]]), torch.ones(1, 1), background)
    torch.testing.assert_close(picture, background)


@pytest.mark.parametrize("side", [7, 8, 15, 33])
def test_any_window_side_and_odd_pictures(side):
    picture = torch.rand(2, 1, 35, 41)
    position = torch.rand(2, 3, 2) * 2 - 1
    assert cut_glimpses(picture, position, side).shape == (2, 3, 1, side, side)
    middle = cut_glimpses(torch.ones(1, 1, 64, 64), torch.zeros(1, 1, 2), side)
    assert (middle[..., 1:-1, 1:-1] == 1).all()
