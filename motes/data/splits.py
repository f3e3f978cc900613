"""Which rows belong to which split."""

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
    """The rows of a split out of all rows, by hashes of their names.

    A share of `held_out` is held out for each split in `missing`, the rest is for training. With fewer than
    three rows there are too few to hold any back: all splits are the same.
    """
    if len(names) < 3:
        return list(range(len(names)))
    ranked = sorted(range(len(names)), key=lambda row: hashlib.sha256(names[row].encode()).digest())
    held = max(round(held_out * len(ranked)), 1)
    start = held * (missing.index(split) if split in missing else len(missing))
    return ranked[start : start + held] if split in missing else ranked[start:]


def split_files(files: list[Path], root: Path, held_out: float, split: Split) -> list[Path]:
    """The files of a split, by the folder they are in, one called train, val or test.

    A split without a folder of its own is held out of the training files.

    The order of the hashes of each file's path below `root` decides, so that it does not matter where the
    folder is, or in what order it is listed.
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
    """The rows of a split in the order of the file.

    Neighbours may be frames of one scene, so the end is held out. With fewer than three rows all splits are
    the same.
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
    """The part of one video that belongs to a split.

    The end is for the test, what is before it for validation, with a gap before each.
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
    """The whole clips in a run of `length` frames, by the numbers of their frames.

    `stride` lies between the first frames of neighbouring clips; 0: they share no frame.
    """
    return np.arange(0, length - frames + 1, stride or frames)[:, None] + np.arange(frames)


def no_clip(split: Split, path: object, frames: int) -> UserError:
    """The error for a split of videos that has no rows."""
    clip = f"clip of {frames} frames" if frames > 1 else "frame"
    return UserError(f"the {split} split of {path} has no {clip}; lower frames or skip, or raise held_out")
