"""Sizes that a recipe leaves open follow from its data, and options that somebody gave always win."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from watchers import StopAt

from motes.data.source import Source
from motes.training import loop
from motes.training.looking import look, look_if_needed
from motes.training.presets.default import DEFAULT
from motes.training.recipe import Training, read_recipe

SHAPES = Source("shapes", {"image_size": (32, 32), "count": 60, "held_out": 20})
SHORT = Training(steps=6, batch_size=8, evaluate_every=3, warm_steps=2, validation_pictures=8)
SIZES = {"glimpse_size", "num_particles", "num_proposals", "patch_size"}


def test_sizes_follow_from_the_data():
    looked = look(replace(DEFAULT, data=SHAPES))
    assert set(looked.recipe.model_config) == {*DEFAULT.model_config, *SIZES}
    assert looked.recipe.model_config["patch_size"] == 4 and len(looked.explained.splitlines()) == 2
    assert len(looked.data) == 60


def test_options_that_somebody_gave_win_and_are_not_said_to_be_chosen():
    given = {**DEFAULT.model_config, "glimpse_size": 10, "num_particles": 3}
    looked = look(replace(DEFAULT, data=SHAPES, model_config=given))
    assert {name: looked.recipe.model_config[name] for name in given} == given
    assert "--model.glimpse-size" not in looked.explained and "--model.patch-size" in looked.explained
    assert "--data.image-size" not in looked.explained


@pytest.mark.parametrize("may_enlarge", [False, True])
def test_pictures_of_small_things_are_enlarged_where_that_is_allowed(may_enlarge):
    small = SHAPES.changed({"size": (2, 3)})
    looked = look(replace(DEFAULT, data=small), may_enlarge)
    assert looked.data.image_shape[1:] == ((64, 64) if may_enlarge else (32, 32))
    assert looked.recipe.data.open("validation").image_shape == looked.data.image_shape


def test_a_preset_keeps_its_sizes_unless_they_cannot_work():
    config = {"patch_size": 8, "glimpse_size": 8, "num_particles": 3}
    works = replace(DEFAULT, data=SHAPES, model_config=config)
    kept = look_if_needed(works, told=())
    assert kept.recipe == works and kept.explained == ""
    odd = replace(works, data=Source("tetrominoes", {"count": 40, "held_out": 20}))
    changed = look_if_needed(odd, told=())
    assert (
        changed.recipe.model_config["patch_size"] == 5 and changed.recipe.model_config["num_particles"] == 3
    )
    assert changed.recipe.model_config["glimpse_size"] == 8, "it works"
    assert "--model.patch-size" in changed.explained and "--model.num-particles" not in changed.explained
    assert look_if_needed(odd, told=("patch_size",)).recipe.model_config["patch_size"] == 8
    assert look_if_needed(odd, told=("patch_size", "glimpse_size")).recipe == odd


@pytest.mark.slow
def test_a_run_with_chosen_sizes_writes_them_and_resumes_to_the_same_weights(tmp_path):
    looked = look(replace(DEFAULT, data=SHAPES, training=SHORT))
    loop.train(looked.recipe, tmp_path / "whole", data=looked.data)
    written = json.loads((tmp_path / "whole/run.json").read_text())["model_config"]
    assert {name: written[name] for name in SIZES} == {
        name: looked.recipe.model_config[name] for name in SIZES
    }
    with pytest.raises(loop.Stopped):
        loop.train(looked.recipe, tmp_path / "parts", StopAt(3))
    assert read_recipe(tmp_path / "parts").model_config == written
    loop.resume(tmp_path / "parts")
    whole, parts = (
        load_file(tmp_path / run / "checkpoints/last/model.safetensors") for run in ("whole", "parts")
    )
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
