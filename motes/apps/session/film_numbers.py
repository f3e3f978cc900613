"""The numbers of tracks of the particles of videos, for tables with a row for each particle of each picture."""

from itertools import groupby
from pathlib import Path

import numpy as np

from motes.apps.session.session import Encoded, Session
from motes.models.tracking import chunk_of
from motes.ops.rendering.footprints import VisibleBoxes
from motes.ops.tracks.stream import Stream
from motes.types.clips import ParticleClip
from motes.types.latents import Particles


class FilmNumbers:
    """Collects which track each particle belongs to, while batches of pictures and frames are encoded.

    The numbers of a video are those of `motes track`. Pictures that are no frames of a video have none.
    """

    def __init__(self, session: Session):
        self._session = session
        self._video: Path | None = None
        self._stream = Stream()
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
            self._add(encoded.latent[rows], part)

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

    def _add(self, latent: Particles, boxes: VisibleBoxes | None) -> None:
        if self._video is None:
            self._numbers += [np.full(self._count, -1)] * len(latent)
            return
        model = self._session.model
        size = model.config.image_size
        chunk = chunk_of(model, latent, len(latent), (size[0], size[1]), boxes)
        self._stream, clip = self._stream.advanced(chunk)
        self._take(clip)

    def _end(self) -> None:
        """Take the last frames of the video, if one has begun."""
        self._take(self._stream.rest())
        self._stream = Stream()

    def _take(self, clip: ParticleClip | None) -> None:
        if clip is None:
            return
        # a piece of a thing has the thing's number
        for source, track in zip(clip.source.cpu().numpy(), clip.things.cpu().numpy(), strict=True):
            numbers = np.full(self._count, -1)
            numbers[source[source >= 0]] = track[source >= 0]
            self._numbers.append(numbers)
