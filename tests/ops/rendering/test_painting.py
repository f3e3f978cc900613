"""A painting after any edits is the picture rendered anew; and only windows are touched."""

import pytest
import torch

from motes.ops.rendering.composite import render
from motes.ops.rendering.composite_scaled import render_scaled
from motes.ops.rendering.painting import LayerSizes, Painting

# inside, over the edges and far outside
PLACES = [(0.0, 0.0), (-1.2, 0.3), (0.99, -0.99), (3.0, 3.0), (0.31, 0.77)]
# as it is, small, large, larger than the picture, of another shape
SCALES = [(1.0, 1.0), (0.2, 0.37), (2.7, 2.1), (9.3, 8.0), (0.4, 3.0)]


def painting(size=(48, 64), count=9, side=12, sized=False):
    torch.manual_seed(0)
    position = torch.rand(count, 2) * 2 - 1
    glimpses, presence, background = (
        torch.rand(count, 4, side, side),
        torch.rand(count),
        torch.rand(3, *size),
    )
    if not sized:
        return Painting.of(glimpses, position, presence, background)
    scale, middle = torch.rand(count, 2) * 2.5 + 0.2, torch.rand(count, 2) * 6 - 3
    return Painting.of(glimpses, position, presence, background, LayerSizes(scale, middle))


def anew(one):
    """The middles lie at the positions: the windows are shifted against them, by as much as they are large."""
    scale = torch.ones_like(one.position) if one.scale is None else one.scale
    half = torch.tensor(one.background.shape[1:]) / 2
    layers = (one.glimpses, one.position - one.middle * scale / half, scale, one.presence, one.background)
    return render_scaled(*(layer[None] for layer in layers))[0]


def assert_anew(one):
    torch.testing.assert_close(one.picture, anew(one), atol=1e-5, rtol=0)


@pytest.mark.parametrize("sized", [False, True])
def test_edits_are_the_picture_rendered_anew(sized):
    one = painting(sized=sized)
    assert_anew(one)
    for k, place in enumerate(PLACES):
        one = one.moved(k, place)
        assert_anew(one)
    assert_anew(one.moved(3, (0.1, 0.1)).with_presence(4, 0.0).with_presence(0, 1.0))


@pytest.mark.parametrize("sized", [False, True])
def test_sizes_are_the_picture_rendered_anew_whether_there_were_sizes_before_or_not(sized):
    one = painting(sized=sized)
    for k, scale in enumerate(SCALES):
        one = one.resized(k, scale)
        assert_anew(one)
    for k, place in enumerate(PLACES):
        one = one.moved(k, place)
        assert_anew(one)
    back = one.moved(0, (0.5, 0.5)).moved(0, tuple(one.position[0].tolist()))
    torch.testing.assert_close(back.picture, one.picture, atol=1e-5, rtol=0)


def test_where_nothing_has_a_size_it_is_the_picture_of_one_size():
    one = painting()
    parts = (one.glimpses, one.position, one.presence, one.background)
    wanted = render(*(part[None] for part in parts))[0]
    torch.testing.assert_close(one.picture, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("scale, largest", [(None, 13), (0.5, 8)])
def test_the_old_painting_stays_and_pixels_elsewhere_are_the_same(scale, largest):
    one = painting(count=2)
    if scale is not None:
        one = one.resized(0, (scale, scale))
    before = one.picture.clone()
    after = one.moved(0, (-1.0, -1.0))
    assert torch.equal(one.picture, before)
    changed = (after.picture != before).any(0)
    assert 0 < changed.sum() <= 2 * largest * largest


def test_the_last_particle_may_go_and_the_background_is_left():
    one = painting(count=1, sized=True).moved(0, (9.0, 9.0))
    assert torch.equal(one.picture, one.background)
