"""Light of an hour of the day: of the sky, of the sun, and where the sun stands."""

import numpy as np

from motes.data.worlds.portable import PI, Array, cosine, sine

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
    """Factors of colours, B 3, in the shade and what the sun adds; the direction to the sun, B 3 (right,
    ahead, up)."""
    place = np.clip(np.searchsorted(HOURS, hour, side="right") - 1, 0, len(HOURS) - 2)
    part = np.clip((hour - HOURS[place]) / (HOURS[place + 1] - HOURS[place]), 0, 1)[:, None]
    sky, sun = ((table[place] + (table[place + 1] - table[place]) * part) / 240 for table in (SKY, SUN))
    grey = sun.sum(-1, keepdims=True) / 3
    cloudy = clouds[:, None]
    sky = sky + cloudy * (0.45 * grey + 0.1 * sun)
    sun = sun * (1 - 0.9 * cloudy)
    angle = PI * (hour - 4.5) / 17
    high = 0.4 + 0.65 * np.maximum(sine(angle), 0)
    direction = np.stack([0.45 + 0.6 * cosine(angle), np.full_like(hour, -0.12), high], -1)
    size = np.sqrt(direction[:, 0] * direction[:, 0] + direction[:, 1] * direction[:, 1] + high * high)
    return sky, sun, direction / size[:, None]
