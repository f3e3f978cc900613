"""The lines of Python that the studio prints draw the very picture that the page shows, wherever they are run."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from motes.apps.studio.desk import Desk
from motes.apps.studio.messages import unpack
from motes.apps.studio.shelf import Shelf
from motes.data.files.folder import Folder, FolderConfig
from motes.data.source import Source
from motes.training.recipe import Recipe
from motes.weights.runs import run_folder

MOVED = {"particles": {"0": {"position": [0.25, -0.5], "presence": 1.0}}}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder in which the studio is started, with relative paths."""
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def noise(size=(50, 40), seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8))


def noise_png():
    file = io.BytesIO()
    noise((700, 900)).save(file, "PNG")
    return file.getvalue()


def asked(desk, ask, **told):
    facts, arrays = unpack(desk.answer({"ask": ask, "n": 1, "run": 0, **told}))
    assert "problem" not in facts, facts
    return facts, arrays


def assert_lines_draw_what_is_shown(desk, here, monkeypatch, **told):
    shown = asked(desk, "decode", **told)[1]["drawn"]
    lines = asked(desk, "python", **told)[0]["lines"]
    monkeypatch.chdir(here.parent / "elsewhere")
    exec(lines, {})
    drawn = np.asarray(Image.open("edited.png"))
    monkeypatch.chdir(here)
    assert np.array_equal(drawn, shown), lines
    return lines


def relative(path, here):
    return path.relative_to(here)


def test_of_held_out_pictures_and_of_another_runs(here, make_run, monkeypatch):
    runs = [
        make_run(here / "runs" / "one", architecture="sized"),
        make_run(here / "runs" / "other", image_size=(48, 48), architecture="sized"),
    ]
    desk = Desk(Shelf([relative(run, here) for run in runs]))
    edits = MOVED | {"background": "held-out/one/1", "towards": ["held-out/other/2", 0.5]}
    assert_lines_draw_what_is_shown(desk, here, monkeypatch, picture="held-out/one/0", edits=edits)
    assert_lines_draw_what_is_shown(desk, here, monkeypatch, picture="held-out/one/0", edits=MOVED, run=1)


def test_of_a_run_that_went_on_meanwhile(here, make_run, monkeypatch):
    run = make_run(here / "runs" / "one", architecture="sized")
    shelf = Shelf([relative(run, here)])
    desk = Desk(shelf)
    asked(desk, "open", picture="held-out/one/0")
    opened = shelf.runs[0]
    with torch.no_grad():
        later = Shelf([run]).runs[0].session.model
        for value in later.parameters():
            value.add_(0.05 * torch.randn_like(value))
    facts = {"step": 9, "stage": 0, "elapsed": 0.0, "best": 0.5}
    opened.run.save(later, {"nothing": torch.zeros(1)}, facts, best=True)
    lines = assert_lines_draw_what_is_shown(desk, here, monkeypatch, picture="held-out/one/0", edits=MOVED)
    assert "step-0000000" in lines
    before = asked(desk, "decode", picture="held-out/one/0", edits=MOVED)[1]["drawn"]
    assert asked(desk, "renew")[0]["fresh"]
    after = asked(desk, "decode", picture="held-out/one/0", edits=MOVED)[1]["drawn"]
    assert not np.array_equal(before, after), "or nothing would be told by the above"
    lines = assert_lines_draw_what_is_shown(desk, here, monkeypatch, picture="held-out/one/0", edits=MOVED)
    assert "step-0000009" in lines


def test_of_files_and_of_own_pictures(here, make_run, monkeypatch):
    (here / "pictures").mkdir()
    noise((700, 900), seed=1).save(here / "pictures" / "one.png")
    run = make_run(here / "runs" / "one", architecture="sized")
    desk = Desk(Shelf([relative(run, here)], [relative(here / "pictures", here)]))
    own = desk.take(noise_png())
    assert_lines_draw_what_is_shown(desk, here, monkeypatch, picture="folder/0/one.png", edits=MOVED)
    edits = MOVED | {"background": own}
    assert_lines_draw_what_is_shown(desk, here, monkeypatch, picture=own, edits=MOVED)
    assert_lines_draw_what_is_shown(desk, here, monkeypatch, picture="folder/0/one.png", edits=edits)


def test_of_pictures_that_a_model_made_up(here, make_run, monkeypatch):
    runs = [
        make_run(here / "runs" / "made", "pca"),
        make_run(here / "runs" / "one", architecture="sized"),
    ]
    shelf = Shelf([relative(run, here) for run in runs])
    made = asked(Desk(shelf), "sample")[0]["picture"]
    # another page, or this one after the studio was started again
    desk = Desk(Shelf([relative(run, here) for run in reversed(runs)]))
    told = {"edits": {"code": {"0": 2.0}}, "picture": made}
    assert_lines_draw_what_is_shown(desk, here, monkeypatch, run=1, **told)
    assert_lines_draw_what_is_shown(desk, here, monkeypatch, picture=made, edits=MOVED)
    shown = asked(Desk(shelf), "open", picture=made)[1]["drawn"]
    assert np.array_equal(asked(desk, "open", run=1, picture=made)[1]["drawn"], shown)


def test_of_data_in_a_relative_folder(here, make_run, monkeypatch):
    (here / "pictures").mkdir()
    for number in range(20):
        noise((40, 40), number).save(here / "pictures" / f"{number}.png")
    run = make_run(here / "runs" / "one", architecture="sized")
    Recipe("dlp", Source("folder", {"path": "pictures", "image_size": [32, 32]}), {}).save(run)
    assert len(Folder(FolderConfig("pictures", (32, 32)), "validation"))
    desk = Desk(Shelf([relative(run, here)]))
    assert_lines_draw_what_is_shown(desk, here, monkeypatch, picture="held-out/one/0", edits=MOVED)


def test_a_model_that_comes_with_motes_stays_a_name(here, monkeypatch):
    desk = Desk(Shelf([run_folder("shapes")]))
    lines = assert_lines_draw_what_is_shown(desk, here, monkeypatch, picture="held-out/shapes/0", edits=MOVED)
    assert "Session.open('shapes')" in lines and "run_folder('shapes')" in lines
