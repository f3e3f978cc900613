"""VGG features equal those of torchvision's layout with its in-place rectifiers; where weights are found; what is not trained nor saved."""

import pytest
import torch
from torch import nn

from motes.errors import UserError
from motes.nn.losses.vgg import VGG_LEVELS, vgg_features, vgg_network
from motes.weights import vgg
from motes.weights.places import VGG_FILE, vgg_paths
from motes.weights.reconstruction import reconstruction_loss
from motes.weights.vgg import find_vgg_weights, load_vgg


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A file laid out as vgg16-397923af.pth is: features, classifier, all by torchvision's names."""
    torch.manual_seed(0)
    state = {f"features.{key}": value for key, value in vgg_network().state_dict().items()}
    state |= {f"classifier.{n}.{kind}": torch.zeros(1) for n in (0, 3, 6) for kind in ("weight", "bias")}
    path = tmp_path / VGG_FILE
    torch.save(state, path)
    monkeypatch.setenv("MOTES_VGG_WEIGHTS", str(path))
    return path


def in_place_features(state, image):
    """The reference: rectifiers write into what the layer before returned, so a kept convolution reads as rectified."""
    layers, kept = [], {}
    for layer in vgg_network():
        layers.append(nn.ReLU(inplace=True) if isinstance(layer, nn.ReLU) else layer)
    network = nn.Sequential(*layers)
    network.load_state_dict(
        {key.removeprefix("features."): value for key, value in state.items() if key.startswith("features.")}
    )
    with torch.no_grad():
        for number, layer in enumerate(network):
            image = layer(image)
            kept[number] = image
    return [kept[number] for number in VGG_LEVELS]


def test_features_are_those_that_in_place_rectifiers_leave(weights):
    network, image = load_vgg(weights), torch.rand(2, 3, 40, 64)
    expected = in_place_features(torch.load(weights), image.clone())
    for ours, theirs in zip(vgg_features(network, image), expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_keys_and_shapes_are_those_of_the_real_file():
    state = vgg_network().state_dict()
    numbers = sorted({int(key.partition(".")[0]) for key in state})
    assert numbers == [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
    assert sum(value.numel() for value in state.values()) == 14_714_688
    assert state["0.weight"].shape == (64, 3, 3, 3) and state["28.weight"].shape == (512, 512, 3, 3)


@pytest.mark.parametrize("shape", [(1, 3, 7, 7), (2, 1, 31, 40), (1, 3, 33, 64)])
@pytest.mark.slow
def test_any_size_and_grey(weights, shape):
    loss = reconstruction_loss("vgg")
    drawn = torch.rand(shape, requires_grad=True)
    found = loss(drawn, torch.rand(shape))
    found.sum().backward()
    assert found.shape == shape[:1] and drawn.grad is not None and torch.isfinite(drawn.grad).all()


def test_frozen_unsaved_and_no_gradient_through_the_network_to_the_wanted_picture(weights):
    loss = reconstruction_loss("vgg")
    drawn, wanted = torch.rand(1, 3, 32, 32, requires_grad=True), torch.rand(1, 3, 32, 32, requires_grad=True)
    loss(drawn, wanted).sum().backward()
    network = loss._network[0]
    assert not network.training and all(parameter.grad is None for parameter in network.parameters())
    assert not list(loss.parameters()) and not loss.state_dict()
    pixels_alone = -2 * (drawn.detach() - wanted.detach())
    torch.testing.assert_close(wanted.grad, pixels_alone)


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "vgg.pth").write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"vgg\.pth does not hold VGG-16 weights"):
        load_vgg(tmp_path / "vgg.pth")


def test_places_in_order(tmp_path, monkeypatch, weights):
    snapshot = tmp_path / "hub/models--someone--vgg/snapshots/1" / VGG_FILE
    snapshot.parent.mkdir(parents=True)
    snapshot.touch()
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    assert vgg_paths() == [weights, snapshot, tmp_path / "torch/checkpoints" / VGG_FILE]
    assert find_vgg_weights() == weights
    monkeypatch.delenv("MOTES_VGG_WEIGHTS")
    assert find_vgg_weights() == snapshot


def test_vgg_reads_weights_laid_out_like_the_real_file(tmp_path, monkeypatch):
    torch.manual_seed(0)
    network = vgg_network()
    state = {f"features.{key}": value for key, value in network.state_dict().items()} | {
        "classifier.0.weight": torch.zeros(2, 2)
    }
    torch.save(state, tmp_path / "vgg.pth")
    monkeypatch.setenv("MOTES_VGG_WEIGHTS", str(tmp_path / "vgg.pth"))
    loss = reconstruction_loss("vgg")
    drawn, wanted = torch.rand(2, 3, 16, 16, requires_grad=True), torch.rand(2, 3, 16, 16, requires_grad=True)
    found = loss(drawn, wanted)
    found.sum().backward()
    assert found.shape == (2,) and drawn.grad is not None
    assert not list(loss.parameters()) and not loss.state_dict(), "frozen, and no part of the model"
    features = vgg_features(network, torch.rand(1, 3, 64, 64))
    assert [one.shape[1] for one in features] == [64, 128, 256, 512, 512]
    assert [one.shape[2] for one in features] == [64, 32, 16, 8, 2]
    assert all((one >= 0).all() for one in features), "after the rectifiers"


def test_missing_vgg_weights_are_explained(tmp_path, monkeypatch):
    monkeypatch.setattr(vgg, "vgg_paths", lambda: [tmp_path / "a", tmp_path / "b"])
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *a, **k: (_ for _ in ()).throw(OSError()))
    with pytest.raises(UserError, match=r"397923af.*none of .*a, .*b.*reconstruction mse"):
        find_vgg_weights()
    with pytest.raises(UserError, match="choose one of mse"):
        reconstruction_loss("lpips")
