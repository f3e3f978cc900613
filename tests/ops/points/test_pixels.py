"""Pixels: a particle is where its window is drawn, a true point is where the truth means it, and they agree."""

import pytest
import torch

from motes.data.worlds.flat.shapes import Shapes
from motes.ops.points.pixels import (
    pixels_of_points,
    pixels_of_positions,
    points_of_pixels,
    positions_of_pixels,
)
from motes.ops.rendering.composite import render
from motes.ops.rendering.footprints import middles_of_masks

SIZE = (24, 40)


@pytest.mark.parametrize("place", [(0.0, 0.0), (-0.55, 0.7), (0.61, -0.83), (0.1, 0.8)])
@pytest.mark.parametrize("side", [4, 5])
def test_a_particle_is_where_its_window_is_drawn(place, side):
    position = torch.tensor([[place]])
    glimpse = torch.ones(1, 1, 2, side, side)
    drawn = render(glimpse, position, torch.ones(1, 1), torch.zeros(1, 1, *SIZE))[0, 0]
    weight = drawn / drawn.sum()
    middle = [float((weight.sum(1 - axis) * torch.arange(SIZE[axis])).sum()) for axis in (0, 1)]
    assert pixels_of_positions(position, SIZE)[0, 0].tolist() == pytest.approx(middle, abs=0.05)


def test_true_centres_are_where_the_truths_masks_are():
    data = Shapes(Shapes.Config(count=1, held_out=40), "test")
    truth = data.truth(range(40))
    size = data.config.image_size
    apart = (pixels_of_points(truth.centres, size) - middles_of_masks(truth.masks)).norm(dim=-1)
    assert apart[truth.present].mean() < 0.25
    read_as_position = (pixels_of_positions(truth.centres, size) - middles_of_masks(truth.masks)).norm(dim=-1)
    assert apart[truth.present].mean() < read_as_position[truth.present].mean()


def test_points_and_pixels_are_inverse_and_one_pixel_is_no_division_by_zero():
    points = torch.rand(3, 4, 2) * 2 - 1
    torch.testing.assert_close(points_of_pixels(pixels_of_points(points, SIZE), SIZE), points)
    assert points_of_pixels(torch.zeros(1, 2), (1, 1)).isfinite().all()


def test_the_rules_differ_by_half_a_pixel_at_the_rim_and_not_in_the_middle():
    rim = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    apart = pixels_of_positions(rim, SIZE) - pixels_of_points(rim, SIZE)
    assert apart.tolist() == [[-0.5, -0.5], [0.5, 0.5]]
    middle = torch.zeros(1, 1, 2)
    torch.testing.assert_close(pixels_of_positions(middle, SIZE), pixels_of_points(middle, SIZE))


def test_positions_come_back_from_pixels():
    position = torch.rand(4, 2) * 2 - 1
    torch.testing.assert_close(positions_of_pixels(pixels_of_positions(position, SIZE), SIZE), position)
