"""A folder of pictures with masks or landmarks beside them, as tools for cells, faces and key points leave
it.

masks      ROOT/images/a.tif with ROOT/masks/a.png, a.png with a_mask.png, or a folder of masks for each
picture (`partners.py`):
           0 is background, every other number, palette entry or colour is a thing; of a JPEG, what is bright
           is one
landmarks  a table that names pictures, or a .pts file beside each (`landmarks.py`)
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.folder import list_pictures, open_split
from motes.data.files.landmark_tables import find_table, match, read_points, read_table
from motes.data.files.mask_pairs import pair
from motes.data.files.picture_files import check_looks, moved, numbers_to_size, read_picture, to_size
from motes.data.kept import Drawn
from motes.data.splits import check_held_out, split_files
from motes.data.truth_from_masks import renumbered, truth_of
from motes.errors import UserError
from motes.types.truth import Truth

ROOM = 1 << 30  # bytes of masks kept
TINY = 10  # pixels; things that are smaller on average are none
VOID = 255  # in masks with a palette: pixels that nobody annotated


@dataclass(frozen=True)
class LabelledConfig:
    """Pictures of any format and size, brought to one size, with what is known of them."""

    path: str = ""
    # the table of landmarks, where it is not the first one in the folder
    landmarks: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey
    channels: int = 3
    # fit: cover and cut the middle; stretch: both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # at most in a picture, the largest ones; 0: as many as the fullest picture has
    things: int = 0
    # share of the pictures for each of validation and test that has no folder of its own
    held_out: float = 0.1


class Labelled(Dataset):
    """Splits are folders named train, val, test where there are such, or else by a hash of each file's name,
    as of any folder of pictures.

    Things are numbered by their masks' numbers. A landmark that is unknown or cut away is NaN.
    """

    Config = LabelledConfig

    def __init__(self, config: LabelledConfig, split: Split = "train"):
        check_looks(config.image_size, config.channels, config.fit)
        check_held_out(config.held_out)
        if not config.path:
            raise UserError("a folder of labelled pictures needs its path")
        self.config = config
        self.split = split
        self._root = Path(config.path)
        everything = list_pictures(self._root)
        self._masks = pair(everything, self._root)
        pictures = list(self._masks) or everything
        self._points = self._find_points(pictures)
        if not self._masks and not self._points:
            raise UserError(
                f"{self._root} has no masks and no landmarks beside its pictures; as pictures alone it is folder:{self._root}"
            )
        self._check_whole(pictures)
        self._sizes: dict[Path, tuple[int, int]] = {}
        self._shelf = open_split(
            pictures, split_files(pictures, self._root, config.held_out, split), self._load, self._root, split
        )
        self._marks = max(map(len, self._points.values()), default=0)
        self._numbers = Drawn(lambda rows: (np.stack([self._numbered(row) for row in rows]),), ROOM)
        self._most = (
            max([1, *(int(self._numbers([row])[0].max()) for row in range(len(self)))]) if self._masks else 0
        )
        if self._most == 1 < len(self) and config.things != 1:
            warnings.warn(
                f"each mask in {self._root} is taken for one thing; where there are more, give each a number of its own",
                stacklevel=2,
            )

    def __len__(self) -> int:
        return len(self._shelf.files)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._shelf.pixels(rows)

    def truth(self, rows: Sequence[int]) -> Truth:
        points = torch.from_numpy(np.stack([self._marked(row) for row in rows])) if self._points else None
        if not self._masks:
            return Truth(torch.zeros(len(rows), 0, dtype=torch.bool), points=points)
        return replace(truth_of(self._numbers(rows)[0], self._most), points=points)

    def _load(self, path: Path) -> np.ndarray:
        picture = read_picture(path)
        self._sizes[path] = (picture.height, picture.width)
        return to_size(picture, self.config.image_size, self.config.channels, self.config.fit)

    def _find_points(self, pictures: list[Path]) -> dict[Path, np.ndarray]:
        """Of the pictures that have any."""
        table = Path(self.config.landmarks) if self.config.landmarks else find_table(self._root)
        if table is None:
            return {
                one: read_points(one.with_suffix(".pts"))
                for one in pictures
                if one.with_suffix(".pts").is_file()
            }
        if not table.is_file():
            raise UserError(f"the table of landmarks {table} does not exist")
        found = match(read_table(table), pictures, self._root, table)
        if not found and self.config.landmarks:
            raise UserError(f"{table} names none of the pictures in {self._root}")
        return found

    def _check_whole(self, pictures: list[Path]) -> None:
        """Masks of all or none: no thing is taken for background."""
        if self._masks and (bare := [file for file in pictures if not self._masks[file]]):
            raise UserError(
                f"{len(bare)} of {len(pictures)} pictures in {self._root} have no mask, the first {bare[0]}; "
                f"add them, or learn without any: --data folder:PLACE with the folder that holds pictures alone"
            )
        if len({len(points) for points in self._points.values()}) > 1:
            raise UserError(
                f"the pictures in {self._root} have different numbers of landmarks; each must have all, unknown ones left empty"
            )
        if self._points and (bare := [file for file in pictures if file not in self._points]):
            warnings.warn(
                f"{len(bare)} of {len(pictures)} pictures in {self._root} have no landmarks, the first {bare[0]}",
                stacklevel=3,
            )

    def _marked(self, row: int) -> np.ndarray:
        """float32, P 2."""
        file = self._shelf.files[row]
        size = self.config.image_size
        if file not in self._points:
            return np.full((self._marks, 2), np.nan, np.float32)
        places = moved(self._points[file], self._sizes[file], (0, 0, 0, 0), size, self.config.fit)
        return np.where((np.abs(places) <= 1).all(1, keepdims=True), places, np.nan).astype(np.float32)

    def _numbered(self, row: int) -> np.ndarray:
        """uint16, H W of what is shown: 0 background, and the things from 1 on, without gaps."""
        file = self._shelf.files[row]
        maps = [read_numbers(mask, self._sizes[file]) for mask in self._masks[file]]
        numbers = maps[0]
        if len(maps) > 1:  # one for each thing; a later one is in front
            numbers = np.zeros(self._sizes[file], np.int64)
            for place, one in enumerate(maps):
                numbers[one > 0] = place + 1
        kinds = len(np.unique(numbers))
        if kinds > 256 and kinds * TINY > numbers.size:
            raise UserError(
                f"the mask {self._masks[file][0]} has {kinds:,} different values and looks like a picture; "
                f"to learn from it as well: --data folder:{self._root}"
            )
        return numbers_to_size(
            renumbered(numbers, self.config.things), self.config.image_size, self.config.fit
        )


def read_numbers(path: Path, size: tuple[int, int]) -> np.ndarray:
    """int64, H W: of a mask in grey, a palette or colours; transparent is background."""
    try:
        with Image.open(path) as opened:
            exact = opened.format not in ("JPEG", "WEBP")
            value = np.asarray(opened if exact else opened.convert("L"))
            mode = opened.mode if exact else "L"
    except Exception as problem:  # each format's decoder raises what it likes when its file is broken
        raise UserError(f"the mask {path} is no picture, or cut short ({type(problem).__name__})") from None
    if value.shape[:2] != size:
        raise UserError(
            f"the mask {path} has {value.shape[0]} x {value.shape[1]} pixels, its picture {size[0]} x {size[1]}"
        )
    if not exact:  # compression has spread the numbers: only what is bright is sure
        value = value > 127
    if mode == "P":
        value = np.where(value == VOID, 0, value)
    if value.ndim == 3:
        seen = value[..., -1:] > 0 if mode in ("LA", "RGBA") else True
        colours = np.where(seen, value[..., : 1 if mode == "LA" else 3], 0).astype(np.int64)
        value = sum(colours[..., place] << 8 * place for place in range(colours.shape[-1]))
    return np.rint(value).astype(np.int64)
