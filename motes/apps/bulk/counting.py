"""Shows how many pictures are done and how long the rest will take; plain lines where no terminal is watching."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

# seconds between lines where no terminal is watching
PLAIN_EVERY = 10.0


@contextmanager
def counting(
    title: str, total: int, done: int = 0, unit: str = "pictures"
) -> Iterator[Callable[[int], None]]:
    """Yields a function that is told how many more are done; `done`: how many were done before."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    # a part may take minutes
    left = TimeRemainingColumn(elapsed_when_finished=True)
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), left)
    begun = last = time.monotonic()
    before = done
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal, speed_estimate_period=3600
    ) as bar:
        task = bar.add_task("", total=total, completed=done)

        def advance(count: int) -> None:
            nonlocal done, last
            done += count
            bar.update(task, advance=count)
            if not console.is_terminal and time.monotonic() - last > PLAIN_EVERY:
                last = time.monotonic()
                remaining = timedelta(seconds=round((last - begun) / (done - before) * (total - done)))
                print(f"{title}: {done:,} of {total:,} {unit}, {remaining} left", file=sys.stderr, flush=True)

        yield advance
