"""The fused kernels in triton's interpreter, against the plain way and the full canvas; `test_fused` runs this in a process of its own."""

import pytest
import torch

from motes.ops.rendering import canvas, fused
from motes.ops.rendering.composite import render
from motes.ops.rendering.glimpse import corner_and_fraction

F32, F64, BF16, F16 = torch.float32, torch.float64, torch.bfloat16, torch.float16
PLACES = [
    [-0.97, 0.317],
    [0.98, 0.99],
    [0.213, -1.013],
    [-1.71, 0.013],
    [1.31, 1.33],
    [0.11, -0.07],
    [3e8, -3e8],
]
SCENES = [  # S, (H, W), K, D, kind, with grain
    (8, (24, 40), 7, 4, F64, True),
    (8, (24, 37), 6, 4, F32, False),
    (7, (17, 22), 1, 4, F64, False),  # alone; odd
    (3, (9, 12), 5, 2, F32, True),  # one colour
    (16, (16, 33), 3, 4, F64, False),  # as high as the picture
]


def scene(side, size, count, depth, kind=F64, glimpse_kind=None):
    """Particles inside, across every edge and beyond; presences of nothing, all and between; full alphas, so that pixels saturate."""
    torch.manual_seed(side)
    position = torch.rand(2, count, 2, dtype=kind) * 2 - 1
    position[0] = torch.tensor(PLACES, dtype=kind)[torch.arange(count) - count]
    glimpses, presence = torch.rand(2, count, depth, side, side, dtype=kind), torch.rand(2, count, dtype=kind)
    glimpses[:, -1], presence[:, -1], presence[:, : count // 2], presence[0, :1] = 1.0, 0.97, 1.0, 0.0
    inputs = (
        glimpses.to(glimpse_kind or kind),
        position,
        presence,
        torch.randn(2, depth - 1, *size, dtype=kind),
    )
    return [one.requires_grad_() for one in inputs]


def slopes(way, variables, weight, *grain):
    picture = way(*variables, *grain)
    return [picture.detach(), *torch.autograd.grad((picture * weight).sum(), variables)]


def same(ours, theirs, tolerance):
    for one, other in zip(ours, theirs, strict=True):
        scale = max(1.0, float(other.abs().max()))
        torch.testing.assert_close(one.double(), other.double(), atol=tolerance * scale, rtol=0)


def full_canvas(glimpses, position, presence, background, grain=None):
    layers = canvas.paste(glimpses, position, tuple(background.shape[2:]))
    if grain is not None:
        layers = torch.cat(
            [
                layers[:, :, :1] + spread(layers[:, :, :1], grain, position, glimpses.shape[-1]),
                layers[:, :, 1:],
            ],
            2,
        )
    return canvas.stitch(layers, presence, background)


def spread(alpha, grain, position, side):
    """The grain of each window at its place on the canvas, where alpha exceeds a tenth."""
    out, size = torch.zeros_like(alpha), alpha.shape[-2:]
    for b, k in torch.cartesian_prod(*map(torch.arange, alpha.shape[:2])).view(-1, 2).tolist():
        row, column = corner_and_fraction(position, side, tuple(size))[0][b, k].tolist()
        for r in range(max(row, 0), min(row + side + 1, size[0])):
            for c in range(max(column, 0), min(column + side + 1, size[1])):
                out[b, k, 0, r, c] = grain[b, k, r - row, c - column]
    return out * (alpha.detach() > 0.1)


@pytest.mark.parametrize("side, size, count, depth, kind, grainy", SCENES)
def test_value_and_gradient_are_those_of_the_plain_way_and_of_the_full_canvas(
    side, size, count, depth, kind, grainy
):
    variables, tolerance = scene(side, size, count, depth, kind), 1e-9 if kind == F64 else 1e-5
    grain = (0.1 * torch.randn(2, count, side + 1, side + 1, dtype=kind),) if grainy else ()
    weight = torch.randn(2, depth - 1, *size, dtype=kind)
    ours = slopes(fused.render_fused, variables, weight, *grain)
    assert [one.dtype for one in ours] == [kind] * 5
    same(ours, slopes(render, variables, weight, *grain), tolerance)
    exact = [one.detach().double().requires_grad_() for one in variables]
    same(ours, slopes(full_canvas, exact, weight.double(), *(one.double() for one in grain)), tolerance)


def test_a_window_larger_than_the_picture():
    variables, weight = scene(8, (1, 5), 3, 4), torch.randn(2, 3, 1, 5, dtype=F64)
    same(slopes(fused.render_fused, variables, weight), slopes(render, variables, weight), 1e-9)


def test_equal_alpha_and_room_share_the_gradient():
    """Whole pixels and full alphas, three deep: the first fills all, the others find as little room as none; all arithmetic is exact."""
    glimpses, presence = torch.ones(1, 3, 2, 4, 4, dtype=F64), torch.tensor([[1.0, 0.5, 0.0]], dtype=F64)
    position, background = torch.zeros(1, 3, 2, dtype=F64), torch.rand(1, 1, 8, 8, dtype=F64)
    variables = [one.requires_grad_() for one in (glimpses, position, presence, background)]
    weight = torch.randn(1, 1, 8, 8, dtype=F64)
    ours, exact = slopes(fused.render_fused, variables, weight), slopes(full_canvas, variables, weight)
    same(ours, slopes(render, variables, weight), 1e-12)
    same(
        ours[:2] + ours[3:], exact[:2] + exact[3:], 1e-12
    )  # along positions the canvas has the slope of the other side


def test_a_tile_that_nothing_touches_is_background():
    glimpses, position, presence, background = scene(8, (24, 24), 2, 4, F32)
    position.data[:] = -0.8
    weight = torch.randn(2, 3, 24, 24)
    picture, g_glimpses, _, _, g_background = slopes(
        fused.render_fused, [glimpses, position, presence, background], weight
    )
    assert (picture[..., 16:, :] == background[..., 16:, :]).all() and (
        picture[..., 16:] == background[..., 16:]
    ).all()
    assert (g_background[..., 16:] == weight[..., 16:]).all()
    assert (picture[..., :8, :8] != background[..., :8, :8]).any() and g_glimpses.abs().sum() > 0


def test_halves_are_added_up_in_single_precision():
    """As the plain way, which widens them first: gradients differ by no more than the last bit they are rounded to."""
    variables, weight = scene(8, (8, 24), 5, 4, F32, F16), torch.randn(2, 3, 8, 24)
    with torch.autocast("cpu", BF16):
        ours = slopes(fused.render_fused, variables, weight)
        theirs = slopes(render, variables, weight)
    assert [one.dtype for one in ours] == [one.dtype for one in theirs] == [F32, F16, F32, F32, F32]
    same(ours[:1] + ours[2:], theirs[:1] + theirs[2:], 1e-5)
    torch.testing.assert_close(ours[1], theirs[1], rtol=0.02, atol=1e-5)


def test_all_halves_make_a_picture_in_single_precision():
    variables = [one.detach().to(BF16).requires_grad_() for one in scene(8, (8, 16), 3, 4, F32)]
    weight = torch.randn(2, 3, 8, 16)
    ours, theirs = (slopes(way, variables, weight) for way in (fused.render_fused, render))
    assert [one.dtype for one in ours] == [one.dtype for one in theirs] == [F32, BF16, BF16, BF16, BF16]
    same(ours[:1], theirs[:1], 1e-5)
    for one, other in zip(ours[1:], theirs[1:], strict=True):
        torch.testing.assert_close(one, other, rtol=0.02, atol=0.02 * float(other.abs().max()))


def test_views_are_as_good_as_copies():
    glimpses, *rest = scene(8, (8, 8), 2, 4, F32)
    last = glimpses.detach().permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3).requires_grad_()
    expanded = torch.randn(1, 1, 1, 1).expand(2, 3, 8, 8)
    for one, other in zip(
        slopes(fused.render_fused, [glimpses, *rest], expanded),
        slopes(fused.render_fused, [last, *rest], expanded),
        strict=True,
    ):
        assert torch.equal(one, other)


def test_what_is_kept_for_the_gradient_is_one_number_a_pixel():
    variables, kept = scene(8, (16, 16), 3, 4, F32), []

    def keep(tensor):
        kept.append(tensor.untyped_storage())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        fused.render_fused(*variables)
    known = {one.untyped_storage().data_ptr() for one in variables}
    assert sum(one.nbytes() for one in kept if one.data_ptr() not in known) == 2 * 16 * 16 * 4
