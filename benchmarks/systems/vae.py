"""The variational autoencoder on digits: the linear one against algebra, what extra numbers do, and how likely test digits are."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from bar import Bar
from digit_features import Classifier, digits, draw_rows
from runs import finished

from motes import load
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


def measure(seed: int, folder: Path) -> dict[str, float]:
    found = {"linear_gap": linear_gap(seed, folder / "linear")}
    classifier = Classifier(seed)
    models = {size: trained(seed, folder / f"{size}", {"code_dim": size}) for size in SIZES}
    for size, model in models.items():
        found |= {f"{name}_{size}": value for name, value in judged(model, classifier).items()}
    found["likelihood_rise"] = found["likelihood_10"] - found["likelihood_2"]
    found["used_rise"] = found["used_20"] - found["used_10"]
    found["bound_rise"] = found["likelihood_10"] - found["bound_10"]
    found["divergence_gap"] = divergence_gap(models[10])
    if seed == 0:
        with torch.no_grad():
            grid = draw_manifold(models[2], 12, standard_normal_codes(models[2]))
        draw_rows(list(grid), Path("docs/family/vae.png"))
    return found


def trained(seed: int, folder: Path, options: dict[str, Any], **training: Any) -> Any:
    recipe = PRESETS["vae-digits"].recipe
    recipe = replace(
        recipe,
        model_config={**recipe.model_config, **options},
        training=replace(recipe.training, seed=seed, **training),
    )
    return load(finished(recipe, folder))


def judged(model: Any, classifier: Classifier) -> dict[str, float]:
    torch.manual_seed(0)
    weights, usage = log_weights(model, digits("test")[0], SAMPLES), code_usage(model, digits("test")[0])
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
    """All training digits in each step; what the decoder says of them, integrated over the code, against the closed form."""
    options = {"network": "linear", "code_dim": size, "reconstruction": "gaussian-learned", "variance": 0.05}
    trained(seed, folder, options, steps=3000, batch_size=1300, learning_rate=2e-2, evaluate_every=3000)
    model: Any = load(folder / "checkpoints" / "last")
    flat = digits("train")[0].flatten(1).double()
    with torch.no_grad():
        layer, variance = model.draw[0].double(), model.observed.log_variance.value.double().exp()
        ours = linear_gaussian_likelihood(flat, layer.bias, layer.weight, variance)
    return (principal_likelihood(flat, flat, size) - ours).mean().item()


def divergence_gap(model: Any) -> float:
    with torch.no_grad():
        code = model.encode(digits("test")[0])
        mean, log_variance, zero = code.vector, code.log_variance, torch.zeros_like(code.vector)
        samples = [sample_normal(mean, log_variance) for _ in range(2000)]
        sampled = torch.stack(
            [log_normal(z, mean, log_variance) - log_normal(z, zero, zero) for z in samples]
        ).mean()
        return (sampled / kl_to_standard_normal(mean, log_variance).sum(1).mean() - 1).abs().item()
