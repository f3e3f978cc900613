"""`motes info`: shows what is in a run or checkpoint; without one, what this machine computes with."""

import argparse
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from motes.apps.cli.arguments import RUN, Parser, add_run
from motes.version import VERSION

if TYPE_CHECKING:
    import torch
    from rich.table import Table

ABOUT = "what is in a run or checkpoint; alone: what this machine computes with"


def add_arguments(parser: Parser) -> None:
    add_run(parser, f"{RUN}; without it, this machine", nargs="?")


def run(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    table = machine_table() if arguments.run is None else run_table(arguments.run)
    Console().print(table)


def machine_table() -> "Table":
    """A table of this machine's packages, its GPUs or its CPU, and how each of these renders particles."""
    import torch
    from rich.table import Table

    from motes.ops.rendering.composite import rendering_method

    table = Table(title="this machine", show_header=False, title_justify="left")
    table.add_row("motes", VERSION)
    table.add_row("python", platform.python_version())
    table.add_row("torch", torch.__version__)
    for name, device in _devices():
        table.add_row("device", name)
        table.add_row("rendering", rendering_method(device))
    table.add_row("threads", str(torch.get_num_threads()))
    return table


def _devices() -> "Iterator[tuple[str, torch.device]]":
    """Yields each GPU, as a text with name and memory and as a device; yields the CPU if there is no GPU."""
    import torch

    for number in range(torch.cuda.device_count()):
        device = torch.device("cuda", number)
        memory = torch.cuda.get_device_properties(device).total_memory / 1e9
        yield f"{device}, {torch.cuda.get_device_name(device)}, {memory:.0f} GB", device
    if not torch.cuda.is_available():
        yield f"cpu, {platform.machine()}", torch.device("cpu")


def run_table(run: Path) -> "Table":
    from rich.table import Table

    from motes.models.base import count_parameters
    from motes.models.checkpoint import checkpoint_folder, load, read_config

    folder = checkpoint_folder(run)
    name, config = read_config(folder)
    model = load(folder)
    table = Table(title=f"{run}: {name}", show_header=False, title_justify="left")
    table.add_row("checkpoint", str(folder.resolve()))
    table.add_row("parameters", f"{count_parameters(model):,}")
    for key, value in config.items():
        table.add_row(key, str(value))
    threshold = getattr(model, "evidence_threshold", None)
    if threshold is not None:
        table.add_row("doubt begins at evidence", f"{float(threshold):.3f}")
    _add_length(table, run)
    _add_validations(table, run)
    return table


def _add_length(table: "Table", run: Path) -> None:
    """Rows that say how long the run is to be, how its length was changed, and whether the clock ended it."""
    from motes.training.length import change_sentence, clock_sentence
    from motes.training.recipe import read_recipe

    if not (run / "run.json").is_file():
        return
    recipe = read_recipe(run)
    table.add_row("steps", f"{recipe.training.steps:,}")
    for change in recipe.changes:
        table.add_row("length changed", change_sentence(change))
    if sentence := clock_sentence(run):
        table.add_row("ended", sentence)


def _add_validations(table: "Table", run: Path) -> None:
    from motes.training.run import Run

    for line in Run(run).read_metrics():
        if "validation" in line:
            table.add_row(f"validation at step {line['step']}", f"{line['validation']:.4g}")
