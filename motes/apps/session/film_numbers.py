"""The numbers of tracks of the particles of videos, for tables with a row for each particle of each picture."""

from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from motes.apps.session.session import Encoded, Session
from motes.models.tracking import chunk_of, follower_of
from motes.models.video.posterior_stream import PosteriorStream
from motes.ops.points.assignment import assign
from motes.ops.points.pixels import pixels_of_positions
from motes.ops.rendering.footprints import VisibleBoxes
from motes.ops.tracks.stream import Advancing, Stream
from motes.types.clips import ParticleClip
from motes.types.latents import Image, Particles


class FilmNumbers:
    """Collects which track each particle belongs to, while batches of pictures and frames are encoded.

    The numbers of a video are those of `motes track`. Pictures that are no frames of a video have none. Where a model
    follows things by its posterior, which finds them by what was there before, a particle has the number of the thing
    that it lies on; a thing that it finds and a picture alone does not show is no particle here.
    """

    def __init__(self, session: Session):
        self._session = session
        self._follower = follower_of(session.model)
        self._video: Path | None = None
        self._stream = self._begun()
        # the particles of the video's frames whose tracks are not certain
        self._found: Particles | None = None
        # of each picture whose tracks are certain and were not handed out, the track of each of its particles
        self._numbers: list[np.ndarray] = []
        self._count = 0

    def add(self, encoded: Encoded, boxes: VisibleBoxes | None) -> None:
        if not isinstance(encoded.latent, Particles):
            return
        self._count = encoded.latent.count
        row = 0
        for video, paths in groupby(encoded.paths, self._video_of):
            rows = slice(row, row + len(list(paths)))
            row = rows.stop
            if video != self._video:
                self._end()
                self._video = video
            part = None if boxes is None else boxes[rows]
            self._add(encoded.image[rows], encoded.latent[rows], part)

    def certain(self) -> list[np.ndarray]:
        """The tracks of the next pictures, as far as they are certain: of each, the track of each particle; -1: none.

        Those of the last frames of a video become certain when the frames after them were added.
        """
        numbers = self._numbers
        self._numbers = []
        return numbers

    def rest(self) -> list[np.ndarray]:
        """The tracks of the pictures that are left, when all were added."""
        self._end()
        return self.certain()

    def _video_of(self, path: Path) -> Path | None:
        return path.parent if path.parent in self._session.rates else None

    def _begun(self) -> Advancing:
        return Stream() if self._follower is None else PosteriorStream(self._follower)

    def _add(self, image: Image, latent: Particles, boxes: VisibleBoxes | None) -> None:
        if self._video is None:
            self._numbers += [np.full(self._count, -1)] * len(latent)
            return
        self._found = latent if self._found is None else Particles.cat([self._found, latent])
        if self._follower is None:
            chunk = chunk_of(self._session.model, latent, len(latent), self._size, boxes)
            self._stream, clip = self._stream.advanced(chunk)
        else:
            self._stream, clip = self._stream.advanced(image)
        self._take(clip)

    def _end(self) -> None:
        """Take the last frames of the video, if one has begun."""
        self._take(self._stream.rest())
        self._stream = self._begun()
        self._found = None

    def _take(self, clip: ParticleClip | None) -> None:
        if clip is None:
            return
        assert self._found is not None
        found = self._found[: clip.frames]
        self._found = self._found[clip.frames :]
        # the particle of each thing
        source = clip.source if self._follower is None else particles_on(clip, found, self._size)
        numbers = source.new_full((clip.frames, self._count + 1), -1)
        # a piece of a thing has the thing's number; what has no particle goes into a column that is left out
        numbers.scatter_(1, torch.where(source < 0, self._count, source), clip.things)
        self._numbers += list(numbers[:, : self._count].cpu().numpy())

    @property
    def _size(self) -> tuple[int, int]:
        height, width = self._session.model.config.image_size
        return height, width


def particles_on(clip: ParticleClip, found: Particles, size: tuple[int, int]) -> Int[Tensor, "T M"]:
    """The particle, of those that were found in each frame alone, that lies on each thing of one clip; -1: none.

    A thing has the nearest one within its box that is believed, and no two things have the same.
    """
    assert clip.box is not None
    pixels = pixels_of_positions(clip.particles.position, size)
    found_place = pixels_of_positions(found.position, size)
    first, last = clip.box[:, :, None].split(2, 3)
    is_inside = ((found_place[:, None] >= first - 0.5) & (found_place[:, None] <= last - 0.5)).all(3)
    allowed = is_inside & clip.seen[:, :, None] & found.believed[:, None]
    return assign(torch.cdist(pixels, found_place), allowed)
