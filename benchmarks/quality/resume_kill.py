"""Kill -9 a training run at random moments, inside writing a checkpoint
too, resume it each time, and compare with one never stopped.

python benchmarks/quality/resume_kill.py [--kills 20] [--seed 0]
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import MOTES
from benchmarks.report import Table, header, parser

DATA = "--data.image-size 32 32 --data.count 200 --data.held-out 20"
MODEL = "--model.num-particles 3 --model.glimpse-size 8"
TRAINING = "--training.evaluate-every 5 --training.batch-size 8 --training.validation-pictures 16"
STEPS_A_KILL = 50  # some 30 between two kills: the run must not end before the last


def main() -> None:
    arguments_parser = parser(__doc__, seed=0)
    arguments_parser.add_argument("--kills", type=int, default=20)
    arguments = arguments_parser.parse_args()
    header(f"{arguments.kills} kills", threads=torch.get_num_threads(), seeds=[arguments.seed])
    with tempfile.TemporaryDirectory() as temporary:
        uninterrupted = Path(temporary) / "uninterrupted"
        killed = Path(temporary) / "killed"
        start(uninterrupted, STEPS_A_KILL * arguments.kills).wait()
        table = Table(("kill", "while", "steps on disk"), arguments.format)
        kills = kill_repeatedly(killed, arguments.kills, random.Random(arguments.seed), table)
        same = identical(uninterrupted, killed)
    verdict = "bit-identical" if same else "DIFFER"
    print(f"\n{kills} of {arguments.kills} kills: weights, optimiser, best checkpoint and metrics {verdict}")
    sys.exit(not same or kills < arguments.kills)


def kill_repeatedly(run: Path, count: int, moments: random.Random, table: Table) -> int:
    """Returns how often the run was killed, fewer times than
    `count` where it ended before; it has ended afterwards.
    """
    process = start(run, STEPS_A_KILL * count)
    for kill in range(count):
        wait_for_moment(process, run, moments)
        if process.poll() is not None:
            return kill
        activity = activity_of(run)
        process.kill()
        process.wait()
        table.row(kill + 1, activity, steps_on_disk(run))
        process = resume(run) if (run / "run.json").exists() else start(run, STEPS_A_KILL * count)
    process.wait()
    return count


def wait_for_moment(process: subprocess.Popen, run: Path, moments: random.Random) -> None:
    """A third anywhere after the start, before the first checkpoint
    too; a third while learning; a third inside writing a checkpoint.
    """
    kind = moments.randrange(3)
    before = len(metrics(run))
    if kind == 0:
        time.sleep(moments.uniform(0.0, 8.0))
        return
    wait_until(lambda: len(metrics(run)) > before or process.poll() is not None)
    if kind == 1:
        time.sleep(moments.uniform(0.0, 1.5))
    else:
        wait_until(lambda: writes_checkpoint(run) or process.poll() is not None, 10)
        time.sleep(moments.uniform(0.0, 0.003))


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.002)


def activity_of(run: Path) -> str:
    if writes_checkpoint(run):
        return "writing a checkpoint"
    return "learning" if (run / "run.json").exists() else "starting"


def writes_checkpoint(run: Path) -> bool:
    return bool(list((run / "checkpoints").glob(".*")))


def steps_on_disk(run: Path) -> int:
    last = run / "checkpoints" / "last"
    return int(last.readlink().name.removeprefix("step-")) if last.exists() else 0


def metrics(run: Path) -> list[str]:
    path = run / "metrics.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def start(run: Path, steps: int) -> subprocess.Popen:
    options = f"{DATA} {MODEL} {TRAINING}".split()
    return launch("train", "--steps", f"{steps}", *options, "--out", f"{run}")


def resume(run: Path) -> subprocess.Popen:
    return launch("train", "--resume", f"{run}")


def launch(*arguments: str) -> subprocess.Popen:
    return subprocess.Popen([*MOTES, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def identical(run: Path, rival: Path) -> bool:
    files = [
        f"checkpoints/{link}/{kind}.safetensors"
        for link in ("last", "best")
        for kind in ("model", "training")
    ]
    return all(same_tensors(run / file, rival / file) for file in files) and records(run) == records(rival)


def same_tensors(path: Path, rival: Path) -> bool:
    tensors = load_file(path)
    others = load_file(rival)
    return tensors.keys() == others.keys() and all(
        torch.equal(tensor, others[key]) for key, tensor in tensors.items()
    )


def records(run: Path) -> list[dict[str, Any]]:
    """Of the metrics, without the time."""
    return [{**json.loads(line), "seconds": 0} for line in metrics(run)]


if __name__ == "__main__":
    main()
