"""Train on crowded pictures, 40 shapes of a twentieth of the
side at 256 px with 100 particles, and print how many are found.

python benchmarks/quality/crowded_shapes.py [--steps 900] [--batch 8] [--seed 0] [--out runs/crowded]

Two measures: within a tenth of the picture's side, as everywhere (with 40 shapes that is nearly anywhere),
and *inside the shape's own box*, which is a twentieth of it. The trained model is also run with other numbers
of particles: no parameter depends on it.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import cpu_seconds
from benchmarks.report import Table, header, parser
from motes.apps.drawing.marks import sheet, to_picture, with_particles
from motes.data.base import Dataset, Truth
from motes.data.source import Source
from motes.models.base import Model
from motes.models.checkpoint import load
from motes.models.middles import middle_pixels
from motes.models.particles.dlp import DeepLatentParticles
from motes.ops.points.matching import nearest_distance
from motes.ops.points.pixels import points_of_pixels
from motes.ops.scores.metrics import psnr
from motes.training import loop
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe
from motes.types.latents import Particles

SIDE, SHAPES, PARTICLES = 256, 40, 100
TENTH = 0.1  # of the side
INSIDE = 6 / SIDE  # half a shape
COLUMNS = ("particles", "found", "clean", "found inside", "clean inside", "counted", "PSNR")


def main() -> None:
    arguments_parser = parser(__doc__, steps=900, seed=0, out=Path("runs/crowded"))
    arguments_parser.add_argument("--batch", type=int, default=8)
    arguments = arguments_parser.parse_args()
    recipe = crowded(arguments.steps, arguments.batch, arguments.seed)
    minutes = cpu_seconds(lambda: loop.train(recipe, arguments.out)) / 60
    pictures = f"{arguments.steps} steps of {arguments.batch} pictures"
    header(pictures, f"{minutes:.1f} CPU minutes", threads=torch.get_num_threads(), seeds=[arguments.seed])
    table = Table(COLUMNS, arguments.format)
    data = recipe.data.open("test")
    trained = load(arguments.out)
    for count in (60, PARTICLES, 200):
        model = with_count(trained, count)
        draw_first(model, data, arguments.out / f"particles-{count}.png")
        table.row(count, *detection_cells(model, data))


CROWDED = {"shapes": (SHAPES, SHAPES), "size": (11, 13), "count": 4000, "held_out": 100}


def crowded(steps: int, batch: int, seed: int) -> Recipe:
    quick = PRESETS["dlp-quick"].recipe
    size = {"image_size": (SIDE, SIDE)}
    particles = {"num_particles": PARTICLES, "num_proposals": PARTICLES + 20}
    budget = {"steps": steps, "batch_size": batch, "seed": seed, "max_minutes": 0.0}
    return replace(
        quick,
        model_config={**quick.model_config, **size, **particles},
        data=Source(quick.data.name, {**size, **CROWDED}),
        training=replace(quick.training, **budget, evaluate_every=steps, validation_pictures=48),
    )


def with_count(model: Model, count: int) -> Model:
    changed = DeepLatentParticles(replace(model.config, num_particles=count))
    changed.load_state_dict(model.state_dict())
    return changed.eval()


@torch.no_grad()
def detection_cells(model: Model, data: Dataset) -> list[str]:
    counts = torch.zeros(6)
    quality = []
    for start in range(0, len(data), 10):
        rows = range(start, start + 10)
        image = data.batch(rows).image
        truth = data.truth(rows)
        assert truth is not None and truth.centres is not None
        latent = model.encode(image)
        quality.append(psnr(model.decode(latent), image))
        counts += matches(model, latent, truth, (image.shape[2], image.shape[3]))
    shapes, particles, *near = counts.tolist()
    ratios = [f"{count / total:.3f}" for count, total in zip(near, (shapes, particles) * 2, strict=True)]
    return [*ratios, f"{particles / len(data):.1f} of {SHAPES}", f"{torch.cat(quality).mean():.1f}"]


def matches(model: Model, latent: Particles, truth: Truth, size: tuple[int, int]) -> Tensor:
    """Numbers of shapes and particles, then of shapes near
    a particle and particles near a shape, by both measures.
    """
    present = latent.confident().presence > 0.5
    places = points_of_pixels(middle_pixels(model, latent, size), size)
    to_particle = nearest_distance(truth.centres, places, present) / 2
    to_shape = nearest_distance(places, truth.centres, truth.present) / 2
    counts = [truth.present.sum(), present.sum()]
    for near in (TENTH, INSIDE):
        counts += [((to_particle < near) & truth.present).sum(), ((to_shape < near) & present).sum()]
    return torch.stack(counts)


@torch.no_grad()
def draw_first(model: Model, data: Dataset, path: Path) -> None:
    """The first ten pictures are encoded together, as they are for the scores; of them the first is drawn."""
    image = data.batch(range(10)).image
    latent = model.encode(image)
    drawn = model.decode(latent)
    sheet([[with_particles(image[0], latent.confident(), 0, 512), to_picture(drawn[0], 512)]]).save(path)


if __name__ == "__main__":
    main()
