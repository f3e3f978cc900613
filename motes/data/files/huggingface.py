"""Hugging Face data sets with pictures: parquet files on disk, a folder that `save_to_disk` wrote, or a name
on the hub."""

import io
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from PIL import Image

from motes.data.base import Dataset, Split
from motes.data.files.parquet import Table
from motes.data.files.picture_files import check_looks, read_bytes, read_picture, to_size
from motes.data.splits import NAMES, check_held_out
from motes.errors import UserError
from motes.plain.packages import optional
from motes.types.truth import Truth

HUB = "hf:"
THREADS = 4


@dataclass(frozen=True)
class HuggingFaceConfig:
    """A .parquet file, a folder of them, or hf:owner/name (hf:owner/name:subset) of the hub."""

    path: str = ""
    # rows, columns
    image_size: tuple[int, int] = (128, 128)
    # 1: grey
    channels: int = 3
    # fit: cover and cut the middle; stretch: both sides; crop: cut the middle unscaled
    fit: str = "fit"
    # the one with the pictures; empty: the first that has any
    column: str = ""
    # share of the training rows for each of validation and test that the set itself does not have
    held_out: float = 0.1
    # hold out rows from all over the set, not its end: for rows in the order of classes, not for frames of
    # videos
    mixed: bool = False


@runtime_checkable
class Rows(Protocol):
    """What both kinds of storage answer."""

    def __len__(self) -> int: ...
    def value(self, row: int, column: str) -> Any: ...
    def where(self, row: int) -> str: ...


class HuggingFace(Dataset):
    """The set's own splits where it has them; what it lacks is held out of its training rows. Columns of
    single numbers are `Truth.scene`."""

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
        own = split if split in stored else "train"
        self._table, features = stored[own]()
        self._column, self._numbers = _pick_column(features, config)
        missing = [name for name in ("validation", "test") if name not in stored]
        self._rows = _share(len(self._table), split, own, missing, config)
        if not len(self._rows):
            raise UserError(f"the {split} split of {config.path} has no rows")
        self._root = Path(config.path) if Path(config.path).is_dir() else Path(config.path).parent
        self._pool = ThreadPoolExecutor(THREADS)

    def __len__(self) -> int:
        return len(self._rows)

    def pixels(self, rows: Sequence[int]) -> np.ndarray:
        places = self._rows[list(rows)].tolist()
        stored = [self._table.value(place, self._column) for place in places]
        return np.stack(list(self._pool.map(self._one, stored, places)))

    def truth(self, rows: Sequence[int]) -> Truth | None:
        if not self._numbers:
            return None
        places = self._rows[list(rows)].tolist()
        scene = {}
        for name in self._numbers:
            values = [self._table.value(place, name) for place in places]
            if None not in values:
                scene[name] = torch.tensor(values)
        return Truth(torch.zeros(len(places), 0, dtype=torch.bool), scene=scene)

    def _one(self, stored: Any, place: int) -> np.ndarray:
        where = self._table.where(place)
        if isinstance(stored, Image.Image):
            picture = stored
        elif isinstance(stored, dict) and stored.get("bytes") is None and stored.get("path"):
            picture = read_picture(self._root / stored["path"])
        else:
            data = stored["bytes"] if isinstance(stored, dict) else stored
            if not data:
                raise UserError(f"{where} has no picture in {self._column}")
            picture = read_bytes(io.BytesIO(data), where)
        return to_size(picture, self.config.image_size, self.config.channels, self.config.fit)


def _stored(path: str) -> dict[str, Callable[[], tuple[Rows, dict[str, str]]]]:
    """How to open each split that is stored, with the kinds of its columns."""
    if (
        path.startswith(HUB)
        or (Path(path) / "dataset_dict.json").is_file()
        or (Path(path) / "dataset_info.json").is_file()
    ):
        return _of_library(path)
    root = Path(path)
    if not root.exists():
        raise UserError(f"{path} does not exist; of the hub: hf:owner/name")
    files = (
        [root]
        if root.is_file()
        else sorted(file for file in root.rglob("*.parquet") if not file.name.startswith("."))
    )
    if not files:
        raise UserError(f"there is no .parquet file in {path}, nor below it")
    found: dict[str, list[Path]] = {}
    for file in files:
        found.setdefault("train" if root.is_file() else _split_of(file, root), []).append(file)

    def opener(own: list[Path]) -> Callable[[], tuple[Rows, dict[str, str]]]:
        def opened() -> tuple[Rows, dict[str, str]]:
            table = Table(own)
            return table, _features(table.schema)

        return opened

    return {split: opener(own) for split, own in found.items()}


def _split_of(file: Path, root: Path) -> str:
    """By the beginning of the file's name (train-00000-of-00002.parquet), or the folder's
    (train/0000.parquet)."""
    for word in (file.stem, *reversed(file.relative_to(root).parts[:-1])):
        for split, names in NAMES.items():
            if any(word == name or word.startswith((f"{name}-", f"{name}_", f"{name}.")) for name in names):
                return split
    return "train"


def _features(schema: Any) -> dict[str, str]:
    """image, number or other, of each column: as the library wrote it in the file, or else by how it is
    stored."""
    noted = json.loads((schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    kinds = {}
    for field in schema:
        kind = str(field.type)
        told = noted.get(field.name)
        picture = (
            (isinstance(told, dict) and told.get("_type") == "Image")
            or kind.startswith("struct<bytes: ")
            or kind.endswith("binary")
        )
        number = kind.startswith(("int", "uint", "float", "double", "bool"))
        kinds[field.name] = "image" if picture else "number" if number else "other"
    return kinds


def _pick_column(kinds: dict[str, str], config: HuggingFaceConfig) -> tuple[str, list[str]]:
    """The column of pictures, and those of numbers."""
    pictures = [name for name, kind in kinds.items() if kind == "image"]
    if config.column and config.column not in kinds:
        raise UserError(f"{config.path} has no column {config.column!r}; there are {', '.join(kinds)}")
    if not config.column and not pictures:
        raise UserError(f"{config.path} has no column of pictures among {', '.join(kinds)}")
    return config.column or pictures[0], [name for name, kind in kinds.items() if kind == "number"]


def _share(
    count: int, split: Split, own: str, missing: Sequence[str], config: HuggingFaceConfig
) -> np.ndarray:
    """Rows of the stored split that are this one's: all, or what is left of them, or what is held out."""
    rows = np.random.default_rng(0).permutation(count) if config.mixed else np.arange(count)
    each = max(round(config.held_out * count), 1)
    if own != split or split == "train":
        if count <= len(missing) * each:
            return np.arange(count)  # too few to hold any back: all splits are the same
        ends = {name: count - each * place for place, name in enumerate(reversed(missing))}
        rows = (
            rows[: count - each * len(missing)]
            if split == "train"
            else rows[ends[split] - each : ends[split]]
        )
    return np.sort(rows)


def _of_library(path: str) -> dict[str, Callable[[], tuple[Rows, dict[str, str]]]]:
    """By the library `datasets`, which fetches and keeps what is on the hub."""
    library = optional("datasets", "hf", f"{path} needs the library datasets")
    try:
        name, _, subset = path.removeprefix(HUB).partition(":")
        opened = (
            library.load_dataset(name, subset or None)
            if path.startswith(HUB)
            else library.load_from_disk(path)
        )
    except Exception as problem:  # whatever the network, the hub or a builder makes of it
        raise UserError(
            f"{path} cannot be opened: {(str(problem).splitlines() or [type(problem).__name__])[0]}"
        ) from None
    sets = dict(opened) if hasattr(opened, "keys") else {"train": opened}
    words = {word: split for split, names in NAMES.items() for word in names}
    return {
        words.get(key, key): lambda one=one, key=key: (_Library(one, f"{path} {key}"), _kinds_of_library(one))
        for key, one in sets.items()
    }


def _kinds_of_library(one: Any) -> dict[str, str]:
    def kind(feature: Any) -> str:
        number = str(getattr(feature, "dtype", "")).startswith(("int", "uint", "float", "bool"))
        return "image" if type(feature).__name__ == "Image" else "number" if number else "other"

    return {name: kind(feature) for name, feature in one.features.items()}


@dataclass(frozen=True)
class _Library:
    """A data set of the library `datasets`."""

    stored: Any
    name: str

    def __len__(self) -> int:
        return len(self.stored)

    def value(self, row: int, column: str) -> Any:
        return self.stored[row][column]

    def where(self, row: int) -> str:
        return f"row {row} of {self.name}"
