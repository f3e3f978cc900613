"""`motes track`: follows the things in videos: a table, text in the MOT format, and a film with trails."""

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from motes.apps.cli.arguments import (
    Parser,
    add_device,
    add_fit,
    add_model_options,
    add_run,
    model_options,
    refuse_missing,
)

if TYPE_CHECKING:
    from motes.apps.session.footage import Footage
    from motes.apps.session.session import Session

ABOUT = "videos to tracks: which thing is where in every frame, and a film with trails"
# what the command writes; those of an earlier call are removed
FILES = ("tracks.csv", "tracks.parquet", "tracks.json", "mot.txt", "trails.mp4")


def add_arguments(parser: Parser) -> None:
    add_run(parser)
    parser.add_argument(
        "videos", type=Path, nargs="+", help="video files, folders of them, or folders of numbered pictures"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--parquet", action="store_true", help="tracks.parquet instead of tracks.csv")
    parser.add_argument("--coco", action="store_true", help="also tracks.json, as COCO video")
    parser.add_argument("--no-film", action="store_true", help="no film with trails")
    add_fit(parser)
    add_device(parser)
    add_model_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write tracks.csv (or .parquet), mot.txt and trails.mp4; of several videos, a folder of these for each.

    The files appear when all videos are done, or not at all.
    """
    refuse_missing(*arguments.videos)
    from motes.apps.session.footage import footage_of
    from motes.apps.session.session import Session
    from motes.plain.writing import whole_folder

    films = [film for source in arguments.videos for film in footage_of(source)]
    for film in films:
        if film.problem:
            print(f"motes: {film.path}: {film.problem}; what can be read is followed", file=sys.stderr)
    options = model_options(arguments.run, arguments.dotted)
    session = Session.open(arguments.run, arguments.device, options)
    lines = []
    with whole_folder(arguments.out, [arguments.out / name for name in FILES]) as out:
        for name, film in _named(films).items():
            folder = out / name
            folder.mkdir(exist_ok=True)
            count = _track(session, film, folder, arguments)
            lines.append(f"{film.path}: {len(film)} frames, {count} tracks: {arguments.out / name}")
    print("\n".join(lines))


def _named(films: "list[Footage]") -> "dict[str, Footage]":
    """The films by the names of their folders below that of the command; a single one has that folder."""
    if len(films) == 1:
        return {"": films[0]}
    names: dict[str, Footage] = {}
    for film in films:
        numbered = (f"{film.name}-{count}" for count in range(2, len(films) + 1))
        names[next(name for name in (film.name, *numbered) if name not in names)] = film
    return names


def _track(session: "Session", film: "Footage", out: Path, arguments: argparse.Namespace) -> int:
    """Write the files of one film; the number of its tracks."""
    from motes.apps.bulk.counting import counting
    from motes.apps.drawing.film import Film
    from motes.apps.drawing.trails import SIDE, Trails
    from motes.apps.session.following import Reading
    from motes.apps.session.track_files import TrackFiles

    trails = Trails()
    drawn = None if arguments.no_film else Film(out / "trails.mp4", film.rate, crf=18)
    files = TrackFiles(out, film, arguments.parquet, arguments.coco)
    reading = Reading(arguments.fit, 0 if drawn is None else SIDE)
    count = counting(film.path.name, len(film), unit="frames")
    with files, drawn or nullcontext(), count as advance:
        for followed in session.follow(film, reading):
            files.add(followed)
            if drawn is not None:
                for picture in trails.drawn(followed):
                    drawn.add(picture)
            advance(followed.clip.frames)
    return len(files.tracks)
