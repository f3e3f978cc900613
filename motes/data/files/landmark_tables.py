"""Read landmarks that lie beside pictures: a table that names pictures, or a .pts file for each.

It imports no torch.

The header of a table (.csv, .tsv, .txt) says which columns are x and y: `nose_x,nose_y`, or, as key-point
tools write it, a line of `x,y,x,y` below one of names. Pixels count from 0; in .pts files from 1. Empty
fields are unknown points.

DeepLabCut has a folder and a table for each video (labeled-data/VIDEO/CollectedData_NAME.csv), and the same tables
as .h5.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from motes.errors import UserError
from motes.plain.packages import optional

ENDINGS = (".csv", ".tsv", ".txt")
# lines at most
HEADER = 5
# files: some tools leave one .txt for each picture
LOOKED_AT = 50
PICTURE = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm")
# name, axis and number of a column, as in nose_x, x_1 or x1; or name and axis, as in noseX
_AXIS = re.compile(r"^(?:(.*)[_ .:-])?([xy])[_ ]?(\d*)$|^(.*[a-z0-9])([XY])$")
# with one x and y they are a box
_SIZES = {"w", "h", "width", "height"}


def tables_of(root: Path) -> list[Path]:
    """The tables with landmarks in a folder: those of a DeepLabCut project, or the first one."""
    table = find_table(root)
    return project_tables(root) or ([] if table is None else [table])


def project_tables(root: Path) -> list[Path]:
    """The tables of all videos of a DeepLabCut project; none in another folder."""
    return sorted(root.glob("labeled-data/*/CollectedData*.csv"))


def find_table(root: Path) -> Path | None:
    """The first table with landmarks in the folder `root` or in a folder directly in it; None if there is
    none."""
    files = [*root.glob("*"), *root.glob("*/*")]
    tables = sorted(file for file in files if file.suffix.lower() in ENDINGS and file.is_file())
    return next((file for file in tables[:LOOKED_AT] if _has_landmarks(file)), None)


def read_table(path: Path) -> dict[str, np.ndarray]:
    """The points of each picture that the table names: (row, column) in pixels, P 2, by the picture's
    name."""
    if path.suffix.lower() == ".h5":
        return _read_h5(path)
    columns: list[int] = []
    width = 0
    points: dict[str, np.ndarray] = {}
    for number, cells in enumerate(_lines(path), 1):
        name_column = _column_of_name(cells)
        if name_column is None:
            if not points and (in_header := _columns(cells)):
                columns = in_header
                width = len(cells)
            continue
        if not columns:
            raise UserError(
                f"{path} does not say which columns are landmarks; "
                "its first line should name them: picture,nose_x,nose_y"
            )
        # some headers do not count the column of names
        shift = len(cells) - width
        values = _numbers(cells, [column + shift for column in columns], f"line {number} of {path}")
        name = "/".join(cell.strip() for cell in cells[: name_column + 1])
        points[name.replace("\\", "/")] = np.array(values).reshape(-1, 2)[:, ::-1]
    return points


def point_names(path: Path) -> tuple[str, ...]:
    """The names of the points in a table, in order: of its columns, or of those in the line above them."""
    if path.suffix.lower() == ".h5":
        pandas = optional("pandas", "pose", "tables of DeepLabCut in .h5 need pandas and tables")
        levels = pandas.read_hdf(path).columns
        return tuple(dict.fromkeys(levels.get_level_values("bodyparts")))
    above: list[str] = []
    for cells in islice(_lines(path), HEADER):
        if columns := _columns(cells):
            pairs = [(cells[column].strip(), (above or cells)[column].strip()) for column in columns[::2]]
            return tuple(_name_of_point(name, of_line_above) for name, of_line_above in pairs)
        above = cells
    raise UserError(f"{path} does not say which columns are landmarks")


def _name_of_point(column: str, above: str) -> str:
    """The name in the title of a column of x, such as nose_x, or above it where it is x alone."""
    parts = _AXIS.match(column)
    assert parts is not None
    return (parts[1] or parts[4] or "") + (parts[3] or "") or above


def _read_h5(path: Path) -> dict[str, np.ndarray]:
    """The same of a table that pandas wrote, as DeepLabCut does."""
    pandas = optional("pandas", "pose", "tables of DeepLabCut in .h5 need pandas and tables")
    optional("tables", "pose", "tables of DeepLabCut in .h5 need pandas and tables")
    try:
        table = pandas.read_hdf(path)
        points = table.loc[:, table.columns.get_level_values("coords") != "likelihood"]
        values = points.to_numpy(float).reshape(len(points), -1, 2)[:, :, ::-1]
    except (OSError, RuntimeError, ValueError, KeyError, AttributeError) as problem:
        raise UserError(f"{path} is no table of DeepLabCut ({type(problem).__name__})") from None
    names = ["/".join(name) if isinstance(name, tuple) else str(name) for name in points.index]
    return dict(zip(names, values, strict=True))


def _numbers(cells: list[str], columns: list[int], where: str) -> list[float]:
    try:
        return [float(cells[column].strip() or "nan") for column in columns]
    except (ValueError, IndexError):
        raise UserError(f"{where} should have {len(columns)} numbers of landmarks, and has not") from None


def read_points(path: Path) -> np.ndarray:
    """The points in a .pts file: (row, column) in pixels, P 2."""
    inside = path.read_text(errors="replace").partition("{")[2].partition("}")[0]
    try:
        points = np.array(inside.split(), np.float64).reshape(-1, 2)
    except ValueError:
        raise UserError(
            f"{path} holds no points: it should have a pair of numbers in each line between {{ and }}"
        ) from None
    return points[:, ::-1] - 1


def read_point_files(pictures: Sequence[Path]) -> dict[Path, np.ndarray]:
    """The points of each picture that has a .pts file of its name beside it."""
    marked = {picture: picture.with_suffix(".pts") for picture in pictures}
    return {picture: read_points(file) for picture, file in marked.items() if file.is_file()}


def match(
    table: dict[str, np.ndarray], pictures: Sequence[Path], root: Path, where: Path
) -> dict[Path, np.ndarray]:
    """The points of each picture that the table has.

    A line of the table may give a picture's name alone, or more of its path, from `root` or from elsewhere.
    """
    pictures_named: dict[str, list[Path]] = {}
    for picture in pictures:
        pictures_named.setdefault(picture.name, []).append(picture)
    points_of: dict[Path, np.ndarray] = {}
    for name, points in table.items():
        candidates = pictures_named.get(name.rpartition("/")[2], [])
        if len(candidates) > 1:
            candidates = [file for file in candidates if _ends_with(file, root, name)]
        if len(candidates) > 1:
            raise UserError(
                f"{where} says {name}, and there are {len(candidates)} pictures of that name, "
                f"such as {candidates[0]} and {candidates[1]}"
            )
        if candidates:
            points_of[candidates[0]] = points
    return points_of


def _ends_with(file: Path, root: Path, name: str) -> bool:
    """Whether the file's path from `root` ends with a name from a table."""
    return f"/{file.relative_to(root).as_posix()}".endswith(f"/{name}")


def _has_landmarks(path: Path) -> bool:
    try:
        lines = list(islice(_lines(path), HEADER + 1))
    except (OSError, csv.Error):
        return False
    titles = list(_until_picture(lines))
    return len(titles) < len(lines) and any(_columns(cells) for cells in titles)


def _until_picture(lines: list[list[str]]) -> Iterator[list[str]]:
    for cells in lines:
        if _column_of_name(cells) is not None:
            return
        yield cells


def _lines(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        delimiter = _delimiter(file.read(4096).partition("\n")[0])
        file.seek(0)
        if delimiter is None:
            yield from (line.split() for line in file if line.strip())
        else:
            yield from (cells for cells in csv.reader(file, delimiter=delimiter) if cells)


def _delimiter(line: str) -> str | None:
    """The mark between the fields of a line; None if the fields are words with blanks between them."""
    mark = max(",;\t", key=line.count)
    return mark if mark in line else None


def _column_of_name(cells: list[str]) -> int | None:
    """The index of the field that names a picture; the fields before it are its folders. None if there is
    none."""
    fields = enumerate(cells[:4])
    return next((column for column, cell in fields if cell.strip().lower().endswith(PICTURE)), None)


def _columns(cells: list[str]) -> list[int]:
    """The columns of x and y by turns; empty if the header does not name as many x as y."""
    names: dict[str, list[str]] = {"x": [], "y": []}
    columns: dict[str, list[int]] = {"x": [], "y": []}
    for column, cell in enumerate(cells):
        parts = _AXIS.match(cell.strip())
        if parts and "box" not in cell.lower():
            axis = (parts[2] or parts[5]).lower()
            names[axis].append((parts[1] or parts[4] or "") + (parts[3] or ""))
            columns[axis].append(column)
    if names["x"] != names["y"] or _is_box(names["x"], cells):
        return []
    return [column for pair in zip(columns["x"], columns["y"], strict=True) for column in pair]


def _is_box(names: list[str], cells: list[str]) -> bool:
    """Whether the columns describe a box and not landmarks: two corners, or a corner beside a size."""
    return names == ["1", "2"] or (
        len(names) == 1 and bool(_SIZES & {cell.strip().lower() for cell in cells})
    )
