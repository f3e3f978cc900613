"""A run stopped anywhere and resumed is the run that never stopped, bit for bit; what goes wrong leaves the last checkpoint whole."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from motes import load
from motes.errors import UserError
from motes.training import loop
from motes.training.recipe import Recipe, Training
from motes.training.run import Run

DLP = {"num_particles": 3, "num_proposals": 6, "glimpse_size": 8, "phases": (0.3, 0.3), "presence_weight": 0.1}
DATA = {"image_size": (32, 32), "count": 60, "held_out": 20}
SHORT = Training(steps=12, batch_size=8, learning_rate=1e-3, warm_steps=2, evaluate_every=4, validation_pictures=16)
RECIPES = {
    "dlp": Recipe("dlp", "shapes", DLP, DATA, SHORT),
    "averaged": Recipe("dlp", "shapes", DLP, DATA, replace(SHORT, average=0.9)),
    "glo": Recipe("glo", "shapes", {"code_dim": 4, "width": 16}, DATA, replace(SHORT, validation_pictures=4)),
    "vae": Recipe("vae", "shapes", {"code_dim": 4, "width": 8}, DATA, SHORT),
}


class StopAt:
    """A watcher that presses Ctrl-C after a step."""

    def __init__(self, step):
        self.at = step

    def step(self, record):
        pass

    def evaluated(self, record, model, run):
        if record["step"] == self.at:
            os.kill(os.getpid(), signal.SIGINT)


def final(folder):
    last = folder / "checkpoints" / "last"
    return load_file(last / "model.safetensors") | load_file(last / "training.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", RECIPES)
def test_stopped_and_resumed_equals_uninterrupted(name, tmp_path):
    loop.train(RECIPES[name], tmp_path / "whole")
    with pytest.raises(loop.Stopped, match="--resume"):
        loop.train(RECIPES[name], tmp_path / "parts", StopAt(4))  # in the middle of dlp's noisy stage
    step = json.loads((tmp_path / "parts/checkpoints/last/training.json").read_text())["step"]
    assert 4 <= step < 12
    loop.resume(tmp_path / "parts")
    assert same(final(tmp_path / "whole"), final(tmp_path / "parts"))
    whole, parts = ([line for line in Run(tmp_path / one).read_metrics() if "total" in line] for one in ("whole", "parts"))
    assert [(line["step"], line["total"]) for line in whole] == [(line["step"], line["total"]) for line in parts]


def test_another_seed_is_another_run(tmp_path):
    loop.train(RECIPES["vae"], tmp_path / "a")
    loop.train(replace(RECIPES["vae"], training=replace(SHORT, seed=1)), tmp_path / "b")
    assert not same(final(tmp_path / "a"), final(tmp_path / "b"))


def test_a_killed_run_resumes_to_the_same_weights(tmp_path):
    recipe = replace(RECIPES["vae"], training=replace(SHORT, steps=60, evaluate_every=2))
    loop.train(recipe, tmp_path / "whole")
    code = (
        "import sys, json; from pathlib import Path; from motes.training import loop; from motes.training.recipe import read_recipe\n"
        "folder = Path(sys.argv[1])\n"
        "loop.resume(folder) if (folder / 'checkpoints/last').exists() else loop.train(read_recipe(Path(sys.argv[2])), folder)"
    )
    recipe.save(tmp_path / "recipe")
    folder = tmp_path / "killed"
    for delay in (0.5, 0.9):
        process = subprocess.Popen([sys.executable, "-c", code, str(folder), str(tmp_path / "recipe")], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not (folder / "checkpoints/last").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(delay)
        process.kill()
        process.wait()
    loop.resume(folder)
    assert same(final(tmp_path / "whole"), final(folder))
    assert not list((folder / "checkpoints").glob(".*"))


def test_best_is_the_lowest_validation_and_loads(tmp_path):
    loop.train(RECIPES["vae"], tmp_path / "run")
    found = [(line["validation"], line["step"]) for line in Run(tmp_path / "run").read_metrics() if "validation" in line]
    best = json.loads((tmp_path / "run/checkpoints/best/training.json").read_text())
    assert best["step"] == min(found)[1]
    assert load(tmp_path / "run").training is False


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(tmp_path, monkeypatch):
    from motes.models import vae

    healthy = vae.VariationalAutoencoder.loss
    calls = []

    def poisoned(self, batch):
        losses = healthy(self, batch)
        calls.append(1)
        if self.training and len(calls) > 8:
            terms = {**losses.terms, "kl": losses.terms["kl"] * float("nan")}
            return replace(losses, total=losses.total * float("nan"), terms=terms)
        return losses

    monkeypatch.setattr(vae.VariationalAutoencoder, "loss", poisoned)
    with pytest.raises(UserError, match=r"kl became not finite at step \d+ on pictures \["):
        loop.train(RECIPES["vae"], tmp_path / "run")
    assert load(tmp_path / "run") is not None


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    from motes.training import run as room

    real = room.save_file

    def full(tensors, path):
        if "step-0000008" in str(path):
            raise OSError(28, "No space left on device")
        real(tensors, path)

    monkeypatch.setattr(room, "save_file", full)
    with pytest.raises(UserError, match="No space left"):
        loop.train(RECIPES["vae"], tmp_path / "run")
    assert (tmp_path / "run/checkpoints/last").resolve().name == "step-0000004"
    assert not list((tmp_path / "run/checkpoints").glob(".*.part"))
    monkeypatch.setattr(room, "save_file", real)
    loop.resume(tmp_path / "run")
    loop.train(RECIPES["vae"], tmp_path / "whole")
    assert same(final(tmp_path / "whole"), final(tmp_path / "run"))


def test_a_run_is_not_overwritten_and_sizes_are_checked(tmp_path):
    loop.train(RECIPES["vae"], tmp_path / "run")
    with pytest.raises(UserError, match="--resume"):
        loop.train(RECIPES["vae"], tmp_path / "run")
    with pytest.raises(UserError, match="not a multiple of patch_size 8; try 24 or 32"):
        loop.train(replace(RECIPES["dlp"], data_config={**DATA, "image_size": (30, 32)}), tmp_path / "odd")
    assert not (tmp_path / "odd").exists()
    with pytest.raises(UserError, match="no run"):
        loop.resume(tmp_path / "nothing")


TWO = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from accelerate import PartialState
from test_loop import RECIPES
from motes.training import loop
assert PartialState(cpu=True).num_processes == 2
loop.train(RECIPES[sys.argv[3]], Path(sys.argv[1]))
"""


@pytest.mark.parametrize("name", ["dlp", "vae"])
def test_two_processes_learn_what_one_does(name, tmp_path):
    loop.train(RECIPES[name], tmp_path / "one")
    (tmp_path / "two.py").write_text(TWO)
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node",
        "2",
        str(tmp_path / "two.py"),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(
        [*command, str(tmp_path / "two"), str(Path(__file__).parent), name],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    one, two = (Run(tmp_path / count).read_metrics() for count in ("one", "two"))
    assert len(one) == len(two)
    for a, b in zip(one, two, strict=True):
        key = "validation" if "validation" in a else "total"
        assert b[key] == pytest.approx(a[key], rel=2e-2 if "validation" in a else 5e-3)
