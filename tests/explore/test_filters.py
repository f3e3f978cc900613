"""Filters: taken from any model that reads pictures by weights, and measured against those whose orientation is known."""

import math

import pytest
import torch

from motes.errors import UserError
from motes.explore.filters import filter_sheet, filters_of, orientation_selectivity, selective_share
from motes.models import MODELS


def gabor(angle, side=12, width=2.5, frequency=0.2):
    place = torch.arange(side) - (side - 1) / 2
    row, column = torch.meshgrid(place, place, indexing="ij")
    along = row * math.sin(angle) + column * math.cos(angle)
    return torch.exp(-(row**2 + column**2) / (2 * width**2)) * torch.cos(2 * math.pi * frequency * along)


def test_gratings_prefer_one_orientation_and_spots_and_noise_none():
    place = torch.arange(12) - 5.5
    spot = torch.exp(-(place[:, None] ** 2 + place**2) / 4)
    torch.manual_seed(0)
    noise = torch.randn(50, 12, 12)
    gabors = torch.stack([gabor(angle) for angle in (0.0, 0.4, 1.0, 2.5)])
    found = orientation_selectivity(torch.cat([gabors, spot[None], noise])[:, None])
    assert found[:4].min() > 0.75
    assert found[4] < 0.1
    assert found[5:].mean() < 0.3
    assert selective_share(torch.cat([gabors, noise[:12]])[:, None]) == 0.25


def test_turning_and_strength_are_no_matter():
    filters = torch.stack([gabor(0.3), gabor(1.2)])[:, None]
    once = orientation_selectivity(filters)
    torch.testing.assert_close(orientation_selectivity(filters.rot90(1, (2, 3))), once, atol=1e-4, rtol=0)
    torch.testing.assert_close(orientation_selectivity(7 * filters + 3), once, atol=1e-4, rtol=0)
    assert orientation_selectivity(torch.zeros(1, 1, 12, 12)).item() == 0


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    [
        ("pca", {"code_dim": 5}, (5, 3, 16, 12)),
        ("autoencoder", {"width": 7}, (7, 3, 16, 12)),
        ("autoencoder", {"network": "tied", "code_dim": 9}, (9, 3, 16, 12)),
        ("denoising", {"network": "convolutional", "width": 6}, (6, 3, 4, 4)),
        ("stacked", {"widths": (4, 3)}, (4, 3, 16, 12)),
    ],
)
def test_each_model_has_as_many_as_units(name, options, shape):
    model = MODELS[name](MODELS[name].Config(image_size=(16, 12), channels=3, **options))
    filters = filters_of(model)
    assert filters.shape == shape
    sheet = filter_sheet(filters, columns=4)
    assert sheet.shape == (
        1,
        3,
        math.ceil(shape[0] / 4) * (shape[2] + 1) - 1,
        min(4, shape[0]) * (shape[3] + 1) - 1,
    )
    assert sheet.min() >= 0 and sheet.max() <= 1


def test_the_filters_are_those_of_the_first_layer():
    model = MODELS["stacked"](MODELS["stacked"].Config(widths=(4, 3)))
    with torch.no_grad():
        picture = torch.rand(1, 1, 28, 28)
        said = (filters_of(model) * picture).sum((1, 2, 3)).sigmoid()
        torch.testing.assert_close(model.encoders[0](picture.flatten(1))[0], said)


def test_a_model_that_reads_no_picture_is_refused():
    model = MODELS["glo"](
        MODELS["glo"].Config(image_size=(16, 16), pictures=2, code_dim=4, width=8, channels=4)
    )
    with pytest.raises(UserError, match="no filters to show"):
        filters_of(model)
