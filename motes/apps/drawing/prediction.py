"""Drawings of predictions: films that show them beside the truth, and the paths of things in one picture."""

from collections.abc import Iterator

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from motes.apps.drawing.marks import COLOURS, SMOOTH, laid_over, to_picture
from motes.apps.session.foresight import Foresight

# pixels of the longer side of each part of the film, about
SIDE = 320
# pixels between the parts, and above them
GAP = 8
HEAD = 26
GIVEN = (120, 120, 120)
PREDICTED = (230, 110, 20)
# pixels of a line
WIDTH = 2


def film_frames(foresight: Foresight) -> Iterator[Image.Image]:
    """Yields given | predicted | truth side by side, frame by frame; the truth only where it is known.

    The first part holds the last given frame, with the paths as they grow; the second is what the model draws.
    """
    given = foresight.given.frames
    has_truth = len(foresight.truth) > given
    for frame in range(len(foresight.drawn)):
        is_given = frame < given
        shown = to_picture(foresight.truth[min(frame, given - 1)], SIDE)
        colour = GIVEN if is_given else PREDICTED
        parts = [
            ("given", with_paths(shown, foresight, frame + 1), GIVEN),
            ("drawn" if is_given else "predicted", to_picture(foresight.drawn[frame], SIDE), colour),
        ]
        if has_truth and frame < len(foresight.truth):
            parts.append(("truth", to_picture(foresight.truth[frame], SIDE), GIVEN))
        elif has_truth:
            parts.append(("not known", Image.new("RGB", shown.size, "white"), GIVEN))
        yield _side_by_side(parts)


def paths_picture(foresight: Foresight) -> Image.Image:
    """The last given frame with the paths of all things: given solid, predicted dotted."""
    shown = to_picture(foresight.truth[foresight.given.frames - 1], 2 * SIDE)
    return with_paths(shown, foresight, len(foresight.drawn))


def with_paths(picture: Image.Image, foresight: Foresight, frames: int) -> Image.Image:
    """The picture with the paths of things over so many frames; what has left has no path any more."""
    layer = Image.new("RGBA", (picture.width * SMOOTH, picture.height * SMOOTH))
    pen = ImageDraw.Draw(layer)
    particles = foresight.clip.particles
    sides = torch.tensor([layer.height, layer.width])
    places = (particles.position + 1) / 2 * sides
    is_there = (foresight.clip.track >= 0) & (particles.presence > 0.5)
    for slot in range(particles.count):
        colour = COLOURS[slot % len(COLOURS)]
        last = None
        for frame in range(frames):
            if not is_there[frame, slot]:
                last = None
                continue
            point = _point(places[frame, slot])
            if frame >= foresight.given.frames:
                _dot(pen, point, colour)
            elif last is not None:
                pen.line([last, point], (*colour, 255), WIDTH * SMOOTH)
            last = point
    return laid_over(picture, layer)


def _point(place: Tensor) -> tuple[float, float]:
    row, column = place.tolist()
    return column, row


def _dot(pen: ImageDraw.ImageDraw, place: tuple[float, float], colour: tuple[int, int, int]) -> None:
    radius = 0.9 * WIDTH * SMOOTH
    column, row = place
    box = (column - radius, row - radius, column + radius, row + radius)
    pen.ellipse(box, fill=(*colour, 255), outline=(255, 255, 255, 255), width=SMOOTH // 2)


def _side_by_side(parts: list[tuple[str, Image.Image, tuple[int, int, int]]]) -> Image.Image:
    width = sum(picture.width for _, picture, _ in parts) + GAP * (len(parts) - 1)
    sheet = Image.new("RGB", (width, parts[0][1].height + HEAD), "white")
    pen = ImageDraw.Draw(sheet)
    left = 0
    for title, picture, colour in parts:
        pen.text((left + 2, 2), title, colour, ImageFont.load_default(15))
        # a bar that changes its colour where the prediction begins
        pen.rectangle((left, HEAD - 5, left + picture.width - 1, HEAD - 2), fill=colour)
        sheet.paste(picture, (left, HEAD))
        left += picture.width + GAP
    return sheet
