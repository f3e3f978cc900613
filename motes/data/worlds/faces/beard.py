"""The beard of a generated face, from stubble to full: a moustache, a goatee or all of the jaw."""

import numpy as np

from motes.data.worlds.faces.canvas import LAYERS, Canvas, edge, pictures_with, reach, window
from motes.data.worlds.faces.geometry import Look, ProjectedEllipsoid, mouth_width, radius_of
from motes.data.worlds.faces.head import Head, outline
from motes.data.worlds.portable import Array, smooth, wave


def beard(canvas: Canvas, look: Look, head: Head) -> None:
    if look["beard"].any():
        with pictures_with(canvas, look["beard"], look, head.skull, head.jaw) as parts:
            _beard(*parts)


def _beard(canvas: Canvas, look: Look, skull: ProjectedEllipsoid, jaw: ProjectedEllipsoid) -> None:
    with window(canvas, (jaw.column, jaw.row), reach(look, 1.15, 1.2), tuple(LAYERS)) as piece:
        root = jaw.root(piece.column, piece.row)
        x, y = (jaw.coordinate(axis, piece.column, piece.row, root) for axis in range(2))
        outside, _ = outline(skull, jaw, piece.column, piece.row)
        cover = _cover(piece, look, _region(look, x, y), outside)
        tone = 0.9 + 0.07 * wave(x * 4)
        piece.paint(cover, look["brow_colour"] * tone[:, None] + look["skin_colour"] * 0.06)


def _cover(canvas: Canvas, look: Look, region: Array, outside: Array) -> Array:
    """The cover of the beard: its region on the face, and a tuft beyond the outline of the face."""
    scale = look["scale"]
    tuft = edge(0.07 * look["beard"] * scale * (look["beard_shape"] > 0.2) - outside)
    cover = smooth(region * scale * 0.7 + 0.5) * np.maximum(tuft, canvas.face)
    return cover * (0.3 + 0.62 * look["beard"])


def _region(look: Look, x: Array, y: Array) -> Array:
    """How far inside the beard each point is, by the beard's shape; the mouth is left free.

    The shapes are moustache, goatee and all of the jaw.
    """
    shape = look["beard_shape"]
    width = mouth_width(look)
    lip = look["mouth_y"] + 0.04 * look["open"]
    moustache = _moustache(look, x, y, lip)
    chin = _chin(x / (width + 0.1), y - lip)
    full = y - (lip + 0.12 - 1.5 * x * x)
    region = np.where(shape < 0.2, moustache, np.maximum(moustache, np.where(shape < 0.45, chin, full)))
    mouth = _outside_mouth(x / (width * 0.85), y - lip)
    free = np.maximum(mouth * 0.2, np.minimum(moustache, lip - 0.02 - y))
    return np.where(shape < 0.2, region, np.minimum(region, free))


def _chin(across: Array, below: Array) -> Array:
    """How far inside a goatee a point is; `across` counts over its width, `below` from the lip downwards."""
    return (1 - radius_of(across, (below - 0.16) / 0.4)) * 0.36


def _outside_mouth(across: Array, below: Array) -> Array:
    return radius_of(across, (below - 0.04) / 0.17) - 1


def _moustache(look: Look, x: Array, y: Array, lip: Array) -> Array:
    # it hangs at its ends
    droop = 1.3 * x * x
    inside = np.minimum(y - (look["nose_y"] + 0.13 + droop), lip - 0.02 + droop * 0.9 - y)
    return np.minimum(inside, mouth_width(look) + 0.04 - np.abs(x))
