"""A precision that is left open is settled by measuring, before the run is written down."""

import json

import pytest

from motes.data.source import Source
from motes.training import precision
from motes.training.loop import resume, train
from motes.training.recipe import Recipe, Training

DATA = Source("shapes", {"image_size": [16, 16], "count": 8, "held_out": 4})


def recipe(**training):
    options = Training(steps=2, batch_size=4, validation_pictures=4, precision="auto", **training)
    return Recipe("autoencoder", DATA, {"code_dim": 4, "width": 8}, options)


@pytest.mark.parametrize(
    ("seconds", "chosen"), [((1.0, 0.7), "bf16"), ((1.0, 0.99), "fp32"), ((1.0, 4.0), "fp32")]
)
def test_the_quicker_precision_is_chosen_and_written_down(monkeypatch, tmp_path, seconds, chosen):
    monkeypatch.setattr(
        precision, "measured", lambda step, device: dict(zip(("fp32", "bf16"), seconds, strict=True))
    )
    run = train(recipe(), tmp_path / "run")
    assert json.loads((run / "run.json").read_text())["training"]["precision"] == chosen
    assert resume(run) == run
    _, sentence = precision.with_precision(recipe())
    assert f"{seconds[1]:.2f}" in sentence and chosen in sentence


def test_measuring_takes_steps_in_both_precisions(monkeypatch):
    measured = []
    monkeypatch.setattr(
        precision,
        "measured",
        lambda step, device, measure=precision.measured: (
            measured.append(measure(step, device)) or measured[0]
        ),
    )
    settled, _ = precision.with_precision(recipe(pairs=True))
    assert settled.training.precision in ("fp32", "bf16")
    assert set(measured[0]) == {"fp32", "bf16"} and min(measured[0].values()) > 0
