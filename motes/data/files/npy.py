"""Arrays that users have: a .npy file, read through a memory map, or a folder with one for each split; masks
where they lie beside it.

images.npy with masks.npy, cells.npy with cells_masks.npy, train.npy with train_masks.npy, or both in one .npz
           masks: whole numbers in the pictures' shape, 0 is background, every other number a thing
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motes.data import DATASETS
from motes.data.base import Dataset, Split
from motes.data.files.array_stack import Layout, Stack, check_kind, find_file, find_layout, sized
from motes.data.files.picture_files import check_looks, numbers_to_size
from motes.data.kept import Drawn
from motes.data.splits import share
from motes.data.truth_from_masks import renumbered, truth_of
from motes.errors import UserError
from motes.types.truth import Truth

ENDINGS = DATASETS.row("npy").endings
ONLY = (
    "images",
    "image",
    "imgs",
    "frames",
    "raw",
    "x",
    "X",
    "arr_0",
)  # of several arrays, the one that holds the pictures
MASKS = ("masks", "mask", "labels", "label", "segmentations", "segmentation", "y", "Y", "arr_1")


@dataclass(frozen=True)
class NpyConfig:
    """N H W C, N C H W or N H W, or videos V T H W C; bytes, sixteen bits, or fractions in [0, 1]."""

    path: str = ""
    # rows, columns; zeros: as they are
    image_size: tuple[int, int] = (0, 0)
    # 1: grey, 3: colours; 0: as they are
    channels: int = 0
    # fit: cover and cut the middle; stretch: both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # the order of the axes, where it cannot be told from the shape
    layout: Layout = "auto"
    # share of the rows for validation, and again for the test: the end of the file
    held_out: float = 0.1


class Npy(Dataset):
    """Rows of one split lie together in the file, because neighbours may be frames of one scene; videos stay
    whole."""

    Config = NpyConfig

    def __init__(self, config: NpyConfig, split: Split = "train"):
        self.config = config
        self.split: Split = split
        if not config.path:
            raise UserError("arrays need the path of a .npy file, or of a folder with train.npy")
        path, own = _find(Path(config.path), split)
        array = open_array(path)
        check_kind(array, str(path))
        self._stack = Stack(array, find_layout(array.shape, config.layout, str(path)), str(path))
        self._size: tuple[int, int] = config.image_size if any(config.image_size) else self._stack.size
        self._channels = config.channels or self._stack.channels
        check_looks(self._size, self._channels, config.fit)
        videos = range(self._stack.videos) if own else share(self._stack.videos, split, config.held_out)
        self._rows = range(videos.start * self.frames, videos.stop * self.frames)
        if not self._rows:
            raise UserError(f"{path} is empty: its shape is {array.shape}")
        self._masks = _masks_of(path, self._stack)
        self._numbers = Drawn(lambda rows: (np.stack([self._numbered(row) for row in rows]),))
        self._most = 0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (self._channels, self._size[0], self._size[1])

    @property
    def frames(self) -> int:
        return self._stack.frames

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        made = np.empty((len(rows), *self.image_shape), np.uint8)
        for place, row in enumerate(rows):
            made[place] = sized(
                self._stack.picture(self._rows[row]), self._size, self._channels, self.config.fit
            )
        return made

    def truth(self, rows: Sequence[int]) -> Truth | None:
        if self._masks is None:
            return None
        self._most = self._most or max([1, *(int(self._numbers([row])[0].max()) for row in range(len(self)))])
        return truth_of(self._numbers(rows)[0], self._most)

    def _numbered(self, row: int) -> np.ndarray:
        """uint16, H W of what is shown; in all frames of a video the same number for the same thing."""
        assert self._masks is not None
        video, frame = divmod(self._rows[row], self.frames)
        numbers = renumbered(np.asarray(self._masks[video])).reshape(self.frames, *self._stack.size)
        return numbers_to_size(numbers[frame], self._size, self.config.fit)


def _find(path: Path, split: Split) -> tuple[Path, bool]:
    """As `find_file`; in a folder without files of splits, the pictures that have masks beside them."""
    if path.is_dir() and not any((path / f"train{ending}").exists() for ending in ENDINGS):
        both = {file.stem for file in path.iterdir() if file.suffix == ".npy"}
        if both & set(MASKS):
            path = next((path / f"{name}.npy" for name in ONLY if name in both), path)
    return find_file(path, split, ENDINGS)


def _masks_of(path: Path, pictures: Stack) -> np.ndarray | None:
    """Whole numbers in the pictures' shape, in the same file or in one beside it."""
    shape = (*pictures.array.shape[: 2 if pictures.layout.startswith("V") else 1], *pictures.size)
    if path.suffix == ".npz":
        with np.load(path) as opened:
            found = [_member(opened, name, path) for name in MASKS if name in opened.files]
    else:
        names = [f"{path.stem}{joint}{name}" for name in MASKS[:-1] for joint in ("_", ".")]
        names = [*names, *MASKS] if path.stem in ONLY else names
        found = [
            open_array(path.with_name(f"{name}.npy"))
            for name in names
            if path.with_name(f"{name}.npy").is_file()
        ]
    whole = [one for one in found if one.dtype.kind in "biu" and one.shape in (shape, (*shape, 1))]
    if found and not whole and found[0].ndim >= 3:
        warnings.warn(
            f"masks of {path} are left out: {found[0].dtype} of shape {found[0].shape}, not whole numbers of {shape}",
            stacklevel=3,
        )
    return whole[0] if whole else None


def open_array(path: Path) -> np.ndarray:
    try:
        opened = np.load(path, mmap_mode="r", allow_pickle=False)
    except PermissionError:
        raise UserError(f"{path} may not be read; see its permissions") from None
    except Exception as problem:  # whatever a file of another kind makes the reader stumble over
        empty = path.stat().st_size == 0
        raise UserError(
            f"{path} {'is empty' if empty else f'is no array, or cut short ({problem})'}"
        ) from None
    if isinstance(opened, np.ndarray):
        return opened
    names = list(opened.files)
    chosen = names if len(names) == 1 else [name for name in ONLY if name in names]
    if not chosen:
        raise UserError(
            f"{path} holds {', '.join(names) or 'nothing'}; none of them is called {', '.join(ONLY)}; save the pictures alone as .npy"
        )
    return _member(opened, chosen[0], path)


def _member(opened: Any, name: str, path: Path) -> np.ndarray:
    try:
        return opened[name]
    except ValueError:
        raise UserError(f"{name} in {path} is no plain array") from None
