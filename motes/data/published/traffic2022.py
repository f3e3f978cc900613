"""Traffic, the road camera of the 2022 paper: numbered frames, split in the order of time.

A square is cut from every third frame.

ROOT/0.jpg, 1.jpg ...
    frames of at least 480 x 420 pixels, named by their numbers (.jpg, .png or .gif)
ROOT/img128np_fs3.npy
    or the array that the authors made of the frames and hand out: every third, already cut and scaled
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.array_stack import ArrayStack, find_layout, sized
from motes.data.files.npy import open_array
from motes.data.files.picture_files import check_looks, colours_first, cropped, read_picture
from motes.data.splits import clips
from motes.errors import UserError

PAGE = "the README of github.com/taldatech/ddlp"
ARRAY = "img128np_fs3.npy"
# first row, first column, rows, columns
CROP = (0, 60, 420, 420)
STEP = 3
ENDINGS = (".jpg", ".png", ".gif")
THREADS = 4
# for training and validation; the rest is for the test
SHARES = {"dlp": (0.9, 0.05), "ddlp": (0.8, 0.1)}


@dataclass(frozen=True)
class Traffic2022Config:
    """Frames are cut to the square to the right of the camera's mast; the paper has it at 128 pixels."""

    # the folder of the frames, or of img128np_fs3.npy
    root: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey, 3: colours
    channels: int = 3
    # how much is for training: dlp 90 %, ddlp 80 %
    protocol: Literal["dlp", "ddlp"] = "dlp"
    # frames of a clip
    frames: int = 1
    # kept frames from the first frame of a clip to that of the next clip; 0: clips share no frame, 1: a clip
    # begins at every frame
    stride: int = 0
    # dlp: validation and test are both the last tenth, and every third file is used, even across gaps
    original: bool = False


class Traffic2022(Dataset):
    """Frames of a road camera.

    The 2022 code has no test split, only a held-out tenth: here its first half is for validation and its
    second half for the test; with `original`, both splits have all of it. Every third frame is counted by
    number, so that a missing file shifts no other; no clip reaches over a gap.
    """

    Config = Traffic2022Config

    def __init__(self, config: Traffic2022Config, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        self._stack: ArrayStack | None = None
        self._files: list[Path] = []
        array = Path(config.root) / ARRAY
        times = self._open_array(array) if array.is_file() else self._find_files()
        # the frame of each row
        self._rows = self._plan(times)
        self._pool = ThreadPoolExecutor(THREADS)

    def __len__(self) -> int:
        return len(self._rows)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return np.stack(list(self._pool.map(self._frame, self._rows[list(rows)].tolist())))

    def _open_array(self, path: Path) -> np.ndarray:
        """Open the authors' array; returns the times of all its frames, in steps."""
        array = open_array(path)
        self._stack = ArrayStack(array, find_layout(array.shape, "auto", str(path)), str(path))
        return np.arange(len(array))

    def _find_files(self) -> np.ndarray:
        """Find every third frame among the files; returns their times in steps."""
        files, numbers = _numbered(Path(self.config.root))
        if self.config.original:
            thirds = np.arange(0, len(numbers), STEP)
            times = np.arange(len(thirds))
        else:
            thirds = np.flatnonzero((numbers - numbers[0]) % STEP == 0)
            times = (numbers[thirds] - numbers[0]) // STEP
        self._files = [files[number] for number in thirds]
        return times

    def _frame(self, number: int) -> np.ndarray:
        rows, columns = self.config.image_size
        if self._stack is not None:
            return sized(self._stack.picture(number), (rows, columns), self.config.channels, "stretch")
        picture = read_picture(self._files[number]).convert("RGB" if self.config.channels == 3 else "L")
        square = cropped(picture, CROP, self._files[number])
        return colours_first(np.asarray(square.resize((columns, rows), Image.Resampling.BICUBIC)))

    def _plan(self, times: np.ndarray) -> np.ndarray:
        config = self.config
        start, stop = self._bounds(len(times))
        runs = start + clips(stop - start, config.frames, config.stride)
        unbroken = runs[times[runs[:, -1]] - times[runs[:, 0]] == config.frames - 1]
        if not len(unbroken):
            raise UserError(
                f"the {self.split} split of {config.root} has {stop - start} frames, "
                f"and no clip of {config.frames} without a gap"
            )
        return unbroken.reshape(-1)

    def _bounds(self, count: int) -> tuple[int, int]:
        """The index of the split's first frame, and that of the first frame after the split."""
        share, held = SHARES[self.config.protocol]
        first = int(share * count)
        second = int((share + held) * count)
        if self.config.original and self.split != "train":
            return first, count
        return {"train": (0, first), "validation": (first, second), "test": (second, count)}[self.split]


def _numbered(root: Path) -> tuple[list[Path], np.ndarray]:
    """The files of the frames in the order of their numbers, and these numbers."""
    files = sorted(_frames(root), key=lambda path: int(path.stem))
    numbers = np.array([int(path.stem) for path in files])
    if (twice := np.flatnonzero(np.diff(numbers) == 0)).size:
        raise UserError(
            f"{files[twice[0]].name} and {files[twice[0] + 1].name} in {root} are the same frame; "
            "remove one kind"
        )
    return files, numbers


def _frames(root: Path) -> list[Path]:
    files = [path for path in root.iterdir() if path.suffix.lower() in ENDINGS and path.name[0] != "."]
    if not files:
        raise UserError(
            f"{root} holds neither frames 0.jpg, 1.jpg ... nor {ARRAY}; {PAGE} says where to get them"
        )
    if unnumbered := [path.name for path in files if not path.stem.isdecimal()]:
        raise UserError(
            f"{len(unnumbered)} pictures in {root} are not named by a number, the first {min(unnumbered)}; "
            "their order cannot be told"
        )
    return files


def _check(config: Traffic2022Config) -> None:
    if not config.root or not Path(config.root).is_dir():
        raise UserError(
            f"Traffic needs the folder of its frames, and {config.root or 'nothing'!r} is none; "
            f"name it with --data.root; {PAGE} has it"
        )
    if config.protocol not in SHARES:
        raise UserError(f"protocol {config.protocol!r} is unknown; choose one of {', '.join(SHARES)}")
    _check_clips(config)
    check_looks(config.image_size, config.channels)


def _check_clips(config: Traffic2022Config) -> None:
    if config.original and config.protocol != "dlp":
        raise UserError("original is how the 2022 code splits: it goes with protocol dlp")
    if config.frames < 1 or config.stride < 0:
        raise UserError(f"clips of {config.frames} frames with stride {config.stride} cannot be")
