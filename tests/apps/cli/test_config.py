"""--config: a run's own run.json trains the same again, YAML fills in what the words leave open, words win."""

import json

import pytest

from motes.apps.cli.main import run_command
from motes.errors import UserError
from motes.models.checkpoint import load

WORDS = ["--data", "shapes", "--steps", "3", "--data.image-size", "16", "16", "--data.count", "8"]
WORDS += ["--data.held-out", "4", "--model.width", "8", "--training.batch-size", "4"]


def train(*words):
    run_command(["train", *map(str, words)])


def recipe(run):
    facts = json.loads((run / "run.json").read_text())
    return {name: value for name, value in facts.items() if name != "preset"}


def test_a_run_is_trained_again_from_its_own_file(tmp_path, capsys):
    train("autoencoder", *WORDS, "--model.code-dim", 4, "--out", tmp_path / "first")
    train("--config", tmp_path / "first" / "run.json", "--out", tmp_path / "second")
    assert recipe(tmp_path / "second") == recipe(tmp_path / "first")
    first, second = (load(tmp_path / name).state_dict() for name in ("first", "second"))
    assert all((first[name] == second[name]).all() for name in first)


def test_words_win_over_yaml(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(
        "model: autoencoder\ndata: shapes\nmodel_config: {code_dim: 5, width: 8}\n"
        "data_config: {image_size: [16, 16], count: 8, held_out: 4}\n"
        "training: {steps: 200, batch_size: 4, learning_rate: 1e-3}\n"
    )
    train("--config", "small.yaml", "--steps", 2, "--model.code-dim", 3)
    facts = json.loads((tmp_path / "runs" / "small" / "run.json").read_text())
    assert facts["training"]["steps"] == 2 and facts["training"]["learning_rate"] == 1e-3
    assert facts["model_config"]["code_dim"] == 3 and facts["data_config"]["count"] == 8


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("model: [1", "no YAML"),
        ("just words", "names and values"),
        ("modle: dlp", "no use for modle"),
        ("model: autoencoder\ndata: shapes\nmodel_config: {width: wide}", "width"),
        ("model: autoencoder\ndata: shapes\ntraining: {stepz: 3}", "stepz"),
    ],
)
def test_wrong_files_are_refused_in_a_sentence(tmp_path, text, sentence):
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=sentence):
        train("--config", file, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_preset_beside_a_config_is_refused(tmp_path):
    with pytest.raises(UserError, match="both say what to train"):
        train("dlp-quick", "--config", tmp_path / "any.yaml")


def test_a_tracker_gets_numbers_and_pictures(tmp_path, capsys):
    pytest.importorskip("tensorboard", reason="needs pip install 'motes[log]'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = tmp_path / "run"
    words = ["--log-with", "tensorboard", "--out", run]
    train("autoencoder", *WORDS, "--model.code-dim", 4, *words)
    folder = next(path.parent for path in run.rglob("events*") if path.parent.name == "run")
    events = EventAccumulator(str(folder))
    events.Reload()
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    (loss,) = [line["total"] for line in lines if "total" in line]
    assert [scalar.value for scalar in events.Scalars("loss/total")] == pytest.approx([loss])
    assert {"loss/total", "validation/validation"} <= set(events.Tags()["scalars"])
    assert events.Images("pictures")[0].step == 3


def test_a_tracker_that_is_not_installed_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr("motes.apps.cli.trackers.find_spec", lambda package: None)
    with pytest.raises(UserError, match="pip install wandb"):
        train("autoencoder", *WORDS, "--log-with", "wandb", "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()
