"""`Clock`: the seconds that training has cost, which `max_minutes` limits.

On a CPU these are the CPU seconds of this process, all its threads together, divided by the number of threads
that torch uses; never more than the wall clock has counted. A machine that is shared with others makes the
wall clock run ahead, but not this one, so it does not cut runs short. On a GPU they are seconds of the wall
clock, without those spent waiting for pictures.

Steps, the pictures for them, and the beginnings of stages count. Validation, checkpoints and drawing do not.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Clock:
    """Runs from the moment it is made.

    Arguments:
        spent: seconds counted before, by the checkpoint that training goes on from.
        device: that of the model.
    """

    def __init__(self, spent: float, device: torch.device):
        self._spent = spent
        self._on_cpu = device.type == "cpu"
        self._wall, self._cpu = _now()

    def seconds(self) -> float:
        wall, cpu = _now()
        passed = wall - self._wall
        return self._spent + (min(passed, cpu - self._cpu) if self._on_cpu else passed)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What happens inside the block is not counted."""
        wall, cpu = _now()
        try:
            yield
        finally:
            later_wall, later_cpu = _now()
            self._wall += later_wall - wall
            self._cpu += later_cpu - cpu

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Waiting for pictures inside the block is not counted on a GPU.

        On a CPU it costs nothing anyway, but the thread that makes the pictures does.
        """
        if self._on_cpu:
            yield
        else:
            with self.paused():
                yield


def _now() -> tuple[float, float]:
    """The wall clock's seconds, and the CPU seconds of this process for each of its threads."""
    return time.monotonic(), time.process_time() / torch.get_num_threads()
