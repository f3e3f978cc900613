"""Fills in the options of a recipe that follow from a look at its data: the sizes of a particle model."""

import dataclasses
from collections.abc import Collection

from motes.data.base import Dataset
from motes.data.survey.survey import Survey, open_and_survey, survey
from motes.errors import UserError
from motes.models import MODELS
from motes.models.particles.parts import check_particle_sizes
from motes.plain.records import from_plain
from motes.training.newborn import fit_config
from motes.training.recipe import Recipe

# options of a model that may keep it from working on other data than it was made for
SIZES = ("glimpse_size", "patch_size")


@dataclasses.dataclass(frozen=True)
class Looked:
    """A recipe with sizes that suit its data, and the training split, opened."""

    recipe: Recipe
    data: Dataset
    # what was chosen and why, in two lines; empty if nothing was
    explained: str = ""


def look(recipe: Recipe, may_enlarge: bool = False) -> Looked:
    """The recipe with all sizes that it leaves open filled in from a survey of its training data.

    `may_enlarge`: the pictures may be made larger than the recipe says if most things in them are small.
    """
    source, data, surveyed = open_and_survey(recipe.data, "train", may_enlarge)
    recipe = dataclasses.replace(recipe, data=source)
    chosen = recipe.model_config if may_enlarge else [*recipe.model_config, "image_size"]
    recipe = dataclasses.replace(recipe, model_config={**_model_options(surveyed), **recipe.model_config})
    return Looked(recipe, data, surveyed.explained(chosen))


def look_if_needed(recipe: Recipe, told: Collection[str]) -> Looked:
    """The recipe of a preset on other data than its own.

    Its options stay, but if the model refuses such pictures with them, a survey gives it other SIZES: those
    that are not in `told`, the options that somebody gave.
    """
    data = recipe.data.open("train")
    open_sizes = [name for name in SIZES if name not in told]
    if not open_sizes or _sizes_work(recipe, data):
        return Looked(recipe, data)
    surveyed = survey(data)
    changed = recipe
    chosen: dict[str, int] = {}
    # one alone if that is enough
    for names in (*([name] for name in open_sizes), open_sizes):
        chosen = {name: value for name, value in _model_options(surveyed).items() if name in names}
        changed = dataclasses.replace(recipe, model_config={**recipe.model_config, **chosen})
        if _sizes_work(changed, data):
            break
    left_open = [name for name in vars(surveyed.choice) if name not in chosen]
    return Looked(changed, data, surveyed.explained(left_open))


def _model_options(seen: Survey) -> dict[str, int]:
    return {name: value for name, value in vars(seen.choice).items() if name != "image_size"}


def _sizes_work(recipe: Recipe, data: Dataset) -> bool:
    config = from_plain(MODELS[recipe.model].Config, fit_config(recipe, data), f"model {recipe.model}")
    try:
        check_particle_sizes(config)
    except UserError:
        return False
    return True
