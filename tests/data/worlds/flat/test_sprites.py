"""Sprites have the colours, counts and outlines of their recipe."""

import numpy as np
import pytest
import torch

from motes.data.worlds.flat.sprites import COUNTS, Sprites, SpritesConfig, rgb_of_hsv
from motes.errors import UserError


@pytest.mark.parametrize("recipe", COUNTS)
@pytest.mark.slow
def test_pixels_have_the_colour_of_the_visible_sprite(recipe):
    data = Sprites(SpritesConfig(recipe=recipe))
    image = data.batch(range(40)).image
    truth = data.truth(range(40))
    assert truth.present.shape[1] == COUNTS[recipe][1]
    for n, k in truth.present.nonzero().tolist():
        torch.testing.assert_close(
            image[n][:, truth.masks[n, k]].mT.unique(dim=0)[0], truth.factors["colour"][n, k]
        )
        assert len(image[n][:, truth.masks[n, k]].mT.unique(dim=0)) == 1
    ground = [image[n][:, ~truth.masks[n].any(0)].mT.unique(dim=0) for n in range(40)]
    assert all(len(colours) == 1 for colours in ground), "one colour behind all"
    if recipe == "colored_on_grayscale":
        assert (
            all((colours == colours[0, 0]).all() for colours in ground)
            and torch.cat(ground)[:, 0].std() > 0.2
        )
    if recipe == "binarized":
        assert image.unique().tolist() == [0, 1]


def test_every_count_of_the_recipe_is_drawn():
    count = Sprites(SpritesConfig()).truth(range(200)).whole.flatten(2).any(2).sum(1)
    assert count.unique().tolist() == [2, 3, 4, 5]


def test_areas_are_those_of_the_outlines():
    truth = Sprites(SpritesConfig(smooth=4)).truth(range(100))
    scale = torch.where(truth.whole.flatten(2).any(2), truth.factors["size"], torch.nan)
    area = truth.whole.sum((2, 3)) / scale**2
    for kind, expected in enumerate((22.0**2, np.pi * 15 * 7.5, 3.6619 * 12**2)):
        assert abs(area[(truth.factors["shape"] == kind) & ~area.isnan()].mean() / expected - 1) < 0.02


def test_orientation_turns_against_the_clock():
    """An ellipse lies along its orientation: 0 is to the right, a quarter turn is up."""
    truth = Sprites(SpritesConfig(sprites=(1, 1))).truth(range(200))
    for n in (truth.factors["shape"][:, 0] == 1).nonzero()[:, 0].tolist():
        rows, columns = (
            truth.whole[n, 0].nonzero().double() - truth.whole[n, 0].nonzero().double().mean(0)
        ).T
        lies = 0.5 * torch.atan2(-2 * (rows * columns).sum(), (columns**2).sum() - (rows**2).sum())
        assert torch.sin(lies - truth.factors["orientation"][n, 0]).abs() < 0.12


def test_smooth_edges_mix_the_two_colours():
    hard, soft = (
        Sprites(SpritesConfig()).pixels(range(8)).astype(int),
        Sprites(SpritesConfig(smooth=4)).pixels(range(8)).astype(int),
    )
    assert 0.005 < (np.abs(hard - soft).max(1) > 8).mean() < 0.15
    assert np.abs(hard.mean((2, 3)) - soft.mean((2, 3))).max() < 3


def test_hues():
    hsv = np.array([[0, 1, 1], [1 / 3, 1, 1], [2 / 3, 1, 1], [0.5, 1, 0.5], [0.1, 0, 0.7]])
    rgb = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0.5, 0.5], [0.7, 0.7, 0.7]])
    np.testing.assert_allclose(rgb_of_hsv(hsv), rgb, atol=1e-12)


def test_impossible_options_are_refused():
    with pytest.raises(UserError, match="fewest"):
        Sprites(SpritesConfig(sprites=(3, 2)))
    with pytest.raises(UserError, match="smooth"):
        Sprites(SpritesConfig(smooth=0))
