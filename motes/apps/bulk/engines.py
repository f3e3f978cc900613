"""Engines: who encodes the parts. This process, one after the other; or the workers of dask, here or on a cluster."""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

from motes.apps.bulk.part_file import Outcome, Work, attempt
from motes.apps.bulk.parts import BulkPart
from motes.errors import UserError
from motes.plain.packages import optional

# takes parts as it needs them, and yields each with its outcome, in any order
Engine = Callable[[Work, Iterable[BulkPart]], Iterator[tuple[BulkPart, Outcome]]]
# deaths of workers after which a part is given up
DEATHS = 3
# parts that wait at the scheduler, for each thread of the workers and at least: enough for a cluster that grows
# with what waits, and few enough for the memory of this process
WAITING = (2, 16)
# seconds
ANSWERS = 15
# a worker has one thread
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
GONE = "the scheduler of dask went away; what is done stays, and the same command goes on with it"
CONFIG = {
    "distributed.scheduler.allowed-failures": DEATHS - 1,
    # a part that waits at a worker would be held guilty of that worker's death
    "distributed.scheduler.worker-saturation": 1.0,
    # no samples of what workers do, and fewer looks at the clock: half the CPU time of a cluster that waits
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    # dask would have workers give memory back after each tensor, which costs them a third of their time
    "distributed.nanny.pre-spawn-environ": dict.fromkeys(THREADS, 1),
    # on a busy machine a worker takes long to start anew; dask would give it up, and then nobody does its parts
    "distributed.deploy.lost-worker-timeout": "1h",
    # what becomes of workers is told by the outcomes of parts
    "logging": {"distributed": "critical", "distributed.nanny": "critical", "tornado": "critical"},
}


def alone(work: Work, parts: Iterable[BulkPart]) -> Iterator[tuple[BulkPart, Outcome]]:
    """Encode the parts one after the other in this process."""
    for part in parts:
        yield part, attempt(work, part)


@contextmanager
def engine_of(workers: int | None, scheduler: str | None) -> Iterator[Engine]:
    """The engine with so many workers on this machine, or with those of a scheduler; without either, this process."""
    if workers is None and scheduler is None:
        yield alone
        return
    distributed = optional("distributed", "bulk", "--workers and --scheduler need dask.distributed")
    client = (
        _of_scheduler(distributed, scheduler) if scheduler else _of_this_machine(distributed, workers or 1)
    )
    with client as opened:
        yield lambda work, parts: _handed_out(distributed, opened, work, parts)


@contextmanager
def _of_this_machine(distributed: Any, workers: int) -> Iterator[Any]:
    config = optional("dask.config", "bulk", "--workers needs dask")
    with config.set(CONFIG):
        try:
            cluster = distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=":0", silence_logs=logging.CRITICAL
            )
        # a worker that was ended while it started, a port that is not free: dask raises what it likes
        except Exception as problem:
            raise UserError(f"the workers did not start ({problem}); the same command tries again") from None
        with cluster, distributed.Client(cluster) as client:
            yield client


@contextmanager
def _of_scheduler(distributed: Any, address: str) -> Iterator[Any]:
    try:
        client = distributed.Client(address, timeout=ANSWERS)
    except (OSError, ValueError) as problem:
        raise UserError(f"no scheduler of dask answers at {address}: {problem}") from None
    with client:
        if not client.nthreads():
            print(f"motes: {address} has no worker yet; waiting for one", file=sys.stderr)
        yield client


def _handed_out(
    distributed: Any, client: Any, work: Work, parts: Iterable[BulkPart]
) -> Iterator[tuple[BulkPart, Outcome]]:
    """Keep the workers busy with parts, and yield each part as it is done."""
    waiting = iter(parts)
    running: dict[Any, BulkPart] = {}
    done = distributed.as_completed()
    try:
        while True:
            for part in islice(waiting, max(_wanted(client) - len(running), 0)):
                future = client.submit(attempt, work, part, pure=False)
                running[future] = part
                done.add(future)
            if not running:
                return
            future = next(done)
            yield running.pop(future), _outcome_of(distributed, future)
    except OSError:
        raise UserError(GONE) from None
    finally:
        with suppress(Exception):
            client.cancel(list(running), force=True)


def _wanted(client: Any) -> int:
    """The number of parts that should be with the scheduler."""
    each, least = WAITING
    return max(each * sum(client.nthreads().values()), least)


def _outcome_of(distributed: Any, future: Any) -> Outcome:
    if future.status == "finished":
        return future.result()
    if future.status != "error":
        raise UserError(GONE)
    problem = future.exception()
    if isinstance(problem, distributed.scheduler.KilledWorker):
        return Outcome(failure=f"it ended its worker {problem.allowed_failures + 1} times", killed=True)
    return Outcome(failure=f"{type(problem).__name__}: {problem}")
