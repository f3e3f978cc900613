"""What `--data` is taken for; and the command that prepares a set, from its words to a run on it."""

import argparse

import numpy as np
import pytest
from PIL import Image

from motes.apps.cli.recipe import choose_data, make_recipe
from motes.data.recognise import find_source
from motes.errors import UserError
from motes.training.presets import PRESETS
from tests.apps.cli.test_main import motes, refused


def arguments(**options):
    names = ("preset", "data", "steps", "max_minutes", "seed", "out")
    return argparse.Namespace(**{**dict.fromkeys(names), "dotted": [], **options})


@pytest.mark.slow
def test_prepare_then_train(tmp_path):
    out = tmp_path / "set"
    done = motes(
        "data",
        "prepare",
        "shapes",
        "--out",
        out,
        "--data.image-size",
        32,
        32,
        "--data.count",
        20,
        "--data.held-out",
        8,
    )
    assert done.returncode == 0 and "20 train, 8 validation, 8 test" in done.stdout, done.stderr
    assert find_source(str(out)) == ("prepared", {"path": str(out)})
    run = tmp_path / "run"
    done = motes(
        "train",
        "--data",
        out,
        "--out",
        run,
        "--steps",
        2,
        "--training.batch-size",
        4,
        "--model.num-particles",
        3,
        "--model.glimpse-size",
        8,
    )
    assert done.returncode == 0, done.stderr
    assert motes("evaluate", run, "--data", out).returncode == 0


def test_wrong_words(tmp_path):
    refused(motes("data", "prepare", "shaps", "--out", tmp_path / "x"), "did you mean 'shapes'")
    refused(motes("data", "prepare", "shapes", "--out", tmp_path / "x", "--data.cuont", 3), "--data.count")
    refused(
        motes("data", "prepare", "shapes", "--out", tmp_path / "x", "--splits", "tran"),
        "did you mean 'train'",
    )
    refused(motes("data", "prepare", "shapes", "--uot", tmp_path / "x"), "did you mean '--out'")
    refused(motes("data", "prepare", "folder", "--out", tmp_path / "x"), "--data FOLDER")
    refused(motes("data"), "COMMAND")
    refused(motes("data", "prepar", "shapes"), "did you mean 'data prepare'")
    assert "--data.background" in motes("data", "prepare", "shapes", "--help").stdout
    assert not list(tmp_path.iterdir())


def test_options_of_the_preset_stay_with_other_pictures(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "one.png")
    recipe = choose_data(PRESETS["dlp-celeba"].recipe, str(tmp_path))
    assert recipe.data.config == {"path": str(tmp_path), "image_size": (128, 128)}
    with pytest.raises(UserError, match="dlp-celeba needs pictures"):
        make_recipe(arguments(preset="dlp-celeba"))


def test_a_folder_is_what_is_in_it(tmp_path):
    def folder(name, *files):
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / name / file).write_bytes(b"")
        return find_source(str(tmp_path / name))[0]

    assert folder("pictures", "a.png", "b.jpg") == "folder"
    assert folder("text", "a.txt") == "folder"
    assert folder("mixed", "a.png", "b.png", "c.npy") == "folder"
    assert folder("videos", "thumbnail.jpg", "a/1.mp4", "a/2.MOV") == "video"
    assert (
        folder("arrays", "train.npy", "test.npy") == "npy"
        and folder("tables", "data/train-0.parquet", "README.md") == "huggingface"
    )
    assert folder("noted", "train2017/a.jpg", "annotations/instances_train2017.json") == "coco"
    assert (
        folder("settings", "a.jpg", "settings.json") == "folder"
        and folder("stored", "dataset_info.json", "data-0.arrow") == "huggingface"
    )
    (tmp_path / "robot/meta").mkdir(parents=True)
    (tmp_path / "robot/meta/info.json").write_text('{"codebase_version": "v3.0"}')
    assert find_source(str(tmp_path / "robot")) == ("lerobot", {"path": str(tmp_path / "robot")})
    for name, kind in (
        ("a.npy", "npy"),
        ("a.H5", "hdf5"),
        ("a.webm", "video"),
        ("a.parquet", "huggingface"),
        ("a.json", "coco"),
    ):
        (tmp_path / name).touch()
        assert find_source(str(tmp_path / name)) == (kind, {"path": str(tmp_path / name)})


def test_names_with_places():
    assert find_source("celeba:/data/faces") == ("celeba", {"root": "/data/faces"})
    assert find_source("hf:owner/name:subset") == ("huggingface", {"path": "hf:owner/name:subset"})
    assert find_source("clevrer") == ("clevrer", {})
    recipe = choose_data(PRESETS["dlp-celeba"].recipe, "celeba:/data/faces")
    assert recipe.data.name == "celeba" and recipe.data.config == {
        "root": "/data/faces",
        "image_size": (128, 128),
    }
    with pytest.raises(UserError, match="to know where clevrer lies: clevrer:PLACE"):
        make_recipe(arguments(preset="dlp-clevrer", data="clevrer"))
    with pytest.raises(UserError, match="shapes lies nowhere"):
        find_source("shapes:/data")


def test_train_and_evaluate_on_a_file(tmp_path):
    np.save(
        tmp_path / "frames.npy", np.random.default_rng(0).integers(0, 256, (30, 40, 48, 3), dtype=np.uint8)
    )
    small = [
        "--data.image-size",
        32,
        32,
        "--model.num-particles",
        3,
        "--model.glimpse-size",
        8,
        "--training.batch-size",
        4,
    ]
    done = motes("train", "--data", tmp_path / "frames.npy", "--out", tmp_path / "run", "--steps", 2, *small)
    assert done.returncode == 0, done.stderr
    done = motes("evaluate", tmp_path / "run", "--data", tmp_path / "frames.npy")
    assert done.returncode == 0 and "psnr" in done.stdout, done.stderr
    refused(
        motes("train", "--data", tmp_path / "frames.npy", "--out", tmp_path / "x", "--data.layuot", "NHWC"),
        "did you mean '--data.layout'",
    )


def test_options_of_a_data_set_are_listed():
    shown = motes("list", "clevrer").stdout
    assert "--data.protocol" in shown and "--data.original" in shown and "--model" not in shown
    refused(motes("list", "clevrr"), "did you mean 'clevrer'")


def test_a_folder_called_like_a_data_set_is_spoken_of(tmp_path, monkeypatch):
    (tmp_path / "faces").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "faces" / "one.png")
    monkeypatch.chdir(tmp_path)
    with pytest.warns(UserWarning, match=r"write \./faces"):
        assert find_source("faces") == ("faces", {})
    assert find_source("./faces") == ("folder", {"path": "./faces"})


def test_scores_are_written_into_a_folder_that_is_not_there_yet(tmp_path):
    from motes.apps.cli.evaluate import write_scores

    write_scores(tmp_path / "new" / "folder" / "scores.json", {})
    assert (tmp_path / "new" / "folder" / "scores.json").read_text() == "{}\n"
