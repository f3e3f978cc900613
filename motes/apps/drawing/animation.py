"""Animations of an edit: from the encoded picture to the edited one, and back."""

import io
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image as Pictures

from motes.apps.drawing.film import Film
from motes.apps.drawing.marks import to_picture
from motes.apps.session.edits import Edits, Look
from motes.apps.session.session import Session
from motes.errors import UserError
from motes.ops.points.interpolation import blend
from motes.types.latents import Image, Particles

# from start to end; frames that rest at each end; milliseconds of a frame
FRAMES = 24
PAUSE = 8
TIME = 45
# pixels of the longer side, about
SIDE = 320


def gif(images: Iterable[Image]) -> bytes:
    """A GIF that goes through the frames and back, in an endless loop."""
    pictures = _forward(images)
    palette = _palette(pictures[0], pictures[-1])
    forward = [picture.quantize(palette=palette, dither=Pictures.Dither.NONE) for picture in pictures]
    following = [*forward[1:], *reversed(forward[:-1])]
    file = io.BytesIO()
    forward[0].save(file, "GIF", save_all=True, append_images=following, duration=TIME, loop=0)
    return file.getvalue()


def _palette(first: Pictures.Image, last: Pictures.Image) -> Pictures.Image:
    """A colour palette for all frames, from the first and the last.

    With a palette for each frame, parts that do not move would flicker.
    """
    pair = Pictures.new("RGB", (first.width, 2 * first.height))
    pair.paste(first, (0, 0))
    pair.paste(last, (0, first.height))
    return pair.quantize(255)


def mp4(images: Iterable[Image]) -> bytes:
    """A video that goes through the frames and back once, in full colours."""
    file = io.BytesIO()
    film = _film(file)
    pictures = _forward(images)
    with film:
        for picture in [*pictures, *reversed(pictures[:-1])]:
            film.add(picture)
    return file.getvalue()


def _film(file: io.BytesIO) -> Film:
    try:
        return Film(file, 1000 / TIME)
    except UserError as problem:
        raise UserError(f"{problem}. A GIF needs nothing more.") from None


KINDS = {"gif": gif, "mp4": mp4}


@dataclass(frozen=True)
class EditFilm:
    """A film whose frames are drawn one by one, so that others may use the models in between."""

    frames: Iterator[Image]
    write: Callable[[Iterable[Image]], bytes]


def _forward(images: Iterable[Image]) -> list[Pictures.Image]:
    """The frames as pictures. The first and the last are repeated, so that the animation pauses at both ends."""
    pictures = [to_picture(image[0], SIDE) for image in images]
    return [pictures[0]] * PAUSE + pictures + [pictures[-1]] * PAUSE


def frames(session: Session, latent: Any, edits: Edits, look: Look) -> Iterator[Image]:
    """Yields the frames of the interpolation from the encoded latent to the edited one.

    The motion is slow at both ends (a cosine).
    """
    start, end = _start_and_end(session, latent, edits, look)
    for n in range(FRAMES + 1):
        share = 0.5 - 0.5 * math.cos(math.pi * n / FRAMES)
        between = blend(start, end, share)
        if isinstance(between, Particles) and edits.order:
            between = between.restacked(edits.order)
        yield session.decode(between)


def _start_and_end(session: Session, latent: Any, edits: Edits, look: Look) -> tuple[Any, Any]:
    """The latents before and after the edits, with the same particles in the same order.

    Particles that the edits add have presence 0 in the first.
    """
    end = session.edit(latent, replace(edits, order=()), look)
    if not isinstance(latent, Particles):
        return latent, end
    start = latent
    for k in range(latent.count, end.count):
        start = start.joined(end, k).without(k)
    return start, end
