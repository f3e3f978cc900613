"""Generative latent optimisation on digits, eight numbers a digit:
against an autoencoder of the same networks, and principal components.

The rival is trained with Adam over three learning rates for as many steps, with its best validation kept, and
its best rate taken by validation as well; GLO gets its preset. Test digits are encoded by optimisation.
"""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.quality.digit_features import Classifier, digits, draw_rows, mean_squared
from benchmarks.systems.system import PAGES, Bar, Figures, changed, reconstruction, trained
from motes.models.codes.glo import GenerativeLatentOptimisation
from motes.nn.coders.networks import PictureShape, picture_network
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe
from motes.types.latents import Code

SHORT = 500  # steps of 64 digits: 25 epochs
RATES = (1e-3, 2e-3, 4e-3)
BARS = [
    Bar("over_autoencoder", "test error over that of an autoencoder of equal size", "<=", 1.0),
    Bar("autoencoder_over_pca", "test error of that autoencoder over that of PCA", "<=", 1.0),
    Bar("start_short", "training error after 25 epochs, PCA start over random start", "<=", 0.5),
    Bar("farthest", "longest code after any step", "<=", 1.0 + 1e-5),
    Bar("start_long", "training error after 394 epochs, PCA start over random start"),
    Bar("test", "test error a pixel"),
    Bar("test_autoencoder", "test error a pixel, autoencoder"),
    Bar("test_pca", "test error a pixel, PCA"),
    Bar("train", "training error a pixel"),
    Bar("train_autoencoder", "training error a pixel, autoencoder"),
    Bar("frechet", "Frechet distance of samples from a Gaussian fitted to the codes"),
    Bar("frechet_sphere", "Frechet distance of samples uniform on the sphere"),
]


def run(seed: int, folder: Path) -> Figures:
    with longest_codes() as lengths:
        model = trained(glo_recipe(seed), folder / "pca", "last")
    test = digits("test")[0]
    figures = {"farthest": max(lengths), "train": training_error(model)}
    drawn = reconstruction(model, test)
    figures["test"] = mean_squared(drawn, test)
    figures |= autoencoder_figures(seed, model)
    figures["test_pca"] = components_error(digits("train")[0], test, model.config.code_dim)
    figures["over_autoencoder"] = figures["test"] / figures["test_autoencoder"]
    figures["autoencoder_over_pca"] = figures["test_autoencoder"] / figures["test_pca"]
    random = trained(glo_recipe(seed, start="random"), folder / "random", "last")
    figures["start_long"] = figures["train"] / training_error(random)
    figures["start_short"] = short_start_ratio(seed, folder)
    samples, sphere = sampled_pictures(seed, model)
    classifier = Classifier(seed)
    figures["frechet"] = classifier.distance(samples)
    figures["frechet_sphere"] = classifier.distance(sphere)
    if seed == 0:
        draw_rows([test[:16], drawn[:16], *samples[:48].split(16)], PAGES / "glo.png")
    return figures


@contextlib.contextmanager
def longest_codes() -> Iterator[list[float]]:
    """The longest code after each step of GLO within."""
    original = GenerativeLatentOptimisation.keep_in_ball
    lengths: list[float] = []

    def keep_in_ball(model: Any, batch: Any) -> None:
        original(model, batch)
        lengths.append(model.codes.norm(dim=1).max().item())

    GenerativeLatentOptimisation.keep_in_ball = keep_in_ball
    try:
        yield lengths
    finally:
        GenerativeLatentOptimisation.keep_in_ball = original


def glo_recipe(seed: int, **options: Any) -> Recipe:
    recipe = PRESETS["glo-digits"].recipe
    return changed(replace(recipe, training=replace(recipe.training, seed=seed)), **options)


def short_start_ratio(seed: int, folder: Path) -> float:
    errors = {}
    for start in ("pca", "random"):
        recipe = glo_recipe(seed, start=start)
        recipe = replace(recipe, training=replace(recipe.training, steps=SHORT, evaluate_every=SHORT))
        errors[start] = training_error(trained(recipe, folder / f"short-{start}", "last"))
    return errors["pca"] / errors["random"]


def training_error(model: Any) -> float:
    with torch.no_grad():
        return mean_squared(model.decode(Code(model.codes)), digits("train")[0])


@torch.no_grad()
def sampled_pictures(seed: int, model: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Of a Gaussian fitted to the codes, and of the whole sphere."""
    torch.manual_seed(seed)
    samples = model.decode(model.sample(2000))
    sphere = nn.functional.normalize(torch.randn(2000, model.config.code_dim))
    return samples, model.decode(Code(sphere))


def components_error(learnt: torch.Tensor, test: torch.Tensor, size: int) -> float:
    flat = learnt.flatten(1)
    mean = flat.mean(0)
    axes = torch.linalg.svd(flat - mean, full_matrices=False)[2][:size]
    centred = test.flatten(1) - mean
    return (centred - centred @ axes.T @ axes).square().mean().item()


def autoencoder_figures(seed: int, model: Any) -> Figures:
    """The best of three learning rates by its best validation error."""
    candidates = [train_autoencoder(seed, model.config, rate) for rate in RATES]
    _, best = min(candidates, key=lambda candidate: candidate[0])
    figures = {}
    for split in ("train", "test"):
        image = digits(split)[0]
        with torch.no_grad():
            figures[f"{split}_autoencoder"] = mean_squared(torch.sigmoid(best(image)), image)
    return figures


def train_autoencoder(seed: int, config: Any, rate: float) -> tuple[float, nn.Module]:
    """Its best validation error, and the network with the weights of then."""
    torch.manual_seed(seed)
    kind = picture_network(config.network)
    sizes = (PictureShape.of(config), config.width, config.code_dim)
    autoencoder = nn.Sequential(kind.reader(*sizes), kind.drawer(*sizes))
    optimizer = torch.optim.Adam(autoencoder.parameters(), rate)
    learnt, validation = digits("train")[0], digits("validation")[0]
    steps = PRESETS["glo-digits"].recipe.training.steps
    best = math.inf
    weights = autoencoder.state_dict()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * step / steps))
        image = learnt[torch.randint(len(learnt), (64,))]
        optimizer.zero_grad()
        (torch.sigmoid(autoencoder(image)) - image).square().mean().backward()
        optimizer.step()
        if (step + 1) % 100 == 0:
            with torch.no_grad():
                error = mean_squared(torch.sigmoid(autoencoder(validation)), validation)
            if error < best:
                best = error
                weights = {key: value.clone() for key, value in autoencoder.state_dict().items()}
    autoencoder.load_state_dict(weights)
    return best, autoencoder
