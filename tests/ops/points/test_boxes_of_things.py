"""Boxes of things: they have the size of things, and things of different colours stay apart."""

import pytest
import torch

from motes.ops.points.boxes_of_things import Foreground, boxes_of_things
from motes.ops.points.pixels import pixels_of_positions, positions_of_pixels

SIDE = 16.0


def grid_positions(size=64, step=4):
    pixels = torch.arange(step / 2, size, step)
    return positions_of_pixels(torch.cartesian_prod(pixels, pixels), (size, size))[None]


def overlap(boxes, k, wanted):
    middle = pixels_of_positions(boxes.positions[0, k], (64, 64))
    low = middle - boxes.sides[0, k] * SIDE / 2 + 0.5
    high = middle + boxes.sides[0, k] * SIDE / 2 + 0.5
    first, last = torch.tensor(wanted[:2]), torch.tensor(wanted[2:])
    shared = (torch.minimum(high, last) - torch.maximum(low, first)).clamp_min(0).prod()
    return float(shared / ((high - low).prod() + (last - first).prod() - shared))


def painted(*things):
    amount = torch.zeros(1, 1, 64, 64)
    colours = torch.zeros(1, 3, 64, 64)
    for (top, left, bottom, right), colour in things:
        amount[0, :, top:bottom, left:right] = 1
        colours[0, :, top:bottom, left:right] = torch.tensor(colour)[:, None, None]
    return Foreground(amount, colours)


@pytest.mark.parametrize("thing", [(19, 19, 28, 28), (10, 30, 40, 42), (30, 8, 40, 40)])
def test_a_box_takes_the_size_of_its_thing(thing):
    boxes = boxes_of_things(painted((thing, (1.0, -1.0, 0.0))), grid_positions(), 1, SIDE)
    assert overlap(boxes, 0, thing) > 0.6
    middle = pixels_of_positions(boxes.positions[0, 0], (64, 64))
    whole = torch.tensor([thing[0] + thing[2] - 1, thing[1] + thing[3] - 1]) / 2
    torch.testing.assert_close(middle, whole, atol=0.5, rtol=0)


def test_a_box_takes_the_size_of_a_thing_that_fills_half_of_it():
    foreground = painted(((20, 20, 36, 36), (0.0, 0.0, 0.0)))
    row, column = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    triangle = foreground.amount * (row - 20 >= 2 * (column - 28).abs() - 1)
    boxes = boxes_of_things(Foreground(triangle, foreground.colour), grid_positions(), 1, SIDE)
    assert overlap(boxes, 0, (20, 20, 36, 36)) > 0.4


def test_a_box_is_around_a_whole_thing_that_lies_askew():
    row, column = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    along, across = (row - 31.5 + column - 31.5) / 2**0.5, (row - column) / 2**0.5
    askew = ((along.abs() < 12) & (across.abs() < 4)).float()[None, None]
    colour = torch.zeros(1, 3, 64, 64)
    boxes = boxes_of_things(Foreground(askew, colour), grid_positions(), 1, SIDE)
    rows = askew[0, 0].any(1).nonzero()
    first, last = int(rows[0]), int(rows[-1]) + 1
    assert overlap(boxes, 0, (first, first, last, last)) > 0.8


def test_neighbours_of_unlike_colours_stay_two():
    left, right = (20, 16, 36, 30), (20, 30, 36, 44)
    foreground = painted((left, (6.0, -5.0, 0.0)), (right, (-6.0, 5.0, 3.0)))
    boxes = boxes_of_things(foreground, grid_positions(), 2, SIDE)
    chosen = {(max((left, right), key=lambda wanted: overlap(boxes, k, wanted))) for k in range(2)}
    assert chosen == {left, right}


def test_colours_that_differ_no_more_than_within_a_thing_are_one():
    top, bottom = (20, 20, 28, 32), (28, 20, 36, 32)
    foreground = painted((top, (1.0, 0.0, 0.0)), (bottom, (-1.0, 0.0, 0.0)))
    boxes = boxes_of_things(foreground, grid_positions(), 1, SIDE)
    assert overlap(boxes, 0, (20, 20, 36, 32)) > 0.6


def test_the_larger_thing_is_first_and_what_a_box_holds_is_not_chosen_again():
    things = ((8, 8, 22, 22), (40, 40, 50, 50))
    foreground = painted((things[1], (0.3, 0.3, 0.3)), (things[0], (0.9, 0.9, 0.9)))
    boxes = boxes_of_things(foreground, grid_positions(), 2, SIDE)
    assert overlap(boxes, 0, things[0]) > 0.6
    assert overlap(boxes, 1, things[1]) > 0.6


def test_sizes_stay_within_the_limits():
    foreground = painted(((4, 4, 60, 60), (1.0, 0.0, 0.0)))
    boxes = boxes_of_things(foreground, grid_positions(), 3, SIDE, limits=(0.5, 0.8))
    longest = boxes.sides.amax(-1)
    assert (longest >= 0.5).all() and (longest <= 0.8).all()


def test_a_smaller_foreground_has_the_same_things():
    foreground = painted(((20, 20, 36, 36), (1.0, 0.0, 0.0)))
    small = foreground.shrunk(2)
    assert small.amount[0, 0, 10:18, 10:18].eq(1).all()
    torch.testing.assert_close(small.colour[0, :, 12, 12], torch.tensor([1.0, 0.0, 0.0]))
    boxes = boxes_of_things(small, grid_positions(), 1, SIDE / 2)
    assert overlap(boxes, 0, (20, 20, 36, 36)) > 0.6
