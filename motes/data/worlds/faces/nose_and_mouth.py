"""The nose and the mouth of a generated face, each painted in its own window."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.faces.canvas import Canvas, edge, reach, rgb, window
from motes.data.worlds.faces.geometry import SIDES, Look, Pair, lips, mouth_width, radius_of
from motes.data.worlds.faces.head import Head
from motes.data.worlds.portable import Array, smooth

TEETH = rgb(0.98, 0.96, 0.93)
TONGUE = rgb(0.8, 0.38, 0.4)
THROAT = rgb(0.3, 0.09, 0.11)
# shades of skin: beside the ridge, on the wings, in the nostrils, under the lips
RIDGE = rgb(0.62, 0.48, 0.45)
WING = rgb(0.86, 0.74, 0.72)
NOSTRIL = rgb(0.36, 0.25, 0.24)
UNDER_LIPS = rgb(0.7, 0.58, 0.56)


def nose(canvas: Canvas, look: Look, head: Head) -> None:
    bridge, tip, left, right, under = head.nose
    centre = ((bridge[0] + tip[0]) / 2, (bridge[1] + tip[1]) / 2)
    with window(canvas, centre, reach(look, 0.62)) as piece:
        _ridge(piece, look, bridge, tip)
        for side, wing in zip(SIDES, (left, right), strict=True):
            _wing(piece, look, side, wing)
        _tip(piece, look, tip)
        for wing in (left, right):
            _nostril(piece, look, wing, under)


def _ridge(piece: Canvas, look: Look, bridge: Pair, tip: Pair) -> None:
    """Paint the ridge of the nose: shade on the side away from the light, brightness on the other."""
    skin = look["skin_colour"]
    t, ridge = _ridge_points(piece, look, bridge, tip)
    side = t * look["light_x"]
    piece.paint(ridge * np.clip(-side + 0.15, 0, 1) * 0.55, skin * RIDGE)
    cover = ridge * np.clip(side * 0.6 + 0.35, 0, 1) * np.clip(1.1 - np.abs(t), 0, 1) * 0.5
    piece.paint(cover, np.minimum(skin * 1.16 + 0.03, 1))


def _ridge_points(piece: Canvas, look: Look, bridge: Pair, tip: Pair) -> Pair:
    """How far each point lies beside the ridge, in widths of the ridge, and how strong the ridge is there."""
    across = tip[0] - bridge[0]
    down = tip[1] - bridge[1]
    length = np.sqrt(across * across + down * down)
    x = piece.column - bridge[0]
    y = piece.row - bridge[1]
    share = (x * across + y * down) / (length * length)
    t = (x * down - y * across) / length / (look["scale"] * (0.09 + 0.1 * np.clip(share, 0, 1)))
    return t, _ridge_profile(t, share)


def _ridge_profile(t: Array, share: Array) -> Array:
    """The strength of the ridge: `t` counts beside it, `share` along it from the bridge to the tip of the
    nose."""
    across = np.square(np.maximum(1 - t * t * 0.4, 0))
    return across * smooth(share * 1.5 + 0.15) * (1 - smooth((share - 0.85) * 3))


def _wing(piece: Canvas, look: Look, side: int, wing: Pair) -> None:
    scale = look["scale"]
    x = piece.column - wing[0] + 0.03 * side * scale
    y = piece.row - wing[1] + 0.01 * scale
    distance = radius_of(x, y) / scale
    piece.paint(edge((0.095 - distance) * scale) * 0.55, look["skin_colour"] * WING)


def _tip(piece: Canvas, look: Look, tip: Pair) -> None:
    """Paint the tip of the nose with its highlight."""
    scale = look["scale"]
    skin = look["skin_colour"]
    x = piece.column - tip[0]
    y = piece.row - tip[1]
    distance = radius_of(x * 0.95, y) / (scale * (0.1 + 0.25 * look["nose_width"]))
    piece.paint(edge((1 - distance) * 0.14 * scale) * 0.8, skin * (1.03 - 0.2 * smooth(distance))[:, None])
    piece.paint(_highlight(look, x, y) * 0.6, np.minimum(skin * 1.2 + 0.08, 1))


def _highlight(look: Look, x: Array, y: Array) -> Array:
    """The strength of the highlight on the side of the light; x and y count from the tip of the nose."""
    scale = look["scale"]
    squared = np.square(x - 0.04 * look["light_x"] * scale) + np.square(y + 0.045 * scale)
    return np.maximum(1 - squared / np.square(0.09 * scale), 0)


def _nostril(piece: Canvas, look: Look, wing: Pair, under: Pair) -> None:
    scale = look["scale"]
    x = (piece.column - (wing[0] * 0.55 + under[0] * 0.45)) / scale
    y = (piece.row - (wing[1] * 0.5 + under[1] * 0.5) + 0.01 * scale) / scale
    hole = 1 - radius_of(x / 0.055, y / 0.03)
    piece.paint(edge(hole * 0.04 * scale) * 0.75, look["skin_colour"] * NOSTRIL)


@dataclass(frozen=True)
class MouthPoints:
    """The points of a window, as coordinates in the mouth's patch."""

    x: Array
    y: Array
    # x over the mouth's width
    t: Array
    # how far inside the corners
    ends: Array
    # rows of the lips' edges from the top
    edges: tuple[Array, Array, Array, Array]

    @classmethod
    def of(cls, look: Look, local: Pair) -> "MouthPoints":
        x, y = local
        width = mouth_width(look)
        t = np.clip(x / width, -1.1, 1.1)
        return cls(x, y, t, width * (1.01 - np.abs(x / width)), lips(look, t))

    def between(self, above: Array, below: Array) -> Array:
        """How far a point lies below one curve and above another, and inside the corners of the mouth."""
        return np.minimum(np.minimum(above, below), self.ends)


def mouth(canvas: Canvas, look: Look, head: Head) -> None:
    with window(canvas, (head.mouth.column, head.mouth.row), reach(look, 0.56)) as piece:
        points = MouthPoints.of(look, head.mouth.local(piece.column, piece.row))
        _lip_shadow(piece, look, points)
        _lips(piece, look, points)
        _inside_mouth(piece, look, points)
        _lip_line(piece, look, points)


def _lip_shadow(piece: Canvas, look: Look, points: MouthPoints) -> None:
    below = (points.y - points.edges[3] - 0.06) / 0.07
    shadow = np.maximum(1 - np.square(points.t / 0.8) - np.square(below), 0)
    piece.paint(shadow * 0.4, look["skin_colour"] * UNDER_LIPS)


def _lips(piece: Canvas, look: Look, points: MouthPoints) -> None:
    """Paint the lips: the upper one darker, the lower one with gloss."""
    y = points.y
    top, inner, lower, bottom = points.edges
    middle = (inner + lower) / 2
    upper_lip = points.between(y - top, middle - y + 0.01)
    piece.paint(edge(upper_lip * look["scale"]), look["lip_colour"] * 0.86)
    lower_lip = points.between(bottom - y, y - middle)
    bright = look["lip_colour"] * (1 + 0.22 * _lip_gloss(look, points))[:, None]
    piece.paint(edge(lower_lip * look["scale"]), np.minimum(bright, 1))


def _lip_gloss(look: Look, points: MouthPoints) -> Array:
    """The strength of the gloss in the middle of the lower lip."""
    _, _, lower, bottom = points.edges
    across = (points.y - (lower + bottom) / 2) / (0.4 * look["lip_low"])
    return np.maximum(1 - np.square(points.t / 0.5) - np.square(across), 0)


def _inside_mouth(piece: Canvas, look: Look, points: MouthPoints) -> None:
    """Paint the inside of an open mouth: throat, tongue and teeth."""
    scale = look["scale"]
    y = points.y
    _, inner, lower, _ = points.edges
    hole = edge(points.between(y - inner, lower - y) * scale) * (look["open"] > 0.02)
    piece.paint(hole, THROAT)
    piece.paint(hole * edge(_inside_tongue(look, points) * 0.1 * scale), TONGUE)
    teeth = _inside_teeth(look, points)
    piece.paint(hole * edge(teeth * scale), TEETH * _teeth_tone(y - inner)[:, None])


def _inside_tongue(look: Look, points: MouthPoints) -> Array:
    """How far inside the tongue a point is, in radii of the tongue."""
    y = (points.y - points.edges[2] - 0.05) / (0.13 * look["open"] + 0.02)
    return 1 - radius_of(points.x / (0.62 * mouth_width(look)), y)


def _inside_teeth(look: Look, points: MouthPoints) -> Array:
    across = (0.8 - np.abs(points.t)) * mouth_width(look)
    return np.minimum(points.edges[1] + 0.085 - points.y, across)


def _teeth_tone(below: Array) -> Array:
    """The brightness of the teeth, `below` under the upper lip, which shades them."""
    return 1 - 0.25 * smooth(1 - below / 0.04)


def _lip_line(piece: Canvas, look: Look, points: MouthPoints) -> None:
    """Paint the line where the lips meet; it is fainter where they are open."""
    inside = np.minimum(0.02 - np.abs(points.y - points.edges[1]), points.ends)
    line = inside * (1 - np.float32(0.5) * (look["open"] > 0.02))
    piece.paint(edge(line * look["scale"]) * 0.8, look["lip_colour"] * 0.42)
