"""What `--data` means: the name of a data set, a folder or a file; told by its name and what is in it.
Imports no torch."""

import json
import warnings
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from motes.data import DATASETS
from motes.data.files.walk import files_below
from motes.errors import UserError
from motes.plain.options import nearest, options_of

LOOKED_AT = 5000  # files of a folder, to tell what kind it is
KEPT = ("image_size", "channels", "fit")  # options of a preset that stay when it is given other data
AS_IT_LIES = ("0", "(0, 0)")  # defaults that say: as the data have it
WANTED = {"folder": "pictures: --data FOLDER"}
PLACES = ("path", "root")  # options that say where a data set lies
# of a file -> the data set that reads it
ENDINGS = {ending: name for name in DATASETS for ending in DATASETS.row(name).endings}


def find_source(data: str) -> tuple[str, dict[str, Any]]:
    """The data set's name and where it lies: a place alone, a name alone, or NAME:PLACE, such as
    celeba:/data/celeba."""
    if data in DATASETS:
        warn_of_namesake(data)
        return data, {}
    name, colon, rest = data.partition(":")
    if colon and name in DATASETS:
        option = next((option for option in PLACES if option in options_of(DATASETS.source(name))), None)
        if option is None:
            raise UserError(f"{name} lies nowhere: it is made as it is needed; leave out {colon}{rest}")
        return name, {option: rest}
    if data.startswith("hf:"):
        return _known("huggingface", data), {"path": data}
    path = Path(data)
    if not path.exists():
        named = nearest(data, [name for name in DATASETS if name != "folder"], "data set").partition("; ")[2]
        raise UserError(f"there is no data set and no folder {data!r}, nor a file; {named}")
    name = _kind_of_folder(path) if path.is_dir() else ENDINGS.get(path.suffix.lower(), "folder")
    return _known(name, data), {"path": data}


def warn_of_namesake(name: str) -> None:
    """Somebody's own pictures may lie in a folder called faces."""
    if Path(name).exists():
        warnings.warn(
            f"{name} is taken for the data set of that name; for what lies here, write ./{name}", stacklevel=3
        )


def fit_options(name: str, place: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Options for a data set where another one stood before: the size and the like stay, so far as it has
    them to choose."""
    known = options_of(DATASETS.source(name))
    free = [option for option in KEPT if option in known and known[option].default not in AS_IT_LIES]
    return {**{option: before[option] for option in free if option in before}, **place}


def check_place(name: str, config: Mapping[str, Any], asked_by: str) -> None:
    """Refuse a data set that lies on disk when nobody said where."""
    known = options_of(DATASETS.source(name))
    for option in PLACES:
        if option in known and not config.get(option) and known[option].default in ("''", '""'):
            raise UserError(
                f"{asked_by} needs {WANTED.get(name, f'to know where {name} lies: {name}:PLACE')}"
            )


def _kind_of_folder(path: Path) -> str:
    from motes.data.files.landmark_tables import PICTURE, find_table
    from motes.data.files.mask_pairs import pair

    if (path / "manifest.json").is_file() and _json(path / "manifest.json").get("format") == "motes-prepared":
        return "prepared"
    if (path / "meta" / "info.json").is_file() and "codebase_version" in _json(path / "meta" / "info.json"):
        return "lerobot"
    beside = [file for file in path.glob("*.json") if file.is_file()]
    if (
        any((path / "annotations").glob("*.json"))
        or any(path.glob("*/*.coco.json"))
        or (beside and all(map(_is_coco, beside)))
    ):
        return "coco"
    if (path / "dataset_info.json").is_file() or (path / "dataset_dict.json").is_file():
        return "huggingface"
    # a thumbnail among a hundred videos does not make it a folder of pictures; what has no ending of ours
    # may be one
    files = [file for file in islice(files_below(path), LOOKED_AT) if file.suffix]
    found = Counter(ENDINGS.get(file.suffix.lower(), "folder") for file in files)
    known = {
        name: count for name, count in found.items() if name not in ("folder", "coco")
    }  # a .json alone may be anything's
    pictures = [file for file in files if file.suffix.lower() in PICTURE]
    if known:
        name = max(known, key=lambda one: known[one])
        if known[name] >= found["folder"] or not pictures:
            return name
    marked = any(file.suffix.lower() == ".pts" for file in files)
    return "labelled" if pictures and (marked or find_table(path) or pair(pictures, path)) else "folder"


def _is_coco(path: Path) -> bool:
    """By its words: files of whole data sets are large, and their parts come in any order."""
    try:
        text = path.read_bytes()
    except OSError:
        return False
    return all(word in text for word in (b'"images"', b'"annotations"', b'"file_name"'))


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _known(name: str, data: str) -> str:
    if name not in DATASETS:
        raise UserError(f"{data} looks like {name}, which cannot be read; there are {', '.join(DATASETS)}")
    return name
