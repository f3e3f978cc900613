"""The command as people use it: right words give files, wrong words one sentence and exit code 2, nothing half-written."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from motes.models.vae import Config, VariationalAutoencoder


def motes(*arguments, cwd=None):
    return subprocess.run([sys.executable, "-m", "motes.apps.cli", *map(str, arguments)], capture_output=True, text=True, cwd=cwd)


def refused(done, *words):
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    sentence = done.stderr.strip().splitlines()[-1]
    assert sentence.startswith("motes: ")
    for word in words:
        assert word in sentence, sentence


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    small = [
        "--model.num-particles",
        3,
        "--model.glimpse-size",
        8,
        "--data.image-size",
        32,
        32,
        "--data.count",
        40,
        "--data.held-out",
        20,
    ]
    done = motes("train", "--steps", 6, "--out", folder, "--training.batch-size", 8, "--training.evaluate-every", 3, *small)
    assert done.returncode == 0, done.stderr
    assert "report" in done.stdout and str(folder) in done.stdout
    return folder


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 255, (50, 40, 3), dtype=np.uint8)).save(folder / "a.png")
    Image.fromarray(random.integers(0, 65535, (50, 40), dtype=np.uint16)).save(folder / "sixteen.png")
    Image.fromarray(random.integers(0, 255, (9, 9, 4), dtype=np.uint8)).save(folder / "rgba.png")
    Image.fromarray(random.integers(0, 255, (9, 9, 4), dtype=np.uint8)).convert("CMYK").save(folder / "cmyk.jpg")
    Image.new("P", (9, 9)).save(folder / "palette.gif")
    Image.new("RGB", (1, 1)).save(folder / "one.png")
    return folder


def test_a_run_leaves_its_folder(run):
    names = {path.name for path in run.iterdir()}
    assert {"run.json", "metrics.jsonl", "pictures", "checkpoints", "report.html", "scores.json"} <= names
    page = (run / "report.html").read_text()
    for title in ("Originals", "Particles", "Reconstructions", "Proposals", "Glimpses", "Curves", "Scores"):
        assert f"<h2>{title}</h2>" in page
    assert "http://" not in page and "https://" not in page, "the page needs nothing from elsewhere"
    assert 0 <= json.loads((run / "scores.json").read_text())["found"]["value"] <= 1


def test_encode_and_reconstruct_every_kind_of_picture(run, pictures, tmp_path):
    (pictures / "broken.png").write_text("x")
    done = motes("encode", run, pictures, "--out", tmp_path / "particles")
    assert done.returncode == 0 and "broken.png" in done.stderr
    rows = list(csv.DictReader((tmp_path / "particles/particles.csv").open()))
    assert len(rows) == 6 * 3 and -1 <= float(rows[0]["row"]) <= 1
    kept = np.load(tmp_path / "particles/particles.npz")
    assert kept["position"].shape == (6, 3, 2) and len(kept["pictures"]) == 6
    assert len(list((tmp_path / "particles").glob("*-particles.png"))) == 6
    assert motes("reconstruct", run, pictures / "a.png", "--out", tmp_path / "drawn").returncode == 0
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["00000-a-reconstruction.png"]


def test_parquet_says_what_csv_says(run, pictures, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    motes("encode", run, pictures, "--out", tmp_path / "out")
    rows = list(csv.DictReader((tmp_path / "out/particles.csv").open()))
    table = parquet.read_table(tmp_path / "out/particles.parquet").to_pylist()
    assert [float(row["row"]) for row in rows] == pytest.approx([row["row"] for row in table])


def test_evaluate_info_and_list(run, pictures, tmp_path):
    done = motes("evaluate", run, "--limit", 10, "--json", tmp_path / "scores.json")
    assert done.returncode == 0 and "psnr" in json.loads((tmp_path / "scores.json").read_text())
    assert "psnr" in motes("evaluate", run, "--data", pictures, "--limit", 10).stdout
    assert "num_particles" in motes("info", run).stdout
    assert "dlp-clevrer" in motes("list").stdout
    assert "--model.num-particles" in motes("list", "dlp-quick").stdout


def test_wrong_words(run, tmp_path):
    refused(motes("encod", run), "did you mean 'encode'")
    refused(motes("train", "dlp-quik"), "did you mean 'dlp-quick'")
    refused(motes("train", "--data", "shaps"), "no data set and no folder 'shaps'", "did you mean 'shapes'")
    refused(motes("train", "--model.num-particle", 3), "did you mean '--model.num-particles'")
    refused(motes("train", "--stepps", 3), "did you mean '--steps'")
    refused(motes("train", "--model.num-particles", "many"), "whole number")
    refused(motes("train", "dlp-clevrer"), "--data FOLDER")
    refused(motes("train", "--out", run), "--resume")
    refused(motes("train", "--resume", tmp_path), "no run")
    refused(
        motes("train", "--data.image-size", 70, 70, "--out", tmp_path / "r"),
        "70 is not a multiple of patch_size 8; try 64 or 72",
    )
    assert not (tmp_path / "r").exists()


def test_wrong_files(run, pictures, tmp_path):
    out = tmp_path / "out"
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "cut.png").write_bytes((pictures / "a.png").read_bytes()[:80])
    for name in ("text.png", "empty.png", "cut.png", "missing.png"):
        refused(motes("encode", run, tmp_path / name, "--out", out), name)
    refused(motes("encode", run, pictures, "--out", tmp_path / "text.png" / "below"), "cannot be written")
    refused(motes("info", tmp_path / "nothing"), "does not exist")
    refused(motes("info", pictures), "neither a run nor a checkpoint")
    assert not out.exists() and not list(tmp_path.glob(".*"))


def test_wrong_checkpoints(tmp_path):
    torch.manual_seed(0)
    VariationalAutoencoder(Config(image_size=(16, 16), code_dim=2, width=4)).save(tmp_path / "good")
    weights, config = (
        (tmp_path / "good/model.safetensors").read_bytes(),
        json.loads((tmp_path / "good/config.json").read_text()),
    )

    def variant(name, data=weights, **changes):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(data)
        (tmp_path / name / "config.json").write_text(json.dumps({**config, **changes}))
        return tmp_path / name

    refused(motes("info", variant("cut", weights[:1000])), "cut short")
    refused(motes("info", variant("newer", format=99)), "format 99")
    refused(motes("info", variant("unknown", model="vea")), "did you mean vae?")
    refused(motes("info", variant("other", config={**config["config"], "code_dim": 5})), "do not belong together")
    refused(motes("info", variant("field", config={**config["config"], "code_dimm": 5})), "did you mean code_dim?")
    (tmp_path / "good/config.json").write_text("{")
    refused(motes("info", tmp_path / "good"), "damaged")


def test_a_pickle_with_code_is_never_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"weights": Trap()}, tmp_path / "trap.pth")
    refused(motes("import-2022", tmp_path / "trap.pth", "--out", tmp_path / "out"), "trap.pth")
    assert not (tmp_path / "sprung").exists() and not (tmp_path / "out").exists()
