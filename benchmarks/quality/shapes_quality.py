"""Train the quick demo from scratch with several seeds and print how well it finds, covers and draws the shapes.

python benchmarks/shapes_quality.py --seeds 0 1 2 [--out runs/quality] [--preset dlp-quick]
"""

import argparse
import datetime
import json
import platform
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--preset", default="dlp-quick")
    parser.add_argument("--out", type=Path, default=Path("runs/quality"))
    parser.add_argument("options", nargs="*", help="handed to motes train, after --")
    told = parser.parse_args()
    print(f"{told.preset}, {datetime.date.today()}, {platform.processor() or platform.machine()}")
    print("| seed | found | clean | PSNR | distance | count error | steps | minutes |\n|---|---|---|---|---|---|---|---|")
    for seed in told.seeds:
        folder = told.out / f"seed-{seed}"
        began = time.monotonic()
        command = [
            sys.executable,
            "-m",
            "motes.apps.cli",
            "train",
            told.preset,
            "--out",
            str(folder),
            "--seed",
            str(seed),
            *told.options,
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        minutes = (time.monotonic() - began) / 60
        scores = {name: one["value"] for name, one in json.loads((folder / "scores.json").read_text()).items()}
        steps = json.loads((folder / "checkpoints" / "last" / "training.json").read_text())["step"]
        cells = (
            f"{scores['found']:.3f}",
            f"{scores['clean']:.3f}",
            f"{scores['psnr']:.2f}",
            f"{scores['distance']:.4f}",
            f"{scores['count_error']:.2f}",
        )
        print(f"| {seed} | {' | '.join(cells)} | {steps} | {minutes:.1f} |", flush=True)


if __name__ == "__main__":
    main()
