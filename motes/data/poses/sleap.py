"""SLEAP projects (.slp, .pkg.slp) read through sleap-io: the labelled frames and the animals in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.picture_files import check_looks, moved, to_size
from motes.data.kept import RowCache
from motes.data.splits import check_held_out, share_out
from motes.errors import UserError
from motes.plain.packages import optional
from motes.types.truth import Truth

# bytes of decoded frames in memory
BUDGET = 1 << 30


@dataclass(frozen=True)
class SleapConfig:
    """Labelled frames, brought to one size."""

    # the .slp file
    path: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey, 3: colours
    channels: int = 3
    # fit: scale to cover, then cut the middle; stretch: scale both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # share of the frames for validation, and as much again for the test split
    held_out: float = 0.1


class Sleap(Dataset):
    """The frames that have animals; those that a person labelled count, or else those that were predicted.

    Each animal is a thing, whose centre is the middle of its visible points. If no frame has more than one animal,
    its points are the picture's landmarks. What is hidden or cut away is NaN.
    """

    Config = SleapConfig

    def __init__(self, config: SleapConfig, split: Split = "train"):
        check_looks(config.image_size, config.channels, config.fit)
        check_held_out(config.held_out)
        self.config = config
        self.split: Split = split
        frames = _frames_of(Path(config.path))
        names = [f"{Path(str(frame.video.filename)).name}/{frame.frame_idx}" for frame in frames]
        chosen = share_out(names, split, ("validation", "test"), config.held_out)
        self._frames = [frames[row] for row in sorted(chosen)]
        self._animals = max(len(_animals(frame)) for frame in frames)
        self._decoded = RowCache(self._read, BUDGET)

    def __len__(self) -> int:
        return len(self._frames)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._decoded(rows)[0]

    def truth(self, rows: Sequence[int]) -> Truth:
        sizes = self._decoded(rows)[1]
        points = [self._points(self._frames[row], size) for row, size in zip(rows, sizes, strict=True)]
        present = np.zeros((len(rows), self._animals), bool)
        centres = np.zeros((len(rows), self._animals, 2), np.float32)
        for row, of_frame in enumerate(points):
            for number, of_animal in enumerate(of_frame):
                visible = of_animal[~np.isnan(of_animal).any(1)]
                if len(visible):
                    present[row, number] = True
                    centres[row, number] = (visible.min(0) + visible.max(0)) / 2
        landmarks = torch.from_numpy(np.stack([of_frame[0] for of_frame in points]))
        return Truth(
            torch.from_numpy(present),
            torch.from_numpy(centres),
            points=landmarks if self._animals == 1 else None,
        )

    def _read(self, rows: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """The pixels of these rows, and the rows and columns of their frames before they were resized."""
        config = self.config
        pictures = [_picture(self._frames[row]) for row in rows]
        pixels = [to_size(picture, config.image_size, config.channels, config.fit) for picture in pictures]
        return np.stack(pixels), np.array([(picture.height, picture.width) for picture in pictures])

    def _points(self, frame: Any, size: np.ndarray) -> list[np.ndarray]:
        """The points of each animal of a frame, (row, column) in [-1, 1]; NaN where one is hidden.

        `size` are the rows and columns of the frame in its file.
        """
        rows, columns = size.tolist()
        config = self.config
        points = []
        for animal in _animals(frame):
            places = moved(
                animal.numpy()[:, ::-1], (rows, columns), (0, 0, 0, 0), config.image_size, config.fit
            )
            points.append(np.where((np.abs(places) <= 1).all(1, keepdims=True), places, np.nan))
        return points


def _picture(frame: Any) -> Image.Image:
    try:
        pixels = np.asarray(frame.image)
    except Exception as problem:  # each of sleap-io's readers raises what it likes
        where = f"frame {frame.frame_idx} of {frame.video.filename}"
        raise UserError(f"{where} cannot be read ({type(problem).__name__} {problem})") from None
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _frames_of(path: Path) -> list[Any]:
    """The labelled frames of a project, whose videos are looked for beside it if they are not where it says."""
    sleap = optional("sleap_io", "pose", "SLEAP projects need sleap-io")
    if not path.is_file():
        raise UserError(f"a SLEAP project is a .slp file, and {path} is none")
    try:
        labels = sleap.load_slp(str(path))
    except Exception as problem:  # as HDF5 and sleap-io find the file
        raise UserError(f"{path} is cut short, or no SLEAP project ({type(problem).__name__})") from None
    for video in labels.videos:
        if not video.exists():
            _find_beside(video, path)
    frames = [frame for frame in labels.labeled_frames if _animals(frame)]
    if not frames:
        raise UserError(f"no frame of {path} is labelled")
    return sorted(frames, key=lambda frame: (str(frame.video.filename), frame.frame_idx))


def _find_beside(video: Any, path: Path) -> None:
    names = video.filename if isinstance(video.filename, list) else [video.filename]
    beside = [path.parent / str(name).replace("\\", "/").rpartition("/")[2] for name in names]
    if missing := [file for file in beside if not file.is_file()]:
        raise UserError(f"{names[0]} of {path} is missing, and so is {missing[0]}; put it beside the project")
    files = [str(file) for file in beside]
    video.replace_filename(files if isinstance(video.filename, list) else files[0])


def _animals(frame: Any) -> list[Any]:
    return list(frame.user_instances or frame.predicted_instances)
