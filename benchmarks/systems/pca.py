"""Principal components: what is lost is the sum of the eigenvalues
left out, and a linear autoencoder learns the same space.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.systems.system import (
    Bar,
    Figures,
    all_pictures,
    changed,
    picture_rows,
    reconstruction,
    save_page_picture,
    seeded,
    squared_error,
    trained,
)
from motes.apps.drawing.marks import sheet
from motes.explore.filters import filters_of
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe

# Components. There the eigenvalues fall by a quarter to the next one;
# between equal ones no space is marked off.
SIZE = 10
BARS = [
    Bar("gap", "training error over the sum of dropped eigenvalues, from 1", "<=", 1e-4),
    Bar("gap_gram", "the same of faces, fewer than pixels (Gram matrix)", "<=", 1e-4),
    Bar("held_out", "error of test digits over the sum of dropped eigenvalues"),
    Bar("linear", "training error of a linear autoencoder over that of PCA, less 1", "<=", 0.02),
    Bar("angle", "largest angle between their spaces, degrees", "<=", 5.0),
    Bar("neighbour", "digits told by the nearest neighbour among 16 components, %"),
    Bar("neighbour_pixels", "and among all 64 pixels, %"),
]


def run(seed: int, folder: Path) -> Figures:
    digits = seeded(PRESETS["pca-digits"].recipe, seed)
    components = trained(replace(digits, model_config={"code_dim": SIZE}), folder / "digits")
    faces = seeded(PRESETS["pca-faces"].recipe, seed)
    eigenfaces = trained(faces, folder / "faces")
    linear = trained(linear_autoencoder(seed), folder / "linear", "last")
    sixteen = trained(replace(digits, model_config={"code_dim": 16}), folder / "sixteen")
    learnt = all_pictures(digits, "train")
    tested = all_pictures(digits, "test")
    learnt_faces = all_pictures(faces, "train")
    if seed == 0:
        draw_eigenfaces(eigenfaces, all_pictures(faces, "test"))
    return {
        "gap": abs(squared_error(components, learnt) / components.dropped.item() - 1),
        "gap_gram": abs(squared_error(eigenfaces, learnt_faces) / eigenfaces.dropped.item() - 1),
        "held_out": squared_error(components, tested) / components.dropped.item(),
        "linear": squared_error(linear, learnt) / squared_error(components, learnt) - 1,
        "angle": largest_angle(linear.coder.draw[0][0].weight, components.axes),
        "neighbour": neighbour_accuracy(digits, lambda image: sixteen.encode(image).vector),
        "neighbour_pixels": neighbour_accuracy(digits, lambda image: image.flatten(1)),
    }


def linear_autoencoder(seed: int) -> Recipe:
    """All pictures at each step and a rate that falls to
    nothing: the last directions differ little in what they save.
    """
    recipe = seeded(PRESETS["autoencoder-digits"].recipe, seed)
    training = replace(recipe.training, steps=4000, batch_size=1300, learning_rate=1e-2, evaluate_every=2000)
    return replace(recipe, model_config={"code_dim": SIZE, "network": "linear"}, training=training)


def with_size(recipe: Recipe, size: int) -> Recipe:
    return changed(recipe, code_dim=size)


def largest_angle(first: Tensor, second: Tensor) -> float:
    """The largest principal angle between the spaces that columns span, in degrees."""
    first_basis, second_basis = (torch.linalg.qr(columns.detach().double()).Q for columns in (first, second))
    cosine = torch.linalg.svdvals(first_basis.T @ second_basis).min().item()
    return math.degrees(math.acos(min(cosine, 1.0)))


def neighbour_accuracy(recipe: Recipe, encode: Callable[[Tensor], Tensor]) -> float:
    """Of the nearest training picture's class, in percent."""
    splits = [recipe.data.open(split) for split in ("train", "test")]
    learnt, tested = (data.batch(range(len(data)), ("class",)) for data in splits)
    with torch.no_grad():
        nearest = torch.cdist(encode(tested.image), encode(learnt.image)).argmin(1)
    return 100 * (learnt.labels["class"][nearest] == tested.labels["class"]).float().mean().item()


def draw_eigenfaces(model: Any, image: Tensor) -> None:
    """The mean and the first fifteen eigenfaces; faces of
    the test split and what is left of them by 32 numbers.
    """
    axes = filters_of(model)[:15]
    axes = 0.5 + 0.5 * axes / axes.abs().amax((1, 2, 3), keepdim=True)
    mean = model.mean.view(1, *image.shape[1:])
    image = image[:: len(image) // 8][:8]
    tiles = [*torch.cat([mean, axes]), *image, *reconstruction(model, image)]
    rows = picture_rows((tiles[start : start + 8] for start in range(0, len(tiles), 8)), 64)
    save_page_picture(sheet(rows).quantize(256), "pca")
