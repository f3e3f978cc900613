"""Presets of models whose code is divided into independent factors, into domains, or into class and view."""

from motes.data.source import Source
from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

FACTORS = {
    "conditional-chairs": Preset(
        "chairs drawn from class, view and transform",
        Recipe(
            "conditional",
            Source("chairs", {"image_size": (48, 48)}),
            {"classes": 40},
            Training(3000, 32, 2e-3, evaluate_every=1000),
        ),
    ),
    "paired-faces": Preset(
        "two people, one encoder: the expression of one person on the face of the other",
        Recipe(
            "paired",
            Source("two_faces", {"image_size": (40, 40)}),
            {},
            Training(4000, 16, 3e-3, evaluate_every=1000, validation_pictures=128),
        ),
    ),
    "dcign-ball": Preset(
        "azimuth, elevation and light of a ball, each on a unit of its own",
        Recipe(
            "dcign",
            Source("ball", {"image_size": (32, 32), "count": 1000}),
            {},
            Training(5000, 32, 2e-3, evaluate_every=2500),
        ),
    ),
    "eyes-vae": Preset(
        "a code of generated eyes in which the gaze can be turned: motes direction",
        Recipe(
            "vae",
            Source("eyes", {"irises": 0.0}),
            {"width": 24, "code_dim": 12, "reconstruction": "pyramid", "beta": 0.03},
            Training(4000, 32, 3e-3, evaluate_every=1000),
        ),
    ),
}
