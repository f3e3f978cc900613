"""From the command to the first drag: `motes studio` in an empty folder, a page, a particle that is moved.

python benchmarks/speed/first_drag.py [--rounds 3]

Seconds since the command was given, the median of the rounds. Needs Chromium and `pip install 'motes[studio,browser]'`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from playwright.sync_api import sync_playwright

from benchmarks.report import ROOT, Table, header, parser

COMMAND = [sys.executable, "-u", "-m", "motes.apps.cli.main", "studio", "--no-browser"]
POLL = 20  # milliseconds
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPENED = "Boolean(window.motes && motes.store.state.opened && motes.store.state.exact)"
# of the first particle that is there, on the screen
PLACE = """async () => {
    const { particles } = await import('/page/edits.js')
    const { opened, edits } = motes.store.state
    const [row, column] = particles(opened, edits).find((one) => one.there).position
    const box = document.querySelector('#canvas').getBoundingClientRect()
    return [box.x + (column + 1) / 2 * box.width, box.y + (row + 1) / 2 * box.height]
}"""
MOVED = "window.motes && Object.keys(motes.store.state.edits.particles).length > 0 && Boolean(motes.store.state.exact)"


def main() -> None:
    arguments = parser(__doc__, rounds=3).parse_args()
    header("the first drag", threads=os.cpu_count() or 1)
    with sync_playwright() as control:
        browser = control.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, BROWSERS)), None), args=["--no-sandbox"]
        )
        rounds = [seconds_of(browser) for _ in range(arguments.rounds)]
        browser.close()
    table = Table(("until", "seconds"), arguments.format)
    for number, name in enumerate(("the address is printed", "the picture is there", "a particle is moved")):
        table.row(name, f"{median(seconds[number] for seconds in rounds):.1f}")


def seconds_of(browser: Any) -> list[float]:
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(COMMAND, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment) as studio,
    ):
        try:
            assert studio.stdout is not None
            address = studio.stdout.readline().split()[-1]
            return [time.perf_counter() - start, *(now - start for now in times_in_page(browser, address))]
        finally:
            studio.terminate()


def times_in_page(browser: Any, address: str) -> list[float]:
    """When the picture is there, and when a particle is moved."""
    page = browser.new_page()
    page.goto(address)
    wait(page, OPENED)
    opened = time.perf_counter()
    column, row = page.evaluate(PLACE)
    page.mouse.move(column, row)
    page.mouse.down()
    page.mouse.move(column + 60, row + 40, steps=4)
    page.mouse.up()
    wait(page, MOVED)
    moved = time.perf_counter()
    page.close()
    return [opened, moved]


def wait(page: Any, condition: str) -> None:
    # the page allows no code from strings, which wait_for_function needs
    while not page.evaluate(condition):
        page.wait_for_timeout(POLL)


if __name__ == "__main__":
    main()
