"""A checkpoint folder is written whole or not at all, destroys nothing, and one that does not fit is refused in a sentence."""

import json
import os
import pickle
import resource
import signal
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from motes import load
from motes.errors import UserError
from motes.models import checkpoint
from motes.models.codes.vae import VaeConfig, VariationalAutoencoder


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VariationalAutoencoder(VaeConfig(image_size=(16, 24), code_dim=3, width=8, beta=0.5))


@pytest.fixture
def folder(model, tmp_path):
    model.save(tmp_path / "kept")
    return tmp_path / "kept"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def change(folder, **changes):
    path = folder / "config.json"
    facts = json.loads(path.read_text())
    for key, value in changes.items():
        (facts if key in facts else facts["config"])[key] = value
    path.write_text(json.dumps(facts))


def weights_differ(one, other):
    return any(
        not torch.equal(a, b)
        for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


def test_the_same_config_and_weights_come_back(model, folder):
    again = load(folder)
    assert again.config == model.config and isinstance(again.config.image_size, tuple)
    assert not again.training and not weights_differ(model, again)
    assert names(folder.parent) == ["kept"]


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"format": 2}, "reads format 1"),
        ({"format": "1"}, "reads format 1"),
        ({"model": "vea"}, "did you mean vae"),
        ({"model": []}, "there is no model"),
        ({"code_dimm": 3}, "did you mean code_dim"),
        ({"code_dim": "3"}, "code_dim is '3', it should be a whole number"),
        ({"code_dim": 3.5}, "code_dim is 3.5"),
        ({"code_dim": True}, "code_dim is True"),
        ({"image_size": "large"}, "image_size is 'large'"),
        ({"image_size": [16, 24, 3]}, "image_size"),
        ({"image_size": [16, None]}, "image_size is None"),
        ({"reconstruction": "mze"}, "mze"),
        ({"code_dim": 4}, "do not belong together"),
        ({"model": "glo", "config": {}}, "another model"),
        ({"config": 3}, "damaged"),
    ],
)
def test_a_config_that_does_not_fit_is_refused_by_name(changes, sentence, folder):
    change(folder, **changes)
    with pytest.raises(UserError, match=sentence):
        load(folder)


def test_whole_numbers_stand_for_real_ones(folder):
    change(folder, beta=1)
    assert load(folder).config.beta == 1.0


@pytest.mark.parametrize("size", [0, 4, 200, 3000])
def test_weights_cut_short_are_refused(size, folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UserError, match="cut short"):
        load(folder)


def test_what_is_not_there_is_said(folder, tmp_path):
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match="incomplete"):
        load(folder)
    with pytest.raises(UserError, match="does not exist"):
        load(tmp_path / "nowhere")
    with pytest.raises(UserError, match="neither a run nor a checkpoint"):
        load(tmp_path)
    (folder / "config.json").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="damaged"):
        load(folder)


class Bomb:
    def __reduce__(self):
        return (os.mkdir, ("exploded",))


def test_a_pickle_is_never_run(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UserError, match="damaged"):
        load(folder)
    assert not Path("exploded").exists()


def test_saving_over_a_checkpoint_replaces_it(model, folder):
    with torch.no_grad():
        next(model.parameters()).add_(1)
    model.save(folder)
    assert not weights_differ(model, load(folder))
    assert names(folder.parent) == ["kept"]


def test_saving_destroys_nothing_that_is_not_a_checkpoint(model, tmp_path, monkeypatch):
    (tmp_path / "thesis.txt").write_text("years")
    for place in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(UserError, match="would be lost"):
            model.save(place)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="would be lost"):
        model.save(".")
    assert (tmp_path / "thesis.txt").read_text() == "years" and names(tmp_path) == ["thesis.txt"]


def test_killed_while_one_replaces_the_other_the_older_is_still_there(model, folder, monkeypatch):
    older = load(folder)
    with torch.no_grad():
        next(model.parameters()).add_(1)
    real = Path.rename

    def dies(self, target):
        if self.name.endswith(".part"):
            raise KeyboardInterrupt  # the older one has stepped aside, the new one is not in place
        return real(self, target)

    monkeypatch.setattr(Path, "rename", dies)
    with pytest.raises(KeyboardInterrupt):
        model.save(folder)
    monkeypatch.setattr(Path, "rename", real)
    assert not folder.exists() and not weights_differ(older, load(folder))
    model.save(folder)
    assert not weights_differ(model, load(folder)) and names(folder.parent) == ["kept"]


def test_a_disk_that_fills_up_leaves_the_older_one(model, folder):
    """A real write error, from the operating system: files may not grow beyond a few bytes."""
    older = load(folder)
    with torch.no_grad():
        next(model.parameters()).add_(1)
    allowed, handler = (
        resource.getrlimit(resource.RLIMIT_FSIZE),
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, allowed[1]))
    try:
        with pytest.raises(UserError, match="cannot be written"):
            model.save(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
        signal.signal(signal.SIGXFSZ, handler)
    assert not weights_differ(older, load(folder)) and names(folder.parent) == ["kept"]


@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), SafetensorError("I/O error")])
def test_a_failed_write_leaves_no_trace(problem, model, tmp_path, monkeypatch):
    def full(*rest):
        raise problem

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(UserError, match=r"No space left|I/O error"):
        model.save(tmp_path / "kept")
    assert names(tmp_path) == []


def test_a_model_that_is_not_registered_says_what_is_missing(tmp_path):
    class Own(VariationalAutoencoder):
        pass

    with pytest.raises(UserError, match="Own is not in MODELS"):
        Own(VaeConfig(image_size=(16, 16))).save(tmp_path / "own")
    assert names(tmp_path) == []
