"""Runs of clips, untrained: particles that are followed, and a model that predicts them."""

import pytest
import torch
from small import SMALL

from motes.data.source import Source
from motes.models import MODELS
from motes.training.recipe import Recipe

FRAMES = 12
DATA = {"image_size": [32, 32], "count": 2 * FRAMES, "held_out": 2 * FRAMES, "frames": FRAMES}


def write_run(folder, name, **options):
    """A run on the clips of balls that collide."""
    torch.manual_seed(0)
    config = MODELS[name].Config(**{**SMALL[name], "image_size": (32, 32), "channels": 3, **options})
    MODELS[name](config).eval().save(folder / "checkpoints" / "best")
    Recipe(name, Source("balls", DATA), {}).save(folder)
    return folder


@pytest.fixture(scope="session")
def clip_runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return [
        write_run(folder / "motion", "dlp-graph", motion="gaussian"),
        write_run(folder / "stills", "dlp"),
    ]
