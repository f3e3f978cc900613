"""Principal components: what is lost is the sum of the eigenvalues left out, and a linear autoencoder learns the same space."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from bar import Bar
from runs import finished, seeded
from torch import Tensor

from motes import load
from motes.apps.drawing.marks import sheet, to_picture
from motes.explore.filters import filters_of
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe

PICTURE = Path(__file__).parents[2] / "docs" / "family" / "pca.png"
SIZE = 10  # components: there the eigenvalues fall by a quarter to the next one; between equal ones no space is marked off
BARS = [
    Bar("gap", "training error over the sum of dropped eigenvalues, from 1", "<=", 1e-4),
    Bar("gap_gram", "the same of faces, fewer than pixels (Gram matrix)", "<=", 1e-4),
    Bar("held_out", "error of test digits over the sum of dropped eigenvalues"),
    Bar("linear", "training error of a linear autoencoder over that of PCA, less 1", "<=", 0.02),
    Bar("angle", "largest angle between their spaces, degrees", "<=", 5.0),
    Bar("neighbour", "digits told by the nearest neighbour among 16 components, %"),
    Bar("neighbour_pixels", "and among all 64 pixels, %"),
]


def measure(seed: int, folder: Path) -> dict[str, float]:
    digits = seeded(PRESETS["pca-digits"].recipe, seed)
    closed = trained(replace(digits, model_config={"code_dim": SIZE}), folder / "digits")
    faces = seeded(PRESETS["pca-faces"].recipe, seed)
    eigenfaces = trained(faces, folder / "faces")
    linear = trained(linear_rival(seed), folder / "linear", "last")
    sixteen = trained(replace(digits, model_config={"code_dim": 16}), folder / "sixteen")
    learnt, tested = pictures(digits, "train"), pictures(digits, "test")
    if seed == 0:
        _draw(eigenfaces, pictures(faces, "test"))
    return {
        "gap": abs(lost(closed, learnt) / closed.dropped.item() - 1),
        "gap_gram": abs(lost(eigenfaces, pictures(faces, "train")) / eigenfaces.dropped.item() - 1),
        "held_out": lost(closed, tested) / closed.dropped.item(),
        "linear": lost(linear, learnt) / lost(closed, learnt) - 1,
        "angle": angle(linear.coder.draw[0][0].weight, closed.axes),
        "neighbour": _recognised(digits, lambda image: sixteen.encode(image).vector),
        "neighbour_pixels": _recognised(digits, lambda image: image.flatten(1)),
    }


def linear_rival(seed: int) -> Recipe:
    """All pictures at each step and a rate that falls to nothing: the last directions differ little in what they save."""
    recipe = seeded(PRESETS["autoencoder-digits"].recipe, seed)
    training = replace(recipe.training, steps=4000, batch_size=1300, learning_rate=1e-2, evaluate_every=2000)
    return replace(recipe, model_config={"code_dim": SIZE, "network": "linear"}, training=training)


def trained(recipe: Recipe, folder: Path, which: str = "best") -> Any:
    return load(finished(recipe, folder) / "checkpoints" / which).eval()


def pictures(recipe: Recipe, split: Any) -> Tensor:
    data = recipe.source.open(split)
    return data.batch(range(len(data))).image


def lost(model: Any, image: Tensor) -> float:
    """Squared error of a picture, on average."""
    with torch.no_grad():
        return (model.decode(model.encode(image)) - image).square().sum((1, 2, 3)).mean().item()


def angle(first: Tensor, second: Tensor) -> float:
    """The largest principal angle between the spaces that columns span, in degrees."""
    bases = [torch.linalg.qr(one.detach().double()).Q for one in (first, second)]
    return math.degrees(math.acos(min(torch.linalg.svdvals(bases[0].T @ bases[1]).min().item(), 1.0)))


def _recognised(recipe: Recipe, read: Any) -> float:
    splits = [recipe.source.open(split) for split in ("train", "test")]
    known, asked = (data.batch(range(len(data)), ("class",)) for data in splits)
    with torch.no_grad():
        nearest = torch.cdist(read(asked.image), read(known.image)).argmin(1)
    return 100 * (known.labels["class"][nearest] == asked.labels["class"]).float().mean().item()


def _draw(model: Any, image: Tensor) -> None:
    """The mean and the first fifteen eigenfaces; faces of the test split and what is left of them by 32 numbers."""
    axes = filters_of(model)[:15]
    axes = 0.5 + 0.5 * axes / axes.abs().amax((1, 2, 3), keepdim=True)
    mean = model.mean.view(1, *image.shape[1:])
    with torch.no_grad():
        image = image[:: len(image) // 8][:8]
        drawn = model.decode(model.encode(image))
    tiles = [*torch.cat([mean, axes]), *image, *drawn]
    rows = [[to_picture(one, 64) for one in tiles[start : start + 8]] for start in range(0, len(tiles), 8)]
    PICTURE.parent.mkdir(exist_ok=True)
    sheet(rows).quantize(256).save(PICTURE, optimize=True)
