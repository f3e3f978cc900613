"""Videos stored as numbered pictures, as frames or clips in the order of their numbers.

The pictures lie in one folder, or in a folder of such folders:

    ROOT/frame_1.jpg ... frame_200.jpg
    ROOT/camera a/0001.png ..., ROOT/camera b/0001.png ...

The last number in a file name is the frame's; files with other words before it are another sequence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motes.data.base import Dataset, Split
from motes.data.files.folder import DecodedFiles, list_pictures
from motes.data.files.picture_files import check_looks, cropped, read_picture, to_size
from motes.data.numbered import split_name
from motes.data.splits import block, check_held_out, clips, no_clip, share_out
from motes.errors import UserError


@dataclass(frozen=True)
class SequencesConfig:
    """Numbered frames of any format and size, brought to one size."""

    path: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey, 3: colours
    channels: int = 3
    # fit: scale to cover, then cut the middle; stretch: scale both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # crop before resizing: first row, first column, rows, columns; zeros: the whole picture
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    # frames of a clip
    frames: int = 1
    # keep every n-th frame, by its number: 3 is every third
    skip: int = 1
    # kept frames from the first frame of a clip to that of the next clip; 0: clips share no frame
    stride: int = 0
    # share of the sequences, or of the frames where there are fewer than three, for validation, and again
    # for the test
    held_out: float = 0.1
    # frames left out between the splits of one sequence, at most a fifth of what is held out
    gap: int = 25


class Sequences(Dataset):
    """Numbered frames; all frames of a sequence go to one split.

    If there are only one or two sequences, the end of each is held out, with a gap, so that no split has
    frames that neighbour another's.

    No clip reaches over a number that is missing, or a picture that cannot be read.
    """

    Config = SequencesConfig

    def __init__(self, config: SequencesConfig, split: Split = "train"):
        _check(config)
        self.config = config
        self.split: Split = split
        root = Path(config.path)
        sequences = find_sequences(list_pictures(root), root)
        names = list(sequences)
        # whether sequences go to splits undivided
        self._undivided = len(names) >= 3
        chosen = share_out(names, split, ("validation", "test"), config.held_out)
        candidates = [clip for row in sorted(chosen) for clip in self._clips(sequences[names[row]])]
        self._pictures = DecodedFiles(sorted({path for clip in candidates for path in clip}), self._load)
        # the picture of each row
        self._rows = self._whole_clips(candidates)
        if not self._rows:
            raise no_clip(split, root, config.frames)

    def __len__(self) -> int:
        return len(self._rows)

    def place(self, row: int) -> Path:
        """The file of a row."""
        return self._pictures.files[self._rows[row]]

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._pictures.pixels([self._rows[row] for row in rows])

    def _load(self, path: Path) -> np.ndarray:
        picture = cropped(read_picture(path), self.config.crop, path)
        return to_size(picture, self.config.image_size, self.config.channels, self.config.fit)

    def _clips(self, sequence: dict[int, Path]) -> list[list[Path]]:
        """The clips of this split in one sequence, in the order of time. Neighbouring frame numbers differ
        by `skip`."""
        config = self.config
        first = next(iter(sequence))
        numbers = np.array([number for number in sequence if (number - first) % config.skip == 0])
        if not self._undivided:
            times = numbers.astype(np.float64)
            numbers = numbers[block(times, self.split, config.held_out, float(config.gap))]
        runs = numbers[clips(len(numbers), config.frames, config.stride)]
        unbroken = runs[runs[:, -1] - runs[:, 0] == (config.frames - 1) * config.skip]
        return [[sequence[number] for number in clip] for clip in unbroken.tolist()]

    def _whole_clips(self, clips_of_files: list[list[Path]]) -> list[int]:
        """The rows of the clips whose pictures can all be read, clip by clip."""
        row_of = {path: row for row, path in enumerate(self._pictures.files)}
        readable = [clip for clip in clips_of_files if all(path in row_of for path in clip)]
        return [row_of[path] for clip in readable for path in clip]


def find_sequences(files: Sequence[Path], root: Path) -> dict[str, dict[int, Path]]:
    """All sequences, by their folder and the words in their file names; each has its frames by their
    numbers."""
    sequences: dict[str, dict[int, Path]] = {}
    for file in files:
        path = file.relative_to(root)
        parts = split_name(path.stem)
        if parts is None:
            raise UserError(
                f"{file} bears no number, so its place among the frames is not known; move it elsewhere"
            )
        before, number, behind = parts
        frames = sequences.setdefault((path.parent / f"{before}#{behind}").as_posix(), {})
        if number in frames:
            raise UserError(f"{frames[number]} and {file} are the same frame; remove one of them")
        frames[number] = file
    return {name: dict(sorted(frames.items())) for name, frames in sorted(sequences.items())}


def _check(config: SequencesConfig) -> None:
    check_looks(config.image_size, config.channels, config.fit)
    if not config.path:
        raise UserError("sequences of frames need their folder")
    check_held_out(config.held_out)
    _check_numbers(config)


def _check_numbers(config: SequencesConfig) -> None:
    for name, least in (("frames", 1), ("skip", 1), ("stride", 0), ("gap", 0)):
        if getattr(config, name) < least:
            raise UserError(f"{name} must be at least {least}, not {getattr(config, name)}")
