"""The hand on the picture: the whole thing is the handle, the picture can be brought nearer, and what is edited is seen."""

import numpy as np
import pytest
from studio_page import needs_chromium, spread_out

pytest.importorskip("uvicorn", reason="needs pip install 'motes[studio]'")
pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")

pytestmark = needs_chromium

# where the particle draws most of a pixel, the farthest such pixel from its mark
FARTHEST = """async (k) => {
  const { lay } = await import("/page/composite.js"), { particle, stacked } = await import("/page/edits.js")
  const { at } = await import("/page/marks.js"), { opened, edits, layers } = motes.store.state
  const { owner } = lay(layers, stacked(opened, edits), true), { cx, cy } = at(...particle(opened, edits, k).middle, opened)
  let best = [0, 0, -1]
  owner.forEach((one, pixel) => {
    const row = Math.floor(pixel / opened.columns) + 0.5, column = (pixel % opened.columns) + 0.5
    const far = Math.hypot(row - cy, column - cx)
    if (one === k && far > best[2]) best = [row, column, far]
  })
  return best
}"""
OPAQUE = """(alpha) => {
  const { layers } = motes.store.state, plane = layers.side ** 2
  for (let k = 0; k < layers.count; k++) layers.glimpses.fill(alpha * 65535, k * layers.depth * plane, k * layers.depth * plane + plane)
}"""


def on_screen(page, row, column):
    box = page.page.locator("#canvas").bounding_box()
    return box["x"] + column / 32 * box["width"], box["y"] + row / 32 * box["height"]


def test_the_whole_thing_is_the_handle(open_page):
    page = open_page()
    spread_out(page)
    sized = "motes.store.edit({ ...motes.store.state.edits, particles: { ...motes.store.state.edits.particles, 3: { position: [0.5, 0.5], presence: 1, scale: [1.8, 1.8] } } })"
    page.page.evaluate(sized)
    page.settle()
    page.page.evaluate(OPAQUE, 0.9)
    row, column, far = page.page.evaluate(FARTHEST, 3)
    assert far * page.page.locator("#canvas").bounding_box()["width"] / 32 > 30, "far from its mark"
    start = on_screen(page, row, column)
    page.drag(start, (start[0] - 40, start[1] - 30))
    page.settle()
    assert page.state("selection") == [3]
    moved = page.state("edits", "particles", "3", "position")
    assert moved != [0.5, 0.5] and page.state("edits", "particles", "1", "position") == [-0.5, 0.5]


def test_doubted_particles_are_taken_hold_of_only_where_they_are_switched_on(open_page):
    page = open_page()
    places = {
        str(k): {"position": [-0.5 + 0.3 * k, -0.5 + 0.3 * k], "presence": int(k < 2)} for k in range(4)
    }
    page.page.evaluate("(particles) => motes.store.edit({ ...motes.store.state.edits, particles })", places)
    page.settle()
    assert page.page.locator("#marks .mote").count() == 2
    page.page.mouse.click(*page.place(3))
    assert page.state("selection") == []
    page.page.get_by_role("button", name="Doubted").click()
    page.wait("document.querySelectorAll('#marks .mote').length === 4")
    page.page.mouse.click(*page.place(3))
    assert page.state("selection") == [3]


def test_the_picture_is_brought_nearer_by_wheel_keys_and_two_fingers(open_page):
    page = open_page()
    spread_out(page)
    before = page.place(0)
    page.page.mouse.move(*before)
    page.page.mouse.wheel(0, -400)
    page.wait("motes.store.state.view.zoom > 1.5")
    page.page.wait_for_timeout(100)
    assert page.place(0) == pytest.approx(before, abs=2), "what is under the pointer stays there"
    start = page.place(0)
    page.drag(start, (start[0] + 80, start[1]))
    page.settle()
    assert page.place(0) == pytest.approx((start[0] + 80, start[1]), abs=3), "things follow the hand"
    page.page.keyboard.press("Escape")
    middle = page.state("view", "column")
    page.page.keyboard.press("ArrowRight")
    assert page.state("view", "column") > middle, "arrow keys move the picture where nothing is chosen"
    page.page.keyboard.press("0")
    assert page.state("view") == {"zoom": 1, "row": 0.5, "column": 0.5}
    page.page.keyboard.press(".")
    assert page.state("view", "zoom") == 1.5
    page.page.keyboard.press(",")
    assert page.state("view", "zoom") == 1

    phone = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone.page.locator("#canvas").scroll_into_view_if_needed()
    finger, box = phone.page.context.new_cdp_session(phone.page), phone.page.locator("#canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def touch(kind, *apart):
        points = [{"x": x + sign * far, "y": y, "id": n} for n, (sign, far) in enumerate(apart)]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (-1, 30))
    touch("touchStart", (-1, 30), (1, 30))
    touch("touchMove", (-1, 60), (1, 60))
    touch("touchMove", (-1, 90), (1, 90))
    touch("touchEnd")
    phone.wait("motes.store.state.view.zoom > 2.5")
    assert phone.state("view", "column") == pytest.approx(0.5, abs=0.1)
    assert phone.state("past") == [] and phone.state("selection") == []


def test_what_is_edited_is_not_hidden_by_its_mark(open_page):
    page = open_page()
    spread_out(page)
    start = page.place(0)
    page.take_hold(start)
    page.page.mouse.move(start[0] + 30, start[1] + 30, steps=4)
    page.page.wait_for_timeout(100)
    opacity = "Number(getComputedStyle(document.querySelector('#marks .mote.chosen')).opacity)"
    assert page.page.evaluate(opacity) < 0.3
    page.page.mouse.up()
    page.page.wait_for_timeout(100)
    assert page.page.evaluate(opacity) == 1
    fill = "getComputedStyle(document.querySelector('#marks .mote.chosen .dot')).fill"
    assert page.page.evaluate(fill) in ("rgba(0, 0, 0, 0)", "transparent"), "a ring, through which it is seen"
    width = page.page.locator("#marks .mote.chosen .dot").bounding_box()["width"]
    page.page.mouse.move(5, 5)
    for _ in range(4):
        page.page.keyboard.press(".")
    page.page.wait_for_timeout(100)
    near = page.page.locator("#marks .mote.chosen .dot").bounding_box()["width"]
    assert near == pytest.approx(width, rel=0.2), "marks do not grow when the picture does"
    assert np.isfinite(near)


def test_on_a_phone_the_picture_stays_in_view_and_targets_are_large(open_page):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    spread_out(page)
    page.page.evaluate("motes.store.set({ selection: [0] })")
    page.wait("motes.store.state.runs[0].ranges")
    slider = page.page.get_by_role("slider", name="look 3")
    slider.evaluate("(one) => one.scrollIntoView({ block: 'start' })")
    canvas, row = page.page.locator("#canvas").bounding_box(), slider.bounding_box()
    assert canvas["y"] >= 0 and canvas["y"] + canvas["height"] <= row["y"] <= 844, "both are seen at once"
    small = """() => [...document.querySelectorAll('button, select, input[type=range], input[type=checkbox]')]
        .map((one) => [one, (one.closest('label.pick') || one).getBoundingClientRect()])
        .filter(([one, { width, height }]) => width && (width < 44 || height < 44)).map(([one]) => one.id || one.textContent || one.title)"""
    assert page.page.evaluate(small) == []
    page.shot("phone-slider")
