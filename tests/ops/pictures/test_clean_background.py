"""The clean background has nothing that only stands there, and what is really there stays."""

import pytest
import torch

from motes.ops.pictures.clean_background import clean_background
from motes.ops.pictures.light import light_of

SIDE = 48
COUNT = 100


def scenery():
    """A background with edges and textures of its own, a dark bench in its middle."""
    random = torch.Generator().manual_seed(1)
    rows, columns = torch.meshgrid(torch.linspace(0, 1, SIDE), torch.linspace(0, 1, SIDE), indexing="ij")
    picture = torch.stack([0.4 + 0.3 * rows, 0.5 + 0.2 * (6 * columns).sin(), 0.6 - 0.2 * columns])
    picture[:, 22:27, 10:40] = 0.15
    return (picture + 0.02 * torch.rand(3, SIDE, SIDE, generator=random)).clamp(0, 1)


def film(share, light=0.0):
    """A red thing of 12 x 10 pixels stands in a share of the frames; a yellow one walks through them all."""
    random = torch.Generator().manual_seed(0)
    frames = scenery().repeat(COUNT, 1, 1, 1)
    standing = torch.rand(COUNT, generator=random) < share
    red = torch.tensor([0.8, 0.1, 0.2])[:, None, None]
    frames[standing, :, 20:32, 6:16] = red
    for number in range(COUNT):
        column = number * 7 % (SIDE - 8)
        frames[number, :, 36:44, column : column + 8] = torch.tensor([0.9, 0.9, 0.1])[:, None, None]
    gain = 1 + light * torch.randn(COUNT, 1, 1, 1, generator=random)
    offset = light * torch.randn(COUNT, 1, 1, 1, generator=random)
    noise = 0.01 * torch.randn(frames.shape, generator=random)
    return (frames * gain + offset + noise).clamp(0, 1)


@pytest.mark.parametrize("light", [0.0, 0.05])
@pytest.mark.parametrize("share", [0.0, 0.6, 0.9])
def test_what_stands_still_in_most_frames_is_not_in_the_clean_background(share, light):
    frames = film(share, light)
    median = frames.median(0).values
    clean = clean_background(frames)
    scene = scenery()
    near = slice(18, 34), slice(4, 18)
    assert share < 0.5 or (median - scene)[:, *near].abs().mean() > 0.1
    assert (clean - scene)[:, *near].abs().mean() < 0.02 + light
    assert (clean - scene).abs().mean() < 0.015 + light


def test_what_is_always_there_stays():
    """The bench has an edge in the median, but in the frames as well."""
    clean = clean_background(film(0.6))
    assert (clean[:, 23:26, 18:38] - 0.15).abs().mean() < 0.03


def test_where_every_picture_has_another_background_the_median_is_left_alone():
    pictures = torch.rand(20, 3, 1, 1, generator=torch.Generator().manual_seed(0)).expand(20, 3, 16, 16)
    pictures = pictures * torch.rand(20, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    assert torch.equal(clean_background(pictures), pictures.median(0).values)


def test_one_picture_is_its_own_background():
    picture = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(clean_background(picture), picture[0])


def test_the_light_is_a_gain_and_an_offset_that_things_do_not_disturb():
    scene = scenery()
    gain = torch.tensor([0.8, 1.0, 1.2])[:, None, None, None]
    offset = torch.tensor([0.1, 0.0, -0.1])[:, None, None, None]
    pictures = scene * gain + offset
    pictures[:, :, 5:20, 5:20] = 1.0
    light = light_of(pictures, scene)
    assert torch.allclose(light.gain[:, 0, 0, 0], gain[:, 0, 0, 0], atol=0.02)
    assert (light.on(scene) - (scene * gain + offset)).abs().max() < 0.02
    assert (light.removed(light.on(scene)) - scene).abs().max() < 1e-4


def test_on_one_flat_colour_a_change_of_light_is_an_offset():
    light = light_of(torch.full((1, 1, 8, 8), 0.7), torch.full((1, 8, 8), 0.5))
    assert light.gain.item() == pytest.approx(1) and light.offset.item() == pytest.approx(0.2, abs=1e-5)
