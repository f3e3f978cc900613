"""`motes evaluate`: scores a trained model on held-out pictures."""

import argparse
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

from motes.apps.cli.arguments import (
    Parser,
    add_device,
    add_model_options,
    add_run,
    dotted_of,
    model_options,
    positive,
)
from motes.apps.cli.recipe import recipe_for
from motes.data import DATASETS
from motes.errors import UserError
from motes.evaluation import SCORES
from motes.plain.options import nearest, read_options
from motes.plain.writing import whole_file
from motes.weights.runs import run_folder

if TYPE_CHECKING:
    from motes.evaluation import Score
    from motes.models.base import Model
    from motes.training.recipe import Recipe

ABOUT = "scores on held-out pictures"
# columns of a terminal from which on the scores are explained
WIDE = 140


def add_arguments(parser: Parser) -> None:
    # perhaps behind --scores NAMES, which takes every word that follows it
    add_run(parser, nargs="?")
    parser.add_argument(
        "--data",
        help="a data set's name, or a folder or file of pictures; by default what the run was trained on",
    )
    parser.add_argument("--limit", type=positive, default=1000, help="pictures at most")
    parser.add_argument(
        "--scores",
        nargs="+",
        metavar="NAME",
        help=f"some of {', '.join(SCORES)}; by default all that the model and the data's truth support",
    )
    parser.add_argument(
        "--learn-limit", type=positive, default=10000, help="training pictures at most, for scores that learn"
    )
    parser.add_argument("--json", type=Path, help="write the scores to this file as well")
    add_device(parser)
    parser.epilog = (
        "Any option of the data, such as --data.image-size 64 64 (motes list NAME shows those of a data set)."
    )
    parser.dotted = ("--data.",)
    add_model_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Score a model on the test split.

    Scores that train a readout train it on the training split, and choose its settings on the validation
    split.
    """
    folder, names = run_and_scores(arguments.run, arguments.scores)
    from motes.models.checkpoint import load
    from motes.models.devices import device_named

    options = model_options(folder, arguments.dotted)
    model = load(folder, device_named(arguments.device), options)
    recipe = _recipe(folder, arguments, model)
    scores = _scored(model, recipe, names, arguments)
    print_scores(scores)
    _mention_lpips(scores)
    if arguments.json:
        write_scores(arguments.json, scores)


def _recipe(folder: Path, arguments: argparse.Namespace, model: "Model") -> "Recipe":
    """The recipe of the data to score on, changed by the options of the command."""
    recipe = recipe_for(folder, model.config, arguments.data)
    words = dotted_of("data", arguments.dotted)
    options = read_options(words, {"data": DATASETS.source(recipe.data.name)})["data"]
    return replace(recipe, data=recipe.data.changed(options))


def _mention_lpips(scores: "Mapping[str, Score]") -> None:
    """Print why LPIPS is missing, if the scores compare pictures."""
    from motes.weights.lpips import missing_lpips_file

    if "psnr" in scores and "lpips" not in scores and (reason := missing_lpips_file()):
        print(f"motes: lpips is left out: {reason}", file=sys.stderr)


def run_and_scores(run: Path | None, words: list[str] | None) -> tuple[Path, tuple[str, ...] | None]:
    """The run folder, and the names of the scores to compute; None: all.

    `words` are those behind --scores. If the run was not named before them, it is the last of them.
    """
    if run is None and words and len(words) > 1 and not set(_split(words[-1:])) & set(SCORES):
        run = run_folder(words[-1])
        words = words[:-1]
    names = None if words is None else score_names(words)
    if run is None:
        raise UserError("name the run or checkpoint folder to score: motes evaluate RUN")
    return run, names


def score_names(words: list[str]) -> tuple[str, ...]:
    """The names in these words, with spaces or commas between them."""
    names = tuple(dict.fromkeys(_split(words)))
    listed = ", ".join(SCORES)
    for name in names:
        if name not in SCORES:
            sentence = nearest(name, SCORES, "score")
            raise UserError(sentence if listed in sentence else f"{sentence}; there are: {listed}")
    if not names:
        raise UserError(f"--scores wants names, with spaces or commas between; there are: {listed}")
    return names


def _split(words: list[str]) -> list[str]:
    return [name.strip() for word in words for name in word.split(",") if name.strip()]


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
    """Print the scores by question, each beside that of a trivial rival; on a wide terminal also what they
    say."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from motes.evaluation.explanations import grouped, scored_pictures

    console = Console()
    groups = grouped(scores)
    has_rivals = any(line.rival for group in groups for line in group.lines)
    shown = {"trivial rival": has_rivals, "what it says": console.width >= WIDE}
    title = f"scores on {scored_pictures(scores):,} test pictures"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    # a name is never broken, so that it can be searched for
    table.add_column("score", no_wrap=True)
    for column in ("value", "95 % of resamples", *filter(shown.get, shown)):
        table.add_column(column)
    for group in groups:
        table.add_section()
        table.add_row(f"[bold]{group.question}")
        for line in group.lines:
            more = compress((_value(line.rival), line.explanation), shown.values())
            table.add_row(line.name, *_cells(line.score), *more)
    console.print(table)


def _cells(score: "Score") -> tuple[str, str]:
    """A score's value and its interval, as texts for a table."""
    if math.isnan(score.value):
        return "none", ""
    return _value(score), f"{score.low:.4g} to {score.high:.4g}"


def _value(score: "Score | None") -> str:
    return "" if score is None or math.isnan(score.value) else f"{score.value:.4g}"


def write_scores(path: Path, scores: "Mapping[str, Score]") -> None:
    """Write the scores as JSON. A score that could not be measured is null, because JSON has no NaN."""
    plain = {name: _without_nan(asdict(score)) for name, score in scores.items()}
    with whole_file(path) as fresh:
        fresh.write_text(json.dumps(plain, indent=2) + "\n")


def _without_nan(numbers: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in numbers.items()}
