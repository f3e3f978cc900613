"""Pictures for people: particles over a picture, sheets of many. PIL, nothing heavier; `Mark` is what the
report draws from as well."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from motes.types.latents import Particles

Colour = tuple[int, int, int]
# one colour a particle, by its number; light and dark enough to be told apart on any ground, with the white
# rim
COLOURS: tuple[Colour, ...] = (
    (230, 57, 110),
    (255, 159, 28),
    (46, 134, 222),
    (34, 160, 95),
    (142, 68, 216),
    (0, 150, 160),
    (214, 69, 25),
    (120, 110, 20),
    (200, 60, 180),
    (70, 90, 200),
)
PROPOSED: Colour = (255, 193, 7)
SMOOTH = 4  # lines are drawn this much larger and shrunk, which rounds their steps


@dataclass(frozen=True)
class Mark:
    """How one particle is drawn: lengths in sides of the picture."""

    number: int
    # 0 to 1 between the middles of the outer pixels
    column: float
    row: float
    # the surer of the place, the larger
    radius: float
    # the model is sure that something is
    there: bool
    label: str

    @property
    def colour(self) -> Colour:
        return COLOURS[self.number % len(COLOURS)]


def marks(particles: Particles, picture: int) -> list[Mark]:
    """Doubted ones first, so that the others are drawn over them."""
    position = ((particles.position[picture].cpu() + 1) / 2).tolist()
    sure = particles.confidence[picture]
    span = ((sure - sure.min()) / (sure.max() - sure.min()).clamp_min(1e-6)).tolist()
    there = (particles.confident().presence[picture] > 0.5).tolist()
    spread = (
        (0.25 * particles.log_variance[picture].sum(-1)).exp().div(2).tolist()
    )  # geometric mean of both axes; a side is 2
    presence = particles.presence[picture].tolist()
    found = [
        Mark(
            k,
            position[k][1],
            position[k][0],
            0.026 + 0.024 * span[k] if there[k] else 0.013,
            there[k],
            f"particle {k}: presence {presence[k]:.2f}, place ± {spread[k]:.3f} sides"
            + ("" if there[k] else " (doubted)"),
        )
        for k in range(particles.count)
    ]
    return sorted(found, key=lambda mark: mark.there)


def to_picture(image: Tensor, side: int = 0) -> Image.Image:
    """A C H W tensor in [0, 1]; enlarged by whole pixels to about `side`."""
    pixels = (image.detach().float().clamp(0, 1).cpu().numpy() * 255 + 0.5).astype(np.uint8)
    picture = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).convert("RGB")
    zoom = max(side // max(picture.size), 1)
    return picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST)


def with_particles(image: Tensor, particles: Particles, row: int, side: int = 256) -> Image.Image:
    """A numbered ring where the model is sure that something is, larger the surer of its place; a faint dot
    where it doubts."""
    picture = to_picture(image, side)
    layer, pen = _layer(picture)
    for mark in marks(particles, row):
        at = _pixel(mark.column, mark.row, layer.size)
        radius = mark.radius * min(layer.size)
        if mark.there:
            _ring(pen, at, radius, mark.colour)
        else:
            pen.ellipse(_box(at, radius), fill=(255, 255, 255, 110), outline=(60, 60, 60, 130), width=SMOOTH)
    picture = laid_over(picture, layer)
    if min(picture.size) >= 160:  # below, numbers would hide the picture
        _write_numbers(picture, [mark for mark in marks(particles, row) if mark.there])
    return picture


def with_points(image: Tensor, points: Tensor, side: int = 256) -> Image.Image:
    """Dots at B 2 points, such as a prior's proposals."""
    picture = to_picture(image, side)
    layer, pen = _layer(picture)
    for row, column in ((points.detach().cpu() + 1) / 2).tolist():
        pen.ellipse(
            _box(_pixel(column, row, layer.size), 0.016 * min(layer.size)),
            fill=(*PROPOSED, 255),
            outline=(40, 40, 40, 255),
            width=SMOOTH,
        )
    return laid_over(picture, layer)


def cutout(glimpse: Tensor) -> Image.Image:
    """A decoded glimpse (alpha, then colour) as a picture with transparency."""
    alpha = glimpse[:1]
    colour = glimpse[1:]
    colour = colour.expand(3, -1, -1) if len(colour) == 1 else colour
    picture = to_picture(colour)
    picture.putalpha(to_picture(alpha).convert("L"))
    return picture


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


def laid_over(picture: Image.Image, layer: Image.Image) -> Image.Image:
    """What was drawn larger, shrunk to the picture and put over it."""
    shrunk = layer.resize(picture.size, Image.Resampling.BOX)
    return Image.alpha_composite(picture.convert("RGBA"), shrunk).convert("RGB")


def _layer(picture: Image.Image) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    layer = Image.new("RGBA", (picture.width * SMOOTH, picture.height * SMOOTH))
    return layer, ImageDraw.Draw(layer)


def _pixel(column: float, row: float, size: tuple[int, int]) -> tuple[float, float]:
    return column * (size[0] - 1), row * (size[1] - 1)


def _box(at: tuple[float, float], radius: float) -> list[float]:
    return [at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius]


def _ring(pen: ImageDraw.ImageDraw, at: tuple[float, float], radius: float, colour: Colour) -> None:
    width = max(radius * 0.32, 1.5 * SMOOTH)
    rim = max(radius * 0.12, SMOOTH)
    pen.ellipse(_box(at, radius + rim), outline=(255, 255, 255, 255), width=round(width + 2 * rim))
    pen.ellipse(_box(at, radius), outline=(*colour, 255), width=round(width))


def _write_numbers(picture: Image.Image, shown: list[Mark]) -> None:
    pen = ImageDraw.Draw(picture)
    size = max(round(min(picture.size) * 0.045), 9)
    font = ImageFont.load_default(size)
    for mark in shown:
        column, row = _pixel(mark.column, mark.row, picture.size)
        reach = mark.radius * min(picture.size) * 0.75
        wide = pen.textlength(str(mark.number), font) + 2
        place = (
            min(column + reach, picture.width - wide),
            max(row - reach - size, 0),
        )  # up and right, never outside
        pen.text(place, str(mark.number), mark.colour, font, stroke_width=2, stroke_fill="white")
