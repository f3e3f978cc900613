"""Sheets of new pictures, and the codes that drew them."""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.apps.drawing.marks import sheet, to_picture
from motes.errors import UserError
from motes.explore.manifold import manifold_codes, standard_normal_codes
from motes.explore.sample import (
    CodeDistribution,
    GaussianCodes,
    decode_codes,
    fit_distribution,
    own_distribution,
)
from motes.models.base import Model
from motes.models.checkpoint import load
from motes.plain.writing import fresh_folder
from motes.training.recipe import Recipe, read_recipe
from motes.types.batch import Batch

# of a picture on the sheet; of a way; draws in a row, at most
SIDE = 64
STEPS = 12
WIDE = 16


def write_sheet(told: argparse.Namespace) -> None:
    """Write SHEET.png and codes.npz, and say where."""
    model = load(told.run, "cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(told.seed)
    distribution = None
    if told.prior is not None:
        distribution = fit_distribution(model, training_pictures(told.run, told.limit), told.prior)
    codes, wide = CODES[told.show](model, distribution, told.count)
    pictures = [to_picture(one, SIDE) for one in decode_codes(model, codes)]
    with fresh_folder(told.out, "sample") as out:
        sheet([pictures[start : start + wide] for start in range(0, len(pictures), wide)], 3).save(
            out / f"{told.show}.png", optimize=True
        )
        np.savez_compressed(out / "codes.npz", codes=codes.cpu().numpy())
    whose = (
        "the model's own distribution of codes"
        if distribution is None
        else f"a distribution fitted to codes of training pictures ({told.prior})"
    )
    print(f"{len(pictures)} pictures from {whose}: {told.out / told.show}.png")


def _draws(
    model: Model, distribution: CodeDistribution | None, count: int
) -> tuple[Float[Tensor, "M F"], int]:
    """As near to a square as it goes."""
    return (distribution or own_distribution(model)).draw(count), min(math.ceil(count**0.5), WIDE)


def _ways(
    model: Model, distribution: CodeDistribution | None, count: int
) -> tuple[Float[Tensor, "M F"], int]:
    return rearrange((distribution or own_distribution(model)).paths(count, STEPS), "t m f -> (m t) f"), STEPS


def _map(model: Model, distribution: CodeDistribution | None, count: int) -> tuple[Float[Tensor, "M F"], int]:
    """As many cells as go into a square."""
    side = max(math.isqrt(count), 2)
    gaussian = distribution if isinstance(distribution, GaussianCodes) else standard_normal_codes(model)
    return rearrange(manifold_codes(gaussian, side), "r c f -> (r c) f"), side


CODES = {"draws": _draws, "ways": _ways, "map": _map}


def training_pictures(run: Path, limit: int) -> Iterator[Batch]:
    data = _recipe_of(run).source.open("train")
    count = min(limit, len(data))
    rows = np.linspace(0, len(data) - 1, count).round().astype(int).tolist()  # from all of it
    for start in range(0, count, 64):
        yield data.batch(rows[start : start + 64])


def _recipe_of(run: Path) -> Recipe:
    for folder in (run, *run.resolve().parents[:2]):
        if (folder / "run.json").is_file():
            return read_recipe(folder)
    raise UserError(
        f"{run} does not say what it was trained on, to whose codes a distribution could be fitted; name the run's folder"
    )
