"""`motes restore`: a file where it was asked for, what was seen left as it was, and sentences for what cannot be."""

import numpy as np
import pytest
import torch
from PIL import Image

from motes.apps.cli.main import main
from motes.data import DATASETS


@pytest.fixture(scope="module", params=["dlp", "vae"])
def run(make_run, tmp_path_factory, request):
    return make_run(tmp_path_factory.mktemp("runs") / request.param, request.param)


@pytest.fixture
def picture(tmp_path):
    """One of the shapes, and a mask that hides its right half."""
    data = DATASETS["shapes"]
    pixels = (
        data(data.Config(image_size=(32, 32), count=8, held_out=6), "test").pixels([0])[0].transpose(1, 2, 0)
    )
    Image.fromarray(pixels).save(tmp_path / "seen.png")
    mask = np.zeros((32, 32), np.uint8)
    mask[:, 16:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path, pixels


def said(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main(["restore", *map(str, words)])
    return end.value.code, capsys.readouterr()


@pytest.mark.slow
def test_what_was_seen_stays_and_the_rest_is_drawn(run, picture, capsys):
    folder, pixels = picture
    words = (run, folder / "seen.png", "--mask", folder / "mask.png", "--steps", 5, "--neighbours", 1)
    code, printed = said(capsys, *words, "--out", folder / "out.png")
    assert code == 0, printed.err
    drawn = np.asarray(Image.open(folder / "out.png"))
    assert np.array_equal(drawn[:, :16], pixels[:, :16]) and not np.array_equal(drawn[:, 16:], pixels[:, 16:])
    code, printed = said(capsys, *words, "--out", folder / "three.png", "--beside")
    assert code == 0 and Image.open(folder / "three.png").width > 3 * 32


def test_noise_and_distance_need_no_mask(run, picture, capsys):
    folder, _ = picture
    for words in (("--noise", 0.1), ("--shrink", 4)):
        code, printed = said(
            capsys, run, folder / "seen.png", "--out", folder / "out.png", "--steps", 3, *words
        )
        assert code == 0 and Image.open(folder / "out.png").size == (32, 32), printed.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "nothing of the picture is hidden"),
        (("--shrink", "5"), "does not divide"),
        (("--noise", "-1"), "must not be negative"),
        (("--mask", "nowhere.png"), "does not exist"),
        (("--noise", "0.1", "--neighbours", "four"), "invalid int"),
    ],
)
def test_what_cannot_be_is_said(run, picture, capsys, words, sentence):
    folder, _ = picture
    code, printed = said(capsys, run, folder / "seen.png", "--out", folder / "out.png", *words)
    assert code == 2 and sentence in printed.err and "Traceback" not in printed.err
    assert not (folder / "out.png").exists()


def test_a_mask_that_hides_everything_is_refused(run, picture, capsys):
    folder, _ = picture
    Image.new("L", (32, 32), 255).save(folder / "all.png")
    code, printed = said(
        capsys, run, folder / "seen.png", "--mask", folder / "all.png", "--out", folder / "out.png"
    )
    assert code == 2 and "hides everything" in printed.err


def test_a_checkpoint_without_its_recipe_asks_for_pictures(run, picture, capsys, tmp_path):
    folder, _ = picture
    checkpoint = next((run / "checkpoints").glob("step-*"))
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in ("config.json", "model.safetensors"):
        (alone / name).write_bytes((checkpoint / name).read_bytes())
    words = (
        alone,
        folder / "seen.png",
        "--mask",
        folder / "mask.png",
        "--out",
        folder / "out.png",
        "--steps",
        2,
    )
    code, printed = said(capsys, *words)
    assert code == 2 and "--data" in printed.err
    for number in range(12):
        pixels = (torch.rand(32, 32, 3, generator=torch.Generator().manual_seed(number)) * 255).byte().numpy()
        (tmp_path / "pictures").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{number}.png")
    code, printed = said(capsys, *words, "--data", tmp_path / "pictures")
    assert code == 0, printed.err


def test_where_no_file_is_named_the_picture_lies_here(run, picture, capsys, monkeypatch):
    folder, _ = picture
    monkeypatch.chdir(folder)
    code, printed = said(capsys, run, "seen.png", "--mask", "mask.png", "--steps", 2, "--neighbours", 1)
    assert code == 0 and (folder / "restored.png").is_file() and "restored.png" in printed.out
