"""Any folder of pictures, sub-folders included."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.picture_files import check_looks, load_picture, warn_if_black
from motes.data.splits import check_held_out, split_files
from motes.data.walk import files_below
from motes.errors import UserError
from motes.plain.cache import Cache

THREADS = 4
# bytes of decoded pictures in memory
BUDGET = 1 << 30


@dataclass(frozen=True)
class FolderConfig:
    """Pictures of any format and size, all brought to one size."""

    path: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey, 3: colours
    channels: int = 3
    # fit: scale to cover, then cut the middle; stretch: scale both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # share of the pictures for validation, and as much again for the test split
    held_out: float = 0.1


class Folder(Dataset):
    """The pictures of a folder. When it is opened, each file is decoded once, so that row numbers never
    change.

    A file that cannot be decoded is named in a warning and left out.
    """

    Config = FolderConfig

    def __init__(self, config: FolderConfig, split: Split = "train"):
        check_looks(config.image_size, config.channels, config.fit)
        check_held_out(config.held_out)
        if not config.path:
            raise UserError("a folder of pictures needs its path")
        self.config = config
        self.split = split
        root = Path(config.path)
        pictures = list_pictures(root)
        files = split_files(pictures, root, config.held_out, split)
        self._pictures = open_split(pictures, files, self._load, root, split)

    def __len__(self) -> int:
        return len(self._pictures.files)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._pictures.pixels(rows)

    def _load(self, path: Path) -> np.ndarray:
        return load_picture(path, self.config.image_size, self.config.channels, self.config.fit)


class DecodedFiles:
    """The pictures in those of the files that can be decoded, cached.

    Files that cannot be decoded are named in warnings and left out.
    """

    def __init__(self, files: Sequence[Path], load: Callable[[Path], np.ndarray]):
        self.files: list[Path] = []
        # the highest value of all pictures
        self.brightest = 0
        self._load = load
        self._pool = ThreadPoolExecutor(THREADS)
        self._cache: Cache[int, np.ndarray] = Cache(BUDGET, evict=False)
        for path, picture in zip(files, self._pool.map(self._attempt, files), strict=True):
            if isinstance(picture, str):
                warnings.warn(f"left out: {picture}", stacklevel=4)
                continue
            self.brightest = max(self.brightest, int(picture.max()))
            self._cache.put(len(self.files), picture)
            self.files.append(path)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return np.stack(list(self._pool.map(self._picture, rows)))

    def _picture(self, row: int) -> np.ndarray:
        cached = self._cache.get(row)
        return self._cache.put(row, self._load(self.files[row])) if cached is None else cached

    def _attempt(self, path: Path) -> np.ndarray | str:
        try:
            return self._load(path)
        except UserError as problem:
            return str(problem)


def open_split(
    pictures: list[Path], files: list[Path], load: Callable[[Path], np.ndarray], root: Path, split: Split
) -> DecodedFiles:
    """The readable pictures among `files`, the files of a split.

    If there are none, it has all readable ones among `pictures`, the pictures of the whole folder `root`, and
    a warning says so.
    """
    decoded = DecodedFiles(files, load)
    warn_if_black(decoded.brightest, root)
    if decoded.files:
        return decoded
    decoded = DecodedFiles(pictures, load)
    if not decoded.files:
        raise UserError(f"none of the {len(pictures)} pictures in {root} can be read")
    warnings.warn(
        f"no readable picture in {root} falls to the {split} split; it has all {len(decoded.files)}",
        stacklevel=4,
    )
    return decoded


def list_pictures(root: Path) -> list[Path]:
    """All files below `root` whose ending is that of a readable picture format, in order of their names.

    Hidden files are left out.
    """
    pictures = sorted(pictures_below(root))
    if not pictures:
        raise UserError(f"there is no picture in {root}, nor below it")
    return pictures


def pictures_below(root: Path) -> Iterator[Path]:
    """The same files in no particular order, one by one; there may be none."""
    if not root.exists():
        raise UserError(f"the folder {root} does not exist")
    if not root.is_dir():
        raise UserError(f"{root} is a file; name the folder that holds the pictures")
    endings = _readable_endings()
    return (path for path in files_below(root) if path.suffix.lower() in endings)


def _readable_endings() -> set[str]:
    Image.init()
    return {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN}
