"""How far two pictures are: one number a picture, zero only where they agree, the same in a batch or alone."""

import pytest
import torch
import torch.nn.functional as F

from motes.ops.pictures.image_loss import laplacian_error, squared_error

ERRORS = [squared_error, laplacian_error]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("shape", [(3, 3, 32, 32), (2, 1, 17, 9), (2, 3, 1, 1)])
def test_zero_on_itself_symmetric_and_each_picture_by_itself(error, shape):
    torch.manual_seed(0)
    one, other = torch.rand(shape), torch.rand(shape)
    assert error(one, one).tolist() == [0] * shape[0]
    assert (error(one, other) > 0).all()
    torch.testing.assert_close(error(one, other), error(other, one))
    torch.testing.assert_close(error(one, other)[:1], error(one[:1], other[:1]))


def test_squared_error_sums_over_pixels_and_channels():
    one = torch.zeros(2, 3, 4, 5)
    torch.testing.assert_close(squared_error(one, one + 0.5), torch.full((2,), 0.25 * 3 * 4 * 5))


def test_laplacian_error_scales_with_the_difference_and_only_sees_it():
    torch.manual_seed(0)
    one, step = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(
        laplacian_error(one + 2 * step, one),
        2 * laplacian_error(step, torch.zeros_like(step)),
        rtol=1e-4,
        atol=1e-3,
    )


def test_a_constant_shift_stands_in_the_coarsest_level_alone():
    """No detail anywhere, so 4^(levels - 1) times the shift over the last, small picture: its pixels, each of 4^levels of the original."""
    one = torch.zeros(1, 1, 32, 32)
    torch.testing.assert_close(
        laplacian_error(one + 0.25, one, levels=3), torch.tensor([4.0**2 * 0.25 * (32 / 8) ** 2])
    )


def test_gradient_is_finite_where_pictures_agree():
    one = torch.rand(1, 3, 16, 16, requires_grad=True)
    laplacian_error(one, one.detach()).sum().backward()
    assert one.grad is not None and torch.isfinite(one.grad).all()


def test_pyramid_prefers_a_shifted_edge_to_a_blur_where_squares_do_not():
    edge = torch.zeros(1, 1, 32, 32)
    edge[..., 16:] = 1
    shifted = edge.roll(2, -1)
    shifted[..., :2] = 0
    blurred = F.avg_pool2d(F.pad(edge, (4,) * 4, mode="replicate"), 9, 1)
    assert squared_error(blurred, edge) < squared_error(shifted, edge)
    ratio = laplacian_error(blurred, edge) / laplacian_error(shifted, edge)
    assert ratio > squared_error(blurred, edge) / squared_error(shifted, edge)
