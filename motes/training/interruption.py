"""Ctrl-C during training: the first makes the run finish its step, save and stop; the second stops at
once."""

import signal
from typing import Any


class Stopped(Exception):
    """Raised when a run was asked to stop and has saved its state; `resume` continues it."""


class Interruption:
    """A context manager for `with Interruption() as interruption:`.

    Inside it, `interruption.requested` becomes true at the first SIGINT or SIGTERM.
    """

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
