"""What is dropped on the page: a video opens as a clip, and what cannot be opened is refused in a sentence."""

import numpy as np
import pytest
from PIL import Image
from studio_page import needs_chromium, spread_out

pytest.importorskip("uvicorn", reason="needs pip install 'motes[studio]'")
pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")

pytestmark = needs_chromium

DROP = """([name, type, bytes]) => {
  const files = new DataTransfer()
  files.items.add(new File([Uint8Array.from(bytes)], name, { type }))
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }))
}"""


def write_film(path, frames=10, rate=25):
    """A square that goes from left to right."""
    av = pytest.importorskip("av", reason="needs pip install 'motes[video]'")
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libvpx", rate=rate)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            pixels = np.zeros((64, 64, 3), np.uint8)
            pixels[24:40, 5 * number : 5 * number + 16] = (255, 200, 0)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")):
                file.mux(packet)
        for packet in stream.encode():
            file.mux(packet)


def middle_of_original(page):
    """The column around which the square is."""
    pixels = np.array(page.page.evaluate("[...motes.store.state.opened.pixels]")).reshape(32, 32, 4)
    return (pixels[..., 0] * np.arange(32.0)).sum() / pixels[..., 0].sum()


def test_a_dropped_video_opens_as_a_clip_whose_frames_keep_their_edits(open_page, tmp_path):
    page = open_page()
    write_film(tmp_path / "film.webm")
    page.page.evaluate(DROP, ["film.webm", "video/webm", list((tmp_path / "film.webm").read_bytes())])
    page.until("motes.store.state.opened.picture.startsWith('dropped/')")
    assert page.page.locator("#time output").inner_text() == "1 of 10"
    first = middle_of_original(page)
    slider = page.page.get_by_role("slider", name="Frame of the clip")
    name = page.state("picture")
    slider.press("End")
    page.until(f"motes.store.state.opened.picture !== '{name}'")
    assert page.page.locator("#time output").inner_text() == "10 of 10"
    assert middle_of_original(page) == pytest.approx(first + 9 * 5 / 2, abs=1.5), "the square went right"
    spread_out(page)
    edits, last = page.state("edits"), page.state("picture")
    for frame in range(
        9, 0, -1
    ):  # the studio remembers eight pictures of a page; the others are handed in again
        page.settle()
        slider.press("ArrowLeft")
        page.page.wait_for_selector(f"#time output:has-text('{frame} of 10')")
        page.until("!motes.store.state.opening && !motes.player.over")  # it rests on the frame
    assert page.state("picture") == name and page.state("edits", "particles") == {}
    slider.press("End")
    page.until(f"motes.store.state.opened.picture === '{last}'")
    assert page.state("edits") == edits and page.state("note") == ""
    assert page.page.locator(".thumbs button.on").get_attribute("title") == "film.webm"
    page.shot("film")


def test_what_cannot_be_opened_is_refused_in_a_sentence(open_page, tmp_path):
    page = open_page()
    before = page.state("opened", "picture")
    page.page.evaluate(DROP, ["notes.txt", "text/plain", [65, 66]])
    page.page.wait_for_selector("#note:has-text('notes.txt cannot be opened here; drop pictures, a video')")
    page.page.evaluate(DROP, ["film.mp4", "video/mp4", [1, 2, 3]])
    page.page.wait_for_selector("#note:has-text('this browser cannot read film.mp4')")
    page.page.evaluate(DROP, ["other.json", "application/json", [123, 125]])
    page.page.wait_for_selector("#note:has-text('other.json is no session')")
    assert page.state("opened", "picture") == before
    Image.effect_noise((70, 50), 90).convert("RGB").save(tmp_path / "mine.png")
    page.page.evaluate(DROP, ["mine.png", "image/png", list((tmp_path / "mine.png").read_bytes())])
    page.until("motes.store.state.opened.picture.startsWith('dropped/')")
