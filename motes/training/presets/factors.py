"""Presets of the models whose code is told apart: by factor, by domain, by class and view."""

from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

FACTORS: dict[str, Preset] = {
    "eyes-vae": Preset(
        "a code of generated eyes in which the gaze can be turned: motes direction",
        Recipe(
            "vae",
            "eyes",
            {"width": 24, "code_dim": 12, "reconstruction": "pyramid", "beta": 0.03},
            {"irises": 0.0},
            Training(4000, 32, 3e-3, evaluate_every=1000),
        ),
    ),
}
