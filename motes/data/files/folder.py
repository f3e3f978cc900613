"""Any folder of pictures, sub-folders included."""

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.picture_files import check_looks, load_picture, warn_if_black
from motes.data.files.walk import files_below
from motes.data.splits import check_held_out, split_files
from motes.errors import UserError

THREADS = 4
CACHE = 1 << 30  # bytes of decoded pictures kept in memory


@dataclass(frozen=True)
class FolderConfig:
    """Pictures of any format and size, brought to one size."""

    path: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey
    channels: int = 3
    # fit: cover and cut the middle; stretch: both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # share of the pictures for validation, and as much again for the test split
    held_out: float = 0.1


class Folder(Dataset):
    """Every file of the split is decoded when it opens, so that rows are stable; one that cannot be is named
    in a warning and left out."""

    Config = FolderConfig

    def __init__(self, config: FolderConfig, split: Split = "train"):
        check_looks(config.image_size, config.channels, config.fit)
        check_held_out(config.held_out)
        if not config.path:
            raise UserError("a folder of pictures needs its path")
        self.config = config
        self.split = split
        root = Path(config.path)
        everything = list_pictures(root)
        self._shelf = open_split(
            everything, split_files(everything, root, config.held_out, split), self._load, root, split
        )

    def __len__(self) -> int:
        return len(self._shelf.files)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._shelf.pixels(rows)

    def _load(self, path: Path) -> np.ndarray:
        return load_picture(path, self.config.image_size, self.config.channels, self.config.fit)


class Shelf:
    """Files that could be decoded when it was opened, and their pictures, kept while there is room. The
    others are named in warnings."""

    def __init__(self, files: Sequence[Path], load: Callable[[Path], np.ndarray]):
        self.files: list[Path] = []
        self._load = load
        self._pool = ThreadPoolExecutor(THREADS)
        self._known: dict[int, np.ndarray] = {}
        self._left = CACHE
        self.brightest = 0
        for path, picture in zip(files, self._pool.map(self._attempt, files), strict=True):
            if isinstance(picture, str):
                warnings.warn(f"left out: {picture}", stacklevel=4)
                continue
            self.brightest = max(self.brightest, int(picture.max()))
            self._keep(len(self.files), picture)
            self.files.append(path)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return np.stack(list(self._pool.map(self._one, rows)))

    def _one(self, row: int) -> np.ndarray:
        if row in self._known:
            return self._known[row]
        picture = self._load(self.files[row])
        self._keep(row, picture)
        return picture

    def _keep(self, row: int, picture: np.ndarray) -> None:
        if picture.nbytes <= self._left:
            self._known[row] = picture
            self._left -= picture.nbytes

    def _attempt(self, path: Path) -> np.ndarray | str:
        try:
            return self._load(path)
        except UserError as problem:
            return str(problem)


def open_split(
    everything: list[Path], files: list[Path], load: Callable[[Path], np.ndarray], root: Path, split: Split
) -> Shelf:
    """The readable ones of a split; where there are few pictures, and none of this split's can be read: as
    with one or two, all splits are the same."""
    shelf = Shelf(files, load)
    warn_if_black(shelf.brightest, root)
    if shelf.files:
        return shelf
    shelf = Shelf(everything, load)
    if not shelf.files:
        raise UserError(f"none of the {len(everything)} pictures in {root} can be read")
    warnings.warn(
        f"no readable picture in {root} falls to the {split} split; it has all {len(shelf.files)}",
        stacklevel=4,
    )
    return shelf


def list_pictures(root: Path) -> list[Path]:
    """All files below that bear the ending of a format that can be read, in order of their names; nothing
    hidden."""
    if not root.exists():
        raise UserError(f"the folder {root} does not exist")
    if not root.is_dir():
        raise UserError(f"{root} is a file; name the folder that holds the pictures")
    Image.init()
    endings = {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    found = sorted(path for path in files_below(root) if path.suffix.lower() in endings)
    if not found:
        raise UserError(f"there is no picture in {root}, nor below it")
    return found
