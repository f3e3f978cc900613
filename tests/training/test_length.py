"""A run that goes on with another length has the schedule of that length from there on, keeps it, and says so."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from watchers import StopAt

from motes.errors import UserError
from motes.training import loop, running
from motes.training.length import Length, change_sentence, with_length
from motes.training.recipe import Change, read_recipe
from motes.training.run import Run
from motes.training.schedule import learning_rate
from tests.training.test_loop import RECIPES, SHORT, final, same

VAE = RECIPES["vae"]
LONG = Length(steps=20)


def test_a_lengthened_run_has_the_learning_rates_of_its_new_length(tmp_path, monkeypatch):
    loop.train(VAE, tmp_path)
    rates = {}

    def rate(training, step, share):
        rates[step] = learning_rate(training, step, share)
        return rates[step]

    monkeypatch.setattr(running, "learning_rate", rate)
    loop.resume(tmp_path, length=LONG)
    training = replace(SHORT, steps=20)
    assert rates == {step: learning_rate(training, step, step / 20) for step in range(12, 20)}
    assert read_recipe(tmp_path).training == training
    assert Run(tmp_path).read_metrics()[-1]["step"] == 20


def test_a_lengthened_run_that_is_stopped_keeps_its_length_and_equals_one_that_is_not(tmp_path):
    for name in ("whole", "parts"):
        loop.train(VAE, tmp_path / name)
    loop.resume(tmp_path / "whole", length=LONG)
    with pytest.raises(loop.Stopped):
        loop.resume(tmp_path / "parts", StopAt(16), length=LONG)
    loop.resume(tmp_path / "parts")
    assert same(final(tmp_path / "whole"), final(tmp_path / "parts"))
    assert read_recipe(tmp_path / "parts").changes == (Change(12, (12, 20), (0.0, 0.0)),)


def test_with_a_constant_rate_and_one_stage_it_equals_a_run_that_was_always_so_long(tmp_path):
    constant = replace(
        VAE, training=replace(SHORT, schedule="constant"), model_config={**VAE.model_config, "warm_up": 0}
    )
    loop.train(constant, tmp_path / "short")
    loop.resume(tmp_path / "short", length=LONG)
    loop.train(replace(constant, training=replace(constant.training, steps=20)), tmp_path / "long")
    assert same(final(tmp_path / "short"), final(tmp_path / "long"))


def test_a_stage_that_was_left_is_not_entered_again(tmp_path, monkeypatch):
    loop.train(replace(RECIPES["dlp"], training=replace(SHORT, steps=4)), tmp_path)
    opened = []
    real = running.Loop._open

    def opens(self, number, begin):
        opened.append((self.stages[number].name, begin))
        real(self, number, begin)

    monkeypatch.setattr(running.Loop, "_open", opens)
    loop.resume(tmp_path, length=Length(steps=14))  # 4 of 14 steps: in the first stage, if it began there
    assert opened == [("main", False)]


def test_a_run_may_be_shortened_to_what_it_has_and_no_further(tmp_path):
    with pytest.raises(loop.Stopped):
        loop.train(VAE, tmp_path, StopAt(4))
    step = json.loads((tmp_path / "checkpoints/last/training.json").read_text())["step"]
    before = (tmp_path / "run.json").read_bytes()
    with pytest.raises(UserError, match=rf"has taken {step} steps already; --steps must be at least that"):
        loop.resume(tmp_path, length=Length(steps=step - 1))
    assert (tmp_path / "run.json").read_bytes() == before
    loop.resume(tmp_path, length=Length(steps=8))
    assert Run(tmp_path).read_metrics()[-1]["step"] == 8
    loop.resume(tmp_path, length=Length(steps=8))
    assert len(read_recipe(tmp_path).changes) == 1, "the same length is no change"


def test_minutes_are_changed_with_and_without_steps(tmp_path):
    timed = replace(VAE, training=replace(SHORT, max_minutes=5.0))
    assert with_length(timed, Length(), tmp_path, 4, 60.0) is timed
    assert with_length(timed, Length(max_minutes=9.0), tmp_path, 4, 60.0).training.max_minutes == 9
    steps = with_length(timed, LONG, tmp_path, 4, 60.0)
    assert (steps.training.steps, steps.training.max_minutes) == (20, 0), "steps alone: no clock ends the run"
    both = with_length(timed, Length(20, 7.0), tmp_path, 4, 60.0)
    assert (both.training.steps, both.training.max_minutes) == (20, 7)
    with pytest.raises(UserError, match=r"trained for 1\.00 minutes already"):
        with_length(timed, Length(max_minutes=0.5), tmp_path, 4, 60.0)
    assert (
        change_sentence(both.changes[0])
        == "at step 4: 20 steps instead of 12, 7 minutes instead of 5 minutes"
    )


KILLED = """
import os, sys
from dataclasses import replace
from pathlib import Path
from motes.plain import writing
from motes.training.length import Length, with_length
from motes.training.recipe import read_recipe
folder = Path(sys.argv[1])
longer = with_length(read_recipe(folder), Length(steps=99), folder, 12, 0.0)
writing.flush = lambda path: os._exit(9)
longer.save(folder)
"""


def test_killed_while_the_new_length_is_written_the_old_one_stays_whole(tmp_path):
    VAE.save(tmp_path)
    before = (tmp_path / "run.json").read_bytes()
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=os.environ)
    assert done.returncode == 9
    assert (tmp_path / "run.json").read_bytes() == before and list(tmp_path.glob(".run.json.*.part"))
    Run(tmp_path).restore()
    assert not list(tmp_path.glob(".run.json.*.part"))


def test_killed_before_its_first_step_at_the_new_length_it_goes_on_with_it(tmp_path, monkeypatch):
    loop.train(VAE, tmp_path / "killed")
    loop.train(VAE, tmp_path / "whole")
    monkeypatch.setattr(running.Loop, "go", lambda self: (_ for _ in ()).throw(RuntimeError("killed")))
    with pytest.raises(RuntimeError, match="killed"):
        loop.resume(tmp_path / "killed", length=LONG)
    monkeypatch.undo()
    loop.resume(tmp_path / "killed")
    loop.resume(tmp_path / "whole", length=LONG)
    assert same(final(tmp_path / "whole"), final(tmp_path / "killed"))
