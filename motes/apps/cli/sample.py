"""`motes sample`: new pictures from a run, as a sheet. Words are checked before torch is imported."""

import argparse
from pathlib import Path

from motes.errors import UserError
from motes.plain.options import nearest

ABOUT = "new pictures: motes sample RUN"
DISTRIBUTIONS = (
    "gaussian",
    "mixture",
    "imle",
)  # that can be fitted, as in motes.explore.sample, which loads torch
SHEETS = {
    "draws": "pictures drawn at random",
    "ways": "from one draw to another, a row each",
    "map": "a grid over the two main directions of the codes",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, help="a run or checkpoint folder")
    parser.add_argument(
        "--out", type=Path, default=Path("sampled"), help="folder to write to: SHEET.png, and codes.npz"
    )
    parser.add_argument(
        "--show",
        default="draws",
        metavar="SHEET",
        help="; ".join(f"{name}: {about}" for name, about in SHEETS.items()),
    )
    parser.add_argument(
        "--prior",
        metavar="DISTRIBUTION",
        help=f"fit a distribution of codes to the run's training pictures first: {', '.join(DISTRIBUTIONS)}",
    )
    parser.add_argument("--count", type=int, default=64, help="pictures, ways, or cells of the map")
    parser.add_argument("--limit", type=int, default=2000, help="training pictures at most to fit to")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")


def run(told: argparse.Namespace) -> None:
    if told.show not in SHEETS:
        raise UserError(nearest(told.show, SHEETS, "sheet"))
    if told.prior is not None and told.prior not in DISTRIBUTIONS:
        raise UserError(nearest(told.prior, DISTRIBUTIONS, "distribution"))
    for name, least in (("count", 1), ("limit", 2), ("seed", 0)):
        if getattr(told, name) < least:
            raise UserError(f"--{name} wants a whole number from {least} up, not {getattr(told, name)}")
    if told.show == "map" and told.prior not in (None, "gaussian"):
        raise UserError(
            f"a map needs a Gaussian distribution, and not {told.prior}; leave it out, or say --prior gaussian"
        )
    from motes.apps.cli.sampling import write_sheet

    write_sheet(told)
