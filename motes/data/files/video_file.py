"""VideoFile: the frames of one video file by their numbers, upright as they were filmed.

An index of time stamps and key frames finds a frame without decoding everything before it.
"""

import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from motes.data import DATASETS
from motes.errors import UserError
from motes.plain.packages import optional

ENDINGS = frozenset(DATASETS.row("video").endings)


@dataclass
class _Index:
    """The time stamps in a file, in units of `base` seconds, as listed before any frame is decoded."""

    base: float
    stamps: set[int] = field(default_factory=set)
    keys: set[int] = field(default_factory=set)
    # whether the file is as long as it says, and what is wrong with it otherwise
    complete: bool = True
    problem: str = ""
    # whether the stamps are of no use, so that frames must be counted; and how many of them are shown a
    # second
    useless: bool = False
    rate: float = 25.0


class VideoFile:
    """The frames of a video, numbered in the order in which they are shown.

    If only a part of the file can be read, `problem` says what is wrong with it.
    """

    def __init__(self, path: Path):
        self.path = path
        self.problem = ""
        self._av = import_av()
        self._warned = False
        self._container: Any = None
        # time stamps and frames that come next out of the decoder
        self._coming: Iterator[tuple[int, Any]] = iter(())
        # whether time stamps are frame numbers, because the file's own are of no use
        self._counted = False
        # the time stamp of the last frame out of the decoder
        self._last: int | None = None
        self._base = 1.0
        # of all frames and of the key frames
        self._stamps: list[int] = []
        self._keys: list[int] = []
        self._number_frames()
        if not self._stamps:
            raise UserError(f"{path} holds no frame that can be read; it is cut short, or not whole yet")

    def __len__(self) -> int:
        return len(self._stamps)

    @property
    def times(self) -> np.ndarray:
        """The time of each frame in seconds, the first at 0; uneven if the frame rate varies."""
        return (np.array(self._stamps, np.float64) - self._stamps[0]) * self._base

    def read(self, number: int) -> Iterator[tuple[int, Any]]:
        """Decode up to this frame; yield the frames on the way and then this one, each with its number,
        unconverted.

        Decoding continues from the last frame that was read if no key frame lies between, so reading in order
        decodes each frame once.
        """
        target = self._stamps[number]
        if self._last is None or not self._key_before(target) <= self._last < target:
            self._seek(target)
        decoded = None
        try:
            for stamp, frame in self._coming:
                self._last = stamp
                if stamp >= target:
                    # where the target is missing, the frame before it is shown
                    decoded = frame if stamp == target or decoded is None else decoded
                    break
                decoded = frame
                if (passed := self._number_of(stamp)) is not None:
                    yield passed, frame
        except self._av.FFmpegError as problem:
            self.close()
            raise self._damaged(number, type(problem).__name__) from None
        if decoded is None:
            raise self._damaged(number, "nothing comes")
        self._warn_of_damage(number, decoded)
        if self._last is not None and self._last > target:
            self._last = None  # the decoder is past it: the next call seeks
        yield number, decoded

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
        self._container = None
        self._last = None
        self._coming = iter(())

    def _number_of(self, stamp: int) -> int | None:
        number = bisect_left(self._stamps, stamp)
        return number if number < len(self._stamps) and self._stamps[number] == stamp else None

    def _warn_of_damage(self, number: int, frame: Any) -> None:
        """Warn of a damaged frame, once for each file."""
        if frame.is_corrupt and not self._warned:
            self._warned = True
            warnings.warn(
                f"frame {number} of {self.path} is damaged; "
                "this one and others like it are used as the decoder mends them",
                stacklevel=3,
            )

    def _damaged(self, number: int, reason: str) -> UserError:
        return UserError(
            f"frame {number} of {self.path} cannot be decoded ({reason}): "
            "the file is damaged there; remove it, or write it anew: ffmpeg -i FILE NEW.mp4"
        )

    def _open(self) -> Any:
        try:
            container = self._av.open(str(self.path))
        except FileNotFoundError:
            raise UserError(f"the video {self.path} does not exist") from None
        except PermissionError:
            raise UserError(f"{self.path} may not be read; see its permissions") from None
        except (self._av.FFmpegError, OSError, ValueError) as problem:
            empty = self.path.is_file() and self.path.stat().st_size == 0
            reason = "is empty" if empty else f"is no video, or cut short ({type(problem).__name__})"
            raise UserError(f"{self.path} {reason}") from None
        if not container.streams.video:
            kinds = ", ".join(sorted({stream.type for stream in container.streams}))
            container.close()
            reason = f"has no pictures, only {kinds}" if kinds else "is no video, or cut short"
            raise UserError(f"{self.path} {reason}")
        return container

    def _number_frames(self) -> None:
        """Find the time stamps of all frames and of the key frames."""
        index = self._read_index()
        self.problem = index.problem
        if index.useless:
            self._count_frames(index.rate)
            return
        self._base = index.base
        self._stamps = sorted(index.stamps)
        self._keys = sorted(index.keys)
        if not index.complete:
            self._drop_undecodable()

    def _read_index(self) -> _Index:
        with self._open() as container:
            stream = container.streams.video[0]
            index = _Index(float(stream.time_base or 1), rate=float(stream.average_rate or 25))
            try:
                for packet in container.demux(stream):
                    _add_packet(index, packet)
            except self._av.FFmpegError:
                index.complete = False
            out_of_order = container.format.name == "avi" and stream.codec_context.has_b_frames
            index.useless = out_of_order or not (index.stamps or index.complete)
            if not index.useless:
                _compare_lengths(index, container, stream)
        return index

    def _count_frames(self, rate: float) -> None:
        """Number the frames of a file that does not say when they are shown, by decoding them.

        AVI with frames stored out of order is of this kind. Such a file is read from its start.
        """
        self._counted = True
        self._base = 1 / rate
        count = 0
        try:
            self._seek(0)
            count = sum(1 for _ in self._coming)
        except self._av.FFmpegError as problem:
            self.problem = f"it is cut short or damaged ({type(problem).__name__})"
        self.close()
        self._stamps = list(range(count))
        self._keys = [0]

    def _drop_undecodable(self) -> None:
        """Drop those frames from the last key frame on that the decoder does not return whole."""
        last_key = self._keys[-1] if self._keys else None
        first = self._stamps[0] if self._stamps else 0
        intact: set[int] = set()
        try:
            self._seek(first if last_key is None else last_key)
            for stamp, frame in self._coming:
                if not frame.is_corrupt:
                    intact.add(stamp)
        except (self._av.FFmpegError, UserError):
            pass
        self.close()
        self._stamps = [
            stamp for stamp in self._stamps if (last_key is not None and stamp < last_key) or stamp in intact
        ]
        self.problem = self.problem or "it is cut short or damaged"

    def _key_before(self, stamp: int) -> int:
        number = bisect_right(self._keys, stamp) - 1
        return self._keys[number] if number >= 0 else self._stamps[0]

    def _seek(self, target: int) -> None:
        """Move the decoder to a point from which it will reach the frame `target`.

        That is the key frame before it, or an earlier one if the file's own index is wrong.
        """
        self._last = None
        if self._container is None:
            self._container = self._open()
            self._container.streams.video[0].thread_type = "AUTO"
        key = max(bisect_right(self._keys, target) - 1, 0) if not self._counted else -1
        for start in [*self._keys[max(key - 2, 0) : key + 1][::-1], None]:
            try:
                first = self._start_at(start)
            except self._av.FFmpegError:
                continue
            if first is not None and (first[0] <= target or start is None):
                self._coming = chain([first], self._coming)
                return
        self._coming = iter(())

    def _start_at(self, stamp: int | None) -> tuple[int, Any] | None:
        """The first frame from this time stamp on, after a jump to it; None reopens the file at its
        beginning."""
        if stamp is None:
            self.close()
            self._container = self._open()
        else:
            self._container.seek(stamp, stream=self._container.streams.video[0])
        self._coming = self._decoded()
        return next(self._coming, None)

    def _decoded(self) -> Iterator[tuple[int, Any]]:
        """Time stamps and frames from the container's present position on."""
        for number, frame in enumerate(self._container.decode(video=0)):
            stamp = number if self._counted else frame.pts if frame.pts is not None else frame.dts
            if stamp is not None:
                yield stamp, frame


def _add_packet(index: _Index, packet: Any) -> None:
    stamp = packet.pts if packet.pts is not None else packet.dts
    if not packet.size or packet.is_discard:
        return
    if packet.is_corrupt or stamp is None:
        index.complete = False
    if stamp is not None:
        index.stamps.add(stamp)
        index.keys |= {stamp} if packet.is_keyframe else set()


def _compare_lengths(index: _Index, container: Any, stream: Any) -> None:
    """Compare the index with the number of frames and the seconds that the file claims to have."""
    if stream.frames > len(index.stamps):
        index.complete = False
        index.problem = f"only {len(index.stamps)} of its {stream.frames} frames are there"
    if not (index.stamps and index.complete):
        return
    seconds = stream.duration * index.base if stream.duration else (container.duration or 0) / 1e6
    missing = seconds - (max(index.stamps) - min(index.stamps)) * index.base
    if missing > 2:
        index.complete = False
        index.problem = f"it ends {missing:.1f} seconds before the time it says"


def upright(frame: Any) -> Image.Image:
    """A decoded frame as a picture, turned upright as the camera was held."""
    pixels = frame.to_ndarray(format="rgb24")
    return Image.fromarray(np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90) % 4)))


def import_av() -> Any:
    av = optional("av", "video", "videos need PyAV")
    # without it phone videos would lie on their side, and no one would be warned
    if not hasattr(av.VideoFrame, "rotation"):
        raise UserError(
            f"videos need PyAV 14.1 or newer, this is {av.__version__}; pip install 'motes[video]' brings it"
        )
    return av
