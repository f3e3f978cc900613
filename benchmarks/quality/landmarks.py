"""KeyNet, Zhang et al. and masked particles on faces, each for the same CPU seconds: how far are landmarks read off their points?

python benchmarks/landmarks.py --seeds 0 1 2 --counts 30 --cpu-minutes 6 [--out runs/landmarks] [--methods keynet zhang dlp]
python benchmarks/landmarks.py --celeba FOLDER --counts 10 25 30 50 --cpu-minutes 600

Each run is a process with one thread and has as many steps as its own CPU clock allows, whatever else the machine does,
by a trial of 60. Prints the error in % of the distance of the eyes, models and penalties chosen on validation
pictures: of positions, with log-variances, and with looks. A run that is there already is scored again, not trained again.
"""

import argparse
import datetime
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

METHODS = {"keynet": "keynet-quick", "zhang": "zhang-quick", "dlp": "dlp-faces"}  # presets
READ = ("position", "position+variance", "position+variance+look")
PAPER = """
On MAFL, 128 px, as published:
| K | KeyNet | Zhang | DLP | DLP + variance |
|---|---|---|---|---|
| 25 | | | 2.87 | 2.52 |
| 30 | 2.58 | 3.16 | 2.56 | 2.49 |
| 50 | 2.54 | | 2.43 | 2.42 |"""
TRIAL = 60  # steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--counts", type=int, nargs="+", default=[30], help="numbers of points")
    parser.add_argument("--cpu-minutes", type=float, default=6.0, help="of training, for each run")
    parser.add_argument("--faces", type=Path, help="a prepared set of faces; by default drawn anew by each run, which costs it time")
    parser.add_argument("--celeba", type=Path, help="where CelebA and MAFL lie, to learn from them instead")
    parser.add_argument("--out", type=Path, default=Path("runs/landmarks"))
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)  # method, points and seed of the process that trains
    told = parser.parse_args()
    if told.one:
        train_and_score(told, told.one[0], int(told.one[1]), int(told.one[2]))
        return
    print(f"faces 64 px, {told.cpu_minutes:g} CPU minutes a run on one thread, {datetime.date.today()}, {platform.machine()}\n")
    print("| method | K | seed | steps | " + " | ".join(READ) + " | mean face |\n|" + "---|" * 8, flush=True)
    for count in told.counts:
        for seed in told.seeds:
            for method in told.methods:
                print(row(told, method, count, seed), flush=True)
    print(PAPER)


def row(told: argparse.Namespace, method: str, count: int, seed: int) -> str:
    folder = told.out / f"{method}-{count}-{seed}"
    if not (folder / "landmarks.json").exists():
        command = [sys.executable, __file__, "--one", method, str(count), str(seed), "--cpu-minutes", str(told.cpu_minutes)]
        command += ["--out", str(told.out)]
        for name, place in (("--faces", told.faces), ("--celeba", told.celeba)):
            command += [name, str(place)] if place else []
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    found = json.loads((folder / "landmarks.json").read_text())
    cells = [f"{found[f'landmarks/{name}']:.2f}" for name in (*READ, "mean_guess")]
    return f"| {method} | {count} | {seed} | {found['steps']} | {' | '.join(cells)} |"


def train_and_score(told: argparse.Namespace, method: str, count: int, seed: int) -> None:
    from motes.evaluation import Asked, evaluate
    from motes.models.checkpoint import load
    from motes.training import loop
    from motes.training.presets import PRESETS
    from motes.training.recipe import read_recipe

    folder, recipe = told.out / f"{method}-{count}-{seed}", PRESETS[METHODS[method]].recipe
    if told.faces or told.celeba:
        data = ("prepared", {"path": str(told.faces)}) if told.faces else ("celeba", {"root": str(told.celeba)})
        recipe = replace(recipe, data=data[0], data_config=data[1])
    training = replace(recipe.training, seed=seed, steps=TRIAL, evaluate_every=10**9, max_minutes=0.0)
    recipe = replace(recipe, model_config={**recipe.model_config, "num_particles": count}, training=training)
    with tempfile.TemporaryDirectory() as trial:
        loop.train(recipe, Path(trial) / "run", clock := Clock())
    steps = max(int(told.cpu_minutes * 60 / clock.seconds), 1)
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was stopped
    began = time.process_time()
    loop.train(replace(recipe, training=replace(training, steps=steps)), folder)
    trained = time.process_time() - began
    model = load(folder)
    asked = Asked(("landmarks", "pictures"), refuse=False, open=lambda split: loop.open_data(read_recipe(folder), split), learn_limit=3000)
    scores = evaluate(model, loop.open_data(read_recipe(folder), "test"), 1000, asked=asked)
    facts = {"steps": steps, "cpu_seconds": trained, **{name: one.value for name, one in scores.items()}}
    (folder / "landmarks.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(f"{folder.name}: {steps} steps, {trained:.0f} CPU s", file=sys.stderr)


class Clock:
    """A watcher that knows how many CPU seconds a step takes, its first few apart."""

    seconds = float("nan")

    def step(self, record: dict[str, Any]) -> None:
        now = (record["step"], time.process_time())
        if now[0] == 0:
            return
        if self.seconds != self.seconds:  # the first record after the start
            self._first, self.seconds = now, math.inf
        else:
            self.seconds = (now[1] - self._first[1]) / (now[0] - self._first[0])

    def evaluated(self, *_: Any) -> None: ...


if __name__ == "__main__":
    main()
