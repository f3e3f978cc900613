"""Runs that the first storey of the house began (commit 644cab4, on another layout of modules) go on here."""

import json
import shutil
from pathlib import Path

import pytest

from motes import load
from motes.training import loop

RUNS = Path(__file__).parent / "runs_of_the_first_storey"


@pytest.mark.parametrize("name", ["dcign", "glo"])
def test_an_earlier_run_loads_and_goes_on_as_it_would_have(name, tmp_path):
    run = tmp_path / name
    shutil.copytree(RUNS / name, run, symlinks=True)
    assert load(run).config is not None
    loop.resume(run)
    expected = json.loads((RUNS / f"{name}-at-step-20.json").read_text())
    reached = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    # another processor may round otherwise; on the one that began the runs the numbers are the same to the last bit
    assert reached["step"] == 20
    assert reached["validation"] == pytest.approx(expected["validation"], rel=1e-3)
    assert reached["terms"] == pytest.approx(expected["terms"], rel=1e-3)
