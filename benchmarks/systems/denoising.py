"""Denoising: hidden pixels of digits against principal components, and what units look for in patches against weight decay."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from autoencoder import sized
from bar import Bar
from pca import lost, pictures, trained
from runs import seeded
from torch import Tensor

from motes.apps.draw import sheet, to_picture
from motes.explore.filters import contact_sheet, filters_of, orientation_selectivity, selective_share
from motes.ops.corruption import corruption
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe

PICTURE = Path(__file__).parents[2] / "docs" / "family" / "denoising.png"
PIXELS, HIDDEN = 64, 0.25
DECAYS = (1e-3, 5e-3)  # of the rival, of which the most selective is taken
BARS = [
    Bar("clean", "squared error of a pixel, clean test digits, code of 8, over PCA's", "<=", 1.0),
    Bar("repair", "the same with a quarter of the pixels hidden, over PCA's", "<=", 1.0),
    Bar("repair_ridge", "over that of PCA fitted to the visible pixels only"),
    Bar("selective", "units that prefer one orientation, denoising, dead leaves, %"),
    Bar("selective_decay", "the same by weight decay, at the better of two strengths, %"),
    Bar("more", "their difference, points", ">=", 20.0),
    Bar("index", "mean orientation selectivity, denoising"),
    Bar("index_decay", "the same by weight decay"),
]


def measure(seed: int, folder: Path) -> dict[str, float]:
    recipe = seeded(PRESETS["denoising-digits"].recipe, seed)
    model = trained(recipe, folder / "digits")
    closed = trained(sized(seeded(PRESETS["pca-digits"].recipe, seed), 8), folder / "pca")
    tested = pictures(recipe, "test")
    torch.manual_seed(seed)
    hurt = corruption("masking", HIDDEN)(tested)
    leaves = seeded(PRESETS["denoising-leaves"].recipe, seed)
    filters = filters_of(trained(leaves, folder / "leaves", "last"))
    rivals = [
        filters_of(trained(decayed(leaves, decay), folder / f"decay-{decay}", "last")) for decay in DECAYS
    ]
    decay = max(rivals, key=selective_share)
    if seed == 0:
        _draw(model, closed, tested, hurt.values, [filters, decay])
    found = {"selective": 100 * selective_share(filters), "selective_decay": 100 * selective_share(decay)}
    return {
        "clean": lost(model, tested) / lost(closed, tested),
        "repair": _off(model, hurt.values, tested) / _off(closed, hurt.values, tested),
        "repair_ridge": _off(model, hurt.values, tested) / _ridge(closed, hurt.values, ~hurt.touched, tested),
        **found,
        "more": found["selective"] - found["selective_decay"],
        "index": orientation_selectivity(filters).mean().item(),
        "index_decay": max(orientation_selectivity(one).mean().item() for one in rivals),
    }


def decayed(leaves: Recipe, decay: float) -> Recipe:
    """The same network on the same patches, seen clean, its weights kept small instead."""
    kept = {name: leaves.model_config[name] for name in ("code_dim", "network")}
    return replace(leaves, model="autoencoder", model_config={**kept, "weight_decay": decay})


def _off(model: Any, seen: Tensor, wanted: Tensor) -> float:
    with torch.no_grad():
        return (model.decode(model.encode(seen)) - wanted).square().sum((1, 2, 3)).mean().item()


def _ridge(closed: Any, seen: Tensor, visible: Tensor, wanted: Tensor) -> float:
    """The rival that is told which pixels are hidden: the likeliest code under the components' Gaussian, from the others alone."""
    noise = closed.dropped / (PIXELS - 8)
    scaled = closed.axes * closed.deviation
    error = 0.0
    for picture, mask, truth in zip(seen.flatten(1), visible.flatten(1), wanted.flatten(1), strict=True):
        read = scaled[mask]
        code = torch.linalg.solve(
            read.T @ read + noise * torch.eye(8), read.T @ (picture - closed.mean)[mask]
        )
        error += (closed.mean + scaled @ code - truth).square().sum().item()
    return error / len(seen)


def _draw(model: Any, closed: Any, tested: Tensor, hurt: Tensor, filters: list[Tensor]) -> None:
    """Digits, the same with pixels hidden, as repaired, as PCA repairs them; below, filters by denoising and by weight decay."""
    with torch.no_grad():
        rows = [tested, hurt, *(one.decode(one.encode(hurt)) for one in (model, closed))]
    digits = [[to_picture(one, 48) for one in row[:16]] for row in rows]
    sheets = [[to_picture(contact_sheet(one, 16)[0], 850)] for one in filters]
    PICTURE.parent.mkdir(exist_ok=True)
    sheet([*digits, *sheets]).convert("L").save(PICTURE, optimize=True)
