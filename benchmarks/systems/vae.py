"""The variational autoencoder on digits: the linear one against
algebra, what extra numbers do, and how likely test digits are.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.quality.digit_features import Classifier, digits, draw_rows
from benchmarks.systems.system import PAGES, Bar, Figures, changed, trained
from motes.evaluation.likelihood import code_usage, log_weights
from motes.explore.manifold import draw_manifold, standard_normal_codes
from motes.ops.densities.divergence import kl_to_standard_normal, sample_normal
from motes.ops.densities.likelihood_bounds import (
    importance_bound,
    linear_gaussian_likelihood,
    log_normal,
    principal_likelihood,
)
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe

SIZES, SAMPLES = (2, 10, 20), 200
BARS = [
    Bar("linear_gap", "linear VAE below probabilistic PCA, nats a training digit", "<=", 0.1),
    Bar("divergence_gap", "KL in closed form against 2000 samples, relative", "<=", 0.02),
    Bar("likelihood_rise", "log p of test digits, 10 numbers over 2, nats (200 samples)", ">=", 0.0),
    Bar("used_rise", "numbers with KL > 0.1 nat, 20 offered over 10 offered", "<=", 1.0),
    Bar("bound_rise", "bound of 200 samples over that of 1, 10 numbers, nats", ">=", 0.0),
    *[Bar(f"likelihood_{size}", f"log p of test digits, {size} numbers, nats") for size in SIZES],
    *[Bar(f"active_{size}", f"numbers whose mean moves, of {size}") for size in SIZES],
    *[Bar(f"used_{size}", f"numbers with KL > 0.1 nat, of {size}") for size in SIZES],
    Bar("frechet_10", "Frechet distance of samples from the prior, 10 numbers"),
]


def run(seed: int, folder: Path) -> Figures:
    figures = {"linear_gap": linear_gap(seed, folder / "linear")}
    classifier = Classifier(seed)
    models = {size: trained(vae_recipe(seed, code_dim=size), folder / f"{size}") for size in SIZES}
    for size, model in models.items():
        figures |= {f"{name}_{size}": value for name, value in likelihood_figures(model, classifier).items()}
    figures["likelihood_rise"] = figures["likelihood_10"] - figures["likelihood_2"]
    figures["used_rise"] = figures["used_20"] - figures["used_10"]
    figures["bound_rise"] = figures["likelihood_10"] - figures["bound_10"]
    figures["divergence_gap"] = divergence_gap(models[10])
    if seed == 0:
        with torch.no_grad():
            grid = draw_manifold(models[2], 12, standard_normal_codes(models[2]))
        draw_rows(list(grid), PAGES / "vae.png")
    return figures


def vae_recipe(seed: int, **options: Any) -> Recipe:
    recipe = PRESETS["vae-digits"].recipe
    return changed(replace(recipe, training=replace(recipe.training, seed=seed)), **options)


def likelihood_figures(model: Any, classifier: Classifier) -> Figures:
    torch.manual_seed(0)
    image = digits("test")[0]
    weights = log_weights(model, image, SAMPLES)
    usage = code_usage(model, image)
    with torch.no_grad():
        drawn = model.decode(model.sample(2000))
    return {
        "likelihood": importance_bound(weights, SAMPLES).mean().item(),
        "bound": importance_bound(weights, 1).mean().item(),
        "active": float(usage.count),
        "used": float((usage.divergence > 0.1).sum()),
        "frechet": classifier.distance(drawn),
    }


def linear_gap(seed: int, folder: Path, size: int = 8) -> float:
    """All training digits in each step; the likelihood under the
    decoder, integrated over the code, against the closed form.
    """
    recipe = vae_recipe(
        seed, network="linear", code_dim=size, reconstruction="gaussian-learned", variance=0.05
    )
    budget = {"steps": 3000, "batch_size": 1300, "learning_rate": 2e-2, "evaluate_every": 3000}
    model = trained(replace(recipe, training=replace(recipe.training, **budget)), folder, "last")
    flat = digits("train")[0].flatten(1).double()
    with torch.no_grad():
        layer = model.draw[0].double()
        variance = model.observed.log_variance.value.double().exp()
        likelihood = linear_gaussian_likelihood(flat, layer.bias, layer.weight, variance)
    return (principal_likelihood(flat, flat, size) - likelihood).mean().item()


@torch.no_grad()
def divergence_gap(model: Any) -> float:
    code = model.encode(digits("test")[0])
    mean, log_variance = code.vector, code.log_variance
    zero = torch.zeros_like(mean)
    samples = [sample_normal(mean, log_variance) for _ in range(2000)]
    ratios = [log_normal(sample, mean, log_variance) - log_normal(sample, zero, zero) for sample in samples]
    exact = kl_to_standard_normal(mean, log_variance).sum(1).mean()
    return (torch.stack(ratios).mean() / exact - 1).abs().item()
