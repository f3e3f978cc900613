"""Pictures per CPU second that each generated world draws at its own size, on one core, beside the rate that it should reach.

    python benchmarks/worlds_rate.py [--seconds 2] [--only scenes balls]

Rows are drawn for the first time, 64 at once, in order (a batch of a shuffled epoch costs the same but for clips, which are simulated
in groups). Time is the process's, all threads together, and torch has one. With the truth: masks, boxes, centres and factors as well.
"""

import argparse
import platform
import time
from itertools import count

import torch

from motes.data import DATASETS

WORLDS = [
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
]


def rate(name: str, options: dict, seconds: float, truth: bool) -> float:
    made = DATASETS[name]
    data = made(made.Config(**{"count": 10**6, **options}))
    draw = data.truth if truth else data.pixels
    draw(range(64))  # imports, tables, first use of memory
    began, drawn = time.process_time(), 0
    for start in count(64, 64):
        draw(range(start, start + 64))
        drawn += 64
        if time.process_time() - began > seconds:
            return drawn / (time.process_time() - began)
    raise AssertionError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--only", nargs="*", help="worlds to measure")
    told = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}\n")
    print("| world | options | pictures a CPU second | bar | their truth a CPU second |\n|---|---|---|---|---|")
    for name, options, bar in WORLDS:
        if told.only and name not in told.only:
            continue
        words = ", ".join(f"{key} {value}" for key, value in options.items())
        pictures, truths = (rate(name, options, told.seconds, truth) for truth in (False, True))
        print(f"| {name} | {words} | {pictures:,.0f} | {f'{bar:,}' if bar else ''} | {truths:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
