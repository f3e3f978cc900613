"""`MetricsHistory`: what a run wrote to its metrics, read on from where one stopped, and thinned out where it is long."""

import json
import threading
from collections import deque
from pathlib import Path
from typing import Any

# lines of the whole history, about, and the newest ones, which are kept without gaps
LINES = 2000
NEWEST = 1000

Lines = list[dict[str, Any]]


class MetricsHistory:
    """The lines of a run's metrics.jsonl. Each is read once, however many pages ask."""

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.Lock()
        self._begin(0)

    def _begin(self, file: int) -> None:
        # the number of the file on the disk: a run that is resumed writes a new one
        self._file = file
        self._offset = 0
        # whole lines that were read
        self._count = 0
        # of training steps, one in so many is kept, and all validations
        self._stride = 1
        self._thinned: deque[tuple[int, dict[str, Any]]] = deque()
        self._newest: deque[tuple[int, dict[str, Any]]] = deque(maxlen=NEWEST)

    def since(self, position: str) -> tuple[Lines, str, bool]:
        """The lines after a position that was given before ("" for the beginning), the new position, and
        whether they go on from that position; if not, they are the history from its beginning."""
        with self._lock:
            self._read_on()
            file, _, number = position.partition(".")
            goes_on = file == str(self._file) and number.isdecimal() and int(number) <= self._count
            first = int(number) if goes_on else 0
            lines = [line for at, line in self._listed() if at >= first]
            return lines, f"{self._file}.{self._count}", goes_on

    def whole(self) -> Lines:
        with self._lock:
            return [line for _, line in self._listed()]

    def _listed(self) -> list[tuple[int, dict[str, Any]]]:
        """The thinned lines, then the newest ones without gaps."""
        first = self._newest[0][0] if self._newest else 0
        return [entry for entry in self._thinned if entry[0] < first] + list(self._newest)

    def _read_on(self) -> None:
        try:
            with self.path.open("rb") as file:
                facts = self.path.stat()
                if facts.st_ino != self._file or facts.st_size < self._offset:
                    self._begin(facts.st_ino)
                file.seek(self._offset)
                # what follows the last line end is being written
                whole, end, _ = file.read().rpartition(b"\n")
        except OSError:
            self._begin(0)
            return
        self._offset += len(whole) + len(end)
        for line in whole.splitlines():
            self._add(line)

    def _add(self, line: bytes) -> None:
        try:
            facts = json.loads(line)
        # half a line of a run that was killed
        except ValueError:
            return
        entry = (self._count, facts)
        self._count += 1
        self._newest.append(entry)
        if "validation" in facts or self._count % self._stride == 0:
            self._thinned.append(entry)
        if len(self._thinned) > 2 * LINES:
            self._thin()

    def _thin(self) -> None:
        self._stride *= 2
        steps = [entry for entry in self._thinned if "validation" not in entry[1]]
        dropped = {entry[0] for entry in (steps or list(self._thinned))[::2]}
        self._thinned = deque(entry for entry in self._thinned if entry[0] not in dropped)
