"""Which rows are whose split."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from motes.data.base import Split
from motes.errors import UserError

# folders, or keys of a file of arrays, that are a split's
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
    """Rows of a split out of all rows, by hashes of their names: so much is held out for each of `missing`,
    the rest is for training."""
    if len(names) < 3:  # too few to hold any back: all splits are the same
        return list(range(len(names)))
    ranked = sorted(range(len(names)), key=lambda row: hashlib.sha256(names[row].encode()).digest())
    each = max(round(held_out * len(ranked)), 1)
    first = each * (missing.index(split) if split in missing else len(missing))
    return ranked[first : first + each] if split in missing else ranked[first:]


def split_files(files: list[Path], root: Path, held_out: float, split: Split) -> list[Path]:
    """By the folder it is in, one called train, val or test; what has no folder of its own is held out of
    the training files.

    By the order of hashes of each file's place, so that it does not matter where the folder is, or in what
    order it is listed.
    """
    own: dict[str, list[Path]] = {}
    for file in files:
        parts = {part.lower() for part in file.relative_to(root).parent.parts}
        own.setdefault(
            next((name for name, words in NAMES.items() if parts & set(words)), "train"), []
        ).append(file)
    if split in own and split != "train":
        return sorted(own[split])
    if "train" not in own:
        raise UserError(f"{root} has nothing to train on, only folders for {' and '.join(own)}")
    names = [file.relative_to(root).as_posix() for file in own["train"]]
    missing = [name for name in ("validation", "test") if name not in own]
    return sorted(own["train"][row] for row in share_out(names, split, missing, held_out))


def share(count: int, split: Split, held_out: float) -> range:
    """Blocks in the order of the file: neighbours may be frames of one scene, so the end is held out. Fewer
    than three: all are the same."""
    check_held_out(held_out)
    if count < 3:
        return range(count)
    each = max(round(held_out * count), 1)
    bounds = {
        "train": (0, count - 2 * each),
        "validation": (count - 2 * each, count - each),
        "test": (count - each, count),
    }
    return range(*bounds[split])


def block(times: np.ndarray, split: Split, held_out: float, gap: float) -> slice:
    """The part of one video that is a split's: the end is for the test, what is before it for validation,
    with a gap before each."""
    count = len(times)
    first = round(count * (1 - 2 * held_out))
    second = round(count * (1 - held_out))
    start, stop = {"train": (0, first), "validation": (first, second), "test": (second, count)}[split]
    if start and start < count:
        pause = min(gap, 0.2 * (times[min(stop, count) - 1] - times[start]))
        start = max(int(np.searchsorted(times, times[start - 1] + pause, side="right")), start)
    return slice(start, stop)


def clips(length: int, frames: int, stride: int) -> Int[np.ndarray, "clips frames"]:
    """The whole clips in a run of so many frames, by their places in it, a stride from one's first to the
    next one's; 0: they share none."""
    return np.arange(0, length - frames + 1, stride or frames)[:, None] + np.arange(frames)
