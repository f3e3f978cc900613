"""An edit as a moving picture: from the picture as it was to the picture as it is, and back."""

import io
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from PIL import Image as Pictures

from motes.apps.drawing.film import Film
from motes.apps.drawing.marks import to_picture
from motes.apps.session.edits import Edits, Look
from motes.apps.session.session import Session
from motes.errors import UserError
from motes.ops.points.interpolation import blend
from motes.types.latents import Image, Particles

# of one way; frames at each end; milliseconds of a frame
FRAMES = 24
PAUSE = 8
TIME = 45
SIDE = 320  # pixels of the longer side, about


def gif(session: Session, latent: Any, edits: Edits, look: Look) -> bytes:
    """There and back again, for ever."""
    pictures = _one_way(session, latent, edits, look)
    palette = Pictures.new("RGB", (pictures[0].width, 2 * pictures[0].height))
    palette.paste(pictures[0], (0, 0))
    palette.paste(pictures[-1], (0, pictures[0].height))
    palette = palette.quantize(255)  # one for all frames, or still parts would flicker
    way = [one.quantize(palette=palette, dither=Pictures.Dither.NONE) for one in pictures]
    file = io.BytesIO()
    way[0].save(
        file, "GIF", save_all=True, append_images=[*way[1:], *reversed(way[:-1])], duration=TIME, loop=0
    )
    return file.getvalue()


def mp4(session: Session, latent: Any, edits: Edits, look: Look) -> bytes:
    """There and back again, once, in true colours."""
    file = io.BytesIO()
    try:
        film = Film(file, 1000 / TIME)
    except UserError as problem:
        raise UserError(f"{problem}. A GIF needs nothing more.") from None
    pictures = _one_way(session, latent, edits, look)
    with film:
        for one in [*pictures, *reversed(pictures[:-1])]:
            film.add(one)
    return file.getvalue()


KINDS = {"gif": gif, "mp4": mp4}


def _one_way(session: Session, latent: Any, edits: Edits, look: Look) -> list[Pictures.Image]:
    """Frames as they are shown, with a rest at both ends."""
    pictures = [to_picture(one[0], SIDE) for one in frames(session, latent, edits, look)]
    return [pictures[0]] * PAUSE + pictures + [pictures[-1]] * PAUSE


def frames(session: Session, latent: Any, edits: Edits, look: Look) -> Iterator[Image]:
    """Pictures of the one way, slow at both ends."""
    start, end = _start_and_end(session, latent, edits, look)
    for n in range(FRAMES + 1):
        share = 0.5 - 0.5 * math.cos(math.pi * n / FRAMES)
        now = blend(start, end, share)
        if isinstance(now, Particles) and edits.order:
            now = now.restacked(edits.order)
        yield session.decode(now)


def _start_and_end(session: Session, latent: Any, edits: Edits, look: Look) -> tuple[Any, Any]:
    """Both with the same particles in the same places of the list; those that were added are not there at
    first."""
    end = session.edit(latent, replace(edits, order=()), look)
    if not isinstance(latent, Particles):
        return latent, end
    start = latent
    for k in range(latent.count, end.count):
        start = start.joined(end, k).without(k)
    return start, end
