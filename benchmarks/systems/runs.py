"""A run of a benchmark: its recipe with another seed, trained to its end from nothing or from where it was stopped."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from motes.training.loop import resume, train
from motes.training.recipe import Recipe, read_recipe


def seeded(recipe: Recipe, seed: int) -> Recipe:
    """Other pictures in the splits, another start."""
    return replace(
        recipe, data_config={**recipe.data_config, "seed": seed}, training=replace(recipe.training, seed=seed)
    )


def finished(recipe: Recipe, folder: Path) -> Path:
    """The folder. A run of another recipe that lies there would be measured in place of this one."""
    if not (folder / "run.json").exists():
        return train(recipe, folder)
    kept, wanted = (json.loads(json.dumps(asdict(one))) for one in (read_recipe(folder), recipe))
    kept["model_config"] = {
        name: kept["model_config"].get(name) for name in wanted["model_config"]
    }  # a run's has all fields
    if kept != wanted:
        sys.exit(f"{folder} holds a run of another recipe; remove it, or name another --out")
    return resume(folder)
