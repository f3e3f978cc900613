"""A live display of training in the terminal; plain lines where the output is no terminal."""

import sys
import time
from typing import Any

from PIL import Image as Pictures
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from motes.apps.report.panels import preview
from motes.data.base import Dataset
from motes.models.base import Model, device_of
from motes.training.run import Run

# seconds between lines where no terminal is watching
PLAIN_EVERY = 10.0


class Display:
    """Shows the progress of a run, with the loss and its terms.

    At each validation a picture is saved in the run folder.
    """

    def __init__(self, held_out: Dataset):
        self.console = Console(stderr=True)
        self.held_out = held_out
        self.last_line = 0.0
        self.bar = _bar(self.console)
        self.task = self.bar.add_task("train", total=1.0, stage="", step=0, terms="")

    def __enter__(self) -> "Display":
        self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *problem: Any) -> None:
        if kind is None:
            # the last line of a run may lie some steps before its end
            self.bar.update(self.task, completed=1.0)
        self.bar.stop()

    def step(self, record: dict[str, Any]) -> None:
        terms = "  ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in record["terms"].items())
        self.bar.update(
            self.task, completed=record["progress"], stage=record["stage"], step=record["step"], terms=terms
        )
        if not self.console.is_terminal and time.monotonic() - self.last_line > PLAIN_EVERY:
            self.last_line = time.monotonic()
            _print_line(record, terms)

    def evaluated(self, record: dict[str, Any], model: Model, run: Run) -> None:
        line = f"step {record['step']}: validation loss {record['validation']:.4g}"
        self.console.print(line, highlight=False)
        was_training = model.training
        model.eval()
        self._preview(model).save(run.pictures / f"step-{record['step']:07d}.png")
        model.train(was_training)

    def _preview(self, model: Model) -> Pictures.Image:
        rows = range(min(8, len(self.held_out)))
        return preview(model, self.held_out.batch(rows).image.to(device_of(model)))


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("[bold]{task.fields[stage]:>8}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:3.0f}%  step {task.fields[step]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[terms]}"),
        console=console,
        disable=not console.is_terminal,
    )


def _print_line(record: dict[str, Any], terms: str) -> None:
    line = f"{record['progress']:4.0%}  step {record['step']}  {record['stage']}  {terms}"
    print(line, file=sys.stderr, flush=True)
