"""Edits belong to a picture and stay: after other pictures, frames, runs, a failed opening, a reload and a restart."""

import json
import time

import numpy as np
import pytest
from PIL import Image
from studio_page import needs_chromium, served, spread_out

pytest.importorskip("uvicorn", reason="needs pip install 'motes[studio]'")
pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")

pytestmark = needs_chromium


def drag_one(page):
    """One particle is dragged; returns what is drawn then."""
    spread_out(page)
    start = page.place(0)
    page.drag(start, (start[0] + 60, start[1] + 40))
    page.settle()
    return page.drawn()


def press(page, key, ending):
    page.page.keyboard.press(key)
    page.until(f"motes.store.state.opened.picture.endsWith('{ending}')")
    page.settle()


def test_edits_stay_with_their_picture_while_others_are_looked_at_and_after_a_reload(open_page):
    page = open_page()
    drawn = drag_one(page)
    edits, past = page.state("edits"), page.state("past")
    press(page, "PageDown", "/1")
    assert page.state("edits", "particles") == {} and page.state("past") == []
    press(page, "PageUp", "/0")
    assert page.state("edits") == edits and np.array_equal(page.drawn(), drawn)
    assert page.state("past") == past and len(past) == 2, "and so does what can be undone"
    page.page.keyboard.press("Control+z")
    page.settle()
    assert page.state("edits", "particles", "0", "position") == [-0.5, -0.5]
    page.page.keyboard.press("Control+Shift+z")
    page.settle()

    press(page, "PageDown", "/1")
    page.page.reload()
    page.until("motes.store.state.opened.picture.endsWith('/1')")
    press(page, "PageUp", "/0")
    assert page.state("edits") == edits and np.array_equal(page.drawn(), drawn), "the link has all pictures"
    page.page.locator("#run").select_option(label="masked")
    page.until("motes.store.state.opened.run === 1")
    assert page.state("edits", "particles") == {}, "another run has other particles"
    page.page.locator("#run").select_option(label="objects")
    page.until("motes.store.state.opened.run === 0")
    assert page.state("edits") == edits


def test_a_picture_that_is_left_in_the_middle_of_a_drag_keeps_it(open_page):
    page = open_page()
    spread_out(page)
    start = page.place(0)
    page.take_hold(start)
    page.page.mouse.move(start[0] + 60, start[1] + 40, steps=4)
    press(page, "PageDown", "/1")
    page.page.mouse.move(start[0] + 90, start[1] + 40, steps=4)
    page.page.mouse.up()
    assert page.state("edits", "particles") == {} and page.state("past") == []
    press(page, "PageUp", "/0")
    assert len(page.state("past")) == 2 and not page.state("dragging")
    assert page.state("edits", "particles", "0", "position") != [-0.5, -0.5]


def test_edits_belong_to_a_frame(open_page, tmp_path, make_run):
    folder = make_run(tmp_path / "clips")
    recipe = json.loads((folder / "run.json").read_text())
    config = {"image_size": [32, 32], "count": 2, "held_out": 3, "frames": 7}
    (folder / "run.json").write_text(json.dumps({**recipe, "data": "balls", "data_config": config}))
    with served([folder]) as address:
        page = open_page(address)
        drag_one(page)
        edits = page.state("edits")
        slider = page.page.get_by_role("slider", name="Frame of the clip")
        slider.press("End")
        page.until("motes.store.state.opened.picture.endsWith('/6')")
        assert page.state("edits", "particles") == {}
        slider.press("Home")
        page.until("motes.store.state.opened.picture.endsWith('/0')")
        assert page.state("edits") == edits and len(page.state("past")) == 2


def test_a_saved_session_reopens_all_pictures_with_their_edits(open_page, tmp_path):
    page = open_page()
    drawn = drag_one(page)
    edits = page.state("edits")
    Image.effect_noise((70, 50), 90).convert("RGB").save(tmp_path / "mine.png")
    page.page.locator("input[type=file]").first.set_input_files(str(tmp_path / "mine.png"))
    page.until("motes.store.state.opened.picture.startsWith('dropped/')")
    spread_out(page)
    mine = page.drawn()
    page.page.locator("#keep-button").click()
    with page.page.expect_download() as download:
        page.page.locator("#keep-session").click()
    download.value.save_as(tmp_path / "kept.motes.json")

    page = open_page()
    assert page.state("edits", "particles") == {}
    page.page.locator("input[type=file]").first.set_input_files(str(tmp_path / "kept.motes.json"))
    page.until("motes.store.state.opened.picture.startsWith('dropped/')")
    page.settle()
    assert np.array_equal(page.drawn(), mine), "its own pictures lie in the file"
    page.page.locator(".thumbs button[title$='objects/0']").click()
    page.until("motes.store.state.opened.picture.endsWith('/0')")
    page.settle()
    assert page.state("edits") == edits and np.array_equal(page.drawn(), drawn)


def usable(page):
    """Particles can be dragged."""
    page.settle()
    drag_one(page)
    assert page.state("edits", "particles", "0", "position") != [-0.5, -0.5]


def test_an_own_picture_that_is_gone_after_a_reload_leaves_the_page_usable(open_page, tmp_path):
    page = open_page()
    Image.effect_noise((70, 50), 90).convert("RGB").save(tmp_path / "mine.png")
    page.page.locator("input[type=file]").first.set_input_files(str(tmp_path / "mine.png"))
    page.until("motes.store.state.opened.picture.startsWith('dropped/')")
    spread_out(page)
    edits = page.state("edits")
    page.page.reload()
    page.page.wait_for_selector("#note:has-text('drop it in again')")
    page.until("motes.store.state.opened.picture.endsWith('objects/0')")
    usable(page)
    page.page.locator("input[type=file]").first.set_input_files(str(tmp_path / "mine.png"))
    page.until("motes.store.state.opened.picture.startsWith('dropped/')")
    assert page.state("edits") == edits, "the same picture takes the link's edits up"


def test_a_picture_that_cannot_be_read_leaves_the_one_before(open_page, tmp_path, make_run):
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.effect_noise((60, 50), 90).convert("RGB").save(folder / "whole.png")
    (folder / "cut.png").write_bytes((folder / "whole.png").read_bytes()[:900])
    long = "n" * 211 + ".png"
    (folder / long).write_bytes((folder / "whole.png").read_bytes())
    with served([make_run(tmp_path / "objects")], [folder]) as address:
        page = open_page(address)
        drag_one(page)
        edits = page.state("edits")
        page.page.locator(".thumbs button[title$='cut.png']").click()
        page.page.wait_for_selector("#note:has-text('cut.png')")
        assert page.state("picture") == page.state("opened", "picture") == "held-out/objects/0"
        assert page.state("edits") == edits
        assert page.page.locator(".thumbs button.on").get_attribute("title") == "held-out/objects/0"
        usable(page)
        page.page.locator(f".thumbs button[title$='{long}']").click()
        page.until("motes.store.state.opened.picture.includes('nnn')")
        usable(page)


def test_after_a_restart_with_other_runs_the_page_says_so_and_stays_usable(open_page, tmp_path, make_run):
    first, second, third = (make_run(tmp_path / name) for name in ("first", "second", "third"))
    with served([first, second]) as address:
        page = open_page(address)
        page.page.locator("#run").select_option(label="second")
        page.until("motes.store.state.opened.run === 1")
        drag_one(page)
        edits = page.state("edits")
        port = int(address.rsplit(":", 1)[1].strip("/"))
    with served([third, first], port=port):
        page.wait("motes.store.state.connected && motes.store.state.runs[0].name === 'third'")
        page.page.wait_for_selector("#note:has-text('second')")
        assert page.page.locator("#run option:checked").inner_text().startswith("second")
        page.page.locator("#run").select_option(label="first")
        page.until("motes.store.state.opened.run === 1 && motes.store.state.opened.picture.includes('first')")
        usable(page)
    with served([second, first], port=port):
        page.wait("motes.store.state.connected && motes.store.state.runs[0].name === 'second'")
        page.until("motes.store.state.run === 1 && motes.store.state.picture.includes('first')")
        page.page.locator("#run").select_option(label="second")
        page.until("motes.store.state.opened.run === 0")
        assert page.state("edits") == edits, "edits belong to the run by its name"


def test_while_a_busy_run_opens_the_old_picture_does_not_stand_under_its_name(
    open_page, tmp_path, make_run, monkeypatch
):
    from motes.apps.studio.desk import Desk

    opens = Desk.open

    def slowly(self, question):
        if question["run"] == 1:
            time.sleep(2)
        return opens(self, question)

    monkeypatch.setattr(Desk, "open", slowly)
    with served([make_run(tmp_path / "quick"), make_run(tmp_path / "busy")]) as address:
        page = open_page(address)
        page.page.locator("#run").select_option(label="busy")
        page.page.wait_for_timeout(700)
        assert page.page.locator("#run option:checked").inner_text() == "busy"
        opacity = "getComputedStyle(document.querySelector('.sheets')).opacity"
        assert page.page.evaluate(opacity) == "0", "the old picture is not to be seen"
        assert "busy" in page.page.locator("#empty:visible").inner_text()
        page.until("motes.store.state.opened.run === 1")
        page.page.wait_for_timeout(300)
        assert page.page.evaluate(opacity) == "1"
        assert page.page.locator("#empty:visible").count() == 0


def test_a_second_finger_during_a_drag_leaves_a_whole_edit(open_page):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    spread_out(page)
    page.page.locator("#canvas").scroll_into_view_if_needed()
    finger, (x, y) = page.page.context.new_cdp_session(page.page), page.place(0)

    def touch(kind, *points):
        places = [{"x": x + right, "y": y + down, "id": n} for n, right, down in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", (0, 0, 0))
    touch("touchMove", (0, 20, 10))
    touch("touchMove", (0, 40, 20))
    page.wait("motes.store.state.dragging")
    touch("touchStart", (0, 40, 20), (1, 90, 90))
    touch("touchMove", (0, 45, 25), (1, 95, 95))
    touch("touchEnd", (1, 95, 95))
    touch("touchEnd")
    page.wait("!motes.store.state.dragging")
    page.settle()
    moved = page.state("edits", "particles", "0", "position")
    assert moved != [-0.5, -0.5] and len(page.state("past")) == 2, "the drag is one step"
    page.page.evaluate("motes.store.undo()")
    assert page.state("edits", "particles", "0", "position") == [-0.5, -0.5]
    page.page.evaluate("motes.store.redo()")
    page.settle()
    page.page.reload()
    page.settle()
    assert page.state("edits", "particles", "0", "position") == moved, "and it is in the link"


ABSURD = [
    {"e": {"particles": {"4000000000": {"presence": 1}}}},
    {"e": {"particles": {"90000": {"copy_of": ["", 0], "position": [0, 0]}}}},
    {"e": {"particles": {"0": {"position": [1e300, -1e300], "scale": [1e9, 1e-9], "presence": 7e77}}}},
    {"e": {"particles": {"0": {"position": "x", "features": {"7000000000": 1, "0": 1e99}}, "x": 3}}},
    {"e": {"order": [0, 0, 1, 4000000000], "threshold": 1e9, "towards": [3, 4]}},
    {"e": {"order": [7, 8, 9, 4000000000]}, "s": [4000000000, -3, 2.5, 0]},
    {"e": {"code": {"4000000000": 1}, "particles": []}, "s": "x", "b": [1], "c": {"x": 3}},
    {"b": [["objects", "held-out/objects/1", {"particles": {"4000000000": {}}}]] * 400},
    {"p": "held-out/objects/4000000000"},
    {"p": "n" * 100_000, "o": 3, "v": []},
    {"e": 4000000000, "w": [[4, 4, 4], None, 3]},
    {"w": [["objects", "held-out/objects/1", {"particles": {"4000000000": {"presence": 1}}}]]},
]


def test_absurd_numbers_in_links_are_left_out(open_page):
    page = open_page()
    write = """(kept) => btoa(unescape(encodeURIComponent(JSON.stringify(kept))))
        .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')"""
    for kept in ABSURD:
        link = {"r": "objects", "p": "held-out/objects/0", **kept}
        page.page.goto("about:blank")
        page.page.goto(page.address + "#" + page.page.evaluate(write, link))
        page.until("motes.store.state.opened.picture.startsWith('held-out')")
        page.settle()
        count = page.page.evaluate(
            "async () => (await import('/page/edits.js')).count(motes.store.state.opened, motes.store.state.edits)"
        )
        assert count < 300 and len(page.state("sheets")) <= 5
        assert all(type(k) is int and 0 <= k < count for k in page.state("selection"))
        press(page, "PageDown", "/1")
        press(page, "PageUp", "/0")
        start = page.place(1)
        page.page.keyboard.press("]")
        page.page.keyboard.press("ArrowRight")
        page.settle()
        assert not page.faults, (kept, page.faults, start)
