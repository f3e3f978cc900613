"""Keys, words and what is said: arrow keys in groups, sliders of a look with its picture at both ends."""

import numpy as np
import pytest
from studio_page import needs_chromium, spread_out

pytest.importorskip("uvicorn", reason="needs pip install 'motes[studio]'")
pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")

pytestmark = needs_chromium


def test_tabs_views_and_particles_answer_arrow_keys(open_page):
    page = open_page()
    page.page.locator("#tab-edit").focus()
    page.page.keyboard.press("ArrowRight")
    assert page.state("tab") == "watch"
    page.page.keyboard.press("ArrowLeft")
    assert page.state("tab") == "edit"
    page.page.keyboard.press("ArrowLeft")
    assert page.state("tab") == "compare", "from the first to the last"
    page.page.keyboard.press("Home")
    assert page.page.locator("#tabs button[tabindex='0']").all_inner_texts() == ["Edit"], "one stop for Tab"

    page.page.get_by_role("radio", name="edited").focus()
    page.page.keyboard.press("ArrowRight")
    assert page.state("show") == "before"
    page.page.keyboard.press("End")
    assert page.state("show") == "error"
    page.page.keyboard.press("ArrowRight")
    assert page.state("show") == "drawn"

    page.page.locator("#strip button").first.focus()
    page.page.keyboard.press("ArrowRight")
    assert page.state("selection") == [1]
    page.page.keyboard.press("ArrowRight")
    assert page.state("selection") == [2]
    assert page.page.locator("#strip button[tabindex='0']").count() == 1


def test_what_a_key_does_is_said(open_page):
    page = open_page()
    spread_out(page)
    page.page.locator("#strip button").first.click()
    page.page.locator("#stage").focus()
    page.page.keyboard.press("ArrowRight")
    assert page.page.locator("#said").inner_text() == "particle 0 moved to row 8.0, column 9.0"
    page.page.keyboard.press("Control+z")
    assert page.page.locator("#said").inner_text() == "undone"
    page.page.keyboard.press("Delete")
    assert page.page.locator("#said").inner_text() == "particle 0 removed"


def test_sliders_of_a_look_have_its_picture_at_both_ends(open_page):
    page = open_page()
    spread_out(page)
    page.page.mouse.click(*page.place(0))
    page.wait("motes.store.state.runs[0].ranges")
    slider = page.page.get_by_role("slider", name="look 1")
    page.wait("document.querySelectorAll('canvas.look').length > 1")
    filled = """[...document.querySelectorAll('.slider.ends')].every((row) => [...row.querySelectorAll('canvas.look')].every(
        (one) => one.width === motes.store.state.layers.side))"""
    page.wait(filled)
    read = """(n) => [...document.querySelectorAll('canvas.look')[n].getContext('2d').getImageData(
        0, 0, motes.store.state.layers.side, motes.store.state.layers.side).data]"""
    low, high = (np.array(page.page.evaluate(read, n)) for n in range(2))
    assert not np.array_equal(low, high)
    before = page.drawn()
    slider.press("End")
    page.settle()
    assert not np.array_equal(page.drawn(), before)
    shown = """async () => { const { glimpse } = await import('/page/composite.js'); return [...glimpse(motes.store.state.layers, 0)] }"""
    assert np.abs(np.array(page.page.evaluate(shown)) - high).max() <= 2, "the end is what was shown there"
    page.shot("looks")


def test_pictures_of_looks_take_no_edits_place(open_page):
    page = open_page()
    spread_out(page)
    page.wait("motes.store.state.runs[0].ranges")
    for n in range(12):  # the ends are drawn a moment after a particle is chosen, and edits come meanwhile
        page.page.evaluate(f"motes.store.set({{ selection: [{n % 4}] }})")
        page.page.wait_for_timeout(140 + 3 * n)
        page.page.evaluate(
            f"motes.store.edit({{ ...motes.store.state.edits, threshold: {0.001 * (n + 1)} }})"
        )
    page.settle()
