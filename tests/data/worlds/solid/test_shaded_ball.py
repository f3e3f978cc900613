"""The ball: one thing varies in a clip and the rest stands still, angles move the mark as they say, light lights the side it comes from."""

import hashlib

import numpy as np
import pytest
import torch

from motes.data.worlds.solid.shaded_ball import LOOK, REACH, VARIES, Ball, BallConfig
from motes.errors import UserError

SMALL = BallConfig(image_size=(32, 32), count=60, held_out=10, frames=4)


def plain(**told):
    """Factors of one picture: in the middle of all, but for some."""
    return {name: np.array([told.get(name, 0.0 if name in REACH else 0.5)]) for name in (*REACH, *LOOK)}


def darkest(picture):
    """Row and column of the middle of the mark's dot."""
    dark = (picture.max(-1) < 20) & (np.hypot(*(np.indices((32, 32)) - 15.5)) < 13)
    return np.argwhere(dark).mean(0)


def test_in_a_clip_only_what_is_named_varies():
    data = Ball(SMALL)
    scene = data.truth(range(len(data))).scene
    values = {name: scene[name].unflatten(0, (60, 4)) for name in ("azimuth", "elevation", "light", "look")}
    varies = scene["varies"].unflatten(0, (60, 4))
    assert (varies == varies[:, :1]).all() and set(varies[:, 0].tolist()) == {0, 1, 2, 3}
    assert torch.equal(scene["clip"], torch.arange(240) // 4)
    for clip in range(60):
        moving = {name for name, value in values.items() if (value[clip] != value[clip, :1]).any()}
        assert moving == {VARIES[varies[clip, 0]]}


def test_factors_cover_their_reach():
    scene = Ball(SMALL).truth(range(240)).scene
    for name in REACH:
        assert scene[name].min() < -0.8 and scene[name].max() > 0.8
    assert scene["look"].min() >= 0 and scene["look"].max() < 1


def test_the_mark_goes_where_the_angles_say():
    data = Ball(SMALL)
    middle, right, up = (
        darkest(data.drawn(plain(light=-1.0, **told))[0])
        for told in ({}, {"azimuth": 0.6}, {"elevation": 0.7})
    )
    assert np.abs(middle - 15.5).max() < 1
    assert right[1] > middle[1] + 4 and abs(right[0] - middle[0]) < 1.5
    assert up[0] < middle[0] - 4 and abs(up[1] - middle[1]) < 1.5


def test_light_comes_from_its_side():
    left, right = (Ball(SMALL).drawn(plain(light=light))[0].astype(float).sum(-1) for light in (-1.0, 1.0))
    assert left[:, :16].sum() > 1.5 * left[:, 16:].sum()
    assert np.abs(left - right[:, ::-1]).max() < 8, "the ball is the same from both sides"


def test_pictures_are_drawn_from_their_factors():
    data = Ball(SMALL)
    rows = np.array([3, 77, 120])
    assert np.array_equal(data.drawn(data.factors(rows)).transpose(0, 3, 1, 2), data.pixels(rows.tolist()))


def test_parts_say_how_often_each_varies():
    data = Ball(BallConfig(**{**vars(SMALL), "count": 2000, "parts": (0, 1, 1, 6)}))
    share = torch.bincount(data.truth(range(0, len(data), 4)).scene["varies"], minlength=4) / 2000
    assert share[0] == 0 and abs(share[3] - 0.75) < 0.04
    with pytest.raises(UserError, match="parts"):
        Ball(BallConfig(parts=(0, 0, 0, 0)))
    with pytest.raises(UserError, match="2 frames"):
        Ball(BallConfig(frames=1))


def test_pictures_are_the_same_on_every_machine():
    """Also on one without vector instructions, as was tried; if the hash changes, so does what everyone has measured with these data."""
    pixels = Ball(BallConfig(image_size=(32, 32)), "test").pixels(range(0, 96, 5))
    assert hashlib.sha256(pixels.tobytes()).hexdigest()[:16] == "8b91195a4c465a52"
