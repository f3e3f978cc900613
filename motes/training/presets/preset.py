"""`Preset`: the type of an entry in PRESETS."""

from dataclasses import dataclass

from motes.training.recipe import Recipe


@dataclass(frozen=True)
class Preset:
    """A recipe, with one line that says what the recipe is for."""

    about: str
    recipe: Recipe
