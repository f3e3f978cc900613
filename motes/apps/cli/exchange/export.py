"""`motes export`: writes what a model finds for other tools: DeepLabCut, COCO, SLEAP, NWB, YOLO, MOT, LeRobot."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from motes.apps.cli.arguments import Parser, add_fit, add_run, refuse_missing
from motes.apps.export import FORMATS
from motes.errors import UserError

if TYPE_CHECKING:
    from motes.apps.export.found import FoundFilm

ABOUT = "particles and tracks to the files of other tools"


def add_arguments(parser: Parser) -> None:
    add_run(parser)
    parser.add_argument(
        "sources",
        type=Path,
        nargs="+",
        help="videos, which are followed as by motes track; pictures, or folders of either; a LeRobot data set",
    )
    parser.add_argument(
        "--to",
        required=True,
        choices=tuple(FORMATS),
        metavar="FORMAT",
        help="; ".join(f"{name}: {FORMATS.row(name).about}" for name in FORMATS),
    )
    parser.add_argument("--out", type=Path, required=True, help="the file to write, or a new folder")
    add_fit(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the things that the model believes in, in pixels of the frames; the file appears whole or not at all."""
    ending = _ending(arguments.to, arguments.out)
    refuse_missing(*arguments.sources)
    from motes.apps.export.found import find
    from motes.apps.session.session import Session
    from motes.plain.writing import whole_file, whole_folder

    write = FORMATS[arguments.to]
    films = find(Session.open(arguments.run), arguments.sources, arguments.fit)
    with (whole_file if ending else whole_folder)(arguments.out) as out:
        write(films, out, ending)
    print(f"{_summary(films)}: {arguments.out}")


def _ending(name: str, out: Path) -> str:
    """The ending of the file to write, which the format must know; empty for a folder, which must be new."""
    endings = FORMATS.row(name).endings
    if endings and out.suffix.lower() not in endings:
        raise UserError(f"--to {name} writes a file that ends in {' or '.join(endings)}, not {out}")
    if not endings and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"--to {name} writes a new folder, and {out} exists")
    return out.suffix.lower() if endings else ""


def _summary(films: "list[FoundFilm]") -> str:
    frames = sum(len(film.things) for film in films)
    things = sum(len(of_frame) for film in films for of_frame in film.things)
    tracks = sum(len(film.numbers) for film in films if film.followed)
    return f"{frames} frames, {things} things" + (f" of {tracks} tracks" if tracks else "")
