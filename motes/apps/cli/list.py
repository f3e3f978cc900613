"""`motes list`: prints the presets, trained and untrained models, data sets and scores, or every option of one of them.

Imports no torch.
"""

import argparse

from motes.apps.cli.arguments import Parser
from motes.apps.cli.recipe import describe
from motes.data import DATASETS
from motes.evaluation import SCORES
from motes.models import MODELS
from motes.training.presets import PRESETS
from motes.weights.runs import shipped_models

ABOUT = "presets, models that come with motes, models, data sets and scores"


def add_arguments(parser: Parser) -> None:
    parser.add_argument("preset", nargs="?", help="show the options of this preset, model or data set")


def run(arguments: argparse.Namespace) -> None:
    if arguments.preset:
        show_options(arguments.preset)
    else:
        show_choices()


def show_choices() -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None)
    for name, preset in PRESETS.items():
        table.add_row("preset", Text(name, "bold"), preset.about)
    for name, facts in shipped_models().items():
        table.add_row("comes with motes", Text(name, "bold"), facts["about"])
    for kind, registry in (("model", MODELS), ("data", DATASETS), ("score", SCORES)):
        for name in registry:
            table.add_row(kind, Text(name, "bold"), registry.row(name).about)
    Console().print(table)


def show_options(preset: str) -> None:
    """Print every option with a dot of a preset, model or data set, with its value in that preset."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"every option of {preset}, as it stands there", title_justify="left", box=None)
    table.add_column("option", no_wrap=True)
    table.add_column("value")
    table.add_column("what it does")
    for name, kind, value, about in describe(preset):
        table.add_row(Text(name, "bold"), Text(value), Text(about or kind))
    Console().print(table)
