"""The latent family: what each system must show, measured over seeds. Each system has a file beside this one.

python benchmarks/systems/latent.py [--systems pca glo ...] [--seeds 0 1 2] [--out runs/latent] [--write]

Each system and seed is a process with one thread; what was measured before is read from --out and not
measured again. Prints a table of measures, one column a seed, with the bar, whether the mean over the seeds
meets it, and the CPU minutes of a seed; with --write it takes the place of the rows of these systems in
docs/family/table.md.
"""

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import cpu_seconds, with_threads
from benchmarks.report import ROOT, Table, header, markdown_row, parser

TABLE = ROOT / "docs" / "family" / "table.md"
SYSTEMS = sorted(
    {path.stem for path in Path(__file__).parent.glob("*.py")} - {"latent", "moved_things", "system"}
)


def main() -> None:
    arguments_parser = parser(__doc__, seeds=[0, 1, 2], out=Path("runs/latent"))
    arguments_parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=SYSTEMS)
    arguments_parser.add_argument(
        "--write", action="store_true", help=f"into {TABLE.name}, which has three seeds"
    )
    arguments_parser.add_argument(
        "--measure", nargs=2, help=argparse.SUPPRESS
    )  # the child's: system and seed
    arguments = arguments_parser.parse_args()
    if arguments.measure:
        system, seed = arguments.measure
        measure_system(arguments.out, system, int(seed))
        return
    header(f"systems {' '.join(arguments.systems)}", threads=1, seeds=arguments.seeds)
    seeds = [f"seed {seed}" for seed in arguments.seeds]
    table = Table(("system", "measure", *seeds, "mean", "bar", "met", "CPU min"), arguments.format)
    for system in arguments.systems:
        rows = system_rows(system, arguments.seeds, arguments.out)
        for row in rows:
            table.row(*row)
        if arguments.write:
            write_rows(system, [markdown_row(row) for row in rows])


def system_rows(system: str, seeds: list[int], out: Path) -> list[list[str]]:
    measured = [figures_of(system, seed, out) for seed in seeds]
    minutes = sum(figures["cpu_minutes"] for figures in measured) / len(measured)
    rows = []
    for bar in module_of(system).BARS:
        values = [figures[bar.measure] for figures in measured]
        mean = sum(values) / len(values)
        cells = [f"{value:.4g}" for value in (*values, mean)]
        rows.append([system, bar.about, *cells, bar.words, bar.verdict(mean), f"{minutes:.1f}"])
    return rows


def figures_of(system: str, seed: int, out: Path) -> dict[str, float]:
    path = out / f"{system}-{seed}.json"
    if not path.exists():
        command = [sys.executable, __file__, "--measure", system, str(seed), "--out", str(out)]
        subprocess.run(command, check=True, env=with_threads(1))
    return json.loads(path.read_text())


def measure_system(out: Path, system: str, seed: int) -> None:
    """In a process of its own."""
    import torch

    torch.set_num_threads(1)
    folder = out / f"{system}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    figures: dict[str, float] = {}
    seconds = cpu_seconds(lambda: figures.update(module_of(system).run(seed, folder)))
    figures["cpu_minutes"] = seconds / 60
    (out / f"{system}-{seed}.json").write_text(json.dumps(figures, indent=1) + "\n")


def module_of(system: str) -> Any:
    return importlib.import_module(f"benchmarks.systems.{system}")


def write_rows(system: str, rows: list[str]) -> None:
    """In place of the system's rows, or below all others."""
    lines = TABLE.read_text().splitlines()
    old = [number for number, line in enumerate(lines) if line.startswith(f"| {system} |")]
    first = old[0] if old else len(lines)
    others = [line for line in lines if not line.startswith(f"| {system} |")]
    TABLE.write_text("\n".join([*others[:first], *rows, *others[first:]]) + "\n")


if __name__ == "__main__":
    main()
