"""Points and maps: symmetric heat gives the middle, patches land in the picture, chosen points do not crowd."""

import torch
import torch.nn.functional as F

from motes.ops.points.keypoints import (
    at_points,
    box_masks,
    box_means,
    farthest_first,
    gaussian_maps,
    marginal_soft_argmax,
    patch_to_image,
    split_patches,
    spread_first,
)


def test_flat_heat_gives_the_middle_and_a_peak_gives_its_place():
    torch.testing.assert_close(marginal_soft_argmax(torch.zeros(2, 5, 7)), torch.zeros(2, 2))
    peak = torch.zeros(1, 5, 5)
    peak[0, 1, :] += 500  # a row, over all columns
    torch.testing.assert_close(marginal_soft_argmax(peak), torch.tensor([[-0.5, 0.0]]))


def test_patch_corners_land_on_picture_corners():
    local = torch.tensor([[[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]])
    corners = patch_to_image(local, 8, (16, 16))
    torch.testing.assert_close(corners, local)


def test_patches_are_row_major():
    picture = torch.arange(16.0).view(1, 1, 4, 4)
    torch.testing.assert_close(split_patches(picture, 2)[1, 0], torch.tensor([[2.0, 3.0], [6.0, 7.0]]))


def test_farthest_points_are_kept():
    local = torch.tensor([[[0.0, 0.1], [0.9, 0.0], [0.0, 0.5]]])
    assert farthest_first(local, 2).tolist() == [[1, 2]]


def test_spread_points_leave_a_crowd_for_the_next_thing():
    points = torch.tensor([[[0.0, 0.0], [0.01, 0.0], [0.8, 0.8]]])
    salience = torch.tensor([[1.0, 0.9, 0.3]])
    assert spread_first(points, salience, 2, 0.25).tolist() == [[0, 2]]
    assert sorted(spread_first(points, salience, 9, 0.25)[0].tolist()) == [0, 1, 2]


def test_gaussian_is_one_at_its_place_and_separable():
    maps = gaussian_maps(torch.tensor([[[0.0, 1.0]]]), (5, 5), 0.1)
    assert maps[0, 0, 2, 4] == 1
    torch.testing.assert_close(maps[0, 0, 1, 3], (maps[0, 0, 1, 4] * maps[0, 0, 2, 3]))


def test_a_box_has_its_side():
    assert box_masks(torch.zeros(1, 1, 2), 4, (16, 16)).sum() == 16
    assert box_masks(torch.tensor([[[-1.0, -1.0]]]), 4, (16, 16)).sum() == 4


def test_maps_are_read_at_the_nearest_pixel():
    maps = torch.arange(12.0).view(1, 3, 4)
    points = torch.tensor([[[-1.0, -1.0], [1.0, 1.0], [0.1, -0.4], [2.0, -2.0]]])
    assert at_points(maps, points).tolist() == [[0, 11, 5, 8]]


def test_a_box_mean_is_the_mean_of_its_square_with_zeros_beyond_the_edge():
    maps = torch.rand(2, 9, 12)
    for reach in (0, 1, 4):
        plain = F.avg_pool2d(maps, 2 * reach + 1, stride=1, padding=reach)
        torch.testing.assert_close(box_means(maps, reach), plain)
