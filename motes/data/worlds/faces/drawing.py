"""Faces from numbers to pixels: the layers of a picture from the back to the front; the layers behind the
face, and the skin."""

import numpy as np

from motes.data.worlds.faces.anatomy import SIDES, Head, Look, Patch, chosen, head_of, outline, patch, planes
from motes.data.worlds.faces.canvas import FINER, LAYERS, Field, Some, canvas, edge, finished, reach, window
from motes.data.worlds.faces.features import blush, brows, eyes, glasses, mouth, nose
from motes.data.worlds.faces.hair import back_hair, beard, front_hair
from motes.data.worlds.portable import Array, keep_memory, smooth, wave

BLOCK = 2**17  # canvas pixels painted at once: what fits a processor's cache
EAR = np.array([0.97, 0.9, 0.88], np.float32)[:, None, None]  # redder than the face


def draw(look: Look, size: tuple[int, int]) -> tuple[Array, Array]:
    """Pictures, uint8 B 3 H W, and bool B 2 H W: the face that is visible, and the whole face."""
    keep_memory()
    flat = {name: plane(value) for name, value in look.items()}
    head = planes(head_of({name: value[:, None] for name, value in look.items() if value.ndim == 1}))
    count = len(look["yaw"])
    step = max(BLOCK // (4 * size[0] * size[1]), 1)
    blocks = [slice(first, first + step) for first in range(0, count, step)]
    pictures, masks = zip(
        *(_draw(Some(flat, block), chosen(head, block), size) for block in blocks), strict=True
    )
    return np.concatenate(pictures), np.concatenate(masks)


def _draw(look: Look, head: Head, size: tuple[int, int]) -> tuple[Array, Array]:
    field = canvas(len(look["yaw"]), size)
    _background(field, look)
    field.light[:] = look["dim"] + look["lamp"] * np.float32(0.6)
    back_hair(field, look, head)
    below = float((field.row[:, -1:] - look["row"] - 0.4 * look["scale"]).max()) / 2 + 1
    with window(field, (0 * look["row"], field.row[:, -1:] - below), (float(size[1]), below)) as piece:
        _torso(piece, look, head)
    _ears(field, look, head, near=False)
    with window(
        field,
        (head.view.column, head.view.row + 0.15 * look["scale"]),
        reach(look, 1.15, 1.55),
        tuple(LAYERS),
    ) as piece:
        _skin(piece, look, head)
    _ears(field, look, head, near=True)
    for paint in (blush, eyes, nose, beard, mouth, front_hair, brows, glasses):
        paint(field, look, head)
    return finished(field), np.stack([_halved(field.seen), _halved(field.face)], 1)


def plane(value: Array) -> Array:
    """Numbers B to B 1 1, colours B 3 to B 3 1 1."""
    return value.astype(np.float32)[..., None, None]


def _halved(cover: Array) -> Array:
    tall = cover[:, ::2] + cover[:, 1::2]
    return tall[..., ::2] + tall[..., 1::2] > 2


def _background(field: Field, look: Look) -> None:
    """Two colours over a slope, and on it nothing, soft discs, stripes, tiles or clouds; at the picture's
    own size, then doubled."""
    column = field.column[:, :, ::FINER]
    row = field.row[:, ::FINER]
    half = np.float32(max(column.shape[2], row.shape[1]) / 2)
    x = column / half - 1
    y = row / half - 1
    across = x * look["back_east"] + y * look["back_south"]
    kind, grain, phase, other = (look[f"back_{name}"] for name in ("kind", "grain", "phase", "phase_2"))
    strength = look["back_strength"]
    tone = np.where(
        kind < 0.62, wave(across * grain + phase), wave(x * grain + phase) * wave(y * grain + other)
    )
    bend = wave(across * 0.6 + 0.35 * wave(y * 0.7 + phase) + other) + 0.5 * wave(
        y * 1.1 + 0.3 * wave(x * 1.3 + other) + phase
    )
    tone = np.where(kind < 0.62, np.clip(tone * 3, -1, 1), tone)
    tone = np.where(kind > 0.78, bend, tone) * (kind > 0.48) * strength
    for n in range(6):
        left, top, wide, bright = (look["back_spots"][:, n, k] for k in range(4))
        away = np.square(x - (left * 2 - 1)) + np.square(y - (top * 2 - 1))
        disc = np.clip((np.square(0.12 + 0.3 * wide) - away) * 12, 0, 1)
        tone = tone + disc * (bright - 0.35) * strength * 1.6 * ((kind > 0.25) & (kind <= 0.48))
    slope = smooth(across * 0.5 + 0.5)[:, None]
    colour = look["back_first"] + (look["back_second"] - look["back_first"]) * slope + tone[:, None]
    colour = np.clip(colour * (look["dim"] + look["lamp"] * np.float32(0.75)), 0, 1)
    for row_step in range(FINER):
        for column_step in range(FINER):
            field.colour[:, :, row_step::FINER, column_step::FINER] = colour


def _torso(field: Field, look: Look, head: Head) -> None:
    scale = look["scale"]
    zero = 0 * look["scale"]
    top = head.view.project(zero, zero + 0.5, zero - 0.15)
    base = head.view.project(zero, zero + 1.6, zero - 0.3)
    middle = base[0] * 0.7 + look["column"] * 0.3
    chest = look["row"] + scale * 1.62
    x = (field.column - middle) / scale
    y = (field.row - chest) / scale
    wide = look["shoulder"]
    form = np.square(x / wide) + np.square(np.minimum(y - 0.62, 0) / 0.62)
    dress = edge((1 - np.sqrt(form)) * scale * 0.8)
    shape = 1 - 0.18 * np.square(x / wide) + 0.12 * x * look["light_x"]
    stripes = np.where(look["cloth_stripes"] > 0.75, 0.14 * np.clip(wave(y * 2.2) * 4, -1, 1), 0)
    stripes = np.where(look["cloth_stripes"] < 0.12, 0.1 * np.clip(wave(x * 2.5) * 4, -1, 1), stripes)
    field.paint(dress, look["cloth"] * (shape + stripes)[:, None])
    slope = (base[0] - top[0]) / (base[1] - top[1])
    along = np.abs(field.column - top[0] - slope * (field.row - top[1])) / scale
    neckline = np.where(
        look["collar"] < 0.4,
        0.28 - np.square(x) * 0.9,
        np.where(look["collar"] < 0.75, 0.62 - 1.5 * np.abs(x), 0.16 - 0.5 * np.square(x)),
    )
    throat = np.minimum(
        look["neck"] * (1 + 0.25 * np.square(np.clip(y + 0.3, 0, 1))) - along, (field.row - top[1]) / scale
    )
    inside = np.minimum(
        np.where(y > 0, np.maximum(throat, look["neck"] * 1.25 - np.abs(x)), throat), neckline - y
    )
    trim = 0.07 + np.float32(0.05) * (look["collar"] > 0.75)
    field.paint(edge((np.minimum(inside, 0) + trim) * scale) * dress, look["cloth"] * 0.78)
    shade = 1 - 0.34 * smooth((0.35 - y) * 2.2) + 0.1 * look["light_x"] * x
    field.paint(edge(inside * scale), look["skin_colour"] * shade[:, None])


def _ears(field: Field, look: Look, head: Head, near: bool) -> None:
    one = np.ones_like(look["scale"])
    for side in SIDES:
        place = (side * 1.0 * one, look["eye_y"] + 0.1, -0.06 * one)
        of = head.view.turn[2]
        depth = of[0] * place[0] + of[1] * place[1] + of[2] * place[2]
        wanted = np.equal(depth > 0.04, near)
        if wanted.any():
            ear = patch(
                head.view, place, (0.75 * one, 0 * one, -0.66 * side * one), (0.06 * side * one, one, 0 * one)
            )
            with window(field, (ear.column, ear.row), reach(look, 0.4)) as piece:
                _ear(piece, look, side, ear, wanted)


def _ear(field: Field, look: Look, side: int, ear: Patch, wanted: Array) -> None:
    x, y = ear.local(field.column, field.row)
    y = y / look["ear"]
    x = (x - 0.05 * side) / (look["ear"] * (0.66 - 0.16 * np.clip(y, -1, 1)))
    away = np.sqrt(x * x + y * y)
    rim = 1 - 0.26 * smooth((0.8 - away) * 4) + 0.12 * smooth((0.4 - away) * 4)
    cover = edge((1 - away) * look["ear"] * 0.7 * look["scale"]) * wanted
    field.paint(cover, look["skin_colour"] * rim[:, None] * EAR)


def _skin(field: Field, look: Look, head: Head) -> None:
    """The face without its parts; sets the light that falls on all that is painted upon it."""
    skull = head.skull
    jaw = head.jaw
    outside, share = outline(skull, jaw, field.column, field.row)
    facing = []
    for part in (skull, jaw):
        root = np.sqrt(np.maximum(1 - part.level(field.column, field.row), 0))
        facing.append(part.surface("light", field.column, field.row, root))
    facing = facing[0] + (facing[1] - facing[0]) * share
    near = np.clip(1 - outside / (0.1 * look["scale"]), 0, 1)[:, None]
    field.light[:] += (
        look["dim"] + look["lamp"] * smooth(facing * 0.55 + 0.45)[:, None] - field.light
    ) * near
    cover = edge(-outside)
    rim = np.clip(1 + outside / (0.22 * look["scale"]), 0, 1)
    field.paint(
        cover,
        look["skin_colour"]
        * (1 - np.array([0.06, 0.13, 0.14], np.float32)[:, None, None] * (rim * rim)[:, None]),
    )
    field.face[:] = field.seen[:] = cover
