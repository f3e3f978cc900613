"""How benchmarks measure: CPU seconds and memory, in a process
of its own where memory counts, and several variants by turns.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

MOTES = (sys.executable, "-m", "motes.apps.cli.main")  # the command `motes` of this interpreter
Figures = dict[str, float]


def cpu_seconds(work: Callable[[], object]) -> float:
    """Of this process, all threads together: what else the machine does hardly counts."""
    start = time.process_time()
    work()
    return time.process_time() - start


def median_cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    return statistics.median(cpu_seconds(work) for _ in range(repeats))


def peak_memory() -> int:
    """Of this process since it started, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def with_threads(threads: int) -> dict[str, str]:
    """The environment of a process that computes with so many threads."""
    return {**os.environ, "OMP_NUM_THREADS": str(threads)}


def in_own_process(script: str, *arguments: object) -> Figures:
    """What a script prints as JSON in its last line, with one thread."""
    command = [sys.executable, script, *(str(argument) for argument in arguments)]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=with_threads(1), check=True)
    return json.loads(process.stdout.splitlines()[-1])


def by_turns(variants: Mapping[str, Callable[[], Figures]], rounds: int) -> dict[str, Figures]:
    """The medians of each variant's figures.
    All variants are measured once a round, so that a machine that slows down slows all.
    """
    measured = [{name: variant() for name, variant in variants.items()} for _ in range(rounds)]
    return {name: medians([figures[name] for figures in measured]) for name in variants}


def medians(measured: list[Figures]) -> Figures:
    return {name: statistics.median(figures[name] for figures in measured) for name in measured[0]}


def motes(*arguments: object, threads: int | None = None) -> float:
    """Run a command of motes in silence, with as many threads as
    there are unless a number is given; returns its CPU minutes.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = None if threads is None else with_threads(threads)
    command = [*MOTES, *(str(argument) for argument in arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 60


def trained(run: Path, *arguments: object, threads: int) -> float:
    """Train into the folder `run`, unless a finished run is there; CPU minutes, not a number if nothing was done."""
    if (run / "scores.json").exists():
        return float("nan")
    return motes("train", *arguments, "--out", run, threads=threads)


def scores_in(path: Path) -> Figures:
    """The values in a file of scores that `motes train` or `motes evaluate` wrote."""
    scores = json.loads(path.read_text())
    return {name: score["value"] for name, score in scores.get("scores", scores).items()}


def steps_of(run: Path) -> int:
    return json.loads((run / "checkpoints" / "last" / "training.json").read_text())["step"]
