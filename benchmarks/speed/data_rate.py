"""How fast training pictures come: batches of shuffled rows to float tensors, images a second of one core.

python benchmarks/data_rate.py [--pictures 8192] [--size 128] [--seconds 5] [--data SET ...]

Without --data a prepared set of noise is written first, to a temporary folder. Afterwards the set is in the disk's cache, as
in training after the first epoch; a set larger than memory is as fast as its disk.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from motes.apps.sources import find_source
from motes.data import DATASETS
from motes.data.base import Dataset
from motes.data.npy import Config as Arrays
from motes.data.preparing import Source, prepare

BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=8192)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--data", nargs="*", default=[], help="what --data of motes train takes")
    told = parser.parse_args()
    torch.set_num_threads(1)
    print(f"| data | pictures | size | images a second of a core | of wall clock | MB/s of floats |\n|{'---|' * 6}")
    for name in told.data:
        kind, place = find_source(name)
        measure(name, DATASETS[kind](DATASETS[kind].Config(**place), "train"), told.seconds)
    if not told.data:
        with tempfile.TemporaryDirectory() as folder:
            noise = np.random.default_rng(0).integers(0, 256, (told.pictures, told.size, told.size, 3), dtype=np.uint8)
            np.save(f"{folder}/noise.npy", noise)
            prepare(Source("npy", Arrays(f"{folder}/noise.npy")), Path(folder, "set"))
            measure("prepared", DATASETS["prepared"](DATASETS["prepared"].Config(f"{folder}/set"), "train"), told.seconds)
            measure("npy", DATASETS["npy"](Arrays(f"{folder}/noise.npy"), "train"), told.seconds)


def measure(name: str, data: Dataset, seconds: float) -> None:
    random, seen = np.random.default_rng(0), 0
    for start in range(0, len(data), BATCH):  # so that every row has been read once
        data.pixels(range(start, min(start + BATCH, len(data))))
    wall, busy = time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        order = random.permutation(len(data))
        for start in range(0, len(data) - BATCH + 1, BATCH):
            assert data.batch(order[start : start + BATCH].tolist()).image.dtype == torch.float32
            seen += BATCH
            if time.perf_counter() - wall > seconds:
                break
    busy, wall = time.process_time() - busy, time.perf_counter() - wall
    channels, rows, columns = data.image_shape
    rate = 4 * channels * rows * columns * seen / busy / 1e6
    print(f"| {name} | {len(data)} | {rows} x {columns} x {channels} | {seen / busy:,.0f} | {seen / wall:,.0f} | {rate:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
