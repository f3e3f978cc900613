"""Hair of a generated face: what is behind the head, what lies over the forehead, and beards; regions of the head's own surface."""

import numpy as np

from motes.data.face_anatomy import SIDES, Head, Look, mouth_width, outline, patch
from motes.data.face_canvas import Field, edge
from motes.data.portable import Array, smooth, wave


def back_hair(field: Field, look: Look, head: Head) -> None:
    """Long hair, a bun, tails: behind the neck."""
    scale, one = look["scale"], np.ones_like(look["scale"])
    zero = 0 * one
    back = patch(head.view, (zero, zero, -0.25 * one), (one, zero, zero), (zero, one, zero))
    x, y = back.local(field.column, field.row)
    tone = 0.72 + 0.1 * wave(x * 2.6 + 0.2 * wave(y * 0.8)) - 0.12 * smooth(y * 0.6)
    curl, half = look["curl"], 1.08 + look["hair_side"]
    wide = half * (1 + 0.12 * np.clip(y, 0, 2) - 0.1 * np.square(np.clip(y - 0.6, 0, 2))) + 0.09 * curl * wave(y * 1.7 + look["curl_phase"])
    ends = look["length"] - 0.22 * np.square(x) + 0.05 * wave(x * 2 + look["curl_phase"])
    inside = np.minimum(np.minimum(wide - np.abs(x), ends - y), y + 0.3)
    dome = (1 - np.sqrt(np.square(x / half) + np.square(y / (look["height"] + 0.05 + look["hair_top"])))) * half
    cover = edge(np.maximum(inside, dome) * scale) * (look["length"] > 0)
    knot = patch(head.view, (zero, -1.18 * one - look["hair_top"], -0.45 * one), (one, zero, zero), (zero, one, zero))
    u, v = knot.local(field.column, field.row)
    cover = np.maximum(cover, edge((0.4 - np.sqrt(u * u + v * v)) * scale) * look["bun"])
    for side in SIDES:
        tail = patch(head.view, (1.2 * side * one, 0.42 * one, -0.4 * one), (one, zero, zero), (-0.35 * side * one, one, zero))
        u, v = tail.local(field.column, field.row)
        away = np.sqrt(np.square(u / (0.3 + 0.04 * wave(v * 2))) + np.square(v / 0.62))
        cover = np.maximum(cover, edge((1 - away) * 0.35 * scale) * look["tails"])
    field.paint(cover, look["hair_colour"] * tone[:, None])


def front_hair(field: Field, look: Look, head: Head, face: Array) -> Array:
    """Hair on the head in front of the face, with its shadow on the skin; returns its cover."""
    scale, solid = look["scale"], head.hair
    place = (field.column, field.row)
    form = solid.level(*place)
    root = np.sqrt(np.maximum(1 - form, 0))
    x, y, z = (solid.surface(name, *place, root) for name in "xyz")
    curl = look["curl"]
    locks = wave(x * 1.5 + 0.25 * wave(y * 1.3) + look["curl_phase"]) * wave(y * 1.6 + 0.25 * wave(x * 1.1))
    line = look["hair_line"] + look["hair_bend"] * x * x + look["hair_behind"] * np.clip(0.3 - z, 0, 2)
    line = line + look["jags"] * wave(x * 2.3 + look["curl_phase"]) + 0.07 * curl * locks
    line = line - 0.22 * np.square(np.maximum(0.3 - np.abs(x - look["parting"]), 0)) * (look["jags"] == 0)
    below = line - y
    shell = edge((1 - np.sqrt(np.maximum(form + 0.1 * curl * locks, 0))) * solid.radius)
    shade = smooth(below * 4 + 0.75) * face * 0.42 * (look["hair_line"] > -1.5)
    field.paint(shade, look["skin_colour"] * np.array([0.66, 0.54, 0.52], np.float32)[:, None, None])
    cover = shell * edge(below * scale) * (1 - np.float32(0.14) * (look["hair_top"] < 0.02))
    facing = solid.surface("light", *place, root)
    strands = wave((x - look["parting"]) / (np.maximum(y, -1.9) + 2.1) * 4.2 + 0.22 * wave(y * 1.2 + look["curl_phase"])) * 0.1
    ring = smooth(1 - np.abs(y + 0.78 - 0.2 * x * x) * 4.5) * 0.25 * (1 - 0.7 * np.minimum(curl, 1))
    tone = 1 + strands + ring + 0.22 * curl * locks - 0.25 * smooth(0.35 - below * 1.5) * (look["length"] + curl == 0)
    glow = look["dim"] + look["lamp"] * smooth(facing * 0.55 + 0.45)[:, None]
    field.paint(cover, np.minimum(look["hair_colour"] * 1.05 + 0.02, 1) * tone[:, None] * glow, lit=False)
    return cover


def beard(field: Field, look: Look, head: Head, face: Array) -> None:
    """Stubble to full; a moustache, a goatee or all of the jaw."""
    if not look["beard"].any():
        return
    jaw, scale, shape = head.jaw, look["scale"], look["beard_shape"]
    place = (field.column, field.row)
    root = np.sqrt(np.maximum(1 - jaw.level(*place), 0))
    x, y = (jaw.surface(name, *place, root) for name in "xy")
    wide, lip = mouth_width(look), look["mouth_y"] + 0.04 * look["open"]
    full = y - (lip + 0.12 - 1.5 * x * x)
    chin = np.minimum(0.34 - np.abs(x), y - lip + 0.02 * np.abs(x))
    upper = np.minimum(y - (look["nose_y"] + 0.12 + 0.5 * x * x), np.minimum(wide + 0.05 - np.abs(x), lip + 0.16 - y))
    region = np.where(shape < 0.2, upper, np.maximum(upper, np.where(shape < 0.45, chin, full)))
    mouth = np.sqrt(np.square(x / (wide * 0.85)) + np.square((y - lip - 0.04) / 0.17)) - 1
    region = np.where(shape < 0.2, region, np.minimum(region, np.maximum(mouth * 0.2, np.minimum(upper, lip - 0.02 - y))))
    outside, _ = outline(head.skull, jaw, *place)
    tuft = edge(0.07 * look["beard"] * scale * (shape > 0.2) - outside)
    cover = smooth(region * scale * 0.7 + 0.5) * np.maximum(tuft, face) * (0.3 + 0.62 * look["beard"]) * (look["beard"] > 0)
    tone = 0.85 + 0.1 * wave(x * 5 + 0.3 * wave(y * 4))
    field.paint(cover, look["brow_colour"] * tone[:, None] + look["skin_colour"] * 0.06)
