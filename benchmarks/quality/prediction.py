"""What comes next in a generated world: the graph network beside the same network without interaction, and what needs no
learning.

python benchmarks/quality/prediction.py [--world rolling] --seeds 0 1 2 [--still runs/still] [--limit 2000] [-- --max-minutes 4]
python benchmarks/quality/prediction.py --world traffic --clips 10 --still-minutes 0.2 --limit 200 --interactions graph -- --training.steps 40

Of each seed: a model of stills is trained (or the run of --still is taken for all seeds), then `dlp-graph-balls` with
each interaction named by --interactions. Errors are means over the things of held-out clips, with ten frames given;
`lost` counts things that no particle follows at 10 frames; `hit` are those that have hit another within 10. A second
table has the futures that the network with the first interaction draws. The worst seed is the one to quote. A run that
is there already is scored again, not trained again. The second command only shows whether all works.
"""

import argparse
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
    """A generated world, and the options of motes train that make models of its stills and of its motion."""

    name: str
    clips: int
    still: tuple[object, ...]
    motion: tuple[object, ...] = ()
    data: tuple[object, ...] = ()
    # what the data count as one: clips, or their frames
    frames: int = 1

    def options(self, clips: int | None) -> tuple[object, ...]:
        """Of the data, with this number of clips to learn from; a tenth as many are held out, but two at least."""
        count = clips or self.clips
        held_out = max(count // 10, 2)
        counts = ("--data.count", count * self.frames, "--data.held-out", held_out * self.frames)
        return ("--data", self.name, *self.data, *counts)


WORLDS = {
    "balls": World(
        "balls",
        400,
        ("--model.num-particles", 6, "--model.num-proposals", 10, "--model.glimpse-size", 20),
    ),
    "rolling": World(
        "rolling",
        120,
        ("--model.num-particles", 8, "--model.num-proposals", 12, "--model.glimpse-size", 20),
        ("--model.mirrors", "false"),
    ),
    "traffic": World(
        "traffic",
        120,
        ("--model.num-particles", 12, "--model.num-proposals", 15, "--model.glimpse-size", 16),
        ("--model.mirrors", "false"),
        ("--data.frames", 64),
        64,
    ),
    "pushing": World(
        "pushing",
        200,
        ("--model.num-particles", 6, "--model.num-proposals", 10, "--model.glimpse-size", 20),
        ("--model.mirrors", "false", "--model.actions", 2, "--model.looks", "true"),
    ),
}


def main() -> None:
    arguments_parser = parser(__doc__, seeds=[0], threads=1, out=Path("runs/prediction"))
    arguments_parser.add_argument("--world", choices=tuple(WORLDS), default="balls")
    arguments_parser.add_argument("--clips", type=int, help="to learn from, rather than as many as usual")
    arguments_parser.add_argument("--still", type=Path, help="the run of a model of stills, for all seeds")
    arguments_parser.add_argument("--still-minutes", type=float, default=3.0, help="of its training")
    arguments_parser.add_argument("--interactions", nargs="+", default=["graph", "none"])
    arguments_parser.add_argument("--limit", type=int, default=2000, help="frames to score")
    arguments_parser.add_argument("options", nargs="*", help="of motes train, after --")
    arguments = arguments_parser.parse_args()
    header(arguments.world, " ".join(arguments.options), threads=arguments.threads, seeds=arguments.seeds)
    table = Table(COLUMNS, arguments.format)
    drawn = {seed: add_rows(table, seed, arguments) for seed in arguments.seeds}
    print()
    samples = Table(SAMPLE_COLUMNS, arguments.format)
    for seed, scores in drawn.items():
        add_samples(samples, seed, scores)


def add_rows(table: Table, seed: int, arguments: argparse.Namespace) -> Mapping[str, Score]:
    """The rows of a seed; the scores of the first network."""
    world = WORLDS[arguments.world]
    data = world.options(arguments.clips)
    still = arguments.still or arguments.out / f"{world.name}-still-{seed}"
    options = (*data, *world.still, "--max-minutes", arguments.still_minutes, "--seed", seed)
    minutes = math.nan
    if arguments.still is None:
        minutes = trained(still, "dlp-quick", *options, threads=arguments.threads)
    table.row(seed, "(the model of stills)", *[""] * (len(COLUMNS) - 3), f"{minutes:.1f}")
    scores: list[Mapping[str, Score]] = []
    for interaction in arguments.interactions:
        run = arguments.out / f"{world.name}-{interaction}-{seed}"
        chosen = ("--model.start-from", still, "--model.interaction", interaction, "--seed", seed)
        options = (*data, *world.motion, *chosen, *arguments.options)
        minutes = trained(run, "dlp-graph-balls", *options, threads=arguments.threads)
        scores.append(scores_of(run, arguments.limit))
        table.row(seed, f"dlp-graph, {interaction}", *cells(scores[-1], MODEL), f"{minutes:.1f}")
    for rival, words in OTHERS.items():
        if f"{rival}_error_px_1" in scores[0]:
            table.row(seed, words, *cells(scores[0], rival), "")
    return scores[0]


def add_samples(table: Table, seed: int, scores: Mapping[str, Score]) -> None:
    for horizon in HORIZONS:
        if f"{SAMPLED}_energy_px_{horizon}" in scores:
            expected = scores[f"{MODEL}_error_px_{horizon}"].value
            drawn = (
                f"{scores[f'{SAMPLED}_{kind}_{horizon}'].value:.{digits}f}" for kind, digits in OF_SAMPLES
            )
            table.row(seed, horizon, f"{expected:.2f}", *drawn)


def scores_of(run: Path, limit: int) -> Mapping[str, Score]:
    data = read_recipe(run).data.open("test")
    return evaluate(load(run), data, limit, asked=Asked(("prediction",)))


def cells(scores: Mapping[str, Score], name: str) -> Iterator[str]:
    for kind, digits in SCORES:
        score = scores.get(f"{name}_{kind}")
        yield "" if score is None else f"{score.value:.{digits}f}"


if __name__ == "__main__":
    main()
