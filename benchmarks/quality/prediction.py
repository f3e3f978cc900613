"""What comes next in a generated world: the graph network beside the same network without interaction, and what needs no
learning.

python benchmarks/quality/prediction.py [--world rolling] --seeds 0 1 2 [--still runs/still] [--limit 2000] [-- --max-minutes 4]

Of each seed: a model of stills is trained (or the run of --still is taken for all seeds), then `dlp-graph-balls` with
each interaction named by --interactions. Errors are means over the things of held-out clips, with ten frames given;
`lost` counts things that no particle follows at 10 frames; `hit` are those that have hit another within 10. A second
table has the futures that the network with the first interaction draws. The worst seed is the one to quote. A run that
is there already is scored again, not trained again.
"""

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import trained
from benchmarks.report import Table, header, parser
from motes.evaluation import Asked, Score, evaluate
from motes.evaluation.clips.prediction import MODEL, OTHERS, SAMPLED
from motes.models.checkpoint import load
from motes.training.recipe import read_recipe

HORIZONS = (1, 5, 10, 20)
COLUMNS = (
    "seed",
    "what predicts",
    *(f"error px at {horizon}" for horizon in HORIZONS),
    "hit, at 10",
    "not hit",
    "lost at 10",
    *(f"PSNR at {horizon}" for horizon in HORIZONS),
    "SSIM at 10",
    "speed at 50",
    "inside",
    "overlap",
    "CPU minutes",
)
# the end of each column's name of a score, and its digits after the point
SCORES = (
    *((f"error_px_{horizon}", 2) for horizon in HORIZONS),
    ("hit_error_px_10", 2),
    ("free_error_px_10", 2),
    ("lost_10", 3),
    *((f"psnr_{horizon}", 1) for horizon in HORIZONS),
    ("ssim_10", 3),
    ("speed", 2),
    ("inside", 3),
    ("overlap", 3),
)
OF_SAMPLES = (("energy_px", 2), ("covered", 2), ("diversity_px", 2))
SAMPLE_COLUMNS = (
    "seed",
    "frames ahead",
    "error px of what is expected",
    "energy score px of the samples",
    "inside their hull",
    "distance of two, px",
)


@dataclass(frozen=True)
class World:
    """The options of motes train that make a model of stills of a world, and a model of motion from it."""

    still: tuple[object, ...]
    motion: tuple[object, ...] = ()


WORLDS = {
    "balls": World(
        (
            *("--data", "balls", "--data.count", 400, "--data.held-out", 40),
            *("--model.num-particles", 6, "--model.num-proposals", 10, "--model.glimpse-size", 20),
        )
    ),
    "rolling": World(
        (
            *("--data", "rolling", "--data.count", 120, "--data.held-out", 16),
            *("--model.num-particles", 8, "--model.num-proposals", 12, "--model.glimpse-size", 20),
        ),
        (
            *("--data", "rolling", "--data.count", 120, "--data.held-out", 16),
            *("--model.mirrors", "false"),
        ),
    ),
    "traffic": World(
        (
            *("--data", "traffic", "--data.frames", 64, "--data.count", 7680, "--data.held-out", 1024),
            *("--model.num-particles", 12, "--model.num-proposals", 15, "--model.glimpse-size", 16),
        ),
        (
            *("--data", "traffic", "--data.frames", 64, "--data.count", 7680, "--data.held-out", 1024),
            *("--model.mirrors", "false"),
        ),
    ),
}


def main() -> None:
    arguments_parser = parser(__doc__, seeds=[0], threads=1, out=Path("runs/prediction"))
    arguments_parser.add_argument("--still", type=Path, help="the run of a model of stills, for all seeds")
    arguments_parser.add_argument("--still-minutes", type=float, default=3.0, help="of its training")
    arguments_parser.add_argument("--interactions", nargs="+", default=["graph", "none"])
    arguments_parser.add_argument("--limit", type=int, default=2000, help="frames to score")
    arguments_parser.add_argument("--world", choices=tuple(WORLDS), default="balls")
    arguments_parser.add_argument("options", nargs="*", help="of motes train, after --")
    arguments = arguments_parser.parse_args()
    world = WORLDS[arguments.world]
    header(arguments.world, " ".join(arguments.options), threads=arguments.threads, seeds=arguments.seeds)
    table = Table(COLUMNS, arguments.format)
    drawn: dict[int, Mapping[str, Score]] = {}
    for seed in arguments.seeds:
        still = arguments.still or arguments.out / f"{arguments.world}-still-{seed}"
        options = (*world.still, "--max-minutes", arguments.still_minutes, "--seed", seed)
        minutes = math.nan
        if arguments.still is None:
            minutes = trained(still, "dlp-quick", *options, threads=arguments.threads)
        table.row(seed, "(the model of stills)", *[""] * (len(COLUMNS) - 3), f"{minutes:.1f}")
        scores: Mapping[str, Score] = {}
        for interaction in arguments.interactions:
            run = arguments.out / f"{arguments.world}-{interaction}-{seed}"
            options = ("--model.start-from", still, "--model.interaction", interaction, "--seed", seed)
            every = (*world.motion, *options, *arguments.options)
            minutes = trained(run, "dlp-graph-balls", *every, threads=arguments.threads)
            scores = scores_of(run, arguments.limit)
            drawn.setdefault(seed, scores)
            table.row(seed, f"dlp-graph, {interaction}", *cells(scores, MODEL), f"{minutes:.1f}")
        for rival, words in OTHERS.items():
            if f"{rival}_error_px_1" in scores:
                table.row(seed, words, *cells(scores, rival), "")
    print()
    samples = Table(SAMPLE_COLUMNS, arguments.format)
    for seed, scores in drawn.items():
        for horizon in HORIZONS:
            if f"{SAMPLED}_energy_px_{horizon}" in scores:
                expected = scores[f"{MODEL}_error_px_{horizon}"].value
                values = (
                    f"{scores[f'{SAMPLED}_{kind}_{horizon}'].value:.{digits}f}" for kind, digits in OF_SAMPLES
                )
                samples.row(seed, horizon, f"{expected:.2f}", *values)


def scores_of(run: Path, limit: int) -> Mapping[str, Score]:
    data = read_recipe(run).data.open("test")
    return evaluate(load(run), data, limit, asked=Asked(("prediction",)))


def cells(scores: Mapping[str, Score], name: str) -> Iterator[str]:
    for kind, digits in SCORES:
        score = scores.get(f"{name}_{kind}")
        yield "" if score is None else f"{score.value:.{digits}f}"


if __name__ == "__main__":
    main()
