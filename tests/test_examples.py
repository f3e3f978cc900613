"""The examples run as they stand."""

import math
import runpy
from pathlib import Path

import torch
from PIL import Image

from motes.models import MODELS

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_own_loop_runs():
    assert math.isfinite(runpy.run_path(str(EXAMPLES / "own_loop.py"))["main"](3))


def test_move_a_particle_writes_its_picture(tmp_path):
    torch.manual_seed(0)
    MODELS["dlp"](MODELS["dlp"].Config(image_size=(32, 32), num_particles=2, glimpse_size=8)).save(
        tmp_path / "model"
    )
    Image.new("RGB", (40, 30), "teal").save(tmp_path / "one.png")
    runpy.run_path(str(EXAMPLES / "move_a_particle.py"))["main"](
        str(tmp_path / "model"), str(tmp_path / "one.png"), str(tmp_path / "moved.png")
    )
    assert Image.open(tmp_path / "moved.png").width == 3 * 256 + 2 * 6
