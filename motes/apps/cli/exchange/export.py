"""`motes export`: what a model finds for DeepLabCut, COCO, SLEAP, NWB, YOLO, MOT, LeRobot; the model itself as ONNX."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from motes.apps.cli.arguments import Parser, add_fit, add_run, refuse_missing
from motes.apps.export import FORMATS
from motes.errors import UserError

if TYPE_CHECKING:
    from motes.apps.export.found import FoundFilm

ABOUT = "particles and tracks to the files of other tools; the model itself to ONNX"
# options that write the model itself, and the ending of what they write
GRAPHS = {"onnx": ".onnx", "torch": ".pt2"}


def add_arguments(parser: Parser) -> None:
    add_run(parser)
    sources = parser.add_argument(
        "sources",
        type=Path,
        nargs="+",
        help="videos, which are followed as by motes track; pictures, or folders of either; a LeRobot data set",
    )
    # not with --onnx
    sources.required = False
    parser.add_argument(
        "--to",
        choices=tuple(FORMATS),
        metavar="FORMAT",
        help="; ".join(f"{name}: {FORMATS.row(name).about}" for name in FORMATS),
    )
    parser.add_argument("--out", type=Path, help="the file to write, or a new folder")
    for kind in GRAPHS:
        about = f"a new folder for encode{GRAPHS[kind]} and decode{GRAPHS[kind]}, the model itself, without sources"
        parser.add_argument(f"--{kind}", type=Path, metavar="FOLDER", help=about)
    add_fit(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write things that were found, or the model itself as graphs; what is written appears whole or not at all."""
    folders = [(ending, folder) for kind, ending in GRAPHS.items() if (folder := getattr(arguments, kind))]
    if folders and (arguments.sources or arguments.to or arguments.out):
        raise UserError("--onnx and --torch export the model itself: leave out sources, --to and --out")
    if not folders and not (arguments.sources and arguments.to and arguments.out):
        raise UserError("name sources, --to FORMAT and --out PATH; or --onnx FOLDER for the model itself")
    for ending, folder in folders:
        _write_graphs(arguments.run, ending, folder)
    if not folders:
        _write_found(arguments)


def _write_graphs(run: Path, ending: str, folder: Path) -> None:
    _refuse_used(folder, "the model")
    from rich.console import Console

    from motes.apps.export.graphs import WRITERS, graphs_of
    from motes.models.checkpoint import load
    from motes.plain.writing import whole_folder

    graphs = graphs_of(load(run))
    waiting = Console(stderr=True).status("tracing encode and decode: minutes, if there are many particles")
    with whole_folder(folder) as out, waiting:
        for name, graph in graphs.items():
            WRITERS[ending](graph, out / f"{name}{ending}")
    for name, graph in graphs.items():
        print(f"{folder / name}{ending}: {', '.join(graph.inputs)} -> {', '.join(graph.outputs)}")


def _write_found(arguments: argparse.Namespace) -> None:
    """Write the things that the model believes in, in pixels of the frames."""
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
    if not endings:
        _refuse_used(out, f"--to {name}")
    return out.suffix.lower() if endings else ""


def _refuse_used(folder: Path, what: str) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{what} goes to a new folder, and {folder} exists")


def _summary(films: "list[FoundFilm]") -> str:
    frames = sum(len(film.things) for film in films)
    count = sum(len(of_frame) for film in films for of_frame in film.things)
    tracks = sum(len(film.numbers) for film in films if film.followed)
    return f"{frames} frames, {count} things" + (f" of {tracks} tracks" if tracks else "")
