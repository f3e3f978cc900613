"""A DeepLabCut table: each thing is a body part with x, y and a likelihood, each frame is a row.

Films have their frames' numbers, as DeepLabCut writes what it predicts. Single pictures have their paths and no
likelihood, as it stores annotations.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

from motes.apps.export.found import Found, FoundFilm
from motes.errors import UserError
from motes.plain.packages import optional

SCORER = "motes"


def write_deeplabcut(films: Sequence[FoundFilm], path: Path, ending: str) -> None:
    film, *other_films = films
    if other_films:
        raise UserError(f"a DeepLabCut table is of one film, and there are {len(films)}; name one of them")
    WRITERS[ending](film, path)


def _write_csv(film: FoundFilm, path: Path) -> None:
    columns = _columns(film)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        for level, name in enumerate(("scorer", "bodyparts", "coords")):
            writer.writerow([name, *(column[level] for column in columns)])
        for frame, cells in enumerate(_cells(film)):
            writer.writerow([_index(film, frame), *cells])


def _write_h5(film: FoundFilm, path: Path) -> None:
    pandas = optional("pandas", "pose", "DeepLabCut's .h5 needs pandas and tables")
    optional("tables", "pose", "DeepLabCut's .h5 needs pandas and tables")
    columns = pandas.MultiIndex.from_tuples(_columns(film), names=["scorer", "bodyparts", "coords"])
    index = [_index(film, frame) for frame in range(len(film.things))]
    rows = [[float("nan") if cell == "" else cell for cell in cells] for cells in _cells(film)]
    frame = pandas.DataFrame(rows, index, columns, dtype="float64")
    frame.to_hdf(path, key="df_with_missing", mode="w")


WRITERS = {".csv": _write_csv, ".h5": _write_h5}


def _coordinates(film: FoundFilm) -> tuple[str, ...]:
    return ("x", "y", "likelihood") if film.followed else ("x", "y")


def _columns(film: FoundFilm) -> list[tuple[str, str, str]]:
    return [
        (SCORER, f"thing{number}", coordinate) for number in film.numbers for coordinate in _coordinates(film)
    ]


def _index(film: FoundFilm, frame: int) -> int | str:
    return frame if film.followed else film.name_of(frame)


def _cells(film: FoundFilm) -> list[list[float | str]]:
    """The numbers of each frame; those of things that were not found are empty."""
    count = len(_coordinates(film))
    rows = []
    for of_frame in film.things:
        values = {thing.number: _values(thing)[:count] for thing in of_frame}
        rows.append([cell for number in film.numbers for cell in values.get(number, ("",) * count)])
    return rows


def _values(thing: Found) -> tuple[float, ...]:
    x, y = thing.place
    return round(x, 3), round(y, 3), round(thing.certainty, 4)
