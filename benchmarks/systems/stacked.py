"""Stacks on rectangles, tall or wide: random start against plain
pre-training against denoising; and what the paper and an SVM reach.

The paper's errors on its own draw of this set, 50,000 test pictures: SVM with an RBF kernel 2.15 %, SAE-3
2.41 %, SDAE-3 1.99 %.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.systems.system import (
    Bar,
    Figures,
    changed,
    finished,
    picture_rows,
    reconstruction,
    save_page_picture,
    seeded,
    trained,
)
from motes import load
from motes.apps.drawing.marks import sheet, to_picture
from motes.explore.filters import filter_sheet, filters_of
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe
from motes.training.run import Run

BARS = [
    Bar("random", "test error %, random start (layers not pre-trained)"),
    Bar("plain", "test error %, stacked plain autoencoders (paper 2.41)"),
    Bar("denoising", "test error %, stacked denoising autoencoders (paper 1.99)", "<=", 3.0),
    Bar("amount", "share of a picture that was hidden then, chosen by the validation split"),
    Bar("plain_over_random", "plain over random start", "<=", 1.0),
    Bar("denoising_over_plain", "denoising over plain", "<=", 1.0),
    Bar("svm", "test error %, RBF SVM chosen by the validation split (paper 2.15)"),
]
AMOUNTS = (0.25, 0.4)  # of what is hidden


def run(seed: int, folder: Path) -> Figures:
    recipe = seeded(PRESETS["stacked-rectangles"].recipe, seed)
    figures = denoising_figures(recipe, folder)
    figures["random"] = class_error(from_random(recipe), folder / "random")
    figures["plain"] = class_error(changed(recipe, amount=0.0), folder / "plain")
    figures["svm"] = svm_error(recipe)
    figures["plain_over_random"] = figures["plain"] / figures["random"]
    figures["denoising_over_plain"] = figures["denoising"] / figures["plain"]
    if seed == 0:
        draw_layers(recipe, folder, figures["amount"])
    return figures


def denoising_figures(recipe: Recipe, folder: Path) -> Figures:
    """With the amount that is best on the validation split. The paper chooses likewise, from these and 0.1."""
    recipes = {amount: changed(recipe, amount=amount) for amount in AMOUNTS}
    runs = {amount: folder / f"denoising-{amount}" for amount in AMOUNTS}
    cross_entropy = {amount: best_validation(finished(recipes[amount], runs[amount])) for amount in AMOUNTS}
    amount = min(AMOUNTS, key=cross_entropy.__getitem__)
    return {"amount": amount, "denoising": class_error(recipes[amount], runs[amount])}


def best_validation(folder: Path) -> float:
    """Of the classifier's checkpoints: what `load` takes."""
    return min(record["validation"] for record in Run(folder).read_metrics() if "validation" in record)


def from_random(recipe: Recipe) -> Recipe:
    """Twice the steps of the others' classifiers; the best on the validation split is taken of each."""
    share = 1 - recipe.model_config["pretraining"]
    steps = round(2 * share * recipe.training.steps)
    training = replace(recipe.training, steps=steps, evaluate_every=recipe.training.evaluate_every // 2)
    return changed(replace(recipe, training=training), pretraining=0.0)


def class_error(recipe: Recipe, folder: Path) -> float:
    model = trained(recipe, folder)
    data = recipe.data.open("test")
    mistakes = 0.0
    with torch.no_grad():
        for start in range(0, len(data), 2500):
            batch = data.batch(range(start, start + 2500), model.needs)
            mistakes += model.validate(batch).terms["error_rate"].sum().item()
    return 100 * mistakes / len(data)


def svm_error(recipe: Recipe) -> float:
    from sklearn.svm import SVC

    learnt, validation, tested = (
        pixels_and_classes(recipe, split) for split in ("train", "validation", "test")
    )
    settings = [(c, gamma) for c in (10.0, 1000.0) for gamma in (0.01, 0.02, 0.04, 0.06)]
    machines = [SVC(C=c, gamma=gamma).fit(*learnt) for c, gamma in settings]
    best = max(machines, key=lambda machine: machine.score(*validation))
    return 100 * (1 - best.score(*tested))


def pixels_and_classes(recipe: Recipe, split: Any) -> tuple[np.ndarray, np.ndarray]:
    """Of the test split the first tenth, which is enough for a second digit."""
    data = recipe.data.open(split)
    batch = data.batch(range(min(len(data), 5000)), ("class",))
    return batch.image.flatten(1).numpy(), batch.labels["class"].numpy()


def draw_layers(recipe: Recipe, folder: Path, amount: float) -> None:
    """What the first layer looks for, denoising and plain; below,
    test pictures and what is drawn from the topmost codes.
    """
    image = recipe.data.open("test").batch(range(16)).image
    models = [load(folder / name) for name in (f"denoising-{amount}", "plain")]
    sheets = [[to_picture(filter_sheet(filters_of(model)[:64], 16)[0], 960)] for model in models]
    rows = picture_rows((image, reconstruction(models[0], image)), 56)
    save_page_picture(sheet([*sheets, *rows]).convert("L"), "stacked")
