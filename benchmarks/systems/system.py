"""What a system's benchmark consists of: bars for its figures, runs of its recipe, a picture for its page.

A system's file has BARS, a list of these, and run(seed, folder) -> {measure: value}. With seed 0 it also
draws the page's picture.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from PIL.Image import Image
from torch import Tensor

from motes import load
from motes.apps.drawing.marks import to_picture
from motes.training.loop import resume, train
from motes.training.recipe import Recipe, read_recipe

PAGES = Path(__file__).parents[2] / "docs" / "family"
Figures = dict[str, float]


@dataclass(frozen=True)
class Bar:
    """A measured number, in words, and where it should
    lie; without a limit it is printed for comparison only.
    """

    measure: str
    about: str
    side: Literal["<=", ">="] = "<="
    limit: float | None = None

    @property
    def words(self) -> str:
        return "" if self.limit is None else f"{self.side} {self.limit:g}"

    def verdict(self, value: float) -> str:
        if self.limit is None:
            return ""
        met = value <= self.limit if self.side == "<=" else value >= self.limit
        return "yes" if met else "NO"


def seeded(recipe: Recipe, seed: int) -> Recipe:
    """Another seed for the pictures in the splits and for the start."""
    training = replace(recipe.training, seed=seed)
    return replace(recipe, data=recipe.data.changed({"seed": seed}), training=training)


def changed(recipe: Recipe, **options: Any) -> Recipe:
    """The recipe with other options of its model."""
    return replace(recipe, model_config={**recipe.model_config, **options})


def finished(recipe: Recipe, folder: Path) -> Path:
    """The folder of the run, trained to its end from the start or from where it was stopped.

    A run of another recipe that lies there would be measured in place of this one, so it is refused.
    """
    if not (folder / "run.json").exists():
        return train(recipe, folder)
    old, new = (json.loads(json.dumps(asdict(version))) for version in (read_recipe(folder), recipe))
    # A run's recipe has all fields of the model's configuration.
    old["model_config"] = {name: old["model_config"].get(name) for name in new["model_config"]}
    if old != new:
        sys.exit(f"{folder} holds a run of another recipe; remove it, or choose another --out")
    return resume(folder)


def trained(recipe: Recipe, folder: Path, checkpoint: str = "best") -> Any:
    """The model of the finished run."""
    return load(finished(recipe, folder) / "checkpoints" / checkpoint)


def all_pictures(recipe: Recipe, split: Any) -> Tensor:
    data = recipe.data.open(split)
    return data.batch(range(len(data))).image


def reconstruction(model: Any, image: Tensor) -> Tensor:
    with torch.no_grad():
        return model.decode(model.encode(image))


def squared_error(model: Any, image: Tensor) -> float:
    """Of a reconstruction, summed over a picture, on average."""
    return (reconstruction(model, image) - image).square().sum((1, 2, 3)).mean().item()


def picture_rows(rows: Iterable[Iterable[Tensor]], side: int) -> list[list[Image]]:
    return [[to_picture(image, side) for image in row] for row in rows]


def save_page_picture(image: Image, name: str) -> None:
    PAGES.mkdir(parents=True, exist_ok=True)
    image.save(PAGES / f"{name}.png", optimize=True)
