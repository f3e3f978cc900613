"""Autoencoders on digits: below principal components at equal size, and what happens where the code is as wide as the picture."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from bar import Bar
from pca import lost, pictures, trained
from runs import seeded

from motes.apps.draw import sheet, to_picture
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe

PICTURE = Path(__file__).parents[2] / "docs" / "family" / "autoencoder.png"
PIXELS = 64
BARS = [
    Bar("plain_2", "squared error of a pixel, test digits, code of 2"),
    Bar("pca_2", "the same of PCA"),
    Bar("ratio_2", "their ratio", "<=", 1.0),
    Bar("plain_8", "squared error of a pixel, test digits, code of 8"),
    Bar("pca_8", "the same of PCA"),
    Bar("ratio_8", "their ratio", "<=", 1.0),
    Bar("wide_noise", "repeating of pure noise by a code of 64 linear units: share of its variance kept"),
    Bar("narrow_noise", "and by the code of 8"),
]


def measure(seed: int, folder: Path) -> dict[str, float]:
    recipe = seeded(PRESETS["autoencoder-digits"].recipe, seed)
    tested = pictures(recipe, "test")
    plain = {size: trained(sized(recipe, size), folder / f"plain-{size}") for size in (2, 8)}
    closed = {
        size: trained(sized(seeded(PRESETS["pca-digits"].recipe, seed), size), folder / f"pca-{size}")
        for size in (2, 8)
    }
    wide = trained(
        replace(recipe, model_config={"code_dim": PIXELS, "network": "linear"}), folder / "wide", "last"
    )
    found = {f"plain_{size}": lost(model, tested) / PIXELS for size, model in plain.items()}
    found |= {f"pca_{size}": lost(model, tested) / PIXELS for size, model in closed.items()}
    found |= {f"ratio_{size}": found[f"plain_{size}"] / found[f"pca_{size}"] for size in (2, 8)}
    if seed == 0:
        _draw(tested[:16], plain, closed)
    return {**found, "wide_noise": _kept(wide), "narrow_noise": _kept(plain[8])}


def sized(recipe: Recipe, size: int) -> Recipe:
    return replace(recipe, model_config={**recipe.model_config, "code_dim": size})


def _kept(model: Any) -> float:
    """1 for a copier, which has learnt nothing about digits; 0 or less for who draws digits whatever it sees."""
    noise = torch.rand(500, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return 1 - lost(model, noise) / (noise - noise.mean(0)).square().sum((1, 2, 3)).mean().item()


def _draw(image: torch.Tensor, plain: dict[int, Any], closed: dict[int, Any]) -> None:
    """Test digits; by the autoencoder with 2 and 8 numbers, and by principal components with as many."""
    with torch.no_grad():
        drawn = [model.decode(model.encode(image)) for model in (*plain.values(), *closed.values())]
    PICTURE.parent.mkdir(exist_ok=True)
    sheet([[to_picture(one, 48) for one in row] for row in (image, *drawn)]).convert("L").save(
        PICTURE, optimize=True
    )
