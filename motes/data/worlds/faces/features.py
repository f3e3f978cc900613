"""Eyes, brows, nose, mouth and glasses of a generated face, each painted in its own window by the curves
that its landmarks lie on."""

import numpy as np

from motes.data.worlds.faces.anatomy import SIDES, Head, Look, Pair, brow_line, lids, lips, mouth_width, pupil
from motes.data.worlds.faces.canvas import Field, among, edge, reach, window
from motes.data.worlds.portable import Array, smooth, wave


def _rgb(red: float, green: float, blue: float) -> Array:
    return np.array([red, green, blue], np.float32)[None, :, None, None]


WHITE = _rgb(1.0, 1.0, 1.0)
BLACK = _rgb(0.07, 0.05, 0.06)
TEETH = _rgb(0.98, 0.96, 0.93)
TONGUE = _rgb(0.8, 0.38, 0.4)
THROAT = _rgb(0.3, 0.09, 0.11)
ROSE = _rgb(0.95, 0.42, 0.4)


def blush(field: Field, look: Look, head: Head) -> None:
    """Rosy cheeks, and the shade of the eyes' hollows."""
    for side, eye in zip(SIDES, head.eyes, strict=True):
        with window(field, (eye.column, eye.row), reach(look, 0.85)) as piece:
            x, y = eye.local(piece.column, piece.row)
            cheek = np.maximum(1 - (np.square(x - 0.16 * side) + np.square(y - 0.46)) / 0.085, 0)
            piece.paint(cheek * cheek * look["blush"], ROSE)
            hollow = np.maximum(1 - np.square(x / 0.38) - np.square((y + 0.06) / 0.24), 0)
            piece.paint(hollow * 0.3, look["skin_colour"] * _rgb(0.72, 0.6, 0.6))


def eyes(field: Field, look: Look, head: Head) -> None:
    scale = look["scale"]
    width = look["eye_width"]
    iris = look["iris"] * width
    seen = pupil(look)
    for side, eye in zip(SIDES, head.eyes, strict=True):
        with window(field, (eye.column, eye.row), reach(look, 0.42)) as piece:
            x, y = eye.local(piece.column, piece.row)
            t = x / width
            high, low = lids(look, side, t)
            inside = np.minimum(y - high, low - y)
            cover = edge((inside - 0.03 * look["closed"]) * scale) * (look["closed"] < 0.97)
            shade = 1 - 0.3 * smooth(1 - (y - high) / (0.42 * width))
            piece.paint(cover, WHITE * 0.97 * shade[:, None])
            away = np.sqrt(np.square(x - seen[0]) + np.square(y - seen[1]))
            depth = (iris - away) / iris
            tone = (0.5 + 0.75 * smooth(depth * 1.8) * (0.75 + 0.5 * smooth((y - seen[1]) / iris + 0.3))) * (
                0.55 + 0.45 * shade
            )
            piece.paint(cover * edge((iris - away) * scale), look["iris_colour"] * tone[:, None])
            piece.paint(cover * edge((iris * 0.5 - away) * scale), BLACK)
            glint = np.sqrt(
                np.square(x - seen[0] - 0.36 * iris * np.sign(look["light_x"]))
                + np.square(y - seen[1] + 0.42 * iris)
            )
            piece.paint(cover * edge((iris * 0.27 - glint) * scale), WHITE * 0.98, lit=False)
            _lashes(piece, look, side, (t, y), (high, low))


def _lashes(piece: Field, look: Look, side: int, local: Pair, edges: Pair) -> None:
    scale = look["scale"]
    width = look["eye_width"]
    t, y = local
    high, low = edges
    outer = 0.5 + 0.5 * t * side
    ends = (1.12 - np.abs(t)) * width
    dark = look["brow_colour"] * 0.45
    upper = np.minimum(width * (0.09 + 0.09 * outer) - np.abs(y - high + 0.03 * width), ends)
    piece.paint(edge(upper * scale) * 0.95, dark)
    piece.paint(
        edge((np.minimum(width * 0.05 - np.abs(y - low), ends - 0.2 * width)) * scale) * 0.45,
        dark + look["skin_colour"] * 0.3,
    )
    crease = np.minimum(width * 0.045 - np.abs(y - high * 1.12 + 0.26 * width), ends - 0.25 * width)
    piece.paint(edge(crease * scale) * 0.5, look["skin_colour"] * _rgb(0.62, 0.5, 0.48))


def brows(field: Field, look: Look, head: Head) -> None:
    width = look["brow_width"]
    for side, brow in zip(SIDES, head.brows, strict=True):
        with window(field, (brow.column, brow.row), reach(look, 0.45)) as piece:
            x, y = brow.local(piece.column, piece.row)
            t = x / width
            thick = (
                look["brow_thick"] * (0.85 - 0.5 * smooth(0.2 + 0.8 * t * side)) * (1 + 0.06 * wave(t * 4))
            )
            inside = np.minimum(thick - np.abs(y - brow_line(look, side, t)), (1.02 - np.abs(t)) * width)
            piece.paint(edge(inside * look["scale"]) * 0.88, look["brow_colour"])


def nose(field: Field, look: Look, head: Head) -> None:
    scale = look["scale"]
    skin = look["skin_colour"]
    bridge, tip, left, right, under = head.nose
    centre = tuple((a + b) / 2 for a, b in zip(head.nose[0], head.nose[1], strict=True))
    with window(field, (centre[0], centre[1]), reach(look, 0.62)) as piece:
        across = tip[0] - bridge[0]
        down = tip[1] - bridge[1]
        length = np.sqrt(across * across + down * down)
        x = piece.column - bridge[0]
        y = piece.row - bridge[1]
        along = (x * across + y * down) / (length * length)
        aside = (x * down - y * across) / length
        t = aside / (scale * (0.09 + 0.1 * np.clip(along, 0, 1)))
        ridge = (
            np.square(np.maximum(1 - t * t * 0.4, 0))
            * smooth(along * 1.5 + 0.15)
            * (1 - smooth((along - 0.85) * 3))
        )
        side = t * look["light_x"]
        piece.paint(ridge * np.clip(-side + 0.15, 0, 1) * 0.55, skin * _rgb(0.62, 0.48, 0.45))
        piece.paint(
            ridge * np.clip(side * 0.6 + 0.35, 0, 1) * np.clip(1.1 - np.abs(t), 0, 1) * 0.5,
            np.minimum(skin * 1.16 + 0.03, 1),
        )
        for n, wing in zip(SIDES, (left, right), strict=True):
            away = (
                np.sqrt(
                    np.square(piece.column - wing[0] + 0.03 * n * scale)
                    + np.square(piece.row - wing[1] + 0.01 * scale)
                )
                / scale
            )
            piece.paint(edge((0.095 - away) * scale) * 0.55, skin * _rgb(0.86, 0.74, 0.72))
        away = np.sqrt(np.square((piece.column - tip[0]) * 0.95) + np.square(piece.row - tip[1])) / (
            scale * (0.1 + 0.25 * look["nose_width"])
        )
        piece.paint(edge((1 - away) * 0.14 * scale) * 0.8, skin * (1.03 - 0.2 * smooth(away))[:, None])
        shine = np.square(piece.column - tip[0] - 0.04 * look["light_x"] * scale) + np.square(
            piece.row - tip[1] + 0.045 * scale
        )
        piece.paint(
            np.maximum(1 - shine / np.square(0.09 * scale), 0) * 0.6, np.minimum(skin * 1.2 + 0.08, 1)
        )
        for wing in (left, right):
            x = (piece.column - (wing[0] * 0.55 + under[0] * 0.45)) / scale
            y = (piece.row - (wing[1] * 0.5 + under[1] * 0.5) + 0.01 * scale) / scale
            hole = 1 - np.sqrt(np.square(x / 0.055) + np.square(y / 0.03))
            piece.paint(edge(hole * 0.04 * scale) * 0.75, skin * _rgb(0.36, 0.25, 0.24))


def mouth(field: Field, look: Look, head: Head) -> None:
    scale = look["scale"]
    lip = look["lip_colour"]
    width = mouth_width(look)
    with window(field, (head.mouth.column, head.mouth.row), reach(look, 0.56)) as piece:
        x, y = head.mouth.local(piece.column, piece.row)
        t = np.clip(x / width, -1.1, 1.1)
        ends = width * (1.01 - np.abs(x / width))
        top, inner, lower, bottom = lips(look, t)
        shadow = np.maximum(1 - np.square(t / 0.8) - np.square((y - bottom - 0.06) / 0.07), 0)
        piece.paint(shadow * 0.4, look["skin_colour"] * _rgb(0.7, 0.58, 0.56))
        middle = (inner + lower) / 2
        piece.paint(edge(np.minimum(np.minimum(y - top, middle - y + 0.01), ends) * scale), lip * 0.86)
        gloss = np.maximum(
            1 - np.square(t / 0.5) - np.square((y - (lower + bottom) / 2) / (0.4 * look["lip_low"])), 0
        )
        piece.paint(
            edge(np.minimum(np.minimum(bottom - y, y - middle), ends) * scale),
            np.minimum(lip * (1 + 0.22 * gloss)[:, None], 1),
        )
        gap = np.minimum(np.minimum(y - inner, lower - y), ends)
        hole = edge(gap * scale) * (look["open"] > 0.02)
        piece.paint(hole, THROAT)
        tongue = 1 - np.sqrt(
            np.square(x / (0.62 * width)) + np.square((y - lower - 0.05) / (0.13 * look["open"] + 0.02))
        )
        piece.paint(hole * edge(tongue * 0.1 * scale), TONGUE)
        teeth = np.minimum(inner + 0.085 - y, (0.8 - np.abs(t)) * width)
        piece.paint(hole * edge(teeth * scale), TEETH * (1 - 0.25 * smooth(1 - (y - inner) / 0.04))[:, None])
        line = np.minimum(0.02 - np.abs(y - inner), ends) * (1 - np.float32(0.5) * (look["open"] > 0.02))
        piece.paint(edge(line * scale) * 0.8, lip * 0.42)


def glasses(field: Field, look: Look, head: Head) -> None:
    if look["glasses"].any():
        with among(field, look["glasses"], look, head.eyes) as (some, look, places):
            for side, eye in zip(SIDES, places, strict=True):
                with window(some, (eye.column, eye.row), reach(look, 0.8)) as piece:
                    _lens(piece, look, side, eye.local(piece.column, piece.row))


def _lens(piece: Field, look: Look, side: int, local: Pair) -> None:
    """One glass, its half of the bridge, and the bar to the ear."""
    line = 0.04
    scale = look["scale"]
    x = local[0]
    y = local[1] - 0.02
    circle = look["glasses_round"] > 0.5
    u = np.square(x / 0.355)
    v = np.square(y / (0.26 + np.float32(0.075) * circle))
    away = (np.where(circle, np.sqrt(u + v), np.sqrt(np.sqrt(u * u + v * v))) - 1) * 0.3
    out = x * side
    bridge = np.minimum(
        line - np.abs(y + 0.06 - 0.3 * np.square(out + look["eye_x"])),
        np.minimum(-0.34 - out, out + look["eye_x"] + 0.03) * 9,
    )
    bar = np.minimum(line - np.abs(y + 0.08), np.minimum(out - 0.34, 0.62 - out) * 9)
    glare = smooth(1 - np.abs(x + 0.6 * y - 0.1) * 9) * 0.2 + 0.07
    piece.paint(edge(-away * scale) * glare, WHITE, lit=False)
    piece.paint(edge(np.maximum(line - np.abs(away), np.maximum(bridge, bar)) * scale), look["frame_colour"])
