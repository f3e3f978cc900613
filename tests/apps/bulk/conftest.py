"""A small untrained model, some pictures, and `motes encode --parts` in this process."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from motes.apps.cli.main import main
from motes.models.particles.dlp import DeepLatentParticles, DlpConfig

pytest.importorskip("pyarrow", reason="pyarrow is not installed")

ROOT = Path(__file__).parents[3]


class Bulk:
    """Runs `motes encode MODEL PICTURES --out OUT --part-size 4 --parts` and reads what it wrote."""

    def __init__(self, folder):
        self.model = folder / "model"
        self.pictures = folder / "pictures"
        self.out = folder / "out"

    def words(self, *more):
        words = ["encode", self.model, self.pictures, "--out", self.out, "--part-size", 4, "--parts", *more]
        return [str(word) for word in words]

    def __call__(self, *more):
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as end:
            main(self.words(*more))
        return subprocess.CompletedProcess(more, end.value.code, out.getvalue(), err.getvalue())

    def start(self, *more):
        """The same in a process of its own, with one thread; `patched` folders may hold a sitecustomize.py."""
        command = [sys.executable, "-m", "motes.apps.cli.main", *self.words(*more)]
        path = os.pathsep.join([str(self.model.parent), str(ROOT)])
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
        return subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def files(self):
        """The names of all files, hidden ones too."""
        return sorted(path.name for path in self.out.iterdir())

    def parts(self):
        return sorted(self.out.glob("part-*"))

    def rows(self):
        """All rows of all parts, by the last words of their pictures' names, in order of names."""
        from pyarrow.parquet import ParquetFile

        rows = [row for path in self.parts() for row in ParquetFile(path).read().to_pylist()]
        return sorted(rows, key=lambda row: row["picture"])

    def names(self):
        return [Path(row["picture"]).name for row in self.rows()]


@pytest.fixture
def bulk(tmp_path):
    bulk = Bulk(tmp_path)
    torch.manual_seed(0)
    config = DlpConfig(image_size=(16, 16), num_particles=3, num_proposals=4, glimpse_size=8, feature_dim=2)
    DeepLatentParticles(config).save(bulk.model)
    bulk.pictures.mkdir()
    random = np.random.default_rng(0)
    for number in range(10):
        pixels = random.integers(0, 255, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(bulk.pictures / f"{number:02d}.png")
    return bulk
