"""Presets of the models with one code per picture, from which new pictures can be drawn."""

from motes.data.source import Source
from motes.training.presets.preset import Preset
from motes.training.recipe import Recipe, Training

GENERATIVE = {
    "vae-quick": Preset(
        "a variational autoencoder with one code, on generated shapes",
        Recipe(
            "vae",
            Source("shapes", {"count": 10000}),
            {"width": 16, "reconstruction": "pyramid", "beta": 0.03},
            Training(6000, 16, 4e-3, max_minutes=5.0, evaluate_every=1500),
        ),
    ),
    "vae-digits": Preset(
        "a variational autoencoder of handwritten digits, with a Bernoulli likelihood",
        Recipe(
            "vae",
            Source("digits"),
            {"network": "dense", "width": 128, "code_dim": 10, "reconstruction": "bernoulli"},
            Training(4000, 64, 1e-3, evaluate_every=500),
        ),
    ),
    "glo-quick": Preset(
        "a learnt code per picture and no encoder, on generated shapes",
        Recipe(
            "glo",
            Source("shapes", {"count": 1000, "held_out": 100}),
            {},
            Training(6000, 16, 4e-3, max_minutes=5.0, evaluate_every=1500, validation_pictures=64),
        ),
    ),
    "glo-digits": Preset(
        "a learnt code of eight numbers for each handwritten digit",
        Recipe(
            "glo",
            Source("digits"),
            {"network": "dense", "width": 128, "code_dim": 8, "reconstruction": "mse"},
            Training(8000, 64, 2e-3, evaluate_every=2000),
        ),
    ),
    "glann-digits": Preset(
        "learnt codes of handwritten digits, and a sampler of codes",
        Recipe(
            "glann",
            Source("digits"),
            {
                "network": "dense",
                "width": 128,
                "code_dim": 8,
                "reconstruction": "pyramid",
                "noise_dim": 8,
                "sampler_rate": 4.0,
            },
            Training(
                16000,
                64,
                2e-3,
                schedule="halving",
                halvings=(0.2, 0.3, 0.4, 0.45, 0.75, 0.85, 0.95),
                evaluate_every=4000,
            ),
        ),
    ),
}
