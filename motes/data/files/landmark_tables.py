"""Landmarks written beside pictures: a table with a picture's name in each line, or a .pts file for each
picture. Imports no torch.

A table (.csv, .tsv, .txt) says in its header which columns are x and y: `nose_x,nose_y`, or, as key-point
tools write it, a line of `x,y,x,y` below one of names. Pixels count from 0; in .pts files from 1. Empty
fields are points that nobody knows.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from motes.errors import UserError

ENDINGS = (".csv", ".tsv", ".txt")
HEADER = 5  # lines at most
LOOKED_AT = 50  # files: some tools leave one .txt for each picture
PICTURE = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm")
_AXIS = re.compile(r"^(?:(.*)[_ .:-])?([xy])[_ ]?(\d*)$|^(.*[a-z0-9])([XY])$")
_SIZES = {"w", "h", "width", "height"}  # with one x and y they are a box


def find_table(root: Path) -> Path | None:
    """The first table in the folder, or in one of its folders, that has landmarks in it."""
    near = sorted(
        file
        for file in [*root.glob("*"), *root.glob("*/*")]
        if file.suffix.lower() in ENDINGS and file.is_file()
    )
    return next((file for file in near[:LOOKED_AT] if _has_landmarks(file)), None)


def read_table(path: Path) -> dict[str, np.ndarray]:
    """For each picture's name, as it is written there, its points (row, column) in pixels: P 2."""
    columns: list[int] = []
    width = 0
    found = {}
    for number, cells in enumerate(_lines(path), 1):
        place = _name_place(cells)
        if place is None:
            if not found and (named := _columns(cells)):
                columns = named
                width = len(cells)
            continue
        if not columns:
            raise UserError(
                f"{path} does not say which columns are landmarks; its first line should name them: picture,nose_x,nose_y"
            )
        shift = len(cells) - width  # some headers do not count the column of names
        try:
            values = [float(cells[column + shift].strip() or "nan") for column in columns]
        except (ValueError, IndexError):
            raise UserError(
                f"line {number} of {path} should have {len(columns)} numbers of landmarks, and has not"
            ) from None
        name = "/".join(cell.strip() for cell in cells[: place + 1])
        found[name.replace("\\", "/")] = np.array(values).reshape(-1, 2)[:, ::-1]
    return found


def read_points(path: Path) -> np.ndarray:
    """(row, column) in pixels of a .pts file: P 2."""
    inside = path.read_text(errors="replace").partition("{")[2].partition("}")[0]
    try:
        points = np.array(inside.split(), np.float64).reshape(-1, 2)
    except ValueError:
        raise UserError(
            f"{path} holds no points: it should have a pair of numbers in each line between {{ and }}"
        ) from None
    return points[:, ::-1] - 1


def match(
    table: dict[str, np.ndarray], pictures: Sequence[Path], root: Path, where: Path
) -> dict[Path, np.ndarray]:
    """Points by picture. A line may give the name alone, or more of the place, from here or from
    elsewhere."""
    named: dict[str, list[Path]] = {}
    for picture in pictures:
        named.setdefault(picture.name, []).append(picture)
    found: dict[Path, np.ndarray] = {}
    for name, points in table.items():
        few = named.get(name.rpartition("/")[2], [])
        if len(few) > 1:
            few = [one for one in few if f"/{one.relative_to(root).as_posix()}".endswith(f"/{name}")]
            if len(few) > 1:
                raise UserError(
                    f"{where} says {name}, and there are {len(few)} pictures of that name, such as {few[0]} and {few[1]}"
                )
        if few:
            found[few[0]] = points
    return found


def _has_landmarks(path: Path) -> bool:
    try:
        first = list(islice(_lines(path), HEADER + 1))
    except (OSError, csv.Error):
        return False
    titles = list(_until_picture(first))
    return len(titles) < len(first) and any(_columns(cells) for cells in titles)


def _until_picture(lines: list[list[str]]) -> Iterator[list[str]]:
    for cells in lines:
        if _name_place(cells) is not None:
            return
        yield cells


def _lines(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        start = file.read(4096).partition("\n")[0]
        file.seek(0)
        mark = max(",;\t", key=start.count)
        if mark in start:
            yield from (cells for cells in csv.reader(file, delimiter=mark) if cells)
        else:
            yield from (line.split() for line in file if line.strip())


def _name_place(cells: list[str]) -> int | None:
    """Which field names a picture; the ones before it are its folders."""
    return next(
        (place for place, cell in enumerate(cells[:4]) if cell.strip().lower().endswith(PICTURE)), None
    )


def _columns(cells: list[str]) -> list[int]:
    """Places of x and y by turns; empty where the header does not name as many x as y."""
    axes: dict[str, list[tuple[str, int]]] = {"x": [], "y": []}
    for place, cell in enumerate(cells):
        told = _AXIS.match(cell.strip())
        if told and "box" not in cell.lower():
            axes[(told[2] or told[5]).lower()].append(((told[1] or told[4] or "") + (told[3] or ""), place))
    if len(axes["x"]) != len(axes["y"]) or [name for name, _ in axes["x"]] != [name for name, _ in axes["y"]]:
        return []
    names = [name for name, _ in axes["x"]]
    if names == ["1", "2"] or (
        len(names) == 1 and _SIZES & {cell.strip().lower() for cell in cells}
    ):  # corners, or a corner: a box
        return []
    return [place for (_, x), (_, y) in zip(axes["x"], axes["y"], strict=True) for place in (x, y)]
