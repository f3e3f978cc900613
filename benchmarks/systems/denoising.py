"""Denoising: hidden pixels of digits against principal components,
and what units look for in patches against weight decay.
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
from motes.apps.drawing.marks import sheet, to_picture
from motes.explore.filters import filter_sheet, filters_of, orientation_selectivity, selective_share
from motes.ops.pictures.corruption import corruption
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe

PIXELS, HIDDEN, SIZE = 64, 0.25, 8
DECAYS = (1e-3, 5e-3)  # of the weights that are kept small, of which the most selective is taken
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


def run(seed: int, folder: Path) -> Figures:
    recipe = seeded(PRESETS["denoising-digits"].recipe, seed)
    pca = with_size(seeded(PRESETS["pca-digits"].recipe, seed), SIZE)
    model = trained(recipe, folder / "digits")
    components = trained(pca, folder / "pca")
    tested = all_pictures(recipe, "test")
    torch.manual_seed(seed)
    hurt = corruption("masking", HIDDEN)(tested)
    repair = repair_error(model, hurt.values, tested)
    figures = {
        "clean": squared_error(model, tested) / squared_error(components, tested),
        "repair": repair / repair_error(components, hurt.values, tested),
        "repair_ridge": repair / ridge_error(components, hurt.values, ~hurt.touched, tested),
    }
    leaves = seeded(PRESETS["denoising-leaves"].recipe, seed)
    filters = filters_of(trained(leaves, folder / "leaves", "last"))
    rivals = [
        filters_of(trained(decayed(leaves, decay), folder / f"decay-{decay}", "last")) for decay in DECAYS
    ]
    if seed == 0:
        rows = [
            tested,
            hurt.values,
            *(reconstruction(network, hurt.values) for network in (model, components)),
        ]
        draw_repairs(rows, [filters, max(rivals, key=selective_share)])
    return {**figures, **selectivity(filters, rivals)}


def selectivity(filters: Tensor, rivals: list[Tensor]) -> Figures:
    share = 100 * selective_share(filters)
    decay_share = 100 * max(selective_share(rival) for rival in rivals)
    return {
        "selective": share,
        "selective_decay": decay_share,
        "more": share - decay_share,
        "index": orientation_selectivity(filters).mean().item(),
        "index_decay": max(orientation_selectivity(rival).mean().item() for rival in rivals),
    }


def decayed(leaves: Recipe, decay: float) -> Recipe:
    """The same network on the same patches, unhurt, its weights kept small instead."""
    network = {name: leaves.model_config[name] for name in ("code_dim", "network")}
    return replace(leaves, model="autoencoder", model_config={**network, "weight_decay": decay})


def repair_error(model: Any, hurt: Tensor, truth: Tensor) -> float:
    return (reconstruction(model, hurt) - truth).square().sum((1, 2, 3)).mean().item()


def ridge_error(components: Any, hurt: Tensor, visible: Tensor, truth: Tensor) -> float:
    """Of a rival that knows which pixels are hidden: the likeliest
    code under the components' Gaussian, from the others alone.
    """
    noise = components.dropped / (PIXELS - SIZE)
    scaled = components.axes * components.deviation
    error = 0.0
    for picture, mask, target in zip(hurt.flatten(1), visible.flatten(1), truth.flatten(1), strict=True):
        rows = scaled[mask]
        right = rows.T @ (picture - components.mean)[mask]
        code = torch.linalg.solve(rows.T @ rows + noise * torch.eye(SIZE), right)
        error += (components.mean + scaled @ code - target).square().sum().item()
    return error / len(hurt)


def draw_repairs(rows: list[Tensor], filters: list[Tensor]) -> None:
    """Digits, the same with pixels hidden, as repaired, as PCA
    repairs them; below, filters by denoising and by weight decay.
    """
    digits = picture_rows((row[:16] for row in rows), 48)
    sheets = [[to_picture(filter_sheet(weights, 16)[0], 850)] for weights in filters]
    save_page_picture(sheet([*digits, *sheets]).convert("L"), "denoising")
