"""Hair of a generated face: what is behind the head, what lies over the forehead, and beards; regions of the
head's own surface."""

import numpy as np

from motes.data.worlds.faces.anatomy import SIDES, Head, Look, Solid, View, mouth_width, outline, patch
from motes.data.worlds.faces.canvas import LAYERS, Field, among, edge, reach, window
from motes.data.worlds.portable import Array, smooth, wave

SHADE = np.array([0.66, 0.54, 0.52], np.float32)[:, None, None]  # of the skin under hair


def back_hair(field: Field, look: Look, head: Head) -> None:
    """Long hair, a bun, tails: behind the neck."""
    for name, paint in {"length": _curtain, "bun": _bun, "tails": _tails}.items():
        if look[name].any():
            with among(field, look[name], look, head.view) as parts:
                paint(*parts)


def _curtain(field: Field, look: Look, view: View) -> None:
    one = np.ones_like(look["scale"])
    back = patch(view, (0 * one, 0 * one, -0.25 * one), (one, 0 * one, 0 * one), (0 * one, one, 0 * one))
    x, y = back.local(field.column, field.row)
    half = 1.08 + look["hair_side"]
    wide = half * (1 + 0.12 * np.clip(y, 0, 2) - 0.1 * np.square(np.clip(y - 0.6, 0, 2)))
    wide += 0.09 * look["curl"] * wave(y * 1.7 + look["curl_phase"])
    strands = wave(x * 2.6 + 0.2 * wave(y * 0.8))
    ends = look["length"] - 0.22 * np.square(x) + 0.05 * strands
    inside = np.minimum(np.minimum(wide - np.abs(x), ends - y), y + 0.3)
    dome = (
        1 - np.sqrt(np.square(x / half) + np.square(y / (look["height"] + 0.05 + look["hair_top"])))
    ) * half
    _hair(
        field,
        look,
        edge(np.maximum(inside, dome) * look["scale"]),
        0.72 + 0.1 * strands - 0.12 * smooth(y * 0.6),
    )


def _bun(field: Field, look: Look, view: View) -> None:
    one = np.ones_like(look["scale"])
    knot = patch(
        view,
        (0 * one, -1.18 * one - look["hair_top"], -0.45 * one),
        (one, 0 * one, 0 * one),
        (0 * one, one, 0 * one),
    )
    with window(field, (knot.column, knot.row), reach(look, 0.45)) as piece:
        x, y = knot.local(piece.column, piece.row)
        away = np.sqrt(x * x + y * y)
        _hair(
            piece,
            look,
            edge((0.4 - away) * look["scale"]),
            0.9 - 0.3 * smooth(away * 2) + 0.1 * wave(x * 3 + y * 2),
        )


def _tails(field: Field, look: Look, view: View) -> None:
    one = np.ones_like(look["scale"])
    for side in SIDES:
        tail = patch(
            view,
            (1.2 * side * one, 0.42 * one, -0.4 * one),
            (one, 0 * one, 0 * one),
            (-0.35 * side * one, one, 0 * one),
        )
        with window(field, (tail.column, tail.row), reach(look, 0.9)) as piece:
            x, y = tail.local(piece.column, piece.row)
            away = np.sqrt(np.square(x / (0.3 + 0.04 * wave(y * 2))) + np.square(y / 0.62))
            _hair(
                piece,
                look,
                edge((1 - away) * 0.35 * look["scale"]),
                0.8 + 0.12 * wave(x * 3.1) - 0.2 * smooth(y),
            )


def _hair(field: Field, look: Look, cover: Array, tone: Array) -> None:
    field.paint(cover, look["hair_colour"] * tone[:, None])


def front_hair(field: Field, look: Look, head: Head) -> None:
    """Hair on the head in front of the face, with its shadow on the skin."""
    most = 1.06 * (1.12 + look["hair_side"]).max()
    half = reach(look, float(most) + 0.35, float((look["height"] + look["hair_top"]).max()) + 0.3)
    with window(field, (head.hair.column, head.hair.row), half, tuple(LAYERS)) as piece:
        _mop(piece, look, head)


def _mop(field: Field, look: Look, head: Head) -> None:
    solid = head.hair
    curl = look["curl"]
    phase = look["curl_phase"]
    form = solid.level(field.column, field.row)
    root = np.sqrt(np.maximum(1 - form, 0))
    x, y, z, facing = (
        solid.surface(name, field.column, field.row, root) for name in ("x", "y", "z", "light")
    )
    locks = curl * wave(x * 1.5 + 0.25 * wave(y * 1.3) + phase) * wave(y * 1.6 + 0.25 * wave(x * 1.1))
    line = look["hair_line"] + look["hair_bend"] * x * x + look["hair_behind"] * np.clip(0.3 - z, 0, 2)
    line += look["jags"] * wave(x * 2.3 + phase) + 0.07 * locks
    line -= 0.22 * np.square(np.maximum(0.3 - np.abs(x - look["parting"]), 0)) * (look["jags"] == 0)
    below = np.minimum(line, 0.8) - y  # under the chin it would be a beard
    shade = smooth(below * 4 + 0.75) * field.face * np.float32(0.42) * (look["hair_line"] > -1.5)
    field.paint(shade, look["skin_colour"] * SHADE)
    cover = edge((1 - np.sqrt(np.maximum(form + 0.1 * locks, 0))) * solid.radius) * edge(
        below * look["scale"]
    )
    cover *= 1 - np.float32(0.14) * (look["hair_top"] < 0.02)
    strands = wave((x - look["parting"]) / (np.maximum(y, -1.9) + 2.1) * 4.2 + 0.22 * wave(y * 1.2 + phase))
    ring = smooth(1 - np.abs(y + 0.78 - 0.2 * x * x) * 4.5) * 0.25 * (1 - 0.7 * np.minimum(curl, 1))
    tone = (
        1
        + 0.07 * strands
        + ring
        + 0.22 * locks
        - 0.25 * smooth(0.35 - below * 1.5) * (look["length"] + curl == 0)
    )
    glow = look["dim"] + look["lamp"] * smooth(facing * 0.55 + 0.45)[:, None]
    field.paint(cover, np.minimum(look["hair_colour"] * 1.05 + 0.02, 1) * tone[:, None] * glow, lit=False)
    field.seen[:] *= 1 - cover


def beard(field: Field, look: Look, head: Head) -> None:
    """Stubble to full; a moustache, a goatee or all of the jaw."""
    if look["beard"].any():
        with among(field, look["beard"], look, head.skull, head.jaw) as parts:
            _beard(*parts)


def _beard(field: Field, look: Look, skull: Solid, jaw: Solid) -> None:
    with window(field, (jaw.column, jaw.row), reach(look, 1.15, 1.2), tuple(LAYERS)) as piece:
        cover, tone = _whiskers(piece, look, skull, jaw)
        piece.paint(cover, look["brow_colour"] * tone[:, None] + look["skin_colour"] * 0.06)


def _whiskers(field: Field, look: Look, skull: Solid, jaw: Solid) -> tuple[Array, Array]:
    scale = look["scale"]
    shape = look["beard_shape"]
    place = (field.column, field.row)
    root = np.sqrt(np.maximum(1 - jaw.level(*place), 0))
    x, y = (jaw.surface(name, *place, root) for name in "xy")
    wide = mouth_width(look)
    lip = look["mouth_y"] + 0.04 * look["open"]
    full = y - (lip + 0.12 - 1.5 * x * x)
    chin = (1 - np.sqrt(np.square(x / (wide + 0.1)) + np.square((y - lip - 0.16) / 0.4))) * 0.36
    droop = 1.3 * x * x  # a moustache hangs at its ends
    upper = np.minimum(y - (look["nose_y"] + 0.13 + droop), lip - 0.02 + droop * 0.9 - y)
    upper = np.minimum(upper, wide + 0.04 - np.abs(x))
    region = np.where(shape < 0.2, upper, np.maximum(upper, np.where(shape < 0.45, chin, full)))
    mouth = np.sqrt(np.square(x / (wide * 0.85)) + np.square((y - lip - 0.04) / 0.17)) - 1
    region = np.where(
        shape < 0.2, region, np.minimum(region, np.maximum(mouth * 0.2, np.minimum(upper, lip - 0.02 - y)))
    )
    outside, _ = outline(skull, jaw, *place)
    tuft = edge(0.07 * look["beard"] * scale * (shape > 0.2) - outside)
    cover = smooth(region * scale * 0.7 + 0.5) * np.maximum(tuft, field.face) * (0.3 + 0.62 * look["beard"])
    return cover, 0.9 + 0.07 * wave(x * 4)
