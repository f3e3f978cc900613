"""`motes evaluate`: scores a trained model on held-out pictures."""

import argparse
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from motes.apps.cli.arguments import Parser, add_run, positive, refuse_missing
from motes.apps.cli.recipe import recipe_for
from motes.data import DATASETS
from motes.errors import UserError
from motes.evaluation import SCORES
from motes.plain.options import nearest, read_options
from motes.plain.writing import whole_file

if TYPE_CHECKING:
    from motes.evaluation import Score
    from motes.models.base import Model
    from motes.training.recipe import Recipe

ABOUT = "scores on held-out pictures"


def add_arguments(parser: Parser) -> None:
    add_run(parser)
    parser.add_argument(
        "--data",
        help="a data set's name, or a folder or file of pictures; by default what the run was trained on",
    )
    parser.add_argument("--limit", type=positive, default=1000, help="pictures at most")
    parser.add_argument(
        "--scores",
        help="names with commas between; by default all that the model and the data's truth support",
    )
    parser.add_argument(
        "--learn-limit", type=positive, default=10000, help="training pictures at most, for scores that learn"
    )
    parser.add_argument("--json", type=Path, help="write the scores to this file as well")
    parser.epilog = (
        "Any option of the data, such as --data.image-size 64 64 (motes list NAME shows those of a data set)."
    )
    parser.dotted = ("--data.",)


def run(arguments: argparse.Namespace) -> None:
    """Score a model on the test split.

    Scores that train a readout train it on the training split, and choose its settings on the validation
    split.
    """
    refuse_missing(arguments.run)
    names = None if arguments.scores is None else score_names(arguments.scores)
    import torch

    from motes.models.checkpoint import load

    model = load(arguments.run, "cuda" if torch.cuda.is_available() else "cpu")
    scores = _scored(model, _recipe(arguments, model), names, arguments)
    print_scores(scores)
    _mention_lpips(scores)
    if arguments.json:
        write_scores(arguments.json, scores)


def _recipe(arguments: argparse.Namespace, model: "Model") -> "Recipe":
    """The recipe of the data to score on, changed by the options of the command."""
    recipe = recipe_for(arguments.run, model.config, arguments.data)
    options = read_options(arguments.dotted, {"data": DATASETS.source(recipe.data.name)})["data"]
    return replace(recipe, data=recipe.data.changed(options))


def _mention_lpips(scores: "Mapping[str, Score]") -> None:
    """Print why LPIPS is missing, if the scores compare pictures."""
    from motes.weights.lpips import missing_lpips_file

    if "psnr" in scores and "lpips" not in scores and (reason := missing_lpips_file()):
        print(f"motes: lpips is left out: {reason}", file=sys.stderr)


def score_names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in SCORES:
            raise UserError(nearest(name, SCORES, "score"))
    if not names:
        examples = ",".join(list(SCORES)[:2])
        raise UserError(f"--scores wants names with commas between, such as --scores {examples}")
    return names


def _scored(
    model: "Model", recipe: "Recipe", names: tuple[str, ...] | None, arguments: argparse.Namespace
) -> "dict[str, Score]":
    """Compute the named scores on the recipe's test split, with a progress bar while pictures are encoded."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from motes.evaluation import Asked, evaluate

    options = Asked(names, open=recipe.data.open, learn_limit=arguments.learn_limit)
    data = recipe.data.open("test")
    columns = (TextColumn("looking at pictures"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return evaluate(model, data, arguments.limit, progress=advance, asked=options)


def print_scores(scores: "Mapping[str, Score]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="scores on held-out pictures", title_justify="left")
    for column in ("score", "value", "95 % of resamples"):
        table.add_column(column)
    for name, score in scores.items():
        table.add_row(name, *_cells(score))
    Console().print(table)


def _cells(score: "Score") -> tuple[str, str]:
    """A score's value and its interval, as texts for a table."""
    if math.isnan(score.value):
        return "none", ""
    return f"{score.value:.4g}", f"{score.low:.4g} to {score.high:.4g}"


def write_scores(path: Path, scores: "Mapping[str, Score]") -> None:
    """Write the scores as JSON. A score that could not be measured is null, because JSON has no NaN."""
    plain = {name: _without_nan(asdict(score)) for name, score in scores.items()}
    with whole_file(path) as fresh:
        fresh.write_text(json.dumps(plain, indent=2) + "\n")


def _without_nan(numbers: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in numbers.items()}
