"""The light at an hour of the day: the colours of sky and sun, and the direction to the sun."""

import numpy as np

from motes.data.worlds.portable import PI, Array, cosine, mix, sine

HOURS = np.array([4.0, 5.5, 7.0, 10.0, 13.0, 17.0, 19.5, 21.0, 23.0])
SKY = np.array(
    [
        [26, 32, 56],
        [62, 66, 98],
        [112, 108, 124],
        [116, 122, 134],
        [122, 126, 134],
        [116, 114, 124],
        [100, 95, 114],
        [56, 58, 92],
        [26, 32, 56],
    ]
)
SUN = np.array(
    [
        [18, 18, 20],
        [40, 30, 34],
        [150, 120, 90],
        [150, 142, 124],
        [158, 154, 142],
        [154, 132, 100],
        [150, 108, 76],
        [36, 28, 34],
        [18, 18, 20],
    ]
)


def daylight(hour: Array, clouds: Array) -> tuple[Array, Array, Array]:
    """The light at these hours, B 3 each: factors of colours in the shade, what the sun adds, and its
    direction.

    The direction is that to the sun; its axes are right, ahead and up.
    """
    sky = _at_hour(SKY, hour)
    sun = _at_hour(SUN, hour)
    cloudy = clouds[:, None]
    brightness = sun.sum(-1, keepdims=True) / 3
    sky = sky + cloudy * (0.45 * brightness + 0.1 * sun)
    return sky, sun * (1 - 0.9 * cloudy), _direction_to_sun(hour)


def _at_hour(table: Array, hour: Array) -> Array:
    """The row of a table of colours for each hour, interpolated between the two nearest rows: B 3."""
    row = np.clip(np.searchsorted(HOURS, hour, side="right") - 1, 0, len(HOURS) - 2)
    share = np.clip((hour - HOURS[row]) / (HOURS[row + 1] - HOURS[row]), 0, 1)[:, None]
    return mix(table[row], table[row + 1], share) / 240


def _direction_to_sun(hour: Array) -> Array:
    """The direction to the sun as unit vectors, B 3."""
    angle = PI * (hour - 4.5) / 17
    height = 0.4 + 0.65 * np.maximum(sine(angle), 0)
    direction = np.stack([0.45 + 0.6 * cosine(angle), np.full_like(hour, -0.12), height], -1)
    square = direction[:, 0] * direction[:, 0] + direction[:, 1] * direction[:, 1] + height * height
    return direction / np.sqrt(square)[:, None]
