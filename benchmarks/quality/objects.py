"""Object particles over worlds with truth: how many things are found, how clean the particles are, whose pixels they claim.

python benchmarks/objects.py --worlds scenes --seeds 0 1 2 [--out runs/objects] [-- --steps 1500]

Each run is `motes train PRESET --data WORLD`, then `motes evaluate`, in one thread with --threads 1; CPU minutes are those of the training's
process, drawing the pictures included. A run that is there already is scored again, not trained again.
"""

import argparse
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path

# world -> preset, then what the world's things need: windows as large as the largest, particles as many as there may be
WORLDS = {
    "shapes": ("dlp-quick",),
    "sprites": ("dlp-quick", "--data", "sprites", "--data.count", "8000", "--model.num-particles", "6", "--model.glimpse-size", "24"),
    "scenes": ("dlp-scenes",),
    "traffic": ("dlp-quick", "--data", "traffic", "--data.count", "8000", "--model.num-particles", "12"),
}
SCORES = ("found", "clean", "count_error", "position_error_px", "ap50", "ari_fg", "mbo", "psnr")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/objects"))
    parser.add_argument("options", nargs="*", help="handed to motes train, after --")
    told = parser.parse_args()
    print(f"{told.threads} thread(s), {datetime.date.today()}, {platform.machine()}\n")
    print(f"| world | seed | {' | '.join(SCORES)} | steps | CPU minutes |\n|{'---|' * (len(SCORES) + 4)}", flush=True)
    for world in told.worlds:
        for seed in told.seeds:
            print(row(told, world, seed), flush=True)


def row(told: argparse.Namespace, world: str, seed: int) -> str:
    folder, minutes = told.out / f"{world}-{seed}", float("nan")
    if not (folder / "scores.json").exists():
        preset, *needs = WORLDS[world]
        order = [preset, "--out", str(folder), "--seed", str(seed), "--training.max-minutes", "0", *needs, *told.options]
        minutes = motes(told.threads, "train", *order)
    motes(told.threads, "evaluate", str(folder), "--scores", "objects,masks,pictures", "--json", str(folder / "objects.json"))
    scores = json.loads((folder / "objects.json").read_text())
    scores = {name: one["value"] for name, one in scores.get("scores", scores).items()}
    steps = json.loads((folder / "checkpoints" / "last" / "training.json").read_text())["step"]
    cells = [f"{scores[name]:.3f}" if name in scores else "-" for name in SCORES]
    return f"| {world} | {seed} | {' | '.join(cells)} | {steps} | {minutes:.1f} |"


def motes(threads: int, *order: str) -> float:
    """CPU minutes that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "motes.apps.cli", *order]
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": f"{threads}"}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 60


if __name__ == "__main__":
    main()
