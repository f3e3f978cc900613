"""Presets of the models whose code is told apart: by factor, by domain, by class and view."""

from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

FACTORS = {
    "conditional-chairs": Preset(
        "chairs drawn from class, view and transform",
        Recipe(
            "conditional",
            "chairs",
            {"classes": 40},
            {"image_size": (48, 48)},
            Training(3000, 32, 2e-3, evaluate_every=1000),
        ),
    ),
}
