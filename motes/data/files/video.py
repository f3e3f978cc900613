"""Videos: one file, or a folder of them, as frames or clips."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.picture_files import check_looks, cropped, to_size
from motes.data.files.video_file import ENDINGS, VideoFile
from motes.data.files.video_frames import VideoFrames
from motes.data.splits import block, check_held_out, clips, no_clip, split_files
from motes.data.walk import files_below
from motes.errors import UserError

# up to this number, all files are opened before they are split, so that a broken one leaves no split empty
FEW = 50


@dataclass(frozen=True)
class VideoConfig:
    """Frames of videos, upright as they were filmed, brought to one size."""

    path: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey, 3: colours
    channels: int = 3
    # fit: scale to cover, then cut the middle; stretch: scale both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # crop before resizing: first row, first column, rows, columns of the upright frame; zeros: the whole
    # frame
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    # frames of a clip
    frames: int = 1
    # keep every n-th frame: 3 is every third
    skip: int = 1
    # frames a second, chosen by their times, which evens out variable frame rates; 0: frames as they are
    # stored
    rate: float = 0.0
    # kept frames from the first frame of a clip to that of the next clip; 0: clips share no frame
    stride: int = 0
    # share of the videos, or of the time where there are fewer than three, for validation, and again for the
    # test
    held_out: float = 0.1
    # seconds left out between the splits of one video, at most a fifth of what is held out
    gap: float = 1.0


class Video(Dataset):
    """Frames of videos; all frames of a video go to one split.

    If there are only one or two videos, the end of each is held out, with a gap, so that no split has frames
    that neighbour another's.

    A video that cannot be read is named in a warning and left out. If a video is cut short, its readable
    frames are used.
    """

    Config = VideoConfig

    def __init__(self, config: VideoConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        # whether videos go to splits undivided
        self._undivided = True
        self._videos = self._videos_of_split()
        self._frames = VideoFrames(self._plan(), lambda video: self._videos[video], self._to_pixels)

    def __len__(self) -> int:
        return len(self._frames)

    def place(self, row: int) -> tuple[Path, int, float]:
        """The file of a row, the frame's number in it and its time in seconds."""
        video, number = self._frames.frames[row].tolist()
        return self._videos[video].path, number, float(self._videos[video].times[number])

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._frames.pixels(rows)

    def _to_pixels(self, frame: Image.Image, video: int) -> np.ndarray:
        picture = cropped(frame, self.config.crop, self._videos[video].path)
        return to_size(picture, self.config.image_size, self.config.channels, self.config.fit)

    def _videos_of_split(self) -> list[VideoFile]:
        files = list_videos(Path(self.config.path))
        if len(files) > FEW:
            return self._opened(self._files_of_split(files))
        videos = self._opened(files)
        self._undivided = len(videos) >= 3
        chosen = self._files_of_split([video.path for video in videos])
        return [video for video in videos if video.path in chosen]

    def _files_of_split(self, files: list[Path]) -> list[Path]:
        return split_files(files, Path(self.config.path), self.config.held_out, self.split)

    def _opened(self, files: list[Path]) -> list[VideoFile]:
        videos: list[VideoFile] = []
        for path in files:
            try:
                videos.append(VideoFile(path))
            except UserError as problem:
                if "PyAV" in str(problem) or len(files) == 1:
                    raise
                warnings.warn(f"left out: {problem}", stacklevel=5)
                continue
            _warn_of_damage(videos[-1])
        if left_out := len(files) - len(videos):
            warnings.warn(f"{left_out} of {len(files)} videos were left out", stacklevel=5)
        if not videos:
            raise UserError(f"none of the {len(files)} videos in {self.config.path} can be read")
        return videos

    def _plan(self) -> np.ndarray:
        """For each row, the video and the number of the frame in it."""
        frames = np.concatenate([self._frames_of(video) for video in range(len(self._videos))])
        if not len(frames):
            raise no_clip(self.split, self.config.path, self.config.frames)
        return frames

    def _frames_of(self, video: int) -> np.ndarray:
        times = self._videos[video].times
        picked = pick(times, self.config.skip, self.config.rate)
        if not self._undivided:
            picked = picked[block(times[picked], self.split, self.config.held_out, self.config.gap)]
        numbers = picked[clips(len(picked), self.config.frames, self.config.stride).reshape(-1)]
        return np.stack([np.full_like(numbers, video), numbers], 1)


def _warn_of_damage(video: VideoFile) -> None:
    if video.problem:
        warnings.warn(
            f"{video.path}: {video.problem}; the {len(video)} frames that can be read are used",
            stacklevel=6,
        )


def list_videos(path: Path) -> list[Path]:
    """The file `path` itself, or all files below the folder `path` with the ending of a video, in order of
    names.

    Hidden files are left out.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist")
    if path.is_file():
        return [path]
    videos = sorted(file for file in files_below(path) if file.suffix.lower() in ENDINGS)
    if not videos:
        raise UserError(f"there is no video in {path}, nor below it")
    return videos


def pick(times: np.ndarray, skip: int, rate: float) -> np.ndarray:
    """The numbers of the frames that are used: every `skip`-th, or, if `rate` is given, those at even
    times."""
    if rate:
        even = np.arange(0, times[-1] + 0.5 / rate, 1 / rate)
        shown = np.searchsorted(times, even + 1e-6, side="right") - 1
        return np.maximum(shown, 0)[::skip]
    return np.arange(0, len(times), skip)


def _check(config: VideoConfig) -> None:
    check_looks(config.image_size, config.channels, config.fit)
    if not config.path:
        raise UserError("videos need the path of a file or folder")
    check_held_out(config.held_out)
    for name in ("frames", "skip"):
        if getattr(config, name) < 1:
            raise UserError(f"{name} must be at least 1, not {getattr(config, name)}")
    for name in ("stride", "rate", "gap"):
        if not getattr(config, name) >= 0:
            raise UserError(f"{name} must not be negative, and is {getattr(config, name)}")
