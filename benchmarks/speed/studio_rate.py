"""How the studio keeps up with a hand, in a real Chromium: frames a second while dragging,
milliseconds from release to the exact picture, decodes a second, seconds from start to a
usable page. Of a film of 128 px with ten particles: frames a second while it plays with its tracks, milliseconds
from a hand on the slider to the frame, and from the wish to a prediction of 20 frames. Untrained models of the quick
sizes: what they draw costs the same.

    python benchmarks/speed/studio_rate.py        # needs pip install 'motes[studio,browser]', and chromium
"""

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import torch
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import MOTES
from benchmarks.report import header, parser
from motes.apps.studio.ports import free_port
from motes.data.source import Source
from motes.models import MODELS
from motes.training.recipe import Recipe

RUNS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "object-128": ("dlp", 128, {"num_particles": 30, "glimpse_size": 32}),
    "object-64": ("dlp", 64, {}),
    "masked-64": ("dlp-masked", 64, {"num_particles": 10, "reconstruction": "mse"}),
    "keynet-64": ("keynet", 64, {}),
    "zhang-64": ("zhang", 64, {}),
    "vae-64": ("vae", 64, {}),
    "glo-64": ("glo", 64, {}),
}
FILM = "film-128"
MEASURE_FILM = """async () => {
  const { store, player, tracks, future } = motes
  const pause = (time = 1) => new Promise((done) => setTimeout(done, time))
  const figures = {}, film = document.getElementById("film")
  const began = performance.now()
  tracks.follow()
  while (!store.state.tracks?.finished) await pause(20)
  figures["s to follow its 64 frames"] = (performance.now() - began) / 1000
  while (player.ring.frames.size < player.film.count) await pause(20)
  let seen = 0, last = -1
  player.listen(({ frame, playing }) => {
    if (playing && frame !== last) seen++
    last = frame
  })
  player.pace(4) // faster than it can be seen: what is left out says how many frames there could be
  player.play()
  await pause(500)
  seen = 0
  const started = performance.now()
  await pause(4000)
  figures["frames a second, playing with tracks"] = (1000 * seen) / (performance.now() - started)
  player.pause()
  await pause(1500)
  const slider = document.querySelector("#time input[type=range]"), times = []
  const pixel = () => film.getContext("2d").getImageData(0, 0, film.width, film.height).data.join()
  for (let n = 0; n < 21; n++) {
    const target = (n * 23 + 7) % player.film.count, wished = player.ring.get(target).join()
    const from = performance.now()
    slider.value = String(target)
    slider.dispatchEvent(new Event("input"))
    await new Promise(requestAnimationFrame)
    times.push(performance.now() - from)
    if (pixel() !== wished) throw new Error("another frame is seen")
  }
  figures["ms to a scrubbed frame (median)"] = times.sort((a, b) => a - b)[10]
  figures["ms to a scrubbed frame (longest)"] = times[20]
  const cold = []
  for (let n = 0; n < 7; n++) {
    player.ring.frames.clear()
    const target = (n * 23 + 11) % player.film.count, from = performance.now()
    slider.value = String(target)
    slider.dispatchEvent(new Event("input"))
    while (!player.ring.get(target)) await pause()
    cold.push(performance.now() - from)
    while (player.ring.frames.size < player.film.count) await pause(5)
  }
  figures["ms to a scrubbed frame that was not fetched (median)"] = cold.sort((a, b) => a - b)[3]
  const waits = [], again = []
  for (let frame = 20; frame < 25; frame++) {
    store.set({ outlook: null })
    player.seek(frame)
    player.rest()
    await pause(50)
    while (store.state.opening || player.over) await pause(20)
    const from = performance.now()
    future.begin({ steps: 20 })
    while (!store.state.outlook?.answer) await pause()
    waits.push(performance.now() - from)
    const plain = store.state.outlook.answer, rested = performance.now()
    store.edit({ ...store.state.edits, particles: { 0: { position: [0.1, 0.1], presence: 1 } } })
    while (store.state.outlook.answer === plain) await pause()
    again.push(performance.now() - rested)
  }
  figures["ms to a prediction of 20 frames (median)"] = waits.sort((a, b) => a - b)[2]
  figures["ms to that after an edit (median)"] = again.sort((a, b) => a - b)[2]
  return figures
}"""
MEASURE = """async () => {
  const { store, server } = motes
  const { moved } = await import("/page/edits.js")
  const figures = {}
  const frame = () => new Promise(requestAnimationFrame)
  const pause = () => new Promise((done) => setTimeout(done, 1))
  const { opened } = store.state, { run, picture } = opened
  if (opened.kind === "particles") {
    store.set({ selection: [0], dragging: true })
    const began = performance.now()
    const since = store.state.edits
    let frames = 0
    while (performance.now() - began < 3000) {
      store.passing(moved(opened, since, [0], [0.3 * Math.sin(frames / 9), 0.3 * Math.cos(frames / 9)]))
      await frame()
      frames++
    }
    figures["frames a second"] = frames / 3
    store.set({ dragging: false })
    while (!store.state.exact) await pause()
    const times = []
    for (let n = 0; n < 21; n++) {
      store.set({ dragging: true })
      store.passing(moved(opened, store.state.edits, [0], [0.01, 0]))
      await frame()
      const released = performance.now()
      store.set({ dragging: false, exact: false })
      while (!store.state.exact) await pause()
      times.push(performance.now() - released)
    }
    figures["ms to the exact picture (median)"] = times.sort((a, b) => a - b)[10]
  }
  while (server.inFlight) await pause()
  const began = performance.now()
  let decodes = 0
  while (performance.now() - began < 2000) {
    const particle = { 0: { position: [decodes / 1000, 0] } }
    const edits = opened.kind === "code" ? { code: { 0: decodes / 100 } } : { particles: particle }
    await server.ask("decode", { run, picture, edits })
    decodes++
  }
  figures["decodes a second"] = decodes / 2
  return figures
}"""


def main() -> None:
    command = parser(__doc__)
    command.add_argument("--film", action="store_true", help="the film alone")
    runs = {} if command.parse_args().film else RUNS
    header(f"{len(runs) + 1} untrained models", threads=torch.get_num_threads())
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as control:
        folder = Path(temporary)
        write_runs(folder, runs)
        browser = control.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1360, "height": 860}, reduced_motion="reduce")
        start = time.monotonic()
        write_film(folder)
        with studio_of([folder / name for name in (*runs, FILM)]) as address:
            page.goto(address)
            page.wait_for_selector(".mote")
            print(
                f"start to a usable page, {len(runs) + 1} models: {time.monotonic() - start:.1f} s",
                flush=True,
            )
            for number, name in enumerate(runs):
                print_figures(name, measure_run(page, number, name, MEASURE))
            print_figures(FILM, measure_run(page, len(runs), FILM, MEASURE_FILM))
        browser.close()


def print_figures(name: str, figures: dict[str, float]) -> None:
    print(f"{name:12s}" + ", ".join(f"{value:.0f} {words}" for words, value in figures.items()), flush=True)


def write_film(folder: Path) -> None:
    """A run that predicts clips of 64 frames."""
    torch.manual_seed(0)
    size = (128, 128)
    still = folder / "still"
    MODELS["dlp"](MODELS["dlp"].Config(image_size=size, num_particles=10, glimpse_size=32)).save(still)
    config = MODELS["dlp-graph"].Config(image_size=size, start_from=str(still))
    MODELS["dlp-graph"](config).save(folder / FILM / "checkpoints" / "best")
    data = Source("balls", {"image_size": list(size), "held_out": 128, "frames": 64})
    Recipe("dlp-graph", data, {}).save(folder / FILM)


def write_runs(folder: Path, runs: dict[str, tuple[str, int, dict[str, Any]]]) -> None:
    for name, (model, side, options) in runs.items():
        torch.manual_seed(0)
        config = MODELS[model].Config(image_size=(side, side), **options)
        MODELS[model](config).save(folder / name / "checkpoints" / "best")
        Recipe(model, Source("shapes", {"image_size": [side, side], "held_out": 40}), {}).save(folder / name)


@contextlib.contextmanager
def studio_of(runs: list[Path]) -> Iterator[str]:
    """The address of a studio's page, which is there once this returns."""
    port = free_port("127.0.0.1")
    command = [*MOTES, "studio", *(str(run) for run in runs), "--no-browser", "--port", str(port)]
    studio = subprocess.Popen(command)
    address = f"http://127.0.0.1:{port}/"
    try:
        while not answers(address):
            time.sleep(0.05)
        yield address
    finally:
        studio.terminate()


def answers(address: str) -> bool:
    try:
        urlopen(address)
    except OSError:
        return False
    return True


def measure_run(page: Any, number: int, name: str, measure: str) -> dict[str, float]:
    page.locator("#run").select_option(label=name)
    while not page.evaluate(f"motes.store.state.opened?.run === {number}"):
        page.wait_for_timeout(100)
    page.wait_for_timeout(1000)
    return page.evaluate(measure)


if __name__ == "__main__":
    main()
