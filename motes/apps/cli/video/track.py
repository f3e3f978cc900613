"""`motes track`: follows the things in videos: a table, text in the MOT format, and a film with trails."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from motes.apps.cli.arguments import (
    Parser,
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
# seconds between lines where no terminal is watching
PLAIN_EVERY = 10.0
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
    add_model_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write tracks.csv (or .parquet), mot.txt and trails.mp4; of several videos, a folder of these for each.

    The files appear when all videos are done, or not at all.
    """
    refuse_missing(arguments.run, *arguments.videos)
    from motes.apps.session.footage import footage_of
    from motes.apps.session.session import Session
    from motes.plain.writing import whole_folder

    films = [film for source in arguments.videos for film in footage_of(source)]
    for film in films:
        if film.problem:
            print(f"motes: {film.path}: {film.problem}; what can be read is followed", file=sys.stderr)
    session = Session.open(arguments.run, options=model_options(arguments.run, arguments.dotted))
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
    from motes.apps.drawing.film import Film
    from motes.apps.drawing.trails import SIDE, Trails
    from motes.apps.session.following import Reading
    from motes.apps.session.track_files import TrackFiles

    trails = Trails()
    drawn = None if arguments.no_film else Film(out / "trails.mp4", film.rate, crf=18)
    files = TrackFiles(out, film, arguments.parquet, arguments.coco)
    reading = Reading(arguments.fit, 0 if drawn is None else SIDE)
    with files, drawn or nullcontext(), _progress(film) as advance:
        for followed in session.follow(film, reading):
            files.add(followed)
            if drawn is not None:
                for picture in trails.drawn(followed):
                    drawn.add(picture)
            advance(followed.first + followed.clip.frames)
    return len(files.tracks)


@contextmanager
def _progress(film: "Footage") -> Iterator[Callable[[int], None]]:
    """A bar that shows how many frames are done; plain lines where the output is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(film.path.name), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    last = time.monotonic()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(film))

        def advance(done: int) -> None:
            nonlocal last
            bar.update(task, completed=done)
            if not console.is_terminal and time.monotonic() - last > PLAIN_EVERY:
                last = time.monotonic()
                print(f"{film.path.name}: {done} of {len(film)} frames", file=sys.stderr, flush=True)

        yield advance
