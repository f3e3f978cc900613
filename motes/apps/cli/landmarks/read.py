"""`motes landmarks read`: points of pictures and videos, with their uncertainty."""

import argparse
from pathlib import Path

from motes.apps.cli.arguments import Parser, add_device, refuse_missing
from motes.apps.cli.encode import print_skipped
from motes.errors import UserError

ABOUT = "points of pictures or a video, with their uncertainty: motes landmarks read READER PICTURES|VIDEO --out FOLDER"


def add_arguments(parser: Parser) -> None:
    parser.add_argument("reader", type=Path, help="the folder that motes landmarks fit wrote")
    parser.add_argument("sources", type=Path, nargs="+", help="pictures, a video, or folders of either")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to, which must be new")
    parser.add_argument(
        "--run", type=Path, help="the model, if its run has been moved since motes landmarks fit"
    )
    add_device(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write points.csv, deeplabcut.csv and coco.json, and a film of each video or some pictures with their points."""
    refuse_missing(arguments.reader, *arguments.sources)
    if arguments.out.exists():
        raise UserError(f"points go to a new folder, and {arguments.out} exists")
    from motes.apps.landmarks.point_files import write_points
    from motes.apps.landmarks.reading import open_reader
    from motes.plain.writing import whole_folder

    session, reader, fit = open_reader(arguments.reader, arguments.run, arguments.device)
    with whole_folder(arguments.out) as folder:
        count = write_points(session, reader, arguments.sources, fit, folder)
    print_skipped(session)
    print(f"{count} pictures, {len(reader.names)} points each: {arguments.out}")
