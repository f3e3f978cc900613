"""A studio page in a real Chromium, and what a person does on it; for the tests of `apps/studio`.

Screenshots go where MOTES_SCREENSHOTS says, to be looked at.
"""

import os
import shutil
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here")]


@contextmanager
def running(studio, port=0, token=""):
    """The studio behind a real socket; gives its port."""
    import uvicorn

    from motes.apps.studio.server import settings

    server = uvicorn.Server(uvicorn.Config(studio.app(token), port=port, **settings()))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


@contextmanager
def served(runs, folders=None, port=0, token=""):
    from motes.apps.studio.server import Studio
    from motes.apps.studio.shelf import Shelf

    with running(Studio(Shelf(runs, folders)), port, token) as port:
        yield f"http://127.0.0.1:{port}/"


class Page:
    """A studio page, and what a person does on it."""

    def __init__(self, page, address):
        self.page, self.address, self.foreign, self.faults = page, address, [], []
        page.on(
            "request",
            lambda request: self.foreign.append(request.url) if not _ours(request.url, address) else None,
        )
        page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        self.go(address)

    def go(self, address):
        self.page.goto(address)
        self.wait("motes.store.state.opened || motes.store.state.runs.some((run) => run.problem)")
        if self.state("opened"):
            self.settle()

    def settle(self):
        """Until the picture is the model's own, and not laid by the page."""
        self.until("Boolean(motes.store.state.exact)")

    def until(self, condition):
        self.wait(f"motes.store.state.opened && ({condition})")

    def wait(self, condition):
        for _ in range(800):
            if self.page.evaluate(f"Boolean(window.motes && ({condition}))"):
                return
            self.page.wait_for_timeout(25)
        raise AssertionError(f"never {condition}; {self.faults}; {self.state('note')}")

    def state(self, *path):
        return self.page.evaluate(
            "(path) => path.reduce((at, name) => at?.[name], motes.store.state)", list(path)
        )

    def drawn(self):
        return np.array(self.page.evaluate("[...motes.store.state.drawn]")).reshape(32, 32, 4)

    def place(self, k):
        """Of a particle, on the screen."""
        row, column = self.page.evaluate(
            "async (k) => { const { particle } = await import('/page/edits.js'); const { opened, edits } = motes.store.state; return particle(opened, edits, k).position }",
            k,
        )
        box = self.page.locator("#canvas").bounding_box()
        return box["x"] + (column + 1) / 2 * box["width"], box["y"] + (row + 1) / 2 * box["height"]

    def take_hold(self, start):
        self.page.mouse.move(*start)
        self.page.mouse.down()

    def drag(self, start, end, steps=8):
        self.take_hold(start)
        self.page.mouse.move(*end, steps=steps)
        self.page.mouse.up()

    def shot(self, name):
        if folder := os.environ.get("MOTES_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"))


def _ours(url, address):
    return url.startswith((address, address.replace("http", "ws"), "blob:", "data:"))


def spread_out(page):
    """Particles of an untrained model lie on one another: put them apart, by the address, as a link would."""
    places = {
        str(k): {"position": [row, column], "presence": 1}
        for k, (row, column) in enumerate([(-0.5, -0.5), (-0.5, 0.5), (0.5, -0.5), (0.5, 0.5)])
    }
    page.page.evaluate("(particles) => motes.store.edit({ ...motes.store.state.edits, particles })", places)
    page.settle()
    return places
