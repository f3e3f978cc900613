"""Graphs of encode and decode compute what the model computes, for any number of pictures."""

import pytest
import torch
from small import SMALL

from motes.apps.cli.main import run_command
from motes.apps.export.graphs import graphs_of
from motes.errors import UserError
from motes.models import MODELS

ALIKE = {"rtol": 0, "atol": 1e-4}


def saved(folder, name, **options):
    """A checkpoint of an untrained model, and the model."""
    torch.manual_seed(0)
    model = MODELS[name](MODELS[name].Config(**{**SMALL[name], **options})).eval()
    model.save(folder / "model")
    return model


def pictures(model, count):
    shape = (count, model.config.channels, *model.config.image_size)
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def expected(model, image):
    latent = model.encode(image)
    return latent.tensors(), model.decode(latent).clamp(0, 1)


def exported(folder, *options):
    run_command(["export", str(folder / "model"), *options])


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["sized", "published"])
def test_onnx_of_particles(tmp_path, architecture):
    runtime = pytest.importorskip("onnxruntime", reason="needs pip install 'motes[export]'")
    pytest.importorskip("onnxscript", reason="needs pip install 'motes[export]'")
    model = saved(tmp_path, "dlp", architecture=architecture)
    exported(tmp_path, "--onnx", str(tmp_path / "graphs"))
    encode, decode = (
        runtime.InferenceSession(tmp_path / "graphs" / f"{name}.onnx") for name in ("encode", "decode")
    )
    for count in (1, 4):
        image = pictures(model, count)
        tensors, picture = expected(model, image)
        read = encode.run(None, {"image": image.numpy()})
        names = [output.name for output in encode.get_outputs()]
        assert names == list(tensors)
        for name, values in zip(names, read, strict=True):
            torch.testing.assert_close(torch.from_numpy(values), tensors[name], **ALIKE, msg=name)
        asked = {one.name for one in decode.get_inputs()}
        latent = {name: values for name, values in zip(names, read, strict=True) if name in asked}
        torch.testing.assert_close(torch.from_numpy(decode.run(None, latent)[0]), picture, **ALIKE)


@pytest.mark.slow
def test_torch_export_of_particles(tmp_path):
    model = saved(tmp_path, "dlp", architecture="anchored")
    exported(tmp_path, "--torch", str(tmp_path / "graphs"))
    encode, decode = (
        torch.export.load(tmp_path / "graphs" / f"{name}.pt2").module() for name in ("encode", "decode")
    )
    image = pictures(model, 4)
    tensors, picture = expected(model, image)
    read = encode(image)
    for values, name in zip(read, tensors, strict=True):
        torch.testing.assert_close(values, tensors[name], **ALIKE, msg=name)
    torch.testing.assert_close(decode(*read), picture, **ALIKE)


def test_torch_export_of_codes_takes_any_number_of_pictures(tmp_path, capsys):
    model = saved(tmp_path, "vae")
    exported(tmp_path, "--torch", str(tmp_path / "graphs"))
    assert "image -> vector, log_variance" in capsys.readouterr().out
    encode = torch.export.load(tmp_path / "graphs" / "encode.pt2").module()
    for count in (1, 5):
        image = pictures(model, count)
        torch.testing.assert_close(encode(image)[0], expected(model, image)[0]["vector"], **ALIKE)


def test_the_model_that_is_exported_stays_as_it_was(tmp_path):
    model = saved(tmp_path, "dlp")
    limits = model.encoder._limits
    graphs_of(model)
    assert model.encoder._limits == limits


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--onnx", "graphs", "picture.png"], "leave out sources"),
        ([], "name sources"),
        (["picture.png", "--to", "coco"], "--out PATH"),
        (["--onnx", "used"], "used exists"),
    ],
)
def test_words_that_do_not_go_together_are_refused(tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine").write_text("something")
    saved(tmp_path, "vae")
    with pytest.raises(UserError, match=sentence):
        exported(tmp_path, *words)
    assert (tmp_path / "used" / "mine").read_text() == "something"
