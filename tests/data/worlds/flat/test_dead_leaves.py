"""Dead leaves: the statistics of photographs, and of photographs whitened as eyes do."""

import numpy as np
import pytest

from motes.data.worlds.flat.dead_leaves import DeadLeaves, DeadLeavesConfig
from motes.errors import UserError


def slope(pictures):
    """Of power against frequency, both as logarithms: -2 for photographs."""
    side = pictures.shape[-1]
    window = np.hanning(side)[:, None] * np.hanning(side)
    power = np.abs(np.fft.fft2((pictures - pictures.mean((1, 2), keepdims=True)) * window)).__pow__(2).mean(0)
    frequency = np.fft.fftfreq(side)
    radius = np.hypot(frequency[:, None], frequency)
    rings = [
        (radius >= low) & (radius < high)
        for low, high in ((0.06, 0.1), (0.1, 0.15), (0.15, 0.22), (0.22, 0.33))
    ]
    return np.polyfit(
        np.log([radius[ring].mean() for ring in rings]), np.log([power[ring].mean() for ring in rings]), 1
    )[0]


@pytest.mark.slow
def test_power_falls_with_the_square_of_frequency_until_it_is_whitened():
    plain = (
        DeadLeaves(DeadLeavesConfig(image_size=(24, 24), count=200, smallest=0.5)).pixels(range(60))[:, 0]
        / 255
    )
    white = (
        DeadLeaves(DeadLeavesConfig(image_size=(24, 24), count=200, smallest=0.5, whitened=True)).pixels(
            range(60)
        )[:, 0]
        / 255
    )
    assert -2.6 < slope(plain) < -1.5
    assert -0.8 < slope(white) < 0.5
    assert (
        abs(white.mean() - 0.5) < 0.02 and white.std() > 0.05 and ((white == 0) | (white == 1)).mean() < 0.08
    )


def test_rows_are_functions_of_the_row():
    data = DeadLeaves(DeadLeavesConfig(channels=3))
    pictures = data.pixels(range(100))
    assert (DeadLeaves(DeadLeavesConfig(channels=3)).pixels([70, 2]) == pictures[[70, 2]]).all()
    assert len({picture.tobytes() for picture in pictures}) == 100
    with pytest.raises(UserError, match=r"smallest 5.0 must be above 0"):
        DeadLeaves(DeadLeavesConfig(smallest=5.0, largest=4.0))
