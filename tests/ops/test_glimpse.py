"""Windows are what the full canvas would be: cut, place and stitch against padding, affine grids and a loop over particles."""

import pytest
import torch
import torch.nn.functional as F

from motes.ops.composite import stitch
from motes.ops.glimpse import cut, place

SIDE = 16


def full_canvas(glimpses, position, canvas):
    """Every glimpse on a canvas of its own, shifted by an affine grid."""
    batch, count, _channels, side, _ = glimpses.shape
    rows, columns = (canvas[0] - side) // 2, (canvas[1] - side) // 2
    padded = F.pad(glimpses, (columns, columns, rows, rows)).flatten(0, 1)
    one, zero, shift = torch.ones(batch * count), torch.zeros(batch * count), -position.flatten(0, 1)
    theta = torch.stack([one, zero, shift[:, 1], zero, one, shift[:, 0]], -1).view(-1, 2, 3)
    moved = F.grid_sample(padded, F.affine_grid(theta, list(padded.shape), align_corners=False), align_corners=False)
    return moved.unflatten(0, (batch, count))


def stitch_by_loop(layers, presence, background):
    alpha, colour = layers[:, :, :1] * presence[:, :, None, None, None], layers[:, :, 1:]
    taken, shares = torch.zeros_like(alpha[:, 0]), []
    for k in range(alpha.shape[1]):
        shares.append(torch.minimum(1 - taken.detach(), alpha[:, k]))
        taken = taken + shares[-1]
    shares = torch.stack(shares, 1)
    return (shares * colour).sum(1) + (1 - shares.sum(1).clamp(0, 1)) * background


@pytest.mark.parametrize("canvas", [(64, 64), (32, 48)])
def test_stitch_equals_the_full_canvas_in_value_and_gradient(canvas):
    torch.manual_seed(0)
    inputs = [torch.rand(2, 5, 4, SIDE, SIDE), torch.rand(2, 5, 2) * 2 - 1, torch.rand(2, 5), torch.rand(2, 3, *canvas)]
    glimpses, position, presence, background = (tensor.double().requires_grad_() for tensor in inputs)
    fast, _ = stitch(place(glimpses, position, canvas), presence, background)
    slow = stitch_by_loop(full_canvas(glimpses.float(), position.float(), canvas), presence.float(), background.float())
    torch.testing.assert_close(fast.float(), slow, atol=2e-5, rtol=0)
    weight = torch.randn_like(slow)
    variables = (glimpses, position, presence, background)
    for ours, theirs in zip(
        torch.autograd.grad((fast * weight).sum(), variables),
        torch.autograd.grad((slow * weight).sum(), variables),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-3)


def test_cutting_where_a_glimpse_was_pasted_returns_it():
    torch.manual_seed(0)
    glimpse = torch.rand(1, 1, 4, SIDE, SIDE)
    glimpse[:, :, 0] = 1
    position = torch.tensor([[[8 / 32, -12 / 32]]])  # whole pixels
    picture, _ = stitch(place(glimpse, position, (64, 64)), torch.ones(1, 1), torch.zeros(1, 3, 64, 64))
    torch.testing.assert_close(cut(picture, position, SIDE), glimpse[:, :, 1:])


def test_moving_one_particle_changes_no_pixel_outside_its_two_windows():
    torch.manual_seed(0)
    glimpses, presence, background = torch.rand(1, 2, 4, SIDE, SIDE), torch.ones(1, 2), torch.rand(1, 3, 64, 64)
    before = torch.tensor([[[-0.5, -0.5], [0.5, 0.5]]])
    after = torch.tensor([[[-0.5, 0.5], [0.5, 0.5]]])
    first, second = (stitch(place(glimpses, position, (64, 64)), presence, background)[0] for position in (before, after))
    torch.testing.assert_close(first[..., 34:, :], second[..., 34:, :], rtol=0, atol=0)


def test_a_particle_beyond_the_picture_paints_nothing():
    glimpses, background = torch.rand(1, 1, 4, SIDE, SIDE), torch.rand(1, 3, 64, 64)
    picture, _share = stitch(place(glimpses, torch.tensor([[[1.6, 0.0]]]), (64, 64)), torch.ones(1, 1), background)
    torch.testing.assert_close(picture, background)


@pytest.mark.parametrize("side", [7, 8, 15, 33])
def test_any_window_side_and_odd_pictures(side):
    picture = torch.rand(2, 1, 35, 41)
    position = torch.rand(2, 3, 2) * 2 - 1
    assert cut(picture, position, side).shape == (2, 3, 1, side, side)
    middle = cut(torch.ones(1, 1, 64, 64), torch.zeros(1, 1, 2), side)
    assert (middle[..., 1:-1, 1:-1] == 1).all()
