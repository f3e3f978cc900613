"""Films without labels: how well the held-out end is drawn, beside the median background, and a sheet to look at.

python benchmarks/quality/films.py road.mp4 room.mp4 [--seeds 0 1 2] [--out runs/films] [-- --data.image-size 128 128]

Each run is `motes train FILM` with all defaults, in one thread with --threads 1. The sheet OUT/FILM-SEED.png shows
frames from all over the end of the film with the particles and their boxes, each above what the model draws: count
there how many particles a thing has, and whether any lies on what stands still. A run that is there already is
scored again, not trained again.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch

import motes
from benchmarks.clocks import motes as command
from benchmarks.clocks import scores_in, steps_of, trained
from benchmarks.report import Table, header, parser
from motes.apps.drawing.marks import sheet, to_picture, with_particles
from motes.data.base import Dataset
from motes.models.base import Model
from motes.models.boxes import particle_boxes
from motes.models.middles import particle_middles
from motes.training.recipe import read_recipe

FRAMES = 40
IN_A_ROW = 10
SCORES = ("psnr_pooled", "psnr_median_pooled", "psnr")


def main() -> None:
    arguments_parser = parser(__doc__, seeds=[0], threads=1, out=Path("runs/films"))
    arguments_parser.add_argument("films", nargs="+", type=Path)
    # argparse takes positionals once, so the options of motes train are parted from the films here
    given = sys.argv[1:]
    cut = given.index("--") if "--" in given else len(given)
    train_options = given[cut + 1 :]
    arguments = arguments_parser.parse_args(given[:cut])
    header("films", " ".join(train_options), threads=arguments.threads, seeds=arguments.seeds)
    table = Table(("film", "seed", *SCORES, "particles", "steps", "CPU minutes"), arguments.format)
    for film in arguments.films:
        for seed in arguments.seeds:
            run = arguments.out / f"{film.stem}-{seed}"
            minutes = trained(run, film, "--seed", seed, *train_options, threads=arguments.threads)
            table.row(film.stem, seed, *score_cells(run, arguments.threads), steps_of(run), f"{minutes:.1f}")


def score_cells(run: Path, threads: int) -> list[str]:
    """The scores of a run, and how many particles it believes in, a frame; its sheet is drawn beside it."""
    scores_file = run / "films.json"
    command("evaluate", run, "--scores", "pictures", "--json", scores_file, threads=threads)
    scores = scores_in(scores_file)
    data = read_recipe(run).data.open("test")
    model = motes.load(run)
    particles = draw_sheet(model, data, run.with_suffix(".png"))
    return [*(f"{scores[name]:.2f}" for name in SCORES), f"{particles:.2f}"]


@torch.no_grad()
def draw_sheet(model: Model, data: Dataset, path: Path) -> float:
    """Write the sheet, and return the mean number of particles that the model believes in."""
    image = data.batch(data.sample(FRAMES)).image
    latent = model.encode(image)
    boxes = particle_boxes(model, latent, (image.shape[2], image.shape[3]))
    middles = particle_middles(model, latent)
    drawn = model.decode(latent)
    above = [with_particles(image[row], latent, row, 192, boxes, middles) for row in range(len(image))]
    below = [to_picture(picture, 192) for picture in drawn]
    rows = []
    for start in range(0, len(above), IN_A_ROW):
        rows += [above[start : start + IN_A_ROW], below[start : start + IN_A_ROW]]
    sheet(rows).save(path)
    return float(latent.believed.sum(1).float().mean())


if __name__ == "__main__":
    main()
