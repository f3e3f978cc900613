"""A model that asks for clips is given whole ones: in training on one process and on two, in validation, scores and sessions."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from clip_model import CLIP, register, unregister
from watchers import StopAt

from motes import load
from motes.apps.session.session import Session
from motes.data.source import Source
from motes.evaluation import Asked, evaluate
from motes.training import loop
from motes.training.recipe import Recipe, Training

TRAINING = Training(steps=9, batch_size=16, evaluate_every=3, validation_pictures=20, warm_steps=1)
BALLS = {"image_size": [16, 16], "count": 6, "held_out": 4, "frames": CLIP}
RECIPE = Recipe("watching", Source("balls", BALLS), {}, TRAINING)


@pytest.fixture(autouse=True)
def known():
    register()
    yield
    unregister()


@pytest.mark.parametrize(
    "data, config",
    [
        ("balls", BALLS),
        ("rolling", {"image_size": [16, 16], "count": 6, "held_out": 4, "frames": CLIP}),
        ("traffic", {"image_size": [16, 16], "count": 48, "held_out": 32, "frames": CLIP}),
    ],
)
@pytest.mark.slow
def test_training_validation_and_scores_hand_over_whole_clips(tmp_path, data, config):
    recipe = Recipe("watching", Source(data, config), {}, replace(TRAINING, steps=3))
    model = load(loop.train(recipe, tmp_path / "run"))
    scores = evaluate(model, recipe.data.open("test"), limit=20, batch=12, asked=Asked(("pictures", "elbo")))
    assert scores["psnr"].value > 0 and scores["loss/error"].value > 0


def test_stopped_and_resumed_equals_uninterrupted(tmp_path):
    loop.train(RECIPE, tmp_path / "whole")
    with pytest.raises(loop.Stopped):
        loop.train(RECIPE, tmp_path / "parts", StopAt(3))
    loop.resume(tmp_path / "parts")
    whole, parts = (load(tmp_path / name).state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(value, parts[key]) for key, value in whole.items())


TWO = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from accelerate import PartialState
assert PartialState(cpu=True).num_processes == 2
from test_clips import RECIPE, loop, register
register()
loop.train(RECIPE, Path(sys.argv[1]) / "two")
"""


@pytest.mark.slow
def test_two_processes_learn_from_the_same_clips_as_one(tmp_path):
    (tmp_path / "two.py").write_text(TWO)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(
        [
            *command,
            str(tmp_path / "two.py"),
            str(tmp_path),
            str(Path(__file__).parent),
            str(Path(__file__).parents[1]),
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loop.train(RECIPE, tmp_path / "one")
    one, two = (
        [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    )
    assert len(one) == len(two)
    for a, b in zip(one, two, strict=True):
        key = "validation" if "validation" in a else "total"
        assert b[key] == pytest.approx(a[key], rel=1e-4)


def test_a_video_is_encoded_in_whole_clips_and_pictures_alone(tmp_path):
    av = pytest.importorskip("av", reason="needs pip install 'motes[video]'")
    with av.open(str(tmp_path / "film.mp4"), "w") as film:
        stream = film.add_stream("libx264", rate=10)
        stream.width = stream.height = 32
        for n in range(10):
            pixels = torch.full((32, 32, 3), 20 * n, dtype=torch.uint8).numpy()
            film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        film.mux(stream.encode(None))
    from PIL import Image

    Image.new("RGB", (20, 20), "teal").save(tmp_path / "one.png")
    session = Session(load(loop.train(RECIPE, tmp_path / "run")))
    sources = [tmp_path / "one.png", tmp_path / "film.mp4", tmp_path / "one.png"]
    for batch in (5, 32):
        parts = list(session.encode_files(sources, batch=batch))
        codes = torch.cat([part.latent.vector for part in parts])
        assert codes[:, 1].tolist() == [0, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 0]
        assert codes[:, 2].tolist() == [1] + [4] * 8 + [2] * 2 + [1], "the last clip of the film is shorter"
        assert sum(len(part.paths) for part in parts) == 12
