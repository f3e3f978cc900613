"""Kill -9 a training run at random moments, inside writing a checkpoint too, resume it each time, and compare with one never stopped.

python benchmarks/resume_kill.py [--kills 20] [--seed 0]
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

TRAIN = "train --steps 300 --training.evaluate-every 5 --training.batch-size 8 --data.image-size 32 32 --data.count 200 --data.held-out 20"
SMALL = "--model.num-particles 3 --model.glimpse-size 8 --training.validation-pictures 16"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    moments = random.Random(told.seed)
    with tempfile.TemporaryDirectory() as place:
        whole, killed = Path(place) / "whole", Path(place) / "killed"
        start(whole).wait()
        kills = writing = 0
        process = start(killed)
        while kills < told.kills:
            before = lines(killed)  # importing takes seconds: only once it learns again is a moment worth drawing
            wait_for(lambda process=process, before=before: lines(killed) > before or process.poll() is not None)
            if moments.random() < 0.5:  # half of the kills wait for a checkpoint that is being written
                wait_for(lambda process=process: list((killed / "checkpoints").glob(".*.part")) or process.poll() is not None, 3)
            else:
                time.sleep(moments.uniform(0.0, 1.0))
            if process.poll() is not None:
                break
            writing += bool(list((killed / "checkpoints").glob(".*.part")))
            process.kill()
            process.wait()
            kills += 1
            print(f"kill {kills}: after {lines(killed)} lines of metrics", flush=True)
            process = resume(killed)
        process.wait()
        same = identical(whole, killed)
        print(
            f"{kills} kills, {writing} of them while a checkpoint was being written: weights and optimiser {'bit-identical' if same else 'DIFFER'}"
        )
        sys.exit(not same)


def lines(folder: Path) -> int:
    metrics = folder / "metrics.jsonl"
    return len(metrics.read_text().splitlines()) if metrics.exists() else 0


def start(folder: Path) -> subprocess.Popen:
    return launch(*TRAIN.split(), *SMALL.split(), "--out", str(folder))


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
    for name in ("model.safetensors", "training.safetensors"):
        a, b = (load_file(folder / "checkpoints" / "last" / name) for folder in (one, other))
        if a.keys() != b.keys() or not all(torch.equal(a[key], b[key]) for key in a):
            return False
    return True


if __name__ == "__main__":
    main()
