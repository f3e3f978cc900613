"""The clock of training: what others do on the machine does not count, nor does what is no training."""

import time
from dataclasses import replace

import pytest
import torch
from watchers import StopAt

from motes.training import clock, loop
from motes.training.clock import Clock
from motes.training.length import clock_sentence
from motes.training.run import Run
from tests.training.test_loop import RECIPES, SHORT, final, same


class Machine:
    """A machine on which seconds pass as they are told to."""

    def __init__(self, monkeypatch, threads=2):
        self.wall = self.cpu = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.wall)
        monkeypatch.setattr(time, "process_time", lambda: self.cpu)
        monkeypatch.setattr(clock.torch, "get_num_threads", lambda: threads)

    def passes(self, wall, cpu):
        self.wall += wall
        self.cpu += cpu


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)


def test_a_quiet_machine_counts_wall_seconds_and_a_busy_one_its_own_share(machine):
    ours = Clock(5.0, torch.device("cpu"))
    machine.passes(wall=10, cpu=20)
    assert ours.seconds() == 15, "both threads had a core"
    machine.passes(wall=30, cpu=20)
    assert ours.seconds() == 25, "others had the cores for two thirds of the time"
    machine.passes(wall=60, cpu=0)
    assert ours.seconds() == 25, "a machine that stands still"


def test_more_threads_than_torch_counts_cost_no_more_than_the_wall_clock_says(machine):
    ours = Clock(0.0, torch.device("cpu"))
    machine.passes(wall=10, cpu=30)  # a thread that makes pictures had a third core
    assert ours.seconds() == 10


def test_what_is_no_training_is_not_counted(machine):
    ours = Clock(0.0, torch.device("cpu"))
    machine.passes(wall=2, cpu=4)
    with ours.paused():
        machine.passes(wall=50, cpu=100)
    with ours.waiting():
        machine.passes(wall=3, cpu=6)
    assert ours.seconds() == 5, "on a CPU the pictures are part of what a step costs"
    with pytest.raises(KeyboardInterrupt), ours.paused():
        machine.passes(wall=50, cpu=100)
        raise KeyboardInterrupt
    assert ours.seconds() == 5


def test_on_a_gpu_the_wall_clock_counts_but_not_waiting_for_pictures(machine):
    ours = Clock(1.0, torch.device("cuda"))
    machine.passes(wall=10, cpu=0.5)
    with ours.waiting():
        machine.passes(wall=7, cpu=7)
    with ours.paused():
        machine.passes(wall=7, cpu=7)
    assert ours.seconds() == 11


class Steady(Clock):
    """Every reading is half a minute later, whatever the machine does."""

    def __init__(self, spent, device):
        super().__init__(spent, device)
        self.read = spent

    def seconds(self):
        self.read += 30.0
        return self.read


def test_a_run_that_the_clock_ended_says_so_and_resumes_bit_for_bit(tmp_path, monkeypatch):
    monkeypatch.setattr("motes.training.running.Clock", Steady)
    timed = replace(RECIPES["vae"], training=replace(SHORT, max_minutes=3.0))
    loop.train(timed, tmp_path / "whole")
    assert clock_sentence(tmp_path / "whole") == (
        "stopped by max_minutes after 6 of 12 steps (the schedule was shortened to fit)"
    )

    with pytest.raises(loop.Stopped):
        loop.train(timed, tmp_path / "parts", StopAt(4))
    assert clock_sentence(tmp_path / "parts") == "", "it was stopped by a hand"
    loop.resume(tmp_path / "parts")
    assert same(final(tmp_path / "whole"), final(tmp_path / "parts"))
    seconds = [line["seconds"] for line in Run(tmp_path / "parts").read_metrics() if "total" in line]
    assert seconds == sorted(seconds)


def test_a_run_whose_steps_end_first_is_not_said_to_be_cut(tmp_path, monkeypatch):
    monkeypatch.setattr("motes.training.running.Clock", Steady)
    loop.train(replace(RECIPES["vae"], training=replace(SHORT, max_minutes=6.0)), tmp_path / "run")
    assert clock_sentence(tmp_path / "run") == ""
    assert clock_sentence(tmp_path / "nothing") == ""


def test_validation_and_drawing_take_no_time_of_the_schedule(tmp_path, monkeypatch):
    """Half a minute of CPU passes in each validation; training itself takes none."""
    spent = [0.0]
    monkeypatch.setattr(time, "process_time", lambda: spent[0])

    class Draws:
        def step(self, record):
            pass

        def evaluated(self, record, model, run):
            spent[0] += 30.0 * torch.get_num_threads()

    loop.train(replace(RECIPES["vae"], training=replace(SHORT, max_minutes=1.0)), tmp_path / "run", Draws())
    last = Run(tmp_path / "run").read_metrics()[-1]
    assert last["step"] == 12 and clock_sentence(tmp_path / "run") == ""
