"""Slots from the command line: trained, encoded with other options, scored; what cannot be is a sentence."""

import csv
import io
import json
import subprocess
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
from PIL import Image

from motes.apps.cli.main import main

pytestmark = pytest.mark.slow

DATA = [
    "--data.image-size",
    20,
    20,
    "--data.block",
    5,
    "--data.pieces",
    1,
    "--data.count",
    64,
    "--data.held-out",
    8,
]
SMALL = ["--model.code-dim", 4, "--model.side", 4, "--model.decoder", 8, 2, 3, "--model.reader", 8]
SMALL += ["--model.hidden", 8, "--model.memory", 8, "--model.slots", 2, "--model.starts", 2, 2]
TRAINING = ["--steps", 6, "--training.batch-size", 8, "--training.evaluate-every", 3]


def motes(*words):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    return subprocess.CompletedProcess(words, end.value.code, out.getvalue(), err.getvalue())


def refused(done, *words):
    *_, sentence = done.stderr.strip().splitlines()
    assert done.returncode == 2 and "Traceback" not in done.stderr and sentence.startswith("motes: ")
    assert all(word in sentence for word in words), sentence


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "slots"
    done = motes("train", "iodine-quick", *DATA, *SMALL, *TRAINING, "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for number in range(3):
        Image.fromarray(random.integers(0, 255, (20, 20, 3), np.uint8)).save(folder / f"{number}.png")
    return folder


def test_slots_are_encoded_and_their_options_can_be_changed(run, pictures, tmp_path):
    assert motes("encode", run, pictures, "--out", tmp_path / "slots").returncode == 0
    with (tmp_path / "slots" / "slots.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 3 * 2 and {"share", "code_3"} <= rows[0].keys()
    assert len(list((tmp_path / "slots").glob("*-slots.png"))) == 3
    more = ["--model.updates", 3, 7, "--model.starts", 3, 2]
    assert motes("encode", run, pictures, "--out", tmp_path / "more", *more).returncode == 0
    before, after = (np.load(tmp_path / name / "slots.npz") for name in ("slots", "more"))
    assert before["codes"].shape == (3, 2, 4) and after["codes"].shape == (3, 3, 4)
    assert (after["presence"].sum(1) >= 2).all()


def test_slots_are_scored_drawn_and_told_about(run, pictures, tmp_path):
    scores = tmp_path / "scores.json"
    done = motes("evaluate", run, "--scores", "masks", "pictures", "--json", scores, "--model.updates", 3, 2)
    assert done.returncode == 0, done.stderr
    assert {"ari", "ari_fg", "mbo", "mse"} <= json.loads(scores.read_text()).keys()
    assert motes("reconstruct", run, pictures, "--out", tmp_path / "drawn").returncode == 0
    assert len(list((tmp_path / "drawn").glob("*.png"))) == 3
    assert "iodine" in motes("info", run).stdout


def test_things_of_videos_are_followed_and_tracks_are_scored(run, pictures, tmp_path):
    done = motes("track", run, pictures, "--out", tmp_path / "tracks", "--no-film")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "tracks" / "tracks.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert {row["track"] for row in rows} <= {"0", "1"} and {row["frame"] for row in rows} <= {"0", "1", "2"}
    alone = motes("track", run, pictures, "--out", tmp_path / "alone", "--no-film", "--model.carry", 0)
    assert alone.returncode == 0, alone.stderr
    scores = tmp_path / "scores.json"
    clips = ["--data", "balls", "--data.image-size", 20, 20, "--data.frames", 3, "--limit", 6]
    done = motes("evaluate", run, *clips, "--scores", "tracks", "masks", "--json", scores)
    assert done.returncode == 0, done.stderr
    assert {"mota", "idf1_boxes", "number_hota", "ari_fg_over_time"} <= json.loads(scores.read_text()).keys()


def test_what_cannot_be_is_one_sentence(run, pictures, tmp_path):
    out = ["--out", tmp_path / "no"]
    train = ["train", "iodine-quick", *DATA, *out]
    refused(motes(*train, "--model.slots", 1), "slots", "at least 2")
    refused(motes(*train, "--model.updates", 0, 5), "updates", "at least 1")
    refused(motes(*train, "--model.likelihood", "gausian"), "did you mean 'gaussian'")
    refused(motes(*train, "--model.carry", -1), "carry")
    rival = ["train", "slot-attention-quick", *DATA, *out]
    refused(motes(*rival, "--model.slots", 1), "at least 2 slots")
    refused(motes(*rival, "--model.updates", 0), "updates", "at least 1")
    refused(motes(*rival, "--model.gradient", "implicitt"), "did you mean 'implicit'")
    refused(motes("encode", run, pictures, *out, "--model.updates", 3, 0), "updates")
    refused(motes("encode", run, pictures, *out, "--model.code-dim", 9), "code_dim", "train another")
    refused(motes("evaluate", run, "--model.start", 3), "did you mean", "--model.starts")
    refused(motes("evaluate", run, "--data.image-size", 30, 30), "resize")
    gaps = np.full((20, 20, 20, 3), np.nan, np.float32)
    np.save(tmp_path / "gaps.npy", gaps)
    refused(motes("evaluate", run, "--data", tmp_path / "gaps.npy", "--scores", "pictures"), "NaN")
    assert not (tmp_path / "no").exists()
