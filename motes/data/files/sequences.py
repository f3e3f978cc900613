"""Videos that lie as numbered pictures: a folder of frames, or a folder of such folders; as frames or clips
in the order of their numbers.

ROOT/frame_1.jpg ... frame_200.jpg, or ROOT/camera a/0001.png ..., ROOT/camera b/0001.png ...
The last number of a name counts; other words before it make another sequence.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motes.data.base import Dataset, Split
from motes.data.files.folder import Shelf, list_pictures
from motes.data.files.picture_files import check_looks, cut, read_picture, to_size
from motes.data.splits import block, check_held_out, clips, share_out
from motes.errors import UserError

_NUMBERED = re.compile(r"^(.*?)(\d+)(\D*)$")


@dataclass(frozen=True)
class SequencesConfig:
    """Numbered frames, brought to one size."""

    path: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey
    channels: int = 3
    # fit: cover and cut the middle; stretch: both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # first row, first column, rows, columns, before all else; zeros: all
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    # of a clip
    frames: int = 1
    # 3: every third frame, by its number
    skip: int = 1
    # from a clip's first frame to the next clip's, in frames that are kept; 0: clips share none
    stride: int = 0
    # share of the sequences, or of the frames where there are fewer than three, for validation, and again
    # for the test
    held_out: float = 0.1
    # frames left out between the splits of one sequence, at most a fifth of what is held out
    gap: int = 25


class Sequences(Dataset):
    """Whole sequences go to one split; with one or two, the end of each is held out: no split has frames
    that neighbour another's.

    No clip reaches over a number that is missing, or a picture that cannot be read.
    """

    Config = SequencesConfig

    def __init__(self, config: SequencesConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        root = Path(config.path)
        everything = find_sequences(list_pictures(root), root)
        names = list(everything)
        self._whole = len(names) >= 3
        chosen = share_out(names, split, ("validation", "test"), config.held_out)
        found = [clip for row in sorted(chosen) for clip in self._clips(everything[names[row]])]
        self._shelf = Shelf(sorted({path for clip in found for path in clip}), self._load)
        place = {path: row for row, path in enumerate(self._shelf.files)}
        self._rows = [place[path] for clip in found if all(path in place for path in clip) for path in clip]
        if not self._rows:
            raise UserError(
                f"the {split} split of {root} has no {f'clip of {config.frames} frames' if config.frames > 1 else 'frame'};"
                " lower frames or skip, or raise held_out"
            )

    def __len__(self) -> int:
        return len(self._rows)

    def place(self, row: int) -> Path:
        """The file of a row."""
        return self._shelf.files[self._rows[row]]

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._shelf.pixels([self._rows[row] for row in rows])

    def _load(self, path: Path) -> np.ndarray:
        whole = cut(read_picture(path), self.config.crop, path)
        return to_size(whole, self.config.image_size, self.config.channels, self.config.fit)

    def _clips(self, sequence: dict[int, Path]) -> list[list[Path]]:
        """Of this split, in the order of time; no two numbers of a clip are further apart than `skip`."""
        config = self.config
        first = next(iter(sequence))
        numbers = np.array([number for number in sequence if (number - first) % config.skip == 0])
        if not self._whole:
            numbers = numbers[
                block(numbers.astype(np.float64), self.split, config.held_out, float(config.gap))
            ]
        found = numbers[clips(len(numbers), config.frames, config.stride)]
        unbroken = found[found[:, -1] - found[:, 0] == (config.frames - 1) * config.skip]
        return [[sequence[number] for number in clip] for clip in unbroken.tolist()]


def find_sequences(files: Sequence[Path], root: Path) -> dict[str, dict[int, Path]]:
    """By the place and the words of their names: frames in the order of their numbers."""
    found: dict[str, dict[int, Path]] = {}
    for file in files:
        place = file.relative_to(root)
        told = _NUMBERED.match(place.stem)
        if told is None:
            raise UserError(
                f"{file} bears no number, so its place among the frames is not known; move it elsewhere"
            )
        own = found.setdefault((place.parent / f"{told[1]}#{told[3]}").as_posix(), {})
        if int(told[2]) in own:
            raise UserError(f"{own[int(told[2])]} and {file} are the same frame; remove one of them")
        own[int(told[2])] = file
    return {name: dict(sorted(own.items())) for name, own in sorted(found.items())}


def _check(config: SequencesConfig) -> None:
    check_looks(config.image_size, config.channels, config.fit)
    if not config.path:
        raise UserError("sequences of frames need their folder")
    check_held_out(config.held_out)
    for name, least in (("frames", 1), ("skip", 1), ("stride", 0), ("gap", 0)):
        if getattr(config, name) < least:
            raise UserError(f"{name} must be at least {least}, not {getattr(config, name)}")
