"""Rows that are frames of videos: decoded in the order of time, those on the way kept in memory while there
is room."""

from collections.abc import Callable, Sequence
from threading import Lock

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from motes.data.files.video_file import Footage, upright

CACHE = 1 << 30  # bytes of decoded frames
OPEN = 16  # files kept open


class Reel:
    """`places` holds the video and the frame's number of each row; a video is opened when a row of it is
    asked for."""

    def __init__(
        self,
        places: np.ndarray,
        footage: Callable[[int], Footage],
        bring: Callable[[Image.Image, int], np.ndarray],
    ):
        self.places = places
        self._footage = footage
        self._bring = bring
        self._wanted = set(map(tuple, places.tolist()))
        self._known: dict[tuple[int, int], np.ndarray] = {}
        self._left = CACHE
        self._lock = Lock()
        self._opened: dict[int, Footage] = {}

    def __len__(self) -> int:
        return len(self.places)

    def pixels(self, rows: Sequence[int]) -> UInt8[np.ndarray, "B C H W"]:
        places = [(int(video), int(number)) for video, number in self.places[np.asarray(rows, np.int64)]]
        made: dict[tuple[int, int], np.ndarray] = {}
        with self._lock:
            for place in sorted(set(places)):  # so that a group of frames is decoded once
                made[place] = self._known[place] if place in self._known else self._decode(place)
        return np.stack([made[place] for place in places])

    def _decode(self, place: tuple[int, int]) -> np.ndarray:
        video, number = place
        picture = np.empty(0)
        for passed, frame in self._open(video).read(number):
            here = (video, passed)
            if here != place and (here in self._known or here not in self._wanted or self._left <= 0):
                continue
            picture = self._bring(upright(frame), video)
            if self._left >= picture.nbytes:
                self._known[here] = picture
                self._left -= picture.nbytes
        return picture

    def _open(self, video: int) -> Footage:
        footage = self._opened.pop(video, None) or self._footage(video)
        self._opened[video] = footage
        if len(self._opened) > OPEN:
            self._opened.pop(next(iter(self._opened))).close()
        return footage
