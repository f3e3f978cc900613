"""A run stopped anywhere and resumed is the run that never stopped, bit for bit; what goes wrong leaves the last checkpoint whole."""

import json
import os
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from watchers import StopAt

from motes import load
from motes.data.source import Source
from motes.errors import UserError
from motes.training import loop, running
from motes.training.recipe import Recipe, Training
from motes.training.run import Run

DLP = {
    "num_particles": 3,
    "num_proposals": 6,
    "glimpse_size": 8,
    "phases": (0.3, 0.3),
    "presence_weight": 0.1,
}
DATA = {"image_size": (32, 32), "count": 60, "held_out": 20}
SHORT = Training(
    steps=12, batch_size=8, learning_rate=1e-3, warm_steps=2, evaluate_every=4, validation_pictures=16
)
RECIPES = {
    "dlp": Recipe("dlp", Source("shapes", DATA), DLP, SHORT),
    "averaged": Recipe("dlp", Source("shapes", DATA), DLP, replace(SHORT, average=0.9)),
    "glo": Recipe(
        "glo", Source("shapes", DATA), {"code_dim": 4, "width": 16}, replace(SHORT, validation_pictures=4)
    ),
    "glann": Recipe(
        "glann",
        Source("shapes", DATA),
        {"code_dim": 4, "width": 8, "sampler_share": 0.75},
        replace(SHORT, validation_pictures=4),
    ),
    "iodine": Recipe(
        "iodine",
        Source("shapes", DATA),
        {"code_dim": 4, "side": 8, "decoder": (8, 2, 3), "reader": (8,), "hidden": (8,), "memory": 8},
        replace(SHORT, validation_pictures=4),
    ),
    "vae": Recipe("vae", Source("shapes", DATA), {"code_dim": 4, "width": 8}, SHORT),
}


class KilledAt:
    """A watcher under which the process dies at a step's line of metrics."""

    def __init__(self, step):
        self.at = step

    def step(self, record):
        if record["step"] == self.at:
            raise RuntimeError("killed")

    def evaluated(self, record, model, run):
        pass


def final(folder):
    last = folder / "checkpoints" / "last"
    return load_file(last / "model.safetensors") | load_file(last / "training.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "vae" else pytest.mark.slow) for name in RECIPES]
)
def test_stopped_and_resumed_equals_uninterrupted(name, tmp_path):
    loop.train(RECIPES[name], tmp_path / "whole")
    with pytest.raises(loop.Stopped, match="--resume"):
        loop.train(RECIPES[name], tmp_path / "parts", StopAt(4))  # in the middle of dlp's noisy stage
    step = json.loads((tmp_path / "parts/checkpoints/last/training.json").read_text())["step"]
    assert 4 <= step < 12
    loop.resume(tmp_path / "parts")
    assert same(final(tmp_path / "whole"), final(tmp_path / "parts"))
    whole, parts = (
        [line for line in Run(tmp_path / one).read_metrics() if "total" in line] for one in ("whole", "parts")
    )
    assert [(line["step"], line["total"]) for line in whole] == [
        (line["step"], line["total"]) for line in parts
    ]


@pytest.mark.parametrize("killed", [0, 10, 20])
@pytest.mark.slow
def test_a_run_killed_at_a_step_keeps_no_line_of_metrics_twice(killed, tmp_path):
    recipe = replace(
        RECIPES["vae"], training=replace(SHORT, steps=24, evaluate_every=10)
    )  # checkpoints at steps that have a line
    loop.train(recipe, tmp_path / "whole")
    with pytest.raises(RuntimeError, match="killed"):
        loop.train(recipe, tmp_path / "parts", KilledAt(killed))
    loop.resume(tmp_path / "parts")  # killed at 0: there is no checkpoint, it begins again
    assert same(final(tmp_path / "whole"), final(tmp_path / "parts"))
    whole, parts = (
        [
            (line["step"], line.get("total"), line.get("validation"))
            for line in Run(tmp_path / one).read_metrics()
        ]
        for one in ("whole", "parts")
    )
    assert whole == parts


@pytest.mark.parametrize("place", ["best", "last"])
def test_killed_between_a_checkpoint_and_its_links(place, tmp_path, monkeypatch):
    held_out = iter([3.0, 1.0, 2.0])  # the second checkpoint is the best
    monkeypatch.setattr(running, "validate", lambda *rest: {"validation": next(held_out), "terms": {}})
    real = Run._point

    def dies(self, name, target):
        if name == place and target.name == "step-0000008":
            raise KeyboardInterrupt
        real(self, name, target)

    monkeypatch.setattr(Run, "_point", dies)
    with pytest.raises(KeyboardInterrupt):
        loop.train(RECIPES["vae"], tmp_path)
    monkeypatch.setattr(Run, "_point", real)
    if place == "last":  # resumes from step 4 and validates step 8 again
        held_out = iter([1.0, 2.0])
    loop.resume(tmp_path)
    assert (tmp_path / "checkpoints/best").resolve().name == "step-0000008"


def test_links_that_were_lost_on_the_way_are_mended(tmp_path):
    loop.train(RECIPES["vae"], tmp_path)
    before = {name: (tmp_path / "checkpoints" / name).resolve() for name in ("last", "best")}
    for name in before:
        (tmp_path / "checkpoints" / name).unlink()
    loop.resume(tmp_path)
    assert {name: (tmp_path / "checkpoints" / name).resolve() for name in before} == before


@pytest.mark.slow
def test_a_second_run_in_one_process_may_have_another_precision(tmp_path):
    loop.train(RECIPES["dlp"], tmp_path / "fp32")
    loop.train(replace(RECIPES["dlp"], training=replace(SHORT, precision="bf16")), tmp_path / "bf16")
    full, half = (Run(tmp_path / one).read_metrics()[-1]["validation"] for one in ("fp32", "bf16"))
    assert half == pytest.approx(full, rel=0.1)
    assert not same(final(tmp_path / "fp32"), final(tmp_path / "bf16"))


@pytest.mark.parametrize(
    "field, value",
    [
        ("steps", 0),
        ("evaluate_every", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("average", 1.0),
        ("seed", -1),
        ("clip_norm", -1.0),
    ],
)
def test_what_cannot_be_trained_by_is_named_before_anything_is_written(field, value, tmp_path):
    with pytest.raises(UserError, match=field):
        loop.train(replace(RECIPES["vae"], training=replace(SHORT, **{field: value})), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "name, text",
    [("training.json", "[]"), ("training.json", "{"), ("training.safetensors", "x"), ("config.json", "{}")],
)
def test_a_damaged_checkpoint_is_not_resumed(name, text, tmp_path):
    loop.train(RECIPES["vae"], tmp_path)
    (tmp_path / "checkpoints/last" / name).write_text(text)
    with pytest.raises(UserError, match="damaged"):
        loop.resume(tmp_path)


def test_another_seed_is_another_run(tmp_path):
    loop.train(RECIPES["vae"], tmp_path / "a")
    loop.train(replace(RECIPES["vae"], training=replace(SHORT, seed=1)), tmp_path / "b")
    assert not same(final(tmp_path / "a"), final(tmp_path / "b"))


@pytest.mark.slow
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
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder), str(tmp_path / "recipe")], stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while (
            not (folder / "checkpoints/last").exists()
            and process.poll() is None
            and time.monotonic() < deadline
        ):
            time.sleep(0.02)
        time.sleep(delay)
        process.kill()
        process.wait()
    loop.resume(folder)
    assert same(final(tmp_path / "whole"), final(folder))
    assert not list((folder / "checkpoints").glob(".*"))


def test_best_is_the_lowest_validation_and_loads(tmp_path):
    loop.train(RECIPES["vae"], tmp_path / "run")
    found = [
        (line["validation"], line["step"])
        for line in Run(tmp_path / "run").read_metrics()
        if "validation" in line
    ]
    best = json.loads((tmp_path / "run/checkpoints/best/training.json").read_text())
    assert best["step"] == min(found)[1]
    assert load(tmp_path / "run").training is False


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(tmp_path, monkeypatch):
    from motes.models.codes import vae

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
    with pytest.raises(UserError, match=r"kl became not finite at step \d+ on pictures \d+, "):
        loop.train(RECIPES["vae"], tmp_path / "run")
    assert load(tmp_path / "run") is not None


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    from motes.training import run as room

    real = room.save_tensors

    def full(tensors, path):
        if "step-0000008" in str(path):
            raise OSError(28, "No space left on device")
        real(tensors, path)

    monkeypatch.setattr(room, "save_tensors", full)
    with pytest.raises(UserError, match="No space left"):
        loop.train(RECIPES["vae"], tmp_path / "run")
    assert (tmp_path / "run/checkpoints/last").resolve().name == "step-0000004"
    assert not list((tmp_path / "run/checkpoints").glob(".*.part"))
    monkeypatch.setattr(room, "save_tensors", real)
    loop.resume(tmp_path / "run")
    loop.train(RECIPES["vae"], tmp_path / "whole")
    assert same(final(tmp_path / "whole"), final(tmp_path / "run"))


def test_a_run_is_not_overwritten_and_sizes_are_checked(tmp_path):
    loop.train(RECIPES["vae"], tmp_path / "run")
    with pytest.raises(UserError, match="--resume"):
        loop.train(RECIPES["vae"], tmp_path / "run")
    with pytest.raises(UserError, match="not a multiple of patch_size 8; try 24 or 32"):
        loop.train(
            replace(RECIPES["dlp"], data=RECIPES["dlp"].data.changed({"image_size": (30, 32)})),
            tmp_path / "odd",
        )
    assert not (tmp_path / "odd").exists()
    with pytest.raises(UserError, match="no run"):
        loop.resume(tmp_path / "nothing")


TWO = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from accelerate import PartialState
from test_loop import RECIPES, SHORT, replace
from motes.training import loop
state = PartialState(cpu=True)
assert state.num_processes == 2
here = Path(sys.argv[1])
for name in ("dlp", "vae", "glo"):
    loop.train(RECIPES[name], here / name)
(here / f"process-{state.process_index}").touch()


class Signals:  # one of the two processes is asked to stop; both must
    def step(self, record):
        if record["step"] == 0:
            os.kill(os.getpid(), signal.SIGINT)

    def evaluated(self, record, model, run):
        pass


recipe = replace(RECIPES["vae"], training=replace(SHORT, max_minutes=60.0))
try:
    loop.train(recipe, here / "stopped", Signals())
    raise AssertionError("it went on")
except loop.Stopped:
    loop.resume(here / "stopped")
"""


@pytest.mark.slow
def test_two_processes_learn_what_one_does_and_stop_together(tmp_path):
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
        [*command, str(tmp_path), str(Path(__file__).parent), str(Path(__file__).parents[1])],
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "process-0").exists() and (tmp_path / "process-1").exists()
    for name in ("dlp", "vae", "glo"):
        loop.train(RECIPES[name], tmp_path / f"one-{name}")
        one, two = (Run(tmp_path / folder).read_metrics() for folder in (f"one-{name}", name))
        assert len(one) == len(two)
        for a, b in zip(one, two, strict=True):
            key = "validation" if "validation" in a else "total"
            # later a rounding may choose another anchor
            close = 1e-5 if a["step"] == 0 else 2e-2
            assert b[key] == pytest.approx(a[key], rel=close), name
    stopped = [line["step"] for line in Run(tmp_path / "stopped").read_metrics() if "validation" in line]
    assert stopped[0] < 4 and stopped[-1] == 12


def test_all_files_of_a_run_are_as_readable_as_the_umask_says(tmp_path):
    before = os.umask(0o022)
    try:
        loop.train(replace(RECIPES["vae"], training=replace(SHORT, steps=2)), tmp_path / "run")
    finally:
        os.umask(before)
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"model.safetensors", "training.safetensors", "run.json"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o644}
