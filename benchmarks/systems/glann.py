"""GLANN on digits: samples of its learnt sampler against a
Gaussian fitted to the same codes, drawn by the same decoder.
"""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from benchmarks.quality.digit_features import Classifier, digits, draw_rows
from benchmarks.systems.system import PAGES, Bar, Figures
from motes import load
from motes.explore.interpolate import interpolate
from motes.models.codes.glann import Glann
from motes.ops.densities.mixture import choose_mixture
from motes.training import loop
from motes.training.presets import PRESETS
from motes.training.run import Run
from motes.types.latents import Code

SAMPLES = 2000
LOOKS = 20  # times that the coverage is looked at
BARS = [
    Bar(
        "over_gaussian", "Frechet distance of samples over that of a Gaussian fit's, same decoder", "<=", 1.0
    ),
    Bar("rises", "times, of about ten, that the coverage got worse", "<=", 0.0),
    Bar("coverage", "coverage at the end over that at the sampler's start", "<=", 1.0),
    Bar("path", "distance to the nearest code half way: between noises over between codes", "<=", 1.0),
    Bar("frechet", "Frechet distance of samples"),
    Bar("frechet_gaussian", "Frechet distance of the Gaussian fit's"),
    Bar("frechet_mixture", "Frechet distance of a mixture's, chosen by the Bayesian criterion"),
    Bar("frechet_redrawn", "Frechet distance of the training codes' own pictures"),
    Bar("frechet_training", "Frechet distance of training to test digits"),
    Bar("accuracy", "accuracy of the classifier whose features those are"),
]


class Coverage:
    """A watcher: how far training codes are from the nearest
    of twice as many samples, each time with the same noise.
    """

    def __init__(self):
        self.distances: list[float] = []

    def step(self, record: dict[str, Any]) -> None:
        pass

    def evaluated(self, record: dict[str, Any], model: Any, run: Run) -> None:
        if record["step"] > PRESETS["glann-digits"].recipe.training.steps * (1 - model.config.sampler_share):
            with torch.random.fork_rng():
                torch.manual_seed(0)
                draws = [
                    model.sampler.coverage(model.glo.codes, 2 * model.config.pictures).mean()
                    for _ in range(5)
                ]
            self.distances.append(torch.stack(draws).mean().item())


def run(seed: int, folder: Path) -> Figures:
    coverage = Coverage()
    model = train_glann(seed, folder / "run", coverage)
    distances = coverage.distances
    figures = {"coverage": distances[-1] / distances[0]}
    figures["rises"] = float(sum(later > earlier for earlier, later in pairwise(distances)))
    print(f"seed {seed}, coverage: {' '.join(f'{distance:.4f}' for distance in distances)}", flush=True)
    classifier = Classifier(seed)
    pictures = sampled_by(model, seed)
    figures |= {f"frechet{name}": classifier.distance(image) for name, image in pictures.items()}
    figures["frechet_training"] = classifier.distance(digits("train")[0])
    figures["accuracy"] = classifier.accuracy()
    figures["over_gaussian"] = figures["frechet"] / figures["frechet_gaussian"]
    figures["path"] = half_way_ratio(model)
    if seed == 0:
        draw_rows([*pictures[""][:64].split(16), *paths(model)], PAGES / "glann.png")
    return figures


def train_glann(seed: int, folder: Path, coverage: Coverage) -> Any:
    recipe = PRESETS["glann-digits"].recipe
    training = replace(recipe.training, seed=seed, evaluate_every=recipe.training.steps // LOOKS)
    loop.train(replace(recipe, training=training), folder, coverage)
    return load(folder / "checkpoints" / "last")


@torch.no_grad()
def sampled_by(model: Glann, seed: int) -> dict[str, torch.Tensor]:
    """Pictures of the sampler, of a Gaussian, of the
    training codes and of a mixture, all by the same decoder.
    """
    torch.manual_seed(seed)
    codes = {
        "": model.sample(SAMPLES),
        "_gaussian": model.glo.sample(SAMPLES),
        "_redrawn": Code(model.glo.codes),
    }
    codes["_mixture"] = Code(model.within(choose_mixture(model.glo.codes).draw(SAMPLES)))
    return {name: model.decode(code) for name, code in codes.items()}


def half_way_ratio(model: Glann, pairs: int = 2000) -> float:
    """From the middle of a path to the nearest training code;
    both paths have the same ends, which the sampler drew.
    """
    torch.manual_seed(0)
    first, second = (model.sampler.noise(pairs) for _ in range(2))
    codes = model.glo.codes.detach()
    arc = model.from_noise(interpolate(first, second, 3, "arc")[1]).vector
    line = (model.from_noise(first).vector + model.from_noise(second).vector) / 2
    return (torch.cdist(arc, codes).amin(1).mean() / torch.cdist(line, codes).amin(1).mean()).item()


@torch.no_grad()
def paths(model: Glann) -> list[torch.Tensor]:
    """Pictures along the arcs between three pairs of noises."""
    torch.manual_seed(3)
    first, second = (model.sampler.noise(3) for _ in range(2))
    return [model.decode(model.from_noise(path)) for path in interpolate(first, second, 16, "arc").unbind(1)]
