"""Kill -9 a worker, the driver or both of `motes encode --workers 2` at random moments; the same command then
completes what is missing. Every row must be there once, and no file too many.

python benchmarks/quality/bulk_kill.py [--kills 20] [--seed 0]
"""

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image
from pyarrow.parquet import ParquetFile

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import MOTES, with_threads
from benchmarks.report import Table, header, parser
from motes.models import MODELS

PICTURES = 3000
PART = 50
LITTLE = 0.2  # seconds, at most, between a part and a kill
VICTIMS = ("worker", "driver", "both")


def main() -> None:
    arguments_parser = parser(__doc__, seed=0)
    arguments_parser.add_argument("--kills", type=int, default=20)
    arguments = arguments_parser.parse_args()
    header(f"{arguments.kills} kills, {PICTURES:,} pictures", threads=1, seeds=[arguments.seed])
    moments = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prepare(folder)
        seconds = finished(start(folder, "whole"))
        print(f"undisturbed: {seconds:.0f} s, {'complete' if complete(folder / 'whole') else 'INCOMPLETE'}\n")
        table = Table(
            ("kill", "of", "after, s", "parts then", "exit code", "parts kept", "complete"), arguments.format
        )
        good = 0
        for kill in range(arguments.kills):
            victim = VICTIMS[kill % len(VICTIMS)]
            # a start takes most of the time: half of the kills wait for so many parts, however fast the machine is
            parts = moments.randrange(1, PICTURES // PART) if kill % 2 else 0
            moment = moments.uniform(0.0, LITTLE if parts else seconds)
            out = folder / f"out-{kill}"
            row = one_kill(folder, out, victim, parts, moment)
            whole = complete(out)
            good += whole
            after = f"{parts} parts + {moment:.2f}" if parts else f"{moment:.1f}"
            table.row(kill + 1, victim, after, *row, "yes" if whole else "NO")
    print(f"\n{good} of {arguments.kills}: every row once, no stray file")
    sys.exit(good < arguments.kills)


def prepare(folder: Path) -> None:
    torch.manual_seed(0)
    model = MODELS["autoencoder"]
    model(model.Config(image_size=(32, 32), code_dim=4, width=8)).save(folder / "model")
    (folder / "pictures").mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (PICTURES, 96, 96, 3), np.uint8)
    for number, pixels in enumerate(noise):
        Image.fromarray(pixels).save(folder / "pictures" / f"{number:05d}.png")


def start(folder: Path, out: str) -> subprocess.Popen:
    words = ["encode", "model", "pictures", "--out", out, "--workers", "2", "--part-size", str(PART)]
    environment = with_threads(1) | {"PYTHONPATH": str(Path(__file__).parents[2])}
    silent = subprocess.DEVNULL
    return subprocess.Popen([*MOTES, *words], cwd=folder, env=environment, stdout=silent, stderr=silent)


def finished(driver: subprocess.Popen) -> float:
    begun = time.monotonic()
    driver.wait()
    return time.monotonic() - begun


def one_kill(folder: Path, out: Path, victim: str, parts: int, moment: float) -> tuple[int, int, int]:
    """Kill so many seconds after so many parts are there, and start again where need be; the parts at that moment,
    the exit code and the parts that were kept."""
    driver = start(folder, out.name)
    while len(parts_of(out)) < parts and driver.poll() is None:
        time.sleep(0.01)
    time.sleep(moment)
    workers = workers_of(driver)
    before = parts_of(out)
    if victim != "driver" and workers:
        workers[0].kill()
    if victim != "worker":
        driver.kill()
    driver.wait()
    psutil.wait_procs(workers, timeout=60)
    kept = parts_of(out)
    if driver.returncode:
        start(folder, out.name).wait()
    same = sum(after.get(name) == time for after in [parts_of(out)] for name, time in kept.items())
    return len(before), driver.returncode, same


def workers_of(driver: subprocess.Popen) -> list[psutil.Process]:
    try:
        children = psutil.Process(driver.pid).children(recursive=True)
        return [child for child in children if any("spawn_main" in word for word in child.cmdline())]
    except psutil.Error:
        return []


def parts_of(out: Path) -> dict[str, int]:
    """The names of the part files, with the time at which they were written."""
    return {path.name: path.stat().st_mtime_ns for path in out.glob("part-*")}


def complete(out: Path) -> bool:
    """Whether every picture has one row, and the folder nothing but the parts and their summary."""
    names = Counter(
        name for path in out.glob("part-*") for name in ParquetFile(path).read()["picture"].to_pylist()
    )
    right = len(names) == PICTURES and set(names.values()) == {1}
    files = {path.name for path in out.iterdir()} if out.exists() else set()
    return right and files == {*parts_of(out), "_summary.json"} and len(files) == PICTURES // PART + 1


if __name__ == "__main__":
    main()
