"""Pictures that lie in arrays, of whatever order of axes and kind of number: found out once, then rows to
uint8 C H W of one size."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from motes.data.base import Split
from motes.data.files.picture_files import to_size, warn_if_black
from motes.data.splits import NAMES
from motes.errors import UserError

Layout = Literal["auto", "NHWC", "NCHW", "NHW", "VTHWC", "VTCHW", "VTHW"]
COLOURS = (1, 3, 4)
LOOKED_AT = 16  # rows


@dataclass(frozen=True)
class Stack:
    """An array (in memory, mapped, or of an HDF5 file) as single pictures; V videos of T frames are taken as
    V x T rows."""

    array: Any
    layout: str
    # named in errors
    where: str

    @property
    def frames(self) -> int:
        return int(self.array.shape[1]) if self.layout.startswith("V") else 1

    @property
    def videos(self) -> int:
        """Along the first axis: single pictures are videos of one frame."""
        return int(self.array.shape[0])

    @property
    def size(self) -> tuple[int, int]:
        shape = dict(zip(self.layout, self.array.shape, strict=True))
        return int(shape["H"]), int(shape["W"])

    @property
    def channels(self) -> int:
        shape = dict(zip(self.layout, self.array.shape, strict=True))
        return 1 if shape.get("C", 1) == 1 else 3

    def picture(self, row: int) -> np.ndarray:
        """uint8, H W C."""
        value = np.asarray(
            self.array[row // self.frames, row % self.frames]
            if self.layout.startswith("V")
            else self.array[row]
        )
        axes = self.layout[2:] if self.layout.startswith("V") else self.layout[1:]
        if axes == "HW":
            value = value[..., None]
        elif axes == "CHW":
            value = value.transpose(1, 2, 0)
        return to_uint8(value, f"row {row} of {self.where}")


def find_layout(shape: Sequence[int], told: str, where: str) -> str:
    """The order of axes: colours are the axis of 1, 3 or 4."""
    if told != "auto":
        if len(told) != len(shape):
            raise UserError(
                f"{where} has shape {tuple(shape)}, which is not {told}; leave layout out, or choose one of as many letters"
            )
        if "C" in told and shape[told.index("C")] not in COLOURS:
            raise UserError(
                f"{where} has shape {tuple(shape)}: as {told} it would have {shape[told.index('C')]} colours, not 1, 3 or 4"
            )
        return told
    last = shape[-1] in COLOURS
    first = len(shape) > 2 and shape[-3] in COLOURS
    if len(shape) in (4, 5):
        lead = "N" if len(shape) == 4 else "VT"
        if last:
            return lead + "HWC"
        if first:
            return lead + "CHW"
        if len(shape) == 4:
            return "VTHW"
    if len(shape) == 3:
        return "NHW"
    raise UserError(
        f"{where} has shape {tuple(shape)}, which is no stack of pictures: N H W C, N C H W, N H W, or videos V T H W C"
    )


def to_uint8(value: np.ndarray, where: str) -> np.ndarray:
    """Fractions in [0, 1] and sixteen bits become bytes; anything else would be a guess."""
    if value.dtype == np.uint8:
        return value
    if value.dtype == np.bool_:
        return value.astype(np.uint8) * 255
    if value.dtype == np.uint16:
        return np.round(value / 257).astype(np.uint8)
    if value.dtype.kind == "f":
        if not np.isfinite(value).all() or value.min() < 0 or value.max() > 1:
            low = np.nanmin(value)
            high = np.nanmax(value)
            raise UserError(
                f"{where} has values from {low:.3g} to {high:.3g}; fractions must lie in [0, 1], or save the pictures as uint8"
            )
        return np.round(value * 255).astype(np.uint8)
    raise UserError(f"{where} holds {value.dtype} numbers; save pictures as uint8")


def check_kind(array: Any, where: str) -> None:
    """Of an array in memory, mapped, or of an HDF5 file, of which a few rows are looked at."""
    dtype = array.dtype
    if dtype == np.uint16 and len(array):
        warn_if_black(int(np.asarray(array[:: -(-len(array) // LOOKED_AT)]).max()) // 257, where)
    if dtype.kind not in "bf" and dtype not in (np.uint8, np.uint16):
        raise UserError(f"{where} holds {dtype} numbers; save pictures as uint8")


def sized(picture: np.ndarray, size: tuple[int, int], channels: int, fit: str) -> np.ndarray:
    """uint8 H W C to C H W of that size; as it is where nothing needs doing."""
    if picture.shape == (*size, channels):
        return picture.transpose(2, 0, 1)
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    if picture.shape[-1] == 4:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return to_size(image, size, channels, fit)


def find_file(path: Path, split: Split, endings: Sequence[str]) -> tuple[Path, bool]:
    """The file that holds a split, and whether it holds nothing else: a file itself, or one named after the
    split in a folder."""
    if not path.exists():
        raise UserError(f"{path} does not exist")
    if path.is_file():
        return path, False
    for name in NAMES[split]:
        for ending in endings:
            if (path / f"{name}{ending}").is_file():
                return path / f"{name}{ending}", True
    found = sorted(file for file in path.iterdir() if file.suffix in endings)
    if len(found) == 1:
        return found[0], False
    there = ", ".join(file.name for file in found[:5]) or f"no {endings[0]} files"
    raise UserError(f"{path} has no {NAMES[split][0]}{endings[0]}; there are {there}; name one of them")
