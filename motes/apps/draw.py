"""Pictures for people: particles over a picture, sheets of many, curves. PIL and SVG, nothing heavier."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from motes.ops.types import Particles

SURE, DOUBTED, PROPOSED = (255, 64, 129), (150, 150, 150), (255, 193, 7)


def to_picture(image: Tensor, side: int = 0) -> Image.Image:
    """A C H W tensor in [0, 1]; enlarged by whole pixels to about `side`."""
    pixels = (image.detach().clamp(0, 1).cpu().numpy() * 255 + 0.5).astype(np.uint8)
    picture = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).convert("RGB")
    zoom = max(side // max(picture.size), 1)
    return picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST)


def with_particles(image: Tensor, particles: Particles, row: int, side: int = 256) -> Image.Image:
    """Rings at the particles: pink where the model is sure, larger the surer of the place; grey where it doubts."""
    picture = to_picture(image, side)
    pen = ImageDraw.Draw(picture)
    there = particles.confident().presence[row] > 0.5
    surest = particles.confidence[row]
    span = (surest - surest.min()) / (surest.max() - surest.min()).clamp_min(1e-6)
    unit = max(picture.size) / 64
    for k in sorted(range(len(particles)), key=lambda k: bool(there[k])):
        radius = unit * (1.2 + 1.3 * float(span[k])) if there[k] else unit * 0.8
        _ring(
            pen,
            _pixel(particles.position[row, k], picture.size),
            radius,
            SURE if there[k] else DOUBTED,
            max(int(unit / 2), 1),
        )
    return picture


def with_points(image: Tensor, points: Tensor, side: int = 256) -> Image.Image:
    picture = to_picture(image, side)
    pen = ImageDraw.Draw(picture)
    for point in points:
        _ring(pen, _pixel(point, picture.size), max(picture.size) / 64, PROPOSED, max(max(picture.size) // 128, 1))
    return picture


def glimpse_strip(glimpses: Tensor, side: int = 48) -> Image.Image:
    """Decoded glimpses of one picture over a chequered ground, so that alpha can be seen."""
    tiles = []
    for glimpse in glimpses:
        alpha, colour = glimpse[:1], glimpse[1:]
        grid = np.indices(tuple(glimpse.shape[1:])).sum(0) // 4 % 2
        ground = alpha.new_tensor(0.85 + 0.15 * grid)
        tiles.append(to_picture(alpha * colour + (1 - alpha) * ground, side))
    return sheet([tiles], gap=4)


def sheet(rows: Sequence[Sequence[Image.Image]], gap: int = 6) -> Image.Image:
    """Pictures in rows, on white."""
    height = sum(max(one.height for one in row) + gap for row in rows) - gap
    width = max(sum(one.width + gap for one in row) - gap for row in rows)
    paper = Image.new("RGB", (width, height), "white")
    top = 0
    for row in rows:
        left = 0
        for one in row:
            paper.paste(one, (left, top))
            left += one.width + gap
        top += max(one.height for one in row) + gap
    return paper


def as_data_uri(picture: Image.Image) -> str:
    memory = io.BytesIO()
    picture.save(memory, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(memory.getvalue()).decode()


def curve(points: Sequence[tuple[float, float]], title: str) -> str:
    """One line as inline SVG, with its first, lowest and last values; logarithmic where the values span decades."""
    import math

    usable = [(x, y) for x, y in points if math.isfinite(y)]
    if len(usable) < 2:
        return ""
    low, high = min(y for _, y in usable), max(y for _, y in usable)
    scale = math.log10 if low > 0 and high / low > 30 else float
    bottom, span = scale(low), (scale(high) - scale(low)) or 1.0
    last = usable[-1][0] or 1
    path = " ".join(f"{x / last * 300:.1f},{90 - (scale(y) - bottom) / span * 80:.1f}" for x, y in usable)
    note = f"{usable[0][1]:.4g} → {usable[-1][1]:.4g}" + (" (log)" if scale is math.log10 else "")
    return (
        f'<figure class="curve"><figcaption>{title} <span>{note}</span></figcaption><svg viewBox="0 0 300 100" role="img" aria-label="{title}: {note}">'
        f'<line x1="0" y1="95" x2="300" y2="95"/><polyline points="{path}"/></svg></figure>'
    )


def _pixel(position: Tensor, size: tuple[int, int]) -> tuple[float, float]:
    row, column = ((position.cpu() + 1) / 2).tolist()
    return column * (size[0] - 1), row * (size[1] - 1)


def _ring(pen: ImageDraw.ImageDraw, at: tuple[float, float], radius: float, colour: tuple[int, int, int], width: int) -> None:
    for r, paint, thick in (
        (radius + 1, (255, 255, 255), width + 2),
        (radius, colour, width),
    ):  # a white rim keeps it visible on any ground
        pen.ellipse([at[0] - r, at[1] - r, at[0] + r, at[1] + r], outline=paint, width=thick)
