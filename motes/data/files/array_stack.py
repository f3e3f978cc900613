"""Read pictures from arrays, whatever the order of their axes and the kind of their numbers.

Both are determined once; after that, each row is read as a picture of one size, uint8, C H W.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from einops import rearrange
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from motes.data.actions import action_tensor
from motes.data.base import Split
from motes.data.files.picture_files import to_size, warn_if_black
from motes.data.splits import NAMES
from motes.errors import UserError

Layout = Literal["auto", "NHWC", "NCHW", "NHW", "VTHWC", "VTCHW", "VTHW"]
COLOURS = (1, 3, 4)
# the axes of one picture, by those behind N or V T
TO_PICTURE = {"HW": "h w -> h w 1", "HWC": "h w c -> h w c", "CHW": "c h w -> h w c"}
# usual names of arrays that hold what was done after each frame
ACTIONS = ("actions", "action")
# rows that are checked for their brightness
LOOKED_AT = 16


@dataclass(frozen=True)
class ArrayStack:
    """An array of pictures or videos (in memory, mapped, or in an HDF5 file), read row by row.

    V videos of T frames count as V x T rows.
    """

    array: Any
    layout: str
    # named in errors
    where: str

    @property
    def frames(self) -> int:
        return int(self.array.shape[1]) if self.of_videos else 1

    @property
    def of_videos(self) -> bool:
        return self.layout.startswith("V")

    @property
    def videos(self) -> int:
        """The number of videos: the length of the first axis. A single picture counts as a video of one
        frame."""
        return int(self.array.shape[0])

    @property
    def lead(self) -> tuple[int, ...]:
        """The lengths of the axes that count pictures: N for single pictures, V and T for videos."""
        return tuple(self.array.shape[: 2 if self.of_videos else 1])

    @property
    def size(self) -> tuple[int, int]:
        shape = dict(zip(self.layout, self.array.shape, strict=True))
        return int(shape["H"]), int(shape["W"])

    @property
    def channels(self) -> int:
        shape = dict(zip(self.layout, self.array.shape, strict=True))
        return 1 if shape.get("C", 1) == 1 else 3

    def entry(self, array: Any, row: int) -> np.ndarray:
        """The entry of a row in `array`, which may be any array with the same leading axes."""
        return np.asarray(array[divmod(row, self.frames) if self.of_videos else row])

    def picture(self, row: int) -> np.ndarray:
        """The picture of a row: uint8, H W C."""
        value = self.entry(self.array, row)
        picture = rearrange(value, TO_PICTURE[self.layout[len(self.lead) :]])
        return to_uint8(picture, f"row {row} of {self.where}")

    def actions(self, array: Any, rows: Sequence[int], where: str) -> Float[Tensor, "N A"]:
        """The actions of these rows, from an array of actions; `where` names the array in errors."""
        actions = np.stack([self.entry(array, row) for row in rows])
        return action_tensor(actions, lambda number: f"{self._frame(rows[number])} of {where}")

    def _frame(self, row: int) -> str:
        video, frame = divmod(row, self.frames)
        return f"frame {frame} of video {video}" if self.of_videos else f"row {row}"


def find_layout(shape: Sequence[int], layout: str, where: str) -> str:
    """The order of the axes: `layout` itself, or, if it is "auto", what follows from the shape.

    The axis of length 1, 3 or 4 is then taken for the colours.
    """
    if layout != "auto":
        _check_layout(shape, layout, where)
        return layout
    colours_last = shape[-1] in COLOURS
    colours_first = len(shape) > 2 and shape[-3] in COLOURS
    if len(shape) in (4, 5):
        lead = "N" if len(shape) == 4 else "VT"
        if colours_last:
            return lead + "HWC"
        if colours_first:
            return lead + "CHW"
        if len(shape) == 4:
            return "VTHW"
    if len(shape) == 3:
        return "NHW"
    raise UserError(
        f"{where} has shape {tuple(shape)}, which is no stack of pictures: "
        "N H W C, N C H W, N H W, or videos V T H W C"
    )


def _check_layout(shape: Sequence[int], layout: str, where: str) -> None:
    if len(layout) != len(shape):
        raise UserError(
            f"{where} has shape {tuple(shape)}, which is not {layout}; "
            "leave layout out, or choose one of as many letters"
        )
    if "C" in layout and (colours := shape[layout.index("C")]) not in COLOURS:
        raise UserError(
            f"{where} has shape {tuple(shape)}: as {layout} it would have {colours} colours, not 1, 3 or 4"
        )


def to_uint8(value: np.ndarray, where: str) -> np.ndarray:
    """A picture in bytes, made from bytes, booleans, sixteen bits, or fractions in [0, 1]; others are
    refused."""
    if value.dtype == np.uint8:
        return value
    if value.dtype == np.bool_:
        return value.astype(np.uint8) * 255
    if value.dtype == np.uint16:
        return np.round(value / 257).astype(np.uint8)
    if value.dtype.kind == "f":
        _check_fractions(value, where)
        return np.round(value * 255).astype(np.uint8)
    raise UserError(f"{where} holds {value.dtype} numbers; save pictures as uint8")


def _check_fractions(value: np.ndarray, where: str) -> None:
    if not np.isfinite(value).all():
        raise UserError(f"{where} has pixels that are NaN or infinite; mend or leave out these pictures")
    if value.min() < 0 or value.max() > 1:
        raise UserError(
            f"{where} has values from {value.min():.3g} to {value.max():.3g}; "
            "fractions must lie in [0, 1], or save the pictures as uint8"
        )


def check_kind(array: Any, where: str) -> None:
    """Refuse an array with a kind of number that no picture has, and warn if one of sixteen bits looks
    black."""
    dtype = array.dtype
    if dtype == np.uint16 and len(array):
        sample = np.asarray(array[:: -(-len(array) // LOOKED_AT)])
        warn_if_black(int(sample.max()) // 257, where)
    if dtype.kind not in "bf" and dtype not in (np.uint8, np.uint16):
        raise UserError(f"{where} holds {dtype} numbers; save pictures as uint8")


def sized(picture: np.ndarray, size: tuple[int, int], channels: int, fit: str) -> np.ndarray:
    """A picture (uint8, H W C) brought to this size and number of channels: uint8, C H W.

    A picture that already has them keeps its pixels.
    """
    if picture.shape == (*size, channels):
        return picture.transpose(2, 0, 1)
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    return to_size(_on_white(image), size, channels, fit)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def find_file(path: Path, split: Split, endings: Sequence[str]) -> tuple[Path, bool]:
    """The file that holds a split, and whether it holds nothing but this split.

    It is `path` itself, or a file in the folder `path`: the one named after the split, or the only one.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist")
    if path.is_file():
        return path, False
    if file := _file_of_split(path, split, endings):
        return file, True
    files = sorted(file for file in path.iterdir() if file.suffix in endings)
    if len(files) == 1:
        return files[0], False
    names = ", ".join(file.name for file in files[:5]) or f"no {endings[0]} files"
    raise UserError(f"{path} has no {NAMES[split][0]}{endings[0]}; there are {names}; name one of them")


def _file_of_split(folder: Path, split: Split, endings: Sequence[str]) -> Path | None:
    named = (folder / f"{name}{ending}" for name in NAMES[split] for ending in endings)
    return next((file for file in named if file.is_file()), None)
