"""Arrays: a .npy or .npz file, or a folder with one for each split; .npy files are read through memory maps.

Masks and actions may lie beside the pictures: images.npy with masks.npy and actions.npy, cells.npy with
cells_masks.npy, train.npy with train_masks.npy, or all in one .npz.

masks      whole numbers in the pictures' shape, 0 is background, every other number a thing
actions    what was done after each picture or frame: N ..., or V T ... beside videos
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from motes.data import DATASETS
from motes.data.base import Dataset, Split
from motes.data.files.array_stack import (
    ACTIONS,
    ArrayStack,
    Layout,
    check_kind,
    find_file,
    find_layout,
    sized,
)
from motes.data.files.picture_files import check_looks, numbers_to_size
from motes.data.kept import RowCache
from motes.data.splits import share
from motes.data.truth_from_masks import most_things, renumbered, truth_from_numbers
from motes.errors import UserError
from motes.types.truth import Truth

ENDINGS = DATASETS.row("npy").endings
# of several arrays, the one that holds the pictures
IMAGES = ("images", "image", "imgs", "frames", "raw", "x", "X", "arr_0")
MASKS = ("masks", "mask", "labels", "label", "segmentations", "segmentation", "y", "Y", "arr_1")


@dataclass(frozen=True)
class NpyConfig:
    """Arrays of axes N H W C, N C H W or N H W, or videos V T H W C; bytes, sixteen bits, or fractions in
    [0, 1]."""

    path: str = ""
    # rows, columns; zeros: as they are
    image_size: tuple[int, int] = (0, 0)
    # 1: grey, 3: colours; 0: as they are
    channels: int = 0
    # fit: scale to cover, then cut the middle; stretch: scale both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # the order of the axes, if the shape does not determine it
    layout: Layout = "auto"
    # share of the rows for validation, and again for the test: the end of the file
    held_out: float = 0.1


class Npy(Dataset):
    """Pictures or videos in arrays. The rows of one split lie together, because neighbours may be frames of
    one scene.

    A video is never divided between splits.
    """

    Config = NpyConfig

    def __init__(self, config: NpyConfig, split: Split = "train"):
        self.config = config
        self.split: Split = split
        if not config.path:
            raise UserError("arrays need the path of a .npy file, or of a folder with train.npy")
        path, holds_split_alone = _find(Path(config.path), split)
        self._path = path
        array = open_array(path)
        check_kind(array, str(path))
        self._stack = ArrayStack(array, find_layout(array.shape, config.layout, str(path)), str(path))
        self._size: tuple[int, int] = config.image_size if any(config.image_size) else self._stack.size
        self._channels = config.channels or self._stack.channels
        check_looks(self._size, self._channels, config.fit)
        count = self._stack.videos
        videos = range(count) if holds_split_alone else share(count, split, config.held_out)
        self._rows = range(videos.start * self.frames, videos.stop * self.frames)
        if not self._rows:
            raise UserError(f"{path} is empty: its shape is {array.shape}")
        self._masks = _masks_of(path, self._stack)
        self._action_array = _actions_of(path, self._stack)
        self._numbers = RowCache(lambda rows: (np.stack([self._numbered(row) for row in rows]),))
        # the most things in a picture; 0: not counted yet
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
        pixels = np.empty((len(rows), *self.image_shape), np.uint8)
        for picture, row in zip(pixels, rows, strict=True):
            stored = self._stack.picture(self._rows[row])
            picture[:] = sized(stored, self._size, self._channels, self.config.fit)
        return pixels

    def truth(self, rows: Sequence[int]) -> Truth | None:
        if self._masks is None:
            return None
        self._most = self._most or most_things(self._numbers, len(self))
        return truth_from_numbers(self._numbers(rows)[0], self._most)

    def actions(self, rows: Sequence[int]) -> Float[Tensor, "N A"] | None:
        if self._action_array is None:
            return None
        return self._stack.actions(
            self._action_array, [self._rows[row] for row in rows], f"the actions of {self._path}"
        )

    def _numbered(self, row: int) -> np.ndarray:
        """The number of the thing at each pixel of a row's resized picture: uint16, H W.

        A thing has the same number in all frames of its video.
        """
        assert self._masks is not None
        video, frame = divmod(self._rows[row], self.frames)
        numbers = renumbered(np.asarray(self._masks[video])).reshape(self.frames, *self._stack.size)
        return numbers_to_size(numbers[frame], self._size, self.config.fit)


def _find(path: Path, split: Split) -> tuple[Path, bool]:
    """The file of a split, and whether it holds nothing else, as `find_file` finds them.

    In a folder without files of splits, it is the array of pictures that has masks or actions beside it.
    """
    if path.is_dir() and not any((path / f"train{ending}").exists() for ending in ENDINGS):
        names = {file.stem for file in path.iterdir() if file.suffix == ".npy"}
        if names & {*MASKS, *ACTIONS}:
            path = next((path / f"{name}.npy" for name in IMAGES if name in names), path)
    return find_file(path, split, ENDINGS)


def _masks_of(path: Path, pictures: ArrayStack) -> np.ndarray | None:
    """The masks that lie in the same file or in one beside it, whole numbers in the pictures' shape; None
    if none."""
    shape = (*pictures.lead, *pictures.size)
    arrays = _companions(path, MASKS, MASKS[:-1])
    masks = [array for array in arrays if array.dtype.kind in "biu" and array.shape in (shape, (*shape, 1))]
    if arrays and not masks and arrays[0].ndim >= 3:
        _warn_left_out(f"masks of {path}", arrays[0], f"whole numbers of {shape}")
    return masks[0] if masks else None


def _actions_of(path: Path, pictures: ArrayStack) -> np.ndarray | None:
    """The actions that lie in the same file or in one beside it, one entry for each picture; None if none."""
    lead = pictures.lead
    arrays = _companions(path, ACTIONS, ACTIONS)
    actions = [array for array in arrays if array.dtype.kind in "biuf" and array.shape[: len(lead)] == lead]
    if arrays and not actions:
        _warn_left_out(f"actions of {path}", arrays[0], f"numbers of {(*lead, 'A')}")
    return actions[0] if actions else None


def _warn_left_out(what: str, array: np.ndarray, wanted: str) -> None:
    warnings.warn(
        f"{what} are left out: {array.dtype} of shape {array.shape}, not {wanted}",
        stacklevel=4,
    )


def _companions(path: Path, names: Sequence[str], endings: Sequence[str]) -> list[np.ndarray]:
    """The arrays that belong to a file of pictures, as many as there are.

    In an .npz file they are the members called by one of `names`. For a .npy file they are files beside it:
    for `cats.npy`, `cats_masks.npy` or `cats.masks.npy` if "masks" is one of `endings`. If the file only has
    a general name, such as `images.npy`, one of `names` alone will do as well: `masks.npy`.
    """
    if path.suffix == ".npz":
        with np.load(path) as opened:
            return [_member(opened, name, path) for name in names if name in opened.files]
    beside = [f"{path.stem}{joint}{ending}" for ending in endings for joint in ("_", ".")]
    beside = [*beside, *names] if path.stem in IMAGES else beside
    files = [path.with_name(f"{name}.npy") for name in beside]
    return [open_array(file) for file in files if file.is_file()]


def open_array(path: Path) -> np.ndarray:
    try:
        opened = np.load(path, mmap_mode="r", allow_pickle=False)
    except PermissionError:
        raise UserError(f"{path} may not be read; see its permissions") from None
    except Exception as problem:  # whatever a file of another kind makes the reader stumble over
        empty = path.stat().st_size == 0
        reason = "is empty" if empty else f"is no array, or cut short ({problem})"
        raise UserError(f"{path} {reason}") from None
    return opened if isinstance(opened, np.ndarray) else _pictures_of_archive(opened, path)


def _pictures_of_archive(opened: Any, path: Path) -> np.ndarray:
    names = list(opened.files)
    chosen = names if len(names) == 1 else [name for name in IMAGES if name in names]
    if not chosen:
        raise UserError(
            f"{path} holds {', '.join(names) or 'nothing'}; none of them is called {', '.join(IMAGES)}; "
            "save the pictures alone as .npy"
        )
    return _member(opened, chosen[0], path)


def _member(opened: Any, name: str, path: Path) -> np.ndarray:
    try:
        return opened[name]
    except ValueError:
        raise UserError(f"{name} in {path} is no plain array") from None
