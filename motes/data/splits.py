"""Which rows, files or frames of a data set belong to the training, validation and test split."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from motes.data.base import Split
from motes.errors import UserError

# names of folders, or of keys in a file of arrays, that hold one split alone
NAMES: dict[Split, tuple[str, ...]] = {
    "train": ("train",),
    "validation": ("validation", "valid", "val"),
    "test": ("test",),
}


def check_held_out(held_out: float) -> None:
    if not 0 < held_out < 0.5:
        raise UserError(
            f"held_out {held_out} must lie between 0 and 0.5: so much for validation, and again for the test"
        )


def share_out(names: Sequence[str], split: Split, missing: Sequence[str], held_out: float) -> list[int]:
    """The rows that belong to a split, chosen by hashes of the rows' names.

    `missing` lists the splits that the data lack: each gets the share `held_out` of the rows, and the rest is
    for training. If there are fewer than three rows, every split has all of them.
    """
    if len(names) < 3:
        return list(range(len(names)))
    ranked = sorted(range(len(names)), key=lambda row: hashlib.sha256(names[row].encode()).digest())
    held = max(round(held_out * len(ranked)), 1)
    start = held * (missing.index(split) if split in missing else len(missing))
    return ranked[start : start + held] if split in missing else ranked[start:]


def split_files(files: list[Path], root: Path, held_out: float, split: Split) -> list[Path]:
    """The files of a split: those below a folder named after it (train, val or test); all others are for
    training.

    A split that has no such folder gets the share `held_out` of the training files. They are chosen by hashes
    of their paths below `root`, so that it does not matter where the folder is, or in what order it is
    listed.
    """
    files_of: dict[str, list[Path]] = {}
    for file in files:
        files_of.setdefault(_split_of_folder(file.relative_to(root).parent), []).append(file)
    if split in files_of and split != "train":
        return sorted(files_of[split])
    if "train" not in files_of:
        raise UserError(f"{root} has nothing to train on, only folders for {' and '.join(files_of)}")
    names = [file.relative_to(root).as_posix() for file in files_of["train"]]
    missing = [name for name in ("validation", "test") if name not in files_of]
    return sorted(files_of["train"][row] for row in share_out(names, split, missing, held_out))


def _split_of_folder(folder: Path) -> Split:
    parts = {part.lower() for part in folder.parts}
    for split, names in NAMES.items():
        if parts & set(names):
            return split
    return "train"


def share(count: int, split: Split, held_out: float) -> range:
    """The rows of a split in a file of `count` rows: first training, then validation, then test.

    The end is held out and not a random choice, because neighbouring rows may be frames of one scene. If
    there are fewer than three rows, every split has all of them.
    """
    check_held_out(held_out)
    if count < 3:
        return range(count)
    held = max(round(held_out * count), 1)
    bounds = {
        "train": (0, count - 2 * held),
        "validation": (count - 2 * held, count - held),
        "test": (count - held, count),
    }
    return range(*bounds[split])


def block(times: np.ndarray, split: Split, held_out: float, gap: float) -> slice:
    """The frames of one video, given their times, that belong to a split.

    The last share `held_out` is for the test, and the same share before it for validation. A pause of at most
    `gap` is left out before each of the two.
    """
    count = len(times)
    first = round(count * (1 - 2 * held_out))
    second = round(count * (1 - held_out))
    start, stop = {"train": (0, first), "validation": (first, second), "test": (second, count)}[split]
    if start and start < count:
        pause = min(gap, 0.2 * (times[min(stop, count) - 1] - times[start]))
        start = max(int(np.searchsorted(times, times[start - 1] + pause, side="right")), start)
    return slice(start, stop)


def clips(length: int, frames: int, stride: int) -> Int[np.ndarray, "clips frames"]:
    """The numbers of the frames of each whole clip in a run of `length` frames.

    The first frames of neighbouring clips are `stride` frames apart; if `stride` is 0, clips share no frame.
    """
    return np.arange(0, length - frames + 1, stride or frames)[:, None] + np.arange(frames)


def no_clip(split: Split, path: object, frames: int) -> UserError:
    """The error for a split of videos that has no rows."""
    clip = f"clip of {frames} frames" if frames > 1 else "frame"
    return UserError(f"the {split} split of {path} has no {clip}; lower frames or skip, or raise held_out")
