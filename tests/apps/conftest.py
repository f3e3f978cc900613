"""A small run for the studio's tests: untrained, but whole."""

import pytest
import torch
from small import SMALL

from motes.data.source import Source
from motes.models import MODELS
from motes.training.recipe import Recipe
from motes.training.run import Run


@pytest.fixture(scope="session")
def make_run():
    return _make_run


def _make_run(folder, name="dlp", checkpoint=True, **options):
    torch.manual_seed(0)
    told = {**SMALL[name], "image_size": (32, 32), "channels": 3, **options}
    model = MODELS[name](MODELS[name].Config(**told)).eval()
    if name == "dlp-masked":
        list(model.networks.scene.parameters())[-1].data.fill_(
            0.5
        )  # untrained, it would draw blacker than black
    if name == "vae":
        model.draw.colour.weight.data.mul_(
            30
        )  # untrained, a number of its code would move no pixel by a whole step
    data = {"image_size": [32, 32], "count": 8, "held_out": 6}
    Recipe(name, Source("shapes", data), {}).save(folder)
    run = Run(folder)
    run.checkpoints.mkdir()
    run.pictures.mkdir()
    run.record({"step": 0, "stage": "main", "total": 2.0, "terms": {"error": 2.0}, "seconds": 1.0})
    if checkpoint:
        run.save(
            model,
            {"nothing": torch.zeros(1)},
            {"step": 0, "stage": 0, "elapsed": 0.0, "best": 1.0},
            best=True,
        )
    return folder
