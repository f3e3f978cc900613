"""The cascade on streets: perceptual loss against pixel loss, one picture of a layout against several.
Layouts of the test split.

Frechet distances are between drawn and true pictures, in channel means of networks that no cascade was
trained against: the reader of layouts, which learned from true pictures alone and is the same in all runs of
a seed, and a random network.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.systems.system import Bar, Figures, changed, picture_rows, save_page_picture, trained
from motes.apps.drawing.marks import sheet
from motes.models.poses.cascade import Layout, one_hot
from motes.ops.scores.metrics import frechet_distance
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe
from motes.types.batch import Batch
from motes.types.latents import Image
from motes.weights.textures import random_features

BARS = [
    Bar("sharp", "variance of the Laplacian, drawn / true, perceptual loss", ">=", 0.6),
    Bar("pixel_sharp", "the same, pixel loss", "<=", 0.3),
    Bar("frechet", "Frechet distance in the reader's features, perceptual loss"),
    Bar("pixel_frechet", "the same, pixel loss"),
    Bar("over_pixel", "Frechet distance, perceptual / pixel loss", "<=", 1.0),
    Bar("random_over_pixel", "the same in a random network's features", "<=", 1.0),
    Bar(
        "found",
        "share of pixels where a reader of true pictures finds the layout in drawn ones, perceptual loss",
    ),
    Bar("pixel_found", "the same, pixel loss"),
    Bar("read", "share of pixels whose class is read from true pictures"),
    Bar(
        "apart",
        "three pictures of a layout: mean distance of two in the reader's features, over that of two true pictures",
        ">=",
        0.01,
    ),
    Bar("best", "cost of the best of three over the cost of the one", "<=", 1.0),
]
Network = Callable[[Image], list[Tensor]]
HYPOTHESES = 3
LAPLACIAN = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])[None, None]
COLOURS = torch.tensor(
    [[0.55, 0.75, 1], [0.4, 0.4, 0.42], [0.75, 0.55, 0.4], [0.9, 0.15, 0.15], [0.2, 0.6, 0.25]]
)


def run(seed: int, folder: Path) -> Figures:
    model = trained(cascade_recipe(seed), folder / "one")
    pixel = trained(cascade_recipe(seed, reconstruction="mse"), folder / "pixel")
    several = trained(cascade_recipe(seed, hypotheses=HYPOTHESES), folder / "several")
    data = PRESETS["cascade-streets"].recipe.data.open("test")
    test = data.batch(range(len(data)), ("layout",))
    with torch.no_grad():
        drawn = hypotheses(model, test)[:, 0]
        blurred = hypotheses(pixel, test)[:, 0]
        three = hypotheses(several, test)
        figures = sharpness_figures(drawn, blurred, test.image)
        figures |= frechet_figures(model, drawn, blurred, test.image)
        for name, image in (("read", test.image), ("found", drawn), ("pixel_found", blurred)):
            agreement = model.encode(image).classes == test.labels["layout"]
            figures[name] = agreement.float().mean().item()
        figures["apart"] = diversity(model.read.features, three, test.image)
        figures["best"] = best_cost(several, three, test) / best_cost(several, drawn[:, None], test)
    if seed == 0:
        draw_streets(test, [blurred, drawn, three[:, 1], three[:, 2]])
    return figures


def cascade_recipe(seed: int, **options: Any) -> Recipe:
    recipe = PRESETS["cascade-streets"].recipe
    training = replace(recipe.training, seed=seed, max_minutes=0.0)
    return changed(replace(recipe, training=training), **options)


def hypotheses(model: Any, batch: Batch) -> Tensor:
    """All pictures of every layout, B U C H W."""
    return model.hypotheses(Layout.of_classes(batch.labels["layout"], model.config.classes)).clamp(0, 1)


def sharpness_figures(drawn: Image, blurred: Image, image: Image) -> Figures:
    sharpness = laplacian_variance(image)
    return {
        "sharp": laplacian_variance(drawn) / sharpness,
        "pixel_sharp": laplacian_variance(blurred) / sharpness,
    }


def laplacian_variance(image: Image) -> float:
    return F.conv2d(image.mean(1, keepdim=True), LAPLACIAN).var().item()


def frechet_figures(model: Any, drawn: Image, blurred: Image, image: Image) -> Figures:
    figures = {}
    for name, network in (("", model.read.features), ("random_", random_features(seed=1))):
        perceptual = feature_distance(network, drawn, image)
        pixel = feature_distance(network, blurred, image)
        figures[f"{name}frechet"] = perceptual
        figures[f"{name}pixel_frechet"] = pixel
        figures[f"{name}over_pixel"] = perceptual / pixel
    return figures


def feature_distance(network: Network, drawn: Image, image: Image) -> float:
    return frechet_distance(channel_means(network, drawn), channel_means(network, image))


def channel_means(network: Network, image: Image) -> Tensor:
    return torch.cat([maps.mean((2, 3)) for maps in network(image)], 1)


def diversity(network: Network, several: Tensor, image: Image) -> float:
    """The mean distance of two pictures of a layout, over that of two true pictures."""
    means = torch.stack([channel_means(network, several[:, number]) for number in range(several.shape[1])])
    true = channel_means(network, image)
    pairs = [(a, b) for a in range(len(means)) for b in range(a)]
    between = torch.stack([(means[a] - means[b]).norm(dim=1).mean() for a, b in pairs]).mean()
    return (between / (true - true.roll(1, 0)).norm(dim=1).mean()).item()


def best_cost(model: Any, drawn: Tensor, batch: Batch) -> float:
    """Of the best picture of each class, as the loss has it, whichever model drew them."""
    layout = one_hot(batch.labels["layout"], model.config.classes)
    return model.costs(drawn, batch.image, layout).amin(1).sum(1).mean().item()


def draw_streets(batch: Batch, drawn: list[Image], count: int = 4) -> None:
    """Layouts; pixel loss; perceptual loss; the second and third of three; the true pictures."""
    layout = COLOURS[batch.labels["layout"]].movedim(3, 1)
    rows = (row[:count] for row in (layout, *drawn, batch.image))
    save_page_picture(sheet(picture_rows(rows, 192)), "cascade")
