"""`motes studio`: serves the page on which pictures are edited by hand, or exports that page as a web site.

Arguments are checked before torch is imported.
"""

import argparse
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from motes.apps.cli.arguments import RUN, Parser, refuse_missing
from motes.apps.studio.guard import LOOPBACK
from motes.apps.studio.ports import PORT, addresses, free_port
from motes.errors import UserError
from motes.plain.packages import optional
from motes.weights.runs import run_folder

if TYPE_CHECKING:
    from motes.apps.studio.shelf import Shelf

FIRST = "shapes"  # what is shown where nothing was trained yet
ABOUT = "take hold of pictures by their particles, in the browser: motes studio RUN ..."


def add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "runs",
        type=Path,
        nargs="*",
        metavar="RUN",
        help=f"each {RUN}; alone: the newest run below runs/, or {FIRST}, which comes with motes",
    )
    parser.add_argument(
        "--pictures",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="folders of pictures to offer as well",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; others than this machine's own need the printed token",
    )
    parser.add_argument("--port", type=int, help=f"{PORT} or the next that is free")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    parser.add_argument(
        "--export",
        type=Path,
        metavar="FOLDER",
        help="write a site that needs no server: pictures encoded, dragging in the page",
    )


def run(arguments: argparse.Namespace) -> None:
    runs = arguments.runs or newest_runs()
    _check(runs, arguments)
    port = _port(arguments)
    from motes.apps.studio.shelf import Shelf

    shelf = Shelf(runs, arguments.pictures)
    if arguments.export:
        from motes.apps.studio.site import export

        export(shelf, arguments.export)
    else:
        start(shelf, arguments.host, port, browser=not arguments.no_browser)


def _check(runs: list[Path], arguments: argparse.Namespace) -> None:
    refuse_missing(*arguments.pictures)
    for folder in arguments.pictures:
        if not folder.is_dir():
            raise UserError(f"--pictures wants folders; {folder} is none")
    if not arguments.export:
        for package in ("starlette", "uvicorn", "websockets"):
            optional(package, "studio", f"the studio needs {package}")


def _port(arguments: argparse.Namespace) -> int:
    port = arguments.port if arguments.port is not None else free_port(arguments.host)
    if not 0 < port < 65536:
        raise UserError(f"--port wants a number from 1 to 65535, not {port}")
    return port


def start(shelf: "Shelf", host: str, port: int, browser: bool) -> None:
    """Serve the studio until Ctrl+C; `browser` says whether the page is opened in the browser."""
    import torch

    from motes.apps.studio.guard import token_for
    from motes.apps.studio.server import Studio, serve

    token = token_for(host)
    local, *elsewhere = addresses(host, port, token)

    def announce() -> None:
        network = "".join(f"From other machines: {address}\n" for address in elsewhere)
        print(f"The studio: {local}\n{network}Ctrl+C ends it.", flush=True)
        if browser and host in LOOPBACK:
            webbrowser.open(local)

    # the browser draws on this machine too, and threads that wait for a core wait long
    torch.set_num_threads(max(torch.get_num_threads() // 2, 1))
    studio = Studio(shelf)
    # the model is loaded while the browser starts
    studio.threads.models.submit(shelf.warm)
    serve(studio, host, port, token, announce)


def newest_runs() -> list[Path]:
    recipes = sorted(Path("runs").glob("*/run.json"), key=lambda path: path.stat().st_mtime)
    return [recipes[-1].parent if recipes else run_folder(FIRST)]
