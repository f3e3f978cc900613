"""`motes data prepare`: writes any data set as a folder of arrays that are fast to read.

Arguments are checked before torch is imported.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motes.apps.cli.arguments import Parser
from motes.data import DATASETS
from motes.data.recognise import check_place, find_source
from motes.errors import UserError
from motes.plain.options import nearest, read_options

ABOUT = "any data set to one folder of arrays that is read without decoding"
SPLITS = ("train", "validation", "test")


def add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "source",
        help="a data set's name, a folder of pictures or videos, a video, .npy, .h5 or .parquet file",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the folder to write; the same command again goes on where it was stopped",
    )
    parser.add_argument("--limit", type=int, default=0, metavar="ROWS", help="rows of each split at most")
    parser.add_argument(
        "--splits",
        nargs="+",
        default=SPLITS,
        metavar="SPLIT",
        help="of train, validation and test; by default all",
    )
    parser.epilog = (
        "Any option of the data: --data.image-size 128 128, --data.frames 8 "
        "(motes data prepare NAME --help shows them)."
    )
    parser.dotted = ("--",)
    parser.described = DATASETS


def run(arguments: argparse.Namespace) -> None:
    name, options = _chosen(arguments)
    from rich.console import Console
    from rich.progress import Progress

    from motes.data.prepared.prepare import prepare
    from motes.data.source import Source

    source = Source(name, options)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"preparing {arguments.source}", total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        manifest = prepare(source, arguments.out, arguments.splits, arguments.limit, advance)
    _report(manifest, arguments.out)


def _report(manifest: Mapping[str, Any], out: Path) -> None:
    counts = ", ".join(f"{about['count']} {split}" for split, about in manifest["splits"].items())
    channels, rows, columns = manifest["image_shape"]
    print(f"{counts} pictures of {rows} x {columns} with {channels} channels: {out}")
    print(f"Train on them: motes train --data {out}")


def _chosen(arguments: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The name and the options of the data set that the arguments name."""
    name, place_options = find_source(arguments.source)
    dotted = read_options(arguments.dotted, {"data": DATASETS.source(name)})["data"]
    options = {**place_options, **dotted}
    check_place(name, options, f"motes data prepare {arguments.source}")
    _check(arguments)
    return name, options


def _check(arguments: argparse.Namespace) -> None:
    for split in arguments.splits:
        if split not in SPLITS:
            raise UserError(nearest(split, SPLITS, "split"))
    if arguments.limit < 0:
        raise UserError(f"--limit wants a number of rows, not {arguments.limit}")
