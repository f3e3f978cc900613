"""Films in the page: played, scrubbed, followed and predicted, by hand and by keys."""

import json

import numpy as np
import pytest
from PIL import Image
from studio_page import needs_chromium, served

pytest.importorskip("uvicorn", reason="needs pip install 'motes[studio]'")
pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")

pytestmark = needs_chromium

SHOWN = "[...document.getElementById('film').getContext('2d').getImageData(0, 0, 32, 32).data]"
STILL = {"reduced_motion": "reduce"}


@pytest.fixture(scope="module")
def address(clip_runs):
    with served(clip_runs) as address:
        yield address


@pytest.fixture
def page(open_page, address):
    page = open_page(address, **STILL)
    page.wait("motes.player.ring.frames.size === 12")
    return page


def said(page):
    return page.page.locator("#said").inner_text()


def shown_frame(page, number):
    """Whether the frame that is seen is this one of the film."""
    frame = np.array(page.page.evaluate(f"[...motes.player.ring.get({number})]"))
    return np.array_equal(np.array(page.page.evaluate(SHOWN)), frame)


def follow(page):
    page.page.locator("#stage").focus()
    page.page.keyboard.press("e")
    page.wait("motes.store.state.tracks?.finished")


def test_a_film_is_played_paused_stepped_and_scrubbed_by_keys(page):
    page.page.locator("#stage").focus()
    page.page.evaluate("window.frames_seen = []; motes.player.listen((one) => frames_seen.push(one.frame))")
    page.page.keyboard.press("a")
    page.wait("new Set(frames_seen).size === 12")
    assert said(page) == "playing" and page.page.locator("#film").is_visible()
    page.page.keyboard.press("a")
    page.until("!motes.player.over && !motes.store.state.opening")
    frame = page.page.evaluate("motes.player.frame")
    assert said(page) == f"paused at frame {frame + 1} of 12"
    assert page.state("picture") == f"held-out/motion/{frame}", "it rests on the frame, to be edited"
    page.page.keyboard.press("w")
    page.page.keyboard.press("w")
    assert shown_frame(page, min(frame + 2, 11)), "seen before it is opened"
    page.page.keyboard.press("q")
    page.until(f"motes.store.state.picture === 'held-out/motion/{min(frame + 2, 11) - 1}'")
    page.page.get_by_role("slider", name="Frame of the clip").press("Home")
    page.until("motes.store.state.picture === 'held-out/motion/0' && !motes.player.over")
    page.page.locator("#stage").focus()
    page.page.keyboard.press(">")
    assert page.page.get_by_label("Speed").input_value() == "2"
    page.page.keyboard.press("y")
    page.page.keyboard.press("a")
    page.until("motes.store.state.picture === 'held-out/motion/11' && !motes.player.playing")


def test_things_have_trails_and_lanes_that_lead_to_them(page):
    follow(page)
    assert "things followed through 12 frames" in said(page)
    lanes = page.page.locator("#lanes button")
    numbers = {thing[0] for frame in page.state("tracks", "things") for thing in frame}
    assert lanes.count() == len(numbers) > 0
    assert lanes.first.get_attribute("aria-label").startswith("thing 0, there in frames 1 to")
    box = lanes.first.locator(".bar").bounding_box()
    page.page.mouse.click(box["x"] + 0.99 * box["width"], box["y"] + 2)
    last = max(
        n
        for n, things in enumerate(page.state("tracks", "things"))
        if any(t[0] == 0 and t[3] for t in things)
    )
    page.until(
        f"motes.store.state.picture === 'held-out/motion/{last}' && motes.store.state.selection.length === 1"
    )
    assert page.state("thing") == 0 and lanes.first.get_attribute("aria-selected") == "true"
    lit = "document.getElementById('ways').getContext('2d').getImageData(0, 0, 9999, 9999).data.some(Boolean)"
    page.wait(lit)
    page.page.locator("#stage").focus()
    page.page.keyboard.press("h")
    page.wait("document.getElementById('ways').hidden")
    page.page.keyboard.press("h")
    lanes.first.focus()
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("Enter")
    page.wait("motes.store.state.thing === 1")
    for kind, name in (("csv", "tracks.csv"), ("mot", "mot.txt")):
        with page.page.expect_download() as download:
            page.page.locator(f"#tracks-{kind}").click()
        assert download.value.suggested_filename == name
        assert download.value.path().read_text().count("\n") > 3
    page.shot("lanes")


def test_following_is_cancelled(page):
    page.page.evaluate("motes.tracks.follow(); motes.tracks.stop()")
    page.wait("motes.store.state.tracks === null && !motes.store.state.following")
    assert page.page.locator("#follow").is_visible()
    follow(page)
    page.page.locator(".thumbs button[title='held-out/motion/12']").click()
    page.until("motes.store.state.picture === 'held-out/motion/12' && motes.store.state.tracks?.finished")


def test_what_comes_next_changes_with_the_edit(page):
    page.page.locator("#stage").focus()
    page.page.keyboard.press("g")
    page.page.wait_for_selector("#note:has-text('one frame shows no motion')")
    for _ in range(6):
        page.page.keyboard.press("w")
    page.page.keyboard.press("g")
    page.wait("motes.store.state.outlook?.answer")
    assert said(page) == "20 frames predicted" and page.page.locator(".future").is_visible()
    assert page.state("outlook", "frame") == 6
    plain = np.array(page.page.evaluate("[...motes.store.state.outlook.answer.pictures[0]]"))
    page.page.keyboard.press("]")
    for _ in range(4):
        page.page.keyboard.press("Shift+ArrowRight")
    page.wait("motes.store.state.outlook?.answer !== motes.store.state.outlook?.plain")
    assert said(page) == "20 frames predicted, after the edit"
    edited = np.array(page.page.evaluate("[...motes.store.state.outlook.answer.pictures[0]]"))
    assert not np.array_equal(plain, edited)
    page.page.keyboard.press("w")
    assert page.page.evaluate("motes.player.frame") == 7
    assert page.state("picture") == "held-out/motion/6", "the start alone is edited"
    assert shown_frame(page, 7), "what came is seen beside what is expected"
    seen = "[...document.querySelector('.future canvas').getContext('2d').getImageData(0, 0, 32, 32).data]"
    assert np.array_equal(np.array(page.page.evaluate(seen)), edited)
    page.page.get_by_label("Futures to draw").select_option("4")
    page.wait("motes.store.state.outlook?.answer?.samples.length === 4")
    page.page.get_by_role("button", name="Over", exact=True).click()
    page.wait("!document.querySelector('.future')")
    page.page.get_by_role("slider", name="Frame of the clip").press("End")
    page.wait("motes.player.frame === 26")
    assert page.page.locator("#time output").inner_text() == "15 after the end"
    page.shot("over")

    page.page.locator("#keep-button").click()
    page.page.locator("#keep-python").click()
    page.page.wait_for_selector("#lines pre:has-text('session.foresee')")
    page.page.keyboard.press("Escape")
    link = page.page.evaluate("location.href")
    page.page.goto("about:blank")
    page.go(link)
    page.wait("motes.store.state.outlook?.answer?.samples.length === 4")
    assert page.state("picture") == "held-out/motion/6" and page.state("outlook", "mode") == "over"
    again = np.array(page.page.evaluate("[...motes.store.state.outlook.answer.pictures[0]]"))
    assert np.array_equal(again, edited), "the link has frame, edit and prediction"
    page.page.locator("#stage").focus()
    page.page.keyboard.press("g")
    page.wait("motes.store.state.outlook === null && !motes.player.over")
    assert said(page) == "back to the film"


def test_a_run_that_does_not_predict_offers_no_future(open_page, address):
    page = open_page(address)
    page.page.locator("#run").select_option(label="stills")
    page.until("motes.store.state.run === 1 && !motes.store.state.opening")
    assert not page.page.locator("#future").is_visible() and page.page.locator("#follow").is_visible()


DROP_MANY = """(files) => {
  const data = new DataTransfer()
  for (const [name, bytes] of files) data.items.add(new File([Uint8Array.from(bytes)], name, { type: "image/png" }))
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }))
}"""


def drop_numbered(page, folder):
    files = []
    for number in range(12):
        Image.new("RGB", (48, 48), (20 * number, 90, 0)).save(folder / "frame.png")
        files.append([f"f{number}.png", list((folder / "frame.png").read_bytes())])
    page.page.evaluate(DROP_MANY, files[::-1])
    page.until("motes.store.state.picture.startsWith('dropped/') && motes.player.film?.own")
    page.wait("motes.player.ring.frames.size === 12")


def test_dropped_numbered_frames_are_a_film(page, tmp_path):
    drop_numbered(page, tmp_path)
    reds = page.page.evaluate("Array.from({ length: 12 }, (_, n) => motes.player.ring.get(n)[0])")
    assert reds == [20 * number for number in range(12)], "in the order of their numbers"
    follow(page)
    page.page.evaluate("motes.player.seek(5)")
    page.page.keyboard.press("g")
    page.wait("motes.store.state.outlook?.answer")
    page.page.evaluate("motes.server.socket.close()")
    page.wait("motes.store.state.connected === null")
    page.wait("motes.store.state.connected && motes.store.state.opened && !motes.store.state.opening")
    page.page.evaluate(
        "motes.store.set({ outlook: null }); motes.future.known.clear(); motes.future.toggle()"
    )
    page.wait("motes.store.state.outlook?.answer")


def test_frames_that_the_studio_lacks_are_sent_also_where_others_lie_between(page, tmp_path):
    drop_numbered(page, tmp_path)
    missing = page.page.evaluate("""async () => {
        const { server, player: { film: { own, count } }, store: { state: { run } } } = motes
        own.id = "ab" // a film of which the studio has nothing yet
        const question = { run, clip: "film/ab", first: 0, count }
        await own.send([4, 5], server)
        await own.bring(question, server)
        return (await server.ask("frames", question)).missing ?? []
    }""")
    assert missing == []


def test_a_link_of_a_film_with_absurd_numbers_hangs_nothing(open_page, address):
    page = open_page(address, **STILL)
    hang = {"r": "motion", "p": "held-out/motion/6", "t": 1, "n": [1e9, -4, "over"], "o": "tracks marks"}
    page.page.evaluate(
        "(kept) => (location.hash = '#' + btoa(JSON.stringify(kept)))", json.loads(json.dumps(hang))
    )
    page.until("motes.store.state.picture === 'held-out/motion/6' && motes.store.state.tracks?.finished")
    assert page.state("outlook") is None
