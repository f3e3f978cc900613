"""A mouse on a treadmill, seen from the side and from below, grey: 17 points read off particles that learn without
labels from a film.

python benchmarks/quality/mouse.py FOLDER --counts 10 30 --seeds 0 [--methods objects masked] [--cpu-minutes 4]

FOLDER is the example of a mirrored mouse as Lightning Pose gives it away: CollectedData.csv names 90 labelled frames,
and videos/test_vid.mp4 is a film of which nothing is known. Particles and principal components learn from the film
alone. Points are read by ridge regression. The labelled frames, in the order of time, are ten blocks: each is the
test once, the block before it chooses penalties (and how many components), and the other eight are learnt from.

Prints the error in pixels of the frames (396 x 406), in % of the body's length (nose to tail base, from below), and in
pixels without the obstacle, of the paws, of the rest of the mouse and of the obstacle. OUT/RUN.png shows test frames with the particles, and with the points that were read.
A run that is there already is scored again, not trained again.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from einops import einsum
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

import motes
from benchmarks.clocks import steps_of, trained
from benchmarks.report import Table, header, parser
from motes.apps.drawing.marks import sheet, with_particles, with_points
from motes.data.files.landmark_tables import read_table
from motes.data.files.picture_files import load_picture, read_picture
from motes.data.source import Source
from motes.evaluation.landmark_rivals import Pixels
from motes.evaluation.landmarks import Columns, predicted_points
from motes.evaluation.question import Evidence, Measured
from motes.models.base import Model
from motes.models.boxes import particle_boxes
from motes.models.middles import particle_middles
from motes.ops.points.keypoints import gaussian_maps
from motes.types.latents import Image, Particles

METHODS = {"objects": "dlp", "masked": "dlp-faces"}
SIDE = 64
BLOCKS = 10
PENALTIES = tuple(10 ** (exponent / 2) for exponent in range(-8, 5))
# of the principal components: side of the pictures, and numbers of components
SMALL = 16
COMPONENTS = (10, 20, 40, 80)
# of the maps that are read from particles in no order
GRID = (8, 8)
WIDTH = 0.25
PARTS = {
    "mouse": ("paw", "tail", "nose"),
    "paws": ("paw",),
    "rest of it": ("tail", "nose"),
    "obstacle": ("obs",),
}
BODY = ("nose_bot", "tailBase_bot")
SHOWN = 8


def main() -> None:
    arguments = mouse_arguments()
    film = arguments.folder / "videos" / "test_vid.mp4"
    table = arguments.folder / "CollectedData.csv"
    if not (film.is_file() and table.is_file()):
        sys.exit(f"There is no annotated mouse in {arguments.folder}, so there is nothing to measure.")
    frames = LabelledFrames(table)
    budget = f"{arguments.cpu_minutes:g} CPU minutes a run"
    header("mouse, 17 points", budget, threads=arguments.threads, seeds=arguments.seeds)
    columns = ("read from", "K", "seed", "steps", "px", "% of the body", *PARTS)
    printed = Table(columns, arguments.format)
    printed.row("mean pose", "", "", "", *frames.cells(frames.mean_pose()))
    printed.row(
        "pixels, PCA", "", "", "", *frames.cells(frames.read(pixel_readings(film), frames.measured()))
    )
    for method in arguments.methods:
        for count in arguments.counts:
            for seed in arguments.seeds:
                run = run_of(arguments, film, method, count, seed)
                for name, errors in read_run(frames, run).items():
                    printed.row(f"{method}, {name}", count, seed, steps_of(run), *frames.cells(errors))


def mouse_arguments() -> argparse.Namespace:
    arguments = parser(__doc__, seeds=[0], threads=1, cpu_minutes=4.0, out=Path("runs/mouse"))
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--counts", type=int, nargs="+", default=[10, 30], help="numbers of particles")
    arguments.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    return arguments.parse_args()


class LabelledFrames:
    """The labelled frames in the order of time, and their points in pixels of the frames."""

    def __init__(self, table: Path):
        points = read_table(table)
        names = sorted(points)
        files = [table.parent / name for name in names]
        self.image = as_image(np.stack([load_picture(file, (SIDE, SIDE), 1, "stretch") for file in files]))
        self.points = torch.from_numpy(np.stack([points[name] for name in names]))
        first = read_picture(files[0])
        self.size = (first.height, first.width)
        # of the second line, every other column
        self.names = table.read_text().splitlines()[1].split(",")[1::2]

    def measured(self) -> Measured:
        return {"points": self.points, "image": self.image}

    def folds(self) -> Iterator[tuple[Bool[Tensor, "B"], Bool[Tensor, "B"], Bool[Tensor, "B"]]]:
        """The frames to test on, to learn from and to choose by."""
        block = torch.arange(len(self.points)) * BLOCKS // len(self.points)
        for number in range(BLOCKS):
            test = block == number
            choose = block == (number - 1) % BLOCKS
            yield test, ~test & ~choose, choose

    def mean_pose(self) -> Float[Tensor, "B P 2"]:
        predicted = torch.full_like(self.points, torch.nan)
        for test, learn, _ in self.folds():
            predicted[test] = self.points[learn].nanmean(0)
        return predicted

    def read(self, readings: Mapping[str, Columns], measured: Measured) -> Float[Tensor, "B P 2"]:
        """The points that are read in each block by the reading that is best where penalties are chosen."""
        predicted = torch.full_like(self.points, torch.nan)
        for rows in self.folds():
            test, learn, choose = ({name: value[part] for name, value in measured.items()} for part in rows)
            chosen = Evidence(choose, learn, choose)
            errors = {
                name: (predicted_points(chosen, columns, PENALTIES) - choose["points"]).norm(dim=2).nanmean()
                for name, columns in readings.items()
            }
            best = readings[min(errors, key=lambda name: float(errors[name]))]
            predicted[rows[0]] = predicted_points(Evidence(test, learn, choose), best, PENALTIES)
        return predicted

    def cells(self, predicted: Float[Tensor, "B P 2"]) -> list[str]:
        """The mean errors: in pixels, in % of the body's length, and in pixels of each part."""
        errors = (predicted - self.points).norm(dim=2)
        nose, tail = (self.points[:, self.names.index(name)] for name in BODY)
        length = (nose - tail).norm(dim=1, keepdim=True)
        parts = [
            errors[:, [name.startswith(starts) for name in self.names]].nanmean() for starts in PARTS.values()
        ]
        relative = (100 * errors / length).nanmean(1).mean()
        return [f"{errors.nanmean(1).mean():.1f}", f"{relative:.2f}", *(f"{part:.1f}" for part in parts)]


def pixel_readings(film: Path) -> dict[str, Columns]:
    """Principal components of the film's frames, as many as validation chooses."""
    data = Source("video", film_options(film)).open("train")
    frames = as_image(data.pixels(range(len(data))))

    def small(image: Image) -> Measured:
        return {"picture": (adaptive_avg_pool2d(image, SMALL) * 255).round().byte()}

    def reading(count: int) -> Columns:
        components = Pixels(small(frames), count)
        return lambda measured: components.columns(small(measured["image"]))

    return {f"{count} components": reading(count) for count in COMPONENTS}


def film_options(film: Path) -> dict[str, object]:
    return {"path": str(film), "image_size": (SIDE, SIDE), "channels": 1, "fit": "stretch"}


def run_of(arguments: argparse.Namespace, film: Path, method: str, count: int, seed: int) -> Path:
    run = arguments.out / f"{method}-{count}-{seed}"
    of_data = ["--data", film, "--data.channels", 1, "--data.fit", "stretch", "--data.image-size", SIDE, SIDE]
    preset = [] if method == "objects" else [METHODS[method]]
    length = ["--seed", seed, "--max-minutes", arguments.cpu_minutes, "--model.num-particles", count]
    trained(run, *preset, *of_data, *length, threads=arguments.threads)
    return run


@torch.no_grad()
def read_run(frames: LabelledFrames, run: Path) -> dict[str, Float[Tensor, "B P 2"]]:
    """The points read from a run's particles, in several ways; those read from maps are drawn."""
    model = motes.load(run)
    latent = model.encode(frames.image)
    parts = {
        "places": particle_middles(model, latent),
        "variances": latent.log_variance,
        "looks": latent.features,
        "maps": maps_of(latent),
    }
    measured = frames.measured() | parts
    readings = {
        names: frames.read({names: columns_of(names.split(", "))}, measured)
        for names in ("places", "places, variances, looks", "maps")
    }
    draw(frames, model, latent, readings["maps"], run.with_suffix(".png"))
    return readings


def columns_of(names: Sequence[str]) -> Columns:
    return lambda measured: torch.cat([measured[name].flatten(1) for name in names], 1).double()


def maps_of(latent: Particles) -> Float[Tensor, "B F h w"]:
    """Where particles are, and with what looks, whatever their order: sums of wide Gaussian maps.

    Particles are numbered by what lies nearest or is most salient: one number is a paw in one frame, and an ear in
    the next.
    """
    weight = latent.confident().presence[..., None, None] * gaussian_maps(latent.position, GRID, WIDTH)
    looks = torch.cat([torch.ones_like(latent.presence)[..., None], latent.features], 2)
    return einsum(weight, looks, "b k h w, b k f -> b f h w")


def draw(
    frames: LabelledFrames, model: Model, latent: Particles, read: Float[Tensor, "B P 2"], path: Path
) -> None:
    """Frames from all over, with particles above and with the points that were read below."""
    boxes = particle_boxes(model, latent, (SIDE, SIDE))
    middles = particle_middles(model, latent)
    chosen = torch.linspace(0, len(read) - 1, SHOWN).round().long().tolist()
    points = 2 * read / (torch.tensor(frames.size) - 1) - 1
    above = [with_particles(frames.image[row], latent, row, 256, boxes, middles) for row in chosen]
    below = [with_points(frames.image[row], points[row], 256) for row in chosen]
    sheet([above, below]).save(path)


def as_image(pixels: np.ndarray) -> Image:
    return torch.from_numpy(pixels) / 255


if __name__ == "__main__":
    main()
