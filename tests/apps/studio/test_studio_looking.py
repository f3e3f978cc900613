"""Looking around: more held-out pictures, worst first, what is truly there, made-up pictures, and runs compared."""

import json

import pytest
from studio_page import needs_chromium, served, spread_out

pytest.importorskip("uvicorn", reason="needs pip install 'motes[studio]'")
pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")

pytestmark = needs_chromium


def many(run, count=30):
    recipe = json.loads((run / "run.json").read_text())
    recipe["data_config"] |= {"held_out": count}
    (run / "run.json").write_text(json.dumps(recipe))
    return run


def test_held_out_pictures_beyond_the_first_and_worst_first(open_page, tmp_path, make_run):
    with served([many(make_run(tmp_path / "many"))]) as address:
        page = open_page(address)
        thumbs = page.page.locator(".thumbs button[title^='held-out']")
        assert thumbs.count() == 24
        page.page.locator("#more").click()
        assert thumbs.count() == 30 and page.page.locator("#more").count() == 0
        page.page.locator(".thumbs button[title$='/29']").click()
        page.until("motes.store.state.opened.picture.endsWith('/29')")
        page.page.get_by_role("button", name="Worst first").click()
        page.wait("motes.store.state.runs[0].worstFirst")
        decibels = page.state("runs", 0, "decibels")
        shown = thumbs.evaluate_all("(all) => all.map((one) => one.title)")
        assert len(decibels) == 30 and shown == sorted(decibels, key=decibels.get)[:24]
        page.page.locator(f".thumbs button[title='{shown[0]}']").click()
        page.until(f"motes.store.state.opened.picture === '{shown[0]}'")
        page.page.keyboard.press("PageDown")
        page.until(f"motes.store.state.opened.picture === '{shown[1]}'")
        page.shot("worst-first")
        page.page.get_by_role("button", name="Worst first").click()
        assert thumbs.first.get_attribute("title") == "held-out/many/0"


def test_what_is_truly_there_is_drawn_over(open_page):
    page = open_page()
    page.page.get_by_role("button", name="Truth").click()
    page.wait("document.querySelectorAll('#marks rect.truth:not(.under)').length > 0")
    boxes = page.state("truth", "boxes")
    assert page.page.locator("#marks rect.truth:not(.under)").count() == len(boxes)
    page.page.keyboard.press("PageDown")
    page.until("motes.store.state.truth.picture.endsWith('/1')")
    assert page.state("truth", "boxes") != boxes
    page.page.reload()
    page.wait("document.querySelectorAll('#marks rect.truth').length > 0")
    page.shot("truth")


def test_made_up_pictures_are_listed_and_returned_to(open_page):
    page = open_page()
    page.page.locator("#run").select_option(label="code")
    page.until("motes.store.state.opened.run === 2")
    page.page.get_by_role("button", name="A new picture").click()
    page.until("motes.store.state.opened.picture.startsWith('sampled/')")
    first = page.state("picture")
    page.page.evaluate("motes.store.edit({ ...motes.store.state.edits, code: { 0: 1.5 } })")
    page.settle()
    page.page.get_by_role("button", name="A new picture").click()
    page.until(f"motes.store.state.opened.picture !== '{first}'")
    assert page.page.locator(".thumbs button[title^='sampled/']").count() == 2
    page.page.locator(f".thumbs button[title='{first}']").click()
    page.until(f"motes.store.state.opened.picture === '{first}'")
    assert page.state("edits", "code") == {"0": 1.5}


def test_compared_runs_show_what_differs_and_values_at_the_pointer(open_page, tmp_path, make_run):
    pair = [make_run(tmp_path / name) for name in ("slow", "quick")]
    for run, pace in zip(pair, (1, 2), strict=True):
        recipe = json.loads((run / "run.json").read_text())
        recipe["training"]["learning_rate"] = 0.001 * pace
        (run / "run.json").write_text(json.dumps(recipe))
        with (run / "metrics.jsonl").open("a") as file:
            for step in range(10, 200, 10):
                terms = {"error": 2 / (1 + pace * step / 50) + 0.1 * (step // 10 % 2)}
                file.write(json.dumps({"step": step, "total": 1.0, "terms": terms}) + "\n")
    with served(pair) as address:
        page = open_page(address)
        page.page.locator("#tab-compare").click()
        page.page.get_by_role("checkbox", name="quick").check()
        page.page.wait_for_selector(".differs tr:has-text('training.learning-rate')")
        cells = page.page.locator(".differs tr:has-text('learning-rate') td").all_inner_texts()
        assert cells == ["0.001", "0.002"] and page.page.locator(".differs tr").count() == 2

        points = "() => [...document.querySelectorAll('#compare polyline')].map((one) => one.getAttribute('points'))"
        before = page.page.evaluate(points)
        page.page.locator("#smooth").press("End")
        smooth = page.page.evaluate(points)
        assert smooth != before
        page.page.locator("#axis").select_option("logarithmic")
        assert page.page.evaluate(points) != smooth

        box = page.page.locator("#compare .curve svg").bounding_box()
        page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
        assert "step" in page.page.locator("#compare .curve figcaption").inner_text()
        assert page.page.locator("#compare .curve figcaption i").count() == 2, "a value of each run"
        page.page.locator("#compare .curve").focus()
        page.page.keyboard.press("ArrowLeft")
        assert "step" in page.page.locator("#compare .curve figcaption").inner_text()
        page.shot("compared")


def test_a_link_with_edits_of_many_pictures_stays_short_enough(open_page):
    page = open_page()
    for n in range(4):
        spread_out(page)
        page.page.keyboard.press("PageDown")
        page.until(f"motes.store.state.opened.picture.endsWith('/{n + 1}')")
    assert len(page.page.url) < 4000
