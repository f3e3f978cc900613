"""The files of tracks: a table, text in the format of the MOT challenge, and COCO video if asked. They are
written while a film is read."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from motes.apps.session.following import Followed
from motes.apps.session.footage import Footage
from motes.data.tracks.coco_video import coco_video
from motes.data.tracks.film import AnnotatedFilm, AnnotatedThing
from motes.data.tracks.mot_text import result_line
from motes.plain.packages import optional

COLUMNS = {
    "frame": int,
    "time": float,
    "track": int,
    "row": float,
    "column": float,
    "height": float,
    "width": float,
    "presence": float,
    "certainty": float,
    "seen": bool,
}


def rows_of_tracks(followed: Followed) -> Iterator[dict[str, Any]]:
    """Yields one row for each thing in each frame; what was not seen is where it should be, if anywhere."""
    clip = followed.clip
    particles = clip.particles
    certainty = particles.presence if particles.certainty is None else particles.certainty
    for frame, slot in (clip.track >= 0).nonzero().tolist():
        number = followed.first + frame
        row, column = followed.places[frame, slot].tolist()
        top, left, bottom, right = followed.boxes[frame, slot].tolist()
        yield {
            "frame": number,
            "time": round(float(followed.footage.times[number]), 6),
            "track": int(clip.track[frame, slot]),
            "row": round(row, 3),
            "column": round(column, 3),
            "height": round(bottom - top, 3),
            "width": round(right - left, 3),
            "presence": round(particles.presence[frame, slot].item(), 4),
            "certainty": round(certainty[frame, slot].item(), 4),
            "seen": bool(clip.seen[frame, slot]),
        }


class TrackFiles:
    """Writes tracks.csv (or tracks.parquet) and mot.txt, and tracks.json at the end if COCO video is asked for.

    The text and COCO have the things that were seen, the table also those that were not.
    """

    def __init__(self, out: Path, footage: Footage, parquet: bool = False, coco: bool = False):
        self.tracks: set[int] = set()
        self._out = out
        self._footage = footage
        self._text = (out / "mot.txt").open("w")
        self._table = _ParquetTable(out) if parquet else _CsvTable(out)
        self._things: dict[int, list[AnnotatedThing]] | None = {} if coco else None

    def add(self, followed: Followed) -> None:
        self._table.add(list(rows_of_tracks(followed)))
        clip = followed.clip
        certainty = clip.particles.presence if clip.particles.certainty is None else clip.particles.certainty
        for frame, slot in clip.seen.nonzero().tolist():
            track = int(clip.track[frame, slot])
            number = followed.first + frame
            top, left, bottom, right = followed.boxes[frame, slot].tolist()
            box = (left, top, right - left, bottom - top)
            self.tracks.add(track)
            self._text.write(result_line(number, track + 1, box, certainty[frame, slot].item()))
            if self._things is not None:
                self._things.setdefault(number, []).append(AnnotatedThing(track + 1, box))

    def __enter__(self) -> "TrackFiles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._text.close()
        self._table.close()
        if kind is None and self._things is not None:
            self._write_coco(self._things)

    def _write_coco(self, things: dict[int, list[AnnotatedThing]]) -> None:
        footage = self._footage
        video = None if footage.pictures else footage.path
        film = AnnotatedFilm(footage.path.name, footage.pictures, video, things, footage.rate, ("thing",))
        (self._out / "tracks.json").write_text(json.dumps(coco_video([film], footage.path)))


class _CsvTable:
    def __init__(self, out: Path):
        self._file = (out / "tracks.csv").open("w", newline="")
        self._writer = csv.DictWriter(self._file, COLUMNS)
        self._writer.writeheader()

    def add(self, rows: list[dict[str, Any]]) -> None:
        self._writer.writerows(rows)

    def close(self) -> None:
        self._file.close()


class _ParquetTable:
    def __init__(self, out: Path):
        self._arrow = optional("pyarrow", "parquet", "parquet needs pyarrow")
        parquet = optional("pyarrow.parquet", "parquet", "parquet needs pyarrow")
        kinds = {int: self._arrow.int64(), float: self._arrow.float64(), bool: self._arrow.bool_()}
        self._schema = self._arrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
        self._writer = parquet.ParquetWriter(out / "tracks.parquet", self._schema)

    def add(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._writer.write_table(self._arrow.Table.from_pylist(rows, self._schema))

    def close(self) -> None:
        self._writer.close()
