"""The latent family: what each system must show, measured over seeds. One file of `systems/` a system.

python benchmarks/latent.py [--systems pca glo ...] [--seeds 0 1 2] [--out runs/latent] [--write]

Each system and seed is a process with one thread; what was measured before is read from --out and not measured again.
Prints a table of measures, one column a seed, with the bar, whether the mean over the seeds meets it, and the CPU minutes of a seed;
with --write it takes the place of the rows of these systems in docs/family/table.md.
"""

import argparse
import datetime
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SYSTEMS = Path(__file__).parent / "systems"
TABLE = Path(__file__).parents[1] / "docs" / "family" / "table.md"


def main() -> None:
    known = sorted(path.stem for path in SYSTEMS.glob("*.py") if path.stem not in ("bar", "runs"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--systems", nargs="+", choices=known, default=known)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("runs/latent"))
    parser.add_argument("--write", action="store_true", help=f"into {TABLE.name}, which has three seeds")
    parser.add_argument(
        "--one", nargs=2, help=argparse.SUPPRESS
    )  # system and seed of the process that measures
    told = parser.parse_args()
    if told.one:
        measure_one(told.out, told.one[0], int(told.one[1]))
        return
    print(f"{datetime.date.today()}, {platform.machine()}, one thread, seeds {told.seeds}\n")
    print(
        "| system | measure | "
        + " | ".join(f"seed {seed}" for seed in told.seeds)
        + " | mean | bar | met | CPU min |"
    )
    print("|" + "---|" * (len(told.seeds) + 6), flush=True)
    for name in told.systems:
        found = rows(name, told.seeds, told.out)
        print("\n".join(found), flush=True)
        if told.write:
            write(name, found)


def write(name: str, found: list[str]) -> None:
    """In place of the system's rows, or below all others."""
    lines = TABLE.read_text().splitlines()
    own = [number for number, line in enumerate(lines) if line.startswith(f"| {name} |")]
    place = own[0] if own else len(lines)
    kept = [line for line in lines if not line.startswith(f"| {name} |")]
    TABLE.write_text("\n".join([*kept[:place], *found, *kept[place:]]) + "\n")


def rows(name: str, seeds: list[int], out: Path) -> list[str]:
    found = [measured(name, seed, out) for seed in seeds]
    minutes, lines = sum(one["cpu_minutes"] for one in found) / len(found), []
    for bar in system(name).BARS:
        values = [one[bar.measure] for one in found]
        mean = sum(values) / len(values)
        cells = [f"{value:.4g}" for value in (*values, mean)]
        verdict = "" if bar.limit is None else ("yes" if bar.met(mean) else "NO")
        lines.append(
            f"| {name} | {bar.about} | {' | '.join(cells)} | {bar.said} | {verdict} | {minutes:.1f} |"
        )
    return lines


def measured(name: str, seed: int, out: Path) -> dict[str, float]:
    kept = out / f"{name}-{seed}.json"
    if not kept.exists():
        command = [sys.executable, __file__, "--one", name, str(seed), "--out", str(out)]
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return json.loads(kept.read_text())


def measure_one(out: Path, name: str, seed: int) -> None:
    import torch

    torch.set_num_threads(1)
    folder = out / f"{name}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    began = time.process_time()
    found = system(name).measure(seed, folder)
    found["cpu_minutes"] = (time.process_time() - began) / 60
    (out / f"{name}-{seed}.json").write_text(json.dumps(found, indent=1) + "\n")


def system(name: str) -> Any:
    sys.path.insert(0, str(SYSTEMS))  # systems import `bar`
    place = importlib.util.spec_from_file_location(f"system_{name}", SYSTEMS / f"{name}.py")
    assert place and place.loader
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
