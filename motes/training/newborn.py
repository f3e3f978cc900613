"""Makes a model as it is before its first training step: its options and its first weights."""

import dataclasses
from typing import Any

import torch

from motes.data.base import Dataset
from motes.errors import UserError
from motes.models import MODELS
from motes.models.base import Model
from motes.models.checkpoint import build
from motes.training.recipe import Recipe


def newborn(recipe: Recipe, data: Dataset) -> Model:
    """A new model for the recipe; its first weights follow from the recipe's seed."""
    if len(data) == 0:
        raise UserError("the training split has no pictures")
    torch.manual_seed(recipe.training.seed)
    return build(recipe.model, fit_config(recipe, data))


def fit_config(recipe: Recipe, data: Dataset) -> dict[str, Any]:
    """The model's options in the recipe, with options that the data determine added.

    The data determine channels, image size and number of pictures, unless the recipe sets them.
    """
    decided = {"channels": data.image_shape[0], "image_size": data.image_shape[1:], "pictures": len(data)}
    if recipe.model not in MODELS:
        return dict(recipe.model_config)
    names = {field.name for field in dataclasses.fields(MODELS[recipe.model].Config)}
    return {**{name: value for name, value in decided.items() if name in names}, **recipe.model_config}
