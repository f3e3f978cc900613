"""The files of points that were read: a table, DeepLabCut's, key points of COCO, and drawings."""

import csv
import json
from collections.abc import Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from jaxtyping import Float

from motes.apps.bulk.counting import counting
from motes.apps.drawing.film import Gallery
from motes.apps.drawing.marks import with_points
from motes.apps.landmarks.reading import in_pixels, likelihoods, read_points_of, size_of
from motes.apps.session.footage import sides_of
from motes.apps.session.picture_reader import count_pictures, expand_names
from motes.apps.session.session import Session
from motes.explore.landmark_reader import LandmarkReader

SCORER = "motes"
HEADER = ("picture", "point", "row", "column", "row_deviation", "column_deviation", "likelihood")
# single pictures that are drawn
DRAWN = 32
# pixels of a drawing's longer side, about
SIDE = 384


def write_points(
    session: Session, reader: LandmarkReader, sources: Sequence[Path], fit: str, folder: Path
) -> int:
    """Read the points of all pictures and frames, and write them and drawings of them; how many pictures there were."""
    gallery = Gallery(folder, "points", session.rates)
    size = size_of(session)
    # the frames of a film follow each other
    sides_of_last = lru_cache(1)(sides_of)
    total = count_pictures(expand_names(sources))
    with PointFiles(folder, reader.names) as files, counting("read", total) as advance:
        for encoded in session.encode_files(sources, fit=fit):
            places, deviations = read_points_of(session, reader, encoded)
            likelihood = likelihoods(reader, deviations)
            for row, path in enumerate(encoded.paths):
                is_frame = path.parent in session.rates
                sides = sides_of_last(path.parent if is_frame else path)
                values = in_pixels(places[row], deviations[row], sides, size, fit)
                files.add(path, sides, *values, likelihood[row].numpy())
                if is_frame or files.count <= DRAWN:
                    gallery.add(path, with_points(encoded.image[row], places[row], SIDE))
            advance(len(encoded.paths))
        gallery.close()
    return files.count


class PointFiles:
    """Writes points.csv, deeplabcut.csv and coco.json into a folder, picture by picture."""

    def __init__(self, folder: Path, names: tuple[str, ...]):
        self.count = 0
        self._folder = folder
        self._names = names
        self._images: list[dict[str, Any]] = []
        self._records: list[dict[str, Any]] = []
        self._open = ExitStack()
        self._table = self._writer("points.csv")
        self._lines = self._writer("deeplabcut.csv")
        self._table.writerow(HEADER)
        columns = [(SCORER, name, axis) for name in names for axis in ("x", "y", "likelihood")]
        for level, title in enumerate(("scorer", "bodyparts", "coords")):
            self._lines.writerow([title, *(column[level] for column in columns)])

    def add(
        self,
        path: Path,
        sides: tuple[int, int],
        places: Float[np.ndarray, "P 2"],
        deviations: Float[np.ndarray, "P 2"],
        likelihood: Float[np.ndarray, " P"],
    ) -> None:
        """Add the points of one picture, in pixels; `sides` are its rows and columns."""
        self.count += 1
        line: list[Any] = [path.as_posix()]
        keypoints: list[float] = []
        for name, point, deviation, sure in zip(
            self._names, places.tolist(), deviations.tolist(), likelihood.tolist(), strict=True
        ):
            row, column = point
            cells = (*point, *deviation, sure)
            self._table.writerow([path.as_posix(), name, *(round(cell, 4) for cell in cells)])
            line += [round(column, 3), round(row, 3), round(sure, 4)]
            keypoints += [round(column, 2), round(row, 2), 2]
        self._lines.writerow(line)
        self._images.append(
            {"id": self.count, "file_name": path.as_posix(), "height": sides[0], "width": sides[1]}
        )
        self._records.append(
            {
                "id": self.count,
                "image_id": self.count,
                "category_id": 1,
                "keypoints": keypoints,
                "num_keypoints": len(self._names),
                "score": round(float(likelihood.mean()), 4),
            }
        )

    def __enter__(self) -> "PointFiles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        category = {"id": 1, "name": "thing", "keypoints": list(self._names), "skeleton": []}
        content = {"images": self._images, "annotations": self._records, "categories": [category]}
        (self._folder / "coco.json").write_text(json.dumps(content))

    def _writer(self, name: str) -> Any:
        return csv.writer(self._open.enter_context((self._folder / name).open("w", newline="")))
