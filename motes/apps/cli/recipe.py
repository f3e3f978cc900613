"""Makes a recipe from the arguments of a command, and finds the recipe of a run's data. Imports no torch."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from motes.data import DATASETS
from motes.data.recognise import check_place, find_source, fit_options, warn_of_namesake
from motes.data.source import Source
from motes.errors import UserError
from motes.models import MODELS
from motes.plain.options import nearest, options_of, read_options, spelling
from motes.plain.records import from_plain
from motes.training.presets import PRESETS
from motes.training.presets.default import DEFAULT
from motes.training.recipe import Recipe, Training, read_recipe

# preset and data -> the folder in runs/, where it is not the preset's name
RUNS = {("dlp-quick", "shapes"): "shapes"}
TRAINING = "training/recipe:Training"


def make_recipe(arguments: argparse.Namespace) -> tuple[Recipe, Path]:
    """The recipe and the run folder that the arguments of `motes train` ask for.

    DEFAULT's recipe, whose `preset` is its model's name, still lacks the sizes that follow from a look at the
    data.
    """
    name, data = _name_and_data(arguments.preset, arguments.data)
    recipe = choose_data(_named(name), data)
    if not recipe.data.name:
        raise UserError(f"{name} is a model and no preset; name what it learns from with --data")
    recipe = _changed(replace(recipe, preset=name), arguments)
    check_place(recipe.data.name, recipe.data.config, f"preset {name}")
    run = (
        RUNS.get((name, recipe.data.name), name) if arguments.preset == name or data is None else _stem(data)
    )
    return recipe, arguments.out or Path("runs") / run


def _name_and_data(named: str | None, data: str | None) -> tuple[str, str | None]:
    """The preset or model to train, and what it learns from.

    A path that is neither a preset's nor a model's name is data for DEFAULT, and so are data without a name.
    """
    if named is None:
        return ("dlp-quick", None) if data is None else (DEFAULT.model, data)
    if named in PRESETS or named in MODELS or not Path(named).exists():
        return named, data
    if (Path(named) / "run.json").is_file():
        raise UserError(f"{named} is a run and no data; go on with it by motes train --resume {named}")
    if data is not None:
        raise UserError(f"{named} and {data} are both data; name one of them")
    return DEFAULT.model, named


def _stem(data: str) -> str:
    """The name of a run on these data: the name of a file or folder, or of a data set."""
    return Path(data.rstrip("/").rpartition(":")[2]).resolve().stem if data else data


def told_options(arguments: argparse.Namespace) -> set[str]:
    """The names of the options with a dot that the arguments, or their --config, give, such as "glimpse_size"."""
    words = (word.partition("=")[0] for word in arguments.dotted if word.startswith("--"))
    of_config = {name for options in _of_config(arguments).values() for name in options}
    return {word.partition(".")[2].replace("-", "_") for word in words} | of_config


def _of_config(arguments: argparse.Namespace) -> Mapping[str, Mapping[str, Any]]:
    """The options of a command's --config, by "model", "data" and "training"; nothing without one."""
    return getattr(arguments, "from_config", {})


def may_enlarge(recipe: Recipe, arguments: argparse.Namespace) -> bool:
    """Whether a survey may make the pictures larger: they can be read at any size, and no size was asked for."""
    return "image_size" in recipe.data.config and "image_size" not in told_options(arguments)


def _changed(recipe: Recipe, arguments: argparse.Namespace) -> Recipe:
    """The recipe, changed by the options with a dot and the short options in `arguments`."""
    sources = {
        "model": MODELS.source(recipe.model),
        "data": DATASETS.source(recipe.data.name),
        "training": TRAINING,
    }
    options = read_options(arguments.dotted, sources)
    below = _of_config(arguments)
    of_data = {**below.get("data", {}), **_seed_of_data(arguments, recipe.data.name), **options["data"]}
    training = {**below.get("training", {}), **_shortcuts(arguments), **options["training"]}
    return replace(
        recipe,
        model_config={**recipe.model_config, **below.get("model", {}), **options["model"]},
        data=recipe.data.changed(of_data),
        training=from_plain(Training, {**vars(recipe.training), **training}, "training"),
    )


def _named(name: str) -> Recipe:
    """The recipe of the preset `name`; if `name` is a model, DEFAULT or a recipe with that model's defaults,
    and no data yet."""
    if name in PRESETS:
        return PRESETS[name].recipe
    if name == DEFAULT.model:
        return DEFAULT
    if name in MODELS:
        return Recipe(name, Source(""))
    raise UserError(_unknown(name))


def _unknown(name: str) -> str:
    """The error for a name that is neither a preset's nor a model's, nor an existing place."""
    if name in DATASETS:
        return f"{name} is a data set; to learn from it, write motes train --data {name}"
    if "/" in name or Path(name).suffix:
        return f"{name} does not exist; a place to learn from is a folder or a file"
    return nearest(name, [*PRESETS, *MODELS], "preset, model or place")


def _shortcuts(arguments: argparse.Namespace) -> dict[str, Any]:
    """The values of training options given in their short form, such as `--steps`.

    If an option is given in both forms, the form with a dot counts.
    """
    names = ("steps", "max_minutes", "seed")
    options = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    if "steps" in options:
        # the clock shall not end a run before its steps
        options.setdefault("max_minutes", 0.0)
    return options


def _seed_of_data(arguments: argparse.Namespace, data: str) -> dict[str, int]:
    """The seed for the data: the run's seed if the data set is generated, else no entry.

    A folder of files keeps its own seed, so that its split into training and test pictures stays the same.
    """
    follows = data != "folder" and "seed" in options_of(DATASETS.source(data))
    return {"seed": arguments.seed} if follows and arguments.seed is not None else {}


def choose_data(recipe: Recipe, data: str | None) -> Recipe:
    """The recipe with other data: a data set's name, or else the path of a folder or file of pictures.

    Pictures are brought to the image size that the recipe has. If `data` is None, the recipe stays as it is.
    """
    if data is None:
        return recipe
    if data == recipe.data.name:
        warn_of_namesake(data)
        return recipe
    name, place_options = find_source(data)
    size = _image_size(recipe)
    if place_options and not size:
        size = (64, 64)
    before = {**recipe.data.config, **({"image_size": size} if size else {})}
    return replace(recipe, data=Source(name, fit_options(name, place_options, before)))


def _image_size(recipe: Recipe) -> Any:
    return recipe.data.config.get("image_size") or recipe.model_config.get("image_size")


def find_recipe(run: Path) -> Recipe | None:
    """The recipe in a run folder, or in the run that a checkpoint folder belongs to; None if there is
    none."""
    for folder in (run, *run.resolve().parents[:2]):
        if (folder / "run.json").is_file():
            return read_recipe(folder)
    return None


def recipe_for(run: Path, config: Any, data: str | None = None) -> Recipe:
    """A recipe whose data the run's model can read: `data` if given, else the data that the run was trained
    on.

    Data named by `data` is read at the image size of the model's `config`.
    """
    if data is not None:
        return _recipe_of_data(data, config)
    recipe = find_recipe(run)
    if recipe is None or not recipe.data.name:
        raise UserError(f"{run} does not say what it was trained on; name pictures with --data")
    return recipe


def _recipe_of_data(data: str, config: Any) -> Recipe:
    """A recipe for the data set or path `data`, at the image size of `config` if the data set has that
    option."""
    size = {"image_size": config.image_size, "channels": config.channels}
    recipe = choose_data(Recipe("dlp", Source("", size)), data)
    options = options_of(DATASETS.source(recipe.data.name))
    known_size = {name: value for name, value in size.items() if name in options}
    return replace(recipe, data=recipe.data.changed(known_size))


def describe(name: str) -> list[tuple[str, str, str, str]]:
    """Every option with a dot of a preset, model or data set, each as (option, type, value, explanation)."""
    if name in DATASETS:
        return _described("data", DATASETS.source(name), {})
    if name not in PRESETS and name not in MODELS:
        raise UserError(nearest(name, [*PRESETS, *MODELS, *DATASETS], "preset, model or data set"))
    recipe = _named(name)
    data = recipe.data
    return [
        *_described("model", MODELS.source(recipe.model), recipe.model_config),
        *(_described("data", DATASETS.source(data.name), data.config) if data.name else []),
        *_described("training", TRAINING, vars(recipe.training)),
    ]


def _described(home: str, source: str, values: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (
            spelling(home, option.name),
            option.kind,
            str(values.get(option.name, option.default)),
            option.about,
        )
        for option in options_of(source).values()
    ]
