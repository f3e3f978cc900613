"""What comes next on colliding balls: the graph network beside the same network without interaction, and what needs no
learning.

python benchmarks/quality/prediction.py --seeds 0 1 2 [--still runs/still] [--limit 2000] [-- --max-minutes 4]

Of each seed: a model of stills is trained (or the run of --still is taken for all seeds), then `dlp-graph-balls` with
each interaction named by --interactions. Errors are means over the things of held-out clips, with ten frames given;
`lost` counts things that no particle follows at 10 frames. The worst seed is the one to quote. A run that is there
already is scored again, not trained again.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import trained
from benchmarks.report import Table, header, parser
from motes.evaluation import Asked, Score, evaluate
from motes.evaluation.clips.prediction import MODEL, OTHERS
from motes.models.checkpoint import load
from motes.training.recipe import read_recipe

ERRORS, PICTURES = (1, 5, 10, 20), (1, 5, 10, 20)
COLUMNS = (
    "seed",
    "what predicts",
    *(f"error px at {horizon}" for horizon in ERRORS),
    "lost at 10",
    *(f"PSNR at {horizon}" for horizon in PICTURES),
    "speed at 50",
    "inside at 50",
    "CPU minutes",
)
STILL = (
    *("--data", "balls", "--data.count", 400, "--data.held-out", 40),
    *("--model.num-particles", 6, "--model.num-proposals", 10, "--model.glimpse-size", 20),
)


def main() -> None:
    arguments_parser = parser(__doc__, seeds=[0], threads=1, out=Path("runs/prediction"))
    arguments_parser.add_argument("--still", type=Path, help="the run of a model of stills, for all seeds")
    arguments_parser.add_argument("--still-minutes", type=float, default=3.0, help="of its training")
    arguments_parser.add_argument("--interactions", nargs="+", default=["graph", "none"])
    arguments_parser.add_argument("--limit", type=int, default=2000, help="frames to score")
    arguments_parser.add_argument("options", nargs="*", help="of motes train, after --")
    arguments = arguments_parser.parse_args()
    header("balls", " ".join(arguments.options), threads=arguments.threads, seeds=arguments.seeds)
    table = Table(COLUMNS, arguments.format)
    for seed in arguments.seeds:
        still = arguments.still or arguments.out / f"still-{seed}"
        options = (*STILL, "--max-minutes", arguments.still_minutes, "--seed", seed)
        minutes = float("nan")
        if arguments.still is None:
            minutes = trained(still, "dlp-quick", *options, threads=arguments.threads)
        table.row(seed, "(the model of stills)", *[""] * (len(COLUMNS) - 3), f"{minutes:.1f}")
        scores: Mapping[str, Score] = {}
        for interaction in arguments.interactions:
            run = arguments.out / f"{interaction}-{seed}"
            options = ("--model.start-from", still, "--model.interaction", interaction, "--seed", seed)
            minutes = trained(run, "dlp-graph-balls", *options, *arguments.options, threads=arguments.threads)
            scores = scores_of(run, arguments.limit)
            table.row(seed, f"dlp-graph, {interaction}", *cells(scores, MODEL), f"{minutes:.1f}")
        for rival, words in OTHERS.items():
            table.row(seed, words, *cells(scores, rival), "")


def scores_of(run: Path, limit: int) -> Mapping[str, Score]:
    data = read_recipe(run).data.open("test")
    return evaluate(load(run), data, limit, asked=Asked(("prediction",)))


def cells(scores: Mapping[str, Score], name: str) -> Iterator[str]:
    for kind, digits in columns_of():
        score = scores.get(f"{name}_{kind}")
        yield "" if score is None else f"{score.value:.{digits}f}"


def columns_of() -> Iterator[tuple[str, int]]:
    """The end of each column's name of a score, and its digits after the point."""
    yield from ((f"error_px_{horizon}", 2) for horizon in ERRORS)
    yield "lost_10", 3
    yield from ((f"psnr_{horizon}", 1) for horizon in PICTURES)
    yield from (("speed", 2), ("inside", 3))


if __name__ == "__main__":
    main()
