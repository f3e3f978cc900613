"""How fast training pictures come: batches of shuffled rows to float tensors, images a second of one core.

python benchmarks/speed/data_rate.py [--pictures 8192] [--size 128] [--seconds 5] [--data SET ...]

Without --data a prepared set of noise is written first, to a temporary folder. Afterwards the set is in the
disk's cache, as in training after the first epoch; a set larger than memory is as fast as its disk.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.report import Table, header, parser
from motes.data import DATASETS
from motes.data.base import Dataset
from motes.data.files.npy import NpyConfig as Arrays
from motes.data.prepared.prepare import Source, prepare
from motes.data.recognise import find_source

BATCH = 64
COLUMNS = ("data", "pictures", "size", "images a second of a core", "of wall clock", "MB/s of floats")


def main() -> None:
    arguments_parser = parser(__doc__, seconds=5.0)
    arguments_parser.add_argument("--pictures", type=int, default=8192)
    arguments_parser.add_argument("--size", type=int, default=128, help="side of a picture")
    arguments_parser.add_argument("--data", nargs="*", default=[], help="what --data of motes train takes")
    arguments = arguments_parser.parse_args()
    torch.set_num_threads(1)
    header(f"{arguments.seconds:g} seconds a set", f"batches of {BATCH}", threads=1)
    table = Table(COLUMNS, arguments.format)
    for name in arguments.data:
        kind, options = find_source(name)
        data = DATASETS[kind](DATASETS[kind].Config(**options), "train")
        table.row(name, *reading_rate(data, arguments.seconds))
    if not arguments.data:
        with tempfile.TemporaryDirectory() as folder:
            for name, data in noise(folder, arguments.pictures, arguments.size):
                table.row(name, *reading_rate(data, arguments.seconds))


def noise(folder: str, pictures: int, size: int) -> Iterator[tuple[str, Dataset]]:
    """The same pictures as a prepared set and as the array that it was prepared from."""
    values = np.random.default_rng(0).integers(0, 256, (pictures, size, size, 3), dtype=np.uint8)
    np.save(f"{folder}/noise.npy", values)
    array = Arrays(f"{folder}/noise.npy")
    prepare(Source("npy", array), Path(folder, "set"))
    prepared = DATASETS["prepared"]
    yield "prepared", prepared(prepared.Config(f"{folder}/set"), "train")
    yield "npy", DATASETS["npy"](array, "train")


def reading_rate(data: Dataset, seconds: float) -> list[str]:
    for start in range(0, len(data), BATCH):  # so that every row has been read once
        data.pixels(range(start, min(start + BATCH, len(data))))
    wall_start = time.perf_counter()
    cpu_start = time.process_time()
    batches = 0
    for rows in shuffled_batches(len(data)):
        assert data.batch(rows).image.dtype == torch.float32
        batches += 1
        if time.perf_counter() - wall_start > seconds:
            break
    cpu = time.process_time() - cpu_start
    wall = time.perf_counter() - wall_start
    channels, height, width = data.image_shape
    images = BATCH * batches
    megabytes = 4 * channels * height * width * images / cpu / 1e6
    size = f"{height} x {width} x {channels}"
    return [f"{len(data)}", size, f"{images / cpu:,.0f}", f"{images / wall:,.0f}", f"{megabytes:,.0f}"]


def shuffled_batches(length: int) -> Iterator[list[int]]:
    """Without end, in another order each epoch."""
    if length < BATCH:
        sys.exit(f"a set of {length} pictures has no batch of {BATCH}")
    random = np.random.default_rng(0)
    while True:
        order = random.permutation(length)
        for start in range(0, length - BATCH + 1, BATCH):
            yield order[start : start + BATCH].tolist()


if __name__ == "__main__":
    main()
