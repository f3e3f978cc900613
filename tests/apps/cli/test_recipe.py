"""From words to recipes: a seed reaches generated data of any name, and data is found by name, by folder, or not at all."""

import argparse
from pathlib import Path

import pytest

from motes.apps.cli.data.show import chosen
from motes.apps.cli.recipe import make_recipe, told_options
from motes.data import DATASETS
from motes.errors import UserError
from motes.models import MODELS
from motes.training.presets import PRESETS
from motes.training.presets.default import DEFAULT


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


def test_a_place_is_data_for_the_default_model(tmp_path, monkeypatch):
    folder = tmp_path / "my pictures"
    folder.mkdir()
    for words in ({"preset": str(folder)}, {"data": str(folder)}, {"preset": "dlp", "data": str(folder)}):
        recipe, run = make_recipe(arguments(**words))
        assert recipe.preset == recipe.model == "dlp" and recipe.data.config["path"] == str(folder)
        assert recipe.data.config["image_size"] == (64, 64) and recipe.training == DEFAULT.training
        assert run == Path("runs", "dlp" if words.get("preset") == "dlp" else "my pictures")
    given = ["--model.num-particles", "3", "--data.image-size", "32", "32", "--training.batch-size", "4"]
    recipe, _ = make_recipe(arguments(preset=str(folder), dotted=given, steps=7))
    assert recipe.model_config["num_particles"] == 3 and recipe.data.config["image_size"] == (32, 32)
    assert (recipe.training.steps, recipe.training.batch_size, recipe.training.max_minutes) == (7, 4, 0)
    # a preset's name is the preset, whatever lies here
    monkeypatch.chdir(tmp_path)
    Path("dlp-quick").mkdir()
    assert make_recipe(arguments(preset="dlp-quick"))[0].data.name == "shapes"


def test_a_preset_named_with_other_data_keeps_its_options(tmp_path):
    recipe, run = make_recipe(arguments(preset="dlp-scenes", data=str(tmp_path)))
    assert recipe.model_config == PRESETS["dlp-scenes"].recipe.model_config and run == Path("runs/dlp-scenes")


def test_without_words_the_quick_preset_is_trained():
    recipe, run = make_recipe(arguments())
    assert recipe.preset == "dlp-quick" and run == Path("runs/shapes")


def test_places_that_are_no_data_are_refused(tmp_path):
    with pytest.raises(UserError, match="both data"):
        make_recipe(arguments(preset=str(tmp_path), data="shapes"))
    (tmp_path / "run.json").touch()
    with pytest.raises(UserError, match="--resume"):
        make_recipe(arguments(preset=str(tmp_path)))
    for name, answer in (
        (str(tmp_path / "nowhere"), "does not exist"),
        ("clip.mp4", "does not exist"),
        ("sprites", "--data sprites"),
        ("dlp-quik", "did you mean 'dlp-quick'"),
    ):
        with pytest.raises(UserError, match=answer):
            make_recipe(arguments(preset=name))


def test_options_that_were_given_are_known_by_name():
    dotted = ["--model.glimpse-size=9", "--data.image-size", "32", "32"]
    assert told_options(arguments(dotted=dotted)) == {"glimpse_size", "image_size"}
