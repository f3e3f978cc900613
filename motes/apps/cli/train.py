"""`motes train`: trains a preset on any data, and writes a run folder with scores and a report."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from motes.apps.cli.arguments import Parser, duration, positive
from motes.apps.cli.config import apply_config
from motes.apps.cli.evaluate import print_scores, write_scores
from motes.apps.cli.recipe import make_recipe, may_enlarge, told_options
from motes.apps.cli.trackers import PACKAGES, refuse_missing_tracker
from motes.errors import UserError
from motes.models import MODELS
from motes.training.length import Length, clock_sentence
from motes.training.presets import PRESETS
from motes.training.presets.default import DEFAULT
from motes.training.recipe import Recipe, read_recipe, refuse_used

if TYPE_CHECKING:
    from motes.data.base import Dataset, Split
    from motes.evaluation import Score
    from motes.training.running import Watcher

ABOUT = "learn from pictures: motes train PLACE, motes train [PRESET] [--data NAME|PLACE]"
# test pictures that a finished run is scored on
SCORED = 500


def add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "preset",
        nargs="?",
        help="a folder or file of pictures or videos, a preset, or a model (motes list); alone: dlp-quick",
    )
    parser.add_argument(
        "--data",
        help="a data set's name, a folder of pictures or videos, a video, .npy, .h5 or .parquet file",
    )
    parser.add_argument("--out", type=Path, help="run folder; by default runs/PRESET")
    _add_shortcuts(parser)
    _add_files(parser)
    parser.epilog = (
        "Any option of model, data or training: --model.num-particles 20, --data.image-size 96 128, "
        "--training.batch-size 16 (motes train PRESET --help shows them)."
    )
    parser.dotted = ("--",)
    parser.described = (*PRESETS, *MODELS)


def _add_shortcuts(parser: Parser) -> None:
    """Add the options of training that have a short form without a dot."""
    parser.add_argument(
        "--steps",
        type=positive,
        help="of the optimiser; alone, minutes no longer end the run; with --resume, its new length",
    )
    parser.add_argument(
        "--max-minutes",
        type=duration,
        help="the schedule ends when steps do, or minutes of training (CPU time over threads, without validation)",
    )
    parser.add_argument("--seed", type=int, help="of weights, noise, order and generated pictures")


def _add_files(parser: Parser) -> None:
    parser.add_argument("--resume", type=Path, metavar="RUN", help="go on with a stopped run")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a run's run.json, or YAML with its keys; the words of the command win",
    )
    parser.add_argument(
        "--log-with", choices=tuple(PACKAGES), help="also send numbers and pictures to this tracker"
    )
    parser.add_argument(
        "--vgg-weights",
        type=Path,
        metavar="FILE",
        help="VGG-16 as torch saves it, for --model.reconstruction vgg",
    )


def run(arguments: argparse.Namespace) -> None:
    """Train a recipe or resume a run. All arguments are checked before torch is imported."""
    _name_vgg_weights(arguments.vgg_weights)
    if arguments.log_with:
        refuse_missing_tracker(arguments.log_with)
    if arguments.resume is not None:
        _refuse_changes(arguments)
        _resume(arguments.resume, Length(arguments.steps, arguments.max_minutes), arguments.log_with)
        return
    apply_config(arguments)
    recipe, folder = make_recipe(arguments)
    refuse_used(folder)
    recipe, data = _looked_at(recipe, arguments)
    _start(recipe, folder, data, arguments.log_with)


def _looked_at(recipe: Recipe, arguments: argparse.Namespace) -> "tuple[Recipe, Dataset | None]":
    """The recipe with the options that follow from a look at its data, and the training split if it is open.

    What was chosen is printed. Options that the arguments give stay as they are.
    """
    is_default = recipe.preset == DEFAULT.preset
    if not is_default and (recipe.model != DEFAULT.model or arguments.data is None):
        return recipe, None
    from motes.training.looking import look, look_if_needed

    if is_default:
        looked = look(recipe, may_enlarge(recipe, arguments))
    else:
        looked = look_if_needed(recipe, told_options(arguments))
    if looked.explained and os.environ.get("RANK", "0") == "0":
        print(looked.explained)
    return looked.recipe, looked.data


def _name_vgg_weights(path: Path | None) -> None:
    if path is None:
        return
    if not path.is_file():
        raise UserError(f"{path} does not exist; it should be vgg16-397923af.pth")
    os.environ["MOTES_VGG_WEIGHTS"] = str(path)


def _refuse_changes(arguments: argparse.Namespace) -> None:
    if changes := _changes(arguments):
        raise UserError(
            f"--resume goes on with a run as it is, but for --steps and --max-minutes; leave out {changes[0]}"
        )
    if not (arguments.resume / "run.json").is_file():
        raise UserError(f"{arguments.resume} is no run: it has no run.json")


def _changes(arguments: argparse.Namespace) -> list[str]:
    """The words of the command that would change the recipe of a run; `--resume` refuses them."""
    names = ("data", "out", "seed", "config")
    options = [f"--{name.replace('_', '-')}" for name in names if getattr(arguments, name) is not None]
    return [*filter(None, [arguments.preset]), *options, *arguments.dotted]


def _start(recipe: Recipe, folder: Path, data: "Dataset | None", tracker: str | None) -> None:
    """Train a recipe from its first step; `data` is its training split, if it is open already.

    The folder is removed again if training fails before its first step.
    """
    from motes.training import loop

    _fetch_comparing_network(recipe)
    recipe = _settled(recipe)
    is_new = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    try:
        _run(recipe, folder, lambda watcher: loop.train(recipe, folder, watcher, data), tracker, data)
    except UserError:
        if is_new and not (folder / "metrics.jsonl").exists() and _is_first_process():
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _resume(folder: Path, length: Length, tracker: str | None) -> None:
    from motes.training import loop

    _run(read_recipe(folder), folder, lambda watcher: loop.resume(folder, watcher, length), tracker)


def _settled(recipe: Recipe) -> Recipe:
    """The recipe with a precision, which is measured if it is left open."""
    if recipe.training.precision != "auto":
        return recipe
    from motes.training.precision import with_precision

    settled, sentence = with_precision(recipe)
    print(f"motes {sentence}", file=sys.stderr)
    return settled


def _fetch_comparing_network(recipe: Recipe) -> None:
    """Load or train the network of a perceptual loss before the run begins, so that no step waits for it."""
    from rich.console import Console

    from motes.weights.reconstruction import FEATURES

    default = getattr(MODELS[recipe.model].Config, "reconstruction", "")
    make = FEATURES.get(recipe.model_config.get("reconstruction", default))
    if make:
        with Console(stderr=True).status("reading, or learning, the network that compares pictures"):
            make()


def _run(
    recipe: Recipe,
    folder: Path,
    learn: "Callable[[Watcher], Path]",
    tracker: str | None,
    data: "Dataset | None" = None,
) -> None:
    """Train with a live display by calling `learn`; then score the run and write its report.

    `tracker` is the name of one that watches too. `data` is the training split, if it is open already.
    """
    from motes.apps.cli.progress import Display
    from motes.apps.cli.trackers import with_tracker
    from motes.training.loop import Stopped

    held_out = recipe.data.open("validation")
    try:
        with Display(held_out) as display, with_tracker(tracker, recipe, folder, display) as watcher:
            learn(watcher)
    except Stopped as stopped:
        print(f"motes: {stopped}", file=sys.stderr)
        sys.exit(130)
    if _is_first_process():
        _conclude(folder, data)


def _conclude(folder: Path, data: "Dataset | None") -> None:
    """Score the best checkpoint, write the report and print what to do next."""
    # a resumed run may have another length now
    recipe = read_recipe(folder)
    scores, page = _score_and_report(recipe, folder, data)
    write_scores(folder / "scores.json", scores)
    print_scores(scores)
    if sentence := clock_sentence(folder):
        print(f"\nThe run was {sentence}.")
        print(f"To take the other steps: motes train --resume {folder} --steps {recipe.training.steps}")
    print(f"\nThe report: {page}")
    _say_what_is_next(folder)


def _score_and_report(
    recipe: Recipe, folder: Path, training: "Dataset | None"
) -> "tuple[dict[str, Score], Path]":
    """Score the best checkpoint and write the report; `training` is the training split, if it is open."""
    from rich.console import Console

    from motes.apps.report.report import write_report
    from motes.evaluation import Asked, evaluate
    from motes.models.checkpoint import load
    from motes.training.run import Run

    def open_split(split: "Split") -> "Dataset":
        return training if split == "train" and training is not None else recipe.data.open(split)

    model = load(folder)
    with Console(stderr=True).status("scoring held-out pictures, writing the report"):
        data = recipe.data.open("test")
        options = Asked(("pictures", "objects"), refuse=False, open=open_split)
        scores = evaluate(model, data, limit=SCORED, asked=options)
        page = write_report(Run(folder), recipe, model, data, scores)
    return scores, page


def _say_what_is_next(folder: Path) -> None:
    from motes.apps.report.report import next_commands

    print("\nTry next:")
    print("\n".join(f"  {line}" for line in next_commands(folder)))
    print(f"Take hold of pictures, in the browser: motes studio {folder}")
    print("Your own pictures: motes train FOLDER --out runs/mine")


def _is_first_process() -> bool:
    import torch

    return not torch.distributed.is_initialized() or torch.distributed.get_rank() == 0
