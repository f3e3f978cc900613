"""A device that is not there is refused in a sentence, wherever it is named; without a name there is always one."""

import pytest
import torch

from motes.apps.cli.main import main
from motes.errors import UserError
from motes.models.codes.vae import VaeConfig, VariationalAutoencoder
from motes.models.devices import device_named


@pytest.fixture
def without_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_a_machine_without_a_gpu_computes_on_the_processor(without_gpus):
    assert device_named() == "cpu" and device_named("cpu") == "cpu"


def test_a_machine_with_a_gpu_computes_there_unless_told_otherwise(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_named() == "cuda" and device_named("cuda:1") == "cuda:1" and device_named("cpu") == "cpu"


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps"])
def test_a_device_that_is_not_there_is_named_with_what_to_do(without_gpus, name):
    with pytest.raises(UserError, match=f"no device {name.partition(':')[0]}.*--device cpu"):
        device_named(name)


@pytest.mark.parametrize("command", ["encode", "reconstruct", "evaluate", "track", "predict", "train"])
def test_every_command_that_computes_refuses_it_and_writes_nothing(
    without_gpus, command, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    VariationalAutoencoder(VaeConfig(image_size=(16, 16), code_dim=2, width=4)).save(tmp_path / "model")
    (tmp_path / "clip.mp4").touch()
    words = {
        "evaluate": ["model", "--data", "shapes", "--limit", "4"],
        "train": ["autoencoder", "--data", "shapes", "--data.count", "8", "--steps", "2", "--out", "out"],
        "predict": ["model", "balls", "--out", "out"],
        "track": ["model", ".", "--out", "out"],
    }
    (tmp_path / "1.png").touch()
    (tmp_path / "2.png").touch()
    with pytest.raises(SystemExit) as end:
        main([command, *words.get(command, ["model", "1.png", "--out", "out"]), "--device", "cuda"])
    assert end.value.code == 2 and "no device cuda" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
