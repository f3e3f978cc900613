"""`motes info`: what is in a run or checkpoint; without one, what this machine computes with."""

import argparse
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from motes.apps.cli.arguments import Parser, refuse_missing
from motes.version import VERSION

if TYPE_CHECKING:
    from rich.table import Table

ABOUT = "what is in a run or checkpoint; alone: what this machine computes with"


def add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "run", type=Path, nargs="?", help="a run or checkpoint folder; without it, this machine"
    )


def run(arguments: argparse.Namespace) -> None:
    if arguments.run is not None:
        refuse_missing(arguments.run)
    from rich.console import Console

    table = machine_table() if arguments.run is None else run_table(arguments.run)
    Console().print(table)


def machine_table() -> "Table":
    """A table of what this machine computes with: packages, every GPU or the CPU, and how each renders
    particles."""
    import torch
    from rich.table import Table

    from motes.ops.rendering.composite import rendering_method

    table = Table(title="this machine", show_header=False, title_justify="left")
    table.add_row("motes", VERSION)
    table.add_row("python", platform.python_version())
    table.add_row("torch", torch.__version__)
    for number in range(torch.cuda.device_count()):
        device = torch.device("cuda", number)
        memory = torch.cuda.get_device_properties(device).total_memory / 1e9
        table.add_row("device", f"{device}, {torch.cuda.get_device_name(device)}, {memory:.0f} GB")
        table.add_row("rendering", rendering_method(device))
    if not torch.cuda.is_available():
        table.add_row("device", f"cpu, {platform.machine()}")
        table.add_row("rendering", rendering_method(torch.device("cpu")))
    table.add_row("threads", str(torch.get_num_threads()))
    return table


def run_table(run: Path) -> "Table":
    from rich.table import Table

    from motes.models.checkpoint import checkpoint_folder, load, read_config
    from motes.training.run import Run

    folder = checkpoint_folder(run)
    name, config = read_config(folder)
    model = load(folder)
    table = Table(title=f"{run}: {name}", show_header=False, title_justify="left")
    table.add_row("checkpoint", str(folder.resolve()))
    table.add_row("parameters", f"{sum(parameter.numel() for parameter in model.parameters()):,}")
    for key, value in config.items():
        table.add_row(key, str(value))
    threshold = getattr(model, "evidence_threshold", None)
    if threshold is not None:
        table.add_row("doubt begins at evidence", f"{float(threshold):.3f}")
    for line in Run(run).read_metrics():
        if "validation" in line:
            table.add_row(f"validation at step {line['step']}", f"{line['validation']:.4g}")
    return table
