"""Placing: zeros change nothing, shifts go where they say, turns are clockwise, zooms enlarge, light stays inside the mask."""

import math

import torch

from motes.ops.points.similarity import DOWN, LIGHT, NUMBERS, RIGHT, TURN, ZOOM, lit, placed


def numbers(**told):
    found = torch.zeros(1, NUMBERS)
    for name, value in told.items():
        found[0, {"down": DOWN, "right": RIGHT, "zoom": ZOOM, "turn": TURN, "light": LIGHT}[name]] = value
    return found


def dot(row, column, size=(9, 9)):
    image = torch.zeros(1, 1, *size)
    image[0, 0, row, column] = 1
    return image


def test_zeros_change_nothing():
    image = torch.rand(3, 2, 7, 10)
    torch.testing.assert_close(placed(image, torch.zeros(3, NUMBERS)), image)


def test_a_shift_by_whole_pixels_moves_the_picture():
    image = torch.rand(1, 2, 9, 13)
    moved = placed(
        image, numbers(down=2 / 4, right=-1 / 6)
    )  # half the way between the middles of the outer pixels is 4 and 6
    torch.testing.assert_close(moved[..., 2:, :-1], image[..., :-2, 1:])


def test_a_quarter_turns_clockwise():
    torch.testing.assert_close(placed(dot(0, 4), numbers(turn=math.pi / 2)), dot(4, 8))


def test_a_turn_keeps_distances_in_a_picture_that_is_not_square():
    turned = placed(dot(5, 2, (11, 31)), numbers(turn=math.pi))
    assert turned.argmax() == dot(5, 28, (11, 31)).argmax()


def test_a_zoom_enlarges_about_the_middle():
    moved = placed(dot(4, 5), numbers(zoom=math.log(2)))
    assert moved[0, 0, 4, 6] == 1 and moved.sum() > 3


def test_shift_comes_after_turn():
    torch.testing.assert_close(placed(dot(0, 4), numbers(turn=math.pi / 2, down=0.5)), dot(6, 8))


def test_light_changes_what_the_mask_covers_alone():
    image, mask = torch.full((1, 3, 4, 4), 0.4), torch.zeros(1, 1, 4, 4)
    mask[..., :2] = 1
    brighter = lit(image, mask, numbers(light=math.log(1.5)))
    torch.testing.assert_close(brighter[..., :2], torch.full((1, 3, 4, 2), 0.6))
    assert torch.equal(brighter[..., 2:], image[..., 2:])
