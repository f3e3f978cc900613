"""Find and read files of annotations in COCO's format, and find the pictures that belong to them."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motes.data.base import Split
from motes.data.files.picture_files import read_picture
from motes.data.splits import NAMES
from motes.errors import UserError

# of a picture
Id = int | str
# a picture or a thing, as the file has it
Record = dict[str, Any]


@dataclass(frozen=True)
class Annotations:
    """What a file of annotations holds."""

    path: Path
    # the number of each category
    categories: dict[Id, int]
    # in the order of their names
    images: list[Record]
    # annotations by picture, for pictures that have any; without crowds
    records: dict[Id, list[Record]]

    @property
    def all_records(self) -> list[Record]:
        return [record for of_image in self.records.values() for record in of_image]


def annotation_files(path: Path, kind: str) -> dict[str, Path]:
    """The annotation file of each split that has one; a single file is for training."""
    if path.is_file():
        return {"train": path}
    files = _json_files(path)
    if len(files) == 1:
        return {"train": files[0]}
    files_of = _by_split(files, path)
    if "train" not in files_of:
        raise UserError(
            f"{path} has {', '.join(file.name for file in files)}, and none is for training by its name; "
            "name the file itself"
        )
    return {split: _of_kind(files, kind) for split, files in files_of.items()}


def _of_kind(files: list[Path], kind: str) -> Path:
    return next((file for file in files if file.stem.startswith(kind)), files[0])


def _split_of(name: str) -> Split | None:
    """The split that a word in the file name stands for, such as train in instances_train2017; None if
    none does."""
    words = set(re.findall("[a-z]+", name.lower()))
    return next((split for split, names in NAMES.items() if words & {*names, f"{names[0]}ing"}), None)


def _json_files(folder: Path) -> list[Path]:
    patterns = ("*.json", "annotations/*.json", "*/*.coco.json")
    files = [file for pattern in patterns for file in sorted(folder.glob(pattern))]
    if not files:
        raise UserError(f"there is no .json file in {folder}, nor in {folder / 'annotations'}")
    return files


def _by_split(files: list[Path], root: Path) -> dict[str, list[Path]]:
    """The files of each split, recognised by the name of the file or of the folder that it lies in."""
    files_of: dict[str, list[Path]] = {}
    for file in files:
        split = _split_of(file.stem) or (_split_of(file.parent.name) if file.parent != root else None)
        if split:
            files_of.setdefault(split, []).append(file)
    return files_of


def read_annotations(path: Path) -> Annotations:
    try:
        content = json.loads(path.read_text())
        categories = {category["id"]: n for n, category in enumerate(content.get("categories", []))}
        images = _with_slashes(content["images"])
        records = _things_by_image(content["annotations"], {image["id"] for image in images}, path)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        reason = f"{type(problem).__name__} {problem}"
        raise UserError(f"{path} is cut short, or not in COCO's format ({reason})") from None
    if not images:
        raise UserError(f"{path} lists no pictures")
    return Annotations(path, categories, images, records)


def _with_slashes(images: list[Record]) -> list[Record]:
    """The images in the order of their file names, in which backslashes are replaced by slashes."""
    named = [{**image, "file_name": image["file_name"].replace("\\", "/")} for image in images]
    return sorted(named, key=lambda image: image["file_name"])


def _things_by_image(annotations: list[Record], ids: set[Id], path: Path) -> dict[Id, list[Record]]:
    records: dict[Id, list[Record]] = {}
    for record in annotations:
        if record["image_id"] not in ids:
            raise UserError(
                f"{path} annotates a picture of id {record['image_id']}, which is not in its list; "
                "the file is not whole"
            )
        if not record.get("iscrowd") and len(record["bbox"]) == 4:
            records.setdefault(record["image_id"], []).append(record)
    return records


def picture_paths(source: Path, given: str, names: list[str]) -> list[Path]:
    """The path of each named picture, in the folder `given`, or else in a usual folder for the file
    `source`."""
    folders = [Path(given)] if given else _usual_folders(source)
    folder = next((folder for folder in folders if (folder / names[0]).is_file()), folders[0])
    paths = [folder / name for name in names]
    if missing := [path for path in paths if not path.is_file()]:
        raise UserError(
            f"{len(missing)} of {len(paths)} pictures that {source.name} lists are missing, "
            f"the first {missing[0]}; say where with --data.images"
        )
    return paths


def _usual_folders(source: Path) -> list[Path]:
    """The folders where pictures usually lie: beside the annotation file and one level above it."""
    split = source.stem.rpartition("_")[2]
    roots = (source.parent, source.parent.parent)
    return [root / folder for root in roots for folder in ("", split, "images", f"images/{split}")]


def with_size(image: Record, path: Path) -> Record:
    """The image's record with its size, which is read from the picture if the annotations lack it."""
    if "width" in image and "height" in image:
        return image
    picture = read_picture(path)
    return {**image, "width": picture.width, "height": picture.height}


def area_of(annotation: Record) -> float:
    """The area of the thing's mask if the annotation gives it, otherwise that of its box."""
    return float(annotation.get("area") or annotation["bbox"][2] * annotation["bbox"][3])
