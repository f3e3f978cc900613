"""One video file: its frames by number, upright, found through an index of time stamps and key frames
instead of decoding everything."""

import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from motes.data import DATASETS
from motes.data.files.walk import files_below
from motes.errors import UserError
from motes.plain.packages import optional

ENDINGS = frozenset(DATASETS.row("video").endings)


class Footage:
    """Frames are numbered in the order they are shown. `problem` says what is wrong with a file of which a
    part can be read."""

    def __init__(self, path: Path):
        self.path = path
        self.problem = ""
        self._av = import_av()
        self._told = False
        self._container: Any = None
        self._coming: Iterator[tuple[int, Any]] = iter(())  # time stamps and frames
        self._counted = False  # time stamps are frame numbers, because the file's own are no use
        self._last: int | None = None  # the time stamp that came last from the decoder
        self._stamps: list[int] = []
        self._keys: list[int] = []
        stamps, keys, self._base, whole = self._read_index()
        if not whole:
            stamps = self._keep_decodable(stamps, keys)
        if not stamps:
            raise UserError(f"{path} holds no frame that can be read; it is cut short, or not whole yet")
        self._stamps = stamps
        self._keys = keys

    def __len__(self) -> int:
        return len(self._stamps)

    @property
    def times(self) -> np.ndarray:
        """Seconds of each frame, the first at 0: uneven where the frame rate varies."""
        return (np.array(self._stamps, np.float64) - self._stamps[0]) * self._base

    def read(self, number: int) -> Iterator[tuple[int, Any]]:
        """Frames, not yet converted, that are decoded on the way to this one, each with its number; it comes
        last.

        Goes on from the last one that was read where no key frame lies between: reading in order decodes
        each frame once.
        """
        wanted = self._stamps[number]
        if self._last is None or not self._key_before(wanted) <= self._last < wanted:
            self._seek(wanted)
        found = None
        try:
            for stamp, frame in self._coming:
                self._last = stamp
                place = bisect_left(self._stamps, stamp)
                if stamp >= wanted:
                    found = (
                        frame if stamp == wanted or found is None else found
                    )  # a frame that was skipped shows the one before it
                    break
                found = frame
                if place < len(self._stamps) and self._stamps[place] == stamp:
                    yield place, frame
        except self._av.FFmpegError as problem:
            self.close()
            raise self._damaged(number, type(problem).__name__) from None
        if found is None:
            raise self._damaged(number, "nothing comes")
        if found.is_corrupt and not self._told:
            self._told = True
            warnings.warn(
                f"frame {number} of {self.path} is damaged; this one and others like it are used as the decoder mends them",
                stacklevel=2,
            )
        if self._last is not None and self._last > wanted:
            self._last = None  # the decoder is past it: the next call seeks
        yield number, found

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
        self._container = None
        self._last = None
        self._coming = iter(())

    def _damaged(self, number: int, why: str) -> UserError:
        return UserError(
            f"frame {number} of {self.path} cannot be decoded ({why}): the file is damaged there; remove it, or write it anew: ffmpeg -i FILE NEW.mp4"
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
            raise UserError(
                f"{self.path} {'is empty' if empty else f'is no video, or cut short ({type(problem).__name__})'}"
            ) from None
        if not container.streams.video:
            kinds = ", ".join(sorted({one.type for one in container.streams}))
            container.close()
            raise UserError(
                f"{self.path} {f'has no pictures, only {kinds}' if kinds else 'is no video, or cut short'}"
            )
        return container

    def _read_index(self) -> tuple[list[int], list[int], float, bool]:
        """Time stamps of all frames and of the key frames, the unit of time, and whether the file is as long
        as it says."""
        stamps = set()
        keys = set()
        whole = True
        with self._open() as container:
            stream = container.streams.video[0]
            try:
                for packet in container.demux(stream):
                    stamp = packet.pts if packet.pts is not None else packet.dts
                    if not packet.size or packet.is_discard:
                        continue
                    if packet.is_corrupt or stamp is None:
                        whole = False
                    if stamp is not None:
                        stamps.add(stamp)
                        keys |= {stamp} if packet.is_keyframe else set()
            except self._av.FFmpegError:
                whole = False
            base = float(stream.time_base or 1)
            if (container.format.name == "avi" and stream.codec_context.has_b_frames) or (
                not stamps and not whole
            ):
                return self._count_frames(float(stream.average_rate or 25))
            if stream.frames > len(stamps):
                whole = False
                self.problem = f"only {len(stamps)} of its {stream.frames} frames are there"
            said = stream.duration * base if stream.duration else (container.duration or 0) / 1e6
            if stamps and whole and (missing := said - (max(stamps) - min(stamps)) * base) > 2:
                whole = False
                self.problem = f"it ends {missing:.1f} seconds before the time it says"
        return sorted(stamps), sorted(keys), base, whole

    def _count_frames(self, rate: float) -> tuple[list[int], list[int], float, bool]:
        """For files that do not say when a frame is shown (AVI with frames stored out of order): decoded
        once here, and read from the start."""
        self._counted = True
        count = 0
        try:
            self._seek(0)
            count = sum(1 for _ in self._coming)
        except self._av.FFmpegError as problem:
            self.problem = f"it is cut short or damaged ({type(problem).__name__})"
        self.close()
        return list(range(count)), [0], 1 / rate, True

    def _keep_decodable(self, stamps: list[int], keys: list[int]) -> list[int]:
        """Of a file that was cut: drop from its last group of frames those that do not come out of the
        decoder whole."""
        since = keys[-1] if keys else None
        self._stamps = stamps
        self._keys = keys
        good = set()
        try:
            self._seek(since if since is not None else (stamps[0] if stamps else 0))
            for stamp, frame in self._coming:
                if not frame.is_corrupt:
                    good.add(stamp)
        except (self._av.FFmpegError, UserError):
            pass
        self.close()
        kept = [stamp for stamp in stamps if (since is not None and stamp < since) or stamp in good]
        self.problem = self.problem or "it is cut short or damaged"
        return kept

    def _key_before(self, stamp: int) -> int:
        place = bisect_right(self._keys, stamp) - 1
        return self._keys[place] if place >= 0 else self._stamps[0]

    def _seek(self, wanted: int) -> None:
        """The decoder to a place from which `wanted` will come: the key frame before it, or an earlier one
        where a file's own index is off."""
        self._last = None
        if self._container is None:
            self._container = self._open()
            self._container.streams.video[0].thread_type = "AUTO"
        place = max(bisect_right(self._keys, wanted) - 1, 0) if not self._counted else -1
        for target in [*self._keys[max(place - 2, 0) : place + 1][::-1], None]:
            try:
                if target is None:
                    self.close()
                    self._container = self._open()
                else:
                    self._container.seek(target, stream=self._container.streams.video[0])
                self._coming = self._decoded()
                first = next(self._coming, None)
            except self._av.FFmpegError:
                continue
            if first is not None and (first[0] <= wanted or target is None):
                self._coming = chain([first], self._coming)
                return
        self._coming = iter(())

    def _decoded(self) -> Iterator[tuple[int, Any]]:
        """Time stamps and frames from where the container stands."""
        for number, frame in enumerate(self._container.decode(video=0)):
            stamp = number if self._counted else frame.pts if frame.pts is not None else frame.dts
            if stamp is not None:
                yield stamp, frame


def upright(frame: Any) -> Image.Image:
    """A decoded frame as the camera was held."""
    pixels = frame.to_ndarray(format="rgb24")
    return Image.fromarray(np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90) % 4)))


def list_videos(path: Path) -> list[Path]:
    """The file itself, or all files below a folder that bear the ending of a video, in order of their names;
    nothing hidden."""
    if not path.exists():
        raise UserError(f"{path} does not exist")
    if path.is_file():
        return [path]
    found = sorted(file for file in files_below(path) if file.suffix.lower() in ENDINGS)
    if not found:
        raise UserError(f"there is no video in {path}, nor below it")
    return found


def import_av() -> Any:
    av = optional("av", "video", "videos need PyAV")
    # or phone videos would lie on their side without a word
    if not hasattr(av.VideoFrame, "rotation"):
        raise UserError(
            f"videos need PyAV 14.1 or newer, this is {av.__version__}; pip install 'motes[video]' brings it"
        )
    return av
