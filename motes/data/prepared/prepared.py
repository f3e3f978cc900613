"""A prepared set: any data set as plain arrays on disk, read through memory maps.

Nothing is decoded while training.

    FOLDER/manifest.json        format, source and its options, shape, frames, and for each split its rows and
                                its files with their SHA-256
    FOLDER/train.npy            uint8, N C H W: row n of the split is row n of the array (if the rows are
                                clips, row // frames is the clip)
    FOLDER/train.masks.npy      uint8 or uint16, N H W: 0 where there is no thing, n + 1 where thing n is
                                visible; hidden parts of things are not kept
    FOLDER/train.centres.npy    and so on: present, boxes, points, actions, factors.colour, scene.camera: one
                                array each, if the source has it

`motes.data.prepared.prepare` writes it; any tool that reads .npy files can use it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from motes.data.base import Dataset, Split
from motes.errors import UserError
from motes.types.truth import Truth

FORMAT = "motes-prepared"
VERSION = 1
MANIFEST = "manifest.json"
# names of arrays
PIXELS = "pixels"
ACTIONS = "actions"


@dataclass(frozen=True)
class PreparedConfig:
    """A folder that `motes data prepare` wrote."""

    path: str = ""
    # rows, columns; zeros: as prepared; no other size is possible
    image_size: tuple[int, int] = (0, 0)
    # 0: as prepared
    channels: int = 0


class Prepared(Dataset):
    """Rows of a prepared set, read from the disk's cache about as fast as memory can be copied."""

    Config = PreparedConfig

    def __init__(self, config: PreparedConfig, split: Split = "train"):
        if not config.path:
            raise UserError(
                "a prepared set needs its folder; motes data prepare SOURCE --out FOLDER makes one"
            )
        self.config = config
        self.split = split
        self._root = Path(config.path)
        self._manifest = read_manifest(self._root)
        if split not in self._manifest["splits"]:
            raise UserError(
                f"{self._root} holds no {split} split, only {', '.join(self._manifest['splits'])}; "
                "prepare it again with --splits"
            )
        self._about = self._manifest["splits"][split]
        self._arrays = {name: self._open(name) for name in self._about["files"]}
        self._check_size()

    def __len__(self) -> int:
        return int(self._about["count"])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        channels, rows, columns = self._manifest["image_shape"]
        return channels, rows, columns

    @property
    def frames(self) -> int:
        return int(self._manifest["frames"])

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        return self._pixels[np.asarray(rows, np.int64)]

    def truth(self, rows: Sequence[int]) -> Truth | None:
        if "present" not in self._arrays and "points" not in self._arrays:
            return None
        names = [name for name in self._arrays if name not in (PIXELS, ACTIONS)]
        values = {name: self._values(name, rows) for name in names}
        fields: dict[str, Any] = {name: value for name, value in values.items() if "." not in name}
        if "masks" in fields:
            numbers = torch.arange(1, fields["present"].shape[1] + 1, dtype=torch.int32)
            fields["masks"] = fields["masks"].to(torch.int32)[:, None] == numbers[None, :, None, None]
        return Truth(**fields, factors=_group("factors", values), scene=_group("scene", values))

    def actions(self, rows: Sequence[int]) -> Float[Tensor, "N A"] | None:
        return self._values(ACTIONS, rows) if ACTIONS in self._arrays else None

    def _values(self, name: str, rows: Sequence[int]) -> Tensor:
        return torch.from_numpy(np.array(self._arrays[name][list(rows)]))

    @cached_property
    def _pixels(self) -> np.ndarray:
        # the map as a plain array: indexing it does not build a subclass each time
        return np.asarray(self._arrays["pixels"])

    def _open(self, name: str) -> np.ndarray:
        path = self._root / file_name(self.split, name)
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:
            raise UserError(f"{self._root} is not whole: {path.name} is missing; prepare it again") from None
        except (ValueError, EOFError, OSError) as problem:
            raise UserError(f"{path} is cut short or damaged ({problem}); prepare it again") from None
        if len(array) != len(self):
            raise UserError(f"{path} has {len(array)} rows, the manifest says {len(self)}; prepare it again")
        return array

    def _check_size(self) -> None:
        channels, rows, columns = self.image_shape
        size = tuple(self.config.image_size)
        if any(size) and size != (rows, columns):
            raise UserError(
                f"{self._root} was prepared at {rows} x {columns}, not {size[0]} x {size[1]}; "
                "prepare it again with --data.image-size"
            )
        if self.config.channels not in (0, channels):
            raise UserError(
                f"{self._root} was prepared with {channels} channels, not {self.config.channels}; "
                "prepare it again"
            )
        if self._pixels.shape[1:] != self.image_shape or self._pixels.dtype != np.uint8:
            raise UserError(
                f"{self._root / file_name(self.split, 'pixels')} is not what the manifest says; "
                "prepare it again"
            )


def _group(group: str, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The values of one mapping in `Truth`, such as factors, by the names that they have in it."""
    prefix = f"{group}."
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def file_name(split: str, name: str) -> str:
    """The file name of an array of a split. Special characters are quoted: a factor may be called
    obs/position."""
    return f"{split}.npy" if name == PIXELS else f"{split}.{quote(name, safe='')}.npy"


def is_prepared(root: Path) -> bool:
    """Whether a folder has the manifest of a prepared set; no array is read."""
    try:
        return json.loads((root / MANIFEST).read_text()).get("format") == FORMAT
    except (OSError, ValueError, AttributeError):
        return False


def read_manifest(root: Path) -> dict[str, Any]:
    if not root.is_dir():
        if root.exists():
            raise UserError(f"{root} is a file, not a prepared set's folder")
        raise UserError(f"the prepared set {root} does not exist")
    if not is_prepared(root):
        raise UserError(
            f"{root} is no prepared set: it has no {MANIFEST} of ours; "
            "motes data prepare SOURCE --out FOLDER makes one"
        )
    manifest = json.loads((root / MANIFEST).read_text())
    if manifest["version"] != VERSION:
        raise UserError(
            f"{root} has version {manifest['version']} of the layout, this motes reads {VERSION}; "
            "prepare it again"
        )
    return manifest
