"""Arithmetic that gives the same bits on any machine: only + - x / and square roots, which the standard
fixes; and the functions that drawing builds from them.

Sines, exponentials, matrix products and normal deviates of the libraries differ in the last bit from one
processor to the next; a generated world made of these would have other pixels there.
"""

from collections.abc import Mapping

import numpy as np

Array = np.ndarray
PI = 3.141592653589793


def sine(angle: Array) -> Array:
    """The sine in double precision, to 1e-9."""
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
    """Nearly sin(2 pi turns), made of parabolas: cheap enough for every pixel."""
    phase = turns - np.rint(turns)
    return 8 * phase * (1 - 2 * np.abs(phase))


def smooth(x: Array) -> Array:
    """0 below 0, 1 above 1, an S between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def fraction(x: Array) -> Array:
    """x less the whole number below it."""
    return x - np.floor(x)


def within(x: Array, low: float | Array, high: float | Array) -> Array:
    """Whether x lies between the two, ends excluded."""
    return (x > low) & (x < high)


def mix(start: Array, end: Array | float, share: Array) -> Array:
    """`start` where the share is 0, `end` where it is 1."""
    return start + (end - start) * share


def recoloured(colour: Array, mask: Array, top: Array | float) -> Array:
    """Colours, ... 3, with another where the mask is true."""
    return np.where(mask[..., None], top, colour)


def uniforms(
    random: np.random.Generator, count: int, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, Array]:
    """One number between its ends for each name."""
    table = random.random((count, len(ranges)))
    return {name: low + (high - low) * table[:, n] for n, (name, (low, high)) in enumerate(ranges.items())}


def bells(
    random: np.random.Generator, count: int, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, Array]:
    """One number for each name, as in `uniforms`, but the middle of its range is likelier than the ends."""
    table = random.random((count, len(ranges), 2))
    mean = (table[..., 0] + table[..., 1]) / 2
    return {name: low + (high - low) * mean[:, n] for n, (name, (low, high)) in enumerate(ranges.items())}


def picks(random: np.random.Generator, count: int, weights: Mapping[str, float]) -> Array:
    """Row numbers of the table, int64, each as likely as its weight."""
    edges = np.cumsum(list(weights.values()))
    return np.minimum(np.searchsorted(edges, random.random(count) * edges[-1], side="right"), len(edges) - 1)


def along_palette(palette: list[tuple[int, int, int]], position: Array) -> Array:
    """Colours of 0 to 1, ... 3, from a palette of 0 to 255; position is 0 at its start and 1 at its end."""
    table = np.array(palette, np.float64) / 255
    step = np.asarray(position) * (len(palette) - 1)
    first = np.minimum(step.astype(np.int64), len(palette) - 2)
    return mix(table[first], table[first + 1], (step - first)[..., None])


def hue(turn: Array, saturation: Array, value: Array) -> Array:
    """Colours of 0 to 1, ... 3; turn 0 is red, 1/3 green, 2/3 blue."""
    phase = (np.asarray(turn)[..., None] * 6 + np.array([0.0, 4.0, 2.0])) % 6
    full = np.clip(np.abs(phase - 3) - 1, 0, 1)
    return np.asarray(value)[..., None] * (1 - np.asarray(saturation)[..., None] * (1 - full))


def grey_planes(pixels: Array) -> Array:
    """uint8, B 3 H W to B 1 H W: the brightness."""
    red, green, blue = (pixels[:, n] * weight for n, weight in enumerate((0.299, 0.587, 0.114)))
    return np.floor(red + green + blue + 0.5).astype(np.uint8)[:, None]


def keep_memory() -> None:
    """Makes the C library keep freed memory instead of handing it back: it does so after it has freed one
    large block.

    Pictures are drawn with many arrays of some hundred kilobytes; to fetch each from the system again took
    a third of the time.
    """
    np.empty(3 * 2**23, np.uint8)
