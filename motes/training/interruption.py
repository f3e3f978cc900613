"""Ctrl-C while training: the first asks the run to end its step, save and stop; the second stops at once."""

import signal
from typing import Any


class Stopped(Exception):
    """The run was asked to stop, and saved; `resume` goes on with it."""


class Interruption:
    """`with Interruption() as interruption:` `interruption.requested` turns true at SIGINT or SIGTERM."""

    def __init__(self):
        self.requested = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interruption":
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._before[number] = signal.signal(number, self._ask)
            except ValueError:  # not the main thread: whoever owns it handles signals
                break
        return self

    def __exit__(self, *problem: Any) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: Any) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
