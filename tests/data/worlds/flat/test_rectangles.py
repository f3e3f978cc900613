"""Rectangles and convex shapes, by the published recipes."""

import numpy as np
import pytest

from motes.data.worlds.flat import convex, rectangles
from motes.data.worlds.flat.convex import Convex, is_convex
from motes.data.worlds.flat.rectangles import Rectangles
from motes.errors import UserError


def test_a_rectangle_is_an_outline_and_its_sides_show_its_class():
    data = Rectangles(rectangles.RectanglesConfig())
    white = data.pixels(range(300))[:, 0] == 255
    truth = data.truth(range(300))
    boxes = truth.boxes[:, 0].long().numpy()
    for picture, (top, left, bottom, right) in zip(white, boxes, strict=True):
        outline = np.zeros((28, 28), bool)
        outline[top : bottom + 1, left : right + 1] = True
        outline[top + 1 : bottom, left + 1 : right] = False
        assert (picture == outline).all()
    height, width = (boxes[:, 2:] - boxes[:, :2] + 1).T
    assert np.abs(height - width).min() == 3
    assert ((height > width) == truth.scene["class"].numpy().astype(bool)).all()


def test_sides_and_positions_are_as_likely_as_published():
    data = Rectangles(rectangles.RectanglesConfig(image_size=(8, 8), count=40000))
    box = data.truth(range(40000)).boxes[:, 0].long().numpy()
    sides = box[:, 2:] - box[:, :2] + 1
    allowed = [(a, b) for a in range(1, 9) for b in range(1, 9) if abs(a - b) >= 3]
    counts = np.array([(sides == pair).all(1).sum() for pair in allowed])
    assert counts.sum() == 40000 and np.abs(counts / 40000 * len(allowed) - 1).max() < 0.15
    first = box[(sides == (4, 1)).all(1)][:, :2]
    assert set(first[:, 0]) == set(range(5)) and set(first[:, 1]) == set(range(8))


@pytest.mark.parametrize("cls", [Rectangles, Convex])
@pytest.mark.slow
def test_splits_are_as_long_as_published_and_share_nothing(cls):
    splits = {name: cls(cls.Config(), name) for name in ("train", "validation", "test")}
    assert len(splits["test"]) == 50000 and [len(splits["train"]), len(splits["validation"])] in (
        [1000, 200],
        [6000, 2000],
    )
    first = [split.pixels(range(20)) for split in splits.values()]
    assert (first[0] != first[1]).any() and (first[1] != first[2]).any()
    assert (splits["test"].pixels([7, 3]) == splits["test"].pixels(range(10))[[7, 3]]).all()
    with pytest.raises(UserError, match="tested must be at least 1"):
        cls(cls.Config(tested=0))


def test_convexity_is_found_as_by_trying_all_lines():
    random = np.random.default_rng(0)
    shapes = np.array([_hull(random.integers(0, 7, (random.integers(1, 6), 2))) for _ in range(30)])
    dented = shapes.copy()
    for shape in dented:
        pixels = np.argwhere(shape)
        shape[tuple(pixels[random.integers(len(pixels))])] = len(pixels) == 1
    slowly = np.array([(_hull(np.argwhere(shape)) == shape).all() for shape in (*shapes, *dented)])
    assert (is_convex(np.concatenate([shapes, dented])) == slowly).all()
    assert slowly[:30].all() and 5 < (~slowly[30:]).sum() < 30


@pytest.mark.slow
def test_classes_are_halves_of_equal_area():
    data = Convex(convex.ConvexConfig(seed=1))
    white = data.pixels(range(100))[:, 0] == 255
    kind = data.truth(range(100)).scene["class"].numpy()
    assert (is_convex(white) == (kind == 1)).all()
    assert 0.3 < kind.mean() < 0.7
    area = white.sum((1, 2))
    assert area[kind == 1].min() >= 19 and area[kind == 0].min() >= 20 - 9
    assert area[kind == 1].mean() == pytest.approx(area[kind == 0].mean(), rel=0.3), "balanced, as published"


def _hull(points):
    """Pixels of a 7 x 7 picture in the convex hull of points: no line has the points on one side and the pixel
    strictly on the other."""
    row, column = np.indices((7, 7))
    inside = np.ones((7, 7), bool)
    for down, across in ((a, b) for a in range(-6, 7) for b in range(-6, 7)):
        inside &= down * row + across * column <= (points @ [down, across]).max()
    return inside
