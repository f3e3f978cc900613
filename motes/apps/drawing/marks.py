"""Marks of particles over a picture, and sheets of many pictures. The report uses `Mark` too."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from motes.ops.points.pixels import pixels_of_points
from motes.ops.rendering.footprints import VisibleBoxes
from motes.types.latents import Particles

Colour = tuple[int, int, int]
# one colour a particle, by its number; with the white rim they differ on light and on dark backgrounds
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
# lines are drawn this much larger and shrunk, which rounds their steps
SMOOTH = 4
# below this side, numbers would hide the picture
NUMBERED = 160


@dataclass(frozen=True)
class Mark:
    """How one particle is drawn on a picture; lengths are fractions of the picture's side."""

    number: int
    # from 0 to 1 between the edges of the picture
    column: float
    row: float
    # larger where the position is more certain
    radius: float
    # the model is sure that something is there
    sure: bool
    label: str
    # around what is visible of the particle: top, left, bottom, right
    box: tuple[float, float, float, float] | None = None

    @property
    def colour(self) -> Colour:
        return COLOURS[self.number % len(COLOURS)]


def marks(
    particles: Particles,
    picture: int,
    boxes: VisibleBoxes | None = None,
    middles: Float[Tensor, "B K 2"] | None = None,
) -> list[Mark]:
    """The marks of one picture's particles; with boxes around those of which the model is sure.

    A mark is at the middle of what its particle draws (`motes.models.middles`) or, if `middles` are not given,
    at its position.

    Particles that the model doubts come first, so that the marks of the others are drawn over theirs.
    """
    outline = _outlines(boxes, picture, particles.count)
    middles = particles.position if middles is None else middles
    centres = ((middles[picture].cpu() + 1) / 2).tolist()
    sure = (particles.confident().presence[picture] > 0.5).tolist()
    radius = _radii(particles.confidence[picture])
    label = _labels(particles, picture)
    drawn = [
        Mark(
            number=k,
            column=centres[k][1],
            row=centres[k][0],
            radius=radius[k] if sure[k] else 0.013,
            sure=sure[k],
            label=label[k] if sure[k] else f"{label[k]} (doubted)",
            box=outline[k] if sure[k] else None,
        )
        for k in range(particles.count)
    ]
    return sorted(drawn, key=lambda mark: mark.sure)


def _outlines(
    boxes: VisibleBoxes | None, picture: int, count: int
) -> list[tuple[float, float, float, float] | None]:
    """Each particle's box in fractions of the picture's sides; None for a particle that is not visible."""
    if boxes is None:
        return [None] * count
    height, width = boxes.canvas
    return [
        (top / height, left / width, bottom / height, right / width) if visible else None
        for (top, left, bottom, right), visible in zip(
            boxes.box[picture].tolist(), boxes.visible[picture].tolist(), strict=True
        )
    ]


def _radii(confidence: Float[Tensor, " K"]) -> list[float]:
    """The radius of each particle's mark: largest for the most certain position, smallest for the least
    certain one."""
    lowest = confidence.min()
    share = (confidence - lowest) / (confidence.max() - lowest).clamp_min(1e-6)
    return [0.026 + 0.024 * value for value in share.tolist()]


def _labels(particles: Particles, picture: int) -> list[str]:
    presence = particles.presence[picture].tolist()
    # the geometric mean of both axes; a side is 2 long
    spread = (0.25 * particles.log_variance[picture].sum(-1)).exp().div(2).tolist()
    return [
        f"particle {k}: presence {presence[k]:.2f}, place ± {spread[k]:.3f} sides"
        for k in range(particles.count)
    ]


def to_picture(image: Tensor, side: int = 0) -> Image.Image:
    """A C H W tensor with values in [0, 1] as a picture.

    Each pixel becomes a square of whole pixels, so that the longer side is about `side`; 0 does not enlarge.
    """
    pixels = (image.detach().float().clamp(0, 1).cpu().numpy() * 255 + 0.5).astype(np.uint8)
    picture = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).convert("RGB")
    zoom = max(side // max(picture.size), 1)
    return picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST)


def with_particles(
    image: Tensor,
    particles: Particles,
    row: int,
    side: int = 256,
    boxes: VisibleBoxes | None = None,
    middles: Float[Tensor, "B K 2"] | None = None,
) -> Image.Image:
    """The picture with a mark on each particle.

    A particle that the model is sure of gets a numbered ring, which is larger if its position is more
    certain, and its box if boxes are given. A particle that the model doubts gets a faint dot.
    """
    picture = to_picture(image, side)
    layer, pen = _layer(picture)
    drawn = marks(particles, row, boxes, middles)
    for mark in drawn:
        if mark.box is not None:
            _outline(pen, mark.box, mark.colour, layer.size)
        centre = _pixel(mark.column, mark.row, layer.size)
        radius = mark.radius * min(layer.size)
        if mark.sure:
            _ring(pen, centre, radius, mark.colour)
        else:
            _faint_dot(pen, centre, radius)
    picture = laid_over(picture, layer)
    if min(picture.size) >= NUMBERED:
        _write_numbers(picture, [mark for mark in drawn if mark.sure])
    return picture


def with_points(image: Tensor, points: Tensor, side: int = 256) -> Image.Image:
    """The picture with a dot at each of the points, such as a prior's proposals.

    Their -1 and 1 are the middles of the outermost pixels.
    """
    picture = to_picture(image, side)
    layer, pen = _layer(picture)
    radius = 0.016 * min(layer.size)
    size = (image.shape[-2], image.shape[-1])
    middles = pixels_of_points(points.detach().cpu().float(), size) + 0.5
    for row, column in (middles / torch.tensor(size)).tolist():
        box = _box(_pixel(column, row, layer.size), radius)
        pen.ellipse(box, fill=(*PROPOSED, 255), outline=(40, 40, 40, 255), width=SMOOTH)
    return laid_over(picture, layer)


def cutout(glimpse: Tensor) -> Image.Image:
    """A decoded glimpse (channels: alpha, then colours) as a picture with transparency."""
    alpha = glimpse[:1]
    colour = glimpse[1:]
    colour = colour.expand(3, -1, -1) if len(colour) == 1 else colour
    picture = to_picture(colour)
    picture.putalpha(to_picture(alpha).convert("L"))
    return picture


def sheet(rows: Sequence[Sequence[Image.Image]], gap: int = 6) -> Image.Image:
    """One picture with rows of pictures on white, `gap` pixels apart."""
    heights = [max(picture.height for picture in row) for row in rows]
    widths = [sum(picture.width + gap for picture in row) for row in rows]
    paper = Image.new("RGB", (max(widths) - gap, sum(heights) + gap * (len(rows) - 1)), "white")
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for picture in row:
            paper.paste(picture, (left, top))
            left += picture.width + gap
        top += height + gap
    return paper


def as_data_uri(picture: Image.Image) -> str:
    memory = io.BytesIO()
    picture.save(memory, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(memory.getvalue()).decode()


def laid_over(picture: Image.Image, layer: Image.Image) -> Image.Image:
    """The picture with `layer` laid over it.

    The layer was drawn larger than the picture, and is shrunk to its size.
    """
    shrunk = layer.resize(picture.size, Image.Resampling.BOX)
    return Image.alpha_composite(picture.convert("RGBA"), shrunk).convert("RGB")


def _layer(picture: Image.Image) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    layer = Image.new("RGBA", (picture.width * SMOOTH, picture.height * SMOOTH))
    return layer, ImageDraw.Draw(layer)


def _pixel(column: float, row: float, size: tuple[int, int]) -> tuple[float, float]:
    return column * size[0], row * size[1]


def _box(centre: tuple[float, float], radius: float) -> list[float]:
    x, y = centre
    return [x - radius, y - radius, x + radius, y + radius]


def _faint_dot(pen: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float) -> None:
    pen.ellipse(_box(centre, radius), fill=(255, 255, 255, 110), outline=(60, 60, 60, 130), width=SMOOTH)


def _outline(
    pen: ImageDraw.ImageDraw,
    box: tuple[float, float, float, float],
    colour: Colour,
    size: tuple[int, int],
) -> None:
    """Draw a thin box with a pale rim outside of it."""
    top, left, bottom, right = box
    ends = (*_pixel(left, top, size), *_pixel(right, bottom, size))
    around = (ends[0] - SMOOTH, ends[1] - SMOOTH, ends[2] + SMOOTH, ends[3] + SMOOTH)
    pen.rectangle(around, outline=(255, 255, 255, 150), width=SMOOTH)
    pen.rectangle(ends, outline=(*colour, 255), width=2 * SMOOTH)


def _ring(pen: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: Colour) -> None:
    width = max(radius * 0.32, 1.5 * SMOOTH)
    rim = max(radius * 0.12, SMOOTH)
    pen.ellipse(_box(centre, radius + rim), outline=(255, 255, 255, 255), width=round(width + 2 * rim))
    pen.ellipse(_box(centre, radius), outline=(*colour, 255), width=round(width))


def _write_numbers(picture: Image.Image, shown: list[Mark]) -> None:
    """Write each mark's number beside the mark, to its upper right and inside the picture."""
    pen = ImageDraw.Draw(picture)
    size = max(round(min(picture.size) * 0.045), 9)
    font = ImageFont.load_default(size)
    for mark in shown:
        column, row = _pixel(mark.column, mark.row, picture.size)
        reach = mark.radius * min(picture.size) * 0.75
        number = str(mark.number)
        width = pen.textlength(number, font) + 2
        corner = (min(column + reach, picture.width - width), max(row - reach - size, 0))
        pen.text(corner, number, mark.colour, font, stroke_width=2, stroke_fill="white")
