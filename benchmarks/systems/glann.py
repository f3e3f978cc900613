"""GLANN on digits: samples of its learnt sampler against a Gaussian fitted to the same codes, drawn by the same decoder."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from bar import Bar
from digit_features import Classifier, digits, draw_rows

from motes import load
from motes.explore.interpolate import interpolate
from motes.models.codes.glann import Glann
from motes.ops.densities.mixture import choose_mixture
from motes.training import loop
from motes.training.presets import PRESETS
from motes.training.run import Run
from motes.types.latents import Code

SAMPLES, LOOKS = 2000, 20  # drawn to be judged; times that the coverage is looked at
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
    """A watcher: how far training codes are from the nearest of twice as many samples, each time with the same noise."""

    def __init__(self):
        self.seen: list[float] = []

    def step(self, record: dict[str, Any]) -> None:
        pass

    def evaluated(self, record: dict[str, Any], model: Any, run: Run) -> None:
        if record["step"] > PRESETS["glann-digits"].recipe.training.steps * (1 - model.config.sampler_share):
            with torch.random.fork_rng():
                torch.manual_seed(0)
                several = [
                    model.sampler.coverage(model.glo.codes, 2 * model.config.pictures).mean()
                    for _ in range(5)
                ]
            self.seen.append(torch.stack(several).mean().item())


def measure(seed: int, folder: Path) -> dict[str, float]:
    recipe = PRESETS["glann-digits"].recipe
    training = replace(recipe.training, seed=seed, evaluate_every=recipe.training.steps // LOOKS)
    watcher = Coverage()
    loop.train(replace(recipe, training=training), folder / "run", watcher)
    model: Any = load(folder / "run" / "checkpoints" / "last")
    found = {
        "coverage": watcher.seen[-1] / watcher.seen[0],
        "rises": float(sum(b > a for a, b in pairwise(watcher.seen))),
    }
    print(f"seed {seed}, coverage: {' '.join(f'{one:.4f}' for one in watcher.seen)}", flush=True)
    classifier = Classifier(seed)
    torch.manual_seed(seed)
    with torch.no_grad():
        drawn = {
            "": model.sample(SAMPLES),
            "_gaussian": model.glo.sample(SAMPLES),
            "_redrawn": Code(model.glo.codes),
        }
        drawn["_mixture"] = Code(model.within(choose_mixture(model.glo.codes).draw(SAMPLES)))
        pictures = {name: model.decode(code) for name, code in drawn.items()}
    found |= {f"frechet{name}": classifier.distance(image) for name, image in pictures.items()}
    found["frechet_training"] = classifier.distance(digits("train")[0])
    found["accuracy"] = classifier.accuracy()
    found["over_gaussian"] = found["frechet"] / found["frechet_gaussian"]
    found["path"] = half_way(model)
    if seed == 0:
        draw_rows([*pictures[""][:64].split(16), *ways(model)], Path("docs/family/glann.png"))
    return found


def half_way(model: Glann, pairs: int = 2000) -> float:
    """From the middle of a way to the nearest training code; both ways have the same ends, which the sampler drew."""
    torch.manual_seed(0)
    first, second = (model.sampler.noise(pairs) for _ in range(2))
    codes = model.glo.codes.detach()
    arc = model.from_noise(interpolate(first, second, 3, "arc")[1]).vector
    line = (model.from_noise(first).vector + model.from_noise(second).vector) / 2
    return (torch.cdist(arc, codes).amin(1).mean() / torch.cdist(line, codes).amin(1).mean()).item()


def ways(model: Glann) -> list[torch.Tensor]:
    torch.manual_seed(3)
    first, second = (model.sampler.noise(3) for _ in range(2))
    with torch.no_grad():
        return [
            model.decode(model.from_noise(way)) for way in interpolate(first, second, 16, "arc").unbind(1)
        ]
