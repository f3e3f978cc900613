"""KeyNet, Zhang et al. and masked particles for the same CPU minutes: how far are landmarks read off their points?

python benchmarks/quality/landmarks.py --world wild --seeds 0 1 2 --counts 30 --cpu-minutes 10
python benchmarks/quality/landmarks.py --world wild --cpu-minutes 60 --curve 1 2 5 10 20 40
python benchmarks/quality/landmarks.py --celeba FOLDER --side 128 --counts 25 30 50 --cpu-minutes 600

With --celeba, faces of CelebA are learnt from, and the linear maps from MAFL's training faces. Worlds are aligned faces, wild faces, and an animal. Each run is a process of one thread; its clock counts CPU seconds of
training, whatever else the machine does. Prints the error in % of the distance of the eyes (of an animal: of the larger
side of its points), models and penalties chosen on validation pictures: of positions, with log-variances, and with looks;
and the same after the minutes of `--curve`. Two rivals know nothing of points: the mean pose, and 120 principal components
of 24 x 24 grey pixels. `untrained` is the particles' network before its first step. A run that is there already is scored
again, not trained again.
"""

import argparse
import json
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch

from benchmarks.clocks import Figures, with_threads
from benchmarks.quality.annotated import annotated_batches
from benchmarks.report import Table, header, parser
from motes.data.base import Split
from motes.data.source import Source
from motes.evaluation import Asked, evaluate
from motes.evaluation.landmark_rivals import Pixels
from motes.evaluation.landmarks import landmark_errors, predicted_points
from motes.evaluation.question import Evidence, Measured
from motes.models.base import Model
from motes.models.checkpoint import load
from motes.training import loop
from motes.training.newborn import newborn
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe, read_recipe
from motes.training.run import Run

# a preset, and options of its model
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "untrained": ("dlp-faces", {}),
    "keynet": ("keynet-quick", {}),
    "zhang": ("zhang-quick", {}),
    "published": ("dlp-faces", {"architecture": "published"}),
    "dlp": ("dlp-faces", {}),
}
WORLDS = {
    "aligned": ("faces", {}),
    "wild": ("faces", {"wild": True}),
    "animal": ("animal", {}),
}
READ_FROM = ("position", "position+variance", "position+variance+look")
LEARN = 3000
TEST = 1000
# its training faces
MAFL = 19000
# of the rival
COMPONENTS = 120
CHECKPOINT_EVERY = 100
PAPER = "\nOn MAFL, 128 px, as published:"
PUBLISHED = (
    ("K", "KeyNet", "Zhang", "DLP", "DLP + variance"),
    ("25", "", "", "2.87", "2.52"),
    ("30", "2.58", "3.16", "2.56", "2.49"),
    ("50", "2.54", "", "2.43", "2.42"),
)


def main() -> None:
    arguments = landmark_arguments()
    if arguments.measure:
        method, count, seed = arguments.measure
        train_and_score(arguments, method, int(count), int(seed))
        return
    budget = f"{arguments.cpu_minutes:g} CPU minutes a run"
    header(f"landmarks: {said(arguments.data)}", budget, threads=1, seeds=arguments.seeds)
    minutes = [f"after {mark:g}" for mark in arguments.curve]
    table = Table(("method", "K", "seed", "steps", *READ_FROM, *minutes), arguments.format)
    for name, error in rivals(annotated_source(arguments.data)).items():
        table.row(name, "", "", "", f"{error:.2f}", *[""] * (2 + len(minutes)))
    for count in arguments.counts:
        for seed in arguments.seeds:
            for method in arguments.methods:
                table.row(method, count, seed, *cells(arguments, method, count, seed))
    print(PAPER)
    columns, *rows = PUBLISHED
    table = Table(columns, arguments.format)
    for row in rows:
        table.row(*row)


def landmark_arguments() -> argparse.Namespace:
    arguments = parser(__doc__, seeds=[0, 1, 2], cpu_minutes=10.0, out=Path("runs/landmarks"))
    arguments.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    arguments.add_argument("--counts", type=int, nargs="+", default=[30], help="numbers of points")
    arguments.add_argument("--curve", type=float, nargs="+", default=[], help="minutes to score at, too")
    arguments.add_argument("--world", choices=WORLDS, default="wild")
    arguments.add_argument("--side", type=int, default=64, help="pixels of a picture")
    prepared = "the world as `motes data prepare` wrote it; else each run draws it, which costs it time"
    arguments.add_argument("--prepared", type=Path, help=prepared)
    arguments.add_argument("--celeba", type=Path, help="where CelebA and MAFL lie, to learn from them")
    arguments.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)  # the child's: method, points, seed
    asked = arguments.parse_args()
    asked.data = source_of(asked)
    return asked


def source_of(arguments: argparse.Namespace) -> Source:
    if arguments.celeba:
        return Source(
            "celeba", {"root": str(arguments.celeba), "image_size": (arguments.side, arguments.side)}
        )
    if arguments.prepared:
        return Source("prepared", {"path": str(arguments.prepared)})
    name, options = WORLDS[arguments.world]
    sizes = {"image_size": (arguments.side, arguments.side), "count": 10000, "held_out": 1000}
    return Source(name, {**sizes, **options})


def said(data: Source) -> str:
    return " ".join([data.name, *(f"{name} {value}" for name, value in data.config.items())])


def cells(arguments: argparse.Namespace, method: str, count: int, seed: int) -> list[str]:
    path = arguments.out / f"{method}-{count}-{seed}" / "landmarks.json"
    if not path.exists():
        command = [sys.executable, *sys.argv, "--measure", method, str(count), str(seed)]
        subprocess.run(command, check=True, env=with_threads(1))
    figures = json.loads(path.read_text())
    errors = [f"{figures[name]:.2f}" for name in READ_FROM]
    curve = [f"{figures.get(f'{mark:g}', float('nan')):.2f}" for mark in arguments.curve]
    return [f"{figures['steps']}", *errors, *curve]


def train_and_score(arguments: argparse.Namespace, method: str, count: int, seed: int) -> None:
    folder = arguments.out / f"{method}-{count}-{seed}"
    recipe = landmark_recipe(arguments, method, count, seed)
    if method == "untrained":
        folder.mkdir(parents=True, exist_ok=True)
        figures = {"steps": 0, **errors_of(newborn(recipe, recipe.data.open("train")), recipe.data)}
    else:
        figures = trained_figures(recipe, folder, arguments.curve)
    (folder / "landmarks.json").write_text(json.dumps(figures, indent=1) + "\n")


def trained_figures(recipe: Recipe, folder: Path, marks: list[float]) -> Figures:
    if (folder / "run.json").exists():  # of a benchmark that was stopped
        curve = Curve(read_recipe(folder).data, marks)
        loop.resume(folder, curve)
    else:
        curve = Curve(recipe.data, marks)
        loop.train(recipe, folder, curve)
    figures = {"steps": curve.steps, **curve.errors, **errors_of(load(folder), recipe.data)}
    print(f"{folder.name}: {curve.steps} steps", file=sys.stderr)
    return figures


def landmark_recipe(arguments: argparse.Namespace, method: str, count: int, seed: int) -> Recipe:
    preset, options = METHODS[method]
    recipe = PRESETS[preset].recipe
    training = replace(
        recipe.training,
        seed=seed,
        # the minutes end it
        steps=10**6,
        max_minutes=arguments.cpu_minutes,
        evaluate_every=CHECKPOINT_EVERY,
    )
    model = {**recipe.model_config, **options, "num_particles": count}
    return replace(recipe, data=arguments.data, model_config=model, training=training)


class Curve:
    """A watcher that scores the model after some minutes of training; the run's clock stands still meanwhile."""

    def __init__(self, data: Source, marks: list[float]):
        self.data = data
        self.marks = sorted(marks)
        self.errors: Figures = {}
        self.steps = 0
        self.minutes = 0.0

    def step(self, record: dict[str, Any]) -> None:
        self.steps = record["step"]
        self.minutes = record["seconds"] / 60

    def evaluated(self, record: dict[str, Any], model: Model, run: Run) -> None:
        while self.marks and self.minutes >= self.marks[0]:
            mark = self.marks.pop(0)
            self.errors[f"{mark:g}"] = errors_of(deepcopy(model), self.data)["position"]


def errors_of(model: Model, data: Source) -> Figures:
    annotated = annotated_source(data)
    limit = MAFL if data.name == "celeba" else LEARN
    question = Asked(("landmarks",), refuse=False, open=annotated.open, learn_limit=limit)
    scores = evaluate(model.eval(), annotated.open("test"), TEST, asked=question)
    return {name: scores[f"landmarks/{name}"].value for name in READ_FROM}


def annotated_source(data: Source) -> Source:
    """From which linear maps learn."""
    return replace(data, config={**data.config, "part": "mafl"}) if data.name == "celeba" else data


def rivals(data: Source) -> Figures:
    limits: dict[Split, int] = {"train": LEARN, "validation": TEST, "test": TEST}
    learn, choose, test = (grey_pictures(data, split, limit) for split, limit in limits.items())
    evidence = Evidence(test=test, learn=learn, choose=choose)
    pixels = predicted_points(evidence, Pixels(learn, COMPONENTS).columns)
    mean_pose = learn["points"].nanmean(0).expand_as(pixels)
    guesses = {"mean pose": mean_pose, f"{COMPONENTS} components of pixels": pixels}
    return {name: landmark_errors(guess, test["points"]).nanmean().item() for name, guess in guesses.items()}


def grey_pictures(data: Source, split: Split, limit: int) -> Measured:
    parts = [measured for _, measured in annotated_batches(data.open(split), limit)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


if __name__ == "__main__":
    main()
