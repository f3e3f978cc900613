"""Points that people annotated in pictures, from the files of the tools in which they did it.

Tables (.csv, .tsv, .txt; DeepLabCut's .csv and .h5), the folder of a DeepLabCut project, a folder of pictures with a .pts
file each, and key points in COCO's format.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motes.data.files.folder import list_pictures
from motes.data.files.landmark_tables import match, point_names, read_point_files, read_table, tables_of
from motes.errors import UserError


@dataclass(frozen=True)
class AnnotatedPoints:
    """The points of some pictures."""

    names: tuple[str, ...]
    # (row, column) in pixels of the picture, P 2; NaN: unknown
    points: dict[Path, np.ndarray]
    # pictures that are named and not there
    missing: tuple[str, ...] = ()


def read_annotated_points(place: Path) -> AnnotatedPoints:
    """The annotated points of the pictures in or beside a file or a folder."""
    if not place.exists():
        raise UserError(f"{place} does not exist")
    annotated = _of_coco(place) if place.suffix.lower() == ".json" else _of_tables(place)
    if not annotated.points:
        raise UserError(f"{place} names no picture that is there" + _example(annotated.missing))
    if not any(np.isfinite(points).all(1).any() for points in annotated.points.values()):
        raise UserError(f"{place} has no point in any picture that is there")
    return annotated


def _example(missing: Sequence[str]) -> str:
    return f"; the first of {len(missing)} that are missing is {missing[0]}" if missing else ""


def _of_tables(place: Path) -> AnnotatedPoints:
    root = place if place.is_dir() else place.parent
    tables = tables_of(root) if place.is_dir() else [place]
    pictures = list_pictures(root)
    if not tables:
        return _of_point_files(place, pictures)
    points: dict[Path, np.ndarray] = {}
    missing: list[str] = []
    for table in tables:
        in_table = read_table(table)
        matched = match(in_table, pictures, root, table)
        points |= matched
        file_names = {path.name for path in matched}
        missing += [name for name in in_table if name.rpartition("/")[2] not in file_names]
    return AnnotatedPoints(_same_names(tables, points), _in_order(points), tuple(missing))


def _same_names(tables: Sequence[Path], points: dict[Path, np.ndarray]) -> tuple[str, ...]:
    names, *other_names = [point_names(table) for table in tables]
    for table, other in zip(tables[1:], other_names, strict=True):
        if other != names:
            raise UserError(
                f"{table} names other points than {tables[0]}; both must have the same, in the same order"
            )
    if any(len(of_picture) != len(names) for of_picture in points.values()):
        raise UserError(
            f"the lines of {tables[0]} do not all have {len(names)} points, as its first lines say"
        )
    return names


def _of_point_files(folder: Path, pictures: Sequence[Path]) -> AnnotatedPoints:
    points = read_point_files(pictures)
    if not points:
        raise UserError(
            f"{folder} has no annotated points: it takes a table with a column for each x and y (nose_x,nose_y), "
            "a .pts file beside each picture, or key points in COCO's format"
        )
    count = len(next(iter(points.values())))
    if (
        odd_path := next((path for path, values in points.items() if len(values) != count), None)
    ) is not None:
        raise UserError(
            f"{odd_path.with_suffix('.pts')} has {len(points[odd_path])} points, and others have {count}"
        )
    return AnnotatedPoints(tuple(f"point{number + 1}" for number in range(count)), _in_order(points))


def _of_coco(path: Path) -> AnnotatedPoints:
    """Of each picture the annotation with the most key points; 0 0 0 is unknown, as COCO has it."""
    try:
        content = json.loads(path.read_text())
        names_of = {record["id"]: tuple(record.get("keypoints", ())) for record in content["categories"]}
        files = {record["id"]: record["file_name"] for record in content["images"]}
        records = [record for record in content["annotations"] if record.get("keypoints")]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"{path} is not in COCO's format: it lacks images, annotations or categories"
        ) from None
    if not records:
        raise UserError(f"{path} has no key points")
    names = names_of.get(records[0]["category_id"], ())
    points: dict[Path, np.ndarray] = {}
    missing = []
    for record in records:
        name = files.get(record["image_id"], "")
        places = (path.parent / name, path.parent / Path(name).name)
        picture = next((file for file in places if file.is_file()), None)
        if picture is None:
            missing.append(name)
            continue
        of_record = _key_points(record, len(names), f"{path}: {name}")
        if picture not in points or _known(of_record) > _known(points[picture]):
            points[picture] = of_record
    return AnnotatedPoints(names, _in_order(points), tuple(missing))


def _key_points(record: dict[str, Any], count: int, where: str) -> np.ndarray:
    values = np.array(record["keypoints"], np.float64).reshape(-1, 3)
    if len(values) != count:
        raise UserError(f"{where} has {len(values)} key points, and its category has {count}")
    return np.where(values[:, 2:] > 0, values[:, 1::-1], math.nan)


def _known(points: np.ndarray) -> int:
    return int(np.isfinite(points).all(1).sum())


def _in_order(points: dict[Path, np.ndarray]) -> dict[Path, np.ndarray]:
    return {path: points[path] for path in sorted(points)}
