"""Boxes that one value explains: they have the size of things, and things of different values stay apart."""

import pytest
import torch

from motes.ops.points.boxes_of_one_value import boxes_of_one_value, colour_and_amount

SIDE = 16.0


def grid_points(size=64, step=4):
    pixels = torch.arange(step / 2, size, step)
    return (torch.cartesian_prod(pixels, pixels) / (size - 1) * 2 - 1)[None]


def overlap(boxes, k, wanted):
    middle = (boxes.points[0, k] + 1) / 2 * 63
    low = middle - boxes.sides[0, k] * SIDE / 2 + 0.5
    high = middle + boxes.sides[0, k] * SIDE / 2 + 0.5
    first, last = torch.tensor(wanted[:2]), torch.tensor(wanted[2:])
    shared = (torch.minimum(high, last) - torch.maximum(low, first)).clamp_min(0).prod()
    return float(shared / ((high - low).prod() + (last - first).prod() - shared))


def painted(*things):
    residual = torch.zeros(1, 3, 64, 64)
    for (top, left, bottom, right), colour in things:
        residual[0, :, top:bottom, left:right] = torch.tensor(colour)[:, None, None]
    return residual


@pytest.mark.parametrize("thing", [(19, 19, 28, 28), (10, 30, 40, 42), (30, 8, 40, 40)])
def test_a_box_takes_the_size_of_its_thing(thing):
    residual = colour_and_amount(painted((thing, (0.5, -0.3, 0.1))), 0.35)
    boxes = boxes_of_one_value(residual, grid_points(), 1, SIDE)
    assert overlap(boxes, 0, thing) > 0.5


def test_neighbours_of_unlike_colours_stay_two():
    left, right = (20, 16, 36, 30), (20, 30, 36, 44)
    residual = colour_and_amount(painted((left, (0.6, -0.5, 0.0)), (right, (-0.6, 0.5, 0.3))), 0.6)
    boxes = boxes_of_one_value(residual, grid_points(), 2, SIDE)
    chosen = {(max((left, right), key=lambda wanted: overlap(boxes, k, wanted))) for k in range(2)}
    assert chosen == {left, right}


def test_what_a_box_explained_is_not_chosen_again():
    things = ((8, 8, 20, 20), (40, 40, 52, 52))
    residual = painted((things[0], (0.9, 0.9, 0.9)), (things[1], (0.3, 0.3, 0.3)))
    boxes = boxes_of_one_value(residual, grid_points(), 2, SIDE)
    assert overlap(boxes, 0, things[0]) > 0.5
    assert overlap(boxes, 1, things[1]) > 0.5


def test_the_amount_does_not_depend_on_the_range_of_brightness():
    residual = torch.rand(1, 3, 8, 8) - 0.5
    full = colour_and_amount(residual, 0.4)
    half = colour_and_amount(residual / 2, 0.1)
    torch.testing.assert_close(full, half)
