"""Stacks on rectangles, tall or wide: random start against plain pre-training against denoising; and what the paper and an SVM reach.

The paper's errors on its own draw of this set, 50,000 test pictures: SVM with an RBF kernel 2.15 %, SAE-3 2.41 %, SDAE-3 1.99 %.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bar import Bar
from runs import finished, seeded

from motes import load
from motes.apps.draw import sheet, to_picture
from motes.explore.filters import contact_sheet, filters_of
from motes.training.loop import open_data
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe
from motes.training.run import Run

PICTURE = Path(__file__).parents[2] / "docs" / "family" / "stacked.png"
BARS = [
    Bar("random", "test error %, random start (layers not pre-trained)"),
    Bar("plain", "test error %, stacked plain autoencoders (paper 2.41)"),
    Bar("denoising", "test error %, stacked denoising autoencoders (paper 1.99)", "<=", 3.0),
    Bar("amount", "share of a picture that was hidden then, chosen by the validation split"),
    Bar("plain_over_random", "plain over random start", "<=", 1.0),
    Bar("denoising_over_plain", "denoising over plain", "<=", 1.0),
    Bar("svm", "test error %, RBF SVM chosen by the validation split (paper 2.15)"),
]
PRESET = "stacked-rectangles"
AMOUNTS = (0.25, 0.4)  # of what is hidden


def measure(seed: int, folder: Path) -> dict[str, float]:
    recipe = seeded(PRESETS[PRESET].recipe, seed)
    found = {
        **_denoising(recipe, folder),
        "random": _error(_from_random(recipe), folder / "random"),
        "plain": _error(
            replace(recipe, model_config={**recipe.model_config, "amount": 0.0}), folder / "plain"
        ),
        "svm": _svm(recipe),
    }
    found["plain_over_random"] = found["plain"] / found["random"]
    found["denoising_over_plain"] = found["denoising"] / found["plain"]
    if seed == 0:
        _draw(recipe, folder, found["amount"])
    return found


def _denoising(recipe: Recipe, folder: Path) -> dict[str, float]:
    """With the amount that is best on the validation split, as in the paper, whose choices are these and 0.1."""
    tried = [replace(recipe, model_config={**recipe.model_config, "amount": amount}) for amount in AMOUNTS]
    surprise = [
        _least_surprise(finished(one, folder / f"denoising-{amount}"))
        for one, amount in zip(tried, AMOUNTS, strict=True)
    ]
    chosen = surprise.index(min(surprise))
    return {
        "amount": AMOUNTS[chosen],
        "denoising": _error(tried[chosen], folder / f"denoising-{AMOUNTS[chosen]}"),
    }


def _least_surprise(folder: Path) -> float:
    """Of the classifier's checkpoints: what `load` takes."""
    return min(line["validation"] for line in Run(folder).read_metrics() if "validation" in line)


def _from_random(recipe: Recipe) -> Recipe:
    """Twice the steps of the others' classifiers; the best on the validation split is taken of each."""
    share = 1 - recipe.model_config["pretraining"]
    training = replace(
        recipe.training,
        steps=round(2 * share * recipe.training.steps),
        evaluate_every=recipe.training.evaluate_every // 2,
    )
    return replace(recipe, model_config={**recipe.model_config, "pretraining": 0.0}, training=training)


def _error(recipe: Recipe, folder: Path) -> float:
    model, data = load(finished(recipe, folder)).eval(), open_data(recipe, "test")
    wrong = 0.0
    with torch.no_grad():
        for start in range(0, len(data), 2500):
            wrong += (
                model.validate(data.batch_with(range(start, start + 2500), model.needs))
                .terms["mistakes"]
                .sum()
                .item()
            )
    return 100 * wrong / len(data)


def _svm(recipe: Recipe) -> float:
    from sklearn.svm import SVC

    learnt, chosen_by, tested = (_table(recipe, split) for split in ("train", "validation", "test"))
    tried = [SVC(C=c, gamma=gamma).fit(*learnt) for c in (10.0, 1000.0) for gamma in (0.01, 0.02, 0.04, 0.06)]
    best = max(tried, key=lambda one: one.score(*chosen_by))
    return 100 * (1 - best.score(*tested))


def _table(recipe: Recipe, split: Any) -> tuple[np.ndarray, np.ndarray]:
    """Of the test split the first tenth, which is enough for a second digit."""
    data = open_data(recipe, split)
    batch = data.batch_with(range(min(len(data), 5000)), ("class",))
    return batch.image.flatten(1).numpy(), batch.facts["class"].numpy()


def _draw(recipe: Recipe, folder: Path, amount: float) -> None:
    """What the first layer looks for, denoising and plain; below, test pictures and what is drawn from the topmost codes."""
    image = open_data(recipe, "test").batch(range(16)).image
    models = [load(folder / name).eval() for name in (f"denoising-{amount}", "plain")]
    sheets = [to_picture(contact_sheet(filters_of(one)[:64], 16)[0], 960) for one in models]
    with torch.no_grad():
        drawn = models[0].decode(models[0].encode(image))
    rows = [[to_picture(one, 56) for one in pictures] for pictures in (image, drawn)]
    PICTURE.parent.mkdir(exist_ok=True)
    sheet([*([one] for one in sheets), *rows]).convert("L").save(PICTURE, optimize=True)
