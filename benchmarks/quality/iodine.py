"""IODINE on tetrominoes that no training saw: masks and pictures, by starts, by updates, and with more pieces.

    python benchmarks/quality/iodine.py [--seeds 0 1 2] [--preset iodine-quick] [--out runs/iodine]

A run that is there already is scored again, not trained again. OUT/updates.png shows what each update changes, and
OUT/draws.png what starts with other noise make of the same pictures, both as in docs/slots.md. `pixels` names the
other size: pictures of 21 px, trained for five minutes.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import motes as command
from benchmarks.clocks import scores_in, steps_of, trained
from benchmarks.report import Table, header, parser

# pictures that are scored, as many as in the paper
SCORED = 320
OF_SIZE: dict[int, Sequence[object]] = {
    35: (),
    21: (
        "--data.image-size",
        21,
        21,
        "--data.block",
        3,
        "--model.scale",
        0.3,
        0.2,
        "--training.max-minutes",
        5,
    ),
}
# what is scored -> the options of `motes evaluate`
VARIANTS: dict[str, Sequence[object]] = {
    "one start": ("--model.starts", 4),
    "best of 4": ("--model.starts", 4, 4, 4, 4),
    "best of 4, with 3 or 4 slots": ("--model.starts", 3, 4, 3, 4),
    "best of 4, with 3 slots": ("--model.starts", 3, 3, 3, 3),
    "one start, 3 updates": ("--model.starts", 4, "--model.updates", 3, 3),
    "one start, 6 updates": ("--model.starts", 4, "--model.updates", 3, 6),
    "4 pieces, one start with 5 slots": ("--model.starts", 5, "--data.pieces", 4),
    "4 pieces, best of 4 with 4 or 5 slots": ("--model.starts", 4, 5, 4, 5, "--data.pieces", 4),
}
SCORES = ("ari_fg", "ari", "mbo", "mse")


def main() -> None:
    arguments_parser = parser(__doc__, seeds=[0], preset="iodine-quick", out=Path("runs/iodine"))
    arguments_parser.add_argument(
        "--pixels", type=int, choices=OF_SIZE, default=35, help="of a picture's side"
    )
    arguments = arguments_parser.parse_args()
    header(f"{arguments.preset}, {arguments.pixels} px", threads=1, seeds=arguments.seeds)
    columns = ("seed", "what", *SCORES, "steps", "CPU minutes")
    table = Table(columns, arguments.format)
    for seed in arguments.seeds:
        run = arguments.out / f"{arguments.preset}-{arguments.pixels}-{seed}"
        options = (arguments.preset, "--seed", seed, *OF_SIZE[arguments.pixels])
        minutes = trained(run, *options, threads=1)
        for what, changes in VARIANTS.items():
            scores = scored(run, what, changes)
            table.row(seed, what, *cells(scores), steps_of(run), f"{minutes:.1f}")
        draw(run, arguments.out)


def scored(run: Path, what: str, changes: Sequence[object]) -> Mapping[str, float]:
    file = run / f"{what.replace(' ', '-')}.json"
    names = ("--scores", "masks", "pictures", "--limit", SCORED, "--json", file)
    command("evaluate", run, *names, *changes, threads=1)
    return scores_in(file)


def cells(scores: Mapping[str, float]) -> list[str]:
    return [*(f"{100 * scores[name]:.1f}" for name in SCORES[:-1]), f"{scores['mse']:.4f}"]


def draw(run: Path, out: Path) -> None:
    """Draw updates and draws of a few held-out pictures."""
    import torch

    from motes.apps.drawing.marks import sheet
    from motes.apps.drawing.slot_row import slot_row
    from motes.models.checkpoint import load
    from motes.training.recipe import read_recipe

    model = load(run)
    data = read_recipe(run).data.open("test")
    image = data.batch(range(8), (), 1).image
    side = 105
    with torch.no_grad():
        by_update = [model.encode(image, updates=updates, starts=[4]) for updates in (1, 2, 3, 5, 10)]
        by_draw = [model.encode(image, starts=[4], draw=draw) for draw in range(5)]
    sheet([slot_row(image[0], latent, 0, side) for latent in by_update]).save(out / "updates.png")
    rows = []
    for picture in range(3, 7):
        first, *later = [slot_row(image[picture], latent, picture, side) for latent in by_draw]
        rows.append([first[0], first[2], *(row[2] for row in later)])
    sheet(rows).save(out / "draws.png")


if __name__ == "__main__":
    main()
