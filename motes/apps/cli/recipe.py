"""From the words of `motes train` to a recipe; and what there is to choose from. Imports no torch."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from motes.data import DATASETS
from motes.data.recognise import check_place, find_source, fit_options, warn_of_namesake
from motes.errors import UserError
from motes.models import MODELS
from motes.plain.options import nearest, options_of, read_options
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe

RUNS = {
    ("dlp-quick", "shapes"): "shapes"
}  # preset and data -> the folder in runs/, where it is not the preset's name


def make_recipe(told: argparse.Namespace, rest: list[str]) -> tuple[Recipe, Path]:
    """The preset, changed as asked; and the run folder."""
    name = told.preset or "dlp-quick"
    if name not in PRESETS:
        raise UserError(nearest(name, PRESETS, "preset"))
    recipe = choose_data(PRESETS[name].recipe, told.data)
    sources = {
        "model": MODELS.source(recipe.model),
        "data": DATASETS.source(recipe.data),
        "training": "training/recipe:Training",
    }
    options = read_options(rest, sources)
    for word, field in (("steps", "steps"), ("max_minutes", "max_minutes"), ("seed", "seed")):
        if getattr(told, word) is not None:
            options["training"].setdefault(field, getattr(told, word))
    if told.steps is not None and told.max_minutes is None:
        options["training"].setdefault(
            "max_minutes", 0.0
        )  # steps were asked for: the clock shall not end them
    if (
        told.seed is not None
        and recipe.data != "folder"
        and "seed" in options_of(DATASETS.source(recipe.data))
    ):
        options["data"].setdefault("seed", told.seed)
    recipe = replace(
        recipe,
        preset=name,
        model_config={**recipe.model_config, **options["model"]},
        data_config={**recipe.data_config, **options["data"]},
        training=replace(recipe.training, **options["training"]),
    )
    check_place(recipe.data, recipe.data_config, f"preset {name}")
    return recipe, told.out or Path("runs") / RUNS.get((name, recipe.data), name)


def choose_data(recipe: Recipe, data: str | None) -> Recipe:
    """A name of a data set, or else a folder or file of pictures, brought to the size the recipe has."""
    if data is None:
        return recipe
    if data == recipe.data:
        warn_of_namesake(data)
        return recipe
    name, place = find_source(data)
    size = recipe.data_config.get("image_size") or recipe.model_config.get("image_size")
    if place and not size:
        size = (64, 64)
    return replace(
        recipe,
        data=name,
        data_config=fit_options(
            name, place, {**recipe.data_config, **({"image_size": size} if size else {})}
        ),
    )


def describe(name: str) -> list[tuple[str, str, str, str]]:
    """Every dotted option of a preset, or of a data set: its name, its kind, the value it has there, what it
    does."""
    homes: dict[str, tuple[str, dict[str, Any]]]
    if name in PRESETS:
        recipe = PRESETS[name].recipe
        homes = {
            "model": (MODELS.source(recipe.model), recipe.model_config),
            "data": (DATASETS.source(recipe.data), recipe.data_config),
            "training": ("training/recipe:Training", vars(recipe.training)),
        }
    elif name in DATASETS:
        homes = {"data": (DATASETS.source(name), {})}
    else:
        raise UserError(nearest(name, [*PRESETS, *DATASETS], "preset or data set"))
    return [
        (
            f"--{home}.{option.name.replace('_', '-')}",
            option.kind,
            str(values.get(option.name, option.default)),
            option.about,
        )
        for home, (source, values) in homes.items()
        for option in options_of(source).values()
    ]
