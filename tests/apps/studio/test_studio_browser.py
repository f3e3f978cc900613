"""The studio in a real Chromium: drag, choose many, slide, undo, redo, copy between pictures, keep, reload from the address, watch."""

import json
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from studio_page import Page, needs_chromium, served, spread_out
from toy_runs import make_toy_run

pytest.importorskip("uvicorn", reason="needs pip install 'motes[studio]'")
pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")

pytestmark = needs_chromium


def test_drag_many_slide_undo_redo_and_reload(open_page):
    page = open_page()
    spread_out(page)
    before = page.drawn()
    page.page.locator("#tab-edit").click()
    start = page.place(0)
    page.drag(start, (start[0] + 60, start[1] + 40))
    page.settle()
    assert page.state("selection") == [0] and not np.array_equal(page.drawn(), before)
    assert len(page.state("past")) == 2, "a drag is one step"
    page.shot("dragged")
    others = [page.state("edits", "particles", k, "position") for k in "123"]
    assert others == [[-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]]

    page.page.keyboard.press("Control+z")
    page.settle()
    assert np.array_equal(page.drawn(), before)
    page.page.keyboard.press("Control+Shift+z")
    page.settle()
    assert not np.array_equal(page.drawn(), before)
    page.page.keyboard.press("Control+z")

    page.page.mouse.click(*page.place(1))
    page.page.keyboard.down("Shift")
    page.page.mouse.click(*page.place(3))
    page.page.keyboard.up("Shift")
    assert page.state("selection") == [1, 3]
    start = page.place(1)
    page.drag(start, (start[0] - 40, start[1]))
    page.settle()
    moved = [page.state("edits", "particles", k, "position", 1) - 0.5 for k in "13"]
    assert moved[0] == pytest.approx(moved[1]) and moved[0] < -0.05

    box = page.page.locator("#canvas").bounding_box()
    page.drag(
        (box["x"] + 4, box["y"] + box["height"] * 0.6),
        (box["x"] + box["width"] * 0.5, box["y"] + box["height"] - 4),
    )
    assert page.state("selection") == [2], "a box takes what it surrounds and is there"

    page.page.keyboard.press("ArrowRight")
    assert page.state("edits", "particles", "2", "position") == [0.5, -0.4375], "a pixel of 32"
    page.page.get_by_role("button", name="numbers", exact=True).click()
    slider = page.page.get_by_role("slider", name="number 1")
    slider.focus()
    page.page.keyboard.press("End")
    page.settle()
    assert page.state("edits", "particles", "2", "features", "1") is not None
    position = page.state("edits", "particles", "2", "position")
    page.page.keyboard.press("ArrowLeft")
    assert page.state("edits", "particles", "2", "position") == position, "a slider's arrows are its own"
    page.page.keyboard.down("Space")
    assert page.state("held"), "other keys are the picture's"
    page.page.keyboard.up("Space")
    page.page.keyboard.press("x")
    page.page.locator("#stage").focus()
    page.page.keyboard.press("m")
    page.settle()
    page.shot("many")

    kept = {name: page.state(name) for name in ("edits", "selection", "picture", "run")}
    drawn = page.drawn()
    page.page.reload()
    page.settle()
    assert {name: page.state(name) for name in kept} == kept
    assert np.array_equal(page.drawn(), drawn), "a link shows the same picture"


def test_what_the_page_lays_is_what_the_model_draws(open_page):
    page = open_page()
    spread_out(page)
    start = page.place(2)
    page.take_hold(start)
    page.page.mouse.move(start[0] + 37, start[1] - 61, steps=10)
    assert not page.state("exact")
    laid = page.drawn()
    page.page.mouse.up()
    page.settle()
    assert np.abs(laid - page.drawn()).max() <= 2


def test_duplicate_copy_between_pictures_and_keep(open_page, tmp_path):
    page = open_page()
    spread_out(page)
    page.page.mouse.click(*page.place(3))
    page.page.get_by_role("button", name="Duplicate").click()
    page.settle()
    assert page.state("selection") == [4] and page.state("edits", "order", 0) == 4
    page.page.keyboard.press("c")
    page.page.locator(".thumbs button[title$='/2']").click()
    page.until("motes.store.state.opened.picture.endsWith('/2')")
    assert page.state("edits", "particles") == {}
    page.page.keyboard.press("v")
    page.settle()
    assert page.state("edits", "particles", "4", "copy_of") == ["held-out/objects/0", 3]

    def keep(kind):
        page.page.locator("#keep-button").click()
        with page.page.expect_download() as download:
            page.page.locator(f"#keep-{kind}").click()
        path = tmp_path / f"kept.{kind}"
        download.value.save_as(path)
        return path

    assert np.array_equal(np.asarray(Image.open(keep("png")).convert("RGB")), page.drawn()[..., :3])
    assert Image.open(keep("gif")).is_animated
    if find_spec("av"):
        assert keep("mp4").read_bytes()[4:8] == b"ftyp"
    told = json.loads(keep("json").read_text())
    assert len(told["particles"]) == 5 and told["edits"] == page.state("edits")
    rows = keep("csv").read_text().splitlines()
    assert len(rows) == 6 and rows[0].startswith(
        "picture,particle,row,column,row_std,column_std,presence,certainty,there,"
        "top_px,left_px,bottom_px,right_px,height_px,width_px,middle_row_px,middle_column_px,feature_0"
    )
    page.page.locator("#keep-button").click()
    page.page.locator("#keep-python").click()
    page.page.wait_for_selector("#lines pre")
    assert "joined(other_0, 3)" in page.page.locator("#lines pre").inner_text()
    page.shot("python")


def test_sizes_are_changed_by_sliders_and_keys_where_the_model_has_sizes(open_page, tmp_path, make_run):
    page = open_page()
    spread_out(page)
    page.page.mouse.click(*page.place(0))
    before = page.drawn()
    page.page.get_by_role("slider", name="height ×").press("End")
    page.settle()
    tall = page.state("edits", "particles", "0", "scale")
    assert tall[0] == pytest.approx(4, abs=0.01), "as high as the picture"
    assert not np.array_equal(page.drawn(), before)
    page.page.keyboard.press("-")
    page.settle()
    smaller = page.state("edits", "particles", "0", "scale")
    assert smaller == pytest.approx([one / 1.1 for one in tall], abs=1e-3)
    page.page.keyboard.press("Control+z")
    page.page.keyboard.press("Control+z")
    page.settle()
    assert np.array_equal(page.drawn(), before)
    page.shot("sizes")
    with served([make_run(tmp_path / "one_size", architecture="anchored")]) as address:
        page = open_page(address)
        page.page.keyboard.press("]")
        assert page.page.get_by_role("slider", name="height ×").count() == 0


def test_a_picture_is_dropped_and_before_is_shown_while_space_is_held(open_page, tmp_path):
    page = open_page()
    Image.effect_noise((70, 50), 90).convert("RGB").save(tmp_path / "mine.png")
    page.page.locator("input[type=file]").set_input_files(str(tmp_path / "mine.png"))
    page.until("motes.store.state.opened.picture.startsWith('dropped/')")
    page.page.evaluate(
        "motes.store.edit({ ...motes.store.state.edits, particles: { 0: { position: [0.5, 0.5], presence: 1 } } })"
    )
    page.settle()
    link = page.page.url
    page.page.goto("about:blank")
    page.page.goto(link)
    page.page.wait_for_selector("#note:has-text('drop it in again')")
    page.page.locator("input[type=file]").set_input_files(str(tmp_path / "mine.png"))
    page.until("motes.store.state.opened.picture.startsWith('dropped/')")
    page.settle()
    assert page.state("edits", "particles", "0", "position") == [0.5, 0.5], (
        "the same picture takes the link's edits up"
    )
    page.page.evaluate("motes.server.socket.close()")
    page.until(
        "motes.store.state.session !== '' && motes.server.socket.readyState === 1 && motes.store.state.note === ''"
    )
    page.page.keyboard.press("ArrowDown") if page.state("selection") else page.page.locator(
        "#strip button"
    ).first.click()
    page.page.keyboard.press("ArrowDown")
    page.settle()
    page.page.keyboard.down("Space")
    assert page.state("held")
    page.page.keyboard.up("Space")
    assert not page.state("held")
    (tmp_path / "bad.png").write_bytes(b"nothing")
    page.page.locator("input[type=file]").set_input_files(str(tmp_path / "bad.png"))
    page.page.wait_for_selector("#note:has-text('no picture')")
    (tmp_path / "large.png").write_bytes(b"\0" * 20_000_001)
    page.page.locator("input[type=file]").set_input_files(str(tmp_path / "large.png"))
    page.page.wait_for_selector("#note:has-text('larger than 20,000,000 bytes')")


def test_every_kind_of_model_has_its_panels(open_page):
    page = open_page()
    page.page.locator("#run").select_option(label="masked")
    page.until("motes.store.state.opened.run === 1")
    spread_out(page)
    before = page.drawn()
    start = page.place(0)
    page.drag(start, (start[0] + 90, start[1] + 90), steps=20)
    page.settle()
    assert not np.array_equal(before, page.drawn()), "decoded by the server while the hand moves"
    assert page.page.locator("#overlays button:visible", has_text="Boxes").count() == 0
    page.shot("masked")
    page.page.keyboard.press("Escape")
    before = page.drawn()
    page.page.locator("#towards").select_option(index=2)
    page.settle()
    page.page.get_by_role("slider", name="share").focus()
    page.page.keyboard.press("End")
    page.settle()
    assert page.state("edits", "towards", 1) == 1 and not np.array_equal(before, page.drawn())
    assert page.page.locator(".mote").count() == 0, "on the way only the model knows where they are"
    page.page.locator("#run").select_option(label="code")
    page.until(
        "motes.store.state.opened.run === 2 && motes.store.state.runs[2].ranges"
    )  # with them, sliders are made anew
    before = page.drawn()
    page.page.get_by_role("button", name="numbers", exact=True).click()
    page.page.get_by_role("slider", name="number 0").focus()
    page.page.keyboard.press("End")
    page.until("motes.store.state.edits.code[0] !== undefined")
    page.settle()
    assert not np.array_equal(before, page.drawn())
    page.page.get_by_role("button", name="A new picture").click()
    page.until("motes.store.state.opened.picture.startsWith('sampled/')")
    page.shot("code")


@pytest.mark.parametrize("name, kind", [("toy-stripes", "other"), ("toy-slots", "slots")])
def test_a_latent_without_edits_is_shown_said_to_be_so_and_leaves_the_page_working(
    name, kind, open_page, make_run, tmp_path, monkeypatch
):
    toys = [make_toy_run(tmp_path / name, name, monkeypatch), make_run(tmp_path / "objects")]
    with served(toys) as address:
        page = open_page(address)
        assert page.state("opened", "kind") == kind and page.state("edits", "particles") == {}
        page.page.wait_for_selector("#no-edits:has-text('cannot be edited by hand here')")
        assert page.page.locator("#inspector input[type=range]").count() == 0
        assert page.page.locator("#strip button").count() == page.page.locator(".mote").count() == 0
        assert page.page.locator("#overlays button:visible").all_inner_texts() == ["Truth", "+ Beside"]
        assert page.page.locator("#threshold:visible").count() == 0

        # views, by button and by key; nothing to be taken hold of; keys of particles do nothing
        page.wait("document.querySelectorAll('#views button:not([hidden])').length === 4")
        page.page.get_by_role("radio", name="original").click()
        assert page.state("show") == "original"
        page.page.keyboard.press("1")
        assert page.state("show") == "drawn"
        box = page.page.locator("#canvas").bounding_box()
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        before = page.drawn()
        page.drag(middle, (middle[0] + 40, middle[1] + 30))
        for key in (
            "d",
            "Delete",
            "c",
            "v",
            "l",
            "f",
            "b",
            "r",
            "]",
            "[",
            "Control+a",
            "ArrowLeft",
            "x",
            "m",
            "o",
            "n",
            "p",
        ):
            page.page.keyboard.press(key)
        page.page.keyboard.down("Space")
        assert page.state("held")
        page.page.keyboard.up("Space")
        assert page.state("selection") == [] and page.state("past") == []
        assert np.array_equal(page.drawn(), before)
        page.shot(name)

        # the menu of what can be kept
        page.page.locator("#keep-button").click()
        assert (
            page.page.locator("#keep-csv:visible").count() == 0
            and page.page.locator("#keep-json").is_disabled()
        )
        with page.page.expect_download() as download:
            page.page.locator("#keep-gif").click()
        assert Image.open(download.value.path()).size == (320, 320)
        page.page.locator("#keep-button").click()
        page.page.locator("#keep-python").click()
        page.page.wait_for_selector("#lines pre:has-text('session.decode')")
        page.page.keyboard.press("Escape")

        # a link to an edit that it refuses says so; a selection in it changes nothing
        page.page.evaluate("motes.store.set({ selection: [0] })")
        page.page.keyboard.press("ArrowLeft")
        page.page.evaluate("motes.store.edit({ ...motes.store.state.edits, code: { 0: 1 } })")
        page.page.wait_for_selector("#note:has-text('cannot be edited')")
        page.page.keyboard.press("Control+z")
        page.page.evaluate("motes.store.set({ selection: [] })")

        # pictures: another one, beside, made up
        page.page.locator(".thumbs button[title$='/2']").click()
        page.until("motes.store.state.opened.picture.endsWith('/2')")
        page.page.get_by_role("button", name="+ Beside").click()
        page.page.locator(".thumbs button[title$='/3']").click()
        page.until("motes.store.state.opened.picture.endsWith('/3') && motes.store.state.sheets[0]?.drawn")
        assert (page.page.get_by_role("button", name="A new picture").count() == 1) == (name == "toy-stripes")
        if name == "toy-stripes":
            page.page.get_by_role("button", name="A new picture").click()
            page.until("motes.store.state.opened.picture.startsWith('sampled/')")

        # beside a model of particles, and in its place
        page.page.locator("#tab-compare").click()
        page.page.get_by_role("checkbox", name="objects").check()
        page.wait("document.querySelectorAll('#compare output').length === 2")
        page.page.wait_for_selector(f"#compare label:has-text('{name}') output:has-text('dB')")
        page.page.locator("#tab-watch").click()
        page.page.wait_for_selector("#watched:has-text('Step 0')")
        page.page.locator("#tab-edit").click()
        page.page.locator(".thumbs button[title^='held-out'][title$='/1']").click()
        page.page.locator("#run").select_option(label="objects")
        page.until("motes.store.state.opened.run === 1")
        assert page.page.locator("#no-edits").count() == 0
        page.wait("document.querySelectorAll('#strip button').length === 4")
        page.page.locator("#run").select_option(label=name)
        page.until("motes.store.state.opened.run === 0")
        page.page.wait_for_selector("#no-edits")
        page.wait("document.querySelectorAll('#strip button').length === 0")


def test_clips_of_a_latent_without_edits_have_a_timeline(open_page, tmp_path, monkeypatch):
    folder = make_toy_run(tmp_path / "clips", "toy-stripes", monkeypatch)
    recipe = json.loads((folder / "run.json").read_text())
    config = {"image_size": [32, 32], "count": 2, "held_out": 3, "frames": 7}
    (folder / "run.json").write_text(json.dumps({**recipe, "data": "balls", "data_config": config}))
    with served([folder]) as address:
        page = open_page(address)
        page.page.get_by_role("slider", name="Frame of the clip").press("End")
        page.until("motes.store.state.opened.picture.endsWith('/6')")
        assert page.page.locator("#time output").inner_text() == "7 of 7"
        page.page.wait_for_selector("#no-edits")


def test_a_run_under_way_is_watched_and_two_runs_are_compared(open_page, runs):
    page = open_page()
    page.page.locator("#tab-watch").click()
    page.page.wait_for_selector("#watched:has-text('Step 0')")
    with (runs[0] / "metrics.jsonl").open("a") as file:
        for step in range(10, 400, 10):
            line = {
                "step": step,
                "stage": "main",
                "total": 100 / step,
                "terms": {"reconstruction": 90 / step, "feature_kl": 3.0 + step % 7},
            }
            file.write(json.dumps(line) + "\n")
    Image.new("RGB", (64, 48), "teal").save(runs[0] / "pictures" / "step-0000390.png")
    page.page.wait_for_selector("#watched:has-text('Step 390')")
    page.page.wait_for_selector(".grown")
    assert page.page.locator("#watch .curve").count() == 2
    page.shot("watch")
    page.page.locator("#tab-compare").click()
    page.page.get_by_role("checkbox", name="masked").check()
    page.until("motes.store.state.sheets.length === 1 && motes.store.state.sheets[0].opened")
    assert page.page.locator("#compare output:has-text('dB')").count() == 2
    page.wait("document.querySelectorAll('#compare .curve').length > 1")
    page.shot("compare")


def test_curves_of_two_runs_lie_over_one_another(open_page, tmp_path, make_run):
    pair = [make_run(tmp_path / name) for name in ("slow", "quick")]
    for run, pace in zip(pair, (1, 2), strict=True):
        with (run / "metrics.jsonl").open("a") as file:
            for step in range(10, 200, 10):
                file.write(
                    json.dumps({"step": step, "total": 1.0, "terms": {"error": 2 / (1 + pace * step / 50)}})
                    + "\n"
                )
    with served(pair) as address:
        page = open_page(address)
        page.page.locator("#tab-compare").click()
        page.page.wait_for_selector("#compare .curve")
        assert page.page.locator("#compare polyline").count() == 1
        page.page.get_by_role("checkbox", name="quick").check()
        page.wait("document.querySelectorAll('#compare polyline').length === 2")
        lines = page.page.locator("#compare polyline").evaluate_all(
            "(all) => all.map((one) => one.getAttribute('points').split(' '))"
        )
        heights = [[float(point.split(",")[1]) for point in line] for line in lines]
        assert lines[0][0] == lines[1][0], "on the same axes"
        assert all(slow < quick for slow, quick in zip(*(one[1:] for one in heights), strict=True)), (
            "the quicker one lies below"
        )
        colours = page.page.locator("#compare polyline").evaluate_all(
            "(all) => all.map((one) => getComputedStyle(one).stroke)"
        )
        assert len(set(colours)) == 2
        page.shot("curves")


def test_many_pictures_lie_side_by_side_each_with_its_particles_and_its_edits(open_page):
    page = open_page()
    spread_out(page)
    first = page.drawn()
    page.page.get_by_role("button", name="+ Beside").click()
    page.page.locator(".thumbs button[title$='/2']").click()
    page.until("motes.store.state.opened.picture.endsWith('/2')")
    page.page.locator(".thumbs button[title$='/3']").click(modifiers=["Shift"])
    page.page.locator("#tab-compare").click()
    page.page.get_by_role("checkbox", name="masked").check()
    page.until("motes.store.state.sheets.length === 3 && motes.store.state.sheets.every((one) => one.opened)")
    page.wait("document.querySelectorAll('.beside').length === 3")
    page.page.get_by_role("button", name="Doubted").click()
    page.wait("document.querySelectorAll('.sheet .mote').length === 16")
    marks = page.page.evaluate(
        "[...document.querySelectorAll('.beside')].map((one) => one.querySelectorAll('.mote').length)"
    )
    assert marks == [4, 4, 4], "every one shows its own particles"
    boxes = [one.bounding_box() for one in page.page.locator(".sheet").all()]
    assert len({round(box["width"]) for box in boxes}) == 1, "all have the same room"
    for n, one in enumerate(boxes):
        for other in boxes[:n]:
            beside = one["x"] >= other["x"] + other["width"] or one["y"] >= other["y"] + other["height"]
            assert beside, "and none lies on another"
    page.shot("beside")

    def other_pixels(n):
        script = "(n) => [...document.querySelectorAll('.beside canvas')[n].getContext('2d').getImageData(0, 0, 32, 32).data]"
        return np.array(page.page.evaluate(script, n)).reshape(32, 32, 4)

    assert np.array_equal(other_pixels(1), first), "as it was edited"
    kept = page.state("sheets", 1, "edits")
    page.page.reload()
    page.until("motes.store.state.sheets.length === 3 && motes.store.state.sheets.every((one) => one.opened)")
    page.settle()
    assert page.state("sheets", 1, "edits") == kept and page.state("picture").endswith("/2"), (
        "the link has them all"
    )
    page.page.locator(".beside .take:visible").first.click()
    page.until("motes.store.state.opened.picture.endsWith('/0')")
    page.settle()
    assert np.array_equal(page.drawn(), first) and page.state("sheets", 1, "picture").endswith("/2"), (
        "they change places"
    )
    start = page.place(0)
    page.drag(start, (start[0] + 30, start[1] + 30))
    page.settle()
    assert not np.array_equal(page.drawn(), first)
    page.page.locator(".beside .away").first.click()
    page.until("motes.store.state.sheets.length === 2 && motes.store.state.others.length === 0")


def test_a_page_whose_first_call_is_not_answered_opens_when_it_is(browser, address):
    context = browser.new_context()
    context.add_init_script("""
        const Real = WebSocket
        window.calls = 0
        window.WebSocket = class extends Real {
            constructor(url) {
                super(url)
                if (++window.calls === 1) this.close()
            }
        }
    """)
    page = Page(context.new_page(), address)
    assert page.state("picture") == "held-out/objects/0" and page.page.evaluate("calls") == 2
    assert page.page.locator(".mote").count() == 4 and not page.faults
    context.close()


TRAINING = """
import sys, time
from pathlib import Path
from motes.apps.cli.progress import Display
from motes.data.source import Source
from motes.training.loop import train
from motes.training.recipe import Recipe, Training

folder = Path(sys.argv[1])

class Waiting(Display):
    def evaluated(self, record, model, run):
        super().evaluated(record, model, run)
        while not (folder / f"go-on-{record['step']}").exists():
            time.sleep(0.05)

training = Training(steps=60, batch_size=8, evaluate_every=30, validation_pictures=8, learning_rate=2e-3, warm_steps=1)
data = Source("shapes", {"image_size": [32, 32], "count": 480, "held_out": 8})
recipe = Recipe("vae", data, {"code_dim": 4, "width": 8}, training)
with Waiting(recipe.data.open("validation")) as display:
    train(recipe, folder, display)
"""


def take_up_the_best(page, condition):
    """Clicks until the model is there: a step is written a moment before its checkpoint."""
    for _ in range(100):
        page.page.get_by_role("button", name="Take up its best model so far").click()
        page.page.wait_for_timeout(200)
        if page.page.evaluate(f"Boolean({condition})"):
            return
    raise AssertionError(f"never {condition}; {page.state('note')}")


def test_a_training_is_watched_while_it_goes_on(open_page, tmp_path, make_run):
    folder = tmp_path / "learning"
    learning = subprocess.Popen([sys.executable, "-c", TRAINING, str(folder)], cwd=Path(__file__).parents[2])
    try:
        while not (folder / "run.json").exists():
            assert learning.poll() is None
            time.sleep(0.05)
        with served([folder]) as address:
            page = open_page(address)
            page.page.locator("#tab-watch").click()
            page.page.wait_for_selector("#watched:has-text('Step 30')")
            take_up_the_best(page, "motes.store.state.opened")
            page.settle()
            page.page.wait_for_selector(".grown[src$='step-0000030.png']")
            assert learning.poll() is None, "all this while it learns"
            early, code = page.drawn(), page.state("opened", "code")
            (folder / "go-on-30").touch()
            page.page.wait_for_selector("#watched:has-text('Step 60')")
            page.page.wait_for_selector(".grown[src$='step-0000060.png']")
            assert learning.poll() is None
            curves = page.page.locator("#watch .curve b").all_inner_texts()
            assert curves[0] == "held-out loss" and len(curves) > 1
            page.shot("learning")
            take_up_the_best(
                page, f"JSON.stringify(motes.store.state.opened.code) !== JSON.stringify({code})"
            )
            page.settle()
            assert not np.array_equal(page.drawn(), early), "the better model draws"
            (folder / "go-on-60").touch()
            assert learning.wait(60) == 0
    finally:
        learning.kill()


def test_clips_have_a_timeline_and_single_pictures_none(open_page, tmp_path, make_run):
    page = open_page()
    assert page.page.locator("#time:visible").count() == 0
    recipe = json.loads((make_run(tmp_path / "clips") / "run.json").read_text())
    recipe |= {
        "data": "balls",
        "data_config": {"image_size": [32, 32], "count": 2, "held_out": 3, "frames": 7},
    }
    (tmp_path / "clips" / "run.json").write_text(json.dumps(recipe))
    with served([tmp_path / "clips"]) as address:
        page = open_page(address)
        assert page.state("runs", 0, "pictures") == [f"held-out/clips/{n}" for n in (0, 7, 14)], (
            "a clip is known by its first frame"
        )
        page.page.locator(".thumbs button[title$='/7']").click()
        page.until("motes.store.state.opened.picture.endsWith('/7')")
        assert page.page.locator("#time output").inner_text() == "1 of 7"
        page.page.get_by_role("slider", name="Frame of the clip").press("End")
        page.until("motes.store.state.opened.picture.endsWith('/13')")
        assert page.page.locator("#time output").inner_text() == "7 of 7"
        page.shot("time")


@pytest.mark.parametrize("name, options", {
    "dark": {"color_scheme": "dark"},
    "twice": {"viewport": {"width": 680, "height": 430}, "device_scale_factor": 2},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2},
}.items())  # fmt: skip
def test_dark_at_twice_the_size_and_on_a_phone(name, options, open_page):
    page = open_page(**options)
    spread_out(page)
    if options.get("has_touch"):
        page.page.locator("#canvas").scroll_into_view_if_needed()
        page.page.touchscreen.tap(*page.place(1))
        assert page.state("selection") == [1]
        finger, (x, y) = page.page.context.new_cdp_session(page.page), page.place(2)
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        page.until("motes.store.state.selection.length === 2")
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert page.state("selection") == [1, 2], "a finger that rests chooses one more"
    page.shot(name)
    assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "nothing sticks out sideways"
    )
    page.page.keyboard.press("?")
    page.page.wait_for_selector("dialog[open]")
    page.shot(f"{name}-keys")


def test_the_exported_site_drags_without_a_server_behind_it(browser, runs, tmp_path):
    import functools
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    from motes.apps.studio.shelf import Shelf
    from motes.apps.studio.site import export

    export(Shelf(runs[:1]), tmp_path / "site")
    export(Shelf(runs[:1]), tmp_path / "site")  # again: in its own place
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "site"))
    handler.log_message = lambda *_: None
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = browser.new_context()
        page = Page(context.new_page(), f"http://127.0.0.1:{server.server_port}/")
        page.page.evaluate(
            "motes.store.edit({ ...motes.store.state.edits, particles: { 0: { position: [0.5, 0.5], presence: 1 } } })"
        )
        # its modules are in the page itself
        row, column = page.page.evaluate(
            "async () => { const { particle } = await import('motes/edits.js'); const { opened, edits } = motes.store.state; return particle(opened, edits, 0).position }"
        )
        box = page.page.locator("#canvas").bounding_box()
        start = box["x"] + (column + 1) / 2 * box["width"], box["y"] + (row + 1) / 2 * box["height"]
        before = page.drawn()
        page.drag(start, (start[0] - 80, start[1] - 80))
        page.page.wait_for_timeout(100)
        assert not np.array_equal(before, page.drawn())
        before = page.drawn()
        page.page.get_by_role("button", name="Duplicate").click()
        page.page.wait_for_timeout(100)
        assert not np.array_equal(before, page.drawn()), "a copy looks like its origin"
        assert page.page.get_by_role("slider", name="number 0").count() == 0, "looks need the model"
        edited = page.drawn()
        page.page.locator("#beside").click()
        page.until("motes.store.state.sheets.length === 1 && motes.store.state.sheets[0].drawn")
        beside = page.page.evaluate("[...motes.store.state.sheets[0].drawn]")
        assert np.array_equal(np.array(beside).reshape(32, 32, 4), edited), (
            "laid by the page as it was edited"
        )
        assert not page.faults and not page.foreign, page.faults
        page.shot("site")
        context.close()
        server.shutdown()


def test_in_an_empty_folder_the_model_that_comes_with_motes_is_dragged_at_once(browser, tmp_path):
    command = [sys.executable, "-u", "-m", "motes.apps.cli.main", "studio", "--no-browser"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as studio:
        context = browser.new_context(viewport={"width": 1360, "height": 860})
        try:
            assert studio.stdout is not None
            address = studio.stdout.readline().split()[-1]
            page = Page(context.new_page(), address)
            assert page.state("runs", 0, "name") == "shapes"
            present = page.state("opened", "presence")
            first = next(k for k, presence in enumerate(present) if presence > 0.5)
            start = page.place(first)
            page.drag(start, (start[0] + 60, start[1] + 40))
            page.settle()
            assert page.state("edits", "particles", str(first), "position") is not None
            page.shot("first-minute")
        finally:
            context.close()
            studio.terminate()
    assert list(tmp_path.iterdir()) == [], "nothing is written where the studio is opened"
