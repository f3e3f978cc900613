"""A folder of pictures with masks or landmarks beside them, as annotation tools leave it.

masks
    ROOT/images/a.tif with ROOT/masks/a.png, a.png with a_mask.png, or a folder of masks for each picture
    (`mask_pairs.py`): 0 is background, and every other number, palette entry or colour is a thing; in a
    JPEG, all bright pixels are one thing
landmarks
    a table that names pictures, those of a DeepLabCut project, or a .pts file beside each (`landmark_tables.py`)
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
from motes.data.files.landmark_tables import match, project_tables, read_point_files, read_table, tables_of
from motes.data.files.mask_pairs import pair
from motes.data.files.picture_files import check_looks, moved, numbers_to_size, read_picture, to_size
from motes.data.kept import RowCache
from motes.data.splits import check_held_out, split_files
from motes.data.truth_from_masks import most_things, renumbered, truth_from_numbers
from motes.errors import UserError
from motes.types.truth import Truth

# bytes of masks in memory
BUDGET = 1 << 30
# pixels; if things are smaller on average, what is taken for a mask is a picture
TINY = 10
# in masks with a palette: pixels that nobody annotated
VOID = 255


@dataclass(frozen=True)
class LabelledConfig:
    """Pictures of any format and size, brought to one size, with their masks or landmarks."""

    path: str = ""
    # the table of landmarks, if it is not the first one in the folder
    landmarks: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey, 3: colours
    channels: int = 3
    # fit: scale to cover, then cut the middle; stretch: scale both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # things of a picture at most, the largest first; 0: as many as the fullest picture has
    things: int = 0
    # share of the pictures for each of validation and test that has no folder of its own
    held_out: float = 0.1


class Labelled(Dataset):
    """Pictures with masks or landmarks.

    Splits are the folders named train, val and test, if there are any; otherwise they follow from a hash of
    each file's name, as for any folder of pictures. Things are in the order of the numbers in their masks. A
    landmark that is unknown or cut away is NaN.
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
        listed = list_pictures(self._root)
        self._masks = pair(listed, self._root)
        pictures = list(self._masks) or listed
        self._points = self._find_points(pictures)
        if project_tables(self._root):
            # without those that nobody has labelled yet, and those that DeepLabCut drew on
            pictures = list(self._points)
        self._check(pictures)
        # rows and columns of each picture in its file
        self._sizes: dict[Path, tuple[int, int]] = {}
        files = split_files(pictures, self._root, config.held_out, split)
        self._pictures = open_split(pictures, files, self._load, self._root, split)
        self._landmarks = max(map(len, self._points.values()), default=0)
        self._numbers = RowCache(lambda rows: (np.stack([self._numbered(row) for row in rows]),), BUDGET)
        self._most = self._count_things() if self._masks else 0

    def __len__(self) -> int:
        return len(self._pictures.files)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._pictures.pixels(rows)

    def truth(self, rows: Sequence[int]) -> Truth:
        points = torch.from_numpy(np.stack([self._points_of(row) for row in rows])) if self._points else None
        if not self._masks:
            return Truth(torch.zeros(len(rows), 0, dtype=torch.bool), points=points)
        return replace(truth_from_numbers(self._numbers(rows)[0], self._most), points=points)

    def _load(self, path: Path) -> np.ndarray:
        picture = read_picture(path)
        self._sizes[path] = (picture.height, picture.width)
        return to_size(picture, self.config.image_size, self.config.channels, self.config.fit)

    def _find_points(self, pictures: list[Path]) -> dict[Path, np.ndarray]:
        """The landmarks of each picture that has any."""
        tables = [Path(self.config.landmarks)] if self.config.landmarks else tables_of(self._root)
        if not tables:
            return read_point_files(pictures)
        points: dict[Path, np.ndarray] = {}
        for table in tables:
            if not table.is_file():
                raise UserError(f"the table of landmarks {table} does not exist")
            points |= match(read_table(table), pictures, self._root, table)
        if not points and self.config.landmarks:
            raise UserError(f"{tables[0]} names none of the pictures in {self._root}")
        return points

    def _check(self, pictures: list[Path]) -> None:
        if not self._masks and not self._points:
            raise UserError(
                f"{self._root} has no masks and no landmarks beside its pictures; "
                f"as pictures alone it is folder:{self._root}"
            )
        self._check_masks(pictures)
        self._check_landmarks(pictures)

    def _check_masks(self, pictures: list[Path]) -> None:
        # masks of all or none: no thing is taken for background
        if self._masks and (bare := [file for file in pictures if not self._masks[file]]):
            raise UserError(
                f"{len(bare)} of {len(pictures)} pictures in {self._root} have no mask, the first {bare[0]}; "
                "add them, or learn without any: "
                "--data folder:PLACE with the folder that holds pictures alone"
            )

    def _check_landmarks(self, pictures: list[Path]) -> None:
        if len({len(points) for points in self._points.values()}) > 1:
            raise UserError(
                f"the pictures in {self._root} have different numbers of landmarks; "
                "each must have all, unknown ones left empty"
            )
        if self._points and (bare := [file for file in pictures if file not in self._points]):
            warnings.warn(
                f"{len(bare)} of {len(pictures)} pictures in {self._root} have no landmarks, "
                f"the first {bare[0]}",
                stacklevel=4,
            )

    def _count_things(self) -> int:
        """The number of things in the picture that has the most."""
        most = most_things(self._numbers, len(self))
        if most == 1 < len(self) and self.config.things != 1:
            warnings.warn(
                f"each mask in {self._root} is taken for one thing; "
                "where there are more, give each a number of its own",
                stacklevel=3,
            )
        return most

    def _points_of(self, row: int) -> np.ndarray:
        """The landmarks of one row, float32, P 2; NaN where a landmark is unknown or cut away."""
        file = self._pictures.files[row]
        if file not in self._points:
            return np.full((self._landmarks, 2), np.nan, np.float32)
        size = self.config.image_size
        points = moved(self._points[file], self._sizes[file], (0, 0, 0, 0), size, self.config.fit)
        inside = (np.abs(points) <= 1).all(1, keepdims=True)
        return np.where(inside, points, np.nan).astype(np.float32)

    def _numbered(self, row: int) -> np.ndarray:
        """The number of the thing at each pixel of a row's resized picture: uint16, H W.

        0 is background, and the things have the numbers from 1 on, without gaps except for things that are
        too small to be left with a pixel in the resized picture.
        """
        file = self._pictures.files[row]
        numbers = _joined([read_numbers(mask, self._sizes[file]) for mask in self._masks[file]])
        values = len(np.unique(numbers))
        if values > 256 and values * TINY > numbers.size:
            raise UserError(
                f"the mask {self._masks[file][0]} has {values:,} different values and looks like a picture; "
                f"to learn from it as well: --data folder:{self._root}"
            )
        without_gaps = renumbered(numbers, self.config.things)
        return numbers_to_size(without_gaps, self.config.image_size, self.config.fit)


def _joined(masks: list[np.ndarray]) -> np.ndarray:
    """One map of numbers. A single mask keeps its numbers; of several masks, each is one thing, later ones
    in front."""
    if len(masks) == 1:
        return masks[0]
    numbers = np.zeros(masks[0].shape, np.int64)
    for number, mask in enumerate(masks, 1):
        numbers[mask > 0] = number
    return numbers


def read_numbers(path: Path, size: tuple[int, int]) -> np.ndarray:
    """The map of numbers in a mask file (grey, palette or colours): int64, H W; transparent is background."""
    try:
        with Image.open(path) as opened:
            exact = opened.format not in ("JPEG", "WEBP")
            values = np.asarray(opened if exact else opened.convert("L"))
            mode = opened.mode if exact else "L"
    except Exception as problem:  # each format's decoder raises what it likes when its file is broken
        raise UserError(f"the mask {path} is no picture, or cut short ({type(problem).__name__})") from None
    if values.shape[:2] != size:
        raise UserError(
            f"the mask {path} has {values.shape[0]} x {values.shape[1]} pixels, "
            f"its picture {size[0]} x {size[1]}"
        )
    if not exact:  # compression has spread the numbers: only what is bright is sure
        values = values > 127
    if mode == "P":
        values = np.where(values == VOID, 0, values)
    if values.ndim == 3:
        values = _number_of_colours(values, mode)
    return np.rint(values).astype(np.int64)


def _number_of_colours(values: np.ndarray, mode: str) -> np.ndarray:
    """The colours of a mask as numbers, one number for each colour."""
    opaque = values[..., -1:] > 0 if mode in ("LA", "RGBA") else True
    colours = np.where(opaque, values[..., : 1 if mode == "LA" else 3], 0).astype(np.int64)
    shifts = 8 * np.arange(colours.shape[-1])
    return (colours << shifts).sum(-1)
