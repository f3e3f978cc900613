"""Films as tracks: frames are read, encoded and followed piece by piece, in the coordinates of the film."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image as Pictures

from motes.apps.session.footage import Footage
from motes.apps.session.picture_reader import image_of_pixels
from motes.data.files.picture_files import moved_back, to_size
from motes.models.base import Model, device_of
from motes.models.middles import middle_pixels
from motes.models.tracking import film_tracks
from motes.types.clips import ParticleClip
from motes.types.latents import Image, Particles

# frames encoded at once
BATCH = 32

# from pictures and the number of frames in a clip to their latent
Encode = Callable[[Image, int], Any]


@dataclass(frozen=True)
class Followed:
    """Some neighbouring frames of a film, and the things that were followed in them."""

    footage: Footage
    # the number of the first of these frames
    first: int
    clip: ParticleClip
    # the frames, no larger than they were asked for; none if nobody asked
    pictures: list[Pictures.Image]
    # in pixels of the film
    places: Float[np.ndarray, "T K 2"]
    # first row, first column, the row after the last, the column after the last, in pixels of the film
    boxes: Float[np.ndarray, "T K 4"]


@dataclass(frozen=True)
class Reading:
    """How a film is read: how frames come to the model's size, and how large they are when drawn on."""

    fit: str = "fit"
    # pixels of the longer side; 0: no frames are handed out
    side: int = 0
    # frames encoded at once; 0: as many as are usual
    piece: int = 0


def follow(model: Model, encode: Encode, footage: Footage, reading: Reading) -> Iterator[Followed]:
    """Yields the frames of the film in order; memory does not grow with its length."""
    pictures: deque[Pictures.Image] = deque()
    first = 0
    for clip in _clips(model, encode, footage, reading, pictures):
        shown = [pictures.popleft() for _ in range(clip.frames if reading.side else 0)]
        yield _in_film(model, footage, reading.fit, first, clip, shown)
        first += clip.frames


def _clips(
    model: Model, encode: Encode, footage: Footage, reading: Reading, pictures: "deque[Pictures.Image]"
) -> Iterator[ParticleClip]:
    pieces = _pieces(model, footage, reading, pictures)
    yield from (clip.of_things().to("cpu") for clip in film_tracks(model, pieces, encode))


def _pieces(
    model: Model, footage: Footage, reading: Reading, pictures: "deque[Pictures.Image]"
) -> Iterator[Image]:
    """The film piece by piece, as the model reads it; the frames go to `pictures` if they are to be handed out."""
    size = model.config.image_size
    piece: list[np.ndarray] = []
    for number, frame in enumerate(footage.frames(), 1):
        piece.append(to_size(frame, size, model.config.channels, reading.fit))
        if reading.side:
            pictures.append(_shown(frame, reading.side))
        if len(piece) == (reading.piece or BATCH) or number == len(footage):
            yield image_of_pixels(np.stack(piece), device_of(model))
            piece = []


def _shown(frame: Pictures.Image, side: int) -> Pictures.Image:
    """The frame with a longer side of about `side`; small ones are enlarged by a whole number."""
    longer = max(frame.size)
    if longer > side:
        scale = side / longer
        return frame.convert("RGB").resize(
            (max(round(frame.width * scale), 1), max(round(frame.height * scale), 1)),
            Pictures.Resampling.BOX,
        )
    zoom = side // longer
    return frame.convert("RGB").resize((frame.width * zoom, frame.height * zoom), Pictures.Resampling.NEAREST)


def _in_film(
    model: Model,
    footage: Footage,
    fit: str,
    first: int,
    clip: ParticleClip,
    pictures: list[Pictures.Image],
) -> Followed:
    size = (model.config.image_size[0], model.config.image_size[1])
    places = places_in_film(model, clip.particles, footage.size, fit)
    assert clip.box is not None
    corners = clip.box.unflatten(-1, (2, 2)).numpy().astype(np.float64)
    # corners lie on the edges of pixels, half a pixel before their middles
    edges = moved_back(corners - 0.5, footage.size, size, fit) + 0.5
    boxes = edges.reshape(*edges.shape[:2], 4)
    return Followed(footage, first, clip, pictures, places, boxes)


def places_in_film(
    model: Model, particles: Particles, film: tuple[int, int], fit: str
) -> Float[np.ndarray, "T K 2"]:
    """The middles of particles in pixels of a film of this size."""
    size = (model.config.image_size[0], model.config.image_size[1])
    with torch.no_grad():
        middles = middle_pixels(model, particles.to(device_of(model)), size)
    return moved_back(middles.cpu().numpy().astype(np.float64), film, size, fit)
