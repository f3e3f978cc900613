"""`motes sample`: writes a sheet of new pictures that a run's model draws.

Arguments are checked before torch is imported.
"""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from motes.apps.cli.arguments import Parser, add_run
from motes.apps.cli.recipe import find_recipe
from motes.errors import UserError
from motes.plain.options import nearest

if TYPE_CHECKING:
    from torch import Tensor

    from motes.data.base import Dataset
    from motes.explore.sample import CodeDistribution
    from motes.models.base import Model
    from motes.types.batch import Batch

ABOUT = "new pictures: motes sample RUN"
# the distributions of codes that can be fitted, as in motes.explore.sample, which loads torch
DISTRIBUTIONS = ("gaussian", "mixture", "imle")
SHEETS = {
    "draws": "pictures drawn at random",
    "ways": "from one draw to another, a row each",
    "map": "a grid over the two main directions of the codes",
}
# pixels of a picture on the sheet; pictures from one draw to another; draws in a row, at most
SIDE = 64
STEPS = 12
WIDE = 16


def add_arguments(parser: Parser) -> None:
    add_run(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("sampled"), help="folder to write to: SHEET.png, and codes.npz"
    )
    parser.add_argument(
        "--show",
        default="draws",
        metavar="SHEET",
        help="; ".join(f"{name}: {about}" for name, about in SHEETS.items()),
    )
    parser.add_argument(
        "--prior",
        metavar="DISTRIBUTION",
        help=f"fit a distribution of codes to the run's training pictures first: {', '.join(DISTRIBUTIONS)}",
    )
    parser.add_argument("--count", type=int, default=64, help="pictures, ways, or cells of the map")
    parser.add_argument("--limit", type=int, default=2000, help="training pictures at most to fit to")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")


def run(arguments: argparse.Namespace) -> None:
    _check(arguments)
    import torch

    from motes.models.checkpoint import load
    from motes.models.devices import device_named

    model = load(arguments.run, device_named())
    torch.manual_seed(arguments.seed)
    distribution = None
    origin = "the model's own distribution of codes"
    if arguments.prior is not None:
        distribution = _fitted(arguments, model)
        origin = f"a distribution fitted to codes of training pictures ({arguments.prior})"
    codes, columns = CODES[arguments.show](model, distribution, arguments.count)
    _write(arguments, model, codes, columns)
    print(f"{len(codes)} pictures from {origin}: {arguments.out / arguments.show}.png")


def _fitted(arguments: argparse.Namespace, model: "Model") -> "CodeDistribution":
    from motes.explore.sample import fit_distribution

    return fit_distribution(model, _training_pictures(arguments.run, arguments.limit), arguments.prior)


def _check(arguments: argparse.Namespace) -> None:
    if arguments.show not in SHEETS:
        raise UserError(nearest(arguments.show, SHEETS, "sheet"))
    if arguments.prior is not None and arguments.prior not in DISTRIBUTIONS:
        raise UserError(nearest(arguments.prior, DISTRIBUTIONS, "distribution"))
    _check_numbers(arguments)
    if arguments.show == "map" and arguments.prior not in (None, "gaussian"):
        raise UserError(
            f"a map needs a Gaussian distribution, and not {arguments.prior}; "
            "leave it out, or say --prior gaussian"
        )


def _check_numbers(arguments: argparse.Namespace) -> None:
    for name, least in (("count", 1), ("limit", 2), ("seed", 0)):
        value = getattr(arguments, name)
        if value < least:
            raise UserError(f"--{name} wants a whole number from {least} up, not {value}")


def _training_pictures(run: Path, limit: int) -> "Iterator[Batch]":
    """Yields batches of at most `limit` pictures, taken at even distances from the whole training split."""
    import numpy as np

    data = _training_data(run)
    count = min(limit, len(data))
    rows = np.linspace(0, len(data) - 1, count).round().astype(int).tolist()
    for start in range(0, count, 64):
        yield data.batch(rows[start : start + 64])


def _training_data(run: Path) -> "Dataset":
    recipe = find_recipe(run)
    if recipe is None:
        raise UserError(
            f"{run} does not say what it was trained on, to whose codes a distribution could be fitted; "
            "name the run's folder"
        )
    return recipe.data.open("train")


def _draws(model: "Model", distribution: "CodeDistribution | None", count: int) -> "tuple[Tensor, int]":
    """Random codes, `count` of them, and the number of columns that makes the sheet nearly square."""
    from motes.explore.sample import own_distribution

    return (distribution or own_distribution(model)).draw(count), min(math.ceil(count**0.5), WIDE)


def _ways(model: "Model", distribution: "CodeDistribution | None", count: int) -> "tuple[Tensor, int]":
    from einops import rearrange

    from motes.explore.sample import own_distribution

    return rearrange((distribution or own_distribution(model)).paths(count, STEPS), "t m f -> (m t) f"), STEPS


def _map(model: "Model", distribution: "CodeDistribution | None", count: int) -> "tuple[Tensor, int]":
    """The codes of a square grid of at most `count` cells (at least 2 x 2), and the number of the grid's
    columns."""
    from einops import rearrange

    from motes.explore.manifold import manifold_codes, standard_normal_codes
    from motes.explore.sample import GaussianCodes

    side = max(math.isqrt(count), 2)
    gaussian = distribution if isinstance(distribution, GaussianCodes) else standard_normal_codes(model)
    grid = manifold_codes(gaussian, side)
    return rearrange(grid, "r c f -> (r c) f"), side


# the codes of a sheet's pictures, M F, and how many pictures stand in a row of it
CODES = {"draws": _draws, "ways": _ways, "map": _map}


def _write(arguments: argparse.Namespace, model: "Model", codes: "Tensor", columns: int) -> None:
    import numpy as np

    from motes.apps.drawing.marks import sheet, to_picture
    from motes.explore.sample import decode_codes
    from motes.plain.writing import whole_folder

    pictures = [to_picture(image, SIDE) for image in decode_codes(model, codes)]
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    with whole_folder(arguments.out, older=()) as out:
        sheet(rows, 3).save(out / f"{arguments.show}.png", optimize=True)
        np.savez_compressed(out / "codes.npz", codes=codes.cpu().numpy())
