"""From words to recipes: a seed reaches generated data of any name, and data is found by name, by folder, or not at all."""

import argparse
from pathlib import Path

import pytest

from motes.apps.cli.data.show import chosen
from motes.apps.cli.recipe import make_recipe
from motes.data import DATASETS
from motes.errors import UserError
from motes.models import MODELS
from motes.training.presets import PRESETS


def arguments(**words):
    return argparse.Namespace(
        **{
            "preset": None,
            "data": None,
            "out": None,
            "steps": None,
            "max_minutes": None,
            "seed": None,
            "name": None,
            "count": None,
            "dotted": [],
            **words,
        }
    )


@pytest.mark.parametrize("name", [name for name in DATASETS if name != "folder"])
def test_the_seed_of_a_run_is_that_of_what_is_generated(name):
    config = DATASETS[name].Config
    if not hasattr(config, "seed"):
        pytest.skip("not generated")
    assert make_recipe(arguments(data=name, seed=7))[0].data.config["seed"] == 7
    chosen_seed = arguments(data=name, seed=7, dotted=["--data.seed", "3"])
    assert make_recipe(chosen_seed)[0].data.config["seed"] == 3


def test_shown_data_is_a_set_with_its_own_defaults_or_a_folder(tmp_path):
    recipe, out = chosen(arguments(name="tetrominoes", dotted=["--data.pieces", "2"]))
    assert (
        recipe.data.name == "tetrominoes"
        and recipe.data.config == {"pieces": 2}
        and out == Path("tetrominoes.png")
    )
    recipe, out = chosen(arguments(name=str(tmp_path)))
    assert (
        recipe.data.name == "folder"
        and recipe.data.config["path"] == str(tmp_path)
        and out.stem == tmp_path.name
    )
    with pytest.raises(UserError, match="did you mean 'scenes'"):
        chosen(arguments(name="scnes"))


def test_every_model_can_be_trained_from_the_command_line():
    assert {preset.recipe.model for preset in PRESETS.values()} == set(MODELS)


def test_a_models_name_is_a_recipe_with_its_defaults():
    recipe, folder = make_recipe(arguments(preset="vae", data="shapes", dotted=["--model.width", "8"]))
    assert (recipe.model, recipe.data.name, recipe.model_config) == ("vae", "shapes", {"width": 8})
    assert folder == Path("runs/vae")
    with pytest.raises(UserError, match="with --data"):
        make_recipe(arguments(preset="vae"))
