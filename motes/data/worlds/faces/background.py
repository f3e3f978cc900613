"""The background of a generated face: a slope between two colours, and on it nothing, soft discs, stripes,
tiles or clouds."""

import numpy as np

from motes.data.worlds.faces.canvas import FINER, Canvas
from motes.data.worlds.faces.geometry import Look
from motes.data.worlds.portable import Array, smooth, wave


def background(canvas: Canvas, look: Look) -> None:
    """Paint the background of each picture at the picture's own size, then double it."""
    column = canvas.column[:, :, ::FINER]
    row = canvas.row[:, ::FINER]
    half = np.float32(max(column.shape[2], row.shape[1]) / 2)
    x = column / half - 1
    y = row / half - 1
    across = x * look["back_east"] + y * look["back_south"]
    colour = _colour(look, across, _with_discs(_pattern(look, x, y, across), look, x, y))
    _fill(canvas, colour)


def scenery(canvas: Canvas, behind: Array) -> None:
    """Paint what stands behind each face, B 3 H W at the picture's own size."""
    _fill(canvas, behind)


def _fill(canvas: Canvas, colour: Array) -> None:
    """Fill the canvas with colours given per pixel of the picture; each becomes a square of canvas pixels."""
    for row in range(FINER):
        for column in range(FINER):
            canvas.colour[:, :, row::FINER, column::FINER] = colour


def _colour(look: Look, across: Array, tone: Array) -> Array:
    """The colours B 3 H W: from one colour to the other, under the picture's light."""
    slope = smooth(across * 0.5 + 0.5)[:, None]
    first = look["back_first"]
    colour = first + (look["back_second"] - first) * slope + tone[:, None]
    return np.clip(colour * (look["dim"] + look["lamp"] * np.float32(0.75)), 0, 1)


def _pattern(look: Look, x: Array, y: Array, across: Array) -> Array:
    """The pattern on each background by its kind: stripes, tiles or clouds."""
    kind = look["back_kind"]
    grain = look["back_grain"]
    phase = look["back_phase"]
    stripes = wave(across * grain + phase)
    tiles = wave(x * grain + phase) * wave(y * grain + look["back_phase_2"])
    tone = np.where(kind < 0.62, stripes, tiles)
    tone = np.where(kind < 0.62, np.clip(tone * 3, -1, 1), tone)
    return np.where(kind > 0.78, _clouds(look, x, y, across), tone) * (kind > 0.48) * look["back_strength"]


def _clouds(look: Look, x: Array, y: Array, across: Array) -> Array:
    phase = look["back_phase"]
    second_phase = look["back_phase_2"]
    large = wave(across * 0.6 + 0.35 * wave(y * 0.7 + phase) + second_phase)
    return large + 0.5 * wave(y * 1.1 + 0.3 * wave(x * 1.3 + second_phase) + phase)


def _with_discs(tone: Array, look: Look, x: Array, y: Array) -> Array:
    """The tone of each pixel, with six soft discs added if the background is of that kind."""
    discs = (look["back_kind"] > 0.25) & (look["back_kind"] <= 0.48)
    for n in range(6):
        left, top, width, bright = (look["back_spots"][:, n, k] for k in range(4))
        disc = _disc(x - (left * 2 - 1), y - (top * 2 - 1), width)
        tone = tone + disc * (bright - 0.35) * look["back_strength"] * 1.6 * discs
    return tone


def _disc(x: Array, y: Array, width: Array) -> Array:
    """The cover of a soft disc at points x, y, which are counted from its middle."""
    return np.clip((np.square(0.12 + 0.3 * width) - (np.square(x) + np.square(y))) * 12, 0, 1)
