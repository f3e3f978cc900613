"""Pictures per CPU second that each generated world draws at
its own size, on one core, beside the rate that it should reach.

    python benchmarks/speed/worlds_rate.py [--seconds 2] [--only scenes balls]

Rows are drawn for the first time, 64 at once, in order (a batch of a shuffled epoch costs the same but for
clips, which are simulated in groups). Time is the process's, all threads together, and torch has one. With
the truth: masks, boxes, centres and factors as well.
"""

import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.report import Table, header, parser
from motes.data import DATASETS

WORLDS: list[tuple[str, dict[str, Any], int]] = [
    ("sprites", {}, 500),
    ("sprites", {"background": "textures", "smooth": 2}, 500),
    ("tetrominoes", {}, 5000),
    ("balls", {"recipe": "interaction"}, 2000),
    ("balls", {"recipe": "occlusion"}, 2000),
    ("balls", {"recipe": "two_layer"}, 2000),
    ("balls", {"recipe": "two_layer_dense"}, 2000),
    ("scenes", {}, 90),
    ("scenes", {"objects": (7, 10)}, 0),
    ("scenes", {"image_size": (128, 128)}, 0),
    ("rolling", {}, 0),
    ("animal", {}, 100),
    ("animal", {"view": "side", "image_size": (128, 128)}, 0),
]
COLUMNS = ("world", "options", "pictures a CPU second", "bar", "their truth a CPU second")


def main() -> None:
    arguments_parser = parser(__doc__, seconds=2.0)
    arguments_parser.add_argument("--only", nargs="*", help="worlds to measure")
    arguments = arguments_parser.parse_args()
    torch.set_num_threads(1)
    header(f"at least {arguments.seconds:g} CPU seconds a measurement", threads=1)
    table = Table(COLUMNS, arguments.format)
    for name, options, bar in WORLDS:
        if arguments.only and name not in arguments.only:
            continue
        words = ", ".join(f"{key} {value}" for key, value in options.items())
        pictures = rows_per_second(new_world(name, options).pixels, arguments.seconds)
        truths = rows_per_second(new_world(name, options).truth, arguments.seconds)
        table.row(name, words, f"{pictures:,.0f}", f"{bar:,}" if bar else "", f"{truths:,.0f}")


def new_world(name: str, options: dict[str, Any]) -> Any:
    world = DATASETS[name]
    return world(world.Config(**{"count": 10**6, **options}))


def rows_per_second(draw: Callable[[range], object], seconds: float) -> float:
    draw(range(64))  # imports, tables, first use of memory
    start = time.process_time()
    rows = 0
    for first in count(64, 64):
        draw(range(first, first + 64))
        rows += 64
        if time.process_time() - start > seconds:
            break
    return rows / (time.process_time() - start)


if __name__ == "__main__":
    main()
