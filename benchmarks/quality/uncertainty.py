"""Does a particle model know when it errs, and does it know which of its runs is the better one?

python benchmarks/quality/uncertainty.py --seeds 0 1 2 3 4 [--preset dlp-quick] [-- --steps 2000]
python benchmarks/quality/uncertainty.py --runs runs/a runs/b runs/c

Of every run: the rank correlation between how unsure a particle is of its position and how far it is from the
nearest thing, with a 95 % interval, and the area under risk against coverage beside that of a random order.
Then, over the runs: whether the run that is chosen by its own uncertainty, or by its own loss, both on
validation pictures and without labels, is the better one on the test pictures.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import motes
from benchmarks.report import Table, header, parser
from motes.evaluation import SCORES, Asked, Score, evaluate
from motes.models.checkpoint import load
from motes.ops.scores.rank import rank_correlation
from motes.training.recipe import read_recipe

Scores = dict[str, Score]
CRITERIA = {"log_variance": "its own uncertainty", "loss": "its own loss"}  # of both, less is better
# 1 where more is better, -1 where less is.
QUALITY = {
    "found": 1,
    "clean": 1,
    "position_error_px": -1,
    "ap50": 1,
    "miou": 1,
    "psnr": 1,
    "landmarks/position": -1,
}
COLUMNS = ("run", "rank correlation", "over all drawn", "AURC, px", "random order", "best order")


def main() -> None:
    arguments_parser = parser(
        __doc__, seeds=[0, 1, 2, 3, 4], preset="dlp-quick", out=Path("runs/uncertainty")
    )
    arguments_parser.add_argument("--runs", type=Path, nargs="+", help="runs that are there already")
    arguments_parser.add_argument("--limit", type=int, default=1000, help="pictures to score")
    arguments_parser.add_argument("options", nargs="*", help="of motes train, after --")
    arguments = arguments_parser.parse_args()
    runs = arguments.runs or [
        finished_run(arguments.out / f"seed-{seed}", arguments.preset, seed, arguments.options)
        for seed in arguments.seeds
    ]
    seeds = sorted({read_recipe(run).training.seed for run in runs})
    header(f"{len(runs)} runs", f"{arguments.limit} pictures", threads=torch.get_num_threads(), seeds=seeds)
    test = {run: test_scores(run, arguments.limit) for run in runs}
    table = Table(COLUMNS, arguments.format)
    for run, scores in test.items():
        correlations = [with_interval(scores[name]) for name in ("rank_correlation", "rank_correlation_all")]
        areas = [f"{scores[name].value:.3f}" for name in ("aurc", "aurc_random", "aurc_best")]
        table.row(run, *correlations, *areas)
    if len(runs) > 1:
        validation = [validation_scores(run, arguments.limit) for run in runs]
        print_choice(list(test.values()), validation, arguments.format)


def finished_run(folder: Path, preset: str, seed: int, options: list[str]) -> Path:
    """A run that is finished already is not trained again."""
    if not (folder / "scores.json").exists():
        motes("train", preset, "--out", folder, "--seed", seed, *options)
    return folder


def device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def test_scores(run: Path, limit: int) -> Scores:
    """With labels, on the test pictures."""
    recipe = read_recipe(run)
    names = tuple(name for name in SCORES if name not in ("elbo", "probes"))
    question = Asked(names, refuse=False, open=lambda split: recipe.data.open(split))
    return evaluate(load(run, device()), recipe.data.open("test"), limit, asked=question)


def validation_scores(run: Path, limit: int) -> Scores:
    """Without labels, on the validation pictures."""
    data = read_recipe(run).data.open("validation")
    return evaluate(load(run, device()), data, limit, asked=Asked(("elbo",)))


def print_choice(test: list[Scores], validation: list[Scores], style: str) -> None:
    """Rank correlation over runs (with few of them a coarse
    number), and the quality of the run that is chosen.
    """
    print()
    choices = [column for words in CRITERIA.values() for column in (f"chosen by {words}", "agreement")]
    table = Table(("quality", "worst run", "mean", "best run", *choices), style)
    criteria = [values_of(validation, criterion) for criterion in CRITERIA]
    for name, sign in QUALITY.items():
        if all(name in scores for scores in test):
            table.row(name, *choice_cells(values_of(test, name), sign, criteria))


def choice_cells(quality: Tensor, sign: int, criteria: list[Tensor]) -> list[str]:
    order = (sign * quality).argsort()
    cells = [f"{quality[order[0]]:.4g}", f"{quality.mean():.4g}", f"{quality[order[-1]]:.4g}"]
    for criterion in criteria:
        weights = torch.ones(1, len(criterion), dtype=torch.float64)
        agreement = rank_correlation(-criterion, sign * quality, weights).item()
        cells += [f"{quality[criterion.argmin()]:.4g}", f"{agreement:+.2f}"]
    return cells


def values_of(runs: list[Scores], name: str) -> Tensor:
    return torch.tensor([scores[name].value for scores in runs], dtype=torch.float64)


def with_interval(score: Score) -> str:
    return f"{score.value:+.3f} ({score.low:+.3f} to {score.high:+.3f})"


if __name__ == "__main__":
    main()
