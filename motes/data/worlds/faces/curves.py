"""Curves of a face (lids, pupils, lips, brows), along which features are painted and landmarks lie.

Rows and columns are counted in the feature's patch, in head units; `across` is -1 to 1 over the feature's
width.
"""

import numpy as np

from motes.data.worlds.faces.geometry import Look, Pair
from motes.data.worlds.portable import Array


def lids(look: Look, side: int, across: Array) -> Pair:
    """The rows of the upper and of the lower lid's edge."""
    width = look["eye_width"]
    arch = 1 - across * across
    slant = -look["slant"] * side * across * width
    low = look["eye_low"] * width * (1 - 0.3 * np.maximum(look["smile"], 0))
    high = look["eye_high"] * width * (1 + 0.25 * look["raise"])
    # the upper lid is highest on the outer half
    lean = arch * (1 + 0.25 * side * across)
    return slant - (high - (high + low) * look["closed"]) * lean, slant + low * arch


def pupil(look: Look) -> Pair:
    """The column and row of the pupil's middle."""
    return look["gaze_x"] * look["eye_width"], (look["gaze_y"] - 0.06) * look["eye_width"]


def lips(look: Look, across: Array) -> tuple[Array, Array, Array, Array]:
    """The rows of the lips' edges from the top: outer, inner, inner, outer."""
    square = across * across
    arch = 1 - square
    base = -look["smile"] * 0.11 * square + 0.05 * look["smile"]
    gap = look["open"] * 0.2 * arch
    dip = np.maximum(1 - 9 * square, 0) * 0.22
    top = base - 0.35 * gap
    bottom = base + 0.65 * gap
    upper = top - look["lip_high"] * arch * (1 + 0.35 * square - dip)
    return upper, top, bottom, bottom + look["lip_low"] * arch * (1 + 0.2 * arch)


def mouth_width(look: Look) -> Array:
    """Half the width of the mouth."""
    return look["mouth_width"] * (1 + 0.22 * look["smile"] - 0.18 * look["open"])


def brow_line(look: Look, side: int, across: Array) -> Array:
    """The rows of the middle line of a brow."""
    inner = 0.5 - 0.5 * side * across
    arch = -look["brow_arch"] * (1 - across * across)
    return arch - look["brow_slant"] * side * across + 0.1 * look["frown"] * inner * inner
