"""Things followed through clips of balls that no training saw: MOTA, IDF1, HOTA and switches, with intervals.

python benchmarks/quality/tracks.py [--seeds 0 1 2] [--cpu-minutes 7.5] [--threads 1] [--out runs/tracks]

Each run is `motes train dlp-quick` on 400 clips of balls that collide. It is scored on 80 clips of these, and on 80
in which balls pass in front of each other, of which training had none; they are of another seed than the clips on
which the rules of matching were chosen. A run that is there already is scored again,
not trained again. OUT/tracks.png shows a clip of each kind, as in docs/video.md.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from PIL import Image

from benchmarks.clocks import motes as command
from benchmarks.clocks import scores_in, steps_of, trained
from benchmarks.report import Table, header, parser
from motes.apps.drawing.marks import sheet
from motes.apps.drawing.trails import Trails
from motes.apps.session.following import Reading
from motes.apps.session.footage import footage_of
from motes.apps.session.session import Session
from motes.data.source import Source

CLIPS = 80
# of the clips that are scored
SEED = 7
RECIPES = ("interaction", "occlusion")
OPTIONS = {
    "--data.count": 400,
    "--data.held-out": 40,
    "--model.num-particles": 6,
    "--model.num-proposals": 10,
    "--model.glimpse-size": 20,
    "--training.steps": 3000,
}
SCORES = ("mota", "idf1", "hota", "switches_per_1000", "motp_px", "survived")
# frames of the picture, every third
SHOWN = range(30, 48, 3)


def main() -> None:
    arguments_parser = parser(__doc__, seeds=[0], threads=1, cpu_minutes=7.5, out=Path("runs/tracks"))
    arguments = arguments_parser.parse_args()
    header("tracks", "balls", threads=arguments.threads, seeds=arguments.seeds)
    table = Table(("balls", "seed", *SCORES, "IDF1 by number", "steps", "CPU minutes"), arguments.format)
    for seed in arguments.seeds:
        run = arguments.out / f"balls-{seed}"
        options = [word for option in OPTIONS.items() for word in option]
        options += ["--seed", seed, "--training.max-minutes", arguments.cpu_minutes]
        minutes = trained(run, "dlp-quick", "--data", "balls", *options, threads=arguments.threads)
        for recipe in RECIPES:
            scores = scored(run, recipe, arguments.threads)
            values = [scores[name] for name in (*SCORES, "number_idf1")]
            # nobody survives where nothing is ever hidden
            cells = ["" if value is None else f"{value:.4g}" for value in values]
            table.row(recipe, seed, *cells, steps_of(run), f"{minutes:.1f}")
    draw(arguments.out / f"balls-{arguments.seeds[0]}", arguments.out / "tracks.png")


def scored(run: Path, recipe: str, threads: int) -> dict[str, float]:
    scores_file = run / f"tracks-{recipe}.json"
    options = ("--scores", "tracks", "--limit", CLIPS * 100, "--data.recipe", recipe)
    options = (*options, "--data.seed", SEED, "--data.held-out", CLIPS)
    command("evaluate", run, *options, "--json", scores_file, threads=threads)
    return scores_in(scores_file)


def draw(run: Path, path: Path) -> None:
    """Write a picture with a row of frames of one held-out clip of each recipe."""
    session = Session.open(run, "cpu")
    sheet([trails_of(session, recipe) for recipe in RECIPES]).save(path, optimize=True)


def trails_of(session: Session, recipe: str) -> list[Image.Image]:
    data = Source("balls", {"held_out": CLIPS, "count": 400, "recipe": recipe, "seed": SEED}).open("test")
    trails = Trails()
    with tempfile.TemporaryDirectory() as folder:
        for number, pixels in enumerate(data.pixels(range(SHOWN.stop))):
            Image.fromarray(pixels.transpose(1, 2, 0)).save(Path(folder) / f"{number:03d}.png")
        (film,) = footage_of(Path(folder))
        frames = [frame for part in session.follow(film, Reading(side=192)) for frame in trails.drawn(part)]
    return [frames[number] for number in SHOWN]


if __name__ == "__main__":
    main()
