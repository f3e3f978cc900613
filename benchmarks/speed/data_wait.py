"""What share of training is spent waiting for pictures, which are made a step ahead on a thread of their own.

python benchmarks/data_wait.py [--preset dlp-quick] [--data shapes faces traffic] [--steps 80]

The first tenth of the steps is left out: the first pictures are nobody's to have made ahead.
"""

import argparse
import datetime
import platform
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from motes.apps.recipes import choose_data
from motes.training import loop
from motes.training.presets import PRESETS


class Watched(ThreadPoolExecutor):
    """Notes how long each result was waited for, and when it was there."""

    waits: list[tuple[float, float]] = []

    def submit(self, *call: Any, **more: Any) -> Future:
        future, patient = super().submit(*call, **more), Future.result

        def result(timeout: float | None = None) -> Any:
            began = time.perf_counter()
            found = patient(future, timeout)
            self.waits.append((time.perf_counter() - began, time.perf_counter()))
            return found

        future.result = result  # pyright: ignore[reportAttributeAccessIssue]
        return future


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="dlp-quick")
    parser.add_argument("--data", nargs="+", default=["shapes", "faces", "traffic"])
    parser.add_argument("--steps", type=int, default=80)
    told = parser.parse_args()
    loop.ThreadPoolExecutor = Watched
    print(f"{datetime.date.today()}, {platform.machine()}, {told.preset}\n\n| data | seconds a step | of it waiting |\n|---|---|---|")
    for data in told.data:
        recipe = choose_data(PRESETS[told.preset].recipe, data)
        training = replace(recipe.training, steps=told.steps, max_minutes=0.0, evaluate_every=told.steps, validation_pictures=16)
        Watched.waits.clear()
        with tempfile.TemporaryDirectory() as folder:
            loop.train(replace(recipe, training=training), Path(folder) / "run")
        kept = Watched.waits[told.steps // 10 :]
        whole = kept[-1][1] - kept[0][1]
        print(f"| {data} | {whole / (len(kept) - 1):.3f} | {sum(wait for wait, _ in kept[1:]) / whole:.1%} |", flush=True)


if __name__ == "__main__":
    main()
