"""HDF5 files in the layout of the multi-object sets: image, mask, visibility, and factors of things;
pictures or videos.

    image       N H W C, or V T H W C (also called images, imgs, frames) mask        N H W 1 of the things'
    numbers, or N E H W 1 with one plane for each; the first `backgrounds` of the E are background visibility
    N E, and any other array N E ... is a factor of things; N ... a property of the picture

`pixel_coords` (column, row, depth) are centres where there are any; otherwise a centre is that of the mask,
so of what is visible.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from motes.data import DATASETS
from motes.data.base import Dataset, Split
from motes.data.files.array_stack import Stack, check_kind, find_file, find_layout
from motes.data.files.picture_files import check_looks, cut, moved, numbers_to_size, to_size
from motes.data.splits import NAMES, share
from motes.data.truth_from_masks import boxes_of, centres_of
from motes.errors import UserError
from motes.plain.packages import optional
from motes.types.truth import Truth

ENDINGS = DATASETS.row("hdf5").endings
IMAGES = ("image", "images", "imgs", "frames", "rgb", "raw", "video", "videos")
MASKS = ("mask", "masks", "segmentation", "segmentations", "label", "labels", "instances")
OF_PICTURES = ("camera", "light", "num_")  # names of what are no factors of things
CHUNKS = 1 << 26  # bytes of decompressed chunks that HDF5 may keep


@dataclass(frozen=True)
class Hdf5Config:
    """Multi-dSprites, Tetrominoes, CLEVR with masks, Objects Room, CATER, and files like them."""

    path: str = ""
    # rows, columns; zeros: as they are
    image_size: tuple[int, int] = (0, 0)
    # 1: grey, 3: colours; 0: as they are
    channels: int = 0
    # fit: cover and cut the middle; stretch: both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # first row, first column, rows, columns, before all else: 29 64 192 192 for CLEVR
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    # the array of pictures; empty: whichever of the usual names there is
    image_key: str = ""
    # of the things, how many of the first are background; -1: one where there are masks; Objects Room has 4
    backgrounds: int = -1
    # share of the rows for validation, and again for the test: the end of the file
    held_out: float = 0.1
    # so many of the first rows, or videos, are for training, as published (60000); 0: all that are not held
    # out
    train_rows: int = 0


class Hdf5(Dataset):
    """Rows of one split lie together in the file. Compressed files are slow in random order: prepare them
    first."""

    Config = Hdf5Config

    def __init__(self, config: Hdf5Config, split: Split = "train"):
        self.config = config
        self.split: Split = split
        if not config.path:
            raise UserError("an HDF5 set needs the path of its file")
        self._path, own = find_file(Path(config.path), split, ENDINGS)
        self._file = _open(self._path)
        arrays, own = _of_split(_arrays(self._file), split, own)
        image = _chosen(arrays, (config.image_key,) if config.image_key else IMAGES, self._path)
        where = f"{image} in {self._path}"
        check_kind(arrays[image], where)
        self._stack = Stack(arrays[image], find_layout(arrays[image].shape, "auto", where), where)
        self._cut_size = config.crop[2:] if any(config.crop) else self._stack.size
        self._size: tuple[int, int] = (
            config.image_size if any(config.image_size) else (self._cut_size[0], self._cut_size[1])
        )
        self._channels = config.channels or self._stack.channels
        check_looks(self._size, self._channels, config.fit)
        self._lead = self._stack.array.shape[: 2 if self._stack.layout.startswith("V") else 1]
        self._truth = {
            name: one for name, one in arrays.items() if name != image and self._belongs(name, one)
        }
        self._mask = next(
            (
                name
                for name, one in self._truth.items()
                if name.rpartition("/")[2] in MASKS and self._covers(one)
            ),
            None,
        )
        self._backgrounds = config.backgrounds if config.backgrounds >= 0 else int(self._mask is not None)
        self._things = self._count_things()
        videos = range(self._stack.videos) if own else share(self._stack.videos, split, config.held_out)
        if split == "train" and config.train_rows:
            videos = videos[: config.train_rows]
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
        made = np.empty((len(rows), *self.image_shape), np.uint8)
        for place in np.argsort(
            rows, kind="stable"
        ).tolist():  # in the order of the file: each chunk is decompressed once
            picture = self._stack.picture(self._rows[rows[place]])
            made[place] = self._brought(picture[..., 0] if picture.shape[-1] == 1 else picture)
        return made

    def truth(self, rows: Sequence[int]) -> Truth | None:
        if not self._things:
            return None
        known = {
            name: np.stack([self._one(name, row) for row in rows])
            for name in self._truth
            if name != self._mask
        }
        masks = np.stack([self._masks(row) for row in rows]) if self._mask else None
        present = masks.any((2, 3)) if masks is not None else np.ones((len(rows), self._things), bool)
        for name in ("visibility", "present"):
            if name in known:
                present &= self._of_things(known.pop(name)).reshape(len(rows), self._things) > 0
        centres = None
        if "pixel_coords" in known:
            points = self._of_things(known["pixel_coords"])[..., 1::-1].astype(np.float64)
            centres = torch.from_numpy(
                moved(points, self._stack.size, self.config.crop, self._size, self.config.fit)
            )
        elif masks is not None:
            centres = torch.from_numpy(centres_of(masks))
        things = {name: value for name, value in known.items() if self._is_of_things(name, value)}
        return Truth(
            present=torch.from_numpy(present),
            centres=centres,
            boxes=torch.from_numpy(boxes_of(masks)) if masks is not None else None,
            masks=torch.from_numpy(masks) if masks is not None else None,
            factors={name: _tensor(self._of_things(value)) for name, value in things.items()},
            scene={name: _tensor(value) for name, value in known.items() if name not in things},
        )

    def _brought(self, picture: np.ndarray) -> np.ndarray:
        return to_size(
            cut(Image.fromarray(picture), self.config.crop, self._path),
            self._size,
            self._channels,
            self.config.fit,
        )

    def _masks(self, row: int) -> np.ndarray:
        """bool, N H W: of things, without the background."""
        assert self._mask is not None
        number = self._rows[row]
        value = np.asarray(
            self._truth[self._mask][divmod(number, self.frames) if len(self._lead) == 2 else number]
        )
        value = value.reshape(-1, *self._stack.size)  # one plane of numbers, or one plane for each thing
        numbers = value[0].astype(np.uint16) if len(value) == 1 else _numbers(value)
        whole = np.asarray(cut(Image.fromarray(numbers), self.config.crop, self._path))
        brought = numbers_to_size(whole, self._size, self.config.fit)
        return brought[None] == np.arange(self._backgrounds, self._backgrounds + self._things)[:, None, None]

    def _one(self, name: str, row: int) -> np.ndarray:
        number = self._rows[row]
        array = self._truth[name]
        per_frame = len(self._lead) == 1 or array.shape[:2] == self._lead
        return np.asarray(
            array[divmod(number, self.frames)]
            if len(self._lead) == 2 and per_frame
            else array[number // self.frames]
        )

    def _belongs(self, name: str, array: Any) -> bool:
        if array.dtype.kind not in "biuf" or not array.shape:
            return False
        if array.shape[0] != self._lead[0]:
            raise UserError(
                f"{name} in {self._path} has {array.shape[0]} rows, the pictures {self._lead[0]}; the file is not whole"
            )
        return True

    def _covers(self, array: Any) -> bool:
        """Whether it has a number for each pixel; `labels` may as well be of pictures."""
        rest = array.shape[len(self._lead) :]
        return any(rest[at : at + 2] == self._stack.size for at in range(len(rest) - 1))

    def _count_things(self) -> int:
        """Without the background; as many as visibility, planes of masks or numbers in masks say."""
        for name in ("visibility", "present"):
            if name in self._truth:
                return self._truth[name].shape[len(self._lead)] - self._backgrounds
        if self._mask is None:
            return 0
        array = self._truth[self._mask]
        planes = int(np.prod(array.shape)) // int(np.prod(self._lead)) // int(np.prod(self._stack.size))
        most = (
            planes - 1
            if planes > 1
            else max(int(array[start : start + 256].max()) for start in range(0, len(array), 256))
        )
        if most > 65535:
            raise UserError(
                f"{self._mask} in {self._path} has numbers up to {most}; number the things of each picture from 1"
            )
        return most + 1 - self._backgrounds

    def _is_of_things(self, name: str, value: np.ndarray) -> bool:
        """By its shape; a camera may have as many numbers as there are things."""
        return (
            not name.startswith(OF_PICTURES)
            and value.ndim > 1
            and value.shape[1] == self._things + self._backgrounds
        )

    def _of_things(self, value: np.ndarray) -> np.ndarray:
        return value[:, self._backgrounds :]


def _numbers(planes: np.ndarray) -> np.ndarray:
    """The number of the plane that is on at each pixel; 65535 where none is."""
    return np.where(planes.max(0) > 0, planes.argmax(0), 65535).astype(np.uint16)


def _tensor(value: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(
        value.astype(
            np.float32 if value.dtype.kind == "f" else np.bool_ if value.dtype.kind == "b" else np.int64
        )
    )


def _open(path: Path) -> Any:
    h5py = optional("h5py", "hdf5", "HDF5 files need h5py")
    try:
        return h5py.File(path, "r", rdcc_nbytes=CHUNKS)
    except PermissionError:
        raise UserError(f"{path} may not be read; see its permissions") from None
    except OSError as problem:
        empty = path.stat().st_size == 0
        raise UserError(
            f"{path} {'is empty' if empty else 'is no HDF5 file, or cut short'} ({str(problem).partition('(')[2].rstrip(')')})"
        ) from None


def _arrays(file: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    file.visititems(lambda name, one: found.update({name: one}) if hasattr(one, "shape") else None)
    return found


def _of_split(arrays: dict[str, Any], split: Split, own: bool) -> tuple[dict[str, Any], bool]:
    """Of a file with a group for each split, the arrays of this one's; and whether they hold nothing else."""
    for group in NAMES[split]:
        inside = {
            name.removeprefix(f"{group}/"): one
            for name, one in arrays.items()
            if name.startswith(f"{group}/")
        }
        if inside:
            return inside, True
    return arrays, own


def _chosen(arrays: dict[str, Any], names: Sequence[str], path: Path) -> str:
    for wanted in names:
        for name in arrays:
            if wanted in (name, name.rpartition("/")[2]):
                return name
    raise UserError(
        f"{path} has no array {names[0]!r}; there are {', '.join(sorted(arrays)) or 'none'}; choose one by --data.image-key"
    )
