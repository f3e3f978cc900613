"""Train the quick demo from scratch with several seeds
and print how well it finds, covers and draws the shapes.

python benchmarks/quality/shapes_quality.py --seeds 0 1 2 [--out runs/quality] [-- --steps 1500]
"""

import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import motes, scores_in, steps_of
from benchmarks.report import Table, header, parser

# digits behind the point
SCORES = {
    "found_inside_mask": 3,
    "clean_inside_mask": 3,
    "found": 3,
    "clean": 3,
    "psnr": 2,
    "distance": 4,
    "count_error": 2,
}
COLUMNS = (
    "seed",
    "found inside",
    "clean inside",
    "found",
    "clean",
    "PSNR",
    "distance",
    "count error",
    "steps",
    "minutes",
)


def main() -> None:
    arguments_parser = parser(__doc__, seeds=[0, 1, 2], preset="dlp-quick", out=Path("runs/quality"))
    arguments_parser.add_argument("options", nargs="*", help="of motes train, after --")
    arguments = arguments_parser.parse_args()
    header(
        arguments.preset, " ".join(arguments.options), threads=torch.get_num_threads(), seeds=arguments.seeds
    )
    table = Table(COLUMNS, arguments.format)
    for seed in arguments.seeds:
        run = arguments.out / f"seed-{seed}"
        start = time.monotonic()
        motes("train", arguments.preset, "--out", run, "--seed", seed, *arguments.options)
        minutes = (time.monotonic() - start) / 60
        scores = scores_in(run / "scores.json")
        cells = [f"{scores[name]:.{digits}f}" for name, digits in SCORES.items()]
        table.row(seed, *cells, steps_of(run), f"{minutes:.1f}")


if __name__ == "__main__":
    main()
