"""Fleet, the vehicles of a batch of pictures in one list, and Light, the light in which they stand."""

from dataclasses import dataclass, fields

import numpy as np

from motes.data.worlds.portable import Array
from motes.data.worlds.roads.vehicles import SIZES


@dataclass(frozen=True)
class Fleet:
    """The V vehicles of a batch of frames, in one list.

    Each field has one entry per vehicle; `frame` says which frame the vehicle belongs to.
    """

    # which picture
    frame: Array
    slot: Array
    kind: Array
    # V 3
    body: Array
    # V 3
    second: Array
    x: Array
    y: Array
    east: Array
    north: Array

    def of(self, index: Array) -> "Fleet":
        return Fleet(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    def corners(self) -> Array:
        """The eight corners of the box around each vehicle, V 8 3; the first four are on the ground."""
        length, width, height = (SIZES[self.kind, axis][:, None] for axis in range(3))
        forward = length / 2 * np.array([1, 1, -1, -1, 1, 1, -1, -1])
        aside = width / 2 * np.array([1, -1, 1, -1, 1, -1, 1, -1])
        x = self.x[:, None] + forward * self.east[:, None] - aside * self.north[:, None]
        y = self.y[:, None] + forward * self.north[:, None] + aside * self.east[:, None]
        z = height * 1.1 * np.array([0, 0, 0, 0, 1, 1, 1, 1])
        return np.stack([x, y, z], -1)


@dataclass(frozen=True)
class Light:
    """The light of pictures, or of vehicles, in single precision."""

    # B 3: factors of colours in the shade
    sky: Array
    # B 3: what the sun adds
    sun: Array
    # B 3: to the sun
    direction: Array

    def of(self, index: Array) -> "Light":
        return Light(self.sky[index], self.sun[index], self.direction[index])

    def lamps(self) -> Array:
        """How bright the vehicles' lamps are, B: 1 in the dark."""
        return np.clip(1.5 - 1.6 * (self.sky + self.sun).mean(-1), 0, 1)


def per_pixel(values: Array) -> Array:
    """Numbers of vehicles, V, in single precision and in a shape that broadcasts to pixels V H W."""
    return values.astype(np.float32)[:, None, None]
