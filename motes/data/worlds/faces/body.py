"""Shoulders, neck and ears of a generated face."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.faces.canvas import Canvas, edge, reach, window
from motes.data.worlds.faces.geometry import SIDES, Look, Patch, Triple, patch, radius_of
from motes.data.worlds.faces.head import Head, point
from motes.data.worlds.portable import Array, smooth, wave

EAR = np.array([0.97, 0.9, 0.88], np.float32)[:, None, None]  # redder than the face


@dataclass(frozen=True)
class TorsoPoints:
    """The points of a window around the shoulders, in units of half the skull's width."""

    # from the middle of the chest
    x: Array
    y: Array
    # from the line from the head to the chest, to both sides
    beside_neck: Array
    # under the upper end of the neck
    below_head: Array

    @classmethod
    def of(cls, canvas: Canvas, look: Look, head: Head) -> "TorsoPoints":
        scale = look["scale"]
        top = head.pose.project(*point(look, 0.0, 0.5, -0.15))
        base = head.pose.project(*point(look, 0.0, 1.6, -0.3))
        middle = base[0] * 0.7 + look["column"] * 0.3
        chest = look["row"] + scale * 1.62
        slope = (base[0] - top[0]) / (base[1] - top[1])
        return cls(
            x=(canvas.column - middle) / scale,
            y=(canvas.row - chest) / scale,
            beside_neck=np.abs(canvas.column - top[0] - slope * (canvas.row - top[1])) / scale,
            below_head=(canvas.row - top[1]) / scale,
        )


def torso(canvas: Canvas, look: Look, head: Head) -> None:
    """Paint the clothes, their trim at the neckline, and the skin inside it."""
    scale = look["scale"]
    points = TorsoPoints.of(canvas, look, head)
    dress = _dress_cover(look, points)
    canvas.paint(dress, look["cloth"] * _dress_tone(look, points)[:, None])
    inside = _inside_neckline(look, points)
    trim = 0.07 + np.float32(0.05) * (look["collar"] > 0.75)
    canvas.paint(edge((np.minimum(inside, 0) + trim) * scale) * dress, look["cloth"] * 0.78)
    canvas.paint(edge(inside * scale), look["skin_colour"] * _skin_shade(look, points)[:, None])


def _skin_shade(look: Look, points: TorsoPoints) -> Array:
    """The shading of the skin: darker under the chin, brighter towards the light."""
    return 1 - 0.34 * smooth((0.35 - points.y) * 2.2) + 0.1 * look["light_x"] * points.x


def _dress_cover(look: Look, points: TorsoPoints) -> Array:
    form = np.square(points.x / look["shoulder"]) + np.square(np.minimum(points.y - 0.62, 0) / 0.62)
    return edge((1 - np.sqrt(form)) * look["scale"] * 0.8)


def _dress_tone(look: Look, points: TorsoPoints) -> Array:
    """The brightness of the clothes: their shading, and stripes across, upright or none."""
    x = points.x
    kind = look["cloth_stripes"]
    shape = 1 - 0.18 * np.square(x / look["shoulder"]) + 0.12 * x * look["light_x"]
    across = np.where(kind > 0.75, 0.14 * _stripes(points.y * 2.2), 0)
    return shape + np.where(kind < 0.12, 0.1 * _stripes(x * 2.5), across)


def _stripes(turns: Array) -> Array:
    """Stripes with values from -1 to 1, and steep edges."""
    return np.clip(wave(turns) * 4, -1, 1)


def _inside_neckline(look: Look, points: TorsoPoints) -> Array:
    """How far inside the bare skin of neck and chest each point is."""
    y = points.y
    neck = look["neck"]
    width = neck * (1 + 0.25 * np.square(np.clip(y + 0.3, 0, 1)))
    throat = np.minimum(width - points.beside_neck, points.below_head)
    chest = np.maximum(throat, neck * 1.25 - np.abs(points.x))
    return np.minimum(np.where(y > 0, chest, throat), _neckline(look, points.x) - y)


def _neckline(look: Look, x: Array) -> Array:
    """The rows of a neckline: that of a round, a pointed or a high collar."""
    high = 0.16 - 0.5 * np.square(x)
    pointed = np.where(look["collar"] < 0.75, 0.62 - 1.5 * np.abs(x), high)
    return np.where(look["collar"] < 0.4, 0.28 - np.square(x) * 0.9, pointed)


def ears(canvas: Canvas, look: Look, head: Head, near: bool) -> None:
    """Paint the ears: if `near`, those nearer to the viewer than the face's edge, otherwise those behind
    it."""
    for side in SIDES:
        centre = point(look, side * 1.0, look["eye_y"] + 0.1, -0.06)
        drawn = np.equal(head.pose.depth(*centre) > 0.04, near)
        if drawn.any():
            ear = _ear_patch(look, head, side, centre)
            with window(canvas, (ear.column, ear.row), reach(look, 0.4)) as piece:
                _ear(piece, look, side, ear, drawn)


def _ear_patch(look: Look, head: Head, side: int, centre: Triple) -> Patch:
    across = point(look, 0.75, 0.0, -0.66 * side)
    return patch(head.pose, centre, across, point(look, 0.06 * side, 1.0, 0.0))


def _ear(canvas: Canvas, look: Look, side: int, ear: Patch, drawn: Array) -> None:
    x, y = ear.local(canvas.column, canvas.row)
    y = y / look["ear"]
    x = (x - 0.05 * side) / (look["ear"] * (0.66 - 0.16 * np.clip(y, -1, 1)))
    distance = radius_of(x, y)
    cover = edge((1 - distance) * look["ear"] * 0.7 * look["scale"]) * drawn
    canvas.paint(cover, look["skin_colour"] * _ear_tone(distance)[:, None] * EAR)


def _ear_tone(distance: Array) -> Array:
    """The brightness of an ear: darker inside the rim, brighter in the middle."""
    return 1 - 0.26 * smooth((0.8 - distance) * 4) + 0.12 * smooth((0.4 - distance) * 4)
