"""The parser of commands, and the arguments and checks that several commands share. Needs no torch."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from motes.errors import UserError
from motes.plain.options import read_options
from motes.weights.runs import run_folder

# as in motes.data.files.picture_files, which loads numpy
FITS = ("fit", "stretch", "crop")
# as in motes.models.devices, which loads torch
DEVICES = ("cpu", "cuda", "mps")


class Parser(argparse.ArgumentParser):
    """A parser that reports an error as one sentence, with exit code 2.

    `dotted`: how options with a dot begin, such as "--model.", that the command reads from
    `arguments.dotted`.

    `described`: names of presets or data sets; `--help` after such a name also shows its options with a dot.
    """

    dotted: tuple[str, ...] = ()
    described: Iterable[str] = ()

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see {self.prog} --help)")


# what names a run, in the help of commands
RUN = "a run or checkpoint folder, a model that comes with motes, or owner/name of the hub"


def add_run(parser: Parser, about: str = RUN, nargs: str | None = None) -> None:
    parser.add_argument("run", type=Path, nargs=nargs, help=about)


def find_runs(arguments: argparse.Namespace) -> None:
    """Put the folders of the runs in place of the names that the arguments have for them."""
    if "run" in arguments and arguments.run is not None:
        arguments.run = run_folder(arguments.run)
    if "runs" in arguments:
        arguments.runs = [run_folder(name) for name in arguments.runs]


def add_pictures_and_out(parser: Parser) -> None:
    """Add the arguments of a command that opens a run, reads pictures and writes a folder."""
    add_run(parser)
    parser.add_argument(
        "pictures",
        type=Path,
        nargs="+",
        help="files of pictures or videos, folders of them, or a .txt file that names files, one in each line",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    add_fit(parser)


def add_model_options(parser: Parser) -> None:
    about = "Options of the model that weights do not depend on, such as --model.updates 3 10 for slots."
    parser.dotted = (*parser.dotted, "--model.")
    parser.epilog = f"{parser.epilog or ''} {about}".strip()


def model_options(run: Path, dotted: Sequence[str]) -> dict[str, Any]:
    """The options of a run's model among those with a dot; they are checked."""
    words = dotted_of("model", dotted)
    if not words:
        return {}
    from motes.models import MODELS
    from motes.models.checkpoint import checkpoint_folder, read_config

    name, _ = read_config(checkpoint_folder(run))
    return read_options(words, {"model": MODELS.source(name)})["model"]


def dotted_of(home: str, dotted: Sequence[str]) -> list[str]:
    """The options of one home, such as "model" or "data", with their values."""
    words: list[str] = []
    belongs = False
    for word in dotted:
        belongs = word.startswith(f"--{home}.") if word.startswith("--") else belongs
        if belongs:
            words.append(word)
    return words


def add_fit(parser: Parser) -> None:
    parser.add_argument("--fit", choices=FITS, default="fit", help="how pictures come to the model's size")


def add_device(parser: Parser) -> None:
    about = "where to compute; if not given, on the GPU cuda if there is one, else on the CPU"
    parser.add_argument("--device", choices=DEVICES, help=about)


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 up, not {text!r}")
    return int(text)


def duration(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not 0 < minutes < float("inf"):
        raise argparse.ArgumentTypeError(f"minutes, more than 0, not {text!r}")
    return minutes


def refuse_missing(*paths: Path) -> None:
    for path in paths:
        if not path.exists():
            raise UserError(f"{path} does not exist")
