"""Autoencoders on digits: below principal components at equal
size, and what happens where the code is as wide as the picture.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.systems.pca import with_size
from benchmarks.systems.system import (
    Bar,
    Figures,
    all_pictures,
    picture_rows,
    reconstruction,
    save_page_picture,
    seeded,
    squared_error,
    trained,
)
from motes.apps.drawing.marks import sheet
from motes.training.presets import PRESETS

PIXELS = 64
SIZES = (2, 8)
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


def run(seed: int, folder: Path) -> Figures:
    recipe = seeded(PRESETS["autoencoder-digits"].recipe, seed)
    pca = seeded(PRESETS["pca-digits"].recipe, seed)
    tested = all_pictures(recipe, "test")
    plain = {size: trained(with_size(recipe, size), folder / f"plain-{size}") for size in SIZES}
    components = {size: trained(with_size(pca, size), folder / f"pca-{size}") for size in SIZES}
    wide = replace(recipe, model_config={"code_dim": PIXELS, "network": "linear"})
    figures = {"wide_noise": copied_noise(trained(wide, folder / "wide", "last"))}
    figures["narrow_noise"] = copied_noise(plain[8])
    for size in SIZES:
        figures[f"plain_{size}"] = squared_error(plain[size], tested) / PIXELS
        figures[f"pca_{size}"] = squared_error(components[size], tested) / PIXELS
        figures[f"ratio_{size}"] = figures[f"plain_{size}"] / figures[f"pca_{size}"]
    if seed == 0:
        # Test digits; by the autoencoder with 2 and 8 numbers, and by principal components with as many.
        image = tested[:16]
        drawn = [reconstruction(model, image) for model in (*plain.values(), *components.values())]
        save_page_picture(sheet(picture_rows((image, *drawn), 48)).convert("L"), "autoencoder")
    return figures


def copied_noise(model: Any) -> float:
    """1 for a copier, which has learnt nothing about digits;
    0 or less for a model that draws digits whatever it gets.
    """
    noise: Tensor = torch.rand(500, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    variance = (noise - noise.mean(0)).square().sum((1, 2, 3)).mean().item()
    return 1 - squared_error(model, noise) / variance
