"""Videos: one file, or a folder of them, as frames or clips."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.picture_files import check_looks, cut, to_size
from motes.data.files.video_file import Footage, list_videos
from motes.data.files.video_frames import Reel
from motes.data.splits import block, check_held_out, clips, split_files
from motes.errors import UserError

FEW = 50  # so many files are all opened before they are split, so that a broken one leaves no split empty


@dataclass(frozen=True)
class VideoConfig:
    """Frames of videos, upright as they were filmed, brought to one size."""

    path: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey
    channels: int = 3
    # fit: cover and cut the middle; stretch: both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # first row, first column, rows, columns of the upright frame, before all else; zeros: all
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    # of a clip
    frames: int = 1
    # 3: every third frame
    skip: int = 1
    # frames a second, chosen by their times, which evens out variable frame rates; 0: frames as they are
    # stored
    rate: float = 0.0
    # from a clip's first frame to the next clip's, in frames that are kept; 0: clips share none
    stride: int = 0
    # share of the videos, or of the time where there are fewer than three, for validation, and again for the
    # test
    held_out: float = 0.1
    # seconds left out between the splits of one video, at most a fifth of what is held out
    gap: float = 1.0


class Video(Dataset):
    """Whole videos go to one split; with one or two, the end of each is held out: no split has frames that
    neighbour another's.

    A video that cannot be read is named in a warning and left out; of one that is cut short, the frames that
    are there are used.
    """

    Config = VideoConfig

    def __init__(self, config: VideoConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        root = Path(config.path)
        files = list_videos(root)
        self._whole = True
        if len(files) <= FEW:
            readable = self._index(files)
            self._whole = len(readable) >= 3
            chosen = set(split_files([one.path for one in readable], root, config.held_out, split))
            readable = [one for one in readable if one.path in chosen]
        else:
            readable = self._index(split_files(files, root, config.held_out, split))
        self._videos = readable
        self._reel = Reel(self._plan(), lambda video: self._videos[video], self._brought)

    def __len__(self) -> int:
        return len(self._reel)

    def place(self, row: int) -> tuple[Path, int, float]:
        """The file of a row, the frame's number in it and its time in seconds."""
        video, number = self._reel.places[row].tolist()
        return self._videos[video].path, number, float(self._videos[video].times[number])

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._reel.pixels(rows)

    def _brought(self, frame: Image.Image, video: int) -> np.ndarray:
        whole = cut(frame, self.config.crop, self._videos[video].path)
        return to_size(whole, self.config.image_size, self.config.channels, self.config.fit)

    def _index(self, files: list[Path]) -> list[Footage]:
        found = []
        left_out = []
        for path in files:
            try:
                found.append(Footage(path))
            except UserError as problem:
                if "PyAV" in str(problem) or len(files) == 1:
                    raise
                left_out.append(str(problem))
                warnings.warn(f"left out: {problem}", stacklevel=4)
                continue
            if found[-1].problem:
                warnings.warn(
                    f"{path}: {found[-1].problem}; the {len(found[-1])} frames that can be read are used",
                    stacklevel=4,
                )
        if left_out:
            warnings.warn(f"{len(left_out)} of {len(files)} videos were left out", stacklevel=4)
        if not found:
            raise UserError(f"none of the {len(files)} videos in {self.config.path} can be read")
        return found

    def _plan(self) -> np.ndarray:
        """(video, frame number) of each row."""
        parts = []
        for number, video in enumerate(self._videos):
            times = video.times
            picked = pick(times, self.config.skip, self.config.rate)
            if not self._whole:
                picked = picked[block(times[picked], self.split, self.config.held_out, self.config.gap)]
            rows = picked[clips(len(picked), self.config.frames, self.config.stride).reshape(-1)]
            parts.append(np.stack([np.full_like(rows, number), rows], 1))
        rows = np.concatenate(parts)
        if not len(rows):
            raise UserError(
                f"the {self.split} split of {self.config.path} has no {f'clip of {self.config.frames} frames' if self.config.frames > 1 else 'frame'};"
                " lower frames or skip, or raise held_out"
            )
        return rows


def pick(times: np.ndarray, skip: int, rate: float) -> np.ndarray:
    """Numbers of the frames that are kept: every so many, or those on the screen at even times."""
    if rate:
        wanted = np.arange(0, times[-1] + 0.5 / rate, 1 / rate)
        shown = np.searchsorted(times, wanted + 1e-6, side="right") - 1
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
