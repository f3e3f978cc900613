"""Object particles over worlds with truth: how many things are
found, how clean the particles are, whose pixels they claim.

python benchmarks/quality/objects.py --worlds scenes --seeds 0 1 2 [--out runs/objects] [-- --steps 1500]

Each run is `motes train PRESET --data WORLD`, then `motes evaluate`, in one thread with --threads 1; CPU
minutes are those of the training's process, drawing the pictures included. A run that is there already is
scored again, not trained again.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import motes, scores_in, steps_of, trained
from benchmarks.report import Table, header, parser

PHOTOGRAPH = "dlp --data shapes --data.background photograph --data.count 8000"
# A world's preset, then what its things need: windows as large as a typical one,
# as many particles as there may be things. `dlp` alone looks at the pictures and chooses.
WORLDS = {
    "shapes": "dlp-quick",
    "sprites": "dlp-quick --data sprites --data.count 8000 --model.num-particles 8 --model.glimpse-size 20",
    "scenes": "dlp-scenes",
    "traffic": "dlp-quick --data traffic --data.count 8000 --model.num-particles 12",
    "photograph": PHOTOGRAPH,
    "photograph-dim": f"{PHOTOGRAPH} --data.brightness 0.5",
    "photograph-128": f"{PHOTOGRAPH} --data.image-size 128 128",
}
SCORES = (
    "found_inside_mask",
    "clean_inside_mask",
    "one_particle",
    "found",
    "clean",
    "count_error",
    "position_error_px",
    "ap50",
    "ari_fg",
    "mbo",
    "psnr_pooled",
    "psnr",
)


def main() -> None:
    arguments_parser = parser(__doc__, seeds=[0, 1, 2], threads=1, out=Path("runs/objects"))
    arguments_parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS))
    arguments_parser.add_argument("options", nargs="*", help="of motes train, after --")
    arguments = arguments_parser.parse_args()
    header("object particles", " ".join(arguments.options), threads=arguments.threads, seeds=arguments.seeds)
    table = Table(("world", "seed", *SCORES, "steps", "CPU minutes"), arguments.format)
    for world in arguments.worlds:
        for seed in arguments.seeds:
            table.row(world, seed, *score_cells(arguments, world, seed))


def score_cells(arguments: argparse.Namespace, world: str, seed: int) -> list[str]:
    run = arguments.out / f"{world}-{seed}"
    preset, *options = WORLDS[world].split()
    options = ["--seed", seed, "--training.max-minutes", 0, *options, *arguments.options]
    minutes = trained(run, preset, *options, threads=arguments.threads)
    scores_file = run / "objects.json"
    motes(
        "evaluate",
        run,
        "--scores",
        "objects,masks,pictures",
        "--json",
        scores_file,
        threads=arguments.threads,
    )
    scores = scores_in(scores_file)
    values = [f"{scores[name]:.3f}" if name in scores else "-" for name in SCORES]
    return [*values, f"{steps_of(run)}", f"{minutes:.1f}"]


if __name__ == "__main__":
    main()
