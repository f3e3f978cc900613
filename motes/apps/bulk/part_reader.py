"""Reads the pictures of a part, and notes what was read and what could not be."""

from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from motes.apps.session.clips import Picture
from motes.data.files.picture_files import load_picture, to_size
from motes.data.files.video_file import VideoFile, upright
from motes.errors import UserError


class Entry(NamedTuple):
    """One row of a part: a picture, or a file or frame that cannot be read."""

    picture: str
    # of a video; the time is in seconds
    frame: int | None = None
    time: float | None = None
    # why it cannot be read
    error: str | None = None


class PartReader:
    """Yields pictures at a model's size. `entries` has all that was come across, in order, the unreadable too."""

    def __init__(self, size: tuple[int, int], channels: int, fit: str):
        self.entries: list[Entry] = []
        self._size = size
        self._channels = channels
        self._fit = fit

    def pictures(self, files: tuple[str, ...]) -> Iterator[Picture]:
        for name in files:
            path = Path(name)
            try:
                pixels = load_picture(path, self._size, self._channels, self._fit)
            except (UserError, OSError) as problem:
                self.entries.append(Entry(name, error=str(problem)))
                continue
            self.entries.append(Entry(name))
            yield path, pixels

    def frames(self, video: str, first: int, end: int) -> Iterator[Picture]:
        try:
            film = open_film(video)
        except (UserError, OSError) as problem:
            self.entries.append(Entry(video, error=str(problem)))
            return
        if film.problem and first == 0:
            problem = f"{video}: {film.problem}; {len(film)} of its frames can be read"
            self.entries.append(Entry(video, error=problem))
        for number, time in zip(range(first, end), film.times[first:end].tolist(), strict=True):
            path = Path(video, f"{number:06d}")
            try:
                # frames on the way to this one are decoded and dropped
                ((_, frame),) = deque(film.read(number), maxlen=1)
                picture = upright(frame)
            except (UserError, OSError) as problem:
                self.entries.append(Entry(str(path), number, time, str(problem)))
                continue
            self.entries.append(Entry(str(path), number, time))
            yield path, to_size(picture, self._size, self._channels, self._fit)


@lru_cache(maxsize=2)
def open_film(path: str) -> VideoFile:
    """A video, which stays open for the next part of it: to index a long one takes a while."""
    return VideoFile(Path(path))
