"""Does a particle model know when it errs, and does it know which of its runs is the better one?

python benchmarks/uncertainty.py --seeds 0 1 2 3 4 [--preset dlp-quick] [--out runs/uncertainty] [-- --steps 2000]
python benchmarks/uncertainty.py --runs runs/a runs/b runs/c

Of every run: the rank correlation between how unsure a particle is of its place and how far it is from the nearest thing, with a 95 %
interval, and the area under risk against coverage beside that of a random order. Then, over the runs: whether the run that is chosen by
its own uncertainty, or by its own loss, both on validation pictures and without labels, is the better one on the test pictures.
"""

import argparse
import datetime
import platform
import subprocess
import sys
from pathlib import Path

import torch

from motes.evaluation import SCORES, Asked, Score, evaluate
from motes.models.checkpoint import load
from motes.ops.rank import rank_correlation
from motes.training.loop import open_data
from motes.training.recipe import read_recipe

CRITERIA = {"log_variance": "its own uncertainty", "loss": "its own loss"}  # of both, less is better
QUALITY = {"found": 1, "clean": 1, "position_error_px": -1, "ap50": 1, "miou": 1, "psnr": 1, "landmarks/position": -1}  # 1: more is better


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, nargs="+", help="runs that are there already")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--preset", default="dlp-quick")
    parser.add_argument("--out", type=Path, default=Path("runs/uncertainty"))
    parser.add_argument("--limit", type=int, default=1000, help="pictures to score")
    parser.add_argument("options", nargs="*", help="handed to motes train, after --")
    told = parser.parse_args()
    runs = told.runs or [trained(told.out / f"seed-{seed}", told.preset, seed, told.options) for seed in told.seeds]
    print(f"{len(runs)} runs, {datetime.date.today()}, {platform.processor() or platform.machine()}\n")
    found = {run: scored(run, told.limit) for run in runs}
    print("| run | rank correlation | over all drawn | AURC, px | random order | best order |\n|---|---|---|---|---|---|")
    for run, (test, _) in found.items():
        correlations = [with_interval(test[name]) for name in ("rank_correlation", "rank_correlation_all")]
        areas = [f"{test[name].value:.3f}" for name in ("aurc", "aurc_random", "aurc_best")]
        print(f"| {run} | {' | '.join(correlations + areas)} |", flush=True)
    if len(runs) > 1:
        choice(found)


def trained(folder: Path, preset: str, seed: int, options: list[str]) -> Path:
    """A finished run is not trained again."""
    if not (folder / "scores.json").exists():
        command = [sys.executable, "-m", "motes.apps.cli", "train", preset, "--out", str(folder), "--seed", str(seed), *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder


def scored(run: Path, limit: int) -> tuple[dict[str, Score], dict[str, Score]]:
    """With labels on the test pictures, and without on the validation pictures."""
    recipe, model = read_recipe(run), load(run, "cuda" if torch.cuda.is_available() else "cpu")
    quality = Asked(
        tuple(name for name in SCORES if name not in ("elbo", "probes")), refuse=False, open=lambda split: open_data(recipe, split)
    )
    test = evaluate(model, open_data(recipe, "test"), limit, asked=quality)
    return test, evaluate(model, open_data(recipe, "validation"), limit, asked=Asked(("elbo",)))


def choice(found: dict[Path, tuple[dict[str, Score], dict[str, Score]]]) -> None:
    """Rank correlation over runs (with few of them a coarse number), and what the chosen run is worth."""
    print("\n| quality | worst run | mean | best run |" + "".join(f" chosen by {words} | agreement |" for words in CRITERIA.values()))
    print("|---|---|---|---|" + "---|---|" * len(CRITERIA))
    for name, sign in QUALITY.items():
        if not all(name in test for test, _ in found.values()):
            continue
        values = torch.tensor([test[name].value for test, _ in found.values()], dtype=torch.float64)
        order = (sign * values).argsort()
        cells = [f"{values[order[0]]:.4g}", f"{values.mean():.4g}", f"{values[order[-1]]:.4g}"]
        for criterion in CRITERIA:
            own = torch.tensor([validation[criterion].value for _, validation in found.values()], dtype=torch.float64)
            agreement = rank_correlation(-own, sign * values, torch.ones(1, len(own), dtype=torch.float64)).item()
            cells += [f"{values[own.argmin()]:.4g}", f"{agreement:+.2f}"]
        print(f"| {name} | {' | '.join(cells)} |")


def with_interval(score: Score) -> str:
    return f"{score.value:+.3f} ({score.low:+.3f} to {score.high:+.3f})"


if __name__ == "__main__":
    main()
