"""`motes direction`: pairs found by their names, a strip drawn, the direction kept; and sentences for pairs that do not match."""

import numpy as np
import pytest
from PIL import Image

from motes.apps.cli.direction import find_pairs
from motes.apps.cli.main import main
from motes.data import DATASETS
from motes.errors import UserError


@pytest.fixture(scope="module", params=["dlp", "vae"])
def run(make_run, tmp_path_factory, request):
    return make_run(tmp_path_factory.mktemp("runs") / request.param, request.param)


@pytest.fixture
def pairs(tmp_path):
    """Five pictures before, and the same turned upside down after."""
    data = DATASETS["shapes"]
    pixels = (
        data(data.Config(image_size=(32, 32), count=8, held_out=6), "test")
        .pixels(range(5))
        .transpose(0, 2, 3, 1)
    )
    for end, pictures in (("before", pixels), ("after", pixels[:, ::-1])):
        (tmp_path / "pairs" / end).mkdir(parents=True)
        for number, picture in enumerate(pictures):
            Image.fromarray(picture).save(tmp_path / "pairs" / end / f"{number}.png")
    return tmp_path / "pairs"


def said(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main(["direction", *map(str, words)])
    return end.value.code, capsys.readouterr()


def test_a_strip_is_drawn_and_the_direction_kept(run, pairs, tmp_path, capsys):
    out = tmp_path / "strip.png"
    code, printed = said(capsys, run, "--pairs", pairs, "--strengths", -1, 0, 2, "--out", out)
    assert code == 0, printed.err
    assert "5 pairs" in printed.out
    assert Image.open(out).size == (
        4 * 128 + 3 * 6,
        4 * 128 + 3 * 6,
    )  # four pictures, each before three strengths
    kept = np.load(tmp_path / "strip.npz")
    assert all(np.isfinite(kept[name]).all() for name in kept) and ("vector" in kept or "position" in kept)
    picture = pairs / "after" / "0.png"
    code, printed = said(capsys, run, "--pairs", pairs, "--pictures", picture, "--out", tmp_path / "one.jpg")
    assert code == 0 and Image.open(tmp_path / "one.jpg").size[1] == 128, printed.err


def test_pairs_are_found_by_name(tmp_path):
    for name in ("b-after.png", "a_before.png", "a_after.jpg", "b-before.png", "hereafter.png", "notes.txt"):
        (tmp_path / name).touch()
    found = find_pairs(tmp_path)
    assert [path.name for path in found.before] == ["a_before.png", "b-before.png"]
    assert [path.name for path in found.after] == ["a_after.jpg", "b-after.png"]


def test_pairs_that_do_not_match_are_refused(run, pairs, tmp_path, capsys):
    (pairs / "after" / "3.png").unlink()
    code, printed = said(capsys, run, "--pairs", pairs, "--out", tmp_path / "out.png")
    assert (
        code == 2
        and "'3'" in printed.err
        and "no picture after" in printed.err
        and not (tmp_path / "out.png").exists()
    )
    (pairs / "after" / "3.png").write_bytes(b"no picture")
    code, printed = said(capsys, run, "--pairs", pairs, "--out", tmp_path / "out.png")
    assert code == 2 and "every picture of a pair" in printed.err and "Traceback" not in printed.err
    with pytest.raises(UserError, match="holds no pairs"):
        find_pairs(tmp_path)


def test_words_are_checked_first(run, pairs, tmp_path, capsys):
    for words, sentence in (
        (("--pairs", tmp_path / "nowhere"), "does not exist"),
        (("--pairs", pairs, "--out", "out.txt"), "should end in"),
        (("--pairs", pairs, "--particle", "-1"), "no -1"),
    ):
        code, printed = said(capsys, run, *words)
        assert code == 2 and sentence in printed.err, printed.err


def test_a_particle_that_is_not_there_is_named(make_run, pairs, tmp_path, capsys):
    run = make_run(tmp_path / "run")
    code, printed = said(capsys, run, "--pairs", pairs, "--particle", 9, "--out", tmp_path / "out.png")
    assert code == 2 and "no particle 9" in printed.err
    code, printed = said(capsys, run, "--pairs", pairs, "--bending", "--out", tmp_path / "out.png")
    assert code == 2 and "straight" in printed.err
