"""KeyNet, Zhang et al. and masked particles on faces, each for
the same CPU seconds: how far are landmarks read off their points?

python benchmarks/quality/landmarks.py --seeds 0 1 2 --counts 30 --cpu-minutes 6 [--methods keynet zhang dlp]
python benchmarks/quality/landmarks.py --celeba FOLDER --counts 10 25 30 50 --cpu-minutes 600

Each run is a process with one thread and has as many steps as its own CPU clock allows, whatever else the
machine does, by a trial of 60. Prints the error in % of the distance of the eyes, models and penalties chosen
on validation pictures: of positions, with log-variances, and with looks. A run that is there already is
scored again, not trained again.
"""

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import Figures, cpu_seconds, with_threads
from benchmarks.report import Table, header, parser

METHODS = {"keynet": "keynet-quick", "zhang": "zhang-quick", "dlp": "dlp-faces"}  # presets
READ_FROM = ("position", "position+variance", "position+variance+look")
PAPER = "\nOn MAFL, 128 px, as published:"
PUBLISHED = (
    ("K", "KeyNet", "Zhang", "DLP", "DLP + variance"),
    ("25", "", "", "2.87", "2.52"),
    ("30", "2.58", "3.16", "2.56", "2.49"),
    ("50", "2.54", "", "2.43", "2.42"),
)
TRIAL = 60  # steps


def main() -> None:
    arguments = landmark_arguments()
    if arguments.measure:
        method, count, seed = arguments.measure
        train_and_score(arguments, method, int(count), int(seed))
        return
    budget = f"{arguments.cpu_minutes:g} CPU minutes a run"
    faces = arguments.celeba or arguments.faces or "generated"
    header(f"faces: {faces}", budget, threads=1, seeds=arguments.seeds)
    table = Table(("method", "K", "seed", "steps", *READ_FROM, "mean face"), arguments.format)
    for count in arguments.counts:
        for seed in arguments.seeds:
            for method in arguments.methods:
                table.row(method, count, seed, *error_cells(arguments, method, count, seed))
    print(PAPER)
    columns, *rows = PUBLISHED
    table = Table(columns, arguments.format)
    for row in rows:
        table.row(*row)


def landmark_arguments() -> argparse.Namespace:
    arguments = parser(__doc__, seeds=[0, 1, 2], cpu_minutes=6.0, out=Path("runs/landmarks"))
    arguments.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    arguments.add_argument("--counts", type=int, nargs="+", default=[30], help="numbers of points")
    faces = "a prepared set of faces; by default drawn anew by each run, which costs it time"
    arguments.add_argument("--faces", type=Path, help=faces)
    arguments.add_argument(
        "--celeba", type=Path, help="where CelebA and MAFL lie, to learn from them instead"
    )
    arguments.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)  # the child's: method, points, seed
    return arguments.parse_args()


def run_folder(arguments: argparse.Namespace, method: str, count: int, seed: int) -> Path:
    return arguments.out / f"{method}-{count}-{seed}"


def error_cells(arguments: argparse.Namespace, method: str, count: int, seed: int) -> list[str]:
    path = run_folder(arguments, method, count, seed) / "landmarks.json"
    if not path.exists():
        command = [sys.executable, __file__, "--measure", method, str(count), str(seed)]
        command += ["--cpu-minutes", str(arguments.cpu_minutes), "--out", str(arguments.out)]
        for option, folder in (("--faces", arguments.faces), ("--celeba", arguments.celeba)):
            command += [option, str(folder)] if folder else []
        subprocess.run(command, check=True, env=with_threads(1))
    figures = json.loads(path.read_text())
    errors = [f"{figures[f'landmarks/{name}']:.2f}" for name in (*READ_FROM, "mean_guess")]
    return [f"{figures['steps']}", *errors]


def train_and_score(arguments: argparse.Namespace, method: str, count: int, seed: int) -> None:
    from motes.training import loop

    folder = run_folder(arguments, method, count, seed)
    recipe = landmark_recipe(arguments, method, count, seed)
    clock = StepClock()
    with tempfile.TemporaryDirectory() as trial:
        loop.train(recipe, Path(trial) / "run", clock)
    steps = max(int(arguments.cpu_minutes * 60 / clock.seconds), 1)
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was stopped
    recipe = replace(recipe, training=replace(recipe.training, steps=steps))
    seconds = cpu_seconds(lambda: loop.train(recipe, folder))
    figures = {"steps": steps, "cpu_seconds": seconds, **landmark_scores(folder)}
    (folder / "landmarks.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(f"{folder.name}: {steps} steps, {seconds:.0f} CPU s", file=sys.stderr)


def landmark_recipe(arguments: argparse.Namespace, method: str, count: int, seed: int) -> Any:
    """Of the trial, whose number of steps is replaced afterwards."""
    from motes.data.source import Source
    from motes.training.presets import PRESETS

    recipe = PRESETS[METHODS[method]].recipe
    if arguments.faces:
        recipe = replace(recipe, data=Source("prepared", {"path": str(arguments.faces)}))
    elif arguments.celeba:
        recipe = replace(recipe, data=Source("celeba", {"root": str(arguments.celeba)}))
    training = replace(recipe.training, seed=seed, steps=TRIAL, evaluate_every=10**9, max_minutes=0.0)
    return replace(recipe, model_config={**recipe.model_config, "num_particles": count}, training=training)


def landmark_scores(run: Path) -> Figures:
    from motes.evaluation import Asked, evaluate
    from motes.models.checkpoint import load
    from motes.training.recipe import read_recipe

    recipe = read_recipe(run)
    question = Asked(
        ("landmarks", "pictures"),
        refuse=False,
        open=lambda split: recipe.data.open(split),
        learn_limit=3000,
    )
    scores = evaluate(load(run), recipe.data.open("test"), 1000, asked=question)
    return {name: score.value for name, score in scores.items()}


class StepClock:
    """A watcher that knows how many CPU seconds a step takes, without the first few."""

    seconds = float("nan")

    def step(self, record: dict[str, Any]) -> None:
        step = record["step"]
        seconds = time.process_time()
        if step == 0:
            return
        if math.isnan(self.seconds):  # the first record after the start
            self._first_step = step
            self._first_seconds = seconds
            self.seconds = math.inf
        else:
            self.seconds = (seconds - self._first_seconds) / (step - self._first_step)

    def evaluated(self, *_: Any) -> None: ...


if __name__ == "__main__":
    main()
