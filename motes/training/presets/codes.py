"""Presets of models that compress a picture to a code: principal components, autoencoders and stacks of
them."""

from motes.data.source import Source
from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

# a closed form: the one step only reads the pictures
CLOSED_FORM = Training(1, 64, warm_steps=0, evaluate_every=1)

CODES = {
    "pca-digits": Preset(
        "principal components of digits, in closed form",
        Recipe("pca", Source("digits"), {"code_dim": 8}, CLOSED_FORM),
    ),
    "pca-faces": Preset(
        "eigenfaces of generated faces, in closed form",
        Recipe(
            "pca",
            Source("faces", {"image_size": (64, 64), "count": 1000, "held_out": 200}),
            {"code_dim": 32},
            CLOSED_FORM,
        ),
    ),
    "autoencoder-digits": Preset(
        "digits through a code of eight numbers",
        Recipe(
            "autoencoder",
            Source("digits"),
            {"code_dim": 8, "width": 128},
            Training(5000, 64, 2e-3, evaluate_every=500, validation_pictures=100),
        ),
    ),
    "denoising-digits": Preset(
        "digits of which a quarter is hidden, through a code of eight numbers",
        Recipe(
            "denoising",
            Source("digits"),
            {"code_dim": 8, "width": 128, "amount": 0.1},
            Training(5000, 64, 2e-3, evaluate_every=500, validation_pictures=100),
        ),
    ),
    "denoising-leaves": Preset(
        "filters of denoising units, from patches with the statistics of photographs",
        Recipe(
            "denoising",
            Source("dead-leaves", {"whitened": True, "count": 6000}),
            {"code_dim": 100, "network": "tied", "corruption": "gaussian", "amount": 0.15},
            Training(3000, 100, 1e-2, evaluate_every=1500),
        ),
    ),
    "stacked-rectangles": Preset(
        "tall or wide: three layers of denoising units and a classifier, the recipe of 2010",
        Recipe(
            "stacked",
            Source("rectangles"),
            {"widths": (1000, 1000, 1000), "amount": 0.4, "pretraining": 0.7, "classifying_rate": 1.0},
            Training(8000, 50, 5e-4, evaluate_every=1000, validation_pictures=200),
        ),
    ),
}
