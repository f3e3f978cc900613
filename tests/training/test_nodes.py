"""Training over machines: two launchers that meet on this one learn what one process does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from motes.apps.cli.main import main
from motes.apps.studio.ports import free_port

DATA = ["--data", "shapes", "--data.image-size", "16", "16", "--data.count", "16", "--data.held-out", "4"]
TRAINING = ["--steps", "6", "--training.batch-size", "4", "--training.evaluate-every", "3"]
WORDS = ["train", "autoencoder", *DATA, "--model.code-dim", "4", "--model.width", "8", *TRAINING]


def records(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_two_nodes_learn_what_one_process_does(tmp_path):
    meeting = [
        "--rdzv_id",
        "motes",
        "--rdzv_backend",
        "c10d",
        "--rdzv_endpoint",
        f"127.0.0.1:{free_port('127.0.0.1')}",
    ]
    launcher = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nnodes",
        "2",
        "--nproc_per_node",
        "1",
        *meeting,
    ]
    command = [
        *launcher,
        "-m",
        "motes.apps.cli.main",
        *WORDS,
        "--device",
        "cpu",
        "--out",
        str(tmp_path / "two"),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    nodes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [node.communicate() for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], said
    with pytest.raises(SystemExit):
        main([*WORDS, "--out", str(tmp_path / "one")])
    one = records(tmp_path / "one")
    two = records(tmp_path / "two")
    assert [line["step"] for line in one] == [line["step"] for line in two], "one process wrote the run"
    for line, other in zip(one, two, strict=True):
        key = "validation" if "validation" in line else "total"
        assert other[key] == pytest.approx(line[key], rel=1e-4)
