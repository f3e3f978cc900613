"""Draw faces from the numbers that describe them: the layers of a picture from back to front, and the
skin."""

import numpy as np

from motes.data.worlds.faces.background import background, scenery
from motes.data.worlds.faces.beard import beard
from motes.data.worlds.faces.body import ears, torso
from motes.data.worlds.faces.canvas import (
    FINER,
    LAYERS,
    Canvas,
    PartOfLook,
    downsampled,
    edge,
    empty_canvas,
    reach,
    window,
)
from motes.data.worlds.faces.eye_region import blush, brows, eyes, glasses
from motes.data.worlds.faces.geometry import Look, ProjectedEllipsoid, planes, select_pictures
from motes.data.worlds.faces.hair import back_hair, front_hair
from motes.data.worlds.faces.head import Head, head_of, outline
from motes.data.worlds.faces.nose_and_mouth import mouth, nose
from motes.data.worlds.portable import Array, keep_memory, smooth

BLOCK = 2**17  # canvas pixels painted at once: what fits a processor's cache
RIM = np.array([0.06, 0.13, 0.14], np.float32)[:, None, None]  # how much darker skin is at the face's edge


def draw_faces(look: Look, size: tuple[int, int], behind: Array | None = None) -> tuple[Array, Array]:
    """Draw the pictures, uint8 B 3 H W, and the masks, bool B 2 H W: the face's visible part, and the full
    face.

    `behind` is what stands behind each face, B 3 H W, instead of the background of its look.
    """
    keep_memory()
    flat = {name: _plane(value) for name, value in look.items()}
    head = planes(head_of({name: value[:, None] for name, value in look.items() if value.ndim == 1}))
    drawn = [
        _draw_block(
            PartOfLook(flat, block),
            select_pictures(head, block),
            size,
            None if behind is None else behind[block],
        )
        for block in _blocks(len(look["yaw"]), size)
    ]
    pictures, masks = zip(*drawn, strict=True)
    return np.concatenate(pictures), np.concatenate(masks)


def _blocks(count: int, size: tuple[int, int]) -> list[slice]:
    step = max(BLOCK // (4 * size[0] * size[1]), 1)
    return [slice(first, first + step) for first in range(0, count, step)]


def _draw_block(look: Look, head: Head, size: tuple[int, int], behind: Array | None) -> tuple[Array, Array]:
    canvas = empty_canvas(len(look["yaw"]), size)
    if behind is None:
        background(canvas, look)
    else:
        scenery(canvas, behind)
    canvas.light[:] = look["dim"] + look["lamp"] * np.float32(0.6)
    back_hair(canvas, look, head)
    _torso(canvas, look, head)
    ears(canvas, look, head, near=False)
    _skin(canvas, look, head)
    ears(canvas, look, head, near=True)
    for paint in (blush, eyes, nose, beard, mouth, front_hair, brows, glasses):
        paint(canvas, look, head)
    return downsampled(canvas), np.stack([_halved(canvas.visible), _halved(canvas.face)], 1)


def _plane(value: Array) -> Array:
    """Numbers B as an array B 1 1, and colours B 3 as B 3 1 1."""
    return value.astype(np.float32)[..., None, None]


def _halved(cover: Array) -> Array:
    """Whether more than half of the four canvas pixels of each pixel is covered."""
    rows = cover[:, ::2] + cover[:, 1::2]
    return rows[..., ::2] + rows[..., 1::2] > 2


def _torso(canvas: Canvas, look: Look, head: Head) -> None:
    """Paint the torso in a window over the full width, from the chin to the lower edge."""
    bottom = canvas.row[:, -1:]
    half = float((bottom - look["row"] - 0.4 * look["scale"]).max()) / 2 + 1
    width = float(canvas.face.shape[2] // FINER)
    with window(canvas, (0 * look["row"], bottom - half), (width, half)) as piece:
        torso(piece, look, head)


def _skin(canvas: Canvas, look: Look, head: Head) -> None:
    """Paint the face without its features, in its window."""
    centre = (head.pose.column, head.pose.row + 0.15 * look["scale"])
    with window(canvas, centre, reach(look, 1.15, 1.55), tuple(LAYERS)) as piece:
        outside, jaw_share = outline(head.skull, head.jaw, piece.column, piece.row)
        _set_light(piece, look, head, outside, jaw_share)
        rim = np.clip(1 + outside / (0.22 * look["scale"]), 0, 1)
        cover = edge(-outside)
        piece.paint(cover, look["skin_colour"] * (1 - RIM * (rim * rim)[:, None]))
        piece.face[:] = piece.visible[:] = cover


def _light_cosine(canvas: Canvas, part: ProjectedEllipsoid) -> Array:
    return part.light_cosine(canvas.column, canvas.row, part.root(canvas.column, canvas.row))


def _set_light(canvas: Canvas, look: Look, head: Head, outside: Array, jaw_share: Array) -> None:
    """Set the canvas's layer of light to the light on the face; it falls on all that is painted later."""
    skull, jaw = (_light_cosine(canvas, part) for part in (head.skull, head.jaw))
    facing = skull + (jaw - skull) * jaw_share
    near = np.clip(1 - outside / (0.1 * look["scale"]), 0, 1)[:, None]
    light = look["dim"] + look["lamp"] * smooth(facing * 0.55 + 0.45)[:, None]
    canvas.light[:] += (light - canvas.light) * near
