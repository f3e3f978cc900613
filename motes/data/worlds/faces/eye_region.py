"""Eyes, brows, glasses and cheeks of a generated face, each painted in its own window."""

import numpy as np

from motes.data.worlds.faces.canvas import Canvas, edge, pictures_with, reach, rgb, window
from motes.data.worlds.faces.geometry import SIDES, Look, Pair, brow_line, lids, pupil, radius_of
from motes.data.worlds.faces.head import Head
from motes.data.worlds.portable import Array, smooth, wave

WHITE = rgb(1.0, 1.0, 1.0)
BLACK = rgb(0.07, 0.05, 0.06)
ROSE = rgb(0.95, 0.42, 0.4)
HOLLOW = rgb(0.72, 0.6, 0.6)  # the shade of skin around the eyes
CREASE = rgb(0.62, 0.5, 0.48)  # and in the lid's crease
FRAME = 0.04  # half the thickness of glasses


def blush(canvas: Canvas, look: Look, head: Head) -> None:
    """Paint rosy cheeks, and the shade in the hollows of the eyes."""
    for side, eye in zip(SIDES, head.eyes, strict=True):
        with window(canvas, (eye.column, eye.row), reach(look, 0.85)) as piece:
            x, y = eye.local(piece.column, piece.row)
            cheek = _cheek(side, x, y)
            piece.paint(cheek * cheek * look["blush"], ROSE)
            piece.paint(_hollow(x, y) * 0.3, look["skin_colour"] * HOLLOW)


def _cheek(side: int, x: Array, y: Array) -> Array:
    return np.maximum(1 - (np.square(x - 0.16 * side) + np.square(y - 0.46)) / 0.085, 0)


def _hollow(x: Array, y: Array) -> Array:
    return np.maximum(1 - np.square(x / 0.38) - np.square((y + 0.06) / 0.24), 0)


def eyes(canvas: Canvas, look: Look, head: Head) -> None:
    for side, eye in zip(SIDES, head.eyes, strict=True):
        with window(canvas, (eye.column, eye.row), reach(look, 0.42)) as piece:
            _eye(piece, look, side, eye.local(piece.column, piece.row))


def _eye(piece: Canvas, look: Look, side: int, local: Pair) -> None:
    """Paint one eye: the white in the shade of the upper lid, the iris and the lashes."""
    x, y = local
    width = look["eye_width"]
    high, low = lids(look, side, x / width)
    inside = np.minimum(y - high, low - y)
    cover = _eye_cover(look, inside)
    shade = _lid_shade((y - high) / (0.42 * width))
    piece.paint(cover, WHITE * 0.97 * shade[:, None])
    _iris(piece, look, local, cover, shade)
    _lashes(piece, look, side, (x / width, y), (high, low))


def _eye_cover(look: Look, inside: Array) -> Array:
    """The cover of the eye; zero where the eye is shut."""
    return edge((inside - 0.03 * look["closed"]) * look["scale"]) * (look["closed"] < 0.97)


def _lid_shade(below: Array) -> Array:
    """The shade of the upper lid on the white; `below` is how far a point lies under the lid."""
    return 1 - 0.3 * smooth(1 - below)


def _iris(piece: Canvas, look: Look, local: Pair, cover: Array, shade: Array) -> None:
    """Paint the iris, the pupil and a glint."""
    x, y = local
    column, row = pupil(look)
    radius = look["iris"] * look["eye_width"]
    distance = radius_of(x - column, y - row)
    tone = _iris_tone((radius - distance) / radius, (y - row) / radius) * (0.55 + 0.45 * shade)
    piece.paint(cover * edge((radius - distance) * look["scale"]), look["iris_colour"] * tone[:, None])
    piece.paint(cover * edge((radius * 0.5 - distance) * look["scale"]), BLACK)
    glint = _inside_glint(look, x - column, y - row)
    piece.paint(cover * edge(glint * look["scale"]), WHITE * 0.98, lit=False)


def _inside_glint(look: Look, x: Array, y: Array) -> Array:
    """How far inside the glint a point is; x and y count from the middle of the pupil.

    The glint lies above the pupil on the side of the light.
    """
    radius = look["iris"] * look["eye_width"]
    distance = radius_of(x - 0.36 * radius * np.sign(look["light_x"]), y + 0.42 * radius)
    return radius * 0.27 - distance


def _iris_tone(depth: Array, below: Array) -> Array:
    """The brightness of the iris: brighter inwards and downwards. Both arguments are in radii of the iris."""
    return 0.5 + 0.75 * smooth(depth * 1.8) * (0.75 + 0.5 * smooth(below + 0.3))


def _lashes(piece: Canvas, look: Look, side: int, local: Pair, edges: Pair) -> None:
    """Paint the upper and lower lashes and the crease above the upper lid.

    `local` has x, over the eye's width, and y.
    """
    width = look["eye_width"]
    t, y = local
    high, low = edges
    ends = (1.12 - np.abs(t)) * width
    dark = look["brow_colour"] * 0.45
    upper = _inside_upper_lash(width, 0.5 + 0.5 * t * side, y - high, ends)
    piece.paint(edge(upper * look["scale"]) * 0.95, dark)
    lower = _inside_lower_lash(width, y - low, ends)
    piece.paint(edge(lower * look["scale"]) * 0.45, dark + look["skin_colour"] * 0.3)
    crease = _inside_crease(width, y - high * 1.12, ends)
    piece.paint(edge(crease * look["scale"]) * 0.5, look["skin_colour"] * CREASE)


def _inside_upper_lash(width: Array, outer: Array, below: Array, ends: Array) -> Array:
    """How far inside the upper lashes a point is; they are thicker at the outer corner."""
    return np.minimum(width * (0.09 + 0.09 * outer) - np.abs(below + 0.03 * width), ends)


def _inside_lower_lash(width: Array, below: Array, ends: Array) -> Array:
    return np.minimum(width * 0.05 - np.abs(below), ends - 0.2 * width)


def _inside_crease(width: Array, below: Array, ends: Array) -> Array:
    return np.minimum(width * 0.045 - np.abs(below + 0.26 * width), ends - 0.25 * width)


def brows(canvas: Canvas, look: Look, head: Head) -> None:
    for side, brow in zip(SIDES, head.brows, strict=True):
        with window(canvas, (brow.column, brow.row), reach(look, 0.45)) as piece:
            x, y = brow.local(piece.column, piece.row)
            inside = _inside_brow(look, side, x / look["brow_width"], y)
            piece.paint(edge(inside * look["scale"]) * 0.88, look["brow_colour"])


def _inside_brow(look: Look, side: int, t: Array, y: Array) -> Array:
    """How far each point lies inside the brow's outline, in the units of `look`; negative outside.

    t is the place along the brow, -1 and 1 at its ends, and y the place across. The brow is thicker at the
    nose.
    """
    across = _brow_thickness(look, side, t) - np.abs(y - brow_line(look, side, t))
    return np.minimum(across, (1.02 - np.abs(t)) * look["brow_width"])


def _brow_thickness(look: Look, side: int, t: Array) -> Array:
    return look["brow_thick"] * (0.85 - 0.5 * smooth(0.2 + 0.8 * t * side)) * (1 + 0.06 * wave(t * 4))


def glasses(canvas: Canvas, look: Look, head: Head) -> None:
    if not look["glasses"].any():
        return
    with pictures_with(canvas, look["glasses"], look, head.eyes) as (pictures, part, patches):
        for side, eye in zip(SIDES, patches, strict=True):
            with window(pictures, (eye.column, eye.row), reach(part, 0.8)) as piece:
                _lens(piece, part, side, eye.local(piece.column, piece.row))


def _lens(piece: Canvas, look: Look, side: int, local: Pair) -> None:
    """Paint one glass, its half of the bridge, and the bar to the ear."""
    x = local[0]
    y = local[1] - 0.02
    outside = _outside_glass(look, x, y)
    piece.paint(edge(-outside * look["scale"]) * _glare(x, y), WHITE, lit=False)
    bars = np.maximum(_inside_bridge(look, x * side, y), _inside_bar(x * side, y))
    frame = np.maximum(FRAME - np.abs(outside), bars)
    piece.paint(edge(frame * look["scale"]), look["frame_colour"])


def _outside_glass(look: Look, x: Array, y: Array) -> Array:
    """How far outside a glass a point is; glasses are round or squarish."""
    circle = look["glasses_round"] > 0.5
    u = np.square(x / 0.355)
    v = np.square(y / (0.26 + np.float32(0.075) * circle))
    return (np.where(circle, np.sqrt(u + v), _fourth_root(u, v)) - 1) * 0.3


def _fourth_root(u: Array, v: Array) -> Array:
    """The radius of a point in a squarish curve: the fourth root of a sum, made of square roots."""
    return np.sqrt(np.sqrt(u * u + v * v))


def _glare(x: Array, y: Array) -> Array:
    """The cover of a slanted streak of reflected light on a glass."""
    return smooth(1 - np.abs(x + 0.6 * y - 0.1) * 9) * 0.2 + 0.07


def _inside_bridge(look: Look, outwards: Array, y: Array) -> Array:
    """How far inside the bridge of the glasses a point is; `outwards` is x, positive towards the ear."""
    from_middle = outwards + look["eye_x"]
    across = FRAME - np.abs(y + 0.06 - 0.3 * np.square(from_middle))
    return np.minimum(across, np.minimum(-0.34 - outwards, from_middle + 0.03) * 9)


def _inside_bar(outwards: Array, y: Array) -> Array:
    """How far inside the bar to the ear a point is."""
    return np.minimum(FRAME - np.abs(y + 0.08), np.minimum(outwards - 0.34, 0.62 - outwards) * 9)
