"""A prepared set: any data set as plain arrays on disk, read through memory maps so that nothing is decoded
while training.

    FOLDER/manifest.json        format, source and its options, shape, frames, and of every split its rows
    and its files with their SHA-256 FOLDER/train.npy            uint8, N C H W: row n of the split is row n
    of the array (for clips row // frames is the clip) FOLDER/train.masks.npy      uint8 or uint16, N H W: 0
    nobody's pixel, n + 1 that of thing n (what is visible; whole shapes are not kept)
    FOLDER/train.centres.npy    and so on: present, boxes, points, factors.colour, scene.camera: one array
    each where the source knows it

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

from motes.data.base import Dataset, Split
from motes.errors import UserError
from motes.types.batch import Batch
from motes.types.truth import Truth

FORMAT = "motes-prepared"
VERSION = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class PreparedConfig:
    """A folder that `motes data prepare` wrote."""

    path: str = ""
    # rows, columns; zeros: as prepared, and nothing else is possible
    image_size: tuple[int, int] = (0, 0)
    # 0: as prepared
    channels: int = 0


class Prepared(Dataset):
    """Rows straight from the disk's cache: about as fast as memory can be copied."""

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
                f"{self._root} holds no {split} split, only {', '.join(self._manifest['splits'])}; prepare it again with --splits"
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

    def batch(self, rows: Sequence[int], needs: Sequence[str] = (), frames: int = 1) -> Batch:
        if needs:
            return super().batch(rows, needs, frames)
        index = np.asarray(rows, np.int64)
        # one pass over memory: the same values as Dataset.batch, which makes floats first and divides them
        # afterwards
        return Batch(torch.from_numpy(self._pixels[index]) / 255, torch.from_numpy(index), frames=frames)

    def truth(self, rows: Sequence[int]) -> Truth | None:
        if "present" not in self._arrays and "points" not in self._arrays:
            return None
        known = {
            name: torch.from_numpy(np.array(self._arrays[name][list(rows)]))
            for name in self._arrays
            if name != "pixels"
        }
        plain: dict[str, Any] = {name: value for name, value in known.items() if "." not in name}
        if "masks" in plain:
            things = torch.arange(1, plain["present"].shape[1] + 1, dtype=torch.int32)
            plain["masks"] = plain["masks"].to(torch.int32)[:, None] == things[None, :, None, None]
        for group in ("factors", "scene"):
            plain[group] = {
                name.partition(".")[2]: value for name, value in known.items() if name.startswith(f"{group}.")
            }
        return Truth(**plain)

    @cached_property
    def _pixels(self) -> np.ndarray:
        return np.asarray(
            self._arrays["pixels"]
        )  # the map as a plain array: indexing it does not build a subclass each time

    def _open(self, name: str) -> np.ndarray:
        path = self._root / file_name(self.split, name)
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:
            raise UserError(f"{self._root} is not whole: {path.name} is missing; prepare it again") from None
        except (ValueError, EOFError, OSError) as problem:
            raise UserError(f"{path} is cut short or damaged ({problem}); prepare it again") from None
        if len(array) != self._about["count"]:
            raise UserError(
                f"{path} has {len(array)} rows, the manifest says {self._about['count']}; prepare it again"
            )
        return array

    def _check_size(self) -> None:
        channels, rows, columns = self.image_shape
        size = tuple(self.config.image_size)
        if any(size) and size != (rows, columns):
            raise UserError(
                f"{self._root} was prepared at {rows} x {columns}, not {size[0]} x {size[1]}; prepare it again with --data.image-size"
            )
        if self.config.channels not in (0, channels):
            raise UserError(
                f"{self._root} was prepared with {channels} channels, not {self.config.channels}; prepare it again"
            )
        if self._pixels.shape[1:] != self.image_shape or self._pixels.dtype != np.uint8:
            raise UserError(
                f"{self._root / file_name(self.split, 'pixels')} is not what the manifest says; prepare it again"
            )


def file_name(split: str, name: str) -> str:
    return (
        f"{split}.npy" if name == "pixels" else f"{split}.{quote(name, safe='')}.npy"
    )  # a factor may be called obs/position


def is_prepared(root: Path) -> bool:
    """Whether a folder bears this format's manifest; reads no array."""
    try:
        return json.loads((root / MANIFEST).read_text()).get("format") == FORMAT
    except (OSError, ValueError, AttributeError):
        return False


def read_manifest(root: Path) -> dict[str, Any]:
    if not root.is_dir():
        raise UserError(
            f"the prepared set {root} does not exist"
            if not root.exists()
            else f"{root} is a file, not a prepared set's folder"
        )
    if not is_prepared(root):
        raise UserError(
            f"{root} is no prepared set: it has no {MANIFEST} of ours; motes data prepare SOURCE --out FOLDER makes one"
        )
    manifest = json.loads((root / MANIFEST).read_text())
    if manifest["version"] != VERSION:
        raise UserError(
            f"{root} has version {manifest['version']} of the layout, this motes reads {VERSION}; prepare it again"
        )
    return manifest
