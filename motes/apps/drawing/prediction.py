"""Drawings of predictions: films that show them beside the truth, and the paths of things in one picture.

Where several futures were drawn, their paths are a fan of thin lines below the path that is expected.
"""

from collections.abc import Iterator

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from motes.apps.drawing.marks import COLOURS, SMOOTH, laid_over, to_picture
from motes.apps.session.foresight import Foresight
from motes.types.clips import ParticleClip

# pixels of the longer side of each part of the film, about
SIDE = 320
# pixels between the parts, and above them
GAP = 8
HEAD = 26
GIVEN = (120, 120, 120)
PREDICTED = (230, 110, 20)
# pixels of a line, and of one in a fan
WIDTH = 2
THIN = 1
FAINT = 150


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
    given = foresight.given.frames
    if foresight.samples is not None and frames > given:
        _fan(pen, foresight.samples, frames - given, layer.size)
    for slot, path in enumerate(_paths(foresight.clip, frames, layer.size)):
        colour = COLOURS[slot % len(COLOURS)]
        for frame, point in enumerate(path):
            if point is None:
                continue
            if frame >= given:
                _dot(pen, point, colour)
            elif frame and (last := path[frame - 1]) is not None:
                pen.line([last, point], (*colour, 255), WIDTH * SMOOTH)
    return laid_over(picture, layer)


def _fan(pen: ImageDraw.ImageDraw, samples: ParticleClip, frames: int, size: tuple[int, int]) -> None:
    """A thin line for each thing in each of the futures."""
    for number in range(samples.clips):
        rows = slice(number * samples.frames, number * samples.frames + frames)
        for slot, path in enumerate(_paths(samples[rows], frames, size)):
            until = path.index(None) if None in path else len(path)
            points = [point for point in path[:until] if point is not None]
            pen.line(points, (*COLOURS[slot % len(COLOURS)], FAINT), THIN * SMOOTH)


def _paths(clip: ParticleClip, frames: int, size: tuple[int, int]) -> list[list[tuple[float, float] | None]]:
    """Where each thing is in each of the frames, in a picture of this width and height; None: it is not there."""
    width, height = size
    places = (clip.particles.position + 1) / 2 * torch.tensor([height, width])
    is_there = (clip.track >= 0) & (clip.particles.presence > 0.5)
    return [
        [_point(places[frame, slot]) if is_there[frame, slot] else None for frame in range(frames)]
        for slot in range(clip.particles.count)
    ]


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
