"""How the studio keeps up with a hand, in a real Chromium: frames a second while dragging, milliseconds from release to the exact picture,
decodes a second, seconds from start to a usable page. Untrained models of the quick sizes: what they draw costs the same.

    python benchmarks/studio_rate.py        # needs pip install 'motes[studio,browser]', and chromium
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

import torch
from playwright.sync_api import sync_playwright

from motes.apps.studio.ports import free_port
from motes.models import MODELS
from motes.training.recipe import Recipe

RUNS = {
    "object-128": ("dlp", 128, {"num_particles": 30, "glimpse_size": 32}),
    "object-64": ("dlp", 64, {}),
    "masked-64": ("dlp-masked", 64, {"num_particles": 10, "reconstruction": "mse"}),
    "keynet-64": ("keynet", 64, {}),
    "zhang-64": ("zhang", 64, {}),
    "vae-64": ("vae", 64, {}),
    "glo-64": ("glo", 64, {}),
}
MEASURE = """async () => {
  const { store, server } = motes, { moved } = await import("/page/edits.js"), found = {}
  const frame = () => new Promise(requestAnimationFrame), rest = () => new Promise((done) => setTimeout(done, 1))
  const { opened } = store.state, { run, picture } = opened
  if (opened.kind === "particles") {
    store.set({ selection: [0], dragging: true })
    const began = performance.now(), since = store.state.edits
    let frames = 0
    while (performance.now() - began < 3000) {
      store.passing(moved(opened, since, [0], [0.3 * Math.sin(frames / 9), 0.3 * Math.cos(frames / 9)]))
      await frame()
      frames++
    }
    found["frames a second"] = frames / 3
    store.set({ dragging: false })
    while (!store.state.exact) await rest()
    const times = []
    for (let n = 0; n < 21; n++) {
      store.set({ dragging: true })
      store.passing(moved(opened, store.state.edits, [0], [0.01, 0]))
      await frame()
      const released = performance.now()
      store.set({ dragging: false, exact: false })
      while (!store.state.exact) await rest()
      times.push(performance.now() - released)
    }
    found["ms to the exact picture (median)"] = times.sort((a, b) => a - b)[10]
  }
  while (server.inFlight) await rest()
  const began = performance.now()
  let decodes = 0
  while (performance.now() - began < 2000) {
    const edits = opened.kind === "code" ? { code: { 0: decodes / 100 } } : { particles: { 0: { position: [decodes / 1000, 0] } } }
    await server.ask("decode", { run, picture, edits })
    decodes++
  }
  found["decodes a second"] = decodes / 2
  return found
}"""


def make(folder: Path) -> None:
    for name, (model, side, options) in RUNS.items():
        torch.manual_seed(0)
        size = {"image_size": (side, side)}
        MODELS[model](MODELS[model].Config(**size, **options)).save(folder / name / "checkpoints" / "best")
        Recipe(model, "shapes", {}, {"image_size": [side, side], "held_out": 40}).save(folder / name)


def main() -> None:
    chromium = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as place, sync_playwright() as control:
        make(Path(place))
        port = free_port("127.0.0.1")
        browser = control.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1360, "height": 860})
        began = time.monotonic()
        runs = [str(Path(place) / name) for name in RUNS]
        studio = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "motes.apps.cli.main",
                "studio",
                *runs,
                "--no-browser",
                "--port",
                str(port),
            ]
        )
        try:
            while True:
                try:
                    urlopen(f"http://127.0.0.1:{port}/")
                    break
                except OSError:
                    time.sleep(0.05)
            page.goto(f"http://127.0.0.1:{port}/")
            page.wait_for_selector(".mote")
            print(f"start to a usable page, {len(RUNS)} models: {time.monotonic() - began:.1f} s")
            for number, name in enumerate(RUNS):
                page.locator("#run").select_option(label=name)
                while not page.evaluate(f"motes.store.state.opened?.run === {number}"):
                    page.wait_for_timeout(100)
                page.wait_for_timeout(1000)
                found = page.evaluate(MEASURE)
                print(
                    f"{name:12s}" + ", ".join(f"{value:.0f} {what}" for what, value in found.items()),
                    flush=True,
                )
        finally:
            studio.terminate()
            browser.close()


if __name__ == "__main__":
    main()
