"""Arithmetic that gives the same bits on any machine, and functions for drawing that are built from it.

It uses only + - x / and square roots, whose results the standard (IEEE 754) fixes. Sines, exponentials,
matrix products and normal deviates of the libraries differ in the last bit from one processor to the next; a
generated world made of these would have other pixels on another machine.
"""

from collections.abc import Mapping

import numpy as np

Array = np.ndarray
PI = 3.141592653589793


def sine(angle: Array) -> Array:
    """The sine of an angle in radians, in double precision, with errors up to 1e-9."""
    turns = np.asarray(angle, np.float64) / PI
    half_turns = np.rint(turns)
    # in [-pi/2, pi/2]
    x = (turns - half_turns) * PI
    square = x * x
    series = np.ones_like(x)
    for n in (14, 12, 10, 8, 6, 4, 2):
        series = 1 - series * square / (n * (n + 1))
    return x * series * (1 - 2 * (np.abs(half_turns) % 2))


def cosine(angle: Array) -> Array:
    return sine(np.asarray(angle, np.float64) + PI / 2)


def wave(turns: Array) -> Array:
    """Nearly sin(2 pi turns), made of parabolas, which are cheap enough to compute for every pixel."""
    phase = turns - np.rint(turns)
    return 8 * phase * (1 - 2 * np.abs(phase))


def smooth(x: Array) -> Array:
    """A smooth step: 0 for x below 0, 1 for x above 1, and an S-shaped curve between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def fraction(x: Array) -> Array:
    """The fractional part of x: x minus the largest whole number that is not above it."""
    return x - np.floor(x)


def within(x: Array, low: float | Array, high: float | Array) -> Array:
    """Whether x lies between low and high, both excluded."""
    return (x > low) & (x < high)


def mix(start: Array, end: Array | float, share: Array) -> Array:
    """A mixture of two values: `start` where the share is 0, `end` where it is 1."""
    return start + (end - start) * share


def recoloured(colour: Array, mask: Array, top: Array | float) -> Array:
    """The colours, ... 3, replaced by `top` where the mask is true."""
    return np.where(mask[..., None], top, colour)


def uniforms(
    random: np.random.Generator, count: int, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, Array]:
    """For each name, `count` uniform random numbers in the range given for it."""
    table = random.random((count, len(ranges)))
    return {name: low + (high - low) * table[:, n] for n, (name, (low, high)) in enumerate(ranges.items())}


def bells(
    random: np.random.Generator, count: int, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, Array]:
    """For each name, `count` random numbers in its range, of which the middle is likelier than the ends."""
    table = random.random((count, len(ranges), 2))
    mean = (table[..., 0] + table[..., 1]) / 2
    return {name: low + (high - low) * mean[:, n] for n, (name, (low, high)) in enumerate(ranges.items())}


def picks(random: np.random.Generator, count: int, weights: Mapping[str, float]) -> Array:
    """Random row numbers of a table, int64; each row is as likely as its weight says."""
    edges = np.cumsum(list(weights.values()))
    return np.minimum(np.searchsorted(edges, random.random(count) * edges[-1], side="right"), len(edges) - 1)


def along_palette(palette: list[tuple[int, int, int]], position: Array) -> Array:
    """Colours in [0, 1], ... 3, from a palette with values up to 255; `position` is 0 at its start and 1
    at its end."""
    table = np.array(palette, np.float64) / 255
    step = np.asarray(position) * (len(palette) - 1)
    first = np.minimum(step.astype(np.int64), len(palette) - 2)
    return mix(table[first], table[first + 1], (step - first)[..., None])


def hue(turn: Array, saturation: Array, value: Array) -> Array:
    """Colours in [0, 1], ... 3, from hue (`turn`: 0 is red, 1/3 green, 2/3 blue), saturation and value."""
    phase = (np.asarray(turn)[..., None] * 6 + np.array([0.0, 4.0, 2.0])) % 6
    full = np.clip(np.abs(phase - 3) - 1, 0, 1)
    return np.asarray(value)[..., None] * (1 - np.asarray(saturation)[..., None] * (1 - full))


def grey_planes(pixels: Array) -> Array:
    """The brightness of colours, from uint8, B 3 H W, to uint8, B 1 H W."""
    red, green, blue = (pixels[:, n] * weight for n, weight in enumerate((0.299, 0.587, 0.114)))
    return np.floor(red + green + blue + 0.5).astype(np.uint8)[:, None]


def keep_memory() -> None:
    """Make the C library keep freed memory instead of handing it back to the system.

    It does so once it has freed a large block. Pictures are drawn with many arrays of some hundred kilobytes;
    to fetch each from the system again took a third of the time.
    """
    np.empty(3 * 2**23, np.uint8)
