"""What all benchmarks print alike: their arguments, the conditions of a measurement, and tables.

A benchmark is a script, `python benchmarks/<room>/<name>.py`, so each puts the repository's root on the path
before it imports this.
"""

import argparse
import datetime
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ARGUMENTS: dict[str, dict[str, Any]] = {
    "seed": {"type": int},
    "seeds": {"type": int, "nargs": "+", "help": "one run for each"},
    "steps": {"type": int, "help": "training steps"},
    "rounds": {"type": int, "help": "repetitions, of which the median is printed"},
    "cpu_minutes": {"type": float, "help": "of training, for each run"},
    "seconds": {"type": float, "help": "of each measurement"},
    "threads": {"type": int, "help": "of each process"},
    "preset": {"help": "that motes train takes"},
    "out": {"type": Path, "help": "the folder of the runs"},
}


def parser(description: str | None, **defaults: Any) -> argparse.ArgumentParser:
    """`defaults`: a value for each of ARGUMENTS that the benchmark has."""
    formatter = argparse.RawDescriptionHelpFormatter
    arguments = argparse.ArgumentParser(description=description, formatter_class=formatter)
    for name, default in defaults.items():
        arguments.add_argument(f"--{name.replace('_', '-')}", default=default, **ARGUMENTS[name])
    arguments.add_argument("--format", choices=("markdown", "text"), default="markdown", help="of the tables")
    return arguments


def header(*words: str, threads: int, seeds: Iterable[int] = (0,), device: str = "") -> None:
    """Print when, where and with what a measurement was made, and below it what was measured."""
    seeds = [str(seed) for seed in seeds]
    print(
        datetime.date.today(),
        device or processor(),
        f"torch {version('torch')}",
        "1 thread" if threads == 1 else f"{threads} threads",
        f"seed{'s' * (len(seeds) > 1)} {' '.join(seeds)}",
        f"commit {commit()}",
        sep=", ",
    )
    print(", ".join(word for word in words if word) + "\n", flush=True)


def processor() -> str:
    name = platform.processor() or platform.machine()
    return f"{name} with {os.cpu_count()} cores"


def commit() -> str:
    """Of this repository, marked where files differ from it; `unknown` in a copy without its history."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


class Table:
    """Prints rows as they come, in markdown or as aligned text."""

    def __init__(self, columns: Iterable[str], style: str = "markdown"):
        columns = list(columns)
        self.widths = [max(len(column), 8) for column in columns] if style == "text" else []
        self.row(*columns)
        if style == "markdown":
            print("|" + "---|" * len(columns), flush=True)

    def row(self, *cells: object) -> None:
        print(self.line(cells), flush=True)

    def line(self, cells: Iterable[object]) -> str:
        if not self.widths:
            return markdown_row(cells)
        return "  ".join(
            str(cell).ljust(width) for cell, width in zip(cells, self.widths, strict=True)
        ).rstrip()


def markdown_row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"
