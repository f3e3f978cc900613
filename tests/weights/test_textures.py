"""The texture network learns, is the same from a seed, is cached and read back, and its levels weigh alike."""

import pytest
import torch

from motes.errors import UserError
from motes.nn.losses.texture_features import PIXEL_SPREAD, initialised_network
from motes.ops.pictures.texture_synthesis import CLASSES, PERIODS, synthesise_textures
from motes.weights import textures
from motes.weights.reconstruction import RECONSTRUCTIONS, error_map_loss


@pytest.fixture(autouse=True)
def brief(tmp_path, monkeypatch):
    """Learned in a few steps, cached where nobody looks."""
    monkeypatch.setattr(textures, "BATCH", 8)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    learn = textures.learn_textures
    monkeypatch.setattr(textures, "learn_textures", lambda seed: learn(seed, steps=2))
    return tmp_path


@pytest.mark.slow
def test_it_learns():
    random = torch.Generator().manual_seed(5)
    image, classes = textures.labelled_textures(32, random)
    torch.manual_seed(0)
    classifier = textures.TextureClassifier()
    classifier.features = initialised_network()
    optimizer = torch.optim.Adam(classifier.parameters(), lr=4e-3)
    history = []
    for _ in range(25):
        loss = torch.nn.functional.cross_entropy(classifier(image), classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert history[-1] < 0.5 * history[0]


def test_same_from_a_seed_and_nobody_elses_dice_are_thrown():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    with torch.no_grad():
        one, other, third = (textures.learn_textures(seed).features for seed in (0, 0, 1))
        assert torch.equal(torch.rand(4), expected)
    image = torch.rand(2, 3, 16, 16)
    for a, b, c in zip(one(image), other(image), third(image), strict=True):
        assert torch.equal(a, b) and not torch.equal(a, c)


def test_learned_once_then_read_from_the_cache_or_the_path_named(brief, monkeypatch):
    image = torch.rand(2, 1, 16, 16)
    first = textures.texture_features()(image)
    files = list(brief.rglob("*"))
    assert [one.suffix for one in files if one.is_file()] == [".safetensors"]
    monkeypatch.setattr(textures, "learn_textures", lambda seed: pytest.fail("it was learned already"))
    assert all(torch.equal(a, b) for a, b in zip(textures.texture_features()(image), first, strict=True))
    moved = brief / "elsewhere.safetensors"
    next(one for one in files if one.is_file()).rename(moved)
    monkeypatch.setenv("MOTES_TEXTURE_WEIGHTS", str(moved))
    assert all(torch.equal(a, b) for a, b in zip(textures.texture_features()(image), first, strict=True))
    moved.write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"elsewhere\.safetensors does not hold the weights"):
        textures.texture_features()


@pytest.mark.parametrize("make", [textures.random_features, textures.texture_features])
@pytest.mark.slow
def test_levels_weigh_as_much_as_pixels(make):
    image = textures.labelled_textures(256, torch.Generator().manual_seed(9))[0]
    pixels = 3 * 32 * 32 * PIXEL_SPREAD**2
    for maps in make()(image):
        spread = maps.var((0, 2, 3)).sum() * maps[0, 0].numel()
        assert 0.5 * pixels < spread < 2 * pixels


def test_errors_at_each_place_are_one_map_a_level():
    drawn, wanted = torch.rand(2, 3, 24, 32), torch.rand(2, 3, 24, 32)
    maps = error_map_loss("random-features")(drawn, wanted)
    assert [tuple(one.shape) for one in maps] == [(2, 24, 32), (2, 24, 32), (2, 12, 16), (2, 6, 8), (2, 3, 4)]
    assert len(error_map_loss("mse")(drawn, wanted)) == 1
    torch.testing.assert_close(maps[0], (drawn - wanted).abs().mean(1))
    assert {"textures", "random-features"} <= set(RECONSTRUCTIONS)


def test_textures_are_of_their_class_and_many():
    classes = torch.arange(CLASSES).repeat(4)
    image = synthesise_textures(classes, 24, torch.Generator().manual_seed(0))
    assert image.shape == (4 * CLASSES, 3, 24, 24) and image.min() >= 0 and image.max() <= 1
    assert torch.pdist(image.flatten(1)).min() > 1, "no two alike"
    rough = image.diff(dim=3).abs().mean((1, 2, 3)) / image.std((1, 2, 3))
    by_period = [rough[classes % len(PERIODS) == n].mean() for n in range(len(PERIODS))]
    assert by_period[0] > by_period[1] > by_period[2], "longer periods, fewer changes"
