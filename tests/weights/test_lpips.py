"""LPIPS: the published formula written out on one pixel's features at a time; refused where its weights are not there."""

from importlib.util import find_spec

import pytest
import torch

from motes.errors import UserError
from motes.nn.losses.lpips import LEVELS, Lpips
from motes.nn.losses.vgg import vgg_network
from motes.weights.lpips import load_lpips, missing_lpips_file
from motes.weights.places import VGG_FILE, first_file, lpips_paths

WIDTHS = (64, 128, 256, 512, 512)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Weights of the right shapes, by chance, where they are looked for."""
    torch.manual_seed(0)
    torch.save(
        {f"features.{name}": value for name, value in vgg_network().state_dict().items()}, tmp_path / VGG_FILE
    )
    torch.save(
        {f"lin{n}.model.1.weight": torch.rand(1, width, 1, 1) for n, width in enumerate(WIDTHS)},
        tmp_path / "vgg.pth",
    )
    monkeypatch.setenv("MOTES_VGG_WEIGHTS", str(tmp_path / VGG_FILE))
    monkeypatch.setenv("MOTES_LPIPS_WEIGHTS", str(tmp_path / "vgg.pth"))
    return tmp_path


def pictures():
    return torch.rand(2, 2, 3, 32, 48, generator=torch.Generator().manual_seed(1)).unbind(0)


@pytest.mark.slow
def test_follows_the_formula(files):
    one, other = pictures()
    got = load_lpips()(one, other)
    network = vgg_network()
    network.load_state_dict(
        {name.removeprefix("features."): value for name, value in torch.load(files / VGG_FILE).items()}
    )
    heads, wanted = torch.load(files / "vgg.pth"), torch.zeros(2)
    shift, scale = (
        torch.tensor([-0.030, -0.088, -0.188])[:, None, None],
        torch.tensor([0.458, 0.448, 0.450])[:, None, None],
    )
    x, y = ((2 * image - 1 - shift) / scale for image in (one, other))
    with torch.no_grad():
        for number, layer in enumerate(network):
            x, y = layer(x), layer(y)
            if number in LEVELS:
                unit = [torch.nn.functional.normalize(z, dim=1) for z in (x, y)]
                wanted += torch.nn.functional.conv2d(
                    (unit[0] - unit[1]) ** 2, heads[f"lin{LEVELS.index(number)}.model.1.weight"]
                ).mean((1, 2, 3))
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-6)
    assert [type(vgg_network()[level]).__name__ for level in LEVELS] == ["ReLU"] * 5


@pytest.mark.slow
def test_the_same_picture_is_zero_and_grey_and_small_ones_work(files):
    model = load_lpips()
    one, other = pictures()
    assert model(one, one).tolist() == [0, 0] and (model(one, other) > 0).all()
    torch.testing.assert_close(model(one, other), model(other, one))
    grey = model(one[:, :1, :9, :9], other[:, :1, :9, :9])
    torch.testing.assert_close(
        grey, model(one[:, :1, :9, :9].expand(-1, 3, -1, -1), other[:, :1, :9, :9].expand(-1, 3, -1, -1))
    )


def test_channel_weights_that_torchmetrics_carries_fit():
    if find_spec("torchmetrics") is None:
        pytest.skip("torchmetrics is not installed")
    held = torch.load(first_file(lpips_paths()), map_location="cpu", weights_only=True)
    weights = [held[f"lin{level}.model.1.weight"] for level in range(5)]
    assert [tuple(weight.shape) for weight in weights] == [(1, width, 1, 1) for width in WIDTHS]
    assert (Lpips(vgg_network(), weights)(*pictures()) > 0).all()


def test_missing_and_wrong_files_are_named(files, monkeypatch):
    assert missing_lpips_file() is None
    (files / "vgg.pth").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"vgg.pth does not hold the channel weights"):
        load_lpips()
    monkeypatch.setenv("MOTES_VGG_WEIGHTS", str(files / "no.pth"))
    monkeypatch.setenv("HF_HOME", str(files))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(files / "hub"))
    with pytest.raises(UserError, match=VGG_FILE):
        load_lpips()
