"""What each command does, once its arguments are known to be right."""

import argparse
import json
import math
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from motes.apps.cli.info import machine_table
from motes.apps.cli.progress import Display
from motes.apps.cli.recipe import choose_data
from motes.apps.drawing import marks as draw
from motes.apps.drawing.film import Gallery
from motes.apps.report.report import next_commands, write_report
from motes.apps.session.session import Session
from motes.apps.session.tables import rows_of, write_table
from motes.data import DATASETS
from motes.errors import UserError
from motes.evaluation import Asked, Score
from motes.evaluation import evaluate as score
from motes.models import MODELS
from motes.models.checkpoint import checkpoint_folder, load, read_config
from motes.plain.options import options_of, read_options
from motes.plain.writing import fresh_file, fresh_folder
from motes.training import loop
from motes.training.recipe import Recipe, read_recipe
from motes.training.run import Run
from motes.types.latents import Particles
from motes.weights.lpips import missing_lpips_file
from motes.weights.reconstruction import FEATURES


def train(recipe: Recipe, folder: Path) -> None:
    default = getattr(MODELS[recipe.model].Config, "reconstruction", "")
    if make := FEATURES.get(recipe.model_config.get("reconstruction", default)):
        with Console(stderr=True).status("reading, or learning, the network that compares pictures"):
            make()  # now, and not in the first step
    empty = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    try:
        _run(recipe, folder, lambda display: loop.train(recipe, folder, display))
    except UserError:
        if empty and not (folder / "metrics.jsonl").exists() and _is_first_process():
            shutil.rmtree(
                folder, ignore_errors=True
            )  # refused before it learnt anything: as if it had not been asked
        raise


def go_on(folder: Path) -> None:
    _run(read_recipe(folder), folder, lambda display: loop.resume(folder, display))


def _run(recipe: Recipe, folder: Path, go: Callable[[Display], Path]) -> None:
    """Train with a display; then score the best checkpoint, write the report and say what to do next."""
    held_out = recipe.source.open("validation")
    try:
        with Display(held_out) as display:
            go(display)
    except loop.Stopped as stopped:
        print(f"motes: {stopped}", file=sys.stderr)
        sys.exit(130)
    if not _is_first_process():
        return
    model = load(folder)
    with Console(stderr=True).status("scoring held-out pictures, writing the report"):
        data = recipe.source.open("test")
        scores = score(model, data, limit=500, asked=Asked(("pictures", "objects"), refuse=False))
        page = write_report(Run(folder), recipe, model, data, scores)
    _write_scores(folder / "scores.json", scores)
    _print_scores(scores)
    print(f"\nThe report: {page}\n\nTry next:")
    print("\n".join(f"  {line}" for line in next_commands(folder)))
    print(f"Take hold of pictures, in the browser: motes studio {folder}")
    print("Your own pictures: motes train --data FOLDER --out runs/mine")


def encode(told: argparse.Namespace) -> None:
    """particles.csv, .npz and (with pyarrow) .parquet, and for every picture one with the particles over it,
    for every video a film of them."""
    session = Session.open(told.run)
    with fresh_folder(told.out, "particles") as out:
        rows: list[dict[str, Any]] = []
        arrays: dict[str, list[np.ndarray]] = {}
        names: list[str] = []
        gallery = Gallery(out, "particles", session.rates)
        for found in session.encode_files(told.pictures, fit=told.fit):
            for name, value in vars(found.latent).items():
                if value is not None:
                    arrays.setdefault(name, []).append(value.cpu().numpy())
            names += [str(path) for path in found.paths]
            if isinstance(found.latent, Particles):
                rows += list(rows_of(found))
                for n, path in enumerate(found.paths):
                    gallery.add(path, draw.with_particles(found.image[n], found.latent, n, 512))
        gallery.close()
        joined: dict[str, Any] = {name: np.concatenate(parts) for name, parts in arrays.items()}
        np.savez_compressed(
            out / ("particles.npz" if rows else "codes.npz"), **{**joined, "pictures": np.array(names)}
        )
        if rows:
            write_table(out, rows)
    _report_skipped(session)
    there = f", {sum(row['there'] for row in rows)} particles that are there" if rows else ""
    print(f"{len(names)} pictures{there}: {told.out}")


def reconstruct(told: argparse.Namespace) -> None:
    """For every picture a PNG of the original beside its reconstruction, for every video a film of them."""
    session = Session.open(told.run)
    with fresh_folder(told.out, "reconstruction") as out:
        gallery = Gallery(out, "reconstruction", session.rates)
        for found in session.encode_files(told.pictures, fit=told.fit):
            drawn = session.decode(found.latent)
            for n, path in enumerate(found.paths):
                pair = [draw.to_picture(found.image[n], 256), draw.to_picture(drawn[n], 256)]
                gallery.add(path, draw.sheet([pair]))
        gallery.close()
    _report_skipped(session)
    print(f"{gallery.count} pictures: {told.out}")


def evaluate(told: argparse.Namespace) -> None:
    """The test split is scored; scores that learn do so from the training split, and choose by the
    validation split."""
    model = load(told.run, "cuda" if torch.cuda.is_available() else "cpu")
    recipe = recipe_for(told.run, model, told.data)
    options = read_options(told.dotted, {"data": DATASETS.source(recipe.data)})["data"]
    recipe = replace(recipe, data_config={**recipe.data_config, **options})
    with Progress(
        TextColumn("looking at pictures"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("")
        asked = Asked(told.scores, open=lambda split: recipe.source.open(split), learn_limit=told.learn_limit)
        scores = score(
            model,
            recipe.source.open("test"),
            told.limit,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
            asked=asked,
        )
    _print_scores(scores)
    if "psnr" in scores and "lpips" not in scores and (reason := missing_lpips_file()):
        print(f"motes: lpips is left out: {reason}", file=sys.stderr)
    if told.json:
        _write_scores(told.json, scores)


def info(told: argparse.Namespace) -> None:
    if told.run is None:
        Console().print(machine_table())
        return
    folder = checkpoint_folder(told.run)
    name, config = read_config(folder)
    model = load(folder)
    table = Table(title=f"{told.run}: {name}", show_header=False, title_justify="left")
    table.add_row("checkpoint", str(folder.resolve()))
    table.add_row("parameters", f"{sum(parameter.numel() for parameter in model.parameters()):,}")
    for key, value in config.items():
        table.add_row(key, str(value))
    if (threshold := getattr(model, "evidence_threshold", None)) is not None:
        table.add_row("doubt begins at evidence", f"{float(threshold):.3f}")
    for line in Run(told.run).read_metrics():
        if "validation" in line:
            table.add_row(f"validation at step {line['step']}", f"{line['validation']:.4g}")
    Console().print(table)


def import_2022(told: argparse.Namespace) -> None:
    from motes.models.particles.import_2022 import import_weights

    model = import_weights(told.weights, told.config, told.out)
    config = model.config
    print(
        f"{told.out}: {config.num_particles} particles, pictures of {config.image_size[0]} x {config.image_size[1]}"
    )


def push(told: argparse.Namespace) -> None:
    model = load(told.run)
    path = told.run / "scores.json"
    scores = (
        {name: one["value"] for name, one in json.loads(path.read_text()).items() if one["value"] is not None}
        if path.is_file()
        else {}
    )
    print(model.push_to_hub(told.repository, scores))


RUN = {
    "encode": encode,
    "reconstruct": reconstruct,
    "evaluate": evaluate,
    "info": info,
    "import-2022": import_2022,
    "push": push,
}


def recipe_for(where: Path, model: Any, data: str | None = None) -> Recipe:
    """What a run was trained on, or other data that is named, at the model's size."""
    recipe = _recipe_of(where)
    if data is not None:
        size = {"image_size": model.config.image_size, "channels": model.config.channels}
        recipe = choose_data(Recipe("dlp", "", data_config=size), data)
        known = options_of(DATASETS.source(recipe.data))
        recipe = Recipe(
            "dlp",
            recipe.data,
            data_config={**recipe.data_config, **{name: size[name] for name in size if name in known}},
        )
    if not recipe.data:
        raise UserError(f"{where} does not say what it was trained on; name pictures with --data")
    return recipe


def _recipe_of(where: Path) -> Recipe:
    for folder in (where, *where.resolve().parents[:2]):
        if (folder / "run.json").is_file():
            return read_recipe(folder)
    return Recipe("", "")


def _print_scores(scores: dict[str, Score]) -> None:
    table = Table(title="scores on held-out pictures", title_justify="left")
    for column in ("score", "value", "95 % of resamples"):
        table.add_column(column)
    for name, one in scores.items():
        table.add_row(
            name,
            *(
                ("none", "")
                if math.isnan(one.value)
                else (f"{one.value:.4g}", f"{one.low:.4g} to {one.high:.4g}")
            ),
        )
    Console().print(table)


def _write_scores(path: Path, scores: dict[str, Score]) -> None:
    """JSON knows no number for what there was nothing to score of."""
    plain = {
        name: {key: None if math.isnan(value) else value for key, value in asdict(one).items()}
        for name, one in scores.items()
    }
    _write_json(path, plain)


def _write_json(path: Path, what: Any) -> None:
    with fresh_file(path) as fresh:
        fresh.write_text(json.dumps(what, indent=2) + "\n")


def _report_skipped(session: Session) -> None:
    for sentence in session.skipped:
        print(f"motes: left out: {sentence}", file=sys.stderr)


def _is_first_process() -> bool:
    return not torch.distributed.is_initialized() or torch.distributed.get_rank() == 0
