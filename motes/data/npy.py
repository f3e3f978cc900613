"""Arrays that users have: a .npy file, read through a memory map, or a folder with one for each split."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motes.data.arrays import Layout, Stack, check_kind, find_file, find_layout, share, sized
from motes.data.base import Dataset, Split
from motes.data.pictures import check_looks
from motes.errors import UserError

ENDINGS = (".npy", ".npz")
ONLY = ("images", "image", "imgs", "frames", "x", "arr_0")  # of a .npz with several arrays, the one that is taken


@dataclass(frozen=True)
class Config:
    """N H W C, N C H W or N H W, or videos V T H W C; bytes, sixteen bits, or fractions in [0, 1]."""

    path: str = ""
    image_size: tuple[int, int] = (0, 0)  # rows, columns; zeros: as they are
    channels: int = 0  # 1: grey, 3: colours; 0: as they are
    fit: str = "fit"  # fit: cover and cut the middle; stretch: both sides; crop: cut the middle unscaled
    layout: Layout = "auto"  # the order of the axes, where it cannot be told from the shape
    held_out: float = 0.1  # share of the rows for validation, and again for the test: the end of the file


class Npy(Dataset):
    """Rows of one split lie together in the file, because neighbours may be frames of one scene; videos stay whole."""

    Config = Config

    def __init__(self, config: Config, split: Split = "train"):
        self.config = config
        self.split: Split = split
        if not config.path:
            raise UserError("arrays need the path of a .npy file, or of a folder with train.npy")
        path, own = find_file(Path(config.path), split, ENDINGS)
        array = open_array(path)
        check_kind(array.dtype, str(path))
        self._stack = Stack(array, find_layout(array.shape, config.layout, str(path)), str(path))
        self._size: tuple[int, int] = config.image_size if any(config.image_size) else self._stack.size
        self._channels = config.channels or self._stack.channels
        check_looks(self._size, self._channels, config.fit)
        videos = range(self._stack.videos) if own else share(self._stack.videos, split, config.held_out)
        self._rows = range(videos.start * self.frames, videos.stop * self.frames)
        if not self._rows:
            raise UserError(f"{path} is empty: its shape is {array.shape}")

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
            made[place] = sized(self._stack.picture(self._rows[row]), self._size, self._channels, self.config.fit)
        return made


def open_array(path: Path) -> np.ndarray:
    try:
        opened = np.load(path, mmap_mode="r", allow_pickle=False)
    except PermissionError:
        raise UserError(f"{path} may not be read; see its permissions") from None
    except Exception as problem:  # whatever a file of another kind makes the reader stumble over
        empty = path.stat().st_size == 0
        raise UserError(f"{path} {'is empty' if empty else f'is no array, or cut short ({problem})'}") from None
    if isinstance(opened, np.ndarray):
        return opened
    names = list(opened.files)
    chosen = names if len(names) == 1 else [name for name in ONLY if name in names]
    if not chosen:
        raise UserError(
            f"{path} holds {', '.join(names) or 'nothing'}; none of them is called {', '.join(ONLY)}; save the pictures alone as .npy"
        )
    try:
        return opened[chosen[0]]
    except ValueError:
        raise UserError(f"{chosen[0]} in {path} is no plain array") from None
