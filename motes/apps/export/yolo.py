"""A folder that Ultralytics' YOLO trains on: pictures, a text of boxes for each, and data.yaml.

By hand: sleap-io takes each video for a single picture when it writes boxes.
"""

from collections.abc import Sequence
from pathlib import Path

from motes.apps.export.found import Found, FoundFilm

# one picture in so many is for validation
VALIDATION = 5


def write_yolo(films: Sequence[FoundFilm], path: Path, ending: str) -> None:
    for split in ("train", "val"):
        (path / split / "images").mkdir(parents=True)
        (path / split / "labels").mkdir()
    count = 0
    for film in films:
        for picture, size, things in zip(film.frames(), film.sizes, film.things, strict=True):
            folder = path / ("val" if count % VALIDATION == VALIDATION - 1 else "train")
            picture.save(folder / "images" / f"{count:07d}.png")
            lines = [_line(thing, size) for thing in things]
            (folder / "labels" / f"{count:07d}.txt").write_text("".join(lines))
            count += 1
    (path / "data.yaml").write_text("path: .\ntrain: train/images\nval: val/images\nnames:\n  0: thing\n")


def _line(thing: Found, size: tuple[int, int]) -> str:
    """Class, middle, width and height of the part of the box that lies in the picture, as shares of its sides."""
    left, top, width, height = thing.box
    rows, columns = size
    first = (max(left, 0) / columns, max(top, 0) / rows)
    last = (min(left + width, columns) / columns, min(top + height, rows) / rows)
    middle = [(a + b) / 2 for a, b in zip(first, last, strict=True)]
    sides = [b - a for a, b in zip(first, last, strict=True)]
    return " ".join(["0", *(f"{value:.6f}" for value in (*middle, *sides))]) + "\n"
