"""VideoFrames: the pictures of rows that are frames of videos.

Frames are decoded in the order of time; those that are passed on the way are cached.
"""

from collections.abc import Callable, Sequence
from threading import Lock

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from motes.data.files.video_file import VideoFile, upright
from motes.plain.cache import Cache

# bytes of decoded frames
BUDGET = 1 << 30
# files that are open at the same time
OPEN = 16

# the video and the number of the frame in it
Frame = tuple[int, int]


class VideoFrames:
    """Rows that are frames of videos: `frames`, N x 2, holds each row's video and the number of the frame in
    it.

    `open_video` opens a video when a row of it is first read; `to_pixels` makes a row's pixels from an
    upright frame and the number of its video.
    """

    def __init__(
        self,
        frames: np.ndarray,
        open_video: Callable[[int], VideoFile],
        to_pixels: Callable[[Image.Image, int], np.ndarray],
    ):
        self.frames = frames
        self._open_video = open_video
        self._to_pixels = to_pixels
        self._of_rows: set[Frame] = set(map(tuple, frames.tolist()))
        self._cache: Cache[Frame, np.ndarray] = Cache(BUDGET, evict=False)
        self._lock = Lock()
        self._opened: dict[int, VideoFile] = {}

    def __len__(self) -> int:
        return len(self.frames)

    def pixels(self, rows: Sequence[int]) -> UInt8[np.ndarray, "B C H W"]:
        frames = [(int(video), int(number)) for video, number in self.frames[np.asarray(rows, np.int64)]]
        pictures: dict[Frame, np.ndarray] = {}
        with self._lock:
            # in the order of time, so that a group of frames is decoded once
            for frame in sorted(set(frames)):
                cached = self._cache.get(frame)
                pictures[frame] = self._decoded(frame) if cached is None else cached
        return np.stack([pictures[frame] for frame in frames])

    def _decoded(self, frame: Frame) -> np.ndarray:
        video, number = frame
        picture = np.empty(0)
        for passed, image in self._video(video).read(number):
            if passed == number or self._worth_caching((video, passed)):
                picture = self._cache.put((video, passed), self._to_pixels(upright(image), video))
        return picture

    def _worth_caching(self, frame: Frame) -> bool:
        return frame in self._of_rows and frame not in self._cache and self._cache.left > 0

    def _video(self, video: int) -> VideoFile:
        opened = self._opened.pop(video, None) or self._open_video(video)
        self._opened[video] = opened
        if len(self._opened) > OPEN:
            self._opened.pop(next(iter(self._opened))).close()
        return opened
