"""The hair of a generated face: behind the head, and on the head over the forehead."""

from dataclasses import dataclass

import numpy as np

from motes.data.worlds.faces.canvas import LAYERS, Canvas, edge, pictures_with, reach, window
from motes.data.worlds.faces.geometry import SIDES, HeadPose, Look, Patch, Triple, patch, radius_of
from motes.data.worlds.faces.head import Head, point
from motes.data.worlds.portable import Array, smooth, wave

SHADE = np.array([0.66, 0.54, 0.52], np.float32)[:, None, None]  # of the skin under hair


def back_hair(canvas: Canvas, look: Look, head: Head) -> None:
    """Paint the hair behind the neck: long hair, a bun, or tails."""
    for name, paint in {"length": _curtain, "bun": _bun, "tails": _tails}.items():
        if look[name].any():
            with pictures_with(canvas, look[name], look, head.pose) as parts:
                paint(*parts)


def _curtain(canvas: Canvas, look: Look, pose: HeadPose) -> None:
    """Paint long hair, and the dome of hair above it."""
    back = _upright_patch(look, pose, point(look, 0.0, 0.0, -0.25))
    x, y = back.local(canvas.column, canvas.row)
    half = 1.08 + look["hair_side"]
    strands = wave(x * 2.6 + 0.2 * wave(y * 0.8))
    ends = look["length"] - 0.22 * np.square(x) + 0.05 * strands
    inside = np.minimum(np.minimum(_curtain_width(look, half, y) - np.abs(x), ends - y), y + 0.3)
    cover = edge(np.maximum(inside, _inside_dome(look, half, x, y)) * look["scale"])
    _paint_hair(canvas, look, cover, 0.72 + 0.1 * strands - 0.12 * smooth(y * 0.6))


def _inside_dome(look: Look, half: Array, x: Array, y: Array) -> Array:
    height = look["height"] + 0.05 + look["hair_top"]
    return (1 - radius_of(x / half, y / height)) * half


def _curtain_width(look: Look, half: Array, y: Array) -> Array:
    width = half * (1 + 0.12 * np.clip(y, 0, 2) - 0.1 * np.square(np.clip(y - 0.6, 0, 2)))
    width += 0.09 * look["curl"] * wave(y * 1.7 + look["curl_phase"])
    return width


def _upright_patch(look: Look, pose: HeadPose, centre: Triple, slant: float = 0.0) -> Patch:
    """A patch that faces the viewer; its rows may slant to the right."""
    return patch(pose, centre, point(look, 1.0, 0.0, 0.0), point(look, slant, 1.0, 0.0))


def _bun(canvas: Canvas, look: Look, pose: HeadPose) -> None:
    knot = _upright_patch(look, pose, point(look, 0.0, -1.18 - look["hair_top"], -0.45))
    with window(canvas, (knot.column, knot.row), reach(look, 0.45)) as piece:
        x, y = knot.local(piece.column, piece.row)
        distance = radius_of(x, y)
        tone = 0.9 - 0.3 * smooth(distance * 2) + 0.1 * wave(x * 3 + y * 2)
        _paint_hair(piece, look, edge((0.4 - distance) * look["scale"]), tone)


def _tails(canvas: Canvas, look: Look, pose: HeadPose) -> None:
    for side in SIDES:
        tail = _upright_patch(look, pose, point(look, 1.2 * side, 0.42, -0.4), -0.35 * side)
        with window(canvas, (tail.column, tail.row), reach(look, 0.9)) as piece:
            x, y = tail.local(piece.column, piece.row)
            distance = _radius_in_tail(x, y)
            cover = edge((1 - distance) * 0.35 * look["scale"])
            _paint_hair(piece, look, cover, 0.8 + 0.12 * wave(x * 3.1) - 0.2 * smooth(y))


def _paint_hair(canvas: Canvas, look: Look, cover: Array, tone: Array) -> None:
    canvas.paint(cover, look["hair_colour"] * tone[:, None])


def _radius_in_tail(x: Array, y: Array) -> Array:
    """The distance of a point from a tail's middle: 0 there, 1 at the tail's edge, which is a little wavy."""
    return radius_of(x / (0.3 + 0.04 * wave(y * 2)), y / 0.62)


def front_hair(canvas: Canvas, look: Look, head: Head) -> None:
    """Paint the hair in front of the face, with its shadow on the skin."""
    width = 1.06 * (1.12 + look["hair_side"]).max()
    height = (look["height"] + look["hair_top"]).max()
    half = reach(look, float(width) + 0.35, float(height) + 0.3)
    with window(canvas, (head.hair.column, head.hair.row), half, tuple(LAYERS)) as piece:
        points = HairPoints.of(piece, look, head)
        inside = points.inside_hairline(look)
        _hair_shadow(piece, look, inside)
        cover = points.cover() * edge(inside * look["scale"])
        cover *= 1 - np.float32(0.14) * (look["hair_top"] < 0.02)
        _front_paint(piece, look, points, inside, cover)
        piece.visible[:] *= 1 - cover


@dataclass(frozen=True)
class HairPoints:
    """The points of a window, as coordinates on the hair's surface."""

    # 1 on the outline
    level: Array
    # of the outline, in pixels
    radius: Array
    # in the head's space
    x: Array
    y: Array
    z: Array
    light_cosine: Array
    # curls
    locks: Array

    @classmethod
    def of(cls, canvas: Canvas, look: Look, head: Head) -> "HairPoints":
        hair = head.hair
        level = hair.level(canvas.column, canvas.row)
        root = np.sqrt(np.maximum(1 - level, 0))
        x, y, z = (hair.coordinate(axis, canvas.column, canvas.row, root) for axis in range(3))
        light_cosine = hair.light_cosine(canvas.column, canvas.row, root)
        return cls(level, hair.radius, x, y, z, light_cosine, _locks(look, x, y))

    def cover(self) -> Array:
        """The cover of hair by its outline, which curls bend."""
        return edge((1 - np.sqrt(np.maximum(self.level + 0.1 * self.locks, 0))) * self.radius)

    def inside_hairline(self, look: Look) -> Array:
        """How far each point is from the hairline; positive values lie in the hair."""
        x = self.x
        line = look["hair_line"] + look["hair_bend"] * x * x
        line = line + look["hair_behind"] * np.clip(0.3 - self.z, 0, 2)
        line += look["jags"] * wave(x * 2.3 + look["curl_phase"]) + 0.07 * self.locks
        parting = np.maximum(0.3 - np.abs(x - look["parting"]), 0)
        line -= 0.22 * np.square(parting) * (look["jags"] == 0)
        # under the chin it would be a beard
        return np.minimum(line, 0.8) - self.y


def _locks(look: Look, x: Array, y: Array) -> Array:
    columns = wave(x * 1.5 + 0.25 * wave(y * 1.3) + look["curl_phase"])
    return look["curl"] * columns * wave(y * 1.6 + 0.25 * wave(x * 1.1))


def _hair_shadow(canvas: Canvas, look: Look, inside: Array) -> None:
    shade = smooth(inside * 4 + 0.75) * canvas.face * np.float32(0.42) * (look["hair_line"] > -1.5)
    canvas.paint(shade, look["skin_colour"] * SHADE)


def _front_paint(canvas: Canvas, look: Look, points: HairPoints, inside: Array, cover: Array) -> None:
    tone = _hair_tone(look, points, inside)
    glow = look["dim"] + look["lamp"] * smooth(points.light_cosine * 0.55 + 0.45)[:, None]
    colour = np.minimum(look["hair_colour"] * 1.05 + 0.02, 1)
    canvas.paint(cover, colour * tone[:, None] * glow, lit=False)


def _hair_tone(look: Look, points: HairPoints, inside: Array) -> Array:
    """The brightness of the hair: strands, a ring of gloss, curls, and darker ends of short straight hair."""
    x = points.x
    y = points.y
    ends = 0.25 * smooth(0.35 - inside * 1.5) * (look["length"] + look["curl"] == 0)
    return 1 + 0.07 * _strands(look, x, y) + _gloss_ring(look, x, y) + 0.22 * points.locks - ends


def _strands(look: Look, x: Array, y: Array) -> Array:
    """The pattern of strands: waves that start at the parting."""
    bend = 0.22 * wave(y * 1.2 + look["curl_phase"])
    return wave((x - look["parting"]) / (np.maximum(y, -1.9) + 2.1) * 4.2 + bend)


def _gloss_ring(look: Look, x: Array, y: Array) -> Array:
    """The strength of the gloss, a ring around the crown that is fainter with curls."""
    ring = smooth(1 - np.abs(y + 0.78 - 0.2 * x * x) * 4.5)
    return ring * 0.25 * (1 - 0.7 * np.minimum(look["curl"], 1))
