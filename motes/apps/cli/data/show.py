"""`motes data show`: draws a sheet of any data set's pictures, with the ground truth drawn over them.

Over users' own pictures it draws what a survey sees in them, and it prints the sizes that training would
choose.

Arguments are checked before torch is imported.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from motes.apps.cli.arguments import Parser
from motes.apps.cli.recipe import choose_data, may_enlarge
from motes.apps.drawing.save import refuse_other_kinds
from motes.data import DATASETS, GENERATED
from motes.data.recognise import warn_of_namesake
from motes.data.source import Source
from motes.errors import UserError
from motes.plain.options import read_options
from motes.training.recipe import Recipe

ABOUT = "a sheet of pictures or clips with the truth, or what a survey sees, drawn over them"
SPLITS = ("train", "validation", "test")


def add_arguments(parser: Parser) -> None:
    parser.add_argument("name", help="a data set (motes list), or a folder or file of pictures or videos")
    parser.add_argument("--out", type=Path, help="picture file to write; by default NAME.png")
    parser.add_argument("--count", type=int, help="pictures, 24 if not told, or clips, 6")
    parser.add_argument("--split", choices=SPLITS, default="train", help="which part of the data")
    parser.epilog = (
        "Any option of the data: --data.image-size 96 128, --data.recipe occlusion "
        "(motes data show NAME --help shows them)."
    )
    parser.dotted = ("--",)
    parser.described = DATASETS


def run(arguments: argparse.Namespace) -> None:
    recipe, out = chosen(arguments)
    if recipe.data.name in GENERATED:
        from motes.apps.drawing.contact_sheet import show

        show(recipe, out, arguments.count, arguments.split)
        return
    from motes.apps.drawing.survey_sheet import show_survey

    show_survey(recipe, out, arguments.count, arguments.split, may_enlarge(recipe, arguments))


def chosen(arguments: argparse.Namespace) -> tuple[Recipe, Path]:
    """The recipe of the data that the arguments name, and the file to write."""
    recipe, stem = _named(arguments.name)
    options = read_options(arguments.dotted, {"data": DATASETS.source(recipe.data.name)})["data"]
    out = arguments.out or Path(f"{stem}.png")
    refuse_other_kinds(out)
    if arguments.count is not None and arguments.count < 1:
        raise UserError(f"--count wants a whole number from 1 up, not {arguments.count}")
    return replace(recipe, data=recipe.data.changed(options)), out


def _named(name: str) -> tuple[Recipe, str]:
    """The recipe for the data `name`, and the name of the picture to write, without its file ending.

    `name` is the name of a data set, or else the path of a folder or file.
    """
    if name in DATASETS:
        warn_of_namesake(name)
        return Recipe("", Source(name)), name
    recipe = choose_data(Recipe("", Source("")), name)
    return recipe, Path(name).resolve().name
