"""What share of training is spent waiting for pictures, which are made a step ahead on a thread of their own.

python benchmarks/speed/data_wait.py [--preset dlp-quick] [--data shapes faces traffic] [--steps 80]

The first tenth of the steps is left out: nothing could make the first pictures ahead.
"""

import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.report import Table, header, parser
from motes.apps.cli.recipe import choose_data
from motes.training import loop
from motes.training.presets import PRESETS


class TimedExecutor(ThreadPoolExecutor):
    """Notes how long each result was waited for, and when it was there."""

    waits: list[tuple[float, float]] = []

    def submit(self, *call: Any, **options: Any) -> Future:
        future = super().submit(*call, **options)
        wait = Future.result

        def timed(timeout: float | None = None) -> Any:
            start = time.perf_counter()
            result = wait(future, timeout)
            end = time.perf_counter()
            self.waits.append((end - start, end))
            return result

        future.result = timed  # pyright: ignore[reportAttributeAccessIssue]
        return future


def main() -> None:
    arguments_parser = parser(__doc__, preset="dlp-quick", steps=80)
    arguments_parser.add_argument("--data", nargs="+", default=["shapes", "faces", "traffic"])
    arguments = arguments_parser.parse_args()
    loop.ThreadPoolExecutor = TimedExecutor
    header(arguments.preset, f"{arguments.steps} steps", threads=torch.get_num_threads())
    table = Table(("data", "seconds a step", "of it waiting"), arguments.format)
    for data in arguments.data:
        step, waiting = step_and_waiting(arguments.preset, data, arguments.steps)
        table.row(data, f"{step:.3f}", f"{waiting:.1%}")


def step_and_waiting(preset: str, data: str, steps: int) -> tuple[float, float]:
    """Seconds a step, and the share of them that was waiting."""
    recipe = choose_data(PRESETS[preset].recipe, data)
    training = replace(
        recipe.training, steps=steps, max_minutes=0.0, evaluate_every=steps, validation_pictures=16
    )
    TimedExecutor.waits.clear()
    with tempfile.TemporaryDirectory() as folder:
        loop.train(replace(recipe, training=training), Path(folder) / "run")
    waits = TimedExecutor.waits[steps // 10 :]
    total = waits[-1][1] - waits[0][1]
    return total / (len(waits) - 1), sum(wait for wait, _ in waits[1:]) / total


if __name__ == "__main__":
    main()
