"""The exported studio, opened from a disk: no server, no network."""

import shutil

import pytest
from PIL import Image

pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
playwright = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")

from motes.apps.studio.shelf import Shelf  # noqa: E402
from motes.apps.studio.site import export  # noqa: E402
from motes.errors import UserError  # noqa: E402

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (50, 40), "teal").save(tmp_path / "pictures" / "whole.png")
    (tmp_path / "pictures" / "cut.png").write_bytes((tmp_path / "pictures" / "whole.png").read_bytes()[:60])
    return tmp_path / "pictures"


def test_a_picture_that_cannot_be_read_is_left_out_and_named(tmp_path, make_run, pictures, capsys):
    shelf = Shelf([make_run(tmp_path / "run"), make_run(tmp_path / "young", checkpoint=False)], [pictures])
    export(shelf, tmp_path / "site")
    said = capsys.readouterr().out
    assert said.count("left out") == 1 and "cut.png" in said and "7 pictures" in said
    assert "cut.png" not in (tmp_path / "site" / "site" / "site.js").read_text()


def test_where_no_picture_can_be_read_the_sentence_says_why(tmp_path, make_run, pictures):
    (pictures / "whole.png").unlink()
    checkpoint = make_run(tmp_path / "run") / "checkpoints" / "last"
    with pytest.raises(UserError, match=r"cut\.png is no picture, or cut short"):
        export(Shelf([checkpoint], [pictures]), tmp_path / "site")
    assert not (tmp_path / "site").exists()


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here")
def test_it_opens_and_drags_from_a_disk(tmp_path, make_run, pictures):
    export(Shelf([make_run(tmp_path / "run")], [pictures]), tmp_path / "site")
    with playwright.sync_playwright() as control:
        browser = control.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        faults = []
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        page.goto((tmp_path / "site" / "index.html").as_uri())
        page.wait_for_function("window.motes?.store.state.opened && motes.store.state.drawn")
        drawn = "[...motes.store.state.drawn].join()"
        before = page.evaluate(drawn)
        edit = "{ ...motes.store.state.edits, particles: { 0: { position: [0.5, 0.5], presence: 1 } } }"
        page.evaluate(f"motes.store.edit({edit})")
        page.wait_for_function(f"{drawn} !== {before!r}")
        page.get_by_role("button", name="Folder 1").click()
        page.wait_for_function("motes.store.state.opened?.picture === 'folder/0/whole.png'")
        assert not faults
        browser.close()
