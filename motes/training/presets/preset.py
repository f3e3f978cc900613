"""What a preset is."""

from dataclasses import dataclass

from motes.training.recipe import Recipe


@dataclass(frozen=True)
class Preset:
    """A recipe, with one line that says what it is for."""

    about: str
    recipe: Recipe
