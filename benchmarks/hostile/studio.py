"""A studio under attack: what an honest page waits for a decode, and how much memory the server takes.

    python benchmarks/hostile/studio.py [--only files] [--share 0.1]      # needs pip install 'motes[studio]'

The attacks run one after the other, each in a process of its own, while the honest page edits. All of what it had
open must still be there in the end. Memory is that of the server and of the processes it started, added up.
"""

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import MOTES, with_threads
from benchmarks.hostile.attacks import ATTACKS, page, post, received
from benchmarks.hostile.files import plain_png
from benchmarks.report import Table, header, parser
from motes.apps.studio.messages import unpack
from motes.apps.studio.ports import free_port

# bars: bytes of the server, seconds of the median decode
MEMORY = 1_500_000_000
DECODE = 0.3
MOVED = {"particles": {"0": {"position": [0.25, -0.5], "presence": 1.0}}}


def main() -> None:
    arguments_parser = parser(__doc__, threads=1)
    arguments_parser.add_argument("--only", choices=list(ATTACKS), help="one attack")
    arguments_parser.add_argument("--share", type=float, default=1.0, help="of each attack's size")
    arguments = arguments_parser.parse_args()
    header("the shipped model of shapes", threads=arguments.threads)
    columns = ("attack", "seconds", "decodes", "median, ms", "slowest, ms", "server, MB")
    table = Table(columns, arguments.format)
    kept = True
    with tempfile.TemporaryDirectory() as folder, studio(Path(folder), arguments.threads) as (process, port):
        honest = Honest(port)
        for name in [arguments.only] if arguments.only else ATTACKS:
            count = max(round(ATTACKS[name].count * arguments.share), 1)
            figures = under_attack(name, count, port, process.pid, honest)
            kept &= figures.good
            table.row(f"{count:,} {ATTACKS[name].about}", *figures.cells())
    print("\nall bars are kept, and nothing was lost" if kept else "\nA BAR IS BROKEN")
    sys.exit(not kept)


@contextmanager
def studio(folder: Path, threads: int) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """The command `motes studio` with the model of shapes that comes with motes, in an empty folder."""
    port = free_port("127.0.0.1")
    command = [*MOTES, "studio", "shapes", "--no-browser", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=folder, env=with_threads(threads), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None and process.stdout.readline(), "the studio did not start"
            yield process, port
        finally:
            process.kill()


class Honest:
    """A page that has a picture of its own open, and edits."""

    def __init__(self, port: int):
        self._page = page(port)
        self.socket, session = self._page.__enter__()
        self.own = json.loads(post(port, session, plain_png()).getresponse().read())["picture"]
        self.drawn = self.decoded()

    def decoded(self) -> np.ndarray:
        """What the model draws of its own picture after its edit."""
        told = {"ask": "decode", "n": 1, "run": 0, "picture": self.own, "edits": MOVED}
        self.socket.send(json.dumps(told))
        facts, arrays = unpack(received(self.socket))
        if "problem" in facts:
            raise RuntimeError(f"something is lost: {facts['problem']}")
        return arrays["drawn"]

    def close(self) -> None:
        self._page.__exit__(None, None, None)

    def same_as_before(self) -> bool:
        return np.array_equal(self.decoded(), self.drawn)


@dataclass
class Attacked:
    """What was measured under one attack."""

    seconds: float = 0.0
    # seconds of each decode; bytes of the server at most
    decodes: list[float] = field(default_factory=list)
    memory: int = 0
    lost: bool = False

    @property
    def good(self) -> bool:
        return not self.lost and self.memory < MEMORY and statistics.median(self.decodes) < DECODE

    def cells(self) -> tuple[str, ...]:
        milliseconds = (1000 * statistics.median(self.decodes), 1000 * max(self.decodes))
        return (
            f"{self.seconds:.0f}",
            f"{len(self.decodes)}",
            *(f"{value:.0f}" for value in milliseconds),
            f"{self.memory / 1e6:.0f}",
        )


def under_attack(name: str, count: int, port: int, server: int, honest: Honest) -> Attacked:
    """The honest page decodes while the attack goes on, and looks whether all is as it was."""
    attack = get_context("spawn").Process(target=ATTACKS[name].run, args=(port, count), daemon=True)
    attacked = Attacked()
    over = threading.Event()
    watch = threading.Thread(target=_watch_memory, args=(server, attacked, over), daemon=True)
    start = time.monotonic()
    watch.start()
    attack.start()
    while attack.is_alive() or not attacked.decodes:
        began = time.monotonic()
        attacked.lost |= not honest.same_as_before()
        attacked.decodes.append(time.monotonic() - began)
        time.sleep(0.05)
    attack.join()
    over.set()
    watch.join()
    attacked.seconds = time.monotonic() - start
    attacked.lost |= attack.exitcode != 0
    return attacked


def _watch_memory(server: int, attacked: Attacked, over: threading.Event) -> None:
    while not over.wait(0.05):
        attacked.memory = max(attacked.memory, sum(map(_resident, _with_children(server))))


def _with_children(process: int) -> list[int]:
    """The process and those that it started, by their numbers in /proc; nothing where there is no /proc."""
    children = Path(f"/proc/{process}/task").glob("*/children")
    try:
        return [process, *itertools.chain(*(map(int, path.read_text().split()) for path in children))]
    except OSError:
        return [process]


def _resident(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    sizes: list[Any] = [line.split() for line in lines if line.startswith("VmRSS")]
    return 1024 * int(sizes[0][1]) if sizes else 0


if __name__ == "__main__":
    main()
