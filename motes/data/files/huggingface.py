"""Hugging Face data sets with pictures: parquet files, a folder from `save_to_disk`, or a name on the hub."""

import io
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.parquet import ParquetTable
from motes.data.files.picture_files import check_looks, read_bytes, read_picture, to_size
from motes.data.splits import NAMES, check_held_out
from motes.errors import UserError
from motes.plain.packages import optional
from motes.types.truth import Truth

HUB = "hf:"
THREADS = 4

# of a column
Kind = Literal["image", "number", "other"]


@dataclass(frozen=True)
class HuggingFaceConfig:
    """The path is a .parquet file, a folder of them, or hf:owner/name (hf:owner/name:subset) of the hub."""

    path: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey, 3: colours
    channels: int = 3
    # fit: scale to cover, then cut the middle; stretch: scale both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # name of the column of pictures; empty: the first column with pictures
    column: str = ""
    # share of the training rows for validation, and for test, if the set does not have that split itself
    held_out: float = 0.1
    # hold out rows from all over the set instead of its end: good for rows sorted by class, bad for frames of
    # videos
    mixed: bool = False


@runtime_checkable
class StoredTable(Protocol):
    """The interface that tables of parquet files and of the library `datasets` share."""

    def __len__(self) -> int: ...
    def value(self, row: int, column: str) -> Any: ...
    def where(self, row: int) -> str: ...


# opens a stored split, with the kinds of its columns
Opener = Callable[[], tuple[StoredTable, dict[str, Kind]]]


class HuggingFace(Dataset):
    """Pictures of a Hugging Face data set, in the splits that it has.

    A split that it lacks is held out of its training rows. Columns with one number in each row become
    `Truth.scene`.
    """

    Config = HuggingFaceConfig

    def __init__(self, config: HuggingFaceConfig, split: Split = "train"):
        check_looks(config.image_size, config.channels, config.fit)
        if not config.path:
            raise UserError(
                "a Hugging Face data set needs a .parquet file, a folder of them, or hf:owner/name"
            )
        check_held_out(config.held_out)
        self.config = config
        self.split: Split = split
        stored = _stored(config.path)
        if "train" not in stored:  # a set of one part, whatever it is called
            stored["train"] = stored.pop(next(iter(stored)))
        source = split if split in stored else "train"
        self._table, kinds = stored[source]()
        self._column = _column_of_pictures(kinds, config)
        self._numbers = [name for name, kind in kinds.items() if kind == "number"]
        missing = [name for name in ("validation", "test") if name not in stored]
        self._rows = _rows_of_split(len(self._table), split, source, missing, config)
        if not len(self._rows):
            raise UserError(f"the {split} split of {config.path} has no rows")
        self._root = Path(config.path) if Path(config.path).is_dir() else Path(config.path).parent
        self._pool = ThreadPoolExecutor(THREADS)

    def __len__(self) -> int:
        return len(self._rows)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        table_rows = self._rows[list(rows)].tolist()
        stored = [self._table.value(row, self._column) for row in table_rows]
        return np.stack(list(self._pool.map(self._decoded, stored, table_rows)))

    def truth(self, rows: Sequence[int]) -> Truth | None:
        if not self._numbers:
            return None
        table_rows = self._rows[list(rows)].tolist()
        scene = {}
        for name in self._numbers:
            values = [self._table.value(row, name) for row in table_rows]
            if None not in values:
                scene[name] = torch.tensor(values)
        return Truth(torch.zeros(len(table_rows), 0, dtype=torch.bool), scene=scene)

    def _decoded(self, stored: Any, row: int) -> np.ndarray:
        picture = self._picture(stored, self._table.where(row))
        return to_size(picture, self.config.image_size, self.config.channels, self.config.fit)

    def _picture(self, stored: Any, where: str) -> Image.Image:
        """The picture in a cell of the table.

        The cell holds a decoded picture, the bytes of a file, or a record of bytes and path.
        """
        if isinstance(stored, Image.Image):
            return stored
        if isinstance(stored, dict) and stored.get("bytes") is None and stored.get("path"):
            return read_picture(self._root / stored["path"])
        data = stored["bytes"] if isinstance(stored, dict) else stored
        if not data:
            raise UserError(f"{where} has no picture in {self._column}")
        return read_bytes(io.BytesIO(data), where)


def _stored(path: str) -> dict[str, Opener]:
    """For each stored split, a function that opens it."""
    root = Path(path)
    by_library = any((root / name).is_file() for name in ("dataset_dict.json", "dataset_info.json"))
    if path.startswith(HUB) or by_library:
        return _of_library(path)
    if not root.exists():
        raise UserError(f"{path} does not exist; of the hub: hf:owner/name")
    if root.is_file():
        return {"train": lambda: _open_parquet([root])}
    files_of = _parquet_files(path)
    return {split: lambda files=files: _open_parquet(files) for split, files in files_of.items()}


def _parquet_files(path: str) -> dict[str, list[Path]]:
    """The parquet files of each stored split, by the split's name, at a path."""
    root = Path(path)
    files = sorted(file for file in root.rglob("*.parquet") if not file.name.startswith("."))
    if not files:
        raise UserError(f"there is no .parquet file in {path}, nor below it")
    files_of: dict[str, list[Path]] = {}
    for file in files:
        files_of.setdefault(_split_of(file, root), []).append(file)
    return files_of


def _open_parquet(files: list[Path]) -> tuple[StoredTable, dict[str, Kind]]:
    table = ParquetTable(files)
    return table, _kinds_of_parquet(table.schema)


def _split_of(file: Path, root: Path) -> str:
    """The split that the name of a file or folder begins with: train for train-00000-of-00002.parquet."""
    for word in (file.stem, *reversed(file.relative_to(root).parts[:-1])):
        for split, names in NAMES.items():
            if any(_begins_with(word, name) for name in names):
                return split
    return "train"


def _begins_with(word: str, name: str) -> bool:
    return word == name or word.startswith((f"{name}-", f"{name}_", f"{name}."))


def _kinds_of_parquet(schema: Any) -> dict[str, Kind]:
    """The kind of each column, as the library `datasets` noted it in the file, or else by how it is
    stored."""
    noted = json.loads((schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    return {field.name: _kind_of_field(str(field.type), noted.get(field.name)) for field in schema}


def _kind_of_field(stored_type: str, feature: Any) -> Kind:
    is_feature = isinstance(feature, dict) and feature.get("_type") == "Image"
    if is_feature or stored_type.startswith("struct<bytes: ") or stored_type.endswith("binary"):
        return "image"
    return "number" if stored_type.startswith(("int", "uint", "float", "double", "bool")) else "other"


def _column_of_pictures(kinds: dict[str, Kind], config: HuggingFaceConfig) -> str:
    pictures = [name for name, kind in kinds.items() if kind == "image"]
    if config.column and config.column not in kinds:
        raise UserError(f"{config.path} has no column {config.column!r}; there are {', '.join(kinds)}")
    if not config.column and not pictures:
        raise UserError(f"{config.path} has no column of pictures among {', '.join(kinds)}")
    return config.column or pictures[0]


def _rows_of_split(
    count: int, split: Split, source: str, missing: Sequence[str], config: HuggingFaceConfig
) -> np.ndarray:
    """The rows of the stored split `source`, which has `count` rows, that belong to `split`.

    These are all of its rows, or the rows held out for `split`, or what these leave for training.
    """
    rows = np.random.default_rng(0).permutation(count) if config.mixed else np.arange(count)
    held = max(round(config.held_out * count), 1)
    if source == split and split != "train":
        return np.sort(rows)
    if count <= len(missing) * held:
        return np.arange(count)  # too few to hold any back: all splits are the same
    if split == "train":
        return np.sort(rows[: count - held * len(missing)])
    end = count - held * list(reversed(missing)).index(split)
    return np.sort(rows[end - held : end])


def _of_library(path: str) -> dict[str, Opener]:
    """For each stored split, a function that opens it with the library `datasets`.

    The library downloads data sets of the hub and keeps them in its cache.
    """
    opened = _open_by_library(path)
    sets = dict(opened) if hasattr(opened, "keys") else {"train": opened}
    split_named = {name: split for split, names in NAMES.items() for name in names}

    def opener(stored: Any, key: str) -> Opener:
        return lambda: (_LibraryTable(stored, f"{path} {key}"), _kinds_of_library(stored))

    return {split_named.get(key, key): opener(stored, key) for key, stored in sets.items()}


def _open_by_library(path: str) -> Any:
    library = optional("datasets", "hf", f"{path} needs the library datasets")
    try:
        if not path.startswith(HUB):
            return library.load_from_disk(path)
        name, _, subset = path.removeprefix(HUB).partition(":")
        return library.load_dataset(name, subset or None)
    except Exception as problem:  # whatever the network, the hub or a builder makes of it
        reason = (str(problem).splitlines() or [type(problem).__name__])[0]
        raise UserError(f"{path} cannot be opened: {reason}") from None


def _kinds_of_library(stored: Any) -> dict[str, Kind]:
    def kind(feature: Any) -> Kind:
        number = str(getattr(feature, "dtype", "")).startswith(("int", "uint", "float", "bool"))
        return "image" if type(feature).__name__ == "Image" else "number" if number else "other"

    return {name: kind(feature) for name, feature in stored.features.items()}


@dataclass(frozen=True)
class _LibraryTable:
    """A data set of the library `datasets`."""

    stored: Any
    name: str

    def __len__(self) -> int:
        return len(self.stored)

    def value(self, row: int, column: str) -> Any:
        return self.stored[row][column]

    def where(self, row: int) -> str:
        return f"row {row} of {self.name}"
