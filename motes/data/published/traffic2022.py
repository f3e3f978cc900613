"""Traffic, the road camera of the 2022 paper: numbered frames, a square of them, every third one, split in
the order of time.

ROOT/0.jpg, 1.jpg ...          frames of at least 480 x 420 pixels, named by their numbers (.jpg, .png or
.gif) ROOT/img128np_fs3.npy          or what its authors made of them and hand out: already cut, scaled and
every third
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.array_stack import Stack, find_layout, sized
from motes.data.files.npy import open_array
from motes.data.files.picture_files import check_looks, colours_first, cut, read_picture
from motes.data.splits import clips
from motes.errors import UserError

PAGE = "the README of github.com/taldatech/ddlp"
CROP = (0, 60, 420, 420)  # first row, first column, rows, columns
STEP = 3
ENDINGS = (".jpg", ".png", ".gif")
THREADS = 4
SHARES = {"dlp": (0.9, 0.05), "ddlp": (0.8, 0.1)}  # for training and validation; the rest is for the test


@dataclass(frozen=True)
class Traffic2022Config:
    """The square to the right of the camera's mast, at 128 pixels."""

    # the folder of the frames, or of img128np_fs3.npy
    root: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey
    channels: int = 3
    # how much is for training: dlp 90 %, ddlp 80 %
    protocol: Literal["dlp", "ddlp"] = "dlp"
    # of a clip
    frames: int = 1
    # from a clip's first frame to the next clip's, in frames that are kept; 0: clips share none, 1: every
    # window
    stride: int = 0
    # dlp: validation and test are both the last tenth, and every third is counted by files, gaps or not
    original: bool = False


class Traffic2022(Dataset):
    """The 2022 code has no test split: here its held-out tenth is halved, the first half for validation;
    `original` gives it whole for both.

    Every third frame is by number, so that a missing file shifts no other; no clip reaches over a gap.
    """

    Config = Traffic2022Config

    def __init__(self, config: Traffic2022Config, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        self._stack = None
        self._files = []
        ready = Path(config.root) / "img128np_fs3.npy"
        if ready.is_file():
            array = open_array(ready)
            self._stack = Stack(array, find_layout(array.shape, "auto", str(ready)), str(ready))
            times = np.arange(len(array))
        else:
            self._files, numbers = _numbered(Path(config.root))
            kept = (
                np.arange(0, len(numbers), STEP)
                if config.original
                else np.flatnonzero((numbers - numbers[0]) % STEP == 0)
            )
            self._files = [self._files[place] for place in kept]
            times = np.arange(len(kept)) if config.original else (numbers[kept] - numbers[0]) // STEP
        self._rows = self._plan(times)
        self._pool = ThreadPoolExecutor(THREADS)

    def __len__(self) -> int:
        return len(self._rows)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return np.stack(list(self._pool.map(self._one, self._rows[list(rows)].tolist())))

    def _one(self, place: int) -> np.ndarray:
        if self._stack is not None:
            return sized(self._stack.picture(place), self.config.image_size, self.config.channels, "stretch")
        whole = read_picture(self._files[place]).convert("RGB" if self.config.channels == 3 else "L")
        rows, columns = self.config.image_size
        square = cut(whole, CROP, self._files[place]).resize((columns, rows), Image.Resampling.BICUBIC)
        return colours_first(np.asarray(square))

    def _plan(self, times: np.ndarray) -> np.ndarray:
        """The kept frame of each row."""
        count = len(times)
        config = self.config
        share, held = SHARES[config.protocol]
        first = int(share * count)
        second = int((share + held) * count)
        bounds = {"train": (0, first), "validation": (first, second), "test": (second, count)}
        if config.original and self.split != "train":
            bounds[self.split] = (first, count)
        start, stop = bounds[self.split]
        found = start + clips(stop - start, config.frames, config.stride)
        unbroken = found[times[found[:, -1]] - times[found[:, 0]] == config.frames - 1]
        if not len(unbroken):
            raise UserError(
                f"the {self.split} split of {config.root} has {stop - start} frames, and no clip of {config.frames} without a gap"
            )
        return unbroken.reshape(-1)


def _numbered(root: Path) -> tuple[list[Path], np.ndarray]:
    found = [
        path for path in root.iterdir() if path.suffix.lower() in ENDINGS and not path.name.startswith(".")
    ]
    if not found:
        raise UserError(
            f"{root} holds neither frames 0.jpg, 1.jpg ... nor img128np_fs3.npy; {PAGE} says where to get them"
        )
    if other := [path.name for path in found if not path.stem.isdecimal()]:
        raise UserError(
            f"{len(other)} pictures in {root} are not named by a number, the first {min(other)}; their order cannot be told"
        )
    found.sort(key=lambda path: int(path.stem))
    numbers = np.array([int(path.stem) for path in found])
    if (twice := np.flatnonzero(np.diff(numbers) == 0)).size:
        raise UserError(
            f"{found[twice[0]].name} and {found[twice[0] + 1].name} in {root} are the same frame; remove one kind"
        )
    return found, numbers


def _check(config: Traffic2022Config) -> None:
    if not config.root or not Path(config.root).is_dir():
        raise UserError(
            f"Traffic needs the folder of its frames, and {config.root or 'nothing'!r} is none; name it with --data.root; {PAGE} has it"
        )
    if config.protocol not in SHARES:
        raise UserError(f"protocol {config.protocol!r} is unknown; choose one of {', '.join(SHARES)}")
    if config.original and config.protocol != "dlp":
        raise UserError("original is how the 2022 code splits: it goes with protocol dlp")
    if config.frames < 1 or config.stride < 0:
        raise UserError(f"clips of {config.frames} frames with stride {config.stride} cannot be")
    check_looks(config.image_size, config.channels)
