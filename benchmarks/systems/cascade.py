"""The cascade on streets: perceptual loss against pixel loss, one picture of a layout against several. Layouts of the test split.

Frechet distances are between drawn and true pictures, in channel means of networks that no cascade was trained against: the reader of
layouts, which learned from true pictures alone and is the same in all runs of a seed, and a random network.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from bar import Bar
from runs import finished

from motes.apps.drawing import marks as draw
from motes.models.checkpoint import load
from motes.models.poses.cascade import Layout, one_hot
from motes.ops.scores.metrics import frechet_distance
from motes.training import loop
from motes.training.presets import PRESETS
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
Network = Callable[[Image], list[torch.Tensor]]
HYPOTHESES = 3
PICTURE = Path(__file__).parents[2] / "docs" / "family" / "cascade.png"
LAPLACIAN = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])[None, None]
COLOURS = torch.tensor(
    [[0.55, 0.75, 1], [0.4, 0.4, 0.42], [0.75, 0.55, 0.4], [0.9, 0.15, 0.15], [0.2, 0.6, 0.25]]
)


def measure(seed: int, folder: Path) -> dict[str, float]:
    model = trained(folder / "one", seed)
    pixel = trained(folder / "pixel", seed, reconstruction="mse")
    several = trained(folder / "several", seed, hypotheses=HYPOTHESES)
    data = loop.open_data(PRESETS["cascade-streets"].recipe, "test")
    test = data.batch_with(range(len(data)), ("layout",))
    with torch.no_grad():
        drawn, blurred = drawings(model, test)[:, 0], drawings(pixel, test)[:, 0]
        three = drawings(several, test)
        found = {
            "sharp": sharpness(drawn) / sharpness(test.image),
            "pixel_sharp": sharpness(blurred) / sharpness(test.image),
        }
        others = {"": model.read.features, "random_": random_features(seed=1)}
        for name, network in others.items():
            ours, theirs = (frechet(network, one, test.image) for one in (drawn, blurred))
            found |= {
                f"{name}frechet": ours,
                f"{name}pixel_frechet": theirs,
                f"{name}over_pixel": ours / theirs,
            }
        told = test.facts["layout"]
        for name, image in (("read", test.image), ("found", drawn), ("pixel_found", blurred)):
            found[name] = (model.encode(image).classes == told).float().mean().item()
        found["apart"] = apart(others[""], three, test.image)
        found["best"] = cost(several, three, test) / cost(several, drawn[:, None], test)
    if seed == 0:
        save(test, blurred, drawn, three)
    return found


def trained(folder: Path, seed: int, **options: Any) -> Any:
    recipe = PRESETS["cascade-streets"].recipe
    training = replace(recipe.training, seed=seed, max_minutes=0.0)
    return load(
        finished(replace(recipe, model_config={**recipe.model_config, **options}, training=training), folder)
    ).eval()


def drawings(model: Any, batch: Batch) -> torch.Tensor:
    """All pictures of every layout, B U C H W."""
    return model.hypotheses(Layout.of_classes(batch.facts["layout"], model.config.classes)).clamp(0, 1)


def sharpness(image: Image) -> float:
    return F.conv2d(image.mean(1, keepdim=True), LAPLACIAN).var().item()


def means(network: Network, image: Image) -> torch.Tensor:
    return torch.cat([maps.mean((2, 3)) for maps in network(image)], 1)


def frechet(network: Network, image: Image, others: Image) -> float:
    return frechet_distance(means(network, image), means(network, others))


def apart(network: Network, several: torch.Tensor, image: Image) -> float:
    seen = torch.stack([means(network, several[:, n]) for n in range(several.shape[1])])
    true = means(network, image)
    between = torch.stack(
        [(seen[a] - seen[b]).norm(dim=1).mean() for a in range(len(seen)) for b in range(a)]
    ).mean()
    return (between / (true - true.roll(1, 0)).norm(dim=1).mean()).item()


def cost(model: Any, drawn: torch.Tensor, batch: Batch) -> float:
    """Of the best picture of each class, as the loss has it, whoever drew them."""
    layout = one_hot(batch.facts["layout"], model.config.classes)
    return model.costs(drawn, batch.image, layout).amin(1).sum(1).mean().item()


def save(batch: Batch, blurred: Image, drawn: Image, several: torch.Tensor, count: int = 4) -> None:
    """Layouts; pixel loss; perceptual loss; the second and third of three; the true pictures."""
    layout = COLOURS[batch.facts["layout"]].movedim(3, 1)
    rows = [layout, blurred, drawn, several[:, 1], several[:, 2], batch.image]
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    draw.sheet([[draw.to_picture(one, 192) for one in row[:count]] for row in rows]).save(
        PICTURE, optimize=True
    )
