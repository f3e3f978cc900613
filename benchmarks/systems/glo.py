"""Generative latent optimisation on digits, eight numbers a digit: against an autoencoder of the same networks, and principal components.

The rival is trained with Adam over three learning rates for as many steps, with its best validation kept, and its best rate taken by
validation as well; GLO gets its preset. Test digits are encoded by optimisation.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from bar import Bar
from digit_features import Classifier, digits, draw_rows, mean_squared
from runs import finished
from torch import nn

from motes import load
from motes.models.codes.glo import GenerativeLatentOptimisation
from motes.nn.coders.networks import PictureShape, picture_network
from motes.training.presets import PRESETS
from motes.types.latents import Code

SHORT = 500  # steps of 64 digits: 25 epochs
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


def measure(seed: int, folder: Path) -> dict[str, float]:
    with watched() as farthest:
        model = trained(seed, folder / "pca", {})
    known, test = digits("train")[0], digits("test")[0]
    found = {"farthest": max(farthest), "train": training_error(model)}
    with torch.no_grad():
        drawn = model.decode(model.encode(test))
    found["test"] = mean_squared(drawn, test)
    found |= {f"{name}_autoencoder": value for name, value in autoencoder(seed, model).items()}
    found["test_pca"] = components(known, test, model.config.code_dim)
    found["over_autoencoder"] = found["test"] / found["test_autoencoder"]
    found["autoencoder_over_pca"] = found["test_autoencoder"] / found["test_pca"]
    random = trained(seed, folder / "random", {"start": "random"})
    found["start_long"] = found["train"] / training_error(random)
    short = {"steps": SHORT, "evaluate_every": SHORT}
    shorts = [
        trained(seed, folder / f"short-{start}", {"start": start}, **short) for start in ("pca", "random")
    ]
    found["start_short"] = training_error(shorts[0]) / training_error(shorts[1])
    classifier = Classifier(seed)
    torch.manual_seed(seed)
    with torch.no_grad():
        samples = model.decode(model.sample(2000))
        sphere = nn.functional.normalize(torch.randn(2000, model.config.code_dim))
        found["frechet"] = classifier.distance(samples)
        found["frechet_sphere"] = classifier.distance(model.decode(Code(sphere)))
    if seed == 0:
        rows = [test[:16], drawn[:16], *samples[:48].split(16)]
        draw_rows(rows, Path("docs/family/glo.png"))
    return found


class watched:
    """The longest code after each step of GLO within."""

    def __enter__(self) -> list[float]:
        self.keep, seen = GenerativeLatentOptimisation.keep_in_ball, []

        def keep_in_ball(model: Any, batch: Any) -> None:
            self.keep(model, batch)
            seen.append(model.codes.norm(dim=1).max().item())

        GenerativeLatentOptimisation.keep_in_ball = keep_in_ball
        return seen

    def __exit__(self, *problem: Any) -> None:
        GenerativeLatentOptimisation.keep_in_ball = self.keep


def trained(seed: int, folder: Path, options: dict[str, Any], **training: Any) -> Any:
    recipe = PRESETS["glo-digits"].recipe
    recipe = replace(
        recipe,
        model_config={**recipe.model_config, **options},
        training=replace(recipe.training, seed=seed, **training),
    )
    return load(finished(recipe, folder) / "checkpoints" / "last")


def training_error(model: Any) -> float:
    with torch.no_grad():
        return mean_squared(model.decode(Code(model.codes)), digits("train")[0])


def components(known: torch.Tensor, test: torch.Tensor, size: int) -> float:
    flat, other = known.flatten(1), test.flatten(1)
    axes = torch.linalg.svd(flat - flat.mean(0), full_matrices=False)[2][:size]
    rest = other - flat.mean(0)
    return (rest - rest @ axes.T @ axes).square().mean().item()


def autoencoder(seed: int, model: Any) -> dict[str, float]:
    """The best of three learning rates by its best validation error."""
    tried = [train_autoencoder(seed, model.config, rate) for rate in (1e-3, 2e-3, 4e-3)]
    _, best = min(tried, key=lambda one: one[0])
    with torch.no_grad():
        return {
            split: mean_squared(torch.sigmoid(best(digits(split)[0])), digits(split)[0])
            for split in ("train", "test")
        }


def train_autoencoder(seed: int, config: Any, rate: float) -> tuple[float, nn.Module]:
    torch.manual_seed(seed)
    kind, shape, steps = (
        picture_network(config.network),
        PictureShape.of(config),
        PRESETS["glo-digits"].recipe.training.steps,
    )
    both = nn.Sequential(
        kind.reader(shape, config.width, config.code_dim), kind.drawer(shape, config.width, config.code_dim)
    )
    optimizer = torch.optim.Adam(both.parameters(), rate)
    (known, _), (held, _) = digits("train"), digits("validation")
    best, weights = math.inf, both.state_dict()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * step / steps))
        wanted = known[torch.randint(len(known), (64,))]
        optimizer.zero_grad()
        (torch.sigmoid(both(wanted)) - wanted).square().mean().backward()
        optimizer.step()
        if (step + 1) % 100 == 0:
            with torch.no_grad():
                error = mean_squared(torch.sigmoid(both(held)), held)
            if error < best:
                best, weights = error, {key: value.clone() for key, value in both.state_dict().items()}
    both.load_state_dict(weights)
    return best, both
