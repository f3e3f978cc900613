"""Kill -9 a training run at random moments, inside writing a checkpoint too, resume it each time, and compare with one never stopped.

python benchmarks/resume_kill.py [--kills 20] [--seed 0]
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

TRAIN = (
    "train --steps {steps} --training.evaluate-every 5 --training.batch-size 8 --data.image-size 32 32 --data.count 200 --data.held-out 20"
)
SMALL = "--model.num-particles 3 --model.glimpse-size 8 --training.validation-pictures 16"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    moments = random.Random(told.seed)
    with tempfile.TemporaryDirectory() as place:
        whole, killed = Path(place) / "whole", Path(place) / "killed"
        steps = 50 * told.kills  # some 30 between two kills: the run must not end before the last
        start(whole, steps).wait()
        print("| kill | while | steps on disk |\n|---|---|---|", flush=True)
        process, kills = start(killed, steps), 0
        while kills < told.kills:
            wait(process, killed, moments)
            if process.poll() is not None:
                break
            doing = "writing a checkpoint" if writing(killed) else "learning" if (killed / "run.json").exists() else "starting"
            process.kill()
            process.wait()
            kills += 1
            last = killed / "checkpoints" / "last"
            print(f"| {kills} | {doing} | {int(last.readlink().name[5:]) if last.exists() else 0} |", flush=True)
            process = resume(killed) if (killed / "run.json").exists() else start(killed, steps)
        process.wait()
        same = identical(whole, killed)
        print(f"\n{kills} of {told.kills} kills: weights, optimiser, best checkpoint and metrics {'bit-identical' if same else 'DIFFER'}")
        sys.exit(not same or kills < told.kills)


def wait(process: subprocess.Popen, folder: Path, moments: random.Random) -> None:
    """A third anywhere after the start, before the first checkpoint too; a third while learning; a third inside writing a checkpoint."""
    kind = moments.randrange(3)
    seen = len(lines(folder))
    if kind == 0:
        time.sleep(moments.uniform(0.0, 8.0))
        return
    wait_for(lambda: len(lines(folder)) > seen or process.poll() is not None)
    if kind == 1:
        time.sleep(moments.uniform(0.0, 1.5))
    else:
        wait_for(lambda: writing(folder) or process.poll() is not None, 10)
        time.sleep(moments.uniform(0.0, 0.003))


def writing(folder: Path) -> bool:
    return bool(list((folder / "checkpoints").glob(".*")))


def lines(folder: Path) -> list[str]:
    return (folder / "metrics.jsonl").read_text().splitlines() if (folder / "metrics.jsonl").exists() else []


def start(folder: Path, steps: int) -> subprocess.Popen:
    return launch(*TRAIN.format(steps=steps).split(), *SMALL.split(), "--out", str(folder))


def resume(folder: Path) -> subprocess.Popen:
    return launch("train", "--resume", str(folder))


def launch(*arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "motes.apps.cli", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(happened, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not happened() and time.monotonic() < until:
        time.sleep(0.002)


def identical(one: Path, other: Path) -> bool:
    for link in ("last", "best"):
        for name in ("model.safetensors", "training.safetensors"):
            a, b = (load_file(folder / "checkpoints" / link / name) for folder in (one, other))
            if a.keys() != b.keys() or not all(torch.equal(a[key], b[key]) for key in a):
                return False
    a, b = ([{**json.loads(line), "seconds": 0} for line in lines(folder)] for folder in (one, other))
    return a == b


if __name__ == "__main__":
    main()
