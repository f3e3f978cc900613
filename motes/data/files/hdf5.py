"""HDF5 files in the layout of the multi-object sets, of pictures or videos.

image           N H W C, or V T H W C (also called images, imgs, frames)
mask            N H W 1 of the things' numbers, or N E H W 1, a plane for each; the first are background
visibility      N E; any other array N E ... is a factor of things, and N ... a property of the picture
pixel_coords    N E 3: (column, row, depth) of the centres; else centres are those of the visible masks
actions         N ...: what was done after each frame
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from motes.data import DATASETS
from motes.data.base import Dataset, Split
from motes.data.files.array_stack import ACTIONS, ArrayStack, check_kind, find_file, find_layout
from motes.data.files.picture_files import check_looks, cropped, moved, numbers_to_size, to_size
from motes.data.splits import NAMES, share
from motes.data.truth_from_masks import boxes_of, centres_of
from motes.errors import UserError
from motes.plain.packages import optional
from motes.types.truth import Truth

ENDINGS = DATASETS.row("hdf5").endings
IMAGES = ("image", "images", "imgs", "frames", "rgb", "raw", "video", "videos")
MASKS = ("mask", "masks", "segmentation", "segmentations", "label", "labels", "instances")
VISIBILITY = ("visibility", "present")
# how names of arrays begin that are no factors of things
OF_PICTURES = ("camera", "light", "num_")
# bytes of decompressed chunks that HDF5 may keep
CHUNKS = 1 << 26
# in a map of numbers: no plane is on
NOTHING = 65535


@dataclass(frozen=True)
class Hdf5Config:
    """Multi-dSprites, Tetrominoes, CLEVR with masks, Objects Room, CATER, and files like them."""

    path: str = ""
    # rows, columns; zeros: as they are
    image_size: tuple[int, int] = (0, 0)
    # 1: grey, 3: colours; 0: as they are
    channels: int = 0
    # fit: scale to cover, then cut the middle; stretch: scale both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # crop before resizing: first row, first column, rows, columns; 29 64 192 192 for CLEVR
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    # name of the array of pictures; empty: one of the usual names
    image_key: str = ""
    # name of the array of actions, one after each frame; empty: actions or action, if there is one
    action_key: str = ""
    # how many of the first masks are background; -1: one if there are masks; Objects Room has 4
    backgrounds: int = -1
    # share of the rows for validation, and again for the test: the end of the file
    held_out: float = 0.1
    # number of rows, or videos, at the start that are for training, as published (60000); 0: all not held out
    train_rows: int = 0


class Hdf5(Dataset):
    """Rows of an HDF5 file, each split one block. Compressed files are slow in random order: prepare them."""

    Config = Hdf5Config

    def __init__(self, config: Hdf5Config, split: Split = "train"):
        self.config = config
        self.split: Split = split
        if not config.path:
            raise UserError("an HDF5 set needs the path of its file")
        self._path, holds_split_alone = find_file(Path(config.path), split, ENDINGS)
        self._file = _open(self._path)
        arrays, holds_split_alone = _of_split(_arrays(self._file), split, holds_split_alone)
        image = self._open_pictures(arrays)
        self._set_size()
        names = [name for name in arrays if name != image]
        self._truth = {name: arrays[name] for name in names if self._belongs(name, arrays[name])}
        self._mask = next((name for name, array in self._truth.items() if self._is_mask(name, array)), None)
        self._backgrounds = config.backgrounds if config.backgrounds >= 0 else int(self._mask is not None)
        self._things = self._count_things()
        self._action_name = self._name_of_actions()
        videos = self._videos(holds_split_alone)
        self._rows = range(videos.start * self.frames, videos.stop * self.frames)

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
        # in the order of the file: each chunk is decompressed once
        for number in np.argsort(rows, kind="stable").tolist():
            picture = self._stack.picture(self._rows[rows[number]])
            pixels[number] = self._sized(picture[..., 0] if picture.shape[-1] == 1 else picture)
        return pixels

    def truth(self, rows: Sequence[int]) -> Truth | None:
        if not self._things:
            return None
        names = [name for name in self._truth if name != self._mask]
        arrays = {name: np.stack([self._entry(name, row) for row in rows]) for name in names}
        masks = np.stack([self._masks(row) for row in rows]) if self._mask else None
        present = masks.any((2, 3)) if masks is not None else np.ones((len(rows), self._things), bool)
        for name in VISIBILITY:
            if name in arrays:
                present &= self._of_things(arrays.pop(name)).reshape(len(rows), self._things) > 0
        factors = {name: value for name, value in arrays.items() if self._is_of_things(name, value)}
        return Truth(
            present=torch.from_numpy(present),
            centres=self._centres(arrays.get("pixel_coords"), masks),
            boxes=torch.from_numpy(boxes_of(masks)) if masks is not None else None,
            masks=torch.from_numpy(masks) if masks is not None else None,
            factors={name: _tensor(self._of_things(value)) for name, value in factors.items()},
            scene={name: _tensor(value) for name, value in arrays.items() if name not in factors},
        )

    def actions(self, rows: Sequence[int]) -> Float[Tensor, "N A"] | None:
        if self._action_name is None:
            return None
        of_file = [self._rows[row] for row in rows]
        return self._stack.actions(
            self._truth[self._action_name], of_file, f"{self._action_name} in {self._path}"
        )

    def _open_pictures(self, arrays: dict[str, Any]) -> str:
        """The name of the array of pictures."""
        key = self.config.image_key
        name = _chosen(arrays, (key,) if key else IMAGES, self._path)
        where = f"{name} in {self._path}"
        check_kind(arrays[name], where)
        self._stack = ArrayStack(arrays[name], find_layout(arrays[name].shape, "auto", where), where)
        return name

    def _set_size(self) -> None:
        rows, columns = self.config.crop[2:] if any(self.config.crop) else self._stack.size
        given = self.config.image_size
        self._size: tuple[int, int] = given if any(given) else (rows, columns)
        self._channels = self.config.channels or self._stack.channels
        check_looks(self._size, self._channels, self.config.fit)

    def _videos(self, holds_split_alone: bool) -> range:
        count = self._stack.videos
        videos = range(count) if holds_split_alone else share(count, self.split, self.config.held_out)
        limited = self.split == "train" and self.config.train_rows
        return videos[: self.config.train_rows] if limited else videos

    def _name_of_actions(self) -> str | None:
        """The name of the array of actions, which has one entry for each picture or frame."""
        key = self.config.action_key
        choices = (key,) if key else ACTIONS
        for name, array in self._truth.items():
            per_frame = array.shape[: len(self._stack.lead)] == self._stack.lead
            if per_frame and (name in choices or name.rpartition("/")[2] in choices):
                return name
        if key:
            raise UserError(
                f"{self._path} has no array {key!r} of numbers for each frame; "
                f"there are {', '.join(sorted(self._truth)) or 'none'}; choose one by --data.action-key"
            )
        return None

    def _sized(self, picture: np.ndarray) -> np.ndarray:
        image = cropped(Image.fromarray(picture), self.config.crop, self._path)
        return to_size(image, self._size, self._channels, self.config.fit)

    def _masks(self, row: int) -> np.ndarray:
        """The masks of the things in one row, without the background: bool, N H W."""
        assert self._mask is not None
        stored = self._stack.entry(self._truth[self._mask], self._rows[row])
        # one plane of numbers, or one plane for each thing
        planes = stored.reshape(-1, *self._stack.size)
        numbers = planes[0].astype(np.uint16) if len(planes) == 1 else _numbers(planes)
        part = np.asarray(cropped(Image.fromarray(numbers), self.config.crop, self._path))
        shown = numbers_to_size(part, self._size, self.config.fit)
        return shown[None] == np.arange(self._backgrounds, self._backgrounds + self._things)[:, None, None]

    def _centres(self, coordinates: np.ndarray | None, masks: np.ndarray | None) -> Tensor | None:
        if coordinates is not None:
            points = self._of_things(coordinates)[..., 1::-1].astype(np.float64)
            places = moved(points, self._stack.size, self.config.crop, self._size, self.config.fit)
            return torch.from_numpy(places)
        return None if masks is None else torch.from_numpy(centres_of(masks))

    def _entry(self, name: str, row: int) -> np.ndarray:
        """The entry of a row in an array that has one entry for each picture, frame or video."""
        array = self._truth[name]
        if self._stack.of_videos and array.shape[:2] != self._stack.lead:
            return np.asarray(array[self._rows[row] // self.frames])
        return self._stack.entry(array, self._rows[row])

    def _belongs(self, name: str, array: Any) -> bool:
        if array.dtype.kind not in "biuf" or not array.shape:
            return False
        if array.shape[0] != self._stack.videos:
            raise UserError(
                f"{name} in {self._path} has {array.shape[0]} rows, the pictures {self._stack.videos}; "
                "the file is not whole"
            )
        return True

    def _is_mask(self, name: str, array: Any) -> bool:
        """Whether an array has the name of a mask and one number for each pixel."""
        axes = array.shape[len(self._stack.lead) :]
        covers = any(axes[first : first + 2] == self._stack.size for first in range(len(axes) - 1))
        return covers and name.rpartition("/")[2] in MASKS

    def _count_things(self) -> int:
        """The number of things without the background, from visibility or masks."""
        for name in VISIBILITY:
            if name in self._truth:
                return self._truth[name].shape[len(self._stack.lead)] - self._backgrounds
        if self._mask is None:
            return 0
        largest = self._largest_number(self._truth[self._mask])
        if largest > NOTHING:
            raise UserError(
                f"{self._mask} in {self._path} has numbers up to {largest}; "
                "number the things of each picture from 1"
            )
        return largest + 1 - self._backgrounds

    def _largest_number(self, mask: Any) -> int:
        pixels = int(np.prod(self._stack.lead)) * int(np.prod(self._stack.size))
        planes = int(np.prod(mask.shape)) // pixels
        if planes > 1:
            return planes - 1
        return max(int(mask[start : start + 256].max()) for start in range(0, len(mask), 256))

    def _is_of_things(self, name: str, value: np.ndarray) -> bool:
        """Whether an array describes things, judged by name and shape; a camera's array may have the same
        shape."""
        entities = self._things + self._backgrounds
        return not name.startswith(OF_PICTURES) and value.ndim > 1 and value.shape[1] == entities

    def _of_things(self, value: np.ndarray) -> np.ndarray:
        return value[:, self._backgrounds :]


def _numbers(planes: np.ndarray) -> np.ndarray:
    """The number of the plane that is on at each pixel; NOTHING where no plane is on."""
    return np.where(planes.max(0) > 0, planes.argmax(0), NOTHING).astype(np.uint16)


def _tensor(value: np.ndarray) -> Tensor:
    kind = {"f": np.float32, "b": np.bool_}.get(value.dtype.kind, np.int64)
    return torch.from_numpy(value.astype(kind))


def _open(path: Path) -> Any:
    h5py = optional("h5py", "hdf5", "HDF5 files need h5py")
    try:
        return h5py.File(path, "r", rdcc_nbytes=CHUNKS)
    except PermissionError:
        raise UserError(f"{path} may not be read; see its permissions") from None
    except OSError as problem:
        reason = "is empty" if path.stat().st_size == 0 else "is no HDF5 file, or cut short"
        raise UserError(f"{path} {reason} ({str(problem).partition('(')[2].rstrip(')')})") from None


def _arrays(file: Any) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    file.visititems(lambda name, item: arrays.update({name: item}) if hasattr(item, "shape") else None)
    return arrays


def _of_split(arrays: dict[str, Any], split: Split, holds_split_alone: bool) -> tuple[dict[str, Any], bool]:
    """The arrays of a split, and whether their file or group holds this split alone."""
    for group in NAMES[split]:
        prefix = f"{group}/"
        names = [name for name in arrays if name.startswith(prefix)]
        if names:
            return {name.removeprefix(prefix): arrays[name] for name in names}, True
    return arrays, holds_split_alone


def _chosen(arrays: dict[str, Any], names: Sequence[str], path: Path) -> str:
    for choice in names:
        for name in arrays:
            if choice in (name, name.rpartition("/")[2]):
                return name
    raise UserError(
        f"{path} has no array {names[0]!r}; there are {', '.join(sorted(arrays)) or 'none'}; "
        "choose one by --data.image-key"
    )
