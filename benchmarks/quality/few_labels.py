"""How many annotated pictures does it take? Landmarks read off a run's points, beside principal components of the pixels.

python benchmarks/quality/few_labels.py RUN --labels 10 50 500 3000 --draws 5

Each draw is other annotated pictures. A ridge regression learns from them alone; its penalty, and how many components of
the pixels (24 x 24, grey), are chosen by cross-validation over them. The components themselves learn from all training
pictures, as the run did: these need no labels. Prints the mean error on test pictures over the draws, with its standard
deviation, in % of the distance of the eyes (of other points than faces': of the larger side of their box).
"""

import argparse
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from benchmarks.report import Table, header, parser
from motes.data.base import Dataset
from motes.evaluation.landmark_rivals import Pixels
from motes.evaluation.landmarks import landmark_errors
from motes.models.base import Model
from motes.models.checkpoint import load
from motes.ops.points.pixels import pixels_of_points
from motes.ops.scores.regression import Linear, ridges
from motes.training.recipe import read_recipe

PENALTIES = tuple(10 ** (exponent / 2) for exponent in range(-10, 7))
BLOCKS = 5
TEST = 1000
BATCH = 250
GREY = 24
COMPONENTS = (5, 10, 20, 40, 80, 120)
READ_FROM = {
    "positions": ("position",),
    "and variances": ("position", "log_variance"),
    "and looks": ("position", "log_variance", "features"),
}

Measured = dict[str, Tensor]


def main() -> None:
    arguments = label_arguments()
    data = read_recipe(arguments.run).data
    model = load(arguments.run).eval()
    train, test = data.open("train"), data.open("test")
    most = max(arguments.labels)
    # components learn from as many as the pool of annotated pictures has, and draws come from it
    learn = measured_pictures(model, train, min(len(train), most))
    scored = measured_pictures(model, test, min(len(test), TEST))
    header(f"few labels: {arguments.run}", f"{arguments.draws} draws", threads=torch.get_num_threads())
    table = Table(("read from", *(f"{count} labels" for count in arguments.labels)), arguments.format)
    inputs = {name: (columns(learn, parts), columns(scored, parts)) for name, parts in READ_FROM.items()}
    components = Pixels(learn, max(COMPONENTS))
    pixels = {
        f"{count} components": (components.columns(learn)[:, :count], components.columns(scored)[:, :count])
        for count in COMPONENTS
    }
    rows = {"pixels": pixels, **{name: {name: pair} for name, pair in inputs.items()}}
    table.row("mean pose", *cells(arguments, {"none": constant(learn, scored)}, learn, scored))
    for name, candidates in rows.items():
        table.row(name, *cells(arguments, candidates, learn, scored))


def label_arguments() -> argparse.Namespace:
    arguments = parser(__doc__)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--labels", type=int, nargs="+", default=[10, 50, 500, 3000])
    arguments.add_argument("--draws", type=int, default=5)
    return arguments.parse_args()


@torch.no_grad()
def measured_pictures(model: Model, data: Dataset, count: int) -> Measured:
    """Of `count` pictures: their points in pixels, the parts of their particles, and themselves, small and grey."""
    parts: list[Measured] = []
    for start in range(0, count, BATCH):
        rows = range(start, min(start + BATCH, count))
        image = data.batch(rows).image
        latent = model.encode(image)
        truth = data.truth(rows)
        assert truth is not None and truth.points is not None
        small = adaptive_avg_pool2d(image.mean(1, keepdim=True), (GREY, GREY))
        parts.append(
            {
                "points": pixels_of_points(truth.points, data.image_shape[1:]).double(),
                "picture": (255 * small).round().byte(),
                **{name: getattr(latent, name) for name in READ_FROM["and looks"]},
            }
        )
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def columns(measured: Measured, parts: tuple[str, ...]) -> Float[Tensor, "B n"]:
    return torch.cat([measured[name].flatten(1) for name in parts], 1).double()


def constant(learn: Measured, scored: Measured) -> tuple[Float[Tensor, "B 1"], Float[Tensor, "T 1"]]:
    """Columns that say nothing, so that the mean of the points is what is read."""
    return learn["points"].new_zeros(len(learn["points"]), 1), scored["points"].new_zeros(
        len(scored["points"]), 1
    )


def cells(
    arguments: argparse.Namespace,
    candidates: Mapping[str, tuple[Tensor, Tensor]],
    learn: Measured,
    scored: Measured,
) -> list[str]:
    texts = []
    for count in arguments.labels:
        whole = count >= len(learn["points"])
        draws = [
            error_of_draw(candidates, learn, scored, count, draw)
            for draw in range(1 if whole else arguments.draws)
        ]
        spread = f" ± {statistics.stdev(draws):.1f}" if len(draws) > 1 else ""
        texts.append(f"{statistics.mean(draws):.1f}{spread}")
    return texts


def error_of_draw(
    candidates: Mapping[str, tuple[Tensor, Tensor]], learn: Measured, scored: Measured, count: int, draw: int
) -> float:
    """On the test pictures, by the inputs and the penalty that err least on annotated pictures that were left out."""
    chosen = torch.randperm(len(learn["points"]), generator=torch.Generator().manual_seed(draw))[:count]
    points = learn["points"][chosen]
    best_error, best = float("inf"), torch.empty(0)
    for annotated, unseen in candidates.values():
        error, linear = cross_validated(annotated[chosen], points)
        if error < best_error:
            best_error, best = error, linear(unseen).unflatten(1, (-1, 2))
    return float(landmark_errors(best, scored["points"]).nanmean())


def cross_validated(x: Float[Tensor, "n p"], points: Float[Tensor, "n P 2"]) -> tuple[float, Linear]:
    """The error of pictures that are left out by turns, with the best penalty, and the fit to all with it."""
    y = points.flatten(1)
    block = torch.arange(len(x)) % min(BLOCKS, len(x))
    errors = torch.zeros(len(PENALTIES), dtype=torch.float64)
    for part in block.unique():
        left_out = block == part
        for number, linear in enumerate(ridges(x[~left_out], y[~left_out], PENALTIES)):
            errors[number] += (linear(x[left_out]) - y[left_out]).square().sum()
    best = int(errors.argmin())
    return float(errors[best]), ridges(x, y, (PENALTIES[best],))[0]


if __name__ == "__main__":
    main()
