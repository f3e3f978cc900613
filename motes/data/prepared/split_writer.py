"""Write one split of a prepared set: its arrays grow chunk by chunk, and an interrupted call is resumed."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from motes.data.base import Dataset, Split
from motes.data.prepared.prepared import ACTIONS, file_name
from motes.errors import UserError
from motes.plain.writing import whole_file
from motes.types.truth import Truth

# bytes of pixels between two marks in progress.json: what an interruption may cost
CHUNK = 1 << 26
PROGRESS = "progress.json"


class SplitWriter:
    """Writes one split as arrays on disk.

    These are plain writes and not memory maps, which would crash on a full disk. `done` counts the rows of
    each split that are on disk; the file progress.json holds it.
    """

    def __init__(self, folder: Path, split: Split, data: Dataset, count: int, done: dict[Split, int]):
        self.folder = folder
        self.data = data
        self.count = count
        self.done = done
        self.split: Split = split
        # the type and the shape of a row of each array
        self.kinds: dict[str, tuple[np.dtype, tuple[int, ...]]] = {}

    def write(self, progress: Callable[[int, int], None] | None, total: int) -> None:
        """Write the rows that are missing.

        `progress` is called with the number of rows done and `total`, the number of rows of all splits.
        """
        step = max(CHUNK // int(np.prod(self.data.image_shape)), 1)
        for start in range(self.done.get(self.split, 0), self.count, step):
            rows = range(start, min(start + step, self.count))
            arrays = arrays_of(self.data, rows)
            self._check_kinds(arrays, rows)
            for name, values in arrays.items():
                self._append(name, values, start)
            self.done[self.split] = rows.stop
            self._mark_progress()
            if progress:
                progress(sum(self.done.values()), total)

    def _check_kinds(self, arrays: dict[str, np.ndarray], rows: range) -> None:
        kinds = {name: (values.dtype, values.shape[1:]) for name, values in arrays.items()}
        if self.kinds and kinds != self.kinds:
            raise UserError(
                f"rows {rows.start} to {rows.stop} of the {self.split} split have other truth "
                "than those before; they cannot be one set"
            )
        self.kinds = kinds

    def _mark_progress(self) -> None:
        path = self.folder / PROGRESS
        write_json(path, {**json.loads(path.read_text()), "done": self.done})

    def _append(self, name: str, values: np.ndarray, start: int) -> None:
        path = self.folder / file_name(self.split, name)
        with path.open("r+b" if start else "wb") as file:
            if start:
                skip_header(file)
                file.seek(start * values[0].nbytes, os.SEEK_CUR)
            else:
                self._write_header(file, values)
            file.write(np.ascontiguousarray(values).data)
            file.truncate()  # what an interrupted write left behind this chunk goes
            file.flush()
            os.fsync(file.fileno())

    def _write_header(self, file: Any, values: np.ndarray) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(values.dtype),
            "fortran_order": False,
            "shape": (self.count, *values.shape[1:]),
        }
        np.lib.format.write_array_header_1_0(file, header)


def arrays_of(data: Dataset, rows: range) -> dict[str, np.ndarray]:
    """The arrays that a prepared set holds for these rows: pixels, and truth and actions if the data have
    them."""
    arrays = {"pixels": data.pixels(rows)}
    truth = data.truth(rows)
    if truth is not None:
        arrays |= _small_arrays(truth)
    actions = data.actions(rows)
    if actions is not None:
        arrays[ACTIONS] = actions.numpy()
    return arrays


def _small_arrays(truth: Truth) -> dict[str, np.ndarray]:
    """The parts of the truth that a prepared set holds, by name.

    Visible masks become one number at each pixel; full masks, with the hidden parts, are left out.
    """
    values = {name: getattr(truth, name) for name in ("present", "centres", "boxes", "points")}
    for group in ("factors", "scene"):
        values |= {f"{group}.{name}": value for name, value in getattr(truth, group).items()}
    arrays = {name: value.numpy() for name, value in values.items() if value is not None}
    if truth.masks is not None:
        arrays["masks"] = _numbered(truth.masks.numpy())
    return arrays


def _numbered(masks: np.ndarray) -> np.ndarray:
    """Masks B N H W as numbers B H W: 0 where there is no thing, n + 1 where thing n is."""
    numbers = np.zeros((len(masks), *masks.shape[2:]), np.uint8 if masks.shape[1] < 256 else np.uint16)
    for n in range(masks.shape[1]):  # no pixel belongs to two
        numbers[masks[:, n]] = n + 1
    return numbers


def skip_header(file: Any) -> None:
    """Move an open .npy file to its first number."""
    np.lib.format.read_magic(file)
    np.lib.format.read_array_header_1_0(file)


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all, and flush it to the disk."""
    with whole_file(path) as fresh:
        fresh.write_text(json.dumps(content, indent=2) + "\n")
