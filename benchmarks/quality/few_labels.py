"""How many annotated pictures does it take? Landmarks read off a run's points, beside principal components of the pixels.

python benchmarks/quality/few_labels.py RUN --labels 10 50 500 3000 --draws 5

Each draw is of other annotated pictures. A ridge regression learns from them alone; its penalty, and how many components of
the pixels (24 x 24, grey), are chosen by cross-validation over them. The components themselves learn from all training
pictures, as the run did: these need no labels. Prints the mean error on test pictures over the draws, with its standard
deviation, in % of the distance of the eyes (of other points than faces': of the larger side of their box). The last rows
are the reader of `motes landmarks fit`, which chooses what to read: all points, and the halves of which it is surer and
less sure.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from benchmarks.quality.annotated import annotated_batches
from benchmarks.report import Table, header, parser
from motes.data.base import Dataset
from motes.evaluation.landmark_rivals import Pixels
from motes.evaluation.landmarks import landmark_errors
from motes.explore.landmark_reader import fit_reader
from motes.models.base import Model
from motes.models.checkpoint import load
from motes.ops.scores.regression import Linear, ridges
from motes.training.recipe import read_recipe
from motes.types.latents import Particles

PENALTIES = tuple(10 ** (exponent / 2) for exponent in range(-10, 7))
BLOCKS = 5
TEST = 1000
COMPONENTS = (5, 10, 20, 40, 80, 120)
READ_FROM = {
    "positions": ("position",),
    "and variances": ("position", "log_variance"),
    "and looks": ("position", "log_variance", "features"),
}

SURE = ("the reader", "its surer half", "its other half")


def main() -> None:
    arguments = label_arguments()
    data = read_recipe(arguments.run).data
    model = load(arguments.run).eval()
    train, test = data.open("train"), data.open("test")
    most = max(arguments.labels)
    # draws come from these; components learn from them all
    pool = annotated_pictures(model, train, most)
    scored = annotated_pictures(model, test, TEST)
    header(f"few labels: {arguments.run}", f"{arguments.draws} draws", threads=torch.get_num_threads())
    table = Table(("read from", *(f"{count} labels" for count in arguments.labels)), arguments.format)
    components = Pixels({"picture": pool.picture}, max(COMPONENTS))
    rows: dict[str, Errors] = {"mean pose": mean_pose}
    rows["pixels"] = partial(linear_reading, candidates=[components_read(components, n) for n in COMPONENTS])
    for name, parts in READ_FROM.items():
        rows[name] = partial(linear_reading, candidates=[parts_read(parts)])
    for name in SURE:
        rows[name] = partial(reader_errors, model=model, which=name)
    for name, errors in rows.items():
        table.row(name, *cells(arguments, errors, pool, scored))


def label_arguments() -> argparse.Namespace:
    arguments = parser(__doc__)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--labels", type=int, nargs="+", default=[10, 50, 500, 3000])
    arguments.add_argument("--draws", type=int, default=5)
    return arguments.parse_args()


@dataclass(frozen=True)
class Annotated:
    """Pictures with their points in pixels, small and grey, and their particles."""

    latent: Particles
    points: Float[Tensor, "B P 2"]
    picture: UInt8[Tensor, "B 1 h w"]
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, rows: Tensor) -> "Annotated":
        return Annotated(self.latent[rows], self.points[rows], self.picture[rows], self.size)


# what is read of pictures, a row each; and errors of test pictures, from annotated ones
Columns = Callable[[Annotated], Float[Tensor, "B n"]]
Errors = Callable[[Annotated, Annotated], Float[Tensor, "n"]]


@torch.no_grad()
def annotated_pictures(model: Model, data: Dataset, count: int) -> Annotated:
    latents, points, pictures = [], [], []
    for image, measured in annotated_batches(data, count):
        latents.append(model.encode(image))
        points.append(measured["points"])
        pictures.append(measured["picture"])
    return Annotated(Particles.cat(latents), torch.cat(points), torch.cat(pictures), data.image_shape[1:])


def cells(arguments: argparse.Namespace, errors: Errors, pool: Annotated, scored: Annotated) -> list[str]:
    texts = []
    for count in arguments.labels:
        number = 1 if count >= len(pool) else arguments.draws
        draws = [float(errors(drawn(pool, count, draw), scored).nanmean()) for draw in range(number)]
        spread = f" ± {statistics.stdev(draws):.1f}" if len(draws) > 1 else ""
        texts.append(f"{statistics.mean(draws):.1f}{spread}")
    return texts


def drawn(pool: Annotated, count: int, draw: int) -> Annotated:
    order = torch.randperm(len(pool), generator=torch.Generator().manual_seed(draw))
    return pool[order[:count]]


def mean_pose(annotated: Annotated, scored: Annotated) -> Float[Tensor, "n"]:
    return landmark_errors(annotated.points.mean(0).expand_as(scored.points), scored.points)


def parts_read(parts: tuple[str, ...]) -> Columns:
    return lambda pictures: torch.cat(
        [getattr(pictures.latent, name).flatten(1) for name in parts], 1
    ).double()


def components_read(components: Pixels, count: int) -> Columns:
    return lambda pictures: components.columns({"picture": pictures.picture})[:, :count]


def linear_reading(
    annotated: Annotated, scored: Annotated, candidates: Sequence[Columns]
) -> Float[Tensor, "n"]:
    """By the columns and the penalty that err least on annotated pictures that were left out."""
    fits = [cross_validated(columns(annotated), annotated.points) for columns in candidates]
    best = min(range(len(fits)), key=lambda number: fits[number][0])
    read = fits[best][1](candidates[best](scored)).unflatten(1, (-1, 2))
    return landmark_errors(read, scored.points)


def reader_errors(annotated: Annotated, scored: Annotated, model: Model, which: str) -> Float[Tensor, "n"]:
    """Of the points that the reader of `motes landmarks fit` reads: of all, or of those it is more or less sure of."""
    size = torch.tensor(annotated.size, dtype=torch.float64)
    names = tuple(str(number) for number in range(annotated.points.shape[1]))
    reader = fit_reader(
        model, annotated.latent, annotated.points / size, names, size.expand(len(annotated), 2)
    ).reader
    read, deviation = reader.read(model, scored.latent)
    doubt = deviation.norm(dim=2)
    sure = doubt <= doubt.median()
    kept = {"the reader": doubt > 0, "its surer half": sure, "its other half": ~sure}[which]
    return landmark_errors((read * size).masked_fill(~kept[..., None], torch.nan), scored.points)


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
