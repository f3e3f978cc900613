"""A painting after any edits is the picture rendered anew; and only windows are touched."""

import torch

from motes.ops.rendering.composite import render
from motes.ops.rendering.painting import Painting


def painting(size=(48, 64), count=9, side=12):
    torch.manual_seed(0)
    position = torch.rand(count, 2) * 2 - 1
    return Painting.of(torch.rand(count, 4, side, side), position, torch.rand(count), torch.rand(3, *size))


def anew(one):
    return render(one.glimpses[None], one.position[None], one.presence[None], one.background[None])[0]


def test_edits_are_the_picture_rendered_anew():
    one = painting()
    for k, place in enumerate([(0.0, 0.0), (-1.2, 0.3), (0.99, -0.99), (3.0, 3.0), (0.31, 0.77)]):
        one = one.moved(k, place)
        torch.testing.assert_close(one.picture, anew(one), atol=1e-5, rtol=0)
    one = one.moved(3, (0.1, 0.1)).with_presence(4, 0.0).with_presence(0, 1.0)
    torch.testing.assert_close(one.picture, anew(one), atol=1e-5, rtol=0)


def test_the_old_painting_stays_and_pixels_elsewhere_are_the_same():
    one = painting(count=2)
    before = one.picture.clone()
    after = one.moved(0, (-1.0, -1.0))
    assert torch.equal(one.picture, before)
    changed = (after.picture != before).any(0)
    assert 0 < changed.sum() <= 2 * 13 * 13
