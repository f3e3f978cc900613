"""One name for a run everywhere: a folder, a model that comes with motes, a repository of the hub."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

import motes
from motes.apps.cli.main import run_command
from motes.errors import UserError
from motes.weights.runs import SHIPPED, run_folder, shipped_models

SHIPPED_MEGABYTES = 6


def test_a_folder_is_itself(tmp_path):
    assert run_folder(tmp_path) == tmp_path
    assert run_folder(str(tmp_path)) == tmp_path


@pytest.mark.parametrize("name", shipped_models())
def test_shipped_models_open_by_name_and_are_what_the_manifest_says(name):
    facts = shipped_models()[name]
    weights = (SHIPPED / name / "model.safetensors").read_bytes()
    assert hashlib.sha256(weights).hexdigest() == facts["sha256"]
    model = motes.load(name)
    assert all(value.dtype != torch.float16 for value in model.state_dict().values())
    channels, size = model.config.channels, model.config.image_size
    picture = torch.rand(1, channels, *size)
    assert model.decode(model.encode(picture)).shape == picture.shape


def test_shipped_models_are_small():
    files = [file for file in SHIPPED.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < SHIPPED_MEGABYTES * 1e6


def test_a_run_of_the_same_name_comes_first_and_other_folders_do_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("shapes").mkdir()
    assert run_folder("shapes") == SHIPPED / "shapes"
    Path("shapes/config.json").write_text("{}")
    assert run_folder("shapes") == Path("shapes")


def test_every_command_says_where_it_looked(tmp_path):
    for words in (
        ["encode", "shapez", "x.png", "--out", "o"],
        ["info", "shapez"],
        ["evaluate", "shapez"],
        ["evaluate", "--scores", "psnr", "shapez"],
        ["studio", "shapez"],
        ["track", "shapez", "x.mp4", "--out", "o"],
    ):
        with pytest.raises(UserError, match=r"shapez does not exist: .*shapes.* owner/name of the hub"):
            run_command(words)
    with pytest.raises(UserError, match="shapez does not exist"):
        motes.load("shapez")


def test_shipped_scores_are_those_of_the_shipped_file():
    measured = json.loads((SHIPPED / "shapes" / "scores.json").read_text())
    assert measured["found_inside_mask"]["value"] > 0.99
    assert measured["psnr_pooled"]["value"] > 32
