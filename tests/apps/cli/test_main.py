"""The command as people use it: right words give files, wrong words one sentence and exit code 2, nothing half-written."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
import torch
from PIL import Image

from motes.apps.cli.main import main
from motes.models.codes.vae import VaeConfig, VariationalAutoencoder


def motes(*arguments):
    """The command within this process: what it prints and how it exits, without three seconds of imports each time."""
    out, err = io.StringIO(), io.StringIO()
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        warnings.catch_warnings(),
        pytest.raises(SystemExit) as end,
    ):
        main([str(argument) for argument in arguments])
    return subprocess.CompletedProcess(arguments, end.value.code, out.getvalue(), err.getvalue())


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
    done = motes(
        "train",
        "--steps",
        6,
        "--out",
        folder,
        "--training.batch-size",
        8,
        "--training.evaluate-every",
        3,
        *small,
    )
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
    Image.fromarray(random.integers(0, 255, (9, 9, 4), dtype=np.uint8)).convert("CMYK").save(
        folder / "cmyk.jpg"
    )
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
    seen = [row for row in rows if row["top_px"]]
    assert all(float(row["height_px"]) == float(row["bottom_px"]) - float(row["top_px"]) for row in seen)
    kept = np.load(tmp_path / "particles/particles.npz")
    assert kept["box"].shape == (6, 3, 4) and kept["visible"].sum() == len(seen)
    assert kept["position"].shape == (6, 3, 2) and len(kept["pictures"]) == 6
    assert len(list((tmp_path / "particles").glob("*-particles.png"))) == 6
    assert motes("reconstruct", run, pictures / "a.png", "--out", tmp_path / "drawn").returncode == 0
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["00000-a-reconstruction.png"]
    (tmp_path / "drawn/00007-mine.png").touch()
    motes("reconstruct", run, pictures / "one.png", "--out", tmp_path / "drawn")
    left = {path.name for path in (tmp_path / "drawn").iterdir()}
    assert left == {"00000-one-reconstruction.png", "00007-mine.png"}, (
        "pictures of an earlier call go, other files stay"
    )


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


def test_the_preset_of_2024_trains_and_its_run_opens(tmp_path):
    small = ("--data.count", 12, "--data.held-out", 4, "--training.batch-size", 4)
    done = motes("train", "dlp2", "--steps", 2, "--out", tmp_path / "run", *small)
    assert done.returncode == 0, done.stderr
    config = json.loads((tmp_path / "run/run.json").read_text())["model_config"]
    assert config["presence_posterior"] == "beta" and config["num_proposals"] == 64
    assert "presence_kl" in (tmp_path / "run/metrics.jsonl").read_text()
    refused(motes("train", "dlp2-traffic"), "--data FOLDER")


def test_info_alone_tells_how_this_machine_renders():
    from motes.ops.rendering.composite import rendering_method

    done = motes("info")
    assert (
        done.returncode == 0
        and rendering_method(torch.device("cuda:0" if torch.cuda.is_available() else "cpu")).split(" (")[0]
        in done.stdout
    )
    assert torch.__version__ in done.stdout


@pytest.mark.slow
def test_scores_are_those_asked_for_and_refused_with_the_reason(run, pictures, tmp_path):
    done = motes(
        "evaluate", run, "--limit", 10, "--scores", "objects, masks", "--json", tmp_path / "scores.json"
    )
    found = json.loads((tmp_path / "scores.json").read_text())
    assert done.returncode == 0 and {"found", "ap50", "ari_fg"} <= set(found) and "psnr" not in found
    assert all(value is None or value == value for one in found.values() for value in one.values()), (
        "JSON has no NaN"
    )
    everything = motes("evaluate", run, "--limit", 10).stdout
    assert all(
        name in everything
        for name in ("psnr", "loss", "miou", "rank_correlation", "probes/shape/linear/accuracy")
    )
    assert "landmarks" not in everything
    refused(motes("evaluate", run, "--scores", "landmarks"), "landmarks cannot be scored", "no landmarks")
    refused(
        motes("evaluate", run, "--data", pictures, "--scores", "pictures,masks"),
        "masks cannot be scored",
        "does not know the masks",
    )
    refused(motes("evaluate", run, "--scores", ","), "wants names", "pictures, elbo")
    other = motes("evaluate", run, "--limit", 10, "--scores", "objects", "--data.seed", 5)
    assert (
        other.returncode == 0
        and other.stdout != motes("evaluate", run, "--limit", 10, "--scores", "objects").stdout
    )
    refused(motes("evaluate", run, "--data.sed", 5), "did you mean '--data.seed'")
    refused(motes("evaluate", run, "--model.feature-dim", 5), "weights", "feature_dim")


def test_scores_are_named_with_spaces_or_commas_and_before_or_behind_the_run(run):
    forms = (
        [run, "--scores", "pictures", "elbo"],
        [run, "--scores", "pictures,elbo"],
        ["--scores", "pictures,", "elbo", run],
        ["--scores", "elbo,pictures", run],
    )
    shown = [motes("evaluate", "--limit", 4, *words) for words in forms]
    assert len({done.stdout for done in shown}) == 1, [done.stderr for done in shown]
    assert "scores on 4 test pictures" in shown[0].stdout
    assert "psnr" in shown[0].stdout and "loss" in shown[0].stdout and "found" not in shown[0].stdout
    everything = (
        "there are: pictures, elbo, objects, masks, slots, updates, draws, tracks, prediction, landmarks, "
        "probes, uncertainty"
    )
    refused(motes("evaluate", run, "--scores", "objcts", "masks"), "did you mean 'objects'", everything)
    refused(motes("evaluate", run, "--scores", "pictures", "xyzzy"), "no score 'xyzzy'", everything)
    refused(motes("evaluate", "--scores", "pictures"), "name the run")
    refused(motes("evaluate"), "name the run")
    refused(motes("evaluate", "--scores", "pictures", run / "nothing"), "does not exist")


def test_a_run_that_the_clock_cut_short_says_so_and_may_take_its_other_steps(run, tmp_path):
    small = "--model.num-particles 3 --model.glimpse-size 8 --data.image-size 32 32 --data.count 40 --data.held-out 9"
    out = tmp_path / "cut"
    done = motes("train", "--max-minutes", 0.0001, "--out", out, "--training.batch-size", 4, *small.split())
    assert done.returncode == 0, done.stderr
    sentence = "stopped by max_minutes after 1 of 1,900 steps (the schedule was shortened to fit)"
    assert sentence in done.stdout and f"motes train --resume {out} --steps 1900" in done.stdout
    assert sentence in " ".join(motes("info", out).stdout.replace("│", " ").split())
    assert f"<b>ended</b>{sentence}" in (out / "report.html").read_text()
    refused(motes("train", "--resume", out, "--max-minutes", 0.00001), "minutes already")
    assert motes("train", "--resume", out, "--steps", 3).returncode == 0
    change = "at step 1: 3 steps instead of 1,900, no limit of minutes instead of 0.0001 minutes"
    shown = " ".join(motes("info", out).stdout.replace("│", " ").split())
    assert change in shown and "stopped by" not in shown
    page = (out / "report.html").read_text()
    assert f"<b>length changed</b>{change}" in page and "<b>ended</b>" not in page
    facts = json.loads((out / "run.json").read_text())
    assert facts["training"]["steps"] == 3
    assert facts["changes"] == [{"step": 1, "steps": [1900, 3], "max_minutes": [0.0001, 0.0]}]


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
    refused(motes("encode", run, run, "--oout", tmp_path), "did you mean '--out'")
    refused(motes("evaluate", run, "--limit", 0), "--limit", "from 1 up")
    refused(motes("train", "--max-minutes", "soon"), "--max-minutes")
    refused(
        motes("train", "--resume", run, "--seed", 9), "leave out --seed", "but for --steps and --max-minutes"
    )
    refused(
        motes("train", "--resume", run, "--steps", 9, "--model.glimpse-size", 9),
        "leave out --model.glimpse-size",
    )
    refused(
        motes("train", "--resume", run, "--steps", 5),
        "has taken 6 steps already; --steps must be at least that",
    )
    refused(motes("train", "--training.batch-size", 0, "--out", tmp_path / "r"), "batch_size")
    refused(motes("list", "dlp-quik"), "did you mean 'dlp-quick'")
    assert not (tmp_path / "r").exists()


def test_help_of_a_preset_shows_its_options_and_their_values():
    done = motes("train", "dlp-clevrer", "--help")
    assert done.returncode == 0 and "--model.num-particles" in done.stdout and "(40.0, 0.04)" in done.stdout


@pytest.mark.slow
def test_the_commands_that_are_proposed_work(run):
    from motes.apps.report.report import next_commands

    for line in next_commands(run):
        words = line.partition("#")[0].split()
        assert words[0] == "motes" and motes(*words[1:]).returncode == 0, line
    assert (run / "encoded/particles.csv").exists() and list((run / "drawn").glob("*.png"))


def test_vgg_weights_are_missed_before_a_run_begins(tmp_path, monkeypatch):
    for name in ("TORCH_HOME", "HF_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "empty"))
    monkeypatch.delenv("MOTES_VGG_WEIGHTS", raising=False)
    monkeypatch.setattr(
        torch.hub, "download_url_to_file", lambda *a, **k: (_ for _ in ()).throw(OSError("no network"))
    )
    done = motes("train", "--model.reconstruction", "vgg", "--out", tmp_path / "r")
    refused(done, "vgg16-397923af.pth", "--vgg-weights", "MOTES_VGG_WEIGHTS", "--model.reconstruction mse")
    refused(motes("train", "--vgg-weights", tmp_path / "no.pth"), "no.pth does not exist")
    assert not (tmp_path / "r").exists()


@pytest.mark.slow
def test_interrupt_saves_says_how_to_go_on_and_exits_130(tmp_path):
    folder = tmp_path / "r"
    small = [
        "--data.image-size",
        "32",
        "32",
        "--data.count",
        "40",
        "--data.held-out",
        "8",
        "--training.batch-size",
        "4",
    ]
    words = ["train", "vae-quick", "--steps", "100000", "--out", str(folder), "--model.width", "8", *small]
    running = subprocess.Popen(
        [sys.executable, "-m", "motes.apps.cli.main", *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    while running.poll() is None and not (folder / "metrics.jsonl").exists():
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGINT)
    _, said = running.communicate()
    assert running.returncode == 130 and f"motes train --resume {folder}" in said and "Traceback" not in said
    assert (folder / "checkpoints/last/model.safetensors").exists()


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
    VariationalAutoencoder(VaeConfig(image_size=(16, 16), code_dim=2, width=4)).save(tmp_path / "good")
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
    refused(
        motes("info", variant("other", config={**config["config"], "code_dim": 5})), "do not belong together"
    )
    refused(
        motes("info", variant("field", config={**config["config"], "code_dimm": 5})), "did you mean code_dim?"
    )
    (tmp_path / "good/config.json").write_text("{")
    refused(motes("info", tmp_path / "good"), "damaged")


def test_a_pickle_with_code_is_never_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"weights": Trap()}, tmp_path / "trap.pth")
    refused(motes("import-2022", tmp_path / "trap.pth", "--out", tmp_path / "out"), "trap.pth")
    assert not (tmp_path / "sprung").exists() and not (tmp_path / "out").exists()


def test_tables_replace_older_ones_and_leave_strangers_alone(run, pictures, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    for count in (2, 1):
        chosen = sorted(pictures.glob("*.png"))[:count]
        assert motes("encode", run, *chosen, "--out", out).returncode == 0
        assert len(list(csv.DictReader((out / "particles.csv").open()))) == count * 3
    assert (out / "notes.txt").read_text() == "mine" and not list(tmp_path.glob(".*"))
    refused(motes("encode", run, pictures, "--out", out / "notes.txt"), "is a file")


def test_the_studio_is_refused_in_words(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(motes("studio", "nowhere"), "nowhere does not exist")
    refused(motes("studio", run, "--port", "0"), "--port")
    refused(motes("studio", run, "--pictures", run / "run.json"), "wants folders")
    refused(motes("studio", run, "--prot", "1"), "did you mean '--port'")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    refused(motes("studio", run, "--export", tmp_path / "mine"), "something else")
    assert motes("studio", run, "--export", tmp_path / "site").returncode == 0
    assert (tmp_path / "site" / "index.html").is_file() and (tmp_path / "site" / "site" / "0.js").is_file()


@pytest.fixture(scope="module")
def codes_run(tmp_path_factory):
    """A GLO, whose codes are no standard normal."""
    folder = tmp_path_factory.mktemp("runs") / "codes"
    small = [
        "--training.batch-size",
        8,
        "--training.evaluate-every",
        4,
        "--model.width",
        8,
        "--model.code-dim",
        3,
    ]
    done = motes("train", "glo-digits", "--steps", 4, "--out", folder, *small)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_sample_draws_a_sheet_by_the_models_own_distribution_or_a_fitted_one(codes_run, tmp_path):
    done = motes("sample", codes_run, "--out", tmp_path / "own", "--count", 8, "--seed", 1)
    assert done.returncode == 0 and "8 pictures from the model's own distribution" in done.stdout, done.stderr
    with np.load(tmp_path / "own" / "codes.npz") as kept:
        assert kept["codes"].shape == (8, 3)
    assert Image.open(tmp_path / "own" / "draws.png").size == (3 * 64 + 6, 3 * 64 + 6)
    first = (tmp_path / "own" / "draws.png").read_bytes()
    assert motes("sample", codes_run, "--out", tmp_path / "own", "--count", 8, "--seed", 1).returncode == 0
    assert (tmp_path / "own" / "draws.png").read_bytes() == first  # the same seed
    for sheet, prior in (("map", "gaussian"), ("ways", "mixture")):
        done = motes(
            "sample",
            codes_run,
            "--out",
            tmp_path / "two",
            "--show",
            sheet,
            "--prior",
            prior,
            "--limit",
            50,
            "--count",
            4,
        )
        assert done.returncode == 0 and (tmp_path / "two" / f"{sheet}.png").is_file(), done.stderr


@pytest.mark.slow
def test_sample_refuses_in_a_sentence(run, codes_run, tmp_path):
    out = ("--out", tmp_path / "never")
    refused(motes("sample", run, *out), "knows no distribution", "--prior gaussian")  # particles
    refused(motes("sample", run, *out, "--prior", "gaussian", "--limit", 4), "one vector a picture")
    refused(motes("sample", codes_run, *out, "--show", "map"), "--prior gaussian")
    refused(motes("sample", codes_run, *out, "--show", "mpa"), "did you mean 'map'")
    refused(motes("sample", codes_run, *out, "--prior", "gausian"), "did you mean 'gaussian'")
    refused(motes("sample", codes_run, *out, "--count", 0), "--count")
    refused(motes("sample", tmp_path / "none", *out), "does not exist")
    assert not (tmp_path / "never").exists()
