"""Warps: nothing bent is the same picture, a shift is a shift, and the spline is the one scipy knows."""

import numpy as np
import torch
from scipy.interpolate import RBFInterpolator

from motes.ops.densities import noise
from motes.ops.points.warp import (
    CONTROLS,
    Warps,
    even_points,
    paired,
    resampled,
    thin_plate_basis,
    warped_pair,
)
from motes.types.batch import Batch

SIDE = 4
STILL = torch.cat([torch.zeros(SIDE**2 + 1, 2), torch.eye(2)])


def places(size, weights):
    return (thin_plate_basis(even_points(size, weights), SIDE) @ weights)[None]


def test_nothing_bent_is_the_identity():
    image = torch.rand(1, 3, 9, 14)
    torch.testing.assert_close(resampled(image, places((9, 14), STILL)), image, atol=1e-5, rtol=0)


def test_a_shift_by_whole_pixels_moves_rows_and_columns():
    image, weights = torch.rand(1, 1, 9, 17), STILL.clone()
    weights[-3] = torch.tensor([2 / 8 * 2, -2 / 16 * 3])  # look 2 rows further down, 3 columns further left
    moved = resampled(image, places((9, 17), weights))
    torch.testing.assert_close(moved[..., :-2, 3:], image[..., 2:, :-3], atol=1e-5, rtol=0)
    assert moved[..., -2:, :].abs().max() < 1e-5 and moved[..., :3].abs().max() < 1e-5, "zeros from outside"


def test_the_bend_is_the_interpolating_spline():
    """Weights that solve the spline's equations lead each control point where it was told, and all others where scipy's spline does."""
    random = np.random.default_rng(0)
    controls = even_points((SIDE, SIDE), torch.zeros(1, dtype=torch.float64))
    wanted = controls + torch.from_numpy(random.normal(0, 0.1, controls.shape))
    basis = thin_plate_basis(controls, SIDE)
    balance = torch.cat(
        [basis[:, -3:].T, torch.zeros(3, 3).double()], 1
    )  # bends that add up to no affine part
    weights = torch.linalg.solve(torch.cat([basis, balance]), torch.cat([wanted, torch.zeros(3, 2).double()]))
    torch.testing.assert_close(basis @ weights, wanted)
    points = torch.from_numpy(random.uniform(-1, 1, (50, 2)))
    oracle = RBFInterpolator(controls.numpy(), wanted.numpy(), kernel="thin_plate_spline")(points.numpy())
    torch.testing.assert_close(
        thin_plate_basis(points, SIDE) @ weights, torch.from_numpy(oracle), atol=1e-4, rtol=0
    )


def test_control_points_are_in_order_of_rows():
    weights = STILL.clone()
    weights[1] = torch.tensor(
        [0.0, 1.0]
    )  # second control point of the first row, at (-1, -1/3), pulls columns
    here = thin_plate_basis(torch.tensor([[-1.0, -1 / 3], [1.0, 1.0]]), SIDE) @ weights
    torch.testing.assert_close(here[0], torch.tensor([-1.0, -1 / 3]), atol=1e-6, rtol=0)
    square = 4 + (4 / 3) ** 2
    torch.testing.assert_close(
        here[1], torch.tensor([1.0, 1 + square * float(np.log(square))]), atol=1e-3, rtol=0
    )


def smooth(count=20):
    grid = even_points((24, 32), torch.zeros(1)).sum(1).mul(4).sin().view(1, 1, 24, 32)
    return (grid * 0.4 + 0.5).expand(count, 3, -1, -1).contiguous()


def test_the_other_picture_of_a_pair_is_bent_more():
    torch.manual_seed(0)
    batch = Batch(smooth(), torch.arange(20))
    pair = paired(batch)
    weak, strong = (
        (pair.image - batch.image).square().mean(),
        (pair.prior_image - batch.image).square().mean(),
    )
    assert 0 < weak < strong / 2
    assert pair.image.min() >= 0 and pair.prior_image.max() <= 1
    assert torch.equal(pair.index, batch.index)


def test_warps_of_nothing_change_nothing():
    image = smooth(2)
    weak, strong, _ = warped_pair(image, Warps(0.0, 0.0, 0.0, 0.0, 0.0))
    torch.testing.assert_close(weak, image, atol=1e-4, rtol=0)
    torch.testing.assert_close(strong, image, atol=2e-4, rtol=0)


def test_the_weights_say_where_the_strong_warp_looked():
    torch.manual_seed(0)
    weak, strong, weights = warped_pair(smooth(3))
    point = torch.tensor([[0.1, -0.2]])
    there = thin_plate_basis(point, CONTROLS) @ weights
    seen = torch.nn.functional.grid_sample(weak, there.flip(-1)[:, None], align_corners=True)
    found = torch.nn.functional.grid_sample(strong, point.flip(-1).expand(3, 1, 1, 2), align_corners=True)
    torch.testing.assert_close(seen, found, atol=0.02, rtol=0)


def test_processes_share_one_batch_of_warps():
    image = smooth(4)
    torch.manual_seed(0)
    whole = warped_pair(image)[1]
    torch.manual_seed(0)
    with noise.sharded(1, 2):
        second = warped_pair(image[2:])[1]
    torch.testing.assert_close(second, whole[2:])
