"""A chair seen from a side: rays into its parts, a lamp beside the camera, its own shadows; the picture and
how much of each pixel it covers.

Only + - * / and square roots on single numbers, so that the pixels are the same on every machine.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from motes.data.worlds.chairs.anatomy import Part, dot

NEVER = np.float32(1e9)
# of the camera, from the chair; height it looks at; half of what the picture shows there
AWAY = 4.0
MIDDLE = 0.46
HALF = 0.66
GROUND = 0.97  # grey level around the chair
# light from everywhere, from the lamp, and what of the lamp's is left in shadows
AMBIENT = 0.46
LAMP = 0.62
SHADOW = 0.25
TINY = np.float32(1e-9)


@dataclass(frozen=True)
class Eye:
    """Where a camera stands and what is right, up and ahead of it."""

    place: np.ndarray
    right: np.ndarray
    up: np.ndarray
    ahead: np.ndarray

    @classmethod
    def at(cls, azimuth: tuple[float, float], elevation: tuple[float, float]) -> "Eye":
        """Of (cosine, sine): azimuth 0 sees the front, elevation 0 from the side."""
        a, b = azimuth
        c, d = elevation
        back = np.array([b * c, -a * c, d])
        return cls(
            np.array([0, 0, MIDDLE]) + AWAY * back, np.array([a, b, 0]), np.array([-b * d, a * d, c]), -back
        )


def draw(parts: list[Part], eye: Eye, size: tuple[int, int], fine: int) -> tuple[np.ndarray, np.ndarray]:
    """Light in [0, 1], H W 3, and the share of each pixel that is chair, H W."""
    rows = size[0] * fine
    columns = size[1] * fine
    unit = 2 * HALF / min(rows, columns)
    down = ((np.arange(rows) + 0.5 - rows / 2) * unit)[:, None, None]
    across = ((np.arange(columns) + 0.5 - columns / 2) * unit)[None, :, None]
    way = (AWAY * eye.ahead + across * eye.right - down * eye.up).astype(np.float32)
    nearest = np.full((rows, columns), NEVER)
    normal = np.zeros((rows, columns, 3), np.float32)
    colour = np.full((rows, columns, 3), GROUND, np.float32)
    for part in parts:
        place = _window(part, eye, unit, (rows, columns))
        distance, facing = entered(part, eye.place.astype(np.float32), way[place])
        closer = distance < nearest[place]
        nearest[place] = np.where(closer, distance, nearest[place])
        normal[place] = np.where(closer[..., None], facing, normal[place])
        colour[place] = np.where(closer[..., None], part.colour.astype(np.float32), colour[place])
    seen = nearest < NEVER
    lamp = (-eye.ahead * 0.6 - eye.right * 0.45 + eye.up * 0.35 + np.array([0, 0, 0.55])).astype(np.float32)
    lamp = lamp / np.sqrt(dot(lamp, lamp))
    points = (
        eye.place.astype(np.float32) + nearest[seen][:, None] * way[seen] + np.float32(2e-3) * normal[seen]
    )
    colour[seen] *= _light(points, normal[seen], lamp, parts)[:, None]
    return _averaged(np.clip(colour, 0, 1), fine), _averaged(seen.astype(np.float32)[..., None], fine)[..., 0]


def entered(part: Part, origin: np.ndarray, way: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far along each ray the part begins, `NEVER` where it is missed or lies behind; which way its
    surface faces there."""
    axes = part.axes.astype(np.float32)
    half = part.half.astype(np.float32)
    start = [
        dot(origin - part.centre.astype(np.float32), axis) / h for axis, h in zip(axes, half, strict=True)
    ]
    steps = [dot(way, axis) / h for axis, h in zip(axes, half, strict=True)]
    steps = [np.where(np.abs(step) < TINY, TINY, step) for step in steps]
    low, high, own = _through(part.round, start, steps)
    top = (np.sign(steps[2]) * -1 - start[2]) / steps[2]
    bottom = (np.sign(steps[2]) - start[2]) / steps[2]
    lid = top > low
    low = np.where(lid, top, low)
    high = np.minimum(high, bottom)
    ends = np.stack([np.zeros_like(low), np.zeros_like(low), -np.sign(steps[2]) + 0 * low], -1)
    own = np.where(lid[..., None], ends, own)
    facing = own[..., :1] * axes[0] + own[..., 1:2] * axes[1] + own[..., 2:] * axes[2]
    return np.where((low < high) & (low > 0), low, NEVER), facing


def _through(
    is_round: bool, start: list[Any], steps: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Between which distances a ray is inside the cross-section, and how the wall that it enters by faces."""
    x, y = start[:2]
    u, v = steps[:2]
    if is_round:
        a = u * u + v * v
        b = x * u + y * v
        root = b * b - a * (x * x + y * y - 1)
        inside = np.sqrt(np.maximum(root, 0))
        low = (-b - inside) / a
        high = np.where(root > 0, (-b + inside) / a, -NEVER)
        return low, high, np.stack([x + low * u, y + low * v, np.zeros_like(low)], -1)
    near = [(-np.sign(step) - place) / step for place, step in ((x, u), (y, v))]
    far = [(np.sign(step) - place) / step for place, step in ((x, u), (y, v))]
    first = near[0] > near[1]
    wall = np.stack([np.where(first, -np.sign(u), 0), np.where(first, 0, -np.sign(v)), np.zeros_like(u)], -1)
    return np.maximum(*near), np.minimum(*far), wall.astype(np.float32)


def _light(points: np.ndarray, normal: np.ndarray, lamp: np.ndarray, parts: list[Part]) -> np.ndarray:
    """From the lamp, where no part stands before it, and from everywhere, more from above; low parts get
    less."""
    dark = np.zeros(len(points), bool)
    for part in parts:
        dark |= entered(part, points, np.broadcast_to(lamp, points.shape))[0] < NEVER
    lamps = np.maximum(dot(normal, lamp), 0) * np.where(dark, np.float32(SHADOW), np.float32(1))
    around = AMBIENT * (0.82 + 0.18 * normal[:, 2]) * (0.78 + 0.22 * np.clip(points[:, 2] / 0.5, 0, 1))
    return (around + LAMP * lamps).astype(np.float32)


def _window(part: Part, eye: Eye, unit: float, size: tuple[int, int]) -> tuple[slice, slice]:
    """The rows and columns in which all its corners lie."""
    signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], np.float64) * part.half
    corners = (
        part.centre
        + signs[:, :1] * part.axes[0]
        + signs[:, 1:2] * part.axes[1]
        + signs[:, 2:] * part.axes[2]
        - eye.place
    )
    ahead = dot(corners, eye.ahead) / AWAY
    places = (
        -dot(corners, eye.up) / ahead / unit + size[0] / 2,
        dot(corners, eye.right) / ahead / unit + size[1] / 2,
    )
    return tuple(  # type: ignore[return-value]
        slice(max(int(place.min()) - 2, 0), max(min(int(place.max()) + 3, side), 0))
        for place, side in zip(places, size, strict=True)
    )


def _averaged(values: np.ndarray, fine: int) -> np.ndarray:
    """Of fine x fine rays a pixel, one addition after the other."""
    total = sum(values[i::fine, j::fine] for i in range(fine) for j in range(fine))
    return np.asarray(total) / (fine * fine)
