"""Local contrast: the same lines under any light and colour; a mirror image of light has the opposite; wide areas say nothing."""

import pytest
import torch

from motes.errors import UserError
from motes.nn.blocks.local_contrast import LocalContrast


def lines():
    torch.manual_seed(0)
    return 0.3 + 0.4 * (torch.rand(2, 1, 20, 24) > 0.7).float().expand(-1, 3, -1, -1)


def test_light_and_colour_do_not_matter():
    image, contrast = lines(), LocalContrast(5)
    seen = contrast(image)
    assert seen.shape == (2, 1, 20, 24) and seen.abs().max() > 0.5
    torch.testing.assert_close(contrast(image + 0.2), seen, atol=1e-4, rtol=0)
    torch.testing.assert_close(contrast(1 - image), -seen, atol=1e-4, rtol=0)
    tinted = image * torch.tensor([1.5, 1.0, 0.5])[:, None, None]
    torch.testing.assert_close(contrast(tinted), seen, atol=1e-4, rtol=0)
    assert (contrast(0.5 * image) - seen).abs().mean() < 0.3 * seen.abs().mean(), (
        "fainter lines are nearly as plain"
    )


def test_a_wide_area_is_blank_and_noise_stays_small():
    contrast = LocalContrast(5)
    flat = torch.full((1, 3, 16, 16), 0.7)
    torch.testing.assert_close(contrast(flat), torch.zeros(1, 1, 16, 16), atol=1e-4, rtol=0)
    assert contrast(flat + 0.002 * torch.randn(1, 3, 16, 16)).abs().max() < 0.2


def test_odd_sides_only():
    for side in (0, 1, 4):
        with pytest.raises(UserError, match="odd"):
            LocalContrast(side)
